package storagetest

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"dura/archive/storage"
)

func readRanges(t testing.TB, s storage.Storage) {
	mustCreate(t, s, "folder/object", []byte("0123456789"))
	for _, c := range []struct {
		offset   int64
		maxBytes int
		want     string
	}{
		{0, 10, "0123456789"}, {0, 3, "012"}, {4, 3, "456"}, {9, 1, "9"},
		{0, 11, "0123456789"}, {7, 100, "789"}, {9, math.MaxInt, "9"},
		{0, 0, ""}, {5, 0, ""}, {10, 1, ""}, {11, 1, ""}, {math.MaxInt64, 1, ""}, {math.MaxInt64, math.MaxInt, ""},
	} {
		got, err := s.Read(context.Background(), "folder/object", c.offset, c.maxBytes)
		if err != nil || string(got) != c.want {
			t.Errorf("%d bytes at %d: got %q, %v, want %q", c.maxBytes, c.offset, got, err, c.want)
		}
	}
	for _, c := range []struct {
		offset   int64
		maxBytes int
	}{{-1, 1}, {0, -1}, {math.MinInt64, math.MinInt}} {
		_, err := s.Read(context.Background(), "folder/object", c.offset, c.maxBytes)
		wantKind(t, "a negative range", err, storage.KindInvalid)
	}
}

func readAllocatesLittle(t testing.TB, s storage.Storage) {
	mustCreate(t, s, "small", []byte("0123456789"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, maxBytes := range []int{1 << 30, math.MaxInt} {
		if _, err := s.Read(context.Background(), "small", 3, maxBytes); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// Generous, as a storage may speak to a server in this process.
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
		t.Errorf("two reads of 7 bytes allocated %d bytes", got)
	}
}

func missing(t testing.TB, s storage.Storage) {
	ctx := context.Background()
	mustCreate(t, s, "folder/object", []byte("x"))
	for _, name := range []string{"a", "folder/objec", "folder/object2", "folder/object.a", "folder/a/b", "nowhere/at/all", "DURA-ARCHIVE"} {
		_, err := s.Read(ctx, name, 0, 1)
		wantKind(t, "read "+name, err, storage.KindNotFound)
		_, err = s.Stat(ctx, name)
		wantKind(t, "stat "+name, err, storage.KindNotFound)
		wantKind(t, "delete "+name, s.Delete(ctx, name), storage.KindNotFound)
		for _, prefix := range []string{name + "/", name + "."} {
			if got := list(t, s, prefix, storage.Deep); len(got) != 0 {
				t.Errorf("listed %q below %s", got, prefix)
			}
		}
	}
	mustHold(t, s, "folder/object", []byte("x"))
}

// folderIsNoObject looks above an object, and below it.
func folderIsNoObject(t testing.TB, s storage.Storage) {
	ctx := context.Background()
	mustCreate(t, s, "a/b/c", []byte("x"))
	for _, name := range []string{"a", "a/b", "a/b/c/d", "a/b/c/d/e"} {
		_, err := s.Read(ctx, name, 0, 1)
		wantKind(t, "read "+name, err, storage.KindNotFound)
		_, err = s.Stat(ctx, name)
		wantKind(t, "stat "+name, err, storage.KindNotFound)
		wantKind(t, "delete "+name, s.Delete(ctx, name), storage.KindNotFound)
	}
	if got := list(t, s, "a/b/c/", storage.Deep); len(got) != 0 {
		t.Errorf("listed %q below an object", got)
	}
	mustHold(t, s, "a/b/c", []byte("x"))
}

// readInto holds the optional way to read to what Read returns.
func readInto(t testing.TB, s storage.Storage) {
	r, ok := s.(storage.IntoReader)
	if !ok {
		return
	}
	ctx := context.Background()
	content := []byte("0123456789")
	mustCreate(t, s, "folder/object", content)
	for offset := range int64(12) {
		for bytes := range 12 {
			buf := slices.Repeat([]byte{'#'}, bytes+1)
			n, err := r.ReadInto(ctx, "folder/object", offset, buf[:bytes])
			want, _ := s.Read(ctx, "folder/object", offset, bytes)
			if err != nil || n != len(want) || string(buf[:n]) != string(want) || buf[bytes] != '#' {
				t.Errorf("%d bytes at %d: %d, %q, %v", bytes, offset, n, buf, err)
			}
		}
	}
	_, err := r.ReadInto(ctx, "folder/other", 0, make([]byte, 1))
	wantKind(t, "a missing object", err, storage.KindNotFound)
	_, err = r.ReadInto(ctx, "folder", 0, make([]byte, 1))
	wantKind(t, "a folder", err, storage.KindNotFound)
	_, err = r.ReadInto(ctx, "folder/object", -1, make([]byte, 1))
	wantKind(t, "a negative range", err, storage.KindInvalid)
	_, err = r.ReadInto(ctx, "../object", 0, make([]byte, 1))
	wantKind(t, "an invalid name", err, storage.KindInvalid)
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.ReadInto(done, "folder/object", 0, make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Error("once the context is done:", err)
	}
}
