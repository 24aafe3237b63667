package format

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPreviousTellsTheHunkAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own := rapid.Uint64Range(0, 1<<40).Draw(t, "own")
		ahead := rapid.Uint64Range(0, 1<<40).Draw(t, "ahead")
		none := rapid.Bool().Draw(t, "none")
		p := PreviousOf(own, ahead, none)
		got, ok := p.Of(own)
		if ok == none || ok && got != ahead || !ok && got != 0 {
			t.Fatalf("%d: %d, %v", p, got, ok)
		}
		if p == 0 != (none && own == 0 || !none && ahead+1 == own) {
			t.Fatalf("%d where nothing need be said, or the other way around", p)
		}
	})
}
