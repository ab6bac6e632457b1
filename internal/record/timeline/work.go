package timeline

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// workAtMost bounds how many activities of one moment are read past a page.
const workAtMost = 20

// activities adds what people did and plan with a record: what is about it, and for a customer whatever belongs to it.
// Tasks and notes stand where they were made, everything else at its own time.
func (q *page) activities(ctx context.Context) error {
	for i, object := range activity.Objects() {
		kind := Kind(object)
		obj := activity.Known(q.s.registry(), object)
		if obj == nil || !q.wants(kind) {
			continue
		}
		at := "starts_at"
		if object == activity.Task || object == activity.Note {
			at = "created_at"
		}
		if err := q.activity(ctx, obj, kind, at, fromActivity+i); err != nil {
			return err
		}
	}
	return nil
}

func (q *page) activity(ctx context.Context, obj *schema.Object, kind Kind, at string, source int) error {
	reg := q.s.registry()
	self, err := json.Marshal(id.Format(reg.Object(q.object).Prefix, q.rec))
	if err != nil {
		return err
	}
	link := "about"
	if q.object == query.Customer {
		link = "customer"
	}
	// What the reader may not see, or not ask for, has no place here.
	who := access.From(ctx)
	if !who.May(obj.Key, access.Read) || !who.MayAsk(obj.Key, obj.Field(link)) || !who.MayAsk(obj.Key, obj.Field(at)) {
		return nil
	}
	where := &query.Node{All: []*query.Node{{Field: link, Op: "=", Value: self}}}
	if q.before.At != math.MaxInt64 {
		until, err := json.Marshal(time.UnixMilli(q.before.At).UTC().Format("2006-01-02T15:04:05.999Z07:00"))
		if err != nil {
			return err
		}
		where.All = append(where.All, &query.Node{Field: at, Op: "<=", Value: until})
	}
	ask := record.Query{Where: where, Sort: []schema.Sort{{Field: at, Desc: true}}, Limit: min(q.limit+workAtMost, record.MaxLimit)}
	kept := 0
	for {
		list, err := q.s.records.List(ctx, obj.Key, ask)
		if err != nil {
			return err
		}
		for _, r := range list.Items {
			when := r.CreatedAt
			if at != "created_at" {
				t, ok := r.Values[at].(time.Time)
				if !ok {
					continue
				}
				when = t
			}
			ref := r.Ref()
			item := Item{ID: id.Format(obj.Prefix, r.ID), At: when, Kind: kind, Record: &ref, Activity: r, By: r.CreatedBy, ByKind: maker(r)}
			if q.add(entry{place{when.UnixMilli(), source, int64(r.ID), 0}, item}) {
				kept++
			}
		}
		if kept >= q.limit || list.NextCursor == "" {
			return nil
		}
		ask.Cursor = list.NextCursor
	}
}

// said adds comments. Several in one millisecond are ordered by their ids.
func (q *page) said(ctx context.Context) error {
	if q.s.remarks == nil || !q.wants(Comment) {
		return nil
	}
	until := time.UnixMilli(min(q.before.At, 1<<52)).UTC()
	list, err := q.s.remarks.Remarks(ctx, q.rec, until, q.limit+maxTies)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		item := Item{ID: id.Format("cmt", r.ID), At: r.At, Kind: Comment, By: r.By, ByKind: access.ByUser, Remark: r}
		q.add(entry{place{r.At.UnixMilli(), fromRemark, int64(r.ID), 0}, item})
	}
	return nil
}

// added adds files. Several in one millisecond are ordered by their ids.
func (q *page) added(ctx context.Context) error {
	if q.s.files == nil || !q.wants(File) {
		return nil
	}
	until := time.UnixMilli(min(q.before.At, 1<<52)).UTC()
	list, err := q.s.files.About(ctx, q.rec, until, q.limit+maxTies)
	if err != nil {
		return err
	}
	for i := range list {
		f := &list[i]
		q.add(entry{place{f.At.UnixMilli(), fromFile, int64(f.ID), 0}, Item{ID: id.Format(attachment.Prefix, f.ID), At: f.At, Kind: File, By: f.By, ByKind: f.ByKind, File: f}})
	}
	return nil
}

// agreed adds requests for agreement. Several steps in one millisecond are ordered by their ids.
func (q *page) agreed(ctx context.Context) error {
	if q.s.agreed == nil || !q.wants(Approval) {
		return nil
	}
	until := time.UnixMilli(min(q.before.At, 1<<52)).UTC()
	list, err := q.s.agreed.Agreements(ctx, q.rec, until, q.limit+maxTies)
	if err != nil {
		return err
	}
	for i := range list {
		a := &list[i]
		q.add(entry{place{a.At.UnixMilli(), fromAgreement, int64(a.ID), 0}, Item{ID: id.Format("ape", a.ID), At: a.At, Kind: Approval, By: a.By, ByKind: a.ByKind, Agreement: a}})
	}
	return nil
}

// wants reports whether a page is to hold items of a kind.
func (q *page) wants(kinds ...Kind) bool {
	return len(q.kinds) == 0 || slices.ContainsFunc(kinds, func(k Kind) bool { return slices.Contains(q.kinds, k) })
}

// written adds mails to the customer. Several in one millisecond are ordered by their ids.
func (q *page) written(ctx context.Context) error {
	if q.s.letters == nil || !q.wants(Letter) {
		return nil
	}
	until := time.UnixMilli(min(q.before.At, 1<<52)).UTC()
	list, err := q.s.letters.Letters(ctx, q.rec, until, q.limit+maxTies)
	if err != nil {
		return err
	}
	for i := range list {
		l, kind := &list[i], access.ByUser
		if l.Rule {
			kind = access.ByRule
		}
		q.add(entry{place{l.At.UnixMilli(), fromLetter, int64(l.ID), 0}, Item{ID: id.Format("eml", l.ID), At: l.At, Kind: Letter, By: l.By, ByKind: kind, Letter: l}})
	}
	return nil
}
