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
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Approvals implements approval.Store.
type Approvals struct{ store *Store }

var _ approval.Store = (*Approvals)(nil)

// NewApprovals keeps processes and requests for agreement in a Store.
func NewApprovals(s *Store) *Approvals { return &Approvals{store: s} }

const (
	approvalVersion     = "SELECT version FROM approval_state WHERE one = 1"
	approvalRaise       = "UPDATE approval_state SET version = version + 1 WHERE one = 1"
	approvalProcesses   = "SELECT id, version, object, body, at, by_id FROM approval_process WHERE state = 'present' ORDER BY id"
	approvalEver        = "SELECT DISTINCT object FROM approval_process"
	approvalProcess     = "SELECT id, version, object, body, at, by_id FROM approval_process WHERE id = ? AND version = ?"
	approvalProcessPut  = "INSERT INTO approval_process (id, version, object, body, state, at, by_id) VALUES (?, ?, ?, ?, 'present', ?, ?) ON CONFLICT DO NOTHING"
	approvalProcessPast = "UPDATE approval_process SET state = 'past' WHERE id = ? AND version = ? AND state = 'present'"
	approvalColumns     = "id, process, version, object, record_id, state, by_kind, by_id, rev, at, ended_at, told, body, content"
	approvalInsert      = "INSERT INTO approval (" + approvalColumns + ", open) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	approvalUpdate      = "UPDATE approval SET process = ?, version = ?, record_id = ?, state = ?, rev = ?, ended_at = ?, told = 0, body = ?, content = ?, open = ? WHERE id = ? AND rev = ?"
	approvalGet         = "SELECT " + approvalColumns + " FROM approval WHERE id = ?"
	approvalTaskColumns = "id, approval, person, by_id, state, due_at, told, body"
	approvalTaskPut     = "INSERT INTO approval_task (" + approvalTaskColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT (id) DO UPDATE SET by_id = excluded.by_id, state = excluded.state, due_at = excluded.due_at, told = excluded.told, body = excluded.body"
	approvalEventPut = "INSERT INTO approval_event (id, approval, record_id, at, body) VALUES (?, ?, ?, ?, ?)"
	approvalEvents   = "SELECT id, approval, record_id, at, body FROM approval_event WHERE approval = ? ORDER BY id"
	approvalHappened = "SELECT id, approval, record_id, at, body FROM approval_event WHERE record_id = ? AND at <= ? ORDER BY at DESC, id DESC LIMIT ?"
	approvalBorn     = "UPDATE approval_event SET record_id = ? WHERE approval = ? AND record_id = 0"
	approvalLocks    = "SELECT id, process, record_id, body FROM approval WHERE open = 1 AND "
	approvalReady    = "SELECT id FROM approval WHERE state = 'approved' ORDER BY id LIMIT ?"
	approvalLate     = "SELECT DISTINCT approval FROM approval_task WHERE state = 'pending' AND due_at > 0 AND due_at <= ? LIMIT ?"
	approvalUntold   = "SELECT id FROM approval WHERE told = 0 ORDER BY id LIMIT ?"
	approvalTold     = "UPDATE approval SET told = 1 WHERE id = ? AND rev = ?"
	approvalTaskTold = "UPDATE approval_task SET told = 1 WHERE id = ? AND due_at = ?"
	approvalAway     = "SELECT person, deputy, since, until FROM approval_away"
	approvalAwayEnd  = "DELETE FROM approval_away WHERE person = ?"
	approvalAwayPut  = "INSERT INTO approval_away (person, deputy, since, until) VALUES (?, ?, ?, ?)"
)

// in reads as of a transaction of records, or on a snapshot of its own.
func (a *Approvals) in(ctx context.Context, r record.Reader, fn func(Conn) error) error {
	if t, ok := r.(*tx); ok {
		return fn(t.c)
	}
	return a.store.Read(ctx, fn)
}

// Version implements approval.Store.
func (a *Approvals) Version(ctx context.Context, r record.Reader) (int64, error) {
	return processVersion(ctx, a.store, r)
}

// processVersion goes up with every change of the processes of approvals and of stages. A transaction reads it once, whoever asks.
func processVersion(ctx context.Context, s *Store, r record.Reader) (version int64, err error) {
	ask := func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&version}, approvalVersion)
		return err
	}
	t, ok := r.(*tx)
	if !ok {
		err = s.Read(ctx, ask)
		return version, err
	}
	if t.processes == 0 {
		if err := ask(t.c); err != nil {
			return 0, err
		}
		t.processes = version
	}
	return t.processes, nil
}

