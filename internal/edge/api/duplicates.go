package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

func (a *API) duplicateRoutes() []route {
	return []route{
		{method: get, path: "/duplicates/{object}", need: right, right: access.RecordMerge, run: op(a.listDuplicates), doc: "Records that may be the same, in groups, and the last search"},
		{method: post, path: "/duplicates/{object}/search", need: right, right: access.RecordMerge, run: op(a.searchDuplicates), doc: "Search all records for duplicates", status: 202},
		{method: post, path: "/duplicates/{object}/decide", need: right, right: access.RecordMerge, run: op(a.decideDuplicates), doc: "Say that groups are none, put them off, or take them up again"},
		{method: post, path: "/duplicates/{object}/merge", need: right, right: access.RecordMerge, run: op(a.mergeDuplicates), doc: "Merge groups of sure duplicates"},
		{method: get, path: "/duplicates/{object}/rules", need: right, right: access.RecordRead, run: op(a.duplicateRules), doc: "Rules by which duplicates are found"},
		{method: patch, path: "/duplicates/{object}/rules", need: right, right: access.DuplicateManage, run: op(a.saveDuplicateRules), doc: "Replace the rules of an object"},
		{method: post, path: "/duplicates/{object}/rules/try", need: right, right: access.DuplicateManage, run: op(a.tryDuplicateRule), doc: "Which pairs a rule would find", secret: true},
		{method: post, path: "/records/{object}/duplicates", need: right, right: access.RecordRead, run: op(a.findDuplicates), doc: "Records that may be the same as one that is being entered", secret: true},
		{method: get, path: "/records/{object}/{id}/duplicates", need: right, right: access.RecordRead, run: op(a.duplicatesOf), doc: "Records that may be the same as this one"},
		{method: post, path: "/records/{object}/{id}/duplicates/dismiss", need: right, right: access.RecordUpdate, run: op(a.dismissDuplicates), doc: "Say that records are not the same as this one"},
	}
}

// DuplicateReason is why two records may be the same.
type DuplicateReason struct {
	Field  string       `json:"field"`
	Label  schema.Label `json:"label"`
	Method string       `json:"method" enum:"exact,person,company,address,text,place"`
	Alike  int          `json:"alike" doc:"per cent"`
}

// DuplicateMatch is a record that may be the same. Without the right to see it only reasons and owner are told.
type DuplicateMatch struct {
	Record  *Record           `json:"record"`
	Owner   *Ref              `json:"owner"`
	Deleted bool              `json:"deleted"`
	Score   int               `json:"score"`
	Rule    string            `json:"rule"`
	Label   schema.Label      `json:"label"`
	Action  string            `json:"action" enum:"warn,block"`
	Reasons []DuplicateReason `json:"reasons"`
}

// DuplicateMatches are the records found, the likest first.
type DuplicateMatches struct {
	Items   []DuplicateMatch `json:"items"`
	Blocked bool             `json:"blocked"`
}

func showReasons(o *schema.Object, list []dedupe.Reason) []DuplicateReason {
	out := []DuplicateReason{}
	for _, r := range list {
		v := DuplicateReason{Field: r.Field, Method: string(r.Method), Alike: r.Alike}
		if f := o.Field(r.Field); f != nil {
			v.Label = f.Label
		}
		out = append(out, v)
	}
	return out
}

