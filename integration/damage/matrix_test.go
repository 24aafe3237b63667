// Package damage crosses every kind of object with every kind of damage, and holds what readers, verification, repair and the next backup
// make of it against a table. All of it runs in this process, on archives in memory.
package damage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	"dura/writer"
	"dura/writer/source/sourcetest"
)

// damages are what may happen to an object; other is another valid object of the same kind, or of another where there is none.
var damages = []struct {
	name string
	do   func(object, other []byte) []byte // nil: it is gone
}{
	{"deleted", func(_, _ []byte) []byte { return nil }},
	{"truncated", func(object, _ []byte) []byte { return object[:len(object)*2/3] }},
	{"one bit flipped", func(object, _ []byte) []byte {
		object[len(object)/3] ^= 0x10
		return object
	}},
	{"a sector zeroed", func(object, _ []byte) []byte {
		start := len(object) / 2 / 4096 * 4096
		clear(object[start:min(start+4096, len(object))])
		return object
	}},
	{"replaced", func(_, other []byte) []byte { return other }},
	{"random", func(object, _ []byte) []byte {
		for i := range object {
			object[i] = byte(i*i*31 + i>>3)
		}
		return object
	}},
	{"emptied", func(_, _ []byte) []byte { return []byte{} }},
}

// outcome is what is expected where an object of a kind is damaged.
type outcome struct {
	reads   loss // what ls, restore and the mount lack
	heals   bool // repair has all that was lost, and nothing is damaged behind it
	unknown bool // nothing tells whether it is as it was stored, as long as it can be read
}

type loss int

const (
	nothing  loss = iota
	contents      // some files, whose names are there
	entries       // some names
)

