package file

import (
	"context"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// pieceBytes is how much is read or written between two looks at the context.
const pieceBytes = 4 << 20

// Read implements storage.Storage.
func (s *Storage) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	var buf []byte
	n, err := s.read(ctx, name, offset, maxBytes, func(bytes int) []byte {
		buf = make([]byte, bytes)
		return buf
	})
	if err != nil || n == 0 {
		return nil, err
	}
	return buf[:n], nil
}

// ReadInto implements storage.IntoReader.
func (s *Storage) ReadInto(ctx context.Context, name string, offset int64, buf []byte) (int, error) {
	return s.read(ctx, name, offset, len(buf), func(bytes int) []byte { return buf[:bytes] })
}

// read reads a range of an object into the memory that into gives for as many bytes as there are.
func (s *Storage) read(ctx context.Context, name string, offset int64, maxBytes int, into func(bytes int) []byte) (int, error) {
	if err := storage.CheckRead(ctx, name, offset, maxBytes); err != nil {
		return 0, err
	}
	folder, base := split(name)
	dir, err := s.openFolder(folder, false)
	if err != nil {
		return 0, failure(storage.OpRead, name, err)
	}
	defer unix.Close(dir)
	st, err := inspect(dir, base)
	if err != nil {
		return 0, failure(storage.OpRead, name, s.failed("stat", name, err))
	}
	wanted := min(st.Size-offset, int64(maxBytes))
	if wanted <= 0 {
		return 0, nil
	}
	// Not blocking, in case a fifo has taken the object's place since.
	const flags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := retry(func() (int, error) { return unix.Openat(dir, base, flags, 0) })
	if err != nil {
		return 0, failure(storage.OpRead, name, s.failed("open", name, err))
	}
	defer unix.Close(fd)
	n, err := readAt(ctx, fd, into(int(wanted)), offset)
	if err != nil {
		return 0, failure(storage.OpRead, name, s.failed("read", name, err))
	}
	return n, nil
}

// readAt fills buf from offset on, as far as the file goes.
func readAt(ctx context.Context, fd int, buf []byte, offset int64) (int, error) {
	done := 0
	for done < len(buf) {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		piece := buf[done:min(len(buf), done+pieceBytes)]
		n, err := retry(func() (int, error) { return unix.Pread(fd, piece, offset+int64(done)) })
		if err != nil {
			return done, err
		}
		if n == 0 {
			break
		}
		done += n
	}
	return done, nil
}

// Stat implements storage.Storage.
func (s *Storage) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := storage.Check(ctx, storage.OpStat, name); err != nil {
		return storage.Info{}, err
	}
	folder, base := split(name)
	dir, err := s.openFolder(folder, false)
	if err != nil {
		return storage.Info{}, failure(storage.OpStat, name, err)
	}
	defer unix.Close(dir)
	st, err := inspect(dir, base)
	if err != nil {
		return storage.Info{}, failure(storage.OpStat, name, s.failed("stat", name, err))
	}
	return storage.Info{Name: name, SizeBytes: st.Size}, nil
}
