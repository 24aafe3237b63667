package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/restore"
	"dura/archive/storage/memory"
	"dura/archive/verify"
	"dura/writer"
	"dura/writer/source"
)

// benchTree is backed up and restored by the benchmarks. peers.sh times whole programs, beside other ones.
func benchTree(b *testing.B) string {
	tree := "/usr/local/go"
	if set := os.Getenv("DURA_BENCH_TREE"); set != "" {
		tree = set
	}
	if _, err := os.Stat(tree); err != nil {
		b.Skip(err)
	}
	return tree
}

func backUp(b *testing.B, tree string) (*archive.Archive, event.Totals) {
	b.Helper()
	ctx := context.Background()
	st := memory.New()
	if err := archive.Create(ctx, st, archive.CreateOptions{ID: "00112233445566778899aabbccddeeff", Now: time.Now()}); err != nil {
		b.Fatal(err)
	}
	a, err := archive.Open(ctx, st, archive.Options{})
	if err != nil {
		b.Fatal(err)
	}
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		b.Fatal(err)
	}
	src, err := source.Local([]string{tree}, source.Options{Alarms: set})
	if err != nil {
		b.Fatal(err)
	}
	result, err := writer.Backup(ctx, a, src, writer.Options{Now: time.Now, Random: bytes.NewReader([]byte{1, 2, 3}), Alarms: set})
	if err != nil {
		b.Fatal(err)
	}
	return a, result.Totals
}

func latest(b *testing.B, a *archive.Archive) *archive.Band {
	b.Helper()
	state, err := a.FindBand(context.Background(), "latest")
	if err != nil {
		b.Fatal(err)
	}
	band, err := a.OpenBand(context.Background(), state)
	if err != nil {
		b.Fatal(err)
	}
	return band
}

func BenchmarkBackup(b *testing.B) {
	tree := benchTree(b)
	for b.Loop() {
		a, totals := backUp(b, tree)
		a.Close()
		b.SetBytes(totals.ContentBytes)
		b.ReportMetric(float64(totals.StoredBytes)/1e6, "stored-MB")
	}
}

func BenchmarkRestore(b *testing.B) {
	a, totals := backUp(b, benchTree(b))
	defer a.Close()
	b.SetBytes(totals.ContentBytes)
	dir := scratch(b)
	for i := 0; b.Loop(); i++ {
		dest := fmt.Sprint(dir, "/", i)
		if _, err := restore.Restore(context.Background(), latest(b, a), dest, restore.Options{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := os.RemoveAll(dest); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkVerifyFiles(b *testing.B) {
	a, totals := backUp(b, benchTree(b))
	defer a.Close()
	b.SetBytes(totals.ContentBytes)
	bands, err := a.Bands(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := verify.Verify(context.Background(), a, bands, verify.Options{Depth: verify.Files}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCatOneFile opens the archive and the band anew each time, as the command does.
func BenchmarkCatOneFile(b *testing.B) {
	tree := benchTree(b)
	a, _ := backUp(b, tree)
	defer a.Close()
	path := format.Path(tree[1:]).Join("VERSION")
	for b.Loop() {
		fresh, err := archive.Open(context.Background(), a.Storage(), archive.Options{})
		if err != nil {
			b.Fatal(err)
		}
		e, err := latest(b, fresh).Lookup(context.Background(), path)
		if err != nil {
			b.Fatal(err)
		}
		content := make([]byte, e.Size)
		if n, err := fresh.Content(e.Entry).ReadAt(context.Background(), content, 0); n != len(content) {
			b.Fatal(n, err)
		}
		fresh.Close()
	}
}
