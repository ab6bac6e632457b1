package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Consents implements consent.Store.
type Consents struct{ store *Store }

var _ consent.Store = (*Consents)(nil)

// NewConsents keeps consents in a Store.
func NewConsents(s *Store) *Consents { return &Consents{store: s} }

const (
	consentPolicyGet  = "SELECT version, body FROM consent_policy WHERE id = 1"
	consentPolicyNew  = "INSERT INTO consent_policy (id, version, body, updated_by, updated_at) VALUES (1, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	consentPolicyPut  = "UPDATE consent_policy SET version = ?, body = ?, updated_by = ?, updated_at = ? WHERE id = 1 AND version = ?"
	consentWordings   = "SELECT id, purpose, number, zh, en, valid_from, created_by, created_at FROM consent_wording ORDER BY purpose, number"
	consentWordingMax = "SELECT COALESCE(max(number), 0) FROM consent_wording WHERE purpose = ?"
	consentWordingNew = "INSERT INTO consent_wording (id, purpose, number, zh, en, valid_from, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

	consentLock      = "UPDATE consent_lock SET seq = seq + ? WHERE id = 1"
	consentSeq       = "SELECT seq FROM consent_lock WHERE id = 1"
	consentColumns   = "id, once, subject_id, purpose, channel, state, at, recorded_at, expires_at, wording, source, guardian, by_kind, by_id, page, note, evidence, erasure"
	consentAgainPut  = "INSERT INTO consent_again (subject_id, purpose, channel, state, last_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (subject_id, purpose, channel, state) DO UPDATE SET last_at = CASE WHEN excluded.last_at > consent_again.last_at THEN excluded.last_at ELSE consent_again.last_at END"
	consentLinkPut   = "INSERT INTO consent_link (member, parent, proven) VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE SET parent = excluded.parent, proven = excluded.proven"
	consentLinkDrop  = "DELETE FROM consent_link WHERE member = ?"
	consentStateCols = "subject_id, purpose, channel, state, at, entry_id, expires_at, guardian, customer, seq"
	consentDue       = "SELECT subject_id, purpose, channel, state, at, entry_id, expires_at, guardian FROM consent_state WHERE state = 'given' AND expires_at > 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?"
	consentFigures   = "SELECT purpose, channel, state, count(*) FROM consent_state WHERE customer AND state <> '' GROUP BY purpose, channel, state ORDER BY purpose, channel, state"
	consentChanged   = "SELECT subject_id, seq FROM consent_state WHERE seq > ? ORDER BY seq LIMIT ?"
	consentErase     = "UPDATE consent_entry SET subject_id = 0, once = ?, page = '', note = '', evidence = '', by_id = CASE WHEN by_kind = 'user' THEN by_id ELSE 0 END, proof = ?, erasure = ? WHERE id = ?"
)

// Policy implements consent.Store.
func (k *Consents) Policy(ctx context.Context) (p consent.Policy, found bool, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		var body string
		var version int64
		var err error
		if found, err = c.QueryRow(ctx, []any{&version, &body}, consentPolicyGet); err != nil || !found {
			return err
		}
		p = consent.Policy{}
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			return fmt.Errorf("stored policy of consents: %w", err)
		}
		p.Version = version
		return nil
	})
	return p, found, err
}

// SavePolicy implements consent.Store.
func (k *Consents) SavePolicy(ctx context.Context, p consent.Policy, by id.ID, at time.Time) (ok bool, err error) {
	body, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	err = k.store.Write(ctx, func(c Conn) error {
		var n int64
		var err error
		if p.Version == 1 {
			n, err = c.Exec(ctx, consentPolicyNew, p.Version, string(body), int64(by), at.UnixMilli())
		} else {
			n, err = c.Exec(ctx, consentPolicyPut, p.Version, string(body), int64(by), at.UnixMilli(), p.Version-1)
		}
		ok = n > 0
		return err
	})
	return ok, err
}

// Wordings implements consent.Store.
func (k *Consents) Wordings(ctx context.Context) (out []consent.Wording, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var w consent.Wording
			var zh, en string
			var from, created int64
			if err := r.Scan(&w.ID, &w.Purpose, &w.Number, &zh, &en, &from, &w.CreatedBy, &created); err != nil {
				return err
			}
			w.Text = schema.Label{lang.ChineseSimplified: zh, lang.English: en}
			w.ValidFrom, w.CreatedAt = time.UnixMilli(from).UTC(), time.UnixMilli(created).UTC()
			out = append(out, w)
			return nil
		}, consentWordings)
	})
	return out, err
}

