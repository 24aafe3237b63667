package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/restore"
	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/cmd/dura-mount/mounting"
	"dura/cmd/dura/unlock"
	"dura/writer"
	"dura/writer/source"
)

// sprintf is where messages are put together, and the place to translate them.
func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// kindUsage is the kind of errors whose exit status is statusUsage.
const kindUsage = "usage"

// explain says what an error means to whoever gave the command: a stable word for programs, a sentence for people.
func (a *app) explain(err error) (kind, sentence string) {
	kind, sentence = a.explainCause(err)
	switch {
	case a.kept != "":
		sentence += sprintf(msgKept, a.kept)
	case a.restoredTo != "":
		sentence += sprintf(msgKeptRestored, shown(a.restoredTo))
	}
	return kind, sentence
}

// explainCause looks for the error that says most, outermost first.
func (a *app) explainCause(err error) (kind, sentence string) {
	var (
		words       *usageError
		aborted     *alarm.AbortError
		output      *outputError
		notAFile    *notAFileError
		archiveErr  *archive.Error
		storageErr  *storage.Error
		unsupported *format.UnsupportedError
		root        *source.RootError
		clash       *source.ClashError
		pattern     *source.PatternError
		dest        *restore.Error
		running     *runningError
		nothing     *nothingInCommonError
		mountWords  *mounting.UsageError
		noMount     *mounting.Failure
		locked      *unlock.Error
	)
	switch {
	case errors.As(err, &words) && words.command != "":
		return kindUsage, sprintf(msgSeeHelp, words.msg, words.command)
	case errors.As(err, &words):
		return kindUsage, words.msg
	case errors.As(err, &mountWords):
		return kindUsage, sprintf(msgSeeHelp, mountWords.Sentence, "dura mount")
	case errors.As(err, &noMount):
		return noMount.Kind, noMount.Sentence
	case errors.As(err, &locked):
		return locked.Kind, shown(locked.Sentence)
	case errors.As(err, &aborted):
		return "aborted", a.abortSentence(aborted.Alarm)
	case errors.Is(err, writer.ErrStopped):
		return "stopped", msgStopped
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return "interrupted", msgInterrupted
	case errors.As(err, &running):
		return "running", a.runningSentence(running)
	case errors.As(err, &nothing):
		return "nothing_in_common", nothingInCommonSentence(nothing)
	case errors.As(err, &output):
		return "output", sprintf(msgOutput, bareReason(output.Err))
	case errors.As(err, &notAFile):
		return "not_a_file", a.notAFileSentence(notAFile.Entry)
	case errors.As(err, &dest):
		return destSentence(dest)
	case isOfStore(err):
		return a.storeSentence(err)
	case errors.As(err, &archiveErr):
		return a.archiveSentence(archiveErr)
	case errors.As(err, &unsupported):
		return "too_new", a.unsupportedSentence("", unsupported)
	case errors.As(err, &storageErr):
		return a.storageSentence(storageErr)
	case errors.As(err, &root):
		return rootSentence(root)
	case errors.As(err, &clash):
		return "source_clash", sprintf(msgSourceClash, shown(clash.Roots[0]), shown(clash.Roots[1]), shown(rooted(string(clash.Path))))
	case errors.As(err, &pattern):
		return kindUsage, sprintf(msgExcludePattern, shown(pattern.Pattern), reasonOf(pattern.Err))
	}
	return a.explainLocal(err)
}

func (a *app) abortSentence(one alarm.Alarm) string {
	rule := alarm.Rule{Area: one.Area, Condition: one.Condition, Action: alarm.Continue}
	return sprintf(msgAborted, alarmText(one), shellQuoted(rule.String()))
}

func (a *app) runningSentence(e *runningError) string {
	if e.pid == 0 {
		return sprintf(msgRunningSomebody, shown(a.place))
	}
	return sprintf(msgRunning, shown(a.place), timeText(e.since), e.pid)
}

