package damage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/writer"
	"dura/writer/source/sourcetest"
)

// TestMain lets garbage pile up: each cell takes memory for archives of its own.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
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

func backup(t testing.TB, c column, st storage.Storage, now time.Time) writer.Result {
	t.Helper()
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(context.Background(), st, c.options())
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
func makeArchive(t testing.TB, c column) storage.Storage {
	t.Helper()
	st := memory.New()
	settings := format.Settings{
		Compression: format.FastestCompression, BlockBytes: 192<<10 + 48<<10, FrameBytes: 16 << 10, SplitBytes: 64 << 10,
		ChunkMinBytes: 64, ChunkMeanBytes: 128, ChunkMaxBytes: 256, Parity: c.scheme,
	}
	o := archive.CreateOptions{ID: "00112233445566778899aabbccddeeff", Now: testTime, Settings: settings}
	if c.keys != nil {
		o.Key = c.keys.Public()
	}
	if err := archive.Create(context.Background(), st, o); err != nil {
		t.Fatal(err)
	}
	backup(t, c, st, testTime)
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
	_, sealed := good[format.PublicKeyName]
	tail := format.StoredName(format.TailName(first), sealed)
	other := good[tail]
	if victim == tail {
		other = good[format.StoredName(format.HeadName(first), sealed)]
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
