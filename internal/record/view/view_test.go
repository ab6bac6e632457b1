package view_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/view"
	"github.com/guanxi-crm/guanxi/objects"
)

// memory is a view.Store.
type memory struct {
	views  map[id.ID]view.View
	usuals map[string]view.Usual
}

func (m memory) ListViews(_ context.Context, object string, owner id.ID, with []view.Grantee) ([]view.View, error) {
	var out []view.View
	for _, v := range m.views {
		shared := slices.ContainsFunc(v.Shares, func(x view.Share) bool { return slices.Contains(with, x.Grantee) })
		if v.Object == object && (shared || v.Owner != 0 && v.Owner == owner) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b view.View) int { return int(a.ID - b.ID) })
	return out, nil
}

func (m memory) GetView(_ context.Context, v id.ID) (view.View, error) {
	got, ok := m.views[v]
	if !ok {
		return got, fault.New(fault.NotFound, "view.not_found", nil)
	}
	return got, nil
}

func (m memory) InsertView(_ context.Context, v view.View) error { m.views[v.ID] = v; return nil }

func (m memory) UpdateView(_ context.Context, v view.View) error {
	if m.views[v.ID].Version != v.Version-1 {
		return fault.New(fault.Stale, "view.stale", nil)
	}
	m.views[v.ID] = v
	return nil
}

func (m memory) DeleteView(_ context.Context, v id.ID) error { delete(m.views, v); return nil }

func (m memory) Usuals(_ context.Context, object string, of []view.Grantee) ([]view.Usual, error) {
	var out []view.Usual
	for k, u := range m.usuals {
		if strings.HasPrefix(k, object+" ") && (of == nil && u.For.Kind != view.Person || slices.Contains(of, u.For)) {
			out = append(out, u)
		}
	}
	return out, nil
}

func (m memory) SetUsual(_ context.Context, object string, of view.Grantee, name string) error {
	delete(m.usuals, object+" "+of.Who())
	if name != "" {
		m.usuals[object+" "+of.Who()] = view.Usual{For: of, View: name}
	}
	return nil
}

func (m memory) MoveViews(_ context.Context, from, to id.ID, now time.Time) (n int, err error) {
	for k, v := range m.views {
		if v.Owner == from {
			v.Owner, v.UpdatedAt = to, now
			v.Version++
			m.views[k] = v
			n++
		}
	}
	return n, nil
}

func (m memory) CountOwned(context.Context) (map[id.ID]int, error) {
	out := map[id.ID]int{}
	for _, v := range m.views {
		out[v.Owner]++
	}
	return out, nil
}

type traits map[string]query.Trait

func (t traits) Trait(key string) (query.Trait, bool) { x, ok := t[key]; return x, ok }

func known() traits {
	out := traits{}
	choice := func(keys ...string) query.Trait {
		t := query.Trait{Type: schema.Choice}
		for _, k := range keys {
			t.Options = append(t.Options, schema.Option{Key: k})
		}
		return t
	}
	out["value_tier"], out["lifecycle"] = choice("high"), choice("at_risk")
	for _, k := range []string{"spend_365d", "spend_total"} {
		out[k] = query.Trait{Type: schema.Money}
	}
	for _, k := range []string{"orders_365d", "days_since_last"} {
		out[k] = query.Trait{Type: schema.Number}
	}
	out["last_order_day"] = query.Trait{Type: schema.Date}
	for k, t := range out {
		t.Key = k
		out[k] = t
	}
	return out
}

func service(t *testing.T, known query.Traits) (*view.Service, *schema.Registry) {
	t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC))
	return view.New(view.Config{Store: memory{map[id.ID]view.View{}, map[string]view.Usual{}}, Registry: func() *schema.Registry { return reg }, Clock: c, IDs: id.NewGenerator(c, 1),
		Traits: func() query.Traits { return known },
		Check: func(_ context.Context, object string, where *query.Node) error {
			return query.Check(where, query.CheckEnv{Registry: reg, Object: object, Use: query.ForList, Traits: known, Base: "CNY"})
		}}), reg
}

func as(t *testing.T, user id.ID, role access.Role) context.Context {
	t.Helper()
	return access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: user, Role: role})
}

