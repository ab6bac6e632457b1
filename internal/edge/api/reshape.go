package api

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/reshape"
)

// shapeRoutes are layouts and the long work on the shape of records.
func (a *API) shapeRoutes() []route {
	return []route{
		{method: get, path: "/objects/{object}/layouts", need: right, right: access.SchemaManage, run: op(a.layouts), doc: "Page layouts of an object, and the roles there are"},
		{method: post, path: "/objects/{object}/layouts", need: right, right: access.SchemaManage, run: op(a.setLayout), doc: "Set the page layout of everyone or of a role"},
		{method: del, path: "/objects/{object}/layouts/{role}", need: right, right: access.SchemaManage, run: op(a.removeLayout), doc: "Take a page layout away; \"default\" is the one of everyone"},
		{method: get, path: "/objects/{object}/works", need: right, right: access.SchemaManage, run: op(a.works), doc: "Long work on the shape of an object, newest first"},
		{method: get, path: "/objects/{object}/advice", need: right, right: access.SchemaManage, run: op(a.advice), doc: "Lists that are slow, and the fields whose index would help"},
		{method: get, path: "/objects/{object}/unique/{rule}/clashes", need: right, right: access.SchemaManage, run: op(a.clashes), doc: "Records that clash under a unique rule, as its last check found them"},
	}
}

// UniqueRule is a unique rule with where it stands.
type UniqueRule struct {
	Key    string       `json:"key,omitempty"`
	Label  schema.Label `json:"label"`
	Fields []string     `json:"fields"`
	State  string       `json:"state,omitempty" enum:",on,off,checking,clash" doc:"off switches the rule off; what the check of the records says is the program's"`
}

func uniqueRules(in []UniqueRule) []schema.UniqueRule {
	if in == nil {
		return nil
	}
	out := make([]schema.UniqueRule, len(in))
	for i, u := range in {
		out[i] = schema.UniqueRule{Key: u.Key, Label: u.Label, Fields: u.Fields, State: schema.UniqueState(u.State)}
	}
	return out
}

// Layouts are those of an object.
type Layouts struct {
	Items []schema.Layout `json:"items"`
	Roles []LayoutRole    `json:"roles"`
}

// LayoutRole is a role that may have a layout of its own.
type LayoutRole struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty" doc:"of a role made in the workspace"`
}

func (a *API) layouts(ctx context.Context, c *call, in objectIn) (Layouts, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return Layouts{}, err
	}
	out := Layouts{Items: []schema.Layout{}, Roles: []LayoutRole{}}
	for _, r := range []access.Role{access.Administrator, access.Manager, access.Member, access.ReadOnly} {
		out.Roles = append(out.Roles, LayoutRole{Key: string(r)})
	}
	names, err := c.ws.Rights.Names(ctx)
	if err != nil {
		return Layouts{}, err
	}
	for _, r := range slices.Sorted(maps.Keys(names)) {
		out.Roles = append(out.Roles, LayoutRole{Key: string(r), Name: names[r]})
	}
	for i := range o.Layouts {
		l := &o.Layouts[i]
		if _, made := names[access.Role(l.Role)]; made || l.Role == "" || access.Role(l.Role).Known() {
			out.Items = append(out.Items, *l.Seen(func(key string) bool { return o.Field(key) != nil }))
		}
	}
	return out, nil
}

type setLayoutIn struct {
	Object string `path:"object"`
	Body   schema.Layout
}

func (a *API) setLayout(ctx context.Context, c *call, in setLayoutIn) (Layouts, error) {
	if r := access.Role(in.Body.Role); r != "" && !r.Known() {
		names, err := c.ws.Rights.Names(ctx)
		if err != nil {
			return Layouts{}, err
		}
		if _, ok := names[r]; !ok {
			return Layouts{}, fault.InvalidField("rights.role_unknown", "role", fault.Params{"role": in.Body.Role})
		}
	}
	if err := c.ws.Metadata.SetLayout(ctx, in.Object, in.Body); err != nil {
		return Layouts{}, err
	}
	return a.layouts(ctx, c, objectIn{Object: in.Object})
}

type layoutIn struct {
	Object string `path:"object"`
	Role   string `path:"role"`
}

func (a *API) removeLayout(ctx context.Context, c *call, in layoutIn) (empty, error) {
	role := in.Role
	if role == "default" {
		role = ""
	}
	return empty{}, c.ws.Metadata.RemoveLayout(ctx, in.Object, role)
}

// Work is a piece of long work on the shape of records.
type Work struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind" enum:"unique,convert,index"`
	Object string    `json:"object"`
	Target string    `json:"target" doc:"key of the rule or field"`
	State  string    `json:"state" enum:"queued,running,checked,done,failed,cancelled,undone"`
	Seen   int64     `json:"seen"`
	Total  int64     `json:"total"`
	Found  int64     `json:"found" doc:"records that stand in the way"`
	Error  string    `json:"error,omitempty"`
	At     time.Time `json:"at"`
}

