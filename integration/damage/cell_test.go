package damage

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/archive/restore"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/verify"
)

// cell is one kind of object with one kind of damage.
type cell struct {
	*testing.T
	column
	victim string // as it is stored
	want   outcome
	st     storage.Storage
	byHand bool // recover.py is run, too
}

func (c *cell) check() {
	before := stored(c.T, c.st)
	listed, told := c.list()
	c.holds("ls", listed, told)
	c.holds("restore", c.restore(), nil)
	if got := c.walkMount(); got != nil {
		c.holds("mount", got, nil)
	}
	if c.byHand {
		if got := c.recover(before); got != nil {
			c.lacks("recover.py", c.want.byHand, got)
		}
	}
	if found := c.verify(); !found && !c.want.unknown {
		c.Error("verify finds nothing")
	}
	c.nextBackup("the next backup", false)
	result := c.repair()
	if result.Healthy() != c.want.heals && !c.want.unknown {
		c.Errorf("repair: %+v", result)
	}
	after := stored(c.T, c.st)
	for name := range before {
		if !bytes.Equal(before[name], after[name]) {
			c.Errorf("repair has changed %s", name)
		}
	}
	if c.want.heals {
		if listed, told := c.list(); len(told) > 0 || len(listed) != len(tree()) {
			c.Errorf("behind the repair: %d of %d entries, %v", len(listed), len(tree()), told)
		}
		if c.verify() && !c.want.unknown {
			c.Error("verify finds damage behind the repair")
		}
	}
	c.nextBackup("the next backup behind the repair", true)
}

// holds compares what a reader got with the table. Content that it got must be right in any case.
func (c *cell) holds(what string, got map[string]string, told []alarm.Alarm) {
	c.Helper()
	c.lacks(what, c.want.reads, got)
	_, kind, _, err := format.ParseObjectName(strings.TrimSuffix(c.victim, format.SealedSuffix))
	read := err == nil && kind != format.SumsObject && kind != format.AlarmsObject && kind != format.ParityObject && kind != format.HeadObject &&
		kind != format.TailObject // of which a bit may be another and nobody who reads can tell; verify does, by .sha256
	if what == "ls" && read && len(told) == 0 {
		c.Errorf("%s: nothing is told", what)
	}
}

// lacks compares what a reader got with what it may lack.
func (c *cell) lacks(what string, reads loss, got map[string]string) {
	c.Helper()
	var lost, names int
	for path, content := range tree() {
		is, there := got[path]
		switch {
		case !there:
			names++
		case is == unreadable:
			lost++
		case is != content:
			c.Errorf("%s: %s has other content", what, path)
		}
	}
	switch {
	case reads == nothing && names+lost > 0:
		c.Errorf("%s: %d names and %d contents are lost", what, names, lost)
	case reads == contents && (what != "restore" && what != "recover.py" && names > 0 || names+lost == 0 || names+lost > len(tree())/2):
		c.Errorf("%s: %d names and %d contents are lost", what, names, lost)
	case reads == entries && (names == 0 || names > 2*len(tree())/3):
		c.Errorf("%s: %d names and %d contents are lost", what, names, lost)
	}
}

// unreadable stands for content that could not be had.
const unreadable = "\x00unreadable"

func (c *cell) open() (*archive.Archive, *alarm.Set) {
	c.Helper()
	set, err := alarm.NewSet(alarm.Options{Defaults: alarm.ReadingRules()})
	if err != nil {
		c.Fatal(err)
	}
	o := c.options()
	o.Alarms = set
	a, err := archive.Open(context.Background(), c.st, o)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(a.Close)
	return a, set
}

func (c *cell) band() (*archive.Band, *alarm.Set) {
	c.Helper()
	a, set := c.open()
	state, err := a.FindBand(context.Background(), string(first))
	if err != nil {
		c.Fatal(err)
	}
	b, err := a.OpenBand(context.Background(), state)
	if err != nil {
		c.Fatal(err)
	}
	return b, set
}

