package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Privacy implements privacy.Store.
type Privacy struct{ *Store }

var _ privacy.Store = Privacy{}

const (
	erasureColumns    = "id, object, record_id, state, reason, reference, request, step, plan, counts, error, digest, by_kind, requested_by, requested_at, decided_by, decided_at, started_at, finished_at"
	erasureInsert     = "INSERT INTO erasure (" + erasureColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	erasureUpdate     = "UPDATE erasure SET state = ?, step = ?, plan = ?, counts = ?, error = ?, digest = ?, decided_by = ?, decided_at = ?, started_at = ?, finished_at = ? WHERE id = ? AND state = ?"
	erasureGet        = "SELECT " + erasureColumns + " FROM erasure WHERE id = ?"
	erasureMemberPut  = "INSERT INTO erasure_member (erasure, record_id, object, fate) VALUES (?, ?, ?, ?) ON CONFLICT (erasure, record_id) DO NOTHING"
	erasureMembers    = "SELECT object, record_id, fate FROM erasure_member WHERE erasure = ? ORDER BY record_id"
	erasureMemberDrop = "DELETE FROM erasure_member WHERE erasure = ?"
	suppressAdd       = "INSERT INTO suppression (hash, field, erasure, at) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING"
	suppressAny       = "SELECT 1 FROM suppression LIMIT 1"
	holdPut           = "INSERT INTO record_hold (record_id, object, reason, by_id, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (record_id) DO UPDATE SET reason = excluded.reason"
	holdDrop          = "DELETE FROM record_hold WHERE record_id = ?"
	holdAll           = "SELECT record_id, object, reason, by_id, at FROM record_hold"
)

// SaveErasure implements privacy.Store.
func (s Privacy) SaveErasure(ctx context.Context, e *privacy.Erasure, expect privacy.State) error {
	plan, counts := asJSON(e.Plan), asJSON(e.Counts)
	return s.Write(ctx, func(c Conn) error {
		if expect == "" {
			_, err := c.Exec(ctx, erasureInsert, int64(e.ID), e.Object, int64(e.Record), string(e.State), e.Reason, e.Reference, int64(e.Request), e.Step, plan, counts, e.Error, e.Digest,
				string(e.ByKind), int64(e.RequestedBy), milli(e.RequestedAt), int64(e.DecidedBy), milli(e.DecidedAt), milli(e.StartedAt), milli(e.FinishedAt))
			return err
		}
		n, err := c.Exec(ctx, erasureUpdate, string(e.State), e.Step, plan, counts, e.Error, e.Digest, int64(e.DecidedBy), milli(e.DecidedAt), milli(e.StartedAt), milli(e.FinishedAt),
			int64(e.ID), string(expect))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "privacy.state_changed", nil)
		}
		return err
	})
}

func scanErasure(r *sql.Rows) (*privacy.Erasure, error) {
	e := &privacy.Erasure{}
	var key, rec, request, by, asked, decider, decided, started, finished int64
	var state, plan, counts, kind string
	err := r.Scan(&key, &e.Object, &rec, &state, &e.Reason, &e.Reference, &request, &e.Step, &plan, &counts, &e.Error, &e.Digest, &kind, &by, &asked, &decider, &decided, &started, &finished)
	if err != nil {
		return nil, err
	}
	e.ID, e.Record, e.Request, e.RequestedBy, e.DecidedBy = id.ID(key), id.ID(rec), id.ID(request), id.ID(by), id.ID(decider)
	e.State, e.ByKind = privacy.State(state), access.ActorKind(kind)
	e.RequestedAt, e.DecidedAt, e.StartedAt, e.FinishedAt = instant(asked), instant(decided), instant(started), instant(finished)
	if err := json.Unmarshal([]byte(plan), &e.Plan); err != nil {
		return nil, fmt.Errorf("decode erasure: %w", err)
	}
	return e, json.Unmarshal([]byte(counts), &e.Counts)
}

// GetErasure implements privacy.Store.
func (s Privacy) GetErasure(ctx context.Context, v id.ID) (*privacy.Erasure, error) {
	list, err := read(ctx, s.Store, scanErasure, erasureGet, int64(v))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "privacy.erasure_unknown", nil)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// filter gathers the conditions of a list.
