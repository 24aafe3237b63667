package main

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

func TestMessagesAreWrittenAboveTheProgressLine(t *testing.T) {
	var out bytes.Buffer
	c := &console{w: &out}
	c.say("first")
	c.draw("50%")
	c.draw("50%") // no change: nothing written
	c.say("second")
	c.converse(func(w io.Writer) { fmt.Fprintln(w, "third?") })
	c.draw("")
	c.say("last")
	bar := "\r\x1b[?7l50%\x1b[K\x1b[?7h"
	want := "first\n" + bar + "\r\x1b[Ksecond\n" + bar + "\r\x1b[Kthird?\n" + bar + "\r\x1b[Klast\n"
	if got := out.String(); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
