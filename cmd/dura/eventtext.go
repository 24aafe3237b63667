package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fields is a message of events.proto: what it has, in order.
type fields []field

// field has a string, name, int64 or fields.
type field struct {
	name  string
	value any
}

// name is a file name: bytes, and UTF-8 most of the time.
type name string

// eventFormats are what --events knows, but for none: each makes one line of an event.
var eventFormats = map[string]func(fields) string{"text": fields.text, "json": fields.json, "textproto": fields.textproto}

// json is an object. Names that are not UTF-8 are there a second time, as base64.
func (fs fields) json() string {
	var b strings.Builder
	separator := "{"
	add := func(name, value string) {
		b.WriteString(separator + strconv.Quote(name) + ":" + value)
		separator = ","
	}
	for _, f := range fs {
		switch v := f.value.(type) {
		case fields:
			add(f.name, v.json())
		case name:
			text, exact := jsonText(string(v))
			add(f.name, asJSON(text))
			if exact != nil {
				add(f.name+"_base64", asJSON(exact))
			}
		default:
			add(f.name, asJSON(v))
		}
	}
	if len(fs) == 0 {
		return "{}"
	}
	return b.String() + "}"
}

func asJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null" // no field has a value of such a type
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// textproto is the protobuf text format.
func (fs fields) textproto() string {
	parts := make([]string, 0, len(fs))
	for _, f := range fs {
		switch v := f.value.(type) {
		case fields:
			parts = append(parts, f.name+" {"+v.textproto()+"}")
		case string:
			parts = append(parts, f.name+": "+octalQuoted(v))
		case name:
			parts = append(parts, f.name+": "+octalQuoted(string(v)))
		default:
			parts = append(parts, fmt.Sprint(f.name, ": ", v))
		}
	}
	return strings.Join(parts, " ")
}

// octalQuoted is s in double quotes, with anything but printable ASCII as octal escapes.
func octalQuoted(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteString("\\" + string(c))
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}

// text is a line of words: the time, what happened, and then name=value, names of inner fields behind those of the outer.
func (fs fields) text() string {
	var words []string
	for _, f := range fs {
		if inner, ok := f.value.(fields); ok {
			words = append(words, f.name)
			words = inner.words(words, "")
		} else {
			words = append(words, fmt.Sprint(f.value))
		}
	}
	return strings.Join(words, " ")
}

func (fs fields) words(words []string, prefix string) []string {
	for _, f := range fs {
		switch v := f.value.(type) {
		case fields:
			words = v.words(words, prefix+f.name+".")
		case string:
			words = append(words, prefix+f.name+"="+word(v))
		case name:
			words = append(words, prefix+f.name+"="+word(string(v)))
		default:
			words = append(words, prefix+f.name+"="+fmt.Sprint(v))
		}
	}
	return words
}

// word is s where it is one word, and otherwise a string in double quotes as Go and C write it.
func word(s string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || r == '\\' || !unicode.IsPrint(r) }
	if s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}
