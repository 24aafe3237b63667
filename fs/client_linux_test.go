package fs_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

// clients are what test processes do with a mount.
var clients = map[string]func(args []string) error{
	"stat": statClient, "mutate": mutateClient, "seek": seekClient, "read": readClient, "ranges": rangesClient, "map": mapClient,
	"list": listClient, "seekdir": seekdirClient, "hold": holdClient, "testfs": testFSClient,
}

// testFSClient holds a directory to what testing/fstest says of file systems, and to what it must have.
func testFSClient(args []string) error { return fstest.TestFS(os.DirFS(args[0]), args[1:]...) }

// statClient prints what lstat tells of each argument, a line each.
func statClient(paths []string) error {
	for _, path := range paths {
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		target := ""
		if s.Mode&unix.S_IFMT == unix.S_IFLNK {
			target, _ = os.Readlink(path)
		}
		fmt.Printf("mode %o nlink %d uid %d gid %d size %d blocks %d rdev %d:%d mtime %d.%09d ctime %d.%09d target %q\n",
			s.Mode, s.Nlink, s.Uid, s.Gid, s.Size, s.Blocks, unix.Major(s.Rdev), unix.Minor(s.Rdev),
			s.Mtim.Sec, s.Mtim.Nsec, s.Ctim.Sec, s.Ctim.Nsec, target)
	}
	return nil
}

// mutateClient tries to change whatever can be changed, and prints each call that did anything but fail with EROFS.
func mutateClient(args []string) error {
	dir, file := args[0], args[1]
	newName := filepath.Join(dir, "new")
	for name, call := range map[string]func() error{
		"create":      func() error { return closed(unix.Open(newName, unix.O_CREAT|unix.O_WRONLY, 0o644)) },
		"tmpfile":     func() error { return closed(unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY, 0o644)) },
		"write":       func() error { return closed(unix.Open(file, unix.O_WRONLY, 0)) },
		"append":      func() error { return closed(unix.Open(file, unix.O_RDWR|unix.O_APPEND, 0)) },
		"truncate":    func() error { return unix.Truncate(file, 0) },
		"open trunc":  func() error { return closed(unix.Open(file, unix.O_RDONLY|unix.O_TRUNC, 0)) },
		"mkdir":       func() error { return unix.Mkdir(newName, 0o755) },
		"mknod":       func() error { return unix.Mknod(newName, unix.S_IFIFO|0o644, 0) },
		"symlink":     func() error { return unix.Symlink("x", newName) },
		"link":        func() error { return unix.Link(file, newName) },
		"rename":      func() error { return unix.Rename(file, newName) },
		"exchange":    func() error { return unix.Renameat2(0, file, 0, dir, unix.RENAME_EXCHANGE) },
		"unlink":      func() error { return unix.Unlink(file) },
		"rmdir":       func() error { return unix.Rmdir(dir) },
		"chmod":       func() error { return unix.Chmod(file, 0o600) },
		"chown":       func() error { return unix.Lchown(file, 1, 1) },
		"utimes":      func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, file, make([]unix.Timespec, 2), 0) },
		"setxattr":    func() error { return unix.Lsetxattr(file, "user.x", []byte("x"), 0) },
		"removexattr": func() error { return unix.Lremovexattr(file, "user.x") },
		"setacl":      func() error { return unix.Lsetxattr(file, "system.posix_acl_access", []byte{2, 0, 0, 0}, 0) },
		"access":      func() error { return unix.Access(file, unix.W_OK) },
	} {
		if err := call(); !errors.Is(err, unix.EROFS) {
			fmt.Printf("%s: %v\n", name, err)
		}
	}
	return nil
}

func closed(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// seekClient prints the runs of data in a file.
func seekClient(args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	for off := int64(0); ; {
		start, err := unix.Seek(fd, off, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if err != nil {
			return err
		}
		if off, err = unix.Seek(fd, start, unix.SEEK_HOLE); err != nil {
			return err
		}
		fmt.Printf("%d-%d\n", start, off)
	}
}

// readClient writes a range of a file to standard output, read by calls of so many bytes: FILE START END BYTES. An error is
// printed as errno.
func readClient(args []string) error {
	numbers, err := parse(args[1:])
	if err != nil {
		return err
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	buf := make([]byte, numbers[2])
	for off := numbers[0]; off < numbers[1]; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), numbers[1]-off)], off)
		os.Stdout.Write(buf[:n])
		off += int64(n)
		var errno syscall.Errno
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &errno):
			fmt.Printf("errno %d", int(errno))
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// rangesClient does what readClient does for several ranges: FILE START END BYTES START END BYTES and so on.
func rangesClient(args []string) error {
	for i := 1; i+3 <= len(args); i += 3 {
		if err := readClient(append(args[:1:1], args[i:i+3]...)); err != nil {
			return err
		}
	}
	return nil
}

// mapClient writes a file to standard output through a mapping.
func mapClient(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(data)
	return err
}

// listClient prints the names in a directory with their types and inodes, in the order they come, and then the error.
func listClient(args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for {
		entries, err := getdents(fd, 4096)
		if err != nil {
			fmt.Fprintln(w, "error", err)
			return nil
		}
		if len(entries) == 0 {
			return nil
		}
		for _, e := range entries {
			fmt.Fprintf(w, "%s %d %d\n", strconv.Quote(e.name), e.kind, e.inode)
		}
	}
}

// seekdirClient lists a directory, then goes back to the offset behind many a name and looks whether the next name comes.
func seekdirClient(args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	var all []dirent
	for {
		entries, err := getdents(fd, 1<<16)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		all = append(all, entries...)
	}
	for i := len(all) - 2; i >= 0; i -= 1 + len(all)/200 {
		if _, err := unix.Seek(fd, all[i].offset, io.SeekStart); err != nil {
			return err
		}
		next, err := getdents(fd, 1<<10)
		if err != nil {
			return err
		}
		if len(next) == 0 || next[0] != all[i+1] {
			return fmt.Errorf("behind %q, at offset %d, comes %v and not %q", all[i].name, all[i].offset, next, all[i+1].name)
		}
	}
	fmt.Println(len(all))
	return nil
}

type dirent struct {
	name   string
	kind   byte
	inode  uint64
	offset int64
}

// getdents reads entries of an open directory, into a buffer of so many bytes.
func getdents(fd, bytes int) ([]dirent, error) {
	buf := make([]byte, bytes)
	n, err := unix.Getdents(fd, buf)
	var entries []dirent
	for rest := buf[:max(n, 0)]; len(rest) > 0; {
		record := int(rest[16]) | int(rest[17])<<8
		e := dirent{inode: le64(rest), offset: int64(le64(rest[8:])), kind: rest[18]}
		name := rest[19:record]
		for i, c := range name {
			if c == 0 {
				name = name[:i]
				break
			}
		}
		e.name = string(name)
		entries = append(entries, e)
		rest = rest[record:]
	}
	return entries, err
}

func le64(b []byte) uint64 {
	var v uint64
	for i := range 8 {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

// holdClient opens a file, says so, and holds it until its standard input ends; then it prints the content.
func holdClient(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, f)
	return err
}

func parse(args []string) ([]int64, error) {
	numbers := make([]int64, len(args))
	for i, arg := range args {
		var err error
		if numbers[i], err = strconv.ParseInt(arg, 10, 64); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}
