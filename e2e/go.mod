module github.com/larder-go/larder/e2e

go 1.26.0

require (
	github.com/larder-go/larder v0.0.0
	github.com/pganalyze/pg_query_go/v6 v6.2.5
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/redis/rueidis v1.0.79 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

ignore ./node_modules

replace github.com/larder-go/larder => ../
