package main

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/cmd/dura/unlock"
)

type keyDocument struct {
	Archive     string   `json:"archive" about:"where it is, as given"`
	Fingerprint string   `json:"fingerprint" about:"of the archive's own key, 40 hex digits"`
	Ways        []keyWay `json:"ways" about:"what opens the archive"`
}

type keyWay struct {
	Number     uint64   `json:"number" about:"of the way, for dura key remove; of the object keys/archive.sec.NUMBER.gpg"`
	Passphrase bool     `json:"passphrase" about:"whether a passphrase opens it"`
	Keys       []string `json:"keys" about:"ids of the keys that open it, 16 hex digits each"`
}

const helpKey = `An encrypted archive has a key pair of its own. Its secret key is in the archive, sealed once for each way to open it:
to a person's key, or by a passphrase. Ways can be added and removed; what is stored stays as it is. Who has opened the
archive once may have kept its key, and removing a way does not take that back.`

func keyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "key", Short: "List, add and remove what opens an encrypted archive", Long: helpKey, DisableFlagsInUseLine: true,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{msg: sprintf(msgUnknownCommand, "key "+args[0]), command: "dura key"}
			}
			return c.Help()
		},
	}
	list := a.command("list ARCHIVE", "List what opens an archive, and the fingerprint of its key", "List what opens an archive, and the fingerprint of its key.",
		func(ctx context.Context, args []string) error { return a.keyList(ctx, args[0]) })
	var ways wayOptions
	add := a.command("add ARCHIVE", "Add a way to open an archive",
		"Add a way to open an archive, which has to be opened for that. A new passphrase is taken from DURA_NEW_PASSPHRASE_FILE,\n"+
			"DURA_NEW_PASSPHRASE_COMMAND or DURA_NEW_PASSPHRASE, or asked for.",
		func(ctx context.Context, args []string) error { return a.keyAdd(ctx, args[0], ways) })
	ways.flags(add)
	remove := a.command("remove ARCHIVE NUMBER...", "Remove ways to open an archive", "Remove ways to open an archive, by their numbers. The last one stays.",
		func(ctx context.Context, args []string) error { return a.keyRemove(ctx, args[0], args[1:]) })
	c.AddCommand(list, add, remove)
	return c
}

// wayOptions are the ways to open an archive that a command names.
type wayOptions struct {
	keys       []string
	passphrase bool
}

func (o *wayOptions) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.keys, "encrypt-to", nil, "let `KEY` open it: a fingerprint or an address in gpg's keyring, or a file with a public key")
	c.Flags().BoolVar(&o.passphrase, "passphrase", false, "let a passphrase open it")
}

func (o *wayOptions) any() bool { return o.passphrase || len(o.keys) > 0 }

// sealer seals an archive's secret key for one way to open it.
type sealer struct {
	words string
	seal  func(*seal.SecretKey) ([]byte, error)
}

// sealers finds all that is needed for the ways, ahead of doing anything. The passphrase is that of variable, or asked for.
func (o *wayOptions) sealers(ctx context.Context, h *unlock.Host, variable string) ([]sealer, error) {
	var all []sealer
	for _, word := range o.keys {
		to, err := h.Recipient(ctx, word)
		if err != nil {
			return nil, err
		}
		all = append(all, sealer{sprintf(msgWayKey, to.KeyID()), func(s *seal.SecretKey) ([]byte, error) { return seal.SealSecret(s, to, h.Random) }})
	}
	if o.passphrase {
		passphrase, err := h.NewPassphrase(ctx, variable)
		if err != nil {
			return nil, err
		}
		all = append(all, sealer{msgWayPhrase, func(s *seal.SecretKey) ([]byte, error) { return seal.SealSecretByPassphrase(s, passphrase, h.Random) }})
	}
	return all, nil
}

