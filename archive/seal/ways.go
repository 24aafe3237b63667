package seal

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"dura/archive/format"
)

// secretFileName is what a sealed secret key is called inside.
const secretFileName = "archive.sec.asc"

// Recipient is a person's public key that the archive's secret key may be sealed to.
type Recipient struct {
	key *packet.PublicKey
}

// RecipientError says why nothing can be sealed to a key.
type RecipientError struct {
	Why  RecipientProblem
	Keys int // Several: how many there are
	Err  error
}

// RecipientProblem is what is wrong with a key.
type RecipientProblem int

// What can be wrong with a key.
const (
	NotAKey RecipientProblem = iota
	SeveralKeys
	KeyExpired
	KeyRevoked
	KeyCannotEncrypt
)

func (e *RecipientError) Error() string {
	what := [...]string{"not an OpenPGP public key", "several keys", "the key has expired", "the key was revoked", "the key is not one to encrypt to"}[e.Why]
	if e.Err != nil {
		return what + ": " + e.Err.Error()
	}
	return what
}

func (e *RecipientError) Unwrap() error { return e.Err }

// ParseRecipient reads a public key, armored or not, and finds what of it to encrypt to now.
func ParseRecipient(key []byte, now time.Time) (Recipient, error) {
	entities, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(key))
	if err != nil {
		entities, err = openpgp.ReadKeyRing(bytes.NewReader(key))
	}
	if err != nil || len(entities) == 0 {
		return Recipient{}, &RecipientError{Why: NotAKey, Err: err}
	}
	if len(entities) > 1 {
		return Recipient{}, &RecipientError{Why: SeveralKeys, Keys: len(entities)}
	}
	found, err := entities[0].EncryptionKeyWithError(now, &packet.Config{InsecureAllowAllKeyFlagsWhenMissing: true})
	if err != nil {
		return Recipient{}, &RecipientError{Why: problemOf(err), Err: err}
	}
	return Recipient{found.PublicKey}, nil
}

func problemOf(err error) RecipientProblem {
	var selection pgperrors.ErrEncryptionKeySelection
	var byPointer *pgperrors.ErrEncryptionKeySelection
	switch {
	case errors.As(err, &byPointer):
		selection = *byPointer
	case !errors.As(err, &selection):
		return KeyCannotEncrypt
	}
	for _, cause := range []error{selection.PrimaryKeyErr, selection.EncSelectionErr} {
		switch {
		case errors.Is(cause, pgperrors.ErrKeyRevoked):
			return KeyRevoked
		case errors.Is(cause, pgperrors.ErrKeyExpired):
			return KeyExpired
		}
	}
	return KeyCannotEncrypt
}

// KeyID is the 16 hex digits by which gpg names the key that is encrypted to.
func (r Recipient) KeyID() string { return r.key.KeyIdString() }

// SealSecret seals the archive's secret key to a person's key.
func SealSecret(s *SecretKey, to Recipient, random io.Reader) ([]byte, error) {
	return sealSecret(s, random, func(key format.SessionKey) ([]byte, error) { return sealSession(to.key, key, random) })
}

// SealSecretByPassphrase seals the archive's secret key by a passphrase.
func SealSecretByPassphrase(s *SecretKey, passphrase []byte, random io.Reader) ([]byte, error) {
	return sealSecret(s, random, func(key format.SessionKey) ([]byte, error) {
		var out bytes.Buffer
		err := packet.SerializeSymmetricKeyEncryptedReuseKey(&out, key[:], passphrase, &packet.Config{
			DefaultCipher: packet.CipherAES256, Rand: random,
			S2KConfig: &s2k.Config{S2KMode: s2k.IteratedSaltedS2K, Hash: crypto.SHA512, S2KCount: mostIterations},
		})
		return out.Bytes(), err
	})
}

// mostIterations is how many bytes are hashed for one try of a passphrase: the most that the format has.
const mostIterations = 65_011_712

