package source

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// rule is one pattern of exclusion.
type rule struct {
	pattern   string // as given
	takeBack  bool
	directory bool // it is for directories alone
	matching  matching
	literal   string // what the cheap ways of matching compare with
	glob      string // for the others
}

// matching is how a rule is compared.
type matching uint8

const (
	wholeName  matching = iota + 1
	wholePath           //
	nameStart           // NAME*
	nameEnd             // *NAME
	pathEnd             // at a /
	globOfName          //
	globOfPath          //
)

const wildcards = `*?[]{}\`

func parseRule(pattern string) (rule, error) {
	r := rule{pattern: pattern}
	rest, takeBack := strings.CutPrefix(pattern, "!")
	r.takeBack = takeBack
	trimmed := trimSlashes(rest)
	r.directory = len(trimmed) < len(rest)
	anchored := strings.HasPrefix(trimmed, "/")
	trimmed = strings.TrimLeft(trimmed, "/")
	for strings.HasPrefix(trimmed, "**/") {
		trimmed, anchored = strings.TrimLeft(trimmed[len("**/"):], "/"), false
	}
	if trimmed == "" {
		return r, errEmptyPattern
	}
	if !doublestar.ValidatePattern(trimmed) {
		return r, doublestar.ErrBadPattern
	}
	r.compile(trimmed, anchored)
	return r, nil
}

// trimSlashes takes slashes off the end.
func trimSlashes(pattern string) string {
	if trimmed := strings.TrimRight(pattern, "/"); trimmed != "" {
		return trimmed
	}
	return pattern
}

// compile finds the cheapest way to match.
func (r *rule) compile(pattern string, anchored bool) {
	literal := !strings.ContainsAny(pattern, wildcards)
	ofPath := anchored || strings.Contains(pattern, "/")
	r.literal = pattern
	switch {
	case literal && anchored:
		r.matching = wholePath
	case literal && ofPath:
		r.matching, r.literal = pathEnd, "/"+pattern
	case literal:
		r.matching = wholeName
	case ofPath:
		r.matching, r.glob = globOfPath, pathGlob(pattern, anchored)
	case pattern[0] == '*' && !strings.ContainsAny(pattern[1:], wildcards):
		r.matching, r.literal = nameEnd, pattern[1:]
	case pattern[len(pattern)-1] == '*' && !strings.ContainsAny(pattern[:len(pattern)-1], wildcards):
		r.matching, r.literal = nameStart, pattern[:len(pattern)-1]
	default:
		r.matching, r.glob = globOfName, pattern
	}
}

// pathGlob is a pattern for whole paths. What ends in /** is for what is in a directory, and not for the directory.
func pathGlob(pattern string, anchored bool) string {
	if strings.HasSuffix(pattern, "/**") {
		pattern += "/*"
	}
	if !anchored {
		pattern = "**/" + pattern
	}
	return pattern
}

func (r *rule) match(path, name string) bool {
	switch r.matching {
	case wholeName:
		return name == r.literal
	case wholePath:
		return path == r.literal
	case nameStart:
		return strings.HasPrefix(name, r.literal)
	case nameEnd:
		return strings.HasSuffix(name, r.literal)
	case pathEnd:
		return strings.HasSuffix(path, r.literal) || path == r.literal[1:]
	case globOfName:
		return doublestar.MatchUnvalidated(r.glob, name)
	}
	return doublestar.MatchUnvalidated(r.glob, path)
}
