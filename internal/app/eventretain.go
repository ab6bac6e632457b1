package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// retainEvents takes the events of sources away that have been kept for as long as the source says. The days are local ones, on which
// events happened.
func (w *workspace) retainEvents(ctx context.Context) error {
	list, err := w.app.instance.Sources(ctx, w.info.Key)
	if err != nil {
		return err
	}
	today, before := clock.DayOf(w.app.Clock.Now(), w.zone), map[id.ID]clock.Day{}
	for i := range list {
		if n := list[i].Retention; n > 0 {
			before[list[i].ID] = today - clock.Day(n) //nolint:gosec // bounded where it is set
		}
	}
	n, err := w.events.plane.Retain(system(ctx), before)
	if err == nil && n > 0 {
		w.app.Log.Info("events were kept for their time", "workspace", w.info.Key, "events", n)
	}
	return err
}
