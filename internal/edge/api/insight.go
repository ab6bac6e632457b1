package api

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Condition is a condition tree of a request body, kept as it came until the language reads it.
type Condition json.RawMessage

// UnmarshalJSON keeps the text.
func (w *Condition) UnmarshalJSON(b []byte) error { *w = append((*w)[:0], b...); return nil }

// node parses the condition; absent or null gives nil.
func (w Condition) node(at string) (*query.Node, error) {
	if len(w) == 0 || string(w) == "null" {
		return nil, nil //nolint:nilnil // no condition is a value
	}
	n, err := query.Parse(w)
	if f, ok := fault.Find(err); ok {
		return nil, relocate(f, at)
	}
	return n, err
}

// relocate puts the places of a fault under a member of the body.
func relocate(f *fault.Fault, at string) *fault.Fault {
	if at == "" {
		return f
	}
	if len(f.Items) == 0 {
		return f.At(at)
	}
	c := *f
	c.Items = nil
	for _, it := range f.Items {
		c.Items = append(c.Items, it.At(at))
	}
	return &c
}

// CheckedCondition is what the language says about a condition.
type CheckedCondition struct {
	OK       bool          `json:"ok"`
	Sentence schema.Label  `json:"sentence,omitempty"`
	Errors   []ProblemItem `json:"errors"`
}

type checkIn struct {
	Body struct {
		Object string    `json:"object,omitempty"`
		Where  Condition `json:"where"`
	}
}

func (a *API) checkCondition(ctx context.Context, c *call, in checkIn) (CheckedCondition, error) {
	object := or(in.Body.Object, query.Customer)
	n, err := in.Body.Where.node("")
	if err == nil {
		err = c.ws.Conditions.Check(ctx, object, n)
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			return CheckedCondition{}, err
		}
		return CheckedCondition{Errors: a.problem(c.locale, err).Errors}, nil
	}
	return CheckedCondition{OK: true, Sentence: c.ws.Conditions.Sentence(object, n), Errors: []ProblemItem{}}, nil
}

