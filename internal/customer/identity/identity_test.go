package identity_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

func email(a string) map[string]string { return map[string]string{"email": a} }

func TestVisitorBecomesKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.one("", "anon-1", nil)
	b := w.one("u1", "anon-1", email("Li@Example.com"))
	c := w.one("", "anon-1", nil)
	if a != b || b != c {
		t.Fatalf("one person has profiles %v %v %v", a, b, c)
	}
	d := w.one("", "anon-2", nil)
	e := w.one("", "anon-2", email("li@example.com"))
	if d == a || e != a || w.root(d) != a {
		t.Fatalf("the second device: %v, then %v, want %v", d, e, a)
	}
	if len(w.ledger.merges) != 1 || w.ledger.merges[0].Loser != d || w.ledger.owners()[d] != a {
		t.Fatalf("log %+v, owners %v", w.ledger.merges, w.ledger.owners())
	}
	x := w.ledger.identifiers[[2]string{"email", "~email:li@example.com"}]
	if x.Shown != "l***@example.com" || x.Sealed != "s:li@example.com" || !x.Personal() {
		t.Fatalf("the address is kept as %+v", x)
	}
}

func TestSharedTablet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := []event.Event{w.ev("", "tab", nil), w.ev("u1", "tab", nil), w.ev("", "tab", nil), w.ev("u2", "tab", nil), w.ev("", "tab", nil), w.ev("u1", "", nil)}
	got := w.resolve(list...)
	if got[0] != got[1] || got[1] != got[2] || got[3] == got[0] || got[4] != got[3] || got[5] != got[0] {
		t.Fatalf("profiles %v", got)
	}
	if len(w.ledger.reviews) != 0 {
		t.Fatal("a shared device is no question for anybody")
	}
	// Taken back, the device is the first one's again.
	m := w.ledger.merges[0]
	if m.Why != identity.ByMove {
		t.Fatalf("log %+v", m)
	}
	if err := w.engine.Undo(t.Context(), w.ledger, m.ID, 9); err != nil {
		t.Fatal(err)
	}
	if p := w.one("", "tab", nil); p != got[0] {
		t.Fatalf("after the undo the device is of %v", p)
	}
}

func TestTwoUserIDsAreNeverJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.one("u1", "a", email("x@example.com"))
	b := w.one("u2", "b", email("x@example.com"))
	if a == b || w.root(a) == w.root(b) {
		t.Fatal("two user ids were joined")
	}
	w.one("u2", "b", email("x@example.com"))
	if len(w.ledger.reviews) != 1 {
		t.Fatalf("%d questions", len(w.ledger.reviews))
	}
	var r identity.Review
	for _, r = range w.ledger.reviews {
	}
	if r.Count != 2 || r.State != identity.Open || len(r.Evidence.Identifiers) != 1 || r.Evidence.Identifiers[0].Text != "***@example.com" {
		t.Fatalf("question %+v", r)
	}
	if _, err := w.engine.Decide(t.Context(), w.ledger, r.ID, identity.NotSame, 5); err != nil {
		t.Fatal(err)
	}
	w.one("u2", "b", email("x@example.com"))
	for _, again := range w.ledger.reviews {
		if again.State != identity.NotSame || again.Count != 2 {
			t.Fatalf("what was answered is asked again: %+v", again)
		}
	}
	if err := w.engine.Unite(t.Context(), w.ledger, a, b, identity.Merge{Why: identity.ByPerson, By: 5}); err != nil {
		t.Fatal(err)
	}
	if w.root(a) != w.root(b) {
		t.Fatal("a person's decision did not join them")
	}
}

func TestTwoCustomersAreNeverJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.one("", "a", email("a@example.com"))
	b := w.one("", "b", map[string]string{"phone": "13812345678"})
	if _, err := w.engine.Link(t.Context(), w.ledger, []identity.Link{{Profile: a, Customer: 100}, {Profile: b, Customer: 200}}); err != nil {
		t.Fatal(err)
	}
	w.one("", "c", map[string]string{"email": "a@example.com", "phone": "13812345678"})
	if w.root(a) == w.root(b) || len(w.ledger.reviews) != 1 {
		t.Fatalf("roots %v %v, %d questions", w.root(a), w.root(b), len(w.ledger.reviews))
	}
	err := w.engine.Unite(t.Context(), w.ledger, a, b, identity.Merge{Why: identity.ByPerson})
	if fault.CodeOf(err) != "identity.two_customers" {
		t.Fatalf("joined two customers: %v", err)
	}
	// Once the customers are one, their profiles are too, until that is taken back.
	if err := w.engine.Customers(t.Context(), w.ledger, []id.ID{200}, 100); err != nil {
		t.Fatal(err)
	}
	if o := w.ledger.owners(); o[a] != 100 || o[b] != 100 {
		t.Fatalf("owners %v", o)
	}
	if err := w.engine.Customers(t.Context(), w.ledger, []id.ID{200}, 0); err != nil {
		t.Fatal(err)
	}
	if o := w.ledger.owners(); o[a] != 100 || o[b] != 200 {
		t.Fatalf("owners after the undo %v", o)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.one("u1", "d0", nil)
	for i := 1; i < 5; i++ {
		w.one("u1", fmt.Sprintf("d%d", i), nil)
	}
	if p := w.one("u1", "d5", nil); p != first {
		t.Fatal("an event over the limit lost its person")
	}
	if p := w.one("", "d5", nil); p == first {
		t.Fatal("the sixth anonymous id of a week was taken")
	}
	w.at += 8 * 24 * 3600 * 1000
	if p := w.one("u1", "d6", nil); p != first {
		t.Fatal("lost")
	}
	if p := w.one("", "d6", nil); p != first {
		t.Fatal("a week later another anonymous id was refused")
	}
	// An address that is over the limit is left out; the rest of the event is taken.
	for i := range 6 {
		w.one("u1", "d6", email(fmt.Sprintf("m%d@example.com", i)))
	}
	if _, ok := w.ledger.identifiers[[2]string{"email", "~email:m5@example.com"}]; ok {
		t.Fatal("the sixth address of a year was taken")
	}
}

func TestBlockedValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[id.ID]bool{}
	for _, v := range []string{"null", "undefined", "00000000-0000-0000-0000-000000000000", "-1", "anonymous", "NULL", "---", " ", "0"} {
		p := w.one(v, "", nil)
		if seen[p] {
			t.Fatalf("%q is somebody", v)
		}
		seen[p] = true
	}
	if len(w.ledger.profiles) != 0 {
		t.Fatalf("%d profiles of nobody", len(w.ledger.profiles))
	}
	ev := w.ev("u1", "a1", nil)
	ev.Flags = event.NoConsent
	if p := w.resolve(ev); p[0] != ev.ID || len(w.ledger.profiles) != 0 {
		t.Fatal("somebody who refused analysis has a profile")
	}
}

