package person

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// people finds or makes the customers of a batch and brings them up to date.
func (r *run) people(ctx context.Context) error {
	var fresh, known []*fact
	for _, f := range r.facts {
		switch {
		case r.customer(f.profile) != 0:
			known = append(known, f)
		case f.known():
			fresh = append(fresh, f)
		}
	}
	found, doubts, missing, err := r.find(ctx, fresh)
	if err != nil {
		return err
	}
	var links []Link
	for _, f := range fresh {
		if c := found[f]; c != 0 {
			links = append(links, Link{f.profile, c})
			known = append(known, f)
		}
	}
	made, err := r.make(ctx, missing)
	if err != nil {
		return err
	}
	links = append(links, made...)
	if len(links)+len(doubts) > 0 {
		if err := r.s.cfg.Store.Link(ctx, links, doubts); err != nil {
			return err
		}
	}
	for _, l := range links {
		for p, st := range r.stand {
			if st.Root == l.Profile {
				st.Customer = l.Customer
				r.stand[p] = st
			}
		}
	}
	return r.update(ctx, known)
}

// index answers lookups of a batch with one question a field.
type index struct{ external, card, union, email, phone map[string][]id.ID }

func (r *run) lookups(ctx context.Context, facts []*fact) (x index, err error) {
	for _, q := range []struct {
		field string
		of    func(*fact) string
		into  *map[string][]id.ID
	}{
		{"external_id", (*fact).external, &x.external}, {"card_number", func(f *fact) string { return f.card }, &x.card},
		{"wechat_unionid", func(f *fact) string { return f.union }, &x.union}, {"email", func(f *fact) string { return f.email }, &x.email},
		{"phone", func(f *fact) string { return f.phone }, &x.phone},
	} {
		var values []string
		for _, f := range facts {
			if v := q.of(f); v != "" {
				values = append(values, v)
			}
		}
		if len(values) == 0 || r.obj.Field(q.field) == nil {
			continue
		}
		if *q.into, err = r.s.cfg.Records.LookupAll(ctx, "customer", q.field, values); err != nil {
			return x, fmt.Errorf("look for customers: %w", err)
		}
	}
	return x, nil
}

// find looks for the customers of people; missing are those that are to be made.
func (r *run) find(ctx context.Context, facts []*fact) (found map[*fact]id.ID, doubts []Doubt, missing []*fact, err error) {
	found = map[*fact]id.ID{}
	if len(facts) == 0 {
		return found, nil, nil, nil
	}
	x, err := r.lookups(ctx, facts)
	if err != nil {
		return nil, nil, nil, err
	}
	var ids []id.ID
	for _, list := range []map[string][]id.ID{x.email, x.phone} {
		for _, v := range list {
			ids = append(ids, v...)
		}
	}
	external := map[id.ID]string{}
	if len(ids) > 0 {
		recs, err := r.s.cfg.Records.GetMany(ctx, "customer", ids, []string{"external_id"})
		if err != nil {
			return nil, nil, nil, err
		}
		for _, rec := range recs {
			external[rec.ID], _ = rec.Values["external_id"].(string)
		}
	}
	for _, f := range facts {
		if c := sure(x, f); c != 0 {
			found[f] = c
			continue
		}
		open, others := candidates(x, f, external)
		switch {
		case len(open) == 1:
			found[f] = open[0]
		case len(open) > 1:
			doubts = append(doubts, Doubt{Profile: f.profile, Customers: open, Shown: f.shown(), At: f.at})
		default:
			if len(others) > 0 {
				doubts = append(doubts, Doubt{Profile: f.profile, Customers: others, Shown: f.shown(), At: f.at, Apart: true})
			}
			missing = append(missing, f)
		}
	}
	return found, doubts, missing, nil
}

// sure is the customer whom a unique number names.
func sure(x index, f *fact) id.ID {
	for _, list := range [][]id.ID{x.external[f.external()], x.card[f.card], x.union[f.union]} {
		if len(list) > 0 {
			return list[0]
		}
	}
	return 0
}

