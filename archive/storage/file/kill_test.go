package file_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/file"
)

// content is what the object of this name holds: some hundred KiB that depend on it.
func content(name string) []byte {
	return bytes.Repeat([]byte(name+"\n"), 20_000)
}

// createForever stores objects from several goroutines, and prints the name of each once it is stored.
func createForever(directory string) int {
	s, err := file.Open(directory, file.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("bands/%d/data/%03d/%06d", os.Getpid(), i/3, 4*i+g)
				if err := s.Create(context.Background(), name, content(name)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Println(name)
			}
		})
	}
	wg.Wait()
	return 1
}

func TestAKilledProcessLeavesWholeObjectsOnly(t *testing.T) {
	s, directory := openNew(t)
	acknowledged := make(map[string]bool)
	for round := range 8 {
		child := childProcess(os.Args[0], "create", directory)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
			if n == 3+5*round {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child was not killed: %v", err)
		}
	}
	for info, err := range s.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Read(context.Background(), info.Name, 0, int(info.SizeBytes))
		if err != nil || !bytes.Equal(got, content(info.Name)) {
			t.Errorf("%s holds %d bytes, which are not what was stored (%v)", info.Name, len(got), err)
		}
		delete(acknowledged, info.Name)
	}
	if len(acknowledged) > 0 {
		t.Errorf("acknowledged and not there: %v", acknowledged)
	}
	left := temporaries(t, directory)
	removed, err := s.Sweep(context.Background(), time.Now().Add(48*time.Hour))
	if err != nil || removed != left {
		t.Errorf("of %d temporary files %d were swept: %v", left, removed, err)
	}
	if left := temporaries(t, directory); left != 0 {
		t.Errorf("%d temporary files are left", left)
	}
}

// temporaries counts the temporary files at the top of an archive.
func temporaries(t testing.TB, directory string) int {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), storage.TemporaryPrefix) {
			n++
		}
	}
	return n
}
