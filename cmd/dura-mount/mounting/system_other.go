//go:build !linux

package mounting

// checkSystem leaves it to the mount to say what is missing.
func (s *settings) checkSystem(Host) error { return nil }
