package soak

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Sample is one look at the process and its server. Absent figures are -1.
type Sample struct {
	// After is the time since the load began.
	After time.Duration `json:"after_ns"`
	// Heap is what is live after a collection, RSS what the process occupies.
	Heap int64 `json:"heap_bytes"`
	RSS  int64 `json:"rss_bytes"`
	// Goroutines and Files are those of the process.
	Goroutines int64 `json:"goroutines"`
	Files      int64 `json:"file_descriptors"`
	// Keys are the server's, or this run's on a server of others; Immortal are
	// those without an expiry.
	Keys     int64 `json:"keys"`
	Immortal int64 `json:"keys_without_expiry"`
	// ServerMemory is what the server says it uses, ServerClients are its
	// connections.
	ServerMemory  int64 `json:"server_memory_bytes"`
	ServerClients int64 `json:"server_clients"`
	// Operations are those that have ended since the load began.
	Operations int64 `json:"operations"`
}

// process measures this process into s.
func (s *Sample) process() {
	s.Goroutines = int64(runtime.NumGoroutine())
	// Twice: what a finalizer keeps, and what a sync.Pool does, goes with the second.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap = int64(m.HeapAlloc)
	s.RSS = residentBytes()
	s.Files = openFiles()
}

// residentBytes reads what Linux tells, or -1.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return -1
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return -1
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return -1
	}
	return pages * int64(os.Getpagesize())
}

// openFiles counts what Linux and its relatives list, or -1.
func openFiles() int64 {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if entries, err := os.ReadDir(dir); err == nil {
			return int64(len(entries)) - 1 // that of reading the folder
		}
	}
	return -1
}

// String is one line for people.
func (s Sample) String() string {
	return fmt.Sprintf("%d operations, heap %s, %d goroutines, %d files, %d keys",
		s.Operations, mebibytes(s.Heap), s.Goroutines, s.Files, s.Keys)
}

func mebibytes(n int64) string {
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
}
