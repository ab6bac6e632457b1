package rights

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Explanation is why a person may or may not do things with a record: every rule of their role, in words.
type Explanation struct {
	Person  Member
	Role    schema.Label
	Object  *schema.Object
	Actions []Verdict
	Hidden  []*schema.Field // that the person does not see
	Masked  []*schema.Field // of which the person sees only that there is a value
}

// Verdict is one action: granted when one of its lines grants.
type Verdict struct {
	Action  access.Action
	Granted bool
	Lines   []Line
}

// Line is one rule and whether it grants the action on this record.
type Line struct {
	Grants bool
	Rule   access.Rule
	Text   schema.Label
}

// Explain says what a person may do with a record and why. Everybody may ask about themselves; about others those who manage
// people, of records that they see themselves.
func (s *Service) Explain(ctx context.Context, person id.ID, object string, rec id.ID) (*Explanation, error) {
	if caller := access.From(ctx); caller.Person != person || person == 0 {
		if err := allow(ctx, access.UserManage); err != nil {
			return nil, err
		}
	}
	if _, err := s.cfg.Records().Get(ctx, object, rec); err != nil {
		return nil, err
	}
	m, err := s.cfg.People.Member(ctx, person)
	if err != nil {
		return nil, err
	}
	actor, err := s.Resolve(ctx, access.Actor{Kind: access.ByUser, ID: person, Name: m.Name, Role: m.Role})
	if err != nil {
		return nil, err
	}
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	e := explaining{s: s, ctx: ctx, st: st, actor: actor, obj: s.cfg.Registry().Object(object), rec: rec}
	out := &Explanation{Person: m, Role: s.roleName(st, m.Role), Object: e.obj}
	if m.Disabled {
		line := Line{Rule: "disabled", Text: s.label("rights.why_disabled", nil)}
		out.Actions = append(out.Actions, Verdict{Action: access.Read, Lines: []Line{line}})
		return out, nil
	}
	if e.shares, err = s.cfg.Store.Shares(ctx, object, rec); err != nil {
		return nil, err
	}
	for _, x := range access.Actions() {
		if x == access.Create {
			continue
		}
		v, err := e.verdict(x)
		if err != nil {
			return nil, err
		}
		if x != access.Read && !out.Actions[0].Granted { // with what is not seen nothing can be done
			v.Granted = false
		}
		out.Actions = append(out.Actions, v)
	}
	for _, f := range e.obj.Fields {
		switch actor.Field(object, f.Key) {
		case access.FieldHidden:
			out.Hidden = append(out.Hidden, f)
		case access.FieldMasked:
			out.Masked = append(out.Masked, f)
		}
	}
	return out, nil
}

func (s *Service) roleName(st *state, role access.Role) schema.Label {
	if r := st.roles[role]; r != nil {
		return schema.Label{lang.ChineseSimplified: r.Name, lang.English: r.Name}
	}
	if role.Known() {
		return s.label("rights.role_"+string(role), nil)
	}
	return s.label("rights.role_gone", nil)
}

// label is a sentence in both languages; params that are labels are put in their language.
func (s *Service) label(key string, params map[string]any) schema.Label {
	out := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		p := make(map[string]any, len(params))
		for k, v := range params {
			if l, ok := v.(schema.Label); ok {
				v = l.In(loc)
			}
			p[k] = v
		}
		out[loc] = s.cfg.Text(loc, key, p)
	}
	return out
}

// explaining is one explanation on its way.
type explaining struct {
	s      *Service
	ctx    context.Context
	st     *state
	actor  access.Actor
	obj    *schema.Object
	rec    id.ID
	shares []Share
}

func (e *explaining) verdict(x access.Action) (Verdict, error) {
	env := e.s.cfg.Env()
	pieces := access.Pieces(e.actor, e.obj, x, env)
	list := make([]query.Expr, len(pieces))
	for i, p := range pieces {
		list[i] = p.Expr
	}
	holds, row, err := e.s.cfg.Records().Judge(e.ctx, e.obj.Key, e.rec, list)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Action: x}
	for i, p := range pieces {
		lines, err := e.lines(x, p.Rule, holds[i], row)
		if err != nil {
			return v, err
		}
		v.Lines = append(v.Lines, lines...)
		v.Granted = v.Granted || holds[i]
	}
	return v, nil
}

// lines put a rule into words.
func (e *explaining) lines(x access.Action, rule access.Rule, holds bool, row *record.Row) ([]Line, error) {
	grant := e.actor.Grant(e.obj.Key, x)
	params := map[string]any{"person": e.actor.Name, "role": e.s.roleName(e.st, e.actor.Role), "object": e.obj.Label, "action": e.s.label("rights.action_"+string(x), nil)}
	key := "rights.why_" + string(rule)
	switch rule {
	case access.RuleOwner, access.RuleCustomerOwner:
		owner, err := e.owner(rule, row)
		if err != nil {
			return nil, err
		}
		params["owner"] = owner.Title
		params["units"] = e.together(owner.ID, grant.Scope)
		key += "_" + e.how(owner, holds, grant.Scope)
		params["scope"] = e.s.label("rights.scope_"+string(grant.Scope), nil)
	case access.RuleCondition:
		params["condition"] = e.s.cfg.Sentence(e.obj.Key, grant.Where)
		key += yesNo(holds)
	case access.RuleCustomer:
		key += yesNo(holds)
	case access.RuleShared:
		return e.sharedLines(holds, params)
	case access.RuleSharedCustomer:
		key += yesNo(holds)
	}
	return []Line{{Grants: holds, Rule: rule, Text: e.s.label(key, params)}}, nil
}

