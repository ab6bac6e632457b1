package eventstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/customer/person"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// openVault keeps texts as they are.
type openVault struct{}

func (openVault) Open(_ context.Context, raw json.RawMessage) (string, error) {
	var m map[string]string
	err := json.Unmarshal(raw, &m)
	return m["$sealed"], err
}
func (openVault) Seal(_ context.Context, text string) (string, error)     { return "s:" + text, nil }
func (openVault) Unseal(_ context.Context, sealed string) (string, error) { return sealed[2:], nil }
func (openVault) Index(namespace, normalised string) string               { return namespace + ":" + normalised }

func eachDatabase(t *testing.T, fn func(t *testing.T, db sqlstore.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, openSQLite(t, sqlite.Config{}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, openPostgres(t))
	})
}

func (w *world) engine() *identity.Engine {
	return identity.New(identity.Config{Vault: openVault{}, IDs: w.IDs, Clock: w.clock, Settings: func(context.Context) (identity.Policy, error) { return identity.Defaults(), nil }})
}

func who(message, user, anon, mail string) event.Event {
	e := made(message, "x")
	e.UserID, e.AnonymousID = user, anon
	if mail != "" {
		e.Kind, e.Properties = event.Identify, json.RawMessage(`{"email":{"$sealed":"`+mail+`"}}`)
	}
	return e
}

