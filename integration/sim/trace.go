package sim

import (
	"fmt"
	"strings"

	"dura/archive/storage"
)

// event is something that happened: a request and what became of it, or something else.
type event struct {
	moment int64
	asked  asked // zero: nothing was
	what   string
}

// asked is what can be told of a request when it and its answer are gone.
type asked struct {
	who, op, name string
	offset        int64
	bytes         int
}

func (r *request) asked() asked {
	a := asked{r.client.name, r.op, r.name, r.offset, r.bytes}
	if r.op == storage.OpCreate {
		a.bytes = len(r.data)
	}
	return a
}

func (a asked) String() string {
	switch a.op {
	case storage.OpCreate:
		return fmt.Sprintf("%s %s %s of %d bytes", a.who, a.op, a.name, a.bytes)
	case storage.OpRead:
		return fmt.Sprintf("%s %s %s, %d at %d", a.who, a.op, a.name, a.bytes, a.offset)
	}
	return fmt.Sprintf("%s %s %s", a.who, a.op, a.name)
}

func (w *world) note(r *request, what string) {
	w.trace = append(w.trace, event{w.moment, r.asked(), what})
}

func (w *world) say(what string) { w.trace = append(w.trace, event{moment: w.moment, what: what}) }

// traced are the latest events, one a line; all of them if lines is 0.
func (w *world) traced(lines int) string {
	var b strings.Builder
	events := w.trace
	if lines > 0 && len(events) > lines {
		events = events[len(events)-lines:]
		fmt.Fprintf(&b, "…\n")
	}
	for _, e := range events {
		fmt.Fprintf(&b, "%6d ", e.moment)
		if e.asked.op != "" {
			fmt.Fprintf(&b, "%s: ", e.asked)
		}
		fmt.Fprintf(&b, "%s\n", e.what)
	}
	return b.String()
}