// candidates are the customers whom e-mail and phone name: both of them where one has both, and apart those who have another external id.
func candidates(x index, f *fact, external map[id.ID]string) (open, others []id.ID) {
	split := func(list []id.ID) (mine []id.ID) {
		for _, v := range list {
			if e, own := external[v], f.external(); own != "" && e != "" && e != own {
				if !slices.Contains(others, v) {
					others = append(others, v)
				}
				continue
			}
			mine = append(mine, v)
		}
		return mine
	}
	byEmail, byPhone := split(x.email[f.email]), split(x.phone[f.phone])
	var both []id.ID
	for _, v := range byEmail {
		if slices.Contains(byPhone, v) {
			both = append(both, v)
		}
	}
	if len(both) > 0 {
		return both, others
	}
	open = append(slices.Clone(byEmail), byPhone...)
	slices.Sort(open)
	return slices.Compact(open), others
}

func (f *fact) shown() (out [][2]string) {
	if f.email != "" {
		out = append(out, [2]string{"email", lang.MaskEmail(f.email)})
	}
	if f.phone != "" {
		out = append(out, [2]string{"phone", lang.MaskPhone(schema.DisplayPhone(f.phone, "CN"))})
	}
	return out
}

// make makes customers of people. Two people of a batch with the same user id are one.
func (r *run) make(ctx context.Context, facts []*fact) (links []Link, err error) {
	if !r.set.Create || len(facts) == 0 {
		return nil, nil
	}
	claims := make([]Claim, len(facts))
	for i, f := range facts {
		claims[i] = Claim{f.external(), f.email, f.phone}
	}
	erased, err := r.s.cfg.Erased(ctx, claims)
	if err != nil {
		return nil, err
	}
	var ops []record.BulkOp
	var of []*fact
	var told [][]Told
	for i, f := range facts {
		if erased[i] { // after the door had let the event in
			continue
		}
		in, list := r.fields(f)
		if in["name"] == nil {
			in["name"] = f.name()
		}
		if v := f.external(); v != "" {
			in["external_id"] = v
		}
		if f.email != "" && in["email"] == nil {
			in["email"] = f.email
		}
		if f.phone != "" && in["phone"] == nil {
			in["phone"] = f.phone
		}
		if src := r.obj.Field("source"); src != nil && r.set.Source != "" && hasOption(src, r.set.Source) {
			in["source"] = r.set.Source
		}
		ops = append(ops, record.BulkOp{Op: change.Create, Object: "customer", ID: r.s.cfg.Records.NewID(), Input: in})
		of, told = append(of, f), append(told, list)
	}
	res, err := r.bulk(ctx, ops)
	if err != nil {
		return nil, fmt.Errorf("make customers: %w", err)
	}
	var keep []Told
	for i := range res {
		if res[i].Err != nil {
			continue
		}
		links = append(links, Link{of[i].profile, res[i].ID})
		for _, t := range told[i] {
			t.Customer = res[i].ID
			keep = append(keep, t)
		}
	}
	return links, r.s.cfg.Store.SaveTold(ctx, keep)
}

// bulkAtOnce is how many operations share a transaction.
const bulkAtOnce = 300

// bulk writes in pieces. An operation that is refused is tried again without the fields that the fault names, so that one bad value
// costs nobody a customer; what is refused then is logged by its code and left out.
func (r *run) bulk(ctx context.Context, ops []record.BulkOp) (out []record.BulkResult, err error) {
	for len(ops) > 0 {
		part := ops[:min(len(ops), bulkAtOnce)]
		ops = ops[len(part):]
		res, _, err := r.s.cfg.Records.Bulk(ctx, 0, part)
		if err != nil {
			return nil, err
		}
		for i := range res {
			if res[i].Err == nil {
				continue
			}
			again := part[i]
			again.Input = maps.Clone(again.Input)
			for _, key := range faulty(res[i].Err) {
				if key != "name" {
					delete(again.Input, key)
				}
			}
			if len(again.Input) < len(part[i].Input) && len(again.Input) > 0 {
				one, _, err := r.s.cfg.Records.Bulk(ctx, 0, []record.BulkOp{again})
				if err != nil {
					return nil, err
				}
				res[i] = one[0]
			}
			if res[i].Err != nil {
				r.s.cfg.Log.Warn("what an event tells was refused", "object", part[i].Object, "code", fault.CodeOf(res[i].Err))
			}
		}
		out = append(out, res...)
	}
	return out, nil
}

