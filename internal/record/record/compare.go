package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Facet is a field that records are compared by. A personal value is its blind index unless it is wanted in clear.
type Facet struct {
	Field string
	Clear bool
}

// Compared is what is compared of a record: values aligned with the facets, nil for none. In clear they are canonical; Blind values
// are texts.
type Compared struct {
	ID      id.ID
	Deleted bool
	Values  []any
}

// Compare reads what is compared of records, of the recycle bin too, for an engine that looks for duplicates. Like all of Compare… it
// belongs to the program alone (access.System), which keeps what it reads in memory.
func (s *Service) Compare(ctx context.Context, object string, ids []id.ID, facets []Facet) ([]Compared, error) {
	sh, at, err := s.comparing(ctx, object, facets)
	if err != nil {
		return nil, err
	}
	rows, err := s.some(ctx, sh, ids, sh.compares(at))
	if err != nil {
		return nil, err
	}
	return s.compared(ctx, sh, rows, facets, at)
}

// some reads some columns of records by id, of the recycle bin too.
func (s *Service) some(ctx context.Context, sh *shape, ids []id.ID, columns []int) (rows []Row, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) (err error) {
		rows, err = r.Select(ctx, sh.obj, Selection{IDs: ids, Sort: []schema.Sort{{Field: "id"}}, Limit: len(ids), Binned: true, Columns: columns})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read some of %s: %w", sh.obj.Key, err)
	}
	return rows, nil
}

