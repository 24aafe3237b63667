package restore

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// pruneNames is how many names of a directory are compared with the band at a time.
const pruneNames = 1 << 16

// prune removes from a directory that was there what the band doesn't have in it, if that is asked for. It doesn't where
// the band's list can't be read in full.
func (r *run) prune(ctx context.Context, d *dir) error {
	if !r.o.Delete || d.made || d.fd < 0 || !r.sel.names(d.path) || r.o.Spared(uint64(d.stat.Dev), uint64(d.stat.Ino)) {
		return nil
	}
	var some []string
	err := readNames(d.fd, func(name string) error {
		some = append(some, name)
		if len(some) < pruneNames {
			return nil
		}
		defer func() { some = some[:0] }()
		return r.pruneSome(ctx, d, some)
	})
	if err == nil && len(some) > 0 {
		err = r.pruneSome(ctx, d, some)
	}
	if err == nil || err == errUnsure {
		return nil
	}
	return r.failed(d.path, err)
}

func (r *run) pruneSome(ctx context.Context, d *dir, names []string) error {
	extra, err := r.extra(ctx, d.path, names)
	if err != nil {
		return err
	}
	for _, name := range extra {
		p := d.path.Join(name)
		if err := r.remove(d, name, p); err != nil {
			if err := r.failed(p, err); err != nil {
				return err
			}
			continue
		}
		r.count.removed.Add(1)
		r.o.Removed(p)
	}
	return nil
}

// errUnsure ends pruning a directory of which the band's entries can't all be read; there is an alarm.
var errUnsure = callFailed("list the band's directory", unix.EIO)

// extra are those of names that the band doesn't have in dir. It sorts names.
func (r *run) extra(ctx context.Context, dir format.Path, names []string) ([]string, error) {
	slices.Sort(names)
	var extra []string
	left := names
	for e, err := range r.band.ReadDir(ctx, dir, "") {
		if err != nil {
			if err := r.unreadable(ctx, err); err != nil {
				return nil, err
			}
			return nil, errUnsure
		}
		_, name := e.Path.Split()
		for len(left) > 0 && left[0] < name {
			extra, left = append(extra, left[0]), left[1:]
		}
		if len(left) > 0 && left[0] == name {
			left = left[1:]
		}
		if len(left) == 0 {
			return extra, nil
		}
	}
	return append(extra, left...), nil
}

// remove removes what name stands for in d, with all below it, unless it is a dry run.
func (r *run) remove(d *dir, name string, p format.Path) error {
	if r.o.DryRun {
		return nil
	}
	err := unix.Unlinkat(d.fd, name, 0)
	if !maybeDir(err) {
		return callFailed("remove", err)
	}
	t := treeRemover{spared: r.o.Spared, top: -1, device: uint64(d.stat.Dev), prefix: TempPrefix + r.token + "-removed-"}
	if err = t.tree(d.fd, name, 0); err == errSpared {
		return err
	}
	return callFailed("remove", err)
}

// maybeDir reports whether an unlink failed in the way it does for directories, which differs between systems.
func maybeDir(err error) bool { return err == unix.EISDIR || err == unix.EPERM }
