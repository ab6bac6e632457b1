package stage

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Guard implements record.Guard: it refuses moves that the way or the gate of a stage does not allow.
func (s *Service) Guard(ctx context.Context, tx record.Reader, writes []*record.Pending) error {
	if access.From(ctx).Kind == access.BySystem {
		return nil
	}
	in, err := s.present(ctx, tx)
	if err != nil || len(in.list) == 0 {
		return err
	}
	present := in.byObject
	moving := map[id.ID]*record.Pending{}
	var ids []id.ID
	for _, w := range writes {
		p := present[w.Object().Key]
		if p == nil || w.Op() == change.Delete || !slices.Contains(w.Changed(), p.Field) {
			continue
		}
		moving[w.ID()] = w
		if w.Op() == change.Update {
			ids = append(ids, w.ID())
		}
	}
	if len(moving) == 0 {
		return nil
	}
	now := map[id.ID]Stay{}
	if len(ids) > 0 {
		stays, err := s.cfg.Store.Now(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, st := range stays {
			now[st.Record] = st
		}
	}
	for _, w := range writes {
		if moving[w.ID()] != w {
			continue
		}
		p := present[w.Object().Key]
		if st, ok := now[w.ID()]; ok && st.Version != p.Version {
			if old, err := s.version(ctx, p.Object, st.Version); err == nil && old.Field == p.Field {
				p = old
			}
		}
		if err := s.gate(ctx, tx, p, w); err != nil {
			return err
		}
	}
	return nil
}

// gate refuses a move that may not be made, for every reason there is.
func (s *Service) gate(ctx context.Context, tx record.Reader, p *Process, w *record.Pending) error {
	from, _ := w.Old(p.Field).(string)
	to, _ := w.Value(p.Field).(string)
	field := w.Object().Field(p.Field)
	at := "fields." + p.Field
	params := fault.Params{"from": optionLabel(field, from), "to": optionLabel(field, to), "label": field.Label}
	if st := p.Stage(from); st != nil && len(st.To) > 0 && !slices.Contains(st.To, to) {
		w.Refuse(&fault.Fault{Kind: fault.Invalid, Code: "stage.way_closed", Field: at, Params: params})
		return nil
	}
	st := p.Stage(to)
	if st == nil {
		return nil
	}
	for _, key := range st.Fields {
		if f := w.Object().Field(key); f != nil && !w.Filled(key) {
			w.Refuse(fault.InvalidField("stage.field_needed", "fields."+key, fault.Params{"field": f.Label, "label": f.Label, "to": optionLabel(field, to)}))
		}
	}
	if st.Where != nil {
		ok, err := w.Holds(ctx, st.Where)
		if f, is := fault.Find(err); is && (f.Kind == fault.Invalid || f.Kind == fault.NotFound || f.Kind == fault.Forbidden) {
			ok, err = false, nil // a condition that does not check any more lets nothing through
		}
		if err != nil {
			return err
		}
		if !ok {
			code := "stage.condition"
			if st.Message != "" {
				code, params["message"] = "stage.condition_said", st.Message
			}
			w.Refuse(&fault.Fault{Kind: fault.Invalid, Code: code, Field: at, Params: params})
		}
	}
	return s.gateAround(ctx, tx, st, w, params)
}

// gateAround asks for what must be there beside the record.
func (s *Service) gateAround(ctx context.Context, tx record.Reader, st *Stage, w *record.Pending, params fault.Params) error {
	at := "stage"
	if st.Task {
		done := 0
		if task := activity.Known(s.cfg.Registry(), activity.Task); task != nil && w.Op() == change.Update {
			self, err := json.Marshal(id.Format(w.Object().Prefix, w.ID()))
			if err != nil {
				return err
			}
			where := &query.Node{All: []*query.Node{{Field: "about", Op: "=", Value: self}, {Field: "status", Op: "=", Value: json.RawMessage(`"done"`)}}}
			if done, err = tx.Count(ctx, task, record.Selection{Where: where}, 1); err != nil {
				return err
			}
		}
		if done == 0 {
			w.Refuse(&fault.Fault{Kind: fault.Invalid, Code: "stage.task_needed", Field: at, Params: params})
		}
	}
	if st.File {
		has := false
		if w.Op() == change.Update {
			var err error
			if has, err = s.cfg.Store.HasFile(ctx, tx, w.ID()); err != nil {
				return err
			}
		}
		if !has {
			w.Refuse(&fault.Fault{Kind: fault.Invalid, Code: "stage.file_needed", Field: at, Params: params})
		}
	}
	return nil
}

// optionLabel is what people call an option; a dash for none.
func optionLabel(f *schema.Field, key string) schema.Label {
	for _, o := range f.Options {
		if o.Key == key {
			return o.Label
		}
	}
	if key == "" {
		key = "–"
	}
	return schema.Label{"zh-CN": key, "en": key}
}
