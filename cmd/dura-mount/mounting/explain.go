package mounting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/cmd/dura/unlock"
)

// sprintf is where messages are put together, and the place to translate them.
func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// failure is a Failure of a kind, in these words.
func failure(kind, format string, args ...any) error { return &Failure{kind, sprintf(format, args...)} }

// explained says what an error means to whoever gave the command.
func (s *settings) explained(err error) error {
	var (
		told       *Failure
		locked     *unlock.Error
		aborted    *alarm.AbortError
		archiveErr *archive.Error
		storageErr *storage.Error
		pathErr    *fs.PathError
	)
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &locked):
		return failure(locked.Kind, "%s", shown(locked.Sentence))
	case errors.As(err, &aborted):
		return failure("aborted", msgAborted, shown(aborted.Alarm.String()))
	case errors.Is(err, context.Canceled):
		return failure("interrupted", msgInterrupted)
	case isOfStore(err):
		return s.explainStore(err)
	case errors.As(err, &archiveErr):
		return s.explainArchive(archiveErr)
	case errors.As(err, &storageErr):
		return s.explainStorage(storageErr)
	case errors.As(err, &pathErr):
		return failure("failed", msgUnexpected, pathErr.Op+" "+shown(pathErr.Path), bareReason(err))
	}
	return failure("failed", "%s", err.Error())
}

func (s *settings) explainArchive(e *archive.Error) error {
	place, quoted := shown(s.archive), shellQuoted(s.archive)
	var unsupported *format.UnsupportedError
	var none *archive.NoBandError
	var stored *storage.Error
	switch {
	case errors.As(e, &unsupported):
		return failure("too_new", msgTooNew, place, unsupported)
	case e.Kind == archive.KindNotAnArchive:
		return failure("no_archive", msgNoArchive, place)
	case errors.As(e, &none) && s.band == "":
		return failure("no_band", msgNoBands, place, quoted)
	case errors.As(e, &none):
		return failure("no_band", msgNoBand, s.band, place, quoted)
	case e.Kind == archive.KindAmbiguous:
		return failure("band_ambiguous", msgAmbiguous, s.band, place)
	case e.Kind == archive.KindDeleted:
		return failure("band_deleted", msgBandDeleted, e.Band, quoted)
	case e.Kind == archive.KindNotFound:
		return failure("no_path", msgNoSubdir, shown(string(s.subtree)), e.Band, quoted, e.Band)
	case e.Kind == archive.KindNotADirectory:
		return failure("not_a_directory", msgNoSubdir, shown(string(s.subtree)), e.Band, quoted, e.Band)
	case e.Kind != archive.KindCorrupt && e.Kind != archive.KindMismatch && errors.As(e, &stored):
		return s.explainStorage(stored)
	}
	return failure("damaged", msgDamaged, shown(s.located(e.Object)), bareReason(e), quoted)
}

func (s *settings) explainStorage(e *storage.Error) error {
	name := s.located(e.Object)
	switch {
	case e.Op == storage.OpOpen && (e.Kind == storage.KindNotFound || e.Kind == storage.KindInvalid):
		return failure("no_archive", msgNoArchive, shown(s.archive))
	case e.Kind == storage.KindDenied:
		return failure("denied", msgStorageDenied, shown(name))
	}
	return failure("io", msgUnexpected, "reading "+shown(name), bareReason(e))
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

// shellQuoted is a name as one word of a shell.
func shellQuoted(name string) string {
	if name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+:@%,", r)
	}) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