func (a *API) showWork(c *call, w *reshape.Work) Work {
	out := Work{ID: id.Format(reshape.Prefix, w.ID), Kind: string(w.Kind), Object: w.Object, Target: w.Target, State: string(w.State), Seen: w.Seen,
		Total: max(w.Total, w.Seen), Found: w.Found, At: w.CreatedAt}
	var f reshape.Failure
	if w.Error != "" && json.Unmarshal([]byte(w.Error), &f) == nil {
		for k, v := range f.Params {
			if m, ok := v.(map[string]any); ok { // a label
				l := schema.Label{}
				for locale, text := range m {
					l[lang.Locale(locale)], _ = text.(string)
				}
				f.Params[k] = l
			}
		}
		out.Error = a.Words.Text(localeOf(c.locale), f.Code, f.Params)
	}
	return out
}

// Works are those of an object.
type Works struct {
	Items []Work `json:"items"`
}

func (a *API) works(ctx context.Context, c *call, in objectIn) (Works, error) {
	list, err := c.ws.Reshape.List(ctx, in.Object)
	out := Works{Items: []Work{}}
	for i := range list {
		out.Items = append(out.Items, a.showWork(c, &list[i]))
	}
	return out, err
}

type clashesIn struct {
	Object string `path:"object"`
	Rule   string `path:"rule"`
	After  string `query:"after"`
}

// Clashes are records that clash.
type Clashes struct {
	Items []Clash `json:"items"`
	Total int64   `json:"total"`
	Next  string  `json:"next,omitempty"`
}

// Clash is a record and the one that has the same values.
type Clash struct {
	Record *Ref `json:"record" doc:"nothing for a record that the caller does not see"`
	Other  *Ref `json:"other"`
}

const clashesAtOnce = 50

func (a *API) clashes(ctx context.Context, c *call, in clashesIn) (Clashes, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return Clashes{}, err
	}
	out := Clashes{Items: []Clash{}}
	w, ok, err := c.ws.Reshape.Clashes(ctx, in.Object, in.Rule)
	if err != nil || !ok {
		return out, err
	}
	out.Total = w.Found
	var after id.ID
	if in.After != "" {
		if after, err = id.Parse(o.Prefix, in.After); err != nil {
			return Clashes{}, fault.InvalidField("api.bad_parameter", "after", nil)
		}
	}
	left, err := c.ws.Reshape.Left(ctx, w.ID, after, clashesAtOnce)
	if err != nil {
		return Clashes{}, err
	}
	refs, err := c.refsOf(ctx, o, left)
	if err != nil {
		return Clashes{}, err
	}
	for _, l := range left {
		out.Items = append(out.Items, Clash{Record: refs[l.Record], Other: refs[l.Other]})
		out.Next = id.Format(o.Prefix, l.Record)
	}
	if len(left) < clashesAtOnce {
		out.Next = ""
	}
	return out, nil
}

// refsOf names the live records of a list that the caller sees.
func (c *call) refsOf(ctx context.Context, o *schema.Object, left []reshape.Left) (map[id.ID]*Ref, error) {
	var ids []id.ID
	for _, l := range left {
		ids = append(ids, l.Record)
		if l.Other != 0 {
			ids = append(ids, l.Other)
		}
	}
	var found []*record.Record
	if len(ids) > 0 {
		var err error
		if found, err = c.ws.Records.GetMany(ctx, o.Key, ids, []string{}); err != nil {
			return nil, err
		}
	}
	out := map[id.ID]*Ref{}
	for _, r := range found {
		out[r.ID] = &Ref{ID: id.Format(o.Prefix, r.ID), Object: o.Key, Title: r.Title}
	}
	return out, nil
}

// Advices are the slow lists of an object.
type Advices struct {
	Items []Advice `json:"items"`
}

// Advice is a kind of list that is slow.
type Advice struct {
	Fields  []string  `json:"fields" doc:"paths of the fields of the condition"`
	Sort    string    `json:"sort,omitempty"`
	Asked   int64     `json:"asked"`
	Slow    int64     `json:"slow" doc:"how often it took 200 ms or more"`
	P95     int64     `json:"p95_ms" doc:"upper bound"`
	LastAt  time.Time `json:"last_at"`
	Propose string    `json:"propose,omitempty" doc:"field that could have an index and has none"`
}

func (a *API) advice(ctx context.Context, c *call, in objectIn) (Advices, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return Advices{}, err
	}
	list, err := c.ws.Adviser.Advise(ctx, o)
	out := Advices{Items: []Advice{}}
	for _, q := range list {
		out.Items = append(out.Items, Advice{Fields: append([]string{}, q.Fields...), Sort: q.Sort, Asked: q.Asked, Slow: q.Slow, P95: q.P95().Milliseconds(), LastAt: q.LastAt, Propose: q.Propose})
	}
	return out, err
}
