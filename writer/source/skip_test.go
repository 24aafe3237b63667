package source_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/format"
	"dura/writer/source"
)

func TestSkippedDirectoriesAreKeptEmpty(t *testing.T) {
	t.Chdir(makeTree(t, "a/archive/x/y", "a/b", "c"))
	var st unix.Stat_t
	must(t, unix.Lstat("a/archive", &st))
	var told []string
	o := source.Options{
		Skip:    func(dev, ino uint64) bool { return dev == uint64(st.Dev) && ino == uint64(st.Ino) },
		Skipped: func(p format.Path, why source.Why) { told = append(told, string(p)+": "+why.Reason.String()) },
	}
	for roots, want := range map[string][]string{
		".":         {"/", "a/", "c", "a/archive/", "a/b"},
		"a/archive": {"/", "a/", "a/archive/"},
	} {
		told = nil
		src, alarms := local(t, o, roots)
		equal(t, allPaths(t, src), want)
		equal(t, told, []string{"a/archive: skipped content"})
		if n := src.Totals().SkippedContents; n != 1 {
			t.Errorf("%d counted", n)
		}
		equal(t, alarms.take(""), nil)
	}
	// Where it leads to a root, the root counts.
	src, _ := local(t, o, "a/archive/x")
	equal(t, allPaths(t, src), []string{"/", "a/", "a/archive/", "a/archive/x/", "a/archive/x/y"})
}
