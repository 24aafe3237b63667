package main

import "runtime/debug"

// Memory settings: a backup's live heap is its buffers, which are few and large, and the limit
// is what governs: the collector runs less often than by a percentage, at a lower peak.
const (
	gcPercent        = 200
	memoryLimitBytes = 100 << 20
)

// tune sets up the garbage collector, unless the environment does.
func tune(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimitBytes)
	}
}
