package file

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestThoseWhoComeWhileARunGoesOnShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group
		var unfinished, callers sync.WaitGroup
		runs := 0
		do := func() error { runs++; time.Sleep(time.Second); return nil }
		call := func() { callers.Go(func() { _ = g.run(t.Context(), &unfinished, do) }) }
		call()
		synctest.Wait() // until the first run has begun
		for range 50 {
			call()
		}
		callers.Wait()
		if runs != 2 {
			t.Errorf("51 calls took %d runs, want 2", runs)
		}
	})
}

func TestACallReturnsAfterARunThatBeganAfterIt(t *testing.T) {
	var g group
	var unfinished, callers sync.WaitGroup
	var clock, begun atomic.Int64 // begun: when the last run began that is over
	do := func() error {
		at := clock.Add(1)
		begun.Store(at)
		return nil
	}
	for range 8 {
		callers.Go(func() {
			for range 500 {
				called := clock.Add(1)
				if err := g.run(context.Background(), &unfinished, do); err != nil {
					t.Error(err)
				}
				if got := begun.Load(); got < called {
					t.Errorf("called at %d, and the last run began at %d", called, got)
				}
			}
		})
	}
	callers.Wait()
}

func TestAllWhoShareARunGetItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group
		var unfinished, callers sync.WaitGroup
		errRun := errors.New("of the run")
		for range 3 {
			callers.Go(func() {
				err := g.run(t.Context(), &unfinished, func() error { time.Sleep(time.Second); return errRun })
				if err != errRun {
					t.Errorf("got %v", err)
				}
			})
		}
		callers.Wait()
	})
}

func TestARunGoesOnWithoutThoseWhoGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group
		var unfinished sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		over := false
		err := g.run(ctx, &unfinished, func() error { time.Sleep(time.Minute); over = true; return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		unfinished.Wait()
		if !over {
			t.Error("the run was not waited for")
		}
	})
}
