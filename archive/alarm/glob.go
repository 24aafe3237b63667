package alarm

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

const (
	maxPatternBytes = 4096
	maxAlternatives = 1024 // what the braces of one pattern may expand to: each is tried in turn
)

// filePattern matches file names. A pattern without a slash speaks of the last component, at any depth; one with a slash of
// the whole name, where a slash at the very front of either counts for nothing but that.
type filePattern struct {
	glob     string
	lastOnly bool
}

func compileFilename(pattern string) (filePattern, error) {
	switch {
	case len(pattern) > maxPatternBytes:
		return filePattern{}, fmt.Errorf("the file name pattern has %d bytes; %d is the most", len(pattern), maxPatternBytes)
	case !doublestar.ValidatePattern(escapeInvalid(pattern)):
		return filePattern{}, fmt.Errorf("the file name pattern %q has an unfinished [, { or \\", pattern)
	case alternatives(pattern) > maxAlternatives:
		return filePattern{}, fmt.Errorf("the braces of %q stand for more than %d patterns; write several rules", pattern, maxAlternatives)
	}
	return filePattern{
		glob:     escapeInvalid(strings.TrimPrefix(pattern, "/")),
		lastOnly: !strings.Contains(pattern, "/"),
	}, nil
}

func (p filePattern) match(name string) bool {
	name = strings.TrimPrefix(name, "/")
	if p.lastOnly {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return doublestar.MatchUnvalidated(p.glob, escapeInvalid(name))
}

// alternatives bounds from above what the braces of pattern expand to, however they nest and whatever is escaped: g groups
// that share c commas give the most where they share them evenly. Doublestar tries every expansion, so without a bound
// thirty groups of two keep it busy for minutes.
func alternatives(pattern string) float64 {
	groups := float64(strings.Count(pattern, "{"))
	if groups == 0 {
		return 1
	}
	return math.Pow(1+float64(strings.Count(pattern, ","))/groups, groups)
}

// escapeInvalid turns each byte that isn't UTF-8 into a private character of its own. Doublestar reads runes and would
// take any two such bytes for equal.
func escapeInvalid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			r = 0x10ff00 + rune(s[0])
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

func checkMessage(pattern string) error {
	if len(pattern) > maxPatternBytes {
		return fmt.Errorf("the message pattern has %d bytes; %d is the most", len(pattern), maxPatternBytes)
	}
	trailing := len(pattern) - len(strings.TrimRight(pattern, `\`))
	if trailing%2 == 1 {
		return fmt.Errorf(`the message pattern %q ends in a single \; write \\`, pattern)
	}
	return nil
}

// matchMessage matches all of text: * is any run of characters, slashes too, ? is one character, \ takes the next one
// as it is. It only ever goes back to the last *, so it takes at most len(pattern)*len(text) steps.
func matchMessage(pattern, text string) bool {
	p, t, starP, starT := 0, 0, -1, 0
	for t < len(text) || p < len(pattern) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			starP, starT = p, t
			continue
		}
		if dp, dt := stepMessage(pattern[p:], text[t:]); dp > 0 {
			p, t = p+dp, t+dt
			continue
		}
		if starP < 0 || starT >= len(text) {
			return false
		}
		starT += runeBytes(text[starT:])
		p, t = starP, starT
	}
	return true
}

// stepMessage matches one character and returns how far that goes in both, or 0, 0.
func stepMessage(pattern, text string) (patternBytes, textBytes int) {
	if pattern == "" || text == "" {
		return 0, 0
	}
	if pattern[0] == '?' {
		return 1, runeBytes(text)
	}
	escape := 0
	if pattern[0] == '\\' {
		escape = 1
	}
	if escape < len(pattern) && pattern[escape] == text[0] {
		return escape + 1, 1
	}
	return 0, 0
}

func runeBytes(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	return size
}
