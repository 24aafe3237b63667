package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/s3test"
	"dura/archive/storage/cloud/store"
	"dura/archive/storage/file"
	"dura/writer"
	"dura/writer/source"
)

// userID is who dura-mount-as-user is where the tests run as root.
const userID = 65534

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"dura-mount":            main,
		"mount.fuse.dura-mount": main, // as mount(8) calls it
		"dura-mount-as-user": func() {
			becomeUser()
			main()
		},
		"as-user": func() {
			becomeUser()
			path, err := exec.LookPath(os.Args[1])
			if err == nil {
				err = syscall.Exec(path, os.Args[1:], os.Environ())
			}
			fmt.Fprintln(os.Stderr, err)
			os.Exit(99)
		},
		"backup": func() {
			if err := backup(context.Background(), os.Args[1], os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

// becomeUser gives up root's powers; a normal user has none.
func becomeUser() {
	if os.Getuid() != 0 {
		return
	}
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(userID), syscall.Setuid(userID)} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "becoming a user:", err)
			os.Exit(99)
		}
	}
}

// backup stores trees in a new band of an archive, which it makes if need be. Its id goes to standard output.
func backup(ctx context.Context, place string, roots []string) error {
	st, err := openPlace(ctx, place)
	if err != nil {
		return err
	}
	defer st.Close()
	a, err := archive.Open(ctx, st, archive.Options{})
	if archive.Is(err, archive.KindNotAnArchive) {
		if err := archive.Create(ctx, st, archive.CreateOptions{ID: "0123456789abcdef0123456789abcdef", Now: time.Now()}); err != nil {
			return err
		}
		a, err = archive.Open(ctx, st, archive.Options{})
	}
	if err != nil {
		return err
	}
	defer a.Close()
	alarms, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		return err
	}
	src, err := source.Local(roots, source.Options{Alarms: alarms})
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	result, err := writer.Backup(ctx, a, src, writer.Options{
		Now: time.Now, Random: bytes.NewReader([]byte{1, 2, 3}), Host: host, Program: "test", Sources: roots, Alarms: alarms,
	})
	if err == nil {
		fmt.Println(result.Band)
	}
	return err
}

func openPlace(ctx context.Context, word string) (interface {
	storage.Storage
	io.Closer
}, error) {
	if p, err := cloud.Parse(word); err == nil {
		return store.Create(ctx, p, store.Options{})
	}
	return file.Create(word, file.Options{})
}

// cmdS3 runs an object store in this process, sets S3 to an archive in it, and builds bin/dura, which can open that: s3
func cmdS3(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: s3")
	}
	server, err := s3test.New(context.Background())
	ts.Check(err)
	ts.Defer(server.Close)
	for name, value := range s3test.Environment() {
		ts.Setenv(name, value)
	}
	ts.Setenv("S3", server.Archive("some/archive"))
	out, err := exec.Command("go", "build", "-o", filepath.Join(ts.MkAbs("bin"), "dura"), "../dura").CombinedOutput()
	if err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
}

// needAll fails on CI where anything is missing without which scripts are skipped.
func needAll(t *testing.T) {
	t.Helper()
	if os.Getenv("CI") == "" {
		return
	}
	for _, program := range []string{"fusermount3", "mount.fuse3", "unshare", "findmnt"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Error(err)
		}
	}
	if !mayMount() {
		t.Error("CI must run this as root, with /dev/fuse")
	}
}

func mayMount() bool { return os.Getuid() == 0 && unix.Access("/dev/fuse", unix.R_OK|unix.W_OK) == nil }

