package integration

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dura/archive/format"
)

// byHandSource is a tree with everything that tar can hold, small, and files that are stored in parts.
func byHandSource(t *testing.T) string {
	t.Helper()
	src := filepath.Join(scratch(t), "src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	shell(t, src, `
		mkdir -p home/me 'odd names' empty "$(printf 'n\377\n')" deep/$(printf 'd%.0s' {1..120})/$(printf 'e%.0s' {1..120})
		echo 'dear reader' > home/me/letter.txt; touch home/me/nothing
		cp home/me/letter.txt home/me/other.txt
		ln home/me/letter.txt home/me/linked; ln -s letter.txt home/me/symlink; mkfifo home/me/fifo
		echo -n x > 'odd names/-a b'; echo -n y > "odd names/$(printf 'q"\\\n\377é')"; echo -n z > "odd names/$(printf 'l%.0s' {1..255})"
		(cd deep/d*/e* && echo -n w > file); ln -s ../../nowhere/$(printf 's%.0s' {1..200}) deep/long-link
		head -c 9000000 /dev/urandom > home/me/large; cat home/me/large home/me/large > home/me/doubled
		ln home/me/large 'odd names/large too'
		truncate -s 300000 sparse; printf data | dd of=sparse conv=notrunc seek=100000 oflag=seek_bytes status=none
		truncate -s 7000000 hole-alone; truncate -s 20000000 large-sparse
		head -c 6000000 home/me/large | dd of=large-sparse conv=notrunc seek=5000000 oflag=seek_bytes status=none
		chmod 0640 home/me/letter.txt; chmod 1777 empty; touch -d '2001-02-03 04:05:06 UTC' home/me/*.txt large-sparse`)
	return src
}

// contents maps each regular file below dir to the hash of its content.
func contents(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() && d.Type() != os.ModeSymlink {
			return err
		}
		data, err := os.ReadFile(path)
		if d.Type() == os.ModeSymlink && err != nil {
			return nil // dangling
		}
		sums[strings.TrimPrefix(path, dir)] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// commandsOf are the commands under a heading of README.txt, to be run in place of a person.
func commandsOf(t *testing.T, heading string) string {
	t.Helper()
	return commandsIn(t, format.Readme, heading)
}

func commandsIn(t *testing.T, readme []byte, heading string) string {
	t.Helper()
	_, section, found := strings.Cut(string(readme), "\n"+heading+"\n\n")
	if !found {
		t.Fatalf("README.txt has no part %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n\n\n")
	var commands []string
	for line := range strings.Lines(section) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			commands = append(commands, command)
		}
	}
	if len(commands) == 0 {
		t.Fatalf("README.txt has no commands under %q", heading)
	}
	return strings.Join(commands, "")
}

func byHandArchive(t *testing.T) (src, archive string) {
	t.Helper()
	src = byHandSource(t)
	archive = filepath.Join(scratch(t), "archive")
	dura(t, "init", archive)
	cmd := command("dura", "backup", archive, ".")
	cmd.Dir = src
	if o := run(t, cmd); o.status != 0 {
		t.Fatal(o.stderr)
	}
	return src, archive
}

// The words of README.txt are followed to the letter, but for where the files go.
func TestReadmeGetsEverythingBack(t *testing.T) {
	for _, tool := range []string{"zstd", "tar", "bsdtar", "protoc", "sha256sum"} {
		need(t, tool)
	}
	src, archive := byHandArchive(t)
	want := contents(t, src)

	if out := shell(t, archive, commandsOf(t, "Is the archive whole?")); out != "" {
		t.Error("sha256sum says:", out)
	}
	everything := commandsOf(t, "Get every file back")
	for name, script := range map[string]string{
		"GNU tar": everything,
		"bsdtar":  strings.ReplaceAll(everything, "tar -xi --delay-directory-restore -C", "bsdtar -x --ignore-zeros -f - -C"),
	} {
		dest := filepath.Join(scratch(t), "restored")
		if script == everything && name == "bsdtar" {
			t.Fatal("README.txt no longer has the command that the test puts bsdtar into")
		}
		shell(t, archive, strings.ReplaceAll(script, "/tmp/restored", dest))
		got := contents(t, dest)
		for path, sum := range want {
			if got[path] != sum {
				t.Errorf("%s: %q is not what it was", name, path)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d files, not %d", name, len(got), len(want))
		}
		if out := shell(t, dest, "stat -c '%a %Y' home/me/letter.txt large-sparse empty home deep deep/*; find . -type p; readlink home/me/symlink; find . -name '*.dura-part'"); out !=
			shell(t, src, "stat -c '%a %Y' home/me/letter.txt large-sparse empty home deep deep/*; find . -type p; readlink home/me/symlink") {
			t.Errorf("%s: %s", name, out)
		}
	}

	dest := filepath.Join(scratch(t), "restored")
	if err := os.Mkdir(dest, 0o755); err != nil {
		t.Fatal(err)
	}
	shell(t, archive, strings.ReplaceAll(commandsOf(t, "Get one file back"), "/tmp/restored", dest))
	if got := contents(t, dest); len(got) != 1 || got["/home/me/letter.txt"] != want["/home/me/letter.txt"] {
		t.Errorf("one file: %d came back", len(got))
	}
	if out := shell(t, archive, commandsOf(t, "What is in a block, or in all")); !strings.Contains(out, "home/me/letter.txt") {
		t.Error(out)
	}
	if out := shell(t, archive, commandsOf(t, "Read an index")); !strings.Contains(out, `path: "home/me/letter.txt"`) ||
		!strings.Contains(out, "hunks {") {
		t.Error(out)
	}
}

func TestHeadsAndTailsAreOfTheSchema(t *testing.T) {
	need(t, "protoc")
	_, archive := byHandArchive(t)
	out := shell(t, archive, `
		for kind in head:Head tail:Tail; do
			protoc --encode=dura.${kind#*:} dura.proto < bands/*.${kind%:*} | protoc --decode=dura.${kind#*:} dura.proto
		done
		protoc --encode=dura.Archive dura.proto < DURA-ARCHIVE | protoc --decode=dura.Archive dura.proto`)
	for _, want := range []string{`sources: "."`, "content_bytes: ", "head_sha256: ", "required_features"} {
		if found := strings.Contains(out, want); found == (want == "required_features") {
			t.Errorf("%q in what protoc reads: %v\n%s", want, found, out)
		}
	}
}

// Every name in an archive must be one that any file system and any object store takes.
func TestObjectNamesAreTame(t *testing.T) {
	_, archive := byHandArchive(t)
	tame := regexp.MustCompile(`^([a-z0-9._-]+/)*[a-z0-9._-]+$`)
	out := shell(t, archive, "find . -type f -printf '%P\\n'")
	for name := range strings.Lines(out) {
		name = strings.TrimSpace(name)
		if !tame.MatchString(name) && name != format.ArchiveName && name != format.ReadmeName {
			t.Error(name)
		}
	}
}
