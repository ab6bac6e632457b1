package api

import (
	"context"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// formulaRoutes help to write computed fields.
func (a *API) formulaRoutes() []route {
	return []route{
		{method: get, path: "/formulas/functions", need: right, right: access.SchemaManage, run: op(a.functions), doc: "Functions of formulas"},
		{method: post, path: "/objects/{object}/formula", need: right, right: access.SchemaManage, run: op(a.checkFormula), doc: "Check a formula and try it on records", status: http.StatusOK},
		{method: post, path: "/records/{object}/check", need: right, right: access.RecordRead, run: op(a.checkRecord), doc: "Which rules values would break, and which fields they hide or require; nothing is stored", status: http.StatusOK},
	}
}

// Functions are those that formulas know.
type Functions struct {
	Items []formula.Function `json:"items"`
}

func (a *API) functions(context.Context, *call, struct{}) (Functions, error) {
	return Functions{formula.Functions()}, nil
}

type checkFormulaIn struct {
	Object string `path:"object"`
	Body   struct {
		Formula string `json:"formula"`
		Key     string `json:"key,omitempty" doc:"of the computed field that is being changed"`
		Type    string `json:"type,omitempty" doc:"of a number: number, percent or duration"`
		Scale   int    `json:"scale,omitempty"`
		Record  string `json:"record,omitempty" doc:"try it on this record instead of the newest ones"`
	}
}

// FormulaResult is what can be said of a formula before it is saved.
type FormulaResult struct {
	OK       bool             `json:"ok"`
	Problems []FormulaProblem `json:"problems"`
	Formula  string           `json:"formula,omitempty" doc:"printed back: keys for labels, one spelling"`
	Type     string           `json:"type,omitempty"`
	Scale    int              `json:"scale"`
	Options  []schema.Option  `json:"options,omitempty"`
	Volatile bool             `json:"volatile" doc:"changes with the time"`
	Uses     []FormulaUse     `json:"uses"`
	Preview  []FormulaSample  `json:"preview"`
}

// FormulaProblem is a place of the text that is wrong.
type FormulaProblem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	From    int    `json:"from" doc:"in characters, from 0"`
	To      int    `json:"to"`
}

// FormulaUse is a field that a formula reads.
type FormulaUse struct {
	Object string       `json:"object"`
	Field  string       `json:"field"`
	Label  schema.Label `json:"label"`
}

// FormulaSample is the result for a record.
type FormulaSample struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Value any    `json:"value"`
}

// previews is how many records a formula is tried on.
const previews = 3

func (a *API) checkFormula(ctx context.Context, c *call, in checkFormulaIn) (FormulaResult, error) {
	b := in.Body
	reg := c.ws.Registry()
	got, err := c.ws.Metadata.CheckFormula(ctx, reg, in.Object, schema.Field{Key: b.Key, Type: schema.Type(b.Type), Scale: b.Scale, Formula: b.Formula})
	if err != nil {
		return FormulaResult{}, err
	}
	out := FormulaResult{Problems: []FormulaProblem{}, Uses: []FormulaUse{}, Preview: []FormulaSample{}}
	for _, p := range got.Problems {
		out.Problems = append(out.Problems, FormulaProblem{Code: p.Code, Message: a.Words.Text(localeOf(c.locale), p.Code, p.Fault().Params), From: p.From, To: p.To})
	}
	if len(out.Problems) > 0 {
		return out, nil
	}
	f := got.Field
	p := formula.Of(&f)
	out.OK, out.Formula, out.Type, out.Scale, out.Options, out.Volatile = true, f.Formula, string(f.Type), f.Scale, f.Options, p.Volatile
	for _, u := range p.Direct {
		if o := reg.Object(u.Object); o != nil && o.Field(u.Field) != nil {
			out.Uses = append(out.Uses, FormulaUse{u.Object, u.Field, o.Field(u.Field).Label})
		}
	}
	out.Preview, err = c.tryFormula(ctx, reg.Object(in.Object), &f, b.Record)
	return out, err
}

// tryFormula works a formula out for one record, or for the newest ones.
func (c *call) tryFormula(ctx context.Context, o *schema.Object, f *schema.Field, rec string) ([]FormulaSample, error) {
	q := record.Query{Limit: previews, Sort: []schema.Sort{{Field: "id", Desc: true}}, Fields: []string{}}
	if rec != "" {
		v, err := id.Parse(o.Prefix, rec)
		if err != nil {
			return nil, fault.InvalidField("record.relation_unknown", "record", fault.Params{"object": o.Key})
		}
		q.IDs = []id.ID{v}
	}
	page, err := c.ws.Records.List(ctx, o.Key, q)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(page.Items))
	for i, r := range page.Items {
		ids[i] = r.ID
	}
	values, err := c.ws.Records.Evaluate(ctx, o.Key, f, ids)
	if err != nil {
		return nil, err
	}
	env := c.ws.Records.Env(ctx)
	out := []FormulaSample{}
	for _, r := range page.Items {
		s := FormulaSample{ID: id.Format(o.Prefix, r.ID), Title: r.Title}
		if v := values[r.ID]; v != nil {
			titles := map[string]record.Ref{}
			if target, ok := v.(id.ID); ok {
				refs := []record.Ref{{Object: f.Target, ID: target}}
				if err := c.ws.Records.Titles(ctx, refs); err != nil {
					return nil, err
				}
				titles[f.Key] = refs[0]
			}
			s.Value = ShowValue(f, v, titles, env)
		}
		out = append(out, s)
	}
	return out, nil
}

type checkRecordIn struct {
	Object string `path:"object"`
	Body   struct {
		ID     string         `json:"id,omitempty" doc:"of a record that is changed"`
		Fields map[string]any `json:"fields"`
	}
}

// RecordCheck is what the rules and conditions of an object say of values.
type RecordCheck struct {
	Problems []ProblemItem `json:"problems"`
	Hidden   []string      `json:"hidden" doc:"fields that are not shown with these values"`
	Required []string      `json:"required" doc:"fields that need a value with these, besides those that always do"`
}

func (a *API) checkRecord(ctx context.Context, c *call, in checkRecordIn) (RecordCheck, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return RecordCheck{}, err
	}
	rec := id.ID(0)
	if in.Body.ID != "" {
		if rec, err = id.Parse(o.Prefix, in.Body.ID); err != nil {
			return RecordCheck{}, fault.InvalidField("record.relation_unknown", "id", fault.Params{"object": o.Key})
		}
	}
	found, err := c.ws.Records.Try(ctx, in.Object, rec, in.Body.Fields)
	out := RecordCheck{Problems: []ProblemItem{}, Hidden: append([]string{}, found.Hidden...), Required: append([]string{}, found.Required...)}
	for _, f := range found.Problems {
		out.Problems = append(out.Problems, ProblemItem{Location: f.Field, Message: a.Words.Text(localeOf(c.locale), f.Code, f.Params), Code: f.Code})
	}
	return out, err
}
