package main

import (
	"fmt"

	"dura/archive/format"
)

// entryLine is an entry in a JSON stream.
type entryLine struct {
	jsonPath
	Kind         string      `json:"kind" about:"file, directory, symlink, fifo, socket, char_device or block_device"`
	Mode         string      `json:"mode" about:"permission bits with setuid, setgid and sticky, in octal: 0644"`
	UID          uint32      `json:"uid" about:"number of the owner"`
	GID          uint32      `json:"gid" about:"number of the group"`
	User         string      `json:"user,omitempty" about:"name of the owner"`
	Group        string      `json:"group,omitempty" about:"name of the group"`
	MTime        string      `json:"mtime" about:"when the content last changed"`
	CTime        string      `json:"ctime" about:"when anything of it last changed"`
	SizeBytes    *int64      `json:"size_bytes,omitempty" about:"of a file, holes included"`
	SHA256       string      `json:"sha256,omitempty" about:"of a file's content, in hex"`
	DataSHA256   string      `json:"data_sha256,omitempty" about:"instead, in a file with large holes: of the content without them"`
	Target       *string     `json:"target,omitempty" about:"of a symlink, what is not UTF-8 replaced by U+FFFD"`
	TargetBase64 []byte      `json:"target_base64,omitempty" about:"its bytes, where they are not UTF-8"`
	LinkTo       string      `json:"link_to,omitempty" about:"path of the first entry that is the same file"`
	LinkToBase64 []byte      `json:"link_to_base64,omitempty" about:"its bytes, where they are not UTF-8"`
	Links        uint32      `json:"links,omitempty" about:"number of hard links, where there are several"`
	Inode        uint64      `json:"inode" about:"number in the source's file system"`
	Device       uint64      `json:"device" about:"number of the source's file system"`
	RdevMajor    *uint32     `json:"rdev_major,omitempty" about:"of a device file"`
	RdevMinor    *uint32     `json:"rdev_minor,omitempty" about:"of a device file"`
	XAttrs       []jsonXAttr `json:"xattrs,omitempty" about:"extended attributes, by name"`
	Unstable     bool        `json:"unstable,omitempty" about:"whether it changed while it was read"`
}

type jsonXAttr struct {
	Name        string `json:"name" about:"with its namespace: user.comment"`
	ValueBase64 []byte `json:"value_base64" about:"its bytes"`
}

func entryLineOf(e *format.Entry) entryLine {
	l := entryLine{
		jsonPath: pathOf(e.Path), Kind: kindWord(e.Kind), Mode: fmt.Sprintf("%04o", e.Mode), UID: e.Owner.UID, GID: e.Owner.GID,
		User: e.Owner.User, Group: e.Owner.Group, MTime: jsonTime(e.MTime.Std()), CTime: jsonTime(e.CTime.Std()),
		Links: e.Links, Inode: e.Inode, Device: e.Device, Unstable: e.Unstable,
	}
	l.LinkTo, l.LinkToBase64 = jsonText(string(e.LinkTo))
	switch e.Kind {
	case format.File:
		l.SizeBytes, l.SHA256, l.DataSHA256 = &e.Size, hashText(e.SHA256), hashText(e.DataSHA)
	case format.Symlink:
		target, exact := jsonText(e.Target)
		l.Target, l.TargetBase64 = &target, exact
	case format.CharDevice, format.BlockDevice:
		l.RdevMajor, l.RdevMinor = &e.Rdev.Major, &e.Rdev.Minor
	}
	for _, x := range e.XAttrs {
		l.XAttrs = append(l.XAttrs, jsonXAttr{x.Name, x.Value})
	}
	return l
}

func hashText(h format.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}
