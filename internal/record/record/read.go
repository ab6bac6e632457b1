package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Query asks for a page of records.
type Query struct {
	Where  *query.Node
	Search string
	Sort   []schema.Sort // fields only; the object's default when empty, or by fitness when Search is given
	Fields []string      // only these in Values, Masks and Titles; nil for all
	Limit  int           // 50 when 0, at most MaxLimit
	Cursor string
	Offset int    // instead of Cursor, at most MaxOffset
	Total  string // "", TotalCapped or TotalExact
	// Deleted reads the recycle bin.
	Deleted bool
	// IDs limits the page to these records; nil for no such limit.
	IDs []id.ID
	// Plain puts personal values into Values in clear: for exports. It needs the rights to reveal and to export, and is
	// audited page by page.
	Plain bool
	// Export reads what the actor may export, which is not all that it may read.
	Export bool
}

// Limits of pages and counts.
const (
	MaxLimit  = 500
	MaxOffset = 10_000
	MaxSort   = 4
	// CountCap is where a capped count stops.
	CountCap    = 10_000
	TotalCapped = "capped"
	TotalExact  = "exact"
)

// Page is a page of records.
type Page struct {
	Items           []*Record
	NextCursor      string // "" at the end
	Total           int
	TotalIsEstimate bool // there are more than Total
	// AsOf is when Broad was asked, zero when the store answered.
	AsOf time.Time
}

// presentation says how rows become records.
type presentation struct {
	fields map[string]bool // nil is all
	titles bool
	plain  bool
	seen   map[string]access.FieldAccess // fields that the reader does not see as they are, set by present
	sh     *shape                        // of the rows, set by present
	env    schema.ParseEnv               // of the reader, set by present
}

func (p *presentation) wants(key string) bool {
	return (p.fields == nil || p.fields[key]) && p.seen[key] != access.FieldHidden
}

// Get reads one live record, or one of the recycle bin. NotFound record.not_found when there is none.
func (s *Service) Get(ctx context.Context, object string, rec id.ID) (*Record, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	rows, err := s.readSeen(ctx, obj, []id.ID{rec}, true, access.Read)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound(obj, rec)
	}
	recs, err := s.present(ctx, s.shape(obj), rows, presentation{titles: true})
	if err != nil {
		return nil, err
	}
	return recs[0], nil
}

// GetMany fills in ids that came from elsewhere (analytics), in their order; those that are gone or in the recycle bin
// and those that the actor does not see are left out. fields nil is all.
func (s *Service) GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*Record, error) {
	return s.getMany(ctx, object, ids, fields, access.Read)
}

// ExportMany is GetMany of what the actor may also export.
func (s *Service) ExportMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*Record, error) {
	if _, err := s.object(ctx, object, access.ExportRun); err != nil {
		return nil, err
	}
	return s.getMany(ctx, object, ids, fields, access.Read, access.Export)
}

// processed drops rows of customers who are only stored: their processing is restricted, or they were erased.
func (sh *shape) processed(rows []Row) []Row {
	i, ok := sh.index["processing"]
	if !ok || sh.obj.Key != "customer" {
		return rows
	}
	return slices.DeleteFunc(rows, func(r Row) bool { return r.Cols[sh.fields[i].off] != nil })
}

func (s *Service) getMany(ctx context.Context, object string, ids []id.ID, fields []string, actions ...access.Action) ([]*Record, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	want, err := fieldSet(ctx, obj, fields)
	if err != nil {
		return nil, err
	}
	rows, err := s.readSeen(ctx, obj, ids, false, actions...)
	if err != nil {
		return nil, err
	}
	if slices.Contains(actions, access.Export) {
		rows = s.shape(obj).processed(rows)
	}
	orderBy(rows, ids)
	return s.present(ctx, s.shape(obj), rows, presentation{fields: want, titles: true})
}

func orderBy(rows []Row, ids []id.ID) {
	place := make(map[id.ID]int, len(ids))
	for i, v := range ids {
		place[v] = i
	}
	slices.SortFunc(rows, func(a, b Row) int { return place[a.ID] - place[b.ID] })
}

