package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/feedback"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	// feedbackStep is the consumer of the inbox that keeps what customers wrote in events as feedback.
	feedbackStep    = "feedback"
	feedbackAtOnce  = 2000
	feedbackWrite   = 200
	feedbackLongest = 20_000 // characters
)

// registerRules adds the rules of activities and feedback to the record engine.
func (w *workspace) registerRules(registry func() *schema.Registry) {
	activity.Rules{Registry: registry, Zone: w.zoneOf, Clock: w.app.Clock}.Register(w.records)
	feedback.Register(w.records)
}

// said is the text of an event and what it is about.
type said struct {
	Review  text            `json:"review_body"`
	Comment text            `json:"comment"`
	Message text            `json:"message"`
	Text    text            `json:"text"`
	Rating  json.RawMessage `json:"rating"`
	Product text            `json:"product_id"`
	Order   text            `json:"order_id"`
}

// worded are the events that carry words of a customer, with the channel of the feedback that is made of them.
var worded = map[string]string{event.ProductReviewed: "review", event.ContentCommented: "comment", event.MessageReceived: "message", event.BrandMentioned: "comment"}

// feedbackSource names the event that a feedback was made of; a second time it is refused as known.
func feedbackSource(own id.ID) string { return id.Format(api.InteractionPrefix, own) }

// takeFeedback is the step that keeps what customers write as feedback. Done again it finds what it made.
func (w *workspace) takeFeedback(ctx context.Context) (int, error) {
	s := w.events.store
	at, err := s.Position(ctx, feedbackStep)
	if err != nil {
		return 0, err
	}
	people, err := s.Position(ctx, peopleStep)
	if err != nil || !at.Less(people) {
		return 0, err
	}
	batch, err := s.Read(ctx, at, feedbackAtOnce)
	if err != nil {
		return 0, err
	}
	n := 0
	for n < len(batch) && !people.Less(eventstore.PositionOf(&batch[n])) {
		n++
	}
	if n == 0 {
		return 0, nil
	}
	last := eventstore.PositionOf(&batch[n-1])
	if err := w.keepFeedback(system(ctx), batch[:n]); err != nil {
		return 0, fmt.Errorf("keep feedback of events: %w", err)
	}
	return n, s.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error { return s.Advance(ctx, c, feedbackStep, last) })
}

func (w *workspace) keepFeedback(ctx context.Context, batch []event.Event) error {
	if obj := w.registry().Object(feedback.Object); obj == nil || !obj.Standard {
		return nil
	}
	var list []event.Event
	var what []said
	var profiles []id.ID
	for i := range batch {
		e := &batch[i]
		var v said
		if worded[e.Name] == "" || e.Kind != event.Track || e.Flags&event.Bot != 0 || json.Unmarshal(e.Properties, &v) != nil {
			continue
		}
		v.Text = cmp.Or(v.Review, v.Comment, v.Message, v.Text)
		if strings.TrimSpace(string(v.Text)) == "" {
			continue
		}
		list, what, profiles = append(list, *e), append(what, v), append(profiles, e.Profile)
	}
	if len(list) == 0 {
		return nil
	}
	customers, err := w.customersOf(ctx, profiles)
	if err != nil {
		return err
	}
	demo, err := w.demoMarked(ctx)
	if err != nil {
		return err
	}
	products, orders := map[string]id.ID{}, map[string]id.ID{}
	ops := map[id.ID][]record.BulkOp{} // by batch: what was said to the demo company goes with it
	for i := range list {
		e, v := &list[i], &what[i]
		in := record.Input{"body": shortened(string(v.Text), feedbackLongest), "channel": worded[e.Name], "said_at": time.UnixMilli(e.At), "source": feedbackSource(e.ID)}
		if c := customers[e.Profile]; c != 0 {
			in["customer"] = c
		}
		if stars := strings.Trim(string(v.Rating), `"`); len(stars) == 1 && stars >= "1" && stars <= "5" {
			in["rating"] = int64(stars[0] - '0')
		}
		if own, err := w.calledBy(ctx, products, "product", "code", string(v.Product)); err != nil {
			return err
		} else if own != 0 {
			in["product"] = own
		}
		if own, err := w.calledBy(ctx, orders, "order", "number", string(v.Order)); err != nil {
			return err
		} else if own != 0 {
			in["order"] = own
		}
		var batch id.ID
		if slices.Contains(demo.Sources, e.Source) {
			if demo.State == demoRemoving {
				continue
			}
			batch = demo.Batch
		}
		ops[batch] = append(ops[batch], record.BulkOp{Op: change.Create, Object: feedback.Object, Input: in})
	}
	for batch, all := range ops {
		if err := w.createFeedback(ctx, batch, all); err != nil {
			return err
		}
	}
	return nil
}