func TestAlias(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.one("", "old", nil)
	ev := w.ev("u1", "", nil)
	ev.Kind, ev.PreviousID = event.Alias, "old"
	if p := w.resolve(ev)[0]; p != a {
		t.Fatalf("alias gave %v, want %v", p, a)
	}
	b := w.one("u2", "", nil)
	ev = w.ev("u1", "", nil)
	ev.Kind, ev.PreviousID = event.Alias, "u2"
	if p := w.resolve(ev)[0]; p != a || w.root(b) == a || len(w.ledger.reviews) != 1 {
		t.Fatal("an alias joined two user ids")
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.one("u1", "a1", email("x@example.com"))
	b := w.one("u2", "b1", nil)
	if _, err := w.engine.Link(t.Context(), w.ledger, []identity.Link{{Profile: a, Customer: 100}, {Profile: b, Customer: 200}}); err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Erase(t.Context(), w.ledger, []id.ID{100}); err != nil {
		t.Fatal(err)
	}
	if len(w.ledger.identifiers) != 2 || w.ledger.owners()[a] != 100 {
		t.Fatalf("left: %v, owners %v", w.ledger.identifiers, w.ledger.owners())
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	s := identity.Defaults()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	s.Namespaces[0].Limit = 2
	s.Namespaces[1].Limit = 0
	s.Namespaces[2].Key = "Phone!"
	err := s.Check()
	f, ok := fault.Find(err)
	if !ok {
		t.Fatal("taken")
	}
	var codes []string
	for _, x := range f.Items {
		codes = append(codes, x.Code+"@"+x.Field)
	}
	want := []string{"identity.user_id_fixed@namespaces.0.limit", "identity.bad_limit@namespaces.1.limit", "identity.bad_key@namespaces.2.key"}
	if !slices.Equal(codes, want) {
		t.Fatalf("got %v", codes)
	}
}

// graph is random events of few people who share few names; no user ids and no limits, so that everything that hangs together is one.
func graph(t *rapid.T) [][3]string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [3]string {
		pick := func(name, prefix string) string {
			if n := rapid.IntRange(0, 6).Draw(t, name); n > 0 {
				return fmt.Sprintf("%s%d", prefix, n)
			}
			return ""
		}
		e := [3]string{pick("email", "e"), pick("phone", "1380000000"), pick("anon", "a")}
		if e == [3]string{} {
			e[2] = "a1"
		}
		return e
	}), 1, 25).Draw(t, "events")
}

func (w *world) play(e [3]string) event.Event {
	traits := map[string]string{}
	if e[0] != "" {
		traits["email"] = e[0] + "@example.com"
	}
	if e[1] != "" {
		traits["phone"] = e[1]
	}
	return w.ev("", e[2], traits)
}

func unlimited(w *world) {
	for i := range w.settings.Namespaces {
		n := &w.settings.Namespaces[i]
		if n.Key != identity.UserID {
			n.Limit = 1000
		}
		n.Shared = false
	}
}

// parts are the sets of names that belong together.
func (w *world) parts() map[string]bool {
	by := map[id.ID][]string{}
	for k, x := range w.ledger.identifiers {
		r := w.root(x.Profile)
		by[r] = append(by[r], k[0]+"="+k[1])
	}
	out := map[string]bool{}
	for _, v := range by {
		slices.Sort(v)
		out[strings.Join(v, " ")] = true
	}
	return out
}

func TestOrderDoesNotMatterWithoutLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		events := graph(rt)
		order := rapid.Permutation(indexes(len(events))).Draw(rt, "order")
		cut := rapid.IntRange(1, len(events)).Draw(rt, "batch")
		a, b := newWorld(t), newWorld(t)
		unlimited(a)
		unlimited(b)
		for _, e := range events {
			a.resolve(a.play(e))
		}
		var list []event.Event
		for _, i := range order {
			list = append(list, b.play(events[i]))
		}
		for part := range slices.Chunk(list, cut) {
			b.resolve(part...)
		}
		if !maps.Equal(a.parts(), b.parts()) {
			rt.Fatalf("%v\nin another order\n%v", a.parts(), b.parts())
		}
		// What is repeated changes nothing.
		before := a.parts()
		n := len(a.ledger.merges)
		for _, e := range events {
			a.resolve(a.play(e))
		}
		if !maps.Equal(before, a.parts()) || len(a.ledger.merges) != n {
			rt.Fatal("a repetition joined something")
		}
	})
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestBatchesDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		type step struct{ user, anon, mail string }
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			pick := func(name, prefix string, n int) string {
				if k := rapid.IntRange(0, n).Draw(t, name); k > 0 {
					return fmt.Sprintf("%s%d", prefix, k)
				}
				return ""
			}
			return step{pick("user", "u", 4), fmt.Sprintf("a%d", rapid.IntRange(1, 8).Draw(t, "anon")), pick("mail", "m", 5)}
		}), 1, 40).Draw(rt, "steps")
		cut := rapid.IntRange(1, len(steps)).Draw(rt, "batch")
		run := func(cut int) (names []string, w *world) {
			w = newWorld(t)
			first := map[id.ID]int{}
			var list []event.Event
			for _, s := range steps {
				var traits map[string]string
				if s.mail != "" {
					traits = email(s.mail + "@example.com")
				}
				list = append(list, w.ev(s.user, s.anon, traits))
			}
			n := 0
			for part := range slices.Chunk(list, cut) {
				for _, p := range w.resolve(part...) {
					if _, ok := first[p]; !ok {
						first[p] = n
					}
					names = append(names, fmt.Sprint(first[p]))
					n++
				}
			}
			return names, w
		}
		one, w := run(1)
		many, v := run(cut)
		if !slices.Equal(one, many) || !maps.Equal(w.parts(), v.parts()) {
			rt.Fatalf("one by one %v\nin batches %v", one, many)
		}
		for _, x := range []*world{w, v} {
			x.sound(rt)
		}
	})
}

