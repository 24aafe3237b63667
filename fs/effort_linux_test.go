package fs_test

import (
	"fmt"
	"strings"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/storagetest"
	"dura/fs"
)

// manyFiles is a tree of a few hundred files in some directories.
func manyFiles(n int) map[string]string {
	content := map[string]string{}
	for i := range n {
		content[fmt.Sprintf("d%d/e%d/f%d", i%7, i%11, i)] = fmt.Sprint(i)
	}
	return content
}

func TestWhatWasSeenIsNotAskedForAgain(t *testing.T) {
	root := uint32(0) // the kernel never keeps the ACL of a mount's root, and asks for it where that is somebody else's
	m := mountStorage(t, oneBand(t, archivetest.Tree(manyFiles(500))), fs.Options{Band: "latest", UID: &root})
	find := func() string { return m.run("find", m.dir, "-printf", "%s %P\n") }
	cat := func() string { return m.run("sh", "-c", "find "+m.dir+" -type f -print0 | xargs -0 cat") }
	for name, do := range map[string]func() string{"find": find, "cat": cat} {
		first := do()
		before := m.fs.Requests()
		if second := do(); second != first {
			t.Errorf("%s prints something else the second time", name)
		}
		if after := m.fs.Requests(); after != before {
			t.Errorf("the second %s made requests:\n%+v, before\n%+v", name, after, before)
		}
	}
}

// ls -l asks for the SELinux context and the ACL of each file. The kernel keeps the latter alone.
func TestLongListingLooksNothingUp(t *testing.T) {
	const files, few = 1000, 5 // few: what the directories above take
	content := map[string]string{}
	for i := range files {
		content[fmt.Sprintf("d/%04d", i)] = ""
	}
	root := uint32(0) // see above
	m := mountStorage(t, oneBand(t, archivetest.Tree(content)), fs.Options{Band: "latest", UID: &root})
	m.run("ls", m.dir)
	for _, mostXAttrs := range []int64{2*files + few, files + few} {
		before := m.fs.Requests()
		if got := m.run("ls", "-l", m.path("d")); strings.Count(got, "\n") != files+1 {
			t.Fatalf("ls prints %d lines", strings.Count(got, "\n"))
		}
		after := m.fs.Requests()
		if n := after.Lookup - before.Lookup; n > 1 { // that of the directory
			t.Errorf("ls -l made %d lookups", n)
		}
		if n := after.GetAttr - before.GetAttr; n > 1 {
			t.Errorf("ls -l made %d requests for attributes", n)
		}
		if n := after.GetXAttr - before.GetXAttr + after.ListXAttr - before.ListXAttr; n > mostXAttrs {
			t.Errorf("ls -l made %d requests for extended attributes, of at most %d", n, mostXAttrs)
		}
	}
}

// Its neighbours' hunks and frames are not read with it, and its directory has been seen.
func TestColdFileTakesTwoReadsOfStorage(t *testing.T) {
	st := archivetest.NewArchive(t)
	content := manyFiles(2000)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 50, FrameBytes: 1000}).Complete(archivetest.Tree(content))
	recorder := storagetest.NewRecorder(st)
	m := mountStorage(t, recorder, fs.Options{Band: "latest"})
	if c := recorder.Counts(); c.Reads > 1+3 || c.Stats > 0 { // the archive's head; tail, fence, hunk
		t.Errorf("to mount took %+v", c)
	}
	for i := 1990; i > 0; i -= 7*11*3 + 1 { // backwards, as nobody walks
		name := fmt.Sprintf("d%d/e%d/f%d", i%7, i%11, i)
		m.run("stat", m.path(name[:strings.LastIndexByte(name, '/')]))
		recorder.Reset()
		if got := m.run("cat", m.path(name)); got != content[name] {
			t.Errorf("%s holds %q", name, got)
		}
		if c := recorder.Counts(); c.Reads < 1 || c.Reads > 2 || c.Lists+c.Stats > 0 {
			t.Errorf("%s took %+v: %+v", name, c, recorder.Log())
		}
	}
}

func TestReadingTakesFewReadsOfStorage(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 50, FenceHunks: 5}).
		Complete(archivetest.Tree(manyFiles(2000)))
	recorder := storagetest.NewRecorder(st)
	m := mountStorage(t, recorder, fs.Options{})
	eventually(t, func() bool { return recorder.Counts().Reads == 4 }) // the archive's head; and the latest band's tail, fence and hunk
	if c := recorder.Counts(); c.Lists != 1 || c.Stats > 0 {
		t.Errorf("to mount took %+v", c)
	}
	count := func(what string, most int, do func()) {
		t.Helper()
		recorder.Reset()
		do()
		if c := recorder.Counts(); c.Reads > most || c.Lists > 1 || c.Stats > 0 {
			t.Errorf("%s took %+v, of reads at most %d", what, c, most)
		}
	}
	band := m.path(string(archivetest.BandID(0)))
	count("to list the mount", 0, func() { m.run("ls", "-l", m.dir) })
	count("to look into the band", 0, func() { m.run("ls", band) })
	for i := range 7 {
		m.run("find", fmt.Sprintf("%s/d%d", band, i))
	}
	count("a small file", 1, func() { m.run("cat", band+"/d3/e3/f1158") }) // frame; its hunk is in memory
	count("its neighbour", 0, func() { m.run("cat", band+"/d3/e3/f1235") })
}

func TestSequentialReadsAreLarge(t *testing.T) {
	const bytes = 16 << 20
	content := make([]byte, bytes)
	m := mountStorage(t, oneBand(t, []archivetest.Item{archivetest.Dir(format.Root), archivetest.File("f", content)}), fs.Options{Band: "latest"})
	m.run("cat", m.path("f"))
	if n := m.fs.Requests().Read; n > 2*bytes>>20+8 {
		t.Errorf("%d MiB took %d requests", bytes>>20, n)
	}
}
