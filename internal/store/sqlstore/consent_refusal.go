package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
)

// Roots says for whom what each subject says counts: itself, where it was joined to nobody.
func (k *Consents) Roots(ctx context.Context, subjects []id.ID) (out map[id.ID]id.ID, err error) {
	if len(subjects) == 0 {
		return map[id.ID]id.ID{}, nil
	}
	err = k.store.Read(ctx, func(c Conn) error {
		out, err = k.ledger(ctx, c, time.Time{}).roots(subjects)
		return err
	})
	return out, err
}

// Links are the joins of members themselves, of those that were joined.
func (k *Consents) Links(ctx context.Context, members []id.ID) (out map[id.ID]consent.Edge, err error) {
	out = map[id.ID]consent.Edge{}
	if len(members) == 0 {
		return out, nil
	}
	err = k.store.Read(ctx, func(c Conn) error {
		in, ids := k.ledger(ctx, c, time.Time{}).in("member", members)
		return Each(ctx, c, func(r *sql.Rows) error {
			var e consent.Edge
			err := r.Scan(&e.Member, &e.Parent, &e.Proven)
			out[e.Member] = e
			return err
		}, "SELECT member, parent, proven FROM consent_link WHERE "+in, ids)
	})
	return out, err
}

const (
	refusalCols = "subject_id, from_at, until_at"
	refusalDrop = "DELETE FROM consent_refusal WHERE subject_id = ? AND from_at = ? AND until_at = ?"
	refusalPut  = "INSERT INTO consent_refusal (subject_id, from_at, until_at, waits) VALUES (?, ?, ?, ?)"
	refusalDone = "UPDATE consent_refusal SET waits = 0 WHERE subject_id = ? AND from_at = ? AND until_at = ? AND waits = ?"
	refusalWait = "SELECT " + refusalCols + ", waits FROM consent_refusal WHERE waits > 0 ORDER BY subject_id, from_at, until_at LIMIT ?"
)

func scanRefusal(r *sql.Rows, more ...any) (v consent.Refusal, err error) {
	var from, until int64
	err = r.Scan(append([]any{&v.Subject, &from, &until}, more...)...)
	v.From, v.Until = time.UnixMilli(from).UTC(), instant(until)
	return v, err
}

// refusals stores when subjects refused to be analysed; those who are roots no more refuse for themselves no more. A time that only became shorter has
// nothing new to be taken out.
func (l ledger) refusals(subjects []id.ID, want []consent.Refusal, joined bool) error {
	type kept struct {
		consent.Refusal
		waits int64
	}
	subjects = slices.Compact(slices.Sorted(slices.Values(subjects)))
	in, ids := l.in("subject_id", subjects)
	var have []kept
	err := Each(l.ctx, l, func(r *sql.Rows) error {
		var v kept
		var err error
		v.Refusal, err = scanRefusal(r, &v.waits)
		have = append(have, v)
		return err
	}, "SELECT "+refusalCols+", waits FROM consent_refusal WHERE "+in, ids)
	if err != nil {
		return err
	}
	if len(have)+len(want) == 0 {
		return nil
	}
	known := map[consent.Refusal]bool{}
	for _, h := range have {
		if slices.Contains(want, h.Refusal) && !joined {
			known[h.Refusal] = true
			continue
		}
		if _, err := l.Exec(l.ctx, refusalDrop, int64(h.Subject), h.From.UnixMilli(), milli(h.Until)); err != nil {
			return err
		}
	}
	for _, w := range want {
		if known[w] {
			continue
		}
		known[w] = true // two channels may say the same
		waits := max(l.now.UnixMilli(), 1)
		if slices.ContainsFunc(have, func(h kept) bool {
			return h.waits == 0 && !joined && h.Subject == w.Subject && !w.From.Before(h.From) && (h.Until.IsZero() || !w.Until.IsZero() && !h.Until.Before(w.Until))
		}) {
			waits = 0
		}
		if _, err := l.Exec(l.ctx, refusalPut, int64(w.Subject), w.From.UnixMilli(), milli(w.Until), waits); err != nil {
			return err
		}
	}
	return nil
}

// Refusals are the times in which any of some subjects, which are roots, refused to be analysed.
func (k *Consents) Refusals(ctx context.Context, subjects []id.ID) (out map[id.ID][]consent.Refusal, err error) {
	if len(subjects) == 0 {
		return nil, nil //nolint:nilnil // nobody refused
	}
	err = k.store.Read(ctx, func(c Conn) error {
		out = map[id.ID][]consent.Refusal{}
		in, ids := k.ledger(ctx, c, time.Time{}).in("subject_id", subjects)
		return Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanRefusal(r)
			out[v.Subject] = append(out[v.Subject], v)
			return err
		}, "SELECT "+refusalCols+" FROM consent_refusal WHERE "+in, ids)
	})
	return out, err
}

// AnyRefusal reports whether anybody ever refused to be analysed.
func (k *Consents) AnyRefusal(ctx context.Context) (some bool, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		var one int64
		some, err = c.QueryRow(ctx, []any{&one}, "SELECT 1 FROM consent_refusal LIMIT 1")
		return err
	})
	return some, err
}

// Sweep is a refusal of which what was analysed before it was known is to be taken out.
type Sweep struct {
	consent.Refusal
	waits int64
}

// Unswept are refusals that wait to be swept.
func (k *Consents) Unswept(ctx context.Context, limit int) (out []Sweep, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) (err error) {
			var v Sweep
			v.Refusal, err = scanRefusal(r, &v.waits)
			out = append(out, v)
			return err
		}, refusalWait, limit)
	})
	return out, err
}

// Swept notes that nothing is left to be taken out of them, unless they are to be swept again since they were read.
func (k *Consents) Swept(ctx context.Context, list []Sweep) error {
	return k.store.Write(ctx, func(c Conn) error {
		for _, v := range list {
			if _, err := c.Exec(ctx, refusalDone, int64(v.Subject), v.From.UnixMilli(), milli(v.Until), v.waits); err != nil {
				return err
			}
		}
		return nil
	})
}
