package integration

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fuzzer = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// A fuzzer without a corpus in the repository tests next to nothing where it is run as a test.
func TestEveryFuzzerHasACorpusAndEveryCorpusAFuzzer(t *testing.T) {
	fuzzers, corpora := map[string]bool{}, map[string]int{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		dir := filepath.Dir(path)
		if in, found := strings.CutSuffix(filepath.Dir(dir), "/testdata/fuzz"); found {
			corpora[in+" "+filepath.Base(dir)]++
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, name := range fuzzer.FindAllStringSubmatch(string(source), -1) {
			fuzzers[dir+" "+name[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(fuzzers) == 0 {
		t.Error("there are no fuzzers")
	}
	for name := range fuzzers {
		if corpora[name] == 0 {
			t.Errorf("%s has no corpus", name)
		}
	}
	for name := range corpora {
		if !fuzzers[name] {
			t.Errorf("the corpus of %s is nobody's", name)
		}
	}
}
