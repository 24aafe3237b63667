package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"testing"
)

var (
	flagSeed  = flag.Uint64("sim.seed", 0, "play the history of this seed alone")
	flagFrom  = flag.Uint64("sim.from", 1, "begin with this seed")
	flagCount = flag.Int("sim.count", 0, "play so many histories; 0: what CI plays")
	flagLines = flag.Int("sim.lines", 60, "show so many events of one that fails; 0: all")
)

// TestMain lets garbage pile up: a backup takes memory as if it were a large one, and there are thousands.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// maxShown is after how many failures no further histories are played.
const maxShown = 5

// TestHistories plays the same histories each time, so that nobody is held up by what others have changed; to play others, choose a
// seed to begin with.
func TestHistories(t *testing.T) {
	if *flagSeed != 0 {
		if f := Play(t, *flagSeed, Plant{}, *flagLines); f != nil {
			t.Error(f)
		}
		return
	}
	count := 2000
	if testing.Short() {
		count = 100
	}
	if *flagCount != 0 {
		count = *flagCount
	}
	var next, failed atomic.Uint64
	for worker := range 2 {
		t.Run(fmt.Sprint("half ", worker+1), func(t *testing.T) {
			t.Parallel()
			for failed.Load() < maxShown {
				n := next.Add(1)
				if n > uint64(count) {
					return
				}
				if f := Play(t, *flagFrom+n-1, Plant{}, *flagLines); f != nil {
					failed.Add(1)
					t.Error(f)
				}
			}
		})
	}
}
