package larder

// Stats counts what a Cache has done since it was made.
type Stats struct {
	// L1Hits and L2Hits are Gets answered from the process and from Redis;
	// StaleHits of both were past their TTL, NegativeHits were "not found".
	L1Hits, L2Hits, StaleHits, NegativeHits uint64
	// Misses are Gets that neither tier could answer at first, whatever came
	// after. Every Get is a hit or a miss, unless its context or key was bad.
	Misses uint64
	// Coalesced are misses that were answered by another caller's load, in this
	// process or in another.
	Coalesced uint64
	// Loads are loader calls (a batch counts each of its keys), LoadErrors the
	// failed ones, without ErrNotFound.
	Loads, LoadErrors uint64
	// Fills are values stored in Redis; FillsRefused are values that were loaded
	// but overtaken by an invalidation; Oversize were too large to store.
	Fills, FillsRefused, Oversize uint64
	// Rejected are entries found in Redis but not used: of another tag or
	// namespace generation, of another life of the node (a restart, a failover),
	// of another schema, or (Corrupt) unreadable. RejectedTag are those of
	// RejectedGeneration whose tag it was, not the namespace.
	RejectedGeneration, RejectedTag, RejectedIncarnation, RejectedSchema, Corrupt uint64
	// L2Errors are calls that failed on the way to Redis.
	L2Errors uint64
	// Invalidations are calls of Invalidate, InvalidateTags, CommitTags, InvalidatePrefix,
	// Clear and Set of this Cache; Pushes are keys that Redis reported as changed.
	Invalidations, Pushes uint64
	// Unpublished is how many messages could not be published, by all caches over the
	// connection, where the server does not push: other processes learn of what they
	// said within their StalenessBound only.
	Unpublished uint64
	// ProbeChecked1s and ProbeChecked60s are values that the consistency probe compared
	// with their source, that long after they were served; ProbeStale1s and
	// ProbeStale60s are those of them that were not the source's. ProbeUndecided could
	// not be compared. ProbeLoads are the calls of the loader that all this took; they
	// are not among Loads. See Options.ProbeEvery.
	ProbeChecked1s, ProbeStale1s, ProbeChecked60s, ProbeStale60s, ProbeUndecided, ProbeLoads uint64
	// Pending is how many invalidations wait for Redis now.
	Pending int
	// L1Entries and L1Bytes are held in the process now; L1Evictions are entries that
	// gave way to others there.
	L1Entries   int
	L1Bytes     uint64
	L1Evictions uint64
}

// HitRatio is the share of Gets that a tier answered, 0 if there were none.
func (s Stats) HitRatio() float64 {
	hits := s.L1Hits + s.L2Hits
	if hits+s.Misses == 0 {
		return 0
	}
	return float64(hits) / float64(hits+s.Misses)
}
