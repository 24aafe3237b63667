package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"dura/archive/storage"
)

// likeAMap does the same, at random, to the storage and to a map.
func likeAMap(t testing.TB, s storage.Storage) {
	for seed := range uint64(3) {
		m := model{t: t, s: s, rng: rand.New(rand.NewPCG(seed, 0)), objects: make(map[string][]byte)}
		m.context = fmt.Sprintf("seed %d", seed)
		for range 150 {
			m.step()
		}
		for name := range m.objects {
			mustDelete(t, s, name)
		}
	}
}

type model struct {
	t       testing.TB
	s       storage.Storage
	rng     *rand.Rand
	objects map[string][]byte
	context string // what was done so far
}

func (m *model) step() {
	name := awkwardNames()[m.rng.IntN(len(awkwardNames()))]
	switch m.rng.IntN(5) {
	case 0, 1:
		m.create(name, pattern(m.rng.IntN(2000), byte(m.rng.Uint32())))
	case 2:
		m.read(name, int64(m.rng.IntN(2000)), m.rng.IntN(2000))
	case 3:
		m.list(name[:m.rng.IntN(len(name)+1)], storage.Depth(m.rng.IntN(2)))
	case 4:
		m.delete(name)
	}
}

func (m *model) create(name string, content []byte) {
	m.context += fmt.Sprintf("\ncreate %s of %d bytes", name, len(content))
	err := m.s.Create(context.Background(), name, content)
	if _, taken := m.objects[name]; taken {
		wantKind(m.t, m.context, err, storage.KindExists)
		return
	}
	if err != nil {
		m.t.Fatalf("%s: %v", m.context, err)
	}
	m.objects[name] = content
}

func (m *model) delete(name string) {
	m.context += "\ndelete " + name
	err := m.s.Delete(context.Background(), name)
	if _, there := m.objects[name]; !there {
		wantKind(m.t, m.context, err, storage.KindNotFound)
		return
	}
	if err != nil {
		m.t.Fatalf("%s: %v", m.context, err)
	}
	delete(m.objects, name)
}

func (m *model) read(name string, offset int64, maxBytes int) {
	m.context += fmt.Sprintf("\nread %d bytes at %d of %s", maxBytes, offset, name)
	got, err := m.s.Read(context.Background(), name, offset, maxBytes)
	content, there := m.objects[name]
	if !there {
		wantKind(m.t, m.context, err, storage.KindNotFound)
		return
	}
	want := content[min(offset, int64(len(content))):]
	want = want[:min(len(want), maxBytes)]
	if err != nil || !bytes.Equal(got, want) {
		m.t.Fatalf("%s: got %s, %v, want %s", m.context, brief(got), err, brief(want))
	}
}

func (m *model) list(prefix string, depth storage.Depth) {
	m.context += fmt.Sprintf("\nlist %q at depth %d", prefix, depth)
	want := selected(slices.Sorted(maps.Keys(m.objects)), prefix, depth)
	if got := list(m.t, m.s, prefix, depth); !slices.Equal(got, want) {
		m.t.Fatalf("%s: got %q, want %q", m.context, got, want)
	}
}