// sound checks what must always hold.
func (w *world) sound(t *rapid.T) {
	users := map[id.ID]map[string]bool{}
	for k, x := range w.ledger.identifiers {
		if k[0] == identity.UserID {
			r := w.root(x.Profile)
			if users[r] == nil {
				users[r] = map[string]bool{}
			}
			users[r][k[1]] = true
		}
	}
	for r, u := range users {
		if len(u) > 1 {
			t.Fatalf("profile %v has user ids %v", r, u)
		}
	}
	owners := w.ledger.owners()
	for p, x := range w.ledger.profiles {
		end := p
		for n := 0; w.ledger.profiles[end].Into != 0; n++ {
			if end = w.ledger.profiles[end].Into; n > len(w.ledger.profiles) {
				t.Fatal("profiles lead in a circle")
			}
		}
		if end != x.Root {
			t.Fatalf("profile %v leads to %v and says %v", p, end, x.Root)
		}
		if owners[p] != x.Root {
			t.Fatalf("the map gives the events of %v to %v, its root is %v", p, owners[p], x.Root)
		}
	}
}

func TestUndoRestores(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		unlimited(w)
		for _, e := range graph(rt) {
			w.resolve(w.play(e))
		}
		before := w.ledger.dump()
		a, b := w.roots(rt)
		if a == 0 {
			return
		}
		n := len(w.ledger.merges)
		if err := w.engine.Unite(context.Background(), w.ledger, a, b, identity.Merge{Why: identity.ByPerson}); err != nil {
			rt.Fatal(err)
		}
		if w.ledger.dump() == before {
			rt.Fatal("nothing was joined")
		}
		w.sound(rt)
		m := w.ledger.merges[n]
		if err := w.engine.Undo(context.Background(), w.ledger, m.ID, 3); err != nil {
			rt.Fatal(err)
		}
		if got := w.ledger.dump(); got != before {
			rt.Fatalf("undone it is\n%s\nand was\n%s", got, before)
		}
		w.sound(rt)
		if code := fault.CodeOf(w.engine.Undo(context.Background(), w.ledger, m.ID, 3)); code != "identity.undone" {
			rt.Fatalf("undone twice: %q", code)
		}
	})
}

// TestUndoInAnyOrder takes joins back in a random order: everybody is alone at the end.
func TestUndoInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		unlimited(w)
		for _, e := range graph(rt) {
			w.resolve(w.play(e))
		}
		for _, i := range rapid.Permutation(indexes(len(w.ledger.merges))).Draw(rt, "undo") {
			if err := w.engine.Undo(context.Background(), w.ledger, w.ledger.merges[i].ID, 3); err != nil {
				rt.Fatal(err)
			}
			w.sound(rt)
		}
		for p, x := range w.ledger.profiles {
			if x.Into != 0 || x.Root != p {
				rt.Fatalf("profile %v is still joined to %v", p, x.Into)
			}
		}
	})
}

func (w *world) roots(t *rapid.T) (a, b id.ID) {
	var list []id.ID
	for p, x := range w.ledger.profiles {
		if x.Root == p {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	if len(list) < 2 {
		return 0, 0
	}
	i := rapid.IntRange(0, len(list)-2).Draw(t, "a")
	return list[i], list[rapid.IntRange(i+1, len(list)-1).Draw(t, "b")]
}
