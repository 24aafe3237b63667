package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// damageSource has small files, and one of so many pieces that it has span lists. It gives what is below it, by name.
func damageSource(t *testing.T) (dir string, content map[string][]byte) {
	t.Helper()
	dir = t.TempDir()
	content = map[string][]byte{"a": []byte("one\n"), "d/b": bytes.Repeat([]byte("two\n"), 1000), "empty": {}}
	for name, data := range content {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	const pieces, pieceBytes, stepBytes = 1100, 4096, 8192
	f, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	large := make([]byte, pieces*stepBytes)
	noise := rand.NewChaCha8([32]byte{7})
	for at := 0; at < len(large); at += stepBytes {
		noise.Read(large[at : at+pieceBytes])
		if _, err := f.WriteAt(large[at:at+pieceBytes], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(int64(len(large))); err != nil {
		t.Fatal(err)
	}
	content["large"] = large
	return dir, content
}

// odd is a file that has less in it than its size says, so that reading it raises an alarm.
const odd = "/sys/kernel/uevent_seqnum"

// damages are what may become of an object.
var damages = map[string]func(content []byte) []byte{
	"lost":      nil,
	"emptied":   func([]byte) []byte { return nil },
	"halved":    func(c []byte) []byte { return c[:len(c)/2] },
	"shortened": func(c []byte) []byte { return c[:len(c)-1] },
	"flipped": func(c []byte) []byte {
		c = slices.Clone(c)
		c[len(c)/2] ^= 4
		return c
	},
	"zeroed": func(c []byte) []byte { return make([]byte, len(c)) },
	"noise": func(c []byte) []byte {
		c = make([]byte, len(c))
		rand.NewChaCha8([32]byte{9}).Read(c)
		return c
	},
	"grown": func(c []byte) []byte { return append(slices.Clip(c), "\x00more"...) },
}

// commandsToTry are run on each damaged archive, in their order.
var commandsToTry = []struct {
	name string
	args []string
}{
	{"bands", []string{"bands", "a"}}, {"ls", []string{"ls", "a", "-R"}},
	{"cat small", []string{"cat", "a", "SRC/d/b"}}, {"cat large", []string{"cat", "a", "SRC/large"}},
	{"restore", []string{"restore", "a", "out"}},
	{"verify", []string{"verify", "a"}}, {"blocks", []string{"verify", "a", "--blocks"}}, {"files", []string{"verify", "a", "--files"}},
	{"backup", []string{"backup", "a", "SRC/d"}},
}

// expectation is the exit status that comes of damage to one kind of object, by command; 0 where none is given. Where more than
// one may come, it has all of them.
type expectation map[string]string

var all3 = expectation{
	"bands": "3", "ls": "3", "cat small": "3", "cat large": "3", "restore": "3", "verify": "3", "blocks": "3", "files": "3",
}

// with is e with other statuses for some commands.
func (e expectation) with(more expectation) expectation {
	both := expectation{}
	for _, one := range []expectation{e, more} {
		for command, statuses := range one {
			both[command] = statuses
		}
	}
	return both
}

var (
	indexLost = expectation{"ls": "3", "cat small": "1", "cat large": "1", "restore": "3", "verify": "3", "blocks": "3", "files": "3"}
	everyEnd  = expectation{"verify": "3", "blocks": "3", "files": "3"}
	smallLost = expectation{"cat small": "3", "restore": "3", "verify": "3", "blocks": "3", "files": "3"}
	largeLost = expectation{"cat large": "3", "restore": "3", "verify": "3", "blocks": "3", "files": "3"}
	unseen    = expectation{"verify": "0"}                                      // without reading the object
	noArchive = all3.with(expectation{"backup": "1"})                           // the heads of bands say what it said, which is enough for reading
	fenceLost = indexLost.with(expectation{"cat small": "3", "cat large": "3"}) // it is put together from the hunks
)

// expectedOfDamage says what comes of damage to the objects that a name matches. What is not given for a damage is as for "".
var expectedOfDamage = []struct {
	object *regexp.Regexp
	by     map[string]expectation
}{
	{regexp.MustCompile(`^DURA-ARCHIVE$`), map[string]expectation{
		"":          noArchive,
		"shortened": {},        // by a line break
		"flipped":   noArchive, // in the name of a setting
	}},
	{regexp.MustCompile(`^(README.txt|dura.proto)$`), map[string]expectation{"": {}, "lost": everyEnd}},
	{regexp.MustCompile(`^recover.py$`), map[string]expectation{"": {}}}, // older archives have none
	{regexp.MustCompile(`\.head$`), map[string]expectation{"": everyEnd.with(expectation{"bands": "3", "restore": "3"})}},
	{regexp.MustCompile(`\.tail$`), map[string]expectation{
		"": all3, "shortened": {"blocks": "3", "files": "3"}, // by a line break
	}},
	{regexp.MustCompile(`\.sha256$`), map[string]expectation{
		"": {"blocks": "3", "files": "3"}, "lost": everyEnd, "shortened": {}, // by a line break
	}},
	{regexp.MustCompile(`alarms\.zst$`), map[string]expectation{
		"": everyEnd, "flipped": everyEnd.with(unseen), "zeroed": everyEnd.with(unseen), "noise": everyEnd.with(unseen),
	}},
	{regexp.MustCompile(`\.fence\.zst$`), map[string]expectation{"": fenceLost, "grown": everyEnd}},
	{regexp.MustCompile(`\.hunk\.zst$`), map[string]expectation{"": indexLost, "grown": everyEnd}},
	{regexp.MustCompile(`\.spans\.zst$`), map[string]expectation{"": largeLost, "grown": everyEnd}},
	{regexp.MustCompile(`data/000/000000\.tar\.zst$`), map[string]expectation{
		"": smallLost, "shortened": everyEnd, "grown": everyEnd, "zeroed": smallLost.with(unseen), "noise": smallLost.with(unseen),
		"flipped": {"blocks": "3"}, // in the footer
		"halved":  everyEnd,        // likewise
	}},
	{regexp.MustCompile(`data/000/000001\.tar\.zst$`), map[string]expectation{
		"": largeLost, "shortened": everyEnd, "grown": everyEnd, "zeroed": largeLost.with(unseen), "noise": largeLost.with(unseen),
		"flipped": largeLost.with(unseen),
	}},
}

// TestDamageOfAnyKindIsToldOfAndNeverServed damages each object in each way, and looks at what every command makes of that.
func TestDamageOfAnyKindIsToldOfAndNeverServed(t *testing.T) {
	src, content := damageSource(t)
	t.Chdir(inMemory(t))
	m := newMachine(t)
	m.mustDo(t, "init", "whole", "--parity", "none")
	sources := []string{"backup", "whole", src}
	if _, err := os.Stat(odd); err == nil {
		sources = append(sources, odd)
	}
	if status := m.dura(t.Context(), sources...); status != statusDone && status != statusAlarms {
		t.Fatal(m.err.String())
	}
	for _, object := range filesBelow(t, "whole") {
		good, err := os.ReadFile(filepath.Join("whole", object))
		if err != nil {
			t.Fatal(err)
		}
		for damage, by := range damages {
			if testing.Short() && damage != "lost" && damage != "noise" {
				continue
			}
			t.Run(object+" "+damage, func(t *testing.T) {
				want := expectedStatuses(t, object, damage)
				copyTree(t, "whole", "a", "out")
				path := filepath.Join("a", object)
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				if by != nil {
					if err := os.WriteFile(path, by(good), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				for _, c := range commandsToTry {
					tryDamaged(t, c.name, c.args, want[c.name], object, src, content)
				}
			})
		}
	}
}

func expectedStatuses(t *testing.T, object, damage string) expectation {
	t.Helper()
	for _, e := range expectedOfDamage {
		if e.object.MatchString(object) {
			if by, ok := e.by[damage]; ok {
				return by
			}
			return e.by[""]
		}
	}
	t.Fatalf("nothing is expected of damage to %s", object)
	return nil
}

// tryDamaged runs a command on the damaged archive a.
func tryDamaged(t *testing.T, command string, args []string, want, object, src string, content map[string][]byte) {
	t.Helper()
	m := newMachine(t)
	given := make([]string, len(args))
	for i, arg := range args {
		given[i] = strings.Replace(arg, "SRC", src, 1)
	}
	status := m.dura(t.Context(), given...)
	if want == "" {
		want = "0"
	}
	if !strings.ContainsRune(want, rune('0'+status)) {
		t.Errorf("%s: status %d, not %s\n%s", command, status, want, m.err.String())
		return
	}
	checkMessages(t, command, status, m.err.String(), object)
	switch command {
	case "cat small", "cat large":
		file := map[string]string{"cat small": "d/b", "cat large": "large"}[command]
		if got := m.out.Bytes(); !bytes.HasPrefix(content[file], got) || status == statusDone && len(got) < len(content[file]) {
			t.Errorf("%s: %d bytes that are not the file's", command, len(got))
		}
	case "restore":
		missing := 0
		for name, data := range content {
			got, err := os.ReadFile(filepath.Join("out", src, name))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				missing++
			case err != nil || !bytes.Equal(got, data):
				t.Errorf("%s came back as %d bytes that are not its own, %v", name, len(got), err)
			}
		}
		if status == statusDone && missing > 0 {
			t.Errorf("%d files are missing, and nobody said so", missing)
		}
	}
}

// checkMessages wants a message exactly where something is off, of whole lines, which name what is damaged.
func checkMessages(t *testing.T, command string, status int, messages, object string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(messages, "\n"), "\n")
	switch {
	case status == statusDone:
		if messages != "" {
			t.Errorf("%s: all is well, and it says %q", command, messages)
		}
		return
	case !strings.Contains(messages, object) && object != "DURA-ARCHIVE":
		t.Errorf("%s: %q does not name %s", command, messages, object)
	case status == statusFailed && len(lines) != 1:
		t.Errorf("%s: more than one sentence: %q", command, messages)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, msgPrefix) || !isPrintable(line) || len(line) > 400 {
			t.Errorf("%s: %q", command, line)
		}
	}
}

// inMemory is a new directory where nothing waits for a disk.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "dura-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// filesBelow are the names of all files below dir, sorted.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// copyTree makes to a copy of from, in the place of what is there, and takes gone away.
func copyTree(t *testing.T, from, to, gone string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(to), os.RemoveAll(gone), os.CopyFS(to, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
}
