package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/storagetest"
)

// kindItem is an entry of any kind.
func kindItem(p format.Path, kind format.Kind, mode uint32, target string) archivetest.Item {
	it := archivetest.Dir(p)
	it.Kind, it.Mode, it.Target = kind, mode, target
	return it
}

// everyKind is a tree with each kind of entry, a file with holes, and links of every sort.
func everyKind() []archivetest.Item {
	sparse := archivetest.File("sparse", nil)
	sparse.Content = []archivetest.Part{{HoleBytes: 3000, Data: []byte("data")}, {HoleBytes: 5000}}
	items := []archivetest.Item{
		archivetest.Dir(format.Root), kindItem("block", format.BlockDevice, 0o600, ""), kindItem("char", format.CharDevice, 0o620, ""),
		archivetest.Dir("d"), kindItem("fifo", format.FIFO, 0o644, ""), archivetest.File("file", []byte("content")),
		kindItem("link", format.Symlink, 0o777, "d/e/deep"), kindItem("loop", format.Symlink, 0o777, "loop"),
		kindItem("nowhere", format.Symlink, 0o777, "no/where"), kindItem("setuid", format.File, 0o4755, ""),
		kindItem("socket", format.Socket, 0o755, ""), sparse, kindItem("sticky", format.Directory, 0o1777, ""),
		archivetest.Dir("d/e"), archivetest.File("d/empty", nil), kindItem("d/up", format.Symlink, 0o777, "../../../file"),
		archivetest.File("d/e/deep", []byte("deep")), kindItem("d/e/root", format.Symlink, 0o777, "/d"),
	}
	for i := range 300 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("sticky/%03d", i)), []byte{byte(i)}))
	}
	return items
}

func TestABandIsAnIOFS(t *testing.T) {
	st := archivetest.NewArchive(t)
	items := slices.DeleteFunc(everyKind(), func(it archivetest.Item) bool {
		return it.Path == "loop" || it.Path == "nowhere" // which fstest wants to be opened
	})
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 7, FrameBytes: 100, SpanBytes: 3}).Complete(items)
	fsys := openBand(t, st, 0, archive.Options{}).FS(t.Context())
	var expected []string
	for _, it := range items[1:] {
		expected = append(expected, string(it.Path))
	}
	if err := fstest.TestFS(fsys, expected...); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		seen++
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := info.Sys().(*format.Entry)
		if path != "." && string(e.Path) != path || !info.ModTime().Equal(e.MTime.Std()) {
			t.Errorf("%s is described as %+v", path, e)
		}
		return nil
	})
	if err != nil || seen != len(items) {
		t.Errorf("a walk sees %d of %d entries, %v", seen, len(items), err)
	}
	for name, want := range map[string]fs.FileMode{
		"block": fs.ModeDevice | 0o600, "char": fs.ModeDevice | fs.ModeCharDevice | 0o620, "fifo": fs.ModeNamedPipe | 0o644,
		"socket": fs.ModeSocket | 0o755, "setuid": fs.ModeSetuid | 0o755, "sticky": fs.ModeDir | fs.ModeSticky | 0o777, ".": fs.ModeDir | 0o755,
	} {
		if info, err := fs.Stat(fsys, name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", name, info, err, want)
		}
	}
}

func TestAnIOFSFollowsLinksWithinTheBand(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}).Complete(everyKind())
	fsys := openBand(t, st, 0, archive.Options{}).FS(t.Context())
	for name, want := range map[string]string{
		"link": "deep", "d/up": "content", "d/e/root/e/deep": "deep", "d/e/root/up": "content", "sparse": strings.Repeat("\x00", 3000) + "data" + strings.Repeat("\x00", 5000),
		"d/e/root/e/root/e/root/empty": "",
	} {
		if got, err := fs.ReadFile(fsys, name); string(got) != want || err != nil {
			t.Errorf("%s holds %.20q, %v", name, got, err)
		}
	}
	for name, want := range map[string]error{
		"nowhere": fs.ErrNotExist, "loop": syscall.ELOOP, "file/x": syscall.ENOTDIR, "d/no": fs.ErrNotExist, "/d": fs.ErrInvalid,
		"d/../d": fs.ErrInvalid, strings.Repeat("x/", 40_000) + "x": fs.ErrNotExist,
	} {
		if _, err := fsys.Open(name); !errors.Is(err, want) {
			t.Errorf("%.20s: %v, want %v", name, err, want)
		}
	}
	if info, err := fsys.Lstat("nowhere"); err != nil || info.Mode() != fs.ModeSymlink|0o777 || info.Size() != int64(len("no/where")) {
		t.Errorf("a link to nowhere: %v, %v", info, err)
	}
	if _, err := fsys.ReadLink("file"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a file as a link: %v", err)
	}
	if _, err := fs.ReadDir(fsys, "file"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a file as a directory: %v", err)
	}
}

func TestAnIOFSReadsInAnyWay(t *testing.T) {
	st := archivetest.NewArchive(t)
	content := bytes.Repeat([]byte("0123456789"), 1000)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), SpanBytes: 777}).
		Complete([]archivetest.Item{archivetest.Dir(format.Root), archivetest.File("f", content)})
	ctx, cancel := context.WithCancel(t.Context())
	f, err := openBand(t, st, 0, archive.Options{}).FS(ctx).Open("f")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 20)
	if n, err := f.(io.ReaderAt).ReadAt(buf, 9990); n != 10 || err != io.EOF || string(buf[:n]) != "0123456789" {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if at, err := f.(io.Seeker).Seek(-5, io.SeekEnd); at != 9995 || err != nil {
		t.Error(at, err)
	}
	if got, err := io.ReadAll(f); string(got) != "56789" || err != nil {
		t.Errorf("the rest is %q, %v", got, err)
	}
	if _, err := f.(io.Seeker).Seek(-1, io.SeekStart); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	cancel()
	if _, err := f.(io.ReaderAt).ReadAt(buf, 5000); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, err := range []error{f.Close(), func() error { _, err := f.Read(buf); return err }()} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}

func TestAnIOFSListsWhatDamageLeaves(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 50}).Complete(everyKind())
	damaged := storagetest.NewDamaged(st)
	damaged.Lose(format.HunkName(archivetest.BandID(0), 3))
	fsys := openBand(t, damaged, 0, archive.Options{}).FS(t.Context())
	entries, err := fs.ReadDir(fsys, "sticky")
	var e *archive.Error
	if len(entries) != 250 || !errors.As(err, &e) || e.Kind != archive.KindMissing {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