type filter struct {
	where []string
	args  []any
}

func (f *filter) add(is bool, text string, args ...any) {
	if is {
		f.where, f.args = append(f.where, text), append(f.args, args...)
	}
}

func (f *filter) text() string {
	if len(f.where) == 0 {
		return "TRUE"
	}
	return strings.Join(f.where, " AND ")
}

func listed[T ~string](d dialect.Dialect, column string, values []T) (string, any) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return d.In(column), d.TextList(texts)
}

// ListErasures implements privacy.Store.
func (s Privacy) ListErasures(ctx context.Context, f privacy.ErasureFilter) ([]*privacy.Erasure, error) {
	var w filter
	if f.States != nil {
		text, arg := listed(s.db.Dialect(), "state", f.States)
		w.add(true, text, arg)
	}
	w.add(f.Record != 0, "record_id = ?", int64(f.Record))
	w.add(f.Before != 0, "id < ?", int64(f.Before))
	return read(ctx, s.Store, scanErasure, "SELECT "+erasureColumns+" FROM erasure WHERE "+w.text()+" ORDER BY id DESC LIMIT ?", append(w.args, int64(f.Limit))...)
}

func scanID(r *sql.Rows) (id.ID, error) {
	var v int64
	err := r.Scan(&v)
	return id.ID(v), err
}

// Linked implements privacy.Store.
func (s Privacy) Linked(ctx context.Context, obj *schema.Object, f *schema.Field, target *schema.Object, ids []id.ID) ([]id.ID, error) {
	col, ok := obj.Column(f.Key, schema.Main)
	if !ok || len(ids) == 0 || target == nil {
		return nil, nil
	}
	d := s.db.Dialect()
	q := "SELECT t.id FROM " + dialect.Quote(obj.Physical) + " t WHERE " + d.In("t."+dialect.Quote(col.Name))
	if f.Type == schema.Record {
		texts := make([]string, len(ids))
		for i, v := range ids {
			texts[i] = id.Format(target.Prefix, v)
		}
		return read(ctx, s.Store, scanID, q, d.TextList(texts))
	}
	return read(ctx, s.Store, scanID, q, d.IDList(plain(ids)))
}

// MergedFrom are the records that were merged into some, at any distance.
func (s *Store) MergedFrom(ctx context.Context, ids []id.ID) ([]id.ID, error) {
	var out []id.ID
	d := s.db.Dialect()
	for ask := ids; len(ask) > 0; {
		found, err := read(ctx, s, scanID, "SELECT record_id FROM record_merged WHERE "+d.In("survivor"), d.IDList(plain(ask)))
		if err != nil {
			return nil, err
		}
		ask = slices.DeleteFunc(found, func(v id.ID) bool { return slices.Contains(out, v) })
		out = append(out, ask...)
	}
	return out, nil
}

const sentTo = `SELECT i.handed_at, c.name, i.channel, i.state, (SELECT CAST(COALESCE(sum(k.n), 0) AS BIGINT) FROM message_click k WHERE k.intent_id = i.id AND NOT k.machine)
FROM message_intent i JOIN campaign c ON c.id = i.run_id WHERE i.handed_at > 0 AND {customer_id} ORDER BY i.handed_at DESC, i.id DESC LIMIT `

const couponsOf = "SELECT c.issued_at, o.name, c.code, c.state FROM coupon c JOIN offer o ON o.id = c.offer_id WHERE {customer_id} ORDER BY c.id DESC LIMIT "

// Marketed are the messages of campaigns that went to customers and the coupons that are theirs, newest first.
func (s Privacy) Marketed(ctx context.Context, customers []id.ID, limit int) ([]privacy.Marketed, error) {
	d := s.db.Dialect()
	list := d.IDList(plain(customers))
	q, args := fill(d, sentTo, list)
	out, err := read(ctx, s.Store, func(r *sql.Rows) (v privacy.Marketed, err error) {
		var at int64
		err = r.Scan(&at, &v.Name, &v.Channel, &v.State, &v.Clicks)
		v.Kind, v.At = "message", time.UnixMilli(at).UTC()
		return v, err
	}, q+strconv.Itoa(limit), args...)
	if err != nil {
		return nil, err
	}
	q, args = fill(d, couponsOf, list)
	coupons, err := read(ctx, s.Store, func(r *sql.Rows) (v privacy.Marketed, err error) {
		var at int64
		err = r.Scan(&at, &v.Name, &v.Code, &v.State)
		v.Kind, v.At = "coupon", time.UnixMilli(at).UTC()
		return v, err
	}, q+strconv.Itoa(limit), args...)
	return append(out, coupons...), err
}

