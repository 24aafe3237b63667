package format

import (
	"fmt"
	"strconv"
	"strings"
)

// What an encrypted archive has beyond others.
const (
	SealedSuffix  = ".gpg" // behind the name of every object that is a message
	KeysPrefix    = "keys/"
	PublicKeyName = KeysPrefix + "archive.pub.asc"

	secretKeyStart = KeysPrefix + "archive.sec."
)

// SecretKeyName names the n-th sealed copy of the archive's secret key.
func SecretKeyName(n uint64) string { return fmt.Sprintf("%s%d%s", secretKeyStart, n, SealedSuffix) }

// ParseSecretKeyName undoes SecretKeyName.
func ParseSecretKeyName(name string) (n uint64, ok bool) {
	digits, _ := strings.CutPrefix(strings.TrimSuffix(name, SealedSuffix), secretKeyStart)
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, err == nil && SecretKeyName(n) == name
}

// IsSealed reports whether the object called name is a message in an encrypted archive: head, tail, alarms, blocks and the index are.
// A repaired copy is what it is a copy of. Its name then ends in SealedSuffix, which is left out everywhere but in storage.
func IsSealed(name string) bool {
	if of, _, is := ParseRepairedName(name); is {
		name = of
	}
	switch _, kind, _, err := ParseObjectName(name); kind {
	case HeadObject, TailObject, RebuiltTailObject, AlarmsObject, BlockObject, HunkObject, SpansObject, FenceObject:
		return err == nil
	}
	return false
}

// NameOf undoes StoredName. It is not ok where no object of such an archive is called so.
func NameOf(stored string, sealed bool) (name string, ok bool) {
	if name = stored; sealed {
		name = strings.TrimSuffix(stored, SealedSuffix)
	}
	return name, StoredName(name, sealed) == stored
}

// StoredName is what the object called name is called in storage, in an archive that is encrypted or not.
func StoredName(name string, sealed bool) string {
	if sealed && IsSealed(name) {
		return name + SealedSuffix
	}
	return name
}
