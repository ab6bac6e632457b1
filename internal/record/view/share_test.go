package view_test

import (
	"context"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

func person(v id.ID) view.Grantee { return view.Grantee{Kind: view.Person, ID: v} }

// A view is shared by whoever made it with chosen people, and with everyone only by a holder of the right.
func TestShareWithPeople(t *testing.T) {
	t.Parallel()
	s, _ := service(t, known())
	ann, bob, cat, boss := as(t, 1, access.Member), as(t, 2, access.Member), as(t, 3, access.Member), as(t, 4, access.Manager)
	v, err := s.Create(ann, view.View{Object: "customer", Name: "甲", Shares: []view.Share{{Grantee: person(2)}, {Grantee: person(3), Writes: true}}})
	if err != nil || v.Shared || len(v.Shares) != 2 {
		t.Fatal(v, err)
	}
	for _, c := range []struct {
		ctx                context.Context
		sees, edit, manage bool
	}{{ann, true, true, true}, {bob, true, false, false}, {cat, true, true, false}, {boss, false, false, false}} {
		got, err := s.Get(c.ctx, "customer", v.Key())
		if (err == nil) != c.sees {
			t.Fatalf("%+v: %v", c, err)
		}
		if !c.sees {
			continue
		}
		edit, manage, err := s.May(c.ctx, &got)
		if err != nil || edit != c.edit || manage != c.manage {
			t.Errorf("%+v: edit %v manage %v %v", c, edit, manage, err)
		}
	}
	name := "乙"
	if _, err := s.Update(bob, v.Key(), 0, view.Patch{Name: &name}); fault.CodeOf(err) != "view.read_only" {
		t.Errorf("a reader changed it: %v", err)
	}
	if v, err = s.Update(cat, v.Key(), 0, view.Patch{Name: &name}); err != nil || v.Name != name || len(v.Shares) != 2 {
		t.Errorf("an editor: %v %v", v, err)
	}
	more := append(slices.Clone(v.Shares), view.Share{Grantee: person(9)})
	if _, err := s.Update(cat, v.Key(), 0, view.Patch{Shares: &more}); fault.CodeOf(err) != "view.not_yours" {
		t.Errorf("an editor shared it on: %v", err)
	}
	if err := s.Delete(cat, v.Key()); fault.CodeOf(err) != "view.not_yours" {
		t.Errorf("an editor deleted it: %v", err)
	}
	for _, wide := range []view.Grantee{view.All(), {Kind: view.ByRole, Role: "member"}} {
		list := append(slices.Clone(v.Shares), view.Share{Grantee: wide})
		if _, err := s.Update(ann, v.Key(), 0, view.Patch{Shares: &list}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("shared with %s without the right: %v", wide.Who(), err)
		}
	}
	twice := []view.Share{{Grantee: person(2)}, {Grantee: person(2), Writes: true}}
	if _, err := s.Update(ann, v.Key(), 0, view.Patch{Shares: &twice}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("shared twice: %v", err)
	}
	none := []view.Share{}
	if v, err = s.Update(ann, v.Key(), 0, view.Patch{Shares: &none}); err != nil || len(v.Shares) != 0 {
		t.Fatal(v, err)
	}
	if _, err := s.Get(bob, "customer", v.Key()); fault.CodeOf(err) != "view.not_found" {
		t.Errorf("still shared: %v", err)
	}
}

// What a reader does not see is no part of a view for them, and is not lost by their saving it.
func TestViewWidensNothing(t *testing.T) {
	t.Parallel()
	s, _ := service(t, known())
	ann := as(t, 1, access.Member)
	limited := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 2, Person: 2, Role: "rol_x", Held: &access.Held{Person: 2, Role: &access.Definition{Key: "rol_x",
		Rights: []access.Right{access.ViewShare}, Objects: map[string]access.Grants{access.Everything: {Actions: map[access.Action]access.Grant{access.Read: {Scope: access.All}}},
			"customer": {Actions: map[access.Action]access.Grant{access.Read: {Scope: access.All}}, Fields: map[string]access.FieldAccess{"industry": access.FieldHidden}}}}}})
	where := &query.Node{All: []*query.Node{{Field: "industry", Op: "=", Value: []byte(`"retail"`)}, {Field: "name", Op: "=", Value: []byte(`"甲"`)}}}
	v, err := s.Create(ann, view.View{Object: "customer", Name: "甲", Columns: []string{"name", "industry"}, Sort: []schema.Sort{{Field: "industry"}}, Where: where,
		Shares: []view.Share{{Grantee: person(2), Writes: true}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(limited, "customer", v.Key())
	if err != nil {
		t.Fatal(err)
	}
	shown, whole := s.Seen(limited, &got)
	if whole || !slices.Equal(shown.Columns, []string{"name"}) || len(shown.Sort) != 0 || shown.Where.All[0].Value != nil || string(shown.Where.All[1].Value) != `"甲"` {
		t.Errorf("%v %+v %+v", whole, shown, shown.Where.All[0])
	}
	if string(got.Where.All[0].Value) != `"retail"` {
		t.Error("the stored condition was changed")
	}
	name := "乙"
	if _, err := s.Update(limited, v.Key(), 0, view.Patch{Name: &name}); fault.CodeOf(err) != "view.partly_hidden" {
		t.Errorf("changed by somebody who does not see all of it: %v", err)
	}
}

// The nearest default counts, and nobody gets one that they do not see.
func TestDefaultsByNearness(t *testing.T) {
	t.Parallel()
	s, _ := service(t, known())
	bob, boss := as(t, 2, access.Member), as(t, 4, access.Manager)
	role := view.Grantee{Kind: view.ByRole, Role: "member"}
	v, err := s.Create(boss, view.View{Object: "customer", Name: "甲", Shares: []view.Share{{Grantee: person(2)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetDefault(boss, "customer", v.Key(), role, true); fault.CodeOf(err) != "view.default_private" {
		t.Errorf("a default that they do not see: %v", err)
	}
	list := []view.Share{{Grantee: person(2)}, {Grantee: role}}
	if v, err = s.Update(boss, v.Key(), 0, view.Patch{Shares: &list}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		key string
		of  view.Grantee
	}{{"builtin:new_30d", view.All()}, {v.Key(), role}, {"builtin:unowned", view.Grantee{Kind: view.Person}}} {
		who := boss
		if step.of.Kind == view.Person {
			who = bob
		} else if err := s.SetDefault(bob, "customer", step.key, step.of, true); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a member set the default of others: %v", err)
		}
		if err := s.SetDefault(who, "customer", step.key, step.of, true); err != nil {
			t.Fatal(err)
		}
		got, err := s.Defaults(bob, "customer")
		if err != nil || got[0].View != step.key {
			t.Errorf("after %s: %+v %v", step.key, got, err)
		}
	}
	if all, err := s.AllDefaults(boss, "customer"); err != nil || len(all) != 2 {
		t.Errorf("%+v %v", all, err)
	}
	if err := s.SetDefault(bob, "customer", "builtin:unowned", view.Grantee{Kind: view.Person}, false); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Defaults(bob, "customer"); err != nil || got[0].View != v.Key() {
		t.Errorf("%+v %v", got, err)
	}
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	s, _ := service(t, known())
	ann, bob, admin := as(t, 1, access.Member), as(t, 2, access.Member), as(t, 5, access.Administrator)
	v, err := s.Create(ann, view.View{Object: "customer", Name: "甲"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.HandOver(bob, 1, 2); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a member took views: %v", err)
	}
	if _, err := s.HandOver(admin, 1, 1); fault.CodeOf(err) != "view.hand_over_self" {
		t.Errorf("to the same person: %v", err)
	}
	if n, err := s.HandOver(admin, 1, 2); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if got, err := s.Get(bob, "customer", v.Key()); err != nil || !view.Mine(bob, &got) {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := s.Get(ann, "customer", v.Key()); fault.CodeOf(err) != "view.not_found" {
		t.Errorf("the former owner: %v", err)
	}
}
