// Package parity makes, checks and uses Reed-Solomon groups: objects of a band, and the parity objects that can rebuild them. All of it
// is pure: bytes come in and go out, and whoever calls reads and stores them. It stands on archive/format for the words and the
// schema, and on klauspost/reedsolomon for the arithmetic.
package parity

import (
	"fmt"
	"strconv"
	"strings"

	"dura/archive/format"
)

// Scheme says how many objects a full group has, and how many parity objects go with them. The zero value is no parity.
type Scheme struct{ Members, Parity int }

// None is how a scheme without parity is written.
const None = "none"

// maxPlaces is how many members and parity objects the field of the code allows for.
const maxPlaces = 256

// ParseScheme reads none, K+M, or nothing, which is none.
func ParseScheme(text string) (Scheme, error) {
	if text == "" || text == None {
		return Scheme{}, nil
	}
	k, m, ok := strings.Cut(text, "+")
	members, errK := strconv.ParseUint(k, 10, 16)
	parity, errM := strconv.ParseUint(m, 10, 16)
	s := Scheme{int(members), int(parity)}
	if !ok || errK != nil || errM != nil || s.check() != nil || s.String() != text {
		return Scheme{}, fmt.Errorf("parity %q is neither none nor K+M with K and M of at least 1 and together at most %d", text, maxPlaces)
	}
	return s, nil
}

func (s Scheme) check() error {
	if s.Members < 1 || s.Parity < 1 || s.Members+s.Parity > maxPlaces {
		return corrupt("parity of %d+%d", s.Members, s.Parity)
	}
	return nil
}

// Is reports whether there is parity at all.
func (s Scheme) Is() bool { return s.Parity > 0 }

func (s Scheme) String() string {
	if !s.Is() {
		return None
	}
	return fmt.Sprintf("%d+%d", s.Members, s.Parity)
}

// For is how many parity objects a group with so many members has: in proportion, rounded up, and so at least one.
func (s Scheme) For(members int) int { return (members*s.Parity + s.Members - 1) / s.Members }

// Class tells apart what goes into groups of its own. Objects of one class are of like size, so that little of a parity object is spent
// on the parity of nothing.
type Class int

const (
	Contents Class = iota // blocks
	Index                 // all else: hunks, span lists, fences, head, alarms, tail
	Classes
)

// ClassOf is the class of a kind of object, if parity is made of those.
func ClassOf(kind format.ObjectKind) (Class, bool) {
	switch kind {
	case format.BlockObject:
		return Contents, true
	case format.HunkObject, format.SpansObject, format.FenceObject, format.HeadObject, format.AlarmsObject, format.TailObject, format.RebuiltTailObject:
		return Index, true
	}
	return 0, false
}

// GroupNumber is the number of the n-th group of a class. So groups of classes that fill at the same time have numbers that do not depend
// on who was first.
func GroupNumber(c Class, n uint64) uint64 { return n*uint64(Classes) + uint64(c) }

// ClassOfGroup is the class that a group's number tells of.
func ClassOfGroup(number uint64) Class { return Class(number % uint64(Classes)) }

// NextGroup is the lowest number of a group of class c above all of that class that are taken.
func NextGroup(c Class, taken []uint64) uint64 {
	next := GroupNumber(c, 0)
	for _, n := range taken {
		if ClassOfGroup(n) == c && n >= next {
			next = GroupNumber(c, n/uint64(Classes)+1)
		}
	}
	return next
}

func corrupt(reason string, args ...any) error {
	return &format.CorruptError{What: "parity object", Reason: fmt.Sprintf(reason, args...)}
}
