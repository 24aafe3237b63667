package source_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"dura/archive/format"
	"dura/writer/source"
)

const nobody = 65534

func TestWhatMayNotBeReadIsRaised(t *testing.T) {
	var dir string
	if !child() {
		dir = makeTree(t, "closed/x", "listed/x", "entered/x", "file", "z/y")
		for name, mode := range map[string]os.FileMode{"closed": 0, "listed": 0o744, "entered": 0o711, "file": 0} {
			must(t, os.Chmod(dir+"/"+name, mode))
		}
		if os.Geteuid() != 0 { // the owner's bits are those that count
			must(t, os.Chmod(dir+"/listed", 0o444))
			must(t, os.Chmod(dir+"/entered", 0o111))
		}
		t.Cleanup(func() {
			for _, name := range []string{"closed", "listed", "entered"} {
				must(t, os.Chmod(dir+"/"+name, 0o755))
			}
		})
	}
	if !inChild(t, dir, nobody) {
		return
	}
	src, alarms := local(t, source.Options{}, ".")
	equal(t, allPaths(t, src), []string{"/", "closed/", "entered/", "file", "listed/", "z/", "z/y"})
	equal(t, alarms.take(""), []string{"source/denied closed", "source/denied entered", "source/denied listed/x"})

	n := find(t, src, "file")
	if _, err := n.Handle.Open(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("open: %v", err)
	}
	alarms.take("")
	if _, err := n.Handle.XAttrs(); err != nil {
		t.Errorf("xattrs: %v", err)
	}
	equal(t, alarms.take(""), nil)
	if n.Entry.Kind != format.File {
		t.Errorf("%+v", n.Entry)
	}
}

func TestARootBehindAClosedDirectory(t *testing.T) {
	var dir string
	if !child() {
		dir = makeTree(t, "closed/x")
		must(t, os.Chmod(dir+"/closed", 0))
		t.Cleanup(func() { must(t, os.Chmod(dir+"/closed", 0o755)) })
	}
	if !inChild(t, dir, nobody) {
		return
	}
	_, err := source.Local([]string{"closed/x"}, source.Options{})
	var bad *source.RootError
	if !errors.As(err, &bad) || bad.Root != "closed/x" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v", err)
	}
}

// A file of another user: its access time can't be kept, and it is read all the same.
func TestFilesOfOthersAreRead(t *testing.T) {
	var dir string
	if !child() {
		dir = makeTree(t, "a")
	}
	if !inChild(t, dir, nobody) {
		return
	}
	src, _ := local(t, source.Options{}, ".")
	c, err := find(t, src, "a").Handle.Open()
	must(t, err)
	must(t, c.Close())
}
