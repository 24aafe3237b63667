package own_test

import (
	"os"
	"path/filepath"
	"testing"

	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/own"
)

const (
	first  = format.BandID("2026-11-23-101500-4f2a9c")
	second = format.BandID("2026-11-24-101500-4f2a9c")
)

func open(t *testing.T, dir string) *own.Keys {
	t.Helper()
	k, err := own.Open(dir, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func TestKeysAreKeptAcrossRunsAndByTheirBands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	k := open(t, dir)
	for i := range 100 {
		if err := k.Keep(format.BlockName(first, uint64(i)), seal.HeaderID{byte(i)}, format.SessionKey{byte(i), 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []*own.Keys{k, open(t, dir)} {
		for i := range 100 {
			if key, ok := k.Find(format.BlockName(first, 5), seal.HeaderID{byte(i)}); !ok || key != (format.SessionKey{byte(i), 1}) {
				t.Error(i, ok)
			}
		}
		if _, ok := k.Find(format.BlockName(second, 5), seal.HeaderID{5}); ok {
			t.Error("the key of another band")
		}
		if _, ok := k.Find(format.HeadName(first), seal.HeaderID{100}); ok || !k.Has(first) || k.Has(second) {
			t.Error("a key that nobody kept")
		}
	}
	info, err := os.Stat(filepath.Join(dir, string(first)))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

func TestHalfARecordIsNoKey(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	k.Keep(format.HeadName(first), seal.HeaderID{1}, format.SessionKey{1})
	k.Close()
	name := filepath.Join(dir, string(first))
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(content, content[:30]...), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir).Keep(format.TailName(first), seal.HeaderID{2}, format.SessionKey{2})
	k = open(t, dir)
	for i := byte(1); i < 3; i++ {
		if key, ok := k.Find(format.TailName(first), seal.HeaderID{i}); !ok || key != (format.SessionKey{i}) {
			t.Error(i, ok)
		}
	}
}

func TestKeysOfBandsThatAreGoneAreForgotten(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	for _, band := range []format.BandID{first, second} {
		k.Keep(format.HeadName(band), seal.HeaderID{1}, format.SessionKey{1})
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if bands, err := open(t, dir).Bands(); err != nil || len(bands) != 2 || bands[0] != first || bands[1] != second {
		t.Fatal(bands, err)
	}
	for range 2 {
		if err := open(t, dir).Forget(first); err != nil {
			t.Fatal(err)
		}
	}
	k = open(t, dir)
	if _, err := os.Stat(filepath.Join(dir, "other")); k.Has(first) || !k.Has(second) || err != nil {
		t.Error(k.Has(first), k.Has(second), err)
	}
}

func TestAKeyThatCannotBeKeptIsToldOfOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	told := 0
	k, err := own.Open(dir, func(error) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, string(first)), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range byte(3) {
		if err := k.Keep(format.HeadName(first), seal.HeaderID{i}, format.SessionKey{i}); err != nil {
			t.Error(err)
		}
		if _, ok := k.Find(format.HeadName(first), seal.HeaderID{i}); !ok {
			t.Error("this run does not know it either")
		}
	}
	if told != 1 {
		t.Error(told)
	}
}