// compares are the columns that fields are compared by, with the customer whose key seals them.
func (sh *shape) compares(at []int) []int {
	out := []int{}
	add := func(i int) {
		for n := range sh.fields[i].n {
			out = append(out, sh.fields[i].off+n)
		}
	}
	for _, i := range at {
		add(i)
	}
	if sh.customer >= 0 {
		add(sh.customer)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CompareScan is Compare of the live records before one (0: from the newest), newest first.
func (s *Service) CompareScan(ctx context.Context, object string, before id.ID, limit int, facets []Facet) ([]Compared, error) {
	sh, at, err := s.comparing(ctx, object, facets)
	if err != nil {
		return nil, err
	}
	sel := Selection{Sort: []schema.Sort{{Field: "id", Desc: true}}, Limit: limit, Columns: sh.compares(at)}
	if before != 0 {
		sel.After = []any{before}
	}
	var rows []Row
	err = s.cfg.Store.View(ctx, func(r Reader) (err error) {
		rows, err = r.Select(ctx, sh.obj, sel)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", object, err)
	}
	return s.compared(ctx, sh, rows, facets, at)
}

// CompareInput is Compare of a record as it would be with the input: a new one, or the given one changed. plain are all values in
// clear. What is wrong with the input is left out: it is the write that says so.
func (s *Service) CompareInput(ctx context.Context, object string, rec id.ID, in Input, facets []Facet) (out Compared, plain []any, err error) {
	sh, at, err := s.comparing(ctx, object, facets)
	if err != nil {
		return out, nil, err
	}
	open := make([]Facet, len(facets))
	for i, f := range facets {
		open[i] = Facet{Field: f.Field, Clear: true}
	}
	out, plain = Compared{ID: rec, Values: make([]any, len(facets))}, make([]any, len(facets))
	if rec != 0 {
		list, err := s.Compare(ctx, object, []id.ID{rec}, open)
		if err != nil {
			return out, nil, err
		}
		if len(list) == 1 {
			plain = list[0].Values
		}
	}
	it := &item{op: change.Create, sh: sh, in: Input{}}
	for _, f := range facets {
		if v, ok := in[f.Field]; ok {
			it.in[f.Field] = v
		}
	}
	env := s.Env(ctx)
	s.parse(ctx, it, &writeMode{bulk: true}, &env)
	for i, f := range facets {
		if _, named := it.in[f.Field]; named && it.values != nil {
			plain[i] = it.values[at[i]]
		}
		out.Values[i] = plain[i]
		if fs := &sh.fields[at[i]]; fs.f.Personal && !f.Clear && plain[i] != nil {
			out.Values[i] = nil
			if fs.f.Type != schema.Address {
				out.Values[i] = s.cfg.Keys.Blind(schema.BlindClass(fs.f), schema.BlindForm(fs.f, plain[i]))
			}
		}
	}
	return out, plain, nil
}

// CompareInputs is Compare of new records with these inputs, in their order.
func (s *Service) CompareInputs(ctx context.Context, object string, ins []Input, facets []Facet) ([]Compared, error) {
	sh, at, err := s.comparing(ctx, object, facets)
	if err != nil {
		return nil, err
	}
	env := s.Env(ctx)
	mode := &writeMode{bulk: true}
	out, values := make([]Compared, len(ins)), make([]any, len(ins)*len(facets))
	for n, in := range ins {
		it := &item{op: change.Create, sh: sh, in: make(Input, len(facets))}
		for _, f := range facets {
			if v, ok := in[f.Field]; ok {
				it.in[f.Field] = v
			}
		}
		s.parse(ctx, it, mode, &env)
		out[n].Values = values[n*len(facets) : (n+1)*len(facets) : (n+1)*len(facets)]
		for i, f := range facets {
			if it.values == nil || it.values[at[i]] == nil {
				continue
			}
			v := it.values[at[i]]
			if fs := &sh.fields[at[i]]; fs.f.Personal && !f.Clear {
				if fs.f.Type == schema.Address {
					continue
				}
				v = s.cfg.Keys.Blind(schema.BlindClass(fs.f), schema.BlindForm(fs.f, v))
			}
			out[n].Values[i] = v
		}
	}
	return out, nil
}

func (s *Service) comparing(ctx context.Context, object string, facets []Facet) (*shape, []int, error) {
	if access.From(ctx).Kind != access.BySystem {
		return nil, nil, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PersonalReveal)})
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	sh := s.shape(obj)
	at := make([]int, len(facets))
	for i, f := range facets {
		n, ok := sh.index[f.Field]
		if !ok || sh.fields[n].n == 0 {
			return nil, nil, fault.InvalidField("record.unknown_field", f.Field, fault.Params{"field": f.Field})
		}
		at[i] = n
	}
	return sh, at, nil
}

func (s *Service) compared(ctx context.Context, sh *shape, rows []Row, facets []Facet, at []int) ([]Compared, error) {
	opened := map[string]bool{}
	for i, f := range facets {
		if sh.fields[at[i]].f.Personal && (f.Clear || s.cfg.Keys.Turning()) {
			opened[f.Field] = true
		}
	}
	var keys map[id.ID]*crypt.Key
	if len(opened) > 0 {
		var err error
		if keys, err = s.keysFor(ctx, sh, rows, &presentation{fields: opened}); err != nil {
			return nil, err
		}
	}
	out := make([]Compared, len(rows))
	values := make([]any, len(rows)*len(facets))
	for r := range rows {
		row := &rows[r]
		out[r] = Compared{ID: row.ID, Deleted: row.DeletedAt != 0, Values: values[r*len(facets) : (r+1)*len(facets) : (r+1)*len(facets)]}
		for i := range facets {
			out[r].Values[i] = s.facet(sh, row, at[i], facets[i].Clear, keys)
		}
	}
	return out, nil
}

// facet is one compared value of a row. One that cannot be opened counts as none.
func (s *Service) facet(sh *shape, row *Row, i int, plain bool, keys map[id.ID]*crypt.Key) any {
	fs := &sh.fields[i]
	switch {
	case row.Cols[fs.off] == nil:
		return nil
	case !fs.f.Personal:
		return schema.Decode(fs.f, sh.cols(row.Cols, i))
	case plain:
		if v, err := s.openValue(sh, row, i, keys[sh.subject(row)]); err == nil {
			return v
		}
		return nil
	case fs.f.Type == schema.Address:
		return nil
	}
	if s.cfg.Keys.Turning() { // stored under either index key: compared under the newest
		if v, err := s.openValue(sh, row, i, keys[sh.subject(row)]); err == nil && v != nil {
			return s.cfg.Keys.Blind(schema.BlindClass(fs.f), schema.BlindForm(fs.f, v))
		}
	}
	return row.Cols[fs.off+1] // the blind index
}

// Probe asks for records that may be the same as another: by the whole value of a field, or by search tokens, of which each set finds by itself.
type Probe struct {
	Field  string
	Value  any
	Tokens [][]string
}

// CompareFind finds the records of all probes, at most so many for each question: by a whole value live ones and those of the recycle bin, by
// tokens live ones.
func (s *Service) CompareFind(ctx context.Context, object string, probes []Probe, limit int) ([]id.ID, error) {
	var named []Facet
	for _, p := range probes {
		if p.Tokens == nil {
			named = append(named, Facet{Field: p.Field})
		}
	}
	sh, _, err := s.comparing(ctx, object, named)
	if err != nil || len(probes) == 0 {
		return nil, err
	}
	var out []id.ID
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		out = nil
		for _, p := range probes {
			if p.Tokens == nil {
				got, err := s.exactly(ctx, r, sh, p, limit)
				if err != nil {
					return err
				}
				out = append(out, got...)
				continue
			}
			for _, tokens := range p.Tokens {
				hits, err := r.Search(ctx, []string{object}, tokens, limit)
				if err != nil {
					return err
				}
				for _, h := range hits {
					out = append(out, h.ID)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", object, err)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// exactly finds records by a whole value. Of personal ones one index holds the live and the deleted.
func (s *Service) exactly(ctx context.Context, r Reader, sh *shape, p Probe, limit int) ([]id.ID, error) {
	f := sh.obj.Field(p.Field)
	raw, err := json.Marshal(schema.FormatJSON(f, p.Value, schema.ParseEnv{PhoneRegion: s.cfg.PhoneRegion()}))
	if err != nil {
		return nil, fmt.Errorf("the value of %s: %w", p.Field, err)
	}
	sel := Selection{Where: &query.Node{Field: p.Field, Op: "=", Value: raw}, Sort: []schema.Sort{{Field: "id", Desc: true}}, Limit: limit, OnlyIDs: true}
	parts := []Selection{sel, sel}
	parts[1].Deleted = true
	if _, blind := sh.obj.Column(p.Field, schema.BlindRole); blind && f.Personal {
		sel.Limit, sel.Binned = 2*limit, true
		parts = []Selection{sel}
	}
	var out []id.ID
	for _, sel := range parts {
		rows, err := r.Select(ctx, sh.obj, sel)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			out = append(out, rows[i].ID)
		}
	}
	return out, nil
}
