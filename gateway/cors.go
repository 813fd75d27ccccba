package gateway

import "net/http"

const (
	allowedMethods = "GET, HEAD, POST, PUT, OPTIONS"
	allowedHeaders = "Authorization, Content-Type, Accept, Cache-Control, " +
		"Upstash-Encoding, Upstash-Response-Format, Upstash-Sync-Token, " +
		"Upstash-Telemetry-Sdk, Upstash-Telemetry-Platform, Upstash-Telemetry-Runtime, Upstash-Telemetry-Retry"
)

// allowOrigin lets any web page use the gateway, since what counts is the token:
// there are no cookies.
func allowOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", headerSync)
}

func (x *exchange) preflight() {
	h := x.w.Header()
	allowOrigin(h)
	h.Set("Allow", allowedMethods)
	h.Set("Access-Control-Allow-Methods", allowedMethods)
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Max-Age", "86400")
	x.status = http.StatusNoContent
	x.w.WriteHeader(x.status)
}
