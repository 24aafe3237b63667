package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"dura/archive/format"
	"dura/writer/dedup"
)

const archiveID = "00112233445566778899aabbccddeeff"

// openIndex opens the index that a process's host keeps of the archive's content; nil where hosts keep none.
func (w *world) openIndex(c *client) (*dedup.Index, error) {
	if w.indexes == "" {
		return nil, nil
	}
	seed := [32]byte{1}
	copy(seed[1:], c.name)
	return dedup.Open(filepath.Join(w.indexes, c.tree.host), archiveID, dedup.Options{Random: rand.NewChaCha8(seed)})
}

// spoilIndex damages a file of a host's index, or puts lies into it. It is called in the scheduler.
func (w *world) spoilIndex(host string) error {
	dir := filepath.Join(w.indexes, host)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		return err
	}
	if w.rng.IntN(2) == 0 {
		w.say("lies come into the index of " + host)
		return w.lie(dir)
	}
	name := files[w.rng.IntN(len(files))]
	data, err := os.ReadFile(name)
	if err != nil || len(data) == 0 {
		return err
	}
	w.say("the index of " + host + " is damaged")
	switch w.rng.IntN(4) {
	case 0:
		return os.Remove(name)
	case 1:
		return os.Truncate(name, int64(w.rng.IntN(len(data))))
	case 2:
		return os.WriteFile(name, append(data, data...), 0o600)
	}
	for range 1 + w.rng.IntN(20) {
		data[w.rng.IntN(len(data))] ^= 1 << w.rng.IntN(8)
	}
	return os.WriteFile(name, data, 0o600)
}

// lie tells an index of contents that there are, and of places where they are not.
func (w *world) lie(dir string) error {
	x, err := dedup.Open(dir, archiveID, dedup.Options{Random: rand.NewChaCha8([32]byte{2, byte(w.moment), byte(w.moment >> 8)})})
	if err != nil {
		return err
	}
	defer x.Close()
	for _, id := range w.bandIDs() {
		var entries []format.Entry
		var spans []format.Span
		for _, t := range w.trees {
			for _, n := range t.current.Load().files() {
				sum := format.SumBytes(n.content.runs[0].data)
				s := format.Span{Frame: &format.Frame{Block: &format.Block{Band: id}}, Bytes: uint32(len(n.content.runs[0].data)), SHA256: sum}
				spans = append(spans, s)
				e := n.entry
				e.Spans, e.SHA256 = []format.Span{s}, sum
				entries = append(entries, e)
			}
		}
		w.rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		if err := x.AddHunk(id, uint64(w.rng.IntN(2)), entries[:min(len(entries), 40)]); err != nil {
			return err
		}
		if err := x.AddSpans(id, uint64(w.rng.IntN(2)), spans[:min(len(spans), 40)]); err != nil {
			return err
		}
	}
	if err := x.Commit(); err != nil {
		return fmt.Errorf("an index full of lies: %w", err)
	}
	return nil
}
