package mass

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// layout is the columns of an export: the id, then fields of the record and columns from elsewhere in the order asked for.
type layout struct {
	columns []sink.Column
	fields  []string
	extra   []string
	from    []origin // of each column
}

// origin is where a column comes from: a field, the currency of an amount, or a column from elsewhere.
type origin struct {
	field    *schema.Field
	currency bool
	extra    int // place among layout.extra, -1 for a field
}

const traitPrefix = "trait."

// columns lays out an export; unknown fields are refused at "fields.<n>".
func (s *Service) columns(ctx context.Context, obj *schema.Object, f *File) (*layout, error) {
	l := &layout{columns: []sink.Column{{Key: "id", Label: "id"}}, from: []origin{{extra: -1}}}
	actor := access.From(ctx)
	locale := lang.Locale(actor.Locale)
	keys := f.Fields
	if len(keys) == 0 {
		for _, x := range obj.Fields {
			if x.Type != schema.RelationMany && !x.Hidden && actor.FieldOf(obj.Key, x) != access.FieldHidden {
				keys = append(keys, x.Key)
			}
		}
	}
	var bad []*fault.Fault
	for i, key := range keys {
		if strings.HasPrefix(key, traitPrefix) && s.cfg.Extra != nil {
			if c, ok := s.cfg.Extra.Column(ctx, obj.Key, key); ok {
				l.columns, l.from = append(l.columns, c), append(l.from, origin{extra: len(l.extra)})
				l.extra = append(l.extra, key)
				continue
			}
		}
		x := obj.Field(key)
		if x == nil || x.Type == schema.RelationMany || x.Hidden || actor.FieldOf(obj.Key, x) == access.FieldHidden {
			bad = append(bad, fault.InvalidField("record.unknown_field", "fields."+strconv.Itoa(i), fault.Params{"field": key}))
			continue
		}
		if key == "id" {
			continue
		}
		if schema.System(key) == nil {
			l.fields = append(l.fields, key)
		}
		l.columns = append(l.columns, sink.Column{Key: key, Label: x.Label.In(locale), Kind: kindOf(actor, obj, x)})
		l.from = append(l.from, origin{field: x, extra: -1})
		if x.Type == schema.Money && f.Format == sink.Parquet && !x.Personal {
			l.columns = append(l.columns, sink.Column{Key: key + "_currency", Label: x.Label.In(locale)})
			l.from = append(l.from, origin{field: x, currency: true, extra: -1})
		}
	}
	if l.fields == nil {
		l.fields = []string{}
	}
	return l, errOf(fault.Join("record.invalid", bad))
}

func errOf(f *fault.Fault) error {
	if f == nil {
		return nil
	}
	return f
}

func kindOf(a access.Actor, obj *schema.Object, f *schema.Field) sink.Kind {
	if f.Personal || a.FieldOf(obj.Key, f) == access.FieldMasked { // a mask is a text
		return sink.Text
	}
	switch f.Type {
	case schema.Number, schema.Money, schema.Percent, schema.Rating:
		return sink.Number
	case schema.Date:
		return sink.Day
	case schema.DateTime:
		return sink.Instant
	case schema.Bool:
		return sink.Bool
	default:
		return sink.Text
	}
}

// cells turns records into rows of a layout.
type cells struct {
	svc  *Service
	obj  *schema.Object
	l    *layout
	env  schema.ParseEnv
	base string
}

// rows reads records and makes their rows, in the order of the ids; those that are gone are left out.
func (c *cells) rows(ctx context.Context, ids []id.ID) ([][]sink.Cell, error) {
	recs, err := c.svc.cfg.Records.ExportMany(ctx, c.obj.Key, ids, c.l.fields)
	if err != nil {
		return nil, err
	}
	var extra map[id.ID][]sink.Cell
	if len(c.l.extra) > 0 {
		if extra, err = c.svc.cfg.Extra.Cells(ctx, c.obj.Key, c.l.extra, ids); err != nil {
			return nil, err
		}
	}
	makers := make([]record.Ref, len(recs))
	for i, r := range recs {
		makers[i] = record.Ref{Object: "user", ID: r.CreatedBy}
	}
	if c.wantsMaker() {
		if err := c.svc.cfg.Records.Titles(ctx, makers); err != nil {
			return nil, err
		}
	}
	out := make([][]sink.Cell, len(recs))
	for i, r := range recs {
		row := make([]sink.Cell, len(c.l.columns))
		for n, from := range c.l.from {
			switch {
			case n == 0:
				text := id.Format(c.obj.Prefix, r.ID)
				row[n] = sink.Cell{Given: true, Text: text, JSON: text}
			case from.extra >= 0:
				if list := extra[r.ID]; list != nil {
					row[n] = list[from.extra]
				}
			case from.currency:
				if m, ok := r.Values[from.field.Key].(money.Money); ok {
					row[n] = sink.Cell{Given: true, Text: m.Currency, JSON: m.Currency}
				}
			case from.field.Key == "created_by" || from.field.Key == "updated_by":
				row[n] = maker(from.field.Key, r, makers[i].Title)
			default:
				row[n] = c.cell(from.field, r)
			}
		}
		out[i] = row
	}
	return out, nil
}

