package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
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
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/writer"
	"dura/writer/dedup"
	"dura/writer/source/sourcetest"
)

var update = flag.Bool("update", false, "write the golden archives that are not there yet")

// golden are the archives in testdata. What a landed version wrote stays as it is: a change to the format or to what a writer
// decides adds a case, and leaves the old ones to be read.
var golden = []struct {
	name     string
	rewrites bool // the writer of today still gives these bytes
	sealed   bool // by goldenPassphrase; its bytes are never the same twice
	settings format.Settings
	backups  [][]sourcetest.Item // what its bands are of
}{
	{"v1-default", true, false, formerChunks(format.Settings{}), [][]sourcetest.Item{goldenItems()}},
	{"v1-none", true, false, formerChunks(format.Settings{Compression: format.NoCompression}), [][]sourcetest.Item{goldenItems()}},
	{"v1-openpgp", false, true, format.Settings{}, [][]sourcetest.Item{goldenItems()}},
	{"v1-small-blocks", true, false, format.Settings{
		Compression: format.BetterCompression, BlockBytes: 256 << 10, FrameBytes: 4 << 10, SplitBytes: 8 << 10,
		ChunkMinBytes: 256, ChunkMeanBytes: 512, ChunkMaxBytes: 2 << 10,
	}, [][]sourcetest.Item{goldenItems()}},
	{"v1-incremental", true, false, format.Settings{SplitBytes: 8 << 10, FrameBytes: 16 << 10, ChunkMinBytes: 256, ChunkMeanBytes: 512, ChunkMaxBytes: 2 << 10},
		[][]sourcetest.Item{goldenBefore(), goldenAfter()}},
	{"v1-parity", true, false, formerChunks(format.Settings{Parity: "4+2"}), [][]sourcetest.Item{goldenItems()}},
	{"v1-small-chunks", true, false, format.Settings{}, [][]sourcetest.Item{goldenItems()}}, // those of today
}

// formerChunks are settings with the chunks that archives had by default before 2026-11-26.
func formerChunks(s format.Settings) format.Settings {
	s.ChunkMinBytes, s.ChunkMeanBytes, s.ChunkMaxBytes = 256<<10, 512<<10, 2<<20
	return s
}

const goldenPassphrase = "All that is gold does not glitter"

// goldenUnlock opens a golden archive by its passphrase.
func goldenUnlock(ctx context.Context, st storage.Storage, _ format.ArchiveHead) (*seal.Keys, error) {
	sealed, err := st.Read(ctx, format.SecretKeyName(0), 0, 1<<20)
	if err != nil {
		return nil, err
	}
	secret, err := seal.OpenByPassphrase(sealed, []byte(goldenPassphrase))
	if err != nil {
		return nil, err
	}
	return seal.NewKeys(seal.KeysOptions{Public: &secret.PublicKey, Secret: secret, Random: rand.Reader, Chunker: secret.ChunkerKey()}), nil
}

// goldenItems have every kind of entry and of content, in little space.
func goldenItems() []sourcetest.Item {
	file := func(path format.Path, data *sourcetest.Data) sourcetest.Item {
		return sourcetest.Item{Entry: sourcetest.File(path, "").Entry, Data: data}
	}
	text := bytes.Repeat([]byte("All that is gold does not glitter.\n"), 1000)
	special := func(path format.Path, kind format.Kind) sourcetest.Item {
		item := sourcetest.Item{Entry: sourcetest.File(path, "").Entry}
		item.Entry.Kind, item.Entry.Rdev = kind, format.DeviceNumber{Major: 1, Minor: 3}
		return item
	}
	linked := func(path format.Path) sourcetest.Item {
		item := file(path, sourcetest.Random(3, 700))
		item.Entry.Device, item.Entry.Inode, item.Entry.Links = 7, 77, 2
		return item
	}
	odd := file("odd/\xff\n name", sourcetest.Bytes([]byte("odd")))
	odd.Entry.Mode, odd.Entry.MTime = 0o4750, format.Time{Seconds: -1, Nanos: 999_999_999}
	odd.Entry.Owner = format.Owner{UID: 4294967294, GID: 1, User: "", Group: "bin"}
	odd.Entry.XAttrs = []format.XAttr{{Name: "security.capability", Value: []byte{1, 0, 0, 2}}, {Name: "user.note", Value: []byte("x=\xff")}}
	return []sourcetest.Item{
		file("text", sourcetest.Bytes(text)), file("again", sourcetest.Bytes(text)), file("noise", sourcetest.Random(1, 20_000)),
		file("empty", sourcetest.Bytes(nil)), file("holes", sourcetest.Random(2, 100_000).Holes(sourcetest.Run{Start: 4096, End: 9000})),
		sourcetest.Dir("odd"), odd, sourcetest.Dir("odd/" + format.Path(strings.Repeat("long", 50))), sourcetest.Symlink("symlink", "../\xfe"),
		special("fifo", format.FIFO), special("socket", format.Socket), special("char", format.CharDevice), special("block", format.BlockDevice),
		linked("first"), linked("odd/second"),
	}
}

