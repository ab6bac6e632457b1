package transfer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// orders imports a flat purchase file. The file is read once into a spill that brings the lines of each order together,
// in the order in which orders begin in the file; then orders are worked off in chunks. Preparing a chunk goes on while
// the one before is written. Everything up to a chunk depends on the file alone, so a run that begins again finds the
// same orders in the same places and goes on behind the last one committed.
type orders struct {
	*run
	roles        *roles
	reader       *reader
	parties      *parties
	customerKeys []keyValue
	numbers      *index // order.number
	externals    *index // order.external_id, nil when not mapped
	keyValues    map[string]int
	withLines    bool // order lines are made, not orders alone
	current      *chunk
	readErrors   []RowError
	readFaults   int64
}

// Sizes of chunks: lines looked up together, and operations written in one transaction.
const (
	groupLines   = 1500
	progressRows = 20_000
)

func (r *run) orders(ctx context.Context) error {
	o := &orders{run: r, roles: newRoles(r.plan), keyValues: map[string]int{}}
	o.withLines = o.roles.lineMapped || len(r.plan.Options.OrderKey) > 0
	for _, name := range r.plan.Options.OrderKey {
		if t, ok := mapping.Resolve(r.svc.cfg.Registry(), mapping.OrderObject, mapping.OrderPart, name); ok {
			for i := range r.plan.Values {
				if r.plan.Values[i].Key == t.Key {
					o.keyValues[name] = i
				}
			}
		}
	}
	o.parties = newParties(o)
	o.customerKeys = o.parties.customers
	order := r.svc.cfg.Registry().Object("order")
	o.numbers = r.index("order", order.Field("number"))
	if o.roles.externalID >= 0 {
		o.externals = r.index("order", order.Field("external_id"))
	}
	o.reader = &reader{plan: r.plan, roles: o.roles, env: r.env}
	o.reader.report = o.reportLine
	sp, err := newSpill(r.svc.files.folder(r.job.ID), r.svc.cfg.SpillBytes)
	if err != nil {
		return err
	}
	err = o.all(ctx, sp)
	return errors.Join(err, sp.Close())
}

