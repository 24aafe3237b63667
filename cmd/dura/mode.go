package main

import (
	"strings"

	"dura/archive/format"
)

// kindLetters are the first letters of ls -l lines.
var kindLetters = map[format.Kind]byte{
	format.File: '-', format.Directory: 'd', format.Symlink: 'l', format.FIFO: 'p', format.Socket: 's',
	format.CharDevice: 'c', format.BlockDevice: 'b',
}

// modeText is the kind and the permissions of an entry as ls -l shows them, with '+' where there is an ACL and '@' where there
// are other extended attributes.
func modeText(e *format.Entry) string {
	const letters = "rwxrwxrwx"
	text := []byte("?" + letters)
	if letter, ok := kindLetters[e.Kind]; ok {
		text[0] = letter
	}
	for i := range letters {
		if e.Mode>>(8-i)&1 == 0 {
			text[1+i] = '-'
		}
	}
	special := func(bit uint32, at int, set, alone byte) {
		if e.Mode&bit == 0 {
			return
		}
		if text[at] == 'x' {
			text[at] = set
		} else {
			text[at] = alone
		}
	}
	special(0o4000, 3, 's', 'S')
	special(0o2000, 6, 's', 'S')
	special(0o1000, 9, 't', 'T')
	return string(text) + attributeMark(e)
}

func attributeMark(e *format.Entry) string {
	for _, x := range e.XAttrs {
		if strings.HasPrefix(x.Name, "system.posix_acl_") {
			return "+"
		}
	}
	if len(e.XAttrs) > 0 {
		return "@"
	}
	return ""
}

// kindWord is the kind of an entry as JSON has it.
func kindWord(k format.Kind) string {
	switch k {
	case format.File:
		return "file"
	case format.Directory:
		return "directory"
	case format.Symlink:
		return "symlink"
	case format.FIFO:
		return "fifo"
	case format.Socket:
		return "socket"
	case format.CharDevice:
		return "char_device"
	case format.BlockDevice:
		return "block_device"
	}
	return "unknown"
}