func (c *cells) wantsMaker() bool {
	for _, from := range c.l.from {
		if from.field != nil && from.field.Key == "created_by" {
			return true
		}
	}
	return false
}

func maker(key string, r *record.Record, title string) sink.Cell {
	if key != "created_by" || title == "" {
		return sink.Cell{}
	}
	return sink.Cell{Given: true, Text: title, JSON: map[string]any{"id": id.Format("usr", r.CreatedBy), "object": "user", "title": title}}
}

// cell is one value: relations by title, personal values masked.
func (c *cells) cell(f *schema.Field, r *record.Record) sink.Cell {
	if m, ok := r.Masks[f.Key]; ok {
		return sink.Cell{Given: true, Plain: true, Text: m, JSON: m}
	}
	v, ok := r.Values[f.Key]
	if !ok {
		switch f.Key {
		case "created_at":
			v = r.CreatedAt
		case "updated_at":
			v = r.UpdatedAt
		default:
			return sink.Cell{}
		}
	}
	if f.Type == schema.Relation || f.Type == schema.User {
		ref := r.Titles[f.Key]
		to, _ := v.(id.ID)
		object := f.Target
		if f.Type == schema.User {
			object = "user"
		}
		return sink.Cell{Given: true, Text: ref.Title, JSON: named{ID: id.Format(f.TargetPrefix(), to), Title: ref.Title, Object: object}}
	}
	env := c.env
	env.FileName = r.FileName
	out := sink.Cell{Given: true, Text: schema.FormatText(f, v, env), JSON: schema.FormatJSON(f, v, env)}
	switch v := v.(type) {
	case money.Money:
		out.Number, out.Plain = v.Decimal(), v.Currency != c.base
	case int64:
		if n, ok := out.JSON.(json.Number); ok {
			out.Number = n.String()
		} else {
			out.Plain = true
		}
	case clock.Day:
		out.Time = v.Time()
	case time.Time:
		out.Time = v
	case bool:
		out.Yes = v
	}
	return out
}

type named struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Object string `json:"object"`
}

func (s *Service) cellsOf(ctx context.Context, obj *schema.Object, f *File) (*cells, error) {
	l, err := s.columns(ctx, obj, f)
	if err != nil {
		return nil, err
	}
	return &cells{svc: s, obj: obj, l: l, env: s.cfg.Records.Env(ctx), base: s.cfg.Base()}, nil
}

func (c *cells) writer(ctx context.Context, w io.Writer, f *File) (sink.Writer, error) {
	return sink.New(w, sink.Options{Format: f.Format, Encoding: f.Encoding, Zone: c.env.Zone, Name: c.obj.Plural.In(lang.Locale(access.From(ctx).Locale))}, c.l.columns)
}

// batch is one portion on its way through the pipeline.
type batch struct {
	ids  []id.ID
	rows [][]sink.Cell
	err  error
	done chan struct{}
}

