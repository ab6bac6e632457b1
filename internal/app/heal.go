package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/internal/store/mirror"
)

// away reports an error that means that analytics is not there for a while.
func away(err error) bool {
	switch fault.CodeOf(err) {
	case "analytics.rebuilding", "analytics.damaged", "analytics.restarting":
		return true
	}
	return false
}

// shown are the traits as records show them: while analytics is away a record is shown without.
type shown struct{ *analytics.Store }

// Read implements trait.Store.
func (s shown) Read(ctx context.Context, customers []id.ID, defs []trait.Def) (map[id.ID]trait.Values, error) {
	out, err := s.Store.Read(ctx, customers, defs)
	if !away(err) {
		return out, err
	}
	out = make(map[id.ID]trait.Values, len(customers))
	for _, c := range customers {
		out[c] = trait.Values{}
	}
	return out, nil
}

// State implements trait.Store. Nothing is known while analytics is away, except to the passes, which must not go by that.
func (s shown) State(ctx context.Context) (trait.State, error) {
	st, err := s.Store.State(ctx)
	if away(err) && access.From(ctx).Kind != access.BySystem {
		return trait.State{}, nil
	}
	return st, err
}

// renewable is a plane whose file can be damaged.
type renewable interface {
	Damaged() <-chan struct{}
	Fresh() bool
	Renew(ctx context.Context) error
}

// guard puts the gate before the plane. It is closed from the start when the file was made anew and there are records.
func (w *workspace) guard(ctx context.Context) error {
	w.gate = analytics.NewGate(w.adb)
	file, ok := w.adb.(renewable)
	if !ok || !file.Fresh() || w.app.Config.Role == "api" {
		return nil
	}
	head, err := w.store.Log().Head(ctx)
	w.gate.Set(head != change.Position{})
	return err
}

const (
	healPoll = 100 * time.Millisecond
	// asideFor is how long a damaged file is kept.
	asideFor = 7 * 24 * time.Hour
)

// heal waits for damage of the analytics file, puts a new one in its place, and opens the gate when everything is computed.
func (w *workspace) heal(ctx context.Context) error {
	file, ok := w.adb.(renewable)
	if !ok {
		return nil
	}
	for {
		if w.gate.Closed() {
			again, err := w.refilled(ctx, file)
			if err != nil {
				return err
			}
			if !again {
				w.gate.Set(false)
				w.app.hub.Publish(w.info.Key, api.Event{Kind: "mirror"})
				w.app.Log.Info("analytics is complete", "workspace", w.info.Key)
				continue
			}
		} else {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-file.Damaged():
			}
		}
		w.gate.Set(true)
		w.app.hub.Publish(w.info.Key, api.Event{Kind: "mirror"})
		w.app.Log.Error("the analytics file is damaged: it is set aside and made anew", "workspace", w.info.Key)
		for {
			err := w.renew(ctx, file)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			w.app.Log.Error("make the analytics file anew", "workspace", w.info.Key, "error", err)
			if err := sleep(ctx, restartAfter); err != nil {
				return err
			}
		}
	}
}

// renew puts an empty file in the place of the damaged one and has the mirror fill it.
func (w *workspace) renew(ctx context.Context, file renewable) error {
	w.loading.Lock()
	defer w.loading.Unlock()
	w.pause()
	defer w.resume()
	if err := file.Renew(ctx); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	ctx = system(ctx)
	settings, err := w.settings(ctx)
	if err != nil {
		return err
	}
	if err := w.plane.Ensure(ctx, w.registry(), settings); err != nil {
		return err
	}
	if m, ok := w.feed.(*mirror.Mirror); ok {
		m.Forget()
	}
	return nil
}

// refilled waits until the plane holds everything that can be computed; again says that it was found damaged once more.
func (w *workspace) refilled(ctx context.Context, file renewable) (again bool, err error) {
	t := time.NewTicker(healPoll)
	defer t.Stop()
	for {
		if w.feed.Ready() {
			st, err := w.plane.State(system(ctx))
			if err == nil && st.Known && !st.Refilled && !st.Unfinished && w.eventsBack(ctx) {
				return false, nil
			}
		}
		s, err := w.feed.Status(ctx)
		if err == nil && fault.CodeOf(s.Error) == dialect.CodeDiskFull {
			err = duckdb.DropAside(w.dir, w.app.Clock.Now().Add(time.Hour)) // of more use as space
		}
		if err != nil && ctx.Err() == nil {
			w.app.Log.Warn("fill the analytics file", "workspace", w.info.Key, "error", err)
		}
		select {
		case <-ctx.Done():
			return false, errors.Join(err, ctx.Err())
		case <-file.Damaged():
			return true, nil
		case <-t.C:
		}
	}
}