// PutMembers implements privacy.Store.
func (s Privacy) PutMembers(ctx context.Context, erasure id.ID, members []privacy.Member) (added int, err error) {
	err = s.Write(Bulk(ctx), func(c Conn) error {
		added = 0
		for _, m := range members {
			n, err := c.Exec(ctx, erasureMemberPut, int64(erasure), int64(m.ID), m.Object, string(m.Fate))
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	return added, err
}

// Members implements privacy.Store.
func (s Privacy) Members(ctx context.Context, erasure id.ID) ([]privacy.Member, error) {
	return read(ctx, s.Store, func(r *sql.Rows) (m privacy.Member, err error) {
		var v int64
		var fate string
		err = r.Scan(&m.Object, &v, &fate)
		m.ID, m.Fate = id.ID(v), privacy.Fate(fate)
		return m, err
	}, erasureMembers, int64(erasure))
}

// DropMembers implements privacy.Store.
func (s Privacy) DropMembers(ctx context.Context, erasure id.ID) error {
	return s.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, erasureMemberDrop, int64(erasure))
		return err
	})
}

// Batches implements privacy.Store.
func (s Privacy) Batches(ctx context.Context, ids []id.ID) ([]id.ID, error) {
	d := s.db.Dialect()
	return read(ctx, s.Store, scanID, "SELECT DISTINCT batch_id FROM change WHERE batch_id > 0 AND "+d.In("record_id"), d.IDList(plain(ids)))
}

// scrubbing is one part of what hangs on records: how it is counted, and how it goes. Every "{ids}" is the list of records.
type scrubbing struct {
	part  string
	count string
	drop  []string
}

