package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fileManager does with a tree what file managers do that show it with previews: it lists each directory, describes each entry once and
// again, looks for files that say how to show a directory, asks for extended attributes, opens every file and reads its
// first 4 KiB. It prints how much there is of everything.
const fileManager = `
import concurrent.futures, os, stat, sys
def look(path):
    s = os.lstat(path)
    assert (os.lstat(path).st_mtime_ns, os.access(path, os.W_OK)) == (s.st_mtime_ns, False)
    os.listxattr(path, follow_symlinks=False)
    if not stat.S_ISREG(s.st_mode):
        return 0
    with open(path, "rb") as f:
        head = f.read(4096)
        os.fstat(f.fileno())
    assert len(head) == min(4096, s.st_size), path
    return len(head)
entries = []
for dir, _, _ in os.walk(sys.argv[1]):
    for name in (".hidden", ".directory", "desktop.ini", ".git", "Thumbs.db", ".xdg-volume-info"):
        assert not os.path.exists(os.path.join(dir, name))
    entries += [e.path for e in os.scandir(dir)]
    os.statvfs(dir)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(len(entries), sum(pool.map(look, entries)))
`

// day is somebody's day with a mount, looking for what was lost.
type day struct {
	*testing.T
	dir, src, archive string
	mnt               string
	bands             []string // the two of the morning
	home              string   // src in the latest band
}

func TestADayInTheLife(t *testing.T) {
	for _, tool := range []string{"python3", "rsync"} {
		need(t, tool)
	}
	d := &day{T: t, dir: scratch(t)}
	d.src = filepath.Join(d.dir, "home")
	shell(t, d.dir, "mkdir home && cp -a /usr/local/go/src/net /usr/local/go/src/os home/ && ln home/net/dial.go home/os/dial.go && ln -s net/http home/web && "+
		"find home -exec touch -h -d '2026-01-01 00:00:00.5' {} + && touch -d 2026-02-01 reference")
	d.archive = backedUp(t, d.src)
	shell(t, d.src, "echo '// FINDME' >>net/ip.go && rm os/env.go && mv net/http/fs.go net/http/files.go && touch -d 2026-03-01 net/ip.go")
	dura(t, "backup", d.archive, d.src)
	d.mnt = mount(t, d.archive, "")
	d.looksAround()
	d.findsWhatChanged()
	d.copiesOut()
	d.browses()
	d.isBackedUpMeanwhile()
	if status := shell(t, d.mnt, "cat .dura/status.json"); !strings.Contains(status, `"alarms": 0,`) || strings.Count(status, `"complete"`) != 3 {
		t.Errorf("in the evening the status is %s", status)
	}
}

func (d *day) looksAround() {
	names := lines(shell(d, d.mnt, "ls"))
	if len(names) != 3 || names[2] != "latest" {
		d.Fatalf("the mount shows %q", names)
	}
	d.bands, d.home = names[:2], d.mnt+"/latest"+d.src
	if got := shell(d, d.mnt, "readlink latest"); got != names[1]+"\n" {
		d.Errorf("latest leads to %s", got)
	}
	for _, name := range d.bands {
		if got, want := shell(d, d.mnt, "TZ=UTC date -r "+name+" +%Y-%m-%d-%H%M%S"), name[:len("2026-11-23-101500")]+"\n"; got != want {
			d.Errorf("%s has the time %s", name, got)
		}
	}
}

func (d *day) findsWhatChanged() {
	if got := shell(d, d.home, "find . -type f -newer "+d.dir+"/reference"); got != "./net/ip.go\n" {
		d.Errorf("find -newer prints %q", got)
	}
	if got := shell(d, d.home, "grep -rl FINDME ."); got != "./net/ip.go\n" {
		d.Errorf("grep -r prints %q", got)
	}
	const grep = "grep -rc 'func ' . | sort"
	if shell(d, d.home, grep) != shell(d, d.src, grep) {
		d.Error("grep -r finds something else in the source")
	}
	first, second := d.bands[0]+d.src, d.bands[1]+d.src
	diff := exec.Command("diff", "-rq", "--no-dereference", first, second)
	diff.Dir = d.mnt
	got := lines(run(d, diff).stdout)
	want := []string{
		fmt.Sprintf("Files %s/net/ip.go and %s/net/ip.go differ", first, second), fmt.Sprintf("Only in %s/net/http: files.go", second),
		fmt.Sprintf("Only in %s/net/http: fs.go", first), fmt.Sprintf("Only in %s/os: env.go", first),
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		d.Errorf("diff -r prints %q", got)
	}
}

func (d *day) copiesOut() {
	shell(d, d.dir, "cp -a "+d.home+" copied && cp "+d.mnt+"/"+d.bands[0]+d.src+"/os/env.go found")
	sameByRsync(d.T, d.src, filepath.Join(d.dir, "copied"))
	same(d.T, d.src, filepath.Join(d.dir, "copied"))
	shell(d, d.dir, "cmp found /usr/local/go/src/os/env.go")
}

func (d *day) browses() {
	want := shell(d, d.src, "find . -mindepth 1 -printf '%y %s\n' | awk '{n++} $1==\"f\"{b+=($2<4096?$2:4096)} END{print n, b}'")
	for range 2 {
		if seen := shell(d, d.mnt, "python3 -I -c "+quoted(fileManager)+" "+d.home); seen != want {
			d.Errorf("the file manager saw %s, want %s", seen, want)
		}
	}
}

// isBackedUpMeanwhile completes a backup while somebody reads an older one.
func (d *day) isBackedUpMeanwhile() {
	reader := exec.Command("sh", "-c", "exec 3<os/file.go; echo here; read go; cat <&3; cat ../home/net/ip.go")
	reader.Dir = d.home
	in, err := reader.StdinPipe()
	if err != nil {
		d.Fatal(err)
	}
	out, err := reader.StdoutPipe()
	if err != nil {
		d.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		d.Fatal(err)
	}
	said := bufio.NewReader(out)
	if line, err := said.ReadString('\n'); line != "here\n" {
		d.Fatal(line, err)
	}
	old := shell(d, d.src, "cat os/file.go net/ip.go")
	shell(d, d.src, "echo new >net/new && echo changed >net/ip.go && echo gone >os/file.go")
	dura(d, "backup", d.archive, d.src)
	d.waitForANewBand()
	sameByDiff(d.T, d.src, d.home)
	if _, err := in.Write([]byte("go\n")); err != nil {
		d.Fatal(err)
	}
	in.Close()
	got, err := io.ReadAll(said)
	if err := errors.Join(err, reader.Wait()); err != nil || string(got) != old {
		d.Errorf("who was in the older band reads something else there now: %d bytes, want %d, %v", len(got), len(old), err)
	}
}

func (d *day) waitForANewBand() {
	deadline := time.Now().Add(10 * time.Second)
	for shell(d, d.mnt, "ls | wc -l") != "4\n" || shell(d, d.mnt, "readlink latest") == d.bands[1]+"\n" {
		if time.Now().After(deadline) {
			d.Fatalf("the new band is not shown: %s", shell(d, d.mnt, "ls -l"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
