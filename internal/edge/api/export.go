package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

type exportIn struct {
	Object string `path:"object"`
	Body   struct {
		Format  string    `json:"format" enum:"csv,xlsx,ndjson,parquet"`
		Where   Condition `json:"where,omitempty"`
		Segment string    `json:"segment,omitempty"`
		Fields  []string  `json:"fields,omitempty"`
	}
}

// exporter writes records to one kind of file.
type exporter interface {
	write(r *record.Record) error
	close() error
}

// xlsxRows is how many rows a sheet can hold below its heading.
const xlsxRows = 1<<20 - 1

// export streams records as a file. The trailer X-Rows says how many there were and comes only when the file is whole.
func (a *API) export(ctx context.Context, c *call, in exportIn) (written, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return written{}, err
	}
	where, err := in.Body.Where.node("where")
	if err != nil {
		return written{}, err
	}
	if in.Body.Segment != "" {
		if where != nil || o.Key != query.Customer {
			return written{}, fault.InvalidField("api.bad_parameter", "segment", nil)
		}
		where = &query.Node{Segment: in.Body.Segment, Op: "in"}
	}
	if err := c.ws.Conditions.Check(ctx, o.Key, where); err != nil {
		return written{}, under(err, "where")
	}
	if !c.who.Actor.May(o.Key, access.Export) {
		return written{}, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.ExportRun)})
	}
	fields, err := c.exportFields(o, in.Body.Fields)
	if err != nil {
		return written{}, err
	}
	kind, ok := map[string]string{"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet",
		"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}[in.Body.Format]
	if !ok {
		return written{}, fault.InvalidField("api.bad_parameter", "format", nil)
	}
	// The trail is written before the first row leaves.
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "record.export", o.Key, 0, map[string]any{"format": in.Body.Format, "segment": in.Body.Segment, "filtered": where != nil}); err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+o.Key+"."+in.Body.Format+`"`)
	h.Set("Trailer", "X-Rows")
	rows, err := c.exportTo(ctx, c.newExporter(ctx, in.Body.Format, o, fields), o, where, fields)
	if err != nil {
		a.Log.ErrorContext(ctx, "export broke off", "object", o.Key, "error", err)
		panic(http.ErrAbortHandler) // the caller sees a broken transfer, not a short file
	}
	h.Set("X-Rows", strconv.Itoa(rows))
	return written{}, nil
}

