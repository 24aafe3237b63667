package seal

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/ecdh"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"dura/archive/format"
)

// PublicKey is the public part of an archive's key pair: what it takes to write.
type PublicKey struct {
	entity *openpgp.Entity
	key    *packet.PublicKey // that session keys are sealed to
}

// SecretKey is both parts of an archive's key pair. No format shows it.
type SecretKey struct {
	PublicKey
	private *packet.PrivateKey
}

func (SecretKey) Format(f fmt.State, _ rune) { io.WriteString(f, "(secret)") }

const (
	publicBlock  = "PGP PUBLIC KEY BLOCK"
	privateBlock = "PGP PRIVATE KEY BLOCK"
	maxKeyBytes  = 1 << 20
)

// Generate makes the key pair of a new archive: Ed25519, with an X25519 subkey, in the form that GnuPG 2.2 knows.
func Generate(archiveID string, now time.Time, random io.Reader) (*SecretKey, error) {
	entity, err := openpgp.NewEntity(userIDStart+archiveID, "", "", config(now, random))
	if err != nil {
		return nil, fmt.Errorf("the archive's key pair: %w", err)
	}
	return secretOf(entity)
}

func config(now time.Time, random io.Reader) *packet.Config {
	return &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519, DefaultHash: crypto.SHA512, DefaultCipher: packet.CipherAES256,
		Time: func() time.Time { return now }, Rand: random,
	}
}

// ParsePublic reads an armored public key that Armored gave.
func ParsePublic(armored []byte) (*PublicKey, error) {
	entity, err := parseEntity(armored)
	if err != nil {
		return nil, corruptKey(err)
	}
	return publicOf(entity)
}

// ParseSecret reads an armored secret key that SecretArmored gave.
func ParseSecret(armored []byte) (*SecretKey, error) {
	entity, err := parseEntity(armored)
	if err != nil {
		return nil, corruptKey(err)
	}
	return secretOf(entity)
}

func parseEntity(armored []byte) (*openpgp.Entity, error) {
	if len(armored) > maxKeyBytes {
		return nil, errors.New("it is too large")
	}
	entities, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(armored))
	if err != nil {
		return nil, err
	}
	if len(entities) != 1 {
		return nil, fmt.Errorf("it holds %d keys", len(entities))
	}
	return entities[0], nil
}

func corruptKey(err error) error {
	return &format.CorruptError{What: "key", Reason: "it can't be read", Err: err}
}

// publicOf finds the subkey that session keys are sealed to. That it belongs to the primary key its signature says.
func publicOf(entity *openpgp.Entity) (*PublicKey, error) {
	if len(entity.Subkeys) != 1 || entity.PrimaryKey.Version != 4 {
		return nil, corruptKey(errors.New("it is not one that an archive has"))
	}
	sub := entity.Subkeys[0]
	if _, err := sub.LatestValidBindingSignature(time.Time{}, nil); err != nil {
		return nil, corruptKey(err)
	}
	k, ok := sub.PublicKey.PublicKey.(*ecdh.PublicKey)
	if !ok || sub.PublicKey.PubKeyAlgo != packet.PubKeyAlgoECDH || k.GetCurve().GetCurveName() != "curve25519" {
		return nil, corruptKey(errors.New("it is of a kind that no archive has"))
	}
	return &PublicKey{entity, sub.PublicKey}, nil
}

func secretOf(entity *openpgp.Entity) (*SecretKey, error) {
	public, err := publicOf(entity)
	if err != nil {
		return nil, err
	}
	private := entity.Subkeys[0].PrivateKey
	if private == nil || private.Encrypted {
		return nil, corruptKey(errors.New("it has no secret part"))
	}
	return &SecretKey{*public, private}, nil
}

// Fingerprint names the key pair: 40 lower-case hex digits.
func (p *PublicKey) Fingerprint() string { return fmt.Sprintf("%x", p.entity.PrimaryKey.Fingerprint) }

// Archive is the id of the archive that the key pair is of, and when it was made, as the key itself says.
func (p *PublicKey) Archive() (id string, made time.Time, err error) {
	_, identity := p.entity.PrimaryIdentity(time.Time{}, nil)
	if identity == nil {
		return "", made, corruptKey(errors.New("it does not say whose it is"))
	}
	id, ok := strings.CutPrefix(identity.Name, userIDStart)
	if !ok {
		return "", made, corruptKey(fmt.Errorf("it is that of %q", identity.Name))
	}
	return id, p.entity.PrimaryKey.CreationTime.UTC(), nil
}

// userIDStart is what the user id of an archive's key begins with; the archive's id follows.
const userIDStart = "Dura archive "

// Armored is the public key as keys/archive.pub.asc has it.
func (p *PublicKey) Armored() ([]byte, error) { return armored(publicBlock, p.entity.Serialize) }

// SecretArmored is the secret key, which gpg imports.
func (s *SecretKey) SecretArmored() ([]byte, error) {
	return armored(privateBlock, func(w io.Writer) error { return s.entity.SerializePrivateWithoutSigning(w, nil) })
}

func armored(block string, write func(io.Writer) error) ([]byte, error) {
	var out bytes.Buffer
	w, err := armor.Encode(&out, block, nil)
	if err == nil {
		err = write(w)
	}
	if err == nil {
		err = w.Close()
	}
	return append(out.Bytes(), '\n'), err
}

// ChunkerKey is the secret by which content is cut into chunks.
func (s *SecretKey) ChunkerKey() [32]byte {
	scalar := s.private.PrivateKey.(*ecdh.PrivateKey).MarshalByteSecret()
	return sha256.Sum256(append([]byte("dura chunker "), scalar...))
}

// sealSession is the packet that holds a session key for p.
func (p *PublicKey) sealSession(key format.SessionKey, random io.Reader) ([]byte, error) {
	return sealSession(p.key, key, random)
}

func sealSession(to *packet.PublicKey, key format.SessionKey, random io.Reader) ([]byte, error) {
	var out bytes.Buffer
	err := packet.SerializeEncryptedKeyAEADwithHiddenOption(&out, to, packet.CipherAES256, false, key[:], false, &packet.Config{Rand: random})
	return out.Bytes(), err
}

// openSession finds the session key in a packet that is for s.
func (s *SecretKey) openSession(recipient []byte) (format.SessionKey, error) {
	p, err := packet.Read(bytes.NewReader(recipient))
	if err != nil {
		return format.SessionKey{}, corrupt("it has no session key: %v", err)
	}
	sealed, ok := p.(*packet.EncryptedKey)
	if !ok {
		return format.SessionKey{}, corrupt("it has no session key")
	}
	if sealed.KeyId != s.key.KeyId || sealed.Version != 3 {
		return format.SessionKey{}, corrupt("it is sealed for another key, %016X", sealed.KeyId)
	}
	if err := sealed.Decrypt(s.private, nil); err != nil || sealed.CipherFunc != packet.CipherAES256 || len(sealed.Key) != len(format.SessionKey{}) {
		return format.SessionKey{}, corrupt("its session key can't be opened")
	}
	return format.SessionKey(sealed.Key), nil
}

// SameKey reports whether fingerprint, in any usual writing, is p's.
func (p *PublicKey) SameKey(fingerprint string) bool {
	return strings.EqualFold(strings.ReplaceAll(fingerprint, " ", ""), p.Fingerprint())
}
