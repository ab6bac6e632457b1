package app

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Influence is worked out for everybody at once: what a customer has of it depends on what others do. Between two times rests a pause that
// grows with how long it took.
const (
	influenceLook  = time.Minute
	influenceLeast = 2 * time.Second
	influenceTimes = 30
	// influenceMade is the definition; another one has everything worked out anew.
	influenceMade = "1"
)

// moveInfluence says that something that influence is made of may have changed. It never blocks.
func (w *workspace) moveInfluence() {
	select {
	case w.influenceMoved <- struct{}{}:
	default:
	}
}

// ofShares reports an event that makes or uses a share, or does something with a content.
func ofShares(e event.Event) bool {
	if e.Kind == event.Track && (e.Name == event.ShareOpened || slices.Contains(event.Shares(), e.Name) || slices.Contains(event.Interactions(), e.Name)) {
		return true
	}
	return strings.Contains(string(e.Properties), `"share_id"`) || strings.Contains(string(e.Properties), `"ref"`) || strings.Contains(string(e.Context), `"content"`)
}

// followInfluence works influence out whenever something moved, and once a day.
func (w *workspace) followInfluence(ctx context.Context) error {
	moved := true
	for {
		begin := w.app.Clock.Now()
		if _, err := w.weighInfluence(ctx, moved); err != nil {
			return err
		}
		if err := sleep(ctx, max(influenceLeast, influenceTimes*w.app.Clock.Now().Sub(begin))); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.influenceMoved:
			moved = true
		case <-time.After(influenceLook):
			moved = false
		}
	}
}

// weighInfluence works influence out where it may be another, and says for how many customers it is.
func (w *workspace) weighInfluence(ctx context.Context, moved bool) (changed int, err error) {
	ctx = system(ctx)
	if !w.feed.Ready() || !w.eventsBack(ctx) {
		return 0, nil
	}
	day := influenceMade + " " + clock.DayOf(w.app.Clock.Now(), w.zone).String()
	had, err := w.plane.Scored(ctx, analytics.FamilySocial)
	if err != nil || !moved && strings.HasPrefix(had, day) {
		return 0, err
	}
	in, err := social.Weigh(ctx, analytics.Crowd{DB: w.gate})
	if err != nil {
		if away(err) {
			return 0, nil
		}
		return 0, fmt.Errorf("work influence out: %w", err)
	}
	raw, err := json.Marshal(in.Brought)
	if err != nil {
		return 0, err
	}
	sign := fnv.New64a()
	_, _ = sign.Write(raw)
	mark := fmt.Sprintf("%s %x", day, sign.Sum64())
	list, err := w.plane.SaveInfluence(ctx, in, w.app.Clock.Now(), mark, had)
	if err != nil {
		return 0, fmt.Errorf("keep influence: %w", err)
	}
	switch n := len(list); {
	case n == 0:
	case n > analytics.TouchAtMost:
		return n, w.traits.Follow(ctx)
	default:
		w.traits.Notify()
	}
	return len(list), nil
}
