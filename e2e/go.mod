module github.com/larder-go/larder/e2e

go 1.26.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/larder-go/larder v0.0.0
)

require (
	github.com/alicebob/miniredis/v2 v2.40.0 // indirect
	github.com/redis/rueidis v1.0.79 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

ignore ./node_modules

replace github.com/larder-go/larder => ../
