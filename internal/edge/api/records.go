package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// recordID reads the id of a record of an object; anything else is a record that does not exist.
func recordID(o *schema.Object, text string) (id.ID, error) {
	v, err := id.Parse(o.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "record.not_found", fault.Params{"object": o.Key, "id": text})
	}
	return v, nil
}

type recordIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
}

func (in recordIn) find(c *call) (*schema.Object, id.ID, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return nil, 0, err
	}
	v, err := recordID(o, in.ID)
	return o, v, err
}

func (a *API) getRecord(ctx context.Context, c *call, in recordIn) (*Record, error) {
	o, v, err := in.find(c)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Records.Get(ctx, o.Key, v)
	if err == nil && r.DeletedAt != nil || err != nil && fault.KindOf(err) == fault.NotFound { // it may have been merged into another
		if _, into, lost := c.survivor(ctx, in); lost != nil || into != v {
			if err = lost; err == nil {
				r, err = c.ws.Records.Get(ctx, o.Key, into)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	out, err := c.showRecord(ctx, o, r)
	if err != nil {
		return nil, err
	}
	return out, c.addReach(ctx, o, out)
}

type createRecordIn struct {
	Object     string `path:"object"`
	Duplicates string `query:"duplicates"`
	Body       struct {
		Fields map[string]any `json:"fields"`
	}
}

func (a *API) createRecord(ctx context.Context, c *call, in createRecordIn) (*Record, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return nil, err
	}
	if err := c.guardDuplicates(ctx, o, 0, in.Body.Fields, in.Duplicates); err != nil {
		return nil, err
	}
	r, err := c.ws.Records.Create(ctx, o.Key, in.Body.Fields)
	if err != nil {
		return nil, err
	}
	a.wrote(c, r.Position)
	return c.showRecord(ctx, o, r)
}

type patchRecordIn struct {
	Object  string `path:"object"`
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	// Duplicates "allow" overrules a warning that a like record exists.
	Duplicates string `query:"duplicates"`
	Body       struct {
		Fields  map[string]any `json:"fields"`
		Version int64          `json:"version,omitempty"`
	}
}

func (a *API) patchRecord(ctx context.Context, c *call, in patchRecordIn) (*Record, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return nil, err
	}
	version, err := required(in.IfMatch, in.Body.Version)
	if err != nil {
		return nil, err
	}
	c.onConflict(o, v)
	if err := c.guardDuplicates(ctx, o, v, in.Body.Fields, in.Duplicates); err != nil {
		return nil, err
	}
	r, err := c.ws.Records.Update(ctx, o.Key, v, version, in.Body.Fields)
	if err != nil {
		return nil, err
	}
	a.wrote(c, r.Position)
	return c.showRecord(ctx, o, r)
}

// required is versionOf that insists on a version: "*" says in so many words that any will do.
func required(ifMatch string, body int64) (int64, error) {
	v, err := versionOf(ifMatch, body)
	if err == nil && v == 0 && strings.TrimSpace(ifMatch) != "*" {
		return 0, fault.InvalidField("api.version_required", "If-Match", nil)
	}
	return v, err
}

// onConflict lets a version conflict carry the record as it is now.
func (c *call) onConflict(o *schema.Object, v id.ID) {
	c.current = func(ctx context.Context) *Record {
		r, err := c.ws.Records.Get(ctx, o.Key, v)
		if err != nil {
			return nil
		}
		out, err := c.showRecord(ctx, o, r)
		if err != nil {
			return nil
		}
		return out
	}
}

type deleteRecordIn struct {
	Object  string `path:"object"`
	ID      string `path:"id"`
	Version int64  `query:"version"`
	IfMatch string `header:"If-Match"`
}

func (a *API) deleteRecord(ctx context.Context, c *call, in deleteRecordIn) (empty, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return empty{}, err
	}
	version, err := required(in.IfMatch, in.Version)
	if err != nil {
		return empty{}, err
	}
	c.onConflict(o, v)
	return empty{}, c.ws.Records.Delete(ctx, o.Key, v, version)
}