// AddWording implements consent.Store.
func (k *Consents) AddWording(ctx context.Context, w consent.Wording) (consent.Wording, error) {
	err := k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, consentLock, 0); err != nil {
			return err
		}
		if _, err := c.QueryRow(ctx, []any{&w.Number}, consentWordingMax, w.Purpose); err != nil {
			return err
		}
		w.Number++
		_, err := c.Exec(ctx, consentWordingNew, int64(w.ID), w.Purpose, w.Number, w.Text[lang.ChineseSimplified], w.Text[lang.English], w.ValidFrom.UnixMilli(), int64(w.CreatedBy), w.CreatedAt.UnixMilli())
		return err
	})
	return w, err
}

// ledger is one transaction on the ledger.
type ledger struct {
	Conn
	ctx      context.Context
	customer string // the table of customers, quoted
	now      time.Time
}

func (k *Consents) ledger(ctx context.Context, c Conn, now time.Time) ledger {
	l := ledger{Conn: c, ctx: ctx, now: now}
	if o := k.store.env().Registry.Object(query.Customer); o != nil {
		l.customer = dialect.Quote(o.Physical)
	}
	return l
}

func (l ledger) in(column string, ids []id.ID) (string, any) {
	return l.Dialect().In(column), l.Dialect().IDList(plain(ids))
}

func scanEntry(r *sql.Rows) (e consent.Entry, err error) {
	var at, recorded, expires int64
	var accepted sql.NullBool
	var by, decided sql.NullInt64
	err = r.Scan(&e.ID, &e.Once, &e.Subject, &e.Purpose, &e.Channel, &e.State, &at, &recorded, &expires, &e.Wording, &e.Source, &e.Guardian, &e.By.Kind, &e.By.ID, &e.Page, &e.Note, &e.Evidence, &e.Erasure,
		&accepted, &by, &decided)
	if accepted.Valid {
		e.Verdict = consent.Verdict{Decided: true, Accepted: accepted.Bool, By: id.ID(by.Int64), At: time.UnixMilli(decided.Int64).UTC()}
	}
	e.At, e.RecordedAt, e.Expires = time.UnixMilli(at).UTC(), time.UnixMilli(recorded).UTC(), instant(expires)
	return e, err
}

// Append implements consent.Store.
func (k *Consents) Append(ctx context.Context, list []consent.Entry, now time.Time) (n int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		l := k.ledger(ctx, c, now)
		if _, err := c.Exec(ctx, consentLock, 0); err != nil { // writers follow one another
			return err
		}
		fresh, err := l.fresh(list)
		if err != nil {
			return err
		}
		if n = len(fresh); n > 0 {
			err = c.InsertMany(ctx, "consent_entry", entryColumns(), n, func(i int, dst []any) { entryRow(&fresh[i], dst) })
			if err == nil {
				err = l.decide(fresh)
			}
			if err != nil {
				return err
			}
		}
		subjects := make([]id.ID, 0, len(list))
		for i := range list {
			subjects = append(subjects, list[i].Subject)
		}
		return l.rework(subjects, false)
	})
	return n, err
}

func entryColumns() []string {
	return []string{"id", "once", "subject_id", "purpose", "channel", "state", "at", "recorded_at", "expires_at", "wording", "source", "guardian", "by_kind", "by_id", "page", "note", "evidence"}
}

func entryRow(e *consent.Entry, dst []any) {
	copy(dst, []any{int64(e.ID), e.Once, int64(e.Subject), e.Purpose, string(e.Channel), string(e.State), e.At.UnixMilli(), e.RecordedAt.UnixMilli(), milli(e.Expires), int64(e.Wording),
		string(e.Source), e.Guardian, string(e.By.Kind), int64(e.By.ID), e.Page, e.Note, e.Evidence})
}

