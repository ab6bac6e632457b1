package view

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Kinds of those whom a view is shared with, from the nearest to the farthest: of two default views the nearer one counts.
const (
	Person     = "user"
	Team       = "team"
	Department = "department" // with those below
	ByRole     = "role"
	Everyone   = "everyone"
)

// MaxShares is with how many a view is shared at most.
const MaxShares = 100

// Grantee is somebody whom views are shared with: a person, a team, a department with those below, the holders of a role, or everyone.
type Grantee struct {
	Kind string
	ID   id.ID  // of a person, team or department
	Role string // of a role
}

// All is everyone.
func All() Grantee { return Grantee{Kind: Everyone} }

// Who is a grantee as one word, as it is stored.
func (g Grantee) Who() string {
	switch g.Kind {
	case Everyone:
		return Everyone
	case ByRole:
		return ByRole + " " + g.Role
	}
	return g.Kind + " " + strconv.FormatInt(int64(g.ID), 10)
}

// ParseWho is the grantee of what Who printed; ok is false for anything else.
func ParseWho(who string) (g Grantee, ok bool) {
	kind, rest, _ := strings.Cut(who, " ")
	switch kind {
	case Everyone:
		return All(), rest == ""
	case ByRole:
		return Grantee{Kind: ByRole, Role: rest}, rest != ""
	case Person, Team, Department:
		n, err := strconv.ParseInt(rest, 10, 64)
		return Grantee{Kind: kind, ID: id.ID(n)}, err == nil
	}
	return Grantee{}, false
}

// Share is one grantee of a view.
type Share struct {
	Grantee
	Writes bool // may change the view, not only look through it
}

// Usual is a view as the one that an object opens with, for somebody.
type Usual struct {
	For  Grantee
	View string // its key
}

// Readers are all under which views may be shared with the actor, nearest first.
func (s *Service) readers(ctx context.Context) ([]Grantee, error) {
	var out []Grantee
	if s.cfg.Belongs != nil {
		list, err := s.cfg.Belongs(ctx)
		if err != nil {
			return nil, fmt.Errorf("whom views are shared with: %w", err)
		}
		out = list
	} else if who := owner(ctx); who != 0 {
		out = []Grantee{{Kind: Person, ID: who}}
	}
	if r := access.From(ctx).Role; r != "" {
		out = append(out, Grantee{Kind: ByRole, Role: string(r)})
	}
	return append(out, All()), nil
}

// everyone reports whether a list of shares holds everyone.
func everyone(list []Share) bool {
	return slices.ContainsFunc(list, func(x Share) bool { return x.Kind == Everyone })
}

// wide are grantees for whom sharing needs a right: who they are is not chosen one by one.
func wide(list []Share) bool {
	return slices.ContainsFunc(list, func(x Share) bool { return x.Kind == Everyone || x.Kind == ByRole })
}

// May is what the actor may do with a view that it sees: change what it shows, and share, hand on or delete it. A view with parts that
// the actor does not see is not changed by it, so that they are not lost.
func (s *Service) May(ctx context.Context, v *View) (edit, manage bool, err error) {
	if v.Builtin != "" {
		return false, false, nil
	}
	_, whole := s.Seen(ctx, v)
	switch {
	case Mine(ctx, v), (wide(v.Shares) || v.Owner == 0) && access.From(ctx).Can(access.ViewShare):
		return whole, true, nil
	}
	mine, err := s.readers(ctx)
	if err != nil {
		return false, false, err
	}
	edit = slices.ContainsFunc(v.Shares, func(x Share) bool { return x.Writes && slices.Contains(mine, x.Grantee) })
	return edit && whole, false, nil
}