func (s *Service) rows(ctx context.Context, obj *schema.Object, ids []id.ID, deleted bool) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Row
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		var err error
		rows, err = r.Get(ctx, obj, ids, deleted)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", obj.Key, err)
	}
	return rows, nil
}

func fieldSet(ctx context.Context, obj *schema.Object, fields []string) (map[string]bool, error) {
	if fields == nil {
		return nil, nil //nolint:nilnil // nil is all fields
	}
	out := make(map[string]bool, len(fields))
	var bad []*fault.Fault
	for i, f := range fields {
		if obj.Field(f) == nil || access.From(ctx).Field(obj.Key, f) == access.FieldHidden {
			bad = append(bad, fault.InvalidField("record.unknown_field", fmt.Sprintf("fields.%d", i), fault.Params{"field": f}))
		}
		out[f] = true
	}
	if bad != nil {
		return nil, fault.Join("record.invalid", bad)
	}
	return out, nil
}

// List reads a page. Cursors continue where a page ended whatever was written in between, and belong to the query they
// came from.
func (s *Service) List(ctx context.Context, object string, q Query) (*Page, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	l, err := s.prepare(ctx, obj, &q)
	if err != nil {
		return nil, err
	}
	page := &Page{}
	rows, more, err := l.fetch(ctx, page)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", obj.Key, err)
	}
	if more {
		rows = rows[:min(q.Limit, len(rows))]
		if page.NextCursor, err = l.next(ctx, rows); err != nil {
			return nil, err
		}
	}
	page.Items, err = s.present(ctx, l.sh, rows, l.show)
	if err == nil && q.Plain && len(rows) > 0 {
		err = s.audit(ctx, AuditEntry{Action: "record.read_plain", Object: obj.Key, Fields: l.sh.personalKeys(&l.show), Count: len(rows)})
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (sh *shape) personalKeys(p *presentation) []string {
	var out []string
	for _, i := range sh.personal {
		if key := sh.fields[i].f.Key; p.wants(key) {
			out = append(out, key)
		}
	}
	return out
}

// Count counts records that a condition and a search text find, stopping at CountCap+1 unless exact.
func (s *Service) Count(ctx context.Context, object string, where *query.Node, search string, exact bool) (n int, more bool, err error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return 0, false, err
	}
	q := Query{Where: where, Search: search, Total: TotalCapped}
	if exact {
		q.Total = TotalExact
	}
	l, err := s.prepare(ctx, obj, &q)
	if err != nil {
		return 0, false, err
	}
	var page Page
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		if err := l.candidates(ctx, r); err != nil {
			return err
		}
		if err := l.sighted(ctx, r); err != nil {
			return err
		}
		return l.count(ctx, r, &page)
	})
	if err != nil {
		return 0, false, fmt.Errorf("count %s: %w", obj.Key, err)
	}
	return page.Total, page.TotalIsEstimate, nil
}

// listing is a prepared query.
type listing struct {
	s       *Service
	sh      *shape
	q       *Query
	sel     Selection
	show    presentation
	search  search
	ranked  bool // by fitness to the search text instead of by fields
	partial bool // the search found more candidates than were taken
	mark    string
	actions []access.Action // by which the actor must reach the records
}