func scanProcess(rows *sql.Rows) (p approval.Process, err error) {
	var key, at, by int64
	var object, body string
	if err = rows.Scan(&key, &p.Version, &object, &body, &at, &by); err != nil {
		return p, err
	}
	err = json.Unmarshal([]byte(body), &p.ProcessSpec)
	p.ID, p.At, p.By, p.Object = id.ID(key), instant(at), id.ID(by), object
	return p, err
}

// Processes implements approval.Store.
func (a *Approvals) Processes(ctx context.Context, r record.Reader) (version int64, list []approval.Process, ever []string, err error) {
	err = a.in(ctx, r, func(c Conn) error {
		list, ever = nil, nil
		if _, err := c.QueryRow(ctx, []any{&version}, approvalVersion); err != nil {
			return err
		}
		err := Each(ctx, c, func(rows *sql.Rows) error {
			p, err := scanProcess(rows)
			list = append(list, p)
			return err
		}, approvalProcesses)
		if err != nil {
			return err
		}
		return Each(ctx, c, func(rows *sql.Rows) error {
			var o string
			err := rows.Scan(&o)
			ever = append(ever, o)
			return err
		}, approvalEver)
	})
	return version, list, ever, err
}

// Process implements approval.Store.
func (a *Approvals) Process(ctx context.Context, process id.ID, version int64) (approval.Process, error) {
	list, err := read(ctx, a.store, scanProcess, approvalProcess, int64(process), version)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "approval.process_unknown", nil)
	}
	if err != nil {
		return approval.Process{}, err
	}
	return list[0], nil
}

// PutProcess implements approval.Store.
func (a *Approvals) PutProcess(ctx context.Context, p approval.Process) error {
	body, err := jsonText(p.ProcessSpec)
	if err != nil {
		return fmt.Errorf("encode a process: %w", err)
	}
	stale := fault.New(fault.Stale, "approval.stale", nil)
	return a.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, approvalRaise); err != nil { // first: it makes writers wait for each other
			return err
		}
		if p.Version > 1 {
			if n, err := c.Exec(ctx, approvalProcessPast, int64(p.ID), p.Version-1); err != nil || n == 0 {
				if err == nil {
					err = stale
				}
				return err
			}
		}
		n, err := c.Exec(ctx, approvalProcessPut, int64(p.ID), p.Version, p.Object, body, milli(p.At), int64(p.By))
		if err == nil && n == 0 {
			err = stale
		}
		return err
	})
}

// DropProcess implements approval.Store.
func (a *Approvals) DropProcess(ctx context.Context, process id.ID, version int64) error {
	return a.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, approvalRaise); err != nil {
			return err
		}
		n, err := c.Exec(ctx, approvalProcessPast, int64(process), version)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "approval.stale", nil)
		}
		return err
	})
}

// Add implements approval.Store.
func (a *Approvals) Add(ctx context.Context, r *approval.Request) error {
	body, err := jsonText(r.Body)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	return a.store.Write(ctx, func(c Conn) error {
		r.Rev = 1
		n, err := c.Exec(ctx, approvalInsert, int64(r.ID), int64(r.Process), r.Version, r.Object, int64(r.Record), string(r.State), string(r.By.Kind), int64(r.By.ID),
			r.Rev, milli(r.At), milli(r.EndedAt), 0, withActor(body, r.By), r.Content, one(r.State.Open()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "approval.open_already", fault.Params{"process": r.Name})
		}
		return putApprovalParts(ctx, c, r)
	})
}

// actorBody is what else is kept of the requester.
type actorBody struct {
	Person id.ID  `json:"by_person,omitempty"`
	Locale string `json:"by_locale,omitempty"`
}

// withActor adds the requester to the body of a request, which is a JSON object that is not empty.
func withActor(body string, a approval.Actor) string {
	return strings.TrimSuffix(body, "}") + "," + strings.TrimPrefix(asJSON(struct {
		Person id.ID  `json:"by_person"`
		Locale string `json:"by_locale"`
	}{a.Person, a.Locale}), "{")
}

