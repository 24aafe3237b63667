package main

import (
	"testing"

	"dura/archive/format"
)

func TestModesAreWrittenAsLsWritesThem(t *testing.T) {
	for _, c := range []struct {
		kind format.Kind
		mode uint32
		want string
	}{
		{format.File, 0o644, "-rw-r--r--"}, {format.Directory, 0o1777, "drwxrwxrwt"}, {format.Directory, 0o1776, "drwxrwxrwT"},
		{format.File, 0o4755, "-rwsr-xr-x"}, {format.File, 0o4655, "-rwSr-xr-x"}, {format.File, 0o2755, "-rwxr-sr-x"},
		{format.File, 0o2745, "-rwxr-Sr-x"}, {format.Symlink, 0o777, "lrwxrwxrwx"}, {format.FIFO, 0, "p---------"},
		{format.Socket, 0o755, "srwxr-xr-x"}, {format.CharDevice, 0o600, "crw-------"}, {format.BlockDevice, 0o660, "brw-rw----"},
		{99, 0o644, "?rw-r--r--"},
	} {
		if got := modeText(&format.Entry{Kind: c.kind, Mode: c.mode}); got != c.want {
			t.Errorf("%d %04o: %q, want %q", c.kind, c.mode, got, c.want)
		}
	}
}

func TestExtendedAttributesAreMarked(t *testing.T) {
	e := &format.Entry{Kind: format.File, Mode: 0o600, XAttrs: []format.XAttr{{Name: "user.x"}}}
	if got := modeText(e); got != "-rw-------@" {
		t.Errorf("got %q", got)
	}
	e.XAttrs = append(e.XAttrs, format.XAttr{Name: "system.posix_acl_access"})
	if got := modeText(e); got != "-rw-------+" {
		t.Errorf("got %q", got)
	}
}
