package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"

	"dura/archive/format"
)

// A message is: key packets, the head of the sealed packet, and what is encrypted, which is prefix, literal packet and check.
const (
	tagRecipient = 0xC1 // session key for a public key
	tagSealed    = 0xD2
	tagLiteral   = 0xCB

	longLength       = 0xFF // a length of four bytes follows
	sealedHeadBytes  = 7    // tag, length, version
	prefixBytes      = 18   // 16 random ones, the last two again
	literalHeadBytes = 12   // tag, length, mode, length of the name, date
	checkBytes       = 22   // D3 14, and SHA-1

	maxKeyPackets   = 64
	maxNameBytes    = 255
	maxContentBytes = math.MaxUint32 - 1024
)

// headBytes is how far the content begins behind the key packets.
func headBytes(name string) int { return sealedHeadBytes + prefixBytes + literalHeadBytes + len(name) }

// message seals parts in a row, as what is called name.
func message(keys []byte, key format.SessionKey, random [16]byte, name string, parts ...[]byte) ([]byte, error) {
	bytes := int64(0)
	for _, p := range parts {
		bytes += int64(len(p))
	}
	if bytes > maxContentBytes || len(name) > maxNameBytes {
		return nil, fmt.Errorf("%d bytes named %q are too many for a message", bytes, name)
	}
	encrypted := prefixBytes + literalHeadBytes + len(name) + int(bytes) + checkBytes
	out := make([]byte, 0, len(keys)+sealedHeadBytes+encrypted)
	out = append(append(out, keys...), tagSealed, longLength)
	out = append(binary.BigEndian.AppendUint32(out, uint32(encrypted+1)), 1)

	head := append(random[:], random[14], random[15])
	head = append(head, tagLiteral, longLength)
	head = binary.BigEndian.AppendUint32(head, uint32(literalHeadBytes-6+len(name)+int(bytes)))
	head = append(append(head, 'b', byte(len(name))), name...)
	head = append(head, 0, 0, 0, 0)

	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	cfb := cipher.NewCFBEncrypter(block, make([]byte, aes.BlockSize)) //lint:ignore SA1019 the format's mode; SHA-1 below checks it
	sum := sha1.New()
	add := func(plain []byte) {
		sum.Write(plain)
		n := len(out)
		out = out[:n+len(plain)]
		cfb.XORKeyStream(out[n:], plain)
	}
	add(head)
	for _, p := range parts {
		add(p)
	}
	add([]byte{0xD3, sha1.Size})
	add(sum.Sum(nil))
	return out, nil
}

// outline is where the parts of an object's message lie.
type outline struct {
	recipient      []byte // the packet with the session key
	encryptedAt    int    // where what is encrypted begins
	encryptedBytes int64  // how much there is of it
}

// outlineOf looks at the start of a message, which must reach to what is encrypted.
func outlineOf(start []byte) (outline, error) {
	n := recipientBytes(start)
	if rest := start[n:]; n > 0 && len(rest) >= sealedHeadBytes && rest[0] == tagSealed && rest[1] == longLength && rest[6] == 1 {
		length := int64(binary.BigEndian.Uint32(rest[2:]))
		if length >= 1+prefixBytes+literalHeadBytes+checkBytes {
			return outline{start[:n:n], n + sealedHeadBytes, length - 1}, nil
		}
	}
	return outline{}, corrupt("it does not begin as one")
}

// recipientBytes is how long the packet with the session key is; 0 where there is none.
func recipientBytes(start []byte) int {
	const oneByteLength = 192
	if len(start) < 2 || start[0] != tagRecipient || start[1] >= oneByteLength || int(start[1])+2 > len(start) {
		return 0
	}
	return int(start[1]) + 2
}

func corrupt(reason string, args ...any) error {
	return &format.CorruptError{What: "message", Reason: fmt.Sprintf(reason, args...)}
}

// errOtherKey says that a session key is not that of a message.
var errOtherKey = corrupt("its session key does not fit")

// open gives what a message holds, and its name, once the check has shown that nothing of it was changed.
func open(o outline, stored []byte, key format.SessionKey) (name string, content []byte, err error) {
	encrypted := stored[o.encryptedAt:]
	if int64(len(encrypted)) != o.encryptedBytes {
		return "", nil, corrupt("it has %d bytes, and says %d", len(encrypted), o.encryptedBytes)
	}
	plain, err := decrypt(encrypted, make([]byte, aes.BlockSize), key)
	if err != nil {
		return "", nil, err
	}
	if plain[14] != plain[16] || plain[15] != plain[17] {
		return "", nil, errOtherKey
	}
	checked := plain[:len(plain)-sha1.Size]
	sum := sha1.Sum(checked)
	if subtle.ConstantTimeCompare(sum[:], plain[len(checked):]) != 1 {
		return "", nil, &format.MismatchError{What: "message"}
	}
	literal := checked[prefixBytes : len(checked)-2]
	if checked[len(checked)-2] != 0xD3 || checked[len(checked)-1] != sha1.Size || literal[0] != tagLiteral || literal[1] != longLength ||
		int64(binary.BigEndian.Uint32(literal[2:])) != int64(len(literal)-6) {
		return "", nil, corrupt("it holds something else than one literal")
	}
	nameBytes := int(literal[7])
	if literal[6] != 'b' || len(literal) < literalHeadBytes+nameBytes {
		return "", nil, corrupt("its literal is of another form")
	}
	return string(literal[8 : 8+nameBytes]), literal[literalHeadBytes+nameBytes:], nil
}

// decrypt undoes the encryption of what lies behind the 16 encrypted bytes iv, or at the start, where those are zeros.
func decrypt(encrypted, iv []byte, key format.SessionKey) ([]byte, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(encrypted))
	cipher.NewCFBDecrypter(block, iv).XORKeyStream(plain, encrypted) //lint:ignore SA1019 as above
	return plain, nil
}
