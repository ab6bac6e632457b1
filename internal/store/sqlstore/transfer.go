package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Imports implements transfer.Store.
type Imports struct{ store *Store }

var _ transfer.Store = (*Imports)(nil)

// NewImports keeps imports in a Store.
func NewImports(s *Store) *Imports { return &Imports{store: s} }

const (
	importColumns = "id, object, file_name, file_sha256, file_size, mapping, status, progress, result, error, resume, version, created_by, created_at, started_at, finished_at, updated_at"
	importInsert  = "INSERT INTO import_job (" + importColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	importUpdate  = "UPDATE import_job SET file_name = ?, mapping = ?, status = ?, progress = ?, result = ?, error = ?, resume = ?, version = version + 1, started_at = ?, finished_at = ?, updated_at = ? WHERE id = ? AND status = ?"
	importMove    = "UPDATE import_job SET progress = ?, result = ?, resume = ?, updated_at = ? WHERE id = ? AND status = ?"
	importGet     = "SELECT " + importColumns + " FROM import_job WHERE id = ?"
	importList    = "SELECT " + importColumns + " FROM import_job ORDER BY id DESC LIMIT ?"
	importSome    = "SELECT " + importColumns + " FROM import_job WHERE status IN (?, ?, ?, ?, ?) ORDER BY id DESC LIMIT ?"
	importErrors  = "SELECT line, number, field, code, params FROM import_error WHERE job = ? AND (line > ? OR line = ? AND number > ?) ORDER BY line, number LIMIT ?"
	importClear   = "DELETE FROM import_error WHERE job = ?"
	importSource  = "SELECT id FROM import_source WHERE name = ?"
	importName    = "INSERT INTO import_source (id, name) SELECT coalesce(max(id), 0) + 1, ? FROM import_source WHERE TRUE ON CONFLICT (name) DO NOTHING"
	importMapGet  = "SELECT mapping FROM import_mapping WHERE fingerprint = ?"
	importMapPut  = "INSERT INTO import_mapping (fingerprint, mapping, used_at) VALUES (?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET mapping = excluded.mapping, used_at = excluded.used_at"
	importSeenAll = "SELECT source, hash, order_id, digest, refunds, lines, job FROM import_order_seen WHERE (source > ? OR source = ? AND hash > ?) ORDER BY source, hash LIMIT ?"
	importSeenDel = "DELETE FROM import_order_seen WHERE source = ? AND hash = ?"
	importSeenPut = "UPDATE import_order_seen SET lines = ?, order_id = ? WHERE source = ? AND hash = ?"
	importLineDel = "DELETE FROM import_line_seen WHERE job = ?"
)

// problem is the stored form of a fault.
type problem struct {
	Kind   fault.Kind     `json:"kind"`
	Code   string         `json:"code"`
	Field  string         `json:"field,omitempty"`
	Params map[string]any `json:"params,omitempty"`
	Items  []*problem     `json:"items,omitempty"`
}

func toProblem(f *fault.Fault) *problem {
	if f == nil {
		return nil
	}
	p := &problem{Kind: f.Kind, Code: f.Code, Field: f.Field, Params: f.Params}
	for _, it := range f.Items {
		p.Items = append(p.Items, toProblem(it))
	}
	return p
}

func (p *problem) fault() *fault.Fault {
	if p == nil {
		return nil
	}
	f := &fault.Fault{Kind: p.Kind, Code: p.Code, Field: p.Field, Params: p.Params}
	for _, it := range p.Items {
		f.Items = append(f.Items, it.fault())
	}
	return f
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// texts are the JSON columns of a job: mapping, progress, result, error, resume.
func importTexts(j *transfer.Job) (out [5]string, err error) {
	for i, v := range []any{j.Mapping, j.Progress, j.Result, toProblem(j.Error), j.State} {
		if out[i], err = jsonText(v); err != nil {
			return out, fmt.Errorf("encode import: %w", err)
		}
	}
	return out, nil
}

func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// SaveJob implements transfer.Store.
func (s *Imports) SaveJob(ctx context.Context, j *transfer.Job, expect transfer.Status) error {
	t, err := importTexts(j)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(c Conn) error {
		if expect == "" {
			_, err := c.Exec(ctx, importInsert, int64(j.ID), j.Object, j.FileName, j.SHA256, j.Size, t[0], string(j.Status), t[1], t[2], t[3], t[4], 1,
				int64(j.CreatedBy), msOf(j.CreatedAt), msOf(j.StartedAt), msOf(j.FinishedAt), msOf(j.UpdatedAt))
			return err
		}
		n, err := c.Exec(ctx, importUpdate, j.FileName, t[0], string(j.Status), t[1], t[2], t[3], t[4], msOf(j.StartedAt), msOf(j.FinishedAt), msOf(j.UpdatedAt),
			int64(j.ID), string(expect))
		if err == nil && n == 0 {
			err = stateChanged(j.ID)
		}
		return err
	})
}

