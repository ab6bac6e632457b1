package analytics_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
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

func TestMembersAreReplacedAndTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		customers(t, b, 5)
		replace := func(q string, who analytics.Who, want string) {
			t.Helper()
			var got []string
			size, entered, left, err := b.store.ReplaceMembers(t.Context(), "vip", analytics.Select{SQL: q}, who, time.UnixMilli(7), func(p analytics.Passage) error {
				got = append(got, fmt.Sprintf("%d%v", p.Customer, p.Entered))
				return nil
			})
			must(t, err)
			slices.Sort(got)
			if s := fmt.Sprint(got, size, entered, left); s != want {
				t.Errorf("%s, want %s", s, want)
			}
		}
		replace("SELECT id AS customer_id FROM a_customer WHERE id <= 3", analytics.Everyone, "[1true 2true 3true] 3 3 0")
		replace("SELECT id AS customer_id FROM a_customer WHERE id >= 3", analytics.Everyone, "[1false 2false 4true 5true] 3 2 2")
		must(t, b.store.Touch(t.Context(), []id.ID{1, 5}))
		_, err := b.store.Small(t.Context(), pass(20_000, trait.Defaults()))
		must(t, err)
		replace("SELECT id AS customer_id FROM a_customer WHERE id < 3 AND id IN (SELECT customer_id FROM trait_now)", analytics.Touched, "[1true 5false] 3 1 1")
		must(t, b.store.DropMembers(t.Context(), "vip"))
		replace("SELECT id AS customer_id FROM a_customer WHERE FALSE", analytics.Everyone, "[] 0 0 0")
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
