package format

import "google.golang.org/protobuf/encoding/protowire"

// footerWriter encodes a footer while its block is filled: a message of many small ones kept as such would be most of
// what the collector has to look through. Its bytes are those of the generated code.
type footerWriter struct {
	frames   []byte
	members  []byte
	scratch  []byte
	progress *Progress
}

func (w *footerWriter) frame(f *Frame) {
	b := appendUint(w.scratch[:0], 1, uint64(f.StoredBytes))
	b = appendUint(b, 2, uint64(f.RawBytes))
	b = appendBytes(b, 3, f.Sum[:])
	w.frames = appendBytes(w.frames, 3, b)
	w.scratch = b
}

func (w *footerWriter) member(m *Member) {
	b := w.scratch[:0]
	if m.Path != Root {
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b = protowire.AppendString(b, string(m.Path))
	}
	b = appendUint(b, 2, uint64(m.Kind))
	b = appendUint(b, 3, uint64(m.Frame))
	b = appendUint(b, 4, uint64(m.Offset))
	b = appendUint(b, 5, uint64(m.Bytes))
	if !m.SHA256.IsZero() {
		b = appendBytes(b, 6, m.SHA256[:])
	}
	b = appendUint(b, 7, protowire.EncodeBool(m.Chunk))
	b = appendUint(b, 8, uint64(m.Start))
	w.members = appendBytes(w.members, 4, b)
	w.scratch = b
}

func (w *footerWriter) finish(band BandID, number uint64) []byte {
	b := appendBytes(nil, 1, []byte(band))
	b = appendUint(b, 2, number)
	b = append(append(b, w.frames...), w.members...)
	if w.progress != nil {
		b = appendBytes(b, 5, w.progress.encode())
	}
	return b
}

// appendUint appends a varint field, unless it has the default value.
func appendUint(b []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}
