package summaries

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dura/archive/format"
)

const (
	firstLine = "dura summaries 1\n"
	lastWord  = "sha256 "
	lastBytes = len(lastWord) + 64 + 1
)

// Encode is the text of a list.
func Encode(l List) []byte {
	text := fmt.Appendf(nil, "%sarchive %s\nsince %s\n", firstLine, l.Archive, l.Since.UTC().Format(time.RFC3339Nano))
	for _, s := range l.Bands {
		t := s.Totals
		text = fmt.Appendf(text, "%s %s %d %d %d %d %d\n", s.Band, s.TailSHA256, t.Entries, t.Files, t.ContentBytes, t.Blocks, t.StoredBytes)
	}
	return fmt.Appendf(text, "%s%s\n", lastWord, format.SumBytes(text))
}

// Decode reads what Encode has written, and nothing else. Its error is a *format.CorruptError.
func Decode(text []byte) (List, error) {
	if len(text) > MaxBytes {
		return List{}, corrupt("they are longer than %d bytes", MaxBytes)
	}
	if bytes.Count(text, []byte("\n")) > MaxBands+4 {
		return List{}, corrupt("there are more than %d bands", MaxBands)
	}
	body, last := cut(text)
	if last != lastWord+format.SumBytes(body).String()+"\n" {
		return List{}, corrupt("their hash is not the one at their end")
	}
	lines := strings.SplitAfter(string(body), "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" || lines[0] != firstLine {
		return List{}, corrupt("the first lines are not theirs")
	}
	var l List
	var ok bool
	if l.Archive, ok = value(lines[1], "archive "); !ok || l.Archive == "" {
		return List{}, corrupt("the second line names no archive")
	}
	since, ok := value(lines[2], "since ")
	var err error
	if l.Since, err = time.Parse(time.RFC3339Nano, since); !ok || err != nil || l.Since.UTC().Format(time.RFC3339Nano) != since {
		return List{}, corrupt("the third line is no time")
	}
	l.Since = l.Since.UTC()
	lines = lines[3 : len(lines)-1]
	for i, line := range lines {
		s, ok := decodeLine(strings.TrimSuffix(line, "\n"))
		if !ok || i > 0 && s.Band <= l.Bands[i-1].Band {
			return List{}, corrupt("line %d is no summary of the band that is next", i+4)
		}
		l.Bands = append(l.Bands, s)
	}
	return l, nil
}

// cut parts the last line from what is above it.
func cut(text []byte) (body []byte, last string) {
	at := max(len(text)-lastBytes, 0)
	return text[:at], string(text[at:])
}

func value(line, word string) (string, bool) {
	v, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), word)
	return v, ok
}

// decodeLine reads the line of one band.
func decodeLine(line string) (s Summary, ok bool) {
	words := strings.Split(line, " ")
	if len(words) != 7 {
		return s, false
	}
	band, err := format.ParseBandID(words[0])
	if err != nil || len(words[1]) != 64 || strings.ToLower(words[1]) != words[1] {
		return s, false
	}
	s.Band = band
	if _, err := hex.Decode(s.TailSHA256[:], []byte(words[1])); err != nil {
		return s, false
	}
	t := &s.Totals
	for i, number := range []*int64{&t.Entries, &t.Files, &t.ContentBytes, &t.Blocks, &t.StoredBytes} {
		word := words[2+i]
		if *number, err = strconv.ParseInt(word, 10, 64); err != nil || *number < 0 || strconv.FormatInt(*number, 10) != word {
			return s, false
		}
	}
	return s, true
}

func corrupt(reason string, args ...any) error {
	return &format.CorruptError{What: "summaries", Reason: fmt.Sprintf(reason, args...)}
}
