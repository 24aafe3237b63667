package seal_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"dura/archive/seal"
	"dura/archive/seal/sealtest"
)

// packetsOf are the packets of a public key: the key, the user id, what binds that, the subkey, and what binds that.
func packetsOf(t *testing.T, k *seal.SecretKey) [][]byte {
	t.Helper()
	text, err := k.Armored()
	if err != nil {
		t.Fatal(err)
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	for r := packet.NewOpaqueReader(block.Body); ; {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		var out bytes.Buffer
		if err == nil {
			err = p.Serialize(&out)
		}
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, out.Bytes())
	}
	if len(packets) != 5 {
		t.Fatalf("an archive's key has %d packets", len(packets))
	}
	return packets
}

func armoredKey(t *testing.T, packets ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, "PGP PUBLIC KEY BLOCK", nil)
	if err == nil {
		_, err = w.Write(bytes.Join(packets, nil))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Who may write to the storage can put a public key there that has the archive's fingerprint, and a subkey of their own: that of the archive's
// key that is encrypted to.
func TestAKeyIsTakenOnlyAsItsOwnerSignedIt(t *testing.T) {
	stranger, err := seal.Generate(strings.Repeat("f", 32), sealtest.Time, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := packetsOf(t, sealtest.Key()), packetsOf(t, stranger)
	if k, err := seal.ParsePublic(armoredKey(t, mine...)); err != nil || k.Fingerprint() != sealtest.Key().Fingerprint() {
		t.Fatal(err)
	}
	for what, packets := range map[string][][]byte{
		"another subkey":                        {mine[0], mine[1], mine[2], theirs[3], theirs[4]},
		"another subkey, the signature of mine": {mine[0], mine[1], mine[2], theirs[3], mine[4]},
		"another subkey beside mine":            {mine[0], mine[1], mine[2], mine[3], mine[4], theirs[3], theirs[4]},
		"another subkey ahead of mine":          {mine[0], mine[1], mine[2], theirs[3], theirs[4], mine[3], mine[4]},
		"a subkey without a signature":          {mine[0], mine[1], mine[2], mine[3]},
		"no subkey":                             mine[:3],
		"two keys":                              append(append([][]byte{}, mine...), theirs...),
	} {
		if k, err := seal.ParsePublic(armoredKey(t, packets...)); err == nil {
			t.Errorf("%s: it is taken as %s", what, k.Fingerprint())
		}
	}
	named, err := seal.ParsePublic(armoredKey(t, mine[0], theirs[1], mine[2], mine[3], mine[4]))
	if err == nil {
		_, _, err = named.Archive()
	}
	if err == nil {
		t.Error("it is taken as that of another archive")
	}
}
