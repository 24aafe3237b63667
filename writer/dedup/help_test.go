package dedup

import (
	"encoding/binary"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dura/archive/format"
)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// hashOf makes up the hash of content number n: an even spread of hashes, by splitmix64.
func hashOf(n int) (h format.Hash) {
	for i := range 4 {
		z := uint64(4*n+i+1) * 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		binary.BigEndian.PutUint64(h[8*i:], z^z>>31)
	}
	return h
}

func bandOf(n int) format.BandID {
	return format.NewBandID(time.Unix(1_800_000_000+int64(n), 0), [3]byte{1, 2, byte(n)})
}

// spansOf is a span list with contents from..to-1.
func spansOf(from, to int) []format.Span {
	spans := make([]format.Span, to-from)
	for i := range spans {
		spans[i] = format.Span{Bytes: 1, SHA256: hashOf(from + i)}
	}
	return spans
}

const archiveID = "0123456789abcdef0123456789abcdef"

// noDamage are options under which damage fails the test.
func noDamage(t tester) Options {
	return Options{Damaged: func(e *DamageError) { t.Errorf("damage: %v", e) }}
}

func open(t tester, dir string, o Options) *Index {
	t.Helper()
	x, err := Open(dir, archiveID, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func openNew(t *testing.T, o Options) *Index {
	t.Helper()
	x := open(t, fastDir(t), o)
	t.Cleanup(func() { x.Close() })
	return x
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fastDir is an empty directory, in memory where that can be had: tests that commit thousands of times would wait for the disk.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "dura-dedup-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func first(places iter.Seq[Place]) (Place, bool) {
	for p := range places {
		return p, true
	}
	return Place{}, false
}

func collect(places iter.Seq[Place]) []Place { return slices.Collect(places) }

// segmentFiles returns the paths of the files with a suffix.
func filesWith(t tester, dir, suffix string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	must(t, err)
	return paths
}

func read(t tester, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func write(t tester, path string, b []byte) {
	t.Helper()
	must(t, os.WriteFile(path, b, 0o600))
}

// inBounds checks what every Place is, whatever was damaged or forged.
func inBounds(t tester, p Place) {
	t.Helper()
	if _, err := format.ParseBandID(string(p.Band)); err != nil || p.Number >= 1<<numberBits || p.Entry >= 1<<entryBits ||
		p.Span >= 1<<spanBits {
		t.Errorf("no place: %+v", p)
	}
}

func placeOf(n int) Place {
	return Place{Band: bandOf(n / 1000), List: true, Number: uint64(n % 1000 / 100), Span: uint32(n % 100)}
}

// fillIndex adds contents from..to-1, each at the place of placeOf. Both are multiples of 100.
func fillIndex(t tester, x *Index, from, to int) {
	t.Helper()
	for n := from; n < to; n += 100 {
		p := placeOf(n)
		must(t, x.AddSpans(p.Band, p.Number, spansOf(n, n+100)))
	}
}

// mustHave checks that contents from..to-1 of fillIndex are found where they are.
func mustHave(t tester, x *Index, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if got := collect(x.Find(hashOf(n))); !slices.Contains(got, placeOf(n)) {
			t.Fatalf("content %d is found at %v, not at %v", n, got, placeOf(n))
		}
	}
}

func describe(c Coverage) string { return fmt.Sprintf("hunks %v, lists %v", c.Hunks, c.Lists) }