// fresh are the lines that are not there yet, without the quiet ones that repeat what their subjects say; these move the time of that.
func (l ledger) fresh(list []consent.Entry) (out []consent.Entry, err error) {
	keys := make([]string, len(list))
	var quiet []id.ID
	for i := range list {
		keys[i] = list[i].Once
		if list[i].Quiet || list[i].Source == consent.ByNamed {
			quiet = append(quiet, list[i].Subject)
		}
	}
	known := map[string]bool{}
	err = Each(l.ctx, l, func(r *sql.Rows) error {
		var v string
		err := r.Scan(&v)
		known[v] = true
		return err
	}, "SELECT once FROM consent_entry WHERE "+l.Dialect().In("once"), l.Dialect().TextList(keys))
	if err != nil {
		return nil, err
	}
	var said []consent.Entry
	if len(quiet) > 0 {
		if said, err = l.entries(quiet); err != nil {
			return nil, err
		}
	}
	again := map[consent.Repeat]time.Time{}
	order := slices.Clone(list)
	slices.SortStableFunc(order, func(a, b consent.Entry) int { return a.At.Compare(b.At) })
	for _, e := range order {
		if known[e.Once] {
			continue
		}
		known[e.Once] = true
		if e.Source == consent.ByNamed {
			if consent.Named(said, &e) {
				continue
			}
			said, out = append(said, e), append(out, e)
			continue
		}
		if e.Quiet {
			if consent.InForce(said, e.Subject, consent.Place{Purpose: e.Purpose, Channel: e.Channel}, e.At) == e.State {
				again[consent.Repeat{Subject: e.Subject, Purpose: e.Purpose, Channel: e.Channel, State: e.State}] = e.At // in the order of time
				continue
			}
			said = append(said, e)
		}
		out = append(out, e)
	}
	for r, at := range again {
		if _, err := l.Exec(l.ctx, consentAgainPut, int64(r.Subject), r.Purpose, string(r.Channel), string(r.State), at.UnixMilli()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l ledger) entries(subjects []id.ID) ([]consent.Entry, error) {
	return l.lines("subject_id", subjects)
}

func (l ledger) lines(column string, list []id.ID) (out []consent.Entry, err error) {
	in, ids := l.in(column, list)
	err = Each(l.ctx, l, func(r *sql.Rows) error {
		e, err := scanEntry(r)
		out = append(out, e)
		return err
	}, "SELECT "+consentColumns+consentDecided+consentFrom+" WHERE "+in, ids)
	return out, err
}

func (l ledger) again(subjects []id.ID) (out []consent.Repeat, err error) {
	in, ids := l.in("subject_id", subjects)
	err = Each(l.ctx, l, func(r *sql.Rows) error {
		var a consent.Repeat
		var at int64
		err := r.Scan(&a.Subject, &a.Purpose, &a.Channel, &a.State, &at)
		a.LastAt = time.UnixMilli(at).UTC()
		out = append(out, a)
		return err
	}, "SELECT subject_id, purpose, channel, state, last_at FROM consent_again WHERE "+in, ids)
	return out, err
}

// deepest is how long a chain of joins may be; a circle ends there.
const deepest = 64

// roots says for whom what each subject said counts.
func (l ledger) roots(subjects []id.ID) (map[id.ID]id.ID, error) {
	parent := map[id.ID]id.ID{}
	next := subjects
	for range deepest {
		if len(next) == 0 {
			break
		}
		in, ids := l.in("member", next)
		next = nil
		err := Each(l.ctx, l, func(r *sql.Rows) error {
			var m, p id.ID
			err := r.Scan(&m, &p)
			if _, seen := parent[m]; !seen {
				parent[m] = p
				next = append(next, p)
			}
			return err
		}, "SELECT member, parent FROM consent_link WHERE "+in, ids)
		if err != nil {
			return nil, err
		}
	}
	out := make(map[id.ID]id.ID, len(subjects))
	for _, s := range subjects {
		v := s
		for range deepest {
			p, ok := parent[v]
			if !ok {
				break
			}
			v = p
		}
		out[s] = v
	}
	return out, nil
}

// members are those whose words count for each root, itself among them, and of which of them it is proven.
func (l ledger) members(roots []id.ID) (of map[id.ID]id.ID, proven map[id.ID]bool, err error) {
	of, proven = make(map[id.ID]id.ID, len(roots)), map[id.ID]bool{} // member to root
	for _, r := range roots {
		of[r] = r
	}
	next := roots
	for range deepest {
		if len(next) == 0 {
			break
		}
		in, ids := l.in("parent", next)
		next = nil
		err := Each(l.ctx, l, func(r *sql.Rows) error {
			var m, p id.ID
			var known bool
			err := r.Scan(&m, &p, &known)
			if _, seen := of[m]; !seen {
				of[m] = of[p]
				next = append(next, m)
				if known {
					proven[m] = true
				}
			}
			return err
		}, "SELECT member, parent, proven FROM consent_link WHERE "+in, ids)
		if err != nil {
			return nil, nil, err
		}
	}
	return of, proven, nil
}

// keep is a row of consent_state.
type keep struct {
	consent.Standing
	customer bool
}

// same reports whether nothing has to be stored: that a line was said again moves nothing that anybody asks for.
func (k keep) same(o keep) bool {
	return k.State == o.State && k.Entry == o.Entry && k.Expires.Equal(o.Expires) && k.Guardian == o.Guardian && k.customer == o.customer
}

type stateKey struct {
	subject id.ID
	place   consent.Place
}

// rework works out the states of subjects, of those that they belong to, and stores what changed.
//
// Who was joined has what was analysed looked through again: events change hands with them.
func (l ledger) rework(subjects []id.ID, joined bool) error {
	subjects = slices.Compact(slices.Sorted(slices.Values(subjects)))
	roots, err := l.roots(subjects)
	if err != nil {
		return err
	}
	var tops []id.ID
	for _, r := range roots {
		tops = append(tops, r)
	}
	tops = slices.Compact(slices.Sorted(slices.Values(tops)))
	f, err := l.folded(tops)
	if err != nil {
		return err
	}
	want := f.states
	everybody := slices.Clone(subjects)
	for m := range f.of {
		everybody = append(everybody, m)
	}
	everybody = slices.Compact(slices.Sorted(slices.Values(everybody)))
	have, err := l.states(everybody)
	if err != nil {
		return err
	}
	for key, h := range have { // what counts no more stays as a row that says so
		if _, ok := want[key]; !ok && h.State != consent.Nothing {
			want[key] = keep{Standing: consent.Standing{Subject: key.subject, Purpose: key.place.Purpose, Channel: key.place.Channel}, customer: h.customer}
		}
	}
	var changed []keep
	for key, w := range want {
		if h, ok := have[key]; !ok || !h.same(w) {
			changed = append(changed, w)
		}
	}
	if err := l.refusals(everybody, f.refused, joined); err != nil {
		return err
	}
	if err := l.claims(everybody, f.claims); err != nil {
		return err
	}
	return l.put(changed)
}

func (l ledger) customers(ids []id.ID) (map[id.ID]bool, error) {
	out := map[id.ID]bool{}
	if l.customer == "" {
		return out, nil
	}
	in, list := l.in("id", ids)
	return out, Each(l.ctx, l, func(r *sql.Rows) error {
		var v id.ID
		err := r.Scan(&v)
		out[v] = true
		return err
	}, "SELECT id FROM "+l.customer+" WHERE "+in, list)
}

func (l ledger) states(subjects []id.ID) (map[stateKey]keep, error) {
	in, ids := l.in("subject_id", subjects)
	out := map[stateKey]keep{}
	return out, Each(l.ctx, l, func(r *sql.Rows) error {
		var k keep
		var at, expires int64
		err := r.Scan(&k.Subject, &k.Purpose, &k.Channel, &k.State, &at, &k.Entry, &expires, &k.Guardian, &k.customer)
		k.At, k.Expires = instant(at), instant(expires)
		out[stateKey{k.Subject, consent.Place{Purpose: k.Purpose, Channel: k.Channel}}] = k
		return err
	}, "SELECT subject_id, purpose, channel, state, at, entry_id, expires_at, guardian, customer FROM consent_state WHERE "+in, ids)
}

// put stores rows with numbers in the order in which transactions commit: the lock is held.
func (l ledger) put(list []keep) error {
	if len(list) == 0 {
		return nil
	}
	if _, err := l.Exec(l.ctx, consentLock, len(list)); err != nil {
		return err
	}
	var head int64
	if _, err := l.QueryRow(l.ctx, []any{&head}, consentSeq); err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b keep) int { return cmp.Compare(a.Subject, b.Subject) })
	subjects := map[string][]id.ID{}
	for _, k := range list {
		at := k.Purpose + " " + string(k.Channel)
		subjects[at] = append(subjects[at], k.Subject)
	}
	for _, group := range groupsOf(list) {
		in, ids := l.in("subject_id", subjects[group.Purpose+" "+string(group.Channel)])
		if _, err := l.Exec(l.ctx, "DELETE FROM consent_state WHERE purpose = ? AND channel = ? AND "+in, group.Purpose, string(group.Channel), ids); err != nil {
			return err
		}
	}
	first := head - int64(len(list))
	return l.InsertMany(l.ctx, "consent_state", []string{"subject_id", "purpose", "channel", "state", "at", "entry_id", "expires_at", "guardian", "customer", "seq"}, len(list), func(i int, dst []any) {
		k := &list[i]
		copy(dst, []any{int64(k.Subject), k.Purpose, string(k.Channel), string(k.State), milli(k.At), int64(k.Entry), milli(k.Expires), k.Guardian, k.customer, first + int64(i) + 1})
	})
}

