package format

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// MaxTextBytes bounds DURA-ARCHIVE, heads and tails.
const MaxTextBytes = 16 << 20

// marshalText writes m in the one layout FORMAT.md fixes: fields by number, one a line, two spaces a level, defaults left
// out. The library's own output is unstable on purpose.
func marshalText(m proto.Message) []byte {
	var b strings.Builder
	appendMessage(&b, m.ProtoReflect(), "")
	return []byte(b.String())
}

func appendMessage(b *strings.Builder, m protoreflect.Message, indent string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i) // the schema lists fields by number
		if !m.Has(field) {
			continue
		}
		value := m.Get(field)
		if !field.IsList() {
			appendField(b, field, value, indent)
			continue
		}
		for j := range value.List().Len() {
			appendField(b, field, value.List().Get(j), indent)
		}
	}
}

func appendField(b *strings.Builder, field protoreflect.FieldDescriptor, v protoreflect.Value, indent string) {
	b.WriteString(indent + string(field.Name()))
	switch field.Kind() {
	case protoreflect.MessageKind:
		b.WriteString(" {\n")
		appendMessage(b, v.Message(), indent+"  ")
		b.WriteString(indent + "}\n")
	case protoreflect.StringKind:
		b.WriteString(": " + quoteText(v.String()) + "\n")
	case protoreflect.BytesKind:
		b.WriteString(": " + quoteText(string(v.Bytes())) + "\n")
	default:
		fmt.Fprintf(b, ": %s\n", strconv.FormatUint(v.Uint(), 10)) // text messages have no other kinds
	}
}

// quoteText quotes s: printable ASCII as it is, '"' and '\' behind a backslash, every other byte as three octal digits.
func quoteText(s string) string {
	q := make([]byte, 0, len(s)+2)
	q = append(q, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			q = append(q, '\\', c)
		case c < ' ' || c > '~':
			q = append(q, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			q = append(q, c)
		}
	}
	return string(append(q, '"'))
}

// unmarshalText parses what marshalText wrote, and any other text form of m, passing over fields not known here.
func unmarshalText(what string, text []byte, m proto.Message) error {
	if len(text) > MaxTextBytes {
		return corrupt(what, "%d bytes are more than the %d allowed", len(text), MaxTextBytes)
	}
	if err := (prototext.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, m); err != nil {
		return &CorruptError{What: what, Reason: "not a text protobuf", Err: err}
	}
	return nil
}
