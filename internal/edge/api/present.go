package api

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

// Record is a record as the API shows it.
type Record struct {
	ID        string         `json:"id"`
	Object    string         `json:"object"`
	Title     string         `json:"title"`
	Version   int64          `json:"version"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	CreatedBy *Ref           `json:"created_by"`
	DeletedAt *time.Time     `json:"deleted_at"`
	Fields    map[string]any `json:"fields"`
	Traits    map[string]any `json:"traits,omitempty"`
	Masked    []string       `json:"masked" doc:"fields whose values are shown masked"`
	// May is told of a record that is read by itself.
	May map[string]bool `json:"may,omitempty" doc:"what the caller may do with it: update, delete, reveal, assign, share, export"`

	id id.ID
}

func (r *Record) etag() string { return `"` + strconv.FormatInt(r.Version, 10) + `"` }

// Ref names a record.
type Ref struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Object string `json:"object"`
}

// Money is an amount as a decimal text with its currency.
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// ShowMoney is the API's form of minor units.
func ShowMoney(amount int64, currency string) Money {
	m := money.Money{Amount: amount, Currency: currency}
	return Money{Amount: m.Decimal(), Currency: currency}
}

// RecordPage is a page of a list.
type RecordPage struct {
	Items           []*Record `json:"items"`
	NextCursor      *string   `json:"next_cursor"`
	Total           *int      `json:"total"`
	TotalIsEstimate bool      `json:"total_is_estimate"`
	Plane           string    `json:"plane" enum:"records,analytics"`
	AsOf            time.Time `json:"as_of"`
	LagSeconds      float64   `json:"lag_seconds"`
}

func (c *call) showRecord(ctx context.Context, o *schema.Object, r *record.Record) (*Record, error) {
	out, err := c.showRecords(ctx, o, []*record.Record{r})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (c *call) showRecords(ctx context.Context, o *schema.Object, recs []*record.Record) ([]*Record, error) {
	env := c.ws.Records.Env(ctx)
	if len(recs) > 0 {
		c.know(recs[0].Files) // the same for all that were read together
	}
	makers := make([]record.Ref, len(recs))
	for i, r := range recs {
		makers[i] = record.Ref{Object: "user", ID: r.CreatedBy}
	}
	if err := c.ws.Records.Titles(ctx, makers); err != nil {
		return nil, err
	}
	out := make([]*Record, len(recs))
	for i, r := range recs {
		v := &Record{ID: id.Format(o.Prefix, r.ID), Object: o.Key, Title: r.Title, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
			DeletedAt: r.DeletedAt, Fields: make(map[string]any, len(r.Values)+len(r.Masks)), Masked: fieldKeys(r.Masks), id: r.ID}
		if v.Masked == nil {
			v.Masked = []string{}
		}
		if r.CreatedBy != 0 && makers[i].Title != "" {
			v.CreatedBy = &Ref{ID: id.Format(auth.UserPrefix, r.CreatedBy), Title: makers[i].Title, Object: "user"}
		}
		for k, val := range r.Values {
			v.Fields[k] = c.showValue(o.Field(k), val, r.Titles, env)
		}
		for k, mask := range r.Masks {
			if _, shown := v.Fields[k]; !shown {
				v.Fields[k] = mask
			}
		}
		out[i] = v
	}
	return out, nil
}

func (c *call) showValue(f *schema.Field, v any, titles map[string]record.Ref, env schema.ParseEnv) any {
	if f != nil && f.HoldsFiles() {
		return c.showFiles(v)
	}
	return ShowValue(f, v, titles, env)
}

// ShowValue prints a canonical value; a relation becomes the record it points at, named by titles.
func ShowValue(f *schema.Field, v any, titles map[string]record.Ref, env schema.ParseEnv) any {
	if f == nil {
		return nil
	}
	if f.Type == schema.Record {
		ref := titles[f.Key]
		text, _ := v.(string)
		return Ref{ID: text, Object: ref.Object, Title: ref.Title}
	}
	if f.Type == schema.Relation || f.Type == schema.User {
		target, ok := v.(id.ID)
		if !ok {
			return nil
		}
		ref := Ref{ID: id.Format(f.TargetPrefix(), target), Object: f.Target, Title: titles[f.Key].Title}
		if f.Type == schema.User {
			ref.Object = "user"
		}
		return ref
	}
	return schema.FormatJSON(f, v, env)
}

func (c *call) samples(ctx context.Context, ids []id.ID) ([]Sample, error) {
	out := []Sample{}
	o, err := c.object("customer")
	if err != nil {
		return nil, err
	}
	recs, err := c.ws.Records.GetMany(ctx, o.Key, ids, nil)
	if err != nil {
		return nil, err
	}
	shown, err := c.showRecords(ctx, o, recs)
	for i, r := range shown {
		out = append(out, Sample{ID: r.ID, Title: r.Title, Subtitle: subtitle(o, recs[i], c.ws.Records.Env(ctx))})
	}
	return out, err
}

// subtitle is the first of an object's subtitle fields that has something to show.
func subtitle(o *schema.Object, r *record.Record, env schema.ParseEnv) string {
	for _, k := range o.SubtitleFields {
		if m := r.Masks[k]; m != "" {
			return m
		}
		if ref, ok := r.Titles[k]; ok && ref.Title != "" {
			return ref.Title
		}
		if f := o.Field(k); f != nil && r.Values[k] != nil {
			env.FileName = r.FileName
			if t := schema.FormatText(f, r.Values[k], env); t != "" {
				return t
			}
		}
	}
	return ""
}

// TraitValue is the API's form of a trait's stored value: number, text, money, date, bool, {"key","label"} of a choice, nil.
func TraitValue(d trait.Def, v any, currency string) any {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return v
	case string:
		if d.Type == schema.Tags {
			return strings.Split(strings.Trim(v, "|"), "|")
		}
		if d.Type == schema.Choice {
			return map[string]any{"key": v, "label": d.Option(v)}
		}
		return v
	case int64:
		switch d.Type {
		case schema.Money:
			return ShowMoney(v, currency)
		case schema.Date:
			return clock.Day(v).String()
		case schema.DateTime:
			return time.UnixMilli(v).UTC()
		case schema.Bool:
			return v != 0
		}
		if d.Scale == 0 {
			return v
		}
		f, err := strconv.ParseFloat(money.FormatScaled(v, d.Scale), 64)
		if err != nil {
			return nil
		}
		return f
	}
	return nil
}

// titlesFor names the people and records that changes mention.
func (c *call) titlesFor(ctx context.Context, o *schema.Object, people []id.ID, changes [][]record.FieldChange) (map[record.Ref]string, error) {
	refs := make([]record.Ref, 0, len(people))
	for _, p := range people {
		refs = append(refs, record.Ref{Object: "user", ID: p})
	}
	var files []id.ID
	for _, list := range changes {
		for _, ch := range list {
			if f := o.Field(ch.Field); f != nil && f.HoldsFiles() {
				files = append(append(files, schema.FileIDs(ch.Before)...), schema.FileIDs(ch.After)...)
			}
			refs = append(refs, c.relationRef(o.Field(ch.Field), ch.Before), c.relationRef(o.Field(ch.Field), ch.After))
		}
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	known, err := c.ws.Records.FilesByID(ctx, files)
	if err != nil {
		return nil, err
	}
	c.know(known)
	titles := map[record.Ref]string{}
	for _, r := range refs {
		titles[record.Ref{Object: r.Object, ID: r.ID}] = r.Title
	}
	return titles, nil
}

func (c *call) showChanges(o *schema.Object, changes []record.FieldChange, titles map[record.Ref]string, env schema.ParseEnv) []FieldChange {
	out := []FieldChange{}
	for _, ch := range changes {
		f := o.Field(ch.Field)
		show := func(v any) any {
			if ch.Masked || v == nil {
				return v
			}
			ref := c.relationRef(f, v)
			ref.Title = titles[ref]
			return c.showValue(f, v, map[string]record.Ref{ch.Field: ref}, env)
		}
		out = append(out, FieldChange{Field: ch.Field, Label: f.Label, Before: show(ch.Before), After: show(ch.After)})
	}
	return out
}

// actor is a person's name, or the word for a program.
func (c *call) actor(kind access.ActorKind, who id.ID, titles map[record.Ref]string) Actor {
	if kind == access.ByRule {
		return showActor(kind, who, c.words.Text(localeOf(c.locale), "api.by_rule", map[string]any{"name": c.ruleName(who)}))
	}
	return showActor(kind, who, titles[record.Ref{Object: "user", ID: who}])
}

// showHistory prints the changes of a record: values as the API shows them, people by name.
func (c *call) showHistory(ctx context.Context, o *schema.Object, entries []record.Entry) ([]HistoryEntry, error) {
	people, changes := make([]id.ID, len(entries)), make([][]record.FieldChange, len(entries))
	for i, e := range entries {
		people[i], changes[i] = e.By, e.Changes
	}
	titles, err := c.titlesFor(ctx, o, people, changes)
	if err != nil {
		return nil, err
	}
	env := c.ws.Records.Env(ctx)
	out := []HistoryEntry{}
	for _, e := range entries {
		out = append(out, HistoryEntry{Version: e.Version, At: e.At, Op: string(e.Op), Actor: c.actor(e.ByKind, e.By, titles), Changes: c.showChanges(o, e.Changes, titles, env)})
	}
	return out, nil
}

// showTimeline prints what happened around a record.
func (c *call) showTimeline(ctx context.Context, o *schema.Object, items []timeline.Item) ([]TimelineEntry, error) {
	people, changes := make([]id.ID, len(items)), make([][]record.FieldChange, len(items))
	for i, it := range items {
		people[i], changes[i] = it.By, it.Changes
	}
	for _, it := range items {
		if it.Remark != nil && it.Remark.DeletedBy != 0 {
			people = append(people, it.Remark.DeletedBy)
		}
		if it.File != nil && it.File.DeletedBy != 0 {
			people = append(people, it.File.DeletedBy)
		}
	}
	titles, err := c.titlesFor(ctx, o, people, changes)
	if err != nil {
		return nil, err
	}
	activities := make([]*record.Record, len(items))
	for i, it := range items {
		activities[i] = it.Activity
	}
	shown, err := c.showMixed(ctx, activities)
	if err != nil {
		return nil, err
	}
	env := c.ws.Records.Env(ctx)
	changeable := map[id.ID]bool{}
	out := []TimelineEntry{}
	for i, it := range items {
		if err := c.ws.Records.Titles(ctx, it.Related); err != nil {
			return nil, err
		}
		v := TimelineEntry{Activity: shown[i], ID: it.ID, At: it.At, Kind: string(it.Kind), Title: c.timelineTitle(ctx, o, it)}
		if it.ByKind != "" {
			actor := c.actor(it.ByKind, it.By, titles)
			v.Actor = &actor
		}
		if r := it.Record; r != nil {
			v.Record = &Ref{ID: id.Format(c.prefixOf(r.Object), r.ID), Title: r.Title, Object: r.Object}
		}
		if it.Remark != nil {
			v.Comment = c.showComment(it.Remark, titles)
		}
		if it.File != nil {
			if v.File, err = c.showFile(ctx, it.File, titles, changeable); err != nil {
				return nil, err
			}
		}
		if l := it.Letter; l != nil {
			v.Letter = &LetterShown{To: l.To, Subject: l.Subject, Text: l.Text, State: l.State, Reason: l.Reason}
		}
		if g := it.Agreement; g != nil {
			v.Approval = &TimelineApproval{Request: id.Format(approval.Prefix, g.Request), What: g.What, Step: g.Step, Comment: g.Comment}
		}
		if it.Amount != nil {
			m := ShowMoney(it.Amount.Amount, it.Amount.Currency)
			v.Amount = &m
		}
		c.showBehaviour(&it, &v)
		if it.Crossing != nil {
			v.Detail = c.crossedWhy(it.Crossing)
		}
		if len(it.Changes) > 0 {
			v.Changes = c.showChanges(o, it.Changes, titles, env)
		}
		out = append(out, v)
	}
	return out, nil
}

// timelineTitle is one line in both languages.
func (c *call) timelineTitle(ctx context.Context, o *schema.Object, it timeline.Item) schema.Label {
	out := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		params := map[string]any{"object": o.Label.In(loc)}
		if it.Record != nil {
			params["record"] = it.Record.Title
		}
		if len(it.Related) > 0 {
			params["record"] = names(it.Related)
		}
		if m := it.Move; m != nil {
			k, err := c.ws.Classes.Get(ctx, m.Classification)
			if err == nil {
				params["classification"], params["from"], params["to"] = k.Label.In(loc), className(k, m.From, loc), className(k, m.To, loc)
			}
		}
		code := "api.timeline_" + string(it.Kind)
		if x := it.Crossing; x != nil {
			code = c.crossed(ctx, x, params)
		}
		if s := it.Stay; s != nil {
			code = "profile.visit"
			minutes := int64(s.End.Sub(s.At) / time.Minute)
			if minutes < 1 {
				code = "profile.visit_short"
			}
			params["minutes"], params["views"], params["host"] = minutes, s.Views, cmp.Or(s.Host, c.words.Text(loc, "profile.in_app", nil))
		}
		if d := it.Deed; d != nil {
			code = "interaction.did_" + strings.ReplaceAll(strings.ToLower(d.Name), " ", "_")
		}
		if it.Join != nil {
			code = "profile.joined"
			if it.Join.Undone {
				code = "profile.join_undone"
			}
		}
		if it.Agreement != nil {
			code = "approval.event_" + it.Agreement.What
			params["step"] = it.Agreement.Step
		}
		out[loc] = c.words.Text(loc, code, params)
	}
	return out
}

// className is the label of a class, or its key when the class is gone; "—" for none.
func className(k classify.Classification, key string, loc lang.Locale) string {
	if key == "" {
		return "—"
	}
	for _, cl := range k.Classes {
		if cl.Key == key {
			return cl.Label.In(loc)
		}
	}
	return key
}

func (c *call) relationRef(f *schema.Field, v any) record.Ref {
	if f != nil && f.Type == schema.Record {
		if o, n := c.ws.Registry().Pointed(v); o != nil {
			return record.Ref{Object: o.Key, ID: n}
		}
		return record.Ref{}
	}
	target, ok := v.(id.ID)
	switch {
	case !ok || f == nil:
		return record.Ref{}
	case f.Type == schema.User:
		return record.Ref{Object: "user", ID: target}
	}
	return record.Ref{Object: f.Target, ID: target}
}
