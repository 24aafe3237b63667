package integration

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dura/integration/awkward"
	"dura/integration/treecmp"
)

// recoverPy runs the recover.py of an archive, by an interpreter that knows nothing but its own library.
func recoverPy(t testing.TB, archive string, args ...string) outcome {
	t.Helper()
	need(t, "zstd")
	cmd := exec.Command(need(t, "python3"), append([]string{"-I", filepath.Join(archive, "recover.py")}, args...)...)
	cmd.Dir = "/"
	o := run(t, cmd)
	if strings.Contains(o.stderr, "Traceback") {
		t.Fatalf("recover.py %q:\n%s", args, o.stderr)
	}
	return o
}

// recovered runs it and expects an exit status.
func recovered(t testing.TB, status int, archive string, args ...string) outcome {
	t.Helper()
	o := recoverPy(t, archive, args...)
	if o.status != status {
		t.Fatalf("recover.py %q: exit status %d, not %d\n%.4000s%.1000s", args, o.status, status, o.stderr, o.stdout)
	}
	return o
}

// loseIndex takes from an archive all that says where things are, but for the blocks themselves.
func loseIndex(t testing.TB, archive string) {
	t.Helper()
	shell(t, archive, "rm -f DURA-ARCHIVE bands/*.head bands/*.tail; rm -r bands/*/index")
}

