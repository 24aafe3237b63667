package integration

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What the processes of the stress do, in a directory of the mount. $1 is the same directory in the source.
const (
	hashAll = "find . -type f ! -name sparse -print0 | sort -z | xargs -0 -P4 -n100 sha256sum | sort"
	listAll = `find . -mindepth 1 -type d -printf '%P %m %U %G %T@\n' -o -printf '%P %y %m %U %G %s %n %T@ %l\n' | sort`
	tarAll  = "tar c --exclude=sparse --exclude='large?' . | tar t | sort"
	compare = "rsync -aHnic --exclude=sparse --modify-window=-1 --delete $1/ ./"
	absent  = `for i in {1..3000}; do if test -e "compile/no-$i"; then exit 1; fi; done`
	killed  = `for i in {1..40}; do cat large sparse >/dev/null 2>&1 & sleep 0.0$((i % 10)); kill -9 $! 2>/dev/null || true; wait $! 2>/dev/null || true; done`
	random  = `python3 -I -c '
import os, random, sys
ours, theirs = os.open("large2", os.O_RDONLY), os.open(sys.argv[1] + "/large", os.O_RDONLY)
size = os.fstat(theirs).st_size
for _ in range(3000):
    at, n = random.randrange(size), random.randrange(1, 200_000)
    assert os.pread(ours, n, at) == os.pread(theirs, n, at), at
' $1`
)

// Many processes use a mount that has little memory, each in a way of its own, while bands are added and readers are killed. Each
// must see what it would see in the source.
func TestManyProcessesUseTheMountAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	need(t, "python3")
	dir := scratch(t)
	src := filepath.Join(dir, "src")
	shell(t, dir, "cp -a /usr/local/go/src/cmd src && head -c 40000000 /dev/urandom >src/large && truncate -s 1G src/sparse && for i in 1 2 3; do ln src/large src/large$i; done")
	archive := backedUp(t, src)
	mnt := mount(t, archive, "cache_size=4M,index_cache_size=1M")
	shown := filepath.Join(mnt, lines(shell(t, mnt, "ls -d 2*"))[0]) + src // latest will be another one
	in := func(dir, script string) *exec.Cmd {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", script, "bash", src)
		cmd.Dir = dir
		return cmd
	}
	want := map[string]string{}
	for _, script := range []string{hashAll, listAll, tarAll} {
		out, err := in(src, script).Output()
		if err != nil {
			t.Fatal(err)
		}
		want[script] = string(out)
	}
	var all sync.WaitGroup
	for range 2 {
		for _, script := range []string{hashAll, listAll, tarAll, compare, absent, random, killed} {
			all.Go(func() {
				out, err := in(shown, script).CombinedOutput()
				if err != nil || string(out) != want[script] {
					t.Errorf("%s\n%v, %d bytes of output, want %d: %.1000s", script, err, len(out), len(want[script]), out)
				}
			})
		}
	}
	for range 3 {
		dura(t, "backup", archive, "/usr/local/go/src/net")
		shell(t, mnt, `for i in {1..100}; do if ls -l . latest/usr/local/go/src/net/dial.go >/dev/null 2>&1; then exit; fi; sleep 0.1; done; exit 1`)
	}
	all.Wait()
	if newest := lines(shell(t, mnt, "sleep 1.1; ls -d 2* | tail -1; readlink latest")); newest[0] != newest[1] {
		t.Errorf("latest is %s, the last of the bands is %s", newest[1], newest[0])
	}
	if status := shell(t, mnt, "cat .dura/status.json"); !strings.Contains(status, `"alarms": 0,`) {
		t.Errorf("the status is %s", status)
	}
}
