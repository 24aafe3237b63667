package format

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// seals draws what blocks of archives have that are encrypted, or not.
var seals = rapid.Custom(func(t *rapid.T) SealKey {
	if rapid.Bool().Draw(t, "plain") {
		return SealKey{}
	}
	key := SealKey{HeaderBytes: rapid.Uint32().Draw(t, "header")}
	copy(key.Session[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
	return key
})

func TestNamesOfSealedObjects(t *testing.T) {
	band := BandID("2026-11-23-101500-4f2a9c")
	for name, sealed := range map[string]bool{
		HeadName(band): true, TailName(band): true, AlarmsName(band): true, BlockName(band, 1234): true, HunkName(band, 7): true,
		SpansName(band, 7): true, FenceName(band, 7): true, SumsName(band): false, DeletedName(band): false, ArchiveName: false, ReadmeName: false,
		SchemaName: false, RecoverName: false, PublicKeyName: false, SecretKeyName(3): false, "bands/" + string(band) + "/parity/000/000000-0.rs": false,
	} {
		want := name
		if sealed {
			want += ".gpg"
		}
		if StoredName(name, true) != want || StoredName(name, false) != name {
			t.Error(name, StoredName(name, true))
		}
	}
	for name, want := range map[string]uint64{"keys/archive.sec.0.gpg": 0, "keys/archive.sec.17.gpg": 17} {
		if n, ok := ParseSecretKeyName(name); !ok || n != want || SecretKeyName(n) != name {
			t.Error(name, n, ok)
		}
	}
	for _, name := range []string{PublicKeyName, "keys/archive.sec.00.gpg", "keys/archive.sec.-1.gpg", "keys/archive.sec.1", "archive.sec.1.gpg"} {
		if n, ok := ParseSecretKeyName(name); ok {
			t.Error(name, n)
		}
	}
}

func TestAnEncryptedArchivesHead(t *testing.T) {
	head := ArchiveHead{ID: strings.Repeat("0123456789abcdef", 2), Created: BandID("2026-11-23-101500-4f2a9c").Time(), KeyFingerprint: strings.Repeat("0123456789", 4)}
	text := string(EncodeArchiveHead(head))
	if got, err := DecodeArchiveHead([]byte(text)); err != nil || got != head || !got.Sealed() {
		t.Error(got, err)
	}
	feature := `required_features: "openpgp"` + "\n"
	if !strings.Contains(text, feature) {
		t.Error(text)
	}
	var corrupt *CorruptError
	for _, changed := range []string{strings.Replace(text, feature, "", 1), strings.Replace(text, "0123456789\"", "012345678\"", 1), strings.Replace(text, "key_fingerprint", "#", 1)} {
		if got, err := DecodeArchiveHead([]byte(changed)); changed == text || !errors.As(err, &corrupt) {
			t.Errorf("%s is taken for %+v: %v", changed, got, err)
		}
	}
	var unsupported *UnsupportedError
	if _, err := DecodeArchiveHead([]byte(strings.Replace(text, feature, feature+`required_features: "magic"`+"\n", 1))); !errors.As(err, &unsupported) || unsupported.Feature != "magic" {
		t.Error(err)
	}
}

func TestAKeyOfAnotherSizeIsNoSessionKey(t *testing.T) {
	block := &Block{Band: "2026-11-23-101500-4f2a9c", StoredBytes: 1000, Seal: SealKey{HeaderBytes: 1, Session: SessionKey{1}}}
	m := blockToPB(block)
	m.SessionKey = m.SessionKey[:31]
	raw, err := marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeSpanList(appendBytes(nil, 1, raw)); err == nil {
		t.Error("a session key of 31 bytes")
	}
}

func TestTheChunkerOfAnArchiveHasItsOwnCuts(t *testing.T) {
	data := noise(4 << 20)
	s := DefaultSettings()
	plain, keyed, again := NewChunker(s, nil), NewChunker(s, []byte("key")), NewChunker(s, []byte("key"))
	if plain.gear == keyed.gear || keyed.gear != again.gear {
		t.Error("a gear table that doesn't go by its key")
	}
	if plain.Cut(data) == keyed.Cut(data) {
		t.Error("equal cuts")
	}
}