func (s *Service) prepare(ctx context.Context, obj *schema.Object, q *Query) (*listing, error) {
	switch {
	case q.Limit == 0:
		q.Limit = 50
	case q.Limit < 0 || q.Limit > MaxLimit:
		return nil, fault.InvalidField("record.limit_range", "limit", fault.Params{"max": MaxLimit})
	}
	if q.Offset < 0 || q.Offset > MaxOffset {
		return nil, fault.InvalidField("record.offset_range", "offset", fault.Params{"max": MaxOffset})
	}
	actions := []access.Action{access.Read}
	if q.Plain {
		actions = append(actions, access.Reveal)
	}
	if q.Plain || q.Export {
		actions = append(actions, access.Export)
	}
	for _, x := range actions {
		if err := may(ctx, obj, x); err != nil {
			return nil, err
		}
	}
	if q.Plain {
		if s.cfg.Auditor == nil {
			return nil, fault.New(fault.Forbidden, "record.not_audited", nil)
		}
	}
	fields, err := fieldSet(ctx, obj, q.Fields)
	if err != nil {
		return nil, err
	}
	if err := s.check(ctx, obj, q.Where); err != nil {
		return nil, err
	}
	l := &listing{s: s, sh: s.shape(obj), q: q, actions: actions, show: presentation{fields: fields, titles: true, plain: q.Plain}}
	l.search = s.searchOf(q.Search)
	l.ranked = l.search.given && len(q.Sort) == 0
	sort := q.Sort
	if len(sort) == 0 { // as far as the reader may ask
		sort = slices.DeleteFunc(slices.Clone(obj.DefaultSort), func(k schema.Sort) bool {
			f := obj.Field(k.Field)
			return f != nil && !access.From(ctx).MayAsk(obj.Key, f)
		})
	}
	if err := checkSort(ctx, obj, sort); err != nil {
		return nil, err
	}
	l.sel = Selection{Where: q.Where, Limits: s.limits(ctx, obj, actions...), IDs: q.IDs, Sort: sort, Offset: q.Offset, Limit: q.Limit + 1, Deleted: q.Deleted}
	l.sel.Columns = l.columns(fieldsSeen(ctx, l.sh))
	if l.mark, err = fingerprint(obj, q, sort); err != nil {
		return nil, err
	}
	return l, l.resume()
}

