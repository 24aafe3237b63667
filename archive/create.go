package archive

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
)

// CreateOptions say what a new archive is. ID and Now must be set.
type CreateOptions struct {
	ID       string // 32 hex digits, random
	Now      time.Time
	Settings format.Settings // zero values: the format's defaults

	// Of an archive that is to be encrypted: its public key, and its secret one sealed once for each way to open it.
	Key     *seal.PublicKey // nil: it is not to be encrypted
	Secrets [][]byte
}

// Occupant is what a storage may offer beyond storage.Storage: the name of something that is in its place and no object, such
// as a file whose name no object can have; "" if there is nothing.
type Occupant interface {
	Occupant(ctx context.Context) (name string, err error)
}

// Create makes an archive in an empty place. DURA-ARCHIVE comes last, so that an attempt that ended early leaves no archive,
// and can be repeated. Where there is an archive the error is of KindExists with Object DURA-ARCHIVE; where there is anything
// else, of KindExists with the name of that.
func Create(ctx context.Context, st storage.Storage, o CreateOptions) error {
	head := format.ArchiveHead{ID: o.ID, Created: o.Now, Settings: o.Settings.WithDefaults(format.DefaultSettings())}
	if o.Key != nil {
		head.KeyFingerprint = o.Key.Fingerprint()
	}
	text := format.EncodeArchiveHead(head)
	if _, err := format.DecodeArchiveHead(text); err != nil {
		return fmt.Errorf("the archive's head: %w", err)
	}
	if err := head.Settings.Check(); err != nil {
		return err
	}
	if err := checkEmpty(ctx, st); err != nil {
		return err
	}
	objects, err := o.objects(text)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := createObject(ctx, st, object.name, object.content); err != nil {
			return err
		}
	}
	return nil
}

type newObject struct {
	name    string
	content []byte
}

// objects are those of a new archive, in the order in which they are stored: a key that something may be sealed to comes behind what
// opens that.
func (o *CreateOptions) objects(head []byte) ([]newObject, error) {
	common := []newObject{{format.SchemaName, format.Schema}, {format.RecoverName, format.Recover}, {format.ArchiveName, head}}
	if o.Key == nil {
		return append([]newObject{{format.ReadmeName, format.Readme}}, common...), nil
	}
	var objects []newObject
	for i, secret := range o.Secrets {
		objects = append(objects, newObject{format.SecretKeyName(uint64(i)), secret})
	}
	public, err := o.Key.Armored()
	objects = append(objects, newObject{format.PublicKeyName, public}, newObject{format.ReadmeName, format.SealedReadme})
	return append(objects, common...), err
}

// checkEmpty refuses a place that has anything but what an earlier attempt may have left.
func checkEmpty(ctx context.Context, st storage.Storage) error {
	for info, err := range st.List(ctx, "", storage.Deep) {
		if err != nil {
			return objectError(opCreate, "", "", err)
		}
		if info.Name != format.ReadmeName && info.Name != format.SchemaName && info.Name != format.RecoverName {
			return &Error{Op: opCreate, Object: info.Name, Kind: KindExists}
		}
	}
	if o, ok := st.(Occupant); ok {
		name, err := o.Occupant(ctx)
		if err != nil {
			return objectError(opCreate, "", "", err)
		}
		if name != "" {
			return &Error{Op: opCreate, Object: name, Kind: KindExists}
		}
	}
	return nil
}

// createObject accepts an object that has this content already, unless it is DURA-ARCHIVE.
func createObject(ctx context.Context, st storage.Storage, name string, content []byte) error {
	err := st.Create(ctx, name, content)
	if !storage.Is(err, storage.KindExists) {
		return objectError(opCreate, "", name, err)
	}
	if name != format.ArchiveName {
		there, readErr := st.Read(ctx, name, 0, len(content)+1)
		if readErr != nil {
			return objectError(opCreate, "", name, readErr)
		}
		if bytes.Equal(there, content) {
			return nil
		}
	}
	return &Error{Op: opCreate, Object: name, Kind: KindExists, Err: err}
}
