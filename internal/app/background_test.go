package app_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
)

// TestSetupWithDemo fills the first workspace in the background after the answer was given.
func TestSetupWithDemo(t *testing.T) {
	t.Parallel()
	a := open(t, app.Options{Config: settings(t, map[string]string{"demo-customers": "60"}), Background: true})
	s := &site{T: t, app: a, server: httptest.NewServer(a.Handler())}
	t.Cleanup(s.server.Close)
	c := s.client()
	c.want(201, c.do("POST", "/setup", `{"email":"administrator@example.com","password":"`+password+`","workspace":"锦书","demo":true}`))
	eventually(t, "the demo company", func() bool {
		n := read[struct{ Count int }](c, "POST", "/records/customer/count", `{"exact":true}`, 200)
		return n.Count == 60
	})
	eventually(t, "its classes", func() bool {
		p := read[page](c, "POST", "/records/customer/query", `{"where":{"trait":"lifecycle","op":"is_set"},"total":"exact"}`, 200)
		return *p.Total == 60
	})
}

// TestNightlyPass is queued once a local day at or after its hour, is caught up with by a program that was down, and runs.
func TestNightlyPass(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)) // 02:00 of the 21st in Shanghai
	a := open(t, app.Options{Config: settings(t, nil), Clock: now})
	prepare(t, a)
	due := func(want int) {
		t.Helper()
		if err := a.QueueNightly(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, err := a.Jobs().Store.Pending(t.Context(), "main", "nightly")
		if err != nil || n != want {
			t.Fatalf("%d passes wait, want %d (%v)", n, want, err)
		}
	}
	due(0)                                                   // the workspace was made today
	now.Set(time.Date(2026, 11, 21, 18, 59, 0, 0, time.UTC)) // 02:59 of the 22nd
	due(0)
	now.Set(time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)) // 03:00 of the 22nd
	due(1)
	due(1)
	run := func(q *job.Queue) {
		t.Helper()
		for range 2 { // the pass, and that over what is kept of people
			if did, err := q.Step(t.Context()); err != nil || !did {
				t.Fatal(did, err)
			}
		}
		for range 20 { // the models that are due after it, a job each
			did, err := q.Step(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !did {
				return
			}
		}
		t.Fatal("jobs without end")
	}
	run(a.Jobs())
	due(0)
	now.Set(time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)) // down for days: one pass catches up
	due(1)
	run(a.Jobs())
	due(0)
}
