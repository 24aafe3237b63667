package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/format/pb"
	"dura/archive/storage/file"
)

// hostileArchive makes an archive in a directory, of one band that write gives.
func hostileArchive(t *testing.T, dir string, write func(w *archivetest.Band)) {
	t.Helper()
	st, err := file.Create(dir, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := archive.Create(t.Context(), st, archive.CreateOptions{ID: archivetest.ArchiveID, Now: archivetest.Time}); err != nil {
		t.Fatal(err)
	}
	write(archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}))
}

// asFrame is a zstd frame of raw.
func asFrame(t *testing.T, raw []byte) []byte {
	t.Helper()
	enc, err := format.NewEncoder(format.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	return enc.Append(nil, raw)
}

// rawHunk completes a band with a hunk that the encoder might not make.
func rawHunk(t *testing.T, w *archivetest.Band, stored []byte, entries int64) {
	t.Helper()
	w.Put(format.HunkName(w.ID, 0), stored)
	ref := format.HunkRef{Band: w.ID, StoredBytes: int64(len(stored)), SHA256: format.SumBytes(stored), Entries: entries}
	w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{ref})})
}

// bomb is small, and 200 MB when it is decompressed.
func bomb(t *testing.T) []byte { return asFrame(t, make([]byte, 200_000_000)) }

func TestBombsAreRefused(t *testing.T) {
	for what, write := range map[string]func(w *archivetest.Band){
		"hunk": func(w *archivetest.Band) { rawHunk(t, w, bomb(t), 2) },
		"block": func(w *archivetest.Band) {
			stored := bomb(t)
			w.Put(format.BlockName(w.ID, 0), stored)
			block := &format.Block{Band: w.ID, StoredBytes: int64(len(stored)), SHA256: format.SumBytes(stored)}
			f := &format.Frame{Block: block, StoredBytes: uint32(len(stored)), RawBytes: 1000, Sum: format.SumFrame(stored)}
			entries := []format.Entry{archivetest.Dir("").Entry, archivetest.File("x", nil).Entry}
			entries[1].Size, entries[1].SHA256, entries[1].Spans = 1000, format.Hash{1}, []format.Span{{Frame: f, Bytes: 1000}}
			w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{w.Hunk(entries)})})
		},
		"fence": func(w *archivetest.Band) {
			stored := bomb(t)
			w.Put(format.FenceName(w.ID, 0), stored)
			w.Tail([]format.FenceRef{{Band: w.ID, StoredBytes: int64(len(stored)), SHA256: format.SumBytes(stored), Entries: 2}})
		},
		"span list": func(w *archivetest.Band) {
			stored := bomb(t)
			w.Put(format.SpansName(w.ID, 0), stored)
			l := format.SpanListRef{Band: w.ID, StoredBytes: int64(len(stored)), SHA256: format.SumBytes(stored), ContentBytes: 1000, DataBytes: 1000}
			entries := []format.Entry{archivetest.Dir("").Entry, archivetest.File("x", nil).Entry}
			entries[1].Size, entries[1].SHA256, entries[1].SpanLists = 1000, format.Hash{1}, []format.SpanListRef{l}
			w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{w.Hunk(entries)})})
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Chdir(t.TempDir())
			hostileArchive(t, "a", write)
			began := time.Now()
			for _, args := range [][]string{
				{"ls", "a", "-R"}, {"cat", "a", "x"}, {"restore", "a", "out"}, {"verify", "a"}, {"verify", "a", "--files"},
			} {
				m := newMachine(t)
				status := m.dura(t.Context(), args...)
				ok := status == statusAlarms || status == statusFailed && args[0] == "cat"
				if onlyListed := what == "block" || what == "span list"; status == statusDone && (args[0] == "ls" || len(args) == 2 && args[0] == "verify") {
					ok = onlyListed && m.err.Len() == 0
				}
				if said := m.err.String(); !ok || status != statusDone && !strings.Contains(said, "bands/"+string(archivetest.BandID(0))) {
					t.Errorf("%v: status %d, %q", args, status, said)
				}
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if _, err := os.Lstat("out/x"); !errors.Is(err, os.ErrNotExist) {
				t.Error("a file was made of the bomb")
			}
		})
	}
}

// A path that leads elsewhere makes no entry of any band: its whole hunk is refused.
func TestHostilePathsAreRefused(t *testing.T) {
	for _, path := range []string{"../escaped", "/escaped", "a/../../escaped", "..", "a//b", "./a", "a/", "a\x00b", strings.Repeat("x/", 40_000) + "x"} {
		dir := t.TempDir()
		t.Chdir(dir)
		hunk := &pb.Hunk{Owners: []*pb.Owner{{}}, Entries: []*pb.Entry{
			{Kind: pb.Kind_DIRECTORY, Mode: 0o755}, {Path: []byte(path), Kind: pb.Kind_SYMLINK, Mode: 0o777, Target: []byte("x")},
		}}
		raw, err := proto.Marshal(hunk)
		if err != nil {
			t.Fatal(err)
		}
		hostileArchive(t, "a", func(w *archivetest.Band) { rawHunk(t, w, asFrame(t, raw), 2) })
		for _, args := range [][]string{{"ls", "a", "-R"}, {"restore", "a", "deep/out", "--overwrite"}, {"verify", "a"}} {
			m := newMachine(t)
			if status := m.dura(t.Context(), args...); status != statusAlarms || !strings.HasPrefix(m.err.String(), "dura: band/corrupt: bands/") {
				t.Errorf("%.20q, %v: status %d, %q", path, args, status, m.err.String())
			}
		}
		for _, place := range []string{"escaped", "deep/escaped"} {
			if _, err := os.Lstat(filepath.Join(dir, place)); err == nil {
				t.Errorf("%.20q led to %s", path, place)
			}
		}
	}
}

// Entries below a symbolic link of the band would be written to where that leads.
func TestEntriesBehindSymbolicLinksAreNotRestoredThere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.Mkdir("precious", 0o755), os.WriteFile("precious/file", []byte("mine"), 0o644)); err != nil {
		t.Fatal(err)
	}
	link := archivetest.File("a", nil)
	link.Kind, link.Target, link.Mode = format.Symlink, "../precious", 0o777
	hostileArchive(t, "h", func(w *archivetest.Band) {
		w.Complete([]archivetest.Item{archivetest.Dir(""), link, archivetest.File("a/file", []byte("hostile")), archivetest.File("a/new", []byte("hostile"))})
	})
	m := newMachine(t)
	status := m.dura(t.Context(), "restore", "h", "out", "--overwrite")
	if want := "dura: band/corrupt: a: there are entries below it, and it is no directory\n"; status != statusAlarms || m.err.String() != want {
		t.Errorf("status %d, %q", status, m.err.String())
	}
	if content, err := os.ReadFile("precious/file"); err != nil || !bytes.Equal(content, []byte("mine")) {
		t.Errorf("%q, %v", content, err)
	}
	if names, err := os.ReadDir("precious"); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
}