func groupsOf(list []keep) (out []consent.Place) {
	seen := map[consent.Place]bool{}
	for _, k := range list {
		at := consent.Place{Purpose: k.Purpose, Channel: k.Channel}
		if !seen[at] {
			seen[at] = true
			out = append(out, at)
		}
	}
	return out
}

// Link implements consent.Store.
func (k *Consents) Link(ctx context.Context, list []consent.Edge, now time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		l := k.ledger(ctx, c, now)
		if _, err := c.Exec(ctx, consentLock, 0); err != nil {
			return err
		}
		var who []id.ID
		for _, e := range list {
			who = append(who, e.Member)
			if e.Parent != 0 {
				who = append(who, e.Parent)
			}
		}
		before, err := l.roots(who) // they lose what members take away
		if err != nil {
			return err
		}
		for _, r := range before {
			who = append(who, r)
		}
		for _, e := range list {
			if e.Parent == 0 || e.Parent == e.Member {
				_, err = c.Exec(ctx, consentLinkDrop, int64(e.Member))
			} else {
				_, err = c.Exec(ctx, consentLinkPut, int64(e.Member), int64(e.Parent), e.Proven)
			}
			if err != nil {
				return err
			}
		}
		return l.rework(who, true)
	})
}

// Standings implements consent.Store.
func (k *Consents) Standings(ctx context.Context, subjects []id.ID) (out []consent.Standing, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		l := k.ledger(ctx, c, time.Time{})
		roots, err := l.roots(subjects)
		if err != nil {
			return err
		}
		asked := map[id.ID][]id.ID{}
		var tops []id.ID
		for s, r := range roots {
			asked[r] = append(asked[r], s)
			tops = append(tops, r)
		}
		have, err := l.states(tops)
		for _, st := range have {
			if st.State == consent.Nothing {
				continue
			}
			for _, s := range asked[st.Subject] {
				x := st.Standing
				x.Subject = s
				out = append(out, x)
			}
		}
		return err
	})
	return out, err
}

