package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dura/integration/awkward"
	"dura/integration/treecmp"
)

// sameByRsync fails the test if rsync would have anything to do to make dest like src, to the nanosecond.
func sameByRsync(t *testing.T, src, dest string, exclude ...string) {
	t.Helper()
	need(t, "rsync")
	script := "rsync -aHAXnic --modify-window=-1 --delete"
	for _, e := range exclude {
		script += " --exclude=" + quoted(e)
	}
	out := shell(t, "/", script+" "+quoted(src+"/")+" "+quoted(dest+"/"))
	if out != "" {
		t.Fatalf("rsync finds %d differences between %s and %s:\n%.2000s", strings.Count(out, "\n"), src, dest, out)
	}
}

func same(t *testing.T, src, dest string) {
	t.Helper()
	differences, err := treecmp.Compare(src, dest, treecmp.Options{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Error(d)
	}
}

func TestAwkwardTreeComesBackExactly(t *testing.T) {
	needRoot(t)
	dir := scratch(t)
	src := filepath.Join(dir, "src")
	report, err := awkward.Make(src, awkward.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { awkward.Remove(src) })
	for _, skipped := range report.Skipped {
		t.Log("not in the tree:", skipped)
	}
	archive, dest := filepath.Join(dir, "archive"), filepath.Join(dir, "dest")
	t.Cleanup(func() { awkward.Remove(dest) })
	dura(t, "init", archive)
	backup := command("dura", "backup", archive, ".")
	backup.Dir = src
	if o := run(t, backup); o.status != 0 {
		t.Fatal(o.status, o.stderr)
	}
	dura(t, "restore", archive, dest)
	same(t, src, dest)
	sameByRsync(t, src, dest, "/long-paths") // rsync itself goes no further than PATH_MAX
	dura(t, "verify", "--files", archive)
}

// realTrees are trees of this machine that tests store whole, and archives of them.
var realTrees = map[string]string{"/usr/local/go": "", "/usr/share": ""}

// realTree is an archive of one of them, for tests to share; they leave it as it is. Where there is no such tree the test is skipped.
func realTree(t *testing.T, tree string) (archive string) {
	t.Helper()
	if _, err := os.Stat(tree); err != nil {
		t.Skip(err)
	}
	if realTrees[tree] == "" {
		archive := filepath.Join(kept, filepath.Base(tree))
		dura(t, "init", archive)
		dura(t, "backup", archive, tree)
		realTrees[tree] = archive
	}
	return realTrees[tree]
}

func TestRealTreesComeBackExactly(t *testing.T) {
	for tree := range realTrees {
		t.Run(strings.ReplaceAll(tree[1:], "/", "-"), func(t *testing.T) {
			archive, dest := realTree(t, tree), filepath.Join(scratch(t), "dest")
			dura(t, "restore", archive, dest)
			same(t, tree, dest+tree)
			sameByRsync(t, tree, dest+tree)
			for path, command := range map[string]string{"VERSION": "cat", "src/net/http": "ls", "common-licenses/GPL-2": "cat", "doc/bash": "ls", "": "ls"} {
				if _, err := os.Stat(filepath.Join(tree, path)); err == nil {
					readsAFew(t, archive, command, filepath.Join(tree, path))
				}
			}
		})
	}
}

// TestAUserGetsBackWhatAUserMaySet backs up and restores as nobody.
func TestAUserGetsBackWhatAUserMaySet(t *testing.T) {
	needRoot(t)
	dir := scratch(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	asUser := func(script string) string {
		return shell(t, "/", "setpriv --reuid=65534 --regid=65534 --clear-groups bash -euo pipefail -c "+quoted(script))
	}
	asUser(`mkdir ` + dir + `/src && cd ` + dir + `/src && mkdir -p a/b private && echo hello > a/b/file && ln a/b/file a/link &&
		ln -s nowhere a/dangling && mkfifo a/fifo && chmod 0400 a/b/file && touch -d '1969-12-31 23:59:58.123456789 UTC' a/b && truncate -s 5M a/sparse &&
		setfattr -n user.note -v hi private 2>/dev/null; chmod 0500 private; setfacl -m u:1:r a/b/file`)
	asUser(programs + "/dura init " + dir + "/archive && cd " + dir + "/src && " + programs + "/dura backup " + dir + "/archive . && " +
		programs + "/dura restore " + dir + "/archive " + dir + "/dest")
	same(t, dir+"/src", dir+"/dest")
	sameByRsync(t, dir+"/src", dir+"/dest")
}
