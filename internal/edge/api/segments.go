package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

// segmentRoutes are what there is to segments beside definition and members.
func (a *API) segmentRoutes() []route {
	return []route{
		{method: get, path: "/segments/bin", need: right, right: access.SegmentWrite, run: op(a.trashedSegments), doc: "Deleted segments that can be restored"},
		{method: del, path: "/segments/bin/{key}", need: right, right: access.SegmentWrite, run: op(a.purgeSegment), doc: "Delete a segment of the bin for good"},
		{method: post, path: "/segments/list", need: right, right: access.SegmentWrite, run: op(a.listSegment), doc: "Make a static segment from a list of customer numbers, phone numbers, e-mail addresses or ids, or change one", status: http.StatusOK, secret: true},
		{method: get, path: "/segments/overlaps", need: right, right: access.SegmentRead, run: op(a.segmentOverlaps), doc: "How many members each two of several segments have in common"},
		{method: get, path: "/segments/compare", need: right, right: access.SegmentRead, run: op(a.compareSegments), doc: "In what the members of two segments differ, over all traits"},
		{method: post, path: "/segments/{key}/similar", need: right, right: access.SegmentRead, run: op(a.similarCustomers), doc: "Customers outside of a segment who are most like its members; with a label they are saved", status: http.StatusOK},
		{method: post, path: "/segments/{key}/restore", need: right, right: access.SegmentWrite, run: op(a.restoreSegment), doc: "Take a segment out of the bin", status: http.StatusOK},
		{method: get, path: "/segments/{key}/uses", need: right, right: access.SegmentRead, run: op(a.segmentUses), doc: "What a segment is built on, and what is built on it"},
		{method: get, path: "/segments/{key}/moves", need: right, right: access.SegmentRead, run: op(a.segmentMoves), doc: "Who entered and left a segment last, and why"},
	}
}

// TrashedSegments are the segments in the bin, the newest first.
type TrashedSegments struct {
	Items []TrashedSegment `json:"items"`
	Days  int              `json:"days" doc:"how long they are kept"`
}

// TrashedSegment is a deleted segment.
type TrashedSegment struct {
	Segment
	DeletedAt time.Time `json:"deleted_at"`
}

func (a *API) trashedSegments(ctx context.Context, c *call, _ struct{}) (TrashedSegments, error) {
	list, err := c.ws.Segments.Trashed(ctx)
	out := TrashedSegments{Items: []TrashedSegment{}, Days: segment.BinDays}
	for _, s := range list {
		out.Items = append(out.Items, TrashedSegment{a.showSegment(c, s), s.DeletedAt})
	}
	return out, err
}

func (a *API) purgeSegment(ctx context.Context, c *call, in keyIn) (empty, error) {
	if err := c.ws.Segments.Purge(ctx, in.Key); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "segment.purge", "segment", 0, map[string]any{"key": in.Key})
}

func (a *API) restoreSegment(ctx context.Context, c *call, in keyIn) (Segment, error) {
	s, err := c.ws.Segments.Restore(ctx, in.Key)
	if err != nil {
		return Segment{}, err
	}
	return a.showSegment(c, s), a.Auth.Note(ctx, c.who.Workspace.Key, "segment.restore", "segment", 0, map[string]any{"key": in.Key})
}

// How a list of values is read.
const (
	listMost    = 200_000 // values
	listMissing = 1000    // values that were not found are named
	listStep    = 1000
)

type listSegmentIn struct {
	Body struct {
		Key         string   `json:"key,omitempty" doc:"of a static segment that is changed; a new one is made when empty"`
		Mode        string   `json:"mode,omitempty" enum:",add,remove,replace" doc:"of a change"`
		Label       *string  `json:"label,omitempty"`
		Description *string  `json:"description,omitempty"`
		Folder      *string  `json:"folder,omitempty"`
		Field       string   `json:"field" doc:"what the values are: id, or a field by which customers are found (number, phone, email, external_id …)"`
		Values      []string `json:"values"`
		DryRun      bool     `json:"dry_run,omitempty" doc:"only look who is found"`
	}
}

