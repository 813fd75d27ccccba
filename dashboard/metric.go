package dashboard

// The figures that the pages are made of, by the names under which features count
// them. A name that nobody counts under is a figure that is not there, so the tests
// compare these with what the features say.
const (
	metricHits        = "larder.cache.hits" // by tier
	metricMisses      = "larder.cache.misses"
	metricStale       = "larder.cache.stale_serves"
	metricNegative    = "larder.cache.negative_hits"
	metricCoalesced   = "larder.cache.coalesced"
	metricLoads       = "larder.cache.loads"
	metricLoadErrors  = "larder.cache.load_errors"
	metricFills       = "larder.cache.fills"
	metricRefused     = "larder.cache.fills_refused"
	metricL2Errors    = "larder.cache.l2_errors"
	metricInvalidated = "larder.cache.invalidations"
	metricPushes      = "larder.cache.pushes"
	metricPending     = "larder.cache.invalidations_pending"
	metricL1Entries   = "larder.cache.l1.entries"
	metricL1Bytes     = "larder.cache.l1.size"
	metricL1Evictions = "larder.cache.l1.evictions"

	metricOperation = "larder.cache.operation.duration" // by verb
	verbRead        = "read"
	verbLoad        = "load"
	verbFill        = "fill"
)

// Those of what may go wrong.
const (
	metricBreaker    = "larder.redis.connections_shut" // whose breaker sends calls to the source
	metricProbes     = "larder.cache.probe.checked"
	metricProbeStale = "larder.cache.probe.stale"
)

// Those of the other features.
const (
	metricAllowed   = "larder.ratelimit.allowed"
	metricLimited   = "larder.ratelimit.refused" // by reason
	metricPublished = "larder.topic.published"
	metricReceived  = "larder.topic.received"
	metricLag       = "larder.topic.lag"
	metricCommands  = "db.client.operation.duration" // by command
	metricRequests  = "http.server.request.duration" // of the gateway, by method
)
