package format

import (
	"encoding/hex"
	"strings"
)

// AppendSum appends the line for one object to the content of a band's .sha256, as sha256sum writes it: object's name
// relative to bands/.
func AppendSum(dst []byte, object string, sum Hash) []byte {
	dst = hex.AppendEncode(dst, sum[:])
	dst = append(dst, "  "...)
	return append(append(dst, strings.TrimPrefix(object, BandsPrefix)...), '\n')
}

// Sum is one line of a .sha256.
type Sum struct {
	Object string
	SHA256 Hash
}

// DecodeSums parses a .sha256.
func DecodeSums(text []byte) ([]Sum, error) {
	var sums []Sum
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		digits, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		sum, err := hashFromHex("sums", digits)
		if !ok || err != nil || name == "" {
			return nil, corrupt("sums", "line %d is not a hash and a name", number)
		}
		sums = append(sums, Sum{BandsPrefix + name, sum})
	}
	return sums, nil
}
