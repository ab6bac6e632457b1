package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Conversion of a field. The values stay where they are; their converted forms are written into a second field beside
// (schema.Becoming), by a walk through the stored records and by everyone who writes meanwhile. When all is there the two change
// places in one change of metadata, and the values of before wait in the archived one.

// staged is a field that is being filled with another one's values.
type staged struct{ from, to int }

func newStaged(sh *shape) (out []staged) {
	for i := range sh.fields {
		b := sh.fields[i].f.Becoming
		if b == nil {
			continue
		}
		if from, ok := sh.index[b.Of]; ok && sh.fields[from].n > 0 && !sh.fields[from].f.Personal {
			out = append(out, staged{from, i})
		}
	}
	return out
}

// convertEnv is what values are printed and read by.
func (s *Service) convertEnv(locale string) schema.ParseEnv {
	return schema.ParseEnv{Zone: s.cfg.Zone(), Base: s.cfg.BaseCurrency(), PhoneRegion: s.cfg.PhoneRegion(), Locale: lang.Locale(locale), Rates: s.cfg.Rates}
}

// follow writes the converted form of what an item writes.
func (w *writing) follow(it *item) {
	for _, st := range it.sh.staged {
		if it.op == change.Update && !slices.Contains(it.dirty, st.from) {
			continue
		}
		if w.converts(it, st) && it.op == change.Update {
			it.dirty = append(it.dirty, st.to)
		}
	}
}

// converts writes the converted form of a value into the row and reports whether it was another. What does not convert is nothing.
func (w *writing) converts(it *item, st staged) bool {
	to := &it.sh.fields[st.to]
	env := w.s.convertEnv(to.f.Becoming.Locale)
	v, bad := schema.Convert(it.sh.fields[st.from].f, to.f, schema.Decode(it.sh.fields[st.from].f, it.sh.cols(it.row.Cols, st.from)), &env)
	if bad != nil {
		v = nil
	}
	before := slices.Clone(it.sh.cols(it.row.Cols, st.to))
	w.put(it, st.to, v)
	return !slices.Equal(before, it.sh.cols(it.row.Cols, st.to))
}

// Converted is one step through the records of an object whose field is converted.
type Converted struct {
	Last  id.ID // the last record that was looked at; 0 when there was none
	Seen  int
	Given int     // records with a value
	Left  []id.ID // those whose value does not convert
	More  bool
	Texts map[string]int // how often each text stands there, where a trial asked for them
}

// Into is what values are tried as: a field, and the language in which words are printed and read.
type Into struct {
	Field  *schema.Field
	Locale string
}

// Sample is a value with what becomes of it; Bad is why it does not convert.
type Sample struct {
	Record id.ID
	Before string
	After  string
	Bad    *fault.Fault
}

const (
	// tryAtOnce is how many records a trial reads at a time.
	tryAtOnce = 500
	// convertAtOnce is how many records a transaction of a conversion writes: others wait for it.
	convertAtOnce = 120
)

// Place is where a walk through the records of an object stands: live ones, or those in the recycle bin, after an id.
type Place struct {
	After   id.ID
	Deleted bool
}

func (s *Service) walk(ctx context.Context, obj *schema.Object, at Place, limit int) ([]id.ID, error) {
	sel := Selection{Sort: []schema.Sort{{Field: "id"}}, Limit: limit, Deleted: at.Deleted}
	if at.After != 0 {
		sel.After = []any{at.After}
	}
	return s.selected(ctx, obj, sel)
}

// TryConversion says what would become of the values of a field in some records, and writes nothing. texts asks for the texts that
// stand there, for the options of a choice. It needs the right to import.
func (s *Service) TryConversion(ctx context.Context, object, field string, into Into, at Place, texts bool) (out Converted, err error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return out, err
	}
	sh, from, err := s.convertible(object, field)
	if err != nil {
		return out, err
	}
	ids, err := s.walk(ctx, sh.obj, at, tryAtOnce)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	rows, err := s.rows(ctx, sh.obj, ids, true)
	if err != nil {
		return out, err
	}
	env := s.convertEnv(into.Locale)
	out = Converted{Last: ids[len(ids)-1], Seen: len(ids), More: len(ids) == tryAtOnce, Texts: map[string]int{}}
	f := sh.fields[from].f
	for i := range rows {
		v := schema.Decode(f, sh.cols(rows[i].Cols, from))
		if v == nil {
			continue
		}
		out.Given++
		if texts {
			out.Texts[schema.FormatText(f, v, env)]++
		} else if _, bad := schema.Convert(f, into.Field, v, &env); bad != nil {
			out.Left = append(out.Left, rows[i].ID)
		}
	}
	return out, nil
}