func (c *call) showMatches(ctx context.Context, o *schema.Object, m dedupe.Matches) (DuplicateMatches, error) {
	out := DuplicateMatches{Items: []DuplicateMatch{}, Blocked: m.Blocked}
	for _, x := range m.Items {
		v := DuplicateMatch{Deleted: x.Deleted, Score: x.Score, Rule: x.Rule, Label: x.Label, Action: string(x.Action), Reasons: showReasons(o, x.Reasons)}
		if x.Record != nil {
			r, err := c.showRecord(ctx, o, x.Record)
			if err != nil {
				return out, err
			}
			v.Record = r
		}
		if x.Owner != 0 {
			refs := []record.Ref{{Object: "user", ID: x.Owner}}
			if err := c.ws.Records.Titles(ctx, refs); err != nil {
				return out, err
			}
			v.Owner = &Ref{ID: id.Format(auth.UserPrefix, x.Owner), Title: refs[0].Title, Object: "user"}
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// guardDuplicates refuses a write that a rule speaks against: a warning can be overruled by allow, a block cannot. The answer carries
// the records found. A warning asks a person; a program, which cannot answer, is not warned.
func (c *call) guardDuplicates(ctx context.Context, o *schema.Object, rec id.ID, in record.Input, allow string) error {
	if allow != "" && allow != "allow" {
		return fault.InvalidField("api.bad_parameter", "duplicates", nil)
	}
	if c.who.Actor.Kind != access.ByUser {
		allow = "allow"
	}
	var m dedupe.Matches
	var err error
	if allow == "allow" {
		m, err = c.ws.Duplicates.Blocking(ctx, o.Key, rec, in)
	} else {
		m, err = c.ws.Duplicates.Find(ctx, o.Key, rec, in, dedupe.OnCreate)
	}
	if err != nil || len(m.Items) == 0 && !m.Blocked {
		return err
	}
	if c.found, err = c.showMatches(ctx, o, m); err != nil {
		return err
	}
	code := "dedupe.warned"
	if m.Blocked {
		code = "dedupe.blocked"
	}
	return fault.New(fault.Conflict, code, fault.Params{"label": o.Label, "count": len(m.Items)})
}

type findDuplicatesIn struct {
	Object string `path:"object"`
	Body   struct {
		ID     string         `json:"id,omitempty"`
		Fields map[string]any `json:"fields"`
	}
}

func (a *API) findDuplicates(ctx context.Context, c *call, in findDuplicatesIn) (DuplicateMatches, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return DuplicateMatches{}, err
	}
	var rec id.ID
	if in.Body.ID != "" {
		if rec, err = recordID(o, in.Body.ID); err != nil {
			return DuplicateMatches{}, err
		}
		if _, err := c.ws.Records.Get(ctx, o.Key, rec); err != nil {
			return DuplicateMatches{}, err
		}
	}
	m, err := c.ws.Duplicates.Find(ctx, o.Key, rec, in.Body.Fields, dedupe.OnCreate)
	if err != nil {
		return DuplicateMatches{}, err
	}
	return c.showMatches(ctx, o, m)
}

func (a *API) duplicatesOf(ctx context.Context, c *call, in recordIn) (DuplicateMatches, error) {
	o, v, err := c.survivor(ctx, in)
	if err != nil {
		return DuplicateMatches{}, err
	}
	r, err := c.ws.Records.Get(ctx, o.Key, v)
	if err != nil || r.DeletedAt != nil {
		return DuplicateMatches{Items: []DuplicateMatch{}}, err
	}
	m, err := c.ws.Duplicates.Find(ctx, o.Key, v, nil, dedupe.OnShow)
	if err != nil {
		return DuplicateMatches{}, err
	}
	return c.showMatches(ctx, o, m)
}

type dismissIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		IDs []string `json:"ids"`
	}
}

func (a *API) dismissDuplicates(ctx context.Context, c *call, in dismissIn) (empty, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return empty{}, err
	}
	var others []id.ID
	for _, text := range in.Body.IDs {
		n, err := id.Parse(o.Prefix, text)
		if err != nil {
			return empty{}, fault.InvalidField("api.bad_parameter", "ids", nil)
		}
		others = append(others, n)
	}
	if len(others) == 0 {
		return empty{}, fault.InvalidField("api.bad_parameter", "ids", nil)
	}
	return empty{}, c.ws.Duplicates.Dismiss(ctx, o.Key, v, others)
}

// DuplicateGroupPrefix begins the names of groups.
const DuplicateGroupPrefix = "dup"

// DuplicatePair is two records of a group.
type DuplicatePair struct {
	A       string            `json:"a"`
	B       string            `json:"b"`
	Score   int               `json:"score"`
	Rule    string            `json:"rule"`
	Reasons []DuplicateReason `json:"reasons"`
}

// DuplicateGroup is records that may all be the same.
type DuplicateGroup struct {
	ID      string          `json:"id"`
	Score   int             `json:"score"`
	Sure    bool            `json:"sure"`
	Later   bool            `json:"later"`
	Records []*Record       `json:"records"`
	Pairs   []DuplicatePair `json:"pairs"`
}

// DuplicateRun is a search over everything.
type DuplicateRun struct {
	State      string     `json:"state" enum:"running,done,failed"`
	Scanned    int        `json:"scanned"`
	Candidates int        `json:"candidates"`
	Compared   int        `json:"compared"`
	Found      int        `json:"found"`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at"`
}

// DuplicateGroups is a page of groups, the surest first.
type DuplicateGroups struct {
	Items []DuplicateGroup `json:"items"`
	Total int              `json:"total"`
	Run   *DuplicateRun    `json:"run"`
}

