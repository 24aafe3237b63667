package alarm

import (
	"fmt"
	"slices"
	"time"
)

// Rule says what becomes of the alarms that match all of its fields. An empty field matches anything.
type Rule struct {
	Area      Area
	Condition Condition

	// Filename is a glob: *, ?, [a-z], {a,b}, \ and, between slashes, ** for any number of directories. Without a slash it
	// speaks of the last component at any depth ("*.sock"), with one of the whole name ("/proc/**", which is /proc too); a
	// leading slash of either side says no more than that.
	Filename string

	// Message is a glob over Alarm.Message: * is anything, slashes too, ? one character, \ takes the next as it is.
	Message string

	Action Action

	// Until is the last day, in UTC, on which the rule counts: midnight at its beginning. Zero: it always does.
	Until time.Time
}

// over reports whether the rule's last day is over.
func (r Rule) over(now time.Time) bool { return !now.Before(r.Until.AddDate(0, 0, 1)) }

// Areas lists all areas.
func Areas() []Area { return []Area{Source, Archive, Band, Block, Restore, Machine} }

// Conditions lists all conditions.
func Conditions() []Condition {
	return []Condition{Missing, IOError, Denied, Corrupt, Mismatch, Exists, Unsupported}
}

// matcher is a rule made ready.
type matcher struct {
	rule     Rule
	filename filePattern
}

// compile checks a rule: known area, condition and action, well-formed patterns that can't keep a matcher busy for long.
func (r Rule) compile() (matcher, error) {
	if r.Area != "" && !slices.Contains(Areas(), r.Area) {
		return matcher{}, fmt.Errorf("there is no area %q; write * or one of %q", r.Area, Areas())
	}
	if r.Condition != "" && !slices.Contains(Conditions(), r.Condition) {
		return matcher{}, fmt.Errorf("there is no condition %q; write * or one of %q", r.Condition, Conditions())
	}
	if !slices.Contains(actions(), r.Action) {
		return matcher{}, fmt.Errorf("there is no action %d", int(r.Action))
	}
	if r.Until != r.Until.UTC().Truncate(24*time.Hour) {
		return matcher{}, fmt.Errorf("its last day is %v, not a date", r.Until)
	}
	if err := checkMessage(r.Message); err != nil {
		return matcher{}, err
	}
	filename, err := compileFilename(r.Filename)
	return matcher{rule: r, filename: filename}, err
}

func (m matcher) match(a Alarm) bool {
	r := m.rule
	return (r.Area == "" || r.Area == a.Area) &&
		(r.Condition == "" || r.Condition == a.Condition) &&
		(r.Filename == "" || m.filename.match(a.Filename)) &&
		(r.Message == "" || matchMessage(r.Message, a.Message))
}

func actions() []Action { return []Action{Continue, Abort, Ask, Suppress} }
