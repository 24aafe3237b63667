package restore

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// batchesAhead is how many batches wait for a worker at the most.
const batchesAhead = 8

// run is one restore.
type run struct {
	o        Options
	band     *archive.Band
	dest     string
	top      *dir // of dest
	topEmpty bool // when it was opened
	sel      *selection
	token    string // of this run's temporary names
	links    *linkTable
	owners   owners
	self     [2]uint32 // the user and group that new files belong to
	expect   event.Totals
	count    counter

	unnamed     bool        // files are made without a name
	noDirect    atomic.Bool // naming them takes the way through /proc
	chownDenied atomic.Bool // the system gives nothing away for this user
	ended       atomic.Bool // on an error: what is still to be tidied up raises no alarms
}

type counter struct{ entries, files, contentBytes, alarms, left, passed, removed atomic.Int64 }

func (c *counter) totals() event.Totals {
	return event.Totals{
		Entries: c.entries.Load(), Files: c.files.Load(), ContentBytes: c.contentBytes.Load(), Alarms: c.alarms.Load(),
	}
}

func newRun(ctx context.Context, b *archive.Band, dest string, o Options) (*run, error) {
	var random [8]byte
	if _, err := io.ReadFull(o.Random, random[:]); err != nil {
		return nil, fmt.Errorf("random bytes for temporary names: %w", err)
	}
	s, err := newSelection(ctx, b, o)
	if err != nil {
		return nil, err
	}
	r := &run{
		o: o, band: b, dest: dest, sel: s, token: hex.EncodeToString(random[:]), links: newLinkTable(o.MaxLinkGroups),
		owners: owners{lookup: o.Owner}, self: [2]uint32{uint32(os.Geteuid()), uint32(os.Getegid())},
	}
	if o.NoOwner {
		r.owners.lookup = func(format.Owner) (uid, gid uint32) { return r.self[0], r.self[1] }
	}
	if !s.partial {
		t := b.Tail().Totals
		r.expect = event.Totals{Entries: t.Entries, Files: t.Files, ContentBytes: t.ContentBytes}
	}
	if r.top, err = r.openDest(); err != nil {
		return nil, err
	}
	r.unnamed = !o.DryRun && unnamedFiles(r.top.fd)
	return r, nil
}

func (r *run) result() Result {
	return Result{
		Totals: r.count.totals(), Left: r.count.left.Load(), Passed: r.count.passed.Load(), Removed: r.count.removed.Load(),
	}
}

// restore runs the walker and the workers.
func (r *run) restore(ctx context.Context) error {
	if r.sel.damage != nil {
		if err := r.unreadable(ctx, r.sel.damage); err != nil {
			r.top.release()
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, r.links.wake)
	defer stop()
	batches := make(chan *batch, batchesAhead)
	r.top.use() // the workers find links from there
	g.Go(func() error {
		defer close(batches)
		return r.end(newWalker(ctx, r, batches).walk())
	})
	for i := range r.o.Workers {
		g.Go(func() error { return r.end(newWorker(ctx, r, i).work(batches)) })
	}
	err := g.Wait()
	for b := range batches {
		b.release()
	}
	if e := r.top.release(); err == nil {
		err = e
	}
	return err
}

// end notes that the run ends with err.
func (r *run) end(err error) error {
	if err != nil {
		r.ended.Store(true)
	}
	return err
}

func (r *run) raise(a alarm.Alarm) error {
	if r.ended.Load() {
		return nil
	}
	r.count.alarms.Add(1)
	return r.o.Alarms.Raise(a)
}

// local is the local name of p, for alarms.
func (r *run) local(p format.Path) string {
	if p == format.Root {
		return r.dest
	}
	return strings.TrimSuffix(r.dest, "/") + "/" + string(p)
}

// restored counts an entry.
func (r *run) restored(e *format.Entry, contentBytes int64) {
	r.count.entries.Add(1)
	if e.Kind == format.File {
		r.count.files.Add(1)
		r.count.contentBytes.Add(contentBytes)
	}
	r.o.Events.Send(event.EntryDone{Path: string(e.Path), ContentBytes: contentBytes})
}

// owners turns the owners of entries into numbers.
type owners struct {
	lookup func(format.Owner) (uid, gid uint32)
	mu     sync.Mutex
	known  map[format.Owner][2]uint32
}

// maxOwners bounds what is remembered.
const maxOwners = 4096

func (o *owners) numbers(owner format.Owner) (uid, gid uint32) {
	if o.lookup == nil {
		return owner.UID, owner.GID
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if ids, ok := o.known[owner]; ok {
		return ids[0], ids[1]
	}
	if o.known == nil || len(o.known) >= maxOwners {
		o.known = map[format.Owner][2]uint32{}
	}
	uid, gid = o.lookup(owner)
	o.known[owner] = [2]uint32{uid, gid}
	return uid, gid
}
