package restore

import "dura/archive/format"

// A batch ends at a new frame once it has minBatchBytes of content, so that most frames are met by one worker alone, and
// ahead of one with which its frames would take up more than maxBatchRawBytes, which are fetched ahead of the worker.
const (
	maxBatchItems    = 256
	maxBatchDirs     = 16 // they are held open until it is done
	minBatchBytes    = 256 << 10
	maxBatchRawBytes = 2 << 20
)

// batch is a run of entries for one worker.
type batch struct {
	items    []item
	dirs     []*dir        // of the items
	bytes    int64         // of content
	frame    *format.Frame // the last one
	rawBytes int64         // of the frames
}

// item is one thing to do in a directory: make what isn't a directory, or finish one that has nothing in it.
type item struct {
	dir   *dir
	entry *format.Entry
	name  string
	role  role
	made  bool // Directory: by this run
}

// full reports whether the batch must end ahead of an item in d.
func (b *batch) full(d *dir, frame *format.Frame) bool {
	if len(b.items) == 0 {
		return false
	}
	if len(b.items) == maxBatchItems || len(b.dirs) == maxBatchDirs && b.dirs[maxBatchDirs-1] != d {
		return true
	}
	return frame != nil && !sameFrame(frame, b.frame) &&
		(b.bytes >= minBatchBytes || b.rawBytes > 0 && b.rawBytes+int64(frame.RawBytes) > maxBatchRawBytes)
}

func (b *batch) add(it item, frame *format.Frame) {
	if n := len(b.dirs); n == 0 || b.dirs[n-1] != it.dir {
		it.dir.use()
		b.dirs = append(b.dirs, it.dir)
	}
	b.items = append(b.items, it)
	if frame == nil {
		return
	}
	b.bytes += it.entry.Size
	if !sameFrame(frame, b.frame) {
		b.frame = frame
		b.rawBytes += int64(frame.RawBytes)
	}
}

// ahead are the entries whose content is to be fetched ahead: those in one frame each, where the frames are not too large.
func (b *batch) ahead() []*format.Entry {
	if b.rawBytes > maxBatchRawBytes {
		return nil
	}
	var files []*format.Entry
	for i := range b.items {
		if e := b.items[i].entry; e.Kind == format.File && e.Size > 0 && isSmall(e) && b.items[i].role != follower {
			files = append(files, e)
		}
	}
	return files
}

// release gives the directories back.
func (b *batch) release() error {
	var first error
	for _, d := range b.dirs {
		if err := d.release(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func firstFrame(e *format.Entry) *format.Frame {
	if e.Kind != format.File || len(e.Spans) == 0 {
		return nil
	}
	return e.Spans[0].Frame
}

// sameFrame compares by place: each hunk has frames of its own.
func sameFrame(a, b *format.Frame) bool {
	if a == b {
		return true
	}
	return a != nil && b != nil && a.Offset == b.Offset && a.Block.Number == b.Block.Number && a.Block.Band == b.Block.Band
}