func stateChanged(job id.ID) error {
	return fault.New(fault.Conflict, "import.state_changed", fault.Params{"id": id.Format("imp", job)})
}

func scanImport(r *sql.Rows) (*transfer.Job, error) {
	j := &transfer.Job{}
	var rec, by, created, started, finished, updated int64
	var status, m string
	var progress, result, bad, state sql.NullString
	err := r.Scan(&rec, &j.Object, &j.FileName, &j.SHA256, &j.Size, &m, &status, &progress, &result, &bad, &state, &j.Version, &by, &created, &started, &finished, &updated)
	if err != nil {
		return nil, err
	}
	var p *problem
	for text, to := range map[*string]any{&m: &j.Mapping, &progress.String: &j.Progress, &result.String: &j.Result, &bad.String: &p, &state.String: &j.State} {
		if *text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(*text), to); err != nil {
			return nil, fmt.Errorf("decode import: %w", err)
		}
	}
	j.ID, j.CreatedBy, j.Status, j.Error = id.ID(rec), id.ID(by), transfer.Status(status), p.fault()
	j.CreatedAt, j.StartedAt, j.FinishedAt, j.UpdatedAt = timeOf(created), timeOf(started), timeOf(finished), timeOf(updated)
	return j, nil
}

func (s *Imports) jobs(ctx context.Context, q string, args ...any) (out []*transfer.Job, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			j, err := scanImport(r)
			out = append(out, j)
			return err
		}, q, args...)
	})
	return out, err
}

// GetJob implements transfer.Store.
func (s *Imports) GetJob(ctx context.Context, v id.ID) (*transfer.Job, error) {
	list, err := s.jobs(ctx, importGet, int64(v))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "import.not_found", fault.Params{"id": id.Format("imp", v)})
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ListJobs implements transfer.Store.
func (s *Imports) ListJobs(ctx context.Context, limit int, statuses ...transfer.Status) ([]*transfer.Job, error) {
	if len(statuses) == 0 {
		return s.jobs(ctx, importList, limit)
	}
	args := make([]any, 5, 6)
	for i := range args {
		args[i] = string(statuses[min(i, len(statuses)-1)])
	}
	return s.jobs(ctx, importSome, append(args, limit)...)
}

// Commit implements transfer.Store.
func (s *Imports) Commit(ctx context.Context, rt record.Tx, m *transfer.Commit) error {
	if t, ok := rt.(*tx); ok {
		return s.commit(ctx, t.c, m)
	}
	return s.store.Write(Bulk(ctx), func(c Conn) error { return s.commit(ctx, c, m) })
}

func (s *Imports) commit(ctx context.Context, c Conn, m *transfer.Commit) error {
	progress, err := jsonText(m.Progress)
	if err != nil {
		return err
	}
	result, err := jsonText(m.Result)
	if err != nil {
		return err
	}
	state, err := jsonText(m.State)
	if err != nil {
		return err
	}
	n, err := c.Exec(ctx, importMove, progress, result, state, msOf(m.At), int64(m.Job), string(m.Expect))
	if err != nil {
		return err
	}
	if n == 0 {
		return stateChanged(m.Job)
	}
	if err := putErrors(ctx, c, m); err != nil {
		return err
	}
	if err := putPairs(ctx, c, m); err != nil {
		return err
	}
	if len(m.Orders)+len(m.Lines) == 0 {
		return nil
	}
	source, err := sourceNumber(ctx, c, m.Source, true)
	if err != nil {
		return err
	}
	if err := putOrders(ctx, c, source, m); err != nil {
		return err
	}
	return putLines(ctx, c, source, m)
}

