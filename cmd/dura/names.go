package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shown is a name as messages show it: as it is where that is safe, its odd bytes as escapes where not. A line stays a
// line, and no name can drive the terminal.
func shown(name string) string {
	if isPrintable(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, name[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			b.WriteString(escapeControl(byte(r)))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func escapeControl(c byte) string {
	switch c {
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	case '\r':
		return `\r`
	}
	return fmt.Sprintf(`\x%02x`, c)
}

// shellQuoted is a name as ls shows it on a terminal: as it is where a shell takes it as one word, quoted for the shell
// where not.
func shellQuoted(name string) string {
	switch {
	case name == "":
		return "''"
	case isPrintable(name) && !strings.ContainsAny(name, " \"'$`\\|&;<>()[]*?!{}") && !strings.ContainsAny(name[:1], "~#="):
		return name
	case isPrintable(name):
		return inQuotes(name)
	}
	var b strings.Builder
	for rest := name; rest != ""; {
		if n := printablePrefix(rest); n > 0 {
			b.WriteString(inQuotes(rest[:n]))
			rest = rest[n:]
		}
		if odd, n := oddPrefix(rest); n > 0 {
			b.WriteString("$'" + odd + "'")
			rest = rest[n:]
		}
	}
	return b.String()
}

func inQuotes(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// printablePrefix is the length of what of s comes ahead of anything odd.
func printablePrefix(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return i
		}
		i += n
	}
	return len(s)
}

// oddPrefix is what of s comes ahead of anything printable, as octal escapes, and its length.
func oddPrefix(s string) (escaped string, length int) {
	for length < len(s) {
		r, n := utf8.DecodeRuneInString(s[length:])
		if unicode.IsPrint(r) && !(r == utf8.RuneError && n == 1) {
			break
		}
		for _, c := range []byte(s[length : length+n]) {
			escaped += octalEscape(c)
		}
		length += n
	}
	return escaped, length
}

func octalEscape(c byte) string {
	switch c {
	case '\n', '\t', '\r':
		return escapeControl(c)
	}
	return fmt.Sprintf(`\%03o`, c)
}
