package format

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func FuzzDecodeTarMembers(f *testing.F) {
	e := Entry{Path: "a\xff", Kind: File, Mode: 0o4755, Owner: Owner{UID: 1 << 31, User: "é"}, XAttrs: []XAttr{{"user.a", []byte("=\n")}}}
	f.Add(append(AppendTarHeader(nil, &e, 3), append([]byte("abc"), make([]byte, 509)...)...))
	e.LinkTo = "b"
	f.Add(AppendTarHeader(AppendTarPartHeader(nil, &e, 5, 0), &e, 0))
	f.Fuzz(func(t *testing.T, frame []byte) {
		members, _ := DecodeTarMembers(frame)
		for _, m := range members {
			if int(m.Offset) > len(frame) || m.Entry.Mode > 0o7777 {
				t.Fatalf("%+v of %d bytes", m, len(frame))
			}
		}
	})
}

// Symbolic links that stand for further names lead back to the file.
func TestLinkedFromUndoesRelative(t *testing.T) {
	paths := rapid.Custom(func(t *rapid.T) Path {
		p := Root
		for range rapid.IntRange(1, 4).Draw(t, "depth") {
			p = p.Join(rapid.SampledFrom([]string{"a", "..b", "c\xff", "d e"}).Draw(t, "name"))
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		from, to := paths.Draw(t, "from"), paths.Draw(t, "to")
		if got, ok := LinkedFrom(from, Relative(from, to)); from != to && !from.Within(to) && (!ok || got != to) {
			t.Fatalf("%q from %q: %q", to, from, got)
		}
	})
	if _, ok := LinkedFrom("a", "/etc"); ok {
		t.Error("an absolute one leads out of the band")
	}
}

// Of a member's header all that tar holds comes back.
func TestTarMembersComeBack(t *testing.T) {
	for _, e := range []Entry{
		{Path: "d", Kind: Directory, Mode: 0o1777}, {Path: "l", Kind: Symlink, Mode: 0o777, Target: "to\xff"}, {Path: "p", Kind: FIFO, Mode: 0o600},
		{Path: "c", Kind: CharDevice, Rdev: DeviceNumber{1, 5}}, {Path: "b", Kind: BlockDevice, Rdev: DeviceNumber{8, 1 << 20}},
		{Path: "f", Kind: File, Mode: 0o6755, Owner: Owner{1 << 31, 5, "user", "a group of a long name, with é in it"}, MTime: Time{Seconds: -5}, XAttrs: []XAttr{{"user.a", []byte("\x00=")}}},
	} {
		frame := AppendTarHeader(AppendTarHeader(nil, &Entry{Path: "ahead", Kind: FIFO}, 0), &e, 0)
		members, err := DecodeTarMembers(frame)
		e.Path = Root
		if err != nil || len(members) != 2 || !reflect.DeepEqual(members[1].Entry, e) || int(members[1].Offset) != len(frame) {
			t.Errorf("%+v is not %+v: %v", members, e, err)
		}
	}
}