// ListedSegment says what became of a list.
type ListedSegment struct {
	Segment   *Segment `json:"segment" doc:"null of a dry run"`
	Values    int      `json:"values" doc:"different values that are not empty"`
	Repeated  int      `json:"repeated" doc:"values that stood in the list before"`
	Found     int      `json:"found" doc:"values of which there is a customer"`
	Customers int      `json:"customers"`
	Missing   int      `json:"missing" doc:"values of which there is no customer whom the reader sees"`
	Names     []string `json:"missing_values" doc:"the first thousand of them"`
}

func (a *API) listSegment(ctx context.Context, c *call, in listSegmentIn) (ListedSegment, error) {
	b := &in.Body
	out := ListedSegment{Names: []string{}}
	if len(b.Values) > listMost {
		return out, fault.InvalidField("segment.list_too_long", "values", fault.Params{"max": listMost})
	}
	seen := make(map[string]bool, len(b.Values))
	var values []string
	for _, v := range b.Values {
		switch v = strings.TrimSpace(v); {
		case v == "":
		case seen[v]:
			out.Repeated++
		default:
			seen[v] = true
			values = append(values, v)
		}
	}
	out.Values = len(values)
	if len(values) == 0 {
		return out, fault.InvalidField("segment.list_empty", "values", nil)
	}
	a.settle(ctx, c) // who was just written counts
	found := map[id.ID]bool{}
	for part := range slices.Chunk(values, listStep) {
		ids, err := c.ws.Records.LookupAll(ctx, query.Customer, b.Field, part)
		if err != nil {
			return out, err
		}
		for _, v := range part {
			if len(ids[v]) == 0 {
				if out.Missing++; len(out.Names) < listMissing {
					out.Names = append(out.Names, v)
				}
				continue
			}
			out.Found++
			for _, customer := range ids[v] {
				found[customer] = true
			}
		}
	}
	out.Customers = len(found)
	if b.DryRun {
		return out, nil
	}
	customers := make([]id.ID, 0, len(found))
	for v := range found {
		customers = append(customers, v)
	}
	slices.Sort(customers)
	s, err := c.keepList(ctx, b.Key, b.Mode, segment.Draft{Label: b.Label, Description: b.Description, Folder: b.Folder}, customers)
	if err != nil {
		return out, err
	}
	shown := a.showSegment(c, s)
	out.Segment = &shown
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "segment.list", "segment", 0, map[string]any{"key": s.Key, "customers": len(customers)})
}

func (c *call) keepList(ctx context.Context, key, mode string, d segment.Draft, customers []id.ID) (segment.Segment, error) {
	if key != "" {
		return c.ws.Segments.ChangeList(ctx, key, or(mode, segment.AddToList), customers)
	}
	return c.ws.Segments.CreateList(ctx, d, customers)
}

// overlapMost is how many segments one matrix may have.
const overlapMost = 12

type overlapsIn struct {
	Keys string `query:"keys" doc:"of two to twelve segments, with commas between them"`
}

// Overlaps is how several segments meet: at row i and column j stands how many are in both, on the diagonal the sizes.
type Overlaps struct {
	Items  []SegmentRef `json:"items"`
	Matrix [][]int      `json:"matrix"`
}

// SegmentRef names a segment.
type SegmentRef struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

