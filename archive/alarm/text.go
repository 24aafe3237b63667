package alarm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The text form of a rule:
//
//	rule      = area "/" condition [ ":" filename ] [ ":~" quoted ] "=" action [ " until " date ]
//	area      = "*" | "source" | "archive" | "band" | "block" | "restore"
//	condition = "*" | "missing" | "ioerror" | "denied" | "corrupt" | "mismatch" | "exists" | "unsupported"
//	filename  = quoted | plain
//	action    = "continue" | "abort" | "ask" | "suppress"
//	date      = YYYY-MM-DD, the last day in UTC on which the rule counts
//
// The last "=" of a rule is ahead of the action, the first ":" behind the condition is ahead of the file name; a plain
// file name may hold both. It ends at the first `:~"`, where the glob for the message begins. Quoted is a Go string in
// double quotes, for file names that hold line breaks, bytes that aren't UTF-8, or `:~"` themselves. Neither glob may be
// empty: what matches anything is left out, with its colon.
const grammar = `AREA/CONDITION[:FILENAME][:~"MESSAGE"]=continue|abort|ask|suppress[ until DATE]`

const untilMark = " until "

const messageMark = `:~"`

// ParseRule reads the text form of a rule:
//
//	*/*=continue
//	block/corrupt=abort
//	source/denied:/proc/**=suppress
//	restore/unsupported:*.sock:~"*xattr*"=suppress
//	source/ioerror:/mnt/old/**=suppress until 2027-01-31
//
// An error says what is wrong with the text.
func ParseRule(text string) (Rule, error) {
	r, err := parseRule(text)
	if err == nil {
		_, err = r.compile()
	}
	if err != nil {
		return Rule{}, fmt.Errorf("alarm rule %q: %w", text, err)
	}
	return r, nil
}

func parseRule(text string) (Rule, error) {
	equals := strings.LastIndexByte(text, '=')
	if equals < 0 {
		return Rule{}, fmt.Errorf("no action; a rule is %s", grammar)
	}
	var r Rule
	var err error
	action, until, dated := strings.Cut(text[equals+1:], untilMark)
	if r.Action, err = parseAction(action); err != nil {
		return Rule{}, err
	}
	if dated {
		if r.Until, err = parseDate(until); err != nil {
			return Rule{}, err
		}
	}
	kind, rest := text[:equals], ""
	if colon := strings.IndexByte(kind, ':'); colon >= 0 {
		kind, rest = kind[:colon], kind[colon:]
	}
	area, condition, ok := strings.Cut(kind, "/")
	if !ok || area == "" || condition == "" {
		return Rule{}, fmt.Errorf("%q is not AREA/CONDITION; a rule is %s", kind, grammar)
	}
	r.Area = Area(unstar(area))
	r.Condition = Condition(unstar(condition))
	if r.Filename, rest, err = parseFilename(rest); err != nil {
		return Rule{}, err
	}
	r.Message, err = parseMessage(rest)
	return r, err
}

func parseAction(word string) (Action, error) {
	for _, action := range actions() {
		if action.String() == word {
			return action, nil
		}
	}
	return 0, fmt.Errorf("there is no action %q; a rule is %s", word, grammar)
}

func parseDate(text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.IsZero() {
		return time.Time{}, fmt.Errorf("%q is not a date; it is written as 2027-01-31", text)
	}
	return day, nil
}

// parseFilename reads `:filename` off the front of s, if there is one.
func parseFilename(s string) (filename, rest string, err error) {
	if s == "" || strings.HasPrefix(s, messageMark) {
		return "", s, nil
	}
	s = s[len(":"):]
	if strings.HasPrefix(s, `"`) {
		return parseQuoted(s)
	}
	if mark := strings.Index(s, messageMark); mark >= 0 {
		s, rest = s[:mark], s[mark:]
	}
	if s == "" {
		return "", "", fmt.Errorf("the file name is empty; leave its colon out to mean any")
	}
	return s, rest, nil
}

// parseMessage reads all of s as `:~"message"`, or as nothing.
func parseMessage(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if !strings.HasPrefix(s, messageMark) {
		return "", fmt.Errorf("%q stands where :~\"MESSAGE\" or the action should", s)
	}
	message, rest, err := parseQuoted(s[len(":~"):])
	if err == nil && rest != "" {
		err = fmt.Errorf("%q stands between the message and the action", rest)
	}
	return message, err
}

func parseQuoted(s string) (value, rest string, err error) {
	quoted, err := strconv.QuotedPrefix(s)
	if err == nil {
		value, err = strconv.Unquote(quoted)
	}
	if err != nil {
		return "", "", fmt.Errorf("%s is not a string in double quotes", s)
	}
	if value == "" {
		return "", "", fmt.Errorf("the quotes are empty; leave them out to mean anything")
	}
	return value, s[len(quoted):], nil
}

// String returns the text form, which ParseRule reads back to an equal rule.
func (r Rule) String() string {
	var b strings.Builder
	b.WriteString(star(string(r.Area)) + "/" + star(string(r.Condition)))
	switch {
	case r.Filename == "":
	case plain(r.Filename):
		b.WriteString(":" + r.Filename)
	default:
		b.WriteString(":" + strconv.Quote(r.Filename))
	}
	if r.Message != "" {
		b.WriteString(":~" + strconv.Quote(r.Message))
	}
	b.WriteString("=" + r.Action.String())
	if !r.Until.IsZero() {
		b.WriteString(untilMark + r.Until.Format(time.DateOnly))
	}
	return b.String()
}

func plain(filename string) bool {
	unprintable := func(c rune) bool { return !unicode.IsPrint(c) }
	return utf8.ValidString(filename) && !strings.ContainsFunc(filename, unprintable) &&
		!strings.HasPrefix(filename, `"`) && !strings.Contains(":"+filename, messageMark)
}

func star(word string) string {
	if word == "" {
		return "*"
	}
	return word
}

func unstar(word string) string {
	if word == "*" {
		return ""
	}
	return word
}