// makeGolden makes an archive with a band of each of these: a function of nothing but them and the settings, unless it is sealed.
func makeGolden(t *testing.T, settings format.Settings, sealed bool, backups [][]sourcetest.Item) storage.Storage {
	t.Helper()
	at := time.Date(2026, 11, 23, 10, 15, 0, 123456789, time.UTC)
	st, id := memory.New(), "00112233445566778899aabbccddeeff"
	ctx := context.Background()
	o := archive.CreateOptions{ID: id, Now: at, Settings: settings}
	if sealed {
		key, err := seal.Generate(o.ID, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := seal.SealSecretByPassphrase(key, []byte(goldenPassphrase), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		o.Key, o.Secrets = &key.PublicKey, [][]byte{secret}
	}
	if err := archive.Create(ctx, st, o); err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(ctx, st, archive.Options{Unlock: goldenUnlock})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	index, err := dedup.Open(t.TempDir(), id, dedup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	for i, items := range backups {
		_, err = writer.Backup(ctx, a, sourcetest.New(items...), writer.Options{
			Now: func() time.Time { return at.AddDate(0, 0, i) }, Random: bytes.NewReader([]byte{0x4f, 0x2a, 0x9c + byte(i)}), Host: "golden", Program: "dura",
			Sources: []string{"."}, Alarms: set, Index: index,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func goldenDir(name string) string { return filepath.Join("testdata", "golden", name) }

// stored reads every object of an archive but the texts for people and programs, which may be improved.
func stored(t *testing.T, st storage.Storage) map[string][]byte {
	t.Helper()
	objects := map[string][]byte{}
	for info, err := range st.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if info.Name == format.ReadmeName || info.Name == format.SchemaName || info.Name == format.RecoverName {
			continue
		}
		data, err := st.Read(context.Background(), info.Name, 0, int(info.SizeBytes))
		if err != nil {
			t.Fatal(err)
		}
		objects[info.Name] = data
	}
	return objects
}

// loadGolden reads a golden archive into memory.
func loadGolden(t *testing.T, name string) storage.Storage {
	t.Helper()
	st := memory.New()
	dir := goldenDir(name)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		object, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return st.Create(context.Background(), filepath.ToSlash(object), data)
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func saveGolden(t *testing.T, name string, objects map[string][]byte) {
	t.Helper()
	for object, data := range objects {
		path := filepath.Join(goldenDir(name), filepath.FromSlash(object))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoldenArchivesAreAllNamedHere(t *testing.T) {
	dirs, err := os.ReadDir(goldenDir(""))
	if err != nil {
		t.Fatal(err)
	}
	var there, named []string
	for _, d := range dirs {
		there = append(there, d.Name())
	}
	for _, g := range golden {
		named = append(named, g.name)
	}
	slices.Sort(named)
	if !slices.Equal(there, named) {
		t.Fatalf("in testdata: %q, in the table: %q", there, named)
	}
}

func TestTheWriterGivesTheGoldenBytes(t *testing.T) {
	for _, g := range golden {
		if !g.rewrites && !*update {
			continue
		}
		made := stored(t, makeGolden(t, g.settings, g.sealed, g.backups))
		if _, err := os.Stat(goldenDir(g.name)); os.IsNotExist(err) && *update {
			saveGolden(t, g.name, made)
		}
		if !g.rewrites {
			continue
		}
		want := stored(t, loadGolden(t, g.name))
		if len(made) != len(want) {
			t.Errorf("%s: %d objects, not %d", g.name, len(made), len(want))
		}
		for object, data := range want {
			if !bytes.Equal(made[object], data) {
				t.Errorf("%s: %s is %d bytes, not the %d of the golden archive", g.name, object, len(made[object]), len(data))
			}
		}
	}
}

func TestGoldenArchivesRead(t *testing.T) {
	ctx := context.Background()
	for _, g := range golden {
		a, err := archive.Open(ctx, loadGolden(t, g.name), archive.Options{Unlock: goldenUnlock})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		bands, err := a.Bands(ctx)
		if err != nil || len(bands) != len(g.backups) {
			t.Fatalf("%s: %d bands, %v", g.name, len(bands), err)
		}
		for i, items := range g.backups {
			band, err := a.OpenBand(ctx, bands[i])
			if err != nil {
				t.Fatal(err)
			}
			if head, err := band.Head(ctx); err != nil || head.Host != "golden" || !band.Complete() {
				t.Errorf("%s: %+v, complete %v, %v", g.name, head, band.Complete(), err)
			}
			for _, item := range items {
				if err := sameEntry(ctx, a, band, item); err != nil {
					t.Errorf("%s: %q: %v", g.name, item.Entry.Path, err)
				}
			}
			if want := int64(len(items) + 1); band.Entries() != want {
				t.Errorf("%s: %d entries, not %d", g.name, band.Entries(), want)
			}
		}
	}
}

// sameEntry compares an entry of a band, and its content, with what it was made of.
func sameEntry(ctx context.Context, a *archive.Archive, band *archive.Band, item sourcetest.Item) error {
	got, err := band.Lookup(ctx, item.Entry.Path)
	if err != nil {
		return err
	}
	want := item.Entry
	if got.Kind != want.Kind || got.Mode != want.Mode || got.MTime != want.MTime || got.Owner != want.Owner || got.Target != want.Target ||
		got.Rdev != want.Rdev || got.Links != want.Links || fmt.Sprint(got.XAttrs) != fmt.Sprint(want.XAttrs) {
		return fmt.Errorf("%+v", got.Entry)
	}
	if item.Data == nil {
		return nil
	}
	content := make([]byte, item.Data.Size)
	if item.Data.Fill != nil {
		item.Data.Fill(content, 0)
	}
	if item.Data.Runs != nil {
		with := make([]byte, len(content))
		for _, r := range item.Data.Runs {
			copy(with[r.Start:r.End], content[r.Start:r.End])
		}
		content = with
	}
	if got.Size != item.Data.Size || got.SHA256 != format.SumBytes(content) {
		return fmt.Errorf("%d bytes with hash %s", got.Size, got.SHA256)
	}
	read := make([]byte, got.Size)
	if n, err := a.Content(got.Entry).ReadAt(ctx, read, 0); n != len(read) || !bytes.Equal(read, content) {
		return fmt.Errorf("%d of %d bytes of content read, %v", n, len(read), err)
	}
	return nil
}
