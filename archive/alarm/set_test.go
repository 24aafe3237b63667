package alarm

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newSet(t interface{ Fatal(...any) }, o Options) *Set {
	s, err := NewSet(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The whole table, so that a change to the defaults is seen for what it is. A letter for each condition in the order of
// Conditions: c continue, A abort.
func TestDefaultsDecideEveryKind(t *testing.T) {
	for name, c := range map[string]struct {
		rules []Rule
		want  map[Area]string
	}{
		"reading":  {ReadingRules(), map[Area]string{Source: "ccccccc", Archive: "ccccccc", Band: "ccccccc", Block: "ccccccc", Restore: "ccccccc", Machine: "ccccccc"}},
		"default":  {DefaultRules(), map[Area]string{Source: "ccccccc", Archive: "AAAAAAA", Band: "ccccccc", Block: "cccccAc", Restore: "ccccccc", Machine: "ccccccc"}},
		"nil":      {nil, map[Area]string{Source: "ccccccc", Archive: "AAAAAAA", Band: "ccccccc", Block: "cccccAc", Restore: "ccccccc", Machine: "ccccccc"}},
		"deleting": {DeletingRules(), map[Area]string{Source: "ccccccc", Archive: "AAAAAAA", Band: "AAAAAAA", Block: "AAAAAAA", Restore: "ccccccc", Machine: "ccccccc"}},
		"none":     {[]Rule{}, map[Area]string{Source: "ccccccc", Archive: "ccccccc", Band: "ccccccc", Block: "ccccccc", Restore: "ccccccc", Machine: "ccccccc"}},
	} {
		for _, area := range Areas() {
			got := ""
			for _, condition := range Conditions() {
				s := newSet(t, Options{Defaults: c.rules})
				if err := s.Raise(Alarm{Area: area, Condition: condition}); err != nil {
					got += "A"
				} else {
					got += "c"
				}
			}
			if got != c.want[area] {
				t.Errorf("%s, %s: got %s, want %s", name, area, got, c.want[area])
			}
		}
	}
}

func TestTheUsersRuleBeatsEveryDefault(t *testing.T) {
	s := newSet(t, Options{Defaults: DeletingRules(), Rules: []Rule{{Action: Continue}}})
	for _, area := range Areas() {
		for _, condition := range Conditions() {
			if err := s.Raise(Alarm{Area: area, Condition: condition}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAbortCarriesTheAlarmAndItsCause(t *testing.T) {
	s := newSet(t, Options{Rules: []Rule{{Action: Abort}}})
	err := s.Raise(Alarm{Area: Source, Condition: Denied, Filename: "x", Err: fs.ErrPermission})
	var abort *AbortError
	if !errors.As(err, &abort) || abort.Alarm.Filename != "x" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %#v", err)
	}
}

func TestAskersAnswerDecides(t *testing.T) {
	for _, c := range []struct {
		asker func(Alarm) Action
		want  Action
	}{
		{nil, Continue},
		{func(Alarm) Action { return Continue }, Continue},
		{func(Alarm) Action { return Abort }, Abort},
		{func(Alarm) Action { return Suppress }, Suppress},
		{func(Alarm) Action { return Ask }, Continue},
		{func(Alarm) Action { return 77 }, Continue},
	} {
		var got []Action
		s := newSet(t, Options{
			Rules:  []Rule{{Action: Ask}},
			Asker:  c.asker,
			Notify: func(_ Alarm, a Action) { got = append(got, a) },
		})
		err := s.Raise(Alarm{})
		if !slices.Equal(got, []Action{c.want}) || (err != nil) != (c.want == Abort) {
			t.Errorf("notified of %v, error %v, want %v", got, err, c.want)
		}
	}
}

func TestNobodyIsAskedOnceTheRunHasEnded(t *testing.T) {
	asked := 0
	s := newSet(t, Options{
		Rules: []Rule{{Action: Ask}, {Filename: "end", Action: Abort}},
		Asker: func(Alarm) Action { asked++; return Continue },
	})
	if err := s.Raise(Alarm{Filename: "end"}); err == nil {
		t.Fatal("the run did not end")
	}
	if err := s.Raise(Alarm{Filename: "other"}); err == nil || asked != 0 {
		t.Errorf("asked %d times after the end, error %v", asked, err)
	}
}

func TestARuleCountsUpToItsLastDay(t *testing.T) {
	now := date(2027, 1, 30)
	s := newSet(t, Options{
		Defaults: []Rule{{Action: Abort}}, Rules: []Rule{{Action: Continue}, {Area: Source, Action: Suppress, Until: date(2027, 1, 31)}},
		Now: func() time.Time { return now },
	})
	for _, c := range []struct {
		at         time.Time
		suppressed int64
	}{{now, 1}, {date(2027, 1, 31), 2}, {date(2027, 2, 1).Add(-1), 3}, {date(2027, 2, 1), 3}, {date(2030, 1, 1), 3}} {
		now = c.at
		if err := s.Raise(Alarm{Area: Source}); err != nil || s.Counts()[0].Suppressed != c.suppressed {
			t.Errorf("%v: %v, %v", c.at, err, s.Counts())
		}
	}
	if _, err := NewSet(Options{Rules: []Rule{{Until: date(2027, 1, 31)}}}); err == nil {
		t.Error("it tells the date without a clock")
	}
}

func TestBadRulesAreNamed(t *testing.T) {
	if s, err := NewSet(Options{Rules: []Rule{{Filename: "["}}}); err == nil || s != nil {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestAFloodHidesNoOtherKind(t *testing.T) {
	s := newSet(t, Options{Defaults: []Rule{}, KeepMax: 10})
	for i := range 1000 {
		if err := s.Raise(Alarm{Area: Source, Condition: Denied, Filename: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, condition := range []Condition{Missing, Corrupt, Corrupt} {
		if err := s.Raise(Alarm{Area: Block, Condition: condition}); err != nil {
			t.Fatal(err)
		}
	}
	alarms, notKept := s.Kept()
	want := []Alarm{}
	for i := range 7 {
		want = append(want, Alarm{Area: Source, Condition: Denied, Filename: fmt.Sprint(i)})
	}
	want = append(want, Alarm{Area: Block, Condition: Missing}, Alarm{Area: Block, Condition: Corrupt}, Alarm{Area: Block, Condition: Corrupt})
	if !slices.Equal(alarms, want) || notKept != 1003-10 {
		t.Errorf("kept %v and not %d more", alarms, notKept)
	}
}

func TestRaiseIsSafeForManyGoroutines(t *testing.T) {
	var asking, notified sync.Mutex // TryLock fails where two are inside
	notices := 0
	s := newSet(t, Options{
		Rules: []Rule{{Action: Ask}, {Area: Block, Action: Suppress}},
		Asker: func(Alarm) Action {
			if !asking.TryLock() {
				t.Error("two questions at once")
				return Abort
			}
			defer asking.Unlock()
			return Continue
		},
		Notify: func(Alarm, Action) { notified.Lock(); notices++; notified.Unlock() },
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				_ = s.Raise(Alarm{Area: Band, Condition: Corrupt})
				_ = s.Raise(Alarm{Area: Block, Condition: Corrupt})
				s.Counts()
				s.Kept()
			}
		})
	}
	group.Wait()
	want := []Count{{Band, Corrupt, 1600, 0}, {Block, Corrupt, 0, 1600}}
	if got := s.Counts(); !slices.Equal(got, want) || notices != 3200 || s.Raised() != 1600 {
		t.Errorf("counts %v, %d notices, %d raised", got, notices, s.Raised())
	}
}

// A Set against the plainest statement of what it does.
func TestSetAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawAlarm := rapid.Custom(func(t *rapid.T) Alarm {
			return Alarm{
				Area:      rapid.SampledFrom(Areas()).Draw(t, "area"),
				Condition: rapid.SampledFrom(Conditions()).Draw(t, "condition"),
				Filename:  rapid.SampledFrom([]string{"a", "b", "/a/b"}).Draw(t, "filename"),
				Message:   rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "message"),
			}
		})
		var rules []Rule
		for _, like := range rapid.SliceOfN(drawAlarm, 0, 6).Draw(t, "rules") {
			r := Rule{Area: like.Area, Condition: like.Condition, Filename: like.Filename, Message: like.Message}
			if rapid.Bool().Draw(t, "any area") {
				r.Area = ""
			}
			if rapid.Bool().Draw(t, "any condition") {
				r.Condition = ""
			}
			if rapid.Bool().Draw(t, "any filename") {
				r.Filename = ""
			}
			r.Action = rapid.SampledFrom([]Action{Continue, Abort, Suppress}).Draw(t, "action")
			rules = append(rules, r)
		}
		keepMax := rapid.IntRange(1, 20).Draw(t, "keepMax")
		s := newSet(t, Options{Defaults: []Rule{}, Rules: rules, KeepMax: keepMax})

		counts := map[kind]Count{}
		kinds, raised := map[kind]int{}, int64(0)
		for _, a := range rapid.SliceOfN(drawAlarm, 0, 60).Draw(t, "alarms") {
			action := modelAction(rules, a)
			if err := s.Raise(a); (err != nil) != (action == Abort) {
				t.Fatalf("%v under %v: got %v, want %v", a, rules, err, action)
			}
			k := kind{a.Area, a.Condition}
			c := counts[k]
			c.Area, c.Condition = a.Area, a.Condition
			if action == Suppress {
				c.Suppressed++
			} else {
				c.Raised++
				raised++
				kinds[k]++
			}
			counts[k] = c
		}
		for _, c := range s.Counts() {
			if counts[kind{c.Area, c.Condition}] != c {
				t.Fatalf("counted %v, want %v", c, counts[kind{c.Area, c.Condition}])
			}
		}
		if len(s.Counts()) != len(counts) || s.Raised() != raised {
			t.Fatalf("%d kinds and %d raised, want %d and %d", len(s.Counts()), s.Raised(), len(counts), raised)
		}
		alarms, notKept := s.Kept()
		if int64(len(alarms))+notKept != raised || len(alarms) != int(min(int64(keepMax), raised)) {
			t.Fatalf("kept %d and not %d, of %d raised and at most %d kept", len(alarms), notKept, raised, keepMax)
		}
		keptKinds := map[kind]int{}
		for _, a := range alarms {
			keptKinds[kind{a.Area, a.Condition}]++
		}
		if len(kinds) <= keepMax && len(keptKinds) != len(kinds) {
			t.Fatalf("kept alarms of %d kinds, there was room for all %d", len(keptKinds), len(kinds))
		}
	})
}

func modelAction(rules []Rule, a Alarm) Action {
	action := Continue
	for _, r := range rules {
		name := a.Filename == r.Filename || r.Filename == "b" && a.Filename == "/a/b"
		if (r.Area == "" || r.Area == a.Area) && (r.Condition == "" || r.Condition == a.Condition) &&
			(r.Filename == "" || name) && (r.Message == "" || r.Message == a.Message) {
			action = r.Action
		}
	}
	return action
}
