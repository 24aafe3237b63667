package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"dura/archive/format"
	"dura/writer/source"
)

// Check walks src several times and fails the test where it doesn't do what source.Source promises. Nothing may change src
// meanwhile, and everything in it must be readable. It keeps all its entries in memory.
func Check(t *testing.T, src source.Source) {
	t.Helper()
	entries := walkWhole(t, src)
	t.Run("a second walk is like the first", func(t *testing.T) {
		if again := walkWhole(t, src); !reflect.DeepEqual(again, entries) {
			t.Errorf("got %d entries, then %d, or others", len(entries), len(again))
		}
	})
	t.Run("a walk may be broken off", func(t *testing.T) {
		for _, nodes := range []int{1, 2, len(entries) / 2} {
			left := nodes
			for n, err := range src.Walk(t.Context(), source.Start{}) {
				if err != nil {
					t.Fatal(err)
				}
				n.Handle.Close()
				if left--; left <= 0 {
					break
				}
			}
		}
	})
	t.Run("a walk behind a path is the rest of one", func(t *testing.T) { checkStarts(t, src, entries) })
	t.Run("a cancelled walk ends with the cause", func(t *testing.T) { checkCancelled(t, src, len(entries)) })
	t.Run("handles outlive the walk", func(t *testing.T) { checkHandles(t, src, entries) })
}

// walkWhole returns the entries and checks each by itself and with those ahead of it.
func walkWhole(t *testing.T, src source.Source) (entries []format.Entry) {
	t.Helper()
	dirs := map[format.Path]bool{}
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		if err != nil {
			t.Fatal(err)
		}
		e := n.Entry
		n.Handle.Close()
		for _, problem := range problems(&n) {
			t.Errorf("%q: %s", e.Path, problem)
		}
		if len(entries) == 0 {
			if e.Path != format.Root || e.Kind != format.Directory {
				t.Fatalf("the first entry is %q, of kind %d, and not the root", e.Path, e.Kind)
			}
		} else if last := entries[len(entries)-1].Path; format.Compare(last, e.Path) >= 0 {
			t.Fatalf("%q comes behind %q", e.Path, last)
		}
		if parent, _ := e.Path.Split(); e.Path != format.Root && !dirs[parent] {
			t.Errorf("%q has no directory to stand in", e.Path)
		}
		dirs[e.Path] = e.Kind == format.Directory
		entries = append(entries, e)
	}
	return entries
}

// problems are those of one node.
func problems(n *source.Node) (found []string) {
	e := &n.Entry
	is := func(kinds ...format.Kind) bool {
		for _, k := range kinds {
			if e.Kind == k {
				return true
			}
		}
		return false
	}
	for problem, has := range map[string]bool{
		"the path is not valid":             !format.ValidPath(string(e.Path)),
		"the kind is unknown":               e.Kind < format.File || e.Kind > format.BlockDevice,
		"the mode has strange bits":         e.Mode > 0o7777,
		"mtime has too many nanoseconds":    e.MTime.Nanos >= 1e9,
		"ctime has too many nanoseconds":    e.CTime.Nanos >= 1e9,
		"only a file has a size":            e.Size != 0 && !is(format.File),
		"the size is negative":              e.Size < 0,
		"a link has a target, others don't": (e.Target != "") != is(format.Symlink),
		"only a device has a number":        e.Rdev != format.DeviceNumber{} && !is(format.CharDevice, format.BlockDevice),
		"one link is none":                  e.Links == 1,
		"a directory counts no links":       e.Links != 0 && is(format.Directory),
		"the walk tells no xattrs":          e.XAttrs != nil,
		"LinkTo is the writer's":            e.LinkTo != "",
		"the blocks are negative":           n.Blocks < 0,
		"it has no local name":              n.Handle.Filename() == "",
	} {
		if has {
			found = append(found, problem)
		}
	}
	return found
}

func checkCancelled(t *testing.T, src source.Source, entries int) {
	for _, after := range []int{0, entries / 2} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		if after == 0 {
			cancel(cause)
		}
		seen, failed := 0, false
		for n, err := range src.Walk(ctx, source.Start{}) {
			if failed {
				t.Error("the walk goes on after an error")
			}
			if err != nil {
				failed = true
				if err != cause {
					t.Errorf("it ends with %v", err)
				}
				continue
			}
			n.Handle.Close()
			if seen++; seen == after {
				cancel(cause)
			}
		}
		cancel(nil)
		if !failed && seen < entries {
			t.Errorf("it ended after %d of %d entries without an error", seen, entries)
		}
	}
}

// checkHandles keeps handles until the walk is over, up to some hundreds of them, and uses them then.
func checkHandles(t *testing.T, src source.Source, entries []format.Entry) {
	keep := map[format.Path]source.Node{}
	every := max(1, len(entries)/300)
	i := 0
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		if err != nil {
			t.Fatal(err)
		}
		if i++; i%every == 0 {
			keep[n.Entry.Path] = n
		} else {
			n.Handle.Close()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for path, n := range keep {
			if err := checkHandle(n); err != nil {
				t.Errorf("%q: %v", path, err)
			}
			if err := n.Handle.Close(); err != nil {
				t.Errorf("%q: close: %v", path, err)
			}
		}
	}()
	<-done
}

func checkHandle(n source.Node) error {
	attrs, err := n.Handle.XAttrs()
	if err != nil {
		return err
	}
	for i := 1; i < len(attrs); i++ {
		if strings.Compare(attrs[i-1].Name, attrs[i].Name) >= 0 {
			return errors.New("xattrs are not sorted")
		}
	}
	c, err := n.Handle.Open()
	if n.Entry.Kind != format.File {
		if err == nil {
			return errors.New("what is no file was opened")
		}
		return nil
	}
	if err != nil {
		return err
	}
	err = checkContent(n.Entry, attrs, c)
	return errors.Join(err, c.Close())
}

func checkContent(e format.Entry, attrs []format.XAttr, c source.Content) error {
	now, err := c.Stat()
	if err != nil {
		return err
	}
	e.Path, e.Target, e.XAttrs = "", "", nil
	if !reflect.DeepEqual(now, e) {
		return errors.New("the open file has other metadata than the entry")
	}
	if again, err := c.XAttrs(); err != nil || !reflect.DeepEqual(again, attrs) {
		return errors.Join(errors.New("the open file has other xattrs"), err)
	}
	whole, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if int64(len(whole)) != e.Size {
		return errors.New("the content has another size")
	}
	for _, offset := range []int64{0, e.Size / 3, e.Size / 2, e.Size} {
		if err := c.SeekTo(offset); err != nil {
			return err
		}
		if rest, err := io.ReadAll(c); err != nil || !bytes.Equal(rest, whole[offset:]) {
			return errors.Join(fmt.Errorf("behind a seek to %d there is something else", offset), err)
		}
	}
	return checkRuns(whole, c)
}

// checkRuns checks that data and holes together are the whole.
func checkRuns(whole []byte, c source.Content) error {
	size := int64(len(whole))
	put := make([]byte, size)
	for at := int64(0); at < size; {
		start, end, err := c.NextData(at)
		if err != nil {
			return err
		}
		if start < at || end < start || end > size || start == end && start != size {
			return errors.New("a run of data is out of bounds")
		}
		if start < end {
			if _, err := io.ReadFull(c, put[start:end]); err != nil {
				return err
			}
		}
		at = max(end, start)
	}
	if !bytes.Equal(put, whole) {
		return errors.New("data and holes are not the content")
	}
	start, end, err := c.NextData(size)
	if err == nil && (start != size || end != size) {
		return errors.New("there is data behind the end")
	}
	return err
}
