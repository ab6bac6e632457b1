package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"

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
	indexes   map[[2]string]*index
	matches   []matcher
	envs      []*schema.ParseEnv // of each value
	relations []*relation
	related   []bool         // values that belong to a relation
	uniques   map[int]*index // of dry runs: other unique values
	counts    map[[8]byte]uint32
	amounts   []int           // values that are money
	today     clock.Day       // of the file's zone, for exchange rates
	first     id.ID           // no record that this run makes has a smaller one
	became    map[id.ID]id.ID // ids of rows that make no record, since they are the other one
	likely    Likeness        // finds rows that may be existing records; nil when the import does not ask
}

// matcher finds existing records by one mapped value.
type matcher struct {
	value int
	*index
}

// row is one row on its way.
type row struct {
	number  int64
	in      record.Input
	keys    []string // by which existing records are found, aligned with plain.matches; nil when the row has none of them
	refs    []ref
	line    LineKey
	target  id.ID // the record it updates, 0 when it makes one
	fresh   id.ID // of the record it makes, when it is the first with its keys
	twin    bool  // target was found by the rules of duplicates
	left    bool  // out: by a rule, or faulty
	bad     bool
	suspect *Suspect // an existing record or an earlier row that it may be, though it is imported
}

// ref is the text of a value of a relation.
type ref struct {
	value int
	text  []byte
}

func (w *row) text(value int) []byte {
	for i := range w.refs {
		if w.refs[i].value == value {
			return w.refs[i].text
		}
	}
	return nil
}

