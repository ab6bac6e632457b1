package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	// contentStep is the consumer of the inbox that finds the content that each interaction names, or makes it.
	contentStep    = "contents"
	contentsAtOnce = 2000
	contentObject  = "content"
	contentTitle   = 300 // characters
	contentIDMost  = 200
)

// named is a content as an interaction names it.
type namedContent struct {
	ID       text `json:"content_id"`
	Content  text `json:"content"`
	Title    text `json:"content_title"`
	Kind     text `json:"content_kind"`
	URL      text `json:"content_url"`
	Platform text `json:"platform"`

	seen int64 // when it was met first, milliseconds
}

// text takes a text or a number; anything else is "".
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	switch {
	case len(raw) > 0 && raw[0] == '"':
		if json.Unmarshal(raw, &s) == nil {
			*t = text(strings.TrimSpace(s))
		}
	case len(raw) > 0 && (raw[0] >= '0' && raw[0] <= '9'):
		*t = text(raw)
	}
	return nil
}

// takeContents is the step that makes contents of interactions with what is not known yet, so that figures and people have something to name.
// A content that is there stays as it is; done again it finds what it made.
func (w *workspace) takeContents(ctx context.Context) (int, error) {
	s := w.events.store
	at, err := s.Position(ctx, contentStep)
	if err != nil {
		return 0, err
	}
	batch, err := s.Read(ctx, at, contentsAtOnce)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	if slices.ContainsFunc(batch, ofShares) {
		w.moveInfluence()
	}
	if err := w.makeContents(system(ctx), contentsOf(batch)); err != nil {
		return 0, fmt.Errorf("make contents of interactions: %w", err)
	}
	return len(batch), s.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		return s.Advance(ctx, c, contentStep, eventstore.PositionOf(&batch[len(batch)-1]))
	})
}

// contentsOf are the contents that events name, by their folded ids.
func contentsOf(batch []event.Event) map[string]namedContent {
	names := append(event.Interactions(), event.ContentViewed)
	out := map[string]namedContent{}
	for i := range batch {
		e := &batch[i]
		if e.Kind != event.Track || e.Flags&(event.Settled|event.Bot) != 0 || !slices.Contains(names, e.Name) {
			continue
		}
		var c namedContent
		if json.Unmarshal(e.Properties, &c) != nil {
			continue
		}
		if c.Content != "" { // read first, as the column of events is
			c.ID = c.Content
		}
		if c.ID == "" || len([]rune(string(c.ID))) > contentIDMost {
			continue
		}
		key := lang.Fold(string(c.ID))
		have, ok := out[key]
		c.seen = e.At
		if ok {
			c.seen = min(c.seen, have.seen)
		}
		if !ok || have.Title == "" {
			out[key] = c
		}
	}
	return out
}

func (w *workspace) makeContents(ctx context.Context, named map[string]namedContent) error {
	obj := w.registry().Object(contentObject)
	if len(named) == 0 || obj == nil {
		return nil
	}
	var ids []string
	for _, c := range named {
		ids = append(ids, string(c.ID))
	}
	slices.Sort(ids)
	for part := range slices.Chunk(ids, 200) {
		raw, err := json.Marshal(part)
		if err != nil {
			return err
		}
		page, err := w.records.List(ctx, contentObject, record.Query{Where: &query.Node{Field: "external_id", Op: "in", Value: raw}, Fields: []string{"external_id"}, Limit: record.MaxLimit})
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, r := range page.Items {
			v, _ := r.Values["external_id"].(string)
			known[lang.Fold(v)] = true
		}
		for _, v := range part {
			if key := lang.Fold(v); !known[key] {
				if err := w.makeContent(ctx, obj, named[key]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// makeContent makes one. What the program has no word for is "other"; an address that is none is left out.
func (w *workspace) makeContent(ctx context.Context, obj *schema.Object, c namedContent) error {
	title := string(c.Title)
	if title == "" {
		title = string(c.ID)
	}
	if r := []rune(title); len(r) > contentTitle {
		title = string(r[:contentTitle])
	}
	in := record.Input{"title": title, "external_id": string(c.ID), "platform": optionOr(obj, "platform", string(c.Platform)), "kind": optionOr(obj, "kind", string(c.Kind)),
		"published_at": time.UnixMilli(c.seen)}
	if strings.HasPrefix(string(c.URL), "https://") || strings.HasPrefix(string(c.URL), "http://") {
		in["url"] = string(c.URL)
	}
	_, err := w.records.Create(ctx, contentObject, in)
	if _, with := in["url"]; err != nil && with && fault.KindOf(err) == fault.Invalid {
		delete(in, "url")
		_, err = w.records.Create(ctx, contentObject, in)
	}
	switch fault.KindOf(err) {
	case fault.Conflict: // made by somebody meanwhile
		return nil
	case fault.Invalid: // a rule of the workspace refuses it: interactions count all the same
		w.app.Log.Warn("a content of interactions is refused", "workspace", w.info.Key, "code", fault.CodeOf(err))
		return nil
	}
	return err
}

// optionOr is a key of a choice, "other" for what is none.
func optionOr(obj *schema.Object, field, key string) string {
	if f := obj.Field(field); f != nil {
		for _, o := range f.Options {
			if o.Key == strings.ToLower(key) {
				return o.Key
			}
		}
	}
	return "other"
}
