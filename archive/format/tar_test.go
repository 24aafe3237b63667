package format

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readTar reads the single member that image holds, as the standard library sees it.
func readTar(t interface{ Fatal(...any) }, image []byte) *tar.Header {
	r := tar.NewReader(bytes.NewReader(append(image, make([]byte, endFrameRawBytes)...)))
	h, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatal("more than one member, or no end:", err)
	}
	return h
}

func TestTarHeadersReadBack(t *testing.T) {
	names := rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "odd") {
			return rapid.SampledFrom([]string{"-", " a ", "\xff\xfe", "é", "a\nb", "~", strings.Repeat("n", 255), "x.dura-part"}).Draw(t, "name")
		}
		return rapid.StringMatching(`[a-zA-Z0-9._-]{1,60}x`).Draw(t, "name")
	})
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{
			Path: Path(strings.Join(rapid.SliceOfN(names, 1, 8).Draw(t, "path"), "/")), Kind: File,
			Mode: rapid.Uint32Range(0, 0o7777).Draw(t, "mode"),
			Owner: Owner{
				UID: rapid.Uint32().Draw(t, "uid"), GID: rapid.Uint32().Draw(t, "gid"),
				User: names.Draw(t, "user"), Group: names.Draw(t, "group"),
			},
			MTime:  Time{Seconds: rapid.Int64().Draw(t, "mtime")},
			XAttrs: []XAttr{{"user.x", []byte("a\n=\xff")}},
		}
		content := []byte(rapid.StringN(0, 2000, -1).Draw(t, "content"))
		image := append(AppendTarHeader(nil, &e, int64(len(content))), content...)
		image = append(image, make([]byte, TarPadding(int64(len(content))))...)
		if len(image)%512 != 0 {
			t.Fatal(len(image))
		}
		h := readTar(t, image)
		if h.Name != string(e.Path) || h.Size != int64(len(content)) || h.Mode != int64(e.Mode) || h.Uid != int(e.Owner.UID) ||
			h.Gid != int(e.Owner.GID) || h.Uname != e.Owner.User || h.Gname != e.Owner.Group ||
			h.ModTime.Unix() != e.MTime.Seconds || h.PAXRecords["SCHILY.xattr.user.x"] != "a\n=\xff" {
			t.Fatalf("%+v\nfrom %+v", h, e)
		}
	})
}

func TestTarHeadersOfEachKind(t *testing.T) {
	for _, c := range []struct {
		entry Entry
		want  tar.Header
	}{
		{Entry{Kind: Directory}, tar.Header{Typeflag: tar.TypeDir, Name: "./"}},
		{Entry{Kind: Directory, Path: "a"}, tar.Header{Typeflag: tar.TypeDir, Name: "a/"}},
		{Entry{Kind: Directory, Path: Path(strings.Repeat("d", 100))}, tar.Header{Typeflag: tar.TypeDir, Name: strings.Repeat("d", 100) + "/"}},
		{Entry{Kind: Directory, Path: Path("p/" + strings.Repeat("d", 98))}, tar.Header{Typeflag: tar.TypeDir, Name: "p/" + strings.Repeat("d", 98) + "/"}},
		{Entry{Kind: Symlink, Path: "l", Target: "../\xff"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "../\xff"}},
		{Entry{Kind: Symlink, Path: "l", Target: strings.Repeat("t", 4095)}, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: strings.Repeat("t", 4095)}},
		{Entry{Kind: FIFO, Path: "f"}, tar.Header{Typeflag: tar.TypeFifo, Name: "f"}},
		{Entry{Kind: CharDevice, Path: "c", Rdev: DeviceNumber{1, 3}}, tar.Header{Typeflag: tar.TypeChar, Name: "c", Devmajor: 1, Devminor: 3}},
		{Entry{Kind: BlockDevice, Path: "b", Rdev: DeviceNumber{8, 1}}, tar.Header{Typeflag: tar.TypeBlock, Name: "b", Devmajor: 8, Devminor: 1}},
		{Entry{Kind: File, Path: "h", LinkTo: "g"}, tar.Header{Typeflag: tar.TypeLink, Name: "h", Linkname: "g"}},
		{Entry{Kind: Symlink, Path: "h", Target: "t", LinkTo: "g"}, tar.Header{Typeflag: tar.TypeLink, Name: "h", Linkname: "g"}},
		{Entry{Kind: CharDevice, Path: "c", Rdev: DeviceNumber{1 << 31, 3}}, tar.Header{Typeflag: tar.TypeChar, Name: "c", Devminor: 3}},
	} {
		h := readTar(t, AppendTarHeader(nil, &c.entry, 0))
		if h.Typeflag != c.want.Typeflag || h.Name != c.want.Name || h.Linkname != c.want.Linkname ||
			h.Devmajor != c.want.Devmajor || h.Devminor != c.want.Devminor || h.Size != 0 {
			t.Errorf("%+v\nwant %+v", h, c.want)
		}
	}
}

func TestPartsSortByOffset(t *testing.T) {
	e := Entry{Kind: File, Path: "big"}
	for start, want := range map[int64]string{
		0: "big.dura-part/0000000000000000", 1 << 20: "big.dura-part/0000000001048576", 1e17: "big.dura-part/100000000000000000",
	} {
		h := readTar(t, append(AppendTarPartHeader(nil, &e, start, 3), make([]byte, 512)...))
		if h.Name != want || h.Size != 3 {
			t.Errorf("%s %d", h.Name, h.Size)
		}
	}
}

func TestXAttrsThatTarCantHoldAreLeftToTheIndex(t *testing.T) {
	e := Entry{Kind: File, Path: "x", XAttrs: []XAttr{
		{"user.a=b", []byte("1")}, {"user.big", make([]byte, maxTarXAttrBytes)}, {"user.ok", []byte("2")},
	}}
	h := readTar(t, AppendTarHeader(nil, &e, 0))
	if len(h.PAXRecords) != 1 || h.PAXRecords["SCHILY.xattr.user.ok"] != "2" {
		t.Fatal(len(h.PAXRecords))
	}
}
