package talk

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Consumer is the name under which the Collector keeps its position in the change log.
const Consumer = "talk"

// Collector tells people of changes: of records that were given to them, and of those that they follow. What an import or
// other mass work writes tells nobody. Only one may run at a time in a workspace.
type Collector struct {
	Service *Service
	Changes change.Feed
}

const (
	collectBatch = 500
)

// owners are the fields that say whom a record was given to.
func owners() []string { return []string{"assignee", "owner", "sales_person"} }

// Run follows the log until ctx ends or a step fails; run again, it goes on with that step.
func (c *Collector) Run(ctx context.Context) error {
	// Nobody is told of what was there before.
	w := change.Follower{Feed: c.Changes, Name: Consumer, Clock: c.Service.cfg.Clock, Batch: collectBatch, Step: c.step}
	return fmt.Errorf("tell of changes: %w", w.Run(access.With(ctx, access.System())))
}

func (c *Collector) step(ctx context.Context, pos change.Position) (change.Position, int, error) {
	rows, err := c.Changes.Read(ctx, pos, collectBatch)
	if err != nil || len(rows) == 0 {
		return pos, 0, err
	}
	next := rows[len(rows)-1].Position
	wanted := slices.DeleteFunc(slices.Clone(rows), func(r change.Row) bool { return r.Batch != 0 })
	told, err := c.assigned(ctx, wanted)
	if err != nil {
		return pos, 0, err
	}
	more, err := c.followed(ctx, wanted)
	if err != nil {
		return pos, 0, err
	}
	if told, err = c.Service.prepareAll(ctx, append(told, more...)); err != nil {
		return pos, 0, err
	}
	fresh, err := c.Service.cfg.Store.Collect(ctx, told, Consumer, next)
	if err != nil {
		return pos, 0, err
	}
	c.Service.deliver(fresh)
	return next, len(rows), nil
}

// assigned is who was given a record: by its creation, or by a change of one of its owners.
func (c *Collector) assigned(ctx context.Context, rows []change.Row) ([]Notification, error) {
	reg := c.Service.cfg.Registry()
	type place struct {
		row    *change.Row
		fields []string
	}
	byObject := map[string][]place{}
	for i := range rows {
		row := &rows[i]
		obj := reg.Object(row.Object)
		if obj == nil || obj.Virtual || row.Op != change.Create && row.Op != change.Update {
			continue
		}
		if fields := given(obj, row); len(fields) > 0 {
			byObject[row.Object] = append(byObject[row.Object], place{row, fields})
		}
	}
	var told []Notification
	for object, places := range byObject {
		var ids []id.ID
		for _, p := range places {
			ids = append(ids, p.row.Record)
		}
		slices.Sort(ids)
		recs, err := c.Service.cfg.Records.GetMany(ctx, object, slices.Compact(ids), ownersOf(reg.Object(object)))
		if err != nil {
			return nil, err
		}
		byID := map[id.ID]*record.Record{}
		for _, r := range recs {
			byID[r.ID] = r
		}
		for _, p := range places {
			r := byID[p.row.Record]
			if r == nil {
				continue
			}
			for _, f := range p.fields {
				user, ok := r.Values[f].(id.ID)
				if !ok || user == 0 || p.row.ByKind == access.ByUser && user == p.row.By {
					continue
				}
				told = append(told, Notification{User: user, Kind: Assigned, Object: object, Record: r.ID, ByKind: p.row.ByKind, By: p.row.By,
					Once: "assigned:" + strconv.FormatInt(int64(r.ID), 36) + ":" + strconv.FormatInt(p.row.Version, 36) + ":" + f + ":" + id.Format("usr", user)})
			}
		}
	}
	return told, nil
}

// given are the owner fields that a change may have filled.
func given(obj *schema.Object, row *change.Row) []string {
	fields := ownersOf(obj)
	if row.Op == change.Create || len(fields) == 0 {
		return fields
	}
	after := map[string]json.RawMessage{}
	if json.Unmarshal(row.After, &after) != nil {
		return nil
	}
	return slices.DeleteFunc(fields, func(key string) bool {
		raw, ok := after[obj.Field(key).Physical]
		return !ok || string(raw) == "null"
	})
}

