package consent_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
)

var t0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func at(hours int) time.Time { return t0.Add(time.Duration(hours) * time.Hour) }

func line(n int, s consent.State, hours int) consent.Entry {
	return consent.Entry{ID: id.ID(n), Once: fmt.Sprint("k", n), Subject: 1, Purpose: "marketing", Channel: consent.Email, State: s, At: at(hours), Source: consent.ByForm}
}

func stands(t *testing.T, want consent.State, now int, list ...consent.Entry) {
	t.Helper()
	got := consent.Fold(list, nil, at(now))[consent.Place{Purpose: "marketing", Channel: consent.Email}]
	if got.State != want {
		t.Fatalf("%q, want %q, of %+v", got.State, want, list)
	}
}

func TestWhatCounts(t *testing.T) {
	t.Parallel()
	stands(t, consent.Nothing, 9)
	stands(t, consent.Given, 9, line(1, consent.Given, 1))
	stands(t, consent.Withdrawn, 9, line(1, consent.Withdrawn, 2), line(2, consent.Given, 1))
	stands(t, consent.Withdrawn, 9, line(1, consent.Withdrawn, 2), line(2, consent.Given, 2))
	ending := line(3, consent.Given, 3)
	ending.Expires = at(5)
	stands(t, consent.Given, 4, ending)
	stands(t, consent.Expired, 5, ending)
	stands(t, consent.Given, 9, ending, line(4, consent.Given, 4))
	noted := line(5, consent.Expired, 5)
	noted.Source = consent.ByExpiry
	stands(t, consent.Given, 4, ending, noted)
	stands(t, consent.Pending, 9, line(1, consent.Pending, 1))
	stands(t, consent.Given, 9, line(1, consent.Given, 1), line(2, consent.Pending, 2))
	stands(t, consent.Withdrawn, 9, line(1, consent.Pending, 1), line(2, consent.Withdrawn, 2))
	stands(t, consent.Pending, 9, line(1, consent.Withdrawn, 1), line(2, consent.Pending, 2))
	// What was said again counts from then on, with the end that it had.
	again := []consent.Repeat{{Subject: 1, Purpose: "marketing", Channel: consent.Email, State: consent.Given, LastAt: at(4)}}
	got := consent.Fold([]consent.Entry{line(1, consent.Given, 1), line(2, consent.Withdrawn, 3)}, again, at(9))
	for _, st := range got {
		if st.State != consent.Given || !st.At.Equal(at(4)) || st.Entry != 1 {
			t.Fatalf("said again: %+v", st)
		}
	}
}

