package format

import _ "embed"

// Readme is README.txt, as every archive holds a copy of it: what this is, and how to get files out by hand.
//
//go:embed readme.txt
var Readme []byte

// SealedReadme is README.txt of an encrypted archive.
//
//go:embed readme-sealed.txt
var SealedReadme []byte

// Recover is recover.py, as every archive holds a copy of it: it lists and restores without Dura, whatever is left.
//
//go:embed recover.py
var Recover []byte