// requestTold is what other systems are told of a request. Ids are plain numbers.
type requestTold struct {
	Request id.ID            `json:"request"`
	Process string           `json:"process"`
	Action  string           `json:"action"`
	State   string           `json:"state"`
	ByKind  access.ActorKind `json:"by_kind"`
	By      id.ID            `json:"by,omitempty"`
	Answer  string           `json:"answer,omitempty"`
	Step    string           `json:"step,omitempty"`
	Person  id.ID            `json:"person,omitempty"`
	Comment string           `json:"comment,omitempty"`
	Code    string           `json:"code,omitempty"`
}

// outward is the kind of event by which other systems are told of one of a request; "" for none.
func outward(k approval.EventKind) webhook.Kind {
	switch k {
	case approval.EvApproved, approval.EvRejected, approval.EvReturned, approval.EvExpired, approval.EvNobody:
		return webhook.ApprovalDecided
	case approval.EvWithdrawn:
		return webhook.ApprovalWithdrawn
	case approval.EvApplied:
		return webhook.ApprovalApplied
	case approval.EvFailed:
		return webhook.ApprovalFailed
	default:
		return ""
	}
}

// tellOfRequest writes down what other systems are to be told of a request that is stored.
func tellOfRequest(ctx context.Context, c Conn, r *approval.Request) error {
	said := requestTold{Request: r.ID, Process: r.Name, Action: string(r.Action), State: string(r.State), ByKind: r.By.Kind, By: r.By.ID}
	h := webhook.Happening{Object: r.Object, Record: r.Record}
	for i := range r.Events {
		e := &r.Events[i]
		if h.Type = outward(e.Kind); h.Type == "" {
			continue
		}
		h.Once, h.At = "ape:"+strconv.FormatInt(int64(e.ID), 36), e.At
		one := said
		one.ByKind, one.By, one.Answer, one.Step, one.Comment, one.Code = e.ByKind, e.By, string(e.Kind), e.Step, e.Comment, e.Code
		if err := tellOf(ctx, c, h, one); err != nil {
			return err
		}
	}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if t.State != approval.TaskPending || r.State != approval.Pending {
			continue
		}
		var pending int64 // who was asked before is not asked now
		if found, err := c.QueryRow(ctx, []any{&pending}, "SELECT 1 FROM approval_task WHERE id = ? AND state = 'pending'", int64(t.ID)); err != nil || found {
			if err != nil {
				return err
			}
			continue
		}
		h.Type, h.Once, h.At = webhook.ApprovalAsked, "apt:"+strconv.FormatInt(int64(t.ID), 36), t.At
		one := said
		one.Person, one.Comment = t.Person, r.Comment
		if err := tellOf(ctx, c, h, one); err != nil {
			return err
		}
	}
	return nil
}

func putApprovalParts(ctx context.Context, c Conn, r *approval.Request) error {
	if err := tellOfRequest(ctx, c, r); err != nil {
		return err
	}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		body, err := jsonText(t)
		if err != nil {
			return fmt.Errorf("encode a question: %w", err)
		}
		if _, err := c.Exec(ctx, approvalTaskPut, int64(t.ID), int64(r.ID), int64(t.Person), int64(t.By), string(t.State), milli(t.Due), one(t.Told), body); err != nil {
			return err
		}
	}
	for i := range r.Events {
		e := &r.Events[i]
		body, err := jsonText(e)
		if err != nil {
			return fmt.Errorf("encode an event: %w", err)
		}
		if _, err := c.Exec(ctx, approvalEventPut, int64(e.ID), int64(r.ID), int64(r.Record), milli(e.At), body); err != nil {
			return err
		}
	}
	return nil
}

// Save implements approval.Store.
func (a *Approvals) Save(ctx context.Context, rt record.Tx, r *approval.Request) error {
	body, err := jsonText(r.Body)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	save := func(c Conn) error {
		n, err := c.Exec(ctx, approvalUpdate, int64(r.Process), r.Version, int64(r.Record), string(r.State), r.Rev+1, milli(r.EndedAt), withActor(body, r.By), r.Content,
			one(r.State.Open()), int64(r.ID), r.Rev)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Stale, "approval.moved", nil)
		}
		if r.Record != 0 { // a request for a new record belongs to it once it is there
			if _, err := c.Exec(ctx, approvalBorn, int64(r.Record), int64(r.ID)); err != nil {
				return err
			}
		}
		return putApprovalParts(ctx, c, r)
	}
	if t, ok := rt.(*tx); ok {
		return save(t.c)
	}
	return a.store.Write(ctx, save)
}

