package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
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

// claims is a ledger in which a visitor, its browser and a customer speak.
type claims struct {
	*testing.T
	*sqlstore.Consents
	n id.ID
}

func (k *claims) say(subject id.ID, state consent.State, minute int) {
	k.Helper()
	k.n++
	now := T0.Add(time.Duration(minute) * time.Minute)
	_, err := k.Append(context.Background(), []consent.Entry{{ID: 7_100_000 + k.n, Once: fmt.Sprint("claim-", k.n), Subject: subject, Purpose: consent.Analytics, Channel: consent.Any, State: state, At: now, RecordedAt: now,
		Source: consent.ByClaim, By: access.System(), Quiet: true}}, now)
	if err != nil {
		k.Fatal(err)
	}
}

// stands checks a state, and when analysis was refused.
func (k *claims) stands(subject id.ID, want consent.State, refused string) {
	k.Helper()
	got := consent.Nothing
	for _, st := range standings(k.T, k.Consents, []id.ID{subject}) {
		got = st.State
	}
	list, err := k.Refusals(context.Background(), []id.ID{subject})
	if err != nil {
		k.Fatal(err)
	}
	times := ""
	for _, r := range list[subject] {
		if times += fmt.Sprint(" ", r.From.Sub(T0).Minutes(), "-"); !r.Until.IsZero() {
			times += fmt.Sprint(r.Until.Sub(T0).Minutes())
		}
	}
	times = strings.TrimSpace(times)
	if got != want || times != refused {
		k.Fatalf("%d stands at %q, refused at %q, want %q and %q", subject, got, times, want, refused)
	}
}

func (k *claims) join(e consent.Edge) {
	k.Helper()
	if err := k.Link(context.Background(), []consent.Edge{e}, T0.Add(time.Hour)); err != nil {
		k.Fatal(err)
	}
}

// unswept are the refusals that wait to be looked through, all of some subjects.
func (k *claims) unswept(subjects ...id.ID) []sqlstore.Sweep {
	k.Helper()
	list, err := k.Unswept(context.Background(), 10)
	if err != nil || len(list) == 0 || slices.ContainsFunc(list, func(s sqlstore.Sweep) bool { return !slices.Contains(subjects, s.Subject) }) {
		k.Fatalf("to be swept: %+v, %v", list, err)
	}
	return list
}

// testClaims: what the key of a page says counts for a visitor, of a customer when it is proven; times of refusals follow the ledger and joins.
func testClaims(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k := &claims{T: t, Consents: sqlstore.NewConsents(w.Store)}
	row := w.Named("suqing")
	w.Insert(w.Customer, row)
	customer, visitor, browser := row.ID, id.ID(7_000_001), id.ID(7_000_002)
	k.join(consent.Edge{Member: browser, Parent: visitor})
	k.say(visitor, consent.Withdrawn, 1)
	k.stands(visitor, consent.Withdrawn, "1-")
	k.say(browser, consent.Given, 5) // a visitor may change their mind
	k.stands(visitor, consent.Given, "1-5")
	k.join(consent.Edge{Member: visitor, Parent: customer}) // of a customer nobody has proven it
	k.stands(customer, consent.Nothing, "")
	k.stands(browser, consent.Nothing, "")
	k.say(browser, consent.Withdrawn, 7)
	k.stands(customer, consent.Nothing, "")
	k.stands(browser, consent.Nothing, "7-") // the browser alone
	if list, err := k.History(t.Context(), customer, 0, 10); err != nil || len(list) != 3 {
		t.Fatalf("the ledger of the customer: %+v, %v", list, err)
	}
	list := k.waiting(customer, 2) // that of the visitor, and that of the browser
	if err := k.Swept(t.Context(), k.unswept(visitor, browser)); err != nil {
		t.Fatal(err)
	}
	k.join(consent.Edge{Member: browser, Parent: visitor, Proven: true})
	k.stands(customer, consent.Withdrawn, "7-")
	k.stands(browser, consent.Withdrawn, "")
	k.unswept(visitor, customer) // joins move events: they are looked through again
	k.waiting(customer, 0)       // it refused: nothing waits any more
	k.join(consent.Edge{Member: browser, Parent: visitor})
	k.say(browser, consent.Given, 8)
	k.waiting(customer, 1) // the last word of the browser is none
	now := T0.Add(2 * time.Hour)
	if n, err := k.Decide(t.Context(), customer, []id.ID{list[0].Entry.ID, list[1].Entry.ID}, consent.Verdict{Decided: true, Accepted: true, At: now}, now); fault.CodeOf(err) != "consent.unknown_claim" {
		t.Fatalf("one that does not wait: %d, %v", n, err)
	}
	if n, err := k.Decide(t.Context(), customer, []id.ID{list[1].Entry.ID}, consent.Verdict{Decided: true, Accepted: true, By: 5, At: now}, now); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	k.stands(customer, consent.Withdrawn, "1-")
	k.waiting(customer, 0)
	if e, err := k.Entry(t.Context(), list[1].Entry.ID); err != nil || !e.Verdict.Accepted || e.Verdict.By != 5 {
		t.Fatalf("%+v %v", e, err)
	}
	k.join(consent.Edge{Member: visitor})
	k.stands(customer, consent.Nothing, "")
	k.stands(visitor, consent.Given, "1-5 7-8")
}

// waiting are the refusals of a customer that wait to be decided.
func (k *claims) waiting(customer id.ID, want int) []consent.Claim {
	k.Helper()
	list, err := k.Claims(context.Background(), customer, 0, 10)
	if err != nil || len(list) != want || want > 0 && list[0].Customer != customer {
		k.Fatalf("%d wait, want %d: %+v, %v", len(list), want, list, err)
	}
	return list
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