// columns are those that a page is made of: of the fields that are shown, without what only conditions and orders look at. nil, for
// all, where the page is ranked by its texts or shows formulas, which may name any field.
func (l *listing) columns(seen map[string]access.FieldAccess) []int {
	if l.search.given || l.sortsComputed() {
		return nil
	}
	shows := presentation{fields: l.show.fields, seen: seen}
	obj := l.sh.obj
	all := obj.Columns()
	out := make([]int, 0, len(all))
	for i := range l.sh.fields {
		fs := &l.sh.fields[i]
		wanted := shows.wants(fs.f.Key) && !fs.f.Hidden
		if wanted && formula.Of(fs.f) != nil { // it has no column of its own
			return nil
		}
		if fs.n == 0 {
			continue
		}
		if !wanted && i != l.sh.title && i != l.sh.customer {
			continue
		}
		for n := fs.off; n < fs.off+fs.n; n++ {
			switch all[n].Role {
			case schema.FoldRole, schema.SortRole, schema.BlindRole, schema.ClassRole, schema.DayRole, schema.Base, schema.CountRole:
			default:
				out = append(out, n)
			}
		}
	}
	for _, k := range l.sel.Sort {
		if c, ok := obj.SortColumn(k.Field); ok && schema.System(k.Field) == nil {
			n := obj.Offset(k.Field)
			for ; all[n].Name != c.Name; n++ { //nolint:revive // the column is one of the field's
			}
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// check refuses a condition that is wrong or not allowed.
func (s *Service) check(ctx context.Context, obj *schema.Object, where *query.Node) error {
	if where == nil {
		return nil
	}
	if s.cfg.Check != nil {
		return s.cfg.Check(ctx, obj.Key, where)
	}
	env := s.checkEnv(obj)
	env.Use, env.Can = query.ForList, access.Asking(access.From(ctx), env.Registry)
	return query.Check(where, env)
}

// convert turns an amount of a condition into the base currency at today's rate.
func (s *Service) convert(m money.Money) (int64, bool) {
	base := s.cfg.BaseCurrency()
	if m.Currency == base {
		return m.Amount, true
	}
	if s.cfg.Rates == nil {
		return 0, false
	}
	return s.cfg.Rates.Convert(m, base, clock.DayOf(s.cfg.Clock.Now(), s.cfg.Zone()))
}

// Blind is the stored blind index of a normalised personal value, for the query compiler.
func (s *Service) Blind(f *schema.Field, normalised string) string {
	return s.cfg.Keys.Blind(schema.BlindClass(f), normalised)
}

// Blinds are all that a stored value may have as its blind index: two while one index key follows another.
func (s *Service) Blinds(f *schema.Field, normalised string) []string {
	return s.cfg.Keys.Blinds(schema.BlindClass(f), normalised)
}

func checkSort(ctx context.Context, obj *schema.Object, sort []schema.Sort) error {
	if len(sort) > MaxSort {
		return fault.InvalidField("record.sort_too_many", "sort", fault.Params{"max": MaxSort})
	}
	seen := map[string]bool{}
	for i, k := range sort {
		at := fmt.Sprintf("sort.%d", i)
		f := obj.Field(k.Field)
		switch {
		case k.Trait != "":
			return fault.InvalidField("record.sort_trait", at, fault.Params{"trait": k.Trait})
		case f == nil || !access.From(ctx).MayAsk(obj.Key, f):
			return fault.InvalidField("record.unknown_field", at, fault.Params{"field": k.Field})
		case seen[k.Field] || schema.System(k.Field) == nil && !schema.Sortable(f):
			return fault.InvalidField("record.sort_field", at, fault.Params{"field": k.Field, "label": f.Label})
		}
		seen[k.Field] = true
	}
	return nil
}

// resume reads the cursor.
func (l *listing) resume() error {
	if l.q.Cursor == "" {
		return nil
	}
	bad := fault.InvalidField("record.cursor_invalid", "cursor", nil)
	c, ok := l.s.readCursor(l.q.Cursor)
	if !ok || c.Mark != l.mark || l.q.Offset != 0 {
		return bad
	}
	if l.ranked {
		l.sel.Offset = c.Offset
		return nil
	}
	l.sel.After = make([]any, len(c.After))
	for i, v := range c.After {
		l.sel.After[i] = plainValue(v)
	}
	if len(l.sel.After) != len(keyset(l.sel.Sort)) {
		return bad
	}
	return nil
}

// keyset are the keys that a page continues by: those of the sort up to the id, which is always the last.
func keyset(sort []schema.Sort) []schema.Sort {
	for i, k := range sort {
		if k.Field == "id" {
			return sort[:i+1]
		}
	}
	return append(sort[:len(sort):len(sort)], schema.Sort{Field: "id"})
}

func plainValue(v any) any {
	if n, ok := v.(json.Number); ok {
		i, err := n.Int64()
		if err != nil {
			return nil
		}
		return i
	}
	return v
}

// candidates finds what the search text may mean.
func (l *listing) candidates(ctx context.Context, r Reader) error {
	if !l.search.given {
		return nil
	}
	ids, partial, err := l.search.find(ctx, r, l.sh.obj, l.sel.Limits)
	if err != nil {
		return err
	}
	if l.sel.IDs != nil {
		allowed := make(map[id.ID]bool, len(l.sel.IDs))
		for _, v := range l.sel.IDs {
			allowed[v] = true
		}
		ids = slices.DeleteFunc(ids, func(v id.ID) bool { return !allowed[v] })
	}
	if ids == nil {
		ids = []id.ID{}
	}
	l.sel.IDs, l.partial = ids, partial
	return nil
}

func (l *listing) read(ctx context.Context, r Reader) ([]Row, error) {
	if err := l.candidates(ctx, r); err != nil {
		return nil, err
	}
	if l.sel.IDs != nil && len(l.sel.IDs) == 0 {
		return nil, nil
	}
	if err := l.sighted(ctx, r); err != nil {
		return nil, err
	}
	if !l.ranked {
		return r.Select(ctx, l.sh.obj, l.sel)
	}
	all := l.sel
	all.Offset, all.Limit = 0, len(l.sel.IDs)
	rows, err := r.Select(ctx, l.sh.obj, all)
	if err != nil {
		return nil, err
	}
	l.search.rank(l.sh, rows)
	from := min(l.sel.Offset, len(rows))
	return rows[from:min(from+l.sel.Limit, len(rows))], nil
}

// sighted drops candidates that the search text found by fields which the actor may not search.
func (l *listing) sighted(ctx context.Context, r Reader) error {
	if !l.search.given || len(l.sel.IDs) == 0 || blindTo(ctx, l.sh) == nil {
		return nil
	}
	rows, err := r.Get(ctx, l.sh.obj, l.sel.IDs, l.sel.Deleted)
	if err == nil {
		rows, err = l.s.foundInSight(ctx, &l.search, l.sh, rows)
	}
	l.sel.IDs = make([]id.ID, len(rows))
	for i := range rows {
		l.sel.IDs[i] = rows[i].ID
	}
	return err
}

func (l *listing) count(ctx context.Context, r Reader, page *Page) error {
	limit, counted, err := l.counting()
	if err != nil || !counted {
		return err
	}
	if l.sel.IDs != nil && len(l.sel.IDs) == 0 {
		return nil
	}
	sel := l.sel
	sel.After, sel.Offset, sel.Limit, sel.Sort = nil, 0, 0, nil
	n, err := r.Count(ctx, l.sh.obj, sel, limit)
	if err != nil {
		return err
	}
	page.total(n, limit)
	page.TotalIsEstimate = page.TotalIsEstimate || l.partial
	return nil
}

// counting is where the count of a page stops, 0 for nowhere, and whether one was asked for.
func (l *listing) counting() (limit int, counted bool, err error) {
	switch l.q.Total {
	case "":
		return 0, false, nil
	case TotalCapped:
		return CountCap + 1, true, nil
	case TotalExact:
		return 0, true, nil
	}
	return 0, false, fault.InvalidField("record.total_unknown", "total", fault.Params{"value": l.q.Total})
}

func (p *Page) total(n, limit int) {
	p.Total = n
	if limit > 0 && n > CountCap {
		p.Total, p.TotalIsEstimate = CountCap, true
	}
}

// next is the cursor after the last row of a page.
func (l *listing) next(ctx context.Context, rows []Row) (string, error) {
	c := cursor{Mark: l.mark}
	if l.ranked {
		c.Offset = l.sel.Offset + len(rows)
		return l.s.writeCursor(&c), nil
	}
	var err error
	c.After, err = l.after(ctx, &rows[len(rows)-1])
	return l.s.writeCursor(&c), err
}

// sortValue is what a row is sorted by; see schema.Object.SortColumn.
func sortValue(obj *schema.Object, row *Row, field string) any {
	orNil := func(v id.ID) any {
		if v == 0 {
			return nil
		}
		return int64(v)
	}
	switch field {
	case "id":
		return int64(row.ID)
	case "created_at":
		return row.CreatedAt
	case "updated_at":
		return row.UpdatedAt
	case "created_by":
		return orNil(row.CreatedBy)
	case "updated_by":
		return orNil(row.UpdatedBy)
	}
	col, ok := obj.SortColumn(field)
	if !ok {
		return nil
	}
	i := obj.Offset(field)
	for ; obj.Columns()[i].Name != col.Name; i++ { //nolint:revive // the column is one of the field's
	}
	return row.Cols[i]
}

// present turns rows into records.
func (s *Service) present(ctx context.Context, sh *shape, rows []Row, p presentation) ([]*Record, error) {
	p.seen = fieldsSeen(ctx, sh)
	keys, err := s.keysFor(ctx, sh, rows, &p)
	if err != nil {
		return nil, err
	}
	p.sh, p.env = sh, s.Env(ctx)
	out := make([]*Record, len(rows))
	for i := range rows {
		row := &rows[i]
		r := &Record{Object: sh.obj.Key, ID: row.ID, Version: row.Version, CreatedAt: time.UnixMilli(row.CreatedAt).UTC(),
			UpdatedAt: time.UnixMilli(row.UpdatedAt).UTC(), CreatedBy: row.CreatedBy, UpdatedBy: row.UpdatedBy, BatchID: row.BatchID,
			Title: sh.titleOf(row, &p.env), Values: make(map[string]any, given(row)), Masks: make(map[string]string, len(sh.personal))}
		if row.DeletedAt != 0 {
			t := time.UnixMilli(row.DeletedAt).UTC()
			r.DeletedAt = &t
		}
		for j := range sh.fields {
			fs := &sh.fields[j]
			if fs.n == 0 || fs.f.Hidden || !p.wants(fs.f.Key) {
				continue
			}
			if p.seen[fs.f.Key] == access.FieldMasked && !fs.f.Personal {
				if row.Cols[fs.off] != nil {
					r.Masks[fs.f.Key] = masked
				}
			} else if fs.f.Personal {
				s.presentPersonal(r, row, j, keys[sh.subject(row)], &p)
			} else if v := schema.Decode(fs.f, sh.cols(row.Cols, j)); v != nil {
				r.Values[fs.f.Key] = v
			}
		}
		out[i] = r
	}
	if err := s.computeInto(ctx, sh, rows, out, &p); err != nil || !p.titles {
		return out, err
	}
	if err := s.nameRelations(ctx, sh, out); err != nil || len(sh.filed) == 0 {
		return out, err
	}
	return out, s.nameFiles(ctx, sh, out)
}

// given is about how many fields of a row have a value: some take two columns.
func given(row *Row) int {
	n := 0
	for _, c := range row.Cols {
		if c != nil {
			n++
		}
	}
	return n
}

// presentPersonal adds a personal value: in clear or masked. A value that cannot be opened (its key was destroyed, or it
// was tampered with) shows as stars and is logged, without taking the rest of the list with it.
func (s *Service) presentPersonal(r *Record, row *Row, i int, key *crypt.Key, p *presentation) {
	sh := p.sh
	f := sh.fields[i].f
	var region string
	if f.Type == schema.Address {
		if a, ok := schema.Decode(f, sh.cols(row.Cols, i)).(schema.AddressValue); ok {
			region = a.Region
			r.Values[f.Key] = a
		}
	}
	if row.Cols[sh.fields[i].off] == nil {
		return
	}
	v, err := s.openValue(sh, row, i, key)
	switch {
	case err != nil:
		s.cfg.Log.Error("a personal value cannot be opened", "object", sh.obj.Key, "field", f.Key, "record", int64(row.ID), "error", err)
		r.Masks[f.Key] = "***"
		return
	case p.plain && p.seen[f.Key] == "":
		r.Values[f.Key] = v
		return
	}
	r.Masks[f.Key] = schema.Mask(f, v, p.env)
	if a, ok := v.(schema.AddressValue); ok {
		r.Values[f.Key] = schema.AddressValue{Region: region, Street: r.Masks[f.Key], Postcode: a.Postcode}
	}
}

// openValue decrypts the i-th field of a row.
func (s *Service) openValue(sh *shape, row *Row, i int, key *crypt.Key) (any, error) {
	fs := &sh.fields[i]
	sealed, ok := row.Cols[fs.off].([]byte)
	if !ok {
		return nil, nil //nolint:nilnil // no value
	}
	if key == nil {
		return nil, fault.New(fault.Internal, "record.key_missing", nil)
	}
	plain, err := s.cfg.Keys.Open(key, crypt.Place{Object: sh.obj.Key, Field: fs.f.Key, Record: row.ID}, sealed)
	if err != nil {
		return nil, err
	}
	v := schema.FromPlain(fs.f, plain)
	if a, ok := v.(schema.AddressValue); ok {
		if old, ok := schema.Decode(fs.f, sh.cols(row.Cols, i)).(schema.AddressValue); ok {
			a.Region = old.Region
		}
		return a, nil
	}
	return v, nil
}

// keysFor reads the data keys that showing the rows needs.
func (s *Service) keysFor(ctx context.Context, sh *shape, rows []Row, p *presentation) (map[id.ID]*crypt.Key, error) {
	var missing []id.ID
	keys := map[id.ID]*crypt.Key{}
	for i := range rows {
		needs := slices.ContainsFunc(sh.personal, func(j int) bool {
			return rows[i].Cols[sh.fields[j].off] != nil && p.wants(sh.fields[j].f.Key)
		})
		v := sh.subject(&rows[i])
		if _, seen := keys[v]; !needs || seen {
			continue
		}
		keys[v] = s.cfg.Keys.Cached(v)
		if keys[v] == nil {
			missing = append(missing, v)
		}
	}
	return keys, s.unwrap(ctx, missing, keys)
}

func (s *Service) unwrap(ctx context.Context, subjects []id.ID, into map[id.ID]*crypt.Key) error {
	if len(subjects) == 0 {
		return nil
	}
	var wrapped map[id.ID][]byte
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		var err error
		wrapped, err = r.PersonKeys(ctx, subjects)
		return err
	})
	if err != nil {
		return fmt.Errorf("read data keys: %w", err)
	}
	for v, w := range wrapped {
		key, err := s.cfg.Keys.Unwrap(v, w)
		if err != nil {
			s.cfg.Log.Error("a data key cannot be unwrapped", "subject", int64(v), "error", err)
			continue
		}
		into[v] = key
	}
	return nil
}
