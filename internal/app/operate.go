package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
)

// operator does what the owner of the data asks for from the command line.
type operator struct{ app *App }

var _ api.Operator = operator{}

// RebuildResult is what a rebuild did.
type RebuildResult struct {
	What    string  `json:"what"`
	Records int64   `json:"records"`
	Seconds float64 `json:"seconds"`
}

// Rebuild implements api.Operator.
func (o operator) Rebuild(ctx context.Context, key, what string, say func(string)) (any, error) {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return nil, err
	}
	ctx = system(ctx)
	start := time.Now()
	out := RebuildResult{What: what}
	switch what {
	case "search":
		n, err := w.indexer.Rebuild(ctx)
		if err != nil {
			return nil, err
		}
		out.Records = int64(n)
	case "analytics":
		say("filling the relations")
		if err := w.refill(ctx, nil); err != nil {
			return nil, err
		}
		rep, err := w.feed.Reconcile(ctx)
		if err != nil {
			return nil, err
		}
		if !rep.Equal() {
			return nil, fmt.Errorf("the rebuilt plane differs from the records in %d objects", len(rep.Differences))
		}
		out.Records = rep.Rows
		say("reading events back")
		if err := errors.Join(w.events.plane.Rebuild(ctx), w.events.plane.Drain(ctx)); err != nil {
			return nil, err
		}
	}
	out.Seconds = time.Since(start).Seconds()
	return out, nil
}

// RecomputeResult is what a pass over all customers did.
type RecomputeResult struct {
	Customers int64   `json:"customers"`
	Anchor    string  `json:"anchor"`
	Seconds   float64 `json:"seconds"`
	// Verified says that the pass was compared with what it replaced, and Differing how many rows were not the same.
	Verified  bool  `json:"verified"`
	Differing int64 `json:"differing"`
}

// Recompute implements api.Operator.
func (o operator) Recompute(ctx context.Context, key string, say func(string)) (any, error) {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	ctx = system(ctx)
	if err := w.feed.Drain(ctx); err != nil {
		return nil, err
	}
	say("computing traits and classes")
	w.traits.Recompute()
	r, _, err := w.traits.Tick(ctx)
	if err != nil {
		return nil, err
	}
	return RecomputeResult{Seconds: time.Since(start).Seconds(), Customers: r.Customers, Anchor: r.Anchor.String(), Verified: r.Verified, Differing: r.Differing}, nil
}

// Doctor implements api.Operator.
func (o operator) Doctor(ctx context.Context, key string) (api.Diagnosis, error) {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return api.Diagnosis{}, err
	}
	ctx = system(ctx)
	d := api.Diagnosis{OK: true, Checks: []api.DoctorsCheck{}}
	check := func(name string, fn func() (string, error)) {
		detail, err := fn()
		c := api.DoctorsCheck{Name: name, OK: err == nil, Detail: detail}
		if err != nil {
			c.Detail, d.OK = err.Error(), false
		}
		d.Checks = append(d.Checks, c)
	}
	check("instance store", func() (string, error) { return "", o.app.instance.Check(ctx) })
	check("secret key", func() (string, error) { _, err := o.app.secrets(ctx); return "", err })
	check("records store", func() (string, error) { return w.integrity(ctx) })
	check("inbox of events", func() (string, error) { return w.events.check(ctx) })
	check("files of events", func() (string, error) { return w.events.plane.Check(ctx) })
	check("rollups of behaviour", func() (string, error) { return w.events.plane.CheckRollups(ctx) })
	check("metadata and tables", func() (string, error) {
		diffs, err := w.store.Check(ctx, w.registry())
		if err == nil && len(diffs) > 0 {
			err = fmt.Errorf("%s: %s %s", diffs[0].Table, diffs[0].Problem, diffs[0].Name)
		}
		return fmt.Sprintf("%d objects", len(w.registry().Tables())), err
	})
	check("analytics equals records", func() (string, error) {
		rep, err := w.feed.Reconcile(ctx)
		if err == nil && !rep.Equal() {
			x := rep.Differences[0]
			err = fmt.Errorf("%s: %d records, %d in analytics", x.Object, x.Records, x.Mirror)
		}
		return fmt.Sprintf("%d rows", rep.Rows), err
	})
	check("files", func() (string, error) { return w.checkFiles(ctx) })
	check("search index", func() (string, error) {
		at, head, err := w.indexer.Lag(ctx)
		return fmt.Sprintf("%d changes behind", max(head.Seq-at.Seq, 0)), err
	})
	check("rollups equal records", func() (string, error) {
		n, err := w.rollups.Check(ctx)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d records differ", n)
		}
		return "0 differ", err
	})
	check("traits", func() (string, error) {
		st, err := w.traits.State(ctx)
		if err != nil || !st.Known {
			return "not computed yet", err
		}
		if st.Verified && st.Differing != 0 {
			return "", fmt.Errorf("%d rows differed from a full pass", st.Differing)
		}
		return "computed " + st.ComputedAt.UTC().Format(time.RFC3339), nil
	})
	return d, nil
}

// integrity asks the database about its own pages; PostgreSQL does that by itself.
func (w *workspace) integrity(ctx context.Context) (string, error) {
	db, ok := w.db.(interface {
		Check(ctx context.Context) error
	})
	if !ok {
		return "PostgreSQL", nil
	}
	if err := db.Check(ctx); err != nil {
		return "", fmt.Errorf("records store: %w", err)
	}
	return "", nil
}

// Backup implements api.Operator.
func (o operator) Backup(ctx context.Context, path, passphrase string, say func(string)) (any, error) {
	a := o.app
	if !a.embedded() {
		return nil, fault.New(fault.Invalid, "app.backup_postgres", nil)
	}
	if !filepath.IsAbs(path) {
		return nil, fault.InvalidField("api.bad_parameter", "path", nil)
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, fault.New(fault.Conflict, "app.backup_exists", fault.Params{"path": path})
	}
	return a.backup(ctx, path, passphrase, say)
}