// rowsAtOnce is how many rows one statement writes.
const rowsAtOnce = 100

// many writes n rows by statements of head, VALUES and tail.
func many(ctx context.Context, c Conn, n int, stmt [2]string, width int, fill func(i int, dst []any)) error {
	for from := 0; from < n; from += rowsAtOnce {
		k := min(rowsAtOnce, n-from)
		args := make([]any, k*width)
		for i := range k {
			fill(from+i, args[i*width:(i+1)*width])
		}
		if _, err := c.Exec(ctx, stmt[0]+dialect.Values(k, width)+stmt[1], args...); err != nil {
			return err
		}
	}
	return nil
}

func putErrors(ctx context.Context, c Conn, m *transfer.Commit) error {
	stmt := [2]string{"INSERT INTO import_error (job, line, number, field, code, params) VALUES ",
		" ON CONFLICT (job, line, number) DO UPDATE SET field = excluded.field, code = excluded.code, params = excluded.params"}
	list := slices.Clone(m.Errors)
	slices.SortStableFunc(list, func(a, b transfer.RowError) int { return cmp.Compare(a.Row, b.Row) })
	for i := range list { // several parts of a chunk may report the same row
		if list[i].Number = 0; i > 0 && list[i].Row == list[i-1].Row {
			list[i].Number = list[i-1].Number + 1
		}
	}
	return many(ctx, c, len(list), stmt, 6, func(i int, dst []any) {
		e := &list[i]
		dst[0], dst[1], dst[2], dst[3], dst[4], dst[5] = int64(m.Job), e.Row, int64(e.Number), e.Column, e.Code, nil
		if p := transfer.EncodeParams(e.Params); p != nil {
			dst[5] = string(p)
		}
	})
}

// sourceNumber is the small number of a source's name; 0 when it has none and is not to be made.
func sourceNumber(ctx context.Context, c Conn, name string, create bool) (int64, error) {
	var n int64
	found, err := c.QueryRow(ctx, []any{&n}, importSource, name)
	if err != nil || found || !create {
		return n, err
	}
	if _, err := c.Exec(ctx, importName, name); err != nil {
		return 0, err
	}
	_, err = c.QueryRow(ctx, []any{&n}, importSource, name)
	return n, err
}

func hashText(b [16]byte) string { return base64.RawURLEncoding.EncodeToString(b[:]) }

func putOrders(ctx context.Context, c Conn, source int64, m *transfer.Commit) error {
	stmt := [2]string{"INSERT INTO import_order_seen (source, hash, order_id, digest, refunds, lines, job) VALUES ",
		" ON CONFLICT (source, hash) DO UPDATE SET order_id = excluded.order_id, digest = excluded.digest, refunds = excluded.refunds, lines = excluded.lines, job = excluded.job"}
	slices.SortFunc(m.Orders, func(a, b transfer.SeenOrder) int { return strings.Compare(hashText(a.Key), hashText(b.Key)) })
	return many(ctx, c, len(m.Orders), stmt, 7, func(i int, dst []any) {
		o := &m.Orders[i]
		dst[0], dst[1], dst[2], dst[3], dst[4] = source, hashText(o.Key), int64(o.Order), int64(o.Digest), int64(o.Refunds) //nolint:gosec // a digest
		dst[5], dst[6] = packItems(o.Lines), int64(m.Job)
	})
}

func packItems(items []transfer.SeenItem) []byte {
	b := make([]byte, 0, 16*len(items))
	for _, it := range items {
		b = binary.BigEndian.AppendUint64(b, it.Hash)
		b = binary.BigEndian.AppendUint64(b, uint64(it.Record)) //nolint:gosec // ids are positive
	}
	return b
}