// scrubbings are the parts in the order in which they go.
func scrubbings() []scrubbing {
	return []scrubbing{
		{"comments", "SELECT count(*) FROM comment WHERE {record_id}", []string{"DELETE FROM comment_revision WHERE comment IN (SELECT id FROM comment WHERE {record_id})", "DELETE FROM comment WHERE {record_id}"}},
		{"files", "SELECT count(*) FROM attachment WHERE {record_id}", []string{"DELETE FROM attachment WHERE {record_id}"}},
		{"notices", "SELECT count(*) FROM notification WHERE {record_id}", []string{"DELETE FROM notification WHERE {record_id}"}},
		{"follows", "SELECT count(*) FROM follow WHERE {record_id}", []string{"DELETE FROM follow WHERE {record_id}"}},
		{"shares", "SELECT count(*) FROM record_share WHERE {record}", []string{"DELETE FROM record_share WHERE {record}"}},
		{"duplicates", "SELECT count(*) FROM duplicate_pair WHERE {a} OR {b}", []string{"DELETE FROM duplicate_pair WHERE {a}", "DELETE FROM duplicate_pair WHERE {b}", "DELETE FROM duplicate_verdict WHERE {a}", "DELETE FROM duplicate_verdict WHERE {b}"}},
		{"segments", "SELECT count(*) FROM segment_static_member WHERE {customer_id}", []string{"DELETE FROM segment_static_member WHERE {customer_id}"}},
		{"passages", "SELECT count(*) FROM segment_passage WHERE {customer_id}", []string{"DELETE FROM segment_passage WHERE {customer_id}"}},
		{"classes", "SELECT count(*) FROM class_transition WHERE {customer_id}", []string{"DELETE FROM class_transition WHERE {customer_id}"}},
		{"actions", "SELECT count(*) FROM action_choice WHERE {customer_id}", []string{"DELETE FROM action_choice WHERE {customer_id}", "DELETE FROM action_case WHERE {customer_id}"}},
		{"warnings", "SELECT count(*) FROM churn_warning WHERE {customer_id}", []string{"DELETE FROM churn_warning WHERE {customer_id}"}},
		// What campaigns came to is counted on; answers of mail servers, which name addresses, and what was clicked go.
		{"campaigns", "SELECT count(*) FROM message_intent WHERE {customer_id}", []string{"DELETE FROM message_click WHERE intent_id IN (SELECT id FROM message_intent WHERE {customer_id})",
			"DELETE FROM contact_count WHERE {customer_id}", "UPDATE message_intent SET receipt = '', reason = '', state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END WHERE {customer_id}"}},
		{"coupons", "SELECT count(*) FROM coupon WHERE {customer_id}", []string{"UPDATE coupon SET state = 'revoked' WHERE {customer_id} AND state = 'issued'"}},
		// How many entered and left journeys is counted on; the ways go.
		{"journeys", "SELECT count(*) FROM journey_token WHERE {customer_id}", []string{"DELETE FROM journey_path WHERE {customer_id}",
			"UPDATE journey_token SET occasion = CAST(id AS TEXT), awaits = '', state = CASE WHEN state = 'on' THEN 'left' ELSE state END WHERE {customer_id}"}},
		// How many came by a form is counted on.
		{"forms", "SELECT count(*) FROM form_submission WHERE {customer_id}", []string{"UPDATE form_submission SET told = '', state = CASE WHEN state = 'waiting' THEN 'taken' ELSE state END WHERE {customer_id}"}},
		{"merges", "SELECT count(*) FROM record_merge WHERE {survivor}", []string{"DELETE FROM record_merge_child WHERE merge IN (SELECT id FROM record_merge WHERE {survivor})",
			"DELETE FROM record_merged WHERE {survivor}", "DELETE FROM record_merge WHERE {survivor}"}},
		{"lines", "SELECT count(*) FROM import_line_seen WHERE {record_id}", []string{"DELETE FROM import_line_seen WHERE {record_id}"}},
		{"errors", "SELECT count(*) FROM mass_error WHERE {record_id}", []string{"DELETE FROM mass_error WHERE {record_id}", "DELETE FROM shape_left WHERE {record_id}"}},
		{"approvals", "SELECT count(*) FROM approval WHERE {record_id}", []string{"DELETE FROM approval_task WHERE approval IN (SELECT id FROM approval WHERE {record_id})",
			"DELETE FROM approval_event WHERE {record_id}", "DELETE FROM approval_event WHERE approval IN (SELECT id FROM approval WHERE {record_id})", "DELETE FROM approval WHERE {record_id}"}},
		{"mail", "SELECT count(*) FROM mail_message WHERE {record_id}", []string{"DELETE FROM mail_message WHERE {record_id}"}},
		{"guests", "SELECT count(*) FROM meeting_guest WHERE {meeting} OR {record_id}", []string{"DELETE FROM meeting_guest WHERE {meeting}", "DELETE FROM meeting_guest WHERE {record_id}"}},
		{"runs", "SELECT count(*) FROM automation_run WHERE {record_id}", []string{"DELETE FROM automation_step WHERE run IN (SELECT id FROM automation_run WHERE {record_id})",
			"DELETE FROM automation_run WHERE {record_id}", "DELETE FROM automation_effect WHERE {record_id}", "DELETE FROM automation_member WHERE {record_id}", "DELETE FROM webhook_event WHERE {record_id}"}},
		{"messages", "SELECT count(*) FROM webhook_delivery WHERE {record_id}", nil},
		{"history", "SELECT count(*) FROM change WHERE {record_id} AND (before IS NOT NULL OR after IS NOT NULL)", []string{"UPDATE change SET before = NULL, after = NULL WHERE {record_id} AND (before IS NOT NULL OR after IS NOT NULL)"}},
		{"searches", "SELECT count(*) FROM search_doc WHERE {search}", nil},
	}
}

// fill puts the lists of ids into a statement.
func fill(d dialect.Dialect, q string, ids any) (string, []any) {
	var args []any
	for {
		before, after, ok := strings.Cut(q, "{")
		if !ok {
			return q, args
		}
		column, rest, _ := strings.Cut(after, "}")
		if column == "search" {
			column = "id"
			if !d.FactKey() {
				column = "rowid"
			}
		}
		q = before + d.In(column) + rest
		args = append(args, ids)
	}
}

