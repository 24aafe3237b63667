package source

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// lister gives the names in one directory after another, sorted; each name once, whatever the system says.
type lister struct {
	buf        []byte // for records of directories
	list       names
	spill      spill
	runs       []run
	limitBytes int64

	at      int    // in list, where all is in memory
	merge   *merge // where it is not
	current []byte // the name given last
	started bool
	sawTag  bool // CACHEDIR.TAG
	tooLong bool // a name that no system call takes
	broken  bool // a record that can't be parsed
}

// direntBytes is how much of a directory is read at a time.
const direntBytes = 64 << 10

// read reads the directory at fd. After an error the names up to there are given. fatal: the names can't be kept.
func (l *lister) read(fd int) (err, fatal error) {
	if l.buf == nil {
		l.buf = make([]byte, direntBytes)
	}
	l.list.truncate(0, 0)
	l.runs, l.spill.end = l.runs[:0], 0
	l.at, l.merge, l.started, l.sawTag, l.tooLong, l.broken = 0, nil, false, false, false, false
	for {
		n, err := readDirent(fd, l.buf)
		if err != nil || n == 0 {
			return err, l.sorted()
		}
		if fatal := l.take(l.buf[:n]); fatal != nil {
			return nil, fatal
		}
	}
}

// take takes the names from some records.
func (l *lister) take(records []byte) error {
	for len(records) > 0 {
		var name []byte
		var typ uint8
		if name, typ, records = dirent(records); records == nil {
			l.broken = true
			return nil
		}
		if len(name) == 0 {
			continue
		}
		if len(name) > maxNameBytes {
			l.tooLong = true
			continue
		}
		l.sawTag = l.sawTag || string(name) == cacheTagName
		if l.list.sizeBytes() >= l.limitBytes {
			if err := l.spillList(); err != nil {
				return err
			}
		}
		l.list.add(name, typ)
	}
	return nil
}

func (l *lister) spillList() error {
	l.list.sort()
	r, err := l.spill.write(&l.list, 0, len(l.list.refs))
	if err != nil {
		return err
	}
	l.runs = append(l.runs, r)
	l.list.truncate(0, 0)
	return nil
}

// sorted makes ready for next.
func (l *lister) sorted() (err error) {
	l.list.sort()
	if len(l.runs) > 0 {
		l.merge, err = newMerge(&l.list, &l.spill, l.runs, l.limitBytes/8)
	}
	return err
}

// only leaves one name of all.
func (l *lister) only(name string) {
	l.list.truncate(0, 0)
	l.list.add([]byte(name), unix.DT_UNKNOWN)
	l.runs, l.merge = l.runs[:0], nil
}

// next gives the next name; it is good until the call after that.
func (l *lister) next() (name []byte, typ uint8, more bool, err error) {
	for {
		if l.merge == nil {
			if more = l.at < len(l.list.refs); more {
				name, typ = l.list.at(l.at), l.list.refs[l.at].typ
				l.at++
			}
		} else {
			name, typ, more, err = l.merge.next(nil)
		}
		if err != nil || !more {
			return nil, 0, false, err
		}
		if !l.started || !bytes.Equal(name, l.current) {
			l.current, l.started = name, true
			return name, typ, true, nil
		}
	}
}