// openKeys opens the place of an archive that must be encrypted, and reads its head and what opens it.
func (a *app) openKeys(ctx context.Context, word string) (st place, head format.ArchiveHead, copies []unlock.Copy, err error) {
	a.place = word
	if err := a.setAlarms(nil); err != nil {
		return nil, head, nil, err
	}
	if st, err = a.openPlace(ctx, word); err != nil {
		return nil, head, nil, err
	}
	a.access = accessNames
	ar, err := archive.Open(ctx, st, archive.Options{
		Unlock: func(ctx context.Context, st storage.Storage, head format.ArchiveHead) (*seal.Keys, error) {
			keys, _, err := a.keys(ctx, st, head)
			return keys, err
		},
	})
	if err == nil {
		defer ar.Close()
		if head = ar.Head(); !head.Sealed() {
			err = usage(msgNotEncrypted, shown(word))
		}
	}
	if err == nil {
		copies, err = unlock.Copies(ctx, st)
	}
	if err != nil {
		st.Close()
		return nil, head, nil, err
	}
	return st, head, copies, nil
}

func (a *app) keyList(ctx context.Context, word string) error {
	st, head, copies, err := a.openKeys(ctx, word)
	if err != nil {
		return err
	}
	defer st.Close()
	if a.json {
		d := keyDocument{Archive: word, Fingerprint: head.KeyFingerprint, Ways: []keyWay{}}
		for _, c := range copies {
			d.Ways = append(d.Ways, keyWay{c.Number, c.Way.Passphrase, append([]string{}, c.Way.KeyIDs...)})
		}
		return a.printJSON(d)
	}
	if _, err := io.WriteString(a.stdout, sprintf(msgKeyRow, head.KeyFingerprint)); err != nil {
		return err
	}
	t := &table{align: "><"}
	t.add("NUMBER", "OPENED BY")
	for _, c := range copies {
		t.add(strconv.FormatUint(c.Number, 10), wayText(c.Way))
	}
	return t.write(a.stdout)
}

func wayText(w seal.Way) string {
	var words []string
	for _, id := range w.KeyIDs {
		words = append(words, sprintf(msgWayKey, id))
	}
	if w.Passphrase {
		words = append(words, msgWayPhrase)
	}
	if len(words) == 0 {
		return msgWayUnknown
	}
	return strings.Join(words, ", ")
}

func (a *app) keyAdd(ctx context.Context, word string, ways wayOptions) error {
	if !ways.any() {
		return usage(msgNoKeyWay, shown(word))
	}
	st, head, copies, err := a.openKeys(ctx, word)
	if err != nil {
		return err
	}
	defer st.Close()
	h := a.unlocker()
	secret, err := h.Secret(ctx, st, head.KeyFingerprint)
	if err != nil {
		return err
	}
	sealers, err := ways.sealers(ctx, h, unlock.NewVariable)
	if err != nil {
		return err
	}
	next := uint64(0)
	for _, c := range copies {
		next = max(next, c.Number+1)
	}
	for i, s := range sealers {
		number := next + uint64(i)
		sealed, err := s.seal(secret)
		if err == nil {
			err = st.Create(ctx, format.SecretKeyName(number), sealed)
		}
		if err == nil && !a.quiet {
			_, err = io.WriteString(a.stdout, sprintf(msgWayAdded, s.words, shown(word), number))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) keyRemove(ctx context.Context, word string, numbers []string) error {
	st, _, copies, err := a.openKeys(ctx, word)
	if err != nil {
		return err
	}
	defer st.Close()
	remove, err := a.copiesToRemove(word, copies, numbers)
	if err != nil {
		return err
	}
	for _, c := range remove {
		if err := st.Delete(ctx, format.SecretKeyName(c.Number)); err != nil {
			return err
		}
		if a.quiet {
			continue
		}
		if _, err := io.WriteString(a.stdout, sprintf(msgWayRemoved, c.Number, wayText(c.Way), shown(word))); err != nil {
			return err
		}
	}
	return nil
}

// copiesToRemove are those with these numbers, if others stay that open the archive.
func (a *app) copiesToRemove(word string, copies []unlock.Copy, numbers []string) ([]unlock.Copy, error) {
	asked := map[uint64]bool{}
	for _, text := range numbers {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, usage(msgKeyNumber, text)
		}
		asked[n] = true
	}
	var remove []unlock.Copy
	left := 0
	for _, c := range copies {
		if asked[c.Number] {
			remove = append(remove, c)
			delete(asked, c.Number)
		} else if c.Err == nil {
			left++
		}
	}
	for n := range asked {
		return nil, usage(msgNoWay, shown(word), strconv.FormatUint(n, 10), shellQuoted(word))
	}
	if left == 0 {
		return nil, usage(msgLastWay, shown(word), shellQuoted(word))
	}
	return remove, nil
}
