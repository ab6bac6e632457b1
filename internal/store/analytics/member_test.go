package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

func customers(t *testing.T, b *bench, n int64) {
	t.Helper()
	b.load(t, "customer", []string{"id"}, func(yield func([]any, error) bool) {
		for i := range n {
			if !yield([]any{i + 1}, nil) {
				return
			}
		}
	})
}

func TestClassesAreReplacedAndTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		customers(t, b, 4)
		at := time.UnixMilli(5000)
		replace := func(classification, q string, who analytics.Who, args ...any) []string {
			var moves []string
			n, err := b.store.ReplaceClasses(t.Context(), classification, analytics.Select{SQL: q, Args: args}, who, at, func(m analytics.Move) error {
				moves = append(moves, fmt.Sprintf("%d:%s>%s", m.Customer, m.Was, m.Class))
				return nil
			})
			must(t, err)
			slices.Sort(moves)
			if int(n) != len(moves) {
				t.Errorf("%d moves, %d told", n, len(moves))
			}
			return moves
		}
		const byID = "SELECT id AS customer_id, CASE WHEN id <= ? THEN 'low' ELSE 'high' END AS class_key FROM a_customer"
		if got := replace("lifecycle", byID, analytics.Everyone, 2); len(got) != 0 {
			t.Errorf("first classes are told as moves: %v", got)
		}
		if got := b.table(t, "SELECT customer_id, lifecycle FROM t_class ORDER BY customer_id"); got != "1|low\n2|low\n3|high\n4|high\n" {
			t.Errorf("first classes\n%s", got)
		}
		at = time.UnixMilli(9000)
		if got := replace("lifecycle", byID, analytics.Everyone, 3); !slices.Equal(got, []string{"3:high>low"}) {
			t.Errorf("moves %v", got)
		}
		replace("value_tier", byID, analytics.Everyone, 1)
		replace("own_one", byID, analytics.Everyone, 0)
		if got := b.table(t, "SELECT customer_id, lifecycle, value_tier, c_own_one, need_type FROM customer_traits ORDER BY customer_id"); got != "1|low|low|high|-\n2|low|high|high|-\n3|low|high|high|-\n4|high|high|high|-\n" {
			t.Errorf("the wide view shows\n%s", got)
		}
		counts, err := b.store.ClassCounts(t.Context(), "lifecycle")
		must(t, err)
		if counts["low"] != 3 || counts["high"] != 1 {
			t.Errorf("counts %v", counts)
		}
		of, err := b.store.Classes(t.Context(), 3)
		must(t, err)
		if of["lifecycle"].Key != "low" || of["lifecycle"].Since.UnixMilli() != 9000 {
			t.Errorf("customer 3 is in %v", of)
		}
		of, err = b.store.Classes(t.Context(), 1)
		must(t, err)
		if !of["lifecycle"].Since.IsZero() {
			t.Errorf("members of the first pass have no beginning: %v", of)
		}
		// Only those of the last small pass.
		must(t, b.store.Touch(t.Context(), []id.ID{4}))
		_, err = b.store.Small(t.Context(), pass(20_000, trait.Defaults()))
		must(t, err)
		const touched = "SELECT id AS customer_id, 'new' AS class_key FROM a_customer WHERE id IN (SELECT customer_id FROM trait_now)"
		if got := replace("lifecycle", touched, analytics.Touched); !slices.Equal(got, []string{"4:high>new"}) {
			t.Errorf("touched moves %v", got)
		}
		// A failing listener leaves everything as it was.
		failed := errors.New("no")
		_, err = b.store.ReplaceClasses(t.Context(), "lifecycle", analytics.Select{SQL: byID, Args: []any{0}}, analytics.Everyone, at,
			func(analytics.Move) error { return failed })
		if !errors.Is(err, failed) {
			t.Errorf("the failure is lost: %v", err)
		}
		// A customer who left everything, and a classification that ends.
		if got := replace("lifecycle", "SELECT id AS customer_id, 'x' AS class_key FROM a_customer WHERE id = 1", analytics.Everyone); !slices.Equal(got, []string{"1:low>x", "2:low>", "3:low>", "4:new>"}) {
			t.Errorf("leavers %v", got)
		}
		must(t, b.store.DropClasses(t.Context(), "value_tier"))
		if got := b.table(t, "SELECT customer_id, lifecycle, value_tier FROM t_class ORDER BY customer_id"); got != "1|x|-\n2|-|-\n3|-|-\n4|-|-\n" {
			t.Errorf("t_class holds\n%s", got)
		}
		// Ensure keeps the column of the own classification.
		must(t, b.store.Ensure(t.Context(), b.reg, trait.Defaults()))
		if got := b.table(t, "SELECT count(c_own_one) FROM customer_traits"); got != "4\n" {
			t.Errorf("%s customers have the own class", got)
		}
		if _, err := b.store.ReplaceClasses(t.Context(), `x" --`, analytics.Select{SQL: byID, Args: []any{1}}, analytics.Everyone, at,
			func(analytics.Move) error { return nil }); err == nil {
			t.Error("a key that is none is accepted")
		}
	})
}