type listDuplicatesIn struct {
	Object string `path:"object"`
	Later  bool   `query:"later"`
	Sure   bool   `query:"sure"`
	Offset int    `query:"offset"`
	Limit  int    `query:"limit"`
}

func (a *API) listDuplicates(ctx context.Context, c *call, in listDuplicatesIn) (DuplicateGroups, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return DuplicateGroups{}, err
	}
	if in.Offset < 0 || in.Offset > record.MaxOffset {
		return DuplicateGroups{}, fault.InvalidField("record.offset_range", "offset", fault.Params{"max": record.MaxOffset})
	}
	run, found, err := c.ws.Duplicates.State(ctx, o.Key) // before the groups: what an ended search found is among them
	if err != nil {
		return DuplicateGroups{}, err
	}
	groups, total, err := c.ws.Duplicates.Review(ctx, o.Key, dedupe.GroupQuery{Later: in.Later, Sure: in.Sure, Offset: in.Offset, Limit: min(limitOf(in.Limit, 20), 100)})
	if err != nil {
		return DuplicateGroups{}, err
	}
	out := DuplicateGroups{Items: []DuplicateGroup{}, Total: total}
	for i := range groups {
		g := &groups[i]
		v := DuplicateGroup{ID: id.Format(DuplicateGroupPrefix, g.ID), Score: g.Score, Sure: g.Sure, Later: g.Later, Pairs: []DuplicatePair{}}
		seen := map[id.ID]bool{}
		for _, r := range g.Records {
			seen[r.ID] = true
		}
		for _, p := range g.Pairs {
			if seen[p.A] && seen[p.B] {
				v.Pairs = append(v.Pairs, DuplicatePair{A: id.Format(o.Prefix, p.A), B: id.Format(o.Prefix, p.B), Score: p.Score, Rule: p.Rule, Reasons: showReasons(o, p.Reasons)})
			}
		}
		if v.Records, err = c.showRecords(ctx, o, g.Records); err != nil {
			return DuplicateGroups{}, err
		}
		out.Items = append(out.Items, v)
	}
	if found {
		out.Run = showRun(run)
	}
	return out, nil
}

func showRun(r dedupe.Run) *DuplicateRun {
	out := &DuplicateRun{State: r.State, Scanned: r.Progress.Scanned, Candidates: r.Progress.Pairs, Compared: r.Progress.Scored, Found: r.Progress.Found, StartedAt: r.Started.UTC()}
	if !r.Ended.IsZero() {
		t := r.Ended.UTC()
		out.EndedAt = &t
	}
	return out
}

func (a *API) searchDuplicates(ctx context.Context, c *call, in objectIn) (*DuplicateRun, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return nil, err
	}
	run, err := c.ws.Duplicates.Start(ctx, o.Key)
	return showRun(run), err
}

type decideIn struct {
	Object string `path:"object"`
	Body   struct {
		Groups   []string `json:"groups"`
		Decision string   `json:"decision" enum:"not_same,later,open"`
	}
}

// Decided is how many groups something was said of.
type Decided struct {
	Groups int `json:"groups"`
}

// groupsMost is how many groups one request decides about.
const groupsMost = 100

func groupIDs(list []string) ([]id.ID, error) {
	if len(list) == 0 || len(list) > groupsMost {
		return nil, fault.InvalidField("dedupe.groups", "groups", fault.Params{"max": groupsMost})
	}
	var out []id.ID
	for _, text := range list {
		v, err := id.Parse(DuplicateGroupPrefix, text)
		if err != nil {
			return nil, fault.InvalidField("api.bad_parameter", "groups", nil)
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *API) decideDuplicates(ctx context.Context, c *call, in decideIn) (Decided, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return Decided{}, err
	}
	ids, err := groupIDs(in.Body.Groups)
	if err != nil {
		return Decided{}, err
	}
	n, err := c.ws.Duplicates.Decide(ctx, o.Key, ids, dedupe.Decision(in.Body.Decision))
	return Decided{Groups: n}, err
}

type mergeGroupsIn struct {
	Object string `path:"object"`
	Body   struct {
		Groups []string `json:"groups"`
	}
}

// MergedGroups is what became of merging groups.
type MergedGroups struct {
	Groups  int      `json:"groups"`
	Records int      `json:"records"`
	Failed  int      `json:"failed"`
	Error   *Problem `json:"error,omitempty"`
}

func (a *API) mergeDuplicates(ctx context.Context, c *call, in mergeGroupsIn) (MergedGroups, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return MergedGroups{}, err
	}
	ids, err := groupIDs(in.Body.Groups)
	if err != nil {
		return MergedGroups{}, err
	}
	done, err := c.ws.Duplicates.MergeSure(ctx, o.Key, ids)
	out := MergedGroups{Groups: done.Merged, Records: done.Records, Failed: done.Failed}
	if done.First != nil {
		out.Error = a.problem(c.locale, done.First)
	}
	return out, err
}