// sameAsTarHolds compares as far as a tar holds what it has: times to the second, no sockets, and attributes of files whose content is
// in a member of their own alone.
func sameAsTarHolds(t *testing.T, src, dest string) {
	t.Helper()
	differences, err := treecmp.Compare(src, dest, treecmp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seconds, equals := regexp.MustCompile(`^-?\d+`), regexp.MustCompile(`^"[^"]*=[^"]*":`)
	shown := 0
	for _, d := range differences {
		info, err := os.Lstat(filepath.Join(src, d.Path))
		switch {
		case d.Kind == treecmp.Mtime && seconds.FindString(d.A) == seconds.FindString(d.B):
		case d.Kind == treecmp.Missing && err == nil && info.Mode().Type() == os.ModeSocket:
		case d.Kind == treecmp.Xattr && equals.MatchString(d.A): // no tar takes a name like that
		case d.Kind == treecmp.Xattr && (err != nil || info.Mode().IsRegular()): // a path of more than PATH_MAX bytes is an error
		case shown < 20:
			t.Error(d)
			shown++
		}
	}
}

func TestRecoverPyGivesTheAwkwardTreeBack(t *testing.T) {
	needRoot(t)
	dir := scratch(t)
	src, archive := filepath.Join(dir, "src"), filepath.Join(dir, "archive")
	if _, err := awkward.Make(src, awkward.Options{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	whole, byTar := filepath.Join(dir, "whole"), filepath.Join(dir, "by-tar")
	for _, tree := range []string{src, whole, byTar} {
		t.Cleanup(func() { awkward.Remove(tree) })
	}
	storeTree(t, archive, src, ".")
	recovered(t, 0, archive, "restore", "latest", whole)
	same(t, src, whole)
	loseIndex(t, archive)
	recovered(t, 3, archive, "restore", "latest", byTar)
	sameAsTarHolds(t, src, byTar)
}

// storeTree backs up paths, relative to dir, into an archive that it makes if it is not there.
func storeTree(t testing.TB, archive, dir string, paths ...string) {
	t.Helper()
	if _, err := os.Stat(archive); err != nil {
		dura(t, "init", archive)
	}
	cmd := command("dura", append([]string{"backup", archive}, paths...)...)
	cmd.Dir = dir
	if o := run(t, cmd); o.status != 0 {
		t.Fatal(o.status, o.stderr)
	}
}

func TestRecoverPyGivesARealTreeBack(t *testing.T) {
	const tree = "/usr/local/go"
	dir := scratch(t)
	shell(t, "/", "cp -al "+realTree(t, tree)+" "+dir+"/archive")
	archive := filepath.Join(dir, "archive")
	recovered(t, 0, archive, "restore", "latest", dir+"/whole")
	same(t, tree, dir+"/whole"+tree)
	loseIndex(t, archive)
	recovered(t, 3, archive, "restore", "latest", dir+"/by-tar")
	sameAsTarHolds(t, tree, dir+"/by-tar"+tree)
}

func TestRecoverPyListsAndRestoresParts(t *testing.T) {
	src, archive := byHandArchive(t)
	dest := filepath.Join(scratch(t), "new", "dest")
	if out := recovered(t, 0, archive, "list").stdout; !strings.Contains(out, "complete") || strings.Count(out, "\n") != 1 {
		t.Error(out)
	}
	out := recovered(t, 0, archive, "ls", "latest", "home/me").stdout
	if !regexp.MustCompile(`(?m)^-rw-r----- \S+ +12 2001-02-03 04:05:06 home/me/letter.txt$`).MatchString(out) || !strings.Contains(out, "symlink -> letter.txt") ||
		strings.Contains(out, "deep") {
		t.Error(out)
	}
	if out := recovered(t, 0, archive, "ls", "-R", "latest").stdout; !strings.Contains(out, `odd names/q"\\`) || !strings.Contains(out, "home/me/fifo") {
		t.Error(out)
	}
	recovered(t, 0, archive, "restore", "20", dest, "home/me/letter.txt", "/odd names/")
	got := contents(t, dest)
	want := contents(t, src)
	maps.DeleteFunc(want, func(path string, _ [32]byte) bool {
		return path != "/home/me/letter.txt" && !strings.HasPrefix(path, "/odd names/")
	})
	if !maps.Equal(got, want) {
		t.Errorf("%d files, not %d", len(got), len(want))
	}
	if out := shell(t, dest, "stat -c %a home/me/letter.txt; stat -c %Y home"); out != "640\n"+shell(t, src, "stat -c %Y home") {
		t.Error(out)
	}
	for _, args := range [][]string{{"restore", "latest", dest, "no such"}, {"ls", "latest", "no such"}, {"ls", "1999"}, {"restore", "latest", archive + "/bands/x"}} {
		recovered(t, 1, archive, args...)
	}
	if o := recovered(t, 3, archive, "restore", "latest", dest, "no such", "deep"); !strings.Contains(o.stderr, "no such: not there") {
		t.Error(o.stderr)
	}
	elsewhere := shell(t, "/", "cp "+quoted(archive+"/recover.py")+" "+quoted(filepath.Dir(dest))+"; python3 -I "+
		quoted(filepath.Dir(dest)+"/recover.py")+" --archive "+quoted(archive)+" list")
	if !strings.Contains(elsewhere, "complete") {
		t.Error(elsewhere)
	}
}

func TestRecoverPyLeavesWhatIsThere(t *testing.T) {
	src, archive := byHandArchive(t)
	dest := scratch(t)
	shell(t, dest, "mkdir -p home/me outside; chmod 0711 home; echo mine > home/me/letter.txt; ln -s ../outside deep; echo mine > empty")
	o := recovered(t, 3, archive, "restore", "latest", dest)
	if out := shell(t, dest, "cat home/me/letter.txt empty; ls outside; stat -c %a home"); out != "mine\nmine\n711\n" {
		t.Error(out)
	}
	for _, name := range []string{"home/me/letter.txt", "empty", "deep"} {
		if !strings.Contains(o.stderr, name+": exists") {
			t.Errorf("nothing is said of %s:\n%s", name, o.stderr)
		}
	}
	want, got := contents(t, src), contents(t, dest)
	for _, path := range []string{"/home/me/other.txt", "/home/me/large", "/large-sparse"} {
		if got[path] != want[path] {
			t.Errorf("%s is not what it was", path)
		}
	}
}

// The commands of README.txt, to the letter but for where the files go.
func TestReadmeLeadsToRecoverPy(t *testing.T) {
	need(t, "python3")
	src, archive := byHandArchive(t)
	dest := filepath.Join(scratch(t), "restored")
	out := shell(t, archive, strings.ReplaceAll(commandsOf(t, "Restore with recover.py"), "/tmp/restored", dest))
	if !strings.Contains(out, "home/me/letter.txt") {
		t.Error(out)
	}
	same(t, src, dest)
}

func TestRecoverPyRestoresAnyBand(t *testing.T) {
	dir := scratch(t)
	src, archive, first := filepath.Join(dir, "src"), filepath.Join(dir, "archive"), filepath.Join(dir, "first")
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 9<<20)
	random.Read(noise)
	shell(t, dir, `mkdir -p src/many src/dir; for i in {1..3000}; do echo "file $i" > src/many/$i; done; echo deleted > src/dir/deleted; echo same > src/dir/same; echo old > src/dir/changed`)
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(src, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("large", noise)
	storeTree(t, archive, src, ".")
	shell(t, dir, `cp -a src first; sleep 0.01; rm src/dir/deleted; echo "new and longer" > src/dir/changed; echo new > src/many/new; mv src/many/7 src/dir/moved`)
	write("large", append(append(slices.Clip(noise[:3<<20]), "inserted"...), noise[3<<20:]...))
	storeTree(t, archive, src, ".")

	bands := strings.Fields(shell(t, archive, "cd bands; ls -d *.tail | sed 's/.tail//'"))
	recovered(t, 0, archive, "restore", bands[0], dir+"/dest1")
	same(t, first, dir+"/dest1")
	recovered(t, 0, archive, "restore", bands[1], dir+"/dest2")
	same(t, src, dir+"/dest2")

	// Without its index a band has what the blocks have: the latest of each path, and what has been deleted.
	loseIndex(t, archive)
	o := recovered(t, 3, archive, "restore", bands[1], dir+"/dest3")
	want, got := contents(t, src), contents(t, dir+"/dest3")
	delete(want, "/dir/moved") // its content is in the earlier band, under another name
	delete(want, "/large")     // so is most of this
	for path, sum := range want {
		if got[path] != sum {
			t.Errorf("%s is not what it was", path)
		}
	}
	if got["/dir/deleted"] == [32]byte{} || !strings.Contains(o.stderr, "large: in doubt") {
		t.Error(o.stderr)
	}
}

// A part of the index is lost: the paths that it had come from the blocks, the others from what is left of it.
func TestRecoverPyFillsGapsOfTheIndex(t *testing.T) {
	dir := scratch(t)
	src, archive := filepath.Join(dir, "src"), filepath.Join(dir, "archive")
	shell(t, dir, `mkdir src; for d in a b c d e f g h; do mkdir src/$d; for i in {1..600}; do echo "$d $i" > src/$d/$i; done; done; touch -d '2001-02-03 04:05:06.789' src/*/*`)
	storeTree(t, archive, src, ".")
	for i, lose := range []string{
		"index/000/000000.hunk.zst", "index/000000.fence.zst", "../*.head", "../*.tail index/000000.fence.zst", "../*.tail index/000/000002.hunk.zst",
		"index/000000.fence.zst index/000/000001.hunk.zst index/000/000003.hunk.zst",
	} {
		damaged, dest := fmt.Sprintf("%s/damaged-%d", dir, i), fmt.Sprintf("%s/dest-%d", dir, i)
		shell(t, dir, "cp -r archive "+damaged+"; cd "+damaged+"/bands/*/ && rm "+lose)
		status := 3
		if lose == "../*.head" {
			status = 0 // only a band that was made on top of it needs that
		}
		o := recovered(t, status, damaged, "restore", "latest", dest)
		if !maps.Equal(contents(t, dest), contents(t, src)) {
			t.Errorf("without %s not everything is there:\n%s", lose, o.stderr)
		}
		sameAsTarHolds(t, src, dest)
		exact := shell(t, dest, "find . -type f -newermt '2001-02-03 04:05:06.7' | wc -l")
		if n := strings.TrimSpace(exact); n == "0" && !strings.Contains(lose, "index/000000") || strings.HasSuffix(lose, "head") && n != "4800" {
			t.Errorf("without %s the index has told of %s files", lose, n)
		}
	}
}

// lostNames are the files that a run names as lost.
func lostNames(stderr string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^recover.py: (.*): lost: \d+ bytes`).FindAllStringSubmatch(stderr, -1) {
		names = append(names, "/"+m[1])
	}
	slices.Sort(names)
	return names
}

func TestRecoverPyLosesWhatADamagedFrameHeldAndNoMore(t *testing.T) {
	dir := scratch(t)
	src, archive := filepath.Join(dir, "src"), filepath.Join(dir, "archive")
	noiseFiles(t, src, slices.Repeat([]int{200_000}, 100)...)
	storeTree(t, archive, src, ".")
	want := contents(t, src)
	for i, c := range []struct {
		damage         string
		loses          bool
		least, most    int // files lost
		withoutIndex   bool
		footerIsNeeded bool
	}{
		{damage: "flip 5000000", least: 1, most: 6},
		{damage: "flip 5000000", least: 1, most: 6, withoutIndex: true},
		{damage: "zero 5000000 4096", least: 1, most: 6, withoutIndex: true},
		{damage: "truncate 7000000", least: 1, most: 60},
		{damage: "end"},                     // a damaged footer costs nothing
		{damage: "end", withoutIndex: true}, // nor then
	} {
		damaged, dest := fmt.Sprintf("%s/damaged-%d", dir, i), fmt.Sprintf("%s/dest-%d", dir, i)
		shell(t, dir, "cp -r archive "+damaged)
		blocks, err := filepath.Glob(damaged + "/bands/*/data/000/000000.tar.zst")
		if err != nil || len(blocks) != 1 {
			t.Fatal(blocks, err)
		}
		damage(t, blocks[0], c.damage)
		if c.withoutIndex {
			loseIndex(t, damaged)
		}
		status := 3
		if c.most == 0 && !c.withoutIndex {
			status = 0
		}
		o := recovered(t, status, damaged, "restore", "latest", dest)
		got := contents(t, dest)
		var missing []string
		for path, sum := range want {
			if there, ok := got[path]; !ok {
				missing = append(missing, path)
			} else if there != sum {
				t.Errorf("%+v: %s has other content", c, path)
			}
		}
		slices.Sort(missing)
		if len(missing) < c.least || len(missing) > c.most {
			t.Errorf("%+v: %d files are lost", c, len(missing))
		}
		if c.damage != "truncate 7000000" && !slices.Equal(missing, lostNames(o.stderr)) {
			t.Errorf("%+v: lost are %q, and it says\n%s", c, missing, o.stderr)
		}
	}
}

// damage damages a file as words say.
func damage(t testing.TB, name, words string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var kind string
	var at, n int
	fmt.Sscan(words, &kind, &at, &n)
	switch kind {
	case "flip":
		data[at] ^= 0x10
	case "zero":
		clear(data[at:min(at+n, len(data))])
	case "truncate":
		data = data[:at]
	case "end":
		clear(data[max(0, len(data)-300):])
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRecoverPyGivesTheRestOfALargeFile(t *testing.T) {
	dir := scratch(t)
	noiseFiles(t, dir+"/src", 9_000_000)
	archive := dir + "/archive"
	storeTree(t, archive, dir+"/src", ".")
	blocks, _ := filepath.Glob(archive + "/bands/*/data/000/000000.tar.zst")
	damage(t, blocks[0], "flip 4000000")
	o := recovered(t, 3, archive, "restore", "latest", dir+"/dest")
	if names, err := os.ReadDir(dir + "/dest"); err != nil || len(names) > 0 || !strings.Contains(o.stderr, "000: lost: ") {
		t.Errorf("%v, %v\n%s", names, err, o.stderr)
	}
	recovered(t, 3, archive, "restore", "latest", dir+"/dest", "--partial")
	got, err := os.ReadFile(dir + "/dest/000.dura-partial")
	want, _ := os.ReadFile(dir + "/src/000")
	if err != nil || len(got) != len(want) || !bytes.Equal(got[:2<<20], want[:2<<20]) || !bytes.Equal(got[6<<20:], want[6<<20:]) || bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Whatever is damaged, and however: what comes back is what it was, and what doesn't is told of.
func TestRecoverPyIsNeverWrong(t *testing.T) {
	dir := scratch(t)
	src, archive := filepath.Join(dir, "src"), filepath.Join(dir, "archive")
	shell(t, dir, `mkdir -p src/a/b src/c; for i in {1..300}; do seq $i $((i*7)) > src/a/b/$i; done; cp -r src/a src/c/copy; head -c 6000000 /dev/urandom > src/c/large; ln src/c/large src/c/linked`)
	storeTree(t, archive, src, ".")
	shell(t, dir, `for i in {1..50}; do echo more >> src/a/b/$i; done`)
	storeTree(t, archive, src, ".")
	want := contents(t, src)
	rounds := 40
	if testing.Short() {
		rounds = 12
	}
	for round := range rounds {
		random := rand.New(rand.NewPCG(uint64(round), 1))
		damaged, dest := dir+"/damaged", dir+"/dest"
		shell(t, dir, "rm -rf damaged dest; cp -r archive damaged")
		var objects []string
		err := filepath.WalkDir(damaged, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".py") && !strings.HasSuffix(path, ".sha256") {
				objects = append(objects, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var done []string
		for range 1 + random.IntN(3) {
			name := objects[random.IntN(len(objects))]
			info, err := os.Stat(name)
			if err != nil || info.Size() == 0 {
				continue
			}
			at := random.IntN(int(info.Size()))
			words := []string{fmt.Sprint("flip ", at), fmt.Sprint("zero ", at, " 4096"), fmt.Sprint("truncate ", at), "delete", "swap"}[random.IntN(5)]
			done = append(done, strings.TrimPrefix(name, damaged)+" "+words)
			switch words {
			case "delete":
				os.Remove(name)
			case "swap": // with another valid object
				if other, err := os.ReadFile(objects[random.IntN(len(objects))]); err == nil {
					os.WriteFile(name, other, 0o644)
				}
			default:
				damage(t, name, words)
			}
		}
		o := recoverPy(t, damaged, "restore", "latest", dest)
		got := map[string][32]byte{}
		if _, err := os.Stat(dest); err == nil {
			got = contents(t, dest)
		}
		for path, sum := range got {
			if want[path] != sum && !strings.Contains(o.stderr, path[1:]+": in doubt") && !strings.Contains(o.stderr, "taken from blocks") {
				t.Errorf("round %d, %q: %s has other content\n%s", round, done, path, o.stderr)
			}
		}
		if o.status == 0 && !maps.Equal(got, want) || o.status == 1 && len(got) > 0 {
			t.Errorf("round %d, %q: exit status %d, and %d of %d files\n%s", round, done, o.status, len(got), len(want), o.stderr)
		}
	}
}
