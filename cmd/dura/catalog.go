package main

// All that is said in a run, help aside. Rules: one sentence for a failure, with what failed, where, and what to do next; no
// capital at the start and no full stop at the end, since msgPrefix comes ahead; names as shown gives them, commands in double
// quotes with names as shellQuoted gives them.
const (
	msgPrefix = "dura: "

	// The command line.
	msgNoCommand          = `no command is given; "dura help" lists them`
	msgUnknownCommand     = `there is no command %q; "dura help" lists them`
	msgUnknownCommandNear = `there is no command %q; did you mean %q? "dura help" lists them all`
	msgSeeHelp            = `%s; "%s --help" tells more`
	msgUnknownFlag        = `there is no option %s here`
	msgFlagWithoutValue   = `--%s needs a value behind it`
	msgFlagValue          = `--%s can't be %q: %v`
	msgFlagSyntax         = `%q is not how an option is written`
	msgTooFewArgs         = `%s needs more than that: dura %s`
	msgTooManyArgs        = `%q is one word too many: dura %s`
	msgEmptyArg           = `argument %d is empty, is a variable not set? dura %s`
	msgFileScheme         = `name the directory itself as ARCHIVE, without file://: %s`
	msgOtherScheme        = `%s is neither a local directory nor a place in an object store (s3://, gs://, azblob://); mount that place, or name a directory`
	msgNamedArchive       = `%s would be an archive named in a configuration, which this version does not read; name the directory, which for one that is called so is ./%s`
	msgCompression        = `--compression can't be %q; it is none, fastest, default or better`
	msgParity             = `--parity can't be %q; it is none or K+M, as 16+2: M parity objects to each K objects, together at most 256`
	msgEventsFormat       = `--events can't be %q; it is none, text, json or textproto`
	msgEventsTo           = `--events-to says where events go, and --events says that there are none; add --events text, json or textproto`
	msgEventsFile         = `--events-to %s can't be written: %s`
	msgConfigRule         = `%s: %v`
	msgSalvageDelete      = `--salvage goes on whatever is damaged, and --delete must not remove what a damaged band does not show; give one of them`
	msgLogFile            = `--log-file %s can't be written: %s`
	msgSample             = `--sample can't be %q; it is a percentage, as 5%%, or random:5%%`
	msgAgainstEmpty       = `--against needs a value: a copy of the archive, another archive of the same source, or local`
	msgAgainstItself      = `--against %s would compare the archive with itself; name a copy of it, another archive of the same source, or local`
	msgBlocksAndFiles     = `--blocks and --files are two ways to check; give one of them`

	// The archive as a whole. Arguments: the archive, and again for a command.
	msgNoArchive          = `there is no archive at %s: nothing is there; "dura init %s" makes one`
	msgNoArchiveEmpty     = `there is no archive at %s: the directory is empty; is a disk not mounted? "dura init %s" makes an archive there`
	msgNoArchiveOther     = `there is no archive at %s: there are other files, and no DURA-ARCHIVE; check the path`
	msgNoArchiveHead      = `DURA-ARCHIVE is missing from %s, which has bands; put a good copy of that file back, or the one that "dura init" makes elsewhere: with it all can be read`
	msgNoSealedHead       = `DURA-ARCHIVE is missing from %s, which has encrypted bands; put a good copy of that file back; until then README.txt there says how to get files out by hand`
	msgNoArchiveFile      = `there is no archive at %s: that is not a directory; name the directory that holds the archive`
	msgArchiveExists      = `there is an archive at %s already; "dura bands %s" shows what it holds`
	msgPlaceTaken         = `%s is not empty, and no archive is in it; give "dura init" a new or an empty directory`
	msgArchiveTooNew      = `%s was made by a newer Dura: it is of format %d, and this program knows up to format %d; use a newer version of dura`
	msgArchiveFeature     = `%s needs the feature %q, which this version of dura doesn't know; use a newer version`
	msgArchiveHeadCorrupt = `DURA-ARCHIVE in %s is damaged (%s); put a good copy of that file back, or the one that "dura init" makes elsewhere: with it all can be read`

	// Keys.
	msgLocked       = `%s is sealed, and this run has no key for it; "dura key list %s" tells what opens the archive`
	msgNoKeyWay     = `name what is to open %s: --encrypt-to KEY, --passphrase, or both`
	msgNotEncrypted = `%s is not encrypted, and can't be from now on: "dura init ARCHIVE --encrypt-to KEY" makes one that is`
	msgNoWay        = `%s has no %s; "dura key list %s" lists what opens it`
	msgLastWay      = `what would be left opens %s no more; add another way first: "dura key add %s"`
	msgKeyNumber    = `%q is not the number of a way; "dura key list" lists them`
	msgWayKey       = "key %s"
	msgWayPhrase    = "passphrase"
	msgWayUnknown   = "damaged or unknown"
	msgWayAdded     = "%s opens %s from now on, as number %d\n"
	msgWayRemoved   = "number %d, %s, opens %s no more\n"
	msgKeyRow       = "archive's key %s\n"
	msgKeyMade      = "it is encrypted with the key %s, which opens by: %s\n"
	msgKeyMadeSafe  = "keep a copy of %s elsewhere: without it and what opens it nothing can be read\n"

	// Storage. Arguments: the file, the cause.
	msgStorageDenied   = `%s: permission denied; run this as a user who may %s there`
	msgStorageFull     = `no space is left for %s (%s); free some and run this again: what was complete before is as it was`
	msgStorageReadOnly = `%s can't be written: that file system is read-only; mount it for writing`
	msgStorageNotFound = `%s is missing from the archive; "dura verify %s" shows all that is`
	msgStorageExists   = `%s exists already, though only this run would make it; is another backup writing to this archive? Run this again`
	msgStorageInvalid  = `%s can't be used (%s); check the path`
	msgStorageIO       = `%s: %s; check the disk or the connection, then "dura verify %s --blocks"`

	// Object stores. Arguments: the place or the object, the cause.
	msgStoreURL        = `%s names no place in an object store: %s`
	msgStoreParameter  = `%s can't be opened: %s; check what is behind the question mark`
	msgNoArchiveStore  = `there is no archive at %s; check the path, or make one there: "dura init %s"`
	msgStoreTaken      = `%s has other objects in it, and no archive; give "dura init" another path in the bucket`
	msgNoCredentials   = `there are no credentials for %s that could be used (%s); %s`
	msgCredentialsS3   = `set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`
	msgCredentialsGCS  = `set GOOGLE_APPLICATION_CREDENTIALS to a file with a key`
	msgCredentialsBlob = `set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY`
	msgNoBucket        = `there is no bucket %s (%s); check its name and the endpoint, or make it with the tools of its store`
	msgRegion          = `bucket %[1]s is in region %[2]s; add region=%[2]s to the parameters of the archive`
	msgRegionUnknown   = `bucket %s is in another region (%s); add region=REGION to the parameters of the archive`
	msgUnconditional   = `%s can't hold an archive: that store writes over objects though told not to, and backups could harm each other; use another one`
	msgUnreachable     = `%s can't be reached: %s; check the network and the endpoint, then run this again`
	msgStoreWaits      = `%s does not answer (%s); trying again in %s`
	msgTried           = `, %d tries in %s`
	msgStoreDenied     = `%s: the store refuses that (%s); use credentials that may %s there`
	msgStoreFailed     = `%s: the store failed (%s); run this again later`

	// Bands and paths.
	msgNoBand         = `there is no band "%s" in %s; "dura bands %s" lists them`
	msgNoCompleteBand = `%s has no complete band; "dura bands %s" lists what is there, and -b ID opens an incomplete one`
	msgBandAmbiguous  = `"%s" is the start of several bands: %s; give more of the id`
	msgBandDeleted    = `band %s was deleted; "dura bands %s" lists the others`
	msgBandTooNew     = `band %s was made by a newer Dura (%s); use a newer version of dura for it`
	msgNoPath         = `there is no %s in band %s; "dura ls %s%s" lists what there is`
	msgNotAFile       = `%s is a %s, which has no content to write`
	msgNotAFileDir    = `%s is a directory; "dura ls %s %s" lists it`
	msgNotAFileLink   = `%s is a symbolic link to %s; name that instead`
	msgNotADirectory  = `%s is not a directory`
	msgDamaged        = `%s is damaged: %s; "dura verify %s" shows all that is, and another band may hold the same`

	// The source.
	msgSourceMissing  = `there is no %s, which was to be backed up; check the path, or leave it out`
	msgSourceDenied   = `%s can't be read: permission denied; run this as a user who may, or leave it out`
	msgSourceOther    = `%s can't be backed up: %s`
	msgSourceClash    = `%s and %s are different and would both be stored as %s; back them up apart, or from a directory above both`
	msgSourceInside   = `%s is inside the archive, which can't back up itself; name other trees`
	msgExcludeFile    = `--exclude-from %s can't be read: %s`
	msgExcludeLine    = `line %d of %s: the pattern "%s" can't be understood: %s`
	msgExcludePattern = `the pattern "%s" can't be understood: %s`

	// The lock of a backup.
	msgRunning         = `a backup of these paths to %s is running since %s, as process %d; this one stores nothing`
	msgRunningSomebody = `a backup of these paths to %s is running; this one stores nothing`
	msgNoLock          = `%s; so nothing keeps a second run of this backup away`

	// Comparing, and what this machine keeps for that.
	msgNothingInCommon  = `%s and %s have no band in common, nor complete bands of the same host and sources; "dura bands %s" lists what the other has`
	msgBandNotInCommon  = `there is nothing to compare band "%s" of %s with in %s: neither that band, nor a complete one of the same host and sources`
	msgNothingKept      = `this machine has kept nothing of %s; it keeps something of each band that it completes there`
	msgBandNotKept      = `this machine has kept nothing of band "%s" of %s; it keeps something of each band that it completes there`
	msgNotKept          = `%s; so this machine can't tell later whether the band is still what it wrote`
	msgSummariesDamaged = `%s; there is nothing to compare with, and the next backup begins it anew`
	msgSummariesBegun   = `%s; what was kept is lost, and it is begun anew`
	msgInOther          = `in %s: %s`

	// Restoring.
	msgDestNotDirectory = `%s can't be restored to: it is not a directory; name another place`
	msgDestInside       = `%s is inside the archive; name a directory elsewhere`
	msgDestDenied       = `%s can't be restored to: permission denied; name another place, or run this as a user who may write there`
	msgDestFull         = `%s can't be restored: %s; free some space there and run this again, with --overwrite`
	msgDestOther        = `%s can't be restored to: %s`

	// Anything.
	msgAborted      = `stopped by an alarm: %s; to go on in spite of it, add --alarm %s`
	msgInterrupted  = `interrupted`
	msgOutput       = `standard output takes no more: %s`
	msgUnexpected   = `%s failed: %s`
	msgStopped      = `stopped early, as asked; run the same backup again to go on from there`
	msgNoIndex      = `what the archive holds can't be kept in mind at %s: %s`
	msgKept         = `; what was stored stays in band %s, which is incomplete`
	msgKeptRestored = `; what was restored until then is in %s, and each file there is whole`
	msgFor          = ` (wanted for %s)`
	msgCutShort     = `%s (%s ends here at byte %d)`
	msgRemoved      = `%s is removed`
	msgSuppressed   = `(suppressed) %s`
	msgNoAlarms     = `no alarms were raised while band %s was made`
	msgAlarmsLater  = `band %s is not complete; its alarms are kept once it is`
	msgAlarmsLeft   = `%s more were raised and not kept`
	msgMoreAlarms   = `more alarms %s/%s are counted and not shown; -v shows all, --log-file keeps them`
	msgFollowing    = `%s takes no more: %s`
	msgAsk          = "dura: %s\nContinue, suppress or abort? [c/s/a] "

	// Results and progress.
	msgArchiveMade     = "made an archive at %s; \"dura backup %s PATH...\" stores trees of files in it\n"
	msgArchiveSettings = "id %s, compression %s, blocks of up to %s, frames of %s, parity %s\n"
	msgNoBandsYet      = `%s has no bands yet; "dura backup %s PATH..." makes one`
	msgLeft            = "%s left"
	msgBackingUp       = "backing up"
	msgCounting        = "counting"
	msgRestoring       = "restoring"
	msgVerifying       = "verifying"
	msgComparing       = "comparing"
	msgRepairing       = "repairing"
	msgRowBand         = "band"
	msgRowSource       = "source"
	msgRowWouldRead    = "would read"
	msgRowStored       = "stored"
	msgRowTook         = "took"
	msgRowSample       = "sample"
	msgPartOf          = "part %d of %s"
	msgRowRead         = "read"
	msgRowAlarms       = "alarms"
	msgRowRestored     = "restored"
	msgRowWouldRestore = "would restore"
	msgRowInTheWay     = "in the way"
	msgRowPassed       = "not reached"
	msgRowRemoved      = "removed"
	msgRowWouldRemove  = "would remove"
	msgRowChecked      = "checked"
	msgRowRepaired     = "repaired"
	msgRowWouldRepair  = "would repair"
	msgRowNotRepaired  = "not repaired"
	msgRowParityMade   = "parity made"
	msgRowLost         = "lost"
	msgLostFile        = "lost in band %s: %s (%s)\n"
	msgLostRun         = "lost in band %s: everything from %s on (%s)\n"
	msgLostRunUntil    = "lost in band %s: everything from %s up to %s (%s)\n"
	msgLostSome        = "lost in band %s: %s from %s on (%s)\n"
	msgLostSomeUntil   = "lost in band %s: %s from %s up to %s (%s)\n"
	msgLostMetadata    = "lost in band %s: mode, owner and times of %s (%s)\n"
	msgMade            = "%s: %s; stored as %s"
	msgWouldMake       = "%s: %s; would be stored as %s"
	msgRowDamage       = "damage"
	msgRowLeftOut      = "left out"
	msgSkipped         = "%s is left out: %s"
	msgPattern         = "it matches %s"
	msgRowUnreferenced = "unreferenced"

	msgRowAgainst       = "against"
	msgRowDiffering     = "differing"
	msgRowOnlyHere      = "only here"
	msgRowOnlyThere     = "only there"
	msgRowGivenUp       = "given up"
	msgRowPair          = "compared"
	msgRowChangedSince  = "changed"
	msgRowNotComparable = "not comparable"
	msgAgainstCopy      = "a copy: %s, %s"
	msgAgainstOther     = "another archive: %s, %s, %s"
	msgAgainstKept      = "what this machine wrote: %s, kept since %s"
	msgAgainstDamaged   = "what this machine wrote: damaged"
	msgPair             = "%s with %s"

	msgTotals      = "%s: %s, %s"
	msgStored      = "%s in %s"
	msgStoredShare = ", %s of what was read"
	msgTook        = "%s, %s"
	msgIn          = "%s in %s"
	msgTo          = "to %s"
	msgNone        = "none"
	msgComplete    = "%s, complete"
	msgContinued   = ", begun by an earlier run"
	msgParent      = ", parent %s"
	msgRowChanges  = "changes"
	msgChanges     = "%s new, %s changed, %s unchanged"
)
