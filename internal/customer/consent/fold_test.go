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
