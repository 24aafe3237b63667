package fs_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/fs"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Each request to an archive far away takes a round trip, and its part of a line that all share.
const (
	roundTrip          = 50 * time.Millisecond
	lineBytesPerSecond = 100_000_000
)

func farAway(st storage.Storage) storage.Storage {
	return storagetest.NewDelayed(st, storagetest.Delays{Latency: roundTrip, Line: &storagetest.Line{BytesPerSecond: lineBytesPerSecond}})
}

// asKernel asks a file system that nobody has mounted for what the kernel would.
type asKernel struct {
	t *testing.T
	f *fs.FileSystem
}

func (k asKernel) lookup(parent uint64, name string) fuse.EntryOut {
	k.t.Helper()
	var out fuse.EntryOut
	if s := k.f.Lookup(nil, &fuse.InHeader{NodeId: parent}, name, &out); !s.Ok() {
		k.t.Fatal(name, s)
	}
	return out
}

func (k asKernel) read(file uint64, off int64, size int) []byte {
	k.t.Helper()
	result, s := k.f.Read(nil, &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: file}, Offset: uint64(off), Size: uint32(size)}, nil)
	if !s.Ok() {
		k.t.Fatal(file, off, s)
	}
	data, s := result.Bytes(make([]byte, size))
	if !s.Ok() {
		k.t.Fatal(file, off, s)
	}
	data = bytes.Clone(data)
	result.Done()
	return data
}

// thousandFiles is a band with a directory d of a thousand small files that don't shrink.
func thousandFiles(t *testing.T) (st storage.Storage, content func(i int) []byte) {
	all := noise(1 << 20)
	content = func(i int) []byte { return all[i*1000 : i*1000+4000+i] }
	items := []archivetest.Item{archivetest.Dir(format.Root), archivetest.Dir("d")}
	for i := range 1000 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("d/f%04d", i)), content(i)))
	}
	st = archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 256 << 10}).Complete(items)
	return st, content
}

// The processor's time does not count here: in a bubble of testing/synctest only waiting takes time.
func TestAThousandFilesFarAwayTakeTwoSeconds(t *testing.T) {
	const most = 2 * time.Second
	st, content := thousandFiles(t)
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFS(t, openArchive(t, farAway(st), nil), fs.Options{Band: "latest"})
		k := asKernel{t, f}
		began := time.Now()
		d := k.lookup(1, "d").NodeId
		for i := range 1000 {
			file := k.lookup(d, fmt.Sprintf("f%04d", i))
			if got := k.read(file.NodeId, 0, 128<<10); !bytes.Equal(got, content(i)) {
				t.Fatalf("file %d holds something else", i)
			}
		}
		t.Logf("they take %v", time.Since(began))
		if d := time.Since(began); d > most {
			t.Errorf("they take %v", d)
		}
	})
}

func TestALargeFileFarAwayComesAlmostAsFastAsTheLine(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	const size, requestBytes, leastPerSecond = 128 << 20, 1 << 20, 70e6
	content := noise(size)
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 1 << 20, SpanBytes: 1<<20 - 512}).
		Complete([]archivetest.Item{archivetest.Dir(format.Root), archivetest.File("large", content)})
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFS(t, openArchive(t, farAway(st), nil), fs.Options{Band: "latest"})
		k := asKernel{t, f}
		began := time.Now()
		file := k.lookup(1, "large").NodeId
		for off := int64(0); off < size; off += requestBytes {
			if !bytes.Equal(k.read(file, off, requestBytes), content[off:off+requestBytes]) {
				t.Fatal("there is something else at", off)
			}
		}
		perSecond := size / time.Since(began).Seconds()
		t.Logf("%.1f MB a second", perSecond/1e6)
		if perSecond < leastPerSecond {
			t.Errorf("%.1f MB a second", perSecond/1e6)
		}
	})
}