func unpackItems(b []byte) []transfer.SeenItem {
	out := make([]transfer.SeenItem, 0, len(b)/16)
	for ; len(b) >= 16; b = b[16:] {
		out = append(out, transfer.SeenItem{Hash: binary.BigEndian.Uint64(b), Record: id.ID(binary.BigEndian.Uint64(b[8:]))}) //nolint:gosec // written by packItems
	}
	return out
}

func putLines(ctx context.Context, c Conn, source int64, m *transfer.Commit) error {
	stmt := [2]string{"INSERT INTO import_line_seen (source, hash, occurrence, record_id, job) VALUES ",
		" ON CONFLICT (source, hash, occurrence) DO UPDATE SET record_id = excluded.record_id, job = excluded.job"}
	slices.SortFunc(m.Lines, func(a, b transfer.SeenLine) int {
		if d := strings.Compare(hashText(a.Hash), hashText(b.Hash)); d != 0 {
			return d
		}
		return cmp.Compare(a.Occurrence, b.Occurrence)
	})
	return many(ctx, c, len(m.Lines), stmt, 5, func(i int, dst []any) {
		l := &m.Lines[i]
		dst[0], dst[1], dst[2], dst[3], dst[4] = source, hashText(l.Hash), l.Occurrence, int64(l.Record), int64(m.Job)
	})
}

// SeenOrders implements transfer.Store.
func (s *Imports) SeenOrders(ctx context.Context, source string, keys [][16]byte) (out map[[16]byte]transfer.SeenOrder, err error) {
	texts, back := make([]string, len(keys)), make(map[string][16]byte, len(keys))
	for i, k := range keys {
		texts[i] = hashText(k)
		back[texts[i]] = k
	}
	err = s.store.Read(ctx, func(c Conn) error {
		out = make(map[[16]byte]transfer.SeenOrder)
		n, err := sourceNumber(ctx, c, source, false)
		if err != nil || n == 0 {
			return err
		}
		q := "SELECT hash, order_id, digest, refunds, lines FROM import_order_seen WHERE source = ? AND " + c.Dialect().In("hash")
		return Each(ctx, c, func(r *sql.Rows) error {
			var hash string
			var order, digest, refunds int64
			var lines []byte
			if err := r.Scan(&hash, &order, &digest, &refunds, &lines); err != nil {
				return err
			}
			k := back[hash]
			out[k] = transfer.SeenOrder{Key: k, Order: id.ID(order), Digest: uint64(digest), Refunds: int(refunds), Lines: unpackItems(lines)} //nolint:gosec // a digest
			return nil
		}, q, n, c.Dialect().TextList(texts))
	})
	return out, err
}

// SeenLines implements transfer.Store.
func (s *Imports) SeenLines(ctx context.Context, source string, keys []transfer.LineKey) (out map[transfer.LineKey]id.ID, err error) {
	texts, back := make([]string, 0, len(keys)), make(map[string][16]byte, len(keys))
	for _, k := range keys {
		t := hashText(k.Hash)
		if _, ok := back[t]; !ok {
			texts = append(texts, t)
			back[t] = k.Hash
		}
	}
	err = s.store.Read(ctx, func(c Conn) error {
		out = make(map[transfer.LineKey]id.ID)
		n, err := sourceNumber(ctx, c, source, false)
		if err != nil || n == 0 {
			return err
		}
		q := "SELECT hash, occurrence, record_id FROM import_line_seen WHERE source = ? AND " + c.Dialect().In("hash")
		return Each(ctx, c, func(r *sql.Rows) error {
			var hash string
			var occurrence, rec int64
			if err := r.Scan(&hash, &occurrence, &rec); err != nil {
				return err
			}
			out[transfer.LineKey{Hash: back[hash], Occurrence: occurrence}] = id.ID(rec)
			return nil
		}, q, n, c.Dialect().TextList(texts))
	})
	return out, err
}

// Errors implements transfer.Store.
func (s *Imports) Errors(ctx context.Context, job id.ID, row int64, number, limit int) (out []transfer.RowError, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var e transfer.RowError
			var params sql.NullString
			if err := r.Scan(&e.Row, &e.Number, &e.Column, &e.Code, &params); err != nil {
				return err
			}
			e.Params = transfer.DecodeParams([]byte(params.String))
			out = append(out, e)
			return nil
		}, importErrors, int64(job), row, row, int64(number), limit)
	})
	return out, err
}

