package fs

import (
	"context"
	"encoding/json"
	"iter"
	"sync"
	"syscall"
	"time"

	"dura/archive"
	"dura/archive/format"
	"dura/cache"
	"dura/cache/disk"

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
	Frames   CacheStatus  `json:"frame_cache"`
	Index    CacheStatus  `json:"index_cache"`
	Disk     *disk.Stats  `json:"disk_cache,omitempty"` // what the cache on disk did, if there is one
	Requests Requests     `json:"requests"`
	Alarms   int64        `json:"alarms"` // raised so far
	// LastAlarms are the last of them, up to 100, the newest last.
	LastAlarms []RaisedAlarm `json:"last_alarms"`
	Storage    any           `json:"storage,omitempty"` // what Options.Storage says
}

// CacheStatus is what a cache in memory did, and what it keeps: see cache.Stats.
type CacheStatus struct {
	Hits    int64 `json:"hits"`
	Misses  int64 `json:"misses"`
	Joined  int64 `json:"joined"`
	Evicted int64 `json:"evicted"`
	Values  int64 `json:"values"`
	Bytes   int64 `json:"bytes"`
}

func cacheStatus(s cache.Stats) CacheStatus {
	return CacheStatus{s.Hits, s.Misses, s.Joined, s.Evicted, s.Values, s.Bytes}
}

// BandStatus is the state of one band.
type BandStatus struct {
	ID    format.BandID `json:"id"`
	State string        `json:"state"` // complete, incomplete, or damaged: its tail can't be read, as far as that is known
	Open  bool          `json:"open"`
	Host  string        `json:"host,omitempty"` // as far as it is known
}

// Status says how the mount is.
func (f *FileSystem) Status() Status {
	frames, index := f.archive.CacheStats()
	s := Status{
		Version: statusVersion, Archive: f.archive.Head().ID, Since: f.since, Listed: f.bands.age(),
		Frames: cacheStatus(frames), Index: cacheStatus(index),
		Requests: f.Requests(), Bands: []BandStatus{},
	}
	if d, ok := f.archive.DiskStats(); ok {
		s.Disk = &d
	}
	s.Alarms, s.LastAlarms = f.alarms.raisedSoFar()
	if f.options.Storage != nil {
		s.Storage = f.options.Storage()
	}
	if f.isSingle() {
		s.Bands = append(s.Bands, f.bandStatus(f.bands.slot(0)))
	}
	for _, b := range f.bands.view().bands {
		one := BandStatus{ID: b.state.ID, State: stateIncomplete}
		if b.slot != nil {
			one = f.bandStatus(b.slot)
		}
		one.Host, _ = f.hosts.host(b)
		s.Bands = append(s.Bands, one)
	}
	return s
}

func (f *FileSystem) bandStatus(s *slot) BandStatus {
	opened, ok := f.opened.Peek(s.number)
	if !ok {
		opened = s.resident.Load()
	}
	return BandStatus{ID: s.id, State: stateOf(s, opened), Open: opened != nil}
}

// States of bands, for people and programs.
const (
	stateComplete   = "complete"
	stateIncomplete = "incomplete"
	stateDamaged    = "damaged" // it has a tail, and that can't be read
)

// stateOf is the state of a band; opened is nil if it is not open.
func stateOf(s *slot, opened *archive.Band) string {
	switch {
	case !s.state.Complete:
		return stateIncomplete
	case opened != nil && !opened.Complete():
		return stateDamaged
	}
	return stateComplete
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
