package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
)

// Forms implements form.Store.
type Forms struct{ store *Store }

var _ form.Store = (*Forms)(nil)

// NewForms keeps forms in a Store.
func NewForms(s *Store) *Forms { return &Forms{store: s} }

const (
	formColumns = "id, public_key, name, status, plan, version, created_by, created_at, updated_by, updated_at"
	formAll     = "SELECT " + formColumns + " FROM form ORDER BY id DESC"
	formGet     = "SELECT " + formColumns + " FROM form WHERE id = ?"
	formByKey   = "SELECT " + formColumns + " FROM form WHERE public_key = ?"
	formNew     = "INSERT INTO form (" + formColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	formPut     = "UPDATE form SET name = ?, status = ?, plan = ?, version = ?, updated_by = ?, updated_at = ? WHERE id = ? AND version = ?"

	formShown     = "INSERT INTO form_shown (form_id, day, code, shown) VALUES (?, ?, ?, ?) ON CONFLICT (form_id, day, code) DO UPDATE SET shown = form_shown.shown + excluded.shown"
	formShownSums = "SELECT form_id, code, CAST(sum(shown) AS BIGINT) FROM form_shown GROUP BY form_id, code"
	formSentSums  = "SELECT form_id, code, count(*), sum(CASE WHEN made THEN 1 ELSE 0 END), sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), sum(CASE WHEN state = 'confirmed' THEN 1 ELSE 0 END), sum(CASE WHEN gift = 'given' THEN 1 ELSE 0 END) FROM form_submission GROUP BY form_id, code"

	submissionColumns = "id, once, form_id, customer_id, at, made, state, confirmed_at, gift, code, told, source, medium, campaign"
	submissionOnce    = "SELECT " + submissionColumns + " FROM form_submission WHERE once = ?"
	submissionNew     = "INSERT INTO form_submission (" + submissionColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (once) DO NOTHING"
	submissionList    = "SELECT " + submissionColumns + " FROM form_submission WHERE form_id = ? AND (CAST(? AS BIGINT) = 0 OR id < ?) AND (CAST(? AS TEXT) = '' OR state = ? OR (CAST(? AS TEXT) = 'made' AND made) OR (CAST(? AS TEXT) = 'gift' AND gift = 'given')) AND (CAST(? AS TEXT) = '' OR code = ?) AND (CAST(? AS BIGINT) = 0 OR (source = ? AND campaign = ? AND at >= ? AND at < ?)) ORDER BY id DESC LIMIT ?"
	submissionSince   = "SELECT " + submissionColumns + " FROM form_submission WHERE customer_id = ? AND at > ? ORDER BY id DESC LIMIT 100"
	submissionWaits   = "SELECT " + submissionColumns + " FROM form_submission WHERE state = 'waiting' AND at > ? AND id > ? AND (CAST(? AS BIGINT) = 0 OR customer_id = ?) ORDER BY id LIMIT ?"
	submissionPut     = "UPDATE form_submission SET state = ?, confirmed_at = ?, gift = ? WHERE id = ?"
	submissionHad     = "SELECT count(*) FROM form_submission WHERE form_id = ? AND gift = 'given' AND "
)

func (k *Forms) list(ctx context.Context, q string, args ...any) (out []form.Form, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var f form.Form
			var key, by, at, changer, changed int64
			var status, plan string
			if err := r.Scan(&key, &f.Key, &f.Name, &status, &plan, &f.Version, &by, &at, &changer, &changed); err != nil {
				return err
			}
			f.ID, f.Status, f.CreatedBy, f.UpdatedBy, f.CreatedAt, f.UpdatedAt = id.ID(key), form.Status(status), id.ID(by), id.ID(changer), timeOf(at), timeOf(changed)
			if err := json.Unmarshal([]byte(plan), &f.Plan); err != nil {
				return fmt.Errorf("stored plan of a form: %w", err)
			}
			out = append(out, f)
			return nil
		}, q, args...)
	})
	return out, err
}

func (k *Forms) one(ctx context.Context, q string, arg any) (form.Form, error) {
	found, err := k.list(ctx, q, arg)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "form.not_found", nil)
	}
	if err != nil {
		return form.Form{}, err
	}
	return found[0], nil
}

// Forms implements form.Store.
func (k *Forms) Forms(ctx context.Context) ([]form.Form, error) { return k.list(ctx, formAll) }

// Form implements form.Store.
func (k *Forms) Form(ctx context.Context, key id.ID) (form.Form, error) {
	return k.one(ctx, formGet, int64(key))
}

// ByKey implements form.Store.
func (k *Forms) ByKey(ctx context.Context, key string) (form.Form, error) {
	return k.one(ctx, formByKey, key)
}

// Insert implements form.Store.
func (k *Forms) Insert(ctx context.Context, f form.Form) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, formNew, int64(f.ID), f.Key, f.Name, string(f.Status), asJSON(f.Plan), f.Version, int64(f.CreatedBy), milli(f.CreatedAt), int64(f.UpdatedBy), milli(f.UpdatedAt))
		return err
	})
}