// ClearErrors implements transfer.Store.
func (s *Imports) ClearErrors(ctx context.Context, job id.ID) error {
	return s.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, importClear, int64(job))
		return err
	})
}

// Remembered implements transfer.Store.
func (s *Imports) Remembered(ctx context.Context, fingerprint string) (m mapping.Mapping, ok bool, err error) {
	var text string
	err = s.store.Read(ctx, func(c Conn) error {
		ok, err = c.QueryRow(ctx, []any{&text}, importMapGet, fingerprint)
		return err
	})
	if err == nil && ok {
		err = json.Unmarshal([]byte(text), &m)
	}
	return m, ok, err
}

// Remember implements transfer.Store.
func (s *Imports) Remember(ctx context.Context, fingerprint string, m mapping.Mapping) error {
	text, err := jsonText(m)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, importMapPut, fingerprint, text, s.store.clock.Now().UnixMilli())
		return err
	})
}

// Made implements transfer.Store.
func (s *Imports) Made(ctx context.Context, obj *schema.Object, job *transfer.Job, after id.ID, limit int) (out []transfer.Made, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		q := "SELECT id FROM " + dialect.Quote(obj.Physical) + " WHERE batch_id = ? AND id > ? ORDER BY id LIMIT ?"
		var ids []int64
		err := Each(ctx, c, func(r *sql.Rows) error {
			var v int64
			err := r.Scan(&v)
			ids = append(ids, v)
			return err
		}, q, int64(job.ID), int64(after), limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		touched, err := s.touched(ctx, c, obj, job, ids)
		for _, v := range ids {
			out = append(out, transfer.Made{ID: id.ID(v), Touched: touched[v]})
		}
		return err
	})
	return out, err
}

// touched finds records that others have changed, or that other records point at.
func (s *Imports) touched(ctx context.Context, c Conn, obj *schema.Object, job *transfer.Job, ids []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	mark := func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out[v] = true
		return err
	}
	d := c.Dialect()
	q := "SELECT DISTINCT record_id FROM change WHERE " + d.In("record_id") + " AND object = ? AND batch_id <> ?"
	if err := Each(ctx, c, mark, q, d.IDList(ids), obj.Key, int64(job.ID)); err != nil {
		return nil, err
	}
	for _, ref := range s.store.env().Registry.Referrers(obj.Key) {
		if ref.Object.Virtual {
			continue
		}
		col := dialect.Quote(ref.Field.Physical)
		q := "SELECT DISTINCT " + col + " FROM " + dialect.Quote(ref.Object.Physical) + " WHERE " + d.In(col)
		if err := Each(ctx, c, mark, q, d.IDList(ids)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Changed implements transfer.Store.
func (s *Imports) Changed(ctx context.Context, job *transfer.Job, before change.Position, limit int) (out []transfer.Changed, err error) {
	if before == (change.Position{}) {
		before = job.State.Until
		before.Seq++
	}
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		d := c.Dialect()
		q := "SELECT " + d.ChangeColumns() + " FROM change WHERE " + d.ChangeBefore() + " AND seq > ? AND batch_id = ? AND op = 'update' ORDER BY " +
			d.ChangeOrder(true) + " LIMIT ?"
		rows, err := readChanges(ctx, c, q, before.Xid, before.Seq, job.State.Since.Seq, int64(job.ID), limit)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]int64, len(rows))
		for i := range rows {
			ids[i] = int64(rows[i].Record)
		}
		last, err := lastForeign(ctx, c, job, ids)
		for i := range rows {
			r := &rows[i]
			out = append(out, transfer.Changed{Position: r.Position, Object: r.Object, Record: r.Record, Version: r.Version, Before: r.Before,
				Touched: last[r.Record] > r.Version})
		}
		return err
	})
	return out, err
}