func (c *call) exportFields(o *schema.Object, keys []string) ([]*schema.Field, error) {
	var out []*schema.Field
	for i, k := range keys {
		f := o.Field(k)
		if f == nil || f.Type == schema.RelationMany || c.who.Actor.FieldOf(o.Key, f) == access.FieldHidden {
			return nil, fault.InvalidField("record.unknown_field", "fields."+strconv.Itoa(i), fault.Params{"field": k})
		}
		out = append(out, f)
	}
	if keys == nil {
		for _, f := range o.Fields {
			if f.Type != schema.RelationMany && c.who.Actor.FieldOf(o.Key, f) != access.FieldHidden {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func (c *call) exportTo(ctx context.Context, e exporter, o *schema.Object, where *query.Node, fields []*schema.Field) (int, error) {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.Key
	}
	rows := 0
	err := c.eachPage(ctx, o, where, keys, func(recs []*record.Record) error {
		for _, r := range recs {
			if err := e.write(r); err != nil {
				return err
			}
			rows++
		}
		return ctx.Err()
	})
	if err != nil {
		return rows, err
	}
	return rows, e.close()
}

// eachPage reads all records that fulfil a condition, by the plane that can answer it.
func (c *call) eachPage(ctx context.Context, o *schema.Object, where *query.Node, fields []string, fn func([]*record.Record) error) error {
	if c.ws.Conditions.Analytic(where) {
		return c.eachAnalytic(ctx, o, where, fields, fn)
	}
	q := record.Query{Where: where, Sort: []schema.Sort{{Field: "id"}}, Fields: fields, Limit: record.MaxLimit, Export: true}
	for {
		page, err := c.ws.Records.List(ctx, o.Key, q)
		if err != nil {
			return err
		}
		if err := fn(page.Items); err != nil {
			return err
		}
		if page.NextCursor == "" {
			return nil
		}
		q.Cursor = page.NextCursor
	}
}

const exportIDs = 10_000

func (c *call) eachAnalytic(ctx context.Context, o *schema.Object, where *query.Node, fields []string, fn func([]*record.Record) error) error {
	limits, err := c.ws.Records.Limits(ctx, o.Key, access.Export)
	if err != nil {
		return err
	}
	var after id.ID
	for {
		page, err := c.ws.Lists.List(ctx, AnalyticQuery{Object: o.Key, Where: where, Sort: []schema.Sort{{Field: "id"}}, After: after, Limit: exportIDs, Limits: limits})
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(page.IDs, record.MaxLimit) {
			recs, err := c.ws.Records.ExportMany(ctx, o.Key, chunk, fields)
			if err != nil {
				return err
			}
			if err := fn(recs); err != nil {
				return err
			}
		}
		if len(page.IDs) < exportIDs {
			return nil
		}
		after = page.IDs[len(page.IDs)-1]
	}
}

// cell is a value as a text for a person or a table: relations by title, personal values masked.
func cell(f *schema.Field, r *record.Record, env schema.ParseEnv) string {
	if m, ok := r.Masks[f.Key]; ok {
		return m
	}
	v, ok := r.Values[f.Key]
	if !ok {
		switch f.Key {
		case "created_at":
			v = r.CreatedAt
		case "updated_at":
			v = r.UpdatedAt
		default:
			return ""
		}
	}
	if f.Type == schema.Relation || f.Type == schema.User {
		return r.Titles[f.Key].Title
	}
	return schema.FormatText(f, v, env)
}

// harmless keeps a spreadsheet from taking a text for a formula: it begins with an apostrophe then. Numbers stay numbers.
func harmless(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) && !strings.HasPrefix(s, "＝") && !strings.HasPrefix(s, "＋") && !strings.HasPrefix(s, "－") && !strings.HasPrefix(s, "＠") {
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return "'" + s
}

func (c *call) newExporter(ctx context.Context, format string, o *schema.Object, fields []*schema.Field) exporter {
	env := c.ws.Records.Env(ctx)
	row := func(r *record.Record) []string {
		out := []string{id.Format(o.Prefix, r.ID)}
		for _, f := range fields {
			out = append(out, cell(f, r, env))
		}
		return out
	}
	switch format {
	case "ndjson":
		return &ndjsonExporter{c: c, o: o, env: env, enc: json.NewEncoder(c.w)}
	case "xlsx":
		return newXLSX(c.w, heading(o, fields, c.locale), row)
	case "parquet":
		return newParquet(c.w, o, fields, row)
	default:
		e := &csvExporter{w: csv.NewWriter(c.w), row: row}
		_, _ = io.WriteString(c.w, "\ufeff") // spreadsheets then read it as UTF-8
		e.err = e.w.Write(heading(o, fields, c.locale))
		return e
	}
}

func heading(_ *schema.Object, fields []*schema.Field, locale string) []string {
	out := []string{"id"}
	for _, f := range fields {
		out = append(out, harmless(f.Label.In(localeOf(locale))))
	}
	return out
}

type csvExporter struct {
	w   *csv.Writer
	row func(*record.Record) []string
	err error
}

func (e *csvExporter) write(r *record.Record) error {
	if e.err != nil {
		return e.err
	}
	row := e.row(r)
	for i := range row {
		row[i] = harmless(row[i])
	}
	return e.w.Write(row)
}

func (e *csvExporter) close() error {
	e.w.Flush()
	return e.w.Error()
}

type ndjsonExporter struct {
	c   *call
	o   *schema.Object
	env schema.ParseEnv
	enc *json.Encoder
}

func (e *ndjsonExporter) write(r *record.Record) error {
	out := map[string]any{"id": id.Format(e.o.Prefix, r.ID), "version": r.Version, "created_at": r.CreatedAt, "updated_at": r.UpdatedAt}
	for k, v := range r.Values {
		out[k] = e.c.showValue(e.o.Field(k), v, r.Titles, e.env)
	}
	for k, m := range r.Masks {
		if _, ok := out[k]; !ok {
			out[k] = m
		}
	}
	return e.enc.Encode(out)
}

func (e *ndjsonExporter) close() error { return nil }

type xlsxExporter struct {
	out    io.Writer
	file   *excelize.File
	stream *excelize.StreamWriter
	row    func(*record.Record) []string
	n      int
	err    error
}

func newXLSX(w io.Writer, head []string, row func(*record.Record) []string) *xlsxExporter {
	e := &xlsxExporter{out: w, file: excelize.NewFile(), row: row}
	if e.stream, e.err = e.file.NewStreamWriter("Sheet1"); e.err == nil {
		e.err = e.put(head)
	}
	return e
}

// put writes texts as texts, so that nothing is taken for a formula.
func (e *xlsxExporter) put(texts []string) error {
	e.n++
	cells := make([]any, len(texts))
	for i, t := range texts {
		cells[i] = t
		if n, err := strconv.ParseFloat(t, 64); err == nil && len(t) < 15 && strconv.FormatFloat(n, 'f', -1, 64) == t {
			cells[i] = n
		}
	}
	return e.stream.SetRow("A"+strconv.Itoa(e.n), cells)
}

func (e *xlsxExporter) write(r *record.Record) error {
	if e.err != nil {
		return e.err
	}
	if e.n > xlsxRows {
		return fault.New(fault.TooLarge, "api.export_too_large", fault.Params{"max": xlsxRows})
	}
	return e.put(e.row(r))
}

func (e *xlsxExporter) close() error {
	defer e.file.Close()
	if e.err != nil {
		return e.err
	}
	if err := e.stream.Flush(); err != nil {
		return err
	}
	_, err := e.file.WriteTo(e.out)
	return err
}

type parquetExporter struct {
	w       *parquet.GenericWriter[any]
	row     func(*record.Record) []string
	columns []int // place of each text among the sorted leaves
	buf     []parquet.Row
}

const parquetGroup = 20_000

// newParquet writes one optional text column for the id and for each field, named by key.
func newParquet(w io.Writer, o *schema.Object, fields []*schema.Field, row func(*record.Record) []string) *parquetExporter {
	names := []string{"id"}
	group := parquet.Group{"id": parquet.Optional(parquet.String())}
	for _, f := range fields {
		names = append(names, f.Key)
		group[f.Key] = parquet.Optional(parquet.String())
	}
	sch := parquet.NewSchema(o.Key, group)
	order := map[string]int{}
	for i, path := range sch.Columns() {
		order[path[0]] = i
	}
	e := &parquetExporter{row: row, w: parquet.NewGenericWriter[any](w, sch, parquet.Compression(&parquet.Zstd))}
	for _, n := range names {
		e.columns = append(e.columns, order[n])
	}
	return e
}

func (e *parquetExporter) write(r *record.Record) error {
	texts := e.row(r)
	row := make(parquet.Row, len(texts))
	for i, t := range texts {
		v, level := parquet.NullValue(), 0
		if t != "" {
			v, level = parquet.ByteArrayValue([]byte(t)), 1
		}
		row[e.columns[i]] = v.Level(0, level, e.columns[i])
	}
	e.buf = append(e.buf, row)
	if len(e.buf) < parquetGroup {
		return nil
	}
	return e.flush()
}

func (e *parquetExporter) flush() error {
	if _, err := e.w.WriteRows(e.buf); err != nil {
		return err
	}
	e.buf = e.buf[:0]
	return e.w.Flush()
}

func (e *parquetExporter) close() error {
	if len(e.buf) > 0 {
		if err := e.flush(); err != nil {
			return err
		}
	}
	return e.w.Close()
}
