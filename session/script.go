package session

import (
	_ "embed"

	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed lua/shared.lua
	sharedLua string
	//go:embed lua/create.lua
	createLua string
	//go:embed lua/replace.lua
	replaceLua string
	//go:embed lua/rename.lua
	renameLua string
	//go:embed lua/touch.lua
	touchLua string
	//go:embed lua/destroy.lua
	destroyLua string
	//go:embed lua/destroyall.lua
	destroyAllLua string
	//go:embed lua/list.lua
	listLua string
)

// What logs out is accepted by a full server too.
var (
	createScript     = script.New(sharedLua, createLua)
	replaceScript    = script.New(sharedLua, replaceLua)
	renameScript     = script.New(sharedLua, renameLua)
	touchScript      = script.New(sharedLua, touchLua)
	destroyScript    = script.NewAllowOOM(sharedLua, destroyLua)
	destroyAllScript = script.NewAllowOOM(sharedLua, destroyAllLua)
	listScript       = script.NewAllowOOM(sharedLua, listLua)
)
