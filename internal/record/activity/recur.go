package activity

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Consumer is the name under which the Recurrer keeps its position in the change log.
const Consumer = "activity"

// Writer is what a Recurrer needs from the record engine.
type Writer interface {
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	Create(ctx context.Context, object string, in record.Input, opts ...record.Option) (*record.Record, error)
	Delete(ctx context.Context, object string, rec id.ID, version int64) error
	Lookup(ctx context.Context, object, field string, values []string) (map[string]id.ID, error)
}

// Recurrer makes the next occurrence of an activity that repeats when it is done, once: the new record holds the id of the
// one before in a unique field, so that a step that runs again after a crash finds it taken. When the one before is opened
// again the occurrence goes to the recycle bin, unless somebody has changed it. Only one may run at a time.
type Recurrer struct {
	Records  Writer
	Changes  change.Feed
	Registry func() *schema.Registry
	Zone     func() *time.Location
	Clock    clock.Clock
	Log      *slog.Logger
}

const recurBatch = 500

// Run follows the log until ctx ends or a step fails; run again, it goes on with that step.
func (r *Recurrer) Run(ctx context.Context) error {
	// What was done before repeats no more.
	w := change.Follower{Feed: r.Changes, Name: Consumer, Clock: r.Clock, Batch: recurBatch, Step: r.step}
	return fmt.Errorf("repeat activities: %w", w.Run(access.With(ctx, access.System())))
}

func (r *Recurrer) step(ctx context.Context, pos change.Position) (change.Position, int, error) {
	rows, err := r.Changes.Read(ctx, pos, recurBatch)
	if err != nil || len(rows) == 0 {
		return pos, 0, err
	}
	touched := map[string][]id.ID{}
	for i := range rows {
		row := &rows[i]
		if row.Op == change.Delete || row.Op == change.Purge || !slices.Contains(Planned(), row.Object) || Known(r.Registry(), row.Object) == nil || slices.Contains(touched[row.Object], row.Record) {
			continue
		}
		touched[row.Object] = append(touched[row.Object], row.Record)
	}
	for object, ids := range touched {
		recs, err := r.Records.GetMany(ctx, object, ids, nil)
		if err != nil {
			return pos, 0, err
		}
		for _, rec := range recs {
			if err := r.follow(ctx, rec); err != nil {
				return pos, 0, err
			}
		}
	}
	next := rows[len(rows)-1].Position
	return next, len(rows), r.Changes.SavePosition(ctx, Consumer, next)
}

// follow brings the occurrence after a record in step with its state.
func (r *Recurrer) follow(ctx context.Context, rec *record.Record) error {
	rule, _ := rec.Values["repeat"].(string)
	if rule == "" || rule == "none" {
		return nil
	}
	obj := r.Registry().Object(rec.Object)
	held, err := r.Records.Lookup(ctx, rec.Object, "occurrence", []string{occurrence(obj, rec)})
	if err != nil {
		return err
	}
	var child id.ID
	for _, v := range held {
		child = v
	}
	done := rec.Values["status"] == Done
	switch {
	case done && child == 0:
		return r.repeat(ctx, obj, rec, rule)
	case !done && child != 0:
		kids, err := r.Records.GetMany(ctx, rec.Object, []id.ID{child}, nil)
		if err != nil || len(kids) == 0 || kids[0].Version != 1 {
			return err
		}
		err = r.Records.Delete(ctx, rec.Object, child, 1)
		if k := fault.KindOf(err); err != nil && (k == fault.Stale || k == fault.NotFound) {
			return nil // somebody was faster
		}
		return err
	}
	return nil
}

// occurrence names the next of a series: by the record before it.
func occurrence(obj *schema.Object, rec *record.Record) string { return id.Format(obj.Prefix, rec.ID) }

// anchor is the day of the month that a monthly series began on: the 31st stays the 31st where there is one.
func (r *Recurrer) anchor(rec *record.Record) int {
	if day, ok := rec.Values["repeat_day"].(int64); ok {
		return int(day)
	}
	return r.base(rec).Day()
}

// base is the local time that the next occurrence is counted from.
func (r *Recurrer) base(rec *record.Record) time.Time {
	if at, ok := rec.Values[WhenField(rec.Object)].(time.Time); ok {
		return at.In(r.Zone())
	}
	at, ok := rec.Values["done_at"].(time.Time)
	if !ok {
		at = rec.CreatedAt
	}
	y, m, d := at.In(r.Zone()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, r.Zone())
}

func (r *Recurrer) repeat(ctx context.Context, obj *schema.Object, rec *record.Record, rule string) error {
	base := r.base(rec)
	next := After(rule, base, r.anchor(rec), r.Clock.Now())
	if until, ok := rec.Values["repeat_until"].(clock.Day); ok && clock.DayOf(next, r.Zone()) > until {
		return nil
	}
	in := record.Input{"occurrence": occurrence(obj, rec)}
	for _, f := range obj.Fields {
		v, has := rec.Values[f.Key]
		if !has || f.ReadOnly || f.Personal || f.Unique || f.Section == "result" || f.Key == "status" || f.Type == schema.RelationMany || f.Type == schema.AutoNumber {
			continue
		}
		in[f.Key] = v
	}
	in["status"] = "planned"
	if rec.Object == Task {
		in["status"] = "open"
	}
	when := WhenField(rec.Object)
	in[when] = next.UTC()
	if day, ok := rec.Values["repeat_day"]; ok {
		in["repeat_day"] = day
	}
	if _, had := rec.Values[when]; !had {
		in["all_day"] = true
	}
	if ends, ok := rec.Values["ends_at"].(time.Time); ok {
		in["ends_at"] = next.Add(ends.Sub(base)).UTC()
	}
	_, err := r.Records.Create(ctx, rec.Object, in, record.Operation())
	if fault.CodeOf(err) == "record.unique_taken" {
		return nil // made before a crash
	}
	if k := fault.KindOf(err); err != nil && (k == fault.Invalid || k == fault.Conflict) {
		r.Log.Warn("an activity cannot be repeated", "object", rec.Object, "record", id.Format(obj.Prefix, rec.ID), "error", err)
		return nil
	}
	return err
}

// maxSteps bounds how many occurrences that were missed are skipped.
const maxSteps = 10_000

// After is the first occurrence of a rule after base that does not lie on a day before that of now; anchor is the day of
// the month of a monthly or yearly series. Local times are kept over changes to summer time.
func After(rule string, base time.Time, anchor int, now time.Time) time.Time {
	zone := base.Location()
	today := clock.DayOf(now, zone)
	next := base
	for n := 1; n <= maxSteps; n++ {
		switch rule {
		case "daily":
			next = base.AddDate(0, 0, n)
		case "weekdays":
			for next = next.AddDate(0, 0, 1); next.Weekday() == time.Saturday || next.Weekday() == time.Sunday; {
				next = next.AddDate(0, 0, 1)
			}
		case "weekly":
			next = base.AddDate(0, 0, 7*n)
		case "monthly":
			next = monthsOn(base, n, anchor)
		case "yearly":
			next = monthsOn(base, 12*n, anchor)
		}
		if clock.DayOf(next, zone) >= today {
			break
		}
	}
	return next
}

// monthsOn is the anchor day some months later, or the last day of a month that is too short.
func monthsOn(base time.Time, months, anchor int) time.Time {
	y, m, _ := base.Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, base.Location()).Day()
	return time.Date(y, m+time.Month(months), min(anchor, last), base.Hour(), base.Minute(), base.Second(), 0, base.Location())
}