func (r *run) plain(ctx context.Context) error {
	reg := r.svc.cfg.Registry()
	p := &plain{run: r, obj: reg.Object(r.job.Object), indexes: map[[2]string]*index{}, uniques: map[int]*index{}, counts: map[[8]byte]uint32{},
		became: map[id.ID]id.ID{}, first: r.svc.cfg.Records.NewID(),
		related: make([]bool, len(r.plan.Values)), today: clock.DayOf(r.svc.cfg.Clock.Now(), r.zone)}
	r.source = r.job.Object + "/" + r.source
	for _, m := range r.plan.Matches {
		i := slices.IndexFunc(r.plan.Values, func(v mapping.Value) bool { return v.Key == m.Key })
		p.matches = append(p.matches, matcher{i, p.by(p.obj, m.Field)})
	}
	for i := range r.plan.Values {
		v := &r.plan.Values[i]
		p.envs = append(p.envs, r.envOf(v))
		if v.Field.Type == schema.Money {
			p.amounts = append(p.amounts, i)
		}
		switch {
		case v.Via != "" || v.Field.Type == schema.Relation || v.Field.Type == schema.User:
			p.relate(i)
		case v.Field.Unique && r.job.State.DryRun && !slices.ContainsFunc(p.matches, func(m matcher) bool { return m.value == i }):
			p.uniques[i] = p.by(p.obj, v.Field)
		}
	}
	p.order()
	if err := p.suspects(ctx); err != nil {
		return err
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

// by is the index of a field; a file whose rows point at one another finds them in the one by which they are matched.
func (p *plain) by(o *schema.Object, f *schema.Field) *index {
	at := [2]string{o.Key, f.Key}
	if p.indexes[at] == nil {
		p.indexes[at] = p.index(o.Key, f)
	}
	return p.indexes[at]
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
		if raw.Fault == nil && !p.identified(texts) {
			p.lineKey(texts) // the count of equal rows goes on
		}
	}
	for {
		c := &chunk{from: p.svc.cfg.Records.NewID()}
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

// identified reports rows with a value by which existing records are found.
func (p *plain) identified(texts [][]byte) bool {
	return slices.ContainsFunc(p.matches, func(m matcher) bool { return len(texts[m.value]) > 0 })
}

func (p *plain) texts(raw *source.Row, texts [][]byte) {
	for i := range p.plan.Values {
		texts[i] = p.plan.Values[i].Text(raw.Cells)
	}
}

// gather reads the next rows into values.
func (p *plain) gather(r source.Reader, c *chunk, texts [][]byte) ([]*row, error) {
	rows, store := make([]*row, 0, plainRows), make([]row, plainRows)
	for c.rows < plainRows {
		raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		w := &store[c.rows]
		c.rows++
		if raw.Fault != nil {
			c.report(raw.Number, "", raw.Fault)
			c.faults++
			continue
		}
		p.texts(raw, texts)
		w.number, w.in = raw.Number, make(record.Input, len(texts)+1)
		matched := p.identified(texts)
		if !matched {
			w.line = p.lineKey(texts)
		}
		p.values(c, w, texts)
		if w.bad && !p.plan.Options.Lenient {
			c.faults++
			continue
		}
		if matched {
			w.keys = make([]string, len(p.matches))
			for i, m := range p.matches {
				if v, ok := w.in[m.field.Key]; ok {
					w.keys[i] = m.keyOf(v)
				}
			}
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
		if p.related[i] {
			w.refs = append(w.refs, ref{i, append([]byte(nil), texts[i]...)})
			continue
		}
		putValue(w.in, v, texts[i], p.envs[i], func(bad *fault.Fault) {
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
		for i, k := range w.keys {
			p.matches[i].wantKey(k)
		}
		if w.keys == nil {
			lines = append(lines, w.line)
		}
		for _, rel := range p.relations {
			rel.want(w)
		}
		for i, x := range p.uniques {
			if v, ok := w.in[p.plan.Values[i].Field.Key]; ok {
				x.wantKey(x.keyOf(v))
			}
		}
	}
	for _, x := range p.all() {
		if _, err := x.resolve(ctx); err != nil {
			return err
		}
	}
	var seen map[LineKey]id.ID
	if len(lines) > 0 {
		var err error
		if seen, err = p.svc.cfg.Store.SeenLines(ctx, p.source, lines); err != nil {
			return err
		}
	}
	for _, w := range rows { // ids first: rows may point at one another
		p.meet(c, w, seen)
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

// all are the indexes in use.
func (p *plain) all() []*index {
	var out []*index
	add := func(x *index) {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, m := range p.matches {
		add(m.index)
	}
	for _, rel := range p.relations {
		for _, f := range rel.finders {
			for _, x := range f.in {
				add(x)
			}
		}
	}
	for _, x := range p.uniques {
		add(x)
	}
	return out
}

// held is the record that the keys of a row find. Keys that several records have, or that find different ones, are a fault.
func (p *plain) held(w *row) (found id.ID, bad *fault.Fault, at int) {
	for i, k := range w.keys {
		if k == "" {
			continue
		}
		m := p.matches[i]
		v, _ := m.find(k)
		switch {
		case m.several[k]:
			return 0, fault.New(fault.Conflict, "import.match_several", fault.Params{"field": m.field.Key, "label": m.field.Label}), m.value
		case v != 0 && found != 0 && v != found:
			return 0, fault.New(fault.Conflict, "import.match_differs", fault.Params{"field": m.field.Key, "label": m.field.Label}), m.value
		case v != 0:
			found = v
		}
	}
	return found, nil, 0
}

// meet finds the record of a row, or gives it an id; the mode of the import may leave the row out.
func (p *plain) meet(c *chunk, w *row, seen map[LineKey]id.ID) {
	found, bad, at := p.held(w)
	if bad != nil {
		c.report(w.number, p.plan.Values[at].Header, bad)
		c.faults++
		w.left = true
		return
	}
	_, known := seen[w.line]
	known = known && w.keys == nil
	mode := p.plan.Options.Mode
	switch {
	case found != 0 && mode == mapping.OnlyCreate:
		p.leave(c, w, codeExists)
	case found == 0 && !known && mode == mapping.OnlyUpdate:
		p.leave(c, w, codeNotThere)
	case found != 0:
		w.target = found
		p.claim(w, found)
	case w.keys != nil:
		w.fresh = p.svc.cfg.Records.NewID()
		p.claim(w, w.fresh)
	}
}

// claim gives the keys of a row that nobody has to its record, for the rows that follow.
func (p *plain) claim(w *row, v id.ID) {
	for i, k := range w.keys {
		if k == "" {
			continue
		}
		if have, _ := p.matches[i].find(k); have == 0 {
			p.matches[i].putKey(k, v)
		}
	}
}

// leave takes a row out by a rule of the import.
func (p *plain) leave(c *chunk, w *row, code string) {
	w.left = true
	c.skipped++
	c.report(w.number, "", fault.New(fault.Conflict, code, nil))
}

// build makes the operation of a row.
func (p *plain) build(c *chunk, w *row, seen map[LineKey]id.ID) {
	if w.keys == nil && w.target == 0 {
		if _, ok := seen[w.line]; ok {
			u := &unit{rows: []int64{w.number}}
			u.same(p.obj.Key, 1)
			c.units = append(c.units, u)
			return
		}
	}
	u := &unit{rows: []int64{w.number}}
	if !p.point(c, w, u) {
		c.faults++
		p.forget(w)
		return
	}
	existing := w.target
	if w.keys != nil && !w.twin { // the row that was to make it may have failed
		if existing, _, _ = p.held(w); existing == w.fresh {
			existing = 0
		}
	}
	if p.job.State.DryRun && !p.rehearse(c, w, existing) {
		c.faults++
		p.forget(w)
		return
	}
	n := len(c.units)
	c.units = append(c.units, u)
	if existing != 0 {
		c.add(n, update(p.obj.Key, existing, p.gentle(w.in)))
		return
	}
	v := w.fresh
	if v == 0 {
		v = p.svc.cfg.Records.NewID()
		p.claim(w, v)
	}
	if w.keys == nil {
		u.line = &SeenLine{LineKey: w.line, Record: v}
	}
	if p.obj.Key == "customer" && w.in["source"] == nil {
		w.in["source"] = "import"
	}
	p.mark(c, u, w, v)
	c.add(n, create(p.obj.Key, v, w.in))
}

// gentle makes the values that are to fill gaps alone do so.
func (p *plain) gentle(in record.Input) record.Input {
	for i := range p.plan.Values {
		v := &p.plan.Values[i]
		key := v.Field.Key
		if v.Via != "" {
			key = v.Via
		}
		if value, ok := in[key]; ok && v.OnlyEmpty {
			if _, done := value.(record.Fill); !done {
				in[key] = record.Fill{Value: value}
			}
		}
	}
	return in
}

// forget takes back the id of a record that will not be made.
func (p *plain) forget(w *row) {
	if w.fresh == 0 {
		return
	}
	for i, k := range w.keys {
		if have, _ := p.matches[i].find(k); k != "" && have == w.fresh {
			p.matches[i].putKey(k, 0)
		}
	}
}

// rehearse finds, in a dry run, what only earlier chunks of the file tell: unique values that two of its rows have.
func (p *plain) rehearse(c *chunk, w *row, existing id.ID) bool {
	good := true
	for i, x := range p.uniques {
		v := &p.plan.Values[i]
		t, ok := w.in[v.Field.Key]
		if !ok {
			continue
		}
		k := x.keyOf(t)
		switch holder, _ := x.find(k); {
		case holder == 0:
			x.putKey(k, -1) // taken by this row
		case holder != existing:
			c.report(w.number, v.Header, fault.New(fault.Conflict, "record.unique_taken", fault.Params{"field": v.Field.Key, "label": v.Field.Label}))
			good = false
		}
	}
	return good
}