// DuplicateRule is a rule in the form of the API.
type DuplicateRule dedupe.Rule

func readRules(list []DuplicateRule) []dedupe.Rule {
	out := make([]dedupe.Rule, len(list))
	for i, r := range list {
		out[i] = dedupe.Rule(r)
	}
	return out
}

// DuplicateRules are the rules of an object, with the fields that rules can compare and how.
type DuplicateRules struct {
	Version int64            `json:"version"`
	Rules   []DuplicateRule  `json:"rules"`
	Fields  []DuplicateField `json:"fields"`
}

// DuplicateField is a field that rules can compare.
type DuplicateField struct {
	Field   string       `json:"field"`
	Label   schema.Label `json:"label"`
	Methods []string     `json:"methods"`
}

func showRules(o *schema.Object, r dedupe.Rules) DuplicateRules {
	out := DuplicateRules{Version: r.Version, Rules: []DuplicateRule{}, Fields: []DuplicateField{}}
	for _, rule := range r.Rules {
		out.Rules = append(out.Rules, DuplicateRule(rule))
	}
	for _, f := range o.Fields {
		if f.Hidden || o.Offset(f.Key) < 0 {
			continue
		}
		v := DuplicateField{Field: f.Key, Label: f.Label}
		for _, m := range dedupe.Methods(f) {
			v.Methods = append(v.Methods, string(m))
		}
		if len(v.Methods) > 0 {
			out.Fields = append(out.Fields, v)
		}
	}
	return out
}

func (a *API) duplicateRules(ctx context.Context, c *call, in objectIn) (DuplicateRules, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return DuplicateRules{}, err
	}
	r, err := c.ws.Duplicates.Rules(ctx, o.Key)
	return showRules(o, r), err
}

type saveRulesIn struct {
	Object string `path:"object"`
	Body   struct {
		Version int64           `json:"version"`
		Rules   []DuplicateRule `json:"rules"`
	}
}

func (a *API) saveDuplicateRules(ctx context.Context, c *call, in saveRulesIn) (DuplicateRules, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return DuplicateRules{}, err
	}
	r, err := c.ws.Duplicates.SaveRules(ctx, o.Key, in.Body.Version, readRules(in.Body.Rules))
	return showRules(o, r), err
}

type tryRuleIn struct {
	Object string `path:"object"`
	Body   struct {
		Rule DuplicateRule `json:"rule"`
	}
}

// DuplicateTrial is what a rule would find among the newest records.
type DuplicateTrial struct {
	Scanned int             `json:"scanned"`
	Partial bool            `json:"partial" doc:"there are more records than were looked at"`
	Count   int             `json:"count"`
	Pairs   []DuplicatePair `json:"pairs"`
	Records []*Record       `json:"records"`
}

func (a *API) tryDuplicateRule(ctx context.Context, c *call, in tryRuleIn) (DuplicateTrial, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return DuplicateTrial{}, err
	}
	t, err := c.ws.Duplicates.Try(ctx, o.Key, dedupe.Rule(in.Body.Rule))
	if err != nil {
		return DuplicateTrial{}, err
	}
	out := DuplicateTrial{Scanned: t.Scanned, Partial: t.Partial, Count: t.Count, Pairs: []DuplicatePair{}}
	var ids []id.ID
	for _, p := range t.Pairs {
		ids = append(ids, p.A, p.B)
		out.Pairs = append(out.Pairs, DuplicatePair{A: id.Format(o.Prefix, p.A), B: id.Format(o.Prefix, p.B), Score: p.Score, Rule: p.Rule, Reasons: showReasons(o, p.Reasons)})
	}
	recs, err := c.ws.Records.GetMany(ctx, o.Key, ids, nil)
	if err != nil {
		return DuplicateTrial{}, err
	}
	out.Records, err = c.showRecords(ctx, o, recs)
	return out, err
}
