package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
)

func TestWhatIsSealedOpensWholeAndInParts(t *testing.T) {
	keys := sealtest.Keys()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9/.]{0,200}`).Draw(t, "name")
		content := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "content")
		cut := rapid.IntRange(0, len(content)).Draw(t, "cut")
		sealed, key, err := keys.Seal(name, content[:cut], content[cut:])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := keys.Open(name, sealed); err != nil || !bytes.Equal(got, content) {
			t.Fatal(err)
		}
		if got := seal.ContentBytes(key, int64(len(sealed))); got != int64(len(content)) {
			t.Fatalf("%d bytes of content, not %d", got, len(content))
		}
		if found, err := keys.KeyOf(name, sealed[:min(len(sealed), seal.MaxHeaderBytes(name))]); err != nil || found != key {
			t.Fatal("the key is found as another one", err)
		}
		if err := seal.CheckRange(key, name, int64(len(sealed))); err != nil {
			t.Fatal(err)
		}
		from := rapid.IntRange(0, len(content)).Draw(t, "from")
		to := rapid.IntRange(from, len(content)).Draw(t, "to")
		r := seal.StoredRange(key, name, int64(from), int64(to-from))
		if r.Offset < 0 || r.Offset+r.Bytes > int64(len(sealed)) || r.Bytes > int64(to-from)+31 {
			t.Fatal(r, len(sealed))
		}
		part, err := seal.OpenRange(key, name, int64(from), sealed[r.Offset:r.Offset+r.Bytes])
		if err != nil || !bytes.Equal(part, content[from:to]) {
			t.Fatal("the part is another one", err)
		}
	})
}

func TestNoChangedMessageOpens(t *testing.T) {
	keys := sealtest.Keys()
	content := noise(300)
	sealed, _, err := keys.Seal("name", content)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, sealed []byte) {
		t.Helper()
		if got, err := keys.Open("name", sealed); err == nil {
			t.Errorf("%s: opens, and gives what was sealed: %v", what, bytes.Equal(got, content))
		}
	}
	for bit := range 8 * len(sealed) {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		if bit < 8*96 { // the session key has some bits that mean nothing
			if got, err := keys.Open("name", changed); err == nil && !bytes.Equal(got, content) {
				t.Errorf("bit %d flipped: something else opens", bit)
			}
			continue
		}
		refused(fmt.Sprintf("bit %d flipped", bit), changed)
	}
	for n := range sealed {
		refused(fmt.Sprintf("cut to %d bytes", n), sealed[:n])
	}
	refused("a byte more", append(bytes.Clone(sealed), 0))
	other, _, err := keys.Seal("other", content)
	if err != nil {
		t.Fatal(err)
	}
	refused("what was sealed by another name", other)
	refused("two messages", append(bytes.Clone(sealed), sealed...))
	for at := range sealed {
		refused("spliced", append(bytes.Clone(sealed[:at]), other[at:]...))
	}
}

func TestAnotherArchivesKeyOpensNothing(t *testing.T) {
	stranger, err := seal.Generate(strings.Repeat("f", 32), sealtest.Time, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _, err := seal.NewKeys(seal.KeysOptions{Public: &stranger.PublicKey, Random: rand.Reader}).Seal("name", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sealtest.Keys().Open("name", sealed); err == nil {
		t.Error("it opens")
	}
}

// remembered keeps session keys in memory.
type remembered map[seal.HeaderID]format.SessionKey

func (r remembered) Find(_ string, id seal.HeaderID) (format.SessionKey, bool) {
	key, ok := r[id]
	return key, ok
}

func (r remembered) Has(format.BandID) bool { return len(r) > 0 }

func (r remembered) Keep(_ string, id seal.HeaderID, key format.SessionKey) error {
	r[id] = key
	return nil
}

func TestAWriterWithoutTheSecretOpensWhatIsItsOwn(t *testing.T) {
	public, err := sealtest.Key().Armored()
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParsePublic(public)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("nobody has given it")
	keys := seal.NewKeys(seal.KeysOptions{Public: key, Own: remembered{}, Random: rand.Reader, Missing: cause})
	sealed, _, err := keys.Seal("name", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keys.Open("name", sealed); err != nil || string(got) != "content" {
		t.Error(err)
	}
	foreign, _, err := sealtest.Keys().Seal("name", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	var locked *seal.LockedError
	if _, err := keys.Open("name", foreign); !errors.As(err, &locked) || !errors.Is(err, cause) {
		t.Error(err)
	}
}

func TestNoKeyIsShown(t *testing.T) {
	key := sealtest.Key()
	armored, err := key.SecretArmored()
	if err != nil {
		t.Fatal(err)
	}
	_, k, err := sealtest.Keys().Seal("name", nil)
	if err != nil {
		t.Fatal(err)
	}
	block := format.Block{Seal: k}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d", "%s", "%q"} {
		for _, v := range []any{k, &k, block, &block, *key, key, sealtest.Keys()} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
	}
	for _, shown := range shown {
		for _, secret := range []string{
			fmt.Sprintf("%x", k.Session[:]), strings.Trim(fmt.Sprint(k.Session[:]), "[]"), fmt.Sprintf("%#x", k.Session[:]),
			string(armored[200:230]), strings.Trim(fmt.Sprint(key.ChunkerKey()), "[]"),
		} {
			if strings.Contains(shown, secret) {
				t.Errorf("a key is shown in %s", shown)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	keys := sealtest.Keys()
	for _, n := range []int{0, 1, 100} {
		sealed, _, err := keys.Seal("name", make([]byte, n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
	}
	f.Add([]byte{0xC1, 0, 0xD2, 0xFF, 0, 0, 0, 100, 1})
	f.Add([]byte{0xC1, 10, 3, 0, 0, 0, 0, 0, 0, 0, 0, 18, 0xD2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1})
	f.Fuzz(func(t *testing.T, stored []byte) {
		if content, err := keys.Open("name", stored); err == nil && len(content) > len(stored) {
			t.Error("more comes out than went in")
		}
		if key, err := keys.KeyOf("name", stored); err == nil && seal.CheckRange(key, "name", int64(len(stored))) == nil {
			r := seal.StoredRange(key, "name", 0, seal.ContentBytes(key, int64(len(stored))))
			if r.Offset < 0 || r.Offset+r.Bytes > int64(len(stored)) {
				t.Error("a range outside the message", r)
			}
		}
	})
}

func FuzzSealedSecret(f *testing.F) {
	for _, make := range []func() ([]byte, error){
		func() ([]byte, error) { return seal.SealSecretByPassphrase(sealtest.Key(), []byte("p"), rand.Reader) },
		func() ([]byte, error) {
			sealed, _, err := sealtest.Keys().Seal("name", []byte("x"))
			return sealed, err
		},
	} {
		sealed, err := make()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
		f.Add(sealed[:60])
		few := bytes.Clone(sealed)
		few[14] = 0
		f.Add(few)
	}
	f.Add([]byte{0xC3, 13, 4, 9, 4, 1, 2, 3, 4, 5, 6, 7, 8, 1, 4, 21}) // Argon2
	f.Fuzz(func(t *testing.T, sealed []byte) {
		_, _ = seal.WayOf(sealed)
		if len(sealed) > 14 && sealed[14] < 0x60 { // where the count of iterations is; a high one takes a while
			_, _ = seal.OpenByPassphrase(sealed, []byte("no"))
		}
		_, _ = seal.ParsePublic(sealed)
	})
}
