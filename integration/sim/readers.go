package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/format"
	"dura/archive/verify"
)

// reader looks at what there is, several times.
func (w *world) reader(number int) {
	name := fmt.Sprintf("r%d", number)
	idle := w.between(name)
	for look := range w.looks {
		var c *client
		var choice int
		err := idle.turn(w.ctx, "looks", func() {
			c = w.process(fmt.Sprintf("%s.%d", name, look), nil)
			choice = w.rng.IntN(1 << 20)
		})
		if err != nil {
			return
		}
		err = w.look(c, choice)
		_ = idle.turn(w.ctx, "has seen", func() {
			w.gone(c)
			if err != nil && c.hurt == "" && w.faults.staleMoments == 0 && w.lost == 0 {
				w.fail(fmt.Errorf("%s: %w", c.name, err))
			}
		})
	}
}

// look opens some band and reads it, or checks all of them.
func (w *world) look(c *client, choice int) error {
	a, err := archive.Open(c.ctx, c, archive.Options{Decoders: 1})
	if err != nil {
		return err
	}
	defer a.Close()
	bands, err := a.Bands(c.ctx)
	if err != nil || len(bands) == 0 {
		return err
	}
	if choice%4 == 0 {
		return w.verified(c.ctx, a, bands, verify.Objects)
	}
	state := bands[choice/4%len(bands)]
	b, err := a.OpenBand(c.ctx, state)
	if err != nil {
		return err
	}
	found, err := read(c.ctx, a, b)
	if err != nil {
		return err
	}
	return c.turn(c.ctx, "compares "+string(b.ID()), func() {
		w.fail(w.compare(b, found))
	})
}

// verified fails unless verify finds everything whole that nothing has happened to.
func (w *world) verified(ctx context.Context, a *archive.Archive, bands []archive.BandState, depth verify.Depth) error {
	return verified(ctx, a, bands, depth, func(one alarm.Alarm) bool {
		id, _, _, err := format.ParseObjectName(one.Filename)
		l := w.bands[id]
		return w.lost > 0 || err == nil && l != nil && l.ended == 0 && l.shared
	})
}

// verified fails if verify finds damage, but for what is accounted for, and sums that are missing: a writer that ends behind its tail
// leaves none.
func verified(ctx context.Context, a *archive.Archive, bands []archive.BandState, depth verify.Depth, accounted func(alarm.Alarm) bool) error {
	found := &alarmtest.Alarms{}
	_, err := verify.Verify(ctx, a, bands, verify.Options{Depth: depth, Alarms: found, Workers: 1})
	if err == nil && slices.ContainsFunc(found.Raised(), func(one alarm.Alarm) bool {
		return !(one.Condition == alarm.Missing && strings.HasSuffix(one.Filename, ".sha256")) && !accounted(one)
	}) {
		err = errors.New("verify finds damage")
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, found)
	}
	return nil
}