func sealSecret(s *SecretKey, random io.Reader, packets func(format.SessionKey) ([]byte, error)) ([]byte, error) {
	secret, err := s.SecretArmored()
	if err != nil {
		return nil, err
	}
	var key format.SessionKey
	var prefix [16]byte
	for _, b := range [][]byte{key[:], prefix[:]} {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, err
		}
	}
	keys, err := packets(key)
	if err != nil {
		return nil, err
	}
	return message(keys, key, prefix, secretFileName, secret)
}

// Way is how a sealed secret key is opened.
type Way struct {
	Passphrase bool     // by a passphrase
	KeyIDs     []string // by one of these keys, 16 hex digits each; zeros where that is not told
}

// WayOf looks at a sealed secret key, of any form that gpg makes.
func WayOf(sealed []byte) (Way, error) {
	var w Way
	packets := packet.NewOpaqueReader(bytes.NewReader(sealed))
	for range maxKeyPackets {
		p, err := packets.Next()
		switch {
		case err != nil:
			return Way{}, corrupt("it does not begin as one")
		case p.Tag == passphraseTag:
			w.Passphrase = w.Passphrase || isPlainPassphrase(p.Contents)
		case p.Tag == recipientTag && len(p.Contents) > 9 && p.Contents[0] == 3:
			w.KeyIDs = append(w.KeyIDs, fmt.Sprintf("%X", p.Contents[1:9]))
		case (p.Tag == sealedTag || p.Tag == sealedOCBTag) && (w.Passphrase || len(w.KeyIDs) > 0):
			return w, nil
		default:
			return Way{}, corrupt("it is sealed in a way that is not known here")
		}
	}
	return Way{}, corrupt("it has too many keys")
}

// Tags of packets.
const (
	recipientTag  = 1
	passphraseTag = 3
	sealedTag     = 18
	sealedOCBTag  = 20 // of GnuPG 2.3 and later, to keys that ask for it
)

// isPlainPassphrase reports whether a packet is one that OpenByPassphrase knows: of RFC 4880, not of what came behind it.
func isPlainPassphrase(p []byte) bool { return len(p) > 2 && p[0] == 4 }

// ErrPassphrase says that a passphrase is not the one.
var ErrPassphrase = errors.New("the passphrase is not the one")

// OpenByPassphrase opens a sealed secret key, of any form that gpg makes. With another passphrase the error is ErrPassphrase.
func OpenByPassphrase(sealed, passphrase []byte) (*SecretKey, error) {
	if err := checkEffort(sealed); err != nil {
		return nil, err
	}
	tried := false
	prompt := func([]openpgp.Key, bool) ([]byte, error) {
		if tried {
			return nil, ErrPassphrase
		}
		tried = true
		return passphrase, nil
	}
	message, err := openpgp.ReadMessage(bytes.NewReader(sealed), openpgp.EntityList{}, prompt, nil)
	if err != nil {
		return nil, ErrPassphrase // nothing tells what a wrong passphrase decrypts to from damage
	}
	secret, err := io.ReadAll(io.LimitReader(message.UnverifiedBody, maxKeyBytes))
	if err != nil {
		return nil, &format.CorruptError{What: "sealed key", Reason: "it was changed", Err: err}
	}
	return ParseSecret(secret)
}

// checkEffort refuses what takes as much memory or time to try as it says itself.
func checkEffort(sealed []byte) error {
	const argon2 = 4
	if len(sealed) > maxKeyBytes {
		return corrupt("it has %d bytes", len(sealed))
	}
	packets := packet.NewOpaqueReader(bytes.NewReader(sealed))
	for range maxKeyPackets {
		p, err := packets.Next()
		switch {
		case err != nil || p.Tag == sealedTag || p.Tag == sealedOCBTag:
			return nil
		case p.Tag == passphraseTag && (!isPlainPassphrase(p.Contents) || p.Contents[2] >= argon2):
			return corrupt("it is sealed in a way that is not known here")
		}
	}
	return corrupt("it has too many keys")
}