// Survey implements privacy.Store.
func (s Privacy) Survey(ctx context.Context, ids []id.ID) (map[string]int64, error) {
	out := map[string]int64{}
	d := s.db.Dialect()
	list := d.IDList(plain(ids))
	err := s.Read(ctx, func(c Conn) error {
		clear(out)
		for _, x := range scrubbings() {
			q, args := fill(d, x.count, list)
			var n int64
			if _, err := c.QueryRow(ctx, []any{&n}, q, args...); err != nil {
				return fmt.Errorf("count %s: %w", x.part, err)
			}
			out[x.part] = n
		}
		return nil
	})
	return out, err
}

// Scrub implements privacy.Store. Each part has a transaction of its own, so that nobody waits long.
func (s Privacy) Scrub(ctx context.Context, ids []id.ID, printed []string, at time.Time) (map[string]int64, error) {
	out := map[string]int64{}
	d := s.db.Dialect()
	list := d.IDList(plain(ids))
	parts := scrubbings()
	if d.FactKey() { // the analytics plane stands in the same schema; the embedded one is a file of its own, which is rewritten
		parts = append(parts, scrubbing{"members", "SELECT count(*) FROM segment_member WHERE {customer_id}", []string{"DELETE FROM segment_member WHERE {customer_id}"}})
	}
	for _, x := range parts {
		err := s.Write(Bulk(ctx), func(c Conn) error {
			q, args := fill(d, x.count, list)
			var n int64
			if x.drop == nil {
				return nil
			}
			if _, err := c.QueryRow(ctx, []any{&n}, q, args...); err != nil {
				return err
			}
			out[x.part] = n
			for _, q := range x.drop {
				q, args := fill(d, q, list)
				if _, err := c.Exec(ctx, q, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return out, fmt.Errorf("scrub %s: %w", x.part, err)
		}
	}
	n, err := s.scrubMessages(ctx, ids, printed, at)
	out["messages"] = n
	return out, err
}

// scrubMessages removes messages to other systems about records, and those about others that name one.
func (s Privacy) scrubMessages(ctx context.Context, ids []id.ID, printed []string, at time.Time) (int64, error) {
	concerned, mentioned := map[int64]bool{}, id.Mentions(printed)
	for _, v := range ids {
		concerned[int64(v)] = true
	}
	var gone []int64
	var last int64
	for {
		n := 0
		err := s.Read(ctx, func(c Conn) error {
			n = 0
			return Each(ctx, c, func(r *sql.Rows) error {
				var key, rec, when int64
				var body string
				if err := r.Scan(&key, &rec, &when, &body); err != nil {
					return err
				}
				n++
				last = key
				if concerned[rec] && when < milli(at) || !concerned[rec] && mentioned(body) {
					gone = append(gone, key)
				}
				return nil
			}, "SELECT id, record_id, at, body FROM webhook_delivery WHERE id > ? ORDER BY id LIMIT 1000", last)
		})
		if err != nil {
			return 0, err
		}
		if n < 1000 {
			break
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	d := s.db.Dialect()
	return int64(len(gone)), s.Write(Bulk(ctx), func(c Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM webhook_attempt WHERE "+d.In("delivery"), d.IDList(gone)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "DELETE FROM webhook_delivery WHERE "+d.In("id"), d.IDList(gone))
		return err
	})
}

// Blobs implements privacy.Store.
func (s Privacy) Blobs(ctx context.Context, ids []id.ID) ([]string, error) {
	d := s.db.Dialect()
	return read(ctx, s.Store, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) }, "SELECT blob FROM attachment WHERE "+d.In("record_id")+" UNION ALL SELECT thumb FROM attachment WHERE thumb <> '' AND "+d.In("record_id"),
		d.IDList(plain(ids)), d.IDList(plain(ids)))
}

// DropKeys implements privacy.Store.
func (s Privacy) DropKeys(ctx context.Context, subjects []id.ID) (n int64, err error) {
	d := s.db.Dialect()
	err = s.Write(ctx, func(c Conn) (err error) {
		n, err = c.Exec(ctx, "DELETE FROM person_key WHERE "+d.In("subject"), d.IDList(plain(subjects)))
		return err
	})
	return n, err
}

// Suppress implements privacy.Store.
func (s Privacy) Suppress(ctx context.Context, erasure id.ID, digests map[string]string, at time.Time) error {
	return s.Write(ctx, func(c Conn) error {
		for h, field := range digests {
			if _, err := c.Exec(ctx, suppressAdd, h, field, int64(erasure), milli(at)); err != nil {
				return err
			}
		}
		return nil
	})
}

// SuppressedBy are the digests that an erasure suppressed, with the keys of their fields.
func (s Privacy) SuppressedBy(ctx context.Context, erasure id.ID) (map[string]string, error) {
	out := map[string]string{}
	err := s.Read(ctx, func(c Conn) error {
		clear(out)
		return Each(ctx, c, func(r *sql.Rows) error {
			var h, field string
			err := r.Scan(&h, &field)
			out[h] = field
			return err
		}, "SELECT hash, field FROM suppression WHERE erasure = ?", int64(erasure))
	})
	return out, err
}

// Unsuppress implements privacy.Store.
func (s Privacy) Unsuppress(ctx context.Context, digests []string) (n int64, err error) {
	d := s.db.Dialect()
	err = s.Write(ctx, func(c Conn) (err error) {
		n, err = c.Exec(ctx, "DELETE FROM suppression WHERE "+d.In("hash"), d.TextList(digests))
		return err
	})
	return n, err
}

// AnySuppressed reports whether anything is suppressed at all.
func (s Privacy) AnySuppressed(ctx context.Context) (some bool, err error) {
	err = s.Read(ctx, func(c Conn) error {
		var one int
		some, err = c.QueryRow(ctx, []any{&one}, suppressAny)
		return err
	})
	return some, err
}

// SuppressedOf implements privacy.Store.
func (s Privacy) SuppressedOf(ctx context.Context, digests []string) (out map[string]bool, err error) {
	err = s.Read(ctx, func(c Conn) error {
		out, err = suppressed(ctx, c, digests)
		return err
	})
	return out, err
}

func suppressed(ctx context.Context, c Conn, digests []string) (map[string]bool, error) {
	out := map[string]bool{}
	d := c.Dialect()
	err := Each(ctx, c, func(r *sql.Rows) error {
		var h string
		err := r.Scan(&h)
		out[h] = true
		return err
	}, "SELECT hash FROM suppression WHERE "+d.In("hash"), d.TextList(digests))
	return out, err
}

var _ record.Suppressor = (*tx)(nil)

// Suppressing implements record.Suppressor.
func (t *tx) Suppressing(ctx context.Context) (bool, error) {
	var one int64
	return t.c.QueryRow(ctx, []any{&one}, suppressAny)
}

// Suppressed implements record.Suppressor.
func (t *tx) Suppressed(ctx context.Context, hashes []string) (map[string]bool, error) {
	return suppressed(ctx, t.c, hashes)
}

// PutHold implements privacy.Store.
func (s Privacy) PutHold(ctx context.Context, h privacy.Hold) error {
	return s.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, holdPut, int64(h.Record), h.Object, h.Reason, int64(h.By), milli(h.At))
		return err
	})
}

// DropHold implements privacy.Store.
func (s Privacy) DropHold(ctx context.Context, rec id.ID) (was bool, err error) {
	err = s.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, holdDrop, int64(rec))
		was = n > 0
		return err
	})
	return was, err
}

// Holds implements privacy.Store.
func (s Privacy) Holds(ctx context.Context, ids []id.ID) (map[id.ID]privacy.Hold, error) {
	q, args := holdAll+" ORDER BY at DESC LIMIT 1000", []any(nil)
	if ids != nil {
		d := s.db.Dialect()
		q, args = holdAll+" WHERE "+d.In("record_id"), []any{d.IDList(plain(ids))}
	}
	list, err := read(ctx, s.Store, func(r *sql.Rows) (h privacy.Hold, err error) {
		var rec, by, at int64
		err = r.Scan(&rec, &h.Object, &h.Reason, &by, &at)
		h.Record, h.By, h.At = id.ID(rec), id.ID(by), instant(at)
		return h, err
	}, q, args...)
	out := map[id.ID]privacy.Hold{}
	for _, h := range list {
		out[h.Record] = h
	}
	return out, err
}
