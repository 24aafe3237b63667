package main

import (
	"context"
	"encoding/hex"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/seal"
	"dura/archive/storage/cloud"
	"dura/cmd/dura/unlock"
)

type initDocument struct {
	Archive     string `json:"archive" about:"where it is, as given"`
	ID          string `json:"id" about:"of the archive, 32 hex digits"`
	Compression string `json:"compression" about:"what bands are made with, if not told otherwise"`
	Parity      string `json:"parity" about:"none, or K+M: how many parity objects M there are to each K objects"`
	Fingerprint string `json:"fingerprint,omitempty" about:"of the archive's own key, where it is encrypted"`
}

func initCommand(a *app) *cobra.Command {
	var compression, scheme string
	var ways wayOptions
	c := a.command("init ARCHIVE", "Make an archive",
		"Make an archive in a new or an empty directory, whose files can be read by their owner alone, or at a path in a bucket of an\n"+
			"object store where nothing is yet. With --encrypt-to or --passphrase it is encrypted: each of these opens it, and writing takes none.\n"+
			"A passphrase is taken from DURA_PASSPHRASE_FILE, DURA_PASSPHRASE_COMMAND or DURA_PASSPHRASE, or asked for.",
		func(ctx context.Context, args []string) error {
			return a.initArchive(ctx, args[0], compression, scheme, ways)
		})
	ways.flags(c)
	c.Flags().StringVar(&compression, "compression", string(format.DefaultCompression),
		"how hard to compress: none, fastest, default or better, as `LEVEL`")
	c.Flags().StringVar(&scheme, "parity", "",
		"how much may be lost and be rebuilt: none, or `K+M` for any M of K objects and M parity objects (default 16+2 on a disk, none in an object store, which has copies of its own)")
	return c
}

// defaultParity is for disks.
const defaultParity = "16+2"

// parityOf is what the word of --parity means for an archive at place.
func parityOf(place, word string) (string, error) {
	switch {
	case word != "":
	case cloud.IsPlace(place):
		word = parity.None
	default:
		word = defaultParity
	}
	if _, err := parity.ParseScheme(word); err != nil {
		return "", usage(msgParity, shown(word))
	}
	return word, nil
}

func (a *app) initArchive(ctx context.Context, place, compression, scheme string, ways wayOptions) error {
	a.place = place
	if err := a.setAlarms(nil); err != nil {
		return err
	}
	scheme, err := parityOf(place, scheme)
	if err != nil {
		return err
	}
	settings := format.Settings{Compression: format.Compression(compression), Parity: scheme}.WithDefaults(format.DefaultSettings())
	if settings.Check() != nil {
		return usage(msgCompression, shown(compression))
	}
	var id [16]byte
	if _, err := io.ReadFull(a.host.random, id[:]); err != nil {
		return err
	}
	o := archive.CreateOptions{ID: hex.EncodeToString(id[:]), Now: a.host.now(), Settings: settings}
	key, words, err := a.newKey(ctx, &o, ways)
	if err != nil {
		return err
	}
	st, err := a.createPlace(ctx, place)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := archive.Create(ctx, st, o); err != nil {
		return err
	}
	if err := a.remember(&o, key); err != nil {
		return err
	}
	return a.tellInit(place, compression, &o, words)
}

// newKey makes the key pair of an archive that is to be encrypted, and seals it; nil where it is not to be.
func (a *app) newKey(ctx context.Context, o *archive.CreateOptions, ways wayOptions) (key *seal.SecretKey, words []string, err error) {
	if !ways.any() {
		return nil, nil, nil
	}
	h := a.unlocker()
	sealers, err := ways.sealers(ctx, h, unlock.PassphraseVariable)
	if err != nil {
		return nil, nil, err
	}
	if key, err = seal.Generate(o.ID, o.Now, h.Random); err != nil {
		return nil, nil, err
	}
	o.Key = &key.PublicKey
	for _, s := range sealers {
		sealed, err := s.seal(key)
		if err != nil {
			return nil, nil, err
		}
		o.Secrets, words = append(o.Secrets, sealed), append(words, s.words)
	}
	return key, words, nil
}

// remember keeps what this machine is to know of a new archive. Where that can't be kept, it is an alarm.
func (a *app) remember(o *archive.CreateOptions, key *seal.SecretKey) error {
	h, place := a.unlocker(), absolute(a.place)
	if key == nil {
		h.Forget(place)
		return nil
	}
	err := h.Made(&format.ArchiveHead{ID: o.ID, KeyFingerprint: key.Fingerprint()}, key, place)
	if err == nil {
		return nil
	}
	return a.alarms.Raise(alarm.Alarm{Area: alarm.Machine, Condition: alarm.IOError, Filename: h.StateDir, Err: err})
}

func (a *app) tellInit(place, compression string, o *archive.CreateOptions, words []string) error {
	d := initDocument{Archive: place, ID: o.ID, Compression: compression, Parity: o.Settings.Parity}
	if o.Key != nil {
		d.Fingerprint = o.Key.Fingerprint()
	}
	if a.json {
		return a.printJSON(d)
	}
	if a.quiet {
		return nil
	}
	text := sprintf(msgArchiveMade, shown(place), shellQuoted(place))
	if o.Key != nil {
		text += sprintf(msgKeyMade, d.Fingerprint, strings.Join(words, ", ")) + sprintf(msgKeyMadeSafe, shown(a.located("keys")))
	}
	if a.verbose {
		text += sprintf(msgArchiveSettings, d.ID, compression, bytesText(o.Settings.BlockBytes), bytesText(o.Settings.FrameBytes), d.Parity)
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}
