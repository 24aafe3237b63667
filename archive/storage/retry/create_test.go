package retry_test

import (
	"bytes"
	"context"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/retry"
	"dura/archive/storage/storagetest"
)

func TestACreateThatWasPerformedAndNotAcknowledgedSucceeds(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcde"), 200_000)
	for what, parts := range map[string][][]byte{
		"small": {[]byte("in "), nil, []byte("parts")}, "empty": {}, "large": {large[:5], large[5:2_500_000], large[2_500_000:]},
	} {
		fails := unavailable(storage.OpCreate, "a")
		inner := script(memory.New(), true, fails)
		s := retry.New(inner, patient())
		if err := s.Create(t.Context(), "a", parts...); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got := inner.Counts(); got.Creates != 2 || got.Stats != 1 || got.ReadBytes != int64(len(bytes.Join(parts, nil))) || got.Deletes > 0 {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// appearing has an object appear under the name that is created, as if it came from elsewhere, and fails the first create.
type appearing struct {
	storage.Storage
	object []byte
	once   bool
}

func (a *appearing) Create(ctx context.Context, name string, parts ...[]byte) error {
	if !a.once {
		a.once = true
		if err := a.Storage.Create(ctx, name, a.object); err != nil {
			return err
		}
		return unavailable(storage.OpCreate, name)
	}
	return a.Storage.Create(ctx, name, parts...)
}

func TestACreateThatFindsOtherBytesFails(t *testing.T) {
	want := bytes.Repeat([]byte("x"), 3<<20)
	change := func(at int) []byte { b := bytes.Clone(want); b[at] ^= 1; return b }
	for what, object := range map[string][]byte{
		"none": {}, "fewer": want[1:], "more": append(bytes.Clone(want), 'x'),
		"another first": change(0), "another last": change(len(want) - 1), "another between": change(1<<20 + 1),
	} {
		inner := &appearing{Storage: memory.New(), object: object}
		s := retry.New(inner, patient())
		if err := s.Create(t.Context(), "a", want[:7], want[7:]); !storage.Is(err, storage.KindExists) {
			t.Errorf("%s: %v", what, err)
		}
		if got, err := inner.Read(t.Context(), "a", 0, len(want)+1); err != nil || !bytes.Equal(got, object) {
			t.Errorf("%s: the object is another one now, of %d bytes (%v)", what, len(got), err)
		}
	}
}

// The look at what is there may fail as well, or find it gone.
func TestACreateIsSettledHoweverOftenTheLookFails(t *testing.T) {
	fails := unavailable(storage.OpCreate, "a")
	inner := script(memory.New(), true, fails)
	looks := 0
	s := retry.New(storagetest.NewFaulty(inner, func(op storagetest.Operation) error {
		if op.Op == storage.OpStat || op.Op == storage.OpRead {
			if looks++; looks%3 != 0 {
				return op.Error(storage.KindUnavailable)
			}
		}
		return nil
	}), patient())
	if err := s.Create(t.Context(), "a", []byte("content")); err != nil {
		t.Error(err)
	}
	if got := inner.Counts(); got.Creates != 2 || looks < 5 {
		t.Errorf("%d looks, %+v", looks, got)
	}

	memory := memory.New()
	vanishing := storagetest.NewFaulty(memory, func(op storagetest.Operation) error {
		switch {
		case op.Number == 1:
			create(t, memory, "a", "content")
			return op.Error(storage.KindUnavailable)
		case op.Op == storage.OpStat:
			if err := memory.Delete(context.Background(), "a"); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	if err := retry.New(vanishing, patient()).Create(t.Context(), "a", []byte("content")); err != nil {
		t.Error(err)
	}
	if got, err := memory.Read(t.Context(), "a", 0, 10); string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestADeleteThatWasPerformedAndNotAcknowledgedSucceeds(t *testing.T) {
	inner := memory.New()
	create(t, inner, "a", "x")
	if err := retry.New(script(inner, true, unavailable(storage.OpDelete, "a")), patient()).Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if err := retry.New(inner, patient()).Delete(t.Context(), "a"); !storage.Is(err, storage.KindNotFound) {
		t.Error(err)
	}
}
