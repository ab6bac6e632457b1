package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// automations run the rules of a workspace.
type automations struct {
	collector *automation.Collector
	timer     *automation.Timer
	watcher   *automation.Watcher
	runner    *automation.Runner
}

// newAutomations makes the engine of rules and gives it to the edge. The senders of webhooks must be there.
func (w *workspace) newAutomations(keys *crypt.Keyring, sender *webhook.Sender) {
	a := w.app
	store := sqlstore.NewAutomations(w.store)
	svc := automation.New(automation.Config{Store: store, Records: w.records, Conditions: ruleConditions{w}, People: rulePeople{w}, Notices: ruleNotices{w},
		Outbound: ruleCalls{w, keys, sender}, Post: rulePost{w}, Agreements: ruleAgreements{w}, Segments: ruleSegments{w}, Watches: store, Registry: w.registry, Zone: w.zoneOf, Base: w.base, Clock: a.Clock, IDs: a.ids, Log: a.Log, Past: store.Past,
		Token: func(rule id.ID, serial int64) string {
			return "awh_" + base64.RawURLEncoding.EncodeToString(derived(keys, "automation.hook", id.Format(automation.Prefix, rule)+"."+strconv.FormatInt(serial, 10)))
		},
		Secret: func(rule id.ID) string {
			return "whsec_" + base64.StdEncoding.EncodeToString(derived(keys, "automation.sign", id.Format(automation.Prefix, rule)))
		},
		Paused: func(ctx context.Context, rule id.ID, reason string) {
			if err := a.auth.Note(system(ctx), w.info.Key, "automation.paused", "", 0, map[string]any{"automation": id.Format(automation.Prefix, rule), "reason": reason}); err != nil {
				a.Log.Error("audit trail", "error", err)
			}
		}})
	w.rules = automations{collector: &automation.Collector{Service: svc, Changes: w.store.Log(), Log: a.Log}, timer: &automation.Timer{Service: svc, Log: a.Log},
		watcher: &automation.Watcher{Service: svc, Log: a.Log}, runner: &automation.Runner{Service: svc, Log: a.Log}}
	w.edge.Automations = svc
}

// derived are 32 bytes that only the holder of the master secret knows, for a purpose and a name.
func derived(keys *crypt.Keyring, purpose, name string) []byte {
	sum := sha256.Sum256([]byte(keys.Fixed(purpose+".1", name) + keys.Fixed(purpose+".2", name)))
	return sum[:]
}

// feed runs what begins and what advances runs.
func (r *automations) feed(ctx context.Context, w *workspace, group *sync.WaitGroup) {
	w.own(ctx, group, "automations", r.collector.Run)
	w.own(ctx, group, "timed automations", r.timer.Run)
	w.own(ctx, group, "watched segments", r.watcher.Run)
	w.own(system(ctx), group, "members of segments", w.segments.Run)
	w.own(ctx, group, "automation steps", r.runner.Run)
}

// ruleConditions asks conditions for rules, of whichever plane knows the answer.
type ruleConditions struct{ w *workspace }

// Check implements automation.Conditions.
func (c ruleConditions) Check(ctx context.Context, object string, where *query.Node) error {
	return c.w.words.Check(ctx, object, where)
}

// among are the records of a list that an analytic condition finds within limits.
func (c ruleConditions) among(ctx context.Context, object string, where *query.Node, ids []id.ID) ([]id.ID, error) {
	if head, err := c.w.store.Log().Head(ctx); err != nil {
		return nil, err
	} else if c.w.app.embedded() {
		c.w.feed.WaitFor(ctx, head, behindAtMost)
	}
	limits, err := c.w.records.Limits(ctx, object)
	if err != nil {
		return nil, err
	}
	obj := c.w.registry().Object(object)
	within := &query.Limits{}
	if limits != nil {
		*within = *limits
	}
	those := query.Among{Slot: query.Slot{Object: obj, Field: schema.System("id"), Role: schema.Main}, IDs: access.IDs(ids)}
	if within.Rows == nil {
		within.Rows = those
	} else {
		within.Rows = query.All{Items: []query.Expr{within.Rows, those}}
	}
	p, err := c.w.audience.List(ctx, analytics.ListQuery{Object: object, Where: where, Sort: []schema.Sort{{Field: "id"}}, Limit: len(ids), Limits: within})
	return p.IDs, err
}

