package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/writer/source"
)

// Plant is what is wrong on purpose in a history. The zero value is nothing.
type Plant struct {
	Storage    func(storage.Storage) storage.Storage // around the storage as a writer sees it
	Source     func(source.Source) source.Source     // around the source of a writer
	Forgetful  bool                                  // the storage acknowledges what a crash may still lose
	Overwrites bool                                  // the storage lets a second create replace what the first stored
	Unwatched  bool                                  // references are not checked as they are stored, so that only the outcome shows it
}

// Failure is what a history shows to be wrong.
type Failure struct {
	Seed   uint64
	Err    error
	World  string // what the seed made
	Events string // what happened, one a line
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%v\n\n%s\n\n%s\nagain: go test ./integration/sim -run TestHistories -sim.seed=%d", f.Err, f.World, f.Events, f.Seed)
}

// Play plays the history of a seed; nil means that all went as it should. Lines bounds the events in a failure; 0: all of them.
func Play(t *testing.T, seed uint64, plant Plant, lines int) *Failure {
	w, err := play(t, seed, plant)
	if err == nil {
		return nil
	}
	made := newProfile(seed)
	return &Failure{Seed: seed, Err: err, World: made.String(), Events: w.traced(lines)}
}

func play(t *testing.T, seed uint64, plant Plant) (w *world, err error) {
	indexes, err := os.MkdirTemp(quickDir(), "dura-sim-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(indexes)
	synctest.Test(t, func(*testing.T) {
		w, err = newWorld(seed, plant)
		if w.indexed {
			w.indexes = indexes
		}
		if err == nil {
			err = w.history()
		}
	})
	return w, err
}

// quickDir is where temporary files are in memory, if this system has that.
func quickDir() string {
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		return memory
	}
	return ""
}

func newWorld(seed uint64, plant Plant) (*world, error) {
	w := &world{profile: newProfile(seed), plant: plant, bands: map[format.BandID]*life{}, lostNames: map[string]bool{}, rng: rand.New(rand.NewPCG(seed, 2))}
	w.forgetful, w.overwrites = plant.Forgetful, plant.Overwrites
	w.place = newPlace(w.quirks)
	w.ctx, w.end = context.WithCancelCause(context.Background())
	for i := range w.treeCount {
		t := &tree{host: fmt.Sprintf("host%d", i%2), root: fmt.Sprintf("/tree%d", i), clock: w.clocks[i], grain: w.grain}
		t.change(0, w.rng, func(e *edit) { e.populate(w.shape) })
		w.trees = append(w.trees, t)
	}
	var err error
	if w.decoder, err = format.NewDecoder(1); err != nil {
		return w, err
	}
	return w, w.create()
}

// create makes the archive; nothing goes wrong yet.
func (w *world) create() error {
	o := archive.CreateOptions{ID: archiveID, Now: time.Now(), Settings: w.settings}
	return archive.Create(w.ctx, founder{truth{w.place}}, o)
}

// founder stores what an archive has before its first band.
type founder struct{ truth }

// Create implements storage.Storage.
func (f founder) Create(_ context.Context, name string, parts ...[]byte) error {
	var data []byte
	for _, p := range parts {
		data = append(data, p...)
	}
	err := f.place.create(name, data, 0)
	f.place.settle()
	return err
}

func (w *world) source(src source.Source) source.Source {
	if w.plant.Source == nil {
		return src
	}
	return w.plant.Source(src)
}

// history is all of it, from the first backup to the last look.
func (w *world) history() error {
	defer w.end(errOver)
	for i := range w.writers {
		w.act(func() { w.writer(i) })
	}
	for i := range w.readers {
		w.act(func() { w.reader(i) })
	}
	w.play()
	if w.failure != nil {
		return w.failure
	}
	w.calm()
	w.finish()
	w.play()
	if w.failure != nil {
		return w.failure
	}
	return w.judge()
}
