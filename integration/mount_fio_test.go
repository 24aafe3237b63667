package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fio has each block of its files hold a checksum of itself and where it belongs; it writes them to a local tree and checks
// them in the mount, read in every way that it knows.
func TestFioFindsInTheMountWhatItWrote(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	need(t, "fio")
	const jobs, fileBytes = 16, 2 << 20
	dir := scratch(t)
	src := filepath.Join(dir, "src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	fio := func(directory, args string) string {
		return shell(t, dir, fmt.Sprintf("fio --name=f --directory=%s --size=%d --bs=4k --verify=crc32c --verify_fatal=1 --verify_state_save=0 "+
			"--group_reporting --minimal %s 2>&1", quoted(directory), fileBytes, args))
	}
	fio(src, fmt.Sprintf("--rw=randwrite --do_verify=0 --ioengine=psync --numjobs=%d", jobs))
	shown := mountLatest(t, backedUp(t, src)) + src
	for _, engine := range []string{
		"--ioengine=psync", "--ioengine=psync --direct=1", "--ioengine=mmap", "--ioengine=libaio --iodepth=16", "--ioengine=libaio --iodepth=16 --direct=1",
	} {
		for _, n := range []int{1, jobs} {
			for _, rw := range []string{"read", "randread"} {
				out := fio(shown, fmt.Sprintf("--rw=%s --readonly --allow_file_create=0 --numjobs=%d %s", rw, n, engine))
				if strings.Contains(out, "verify:") || strings.Contains(out, "err=") {
					t.Errorf("fio %s %s, %d jobs:\n%.1000s", engine, rw, n, out)
				}
			}
		}
	}
	// It finds what is not as it was written.
	shell(t, src, "printf x | dd of=f.0.0 bs=1 seek=100000 conv=notrunc status=none")
	cmd := fmt.Sprintf("! fio --name=f --directory=%s --size=%d --bs=4k --rw=read --verify=crc32c --verify_state_save=0 --ioengine=psync >out 2>&1", src, fileBytes)
	shell(t, dir, cmd+"; grep -q 'verify' out")
}
