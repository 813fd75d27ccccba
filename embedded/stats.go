package embedded

// stats are the counters that INFO shows.
type stats struct {
	commands, expired uint64
}