func scanApproval(rows *sql.Rows) (*approval.Request, error) {
	r := &approval.Request{}
	var key, process, rec, by, at, ended, told int64
	var state, byKind, body string
	err := rows.Scan(&key, &process, &r.Version, &r.Object, &rec, &state, &byKind, &by, &r.Rev, &at, &ended, &told, &body, &r.Content)
	if err != nil {
		return nil, err
	}
	var who actorBody
	if err := json.Unmarshal([]byte(body), &r.Body); err != nil {
		return nil, fmt.Errorf("decode a request: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &who); err != nil {
		return nil, fmt.Errorf("decode a request: %w", err)
	}
	r.ID, r.Process, r.Record, r.State, r.Told = id.ID(key), id.ID(process), id.ID(rec), approval.State(state), told == 1
	r.By = approval.Actor{Kind: access.ActorKind(byKind), ID: id.ID(by), Person: who.Person, Locale: who.Locale}
	r.At, r.EndedAt = instant(at), instant(ended)
	return r, nil
}

func scanApprovalEvent(rows *sql.Rows) (e approval.Event, err error) {
	var key, request, rec, at int64
	var body string
	if err = rows.Scan(&key, &request, &rec, &at, &body); err != nil {
		return e, err
	}
	err = json.Unmarshal([]byte(body), &e)
	e.ID, e.Request, e.Record, e.At = id.ID(key), id.ID(request), id.ID(rec), instant(at)
	return e, err
}

// tasks adds their tasks to requests.
func approvalTasks(ctx context.Context, c Conn, list []*approval.Request) error {
	byID := map[id.ID]*approval.Request{}
	ids := make([]int64, len(list))
	for i, r := range list {
		byID[r.ID], ids[i] = r, int64(r.ID)
	}
	d := c.Dialect()
	return Each(ctx, c, func(rows *sql.Rows) error {
		var t approval.Task
		var key, request, person, by, due, told int64
		var state, body string
		if err := rows.Scan(&key, &request, &person, &by, &state, &due, &told, &body); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &t); err != nil {
			return fmt.Errorf("decode a question: %w", err)
		}
		t.ID, t.Person, t.By, t.State, t.Due, t.Told = id.ID(key), id.ID(person), id.ID(by), approval.TaskState(state), instant(due), told == 1
		r := byID[id.ID(request)]
		r.Tasks = append(r.Tasks, t)
		return nil
	}, "SELECT "+approvalTaskColumns+" FROM approval_task WHERE "+d.In("approval")+" ORDER BY id", d.IDList(ids))
}

// Get implements approval.Store.
func (a *Approvals) Get(ctx context.Context, request id.ID) (out *approval.Request, err error) {
	err = a.store.Read(ctx, func(c Conn) error {
		out = nil
		if err := Each(ctx, c, func(rows *sql.Rows) (err error) {
			out, err = scanApproval(rows)
			return err
		}, approvalGet, int64(request)); err != nil || out == nil {
			return err
		}
		if err := approvalTasks(ctx, c, []*approval.Request{out}); err != nil {
			return err
		}
		return Each(ctx, c, func(rows *sql.Rows) error {
			e, err := scanApprovalEvent(rows)
			out.Events = append(out.Events, e)
			return err
		}, approvalEvents, int64(request))
	})
	if err == nil && out == nil {
		err = fault.New(fault.NotFound, "approval.unknown", fault.Params{"id": id.Format(approval.Prefix, request)})
	}
	return out, err
}

// List implements approval.Store.
func (a *Approvals) List(ctx context.Context, q approval.Query) (list []*approval.Request, err error) {
	d := a.store.db.Dialect()
	where, args := []string{}, []any{}
	add := func(text string, more ...any) {
		where, args = append(where, text), append(args, more...)
	}
	switch {
	case q.Record != 0:
		add("record_id = ?", int64(q.Record))
	case q.Tab == approval.Waiting:
		add("id IN (SELECT approval FROM approval_task WHERE "+d.In("person")+" AND state = 'pending')", d.IDList(plain(q.People)))
	case q.Tab == approval.Done:
		add("id IN (SELECT approval FROM approval_task WHERE by_id = ?)", int64(q.Me))
	case q.Tab == approval.Mine:
		add("by_id = ?", int64(q.Me))
	}
	if q.Object != "" {
		add("object = ?", q.Object)
	}
	if len(q.States) > 0 {
		marks := make([]string, len(q.States))
		texts := make([]any, len(q.States))
		for i, s := range q.States {
			marks[i], texts[i] = "?", string(s)
		}
		add("state IN ("+strings.Join(marks, ", ")+")", texts...)
	}
	if q.Before != 0 {
		add("id < ?", int64(q.Before))
	}
	text := "SELECT " + approvalColumns + " FROM approval"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	err = a.store.Read(ctx, func(c Conn) error {
		list = nil
		if err := Each(ctx, c, func(rows *sql.Rows) error {
			r, err := scanApproval(rows)
			list = append(list, r)
			return err
		}, text+" ORDER BY id DESC LIMIT ?", append(slices.Clone(args), q.Limit)...); err != nil || len(list) == 0 {
			return err
		}
		return approvalTasks(ctx, c, list)
	})
	return list, err
}

