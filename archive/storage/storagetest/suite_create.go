package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"dura/archive/storage"
)

func createJoinsParts(t testing.TB, s storage.Storage) {
	mustCreate(t, s, "one", []byte("whole"))
	mustCreate(t, s, "bands/b/data/000/000000.tar.zst", []byte("in "), nil, []byte("three"), []byte{}, []byte(" parts"))
	mustCreate(t, s, "DURA-ARCHIVE", []byte("head"))
	mustCreate(t, s, "README.txt", []byte("read"), []byte("me"))
	mustHold(t, s, "one", []byte("whole"))
	mustHold(t, s, "bands/b/data/000/000000.tar.zst", []byte("in three parts"))
	mustHold(t, s, "DURA-ARCHIVE", []byte("head"))
	mustHold(t, s, "README.txt", []byte("readme"))
}

func createEmpty(t testing.TB, s storage.Storage) {
	mustCreate(t, s, "no-parts")
	mustCreate(t, s, "empty-parts", nil, []byte{})
	mustHold(t, s, "no-parts", nil)
	mustHold(t, s, "empty-parts", nil)
	if got := list(t, s, "", storage.Deep); len(got) != 2 {
		t.Errorf("listed %q", got)
	}
	wantKind(t, "a second create", s.Create(context.Background(), "no-parts", []byte("x")), storage.KindExists)
}

func createKeepsNoParts(t testing.TB, s storage.Storage) {
	part := []byte("original")
	mustCreate(t, s, "a", part)
	if string(part) != "original" {
		t.Errorf("create made %q of its part", part)
	}
	copy(part, "modified")
	mustHold(t, s, "a", []byte("original"))
	got, err := s.Read(context.Background(), "a", 0, 8)
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "modified")
	mustHold(t, s, "a", []byte("original"))
}

func createLarge(t testing.TB, s storage.Storage) {
	want := pattern(32<<20+5, 1)
	var parts [][]byte
	for at, n := 0, 1; at < len(want); at, n = at+n, n*3 {
		parts = append(parts, want[at:min(at+n, len(want))])
	}
	mustCreate(t, s, "large", parts...)
	mustHold(t, s, "large", want)
	for _, offset := range []int{1, 1<<20 - 1, 16<<20 + 3, 32 << 20} {
		got, err := s.Read(context.Background(), "large", int64(offset), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want[offset:min(offset+1<<20, len(want))]) {
			t.Errorf("a MiB from %d on is %s", offset, brief(got))
		}
	}
}

func createTwice(t testing.TB, s storage.Storage) {
	for _, first := range []string{"first", ""} {
		name := "bands/b/" + fmt.Sprint(len(first))
		mustCreate(t, s, name, []byte(first))
		for _, second := range []string{"second", "first", ""} {
			wantKind(t, "a second create", s.Create(context.Background(), name, []byte(second)), storage.KindExists)
			mustHold(t, s, name, []byte(first))
		}
	}
	if got := list(t, s, "", storage.Deep); len(got) != 2 {
		t.Errorf("listed %q", got)
	}
}

func createConcurrently(t testing.TB, s storage.Storage) {
	const writers, rounds = 8, 20
	for round := range rounds {
		name := fmt.Sprintf("bands/b/%03d/object", round)
		contents := make([][]byte, writers)
		for w := range contents {
			contents[w] = bytes.Repeat([]byte{byte(w)}, 1000+w)
		}
		var won atomic.Int64
		var winner atomic.Int64
		err := inParallel(writers, writers, func(w int) error {
			err := s.Create(context.Background(), name, contents[w][:500], contents[w][500:])
			if err == nil {
				won.Add(1)
				winner.Store(int64(w))
			} else if !storage.Is(err, storage.KindExists) {
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if won.Load() != 1 {
			t.Fatalf("%d creates of one name succeeded", won.Load())
		}
		mustHold(t, s, name, contents[winner.Load()])
	}
}

// createIsAtomic looks at names, in every way there is, while objects are stored under them.
func createIsAtomic(t testing.TB, s storage.Storage) {
	const objects, sizeBytes = 6, 6 << 20
	want := pattern(sizeBytes, 2)
	errPart := errors.New("seen in part")
	var created atomic.Int64
	err := inParallel(4, 4, func(worker int) error {
		if worker == 0 {
			defer created.Store(objects)
			for i := range objects {
				if err := s.Create(context.Background(), fmt.Sprint("folder/", i), want[:1<<20], want[1<<20:]); err != nil {
					return err
				}
				created.Add(1)
			}
			return nil
		}
		for i := created.Load(); i < objects; i = created.Load() {
			name := fmt.Sprint("folder/", i)
			if err := wholeOrMissing(s, worker, name, want); err != nil {
				return fmt.Errorf("%s: %w", name, errors.Join(errPart, err))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wholeOrMissing(s storage.Storage, way int, name string, want []byte) error {
	ctx := context.Background()
	size := int64(len(want))
	switch way {
	case 1:
		info, err := s.Stat(ctx, name)
		if err == nil && info.SizeBytes != size {
			return fmt.Errorf("stat says %d bytes", info.SizeBytes)
		}
		if !storage.Is(err, storage.KindNotFound) {
			return err
		}
	case 2:
		got, err := s.Read(ctx, name, size-10, 20)
		if err == nil && !bytes.Equal(got, want[size-10:]) {
			return fmt.Errorf("its end reads as %s", brief(got))
		}
		if !storage.Is(err, storage.KindNotFound) {
			return err
		}
	default:
		for info, err := range s.List(ctx, "", storage.Deep) {
			if err != nil {
				return err
			}
			if info.SizeBytes != size {
				return fmt.Errorf("a listing says %+v", info)
			}
		}
	}
	return nil
}
