//go:build !linux

package fs

// isKilled takes every interrupted process for killed: there is no cheap way to tell.
func isKilled(uint32) bool { return true }