func TestScripts(t *testing.T) {
	needAll(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Defer(func() { unmountAll(t, e.WorkDir) })
			programs := filepath.SplitList(e.Getenv("PATH"))[0]
			for _, dir := range []string{filepath.Dir(e.WorkDir), programs, filepath.Dir(programs)} {
				if err := os.Chmod(dir, 0o711); err != nil { // for the user
					return err
				}
			}
			e.Setenv("PROGRAMS", programs)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": cmdStatus, "damage": cmdDamage, "eventually": cmdEventually, "signal": cmdSignal, "own": cmdOwn,
			"listen": cmdListen, "s3": cmdS3,
		},
		Condition: func(condition string) (bool, error) {
			switch condition {
			case "root":
				return os.Getuid() == 0, nil
			case "mounts":
				return mayMount(), nil
			}
			return false, fmt.Errorf("there is no condition %q", condition)
		},
	})
}

// unmountAll takes away what a script left mounted, and says so.
func unmountAll(t *testing.T, dir string) {
	mountpoints, err := mountpointsBelow(dir)
	if err != nil {
		t.Error(err)
	}
	for _, mountpoint := range mountpoints {
		t.Errorf("left mounted: %s", mountpoint)
		if err := unix.Unmount(mountpoint, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}
}

func mountpointsBelow(dir string) ([]string, error) {
	list, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range bytes.Lines(list) {
		if fields := bytes.Fields(line); len(fields) > 1 && bytes.HasPrefix(fields[1], []byte(dir+"/")) {
			found = append(found, string(fields[1]))
		}
	}
	return found, nil
}

// cmdStatus runs a command that must end with a given status: status 3 dura-mount a m
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: status NUMBER COMMAND")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
}

// cmdDamage overwrites a part of each object of a kind: damage a block
func cmdDamage(ts *testscript.TestScript, _ bool, args []string) {
	pattern := map[string]string{
		"block": "bands/*/data/*/*", "hunk": "bands/*/index/*/*.hunk.zst", "tail": "bands/*.tail", "archive": format.ArchiveName,
	}[args[1]]
	names, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), pattern))
	ts.Check(err)
	if pattern == "" || len(names) == 0 {
		ts.Fatalf("no %s to damage", args[1])
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		ts.Check(err)
		copy(content[len(content)/8:], "damage")
		ts.Check(os.WriteFile(name, content, 0o600))
	}
}

// cmdEventually tries a command until it succeeds: eventually test -e FILE
func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		c := exec.Command(args[0], args[1:]...)
		c.Dir = ts.MkAbs(".")
		if err := c.Run(); (err == nil) != neg {
			return
		}
	}
	ts.Fatalf("it did not happen: %q", args)
}

// cmdSignal sends a signal to the server of a mount: signal TERM MOUNTPOINT
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
	mountpoint := ts.MkAbs(args[1])
	processes, err := filepath.Glob("/proc/[0-9]*")
	ts.Check(err)
	for _, process := range processes {
		words, err := os.ReadFile(filepath.Join(process, "cmdline"))
		program, _, _ := bytes.Cut(words, []byte{0})
		if err != nil || !bytes.HasPrefix([]byte(filepath.Base(string(program))), []byte("dura")) || !bytes.Contains(words, []byte("\x00"+mountpoint+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(process))
		ts.Check(err)
		ts.Check(syscall.Kill(pid, signals[args[0]]))
		return
	}
	ts.Fatalf("nobody serves %s", mountpoint)
}

// cmdOwn gives files to the user.
func cmdOwn(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(filepath.Walk(ts.MkAbs(name), func(path string, _ os.FileInfo, err error) error {
			return errors.Join(err, os.Lchown(path, userID, userID))
		}))
	}
}

// cmdListen takes messages on a socket of the unixgram kind until the script ends, and writes them to a file: listen SOCKET FILE
func cmdListen(ts *testscript.TestScript, _ bool, args []string) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: ts.MkAbs(args[0]), Net: "unixgram"})
	ts.Check(err)
	file, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<16)
		for {
			n, err := socket.Read(buf)
			if err != nil {
				return
			}
			fmt.Fprintf(file, "%s\n", buf[:n])
		}
	}()
	ts.Defer(func() {
		socket.Close()
		<-done
		file.Close()
	})
}
