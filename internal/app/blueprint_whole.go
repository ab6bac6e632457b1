package app

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
)

const (
	// configFor is how long a process that is not heard of is believed to work on a change of configuration, configBeat how often it is heard of.
	configFor  = 12 * time.Second
	configBeat = 3 * time.Second
)

// whole makes a change of many parts of the configuration happen whole or not at all. The configuration of before is kept until it came
// to its end; when it fails, that is put back at once, and when the process ends in the middle, when the workspace is next opened (on
// PostgreSQL also by the process that leads, once the time of the change is over).
func (w *workspace) whole(ctx context.Context, change func() error) error {
	w.configuring.Lock()
	defer w.configuring.Unlock()
	now := w.app.Clock.Now()
	if err := w.restoreConfig(ctx, now); err != nil {
		return err
	}
	token := strconv.FormatInt(int64(w.app.ids.Next()), 36)
	if err := w.store.KeepConfig(ctx, token, now.Add(configFor), analysisKey); err != nil {
		return err
	}
	err := w.beating(ctx, token, change)
	if err == nil {
		err = w.store.DropConfig(ctx, token)
	}
	if err == nil {
		return nil
	}
	safe := context.WithoutCancel(ctx)
	if _, back := w.store.RestoreConfig(safe, token, now); back != nil {
		return errors.Join(err, back) // what is kept stays, and is put back later
	}
	return errors.Join(err, w.reconfigured(safe))
}

// beating makes a change while other processes hear of it.
func (w *workspace) beating(ctx context.Context, token string, change func() error) error {
	beat, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		for sleep(beat, configBeat) == nil {
			if err := w.store.ExtendConfig(beat, token, w.app.Clock.Now().Add(configFor)); err != nil && beat.Err() == nil {
				w.app.Log.ErrorContext(beat, "a change of the configuration is not heard of", "error", err)
			}
		}
	})
	err := change()
	stop()
	group.Wait()
	return err
}

// restoreConfig puts back what a change left that ended in the middle before an instant.
func (w *workspace) restoreConfig(ctx context.Context, over time.Time) error {
	done, err := w.store.RestoreConfig(ctx, "", over)
	if err != nil || !done {
		return err
	}
	w.app.Log.WarnContext(ctx, "a change of the configuration that ended in the middle was taken back", "workspace", w.info.Key)
	if w.metadata == nil { // nothing was read yet
		return nil
	}
	return w.reconfigured(ctx)
}

// reconfigured reads anew what the program keeps of the configuration.
func (w *workspace) reconfigured(ctx context.Context) error {
	reg, err := w.metadata.Newer(ctx)
	if err != nil {
		return err
	}
	if reg != nil {
		w.reg.Store(reg)
	}
	w.words.forget()
	w.stages.Forget()
	w.approvals.Forget()
	for _, kind := range []string{"metadata", "rights", "stages", "segment", "classification", "action"} {
		w.app.hub.Publish(w.info.Key, api.Event{Kind: kind})
	}
	return nil
}

// watchConfig looks now and then for a change that another process left in the middle.
func (w *workspace) watchConfig(ctx context.Context) error {
	for {
		if err := sleep(ctx, configBeat); err != nil {
			return err
		}
		if err := w.restoreConfig(ctx, w.app.Clock.Now()); err != nil {
			return err
		}
	}
}