func (w *world) resolveAll(t *testing.T, e *identity.Engine) {
	t.Helper()
	for {
		n, err := w.Resolve(t.Context(), 100, func(ctx context.Context, c sqlstore.Conn, batch []event.Event) error {
			return e.Resolve(ctx, eventstore.NewLedger(c), batch)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (w *world) ledger(t *testing.T, fn func(l eventstore.Ledger) error) {
	t.Helper()
	if err := w.Write(t.Context(), func(_ context.Context, c sqlstore.Conn) error { return fn(eventstore.NewLedger(c)) }); err != nil {
		t.Fatal(err)
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db sqlstore.DB) {
		w := newWorld(t, db)
		e := w.engine()
		w.accept(t, who("1", "", "a1", ""), who("2", "u1", "a1", "li@example.com"), who("3", "", "a2", ""), who("4", "", "a2", "li@example.com"),
			who("5", "u2", "a3", "li@example.com"), who("6", "", "a3", ""))
		w.resolveAll(t, e)
		list := w.all(t)
		p := make([]id.ID, len(list))
		for i := range list {
			p[i] = list[i].Profile
		}
		if p[0] != p[1] || p[2] == p[0] || p[3] != p[0] || p[4] == p[0] || p[5] != p[4] {
			t.Fatalf("profiles %v", p)
		}
		w.ledger(t, func(l eventstore.Ledger) error { return w.checkJoined(l, e, p) })
		w.ledger(t, func(l eventstore.Ledger) error { return w.checkCustomers(l, e, p) })
		w.ledger(t, func(l eventstore.Ledger) error { return w.checkErased(l, e, p) })
	})
}

// checkJoined looks at a tree of two, at the question that came up, and takes the join back.
func (w *world) checkJoined(l eventstore.Ledger, e *identity.Engine, p []id.ID) error {
	ctx := context.Background()
	trees, err := l.Trees(ctx, []id.ID{p[2]})
	if err != nil {
		return err
	}
	if len(trees) != 1 || trees[0].Root != p[0] || len(trees[0].Profiles) != 2 || len(trees[0].Identifiers) != 4 {
		return fmt.Errorf("tree %+v", trees)
	}
	reviews, n, err := l.Reviews(ctx, identity.Open, 0, 10)
	if err != nil || n != 1 || len(reviews) != 1 || reviews[0].A != min(p[0], p[4]) || reviews[0].B != max(p[0], p[4]) {
		return fmt.Errorf("reviews %+v of %d: %w", reviews, n, err)
	}
	if _, err := e.Link(ctx, l, []identity.Link{{Profile: p[0], Customer: 77}, {Profile: p[4], Customer: 88}}); err != nil {
		return err
	}
	merges, err := l.MergesOf(ctx, []id.ID{p[0], p[2]}, 10)
	if err != nil || len(merges) != 1 {
		return fmt.Errorf("merges %+v: %w", merges, err)
	}
	if err := e.Undo(ctx, l, merges[0].ID, 5); err != nil {
		return err
	}
	again, _, err := l.Merge(ctx, merges[0].ID)
	if err != nil || again.UndoneBy != 5 {
		return fmt.Errorf("merge %+v: %w", again, err)
	}
	verdicts, err := l.Verdicts(ctx, []id.ID{p[2]})
	if err != nil || !reflect.DeepEqual(verdicts, [][2]id.ID{{min(p[0], p[2]), max(p[0], p[2])}}) {
		return fmt.Errorf("verdicts %v: %w", verdicts, err)
	}
	trees, err = l.Trees(ctx, []id.ID{p[2]})
	if err != nil || len(trees) != 1 || trees[0].Root != p[2] || trees[0].Customer() != 0 || len(trees[0].Identifiers) != 1 {
		return fmt.Errorf("tree %+v: %w", trees, err)
	}
	return nil
}

// checkCustomers merges customers in a chain and takes one merge back.
func (w *world) checkCustomers(l eventstore.Ledger, e *identity.Engine, p []id.ID) error {
	ctx := context.Background()
	if err := e.Customers(ctx, l, []id.ID{88}, 77); err != nil {
		return err
	}
	if err := e.Customers(ctx, l, []id.ID{77}, 99); err != nil {
		return err
	}
	owned, err := l.Owned(ctx, []id.ID{99})
	if err != nil || len(owned) != 2 {
		return fmt.Errorf("owned %v: %w", owned, err)
	}
	trees, err := l.Trees(ctx, owned)
	if err != nil {
		return err
	}
	for i := range trees {
		if trees[i].Customer() != 99 {
			return fmt.Errorf("tree %+v", trees[i])
		}
	}
	return e.Customers(ctx, l, []id.ID{77}, 0)
}

func (w *world) checkErased(l eventstore.Ledger, e *identity.Engine, p []id.ID) error {
	ctx := context.Background()
	if err := e.Erase(ctx, l, []id.ID{77}); err != nil {
		return err
	}
	trees, err := l.Trees(ctx, []id.ID{p[0], p[2], p[4]})
	if err != nil {
		return err
	}
	for i := range trees {
		if want := map[id.ID]int{p[0]: 0, p[2]: 1, p[4]: 0}[trees[i].Root]; len(trees[i].Identifiers) != want {
			return fmt.Errorf("after the erasure %v has %d identifiers, not %d", trees[i].Root, len(trees[i].Identifiers), want)
		}
	}
	return nil
}

func TestOwnersAndMappings(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db sqlstore.DB) {
		w := newWorld(t, db)
		e := w.engine()
		w.accept(t, who("1", "", "a1", ""), who("2", "", "a2", ""))
		w.resolveAll(t, e)
		p := w.all(t)
		w.ledger(t, func(l eventstore.Ledger) error {
			_, err := e.Link(t.Context(), l, []identity.Link{{Profile: p[0].Profile, Customer: 77}})
			return err
		})
		w.ledger(t, func(l eventstore.Ledger) error {
			return e.Unite(t.Context(), l, p[0].Profile, p[1].Profile, identity.Merge{Why: identity.ByPerson})
		})
		err := w.View(t.Context(), func(ctx context.Context, c sqlstore.Conn) error {
			owners, err := eventstore.Owners(ctx, c, []id.ID{p[0].Profile, p[1].Profile, 5})
			if err != nil || !reflect.DeepEqual(owners, map[id.ID]id.ID{p[0].Profile: 77, p[1].Profile: 77}) {
				return fmt.Errorf("owners %v: %w", owners, err)
			}
			all, err := eventstore.Mappings(ctx, c, 0, 10)
			if err != nil || len(all) != 2 || all[0].Seq != 1 || all[1].Seq != 2 || all[1].Profile != p[1].Profile || all[1].Subject != 77 {
				return fmt.Errorf("mappings %+v: %w", all, err)
			}
			rest, err := eventstore.Mappings(ctx, c, 1, 10)
			if err != nil || len(rest) != 1 {
				return fmt.Errorf("mappings %+v: %w", rest, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		o := eventstore.Ownership{DB: db}
		moved, upTo, err := o.Moved(t.Context(), 0, 1)
		if err != nil || upTo != 1 || !reflect.DeepEqual(moved, []id.ID{p[0].Profile}) {
			t.Fatalf("moved %v up to %d: %v", moved, upTo, err)
		}
		if moved, upTo, err = o.Moved(t.Context(), 2, 10); err != nil || upTo != 2 || len(moved) != 0 {
			t.Fatalf("moved %v up to %d: %v", moved, upTo, err)
		}
		if head, err := o.Head(t.Context()); err != nil || head != 2 {
			t.Fatalf("head %d: %v", head, err)
		}
		owners, err := o.Owners(t.Context(), []id.ID{p[1].Profile, 5})
		if err != nil || !reflect.DeepEqual(owners, map[id.ID]id.ID{p[1].Profile: 77}) {
			t.Fatalf("owners %v: %v", owners, err)
		}
	})
}

func TestPeople(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db sqlstore.DB) {
		w := newWorld(t, db)
		e := w.engine()
		w.accept(t, who("1", "u1", "a1", "li@example.com"))
		w.resolveAll(t, e)
		profile := w.all(t)[0].Profile
		s := eventstore.People{DB: db, Engine: e}
		ctx := t.Context()
		if err := s.Link(ctx, []person.Link{{Profile: profile, Customer: 77}}, []person.Doubt{{Profile: profile, Customers: []id.ID{5, 6}, Shown: [][2]string{{"email", "l***@example.com"}}, At: 3}}); err != nil {
			t.Fatal(err)
		}
		st, err := s.Standings(ctx, []id.ID{profile})
		if err != nil || !reflect.DeepEqual(st, map[id.ID]person.Standing{profile: {Root: profile, Members: []id.ID{profile}, Customer: 77}}) {
			t.Fatalf("standing %+v: %v", st, err)
		}
		told := []person.Told{{Customer: 77, Field: "name", Digest: "d", At: 5}}
		for range 2 {
			if err := s.SaveTold(ctx, told); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Told(ctx, []id.ID{77, 78}); err != nil || !reflect.DeepEqual(got, told) {
			t.Fatalf("told %+v: %v", got, err)
		}
		orders := []person.Order{{Key: "O-1", Record: 9, Profile: profile, At: 4}}
		if err := s.SaveOrders(ctx, orders); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Unowned(ctx, []id.ID{profile}); err != nil || !reflect.DeepEqual(got, orders) {
			t.Fatalf("unowned %+v: %v", got, err)
		}
		orders[0].Customer = 77
		if err := s.SaveOrders(ctx, orders); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Unowned(ctx, []id.ID{profile}); err != nil || len(got) != 0 {
			t.Fatalf("unowned %+v: %v", got, err)
		}
		if got, err := s.Orders(ctx, []string{"O-1", "O-2"}); err != nil || !reflect.DeepEqual(got, orders) {
			t.Fatalf("orders %+v: %v", got, err)
		}
	})
}

// BenchmarkResolve is the price of an event whose visitor is known, in batches as the program takes them.
func BenchmarkResolve(b *testing.B) {
	w := newWorld(b, openSQLite(b, sqlite.Config{}))
	e := w.engine()
	n := 0
	for b.Loop() {
		list := make([]event.Event, 1000)
		for i := range list {
			n++
			list[i] = who(fmt.Sprint(n), "", fmt.Sprintf("a%d", n%20_000), "")
			list[i].ID = w.IDs.Next()
		}
		if err := w.Write(b.Context(), func(ctx context.Context, c sqlstore.Conn) error {
			return e.Resolve(ctx, eventstore.NewLedger(c), list)
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}
