package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"dura/archive/format"
)

// longBatch is how many lines are aligned at a time: a list of any length is written as it is read.
const longBatch = 1000

// longList writes lines as ls -l does.
type longList struct {
	out     *stream
	name    func(format.Path) string
	quoted  func(string) string
	numeric bool
	ending  string

	rows   [][]string
	widths [longColumns]int
}

// Columns ahead of the name: mode, links, owner, group, size, time.
const longColumns = 6

const longAlign = "<><<><"

func (l *longList) entry(e *format.Entry) error {
	l.rows = append(l.rows, l.row(e))
	if len(l.rows) < longBatch {
		return nil
	}
	return l.end()
}

func (l *longList) row(e *format.Entry) []string {
	owner, group := e.Owner.User, e.Owner.Group
	if l.numeric || owner == "" {
		owner = strconv.FormatUint(uint64(e.Owner.UID), 10)
	}
	if l.numeric || group == "" {
		group = strconv.FormatUint(uint64(e.Owner.GID), 10)
	}
	name := l.name(e.Path)
	if e.Kind == format.Symlink {
		name += " -> " + l.quoted(e.Target)
	}
	return []string{
		modeText(e), linksText(e), shown(owner), shown(group), sizeText(e), e.MTime.Std().Local().Format("2006-01-02 15:04"), name,
	}
}

// linksText is the number of hard links; a band doesn't have that of a directory.
func linksText(e *format.Entry) string {
	if e.Kind == format.Directory {
		return "-"
	}
	return strconv.FormatUint(uint64(max(e.Links, 1)), 10)
}

// sizeText is the size in bytes, or what a device file stands for.
func sizeText(e *format.Entry) string {
	switch e.Kind {
	case format.File:
		return strconv.FormatInt(e.Size, 10)
	case format.Symlink:
		return strconv.Itoa(len(e.Target))
	case format.CharDevice, format.BlockDevice:
		return fmt.Sprintf("%d, %d", e.Rdev.Major, e.Rdev.Minor)
	}
	return "0"
}

// end writes the lines that wait. Columns never get narrower, so that long lists don't jump about.
func (l *longList) end() error {
	for _, row := range l.rows {
		for i := range l.widths {
			l.widths[i] = max(l.widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	for _, row := range l.rows {
		for i, width := range l.widths {
			padding := strings.Repeat(" ", width-utf8.RuneCountInString(row[i]))
			if longAlign[i] == '>' {
				row[i] = padding + row[i]
			} else {
				row[i] += padding
			}
		}
		if _, err := l.out.WriteString(strings.Join(row, " ") + l.ending); err != nil {
			return err
		}
	}
	l.rows = l.rows[:0]
	return nil
}