// kinds are the objects that are damaged, one of each kind, and the table of what is expected without and with parity.
var kinds = []struct {
	name          string
	is            func(name string) bool
	without, with outcome
}{
	{"DURA-ARCHIVE", named("DURA-ARCHIVE"), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
	{"README.txt", named("README.txt"), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
	{"dura.proto", named("dura.proto"), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
	{"head", kind(format.HeadObject), outcome{}, outcome{heals: true}},
	{"tail", kind(format.TailObject), outcome{}, outcome{heals: true}},
	{"sums", kind(format.SumsObject), outcome{heals: true}, outcome{heals: true}},
	{"alarms", kind(format.AlarmsObject), outcome{}, outcome{heals: true}},
	{"fence", kind(format.FenceObject), outcome{heals: true}, outcome{heals: true}},
	{"hunk", kind(format.HunkObject), outcome{reads: entries}, outcome{heals: true}},
	{"span list", kind(format.SpansObject), outcome{reads: contents}, outcome{heals: true}},
	{"block", kind(format.BlockObject), outcome{reads: contents}, outcome{heals: true}},
	{"parity", kind(format.ParityObject), outcome{heals: true}, outcome{heals: true}},
}

func named(want string) func(string) bool { return func(name string) bool { return name == want } }

func kind(want format.ObjectKind) func(string) bool {
	return func(name string) bool {
		_, kind, _, err := format.ParseObjectName(name)
		return err == nil && kind == want
	}
}

func TestDamageMatrix(t *testing.T) {
	for _, scheme := range []string{"none", "16+2"} {
		good := stored(t, makeArchive(t, scheme))
		for _, k := range kinds {
			victims := names(good, k.is)
			if len(victims) == 0 && (k.name != "parity" || scheme != "none") {
				t.Fatalf("the archive has no %s", k.name)
			}
			want := k.without
			if scheme != "none" {
				want = k.with
			}
			for i, d := range damages {
				if len(victims) == 0 || testing.Short() && (i+len(k.name))%7 != 0 {
					continue
				}
				victim := victims[i%len(victims)]
				t.Run(fmt.Sprint(scheme, "/", k.name, "/", d.name), func(t *testing.T) {
					c := &cell{T: t, victim: victim, want: want, st: damaged(t, good, victim, k.is, d.do)}
					c.check()
				})
			}
		}
	}
}

// cell is one kind of object with one kind of damage.
type cell struct {
	*testing.T
	victim string
	want   outcome
	st     storage.Storage
}

func (c *cell) check() {
	before := stored(c.T, c.st)
	listed, told := c.list()
	c.holds("ls", listed, told)
	c.holds("restore", c.restore(), nil)
	if got := c.walkMount(); got != nil {
		c.holds("mount", got, nil)
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
	case c.want.reads == nothing && names+lost > 0:
		c.Errorf("%s: %d names and %d contents are lost", what, names, lost)
	case c.want.reads == contents && (what != "restore" && names > 0 || names+lost == 0 || names+lost > len(tree())/2):
		c.Errorf("%s: %d names and %d contents are lost", what, names, lost)
	case c.want.reads == entries && what == "mount" && names > 0:
		// Who goes by directories does not come to what is below one whose entry is lost.
	case c.want.reads == entries && (names == 0 || names > 2*len(tree())/3):
		c.Errorf("%s: %d names and %d contents are lost", what, names, lost)
	}
	_, kind, _, err := format.ParseObjectName(c.victim)
	read := err == nil && kind != format.SumsObject && kind != format.AlarmsObject && kind != format.ParityObject && kind != format.HeadObject &&
		kind != format.TailObject // of which a bit may be another and nobody who reads can tell; verify does, by .sha256
	if what == "ls" && read && len(told) == 0 {
		c.Errorf("%s: nothing is told", what)
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
	a, err := archive.Open(context.Background(), c.st, archive.Options{Alarms: set})
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
	a, err := archive.Open(context.Background(), c.st, archive.Options{})
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
	result := backup(c.T, st, testTime.Add(24*time.Hour))
	copied := &cell{T: c.T, st: st}
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

var testTime = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)

const first = format.BandID("2026-11-23-101500-010203")

// tree is the source: files by path, directories with "".
func tree() map[string]string {
	if made != nil {
		return made
	}
	made = map[string]string{"": "", "dir": ""}
	for i := range 1100 {
		made[fmt.Sprintf("dir/file-%04d", i)] = text(i, 100+i%100)
	}
	var large strings.Builder
	for i := range 26_000 {
		fmt.Fprintf(&large, "%d ", i*i*7919%1_000_003)
	}
	made["z-large"] = large.String()
	return made
}

var made map[string]string

// text is content of which a quarter can be compressed away.
func text(seed, bytes int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	b := make([]byte, bytes)
	x := uint64(seed)*2862933555777941757 + 3037000493
	for i := range b {
		x = x*2862933555777941757 + 3037000493
		b[i] = letters[x>>58]
	}
	return string(b)
}

func backup(t testing.TB, st storage.Storage, now time.Time) writer.Result {
	t.Helper()
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(context.Background(), st, archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var items []sourcetest.Item
	for path, content := range tree() {
		switch {
		case path == "":
		case path == "dir":
			items = append(items, sourcetest.Dir("dir"))
		default:
			items = append(items, sourcetest.File(format.Path(path), content))
		}
	}
	gone := sourcetest.File("unreadable", "nobody may read it")
	gone.OpenErr = os.ErrPermission // so that there are alarms
	items = append(items, gone)
	result, err := writer.Backup(context.Background(), a, sourcetest.New(items...), writer.Options{
		Now: func() time.Time { return now }, Random: bytes.NewReader([]byte{1, 2, 3}), Host: "host", Program: "test", Sources: []string{"/source"}, Alarms: set, Workers: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// makeArchive makes an archive with one band, which has every kind of object.
func makeArchive(t testing.TB, scheme string) storage.Storage {
	t.Helper()
	st := memory.New()
	settings := format.Settings{
		Compression: format.FastestCompression, BlockBytes: 192<<10 + 48<<10, FrameBytes: 16 << 10, SplitBytes: 64 << 10,
		ChunkMinBytes: 64, ChunkMeanBytes: 128, ChunkMaxBytes: 256, Parity: scheme,
	}
	if err := archive.Create(context.Background(), st, archive.CreateOptions{ID: "00112233445566778899aabbccddeeff", Now: testTime, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	backup(t, st, testTime)
	return st
}

func stored(t testing.TB, st storage.Storage) map[string][]byte {
	t.Helper()
	objects := map[string][]byte{}
	for info, err := range st.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		object, err := st.Read(context.Background(), info.Name, 0, int(info.SizeBytes))
		if err != nil {
			t.Fatal(err)
		}
		objects[info.Name] = object
	}
	return objects
}

func names(objects map[string][]byte, is func(string) bool) (found []string) {
	for name := range objects {
		if is(name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// damaged is an archive like good, but for one object.
func damaged(t testing.TB, good map[string][]byte, victim string, same func(string) bool, do func(object, other []byte) []byte) storage.Storage {
	t.Helper()
	other := good[format.TailName(first)]
	if victim == format.TailName(first) {
		other = good[format.HeadName(first)]
	}
	for _, name := range names(good, same) {
		if name != victim {
			other = good[name]
		}
	}
	st := memory.New()
	for name, object := range good {
		if name == victim {
			if object = do(bytes.Clone(object), bytes.Clone(other)); object == nil {
				continue
			}
		}
		if err := st.Create(context.Background(), name, object); err != nil {
			t.Fatal(err)
		}
	}
	return st
}
