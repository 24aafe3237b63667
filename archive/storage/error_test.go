package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"dura/archive/storage"
)

func TestErrorsAreFoundByKindThroughWrapping(t *testing.T) {
	inner := &storage.Error{Op: storage.OpRead, Object: "a", Kind: storage.KindNotFound, Err: fs.ErrNotExist}
	err := fmt.Errorf("head: %w", inner)
	if !storage.Is(err, storage.KindNotFound) || storage.Is(err, storage.KindIO) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not show its kind and its cause", err)
	}
	if storage.Is(nil, storage.KindIO) || storage.Is(fs.ErrNotExist, storage.KindIO) {
		t.Error("an error from elsewhere has a storage kind")
	}
}

func TestErrorsNameOperationObjectAndCause(t *testing.T) {
	for want, err := range map[string]*storage.Error{
		"stat a: not found":                 {Op: storage.OpStat, Object: "a", Kind: storage.KindNotFound},
		"create b: no space left: 12 of 16": {Op: storage.OpCreate, Object: "b", Kind: storage.KindFull, Err: errors.New("12 of 16")},
		"list : Kind(99)":                   {Op: storage.OpList, Kind: 99},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

func TestCheckRefusesNamesRangesAndContextsThatAreDone(t *testing.T) {
	ctx := context.Background()
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := storage.Check(ctx, storage.OpStat, "a/b"); err != nil {
		t.Error(err)
	}
	if err := storage.Check(ctx, storage.OpStat, "../b"); !storage.Is(err, storage.KindInvalid) {
		t.Errorf("a name that leads out: %v", err)
	}
	if err := storage.Check(done, storage.OpStat, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, r := range []struct {
		offset   int64
		maxBytes int
	}{{-1, 1}, {0, -1}} {
		if err := storage.CheckRead(ctx, "a", r.offset, r.maxBytes); !storage.Is(err, storage.KindInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := storage.CheckRead(ctx, "a", 0, 0); err != nil {
		t.Error(err)
	}
}