// Update implements form.Store.
func (k *Forms) Update(ctx context.Context, f form.Form) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, formPut, f.Name, string(f.Status), asJSON(f.Plan), f.Version, int64(f.UpdatedBy), milli(f.UpdatedAt), int64(f.ID), f.Version-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "form.stale", nil)
		}
		return err
	})
}

// Shown implements form.Store.
func (k *Forms) Shown(ctx context.Context, f id.ID, day clock.Day, code string, n int64) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, formShown, int64(f), int64(day), code, n)
		return err
	})
}

// Sums implements form.Store.
func (k *Forms) Sums(ctx context.Context) (out map[id.ID]map[string]form.Sums, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = map[id.ID]map[string]form.Sums{}
		put := func(key int64, code string, change func(*form.Sums)) {
			if out[id.ID(key)] == nil {
				out[id.ID(key)] = map[string]form.Sums{}
			}
			s := out[id.ID(key)][code]
			change(&s)
			out[id.ID(key)][code] = s
		}
		if err := Each(ctx, c, func(r *sql.Rows) error {
			var key, n int64
			var code string
			err := r.Scan(&key, &code, &n)
			put(key, code, func(s *form.Sums) { s.Shown = n })
			return err
		}, formShownSums); err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var key int64
			var code string
			var x form.Sums
			err := r.Scan(&key, &code, &x.Sent, &x.Made, &x.Waiting, &x.Confirmed, &x.Gifts)
			put(key, code, func(s *form.Sums) { x.Shown = s.Shown; *s = x })
			return err
		}, formSentSums)
	})
	return out, err
}

func (k *Forms) submissions(ctx context.Context, q string, args ...any) (out []form.Submission, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var s form.Submission
			var key, of, customer, at, confirmed int64
			var told, source, medium, campaign string
			if err := r.Scan(&key, &s.Once, &of, &customer, &at, &s.Made, &s.State, &confirmed, &s.Gift, &s.Code, &told, &source, &medium, &campaign); err != nil {
				return err
			}
			s.ID, s.Form, s.Customer, s.At = id.ID(key), id.ID(of), id.ID(customer), timeOf(at)
			if confirmed != 0 {
				s.ConfirmedAt = timeOf(confirmed)
			}
			if told != "" {
				if err := json.Unmarshal([]byte(told), &s.Told); err != nil {
					return fmt.Errorf("stored submission: %w", err)
				}
			}
			s.Told.Trace.Source, s.Told.Trace.Medium, s.Told.Trace.Campaign = source, medium, campaign
			out = append(out, s)
			return nil
		}, q, args...)
	})
	return out, err
}

// Once implements form.Store.
func (k *Forms) Once(ctx context.Context, once string) (form.Submission, bool, error) {
	found, err := k.submissions(ctx, submissionOnce, once)
	if err != nil || len(found) == 0 {
		return form.Submission{}, false, err
	}
	return found[0], true, nil
}

// Add implements form.Store.
func (k *Forms) Add(ctx context.Context, s form.Submission) (added bool, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, submissionNew, int64(s.ID), s.Once, int64(s.Form), int64(s.Customer), milli(s.At), s.Made, s.State, moment(s.ConfirmedAt), s.Gift, s.Code, asJSON(s.Told), s.Told.Trace.Source, s.Told.Trace.Medium, s.Told.Trace.Campaign)
		added = n > 0
		return err
	})
	return added, err
}

// moment is a time as it is stored, 0 for none.
func moment(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return milli(t)
}

// Submissions implements form.Store.
func (k *Forms) Submissions(ctx context.Context, a form.Ask) ([]form.Submission, error) {
	traced, source, campaign, from, to := int64(0), "", "", int64(0), int64(0)
	if t := a.Trace; t != nil {
		traced, source, campaign, from, to = 1, t.Source, t.Campaign, milli(t.From), milli(t.To)
	}
	return k.submissions(ctx, submissionList, int64(a.Form), int64(a.Before), int64(a.Before), a.State, a.State, a.State, a.State, a.Code, a.Code, traced, source, campaign, from, to, a.Limit)
}

// Since implements form.Store.
func (k *Forms) Since(ctx context.Context, customer id.ID, after time.Time) ([]form.Submission, error) {
	return k.submissions(ctx, submissionSince, int64(customer), milli(after))
}

// Waits implements form.Store.
func (k *Forms) Waits(ctx context.Context, customer, after id.ID, since time.Time, limit int) ([]form.Submission, error) {
	return k.submissions(ctx, submissionWaits, milli(since), int64(after), int64(customer), int64(customer), limit)
}

// Settle implements form.Store.
func (k *Forms) Settle(ctx context.Context, s form.Submission) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, submissionPut, s.State, moment(s.ConfirmedAt), s.Gift, int64(s.ID))
		return err
	})
}

// Had implements form.Store.
func (k *Forms) Had(ctx context.Context, f, customer id.ID) (had bool, err error) {
	all, err := k.store.MergedFrom(ctx, []id.ID{customer})
	if err != nil {
		return false, err
	}
	all = append(all, customer)
	err = k.store.Read(ctx, func(c Conn) error {
		d := c.Dialect()
		var n int64
		_, err := c.QueryRow(ctx, []any{&n}, submissionHad+d.In("customer_id"), int64(f), d.IDList(plain(all)))
		had = n > 0
		return err
	})
	return had, err
}
