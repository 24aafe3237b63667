package seal

import (
	"crypto/sha256"
	"fmt"
	"io"
	"sync"

	"dura/archive/format"
)

// Keys seal and open the objects of one archive. They are safe for concurrent use.
type Keys struct {
	public  *PublicKey
	secret  *SecretKey // nil: what this machine wrote can be opened, and nothing else
	own     Own        // nil: nothing is remembered
	chunker [32]byte
	random  sync.Mutex
	source  io.Reader
	missing error // why there is no secret
}

// Format shows nothing of them.
func (*Keys) Format(f fmt.State, _ rune) { io.WriteString(f, "(secret)") }

// HeaderID stands for the key packets of a message: the first 16 bytes of their hash.
type HeaderID [16]byte

// Own remembers the session keys of what this machine wrote. It is safe for concurrent use.
type Own interface {
	// Find is the session key of a message, if it is known.
	Find(name string, id HeaderID) (format.SessionKey, bool)
	// Has reports whether any of a band is known.
	Has(format.BandID) bool
	// Keep remembers the session key of a message that is about to be stored.
	Keep(name string, id HeaderID, key format.SessionKey) error
}

// KeysOptions are what Keys are made of. Public and Random must be set.
type KeysOptions struct {
	Public  *PublicKey
	Secret  *SecretKey // nil: there is none
	Missing error      // why there is no Secret, for who asks for what can't be opened
	Own     Own
	Chunker [32]byte  // by which content is cut
	Random  io.Reader // of session keys
}

// NewKeys makes Keys.
func NewKeys(o KeysOptions) *Keys {
	return &Keys{public: o.Public, secret: o.Secret, own: o.Own, chunker: o.Chunker, source: o.Random, missing: o.Missing}
}

// LockedError says that an object can't be opened without the archive's secret key.
type LockedError struct {
	Err error // why there is none; may be nil

	// Foreign says that this machine has keys of the object's band, and none of this object: somebody else has sealed what is there, or
	// the machine has lost the key.
	Foreign bool
}

func (e *LockedError) Error() string {
	if e.Foreign {
		return "this machine wrote the band, and has no key for what is there now: it has lost that, or somebody else has put the object there"
	}
	if e.Err != nil {
		return "the archive's secret key is needed: " + e.Err.Error()
	}
	return "the archive's secret key is needed"
}

func (e *LockedError) Unwrap() error { return e.Err }

// Public is the archive's public key.
func (k *Keys) Public() *PublicKey { return k.public }

// Unlocked reports whether everything can be opened.
func (k *Keys) Unlocked() bool { return k.secret != nil }

// CanSeal reports whether objects can be made.
func (k *Keys) CanSeal() bool { return k.public != nil && k.source != nil }

// CanOpen reports whether there is a key for what is in a band.
func (k *Keys) CanOpen(band format.BandID) bool {
	return k.secret != nil || k.own != nil && k.own.Has(band)
}

// ChunkerKey is what content is cut by.
func (k *Keys) ChunkerKey() [32]byte { return k.chunker }

// Seal makes a message of parts in a row, as the object called name.
func (k *Keys) Seal(name string, parts ...[]byte) ([]byte, format.SealKey, error) {
	key, packet, random, err := k.fresh()
	if err != nil {
		return nil, format.SealKey{}, fmt.Errorf("seal %s: %w", name, err)
	}
	if k.own != nil {
		if err := k.own.Keep(name, headerID(packet), key); err != nil {
			return nil, format.SealKey{}, err
		}
	}
	sealed, err := message(packet, key, random, name, parts...)
	return sealed, format.SealKey{Session: key, HeaderBytes: uint32(len(packet) + headBytes(name))}, err
}

func (k *Keys) fresh() (key format.SessionKey, packet []byte, random [16]byte, err error) {
	k.random.Lock()
	defer k.random.Unlock()
	if _, err = io.ReadFull(k.source, key[:]); err != nil {
		return
	}
	if _, err = io.ReadFull(k.source, random[:]); err != nil {
		return
	}
	packet, err = k.public.sealSession(key, k.source)
	return
}

func headerID(packets []byte) HeaderID {
	sum := sha256.Sum256(packets)
	return HeaderID(sum[:len(HeaderID{})])
}

// MaxHeaderBytes is how much of a message named name is enough for KeyOf.
func MaxHeaderBytes(name string) int { return 256 + headBytes(name) }

// KeyOf is what it takes to read parts of the object called name, given the first MaxHeaderBytes of it.
func (k *Keys) KeyOf(name string, start []byte) (format.SealKey, error) {
	o, err := outlineOf(start)
	if err != nil {
		return format.SealKey{}, err
	}
	session, err := k.session(name, o)
	return format.SealKey{Session: session, HeaderBytes: uint32(len(o.recipient) + headBytes(name))}, err
}

func (k *Keys) session(name string, o outline) (format.SessionKey, error) {
	if k.own != nil {
		if key, ok := k.own.Find(name, headerID(o.recipient)); ok {
			return key, nil
		}
	}
	if k.secret == nil {
		return format.SessionKey{}, &LockedError{k.missing, k.isOwn(name)}
	}
	return k.secret.openSession(o.recipient)
}

// isOwn reports whether the object called name is of a band that this machine has keys of.
func (k *Keys) isOwn(name string) bool {
	band, _, _, err := format.ParseObjectName(name)
	return err == nil && k.own != nil && k.own.Has(band)
}

// Open gives what the object called name holds, having checked that nothing of it was changed and that it was sealed by that name.
func (k *Keys) Open(name string, stored []byte) ([]byte, error) {
	o, err := outlineOf(stored)
	if err != nil {
		return nil, err
	}
	session, err := k.session(name, o)
	if err != nil {
		return nil, err
	}
	is, content, err := open(o, stored, session)
	if err != nil {
		return nil, err
	}
	if is != name {
		return nil, corrupt("it was sealed as %q", is)
	}
	return content, nil
}