// sees reports whether a view is the actor's or shared with it.
func (s *Service) sees(ctx context.Context, v *View) (bool, error) {
	if v.Shared || Mine(ctx, v) {
		return true, nil
	}
	mine, err := s.readers(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(v.Shares, func(x Share) bool { return slices.Contains(mine, x.Grantee) }), nil
}

// Seen is a view as the actor sees it: without columns, sort keys and settings of fields that are hidden from it. A part of the
// condition about such a field is left without its value: the question is then refused, instead of answered with more records than
// the view means. whole is false when anything was left out.
func (s *Service) Seen(ctx context.Context, v *View) (shown View, whole bool) {
	shown = *v
	who := access.From(ctx)
	obj := s.cfg.Registry().Object(v.Object)
	if obj == nil || who.Unlimited() {
		return shown, true
	}
	field := func(key string) *schema.Field { return obj.Field(key) }
	hidden := func(key string) bool {
		f := field(key)
		return f != nil && who.FieldOf(obj.Key, f) == access.FieldHidden
	}
	unasked := func(k schema.Sort) bool {
		f := field(k.Field)
		return k.Trait != "" && !who.Can(access.SegmentRead) || f != nil && !who.MayAsk(obj.Key, f)
	}
	shown.Columns = slices.DeleteFunc(slices.Clone(v.Columns), hidden)
	shown.Sort = slices.DeleteFunc(slices.Clone(v.Sort), unasked)
	shown.Options = v.Options.Without(hidden)
	blanked := false
	shown.Where = blank(v.Where, func(n *query.Node) bool {
		key, _, _ := strings.Cut(n.Field, ".")
		f := field(key)
		cut := n.Field != "" && f != nil && !who.MayAsk(obj.Key, f)
		blanked = blanked || cut
		return cut
	})
	whole = !blanked && len(shown.Columns) == len(v.Columns) && len(shown.Sort) == len(v.Sort) && same(shown.Options, v.Options)
	return shown, whole
}

func same(a, b Settings) bool {
	x, err := json.Marshal(a)
	y, other := json.Marshal(b)
	return err == nil && other == nil && string(x) == string(y)
}

// blank is a condition in which leaves are left without operator and value where cut says so.
func blank(n *query.Node, cut func(*query.Node) bool) *query.Node {
	if n == nil {
		return nil
	}
	if cut(n) {
		return &query.Node{Field: n.Field, Op: "is_set"}
	}
	out := *n
	all := func(list []*query.Node) []*query.Node {
		list = slices.Clone(list)
		for i := range list {
			list[i] = blank(list[i], cut)
		}
		return list
	}
	out.All, out.Any, out.Not = all(n.All), all(n.Any), blank(n.Not, cut)
	return &out
}

// checkShares refuses shares that name nobody, or somebody twice, or more than the actor may give.
func (s *Service) checkShares(ctx context.Context, v *View, before []Share) []*fault.Fault {
	if len(v.Shares) > MaxShares {
		return []*fault.Fault{fault.InvalidField("view.shares_many", "shares", fault.Params{"max": MaxShares})}
	}
	var bad []*fault.Fault
	seen := map[Grantee]bool{}
	for i, x := range v.Shares {
		at := "shares." + strconv.Itoa(i)
		if seen[x.Grantee] {
			bad = append(bad, fault.InvalidField("view.share_twice", at, nil))
		}
		seen[x.Grantee] = true
		if slices.Contains(before, x) {
			continue // whoever is gone since does not keep the rest from being saved
		}
		if f := s.unknown(ctx, x.Grantee, at+".to"); f != nil {
			bad = append(bad, f)
		}
	}
	return bad
}

// unknown is the fault of a grantee that there is not, nil else.
func (s *Service) unknown(ctx context.Context, g Grantee, at string) *fault.Fault {
	switch {
	case !slices.Contains([]string{Person, Team, Department, ByRole, Everyone}, g.Kind):
		return fault.InvalidField("view.share_kind", at, nil)
	case g.Kind == Everyone || s.cfg.Known == nil:
		return nil
	}
	known, err := s.cfg.Known(ctx, g)
	if err != nil || !known {
		return fault.InvalidField("view.share_unknown", at, nil)
	}
	return nil
}

// mayShare refuses a change of shares that only a holder of view.share makes: what everyone or the holders of a role get or lose.
func mayShare(ctx context.Context, before, after []Share) error {
	pick := func(list []Share) []Share {
		list = slices.DeleteFunc(slices.Clone(list), func(x Share) bool { return x.Kind != Everyone && x.Kind != ByRole })
		slices.SortFunc(list, func(a, b Share) int { return strings.Compare(a.Who(), b.Who()) })
		return list
	}
	if slices.Equal(pick(before), pick(after)) {
		return nil
	}
	return allow(ctx, access.ViewShare)
}

// settle brings Shared and Shares into line: p.Shared alone gives everyone a look, or takes it.
func settle(v *View, shared *bool, shares *[]Share) {
	if shares != nil {
		v.Shares = slices.Clone(*shares)
	}
	if shared != nil && *shared != everyone(v.Shares) {
		if *shared {
			v.Shares = append(slices.Clone(v.Shares), Share{Grantee: All()})
		} else {
			v.Shares = slices.DeleteFunc(slices.Clone(v.Shares), func(x Share) bool { return x.Kind == Everyone })
		}
	}
	slices.SortFunc(v.Shares, func(a, b Share) int { return strings.Compare(a.Who(), b.Who()) })
	v.Shared = everyone(v.Shares)
}

// Defaults are the views that an object opens with: all that are set for the actor or for those it belongs to, nearest first. The first
// one whose view the actor sees counts.
func (s *Service) Defaults(ctx context.Context, object string) ([]Usual, error) {
	if _, err := s.object(ctx, object); err != nil {
		return nil, err
	}
	mine, err := s.readers(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.cfg.Store.Usuals(ctx, object, mine)
	if err != nil {
		return nil, fmt.Errorf("default views of %s: %w", object, err)
	}
	slices.SortFunc(all, func(a, b Usual) int { return slices.Index(mine, a.For) - slices.Index(mine, b.For) })
	return all, nil
}

// AllDefaults are the default views of an object for others than single persons, for holders of view.share.
func (s *Service) AllDefaults(ctx context.Context, object string) ([]Usual, error) {
	if _, err := s.object(ctx, object); err != nil {
		return nil, err
	}
	if err := allow(ctx, access.ViewShare); err != nil {
		return nil, err
	}
	all, err := s.cfg.Store.Usuals(ctx, object, nil)
	if err != nil {
		return nil, fmt.Errorf("default views of %s: %w", object, err)
	}
	return all, nil
}

// SetDefault makes a view the one that an object opens with for somebody, or takes that away. For others than oneself it needs
// view.share, and a view that they see.
func (s *Service) SetDefault(ctx context.Context, object, key string, to Grantee, on bool) error {
	v, err := s.Get(ctx, object, key)
	if err != nil {
		return err
	}
	if to.Kind == Person {
		if to.ID = owner(ctx); to.ID == 0 {
			return fault.InvalidField("view.default_for", "for", nil)
		}
	} else {
		if err := allow(ctx, access.ViewShare); err != nil {
			return err
		}
		if f := s.unknown(ctx, to, "to"); f != nil {
			return f
		}
		if on && !v.Shared && !slices.ContainsFunc(v.Shares, func(x Share) bool { return x.Grantee == to }) {
			return fault.InvalidField("view.default_private", "for", nil)
		}
	}
	name := ""
	if on {
		name = v.Key()
	} else if all, err := s.cfg.Store.Usuals(ctx, object, []Grantee{to}); err != nil || len(all) == 0 || all[0].View != v.Key() {
		return err // another one is the default meanwhile: that stays
	}
	if err := s.cfg.Store.SetUsual(ctx, object, to, name); err != nil {
		return fmt.Errorf("set default view: %w", err)
	}
	return nil
}

// HandOver gives all views of a person to another one, private ones too, and tells how many. It needs user.manage.
func (s *Service) HandOver(ctx context.Context, from, to id.ID) (int, error) {
	if err := allow(ctx, access.UserManage); err != nil {
		return 0, err
	}
	if from == to {
		return 0, fault.InvalidField("view.hand_over_self", "to", nil)
	}
	if f := s.unknown(ctx, Grantee{Kind: Person, ID: to}, "to"); f != nil {
		return 0, f
	}
	n, err := s.cfg.Store.MoveViews(ctx, from, to, s.cfg.Clock.Now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return 0, fmt.Errorf("hand over views: %w", err)
	}
	if n > 0 && s.cfg.Note != nil {
		err = s.cfg.Note(ctx, "view.hand_over", 0, map[string]any{"from": id.Format("usr", from), "to": id.Format("usr", to), "views": n})
	}
	return n, err
}

// Owned is how many views each person has. It needs user.manage.
func (s *Service) Owned(ctx context.Context) (map[id.ID]int, error) {
	if err := allow(ctx, access.UserManage); err != nil {
		return nil, err
	}
	out, err := s.cfg.Store.CountOwned(ctx)
	if err != nil {
		return nil, fmt.Errorf("count views: %w", err)
	}
	return out, nil
}

// noteShares leaves in the trail that a view is shared with others than before.
func (s *Service) noteShares(ctx context.Context, v *View, before []Share) error {
	if s.cfg.Note == nil || slices.Equal(before, v.Shares) {
		return nil
	}
	with := make([]string, 0, len(v.Shares))
	for _, x := range v.Shares {
		word := x.Kind
		switch x.Kind {
		case Person:
			word += " " + id.Format("usr", x.ID)
		case Team, Department:
			word += " " + id.Format("unt", x.ID)
		case ByRole:
			word += " " + x.Role
		}
		if x.Writes {
			word += " write"
		}
		with = append(with, word)
	}
	return s.cfg.Note(ctx, "view.share", v.ID, map[string]any{"object": v.Object, "with": with})
}
