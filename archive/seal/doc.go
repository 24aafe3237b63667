// Package seal makes OpenPGP messages of the objects of an archive, of the one form that FORMAT.md gives and that plain gpg opens, and
// opens them: whole ones, with their check, and parts of them. It holds the archive's own key pair, and seals the secret part of
// that to the keys and passphrases of people. It stands on archive/format, and on go-crypto for keys.
package seal
