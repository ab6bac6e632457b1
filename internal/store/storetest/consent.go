package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testConsents: statements of visitors and customers arrive in random orders and portions, some of them twice, between joins of people; in the end
// everybody stands where the newest word about them puts them, and taking the joins back leaves each with their own.
func testConsents(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k := sqlstore.NewConsents(w.Store)
	ctx := context.Background()
	now := T0.Add(time.Hour)
	for round := range 4 {
		consentRound(t, k, round, now)
	}
	before, err := k.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Link(ctx, []consent.Edge{{Member: 1_000_003}}, now); err != nil {
		t.Fatal(err)
	}
	if after, err := k.Head(ctx); err != nil || after != before {
		t.Fatalf("what says nothing new moved the states: %d to %d, %v", before, after, err)
	}
}

func standings(t *testing.T, k *sqlstore.Consents, who []id.ID) []consent.Standing {
	t.Helper()
	got, err := k.Standings(context.Background(), who)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func newestOf(all map[id.ID]consent.Entry) (out consent.Entry) {
	for _, e := range all {
		if e.At.After(out.At) {
			out = e
		}
	}
	return out
}

func consentRound(t *testing.T, k *sqlstore.Consents, round int, now time.Time) {
	t.Helper()
	ctx := context.Background()
	r := rand.New(rand.NewPCG(7, uint64(round))) //nolint:gosec // a seed
	base := id.ID(1_000_000 * (round + 1))
	say := func(subject id.ID, n int, state consent.State, minute int, quiet bool) consent.Entry {
		return consent.Entry{ID: base + id.ID(1000+n), Once: fmt.Sprintf("%d:%d", round, n), Subject: subject, Purpose: "marketing", Channel: consent.Email, State: state, At: T0.Add(time.Duration(minute) * time.Minute),
			RecordedAt: now, Source: consent.ByEvent, By: access.System(), Quiet: quiet}
	}
	var list []consent.Entry
	newest := map[id.ID]consent.Entry{}
	for n := range 60 {
		subject := base + id.ID(r.IntN(4)+1)
		e := say(subject, n, []consent.State{consent.Given, consent.Withdrawn}[r.IntN(2)], n, subject > base+2)
		list = append(list, e)
		newest[subject] = e
	}
	edges := []consent.Edge{{Member: base + 2, Parent: base + 1}, {Member: base + 3, Parent: base + 2}, {Member: base + 4, Parent: base + 3}}
	linked := false
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for at := 0; at < len(list); {
		upTo := min(at+1+r.IntN(9), len(list))
		from := max(at-r.IntN(5), 0) // a part of it comes again
		if _, err := k.Append(ctx, list[from:upTo], now); err != nil {
			t.Fatal(err)
		}
		if at = upTo; !linked && r.IntN(4) == 0 {
			linked = true
			if err := k.Link(ctx, edges, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := k.Link(ctx, edges, now); err != nil {
		t.Fatal(err)
	}
	consentApart(t, k, base, edges, newest)
}

// consentApart looks at the states of joined people, takes the joins back and looks again.
func consentApart(t *testing.T, k *sqlstore.Consents, base id.ID, edges []consent.Edge, newest map[id.ID]consent.Entry) {
	t.Helper()
	ctx, now := context.Background(), T0.Add(time.Hour)
	all := []id.ID{base + 1, base + 2, base + 3, base + 4}
	for _, got := range standings(t, k, all) {
		if last := newestOf(newest); got.State != last.State {
			t.Fatalf("joined %d stands at %q of %v, want %q of %v", got.Subject, got.State, got.At, last.State, last.At)
		}
	}
	apart := make([]consent.Edge, len(edges))
	for i, e := range edges {
		apart[i] = consent.Edge{Member: e.Member}
	}
	if err := k.Link(ctx, apart, now); err != nil {
		t.Fatal(err)
	}
	got := standings(t, k, all)
	if len(got) != len(newest) {
		t.Fatalf("%d stand somewhere, want %d", len(got), len(newest))
	}
	for _, st := range got {
		if last := newest[st.Subject]; st.State != last.State {
			t.Fatalf("apart %d stands at %q of %v, want %q of %v", st.Subject, st.State, st.At, last.State, last.At)
		}
	}
}
