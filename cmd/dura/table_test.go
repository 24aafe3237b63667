package main

import (
	"strings"
	"testing"
)

func TestTablesAlignNumbersRight(t *testing.T) {
	table := &table{align: "<><"}
	table.add("NAME", "SIZE", "WHERE")
	table.add("grün", "1,234", "here")
	table.add("a", "5", "there")
	var b strings.Builder
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	want := "NAME   SIZE  WHERE\ngrün  1,234  here\na         5  there\n"
	if b.String() != want {
		t.Errorf("\n got %q\nwant %q", b.String(), want)
	}
}