// pipe reads portions of ids and gives their rows in order, several portions being read at the same time. next gives nil at
// the end.
func (c *cells) pipe(ctx context.Context, next func() ([]id.ID, error), give func(ids []id.ID, rows [][]sink.Cell) error) error {
	asked := ctx
	ctx, cancel := context.WithCancel(ctx)
	readers := min(max(runtime.GOMAXPROCS(0), 2), 4)
	order, work := make(chan *batch, readers), make(chan *batch)
	go func() {
		defer close(order)
		defer close(work)
		for {
			ids, err := next()
			b := &batch{ids: ids, err: err, done: make(chan struct{})}
			if err != nil {
				close(b.done)
			} else if ids == nil {
				return
			}
			select {
			case order <- b:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
			work <- b // the readers take everything until it is closed
		}
	}()
	for range readers {
		go func() {
			for b := range work {
				if b.err = ctx.Err(); b.err == nil {
					b.rows, b.err = c.rows(ctx, b.ids)
				}
				close(b.done)
			}
		}()
	}
	var failed error
	for b := range order {
		<-b.done
		if failed == nil {
			failed = b.err
		}
		if failed == nil {
			failed = give(b.ids, b.rows)
		}
		if failed != nil {
			cancel()
		}
		b.rows = nil
	}
	cancel()
	if failed == nil { // given up between two portions
		failed = asked.Err()
	}
	return failed
}

// export writes the file of a job. Interrupted, it begins anew with another key.
func (r *run) export(ctx context.Context) error {
	j, s := r.job, r.svc
	c, err := s.cellsOf(ctx, r.obj, j.Spec.File)
	if err != nil {
		return err
	}
	d, err := s.files.create(j.ID)
	if err != nil {
		return err
	}
	j.Result, r.first = Result{}, 0
	if err := r.fill(ctx, c, d); err != nil {
		return errors.Join(err, d.drop())
	}
	if err := d.keep(); err != nil {
		return err
	}
	j.State.Key, j.Result.Bytes = d.key, d.n
	j.ExpiresAt = s.cfg.Clock.Now().Add(s.cfg.KeepFile)
	return nil
}

func (r *run) fill(ctx context.Context, c *cells, d *draft) error {
	j, s := r.job, r.svc
	w, err := c.writer(ctx, d, j.Spec.File)
	if err != nil {
		return err
	}
	part := int64(0)
	var done int64
	next := func() ([]id.ID, error) {
		if part >= j.State.Parts {
			return nil, nil
		}
		keys, err := s.cfg.Store.Part(ctx, j.ID, part)
		part++
		ids := make([]id.ID, len(keys))
		for i, k := range keys {
			ids[i] = k.ID
		}
		return ids, err
	}
	err = c.pipe(ctx, next, func(ids []id.ID, rows [][]sink.Cell) error {
		for _, row := range rows {
			if err := w.Row(row); err != nil {
				return err
			}
		}
		done += int64(len(ids))
		j.Result.Changed += int64(len(rows))
		j.Result.Skipped += int64(len(ids) - len(rows))
		return r.moved(ctx, done)
	})
	if err != nil {
		return err
	}
	j.Progress = r.progress(PhaseWorking, done)
	err = w.Close()
	j.Result.Shortened = w.Shortened()
	return err
}

// moved stores how far an export is, now and then, and finds out whether it was cancelled.
func (r *run) moved(ctx context.Context, done int64) error {
	now := r.svc.cfg.Clock.Now()
	if now.Sub(r.told) < toldEvery {
		return ctx.Err()
	}
	r.told = now
	j := r.job
	j.Progress = r.progress(PhaseWorking, done)
	j.Result.Seconds = r.seconds()
	err := r.svc.cfg.Store.Commit(ctx, nil, &Commit{Job: j.ID, Expect: j.Status, Progress: j.Progress, Result: j.Result, State: j.State, At: now})
	if err == nil {
		r.svc.publish(j)
	}
	return err
}

// Prepared is an export that is ready to be streamed.
type Prepared struct {
	svc   *Service
	obj   *schema.Object
	order Order
	cells *cells
}

// Prepare checks an export that is to be streamed instead of kept.
func (s *Service) Prepare(ctx context.Context, o Order) (*Prepared, error) {
	o.Kind = Export
	obj, err := s.check(ctx, &o)
	if err != nil {
		return nil, err
	}
	c, err := s.cellsOf(ctx, obj, o.File)
	return &Prepared{svc: s, obj: obj, order: o, cells: c}, err
}

// Stream writes the file and returns the number of rows below the heading.
func (p *Prepared) Stream(ctx context.Context, w io.Writer) (rows int64, err error) {
	out, err := p.cells.writer(ctx, w, p.order.File)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make(chan []id.ID, 4)
	var failed error
	go func() {
		defer close(found)
		failed = p.svc.collect(ctx, p.obj, Export, &p.order.Set, func(keys []record.Key) error {
			ids := make([]id.ID, len(keys))
			for i, k := range keys {
				ids[i] = k.ID
			}
			select {
			case found <- ids:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	err = p.cells.pipe(ctx, func() ([]id.ID, error) {
		ids, ok := <-found
		if !ok {
			return nil, failed
		}
		return ids, nil
	}, func(_ []id.ID, list [][]sink.Cell) error {
		for _, row := range list {
			if err := out.Row(row); err != nil {
				return err
			}
			rows++
		}
		return nil
	})
	if err != nil {
		cancel()
		for range found { //nolint:revive // wait for the reader to end
		}
		return rows, err
	}
	return rows, out.Close()
}

// Opened is a file ready to be downloaded.
type Opened struct {
	io.ReadSeekCloser
	Name        string
	ContentType string
	Size        int64
}

// Open opens the file of an export for its owner; fault NotFound export.file_gone when it has expired.
func (s *Service) Open(ctx context.Context, v id.ID) (*Opened, error) {
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	if !owns(ctx, j) {
		return nil, notFound(v)
	}
	if !access.From(ctx).Can(access.ExportRun) {
		return nil, forbidden(access.ExportRun)
	}
	switch {
	case j.Kind != Export || j.Status.Active() || j.Status == Failed || j.Status == Cancelled:
		return nil, wrongState(j)
	case j.State.Gone || !j.ExpiresAt.After(s.cfg.Clock.Now()):
		return nil, fault.New(fault.NotFound, "export.file_gone", nil)
	}
	f, err := s.files.open(j)
	if err != nil {
		return nil, err
	}
	o := sink.Options{Format: j.Spec.File.Format, Encoding: j.Spec.File.Encoding}
	return &Opened{ReadSeekCloser: f, Name: s.fileName(j), ContentType: o.ContentType(), Size: f.size}, nil
}

// fileName is what the browser calls a file: the name given, else the object's, with the day.
func (s *Service) fileName(j *Job) string {
	name := j.Spec.File.Name
	if name == "" {
		name = j.Object
		if obj := s.cfg.Registry().Object(j.Object); obj != nil {
			name = obj.Plural.In(lang.Locale(j.State.Actor.Locale))
		}
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	return name + "-" + j.CreatedAt.Format("20060102-1504") + "." + string(j.Spec.File.Format)
}
