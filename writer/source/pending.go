package source

import "slices"

// pending is the subdirectories still to visit, of every directory from the root down to the current one: a stack with one
// level for each. What is beyond its limit goes to a spill.
type pending struct {
	list       names // of all levels, the deepest last
	levels     []level
	spill      spill
	limitBytes int64
}

type level struct {
	first, next int   // in list.refs: its names in memory, and those not yet taken
	offset      int   // of the first in list.bytes
	runs        []run // those not in memory, all behind those that are once it is filled
	filled      bool
}

// refillBytes is how much is read back at a time.
const refillBytes = 64 << 10

// push begins a level.
func (p *pending) push() {
	p.levels = append(p.levels, level{first: len(p.list.refs), next: len(p.list.refs), offset: len(p.list.bytes)})
}

func (p *pending) top() *level { return &p.levels[len(p.levels)-1] }

// add adds a name behind all others of the deepest level.
func (p *pending) add(name []byte) error {
	if p.list.sizeBytes() >= p.limitBytes {
		if err := p.spillAll(); err != nil {
			return err
		}
	}
	p.list.add(name, 0)
	return nil
}

// seal says that the deepest level has all its names.
func (p *pending) seal() error {
	if len(p.top().runs) > 0 { // what is in memory comes behind them
		if err := p.spillAll(); err != nil {
			return err
		}
	}
	p.top().filled = true
	return nil
}

// next takes the next name of the deepest level; it is good until the next call.
func (p *pending) next() (name []byte, more bool, err error) {
	top := p.top()
	if top.next == len(p.list.refs) {
		if len(top.runs) == 0 {
			return nil, false, nil
		}
		if err := p.refill(); err != nil {
			return nil, false, err
		}
	}
	top.next++
	return p.list.at(top.next - 1), true, nil
}

// pop ends the deepest level.
func (p *pending) pop() {
	top := p.top()
	p.list.truncate(top.first, top.offset)
	p.levels = p.levels[:len(p.levels)-1]
	if len(p.levels) == 0 {
		p.spill.end = 0
	}
}

// refill reads some names of the deepest level, which has none in memory.
func (p *pending) refill() error {
	top := p.top()
	p.list.truncate(top.first, top.offset)
	chunkBytes := min(refillBytes, p.limitBytes/4)
	if p.list.sizeBytes()+chunkBytes > p.limitBytes {
		top.next = len(p.list.refs)
		if err := p.spillAll(); err != nil {
			return err
		}
	}
	top.next = top.first
	if err := p.spill.read(&p.list, &top.runs[0], chunkBytes); err != nil {
		return err
	}
	if top.runs[0].offset == top.runs[0].end {
		top.runs = slices.Delete(top.runs, 0, 1)
	}
	return nil
}

// spillAll moves the names of all levels out of memory.
func (p *pending) spillAll() error {
	end := len(p.list.refs)
	for i := len(p.levels) - 1; i >= 0; i-- {
		l := &p.levels[i]
		first := l.first
		if err := p.spillLevel(l, end); err != nil {
			return err
		}
		end = first
	}
	p.list.truncate(0, 0)
	return nil
}

// spillLevel moves the names of l, which go up to end, out of memory.
func (p *pending) spillLevel(l *level, end int) error {
	if l.next < end {
		r, err := p.spill.write(&p.list, l.next, end)
		if err != nil {
			return err
		}
		at := len(l.runs)
		if l.filled {
			at = 0
		}
		l.runs = slices.Insert(l.runs, at, r)
	}
	l.first, l.next, l.offset = 0, 0, 0
	return nil
}
