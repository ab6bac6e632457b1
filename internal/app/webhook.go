package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// hooks tells other systems what happens to the records of a workspace.
type hooks struct {
	collector  *webhook.Collector
	dispatcher *webhook.Dispatcher
}

// newHooks makes the engine of webhooks and gives it to the edge.
func (w *workspace) newHooks(keys *crypt.Keyring) error {
	a := w.app
	networks, err := httpc.Networks(a.Config.WebhookNetworks)
	if err != nil {
		return fmt.Errorf("webhook_networks: %w", err)
	}
	guard := &httpc.Guard{Allowed: networks}
	store := sqlstore.NewWebhooks(w.store)
	source := hookSource{w}
	sender := &webhook.Sender{Client: guard.Client(httpc.Options{Timeout: webhook.SendTimeout}), Vault: hookVault{keys}, Source: source, Clock: a.Clock, Version: a.Version}
	disabled := func(ctx context.Context, s webhook.Subscription, reason string) {
		if err := a.auth.Note(system(ctx), w.info.Key, "webhook.disabled", "", 0, map[string]any{"webhook": id.Format(webhook.Prefix, s.ID), "name": s.Name, "reason": reason}); err != nil {
			a.Log.Error("audit trail", "error", err)
		}
	}
	w.hooks.dispatcher = webhook.NewDispatcher(webhook.DispatcherConfig{Store: store, Sender: sender, Clock: a.Clock, Log: a.Log, Seed: uint64(a.ids.Next()), //nolint:gosec // jitter
		Counted: a.metrics.Webhook, Disabled: disabled})
	w.hooks.collector = webhook.NewCollector(webhook.CollectorConfig{Workspace: w.info.Key, Store: store, Changes: w.store.Log(), Source: source, Clock: a.Clock, IDs: a.ids, Log: a.Log,
		Queued: w.hooks.dispatcher.Notify, Disabled: disabled})
	w.edge.Webhooks = webhook.New(webhook.Config{Workspace: w.info.Key, Store: store, Vault: hookVault{keys}, Registry: w.registry, Check: source.check, Guard: guard, Sender: sender,
		Clock: a.Clock, IDs: a.ids, Notify: w.hooks.dispatcher.Notify})
	w.newAutomations(keys, sender)
	w.newJourneys(keys, sender)
	return nil
}

// feed runs what follows the change log and what sends.
func (h *hooks) feed(ctx context.Context, w *workspace, group *sync.WaitGroup) {
	w.own(ctx, group, "webhook events", h.collector.Run)
	w.own(ctx, group, "webhook events around records", (&webhook.Outbox{Collector: h.collector}).Run)
	w.own(ctx, group, "webhooks", h.dispatcher.Run)
}

// hookVault seals under one data key for each subscription.
type hookVault struct{ keys *crypt.Keyring }

func (v hookVault) place(hook id.ID, field string) crypt.Place {
	return crypt.Place{Object: "webhook", Field: field, Record: hook}
}

// NewKey implements webhook.Vault.
func (v hookVault) NewKey(hook id.ID) ([]byte, error) {
	_, wrapped, err := v.keys.NewKey(hook)
	return wrapped, err
}

