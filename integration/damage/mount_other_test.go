//go:build !linux

package damage

// walkMount mounts nothing here.
func (c *cell) walkMount() map[string]string { return nil }
