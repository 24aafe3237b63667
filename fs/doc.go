// Package fs serves the bands of an archive as read-only directory trees, through FUSE. It stands on archive, which finds,
// checks and caches all that is stored, and on go-fuse, which speaks the kernel's protocol.
//
// The kernel names what it asks about by node ids. Here they are arithmetic: the number of a band and an entry's ordinal in it.
// So nothing is kept for what the kernel knows, forgetting is nothing to do, and memory is what archive's caches are given.
//
// What lies in a band never changes, and the kernel is told to keep it: names, attributes, directories, contents. What may
// change, the list of bands above all, is good for about a second.
package fs