// Segment is a named group of customers.
type Segment struct {
	Key         string       `json:"key"`
	Label       string       `json:"label"`
	Description string       `json:"description"`
	Kind        string       `json:"kind" enum:"dynamic,static"`
	Where       *query.Node  `json:"where"`
	Sentence    schema.Label `json:"sentence"`
	Size        *int         `json:"size"`
	SizeAt      *time.Time   `json:"size_at"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	Version     int64        `json:"version"`
	Broken      *string      `json:"broken"`
	Folder      string       `json:"folder" doc:"parts are divided by /; empty for none"`
	// CheckedAt is when the stored membership was last compared with everybody computed anew; Differing is how many members were otherwise.
	CheckedAt *time.Time `json:"checked_at"`
	Differing int        `json:"differing"`
}

func (s Segment) etag() string { return `"` + strconv.FormatInt(s.Version, 10) + `"` }

// Segments is the list of segments.
type Segments struct {
	Items []Segment `json:"items"`
}

func (a *API) showSegment(c *call, s segment.Segment) Segment {
	out := Segment{Key: s.Key, Label: s.Label, Description: s.Description, Kind: string(s.Kind), Where: s.Where, SizeAt: optional(s.SizeAt),
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Version: s.Version, Folder: s.Folder, CheckedAt: optional(s.CheckedAt), Differing: s.Differing, Sentence: c.ws.Conditions.Sentence(query.Customer, s.Where)}
	if out.SizeAt != nil {
		out.Size = &s.Size
	}
	if s.Broken != "" {
		text := a.Words.Text(localeOf(c.locale), s.Broken, nil)
		out.Broken = &text
	}
	return out
}

func (a *API) listSegments(ctx context.Context, c *call, _ struct{}) (Segments, error) {
	all, err := c.ws.Segments.List(ctx)
	out := Segments{Items: []Segment{}}
	for _, s := range all {
		out.Items = append(out.Items, a.showSegment(c, s))
	}
	return out, err
}

type segmentBody struct {
	Key         string    `json:"key,omitempty"`
	Label       *string   `json:"label,omitempty"`
	Description *string   `json:"description,omitempty"`
	Folder      *string   `json:"folder,omitempty"`
	Kind        string    `json:"kind,omitempty" doc:"another one converts the segment"`
	Where       Condition `json:"where,omitempty"`
	Version     int64     `json:"version,omitempty"`
}

type createSegmentIn struct {
	Body segmentBody
}

func (a *API) createSegment(ctx context.Context, c *call, in createSegmentIn) (Segment, error) {
	w, err := in.Body.Where.node("where")
	if err != nil {
		return Segment{}, err
	}
	s, err := c.ws.Segments.Create(ctx, segment.Draft{Key: in.Body.Key, Label: in.Body.Label, Description: in.Body.Description, Folder: in.Body.Folder, Kind: segment.Kind(in.Body.Kind), Where: w})
	if err != nil {
		return Segment{}, err
	}
	return a.showSegment(c, s), a.Auth.Note(ctx, c.who.Workspace.Key, "segment.create", "segment", 0, map[string]any{"key": s.Key})
}

type keyIn struct {
	Key string `path:"key"`
}

func (a *API) getSegment(ctx context.Context, c *call, in keyIn) (Segment, error) {
	s, err := c.ws.Segments.Get(ctx, in.Key)
	if err != nil {
		return Segment{}, err
	}
	return a.showSegment(c, s), nil
}

type patchSegmentIn struct {
	Key     string `path:"key"`
	IfMatch string `header:"If-Match"`
	Body    segmentBody
}

func (a *API) patchSegment(ctx context.Context, c *call, in patchSegmentIn) (Segment, error) {
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Segment{}, err
	}
	w, err := in.Body.Where.node("where")
	if err != nil {
		return Segment{}, err
	}
	if in.Body.Key != "" && in.Body.Key != in.Key {
		return Segment{}, fault.InvalidField("api.unchangeable", "key", nil)
	}
	s, err := c.ws.Segments.Update(ctx, in.Key, version, segment.Draft{Label: in.Body.Label, Description: in.Body.Description, Folder: in.Body.Folder, Kind: segment.Kind(in.Body.Kind), Where: w})
	if err != nil {
		return Segment{}, err
	}
	return a.showSegment(c, s), a.Auth.Note(ctx, c.who.Workspace.Key, "segment.update", "segment", 0, map[string]any{"key": s.Key})
}

func (a *API) deleteSegment(ctx context.Context, c *call, in keyIn) (empty, error) {
	if err := c.ws.Segments.Delete(ctx, in.Key); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "segment.delete", "segment", 0, map[string]any{"key": in.Key})
}

func (a *API) refreshSegment(ctx context.Context, c *call, in keyIn) (Segment, error) {
	s, err := c.ws.Segments.Refresh(ctx, in.Key)
	if err != nil {
		return Segment{}, err
	}
	return a.showSegment(c, s), nil
}

// SegmentCount answers how many customers a condition takes in.
type SegmentCount struct {
	Count      int            `json:"count"`
	Total      int            `json:"total"`
	Seconds    float64        `json:"seconds"`
	Sentence   schema.Label   `json:"sentence"`
	Sample     []Sample       `json:"sample"`
	Reach      map[string]int `json:"reach"`
	AsOf       time.Time      `json:"as_of"`
	LagSeconds float64        `json:"lag_seconds"`
	Plan       string         `json:"plan"`
	// Parts are the counts of the parts of the condition, when they were asked for.
	Parts []PartCount `json:"parts,omitempty"`
}

// Sample is one customer of a count.
type Sample struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
}

type countSegmentIn struct {
	Body struct {
		Where Condition `json:"where"`
		Parts bool      `json:"parts,omitempty" doc:"count every part of the condition by itself too"`
		Plan  bool      `json:"plan,omitempty" doc:"say how the database goes about it"`
	}
}

func (a *API) countSegment(ctx context.Context, c *call, in countSegmentIn) (SegmentCount, error) {
	w, err := in.Body.Where.node("where")
	if err != nil {
		return SegmentCount{}, err
	}
	limits, err := c.ws.Records.Limits(ctx, query.Customer)
	if err != nil {
		return SegmentCount{}, err
	}
	n, err := c.ws.Segments.Count(ctx, w, limits)
	if err != nil {
		return SegmentCount{}, err
	}
	out := SegmentCount{Count: n.Count, Total: n.Total, Seconds: n.Took.Seconds(), Sentence: c.ws.Conditions.Sentence(query.Customer, w), AsOf: n.AsOf,
		LagSeconds: n.Lag.Seconds(), Plan: n.Plan, Reach: n.Reach, Sample: []Sample{}}
	if out.Sample, err = c.samples(ctx, n.Sample); err != nil {
		return out, err
	}
	if in.Body.Parts {
		parts, err := c.ws.Segments.Parts(ctx, w)
		if err != nil {
			return out, err
		}
		for _, p := range parts {
			out.Parts = append(out.Parts, PartCount(p))
		}
	}
	if in.Body.Plan {
		text, err := c.ws.Segments.Plan(ctx, w)
		if err != nil {
			return out, err
		}
		out.Plan += "\n" + text
	}
	return out, nil
}

type membersIn struct {
	Key    string `path:"key"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

func (a *API) segmentMembers(ctx context.Context, c *call, in membersIn) (RecordPage, error) {
	obj, err := c.object(query.Customer)
	if err != nil {
		return RecordPage{}, err
	}
	var after id.ID
	if in.Cursor != "" {
		if after, err = id.Parse(obj.Prefix, in.Cursor); err != nil {
			return RecordPage{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	limit := limitOf(in.Limit, 100)
	limits, err := c.ws.Records.Limits(ctx, obj.Key)
	if err != nil {
		return RecordPage{}, err
	}
	out := RecordPage{Plane: "analytics", AsOf: a.Clock.Now(), Items: []*Record{}}
	batch := limit
	for {
		ids, err := c.ws.Segments.MemberIDs(ctx, in.Key, limits, after, batch)
		if err != nil {
			return RecordPage{}, err
		}
		// Members out of sight are left out, and the page is filled up with larger and larger steps.
		recs, err := c.ws.Records.GetMany(ctx, obj.Key, ids, nil)
		if err != nil {
			return RecordPage{}, err
		}
		full := len(ids) == batch
		if room := limit - len(out.Items); len(recs) >= room {
			full = full || len(recs) > room
			recs = recs[:room]
		}
		if len(recs) > 0 || len(ids) > 0 {
			after = lastOf(recs, ids, len(out.Items)+len(recs) == limit)
		}
		items, err := c.showRecords(ctx, obj, recs)
		if err != nil {
			return RecordPage{}, err
		}
		out.Items = append(out.Items, items...)
		if !full {
			return out, nil
		}
		if len(out.Items) >= limit {
			next := id.Format(obj.Prefix, after)
			out.NextCursor = &next
			return out, nil
		}
		batch = min(4*batch, maxMembers)
	}
}

// maxMembers is how many members are looked through at a time.
const maxMembers = 5000

// lastOf is behind which member the next page begins: the last one shown when the page is full, else the last looked at.
func lastOf(recs []*record.Record, ids []id.ID, full bool) id.ID {
	if full && len(recs) > 0 {
		return recs[len(recs)-1].ID
	}
	return ids[len(ids)-1]
}

// SizeHistory is how a segment grew and shrank, newest first.
type SizeHistory struct {
	Items []SizePoint `json:"items"`
}

// SizePoint is the size at one refresh.
type SizePoint struct {
	At      time.Time `json:"at"`
	Size    int       `json:"size"`
	Entered int       `json:"entered"`
	Left    int       `json:"left"`
}

func (a *API) segmentHistory(ctx context.Context, c *call, in keyIn) (SizeHistory, error) {
	ps, err := c.ws.Segments.History(ctx, in.Key, 400)
	out := SizeHistory{Items: []SizePoint{}}
	for _, p := range ps {
		out.Items = append(out.Items, SizePoint{p.At, p.Size, p.Entered, p.Left})
	}
	return out, err
}

// Overlap is how two segments meet.
type Overlap struct {
	A    int `json:"a"`
	B    int `json:"b"`
	Both int `json:"both"`
}

type overlapIn struct {
	Key  string `path:"key"`
	With string `query:"with"`
}

func (a *API) segmentOverlap(ctx context.Context, c *call, in overlapIn) (Overlap, error) {
	onlyA, both, onlyB, err := c.ws.Segments.Overlap(ctx, in.Key, in.With)
	return Overlap{A: onlyA + both, B: onlyB + both, Both: both}, err
}

// Trait is a computed fact about customers.
type Trait struct {
	Key        string          `json:"key"`
	Label      schema.Label    `json:"label"`
	Group      schema.Label    `json:"group"`
	GroupKey   string          `json:"group_key"`
	Type       string          `json:"type"`
	Scale      int             `json:"scale,omitempty"`
	Definition schema.Label    `json:"definition"`
	Unit       schema.Label    `json:"unit,omitempty"`
	Options    []schema.Option `json:"options,omitempty"`
	Operators  []string        `json:"operators"`
	Sortable   bool            `json:"sortable"`
}

// Traits is the catalogue.
type Traits struct {
	Items      []Trait    `json:"items"`
	ComputedAt *time.Time `json:"computed_at"`
	Anchor     string     `json:"anchor"`
}

func (a *API) listTraits(ctx context.Context, c *call, _ struct{}) (Traits, error) {
	cat := c.ws.Catalogue()
	groups := map[string]schema.Label{}
	for _, g := range cat.Groups() {
		groups[g.Key] = g.Label
	}
	out := Traits{Items: []Trait{}}
	for _, d := range cat.List() {
		t, _ := cat.Trait(d.Key)
		out.Items = append(out.Items, Trait{Key: d.Key, Label: d.Label, Group: groups[d.Group], GroupKey: d.Group, Type: traitType(d.Type, d.Scale), Scale: d.Scale,
			Definition: d.Definition, Unit: d.Unit, Options: d.Options, Operators: query.TraitOperators(t), Sortable: true})
	}
	st, err := c.ws.Traits.State(ctx)
	if err != nil {
		return Traits{}, err
	}
	anchor, err := c.ws.Traits.Anchor(ctx)
	out.ComputedAt, out.Anchor = optional(st.ComputedAt), anchor.String()
	return out, err
}

// traitType is the word of the API for a trait's type.
func traitType(t schema.Type, scale int) string {
	switch {
	case t == schema.Number && scale == 0:
		return "integer"
	case t == schema.Number:
		return "decimal"
	}
	return string(t)
}

func (a *API) recomputeTraits(ctx context.Context, c *call, _ struct{}) (map[string]bool, error) {
	c.ws.Traits.Recompute()
	return map[string]bool{"accepted": true}, a.Auth.Note(ctx, c.who.Workspace.Key, "trait.recompute", "", 0, nil)
}

// Classification is an ordered list of classes, first match wins.
type Classification struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Trait       string       `json:"trait"`
	Description schema.Label `json:"description"`
	Classes     []Class      `json:"classes"`
	Version     int64        `json:"version"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

func (k Classification) etag() string { return `"` + strconv.FormatInt(k.Version, 10) + `"` }

// Class is one class with its size.
type Class struct {
	Key      string       `json:"key"`
	Label    schema.Label `json:"label"`
	Color    string       `json:"color"`
	Where    *query.Node  `json:"where"`
	Sentence schema.Label `json:"sentence,omitempty"`
	Rank     int          `json:"rank,omitempty"`
	Phase    string       `json:"phase,omitempty" doc:"where it stands in a lifecycle: growing, at_risk, lost or back"`
	Count    int          `json:"count"`
}

// Classifications is the list of classifications.
type Classifications struct {
	Items []Classification `json:"items"`
}

func (c *call) showClassification(ctx context.Context, k classify.Classification) (Classification, error) {
	counts, err := c.ws.Classes.Counts(ctx, k)
	if err != nil {
		return Classification{}, err
	}
	out := Classification{Key: k.Key, Label: k.Label, Trait: k.Key, Description: k.Description, Version: k.Version, UpdatedAt: k.UpdatedAt, Classes: []Class{}}
	for _, cl := range k.Classes {
		v := Class{Key: cl.Key, Label: cl.Label, Color: cl.Color, Where: cl.Where, Rank: cl.Rank, Phase: cl.Phase, Count: counts[cl.Key]}
		if cl.Where != nil {
			v.Sentence = c.ws.Conditions.Sentence(query.Customer, cl.Where)
		}
		out.Classes = append(out.Classes, v)
	}
	return out, nil
}

func (a *API) listClassifications(ctx context.Context, c *call, _ struct{}) (Classifications, error) {
	all, err := c.ws.Classes.List(ctx)
	if err != nil {
		return Classifications{}, err
	}
	out := Classifications{Items: []Classification{}}
	for _, k := range all {
		v, err := c.showClassification(ctx, k)
		if err != nil {
			return Classifications{}, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

type classBody struct {
	Key      string       `json:"key"`
	Label    schema.Label `json:"label"`
	Color    string       `json:"color"`
	Where    Condition    `json:"where"`
	Rank     int          `json:"rank,omitempty"`
	Phase    string       `json:"phase,omitempty"`
	Sentence schema.Label `json:"sentence,omitempty"` // of an answer sent back; not read
	Count    int          `json:"count,omitempty"`    // likewise
}

func classes(in []classBody) ([]classify.Class, error) {
	var out []classify.Class
	for i, b := range in {
		w, err := b.Where.node("classes." + strconv.Itoa(i) + ".where")
		if err != nil {
			return nil, err
		}
		out = append(out, classify.Class{Key: b.Key, Label: b.Label, Color: b.Color, Where: w, Rank: b.Rank, Phase: b.Phase})
	}
	return out, nil
}

type patchClassificationIn struct {
	Key     string `path:"key"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Label   schema.Label `json:"label,omitempty"`
		Classes []classBody  `json:"classes"`
		Version int64        `json:"version,omitempty"`
	}
}

func (a *API) patchClassification(ctx context.Context, c *call, in patchClassificationIn) (Classification, error) {
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Classification{}, err
	}
	cs, err := classes(in.Body.Classes)
	if err != nil {
		return Classification{}, err
	}
	k, err := c.ws.Classes.Update(ctx, in.Key, version, in.Body.Label, cs)
	if err != nil {
		return Classification{}, err
	}
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "classification.update", "classification", 0, map[string]any{"key": k.Key}); err != nil {
		return Classification{}, err
	}
	return c.showClassification(ctx, k)
}