func yesNo(holds bool) string {
	if holds {
		return "_yes"
	}
	return "_no"
}

// how says which way the owner decides: nobody, the person, somebody together with the person, somebody else.
func (e *explaining) how(owner record.Ref, holds bool, scope access.Scope) string {
	switch {
	case owner.ID == 0:
		return "nobody"
	case owner.ID == e.actor.Person:
		return "self"
	case holds && scope != access.Own:
		return "together"
	}
	return "other"
}

// owner is whose the record, or its customer, is.
func (e *explaining) owner(rule access.Rule, row *record.Row) (record.Ref, error) {
	ref := record.Ref{Object: "user"}
	records := e.s.cfg.Records()
	if rule == access.RuleOwner {
		ref.ID = records.RowValue(e.obj.Key, row, access.Owner(e.obj))
	} else if customer := e.s.cfg.Registry().Object(query.Customer); customer != nil {
		if of := records.RowValue(e.obj.Key, row, e.obj.Field(e.obj.CustomerField)); of != 0 {
			_, there, err := records.Judge(e.ctx, query.Customer, of, nil)
			if err == nil {
				ref.ID = records.RowValue(query.Customer, there, access.Owner(customer))
			}
		}
	}
	refs := []record.Ref{ref}
	err := records.Titles(e.ctx, refs)
	if refs[0].Title == "" && ref.ID != 0 {
		refs[0].Title = id.Format("usr", ref.ID)
	}
	return refs[0], err
}

// together names the person's units through which an owner is reached.
func (e *explaining) together(owner id.ID, scope access.Scope) string {
	kind := Team
	if scope == access.Department {
		kind = Department
	}
	mine := map[id.ID]bool{}
	for _, v := range e.st.inside(e.actor.Person, kind) {
		mine[v] = true
	}
	out := ""
	for _, v := range e.st.order {
		u := e.st.units[v]
		if u.Kind != kind || !contains(u.Members, owner) || !mine[v] && (kind == Team || !e.st.under(v, mine)) {
			continue
		}
		if out != "" {
			out += ", "
		}
		out += u.Name
	}
	return out
}

// sharedLines name everybody through whom a record was shared with the person.
func (e *explaining) sharedLines(holds bool, params map[string]any) ([]Line, error) {
	if !holds {
		return nil, nil // that others have been given other records is no reason
	}
	to := e.st.grantees(e.actor.Person)
	var out []Line
	for _, x := range e.shares {
		if !slices.Contains(to, Grantee{x.Kind, x.Grantee}) || !x.Until.IsZero() && !e.s.cfg.Clock.Now().Before(x.Until) {
			continue
		}
		by := []record.Ref{{Object: "user", ID: x.CreatedBy}}
		if err := e.s.cfg.Records().Titles(e.ctx, by); err != nil {
			return nil, err
		}
		p := map[string]any{"by": by[0].Title, "person": params["person"]}
		key := "rights.why_shared_" + string(x.Kind)
		if u := e.st.units[x.Grantee]; u != nil {
			p["unit"] = u.Name
		}
		out = append(out, Line{Grants: true, Rule: access.RuleShared, Text: e.s.label(key, p)})
	}
	return out, nil
}

// Sight is how much of an object somebody with a role sees.
type Sight struct {
	Object *schema.Object
	Seen   int
	Total  int
	// SeenMore and TotalMore say that there are more than counted.
	SeenMore, TotalMore bool
	Hidden, Masked      []*schema.Field
}

// Preview says how much somebody would see with a role that need not be saved.
func (s *Service) Preview(ctx context.Context, d access.Definition, person id.ID) ([]Sight, error) {
	if err := allow(ctx, access.RoleManage); err != nil {
		return nil, err
	}
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.checkRole(st, &d); err != nil {
		return nil, err
	}
	if _, err := s.cfg.People.Member(ctx, person); err != nil {
		return nil, err
	}
	held, _, err := s.apply(ctx, st, &d, person)
	if err != nil {
		return nil, err
	}
	as := access.With(ctx, access.Actor{Kind: access.ByUser, ID: person, Person: person, Role: d.Key, Held: held})
	all := access.With(ctx, access.System())
	var out []Sight
	for _, obj := range s.cfg.Registry().Tables() {
		if obj.Hidden {
			continue
		}
		x := Sight{Object: obj}
		if x.Total, x.TotalMore, err = s.cfg.Records().Count(all, obj.Key, nil, "", false); err != nil {
			return nil, err
		}
		if access.From(as).May(obj.Key, access.Read) {
			if x.Seen, x.SeenMore, err = s.cfg.Records().Count(as, obj.Key, nil, "", false); err != nil {
				return nil, err
			}
		}
		for _, f := range obj.Fields {
			switch access.From(as).Field(obj.Key, f.Key) {
			case access.FieldHidden:
				x.Hidden = append(x.Hidden, f)
			case access.FieldMasked:
				x.Masked = append(x.Masked, f)
			}
		}
		out = append(out, x)
	}
	return out, nil
}
