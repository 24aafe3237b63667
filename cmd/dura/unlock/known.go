package unlock

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/cmd/dura/state"
)

// known is what this machine knows of an encrypted archive, in a file named by the archive's id.
type known struct {
	Fingerprint string   `json:"fingerprint"`
	Chunker     string   `json:"chunker,omitempty"` // 32 bytes in hex, by which content is cut
	Places      []string `json:"places"`            // where it was seen
	Wrote       bool     `json:"wrote,omitempty"`   // this machine has stored bands in it
}

func (h *Host) knownFile(id string) string { return filepath.Join(h.StateDir, "archives", id+".json") }

// readKnown is what is known of an archive; nothing where that can't be read.
func (h *Host) readKnown(id string) (known, bool) {
	text, err := os.ReadFile(h.knownFile(id))
	var k known
	if err != nil || json.Unmarshal(text, &k) != nil || k.Fingerprint == "" {
		return known{}, false
	}
	return k, true
}

// remember changes what is known of an archive at a place.
func (h *Host) remember(head *format.ArchiveHead, place string, change func(*known)) error {
	before, _ := h.readKnown(head.ID)
	now := before
	if now.Fingerprint == "" {
		now.Fingerprint = head.KeyFingerprint
	}
	if !slices.Contains(now.Places, place) {
		now.Places = append(slices.Clone(now.Places), place)
	}
	change(&now)
	if now.Fingerprint == before.Fingerprint && now.Chunker == before.Chunker && now.Wrote == before.Wrote && slices.Equal(now.Places, before.Places) {
		return nil
	}
	text, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return err
	}
	return state.Replace(h.knownFile(head.ID), append(text, '\n'))
}

// Check compares what an archive says of its key with what this machine knows, and raises an alarm where that differs.
func (h *Host) Check(head *format.ArchiveHead, place string, alarms alarm.Raiser) error {
	k, ok := h.readKnown(head.ID)
	a := alarm.Alarm{Area: alarm.Archive, Condition: alarm.Mismatch, Filename: format.PublicKeyName}
	switch {
	case ok && k.Fingerprint == head.KeyFingerprint, !ok && !h.knowsPlace(place):
		return nil
	case !ok:
		a.Filename, a.Message = format.ArchiveName, msgOtherArchive
	case !head.Sealed():
		a.Filename, a.Message = format.ArchiveName, problem("", nil, msgNoLongerKey, k.Fingerprint).Sentence
	default:
		a.Message = problem("", nil, msgChangedKey, k.Fingerprint, head.KeyFingerprint).Sentence
	}
	return alarms.Raise(a)
}

// knowsPlace reports whether an encrypted archive was seen at a place.
func (h *Host) knowsPlace(place string) bool {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(h.knownFile("")), "*.json"))
	if err != nil {
		return false
	}
	for _, file := range files {
		id := filepath.Base(file)
		if k, ok := h.readKnown(id[:len(id)-len(".json")]); ok && slices.Contains(k.Places, place) {
			return true
		}
	}
	return false
}

// chunkerKey is what this machine cuts content by: what it knows, or something new.
func (h *Host) chunkerKey(id string) (key [32]byte, err error) {
	if k, ok := h.readKnown(id); ok {
		if b, err := hex.DecodeString(k.Chunker); err == nil && len(b) == len(key) {
			return [32]byte(b), nil
		}
	}
	_, err = io.ReadFull(h.Random, key[:])
	return key, err
}

// Forget says that nothing is known of an archive at a place any more, as a new one is made there.
func (h *Host) Forget(place string) {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(h.knownFile("")), "*.json"))
	for _, file := range files {
		id := filepath.Base(file)
		id = id[:len(id)-len(".json")]
		k, ok := h.readKnown(id)
		if !ok || !slices.Contains(k.Places, place) {
			continue
		}
		k.Places = slices.DeleteFunc(k.Places, func(p string) bool { return p == place })
		if text, err := json.Marshal(k); err == nil {
			_ = state.Replace(file, text)
		}
	}
}
