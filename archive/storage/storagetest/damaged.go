package storagetest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"dura/archive/storage"
)

// Damaged shows objects other than they were stored. What it wraps stays whole.
type Damaged struct {
	storage.Storage
	mu      sync.Mutex
	damages map[string]damage
}

type damage struct {
	lost      bool
	truncated bool
	keptBytes int64   // if truncated
	flipped   []int64 // numbers of bits
}

// NewDamaged makes a storage that does what inner does until damage is done by one of its methods.
func NewDamaged(inner storage.Storage) *Damaged {
	return &Damaged{Storage: inner, damages: make(map[string]damage)}
}

// Lose makes the object missing. Its name stays taken.
func (d *Damaged) Lose(name string) { d.change(name, func(g *damage) { g.lost = true }) }

// Truncate makes the object end after keptBytes.
func (d *Damaged) Truncate(name string, keptBytes int64) {
	d.change(name, func(g *damage) { g.truncated, g.keptBytes = true, keptBytes })
}

// Flip inverts one bit of the object: bit 0 is the lowest of its first byte, bit 8 the lowest of its second.
func (d *Damaged) Flip(name string, bit int64) {
	d.change(name, func(g *damage) { g.flipped = append(slices.Clip(g.flipped), bit) })
}

// Heal makes the object whole again.
func (d *Damaged) Heal(name string) { d.change(name, func(g *damage) { *g = damage{} }) }

func (d *Damaged) change(name string, by func(*damage)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.damages[name]
	by(&g)
	d.damages[name] = g
}

func (d *Damaged) damage(name string) damage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.damages[name]
}

// Read implements storage.Storage.
func (d *Damaged) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	g := d.damage(name)
	if g.lost {
		return nil, lost(storage.OpRead, name)
	}
	if g.truncated && offset >= 0 && maxBytes > 0 {
		maxBytes = int(max(0, min(int64(maxBytes), g.keptBytes-offset)))
	}
	got, err := d.Storage.Read(ctx, name, offset, maxBytes)
	for _, bit := range g.flipped {
		if at := bit/8 - offset; at >= 0 && at < int64(len(got)) {
			got[at] ^= 1 << (bit % 8)
		}
	}
	return got, err
}

// Stat implements storage.Storage.
func (d *Damaged) Stat(ctx context.Context, name string) (storage.Info, error) {
	g := d.damage(name)
	if g.lost {
		return storage.Info{}, lost(storage.OpStat, name)
	}
	info, err := d.Storage.Stat(ctx, name)
	return g.describe(info), err
}

// List implements storage.Storage.
func (d *Damaged) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for info, err := range d.Storage.List(ctx, prefix, depth) {
			g := d.damage(info.Name)
			if err == nil && g.lost {
				continue
			}
			if !yield(g.describe(info), err) {
				return
			}
		}
	}
}

func (g damage) describe(info storage.Info) storage.Info {
	if g.truncated {
		info.SizeBytes = min(info.SizeBytes, g.keptBytes)
	}
	return info
}

func lost(op, name string) error {
	return &storage.Error{Op: op, Object: name, Kind: storage.KindNotFound, Err: errMade}
}
