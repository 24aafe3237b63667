package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"
)

// sprintf is where messages are put together, and the place to translate them.
func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// explain says what an error means to whoever gave the command.
func (s *settings) explain(err error) string {
	var (
		told       *sentenceError
		archiveErr *archive.Error
		storageErr *storage.Error
		pathErr    *fs.PathError
	)
	switch {
	case errors.As(err, &told):
		return told.sentence
	case errors.Is(err, context.Canceled):
		return msgInterrupted
	case errors.As(err, &archiveErr):
		return s.explainArchive(archiveErr)
	case errors.As(err, &storageErr):
		return s.explainStorage(storageErr)
	case errors.As(err, &pathErr):
		return sprintf(msgUnexpected, pathErr.Op+" "+shown(pathErr.Path), bareReason(err))
	}
	return err.Error()
}

func (s *settings) explainArchive(e *archive.Error) string {
	place := shown(s.archive)
	var unsupported *format.UnsupportedError
	var none *archive.NoBandError
	var stored *storage.Error
	switch {
	case errors.As(e, &unsupported):
		return sprintf(msgTooNew, place, unsupported)
	case e.Kind == archive.KindNotAnArchive:
		return sprintf(msgNoArchive, place)
	case errors.As(e, &none) && s.band == "":
		return sprintf(msgNoBands, place, place)
	case errors.As(e, &none):
		return sprintf(msgNoBand, s.band, place, place)
	case e.Kind == archive.KindAmbiguous:
		return sprintf(msgAmbiguous, s.band, place)
	case e.Kind == archive.KindDeleted:
		return sprintf(msgBandDeleted, e.Band, place)
	case e.Kind == archive.KindNotFound, e.Kind == archive.KindNotADirectory:
		return sprintf(msgNoSubdir, shown(string(s.subtree)), e.Band, place)
	case e.Kind != archive.KindCorrupt && e.Kind != archive.KindMismatch && errors.As(e, &stored):
		return s.explainStorage(stored)
	}
	return sprintf(msgDamaged, shown(filepath.Join(s.archive, e.Object)), bareReason(e), place)
}

func (s *settings) explainStorage(e *storage.Error) string {
	name := e.Object
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.archive, name)
	}
	switch {
	case e.Op == storage.OpOpen && (e.Kind == storage.KindNotFound || e.Kind == storage.KindInvalid):
		return sprintf(msgNoArchive, shown(s.archive))
	case e.Kind == storage.KindDenied:
		return sprintf(msgStorageDenied, shown(name))
	}
	return sprintf(msgUnexpected, "reading "+shown(name), bareReason(e))
}

// bareReason is the innermost cause that the operating system gave, without the names that are told already; or all of err.
func bareReason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// shown is a name as messages show it: as it is where that is safe, quoted where not.
func shown(name string) string {
	if utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return name
	}
	return strconv.Quote(name)
}