func (a *app) notAFileSentence(e *format.Entry) string {
	switch e.Kind {
	case format.Directory:
		return sprintf(msgNotAFileDir, shown(rooted(string(e.Path))), shellQuoted(a.place), shellQuoted(rooted(string(e.Path))))
	case format.Symlink:
		return sprintf(msgNotAFileLink, shown(string(e.Path)), shown(e.Target))
	}
	return sprintf(msgNotAFile, shown(string(e.Path)), kindWord(e.Kind))
}

func (a *app) archiveSentence(e *archive.Error) (kind, sentence string) {
	var unsupported *format.UnsupportedError
	var cause *storage.Error
	switch {
	case errors.As(e, &unsupported):
		return "too_new", a.unsupportedSentence(e.Band, unsupported)
	case e.Kind == archive.KindNotAnArchive:
		return "no_archive", a.noArchiveSentence()
	case e.Kind == archive.KindAmbiguous:
		return "band_ambiguous", a.ambiguousSentence(e)
	case e.Kind == archive.KindDeleted:
		return "band_deleted", sprintf(msgBandDeleted, e.Band, shellQuoted(a.place))
	case e.Kind == archive.KindExists:
		return a.existsSentence(e)
	case e.Kind == archive.KindNotFound:
		return a.notFoundSentence(e)
	case e.Kind == archive.KindLocked:
		return "locked", sprintf(msgLocked, shown(a.located(e.Object)), shellQuoted(a.place))
	case e.Kind == archive.KindMissing:
		return "damaged", sprintf(msgStorageNotFound, shown(a.located(e.Object)), shellQuoted(a.place))
	case e.Kind == archive.KindNotADirectory:
		return "not_a_directory", sprintf(msgNotADirectory, shown(string(e.Path)))
	case e.Kind == archive.KindCorrupt || e.Kind == archive.KindMismatch:
		return "damaged", a.damagedSentence(e)
	case errors.As(e, &cause):
		return a.storageSentence(cause)
	}
	return "failed", sprintf(msgUnexpected, e.Op, reasonOf(e))
}

func (a *app) existsSentence(e *archive.Error) (kind, sentence string) {
	if e.Object == format.ArchiveName {
		return "archive_exists", sprintf(msgArchiveExists, shown(a.place), shellQuoted(a.place))
	}
	if cloud.IsPlace(a.place) {
		return "not_empty", sprintf(msgStoreTaken, shown(a.place))
	}
	return "not_empty", sprintf(msgPlaceTaken, shown(a.place))
}

// notFoundSentence tells a path and a band that are not there apart.
func (a *app) notFoundSentence(e *archive.Error) (kind, sentence string) {
	place, quoted := shown(a.place), shellQuoted(a.place)
	var none *archive.NoBandError
	switch {
	case !errors.As(e, &none):
		return "no_path", sprintf(msgNoPath, shown(rooted(string(e.Path))), e.Band, quoted, a.bandWords())
	case none.Complete+none.Incomplete == 0:
		return "no_band", sprintf(msgNoBandsYet, place, quoted)
	case a.spec == "":
		return "no_band", sprintf(msgNoCompleteBand, place, quoted)
	}
	return "no_band", sprintf(msgNoBand, shown(a.spec), place, quoted)
}

func (a *app) ambiguousSentence(e *archive.Error) string {
	several := &archive.AmbiguousError{}
	errors.As(e, &several)
	var ids []string
	for i, id := range several.Bands {
		if i == maxNamed {
			ids = append(ids, "…")
			break
		}
		ids = append(ids, string(id))
	}
	return sprintf(msgBandAmbiguous, shown(a.spec), strings.Join(ids, ", "))
}

// maxNamed is how many bands a sentence names at the most.
const maxNamed = 3

// bandWords is the --band of this run, for a command that is to see the same band.
func (a *app) bandWords() string {
	if a.spec == "" {
		return ""
	}
	return " -b " + shellQuoted(a.spec)
}

func (a *app) damagedSentence(e *archive.Error) string {
	if e.Object == format.ArchiveName {
		return sprintf(msgArchiveHeadCorrupt, shown(a.place), reasonOf(e))
	}
	what := shown(string(e.Path))
	if e.Object != "" {
		what = shown(a.located(e.Object))
	}
	return sprintf(msgDamaged, what, reasonOf(e), shellQuoted(a.place))
}