// History implements consent.Store.
func (k *Consents) History(ctx context.Context, subject, before id.ID, limit int) (out []consent.Entry, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		l := k.ledger(ctx, c, time.Time{})
		of, _, err := l.members([]id.ID{subject})
		if err != nil {
			return err
		}
		var all []id.ID
		for m := range of {
			all = append(all, m)
		}
		in, ids := l.in("subject_id", all)
		args := []any{ids}
		text := "SELECT " + consentColumns + consentDecided + consentFrom + " WHERE " + in
		if before != 0 {
			text, args = text+" AND id < ?", append(args, int64(before))
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			e, err := scanEntry(r)
			out = append(out, e)
			return err
		}, text+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
	})
	return out, err
}

// Entry implements consent.Store.
func (k *Consents) Entry(ctx context.Context, entry id.ID) (e consent.Entry, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		found := false
		err := Each(ctx, c, func(r *sql.Rows) (err error) {
			found = true
			e, err = scanEntry(r)
			return err
		}, "SELECT "+consentColumns+consentDecided+consentFrom+" WHERE id = ?", int64(entry))
		if err == nil && !found {
			err = fault.New(fault.NotFound, "consent.unknown_entry", nil)
		}
		return err
	})
	return e, err
}

// Due implements consent.Store.
func (k *Consents) Due(ctx context.Context, now time.Time, limit int) (out []consent.Standing, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var s consent.Standing
			var at, expires int64
			err := r.Scan(&s.Subject, &s.Purpose, &s.Channel, &s.State, &at, &s.Entry, &expires, &s.Guardian)
			s.At, s.Expires = instant(at), instant(expires)
			out = append(out, s)
			return err
		}, consentDue, now.UnixMilli(), limit)
	})
	return out, err
}