// ConversionSamples are values of a field with what becomes of them, of records that the actor sees: of those with the ids, or of the
// first ones. A field that the actor does not see as it is has none.
func (s *Service) ConversionSamples(ctx context.Context, object, field string, into Into, ids []id.ID) ([]Sample, error) {
	sh, from, err := s.convertible(object, field)
	if err != nil {
		return nil, err
	}
	f := sh.fields[from].f
	if x := access.From(ctx).FieldOf(object, f); x == access.FieldHidden || x == access.FieldMasked {
		return nil, nil
	}
	if ids == nil {
		if ids, err = s.walk(ctx, sh.obj, Place{}, tryAtOnce); err != nil {
			return nil, err
		}
	}
	rows, err := s.readSeen(ctx, sh.obj, ids, true, access.Read)
	if err != nil {
		return nil, err
	}
	env := s.convertEnv(into.Locale)
	var out []Sample
	for i := range rows {
		v := schema.Decode(f, sh.cols(rows[i].Cols, from))
		if v == nil {
			continue
		}
		one := Sample{Record: rows[i].ID, Before: schema.FormatText(f, v, env)}
		var after any
		if after, one.Bad = schema.Convert(f, into.Field, v, &env); one.Bad == nil {
			one.After = schema.FormatText(into.Field, after, env)
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *Service) convertible(object, field string) (*shape, int, error) {
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, 0, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	sh := s.shape(obj)
	i, ok := sh.index[field]
	if !ok || sh.fields[i].n == 0 || sh.fields[i].f.Personal {
		return nil, 0, fault.New(fault.NotFound, "record.unknown_field", fault.Params{"field": field})
	}
	return sh, i, nil
}

// Convert fills a field that is becoming another for some stored records. Records keep their time of change; a new version and a
// change row carry the values to everything derived. Done twice it does nothing more. It needs the right to import.
func (s *Service) Convert(ctx context.Context, object, field string, at Place) (out Converted, err error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return out, err
	}
	sh, to, err := s.convertible(object, field)
	if err != nil {
		return out, err
	}
	n := slices.IndexFunc(sh.staged, func(st staged) bool { return st.to == to })
	if n < 0 {
		return out, fault.New(fault.NotFound, "record.unknown_field", fault.Params{"field": field})
	}
	ids, err := s.walk(ctx, sh.obj, at, convertAtOnce)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	for attempt := 1; ; attempt++ {
		_, err = s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
			out, err = s.convertSome(ctx, tx, sh, sh.staged[n], ids)
			return err
		})
		if fault.KindOf(err) != fault.Stale || attempt == maxRollAttempts {
			break
		}
	}
	if err != nil {
		return Converted{}, fmt.Errorf("convert %s.%s: %w", object, field, err)
	}
	return out, nil
}

func (s *Service) convertSome(ctx context.Context, tx Tx, sh *shape, st staged, ids []id.ID) (Converted, error) {
	out := Converted{Last: ids[len(ids)-1], Seen: len(ids), More: len(ids) == convertAtOnce}
	rows, err := tx.Get(ctx, sh.obj, ids, true)
	if err != nil {
		return out, err
	}
	w := s.writingOf(ctx, tx, &writeMode{bulk: true})
	var replaced []Row
	var changes []change.Row
	for i := range rows {
		it := &item{op: change.Update, sh: sh, id: rows[i].ID, old: &rows[i], row: rows[i]}
		it.row.Cols = slices.Clone(rows[i].Cols)
		w.env.Day = w.dayOf(it)
		changed := w.converts(it, st)
		if rows[i].Cols[sh.fields[st.from].off] != nil {
			if out.Given++; it.row.Cols[sh.fields[st.to].off] == nil {
				out.Left = append(out.Left, rows[i].ID)
			}
		}
		if !changed {
			continue
		}
		it.row.Version++
		it.dirty = []int{st.to}
		row := w.changeOf(it)
		row.After = change.Reshaped(row.After)
		replaced, changes = append(replaced, it.row), append(changes, row)
	}
	if len(replaced) == 0 {
		return out, nil
	}
	if err := tx.Replace(ctx, sh.obj, replaced); err != nil {
		return out, err
	}
	return out, tx.Append(ctx, changes)
}
