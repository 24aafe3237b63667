package compare

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// sumsOfBoth compares the hashes that both .sha256 have, and notes those of head and tail.
func (b *band) sumsOfBoth(ctx context.Context) error {
	if !b.states[here].HasSums || !b.states[there].HasSums {
		return nil
	}
	var streams [2]iter.Seq2[format.Sum, error]
	for s, a := range b.archives {
		streams[s] = inOrder(format.SumsName(b.id), a.Sums(ctx, b.id), a.Head().Sealed())
	}
	for both, failed := range merged(streams, func(x, y *format.Sum) int { return strings.Compare(x.Object, y.Object) }) {
		if failed != nil {
			b.told[format.SumsName(b.id)] = true
			return b.failed(ctx, failed.side, format.SumsName(b.id), failed.err)
		}
		b.line(both)
	}
	b.readSums = true
	return nil
}

// line compares what the two have of one object.
func (b *band) line(both [2]*format.Sum) {
	for s, sum := range both {
		if sum != nil && b.texts[sum.Object] {
			b.sums[s][sum.Object] = sum.SHA256
		}
	}
	h, t := both[here], both[there]
	name := either(h, t).Object
	_, kind, _, err := format.ParseObjectName(name)
	switch {
	case err != nil, kind == format.OtherObject, kind == format.ParityObject, b.indexes.isOfOne(name, kind, h != nil, t != nil):
	case h == nil && !b.told[name]:
		b.lacks[here] = name
	case t == nil && !b.told[name]:
		b.lacks[there] = name
	case h != nil && t != nil && h.SHA256 != t.SHA256 && len(b.disagreed) < maxDisagreed:
		b.disagreed = append(b.disagreed, name)
	}
}

// inOrder yields the lines of a .sha256 as long as they are in the order of names, with these as the archive's storage has them. Those of objects
// that such an archive can't have are left out.
func inOrder(name string, lines iter.Seq2[format.Sum, error], sealed bool) iter.Seq2[format.Sum, error] {
	return func(yield func(format.Sum, error) bool) {
		last := ""
		for sum, err := range lines {
			stored, ok := sum.Object, true
			if sum.Object, ok = format.NameOf(stored, sealed); err == nil && !ok {
				continue
			}
			if err == nil && sum.Object <= last {
				cause := &format.CorruptError{What: "sums", Reason: fmt.Sprintf("its line for %s is out of order", sum.Object)}
				yield(sum, &archive.Error{Op: "compare", Band: bandOf(name), Object: name, Kind: archive.KindCorrupt, Err: cause})
				return
			}
			last = sum.Object
			if !yield(sum, err) {
				return
			}
		}
	}
}

func bandOf(name string) format.BandID {
	band, _, _, _ := format.ParseObjectName(name)
	return band
}

// disagreements tells of objects of which the .sha256 have different hashes. Where both have the same tail, and so the same index,
// one of the .sha256 is wrong.
func (b *band) disagreements(context.Context) error {
	if name := b.lacks[here]; name != "" {
		if err := b.object(alarm.Mismatch, format.SumsName(b.id), "it has no line for %s, which the one in %s has", name, b.o.Other); err != nil {
			return err
		}
	}
	if name := b.lacks[there]; name != "" {
		if err := b.object(alarm.Mismatch, format.SumsName(b.id), "in %s it has no line for %s", b.o.Other, name); err != nil {
			return err
		}
	}
	for _, name := range b.disagreed {
		var err error
		switch {
		case b.same[name], !b.texts[name] && b.sameIndex():
			err = b.object(alarm.Mismatch, format.SumsName(b.id), "it and the one in %s have different hashes of %s, which is the same in both", b.o.Other, name)
		default:
			err = b.object(alarm.Mismatch, name, "its hash in %s is another one than in %s", format.SumsName(b.id), b.o.Other)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