// Figures implements consent.Store.
func (k *Consents) Figures(ctx context.Context) (out []consent.Figure, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var f consent.Figure
			err := r.Scan(&f.Purpose, &f.Channel, &f.State, &f.Count)
			out = append(out, f)
			return err
		}, consentFigures)
	})
	return out, err
}

// Changed are the customers whose states changed behind a number, and the number up to which that is known; the same number for none. All states
// of each are given, those that count no more left out.
func (k *Consents) Changed(ctx context.Context, after int64, limit int) (customers []id.ID, states []consent.Standing, upTo int64, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		customers, states, upTo = nil, nil, after
		var subjects []id.ID
		err := Each(ctx, c, func(r *sql.Rows) error {
			var v id.ID
			err := r.Scan(&v, &upTo)
			subjects = append(subjects, v)
			return err
		}, consentChanged, after, limit)
		if err != nil || len(subjects) == 0 {
			return err
		}
		l := k.ledger(ctx, c, time.Time{})
		subjects = slices.Compact(slices.Sorted(slices.Values(subjects)))
		have, err := l.states(subjects)
		if err != nil {
			return err
		}
		known := map[id.ID]bool{}
		for _, st := range have {
			if !st.customer {
				continue
			}
			known[st.Subject] = true
			if st.State != consent.Nothing {
				states = append(states, st.Standing)
			}
		}
		for _, v := range subjects {
			if known[v] {
				customers = append(customers, v)
			}
		}
		return nil
	})
	return customers, states, upTo, err
}

// Erase implements consent.Store.
func (k *Consents) Erase(ctx context.Context, subjects []id.ID, erasure id.ID, proof func(id.ID) string) (n int64, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		n = 0
		l := k.ledger(ctx, c, time.UnixMilli(0))
		if _, err := c.Exec(ctx, consentLock, 0); err != nil {
			return err
		}
		of, _, err := l.members(subjects)
		if err != nil {
			return err
		}
		var all []id.ID
		for m := range of {
			all = append(all, m)
		}
		entries, err := l.entries(all)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if _, err := c.Exec(ctx, consentErase, "erased:"+id.Format(consent.EntryPrefix, e.ID), proof(of[e.Subject]), int64(erasure), int64(e.ID)); err != nil {
				return err
			}
		}
		n = int64(len(entries))
		have, err := l.states(all)
		if err != nil {
			return err
		}
		var gone []keep
		for _, st := range have {
			gone = append(gone, keep{Standing: consent.Standing{Subject: st.Subject, Purpose: st.Purpose, Channel: st.Channel}, customer: st.customer})
		}
		if err := l.put(gone); err != nil {
			return err
		}
		for _, x := range [][2]string{{"consent_again", "subject_id"}, {"consent_link", "member"}, {"consent_refusal", "subject_id"}, {"consent_claim", "subject_id"}} {
			in, ids := l.in(x[1], all)
			if _, err := c.Exec(ctx, "DELETE FROM "+x[0]+" WHERE "+in, ids); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Forget takes away what subjects said who were never real, without a trace. batch names them.
func (k *Consents) Forget(ctx context.Context, subjects []id.ID, batch id.ID) error {
	if _, err := k.Erase(ctx, subjects, batch, func(id.ID) string { return "" }); err != nil {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		const gone = "erasure = ? AND proof = ''"
		if _, err := c.Exec(ctx, "DELETE FROM consent_decision WHERE entry_id IN (SELECT id FROM consent_entry WHERE "+gone+")", int64(batch)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "DELETE FROM consent_entry WHERE "+gone, int64(batch))
		return err
	})
}

// Proofs are the lines that an erased subject left, by its digest, newest first.
func (k *Consents) Proofs(ctx context.Context, proof string) (out []consent.Entry, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			e, err := scanEntry(r)
			out = append(out, e)
			return err
		}, "SELECT "+consentColumns+consentDecided+consentFrom+" WHERE proof = ? ORDER BY id DESC", proof)
	})
	return out, err
}

// Head is the newest number of a change of a state.
func (k *Consents) Head(ctx context.Context) (head int64, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&head}, consentSeq)
		return err
	})
	return head, err
}
