// Package integration tests whole programs on whole trees, with real tools beside them: tar, zstd, rsync, protoc, FUSE. It
// stands on everything, and nothing stands on it.
package integration