func (a *API) resetClassification(ctx context.Context, c *call, in keyIn) (Classification, error) {
	k, err := c.ws.Classes.Reset(ctx, in.Key)
	if err != nil {
		return Classification{}, err
	}
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "classification.reset", "classification", 0, map[string]any{"key": k.Key}); err != nil {
		return Classification{}, err
	}
	return c.showClassification(ctx, k)
}

// ClassPreview is what an edit of classes would do.
type ClassPreview struct {
	Classes []ClassSize `json:"classes"`
	Moved   int         `json:"moved"`
	Flows   []ClassFlow `json:"flows" doc:"customers by their class now and then"`
	Seconds float64     `json:"seconds"`
}

// ClassSize is a class with its size after and before.
type ClassSize struct {
	Key    string `json:"key"`
	Count  int    `json:"count"`
	Before int    `json:"before"`
}

type previewClassesIn struct {
	Key  string `path:"key"`
	Body struct {
		Classes []classBody `json:"classes"`
	}
}

func (a *API) previewClasses(ctx context.Context, c *call, in previewClassesIn) (ClassPreview, error) {
	cs, err := classes(in.Body.Classes)
	if err != nil {
		return ClassPreview{}, err
	}
	start := time.Now()
	counts, before, moved, err := c.ws.Classes.Preview(ctx, in.Key, cs)
	if err != nil {
		return ClassPreview{}, err
	}
	flows, err := c.ws.Classes.Moving(ctx, in.Key, cs)
	if err != nil {
		return ClassPreview{}, err
	}
	out := ClassPreview{Moved: moved, Flows: showFlows(flows), Seconds: time.Since(start).Seconds(), Classes: []ClassSize{}}
	for _, k := range cs {
		out.Classes = append(out.Classes, ClassSize{Key: k.Key, Count: counts[k.Key], Before: before[k.Key]})
	}
	return out, nil
}