func (a *API) segmentOverlaps(ctx context.Context, c *call, in overlapsIn) (Overlaps, error) {
	var keys []string
	for k := range strings.SplitSeq(in.Keys, ",") {
		if k = strings.TrimSpace(k); k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if len(keys) < 2 || len(keys) > overlapMost {
		return Overlaps{}, fault.InvalidField("segment.overlap_count", "keys", fault.Params{"max": overlapMost})
	}
	segs, matrix, err := c.ws.Segments.Overlaps(ctx, keys)
	out := Overlaps{Items: []SegmentRef{}, Matrix: matrix}
	for _, s := range segs {
		out.Items = append(out.Items, SegmentRef{s.Key, s.Label})
	}
	return out, err
}

// SegmentUses is what a segment stands on and what stands on it.
type SegmentUses struct {
	On []SegmentUse `json:"on" doc:"segments, traits, records and events that its condition names"`
	By []SegmentUse `json:"by" doc:"segments, classifications, views and rules that name it"`
}

// SegmentUse is one end of such a line.
type SegmentUse struct {
	Kind  string       `json:"kind" enum:"segment,list,trait,record,event,field,classification,view,automation"`
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	How   string       `json:"how,omitempty" enum:",enters,leaves,names" doc:"of rules"`
	State string       `json:"state,omitempty" doc:"of rules"`
}

func (a *API) segmentUses(ctx context.Context, c *call, in keyIn) (SegmentUses, error) {
	out := SegmentUses{On: []SegmentUse{}, By: []SegmentUse{}}
	s, err := c.ws.Segments.Get(ctx, in.Key)
	if err != nil {
		return out, err
	}
	all, err := c.ws.Segments.List(ctx)
	if err != nil {
		return out, err
	}
	out.On = c.namedBy(s, all)
	for _, other := range all {
		if other.Key != in.Key && speaksOf(other.Where, in.Key) {
			out.By = append(out.By, SegmentUse{Kind: "segment", Key: other.Key, Label: same(other.Label)})
		}
	}
	classes, err := c.ws.Classes.List(ctx)
	if err != nil {
		return out, err
	}
	for _, k := range classes {
		for _, class := range k.Classes {
			if speaksOf(class.Where, in.Key) {
				out.By = append(out.By, SegmentUse{Kind: "classification", Key: k.Key, Label: k.Label})
				break
			}
		}
	}
	if err := c.viewsOf(ctx, in.Key, &out); err != nil {
		return out, err
	}
	rules, err := c.ws.Automations.UsesOfSegment(ctx, in.Key)
	for _, u := range rules {
		out.By = append(out.By, SegmentUse{Kind: "automation", Key: id.Format(automation.Prefix, u.Rule), Label: same(u.Name), How: u.How, State: string(u.State)})
	}
	return out, err
}

// viewsOf adds the views, of those that the reader sees, that name a segment.
func (c *call) viewsOf(ctx context.Context, key string, out *SegmentUses) error {
	for _, o := range c.ws.Registry().Tables() {
		views, err := c.ws.Views.List(ctx, o.Key)
		if err != nil {
			return err
		}
		for _, v := range views {
			if speaksOf(v.Where, key) {
				label := v.Label
				if v.Name != "" {
					label = same(v.Name)
				}
				out.By = append(out.By, SegmentUse{Kind: "view", Key: o.Key + "/" + v.Key(), Label: label})
			}
		}
	}
	return nil
}

func same(text string) schema.Label {
	return schema.Label{lang.ChineseSimplified: text, lang.English: text}
}

// speaksOf reports that a condition names a segment, as one or as a list.
func speaksOf(n *query.Node, key string) bool {
	found := false
	if n != nil {
		query.Walk(n, func(m *query.Node, _ string) bool {
			found = found || m.Segment == key || m.List == key
			return !found
		})
	}
	return found
}

// namedBy are the things that the condition of a segment names, each once.
func (c *call) namedBy(s segment.Segment, all []segment.Segment) []SegmentUse {
	out := []SegmentUse{}
	add := func(kind, key string, label schema.Label) {
		if key != "" && !slices.ContainsFunc(out, func(u SegmentUse) bool { return u.Kind == kind && u.Key == key }) {
			out = append(out, SegmentUse{Kind: kind, Key: key, Label: label})
		}
	}
	if s.Where == nil {
		return out
	}
	labels := map[string]string{}
	for _, other := range all {
		labels[other.Key] = or(other.Label, other.Key)
	}
	reg, traits := c.ws.Registry(), c.ws.Catalogue()
	query.Walk(s.Where, func(n *query.Node, at string) bool {
		if n.Segment != s.Key {
			add("segment", n.Segment, same(or(labels[n.Segment], n.Segment)))
		}
		add("list", n.List, same(or(labels[n.List], n.List)))
		trait := n.Trait
		if n.Top != nil {
			trait = n.Top.Trait
		}
		if d, ok := traits.Find(trait); ok {
			add("trait", trait, d.Label)
		}
		if o := reg.Object(n.Record); o != nil {
			add("record", n.Record, o.Label)
		}
		add("event", n.Event, same(n.Event))
		if f := reg.Object(query.Customer).Field(n.Field); f != nil && !strings.Contains(at, "/where") {
			add("field", n.Field, f.Label)
		}
		return true
	})
	return out
}

// SegmentMoves are who entered and left.
type SegmentMoves struct {
	Items []SegmentMove `json:"items"`
}

// SegmentMove is one customer's entering or leaving.
type SegmentMove struct {
	Customer Sample       `json:"customer"`
	At       time.Time    `json:"at"`
	Entered  bool         `json:"entered"`
	Cause    string       `json:"cause" enum:"changed,moved,computed,listed" doc:"something of the customer changed; time went by or others changed; everybody was computed; the list was edited"`
	Why      schema.Label `json:"why" doc:"the part of the condition that decided it, empty where none did alone"`
}

// movesMost is how many moves are looked at; those of customers whom the reader does not see are left out.
const movesMost = 200

func (a *API) segmentMoves(ctx context.Context, c *call, in keyIn) (SegmentMoves, error) {
	out := SegmentMoves{Items: []SegmentMove{}}
	list, err := c.ws.Segments.Passages(ctx, in.Key, movesMost)
	if err != nil {
		return out, err
	}
	o, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	ids := make([]id.ID, 0, len(list))
	for _, p := range list {
		if !slices.Contains(ids, p.Customer) {
			ids = append(ids, p.Customer)
		}
	}
	people, err := c.samples(ctx, ids)
	if err != nil {
		return out, err
	}
	byID := map[string]Sample{}
	for _, s := range people {
		byID[s.ID] = s
	}
	for _, p := range list {
		who, ok := byID[id.Format(o.Prefix, p.Customer)]
		if !ok {
			continue
		}
		m := SegmentMove{Customer: who, At: p.At, Entered: p.Entered, Cause: string(p.Cause), Why: schema.Label{}}
		if p.Leaf != nil {
			m.Why = c.ws.Conditions.Sentence(query.Customer, p.Leaf)
		}
		out.Items = append(out.Items, m)
	}
	return out, nil
}

// crossed is the key of the line that says that a segment was entered or left; its name goes into the parameters.
func (c *call) crossed(ctx context.Context, x *timeline.Crossing, params map[string]any) string {
	params["segment"] = x.Segment
	if s, err := c.ws.Segments.Get(ctx, x.Segment); err == nil {
		params["segment"] = s.Label
	}
	if x.Entered {
		return "segment.entered"
	}
	return "segment.left"
}

// crossedWhy says why.
func (c *call) crossedWhy(x *timeline.Crossing) schema.Label {
	out := schema.Label{}
	leaf := schema.Label{}
	if x.Leaf != nil {
		leaf = c.ws.Conditions.Sentence(query.Customer, x.Leaf)
	}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		code := "segment.cause_" + x.Cause
		if leaf[loc] != "" && x.Entered {
			code = "segment.now_true"
		} else if leaf[loc] != "" {
			code = "segment.now_false"
		}
		out[loc] = c.words.Text(loc, code, map[string]any{"leaf": leaf[loc]})
	}
	return out
}

// PartCount is how many fulfil one part of a condition.
type PartCount struct {
	At    string `json:"at" doc:"JSON pointer into the condition"`
	Count int    `json:"count"`
}