// Seal implements webhook.Vault.
func (v hookVault) Seal(wrapped []byte, hook id.ID, field string, plain []byte) ([]byte, error) {
	key, err := v.keys.Unwrap(hook, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keys.Seal(key, v.place(hook, field), plain), nil
}

// Open implements webhook.Vault.
func (v hookVault) Open(wrapped []byte, hook id.ID, field string, sealed []byte) ([]byte, error) {
	key, err := v.keys.Unwrap(hook, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keys.Open(key, v.place(hook, field), sealed)
}

// hookSource shows records to webhooks.
type hookSource struct{ w *workspace }

// reader is a context in which a key that may only read acts: what it sees is what a webhook tells.
func reader(ctx context.Context) context.Context {
	return access.With(ctx, access.Actor{Kind: access.ByKey, Name: "webhook", Role: access.Administrator, Scopes: []string{"read"}})
}

func (s hookSource) env(object string) query.CheckEnv {
	return query.CheckEnv{Registry: s.w.registry(), Object: object, Use: query.ForRight, Base: s.w.info.Currency, Blind: s.w.blind, Blinds: s.w.blinds}
}

// check refuses what cannot be asked of one record at the moment it changes: traits, segments, aggregates.
func (s hookSource) check(ctx context.Context, object string, where *query.Node) error {
	if err := s.w.words.Check(ctx, object, where); err != nil {
		return err
	}
	return query.Check(where, s.env(object))
}

// Describe implements webhook.Source.
func (s hookSource) Describe(ctx context.Context, rows []change.Row) ([]*webhook.Snapshot, error) {
	ctx = reader(ctx)
	out := make([]*webhook.Snapshot, len(rows))
	byObject := map[string]map[id.ID][]int{}
	for i := range rows {
		of := byObject[rows[i].Object]
		if of == nil {
			of = map[id.ID][]int{}
			byObject[rows[i].Object] = of
		}
		of[rows[i].Record] = append(of[rows[i].Record], i)
	}
	for _, key := range slices.Sorted(maps.Keys(byObject)) {
		obj := s.w.registry().Object(key)
		if obj == nil || obj.Virtual {
			continue
		}
		ids := slices.Sorted(maps.Keys(byObject[key]))
		recs, err := s.records(ctx, obj, ids)
		if err != nil {
			return nil, err
		}
		for _, v := range ids {
			if err := s.describe(ctx, obj, recs[v], rows, byObject[key][v], out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// records reads records, those in the recycle bin too; what was purged is missing.
func (s hookSource) records(ctx context.Context, obj *schema.Object, ids []id.ID) (map[id.ID]*record.Record, error) {
	out := make(map[id.ID]*record.Record, len(ids))
	live, err := s.w.records.GetMany(ctx, obj.Key, ids, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range live {
		out[r.ID] = r
	}
	for _, v := range ids {
		if out[v] != nil {
			continue
		}
		r, err := s.w.records.Get(ctx, obj.Key, v)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[v] = r
	}
	return out, nil
}

// describe makes the snapshots of one record's changes, from the newest to the oldest: each is the one after it with that change
// taken back.
func (s hookSource) describe(ctx context.Context, obj *schema.Object, r *record.Record, rows []change.Row, at []int, out []*webhook.Snapshot) error {
	if r == nil {
		for _, i := range at {
			out[i] = &webhook.Snapshot{ID: id.Format(obj.Prefix, rows[i].Record), Fields: map[string]any{}, Masked: []string{}, Changed: []string{}}
		}
		return nil
	}
	at = slices.Clone(at)
	slices.SortFunc(at, func(a, b int) int { return int(rows[b].Version - rows[a].Version) })
	then := &past{Record: r, plain: map[string]any{}}
	var newer []record.Entry
	if oldest := rows[at[len(at)-1]].Version; oldest < r.Version {
		var err error
		if newer, err = s.since(ctx, r, oldest); err != nil {
			return err
		}
	}
	for _, i := range at {
		for len(newer) > 0 && newer[0].Version > rows[i].Version {
			if err := s.takeBack(ctx, obj, then, newer[0].Changes); err != nil {
				return err
			}
			newer = newer[1:]
		}
		out[i] = s.snapshot(ctx, obj, then, &rows[i])
	}
	return nil
}

// since are the changes of a record after a version, newest first.
func (s hookSource) since(ctx context.Context, r *record.Record, version int64) ([]record.Entry, error) {
	var out []record.Entry
	var before change.Position
	for {
		entries, next, err := s.w.records.PlainHistory(system(ctx), r.Object, r.ID, before, 50)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Version <= version {
				return out, nil
			}
			out = append(out, e)
		}
		if next == (change.Position{}) {
			return out, nil
		}
		before = next
	}
}

// past is a record at a former version; plain holds the personal values that changed since, which conditions may ask for.
type past struct {
	*record.Record
	plain map[string]any
}

func (s hookSource) takeBack(ctx context.Context, obj *schema.Object, r *past, changes []record.FieldChange) error {
	for _, c := range changes {
		f := obj.Field(c.Field)
		if f.Personal && !c.Masked {
			r.plain[c.Field] = c.Before
			if c.Before != nil {
				c.Before, c.Masked = schema.Mask(f, c.Before, s.w.records.Env(ctx)), true
			}
		}
		delete(r.Values, c.Field)
		delete(r.Masks, c.Field)
		switch v := c.Before.(type) {
		case nil:
		case string:
			if c.Masked {
				r.Masks[c.Field] = v
			} else {
				r.Values[c.Field] = v
			}
			if f.Type == schema.Record { // the title is that of what it points at now
				delete(r.Titles, c.Field)
			}
		case id.ID:
			r.Values[c.Field] = v
			target := f.Target
			if f.Type == schema.User {
				target = "user"
			}
			refs := []record.Ref{{Object: target, ID: v}}
			if err := s.w.records.Titles(ctx, refs); err != nil {
				return err
			}
			r.Titles[c.Field] = refs[0]
		default:
			r.Values[c.Field] = v
		}
	}
	return nil
}

// snapshot prints a record as the API does.
func (s hookSource) snapshot(ctx context.Context, obj *schema.Object, r *past, row *change.Row) *webhook.Snapshot {
	env := s.w.records.Env(ctx)
	shot := &webhook.Snapshot{ID: id.Format(obj.Prefix, r.ID), Fields: make(map[string]any, len(r.Values)+len(r.Masks)), Masked: slices.Sorted(maps.Keys(r.Masks)), Changed: []string{}}
	if shot.Masked == nil {
		shot.Masked = []string{}
	}
	for k, v := range r.Values {
		shot.Fields[k] = api.ShowValue(obj.Field(k), v, r.Titles, env)
	}
	for k, mask := range r.Masks {
		if _, shown := shot.Fields[k]; !shown {
			shot.Fields[k] = mask
		}
	}
	switch row.Op {
	case change.Create, change.Erase:
		shot.Changed = slices.Sorted(maps.Keys(shot.Fields))
	case change.Update, change.Merge, change.Unmerge:
		shot.Changed = changedFields(obj, row)
	case change.Attach, change.Detach:
		for _, n := range change.Notes(row.After) {
			shot.File = id.Format(attachment.Prefix, n.Records[0])
		}
	}
	then := *r.Record
	then.Values, then.Masks = maps.Clone(r.Values), maps.Clone(r.Masks)
	kept := past{Record: &then, plain: maps.Clone(r.plain)}
	moment := query.Moment{Now: time.UnixMilli(row.At), Zone: s.w.zone}
	shot.Holds = func(where *query.Node) (bool, error) {
		sub := &hookSubject{ctx: ctx, s: s, obj: obj, rec: kept}
		ok, err := query.Eval(where, query.EvalEnv{CheckEnv: s.env(obj.Key), Moment: moment}, sub)
		if sub.err != nil {
			return false, sub.err
		}
		return ok, err
	}
	return shot
}

// changedFields are the fields whose columns the images of an update name.
func changedFields(obj *schema.Object, row *change.Row) []string {
	columns := map[string]json.RawMessage{}
	for _, image := range [][]byte{row.Before, row.After} {
		if len(image) > 0 && json.Unmarshal(image, &columns) != nil {
			return []string{}
		}
	}
	out := []string{}
	for _, c := range obj.Columns() {
		if _, there := columns[c.Name]; there && c.Field != nil && !slices.Contains(out, c.Field.Key) {
			out = append(out, c.Field.Key)
		}
	}
	slices.Sort(out)
	return out
}

// Plain implements webhook.Source. Values are those of the moment; what was erased since stays masked.
func (s hookSource) Plain(ctx context.Context, hook id.ID, object string, rec id.ID, fields []string) (map[string]any, error) {
	obj := s.w.registry().Object(object)
	if obj == nil {
		return nil, nil //nolint:nilnil // nothing to show in clear
	}
	ctx = system(ctx)
	env := s.w.records.Env(ctx)
	out := map[string]any{}
	for _, key := range fields {
		f := obj.Field(key)
		if f == nil || !f.Personal {
			continue
		}
		got, err := s.w.records.PlainValue(ctx, object, key, []id.ID{rec})
		if err != nil {
			return nil, err
		}
		if v := got[rec]; v != nil {
			out[key] = schema.FormatJSON(f, v, env)
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	detail := map[string]any{"webhook": id.Format(webhook.Prefix, hook), "fields": slices.Sorted(maps.Keys(out))}
	return out, s.w.app.auth.Note(ctx, s.w.info.Key, "webhook.reveal", object, rec, detail)
}

// hookSubject is a record at a version as a condition sees it. Records it points at, and personal values, are read when they are asked for.
type hookSubject struct {
	ctx context.Context //nolint:containedctx // query.Subject has no room for one
	s   hookSource
	obj *schema.Object
	rec past
	err error
}

var _ query.Subject = (*hookSubject)(nil)

// ID implements query.Subject.
func (h *hookSubject) ID() id.ID { return h.rec.ID }

// Value implements query.Subject.
func (h *hookSubject) Value(f *schema.Field) any {
	switch f.Key {
	case "id":
		return h.rec.ID
	case "version":
		return h.rec.Version
	case "created_at":
		return h.rec.CreatedAt
	case "updated_at":
		return h.rec.UpdatedAt
	case "created_by":
		return orNil(h.rec.CreatedBy)
	case "updated_by":
		return orNil(h.rec.UpdatedBy)
	}
	if !f.Personal {
		return h.rec.Values[f.Key]
	}
	if v, former := h.rec.plain[f.Key]; former {
		return v
	}
	if h.rec.Masks[f.Key] == "" && h.rec.Values[f.Key] == nil {
		return nil
	}
	v, err := h.sealed(f)
	if err != nil {
		h.err = err
		return nil
	}
	return v
}

// sealed is a personal value at the version that was read. The value is of this moment, so what changed it since is looked
// for after it was read.
func (h *hookSubject) sealed(f *schema.Field) (any, error) {
	got, err := h.s.w.records.PlainValue(system(h.ctx), h.obj.Key, f.Key, []id.ID{h.rec.ID})
	if err != nil {
		return nil, err
	}
	v := got[h.rec.ID]
	newer, err := h.s.since(h.ctx, h.rec.Record, h.rec.Version)
	if err != nil {
		return nil, err
	}
	for _, entry := range newer { // newest first: the last one found is the first that happened
		for _, c := range entry.Changes {
			if c.Field == f.Key {
				v = nil
				if !c.Masked {
					v = c.Before
				}
			}
		}
	}
	if v == nil {
		return query.Sealed{}, nil // there is one, which cannot be read
	}
	return v, nil
}

func orNil(v id.ID) any {
	if v == 0 {
		return nil
	}
	return v
}

// Related implements query.Subject.
func (h *hookSubject) Related(f *schema.Field) query.Subject {
	target, ok := h.Value(f).(id.ID)
	obj := h.s.w.registry().Object(f.Target)
	if !ok || obj == nil {
		return nil
	}
	found, err := h.s.w.records.GetMany(h.ctx, obj.Key, []id.ID{target}, nil)
	if err != nil || len(found) == 0 {
		if h.err == nil {
			h.err = err
		}
		return nil
	}
	return &hookSubject{ctx: h.ctx, s: h.s, obj: obj, rec: past{Record: found[0]}}
}

// Records implements query.Subject; conditions for rights ask for none.
func (h *hookSubject) Records(*schema.Object, *schema.Field) []query.Subject { return nil }

// Trait implements query.Subject; conditions for rights ask for none.
func (h *hookSubject) Trait(string) any { return nil }

// InSegment implements query.Subject; conditions for rights ask for none.
func (h *hookSubject) InSegment(string) bool { return false }