func (o *orders) all(ctx context.Context, sp *spill) error {
	if err := o.readAll(ctx, sp); err != nil {
		return err
	}
	if err := sp.Sort(); err != nil {
		return err
	}
	o.phase = PhaseWriting
	o.written = o.result.Rows
	o.total = sp.count + o.result.Rows
	if o.state.Groups > 0 {
		o.total = sp.count + o.readFaults
	}
	chunks := make(chan *chunk, 1)
	eg, ctx := errgroup.WithContext(ctx)
	eg.Go(func() error {
		defer close(chunks)
		return o.prepare(ctx, sp, chunks)
	})
	eg.Go(func() error {
		for c := range chunks {
			if err := o.write(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	return eg.Wait()
}

// readAll reads the file into the spill. Rows that belong to no order are reported once, however often this runs.
func (o *orders) readAll(ctx context.Context, sp *spill) error {
	o.phase, o.ctx = PhaseReading, ctx
	r, err := o.openReader()
	if err != nil {
		return err
	}
	_, err = o.readLines(r, sp)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	o.env = o.run.env
	if o.state.Read {
		return nil
	}
	state := o.state
	state.Read = true
	return o.write(ctx, &chunk{state: state, errors: o.readErrors, rows: o.readFaults, faults: o.readFaults})
}

// reportRead reports a row that belongs to no order; many of them are stored as they come.
func (o *orders) reportRead(row int64, value int, f *fault.Fault) error {
	o.readFaults++
	if o.state.Read {
		return nil
	}
	o.readErrors = appendErrors(o.readErrors, row, o.header(value), f)
	if len(o.readErrors) < 5000 || o.plan.Options.OnError == "stop" {
		return nil
	}
	commit := o.commit(&chunk{state: o.state, errors: o.readErrors}, nil)
	o.readErrors = nil
	return o.svc.cfg.Store.Commit(o.ctx, nil, commit)
}

// reading tells how far reading has come.
func (o *orders) reading(rows int64, r source.Reader) error {
	done, total := r.Progress()
	o.progress = Progress{Phase: PhaseReading, Bytes: done / 10, TotalBytes: total, Rows: o.result.Rows}
	if s := o.seconds(); s > 0 {
		o.progress.Rate = float64(rows) / s
	}
	o.publish()
	return o.ctx.Err()
}

// reportLine reports a line that is not imported into the chunk being prepared.
func (o *orders) reportLine(l *line, value int, f *fault.Fault) {
	o.current.report(l.row, o.header(value), f)
	if l.kind == leftOut {
		o.current.skipped++
	} else {
		o.current.faults++
	}
}

// prepare turns orders into chunks.
func (o *orders) prepare(ctx context.Context, sp *spill, out chan<- *chunk) error {
	from := groups{sp: sp, values: len(o.plan.Values)}
	done := int64(0)
	for ; done < o.state.Groups; done++ {
		if g, err := from.next(); err != nil || g == nil {
			return err
		}
	}
	state := o.state
	for {
		c, gs, err := o.gather(&from)
		if err != nil || len(gs) == 0 {
			return err
		}
		if err := o.fill(ctx, c, gs); err != nil {
			return err
		}
		done += int64(len(gs))
		state.Groups = done
		c.state = state
		select {
		case out <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gather takes the next orders, up to a number of lines, and reads their figures.
func (o *orders) gather(from *groups) (*chunk, []*group, error) {
	c := &chunk{}
	o.current = c
	var gs []*group
	for c.rows < groupLines {
		g, err := from.next()
		if err != nil {
			return nil, nil, err
		}
		if g == nil {
			break
		}
		o.open(g)
		c.rows += int64(len(g.lines))
		gs = append(gs, g)
	}
	return c, gs, nil
}

// fill looks up what the orders refer to and builds their operations.
func (o *orders) fill(ctx context.Context, c *chunk, gs []*group) error {
	keys := make([][16]byte, len(gs))
	for i, g := range gs {
		keys[i] = g.key
	}
	seen, err := o.svc.cfg.Store.SeenOrders(ctx, o.source, keys)
	if err != nil {
		return err
	}
	var partly []id.ID
	for _, g := range gs {
		g.seen, g.known = seen[g.key], false
		_, g.known = seen[g.key]
		g.match()
		if g.seen.Order == 0 && g.buys() {
			g.planned = o.svc.cfg.Records.NewID()
		}
		if g.seen.Order != 0 && !g.all && len(g.fresh) > 0 {
			partly = append(partly, g.seen.Order)
		}
		o.parties.want(g)
		o.wantNumbers(g)
	}
	if err := o.parties.resolve(ctx); err != nil {
		return err
	}
	if _, err := o.numbers.resolve(ctx); err != nil {
		return err
	}
	if o.externals != nil {
		if _, err := o.externals.resolve(ctx); err != nil {
			return err
		}
	}
	standing := map[id.ID]*record.Record{}
	err = o.fetch(ctx, "order", partly, []string{"gross_amount", "net_amount", "discount_amount", "quantity", "line_count"},
		func(r *record.Record) { standing[r.ID] = r })
	if err != nil {
		return err
	}
	if err := o.link(ctx, gs); err != nil {
		return err
	}
	made := map[id.ID]int{}
	for _, g := range gs {
		o.build(c, g, made, standing)
		if g.order != 0 && g.number != "" {
			o.numbers.put([]byte(g.number), g.order)
		}
	}
	return nil
}

func (o *orders) wantNumbers(g *group) {
	if g.seen.Order == 0 && g.number != "" {
		o.numbers.want([]byte(g.number))
	}
	if o.externals != nil && g.seen.Order == 0 {
		if t := g.first(o.roles.externalID); len(t) > 0 {
			o.externals.want(t)
		}
	}
	if g.returns() && g.number != "" {
		for _, t := range o.originals(g) {
			o.numbers.want(t)
		}
	}
}

// decideDates settles whether 3/4/2026 is in April or in March by looking through the file, unless the mapping says so.
func (r *run) decideDates(ctx context.Context) error {
	if r.plan.Options.DateOrder != "" || r.env.DateLayout != "" {
		return nil
	}
	var at []*mapping.Value
	for i := range r.plan.Values {
		if t := r.plan.Values[i].Field.Type; (t == schema.DateTime || t == schema.Date) && r.plan.Values[i].Date == "" {
			at = append(at, &r.plan.Values[i])
		}
	}
	if len(at) == 0 {
		return nil
	}
	e, err := r.svc.dates(ctx, r.file, r.job.Mapping, at)
	if err != nil {
		return err
	}
	order, _ := e.Order()
	r.env.DayFirst = order == "dmy"
	return nil
}

// dateRows bounds how far dates are looked through while nothing has shown how they are written.
const dateRows = 2_000_000

// mixedRows is how far they are looked through for a contradiction once something has.
const mixedRows = 200_000

// dates looks through date columns until something decides, and some way on for what contradicts. A file whose first rows hold no such date is left at once.
func (s *Service) dates(ctx context.Context, file source.File, m mapping.Mapping, columns []*mapping.Value) (mapping.DateEvidence, error) {
	var e mapping.DateEvidence
	r, err := source.Open(file, m.Format, s.limits(), m.Names()...)
	if err != nil {
		return e, err
	}
	var last string
	for n := 0; n < dateRows && !e.Mixed() && !(e.Settled() && n >= mixedRows); n++ {
		if n == 2000 && e.Open == 0 && !e.Settled() {
			break
		}
		row, err := r.Next()
		if err != nil || n%10_000 == 0 && ctx.Err() != nil {
			break
		}
		if row.Fault != nil {
			continue
		}
		for _, v := range columns {
			if t := v.Text(row.Cells); string(t) != last {
				last = string(t)
				e.Add(last)
			}
		}
	}
	return e, errors.Join(ctx.Err(), r.Close())
}