// Count implements approval.Store.
func (a *Approvals) Count(ctx context.Context, people []id.ID) (n int, err error) {
	d := a.store.db.Dialect()
	err = a.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, "SELECT COUNT(DISTINCT approval) FROM approval_task WHERE "+d.In("person")+" AND state = 'pending'", d.IDList(plain(people)))
		return err
	})
	return n, err
}

// Locks implements approval.Store.
func (a *Approvals) Locks(ctx context.Context, r record.Reader, records []id.ID) (out []approval.Lock, err error) {
	err = a.in(ctx, r, func(c Conn) error {
		out = nil
		d := c.Dialect()
		return Each(ctx, c, func(rows *sql.Rows) error {
			var key, process, rec int64
			var text string
			if err := rows.Scan(&key, &process, &rec, &text); err != nil {
				return err
			}
			var b approval.Body
			if err := json.Unmarshal([]byte(text), &b); err != nil {
				return fmt.Errorf("decode a request: %w", err)
			}
			out = append(out, approval.Lock{Request: id.ID(key), Process: id.ID(process), Record: id.ID(rec), Name: b.Name, Whole: len(b.Locks) == 0, Fields: b.Locks})
			return nil
		}, approvalLocks+d.In("record_id")+" ORDER BY id", d.IDList(plain(records)))
	})
	return out, err
}

// Events implements approval.Store.
func (a *Approvals) Events(ctx context.Context, rec id.ID, until time.Time, limit int) ([]approval.Event, error) {
	return read(ctx, a.store, scanApprovalEvent, approvalHappened, int64(rec), milli(until), limit)
}

// Ready implements approval.Store.
func (a *Approvals) Ready(ctx context.Context, limit int) ([]id.ID, error) {
	return a.store.ids(ctx, approvalReady, limit)
}

// Late implements approval.Store.
func (a *Approvals) Late(ctx context.Context, now time.Time, limit int) ([]id.ID, error) {
	return a.store.ids(ctx, approvalLate, milli(now), limit)
}

// Untold implements approval.Store.
func (a *Approvals) Untold(ctx context.Context, limit int) ([]id.ID, error) {
	return a.store.ids(ctx, approvalUntold, limit)
}

// SetTold implements approval.Store.
func (a *Approvals) SetTold(ctx context.Context, r *approval.Request) error {
	return a.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, approvalTold, int64(r.ID), r.Rev)
		if err != nil || n == 0 {
			return err
		}
		for i := range r.Tasks {
			if t := &r.Tasks[i]; t.Told && t.State == approval.TaskPending {
				if _, err := c.Exec(ctx, approvalTaskTold, int64(t.ID), milli(t.Due)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Away implements approval.Store.
func (a *Approvals) Away(ctx context.Context) ([]approval.Away, error) {
	return read(ctx, a.store, func(rows *sql.Rows) (v approval.Away, err error) {
		var person, deputy, since, until int64
		err = rows.Scan(&person, &deputy, &since, &until)
		return approval.Away{Person: id.ID(person), Deputy: id.ID(deputy), Since: instant(since), Until: instant(until)}, err
	}, approvalAway)
}

// SetAway implements approval.Store.
func (a *Approvals) SetAway(ctx context.Context, v approval.Away) error {
	return a.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, approvalAwayEnd, int64(v.Person)); err != nil || v.Deputy == 0 {
			return err
		}
		_, err := c.Exec(ctx, approvalAwayPut, int64(v.Person), int64(v.Deputy), milli(v.Since), milli(v.Until))
		return err
	})
}