func (a *API) restoreRecord(ctx context.Context, c *call, in recordIn) (*Record, error) {
	o, v, err := in.find(c)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Records.Restore(ctx, o.Key, v)
	if err != nil {
		return nil, err
	}
	return c.showRecord(ctx, o, r)
}

type revealIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Fields []string `json:"fields"`
	}
}

// Revealed is personal values in plain.
type Revealed struct {
	Fields map[string]any `json:"fields"`
}

func (a *API) reveal(ctx context.Context, c *call, in revealIn) (Revealed, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return Revealed{}, err
	}
	if err := a.limits.allow("reveal:"+string(c.who.Actor.Kind)+id.Format("a", c.who.Actor.ID), a.Rates.Reveal); err != nil {
		return Revealed{}, err
	}
	values, err := c.ws.Records.Reveal(ctx, o.Key, v, in.Body.Fields)
	if err != nil {
		return Revealed{}, err
	}
	out := Revealed{Fields: map[string]any{}}
	env := c.ws.Records.Env(ctx)
	for k, value := range values {
		out.Fields[k] = schema.FormatJSON(o.Field(k), value, env)
	}
	return out, nil
}

// listBody is a question for a list.
type listBody struct {
	Where   Condition     `json:"where,omitempty"`
	Search  string        `json:"search,omitempty"`
	Sort    []schema.Sort `json:"sort,omitempty"`
	Fields  []string      `json:"fields,omitempty"`
	Traits  []string      `json:"traits,omitempty"`
	Limit   int           `json:"limit,omitempty"`
	Cursor  string        `json:"cursor,omitempty"`
	Offset  int           `json:"offset,omitempty"`
	Total   string        `json:"total,omitempty" enum:"capped,exact"`
	Deleted bool          `json:"deleted,omitempty"`
}

type queryRecordsIn struct {
	Object string `path:"object"`
	Body   listBody
}

func (a *API) queryRecords(ctx context.Context, c *call, in queryRecordsIn) (RecordPage, error) {
	return a.list(ctx, c, in.Object, in.Body)
}

