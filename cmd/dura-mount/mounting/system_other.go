//go:build !linux

package main

// checkSystem leaves it to the mount to say what is missing.
func (s *settings) checkSystem(host) error { return nil }
