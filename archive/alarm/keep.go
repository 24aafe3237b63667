package alarm

import (
	"cmp"
	"slices"
)

// kind is what alarms are counted by.
type kind struct {
	area      Area
	condition Condition
}

// keeper holds on to at most max alarms. Once it is full, a kind with few gets the place of the newest of the kind with
// the most, so that a flood of one kind never hides the one alarm of another.
type keeper struct {
	max    int
	held   int
	seen   int64 // the next alarm's place in the order they came
	byKind map[kind][]kept
}

type kept struct {
	order int64
	alarm Alarm
}

func (k *keeper) add(a Alarm) {
	order := k.seen
	k.seen++
	own := kind{a.Area, a.Condition}
	if k.held >= k.max {
		crowd := k.mostHeld()
		most := k.byKind[crowd]
		if len(most) <= len(k.byKind[own])+1 {
			return
		}
		most[len(most)-1] = kept{}
		k.byKind[crowd] = most[:len(most)-1]
		k.held--
	}
	if k.byKind == nil {
		k.byKind = make(map[kind][]kept)
	}
	k.byKind[own] = append(k.byKind[own], kept{order, a})
	k.held++
}

// mostHeld returns the kind with most alarms, and of several the one that sorts first: what is kept depends on nothing
// but what was raised.
func (k *keeper) mostHeld() kind {
	var crowd kind
	most := -1
	for candidate, held := range k.byKind {
		if len(held) > most || len(held) == most && compareKinds(candidate, crowd) < 0 {
			crowd, most = candidate, len(held)
		}
	}
	return crowd
}

// alarms returns what is kept in the order it came.
func (k *keeper) alarms() []Alarm {
	all := make([]kept, 0, k.held)
	for _, held := range k.byKind {
		all = append(all, held...)
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(a.order, b.order) })
	out := make([]Alarm, len(all))
	for i, one := range all {
		out[i] = one.alarm
	}
	return out
}

func compareKinds(a, b kind) int {
	return cmp.Or(cmp.Compare(a.area, b.area), cmp.Compare(a.condition, b.condition))
}