// faulty are the fields that a fault names.
func faulty(err error) (out []string) {
	f, ok := fault.Find(err)
	if !ok {
		return nil
	}
	for _, x := range append([]*fault.Fault{f}, f.Items...) {
		if key, ok := strings.CutPrefix(x.Field, "fields."); ok {
			key, _, _ = strings.Cut(key, ".")
			out = append(out, key)
		}
	}
	return out
}

// external is the user id as the customer's external id, "" for one that is an e-mail address or a phone number: those are kept sealed.
func (f *fact) external() string {
	if _, ok := lang.NormaliseEmail(f.user); ok || len([]rune(f.user)) > 200 {
		return ""
	}
	if p, ok := lang.NormalisePhone(f.user, "CN"); ok && lang.PhoneOperator(p) != "" {
		return ""
	}
	return f.user
}

// name is what somebody is called who did not say it.
func (f *fact) name() string {
	if v := f.external(); v != "" {
		return v
	}
	if f.email != "" {
		return lang.MaskEmail(f.email)
	}
	return lang.MaskPhone(schema.DisplayPhone(f.phone, "CN"))
}

// fields are what a person's traits make of the customer's fields: for each field the newest event that says anything of it.
func (r *run) fields(f *fact) (in record.Input, told []Told) {
	in = record.Input{}
	for _, s := range f.newestFirst() {
		for _, m := range r.mappings(s.traits, s.open) {
			if in[m.Field] != nil {
				continue
			}
			field := r.obj.Field(m.Field)
			if field == nil || !Writable(field) {
				continue
			}
			v := r.value(field, m.Trait, s.traits)
			if v == nil {
				continue
			}
			in[m.Field] = v
			told = append(told, Told{Field: m.Field, Digest: r.digest(field, v), At: s.at, open: s.open})
		}
	}
	return in, told
}

// mappings are those that may say something: the workspace's, and traits that are called like a field.
func (r *run) mappings(traits map[string]any, open bool) []TraitMapping {
	out := make([]TraitMapping, 0, len(r.set.Mappings))
	mapped := map[string]bool{}
	for _, m := range r.set.Mappings {
		mapped[m.Trait] = true
		if m.Mode != Off {
			out = append(out, m)
		}
	}
	if r.set.Same && !open {
		for _, key := range slices.Sorted(maps.Keys(traits)) {
			if f := r.obj.Field(key); f != nil && !mapped[key] && key != "external_id" && key != "source" && key != "processing" {
				out = append(out, TraitMapping{Trait: key, Field: key, Mode: Newest})
			}
		}
	}
	return out
}

func (r *run) digest(f *schema.Field, v any) string {
	return r.s.cfg.Vault.Index("told."+f.Key, schema.FormatText(f, v, r.env))
}

// value reads a trait as a field's value, nil for none and for one that the field cannot hold.
func (r *run) value(f *schema.Field, trait string, traits map[string]any) any {
	raw := at(traits, trait)
	if trait == "name" && raw == nil {
		raw = fullName(traits)
	}
	if raw == nil {
		return nil
	}
	if f.Type == schema.Address {
		return r.address(f, raw)
	}
	if m, ok := raw.(map[string]any); ok && f.Type != schema.Money {
		if raw = m["name"]; raw == nil {
			return nil
		}
	}
	if f.Key == "gender" {
		switch strings.ToLower(text(raw)) {
		case "m", "1":
			raw = "male"
		case "f", "2":
			raw = "female"
		}
	}
	if v, bad := schema.ParseJSON(f, raw, r.env); bad == nil && v != nil {
		if s, ok := v.(string); ok && f.MaxLength > 0 && len([]rune(s)) > f.MaxLength {
			return nil
		}
		return v
	}
	t := text(raw)
	if t == "" {
		return nil
	}
	v, bad := schema.ParseText(f, t, r.env)
	if bad != nil {
		return nil
	}
	return v
}

// fullName is what first and last name make: Chinese names the family name first and without a space.
func fullName(traits map[string]any) any {
	first, last := text(traits["firstName"]), text(traits["lastName"])
	switch {
	case first == "" && last == "":
		if u := text(traits["username"]); u != "" {
			return u
		}
		return nil
	case han(first + last):
		return last + first
	}
	return strings.TrimSpace(first + " " + last)
}

