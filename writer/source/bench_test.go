package source_test

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"dura/writer/source"
)

// benchRoots are trees that most machines have. On the one this was written on they have 70,000 entries.
func benchRoots(b *testing.B) (roots []string) {
	for _, dir := range []string{"/usr/local/go", "/usr/share"} {
		if _, err := os.Stat(dir); err == nil {
			roots = append(roots, dir)
		}
	}
	if len(roots) == 0 {
		b.Skip("no tree to walk")
	}
	return roots
}

func BenchmarkWalk(b *testing.B) {
	for _, readAhead := range []int{0, 256, 1024} {
		b.Run("ahead"+strconv.Itoa(readAhead), func(b *testing.B) {
			var alarms alarms
			src, err := source.Local(benchRoots(b), source.Options{Alarms: &alarms, ReadAhead: readAhead})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for n, err := range src.Walk(b.Context(), source.Start{}) {
					if err != nil {
						b.Fatal(err)
					}
					n.Handle.Close()
				}
			}
			perEntry(b, src.Totals().Entries)
		})
	}
}

func perEntry(b *testing.B, entries int64) {
	b.ReportMetric(float64(entries), "entries")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(entries), "ns/entry")
}

// BenchmarkSystemCalls makes the system calls of a walk and nothing else: what there is to lose to.
func BenchmarkSystemCalls(b *testing.B) {
	roots := benchRoots(b)
	var entries int64
	for b.Loop() {
		entries = 0
		for _, root := range roots {
			entries += bareWalk(b, unix.AT_FDCWD, root)
		}
	}
	perEntry(b, entries)
}

func bareWalk(b *testing.B, dirFD int, name string) (entries int64) {
	fd, err := unix.Openat(dirFD, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 32<<10)
	var below []string
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil {
			b.Fatal(err)
		}
		if n == 0 {
			break
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			var st unix.Stat_t
			if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				b.Fatal(err)
			}
			entries++
			if st.Mode&unix.S_IFMT == unix.S_IFDIR {
				below = append(below, name)
			}
		}
	}
	for _, name := range below {
		entries += bareWalk(b, fd, name)
	}
	return entries
}
