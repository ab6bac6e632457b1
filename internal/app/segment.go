package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

func (w *workspace) newSegments(store segment.Store, l segment.Language) *segment.Service {
	return segment.New(segment.Config{
		Store: store, Audience: processed{w.audience}, Language: l, Clock: w.app.Clock, Log: w.app.Log, Watchers: w.watchersOf,
		Publish: func(key string) {
			w.words.forget()
			w.segmentChanged(key)
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "segment", ID: key})
		},
		Shifted: w.segmentsShifted, Zone: w.zoneOf, Given: w.given, Stamp: w.segmentStamp, Settle: ruleSegments{w}.Settle, Subjects: w.segmentSubjects,
	})
}

// segmentsShifted tells open pages whose sizes changed; of many they hear once.
func (w *workspace) segmentsShifted(keys []string) {
	if len(keys) > eachAtMost {
		keys = []string{""}
	}
	for _, key := range keys {
		w.app.hub.Publish(w.info.Key, api.Event{Kind: "segment", ID: key})
	}
}

// modelFamily begins the names of the families that models write their scores into.
const modelFamily = "m_"

// given reports a trait that is worked out of everybody together.
func (w *workspace) given(key string) bool {
	d, ok := w.words.Catalogue().Find(key)
	return ok && (d.Table == analytics.FamilyRFM || d.Table == analytics.FamilyClass || strings.HasPrefix(d.Table, modelFamily))
}

// segmentSubjects are the traits, and the choices among the customer's own fields that the actor may ask about.
func (w *workspace) segmentSubjects(ctx context.Context) []segment.Subject {
	var out []segment.Subject
	for _, d := range w.words.Catalogue().List() {
		s := segment.Subject{Key: d.Key, Trait: true, Source: d.Table, Column: d.Column}
		switch d.Type {
		case schema.Number, schema.Money, schema.Percent, schema.Duration, schema.Rating, schema.Date:
			s.Numeric = true
		case schema.Choice, schema.Text:
		default:
			continue
		}
		out = append(out, s)
	}
	obj := w.registry().Object(query.Customer)
	for _, f := range obj.Fields {
		if c, ok := obj.Column(f.Key, schema.Main); ok && f.Type == schema.Choice && access.From(ctx).MayAsk(obj.Key, f) {
			out = append(out, segment.Subject{Key: f.Key, Column: c.Name})
		}
	}
	return out
}

// segmentStamp is another text whenever a record changed or traits were computed.
func (w *workspace) segmentStamp(ctx context.Context) (string, error) {
	head, err := w.store.Log().Head(ctx)
	if err != nil {
		return "", err
	}
	st, err := w.traits.State(ctx)
	return fmt.Sprint(head, st.ComputedAt.UnixMilli()), err
}

// crossings are the passages of customers through segments for the timeline.
type crossings struct{ segments *segment.Service }

// Crossings implements timeline.Crossings.
func (c crossings) Crossings(ctx context.Context, customer id.ID, until time.Time, limit int) ([]timeline.Crossing, error) {
	got, err := c.segments.PassagesOf(ctx, customer, until, limit)
	out := make([]timeline.Crossing, len(got))
	for i, p := range got {
		out[i] = timeline.Crossing{At: p.At, Segment: p.Segment, Entered: p.Entered, Cause: string(p.Cause), Leaf: p.Leaf}
	}
	return out, err
}
