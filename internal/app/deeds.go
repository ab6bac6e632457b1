package app

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// deeds tells those who write conditions what customers were seen doing. Counting names walks over all events of a year, so
// an answer is believed for a minute.
type deeds struct {
	w *workspace

	mu    sync.Mutex
	names []analytics.EventSeen
	read  time.Time
}

var _ api.DeedService = (*deeds)(nil)

const (
	seenWithin  = 365 // days
	seenAtMost  = 500
	sampledRows = 2000
	namesFor    = time.Minute
	// A value is offered when so many events have it: what only one customer wrote is nobody else's to read.
	sharedBy   = 3
	shownTexts = 20
	shortText  = 60
)

func (b *deeds) since() clock.Day {
	return clock.DayOf(b.w.app.Clock.Now(), b.w.zone) - seenWithin
}

// Names implements api.DeedService.
func (b *deeds) Names(ctx context.Context) ([]api.SeenEvent, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.w.app.Clock.Now(); b.read.IsZero() || now.Sub(b.read) > namesFor || now.Before(b.read) || len(b.names) == 0 {
		names, err := b.w.plane.EventNames(ctx, b.since(), seenAtMost)
		if err != nil {
			return nil, err
		}
		b.names, b.read = names, now
	}
	out := make([]api.SeenEvent, len(b.names))
	for i, n := range b.names {
		out[i] = api.SeenEvent{Name: n.Name, Count: n.Count, LastAt: time.UnixMilli(n.Newest).UTC()}
	}
	return out, nil
}

// Properties implements api.DeedService.
func (b *deeds) Properties(ctx context.Context, event string) ([]api.SeenProperty, error) {
	rows, err := b.w.plane.EventSamples(ctx, event, b.since(), sampledRows)
	if err != nil {
		return nil, err
	}
	return propertiesOf(rows), nil
}

// propertiesOf learns keys, types and shared values from properties as they were sent. The type is that of most values; a text that
// is a number does not make it one.
func propertiesOf(rows []string) []api.SeenProperty {
	type seen struct {
		types map[string]int
		texts map[string]int
	}
	all := map[string]*seen{}
	for _, row := range rows {
		var object map[string]any
		if json.Unmarshal([]byte(row), &object) != nil {
			continue
		}
		for key, v := range object {
			typ := ""
			switch v.(type) {
			case string:
				typ = "text"
			case float64:
				typ = "number"
			case bool:
				typ = "bool"
			default:
				continue // lists and objects are asked about only whether they are there
			}
			s := all[key]
			if s == nil {
				s = &seen{map[string]int{}, map[string]int{}}
				all[key] = s
			}
			s.types[typ]++
			if text, ok := v.(string); ok && len([]rune(text)) <= shortText && strings.TrimSpace(text) != "" {
				s.texts[text]++
			}
		}
	}
	out := []api.SeenProperty{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		s := all[key]
		p := api.SeenProperty{Key: key, Values: []string{}}
		p.Type = slices.MaxFunc([]string{"text", "number", "bool"}, func(a, b string) int { return cmp.Compare(s.types[a], s.types[b]) })
		texts := slices.SortedFunc(maps.Keys(s.texts), func(a, b string) int { return cmp.Or(cmp.Compare(s.texts[b], s.texts[a]), cmp.Compare(a, b)) })
		for _, t := range texts {
			if s.texts[t] >= sharedBy && len(p.Values) < shownTexts {
				p.Values = append(p.Values, t)
			}
		}
		out = append(out, p)
	}
	return out
}