// Every built-in view of every object would pass the checks that a saved one passes.
func TestBuiltinViewsAreSound(t *testing.T) {
	t.Parallel()
	s, reg := service(t, known())
	ctx := as(t, 1, access.Administrator)
	for _, o := range reg.Tables() {
		list, err := s.List(ctx, o.Key)
		if err != nil || len(list) == 0 || list[0].Key() != "builtin:all" {
			t.Fatalf("%s: %v, %v", o.Key, list, err)
		}
		for _, v := range list {
			if v.Label["zh-CN"] == "" || v.Label["en"] == "" {
				t.Errorf("%s %s: label %v", o.Key, v.Key(), v.Label)
			}
			if got, err := s.Get(ctx, o.Key, v.Key()); err != nil || got.Builtin != v.Builtin {
				t.Errorf("get %s %s: %v", o.Key, v.Key(), err)
			}
			c := v
			c.Shared = false
			if _, err := s.Create(ctx, c); err != nil {
				t.Errorf("%s %s: %v", o.Key, v.Key(), err)
			}
		}
	}
	list, _ := s.List(ctx, "customer")
	var keys []string
	for _, v := range list {
		if v.Builtin != "" {
			keys = append(keys, v.Builtin)
		}
	}
	if !slices.Equal(keys, []string{"all", "new_30d", "high_value", "at_risk", "companies", "unowned"}) {
		t.Errorf("views of customers %v", keys)
	}
	// Without traits the views that need them are not there.
	bare, _ := service(t, nil)
	list, err := bare.List(ctx, "customer")
	if err != nil || slices.ContainsFunc(list, func(v view.View) bool { return v.Builtin == "high_value" }) {
		t.Errorf("views without traits: %v, %v", list, err)
	}
}

func TestOwnAndShared(t *testing.T) {
	t.Parallel()
	s, _ := service(t, known())
	ann, bob, boss := as(t, 1, access.Member), as(t, 2, access.Member), as(t, 3, access.Manager)
	v, err := s.Create(ann, view.View{Object: "customer", Name: " 我的 ", Columns: []string{"name", "trait.spend_total"}, Sort: []schema.Sort{{Trait: "spend_total", Desc: true}}})
	if err != nil || v.Name != "我的" || v.Version != 1 || !view.Mine(ann, &v) {
		t.Fatal(v, err)
	}
	if _, err := s.Get(bob, "customer", v.Key()); fault.CodeOf(err) != "view.not_found" {
		t.Errorf("another's private view: %v", err)
	}
	yes, name := true, "大家的"
	if _, err := s.Update(ann, v.Key(), 1, view.Patch{Shared: &yes}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a member shared: %v", err)
	}
	if _, err := s.Update(boss, v.Key(), 1, view.Patch{Shared: &yes}); fault.CodeOf(err) != "view.not_found" {
		t.Errorf("the boss reached a private view: %v", err)
	}
	sv, err := s.Create(boss, view.View{Object: "customer", Name: "共享", Shared: true})
	if err != nil || len(sv.Columns) == 0 {
		t.Fatal(sv, err)
	}
	if got, err := s.Get(bob, "customer", sv.Key()); err != nil || got.Name != "共享" {
		t.Errorf("a shared view: %v, %v", got, err)
	}
	if _, err := s.Update(bob, sv.Key(), 0, view.Patch{Name: &name}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a member changed a shared view: %v", err)
	}
	where := &query.Node{Field: "kind", Op: "=", Value: []byte(`"company"`)}
	u, err := s.Update(boss, sv.Key(), 1, view.Patch{Name: &name, Where: &where})
	if err != nil || u.Version != 2 || u.Where == nil || u.Name != name {
		t.Fatal(u, err)
	}
	if _, err := s.Update(boss, sv.Key(), 1, view.Patch{}); fault.KindOf(err) != fault.Stale {
		t.Errorf("an old version: %v", err)
	}
	where = nil
	if u, err = s.Update(boss, sv.Key(), 2, view.Patch{Where: &where}); err != nil || u.Where != nil {
		t.Errorf("the condition stayed: %v, %v", u, err)
	}
	if err := s.Delete(bob, sv.Key()); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a member deleted: %v", err)
	}
	if err := s.Delete(boss, sv.Key()); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(boss, "customer", sv.Key()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("after deletion: %v", err)
	}
	for _, err := range []error{s.Delete(boss, "builtin:all"), func() error { _, err := s.Update(boss, "builtin:all", 0, view.Patch{}); return err }()} {
		if fault.CodeOf(err) != "view.builtin" {
			t.Errorf("a built-in view: %v", err)
		}
	}
	if _, err := s.List(t.Context(), "customer"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("nobody listed views: %v", err)
	}
}

func TestFaultsTogether(t *testing.T) {
	t.Parallel()
	s, _ := service(t, known())
	_, err := s.Create(as(t, 1, access.Member), view.View{Object: "customer", Name: strings.Repeat("长", 81), Columns: []string{"name", "nothing", "name", "trait.nothing", "orders"},
		Sort: []schema.Sort{{Field: "phone"}, {Trait: "nothing"}}, Where: &query.Node{Field: "nothing", Op: "=", Value: []byte(`1`)}})
	f, ok := fault.Find(err)
	if !ok || f.Code != "view.invalid" {
		t.Fatal(err)
	}
	var got []string
	for _, it := range f.Items {
		got = append(got, it.Field)
	}
	want := []string{"name", "columns.1", "columns.2", "columns.3", "columns.4", "sort.0", "sort.1"}
	if len(got) != len(want)+1 || !slices.Equal(got[:len(want)], want) || !strings.HasPrefix(got[len(want)], "where") {
		t.Errorf("faults at %v", got)
	}
}