func (w *workspace) createFeedback(ctx context.Context, batch id.ID, ops []record.BulkOp) error {
	for part := range slices.Chunk(ops, feedbackWrite) {
		results, _, err := w.records.Bulk(ctx, batch, part)
		if err != nil {
			return err
		}
		for _, r := range results {
			switch fault.KindOf(r.Err) {
			case fault.Conflict: // kept before
			case fault.Invalid:
				if r.Err != nil && fault.CodeOf(r.Err) != "record.not_unique" {
					w.app.Log.Warn("a feedback of an event is refused", "workspace", w.info.Key, "code", fault.CodeOf(r.Err))
				}
			default:
				if r.Err != nil {
					return r.Err
				}
			}
		}
	}
	return nil
}

func shortened(s string, most int) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// customersOf are the customers of profiles that have one.
func (w *workspace) customersOf(ctx context.Context, profiles []id.ID) (map[id.ID]id.ID, error) {
	slices.Sort(profiles)
	owners, err := eventstore.Ownership{DB: w.events.store.DB}.Owners(ctx, slices.Compact(profiles))
	if err != nil {
		return nil, err
	}
	var ids []id.ID
	for _, own := range owners {
		ids = append(ids, own)
	}
	slices.Sort(ids)
	there := map[id.ID]bool{}
	for part := range slices.Chunk(slices.Compact(ids), feedbackWrite) {
		list, err := w.records.GetMany(ctx, query.Customer, part, []string{"name"})
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if r != nil {
				there[r.ID] = true
			}
		}
	}
	for p, own := range owners {
		if !there[own] {
			delete(owners, p)
		}
	}
	return owners, nil
}

// calledBy finds the record that an event names by a unique field or by its id; 0 where there is none. known is what was found before.
func (w *workspace) calledBy(ctx context.Context, known map[string]id.ID, object, field, name string) (id.ID, error) {
	own, ok := known[name]
	if ok || name == "" {
		return own, nil
	}
	raw, err := json.Marshal(name)
	if err != nil {
		return 0, err
	}
	page, err := w.records.List(ctx, object, record.Query{Where: &query.Node{Field: field, Op: "=", Value: raw}, Fields: []string{field}, Limit: 1})
	if err != nil && fault.KindOf(err) != fault.Invalid {
		return 0, err
	}
	if err == nil && len(page.Items) > 0 {
		own = page.Items[0].ID
	}
	known[name] = own
	return own, nil
}

// readTexts reads feedback again that was read under other weights; it ends when there is none left.
func (w *workspace) readTexts(ctx context.Context) error {
	if obj := w.registry().Object(feedback.Object); obj == nil || !obj.Standard {
		return nil
	}
	n, err := feedback.Rereader{Records: w.records}.Run(system(ctx))
	if n > 0 {
		w.app.Log.Info("feedback was read again", "workspace", w.info.Key, "texts", n)
	}
	return err
}

// dropFeedback removes the feedback that was made of an event.
func (w *workspace) dropFeedback(ctx context.Context, what id.ID) error {
	own, err := w.calledBy(ctx, map[string]id.ID{}, feedback.Object, "source", feedbackSource(what))
	if err != nil || own == 0 {
		return err
	}
	err = w.records.Delete(ctx, feedback.Object, own, 0)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}