func han(s string) bool {
	for _, c := range s {
		if c >= 0x4e00 && c <= 0x9fff {
			return true
		}
	}
	return false
}

// address reads the specification's address, or a text.
func (r *run) address(f *schema.Field, raw any) any {
	t := text(raw)
	if m, ok := raw.(map[string]any); ok {
		if m["region"] != nil || m["detail"] != nil {
			if v, bad := schema.ParseJSON(f, m, r.env); bad == nil && v != nil {
				return v
			}
		}
		t = text(m["state"]) + text(m["city"]) + text(m["district"]) + text(m["street"])
		if !han(t) {
			var parts []string
			for _, k := range []string{"street", "city", "state", "postalCode"} {
				if p := text(m[k]); p != "" {
					parts = append(parts, p)
				}
			}
			t = strings.Join(parts, ", ")
		}
	}
	if t == "" {
		return nil
	}
	v, bad := schema.ParseText(f, t, r.env)
	if bad != nil {
		return nil
	}
	return v
}

// update brings customers up to date.
func (r *run) update(ctx context.Context, facts []*fact) error {
	by := map[id.ID]*fact{}
	for _, f := range facts {
		c := r.customer(f.profile)
		if c == 0 {
			continue
		}
		if old := by[c]; old != nil { // two profiles of one customer
			old.said = append(old.said, f.said...)
			old.user = cmpOr(old.user, f.user)
			continue
		}
		by[c] = f
	}
	if len(by) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(by))
	recs, err := r.s.cfg.Records.GetMany(ctx, "customer", ids, nil)
	if err != nil {
		return fmt.Errorf("read customers: %w", err)
	}
	told, err := r.s.cfg.Store.Told(ctx, ids)
	if err != nil {
		return err
	}
	last := map[id.ID]map[string]Told{}
	for _, t := range told {
		if last[t.Customer] == nil {
			last[t.Customer] = map[string]Told{}
		}
		last[t.Customer][t.Field] = t
	}
	var ops []record.BulkOp
	var keep []Told
	for _, rec := range recs {
		in, news := r.news(by[rec.ID], rec, last[rec.ID])
		for _, t := range news {
			t.Customer = rec.ID
			keep = append(keep, t)
		}
		if len(in) > 0 {
			ops = append(ops, record.BulkOp{Op: change.Update, Object: "customer", ID: rec.ID, Input: in})
		}
	}
	if _, err := r.bulk(ctx, ops); err != nil {
		return fmt.Errorf("update customers: %w", err)
	}
	return r.s.cfg.Store.SaveTold(ctx, keep)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// news are the fields of a customer that events say something new of.
func (r *run) news(f *fact, rec *record.Record, last map[string]Told) (in record.Input, keep []Told) {
	in = record.Input{}
	values, told := r.fields(f)
	for _, t := range told {
		if t.open && !empty(rec, t.Field) {
			continue
		}
		was, heard := last[t.Field]
		if heard && (t.At < was.At || t.Digest == was.Digest) {
			if t.Digest == was.Digest && t.At > was.At {
				continue
			}
			if !empty(rec, t.Field) {
				continue
			}
		}
		if !heard || t.At >= was.At {
			keep = append(keep, t)
		}
		mode := r.modeOf(t.Field)
		switch {
		case empty(rec, t.Field):
			if heard && t.Digest == was.Digest { // somebody emptied it
				continue
			}
		case mode == Empty, !heard && t.At < rec.UpdatedAt.UnixMilli():
			continue
		}
		in[t.Field] = values[t.Field]
	}
	if v := f.external(); v != "" && !f.claimed && empty(rec, "external_id") {
		in["external_id"] = v
	}
	return in, keep
}

func (r *run) modeOf(field string) Mode {
	for _, m := range r.set.Mappings {
		if m.Field == field && m.Mode != Off {
			return m.Mode
		}
	}
	return Newest
}

func empty(rec *record.Record, field string) bool {
	return rec.Values[field] == nil && rec.Masks[field] == ""
}
