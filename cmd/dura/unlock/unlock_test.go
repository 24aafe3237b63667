package unlock

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/archive/storage/memory"
)

// newHost is a machine with this environment, that knows nothing.
func newHost(t *testing.T, env map[string]string) *Host {
	dir := t.TempDir()
	return &Host{
		Getenv: func(name string) string { return env[name] }, Random: rand.Reader, Now: time.Now, Shown: "ARCHIVE",
		StateDir: filepath.Join(dir, "state"), CacheDir: filepath.Join(dir, "cache"),
	}
}

// sealedCopies is a storage with the archive's secret key sealed in these ways.
func sealedCopies(t *testing.T, secrets ...[]byte) *memory.Storage {
	st := memory.New()
	for i, sealed := range secrets {
		if err := st.Create(t.Context(), format.SecretKeyName(uint64(i)), sealed); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func wantProblem(t *testing.T, err error, kind, text string) {
	t.Helper()
	var p *Error
	if !errors.As(err, &p) || p.Kind != kind || !strings.Contains(p.Sentence, text) {
		t.Errorf("%v is not %s: …%s…", err, kind, text)
	}
}

func byPassphrase(t *testing.T, passphrase string) []byte {
	t.Helper()
	sealed, err := seal.SealSecretByPassphrase(sealtest.Key(), []byte(passphrase), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsWrongWithKeysIsSaid(t *testing.T) {
	sealed := byPassphrase(t, "correct")
	fingerprint := sealtest.Key().Fingerprint()
	for _, c := range []struct {
		env        map[string]string
		secrets    [][]byte
		kind, text string
	}{
		{nil, nil, "key_missing", "keys/ has no copy of its secret key"},
		{nil, [][]byte{[]byte("nonsense")}, "key_damaged", "keys/archive.sec.0.gpg in ARCHIVE can't be used"},
		{nil, [][]byte{sealed}, "locked", "nothing gives its passphrase"},
		{map[string]string{"DURA_PASSPHRASE": "wrong"}, [][]byte{sealed}, "passphrase", "DURA_PASSPHRASE is not the passphrase of ARCHIVE"},
		{map[string]string{"DURA_PASSPHRASE": "correct"}, [][]byte{append(bytes.Clone(sealed[:len(sealed)-30]), make([]byte, 30)...)}, "key_damaged", "can't be used"},
		{map[string]string{"DURA_PASSPHRASE_FILE": "/dev/null"}, [][]byte{sealed}, "passphrase", "gives a passphrase of 0 bytes"},
		{map[string]string{"DURA_PASSPHRASE_COMMAND": "exit 1"}, [][]byte{sealed}, "passphrase", "DURA_PASSPHRASE_COMMAND gives no passphrase"},
	} {
		_, err := newHost(t, c.env).Secret(t.Context(), sealedCopies(t, c.secrets...), fingerprint)
		wantProblem(t, err, c.kind, c.text)
		if err != nil && strings.Contains(fmt.Sprintf("%+v %#v", err, err), "wrong") {
			t.Errorf("the passphrase is told: %v", err)
		}
	}
	env := map[string]string{"DURA_PASSPHRASE": "correct"}
	for _, env := range []map[string]string{env, {"DURA_PASSPHRASE": "wrong", "DURA_OTHER_PASSPHRASE": "correct"}, {"DURA_OTHER_PASSPHRASE": "correct"}} {
		if _, err := newHost(t, env).Secret(t.Context(), sealedCopies(t, sealed), fingerprint); err != nil {
			t.Error(err)
		}
	}
	_, err := newHost(t, env).Secret(t.Context(), sealedCopies(t, sealed), strings.Repeat("0", 40))
	wantProblem(t, err, "key_changed", "is another key")
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 {
		t.Errorf("core files of %d bytes: %v", core.Cur, err)
	}
}

func TestAPassphraseIsAskedForThreeTimes(t *testing.T) {
	h, asked := newHost(t, nil), 0
	answers := []string{"a", "b", "c", "correct"}
	h.Ask = func(context.Context, string) ([]byte, error) { asked++; return []byte(answers[asked-1]), nil }
	st := sealedCopies(t, byPassphrase(t, "correct"))
	_, err := h.Secret(t.Context(), st, sealtest.Key().Fingerprint())
	if wantProblem(t, err, "passphrase", "what was typed is not"); asked != 3 {
		t.Error(asked)
	}
	if _, err := h.Secret(t.Context(), st, sealtest.Key().Fingerprint()); err != nil {
		t.Error(err)
	}
}

// sealedToKey is the archive's secret key sealed to a key that nobody's keyring has, but that of g.
func sealedToKey(t *testing.T, g *sealtest.GPG) []byte {
	t.Helper()
	g.NewKey("me@example.org", "ed25519/cv25519", "never")
	to, err := seal.ParseRecipient(g.Must(nil, "--export", "me@example.org"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := seal.SealSecret(sealtest.Key(), to, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatGPGSaysIsSaidInWords(t *testing.T) {
	g, other := sealtest.NewGPG(t), sealtest.NewGPG(t)
	st := sealedCopies(t, sealedToKey(t, g))
	fingerprint := sealtest.Key().Fingerprint()
	t.Setenv("GNUPGHOME", g.Home)
	if _, err := newHost(t, nil).Secret(t.Context(), st, fingerprint); err != nil {
		t.Error(err)
	}
	t.Setenv("GNUPGHOME", other.Home)
	_, err := newHost(t, nil).Secret(t.Context(), st, fingerprint)
	wantProblem(t, err, "no_secret_key", "which gpg does not have here")

	bin := t.TempDir()
	t.Setenv("PATH", bin)
	_, err = newHost(t, nil).Secret(t.Context(), st, fingerprint)
	wantProblem(t, err, "gpg_missing", `apt install gpg`)
	_, err = newHost(t, nil).Recipient(t.Context(), "me@example.org")
	wantProblem(t, err, "gpg_missing", "no gpg that may have a key of that name")
	for code, want := range map[string][2]string{ // as gpg-agent and pinentry answer, which a test can't make them do
		"11": {"passphrase", "gpg was given a wrong passphrase"}, "83886179": {"canceled", "nobody gave gpg the passphrase"},
		"67108949": {"no_pinentry", "no way to ask for its passphrase"}, "100663408": {"no_pinentry", "or the card is not there"}, "67108950": {"no_pinentry", "no way to ask for its passphrase"}, "1": {"gpg", "gpg could not open keys/archive.sec.0.gpg in ARCHIVE: it rains"},
	} {
		script := "#!/bin/sh\necho '[GNUPG:] ERROR pkdecrypt_failed " + code + "' >&2\necho 'gpg: it rains' >&2\nexit 2\n"
		if err := os.WriteFile(filepath.Join(bin, "gpg"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := newHost(t, nil).Secret(t.Context(), st, fingerprint)
		wantProblem(t, err, want[0], want[1])
	}
}

func TestOtherProgramsGetNoPassphrase(t *testing.T) {
	t.Setenv("DURA_PASSPHRASE", "secret")
	t.Setenv("DURA_NEW_PASSPHRASE", "secret")
	t.Setenv("DURA_OTHER_PASSPHRASE", "secret")
	out, err := output(t.Context(), "env")
	if err != nil || bytes.Contains(out, []byte("secret")) {
		t.Errorf("%s %v", out, err)
	}
}

func TestAnArchiveIsKnownAgain(t *testing.T) {
	h := newHost(t, nil)
	key := sealtest.Key()
	head := format.ArchiveHead{ID: strings.Repeat("a", 32), KeyFingerprint: key.Fingerprint()}
	check := func(head format.ArchiveHead, place string) string {
		var told alarmtest.Alarms
		if err := h.Check(&head, place, &told); err != nil {
			t.Fatal(err)
		}
		r := told.Raised()
		if len(r) == 0 {
			return ""
		}
		if r[0].Area != alarm.Archive || r[0].Condition != alarm.Mismatch {
			t.Error(r[0])
		}
		return r[0].Message
	}
	if m := check(head, "/a"); m != "" {
		t.Error("an archive that is seen first:", m)
	}
	if err := h.Made(&head, key, "/a"); err != nil {
		t.Fatal(err)
	}
	if k, err := h.chunkerKey(head.ID); err != nil || k != key.ChunkerKey() {
		t.Error("the chunker's key is another one", err)
	}
	changed, plain, other := head, head, head
	changed.KeyFingerprint, plain.KeyFingerprint = strings.Repeat("1", 40), ""
	other.ID = strings.Repeat("b", 32)
	for _, c := range []struct {
		head        format.ArchiveHead
		place, want string
	}{
		{head, "/a", ""}, {head, "/elsewhere", ""}, {other, "/elsewhere", ""}, {changed, "/a", "and storage has 1111"},
		{changed, "/elsewhere", "and storage has 1111"}, {plain, "/a", "says that it is not"}, {other, "/a", "another one is there now"},
	} {
		if m := check(c.head, c.place); (m == "") != (c.want == "") || !strings.Contains(m, c.want) {
			t.Errorf("%s at %s: %q, not %q", c.head.ID[:1], c.place, m, c.want)
		}
	}
	if err := h.Made(&other, key, "/a"); err != nil { // made anew there
		t.Fatal(err)
	}
	if m := check(other, "/a"); m != "" {
		t.Error("the new one:", m)
	}
	info, err := os.Stat(h.knownFile(head.ID))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

func TestABandThatThisMachineWroteAndThatIsGoneIsToldOf(t *testing.T) {
	h := newHost(t, nil)
	st := memory.New()
	key := sealtest.Key()
	create := archive.CreateOptions{ID: strings.Repeat("a", 32), Now: sealtest.Time, Key: &key.PublicKey}
	if err := archive.Create(t.Context(), st, create); err != nil {
		t.Fatal(err)
	}
	head := format.ArchiveHead{ID: create.ID, KeyFingerprint: key.Fingerprint()}
	var told alarmtest.Alarms
	keys, closeKeys, err := h.Writer(t.Context(), st, head, "/a", &told)
	if err != nil || keys.Unlocked() || len(told.Raised()) > 0 {
		t.Fatal(err, &told)
	}
	var names []string
	for i := range byte(2) {
		name := format.HeadName(format.NewBandID(sealtest.Time, [3]byte{i}))
		sealed, _, err := keys.Seal(name, []byte("head"))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Create(t.Context(), format.StoredName(name, true), sealed); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	closeKeys()
	if err := st.Delete(t.Context(), format.StoredName(names[0], true)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once
		keys, closeKeys, err = h.Writer(t.Context(), st, head, "/a", &told)
		if r := told.Raised(); err != nil || len(r) != 1 || r[0].Filename != names[0] || r[0].Condition != alarm.Missing {
			t.Fatal(err, r)
		}
		if _, err := keys.Open(names[1], mustRead(t, st, names[1])); err != nil {
			t.Error(err)
		}
		closeKeys()
	}
}

func mustRead(t *testing.T, st *memory.Storage, name string) []byte {
	t.Helper()
	stored, err := st.Read(t.Context(), format.StoredName(name, true), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}
