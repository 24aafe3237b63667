package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dura/archive/format"
	"dura/archive/storage"
)

// place is the machine that stores: what there is of each object. Only the scheduler touches it.
type place struct {
	quirks
	objects map[string]*object // by name, folded where names are
	broken  []string           // what should never have happened
}

// quirks are what storages may do, and some that none may.
type quirks struct {
	folds      bool // names that differ in case alone are the same
	volatile   bool // what was not acknowledged may be lost in a crash, though it could be seen
	forgetful  bool // planted: so may what was
	overwrites bool // planted: a second create replaces what the first stored
}

// object is one object.
type object struct {
	name    string
	data    []byte
	sum     format.Hash
	listed  int64 // the moment from which on listings show it
	durable bool
}

func newPlace(q quirks) *place { return &place{quirks: q, objects: map[string]*object{}} }

func (p *place) key(name string) string {
	if p.folds {
		return strings.ToLower(name)
	}
	return name
}

// find is the object called name; nil if there is none.
func (p *place) find(name string) *object { return p.objects[p.key(name)] }

// create stores an object, which listings show from a moment on.
func (p *place) create(name string, data []byte, listed int64) error {
	old := p.find(name)
	if old != nil && old.name != name {
		p.broken = append(p.broken, fmt.Sprintf("%s and %s are the same where case is ignored", name, old.name))
	}
	if old != nil && !p.overwrites {
		return &storage.Error{Op: storage.OpCreate, Object: name, Kind: storage.KindExists}
	}
	if old != nil && !bytes.Equal(old.data, data) {
		p.broken = append(p.broken, fmt.Sprintf("%s was overwritten with something else", name))
	}
	p.objects[p.key(name)] = &object{name: name, data: data, sum: format.SumBytes(data), listed: listed, durable: !p.volatile}
	return nil
}

// acknowledge makes sure that an object outlasts a crash, as whoever hears of it may trust.
func (p *place) acknowledge(name string) {
	if o := p.find(name); o != nil && !p.forgetful {
		o.durable = true
	}
}

// settle makes everything durable.
func (p *place) settle() {
	for _, o := range p.objects {
		o.durable = true
	}
}

// crash loses each object that is not durable, if lost says so.
func (p *place) crash(lost func() bool) (names []string) {
	for _, key := range slices.Sorted(maps.Keys(p.objects)) {
		o := p.objects[key]
		if !o.durable && lost() {
			delete(p.objects, key)
			names = append(names, o.name)
		}
		o.durable = true
	}
	return names
}

// list is what a listing of this prefix shows at a moment, in order.
func (p *place) list(prefix string, depth storage.Depth, moment int64) (found []storage.Info) {
	for _, o := range p.objects {
		rest, ok := strings.CutPrefix(o.name, prefix)
		if ok && o.listed <= moment && (depth == storage.Deep || !strings.Contains(rest, "/")) {
			found = append(found, storage.Info{Name: o.name, SizeBytes: int64(len(o.data))})
		}
	}
	slices.SortFunc(found, func(a, b storage.Info) int { return strings.Compare(a.Name, b.Name) })
	return found
}
