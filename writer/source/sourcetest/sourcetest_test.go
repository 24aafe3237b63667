package sourcetest_test

import (
	"errors"
	"io"
	"iter"
	"strconv"
	"testing"

	"dura/archive/format"
	"dura/writer/source"
	"dura/writer/source/sourcetest"
)

func TestSourceOfItems(t *testing.T) {
	device := sourcetest.Dir("dev/null")
	device.Entry.Kind, device.Entry.Rdev = format.CharDevice, format.DeviceNumber{Major: 1, Minor: 3}
	marked := sourcetest.File("a/marked", "x")
	marked.Entry.XAttrs = []format.XAttr{{Name: "user.a", Value: []byte("1")}, {Name: "user.b"}}
	sparse := sourcetest.File("a/sparse", "")
	sparse.Data = sourcetest.Random(1, 100_000).Holes(sourcetest.Run{Start: 10, End: 20}, sourcetest.Run{Start: 4096, End: 70_000})
	sourcetest.Check(t, sourcetest.New(
		sourcetest.File("b", "content"), sourcetest.Dir("dev"), device, sourcetest.Dir("a"), marked, sparse,
		sourcetest.Symlink("link", "nowhere"), sourcetest.File("empty", ""),
	))
}

func TestGeneratedSource(t *testing.T) {
	sourcetest.Check(t, sourcetest.Generated(func(yield func(sourcetest.Item) bool) {
		if !yield(sourcetest.Dir(format.Root)) {
			return
		}
		for i := range 2000 {
			f := sourcetest.File(format.Path(strconv.Itoa(10_000+i)), "")
			f.Data = sourcetest.Random(uint64(i), int64(i))
			if !yield(f) {
				return
			}
		}
	}))
}

func TestRandomContentDoesNotDependOnHowItIsRead(t *testing.T) {
	d := sourcetest.Random(7, 20_000)
	whole := make([]byte, d.Size)
	d.Fill(whole, 0)
	for offset := int64(0); offset < d.Size; offset += 777 {
		part := make([]byte, min(777, d.Size-offset))
		d.Fill(part, offset)
		if string(part) != string(whole[offset:][:len(part)]) {
			t.Fatalf("other bytes at %d", offset)
		}
	}
}

func TestFailuresAreAsGiven(t *testing.T) {
	broken := errors.New("broken")
	fails := sourcetest.File("a", "0123456789")
	fails.Data.Err, fails.Data.ErrAt = broken, 4
	fails.Stat = func(call int) format.Entry { return format.Entry{Size: int64(call)} }
	shut := sourcetest.File("b", "")
	shut.OpenErr = broken
	last := sourcetest.File("c", "")
	last.Err = broken
	next, stop := iter.Pull2(sourcetest.Watch(t, sourcetest.New(fails, shut, last)).Walk(t.Context(), source.Start{}))
	defer stop()
	root, _, _ := next()
	root.Handle.Close()

	n, _, _ := next()
	c, err := n.Handle.Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "0123" || err != broken {
		t.Errorf("read %q, %v", got, err)
	}
	for want := range int64(2) {
		if e, err := c.Stat(); e.Size != want || err != nil {
			t.Errorf("stat %d: %+v, %v", want, e, err)
		}
	}
	c.Close()
	n.Handle.Close()

	n, _, _ = next()
	if _, err := n.Handle.Open(); err != broken {
		t.Errorf("open: %v", err)
	}
	n.Handle.Close()
	if _, err, _ := next(); err != broken {
		t.Errorf("walk: %v", err)
	}
}
