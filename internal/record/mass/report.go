package mass

import (
	"context"
	"encoding/csv"
	"io"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// Reason is an error of a record in words.
type Reason struct {
	Record record.Ref
	Field  *schema.Field // nil when it concerns the whole record
	Phase  int
	Code   string
	Text   string
}

const errorPage = 500

// Reasons reads the first errors of a job's last phase, in the actor's words. Titles are those that the actor may see.
func (s *Service) Reasons(ctx context.Context, j *Job, limit int) ([]Reason, error) {
	phase := WhileWorking
	if j.State.Undo != 0 {
		phase = WhileUndoing
	}
	list, err := s.cfg.Store.Errors(ctx, j.ID, phase, 0, limit)
	if err != nil {
		return nil, err
	}
	return s.reasons(ctx, j, list)
}

func (s *Service) reasons(ctx context.Context, j *Job, list []RecordError) ([]Reason, error) {
	locale := access.From(ctx).Locale
	obj := s.cfg.Registry().Object(j.Object)
	refs := make([]record.Ref, len(list))
	for i, e := range list {
		refs[i] = record.Ref{Object: j.Object, ID: e.Record}
	}
	if err := s.cfg.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	out := make([]Reason, len(list))
	for i, e := range list {
		r := Reason{Record: refs[i], Phase: e.Phase, Code: e.Code}
		if obj != nil && e.Field != "" {
			r.Field = obj.Field(strings.TrimPrefix(e.Field, "fields."))
		}
		r.Text = s.cfg.Words(locale, e.Code, words(obj, locale, e.Params))
		out[i] = r
	}
	return out, nil
}

// words gives labels that went through JSON their type back, and names fields.
func words(obj *schema.Object, locale string, p fault.Params) fault.Params {
	out := make(fault.Params, len(p))
	for k, v := range p {
		switch x := v.(type) {
		case map[string]any:
			l := lang.Label{}
			for loc, t := range x {
				if text, ok := t.(string); ok {
					l[lang.Locale(loc)] = text
				}
			}
			out[k] = l
		case []any:
			var names []string
			for _, y := range x {
				name, _ := y.(string)
				if obj != nil && obj.Field(name) != nil {
					name = obj.Field(name).Label.In(lang.Locale(locale))
				}
				names = append(names, name)
			}
			out[k] = strings.Join(names, ", ")
		default:
			out[k] = v
		}
	}
	return out
}

// Report writes all errors of a job as CSV in the actor's language: id, name, field, reason, and whether the work or its undo
// met it.
func (s *Service) Report(ctx context.Context, v id.ID, w io.Writer) error {
	j, err := s.Get(ctx, v)
	if err != nil {
		return err
	}
	obj := s.cfg.Registry().Object(j.Object)
	prefix := Prefix
	if obj != nil {
		prefix = obj.Prefix
	}
	locale := access.From(ctx).Locale
	word := func(code string) string { return s.cfg.Words(locale, code, nil) }
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write([]string{"id", word("mass.file_record"), word("mass.file_field"), word("mass.file_reason"), word("mass.file_step")}); err != nil {
		return err
	}
	for _, phase := range []int{WhileWorking, WhileUndoing} {
		step := word("mass.file_working")
		if phase == WhileUndoing {
			step = word("mass.file_undoing")
		}
		for after := id.ID(0); ; {
			list, err := s.cfg.Store.Errors(ctx, j.ID, phase, after, errorPage)
			if err != nil {
				return err
			}
			rows, err := s.reasons(ctx, j, list)
			if err != nil {
				return err
			}
			for _, r := range rows {
				field := ""
				if r.Field != nil {
					field = r.Field.Label.In(lang.Locale(locale))
				}
				if err := out.Write([]string{id.Format(prefix, r.Record.ID), sink.Disarm(r.Record.Title), sink.Disarm(field), sink.Disarm(r.Text), step}); err != nil {
					return err
				}
				after = r.Record.ID
			}
			if len(list) < errorPage {
				break
			}
		}
	}
	out.Flush()
	return out.Error()
}
