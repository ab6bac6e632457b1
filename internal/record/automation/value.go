package automation

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// at is the record that a path ends at; nil for none.
func (b *batch) at(rec *record.Record, hop *schema.Field) *record.Record {
	if hop == nil {
		return rec
	}
	v, ok := rec.Values[hop.Key].(id.ID)
	if !ok {
		return nil
	}
	return b.related[hop.Target][v]
}

// fieldValue is the canonical value of a field of a record, of the system fields too.
func fieldValue(r *record.Record, f *schema.Field) any {
	switch f.Key {
	case "created_at":
		return r.CreatedAt
	case "updated_at":
		return r.UpdatedAt
	case "created_by":
		return orNil(r.CreatedBy)
	case "updated_by":
		return orNil(r.UpdatedBy)
	}
	return r.Values[f.Key]
}

func orNil(v id.ID) any {
	if v == 0 {
		return nil
	}
	return v
}

// input is what a step writes for a run.
func (b *batch) input(ctx context.Context, run *Run) record.Input {
	rec := b.recs[run.Record]
	in := record.Input{}
	for i := range b.in.set {
		set := &b.in.set[i]
		switch {
		case set.isCon:
			in[set.field.Key] = set.con
		case set.formula != nil:
			in[set.field.Key] = b.computed[set.formula][rec.ID]
		case set.from != nil:
			in[set.field.Key] = b.copied(rec, set.from, set.field)
		case set.text != nil:
			in[set.field.Key] = cut(b.fill(ctx, set.text, run), set.field.MaxLength)
		case set.after != nil:
			in[set.field.Key] = b.after(set.field, set.after)
		}
	}
	return in
}

func cut(text string, most int) string {
	if r := []rune(text); most > 0 && len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// copied is a value of a path in the form of another field.
func (b *batch) copied(rec *record.Record, p *path, to *schema.Field) any {
	r := b.at(rec, p.hop)
	if r == nil {
		return nil
	}
	if p.title {
		return r.Title
	}
	if p.field == nil || p.field.Key == "id" {
		if to.Type == schema.Record {
			return id.Format(p.obj.Prefix, r.ID)
		}
		return r.ID
	}
	v := fieldValue(r, p.field)
	zone := b.s.cfg.Zone()
	switch x := v.(type) {
	case time.Time:
		if to.Type == schema.Date {
			return clock.DayOf(x, zone)
		}
	case clock.Day:
		if to.Type == schema.DateTime {
			return x.Start(zone)
		}
	case int64:
		if p.field.Type == schema.Number {
			for s := p.field.Scale; s < to.Scale; s++ {
				x *= 10
			}
			return x
		}
	}
	return v
}

// after is a day some days from the moment.
func (b *batch) after(f *schema.Field, sp *Span) any {
	zone := b.s.cfg.Zone()
	day := clock.DayOf(b.now, zone) + clock.Day(sp.Days) //nolint:gosec // bounded when it was checked
	if f.Type == schema.Date {
		return day
	}
	m, _ := parseMinute(sp.At)
	return m.on(day, zone)
}

// on is the instant of a local time on a day.
func (m minute) on(day clock.Day, zone *time.Location) time.Time {
	y, mo, d := day.Time().Date()
	return time.Date(y, mo, d, m.hour, m.min, 0, 0, zone).UTC()
}

// fill prints a template for a run.
func (b *batch) fill(ctx context.Context, t *template, run *Run) string {
	var out strings.Builder
	env := b.s.cfg.Records.Env(ctx)
	for _, p := range t.parts {
		switch {
		case p.path == nil:
			out.WriteString(p.text)
		case p.path.body != nil:
			out.WriteString(bodyText(run.Input.Body, p.path.body))
		case p.path.old:
			out.WriteString(run.Input.Old[p.path.field.Key])
		default:
			if r := b.at(b.recs[run.Record], p.path.hop); r != nil {
				out.WriteString(shown(r, p.path, env))
			}
		}
	}
	return out.String()
}

// shown prints a value as people read it; a personal one as its mask.
func shown(r *record.Record, p *path, env schema.ParseEnv) string {
	if p.title || p.field == nil {
		return r.Title
	}
	if p.field.Key == "id" {
		return id.Format(p.obj.Prefix, r.ID)
	}
	if ref, ok := r.Titles[p.field.Key]; ok {
		return ref.Title
	}
	if v := fieldValue(r, p.field); v != nil {
		env.FileName = r.FileName
		return schema.FormatText(p.field, v, env)
	}
	return r.Masks[p.field.Key]
}

// bodyText is a plain value inside of what another system sent.
func bodyText(raw json.RawMessage, keys []string) string {
	switch v := inside(raw, keys).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func inside(raw json.RawMessage, keys []string) any {
	var at any
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if dec.Decode(&at) != nil {
		return nil
	}
	for _, k := range keys {
		switch v := at.(type) {
		case map[string]any:
			at = v[k]
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}