// list walks the band and reads every file.
func (c *cell) list() (map[string]string, []alarm.Alarm) {
	c.Helper()
	b, set := c.band()
	return readBand(c.T, b, set)
}

func readBand(t testing.TB, b *archive.Band, set *alarm.Set) (map[string]string, []alarm.Alarm) {
	t.Helper()
	got := map[string]string{}
	for e, err := range b.Subtree(context.Background(), format.Root) {
		if err != nil {
			set.Raise(archive.AlarmOf(err))
			continue
		}
		got[string(e.Path)] = ""
		if e.Kind != format.File {
			continue
		}
		content := make([]byte, e.Size)
		if _, err := b.Archive().Content(e.Entry).ReadAt(context.Background(), content, 0); err != nil && e.Size > 0 {
			set.Raise(archive.AlarmOf(err))
			content = []byte(unreadable)
		}
		got[string(e.Path)] = string(content)
	}
	kept, _ := set.Kept()
	return got, kept
}

func (c *cell) restore() map[string]string {
	c.Helper()
	b, set := c.band()
	dest := filepath.Join(inMemory(c), "dest")
	if _, err := restore.Restore(context.Background(), b, dest, restore.Options{Alarms: set, NoOwner: true, Random: bytes.NewReader(make([]byte, 1<<16))}); err != nil {
		c.Fatal(err)
	}
	return c.tree(dest)
}

// tree is what is in a directory.
func (c *cell) tree(dest string) map[string]string {
	c.Helper()
	got := map[string]string{"": ""}
	err := filepath.WalkDir(dest, func(name string, d os.DirEntry, err error) error {
		if err != nil || name == dest {
			return err
		}
		path, _ := filepath.Rel(dest, name)
		got[path] = ""
		if d.Type().IsRegular() {
			content, err := os.ReadFile(name)
			got[path] = string(content)
			return err
		}
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	return got
}

// inMemory is a directory for the test, in memory where there is one: some file systems take a millisecond for each file.
func inMemory(c *cell) string {
	c.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "dura-damage-")
	if err != nil {
		return c.TempDir()
	}
	c.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// verify reports whether the deepest verification finds damage.
func (c *cell) verify() bool {
	c.Helper()
	a, set := c.open()
	bands, err := a.Bands(context.Background())
	if err != nil {
		c.Fatal(err)
	}
	result, err := verify.Verify(context.Background(), a, bands, verify.Options{Depth: verify.Blocks, Alarms: set})
	if err != nil {
		c.Fatal(err)
	}
	return result.Damaged > 0 || set.Raised() > 0
}

func (c *cell) repair() repair.Result {
	c.Helper()
	a, err := archive.Open(context.Background(), c.st, c.options())
	if err != nil {
		c.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(context.Background())
	if err != nil {
		c.Fatal(err)
	}
	result, err := repair.Repair(context.Background(), a, bands, repair.Options{})
	if err != nil {
		c.Fatal(err)
	}
	return result
}

// nextBackup backs the same source up again, into a copy. The new band is whole behind a repair; ahead of one, unless a block is there that is
// not what it was, which nobody knows yet.
func (c *cell) nextBackup(what string, repaired bool) {
	c.Helper()
	st := memory.New()
	for name, object := range stored(c.T, c.st) {
		if err := st.Create(context.Background(), name, object); err != nil {
			c.Fatal(err)
		}
	}
	result := backup(c.T, c.column, st, testTime.Add(24*time.Hour))
	copied := &cell{T: c.T, column: c.column, st: st}
	a, set := copied.open()
	b, err := a.OpenBand(context.Background(), archive.BandState{ID: result.Band, HasHead: true, Complete: true})
	if err != nil {
		c.Fatal(err)
	}
	got, _ := readBand(c.T, b, set)
	if _, there := stored(c.T, c.st)[c.victim]; !repaired && there && c.want.reads == contents {
		return
	}
	for path, content := range tree() {
		if got[path] != content {
			c.Errorf("%s: %s is not whole", what, path)
			return
		}
	}
}
