package source

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// PatternError says what is wrong with a pattern of exclusion.
type PatternError struct {
	Line    int // from 1, in what ParseExcludes read or in Options.Exclude
	Pattern string
	Err     error
}

func (e *PatternError) Error() string {
	return "exclusion " + strconv.Itoa(e.Line) + ": " + strconv.Quote(e.Pattern) + ": " + e.Err.Error()
}

func (e *PatternError) Unwrap() error { return e.Err }

var errEmptyPattern = errors.New("it names nothing")

// ParseExcludes reads patterns for Options.Exclude, one a line. Empty lines and those that begin with # are passed over, and
// blanks at the end of a line unless a backslash is ahead of them.
//
// A pattern without / is for a name at any depth. One with / at its start is for a path from the top, as it is stored
// (/home/me/tmp); one with / inside is for the end of a path (me/tmp). With / at its end it is for directories alone. What is
// in an excluded directory is not looked at. ! ahead of a pattern takes back what patterns above it exclude; the last pattern
// that fits decides. * and ? stand for anything but /, ** for any number of directories, [abc] and {one,other} for one of
// those; a backslash takes the meaning of the next character. It fails with a *PatternError.
func ParseExcludes(r io.Reader) ([]string, error) {
	var patterns []string
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		pattern := trimBlanks(lines.Text())
		if pattern == "" || pattern[0] == '#' {
			continue
		}
		if _, err := parseRule(pattern); err != nil {
			return nil, &PatternError{Line: n, Pattern: pattern, Err: err}
		}
		patterns = append(patterns, pattern)
	}
	return patterns, lines.Err()
}

// trimBlanks takes blanks off the end of a line.
func trimBlanks(line string) string {
	trimmed := strings.TrimRight(line, " \t\r")
	escapes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if escapes%2 == 1 && len(trimmed) < len(line) {
		return line[:len(trimmed)+1]
	}
	return trimmed
}

// excluder decides by rules, the last of which that fits wins.
type excluder struct {
	rules []rule
	// The last rule for a name or a path without wildcards, counted from 1; the other rules, the last first.
	names, paths map[string]lastRule
	others       []int
}

type lastRule struct{ any, directory int }

func newExcluder(patterns []string) (*excluder, error) {
	x := &excluder{names: map[string]lastRule{}, paths: map[string]lastRule{}}
	for i, pattern := range patterns {
		r, err := parseRule(pattern)
		if err != nil {
			return nil, &PatternError{Line: i + 1, Pattern: pattern, Err: err}
		}
		x.rules = append(x.rules, r)
		switch r.matching {
		case wholeName:
			setLast(x.names, r, i+1)
		case wholePath:
			setLast(x.paths, r, i+1)
		default:
			x.others = append([]int{i + 1}, x.others...)
		}
	}
	return x, nil
}

func setLast(last map[string]lastRule, r rule, number int) {
	l := last[r.literal]
	if r.directory {
		l.directory = number
	} else {
		l.any = number
	}
	last[r.literal] = l
}

// match reports whether path is excluded, and by which pattern.
func (x *excluder) match(path string, isDirectory bool) (pattern string, excluded bool) {
	if len(x.rules) == 0 {
		return "", false
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	number := max(x.names[name].of(isDirectory), x.paths[path].of(isDirectory))
	for _, i := range x.others {
		if i < number {
			break
		}
		if r := &x.rules[i-1]; (isDirectory || !r.directory) && r.match(path, name) {
			number = i
			break
		}
	}
	if number == 0 {
		return "", false
	}
	r := &x.rules[number-1]
	return r.pattern, !r.takeBack
}

func (l lastRule) of(isDirectory bool) int {
	if isDirectory {
		return max(l.any, l.directory)
	}
	return l.any
}
