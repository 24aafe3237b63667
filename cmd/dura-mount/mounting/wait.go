package mounting

import (
	"context"
	"os"
	"time"

	"dura/fs"
)

// idlePoll is how often at most a mount with an idle timeout is looked at, as a part of that.
const idlePoll = 4

// wait returns when the mount is gone. A signal unmounts it; if it is in use it is taken out of sight, and a second signal ends
// it at once. Where nobody has asked for anything for as long as the idle timeout, it is unmounted unless it is in use.
func (s *settings) wait(ctx context.Context, h Host, m *mounted, t *teller, signals <-chan os.Signal) error {
	var look <-chan time.Time
	if s.idle > 0 {
		ticker := time.NewTicker(max(s.idle/idlePoll, time.Millisecond))
		defer ticker.Stop()
		look = ticker.C
	}
	idle := idleness{since: h.Now(), seen: m.files.Requests()}
	detached := false
	for {
		select {
		case <-m.server.Done():
			return nil
		case <-look:
			if idle.lasts(m.files.Requests(), h.Now()) >= s.idle && m.server.Unmount(ctx) == nil {
				look = nil
			}
		case <-signals:
			if detached {
				return &StatusError{statusFailed}
			}
			notifySystemd(h, "STOPPING=1")
			if detached = s.end(ctx, h, m.server, t); detached {
				look = nil
			}
		}
	}
}

// idleness is how long nobody has asked for anything.
type idleness struct {
	since time.Time
	seen  fs.Requests
}

func (i *idleness) lasts(asked fs.Requests, now time.Time) time.Duration {
	if asked != i.seen {
		i.since, i.seen = now, asked
	}
	return now.Sub(i.since)
}

// end unmounts, or detaches what is in use, and reports whether it did the latter.
func (s *settings) end(ctx context.Context, h Host, server *fs.Server, t *teller) (detached bool) {
	err := server.Unmount(ctx)
	if isBusy(err) {
		if err = server.Detach(ctx); err == nil {
			t.tell(sprintf(msgBusy, shown(s.mountpoint)))
			detached = true
		}
	}
	if err != nil {
		t.tell(sprintf(msgUnmountErr, shown(s.mountpoint), bareReason(err), unmountCommand(h), shellQuoted(s.mountpoint)))
	}
	return detached
}