// Holding implements automation.Conditions.
func (c ruleConditions) Holding(ctx context.Context, object string, where *query.Node, ids []id.ID, deleted bool) (map[id.ID]bool, error) {
	out := make(map[id.ID]bool, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	if where != nil && c.w.words.Analytic(where) {
		found, err := c.among(ctx, object, where, ids)
		for _, v := range found {
			out[v] = true
		}
		return out, err
	}
	err := c.w.records.Keys(ctx, object, record.Query{Where: where, IDs: ids, Deleted: deleted}, func(keys []record.Key) error {
		for _, k := range keys {
			out[k.ID] = true
		}
		return nil
	})
	return out, err
}

// Changeable implements automation.Conditions.
func (c ruleConditions) Changeable(ctx context.Context, object string, ids []id.ID) (map[id.ID]bool, error) {
	return c.w.records.Reached(ctx, object, ids, access.Update)
}

// All implements automation.Conditions.
func (c ruleConditions) All(ctx context.Context, object string, where *query.Node, fn func([]id.ID) error) error {
	if where != nil && c.w.words.Analytic(where) {
		limits, err := c.w.records.Limits(ctx, object)
		if err != nil {
			return err
		}
		p, err := c.w.audience.List(ctx, analytics.ListQuery{Object: object, Where: where, Sort: []schema.Sort{{Field: "id"}}, Limit: math.MaxInt32, Limits: limits})
		for part := p.IDs; err == nil && len(part) > 0; {
			n := min(len(part), startAtOnce)
			err = fn(part[:n])
			part = part[n:]
		}
		return err
	}
	var all []id.ID // read first: whoever writes must not wait for the end of a long reading
	err := c.w.records.Keys(ctx, object, record.Query{Where: where}, func(keys []record.Key) error {
		for _, k := range keys {
			all = append(all, k.ID)
		}
		return nil
	})
	for err == nil && len(all) > 0 {
		n := min(len(all), startAtOnce)
		err = fn(all[:n])
		all = all[n:]
	}
	return err
}

// startAtOnce is how many runs of an instant begin in one transaction.
const startAtOnce = 1000

// rulePeople knows who works here, for rules.
type rulePeople struct{ w *workspace }

// Actor implements automation.People.
func (p rulePeople) Actor(ctx context.Context, person id.ID) (access.Actor, error) {
	if person == 0 {
		return access.Actor{Kind: access.ByRule, Role: access.Administrator, Locale: p.w.info.Locale}, nil
	}
	return p.w.actor(ctx, access.Actor{Kind: access.ByUser, ID: person, Person: person, Locale: p.w.info.Locale})
}

// Present implements automation.People.
func (p rulePeople) Present(ctx context.Context, list []id.ID) (map[id.ID]bool, error) {
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // nobody
	}
	all, err := people{p.w.app, p.w.info.Key}.Members(ctx)
	here := map[id.ID]bool{}
	for _, m := range all {
		here[m.ID] = !m.Disabled
	}
	out := map[id.ID]bool{}
	for _, v := range list {
		if here[v] {
			out[v] = true
		}
	}
	return out, err
}

// Members implements automation.People.
func (p rulePeople) Members(ctx context.Context, unit id.ID) ([]id.ID, error) {
	units, err := p.w.edge.Rights.Units(system(ctx))
	for _, u := range units {
		if u.ID == unit {
			return u.Members, err
		}
	}
	if err == nil {
		err = fault.New(fault.Conflict, "automation.unknown_team", nil)
	}
	return nil, err
}

// Load implements automation.People: of activities those that are open, of everything else all.
func (p rulePeople) Load(ctx context.Context, object, owner string, list []id.ID) (map[id.ID]int, error) {
	ctx = system(ctx)
	out := make(map[id.ID]int, len(list))
	for _, v := range list {
		value, err := json.Marshal(id.Format("usr", v))
		if err != nil {
			return nil, err
		}
		where := &query.Node{All: []*query.Node{{Field: owner, Op: "=", Value: value}}}
		if o := activity.Known(p.w.registry(), object); o != nil && o.Field("status") != nil {
			closed, err := json.Marshal([]string{activity.Done, activity.Cancelled})
			if err != nil {
				return nil, err
			}
			where.All = append(where.All, &query.Node{Field: "status", Op: "not_in", Value: closed})
		}
		if out[v], _, err = p.w.records.Count(ctx, object, where, "", false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ruleNotices tells people what rules say.
type ruleNotices struct{ w *workspace }

// Notify implements automation.Notices.
func (n ruleNotices) Notify(ctx context.Context, list []automation.Message) error {
	var told []talk.Notification
	for _, m := range list {
		for _, to := range m.To {
			told = append(told, talk.Notification{User: to, Kind: talk.Rule, Object: m.Object, Record: m.Record, ByKind: access.ByRule, By: m.RuleID,
				Detail: talk.Detail{Text: m.Text}, Once: m.Once + ":" + id.Format("usr", to)})
		}
	}
	return n.w.talk.Tell(system(ctx), told...)
}

// ruleCalls speaks with other systems for rules.
type ruleCalls struct {
	w      *workspace
	keys   *crypt.Keyring
	sender *webhook.Sender
}

// CheckURL implements automation.Outbound.
func (c ruleCalls) CheckURL(_ context.Context, url string) error {
	return c.w.edge.Webhooks.CheckURL(url)
}

// Post implements automation.Outbound.
func (c ruleCalls) Post(ctx context.Context, r automation.Request) (int, string) {
	return c.sender.Post(ctx, webhook.Call{URL: r.URL, ID: r.ID, Body: r.Body, Key: derived(c.keys, "automation.sign", id.Format(automation.Prefix, r.Rule))})
}