// TestMembersAreReplacedAndTold: the first members are told to nobody, nor are those of another condition; later ones are, and where that fails
// nothing is stored, so that they are told again.
func TestMembersAreReplacedAndTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		customers(t, b, 5)
		a := analytics.NewAudience(b.store, func() compile.Env { return compile.Env{Registry: b.reg, Now: time.UnixMilli(0), Zone: time.UTC} }, nil)
		refuse := false
		replace := func(q, mark string, day clock.Day, want string) {
			t.Helper()
			var got []string
			turn := segment.Turn{Key: "vip", Mark: mark, At: time.UnixMilli(7), Day: day, Tell: func(_ context.Context, _ time.Time, moves []segment.Passage) error {
				if refuse {
					return errors.New("not written")
				}
				for _, m := range moves {
					got = append(got, fmt.Sprintf("%d%v", m.Customer, m.Entered))
				}
				return nil
			}}
			p, err := a.ReplaceMembers(t.Context(), turn, analytics.Select{SQL: "SELECT id AS customer_id FROM a_customer WHERE " + q})
			if refuse {
				if err == nil {
					t.Error("the members are stored although nobody was told")
				}
				return
			}
			must(t, err)
			slices.Sort(got)
			if s := fmt.Sprint(got, p.Size, p.Entered, p.Left, p.SameDay); s != want {
				t.Errorf("%s: %s, want %s", q, s, want)
			}
		}
		replace("id <= 3", "m", 1, "[] 3 3 0 false")
		refuse = true
		replace("id >= 3", "m", 1, "")
		refuse = false
		replace("id >= 3", "m", 1, "[1false 2false 4true 5true] 3 2 2 true")
		replace("id >= 3", "m", 2, "[] 3 0 0 false")
		replace("id >= 3", "m", 2, "[] 3 0 0 true")
		replace("id >= 4", "n", 2, "[] 2 0 1 false")
		must(t, b.store.DropMembers(t.Context(), "vip"))
		replace("FALSE", "n", 2, "[] 0 0 0 false")
		replace("id = 1", "n", 2, "[1true] 1 1 0 true")
	})
}

// TestSomeAreFollowed: after a small pass only its customers move, with the part of the condition that decided, and what the whole would say of
// them is what is stored.
func TestSomeAreFollowed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		people := func(gender string, ids ...int64) {
			b.load(t, "customer", []string{"id", "gender"}, func(yield func([]any, error) bool) {
				for _, v := range ids {
					if !yield([]any{v, gender}, nil) {
						return
					}
				}
			})
		}
		people("female", 1, 2, 3, 4, 5)
		env := func() compile.Env { return compile.Env{Registry: b.reg, Now: time.UnixMilli(0), Zone: time.UTC} }
		a := analytics.NewAudience(b.store, env, nil)
		var got []string
		turn := func(key string, where *query.Node) segment.Turn {
			return segment.Turn{Key: key, Mark: "m", Where: where, Parts: where.All, At: time.UnixMilli(7), Day: 1, Tell: func(_ context.Context, _ time.Time, moves []segment.Passage) error {
				for _, m := range moves {
					why := ""
					if m.Leaf != nil {
						why = string(m.Leaf.Value)
					}
					got = append(got, fmt.Sprintf("%s%d%v%s", key, m.Customer, m.Entered, why))
				}
				return nil
			}}
		}
		gender := func(op, value string) *query.Node {
			return &query.Node{Field: "gender", Op: op, Value: []byte(`"` + value + `"`)}
		}
		both := turn("both", &query.Node{All: []*query.Node{{Field: "gender", Op: "is_set"}, gender("!=", "male")}})
		men, fresh := turn("men", gender("=", "male")), turn("fresh", gender("=", "male"))
		for _, one := range []segment.Turn{both, men} {
			_, err := a.Replace(t.Context(), one)
			must(t, err)
		}
		b.remove(t, "customer", "id IN (1, 2)")
		people("male", 1, 2)
		must(t, b.store.Touch(t.Context(), []id.ID{1, 5}))
		_, err := b.store.Small(t.Context(), pass(20_000, trait.Defaults()))
		must(t, err)
		points, err := a.Follow(t.Context(), []segment.Turn{both, men, fresh})
		must(t, err)
		slices.Sort(got)
		if s := fmt.Sprint(got, points[0].Left, points[1].Entered, points[2].Size); s != `[both1false"male" men1true] 1 1 -1` {
			t.Error(s)
		}
		if p, err := a.Replace(t.Context(), men); err != nil || p.Entered != 1 || !p.SameDay { // the second was not touched
			t.Errorf("%+v %v", p, err)
		}
	})
}

func TestPlaneThatLacksAnObjectIsRefused(t *testing.T) {
	t.Parallel()
	b := duckBench(t, 0)
	s := trait.Defaults()
	s.Statuses = nil
	if err := b.store.Ensure(t.Context(), b.reg, s); err == nil {
		t.Error("a purchase without states is accepted")
	}
}