// lastForeign is the version of the last change of each record that the job did not make.
func lastForeign(ctx context.Context, c Conn, job *transfer.Job, ids []int64) (map[id.ID]int64, error) {
	out := map[id.ID]int64{}
	d := c.Dialect()
	q := "SELECT record_id, max(version) FROM change WHERE " + d.In("record_id") + " AND batch_id <> ? GROUP BY record_id"
	err := Each(ctx, c, func(r *sql.Rows) error {
		var v, version int64
		err := r.Scan(&v, &version)
		out[id.ID(v)] = version
		return err
	}, q, d.IDList(ids), int64(job.ID))
	return out, err
}

// Head implements transfer.Store: the last change, whether consumers may read it yet or not.
func (s *Imports) Head(ctx context.Context) (p change.Position, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		d := c.Dialect()
		_, err := c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT "+d.ChangeXid()+", seq FROM change ORDER BY "+d.ChangeOrder(true)+" LIMIT 1")
		return err
	})
	return p, err
}

// forgetPage is how many orders one transaction of Forget looks at.
const forgetPage = 2000

// Forget implements transfer.Store. Fingerprints of rows go whatever became of their record; those of order lines where the
// record is gone.
func (s *Imports) Forget(ctx context.Context, job *transfer.Job) error {
	err := s.store.Write(Bulk(ctx), func(c Conn) error {
		_, err := c.Exec(ctx, importLineDel, int64(job.ID))
		return err
	})
	if err != nil {
		return err
	}
	source, hash := int64(-1), ""
	for {
		more := false
		err := s.store.Write(Bulk(ctx), func(c Conn) (err error) {
			source, hash, more, err = s.forgetSome(ctx, c, job, source, hash)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

type seenRow struct {
	source int64
	hash   string
	order  int64
	items  []transfer.SeenItem
}

func (s *Imports) forgetSome(ctx context.Context, c Conn, job *transfer.Job, source int64, hash string) (int64, string, bool, error) {
	var rows []seenRow
	var ids []int64
	n := 0
	err := Each(ctx, c, func(r *sql.Rows) error {
		var row seenRow
		var digest, refunds, by int64
		var lines []byte
		if err := r.Scan(&row.source, &row.hash, &row.order, &digest, &refunds, &lines, &by); err != nil {
			return err
		}
		n++
		source, hash = row.source, row.hash
		if by < int64(job.ID) { // no later import has touched it
			return nil
		}
		row.items = unpackItems(lines)
		rows = append(rows, row)
		ids = append(ids, row.order)
		for _, it := range row.items {
			ids = append(ids, int64(it.Record))
		}
		return nil
	}, importSeenAll, source, source, hash, forgetPage)
	if err != nil {
		return source, hash, false, err
	}
	there, err := s.there(ctx, c, ids)
	if err != nil {
		return source, hash, false, err
	}
	for _, row := range rows {
		kept := slices.DeleteFunc(slices.Clone(row.items), func(it transfer.SeenItem) bool { return !there[int64(it.Record)] })
		switch {
		case len(kept) == 0:
			_, err = c.Exec(ctx, importSeenDel, row.source, row.hash)
		case len(kept) < len(row.items) || row.order != 0 && !there[row.order]:
			order := row.order
			if !there[order] {
				order = 0
			}
			_, err = c.Exec(ctx, importSeenPut, packItems(kept), order, row.source, row.hash)
		}
		if err != nil {
			return source, hash, false, err
		}
	}
	return source, hash, n == forgetPage, nil
}

// there tells which ids are orders, order lines or refunds, live or in the recycle bin.
func (s *Imports) there(ctx context.Context, c Conn, ids []int64) (map[int64]bool, error) {
	out := make(map[int64]bool, len(ids))
	reg := s.store.env().Registry
	for _, key := range []string{"order", "order_line", "refund"} {
		obj := reg.Object(key)
		if obj == nil {
			continue
		}
		for part := range slices.Chunk(ids, math.MaxInt16) {
			q := "SELECT id FROM " + dialect.Quote(obj.Physical) + " WHERE " + c.Dialect().In("id")
			err := Each(ctx, c, func(r *sql.Rows) error {
				var v int64
				err := r.Scan(&v)
				out[v] = true
				return err
			}, q, c.Dialect().IDList(part))
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
