package integration

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dura/integration/awkward"
)

// sameByTar fails the test if tar finds anything in dest that is not as in src.
func sameByTar(t *testing.T, src, dest, options string) {
	t.Helper()
	out := shell(t, "/", "tar c "+options+" -C "+quoted(src)+" . | tar --compare "+options+" -C "+quoted(dest)+" 2>&1")
	if out != "" {
		t.Errorf("tar finds in %s:\n%.2000s", dest, out)
	}
}

func sameByDiff(t *testing.T, src, dest string) {
	t.Helper()
	if out := shell(t, "/", "diff -r --no-dereference "+quoted(src)+" "+quoted(dest)+" 2>&1 | head -c 2000"); out != "" {
		t.Errorf("diff finds in %s:\n%s", dest, out)
	}
}

func TestTheMountShowsAnAwkwardTreeAsItIs(t *testing.T) {
	needRoot(t)
	src := filepath.Join(scratch(t), "src")
	if _, err := awkward.Make(src, awkward.Options{Seed: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { awkward.Remove(src) })
	shown := mountLatest(t, backedUp(t, src)) + src
	same(t, src, shown)
	sameByRsync(t, src, shown, "/long-paths") // no path that goes beyond PATH_MAX
	sameByTar(t, src, shown, "--acls --xattrs --xattrs-include='*' --exclude=./sockets --exclude=./long-paths --exclude=./mixed")
}

func TestTheMountShowsRealTreesAsTheyAre(t *testing.T) {
	for tree := range realTrees {
		t.Run(strings.ReplaceAll(tree[1:], "/", "-"), func(t *testing.T) {
			if testing.Short() && tree == "/usr/share" {
				t.Skip("it takes a minute")
			}
			shown := mountLatest(t, realTree(t, tree)) + tree
			sameByRsync(t, tree, shown)
			sameByDiff(t, tree, shown)
			sameByTar(t, tree, shown, "")
		})
	}
}

// TestAUserMountsByFusermount3 shows a user what that user stored: as it is, unchangeable, and to nobody else.
func TestAUserMountsByFusermount3(t *testing.T) {
	for _, tool := range []string{"fio", "python3", "rsync"} {
		need(t, tool)
	}
	dir := userScratch(t)
	o := asUserWithFUSE(t, dir, `
		mkdir -p src/a/b src/private mnt
		echo hello >src/a/b/file; ln src/a/b/file src/a/link; ln -s nowhere src/a/dangling; mkfifo src/a/fifo
		chmod 0400 src/a/b/file; touch -d '1969-12-31 23:59:58.123456789 UTC' src/a/b; truncate -s 5M src/a/sparse
		setfattr -n user.note -v hi src/private 2>/dev/null || true; chmod 0500 src/private; setfacl -m u:1:r src/a/b/file
		cp -a /usr/local/go/src/net src/net
		fio="fio --name=f --size=1m --bs=4k --verify=crc32c --verify_fatal=1 --verify_state_save=0 --numjobs=8 --group_reporting --minimal"
		mkdir src/fio; $fio --directory=src/fio --rw=randwrite --do_verify=0 --ioengine=psync >/dev/null
		dura init archive >/dev/null; (cd src && dura -q backup ../archive .)
		dura-mount archive mnt
		findmnt -n -o FSTYPE mnt
		diff -r --no-dereference src/net mnt/latest/net
		for engine in psync mmap "libaio --iodepth=16"; do
			$fio --directory=mnt/latest/fio --rw=randread --readonly --allow_file_create=0 --ioengine=$engine >/dev/null
		done
		hashes() { (cd $1 && find . -type f -print0 | sort -z | xargs -0 -n20 -P8 sha256sum | sort); }
		diff <(hashes src/net) <(hashes mnt/latest/net)
		python3 -I -c `+quoted(mutate)+` mnt/latest/ mnt/latest/a/b/file mnt/latest/a/dangling
		fusermount3 -u mnt
		dura mount archive mnt -b latest
		rsync -aHAXnic --modify-window=-1 --delete src/ mnt/
		tar c -C src . | tar --compare -C mnt
		fusermount3 -u mnt
		dura mount archive mnt -o uid=7,gid=8 -b latest
		stat -c %u:%g mnt/a/b/file
		fusermount3 -u mnt`)
	const want = "fuse.dura-mount\n7:8\n"
	if o.status != 0 || o.stdout != want || o.stderr != "" {
		t.Errorf("exit status %d\n%s\n%s", o.status, o.stdout, o.stderr)
	}
}

func TestTwoBandsAreComparedByDiff(t *testing.T) {
	src := filepath.Join(scratch(t), "src")
	shell(t, "/", "cp -a /usr/local/go/src/net "+src)
	archive := backedUp(t, src)
	shell(t, src, "echo more >>dial.go; rm ip.go; mv http/server.go http/moved.go; mkdir new; echo new >new/file; ln -sf elsewhere link; touch parse.go")
	dura(t, "backup", archive, src)
	mnt := mount(t, archive, "")
	bands := lines(shell(t, mnt, "ls -d 2*"))
	if len(bands) != 2 {
		t.Fatalf("the mount shows %q", bands)
	}
	diff := exec.Command("diff", "-rq", "--no-dereference", bands[0]+src, bands[1]+src)
	diff.Dir = mnt
	out := run(t, diff)
	want := []string{
		"Files " + bands[0] + src + "/dial.go and " + bands[1] + src + "/dial.go differ",
		"Only in " + bands[0] + src + "/http: server.go", "Only in " + bands[0] + src + ": ip.go",
		"Only in " + bands[1] + src + "/http: moved.go", "Only in " + bands[1] + src + ": link", "Only in " + bands[1] + src + ": new",
	}
	got := lines(out.stdout)
	slices.Sort(got)
	slices.Sort(want)
	if out.status != 1 || !slices.Equal(got, want) {
		t.Errorf("exit status %d\n%s", out.status, out.stdout)
	}
	sameByDiff(t, src, filepath.Join(mnt, bands[1])+src)
}

// mutate is a program that tries to change a directory, a file and a link, and prints every call that does anything but fail because
// the file system is read-only.
const mutate = `
import errno, os, sys
dir, file, link = sys.argv[1:]
new = os.path.join(dir, "new")
open_ = lambda path, flags: os.close(os.open(path, flags))
for name, call in {
    "create": lambda: open_(new, os.O_CREAT | os.O_WRONLY),
    "tmpfile": lambda: open_(dir, os.O_TMPFILE | os.O_WRONLY),
    "write": lambda: open_(file, os.O_WRONLY),
    "append": lambda: open_(file, os.O_RDWR | os.O_APPEND),
    "open and truncate": lambda: open_(file, os.O_RDONLY | os.O_TRUNC),
    "truncate": lambda: os.truncate(file, 0),
    "mkdir": lambda: os.mkdir(new),
    "mkfifo": lambda: os.mkfifo(new),
    "symlink": lambda: os.symlink("x", new),
    "link": lambda: os.link(file, new),
    "rename": lambda: os.rename(file, new),
    "unlink": lambda: os.unlink(file),
    "unlink a link": lambda: os.unlink(link),
    "rmdir": lambda: os.rmdir(dir),
    "chmod": lambda: os.chmod(file, 0o600),
    "chown": lambda: os.chown(file, os.getuid(), -1),
    "lchown": lambda: os.lchown(link, os.getuid(), -1),
    "utime": lambda: os.utime(file, (0, 0)),
    "setxattr": lambda: os.setxattr(file, "user.x", b"x"),
    "removexattr": lambda: os.removexattr(file, "user.x"),
}.items():
    try:
        call()
        print(name, "is done")
    except OSError as e:
        if e.errno != errno.EROFS:
            print(name, e)
`

func TestNothingInTheMountCanBeChanged(t *testing.T) {
	need(t, "python3")
	src := filepath.Join(scratch(t), "src")
	shell(t, "/", "mkdir -p "+src+"/d && echo content >"+src+"/d/file && ln -s file "+src+"/d/link")
	shown := mountLatest(t, backedUp(t, src)) + src
	for _, dir := range []string{shown + "/d", shown + "/", strings.TrimSuffix(shown, src) + "/"} {
		if out := shell(t, "/", "python3 -I -c "+quoted(mutate)+" "+dir+" "+shown+"/d/file "+shown+"/d/link"); out != "" {
			t.Errorf("in %s:\n%s", dir, out)
		}
	}
}
