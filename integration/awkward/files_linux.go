package awkward

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const mib = 1 << 20

func sizes(d *dir) {
	r := d.random("sizes")
	is := feature(Sizes)
	for _, size := range []int{
		0, 1, 2, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 65535, 65536, 65537, mib - 1, mib, mib + 1,
		4*mib - 1, 4 * mib, 4*mib + 1, 9 * mib,
	} {
		d.file(fmt.Sprintf("random-%08d", size), randomBytes(r, size), is)
		d.file(fmt.Sprintf("text-%08d", size), textBytes(r, size), is)
	}
	small, large := textBytes(r, 10_000), randomBytes(r, 5*mib)
	d.file("same-small-1", small, is)
	d.file("same-small-2", small, is, mode(0o600))
	d.file("same-large-1", large, is)
	d.file("same-large-2", large, is, mode(0o600))
	d.file("same-large-shifted", append([]byte("one line more\n"), large...), is)
	d.file("same-large-shorter", large[:len(large)-1], is)
}

func nothing(*os.File) error { return nil }

// island is a run of data in a file that is hole elsewhere.
type island struct {
	at   int64
	data []byte
}

// sparseFile makes a file of size bytes with islands in it, and holds that the file system kept a hole.
func (d *dir) sparseFile(f Feature, name string, size int64, islands ...island) {
	d.fileBy(name, func(file *os.File) error {
		if err := file.Truncate(size); err != nil {
			return err
		}
		for _, i := range islands {
			if _, err := file.WriteAt(i.data, i.at); err != nil {
				return err
			}
		}
		return hasHole(file, size)
	}, feature(f))
}

// hasHole returns an error where the file system can't say that file has a hole.
func hasHole(file *os.File, size int64) error {
	hole, err := file.Seek(0, unix.SEEK_HOLE)
	if err == nil && hole >= size {
		return fmt.Errorf("no hole: %w", errBent)
	}
	return err
}

func sparseFiles(d *dir) {
	r := d.random("sparse")
	data := func(at int64, size int) island { return island{at, randomBytes(r, size)} }
	d.sparseFile(Sparse, "hole-start", 2*mib, data(mib, mib))
	d.sparseFile(Sparse, "hole-middle", 3*mib, data(0, mib), data(2*mib, mib))
	d.sparseFile(Sparse, "hole-end", 2*mib, data(0, mib))
	d.sparseFile(Sparse, "hole-one-block", 3*4096, data(0, 4096), data(2*4096, 4096))
	d.sparseFile(Sparse, "all-hole", mib)
	d.sparseFile(Sparse, "all-hole-odd-size", 1_234_567)
	d.sparseFile(Sparse, "all-hole-large", 30*mib)
	d.sparseFile(Sparse, "last-byte", 20*mib, data(20*mib-1, 1))
	d.sparseFile(Sparse, "first-byte", 20*mib, data(0, 1))
	d.sparseFile(Sparse, "unaligned", 20*mib, data(5*mib+1, 3), data(11*mib-1, 4098), data(20*mib-7, 7))
	d.sparseFile(Sparse, "large-data", 20*mib, data(mib, 5*mib), data(12*mib, 6*mib+1))
	var tiny []island
	for i := range int64(64) {
		tiny = append(tiny, data(i*mib/4, 1))
	}
	d.sparseFile(Sparse, "islands", 16*mib, tiny...)
	var alternate []island
	for i := range int64(200) {
		alternate = append(alternate, data(i*8192, 4096))
	}
	d.sparseFile(Sparse, "alternate-blocks", 200*8192, alternate...)

	d.file("zeros-written", make([]byte, 5*mib), feature(Sparse))
	d.file("zeros-between", append(append(randomBytes(r, 4096), make([]byte, mib)...), 'x'), feature(Sparse))
	d.fileBy("preallocated-beyond-end", func(f *os.File) error {
		if _, err := f.Write([]byte("short")); err != nil {
			return err
		}
		return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, mib)
	}, feature(Sparse))
	d.fileBy("punched", func(f *os.File) error {
		if _, err := f.Write(randomBytes(r, mib)); err != nil {
			return err
		}
		return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 64<<10, 128<<10)
	}, feature(Sparse))
}

func preallocated(d *dir) {
	is := feature(Preallocated)
	d.fileBy("all", func(f *os.File) error { return unix.Fallocate(int(f.Fd()), 0, 0, mib) }, is)
	d.fileBy("behind-data", func(f *os.File) error {
		if _, err := f.Write([]byte("short")); err != nil {
			return err
		}
		return unix.Fallocate(int(f.Fd()), 0, mib, mib)
	}, is)
}

func hugeSparse(d *dir) {
	r := d.random("huge-sparse")
	const tib = 1 << 40
	d.sparseFile(HugeSparse, "one-tebibyte", tib, island{0, randomBytes(r, 100)}, island{tib/2 + 12345, randomBytes(r, 5000)},
		island{tib - 1, []byte("x")})
}

func fifos(d *dir) {
	d.node("fifo", unix.S_IFIFO, 0)
	d.node("fifo-0600", unix.S_IFIFO, 0, mode(0o600))
}

func sockets(d *dir) {
	d.node("socket", unix.S_IFSOCK, 0)
	d.node("socket-0777", unix.S_IFSOCK, 0, mode(0o777))
}

func devices(d *dir) {
	for _, number := range [][2]uint32{{0, 0}, {1, 3}, {7, 0}, {255, 255}, {256, 256}, {4095, 1<<20 - 1}} {
		name := fmt.Sprintf("%d-%d", number[0], number[1])
		device := unix.Mkdev(number[0], number[1])
		d.node("char-"+name, unix.S_IFCHR, device, mode(0o660))
		d.node("block-"+name, unix.S_IFBLK, device, mode(0o600))
	}
}
