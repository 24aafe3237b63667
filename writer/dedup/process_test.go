package dedup

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// childVariable makes of the test binary a process that commits to the index in that directory until it is killed.
const childVariable = "DURA_TEST_DEDUP"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(commitForever(dir))
	}
	os.Exit(m.Run())
}

// sharedOptions let segments be many and merges frequent.
func sharedOptions(report func(*DamageError)) Options {
	return Options{MemoryBytes: 3000 * recordBytes, SmallRecords: 500, Damaged: report}
}

// commitForever adds contents that nobody else does, and prints the first number of each hundred once it is committed.
func commitForever(dir string) int {
	failed := func(err error) int { fmt.Println("error:", err); return 1 }
	x, err := Open(dir, archiveID, sharedOptions(func(e *DamageError) { fmt.Println("error:", e) }))
	if err != nil {
		return failed(err)
	}
	for from := os.Getpid() * 1_000_000; ; from += 1000 {
		for n := from; n < from+1000; n += 100 {
			p := placeOf(n)
			if err := x.AddSpans(p.Band, p.Number, spansOf(n, n+100)); err != nil {
				return failed(err)
			}
		}
		if err := x.Commit(); err != nil {
			return failed(err)
		}
		fmt.Println(from)
	}
}

// TestProcessesThatAreKilledHarmNothing lets three processes work on one index, kills each at any time, and starts others.
func TestProcessesThatAreKilledHarmNothing(t *testing.T) {
	dir := fastDir(t)
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	var mu sync.Mutex
	var committed []int
	var wg sync.WaitGroup
	for worker := range uint64(3) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(worker, 8))
			for range rounds {
				numbers := killAfter(t, dir, time.Duration(20+r.IntN(300))*time.Millisecond)
				mu.Lock()
				committed = append(committed, numbers...)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	x := open(t, dir, sharedOptions(func(e *DamageError) { t.Error(e) }))
	defer x.Close()
	check := func() {
		for _, n := range committed {
			mustHave(t, x, n, n+1000)
		}
	}
	check()
	if left := filesWith(t, dir, temporarySuffix); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	must(t, x.Commit())
	check()
	if st := x.Stats(); st.Segments > maxSegments || st.Segments != len(filesWith(t, dir, "")) || len(committed) < 3*rounds {
		t.Errorf("after %d commits: %+v", len(committed), st)
	}
}

// killAfter lets a child commit for a while, counted from its first commit, and returns the numbers that it has printed.
func killAfter(t *testing.T, dir string, after time.Duration) (numbers []int) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := child.Start(); err != nil {
		t.Error(err)
		return nil
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Error(lines.Text())
			continue
		}
		if numbers = append(numbers, n); len(numbers) == 1 {
			time.AfterFunc(after, func() { child.Process.Kill() })
		}
	}
	if err := child.Wait(); child.ProcessState.ExitCode() != -1 {
		t.Errorf("the child was not killed: %v", err)
	}
	return numbers
}

// TestTwoIndexesShareADirectory has two indexes commit at the same time, in one process.
func TestTwoIndexesShareADirectory(t *testing.T) {
	dir := fastDir(t)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			o := noDamage(t)
			o.SmallRecords = 300
			x := open(t, dir, o)
			defer x.Close()
			from := i * 50_000
			for n := from; n < from+10_000; n += 200 {
				fillIndex(t, x, n, n+200)
				if err := x.Commit(); err != nil {
					t.Error(err)
					return
				}
				mustHave(t, x, from, n+200)
			}
		})
	}
	wg.Wait()
	x := open(t, dir, noDamage(t))
	defer x.Close()
	mustHave(t, x, 0, 10_000)
	mustHave(t, x, 50_000, 60_000)
}

// TestATornListingIsNotBelieved has another index merge while the directory is listed: first the segment that it makes is not there yet, and
// then the one that it merges not any more.
func TestATornListingIsNotBelieved(t *testing.T) {
	x := openNew(t, noDamage(t))
	fillIndex(t, x, 0, 100)
	must(t, x.Commit())
	y := open(t, x.dir, noDamage(t))
	defer y.Close()
	listings := 0
	x.list = func(dir string) ([]string, error) {
		listings++
		if listings > 1 {
			return listSegments(dir)
		}
		fillIndex(t, y, 100, 200)
		must(t, y.Commit())
		return nil, nil
	}
	fillIndex(t, x, 200, 300)
	must(t, x.Commit())
	mustHave(t, x, 0, 300)
	if listings != 3 {
		t.Errorf("%d listings", listings)
	}
	// One that never comes to rest is taken as it is.
	x.list = func(dir string) ([]string, error) {
		listings++
		names, err := listSegments(dir)
		return append(names, fmt.Sprintf("%032d", listings)+segmentSuffix), err
	}
	fillIndex(t, x, 300, 400)
	must(t, x.Commit())
	mustHave(t, x, 0, 400)
}

func TestAnIndexSeesWhatAnotherHasCommittedWhenItCommits(t *testing.T) {
	x := openNew(t, noDamage(t))
	y := open(t, x.dir, noDamage(t))
	defer y.Close()
	fillIndex(t, x, 0, 100)
	must(t, x.Commit())
	if _, found := first(y.Find(hashOf(3))); found {
		t.Error("found before")
	}
	must(t, y.Commit())
	mustHave(t, y, 0, 100)
}

// TestASweepLeavesWhatIsInTheMaking makes a file as an index does that is being written, and one that was left behind.
func TestASweepLeavesWhatIsInTheMaking(t *testing.T) {
	x := openNew(t, noDamage(t))
	making, err := newTemporary(x.dir, x.options.Random)
	must(t, err)
	defer making.Close()
	left, err := newTemporary(x.dir, x.options.Random)
	must(t, err)
	must(t, left.Close())
	open(t, x.dir, noDamage(t)).Close()
	if got := filesWith(t, x.dir, temporarySuffix); len(got) != 1 || got[0] != making.Name() {
		t.Errorf("there is %v", got)
	}
}
