package archive

import (
	"context"
	"errors"

	"dura/archive/format"
	"dura/archive/parity"
)

// groupReadBytes is what one read of an end of a parity object brings: most descriptions take less.
const groupReadBytes = 64 << 10

// ParityObject is a parity object as a listing has it.
type ParityObject struct {
	Name        string
	StoredBytes int64
	Of          string // of a repaired copy: the name of the parity object that it should be
}

// of is the name of the parity object that it is, or should be.
func (o *ParityObject) of() string {
	if o.Of != "" {
		return o.Of
	}
	return o.Name
}

// ReadParityGroup reads what a parity object says of its group, from whichever of its ends is whole, and where in the object the shard
// is.
func (a *Archive) ReadParityGroup(ctx context.Context, o ParityObject) (*parity.Group, parity.Label, error) {
	band, kind, number, err := format.ParseObjectName(o.of())
	if err != nil || kind != format.ParityObject {
		return nil, parity.Label{}, &Error{Op: opRead, Object: o.Name, Kind: KindNotFound}
	}
	g, label, err := a.groupAt(ctx, o, false)
	if err != nil && !isContextError(err) {
		var again error
		if g, label, again = a.groupAt(ctx, o, true); again == nil {
			err = nil
		} else {
			err = errors.Join(err, again)
		}
	}
	if err == nil && (g.Band != band || g.Number != number || g.ObjectName(label.Place) != o.of()) {
		err = &format.CorruptError{What: "parity object", Reason: "it is another one"}
	}
	return g, label, objectError(opRead, band, o.Name, err)
}

// groupAt reads label and description at the start of the object, or at its end.
func (a *Archive) groupAt(ctx context.Context, o ParityObject, atEnd bool) (*parity.Group, parity.Label, error) {
	bytes := min(groupReadBytes, o.StoredBytes)
	for {
		offset := int64(0)
		if atEnd {
			offset = o.StoredBytes - bytes
		}
		piece, err := a.readExactly(ctx, o.Name, offset, bytes)
		if err != nil {
			return nil, parity.Label{}, err
		}
		labelAt, descriptionAt := 0, parity.LabelBytes
		if atEnd {
			labelAt = max(len(piece)-parity.LabelBytes, 0)
		}
		label, err := parity.DecodeLabel(piece[labelAt:min(labelAt+parity.LabelBytes, len(piece))])
		if err != nil {
			return nil, label, err
		}
		if need := label.ShardOffset(); need > bytes {
			if need > o.StoredBytes {
				return nil, label, &sizeError{o.StoredBytes, need}
			}
			bytes = need
			continue
		}
		if atEnd {
			descriptionAt = labelAt - int(label.DescriptionBytes)
		}
		g, err := label.Describe(piece[descriptionAt:][:label.DescriptionBytes])
		return g, label, err
	}
}
