package mounting

// All that is said, help aside. Rules: one sentence for a failure, with what failed, where, and what to do next; no capital at
// the start and no full stop at the end, since the program's name comes ahead; names as shown gives them, commands in double
// quotes with names as shellQuoted gives them.
const (
	// The command line.
	msgTooFewArgs         = `it takes an archive and a directory to mount it on: %s`
	msgTooManyArgs        = `%q is one word too many: %s [-f] [-o OPTION,...]`
	msgFlagValue          = `--%s can't be %q: %v`
	msgUnknownOption      = `there is no mount option %q`
	msgOptionWithoutValue = `the mount option %[1]s needs a value: -o %[1]s=...`
	msgOptionWithValue    = `the mount option %s takes no value`
	msgOptionValue        = `the mount option %s can't be %q: %v`
	msgEmptyArchive       = `ARCHIVE is empty; name the directory that holds it`
	msgOtherScheme        = `%s is neither a local directory nor a place in an object store (s3://, gs://, azblob://); mount that place, or name a directory`
	msgStoreURL           = `%s names no place in an object store: %v`
	msgNamedArchive       = `%s would be an archive named in a configuration, which this version does not read; name the directory`
	msgAlarmRule          = `--alarm %s: %v`

	// The mount point.
	msgNoMountpoint      = `there is no directory %s to mount on; make it: "mkdir %s"`
	msgNotADirectory     = `%s is not a directory; name a directory to mount on`
	msgNotEmpty          = `%s is not empty, and mounting there would hide what is in it; name an empty directory, or add -o nonempty`
	msgInsideArchive     = `%s is inside the archive; name a directory elsewhere`
	msgInsideCache       = `%s is inside the cache %s; name a directory elsewhere`
	msgCacheInside       = `the cache %s is inside %s; name a directory elsewhere`
	msgDeadMount         = `a mount whose program is gone is left over at %s; take it away: "%s %s"`
	msgMountpointDenied  = `%s can't be looked into: permission denied; name another directory, or run this as a user who may`
	msgMountpointNotOurs = `%s can't be mounted on by this user, who may not write there; name another directory`
	msgAlreadyMounted    = `%s is mounted on already: it shows %s; use that, or take it away: "%s %s"`
	msgMountpointBusy    = `%s is busy: the system lets nobody mount there now; name another directory`
	msgNoAnswer          = `%s did not answer in %v; is its disk or its network gone?`
	msgMountpointOther   = `%s can't be mounted on: %v`

	// The system.
	msgNoDevice        = `this system has no /dev/fuse, which every mount of this kind needs; load it: "modprobe fuse"`
	msgDeviceDenied    = `/dev/fuse can't be opened: permission denied; run this as root, or as a user who may`
	msgNoFusermount    = `fusermount3 is not there, which mounts for users other than root; install it (Debian: "apt install fuse3"), or run this as root`
	msgAllowOtherOff   = `allow_other is for root alone, unless /etc/fuse.conf has the line user_allow_other; leave it out, or have root add that line`
	msgMountDenied     = `the system does not let this user mount on %s; run this as root, or with fusermount3 installed`
	msgMountFailed     = `%s could not be mounted on: %v`
	msgServerEnded     = `the program that was to serve %s ended before it could`
	msgInterrupted     = `interrupted`
	msgLogFile         = `the log file %s can't be written: %v`
	msgBackgroundStart = `the program that is to serve the mount can't be started: %v`

	// The archive.
	msgNoArchive     = `there is no archive at %s; check the path, or mount the disk that holds it`
	msgTooNew        = `%s was made by a newer Dura (%v); use a newer version`
	msgNoBand        = `there is no band %q in %s; "dura bands %s" lists them`
	msgNoBands       = `%s has no complete band yet; "dura bands %s" shows what there is`
	msgAmbiguous     = `%q is the start of several bands in %s; give more of the id`
	msgBandDeleted   = `band %s was deleted; "dura bands %s" lists the others`
	msgNoSubdir      = `there is no directory %s in band %s; "dura ls %s -b %s" shows what there is`
	msgNoKeyCame     = `%s got no key for the archive`
	msgAborted       = `stopped by an alarm: %s; to go on in spite of it, add --alarm archive/mismatch=continue`
	msgDamaged       = `%s is damaged (%v); "dura verify %s" shows all that is`
	msgStorageDenied = `%s can't be read: permission denied; run this as a user who may`
	msgUnexpected    = `%s failed: %v`

	// Object stores.
	msgNoCredentials  = `there are no credentials for %s that could be used (%s); set those of its store in the environment`
	msgUnreachable    = `%s can't be reached: %s; check the network and the endpoint, then run this again`
	msgStoreUnusable  = `%s can't be read: %s; check the archive's name and parameters`
	msgStoreParameter = `%s can't be opened: %s; check what is behind the question mark`

	// While it is served.
	msgBusy       = `%s is in use: it is out of sight now, and ends when the last program lets go of it; a second signal ends it at once`
	msgUnmountErr = `%s could not be unmounted: %v; try "%s %s"`
	msgOneAlarm   = `one alarm was raised while %s was mounted`
	msgAlarms     = `%d alarms were raised while %s was mounted`
)

const help = `Show the bands of an archive as directories, read-only: one for each backup, named by its id, and the link
latest to the newest one. It returns when the mount can be used. "umount MOUNTPOINT" (or "fusermount3 -u MOUNTPOINT") ends it.

  %[1]s /backup /mnt                     all bands
  %[1]s /backup /mnt --band latest~1     the last band but one alone
  %[1]s /backup /mnt -o subdir=home/me   that directory of every band

Options of -o:
  allow_other        let other users in, each to what the permissions let them
  band=BAND          as --band
  subdir=PATH        show this directory of a band alone
  uid=N, gid=N       show everything as owned by this user, this group
  also=OTHER         as --also
  cache_size=SIZE    as --cache-size
  index_cache_size=SIZE
                     memory for the index (default 16M)
  cache_dir=DIR      keep what was read in this directory as well, for the next time; several mounts may share it
  cache_dir_size=SIZE
                     what may be kept there (default 4G; 256M of its disk are left free in any case)
  read_ahead=SIZE    how far the kernel reads ahead (root only; default 1M)
  timeout=TIME       how long a read may wait for the archive before it fails (default 60s)
  idle_timeout=TIME  unmount when nobody has used it for so long
  dura_xattrs        list user.dura.band, user.dura.state and user.dura.sha256, which can always be read
  nonempty           mount on a directory that has something in it
  suid, dev, noexec and what else mount(8) knows

An encrypted archive is opened by gpg, or by a passphrase: from DURA_PASSPHRASE_FILE, DURA_PASSPHRASE_COMMAND, DURA_PASSPHRASE, or asked for.
With --also, DURA_OTHER_PASSPHRASE (_FILE, _COMMAND) may have that of the other archive.

In /etc/fstab:  ARCHIVE MOUNTPOINT fuse.dura-mount ro,noauto,nosuid,nodev 0 0

Exit status: 0 done; 1 failed; 2 the command line was wrong; 3 (with -f) done, and alarms were raised: something is damaged.`