// ClassHistory is the sizes after past passes, newest first.
type ClassHistory struct {
	Items []ClassPoint `json:"items"`
}

// ClassPoint is the sizes after one pass.
type ClassPoint struct {
	At     time.Time      `json:"at"`
	By     string         `json:"by"`
	Reason string         `json:"reason"`
	Counts map[string]int `json:"counts"`
	Moved  int            `json:"moved"`
}

func (a *API) classHistory(ctx context.Context, c *call, in keyIn) (ClassHistory, error) {
	ps, err := c.ws.Classes.History(ctx, in.Key, 400)
	if err != nil {
		return ClassHistory{}, err
	}
	by := make([]record.Ref, len(ps))
	for i, p := range ps {
		by[i] = record.Ref{Object: "user", ID: p.By}
	}
	if err := c.ws.Records.Titles(ctx, by); err != nil {
		return ClassHistory{}, err
	}
	out := ClassHistory{Items: []ClassPoint{}}
	for i, p := range ps {
		out.Items = append(out.Items, ClassPoint{At: p.At, By: by[i].Title, Reason: p.Reason, Counts: p.Counts, Moved: p.Moved})
	}
	return out, nil
}

// versionOf reads If-Match ("3", W/"3", *), falling back to the version of the body; 0 stands for none.
func versionOf(ifMatch string, body int64) (int64, error) {
	tag := strings.Trim(strings.TrimPrefix(strings.TrimSpace(ifMatch), "W/"), `"`)
	switch tag {
	case "":
		return body, nil
	case "*":
		return 0, nil
	}
	v, err := strconv.ParseInt(tag, 10, 64)
	if err != nil || v <= 0 {
		return 0, fault.InvalidField("api.bad_parameter", "If-Match", nil)
	}
	return v, nil
}
