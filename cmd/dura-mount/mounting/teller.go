package mounting

import (
	"encoding/json"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"time"
)

// teller passes on what there is to say: to whoever gave the command, and once the mount can be used perhaps to a log. It is
// safe for concurrent use.
type teller struct {
	mu  sync.Mutex
	say func(line string)
}

func (t *teller) tell(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.say(line)
}

// turn sends what is said from now on somewhere else.
func (t *teller) turn(say func(line string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.say = say
}

// Write takes a line of the protocol's library.
func (t *teller) Write(p []byte) (int, error) {
	t.tell(shown(strings.TrimSuffix(string(p), "\n")))
	return len(p), nil
}

// logger is for the protocol's library.
func (t *teller) logger() *log.Logger { return log.New(t, "", 0) }

// openLog opens the log file; nil without one.
func (s *settings) openLog() (*os.File, error) {
	if s.logFile == "" {
		return nil, nil
	}
	f, err := os.OpenFile(s.logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, failure("log", msgLogFile, shown(s.logFile), bareReason(err))
	}
	return f, nil
}

// toFile appends lines with the time ahead of each. What the file does not take is lost: there is nobody left to tell.
func toFile(w io.Writer, now func() time.Time) func(string) {
	return func(line string) {
		_, _ = io.WriteString(w, now().UTC().Format(time.RFC3339)+" "+line+"\n")
	}
}

// message is what a server in the background tells whoever waits for it, one JSON object after the other: lines for people, and
// in the end either why there is no mount, or that it can be used.
type message struct {
	Say    string   `json:"say,omitempty"`
	Failed *Failure `json:"failed,omitempty"`
	Ready  bool     `json:"ready,omitempty"`
	Locked bool     `json:"locked,omitempty"` // it waits for the archive's secret key
}

// send tells whoever waits. If nobody does any more, nobody needs to know.
func send(w io.Writer, m message) { _ = json.NewEncoder(w).Encode(m) }
