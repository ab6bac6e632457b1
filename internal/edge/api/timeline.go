package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

type timelineIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
	Kinds  string `query:"kinds" doc:"only these, with commas between them: created, updated, order, task, note, behaviour …"`
	From   string `query:"from" doc:"first local day, 2026-11-01"`
	To     string `query:"to" doc:"last local day"`
	Q      string `query:"q" doc:"only what shows all of these words"`
}

func (in timelineIn) kinds() ([]timeline.Kind, error) {
	var out []timeline.Kind
	for text := range strings.SplitSeq(in.Kinds, ",") {
		kind := timeline.Kind(strings.TrimSpace(text))
		switch {
		case kind == "":
		case slices.Contains(timeline.Kinds(), kind):
			out = append(out, kind)
		default:
			return nil, fault.InvalidField("api.bad_parameter", "kinds", nil)
		}
	}
	return out, nil
}

// query reads what is asked for; days are those of the workspace.
func (in timelineIn) query(zone *time.Location) (q timeline.Query, err error) {
	if q.Kinds, err = in.kinds(); err != nil {
		return q, err
	}
	q.Limit, q.Cursor = min(limitOf(in.Limit, 50), timeline.MaxLimit), in.Cursor
	if in.From != "" {
		day, err := clock.ParseDay(in.From)
		if err != nil {
			return q, fault.InvalidField("api.bad_parameter", "from", nil)
		}
		q.From = day.Start(zone)
	}
	if in.To != "" {
		day, err := clock.ParseDay(in.To)
		if err != nil {
			return q, fault.InvalidField("api.bad_parameter", "to", nil)
		}
		q.Until = (day + 1).Start(zone)
		if !q.From.IsZero() && !q.From.Before(q.Until) {
			return q, fault.InvalidField("profile.bad_span", "to", nil)
		}
	}
	return q, nil
}

// Timeline is a page of what happened, newest first.
type Timeline struct {
	Items      []TimelineEntry `json:"items"`
	NextCursor *string         `json:"next_cursor" doc:"a search may go on although a page holds nothing"`
	Searched   *time.Time      `json:"searched,omitempty" doc:"of a search that goes on: how far back it has looked"`
}

func (a *API) timeline(ctx context.Context, c *call, in timelineIn) (Timeline, error) {
	o, v, err := c.survivor(ctx, recordIn{in.Object, in.ID})
	if err != nil {
		return Timeline{}, err
	}
	q, err := in.query(c.ws.Zone)
	if err != nil {
		return Timeline{}, err
	}
	if len(in.Q) > searchMost {
		return Timeline{}, fault.InvalidField("api.bad_parameter", "q", nil)
	}
	if words := strings.Fields(lang.Fold(in.Q)); len(words) > 0 {
		return c.searchTimeline(ctx, o, v, q, words)
	}
	items, next, err := c.ws.Timeline.Read(ctx, o.Key, v, q)
	if err != nil {
		return Timeline{}, err
	}
	out := Timeline{}
	if out.Items, err = c.showTimeline(ctx, o, items); err != nil {
		return Timeline{}, err
	}
	if next != "" {
		out.NextCursor = &next
	}
	return out, nil
}

const (
	searchMost  = 200 // bytes that are searched for
	searchPages = 10  // of timeline.MaxLimit items that one request looks through
)

// searchTimeline looks for words in what the reader is shown of each item, a thousand of them at most; the cursor goes on from there.
func (c *call) searchTimeline(ctx context.Context, o *schema.Object, rec id.ID, q timeline.Query, words []string) (Timeline, error) {
	out, want := Timeline{Items: []TimelineEntry{}}, q.Limit
	q.Limit = timeline.MaxLimit
	for range searchPages {
		items, next, err := c.ws.Timeline.Read(ctx, o.Key, rec, q)
		if err != nil {
			return Timeline{}, err
		}
		shown, err := c.showTimeline(ctx, o, items)
		if err != nil {
			return Timeline{}, err
		}
		seen, err := c.visitTexts(ctx, o, rec, items)
		if err != nil {
			return Timeline{}, err
		}
		for i := range shown {
			if !c.says(&shown[i], items[i].Stay, seen, words) {
				continue
			}
			out.Items = append(out.Items, shown[i])
			if len(out.Items) == want && (i+1 < len(shown) || next != "") {
				at := items[i].Cursor()
				out.NextCursor = &at
				return out, nil
			}
		}
		if next == "" {
			return out, nil
		}
		q.Cursor, out.Searched = next, &items[len(items)-1].At
	}
	out.NextCursor = &q.Cursor
	return out, nil
}

// visitTexts are what was looked at and done in the visits among items.
func (c *call) visitTexts(ctx context.Context, o *schema.Object, customer id.ID, items []timeline.Item) (map[id.ID]string, error) {
	var visits []*timeline.Stay
	for i := range items {
		if items[i].Stay != nil {
			visits = append(visits, items[i].Stay)
		}
	}
	if len(visits) == 0 || o.Key != query.Customer {
		return nil, nil //nolint:nilnil // no visits, no texts
	}
	return c.ws.Behaved.Texts(ctx, customer, visits)
}

// says reports whether an entry shows all words.
func (c *call) says(e *TimelineEntry, visit *timeline.Stay, seen map[id.ID]string, words []string) bool {
	raw, err := json.Marshal(e)
	var tree any
	if err != nil || json.Unmarshal(raw, &tree) != nil {
		return false
	}
	var text strings.Builder
	gather(&text, tree, "", string(localeOf(c.locale)))
	if visit != nil {
		text.WriteString(seen[visit.ID])
	}
	folded := lang.Fold(text.String())
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(folded, w) })
}

// unsaid are members that no reader sees as words.
var unsaid = []string{"id", "at", "kind", "object", "state", "op", "key", "field", "why", "loser", "winner", "version", "request", "hash"}

// gather adds the texts of an entry, of labels those in the reader's language.
func gather(to *strings.Builder, v any, key, locale string) {
	switch t := v.(type) {
	case string:
		if !slices.Contains(unsaid, key) && !strings.HasSuffix(key, "_at") {
			to.WriteString(t)
			to.WriteByte('\n')
		}
	case []any:
		for _, x := range t {
			gather(to, x, key, locale)
		}
	case map[string]any:
		if s, ok := t[locale].(string); ok {
			gather(to, s, "", locale)
			return
		}
		for k, x := range t {
			gather(to, x, k, locale)
		}
	}
}
