package main

import "runtime/debug"

// Memory settings: a backup's live heap is its buffers, which are few and large, so a tighter collector costs little.
const (
	gcPercent        = 50
	memoryLimitBytes = 128 << 20
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
