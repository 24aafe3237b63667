package sim

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// TestABackupThatIsKilledAgainAndAgainEnds kills every run of a backup in one of its first creates. Each run adds something that
// the next one finds, so that it ends, and nothing is stored twice.
func TestABackupThatIsKilledAgainAndAgainEnds(t *testing.T) {
	seeds, played := uint64(60), 0
	if testing.Short() {
		seeds = 10
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		synctest.Test(t, func(t *testing.T) {
			w, err := newWorld(seed, Plant{})
			if err != nil {
				t.Fatal(err)
			}
			defer w.end(errOver)
			if w.blocks() > 30 || w.shape.flood > 0 || w.settings.BlockBytes < blockTrailer+20<<10 {
				// Those take hundreds of runs, and the writer's own test of this has one such tree. Or blocks are so small that what
				// there is without content, directories and the like, fills more of them than a run stores.
				return
			}
			played++
			if err := w.killedAgainAndAgain(); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		})
	}
	if played < int(seeds)/6 {
		t.Errorf("only %d of %d trees are small", played, seeds)
	}
}

// blocks is about how many the first tree fills.
func (w *world) blocks() (blocks int64) {
	for _, n := range w.trees[0].current.Load().files() {
		for i := range n.content.runs {
			blocks += int64(len(n.content.runs[i].data))
		}
	}
	return blocks / max(w.settings.BlockBytes-blockTrailer, w.settings.FrameBytes)
}

func (w *world) killedAgainAndAgain() error {
	w.faults, w.pauses, w.sameRandom = faults{}, 0, false
	w.act(func() {
		idle := w.between("k")
		for run := 0; ; run++ {
			var c *client
			if idle.turn(w.ctx, "begins", func() {
				c = w.process(fmt.Sprintf("k.%d", run), w.trees[0])
				c.stores = 2 + w.rng.IntN(3)
				if run > 100 {
					w.fail(errors.New("it does not end"))
				}
			}) != nil {
				return
			}
			if w.backup(c, idle) {
				return
			}
		}
	})
	w.play()
	if w.failure != nil {
		return fmt.Errorf("%w\n%s", w.failure, w.traced(60))
	}
	return w.judge()
}
