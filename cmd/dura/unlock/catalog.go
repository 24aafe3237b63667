package unlock

// What is said. One sentence for a failure: what failed, where, and what to do next.
const (
	msgAskPassphrase = "Passphrase of %s: "
	msgAskAgain      = "That is not the one. Passphrase of %s: "
	msgAskNew        = "New passphrase: "
	msgAskTwice      = "The same again: "
	msgTyped         = "what was typed"

	msgNoCopies           = `%s is encrypted, and keys/ has no copy of its secret key; put one back, from another copy of the archive`
	msgCopyDamaged        = `%s in %s can't be used (%v); put a good copy of that file back, or open the archive another way`
	msgNoPassphrase       = `%s is encrypted, and nothing gives its passphrase; set DURA_PASSPHRASE_FILE, DURA_PASSPHRASE_COMMAND or DURA_PASSPHRASE, or run this at a terminal`
	msgNoNewPassphrase    = `nothing gives a passphrase; set %s_FILE, %s_COMMAND or %s, or run this at a terminal`
	msgWrongPassphrase    = `%s is not the passphrase of %s; check it, capital letters and the keyboard among that`
	msgPassphraseSource   = `%s gives no passphrase: %v; check it`
	msgPassphraseSize     = `%s gives a passphrase of %d bytes; it has between 1 and %d`
	msgNotTwice           = `the two passphrases differ; try again`
	msgPublicKey          = `%[1]s in %[2]s is missing, damaged or another key (%[3]v), and nothing can be written without it; take away what is there, and "dura repair %[2]s" stores it again, given what opens the archive`
	msgOtherSecret        = `what was opened in keys/ of %s is another key (%s) than the archive's (%s); somebody has changed it: put a good copy of keys/ back`
	msgNoGPG              = `%s opens with the key %s, by gpg, and gpg is not there; install it (Debian: "apt install gpg")`
	msgNoGPGExport        = `there is no file %[1]s, and no gpg that may have a key of that name; install gpg, or name a file with the key`
	msgNoSecretKey        = `%s opens with the secret key %s, which gpg does not have here; run this where it is, or bring it in with "gpg --import"`
	msgWrongKeyPassphrase = `gpg was given a wrong passphrase for the key %s, which opens %s; try again`
	msgNotGiven           = `gpg was not given the right passphrase of the key %s, which opens %s; try again`
	msgNoPinentry         = `gpg can't use the key %s, which opens %s: it has no way to ask for its passphrase, or the card is not there; install a pinentry, put the card in, or open the key first: gpg-agent keeps it open`
	msgCanceled           = `nobody gave gpg the passphrase of the key %s, which opens %s; try again`
	msgGPGFailed          = `gpg could not open %s in %s: %s`

	msgNoKeyNamed       = `an empty word names no key; give a fingerprint, an address, or a file with the key`
	msgKeyFile          = `the key file %s can't be read: %v`
	msgNoSuchKey        = `there is no file %[1]s, and gpg has no key of that name; name a file with the key, or bring it in: "gpg --import"`
	msgExportFailed     = `gpg could not give the key of %s: %s`
	msgNotAKey          = `%s holds no OpenPGP public key; "gpg --export --armor ADDRESS" makes such a file`
	msgSeveralKeys      = `%s means several keys; give a fingerprint, or a file with one key`
	msgKeyExpired       = `the key of %s has expired, and nothing should be sealed to it; prolong it, or name another one`
	msgKeyRevoked       = `the key of %s was revoked, and nothing should be sealed to it; name another one`
	msgKeyCannotEncrypt = `the key of %s can't be encrypted to: it is for signing, or weak; name another one`

	msgChangedKey   = `this machine knows the archive by the key %s, and storage has %s now; somebody may have changed it`
	msgNoLongerKey  = `this machine knows the archive as encrypted, by the key %s, and it says that it is not; somebody may have changed it`
	msgOtherArchive = `this machine knows an encrypted archive at this place, and another one is there now; somebody may have changed it`
	msgKeysLost     = `%s has no keys of what this machine wrote before; everything is stored again`
	msgBandGone     = `this machine wrote this band, and the archive has nothing of it any more; was it deleted elsewhere, or is this an older copy of the archive?`
	msgNotKept      = `the next backup will store everything again: %v`
	msgNotKnown     = `what this machine is to know of the archive can't be kept: %v`
)
