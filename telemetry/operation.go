package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// The metrics of operations. Those of Redis and HTTP have the names of OpenTelemetry's
// semantic conventions.
var (
	redisOperations = &observe.Metric{
		Name: "db.client.operation.duration", Unit: "s", Instrument: observe.Histogram, Label: "db.operation.name",
		Help: "commands to Redis",
	}
	gatewayRequests = &observe.Metric{
		Name: "http.server.request.duration", Unit: "s", Instrument: observe.Histogram, Label: "http.request.method",
		Help: "requests to the gateway",
	}
	// One for each kind, and "" for those that are unknown here.
	operations, failures = perKind(observe.Cache, observe.Limiter, observe.Session, observe.Topic,
		observe.SQL, observe.Gateway, observe.Redis, "")
)

func perKind(kinds ...observe.Kind) (operations, failures map[observe.Kind]*observe.Metric) {
	operations, failures = map[observe.Kind]*observe.Metric{}, map[observe.Kind]*observe.Metric{}
	for _, k := range kinds {
		prefix := "larder."
		if k != "" {
			prefix += string(k) + "."
		}
		operations[k] = &observe.Metric{
			Name: prefix + "operation.duration", Unit: "s", Instrument: observe.Histogram, Label: "larder.operation",
			Help: "operations that leave the process",
		}
		failures[k] = &observe.Metric{
			Name: prefix + "operation.errors", Unit: "{error}", Label: operationError,
			Help: "operations that failed, by what was done and the type of the error",
		}
	}
	operations[observe.Redis], operations[observe.Gateway] = redisOperations, gatewayRequests
	return operations, failures
}

func operationMetric(k observe.Kind) *observe.Metric { return ofKind(operations, k) }

func failureMetric(k observe.Kind) *observe.Metric { return ofKind(failures, k) }

func ofKind(ms map[observe.Kind]*observe.Metric, k observe.Kind) *observe.Metric {
	if m := ms[k]; m != nil {
		return m
	}
	return ms[""]
}

// otherError is what the semantic conventions call an error beyond a limit.
const otherError = "_OTHER"

// errorType is the value of error.type: few different ones, and nothing of the text.
func errorType(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	if code := conn.Code(err); code != "" {
		if strings.ContainsFunc(code, func(r rune) bool { return r < 'A' || r > 'Z' }) || len(code) > 32 {
			return otherError // a script may answer anything
		}
		return code
	}
	if errors.Is(err, conn.ErrUnavailable) {
		return "unavailable"
	}
	name := strings.TrimLeft(fmt.Sprintf("%T", err), "*")
	if name == "errors.errorString" || name == "fmt.wrapError" || name == "errors.joinError" || name == "fmt.wrapErrors" {
		return otherError
	}
	return name
}
