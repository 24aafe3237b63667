package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// BenchmarkCreate stores 200 small or 20 large objects from several goroutines at once, and, to compare, writes and
// renames as many files without any flush.
//
// DURA_BENCH_DIRECTORY says where, if not in the system's place for temporary files.
func BenchmarkCreate(b *testing.B) {
	for _, load := range []struct{ objects, goroutines, sizeBytes int }{
		{200, 1, 16 << 10}, {200, 4, 16 << 10}, {200, 16, 16 << 10}, {20, 2, 16 << 20}, {20, 4, 16 << 20},
	} {
		part := make([]byte, load.sizeBytes)
		for i := range part {
			part[i] = byte(i * i >> 3)
		}
		b.Run(fmt.Sprintf("%dx%dKiB/%d", load.objects, load.sizeBytes>>10, load.goroutines), func(b *testing.B) {
			b.Run("durable", func(b *testing.B) {
				benchmark(b, load.objects, load.goroutines, func(b *testing.B, directory string) func(string) error {
					s := open(b, directory)
					return func(name string) error { return s.Create(context.Background(), name, part) }
				})
			})
			b.Run("unflushed", func(b *testing.B) {
				benchmark(b, load.objects, load.goroutines, func(b *testing.B, directory string) func(string) error {
					if err := os.Mkdir(filepath.Join(directory, "data"), 0o700); err != nil {
						b.Fatal(err)
					}
					return func(name string) error {
						temporary := filepath.Join(directory, ".tmp-"+filepath.Base(name))
						if err := os.WriteFile(temporary, part, 0o600); err != nil {
							return err
						}
						return os.Rename(temporary, filepath.Join(directory, name))
					}
				})
			})
		})
	}
}

func benchmark(b *testing.B, objects, goroutines int, prepare func(*testing.B, string) func(name string) error) {
	for b.Loop() {
		b.StopTimer()
		directory, err := os.MkdirTemp(os.Getenv("DURA_BENCH_DIRECTORY"), "dura-bench-")
		if err != nil {
			b.Fatal(err)
		}
		create := prepare(b, directory)
		b.StartTimer()
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for i := g; i < objects; i += goroutines {
					if err := create(fmt.Sprintf("data/%06d", i)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.StopTimer()
		if err := os.RemoveAll(directory); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkRead(b *testing.B) {
	s, _ := openNew(b)
	const name = "bands/2026-11-23-101500-4f2a9c/data/000/000000.tar.zst"
	create(b, s, name, string(make([]byte, 16<<20)))
	for _, sizeBytes := range []int{1, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dB", sizeBytes), func(b *testing.B) {
			b.SetBytes(int64(sizeBytes))
			for b.Loop() {
				if _, err := s.Read(context.Background(), name, 4<<20, sizeBytes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	_, directory := openNew(b)
	for i := range 10_000 {
		name := filepath.Join(directory, fmt.Sprintf("data/%03d/%06d", i/1000, i))
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				b.Fatal(err)
			}
		}
		write(b, name, "x")
	}
	s := open(b, directory)
	for b.Loop() {
		if n := len(listed(b, s)); n != 10_000 {
			b.Fatal(n)
		}
	}
}