// ownersOf are the fields of an object that say whom a record was given to.
func ownersOf(obj *schema.Object) []string {
	var out []string
	for _, key := range owners() {
		if f := obj.Field(key); f != nil && f.Type == schema.User && !f.Hidden {
			out = append(out, key)
		}
	}
	return out
}

// followed is who follows what was changed.
func (c *Collector) followed(ctx context.Context, rows []change.Row) ([]Notification, error) {
	var ids []id.ID
	for i := range rows {
		if rows[i].Op != change.Create {
			ids = append(ids, rows[i].Record)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	followers, err := c.Service.cfg.Store.Followers(ctx, slices.Compact(ids))
	if err != nil || len(followers) == 0 {
		return nil, err
	}
	var told []Notification
	for i := range rows {
		row := &rows[i]
		if row.Op == change.Create || row.Op == change.Purge {
			continue
		}
		for _, user := range followers[row.Record] {
			if row.ByKind == access.ByUser && row.By == user {
				continue
			}
			told = append(told, Notification{User: user, Kind: Changed, Object: row.Object, Record: row.Record, ByKind: row.ByKind, By: row.By,
				Detail: Detail{Status: string(row.Op)},
				Once:   "changed:" + strconv.FormatInt(int64(row.Record), 36) + ":" + strconv.FormatInt(row.Version, 36) + ":" + id.Format("usr", user)})
		}
	}
	return told, nil
}

// Reminders tells people when their activities ask for it. It may run on several processes: the key of a notification names
// the activity and the moment.
type Reminders struct {
	Service *Service
	Log     *slog.Logger
}

const (
	remindEvery = 5 * time.Second
	// remindBack is how far a start looks back for what came due while nobody was there.
	remindBack = 7 * 24 * time.Hour
	// remindOverlap is how far each look goes back behind the last one, for what was written meanwhile.
	remindOverlap = 10 * time.Minute
	remindPage    = 200
)

// Run looks for due reminders until ctx ends.
func (r *Reminders) Run(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	since := r.Service.cfg.Clock.Now().Add(-remindBack)
	for {
		now := r.Service.cfg.Clock.Now()
		if err := r.Due(ctx, since, now); err != nil {
			return fmt.Errorf("remind: %w", err)
		}
		since = now.Add(-remindOverlap)
		if err := clock.Pause(ctx, remindEvery, nil); err != nil {
			return err
		}
	}
}

// Due tells of every reminder between two instants.
func (r *Reminders) Due(ctx context.Context, since, until time.Time) error {
	ctx = access.With(ctx, access.System())
	reg := r.Service.cfg.Registry()
	for _, object := range activity.Planned() {
		if activity.Known(reg, object) == nil {
			continue
		}
		span, err := json.Marshal([]string{since.UTC().Format(time.RFC3339Nano), until.UTC().Format(time.RFC3339Nano)})
		if err != nil {
			return err
		}
		when := activity.WhenField(object)
		q := record.Query{Where: &query.Node{Field: "remind_at", Op: "between", Value: span}, Sort: []schema.Sort{{Field: "remind_at"}},
			Fields: []string{"remind_at", "assignee", when}, Limit: remindPage}
		for {
			page, err := r.Service.cfg.Records.List(ctx, object, q)
			if err != nil {
				return err
			}
			var told []Notification
			for _, rec := range page.Items {
				user, ok := rec.Values["assignee"].(id.ID)
				at, timed := rec.Values["remind_at"].(time.Time)
				if !ok || !timed {
					continue
				}
				n := Notification{User: user, Kind: Reminder, Object: object, Record: rec.ID, ByKind: access.BySystem,
					Once: "reminder:" + strconv.FormatInt(int64(rec.ID), 36) + ":" + strconv.FormatInt(at.UnixMilli(), 36) + ":" + id.Format("usr", user)}
				if t, ok := rec.Values[when].(time.Time); ok {
					n.Detail.At = t.UTC().Format(time.RFC3339)
				}
				told = append(told, n)
			}
			if err := r.Service.Tell(ctx, told...); err != nil {
				return err
			}
			if page.NextCursor == "" {
				break
			}
			q.Cursor = page.NextCursor
		}
	}
	return nil
}
