package telemetry

import (
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/larder-go/larder/observe"
)

// The names of attributes: those of OpenTelemetry's semantic conventions 1.37 where
// there is one. They are written out here, so that nobody links the package of them all.
const (
	dbSystemName     = attribute.Key("db.system.name")
	dbOperationName  = attribute.Key("db.operation.name")
	dbResponseStatus = attribute.Key("db.response.status_code")
	errorTypeName    = attribute.Key("error.type")
	httpMethod       = attribute.Key("http.request.method")
	httpRoute        = attribute.Key("http.route")
	httpStatus       = attribute.Key("http.response.status_code")
	serverAddress    = attribute.Key("server.address")
	serverPort       = attribute.Key("server.port")
	urlScheme        = attribute.Key("url.scheme")

	operationName = attribute.Key("larder.operation")
)

// operationError is the label of the failures of operations: what was done, a space and
// the type of the error. Beyond the records of a minute they are two attributes.
const operationError = "larder.operation.error"

// subjectAttributes says which feature or node a figure is of.
func subjectAttributes(kind observe.Kind, name string) []attribute.KeyValue {
	switch kind {
	case observe.Limiter:
		return []attribute.KeyValue{attribute.String("larder.prefix", name)}
	case observe.Topic:
		return []attribute.KeyValue{attribute.String("larder.topic", name)}
	case observe.Gateway:
		return []attribute.KeyValue{attribute.String("larder.gateway", name)}
	case observe.Redis:
		return serverAttributes(name)
	}
	return []attribute.KeyValue{attribute.String("larder.namespace", name)}
}

// serverAttributes divides host:port; what is not of this form is an address, as the
// path of a socket.
func serverAttributes(name string) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(name)
	n, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil {
		return []attribute.KeyValue{serverAddress.String(name)}
	}
	return []attribute.KeyValue{serverAddress.String(host), serverPort.Int(n)}
}

// attributes are those of a series.
func (s series) attributes() []attribute.KeyValue {
	kvs := subjectAttributes(s.kind, s.name)
	switch {
	case s.metric.Label == "" || s.label == "":
	case s.metric.Label == operationError:
		at := strings.LastIndexByte(s.label, ' ')
		kvs = append(kvs, operationName.String(s.label[:max(at, 0)]), errorTypeName.String(s.label[at+1:]))
	default:
		kvs = append(kvs, attribute.String(s.metric.Label, s.label))
	}
	return kvs
}

// methods are those that http.request.method names; others are "_OTHER".
var methods = map[string]bool{
	"CONNECT": true, "DELETE": true, "GET": true, "HEAD": true, "OPTIONS": true,
	"PATCH": true, "POST": true, "PUT": true, "QUERY": true, "TRACE": true,
}
