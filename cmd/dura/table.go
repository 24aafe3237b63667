package main

import (
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// table lays out rows in columns; those that a '>' in align stands for are flush right.
type table struct {
	align string // one byte a column, '<' or '>'
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the rows, two spaces between columns.
func (t *table) write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	widths := t.widths()
	for _, row := range t.rows {
		line := make([]string, len(row))
		for i, cell := range row {
			if t.align[i] == '>' {
				cell = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + cell
			}
			line[i] = cell
		}
		if _, err := io.WriteString(out, strings.Join(line, "\t")+"\n"); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (t *table) widths() []int {
	widths := make([]int, len(t.align))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}
