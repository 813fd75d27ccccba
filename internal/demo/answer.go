package demo

// The answers of the application. Each is read in one transaction, and Version
// with it.
type (
	// packagePage is the documentation of one package.
	packagePage struct {
		Version     int64    `json:"version"`
		Path        string   `json:"path"`
		Name        string   `json:"name"`
		Synopsis    string   `json:"synopsis"`
		Doc         string   `json:"doc"`
		Files       int      `json:"files"`
		Imports     []string `json:"imports"`
		SymbolCount int      `json:"symbol_count"`
		Symbols     []symbol `json:"symbols"` // the first maxSymbols
	}
	symbol struct {
		Kind     string `json:"kind"`
		Name     string `json:"name"`
		Decl     string `json:"decl"`
		Synopsis string `json:"synopsis"`
	}

	// searchResult lists symbols whose word begins with the query, those of the
	// most imported packages first.
	searchResult struct {
		Version int64       `json:"version"`
		Query   string      `json:"query"`
		Symbols []symbolHit `json:"symbols"`
	}
	symbolHit struct {
		Package  string `json:"package"`
		Kind     string `json:"kind"`
		Name     string `json:"name"`
		Synopsis string `json:"synopsis"`
	}

	// importerList tells which packages import one. Version is the package's.
	importerList struct {
		Version   int64    `json:"version"`
		Path      string   `json:"path"`
		Synopsis  string   `json:"synopsis"`
		Importers []string `json:"importers"`
	}

	// topList is the aggregate: the most imported packages.
	topList struct {
		Version  int64        `json:"version"`
		Packages []topPackage `json:"packages"`
	}
	topPackage struct {
		Path      string `json:"path"`
		Importers int    `json:"importers"`
		Symbols   int    `json:"symbols"`
		Docs      int    `json:"docs"`
		Edits     int    `json:"edits"`
	}
)

// versioned is an answer that the load generator can check.
type versioned interface{ version() int64 }

func (p packagePage) version() int64  { return p.Version }
func (s searchResult) version() int64 { return s.Version }
func (l importerList) version() int64 { return l.Version }
func (t topList) version() int64      { return t.Version }