// What the key of a page says of a customer counts where it is proven whose browser it was, and where somebody accepted it; a refusal that counts for
// nobody waits, until somebody decided or the customer spoke.
func TestClaims(t *testing.T) {
	t.Parallel()
	claim := func(n int, s consent.State, hours int) consent.Entry {
		e := line(n, s, hours)
		e.Subject, e.Source = 2, consent.ByClaim
		return e
	}
	list := func() []consent.Entry {
		return []consent.Entry{line(1, consent.Withdrawn, 1), claim(2, consent.Given, 2)}
	}
	stands(t, consent.Given, 9, list()...)
	stands(t, consent.Withdrawn, 9, consent.Counting(list(), true, nil)...)
	stands(t, consent.Given, 9, consent.Counting(list(), false, nil)...)
	stands(t, consent.Given, 9, consent.Counting(list(), true, map[id.ID]bool{2: true})...)
	named, accepted := claim(3, consent.Withdrawn, 3), claim(4, consent.Withdrawn, 3)
	named.Subject, named.Source = 1, consent.ByNamed
	accepted.Verdict = consent.Verdict{Decided: true, Accepted: true}
	for what, x := range map[string]struct {
		entry        consent.Entry
		known, waits bool
		counts       consent.State
	}{
		"a browser":            {claim(2, consent.Withdrawn, 2), false, true, consent.Given},
		"a proven browser":     {claim(2, consent.Withdrawn, 2), true, false, consent.Withdrawn},
		"somebody by a name":   {named, true, true, consent.Given},
		"one that was taken":   {accepted, false, false, consent.Withdrawn},
		"before they spoke":    {claim(5, consent.Withdrawn, 0), false, false, consent.Given},
		"one that agrees":      {claim(6, consent.Given, 2), false, false, consent.Given},
		"one that was refused": {func() consent.Entry { e := named; e.Verdict.Decided = true; return e }(), false, false, consent.Given},
	} {
		known := map[id.ID]bool{}
		if x.known {
			known[2] = true
		}
		all := []consent.Entry{line(1, consent.Given, 1), x.entry}
		counting := consent.Counting(all, true, known)
		stands(t, x.counts, 9, counting...)
		if open := consent.Open(all, nil, known, consent.Fold(counting, nil, at(9))); (len(open) == 1) != x.waits {
			t.Errorf("%s: %d wait", what, len(open))
		}
	}
	if got := consent.Unproven(append(list(), named), nil); len(got) != 1 || len(got[2]) != 1 {
		t.Errorf("of browsers: %+v", got)
	}
	again := named
	again.RecordedAt = at(5)
	if !consent.Named([]consent.Entry{named}, &again) || consent.Named(list(), &again) {
		t.Error("whether a name was named already")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	said := func(n int, s consent.State, hours int) consent.Entry {
		e := line(n, s, hours)
		e.Purpose, e.Channel, e.RecordedAt = consent.Analytics, consent.Any, at(hours)
		return e
	}
	old := said(9, consent.Withdrawn, 1)
	old.Source, old.RecordedAt = consent.ByClaim, at(1+30*24)
	for want, list := range map[string][]consent.Entry{
		"":        {line(1, consent.Withdrawn, 1), said(2, consent.Given, 1), said(3, consent.Pending, 2)},
		"2- ":     {said(1, consent.Given, 1), said(3, consent.Withdrawn, 4), said(2, consent.Withdrawn, 2)},
		"2-3 5- ": {said(3, consent.Withdrawn, 5), said(2, consent.Given, 3), said(1, consent.Withdrawn, 2)},
		"3-4 ":    {said(1, consent.Withdrawn, 3), said(2, consent.Given, 3), said(3, consent.Given, 4)}, // of one instant the stricter
		"553- ":   {old},
	} {
		got := ""
		for _, r := range consent.Refusals(list, nil) {
			got += fmt.Sprint(r.From.Sub(t0).Hours(), "-")
			if !r.Until.IsZero() {
				got += fmt.Sprint(r.Until.Sub(t0).Hours())
			}
			got += " "
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	r := consent.Refusal{From: at(2), Until: at(3)}
	if r.Holds(at(1)) || !r.Holds(at(2)) || r.Holds(at(3)) || !(consent.Refusal{From: at(2)}).Holds(at(9)) {
		t.Error("a refusal holds from its first instant to before its last")
	}
}

// TestOrderDoesNotMatter: whatever arrives in whatever order, the states are the same, and those of a model that looks for the newest.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "lines")
		var list []consent.Entry
		for i := range n {
			e := line(i+1, rapid.SampledFrom([]consent.State{consent.Given, consent.Withdrawn, consent.Pending}).Draw(t, "state"), rapid.IntRange(0, 6).Draw(t, "at"))
			e.Subject = id.ID(rapid.IntRange(1, 3).Draw(t, "who"))
			e.Channel = rapid.SampledFrom([]consent.Channel{consent.Email, consent.SMS}).Draw(t, "channel")
			if rapid.Bool().Draw(t, "ends") {
				e.Expires = e.At.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "for")) * time.Hour)
			}
			list = append(list, e)
		}
		now := at(rapid.IntRange(6, 12).Draw(t, "now"))
		want := consent.Fold(list, nil, now)
		mixed := rapid.Permutation(list).Draw(t, "order")
		if got := consent.Fold(mixed, nil, now); !maps.Equal(got, want) {
			t.Fatalf("%+v in one order, %+v in another", want, got)
		}
		for place, st := range want {
			newest, refused := time.Time{}, false
			for _, e := range list {
				if e.Channel != place.Channel || e.State == consent.Pending {
					continue
				}
				if e.At.After(newest) || newest.IsZero() {
					newest, refused = e.At, false
				}
				refused = refused || e.At.Equal(newest) && e.State == consent.Withdrawn
			}
			if refused && st.State == consent.Given {
				t.Fatalf("given although the newest word is a refusal: %+v of %+v", st, list)
			}
			if st.State == consent.Given && (newest.IsZero() || !st.Expires.IsZero() && !st.Expires.After(now)) {
				t.Fatalf("given by nobody, or over: %+v", st)
			}
		}
	})
}
