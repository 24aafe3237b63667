package main

import (
	"io"
	"sync"
)

// console writes to standard error: messages, a line each, and below them, on a terminal, one line that shows progress. It is
// safe for concurrent use, and the only writer to that stream.
type console struct {
	mu   sync.Mutex
	w    io.Writer
	line string // what is drawn
}

// Terminal codes: back to the first column and clear to the end; and no wrapping while a line is drawn, so that a character
// wider than it looks can't spill.
const (
	clearLine = "\r\x1b[K"
	wrapOff   = "\x1b[?7l"
	wrapOn    = "\x1b[?7h"
)

// say writes one line.
func (c *console) say(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == "" {
		io.WriteString(c.w, line+"\n")
		return
	}
	io.WriteString(c.w, clearLine+line+"\n"+drawn(c.line))
}

// draw shows line in the place of what was drawn before; an empty one takes it away.
func (c *console) draw(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if line == c.line {
		return
	}
	c.line = line
	io.WriteString(c.w, drawn(line))
}

// converse takes away what is drawn and calls f, while nobody else writes.
func (c *console) converse(f func(w io.Writer)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line != "" {
		io.WriteString(c.w, clearLine)
	}
	f(c.w)
	if c.line != "" {
		io.WriteString(c.w, drawn(c.line))
	}
}

// ask shows a question, and keeps others from writing until it was answered.
func (c *console) ask(question string) {
	c.mu.Lock()
	if c.line != "" {
		io.WriteString(c.w, clearLine)
	}
	io.WriteString(c.w, msgPrefix+question)
}

// answered ends what ask began.
func (c *console) answered() {
	defer c.mu.Unlock()
	io.WriteString(c.w, "\n")
	if c.line != "" {
		io.WriteString(c.w, drawn(c.line))
	}
}

func drawn(line string) string {
	if line == "" {
		return clearLine
	}
	return "\r" + wrapOff + line + "\x1b[K" + wrapOn
}
