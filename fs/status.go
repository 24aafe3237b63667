package fs

import (
	"context"
	"encoding/json"
	"iter"
	"sync"
	"syscall"
	"time"

	"dura/archive/format"
	"dura/cache"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	statusName    = "status.json"
	maxStatuses   = 8 // that are kept: somebody may still be reading an older one
	statusOffset  = firstOffset
	statusVersion = 1
)

// Status is what .dura/status.json tells.
type Status struct {
	Version  int          `json:"version"`
	Archive  string       `json:"archive"` // its id
	Since    time.Time    `json:"since"`
	Listed   time.Time    `json:"bands_listed"` // how old the list of bands is
	Bands    []BandStatus `json:"bands"`
	Frames   cache.Stats  `json:"frame_cache"`
	Index    cache.Stats  `json:"index_cache"`
	Requests Requests     `json:"requests"`
	Alarms   int64        `json:"alarms"`
	Storage  any          `json:"storage,omitempty"` // what Options.Storage says
}

// BandStatus is the state of one band.
type BandStatus struct {
	ID    format.BandID `json:"id"`
	State string        `json:"state"` // complete or incomplete
	Open  bool          `json:"open"`
	Host  string        `json:"host,omitempty"` // as far as it is known
}

// Status says how the mount is.
func (f *FileSystem) Status() Status {
	frames, index := f.archive.CacheStats()
	s := Status{
		Version: statusVersion, Archive: f.archive.Head().ID, Since: f.since, Listed: f.bands.age(), Frames: frames, Index: index,
		Requests: f.Requests(), Alarms: f.alarms.raisedSoFar(),
	}
	if f.options.Storage != nil {
		s.Storage = f.options.Storage()
	}
	for _, b := range f.bands.view().bands {
		one := BandStatus{ID: b.state.ID, State: stateName(b.state.Complete)}
		one.Host, _ = f.hosts.host(b)
		if b.slot != nil {
			one.Open = f.opened.Contains(b.slot.number)
		}
		s.Bands = append(s.Bands, one)
	}
	return s
}

func stateName(complete bool) string {
	if complete {
		return "complete"
	}
	return "incomplete"
}

// statuses are the last few statuses that somebody saw: what a file holds does not change while it is read.
type statuses struct {
	mu   sync.Mutex
	next int
	last [maxStatuses]*statusText
}

type statusText struct {
	number int
	text   []byte
	at     time.Time
}

// take makes a new one, unless the last is as good.
func (s *statuses) take(now time.Time, refresh time.Duration, of func() Status) (*statusText, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.last[(s.next+maxStatuses-1)%maxStatuses]; last != nil && now.Sub(last.at) < refresh {
		return last, nil
	}
	text, err := json.MarshalIndent(of(), "", "  ")
	if err != nil {
		return nil, err
	}
	t := &statusText{s.next, append(text, '\n'), now}
	s.last[s.next%maxStatuses] = t
	s.next++
	return t, nil
}

func (s *statuses) at(number int) *statusText {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.last[number%maxStatuses]; t != nil && t.number == number {
		return t
	}
	return nil
}

// hidden is .dura.
type hidden struct{ fixedDir }

func (d hidden) status() (child, error) {
	t, err := d.f.status.take(d.f.options.Now(), d.f.options.Refresh, d.f.Status)
	if err != nil {
		return child{}, err
	}
	s := statusFile{d.f, t}
	return child{name: statusName, id: s.id(), offset: statusOffset, attr: s.made(), lifetime: d.f.options.Refresh}, nil
}

func (d hidden) lookup(_ context.Context, name string) (child, error) {
	if name != statusName {
		return child{}, syscall.ENOENT
	}
	return d.status()
}

func (d hidden) list(_ context.Context, offset uint64) iter.Seq2[child, error] {
	return func(yield func(child, error) bool) {
		if offset < statusOffset {
			yield(d.status())
		}
	}
}

// statusFile is status.json as of one moment. Another moment is another node.
type statusFile struct {
	f      *FileSystem
	status *statusText
}

func (s statusFile) id() nodeID { return madeNode(statusClass, s.status.number) }

func (s statusFile) made() fuse.Attr {
	a := madeAttr(s.id(), fuse.S_IFREG|0o444, s.f.options.Mounter, s.status.at)
	a.Size, a.Blocks = uint64(len(s.status.text)), units(int64(len(s.status.text)))
	return a
}

func (s statusFile) attr(context.Context) (fuse.Attr, time.Duration, error) {
	return s.made(), s.f.options.Refresh, nil
}

func (s statusFile) read(_ context.Context, off int64, bytes int) (fuse.ReadResult, error) {
	size := int64(len(s.status.text))
	off = min(off, size)
	return fuse.ReadResultData(s.status.text[off:min(off+int64(bytes), size)]), nil
}

func (s statusFile) nextData(_ context.Context, off int64) (start, end int64, err error) {
	size := int64(len(s.status.text))
	return min(off, size), size, nil
}