func (a *app) unsupportedSentence(band format.BandID, e *format.UnsupportedError) string {
	switch {
	case band != "":
		return sprintf(msgBandTooNew, band, e)
	case e.Feature != "":
		return sprintf(msgArchiveFeature, shown(a.place), e.Feature)
	}
	return sprintf(msgArchiveTooNew, shown(a.place), e.Version, format.Version)
}

// noArchiveSentence looks at what is there instead.
func (a *app) noArchiveSentence() string {
	place, quoted := shown(a.place), shellQuoted(a.place)
	if cloud.IsPlace(a.place) {
		return sprintf(msgNoArchiveStore, place, quoted)
	}
	info, err := os.Stat(a.place)
	switch {
	case err != nil:
		return sprintf(msgNoArchive, place, quoted)
	case !info.IsDir():
		return sprintf(msgNoArchiveFile, place)
	}
	heads := filepath.Join(globQuoted(a.place), format.HeadName("*"))
	if found, _ := filepath.Glob(heads); len(found) > 0 {
		return sprintf(msgNoArchiveHead, place)
	}
	if found, _ := filepath.Glob(heads + format.SealedSuffix); len(found) > 0 {
		return sprintf(msgNoSealedHead, place)
	}
	if f, err := os.Open(a.place); err == nil {
		defer f.Close()
		if names, _ := f.Readdirnames(1); len(names) == 0 {
			return sprintf(msgNoArchiveEmpty, place, quoted)
		}
	}
	return sprintf(msgNoArchiveOther, place)
}

// globQuoted is a name as filepath.Glob takes it to the letter.
func globQuoted(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

func (a *app) storageSentence(e *storage.Error) (kind, sentence string) {
	name := shown(a.located(e.Object))
	opening := e.Op == storage.OpOpen
	switch e.Kind {
	case storage.KindNotFound:
		if opening {
			return "no_archive", a.noArchiveSentence()
		}
		return "damaged", sprintf(msgStorageNotFound, name, shellQuoted(a.place))
	case storage.KindInvalid:
		if opening {
			return "no_archive", a.noArchiveSentence()
		}
		return "invalid", sprintf(msgStorageInvalid, name, reasonOf(e))
	case storage.KindExists:
		return "exists", sprintf(msgStorageExists, name)
	case storage.KindDenied:
		return "denied", sprintf(msgStorageDenied, name, may(e.Op))
	case storage.KindFull:
		return "full", sprintf(msgStorageFull, name, reasonOf(e))
	case storage.KindReadOnly:
		return "read_only", sprintf(msgStorageReadOnly, name)
	}
	return "io", sprintf(msgStorageIO, name, reasonOf(e), shellQuoted(a.place))
}

func rootSentence(e *source.RootError) (kind, sentence string) {
	switch {
	case errors.Is(e, fs.ErrNotExist):
		return "source_missing", sprintf(msgSourceMissing, shown(e.Root))
	case errors.Is(e, fs.ErrPermission):
		return "source_denied", sprintf(msgSourceDenied, shown(e.Root))
	}
	return "source", sprintf(msgSourceOther, shown(e.Root), reasonOf(e))
}

func destSentence(e *restore.Error) (kind, sentence string) {
	path := shown(e.Path)
	switch {
	case errors.Is(e, syscall.ENOTDIR):
		return "dest_not_directory", sprintf(msgDestNotDirectory, path)
	case errors.Is(e, fs.ErrPermission):
		return "dest_denied", sprintf(msgDestDenied, path)
	case errors.Is(e, syscall.ENOSPC), errors.Is(e, syscall.EDQUOT):
		return "dest_full", sprintf(msgDestFull, path, reasonOf(e))
	}
	return "dest", sprintf(msgDestOther, path, reasonOf(e))
}

// explainLocal is for errors of the local system that no package gave a meaning.
func (a *app) explainLocal(err error) (kind, sentence string) {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return "failed", sprintf(msgUnexpected, pathErr.Op+" "+shown(pathErr.Path), bareReason(err))
	}
	return "failed", shown(err.Error())
}
