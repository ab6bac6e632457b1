package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
)

const (
	consentFrom     = " FROM consent_entry LEFT JOIN consent_decision ON consent_decision.entry_id = consent_entry.id"
	consentDecided  = ", accepted, decided_by, decided_at"
	consentDecide   = "INSERT INTO consent_decision (entry_id, accepted, decided_by, decided_at) VALUES (?, ?, ?, ?)"
	consentClaimPut = "INSERT INTO consent_claim (entry_id, subject_id, at) VALUES (?, ?, ?)"
	consentClaimAll = "SELECT entry_id, subject_id, at FROM consent_claim WHERE entry_id < ? ORDER BY entry_id DESC LIMIT ?"
	consentClaimOf  = "SELECT entry_id, subject_id, at FROM consent_claim WHERE entry_id < ? AND subject_id = ? ORDER BY entry_id DESC LIMIT ?"
)

// fold is what the ledgers of roots come to.
type fold struct {
	states  map[stateKey]keep
	refused []consent.Refusal // when they refused to be analysed
	claims  []pendingClaim
	of      map[id.ID]id.ID // who counts for whom
}

func (l ledger) folded(tops []id.ID) (f fold, err error) {
	of, proven, err := l.members(tops)
	if err != nil {
		return f, err
	}
	all := make([]id.ID, 0, len(of))
	for m := range of {
		all = append(all, m)
	}
	slices.Sort(all)
	entries, err := l.entries(all)
	if err != nil {
		return f, err
	}
	again, err := l.again(all)
	if err != nil {
		return f, err
	}
	customers, err := l.customers(tops)
	if err != nil {
		return f, err
	}
	lines, repeats := map[id.ID][]consent.Entry{}, map[id.ID][]consent.Repeat{}
	for _, e := range entries {
		lines[of[e.Subject]] = append(lines[of[e.Subject]], e)
	}
	for _, r := range again {
		repeats[of[r.Subject]] = append(repeats[of[r.Subject]], r)
	}
	f = fold{states: map[stateKey]keep{}, of: of}
	for _, top := range tops {
		counting := consent.Counting(lines[top], customers[top], proven)
		f.refuse(top, counting, repeats[top])
		standing := consent.Fold(counting, repeats[top], l.now)
		for place, st := range standing {
			st.Subject = top
			f.states[stateKey{top, place}] = keep{st, customers[top]}
		}
		if !customers[top] {
			continue
		}
		for browser, own := range consent.Unproven(lines[top], proven) {
			f.refuse(browser, own, repeats[top])
		}
		for _, e := range consent.Open(lines[top], repeats[top], proven, standing) {
			f.claims = append(f.claims, pendingClaim{e.ID, top, e.At.UnixMilli()})
		}
	}
	return f, nil
}

// refuse notes when a subject refused to be analysed, by lines that count for it.
func (f *fold) refuse(subject id.ID, lines []consent.Entry, again []consent.Repeat) {
	for _, r := range consent.Refusals(lines, again) {
		r.Subject = subject
		f.refused = append(f.refused, r)
	}
}

// pendingClaim is a row of consent_claim.
type pendingClaim struct {
	entry, subject id.ID
	at             int64
}

// claims stores which refusals wait, for all of some subjects.
func (l ledger) claims(subjects []id.ID, want []pendingClaim) error {
	in, ids := l.in("subject_id", subjects)
	var have []pendingClaim
	err := Each(l.ctx, l, func(r *sql.Rows) error {
		var v pendingClaim
		err := r.Scan(&v.entry, &v.subject, &v.at)
		have = append(have, v)
		return err
	}, "SELECT entry_id, subject_id, at FROM consent_claim WHERE "+in, ids)
	if err != nil {
		return err
	}
	var gone, drop []id.ID
	for _, h := range have {
		if !slices.Contains(want, h) {
			gone = append(gone, h.entry)
		}
	}
	for _, w := range want { // one that changed its customer, who is not among the subjects any more
		if !slices.Contains(have, w) {
			drop = append(drop, w.entry)
		}
	}
	if len(gone)+len(drop) > 0 {
		in, ids := l.in("entry_id", append(gone, drop...))
		if _, err := l.Exec(l.ctx, "DELETE FROM consent_claim WHERE "+in, ids); err != nil {
			return err
		}
	}
	for _, w := range want {
		if slices.Contains(have, w) {
			continue
		}
		if _, err := l.Exec(l.ctx, consentClaimPut, int64(w.entry), int64(w.subject), w.at); err != nil {
			return err
		}
	}
	return nil
}

// decide stores the verdicts that new lines come with.
func (l ledger) decide(list []consent.Entry) error {
	for i := range list {
		if v := &list[i].Verdict; v.Decided {
			if _, err := l.Exec(l.ctx, consentDecide, int64(list[i].ID), v.Accepted, int64(v.By), v.At.UnixMilli()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Claims implements consent.Store.
func (k *Consents) Claims(ctx context.Context, customer, before id.ID, limit int) (out []consent.Claim, err error) {
	if before == 0 {
		before = id.ID(1<<63 - 1)
	}
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		l := k.ledger(ctx, c, time.Time{})
		text, args := consentClaimAll, []any{int64(before), limit}
		if customer != 0 {
			text, args = consentClaimOf, []any{int64(before), int64(customer), limit}
		}
		var rows []pendingClaim
		var entries []id.ID
		err := Each(ctx, c, func(r *sql.Rows) error {
			var v pendingClaim
			err := r.Scan(&v.entry, &v.subject, &v.at)
			rows, entries = append(rows, v), append(entries, v.entry)
			return err
		}, text, args...)
		if err != nil || len(rows) == 0 {
			return err
		}
		lines, err := l.lines("id", entries)
		if err != nil {
			return err
		}
		by := make(map[id.ID]consent.Entry, len(lines))
		for i := range lines {
			by[lines[i].ID] = lines[i]
		}
		for _, v := range rows {
			e := by[v.entry]
			e.At = time.UnixMilli(v.at).UTC()
			out = append(out, consent.Claim{Customer: v.subject, Entry: e})
		}
		return nil
	})
	return out, err
}

// Decide implements consent.Store.
func (k *Consents) Decide(ctx context.Context, customer id.ID, entries []id.ID, v consent.Verdict, now time.Time) (n int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		l := k.ledger(ctx, c, now)
		if _, err := c.Exec(ctx, consentLock, 0); err != nil {
			return err
		}
		var waiting []id.ID
		in, ids := l.in("entry_id", entries)
		err := Each(ctx, c, func(r *sql.Rows) error {
			var v id.ID
			err := r.Scan(&v)
			waiting = append(waiting, v)
			return err
		}, "SELECT entry_id FROM consent_claim WHERE subject_id = ? AND "+in, int64(customer), ids)
		if err != nil {
			return err
		}
		if n = len(waiting); n != len(entries) {
			return fault.New(fault.NotFound, "consent.unknown_claim", nil)
		}
		for _, e := range waiting {
			if _, err := c.Exec(ctx, consentDecide, int64(e), v.Accepted, int64(v.By), v.At.UnixMilli()); err != nil {
				return err
			}
		}
		return l.rework([]id.ID{customer}, false)
	})
	return n, err
}
