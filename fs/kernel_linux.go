package fs

import "github.com/hanwen/go-fuse/v2/fuse"

func skipsOpens(k *fuse.InitIn) bool {
	const both = fuse.CAP_NO_OPEN_SUPPORT | fuse.CAP_NO_OPENDIR_SUPPORT
	return k.Flags64()&both == both
}