type listRecordsIn struct {
	Object string `path:"object"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
	Sort   string `query:"sort"`
	Where  string `query:"where"`
	Search string `query:"search"`
	Total  string `query:"total"`
}

func (a *API) listRecords(ctx context.Context, c *call, in listRecordsIn) (RecordPage, error) {
	b := listBody{Limit: in.Limit, Cursor: in.Cursor, Search: in.Search, Total: in.Total}
	if in.Where != "" {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(in.Where, "="))
		if err != nil || len(raw) > bodyLimit || tooDeep(raw) || !json.Valid(raw) {
			return RecordPage{}, fault.InvalidField("api.bad_parameter", "where", nil)
		}
		b.Where = raw
	}
	for key := range strings.SplitSeq(in.Sort, ",") {
		if key == "" {
			continue
		}
		name, desc := strings.CutPrefix(key, "-")
		if t, ok := strings.CutPrefix(name, "trait."); ok {
			b.Sort = append(b.Sort, schema.Sort{Trait: t, Desc: desc})
		} else {
			b.Sort = append(b.Sort, schema.Sort{Field: name, Desc: desc})
		}
	}
	return a.list(ctx, c, in.Object, b)
}

// list follows the list rule: record fields alone are answered by the records plane; a trait or a segment in the condition
// or the order sends the question to the analytics plane, and the ids that come back are filled in here, in their order.
func (a *API) list(ctx context.Context, c *call, object string, b listBody) (RecordPage, error) {
	o, err := c.object(object)
	if err != nil {
		return RecordPage{}, err
	}
	where, err := b.Where.node("where")
	if err != nil {
		return RecordPage{}, err
	}
	if b.Limit < 0 || b.Limit > record.MaxLimit {
		return RecordPage{}, fault.InvalidField("record.limit_range", "limit", fault.Params{"max": record.MaxLimit})
	}
	b.Limit = limitOf(b.Limit, 50)
	var out RecordPage
	if c.ws.Conditions.Analytic(where) || slices.ContainsFunc(b.Sort, func(s schema.Sort) bool { return s.Trait != "" }) {
		out, err = a.listAnalytics(ctx, c, o, where, b)
	} else {
		out, err = a.listPlain(ctx, c, o, where, b)
	}
	if err != nil || len(b.Traits) == 0 || o.Key != query.Customer {
		return out, err
	}
	return out, c.addTraits(ctx, out.Items, b.Traits)
}

func (a *API) listPlain(ctx context.Context, c *call, o *schema.Object, where *query.Node, b listBody) (RecordPage, error) {
	page, err := c.ws.Records.List(ctx, o.Key, record.Query{Where: where, Search: b.Search, Sort: b.Sort, Fields: b.Fields, Limit: b.Limit,
		Cursor: b.Cursor, Offset: b.Offset, Total: b.Total, Deleted: b.Deleted})
	if err != nil {
		return RecordPage{}, under(err, "where")
	}
	out := RecordPage{Plane: "records", AsOf: a.Clock.Now()}
	if !page.AsOf.IsZero() {
		out.Plane, out.AsOf = "analytics", page.AsOf
	}
	if out.Items, err = c.showRecords(ctx, o, page.Items); err != nil {
		return RecordPage{}, err
	}
	if page.NextCursor != "" {
		out.NextCursor = &page.NextCursor
	}
	if b.Total != "" {
		out.Total, out.TotalIsEstimate = &page.Total, page.TotalIsEstimate
	}
	return out, nil
}

// under gives the faults of a condition, whose places begin with "/", the place of the condition in the body.
func under(err error, at string) error {
	f, ok := fault.Find(err)
	if !ok {
		return err
	}
	if len(f.Items) > 0 && strings.HasPrefix(f.Items[0].Field, "/") || strings.HasPrefix(f.Field, "/") {
		return relocate(f, at)
	}
	return err
}

func (a *API) listAnalytics(ctx context.Context, c *call, o *schema.Object, where *query.Node, b listBody) (RecordPage, error) {
	if b.Search != "" || b.Deleted {
		return RecordPage{}, fault.InvalidField("api.search_with_traits", "search", nil)
	}
	if err := c.ws.Conditions.Check(ctx, o.Key, where); err != nil {
		return RecordPage{}, under(err, "where")
	}
	offset := b.Offset
	if b.Cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(b.Cursor, "a"))
		if err != nil || n < 0 || !strings.HasPrefix(b.Cursor, "a") {
			return RecordPage{}, fault.InvalidField("record.cursor_invalid", "cursor", nil)
		}
		offset = n
	}
	if b.Offset > record.MaxOffset {
		return RecordPage{}, fault.InvalidField("record.offset_range", "offset", fault.Params{"max": record.MaxOffset})
	}
	limits, err := c.ws.Records.Limits(ctx, o.Key)
	if err != nil {
		return RecordPage{}, err
	}
	if err := c.maySort(o, b.Sort); err != nil {
		return RecordPage{}, err
	}
	a.settle(ctx, c)
	out := RecordPage{Plane: "analytics", Items: []*Record{}}
	// Records that went to the recycle bin or out of sight since the analytics plane last looked are left out; the page is filled up.
	for first := true; ; first = false {
		want := b.Limit - len(out.Items)
		page, err := c.ws.Lists.List(ctx, AnalyticQuery{Object: o.Key, Where: where, Sort: b.Sort, Offset: offset, Limit: want + 1, Count: first && b.Total != "", Limits: limits})
		if err != nil {
			return RecordPage{}, err
		}
		if first {
			out.AsOf, out.LagSeconds = page.AsOf, page.Lag.Seconds()
			if b.Total != "" {
				out.Total = &page.Total
			}
		}
		more := len(page.IDs) > want
		ids := page.IDs[:min(want, len(page.IDs))]
		recs, err := c.ws.Records.GetMany(ctx, o.Key, ids, b.Fields)
		if err != nil {
			return RecordPage{}, err
		}
		items, err := c.showRecords(ctx, o, recs)
		if err != nil {
			return RecordPage{}, err
		}
		out.Items, offset = append(out.Items, items...), offset+len(ids)
		if !more {
			return out, nil
		}
		if len(out.Items) == b.Limit {
			next := "a" + strconv.Itoa(offset)
			out.NextCursor = &next
			return out, nil
		}
	}
}

// maySort refuses an order by a field that the caller may not ask about.
func (c *call) maySort(o *schema.Object, sort []schema.Sort) error {
	for i, s := range sort {
		if s.Trait != "" && !c.who.Actor.Can(access.SegmentRead) {
			return fault.InvalidField("query.unknown_trait", "sort."+strconv.Itoa(i), fault.Params{"trait": s.Trait})
		}
		if f := o.Field(s.Field); f != nil && !c.who.Actor.MayAsk(o.Key, f) {
			return fault.InvalidField("record.unknown_field", "sort."+strconv.Itoa(i), fault.Params{"field": s.Field})
		}
	}
	return nil
}

func (c *call) addTraits(ctx context.Context, items []*Record, keys []string) error {
	if !c.who.Actor.Can(access.SegmentRead) {
		return nil
	}
	ids := make([]id.ID, 0, len(items))
	for _, r := range items {
		ids = append(ids, r.id)
	}
	values, err := c.ws.Traits.Values(ctx, ids, keys...)
	if err != nil {
		return err
	}
	cat := c.ws.Catalogue()
	for _, r := range items {
		r.Traits = map[string]any{}
		for _, k := range keys {
			d, _ := cat.Find(k)
			r.Traits[k] = TraitValue(d, values[r.id][k], c.who.Workspace.Currency)
		}
	}
	return nil
}

// RecordCount is how many records fulfil a condition.
type RecordCount struct {
	Count      int     `json:"count"`
	IsEstimate bool    `json:"is_estimate"`
	Seconds    float64 `json:"seconds"`
}

type countRecordsIn struct {
	Object string `path:"object"`
	Body   struct {
		Where  Condition `json:"where,omitempty"`
		Search string    `json:"search,omitempty"`
		Exact  bool      `json:"exact,omitempty"`
	}
}

func (a *API) countRecords(ctx context.Context, c *call, in countRecordsIn) (RecordCount, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return RecordCount{}, err
	}
	where, err := in.Body.Where.node("where")
	if err != nil {
		return RecordCount{}, err
	}
	start := time.Now()
	if !c.ws.Conditions.Analytic(where) {
		n, more, err := c.ws.Records.Count(ctx, o.Key, where, in.Body.Search, in.Body.Exact)
		return RecordCount{Count: n, IsEstimate: more, Seconds: time.Since(start).Seconds()}, under(err, "where")
	}
	if in.Body.Search != "" {
		return RecordCount{}, fault.InvalidField("api.search_with_traits", "search", nil)
	}
	if err := c.ws.Conditions.Check(ctx, o.Key, where); err != nil {
		return RecordCount{}, under(err, "where")
	}
	limits, err := c.ws.Records.Limits(ctx, o.Key)
	if err != nil {
		return RecordCount{}, err
	}
	a.settle(ctx, c)
	page, err := c.ws.Lists.List(ctx, AnalyticQuery{Object: o.Key, Where: where, Limit: 1, Count: true, Limits: limits})
	return RecordCount{Count: page.Total, Seconds: time.Since(start).Seconds()}, err
}

type batchIn struct {
	Object string `path:"object"`
	Body   struct {
		Atomic     bool        `json:"atomic,omitempty"`
		Operations []batchItem `json:"operations"`
	}
}

type batchItem struct {
	Op      string         `json:"op" enum:"create,update,delete"`
	ID      string         `json:"id,omitempty"`
	Version int64          `json:"version,omitempty"`
	Fields  map[string]any `json:"fields,omitempty"`
}

// BatchResult is what became of one operation.
type BatchResult struct {
	Status int      `json:"status"`
	Record *Record  `json:"record,omitempty"`
	Error  *Problem `json:"error,omitempty"`
}

// BatchResults is what became of a batch, in the order of its operations.
type BatchResults struct {
	Results []BatchResult `json:"results"`
}

func (a *API) batch(ctx context.Context, c *call, in batchIn) (BatchResults, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return BatchResults{}, err
	}
	ops := make([]record.BatchOp, len(in.Body.Operations))
	var bad []*fault.Fault
	for i, it := range in.Body.Operations {
		at := "operations." + strconv.Itoa(i)
		ops[i] = record.BatchOp{Object: o.Key, Op: change.Op(it.Op), Version: it.Version, Input: it.Fields}
		switch ops[i].Op {
		case change.Create:
		case change.Update, change.Delete:
			if ops[i].ID, err = id.Parse(o.Prefix, it.ID); err != nil {
				bad = append(bad, fault.InvalidField("api.bad_parameter", at+".id", nil))
			}
		default:
			bad = append(bad, fault.InvalidField("api.bad_parameter", at+".op", nil))
		}
	}
	if f := fault.Join("api.invalid", bad); f != nil {
		return BatchResults{}, f
	}
	done, pos, err := c.ws.Records.Batch(ctx, in.Body.Atomic, ops)
	if err != nil {
		return BatchResults{}, err
	}
	a.wrote(c, pos)
	return a.showBatch(ctx, c, o, ops, done)
}

func (a *API) showBatch(ctx context.Context, c *call, o *schema.Object, ops []record.BatchOp, done []record.BulkResult) (BatchResults, error) {
	var ids []id.ID
	for i, d := range done {
		if d.Err == nil && ops[i].Op != change.Delete {
			ids = append(ids, d.ID)
		}
	}
	byID := map[id.ID]*Record{}
	if c.who.Actor.Can(access.RecordRead) {
		recs, err := c.ws.Records.GetMany(ctx, o.Key, ids, nil)
		if err != nil {
			return BatchResults{}, err
		}
		shown, err := c.showRecords(ctx, o, recs)
		if err != nil {
			return BatchResults{}, err
		}
		for _, r := range shown {
			byID[r.id] = r
		}
	}
	out := BatchResults{Results: make([]BatchResult, len(done))}
	for i, d := range done {
		switch {
		case d.Err != nil:
			p := a.problem(c.locale, d.Err)
			out.Results[i] = BatchResult{Status: p.Status, Error: p}
		case ops[i].Op == change.Delete:
			out.Results[i] = BatchResult{Status: 204}
		case d.Created:
			out.Results[i] = BatchResult{Status: 201, Record: byID[d.ID]}
		default:
			out.Results[i] = BatchResult{Status: 200, Record: byID[d.ID]}
		}
	}
	return out, nil
}

// History is the versions of a record, newest first.
type History struct {
	Items []HistoryEntry `json:"items"`
}

func (a *API) history(ctx context.Context, c *call, in recordIn) (History, error) {
	o, v, err := in.find(c)
	if err != nil {
		return History{}, err
	}
	entries, _, err := c.ws.Records.History(ctx, o.Key, v, change.Position{}, 200)
	if err != nil {
		return History{}, err
	}
	items, err := c.showHistory(ctx, o, entries)
	return History{Items: items}, err
}

type searchIn struct {
	Q     string `query:"q"`
	Limit int    `query:"limit"`
}

// SearchResults are records of all objects, best first.
type SearchResults struct {
	Items []SearchItem `json:"items"`
}

// SearchItem is one record found.
type SearchItem struct {
	Object   string `json:"object"`
	ID       string `json:"id"`
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
	Match    string `json:"match"`
}

func (a *API) search(ctx context.Context, c *call, in searchIn) (SearchResults, error) {
	out := SearchResults{Items: []SearchItem{}}
	if strings.TrimSpace(in.Q) == "" {
		return out, nil
	}
	hits, err := c.ws.Records.Search(ctx, in.Q, nil, min(limitOf(in.Limit, 20), 100))
	for _, h := range hits {
		out.Items = append(out.Items, SearchItem{Object: h.Object, ID: id.Format(c.prefixOf(h.Object), h.ID), Title: h.Title, Subtitle: h.Subtitle, Match: string(h.Match)})
	}
	return out, err
}

func fieldKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
