package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// plainRows is how many rows of a plain file make a chunk: the more there are, the fewer times a page of an index is written, and
// the longer others wait for the writer (about a tenth of a second).
const plainRows = 3000

// plain imports a file of records, one per row.
type plain struct {
	*run
	obj       *schema.Object
	match     *index
	relations map[int][]*index // value → where the related record may be found, in order of preference
	uniques   map[int]*index   // of dry runs: other unique values
	counts    map[[8]byte]uint32
	amounts   []int     // values that are money
	today     clock.Day // of the file's zone, for exchange rates
}

// row is one row on its way.
type row struct {
	number int64
	in     record.Input
	match  []byte
	refs   map[int][]byte // relation values
	line   LineKey
	fresh  id.ID // of the record it makes, when it is the first with its match value
	bad    bool
	twin   id.ID // the existing record that it updates, found by the rules of duplicates
	left   bool  // out, as a duplicate
}

func (r *run) plain(ctx context.Context) error {
	reg := r.svc.cfg.Registry()
	p := &plain{run: r, obj: reg.Object(r.job.Object), relations: map[int][]*index{}, uniques: map[int]*index{}, counts: map[[8]byte]uint32{},
		today: clock.DayOf(r.svc.cfg.Clock.Now(), r.zone)}
	r.source = r.job.Object + "/" + r.source
	ix := func(o *schema.Object, f *schema.Field) *index { return r.index(o.Key, f) }
	if r.plan.Match != nil {
		p.match = ix(p.obj, r.plan.Match.Field)
	}
	for i := range r.plan.Values {
		v := &r.plan.Values[i]
		if v.Field.Type == schema.Money {
			p.amounts = append(p.amounts, i)
		}
		switch {
		case r.plan.Match != nil && v.Key == r.plan.Match.Key:
		case v.Via != "":
			p.relations[i] = []*index{ix(reg.Object(v.Object), v.Field)}
		case v.Field.Type == schema.Relation:
			p.relations[i] = findable(reg.Object(v.Field.Target), ix)
			if p.match != nil && v.Field.Target == p.obj.Key { // rows of the file itself too
				p.relations[i] = append([]*index{p.match}, p.relations[i]...)
			}
		case v.Field.Unique && r.job.State.DryRun:
			p.uniques[i] = ix(p.obj, v.Field)
		}
	}
	chunks := make(chan *chunk, 1)
	eg, ctx := errgroup.WithContext(ctx)
	eg.Go(func() error {
		defer close(chunks)
		return p.prepare(ctx, chunks)
	})
	eg.Go(func() error {
		for c := range chunks {
			if err := p.write(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	return eg.Wait()
}

// findable are the fields by which people name a record: the unique ones, then its title.
func findable(o *schema.Object, ix func(*schema.Object, *schema.Field) *index) []*index {
	var out []*index
	if o.Virtual {
		return nil
	}
	for _, f := range o.Fields {
		if f.Unique {
			out = append(out, ix(o, f))
		}
	}
	if f := o.Field(o.TitleField); f != nil && !f.Unique && f.Type == schema.Text && schema.System(f.Key) == nil {
		out = append(out, ix(o, f))
	}
	return out
}

func (p *plain) prepare(ctx context.Context, out chan<- *chunk) error {
	r, err := p.openReader()
	if err != nil {
		return err
	}
	return errors.Join(p.read(ctx, r, out), r.Close())
}

func (p *plain) read(ctx context.Context, r source.Reader, out chan<- *chunk) error {
	state := p.state
	texts := make([][]byte, len(p.plan.Values))
	for n := int64(0); n < state.Rows; n++ {
		raw, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
		p.texts(raw, texts)
		if raw.Fault == nil && (p.match == nil || len(texts[p.matchValue()]) == 0) {
			p.lineKey(texts) // the count of equal rows goes on
		}
	}
	for {
		c := &chunk{}
		rows, err := p.gather(r, c, texts)
		if err != nil || c.rows == 0 {
			return err
		}
		if err := p.fill(ctx, c, rows); err != nil {
			return err
		}
		state.Rows += c.rows
		c.state = state
		c.bytes, _ = r.Progress()
		select {
		case out <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *plain) matchValue() int {
	for i := range p.plan.Values {
		if p.plan.Match != nil && p.plan.Values[i].Key == p.plan.Match.Key {
			return i
		}
	}
	return -1
}

func (p *plain) texts(raw *source.Row, texts [][]byte) {
	for i := range p.plan.Values {
		texts[i] = p.plan.Values[i].Text(raw.Cells)
	}
}

// gather reads the next rows into values.
func (p *plain) gather(r source.Reader, c *chunk, texts [][]byte) ([]*row, error) {
	var rows []*row
	match := p.matchValue()
	for c.rows < plainRows {
		raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		c.rows++
		if raw.Fault != nil {
			c.report(raw.Number, "", raw.Fault)
			c.faults++
			continue
		}
		p.texts(raw, texts)
		w := &row{number: raw.Number, in: make(record.Input, len(texts))}
		if match >= 0 && len(texts[match]) > 0 {
			w.match = append([]byte(nil), texts[match]...)
		} else {
			w.line = p.lineKey(texts)
		}
		p.values(c, w, texts)
		if w.bad && !p.plan.Options.Lenient {
			c.faults++
			continue
		}
		p.reportRates(c, w)
		rows = append(rows, w)
	}
	return rows, nil
}

// values reads the texts of a row; what cannot be read is reported.
func (p *plain) values(c *chunk, w *row, texts [][]byte) {
	for i := range p.plan.Values {
		v := &p.plan.Values[i]
		if len(texts[i]) == 0 {
			continue
		}
		if p.relations[i] != nil {
			if w.refs == nil {
				w.refs = map[int][]byte{}
			}
			w.refs[i] = append([]byte(nil), texts[i]...)
			continue
		}
		setValue(w.in, v.Field, texts[i], &p.env, func(bad *fault.Fault) {
			c.report(w.number, v.Header, bad)
			w.bad = true
		})
	}
}

// lineKey is the fingerprint of a row that no field identifies.
func (p *plain) lineKey(texts [][]byte) LineKey {
	h := sha256.New()
	for i, t := range texts {
		if len(t) > 0 {
			_, _ = io.WriteString(h, p.plan.Values[i].Key)
			h.Write([]byte{0})
			h.Write(t)
			h.Write([]byte{1})
		}
	}
	var sum [32]byte
	h.Sum(sum[:0])
	short := [8]byte(sum[:8])
	n := p.counts[short]
	p.counts[short] = n + 1
	return LineKey{Hash: [16]byte(sum[:16]), Occurrence: int64(n)}
}

// fill looks up what rows refer to and builds their operations.
func (p *plain) fill(ctx context.Context, c *chunk, rows []*row) error {
	var lines []LineKey
	for _, w := range rows {
		if w.match != nil {
			p.match.want(w.match)
		} else {
			lines = append(lines, w.line)
		}
		for i, t := range w.refs {
			for _, x := range p.relations[i] {
				x.want(t)
			}
		}
		for i, x := range p.uniques {
			if t, ok := w.in[p.plan.Values[i].Field.Key].(string); ok {
				x.want([]byte(t))
			}
		}
	}
	if err := p.resolve(ctx); err != nil {
		return err
	}
	var seen map[LineKey]id.ID
	if len(lines) > 0 {
		var err error
		if seen, err = p.svc.cfg.Store.SeenLines(ctx, p.source, lines); err != nil {
			return err
		}
	}
	for _, w := range rows { // ids first: rows may point at one another
		if w.match != nil && p.match.get(w.match) == 0 {
			w.fresh = p.svc.cfg.Records.NewID()
			p.match.put(w.match, w.fresh)
		}
	}
	if err := p.alike(ctx, c, rows, seen); err != nil {
		return err
	}
	for _, w := range rows {
		if !w.left {
			p.build(c, w, seen)
		}
	}
	return nil
}

func (p *plain) resolve(ctx context.Context) error {
	all := []*index{}
	if p.match != nil {
		all = append(all, p.match)
	}
	for _, list := range p.relations {
		all = append(all, list...)
	}
	for _, x := range p.uniques {
		all = append(all, x)
	}
	for _, x := range all {
		if _, err := x.resolve(ctx); err != nil {
			return err
		}
	}
	return nil
}

// build makes the operation of a row.
func (p *plain) build(c *chunk, w *row, seen map[LineKey]id.ID) {
	if !p.relate(c, w) {
		c.faults++
		p.forget(w)
		return
	}
	u := &unit{rows: []int64{w.number}}
	n := len(c.units)
	c.units = append(c.units, u)
	var existing id.ID
	if w.match != nil {
		if existing = p.match.get(w.match); existing == w.fresh {
			existing = 0
		}
	} else if _, ok := seen[w.line]; ok {
		u.same(p.obj.Key, 1)
		return
	}
	if w.twin != 0 {
		existing = w.twin
	}
	if p.job.State.DryRun && !p.rehearse(c, w, existing) {
		c.faults++
		c.units = c.units[:n]
		p.forget(w)
		return
	}
	if existing != 0 {
		c.add(n, update(p.obj.Key, existing, w.in))
		return
	}
	v := w.fresh
	if v == 0 {
		v = p.svc.cfg.Records.NewID()
		if w.match != nil { // the row that was to make it failed
			p.match.put(w.match, v)
		}
	}
	if w.match == nil {
		u.line = &SeenLine{LineKey: w.line, Record: v}
	}
	if p.obj.Key == "customer" && w.in["source"] == nil {
		w.in["source"] = "import"
	}
	c.add(n, create(p.obj.Key, v, w.in))
}

// forget takes back the id of a record that will not be made.
func (p *plain) forget(w *row) {
	if w.fresh != 0 {
		p.match.put(w.match, 0)
	}
}

// relate fills in related records; false when one is not found.
func (p *plain) relate(c *chunk, w *row) bool {
	good := true
	for i, t := range w.refs {
		v := &p.plan.Values[i]
		key := v.Field.Key
		if v.Via != "" {
			key = v.Via
		}
		found := id.ID(0)
		for _, x := range p.relations[i] {
			if found == 0 {
				found = x.get(t)
			}
		}
		if found == 0 && v.Via == "" {
			if target := p.svc.cfg.Registry().Object(v.Field.Target); target != nil {
				found, _ = id.Parse(target.Prefix, string(t))
			}
		}
		if found == 0 {
			c.report(w.number, v.Header, fault.New(fault.Invalid, "import.relation_not_found", fault.Params{"value": shownText(v, t)}))
			good = good && p.plan.Options.Lenient
			continue
		}
		w.in[key] = found
	}
	return good
}

// shownText is a text for a report: short, and nothing of a personal field.
func shownText(v *mapping.Value, t []byte) string {
	if v.Field.Personal {
		return "…"
	}
	return clipText(string(t), 60)
}

// rehearse finds, in a dry run, what storing a row would refuse.
func (p *plain) rehearse(c *chunk, w *row, existing id.ID) bool {
	good := true
	if existing == 0 {
		for _, f := range p.obj.Fields {
			if f.Required && f.Default == nil && f.Type != schema.AutoNumber && w.in[f.Key] == nil {
				c.report(w.number, p.columnOf(p.obj.Key, "fields."+f.Key), fault.New(fault.Invalid, "record.required", fault.Params{"field": f.Key, "label": f.Label}))
				good = false
			}
		}
	}
	for i, x := range p.uniques {
		v := &p.plan.Values[i]
		t, ok := w.in[v.Field.Key].(string)
		if !ok {
			continue
		}
		switch holder := x.get([]byte(t)); {
		case holder == 0:
			x.put([]byte(t), -1) // taken by this row
		case holder != existing:
			c.report(w.number, v.Header, fault.New(fault.Conflict, "record.unique_taken", fault.Params{"field": v.Field.Key, "label": v.Field.Label}))
			good = false
		}
	}
	return good
}
