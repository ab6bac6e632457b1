package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
)

// behaviours is what customers did on sites and in apps. Whoever asks has been asked whether they see the customer.
type behaviours struct{ w *workspace }

var (
	_ timeline.Behaviours = behaviours{}
	_ timeline.Joins      = behaviours{}
	_ api.BehaviourPages  = behaviours{}
)

const (
	contactObject = "contact"
	// contactsAtMost are the contacts of a company whose behaviour and orders stand on its page.
	contactsAtMost = 50
)

// contactNames are the fields of a contact by which it is known in events.
var contactNames = [...]struct{ field, namespace string }{{"external_id", identity.UserID}, {"email", identity.Email}, {"phone", identity.Phone}}

// contacts are those of a company whom the caller sees.
func (b behaviours) contacts(ctx context.Context, customer id.ID) ([]*record.Record, error) {
	obj, who := b.w.registry().Object(contactObject), access.From(ctx)
	if obj == nil || obj.CustomerField == "" || !who.May(contactObject, access.Read) || !who.MayAsk(contactObject, obj.Field(obj.CustomerField)) {
		return nil, nil
	}
	self, err := json.Marshal(id.Format(b.w.registry().Object(query.Customer).Prefix, customer))
	if err != nil {
		return nil, err
	}
	list, err := b.w.records.List(ctx, contactObject, record.Query{Where: &query.Node{Field: obj.CustomerField, Op: "=", Value: self}, Fields: []string{obj.TitleField}, Limit: contactsAtMost})
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	return list.Items, nil
}

// names are the texts by which contacts may be known in events, each with the place of its contact. The program reads them; the caller
// learns no more of them than that the contact did something, and nothing by a field that is hidden.
func (b behaviours) names(ctx context.Context, contacts []*record.Record) (texts []identity.Text, whose []int, err error) {
	obj, who := b.w.registry().Object(contactObject), access.From(ctx)
	ids := make([]id.ID, len(contacts))
	for i, c := range contacts {
		ids[i] = c.ID
	}
	for _, n := range contactNames {
		if obj.Field(n.field) == nil || who.Field(contactObject, n.field) == access.FieldHidden {
			continue
		}
		plain, err := b.w.records.PlainValue(system(ctx), contactObject, n.field, ids)
		if err != nil {
			return nil, nil, err
		}
		for i, v := range ids {
			if text, ok := plain[v].(string); ok && text != "" {
				texts, whose = append(texts, identity.Text{Namespace: n.namespace, Text: text}), append(whose, i)
			}
		}
	}
	return texts, whose, nil
}

// Party implements timeline.Behaviours.
func (b behaviours) Party(ctx context.Context, customer id.ID) (*timeline.Party, error) {
	p := &timeline.Party{Owners: []id.ID{customer}, Customers: []id.ID{customer}, Contacts: map[id.ID]record.Ref{}}
	contacts, err := b.contacts(ctx, customer)
	if err != nil || len(contacts) == 0 {
		return p, err
	}
	texts, whose, err := b.names(ctx, contacts)
	if err != nil || len(texts) == 0 {
		return p, err
	}
	var profiles []id.ID
	trees := map[id.ID]*identity.Tree{}
	err = identities(b).view(ctx, func(l eventstore.Ledger) error {
		if profiles, err = b.w.engine.Known(ctx, l, texts); err != nil {
			return err
		}
		known := slices.DeleteFunc(slices.Clone(profiles), func(v id.ID) bool { return v == 0 })
		if len(known) == 0 {
			return nil
		}
		list, err := l.Trees(ctx, known)
		for i := range list {
			for j := range list[i].Profiles {
				trees[list[i].Profiles[j].ID] = &list[i]
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var others []id.ID
	for i, profile := range profiles {
		t := trees[profile]
		if t == nil {
			continue
		}
		ref, owner := contacts[whose[i]].Ref(), t.Subject()
		if owner == customer { // the contact is known as the company itself
			for j := range t.Profiles {
				p.Name(t.Profiles[j].ID, ref)
			}
			continue
		}
		if p.Name(owner, ref) && t.Customer() != 0 {
			others = append(others, owner)
		} else if t.Customer() == 0 && !slices.Contains(p.Owners, owner) {
			p.Owners = append(p.Owners, owner)
		}
	}
	return p, b.admit(ctx, p, others)
}

// admit keeps those of the customers that contacts are known as whom the caller sees.
func (b behaviours) admit(ctx context.Context, p *timeline.Party, others []id.ID) error {
	if len(others) == 0 {
		return nil
	}
	seen, err := b.w.records.Reached(ctx, query.Customer, others)
	if err != nil {
		return err
	}
	for _, v := range others {
		if !seen[v] {
			delete(p.Contacts, v)
			continue
		}
		p.Owners, p.Customers = append(p.Owners, v), append(p.Customers, v)
	}
	return nil
}

// Stays implements timeline.Behaviours. While analytics are made anew there are none.
func (b behaviours) Stays(ctx context.Context, p *timeline.Party, at timeline.Behind, limit int) ([]timeline.Stay, error) {
	list, err := analytics.Visits(ctx, b.w.gate, p.Owners, analytics.SeenBefore(at), limit)
	if err != nil && !away(err) {
		return nil, err
	}
	out := make([]timeline.Stay, len(list))
	for i := range list {
		out[i] = stayOf(p, &list[i])
	}
	return out, nil
}

// Deeds implements timeline.Behaviours.
func (b behaviours) Deeds(ctx context.Context, p *timeline.Party, at timeline.Behind, limit int) ([]timeline.Deed, error) {
	list, err := analytics.Elsewhere(ctx, b.w.gate, p.Owners, analytics.SeenBefore(at), limit)
	if err != nil && !away(err) {
		return nil, err
	}
	out := make([]timeline.Deed, len(list))
	for i := range list {
		v := &list[i]
		about, text := api.InteractionSays(v)
		out[i] = timeline.Deed{ID: v.ID, At: v.At, Name: v.Name, About: about, Text: text, Place: v.Platform, Contact: p.Contact(v.Profile, v.Owner)}
	}
	return out, nil
}

func stayOf(p *timeline.Party, v *analytics.Seen) timeline.Stay {
	return timeline.Stay{ID: v.ID, Profile: v.Profile, At: time.UnixMilli(v.Start).UTC(), End: time.UnixMilli(v.End).UTC(), Views: v.Views, Events: v.Events, Engaged: time.Duration(v.Engaged) * time.Millisecond,
		Orders: v.Orders, Host: v.Host, Entry: v.Entry, Exit: v.Exit, Referrer: v.Referrer, Channel: v.Channel, Campaign: cmp.Or(v.Campaign, v.Source), Device: v.Device,
		Country: v.Country, Region: v.Region, Contact: p.Contact(v.Profile, v.Owner)}
}

// Joins implements timeline.Joins.
func (b behaviours) Joins(ctx context.Context, customer id.ID, until time.Time) ([]timeline.Join, error) {
	view, err := identities(b).Of(ctx, customer)
	if err != nil {
		return nil, err
	}
	var out []timeline.Join
	for i := range view.Merges {
		m := &view.Merges[i]
		j := timeline.Join{ID: m.ID, At: time.UnixMilli(m.At).UTC(), Why: m.Why, By: m.By, Loser: m.Loser, Winner: m.Winner}
		for _, x := range m.Evidence.Identifiers {
			j.Shown = append(j.Shown, timeline.JoinShown(x))
		}
		if m.At <= until.UnixMilli() {
			out = append(out, j)
		}
		if m.UndoneAt != 0 && m.UndoneAt <= until.UnixMilli() {
			j.At, j.By, j.Undone = time.UnixMilli(m.UndoneAt).UTC(), m.UndoneBy, true
			out = append(out, j)
		}
	}
	return out, nil
}

const (
	visitsAtOnce  = 20   // visits of a page, with their events
	actsAtMost    = 1000 // events of a page
	actsSearched  = 20_000
	favouritesOf  = 30 // visits that favourites are found in
	favouritesAre = 5
	visitsSummed  = 20_000 // the newest ones; hardly anybody has more
	figureDays    = 30
)

// actsOf reads the events of visits, newest first, to each its own; whole says that all of them are there.
func (b behaviours) actsOf(ctx context.Context, owners []id.ID, visits []analytics.Seen, most int) (acts map[id.ID][]analytics.Act, whole bool, err error) {
	asked := analytics.ActsAsked{Owners: owners, From: math.MaxInt64, To: math.MinInt64, Limit: most}
	byProfile := map[id.ID][]*analytics.Seen{}
	days := map[clock.Day]bool{}
	for i := range visits {
		v := &visits[i]
		asked.From, asked.To = min(asked.From, v.Start), max(asked.To, v.End)
		byProfile[v.Profile] = append(byProfile[v.Profile], v)
		last := clock.DayOf(time.UnixMilli(v.End), b.w.zone)
		for d := v.Day; d <= max(last, v.Day); d++ {
			days[d] = true
		}
	}
	for d := range days {
		asked.Days = append(asked.Days, d)
	}
	list, err := analytics.Acts(ctx, b.w.gate, asked)
	if err != nil {
		return nil, false, err
	}
	acts = map[id.ID][]analytics.Act{}
	for i := range list {
		a := &list[i]
		for _, v := range byProfile[a.Profile] {
			if a.At >= v.Start && a.At <= v.End {
				acts[v.ID] = append(acts[v.ID], *a)
				break
			}
		}
	}
	return acts, len(list) < most, nil
}

// Behaviour implements api.BehaviourPages.
func (b behaviours) Behaviour(ctx context.Context, customer id.ID, before string) (out api.Behaved, err error) {
	out.Visits = []api.BehavedVisit{}
	at, err := behindOf(before)
	if err != nil {
		return out, err
	}
	p, err := b.Party(ctx, customer)
	if err != nil {
		return out, err
	}
	visits, err := analytics.Visits(ctx, b.w.gate, p.Owners, at, visitsAtOnce+1)
	if err != nil || len(visits) == 0 {
		return out, err
	}
	more := len(visits) > visitsAtOnce
	visits = visits[:min(len(visits), visitsAtOnce)]
	acts, whole, err := b.actsOf(ctx, p.Owners, visits, actsAtMost)
	if err != nil {
		return out, err
	}
	if !whole { // those whose events did not fit are on the next page
		n := slices.IndexFunc(visits, func(v analytics.Seen) bool { return len(acts[v.ID]) == 0 })
		if n > 1 {
			visits, more = visits[:n-1], true
		}
	}
	for i := range visits {
		out.Visits = append(out.Visits, b.behaved(p, &visits[i], acts[visits[i].ID]))
	}
	if more {
		last := &visits[len(visits)-1]
		out.Next = cursorOf(last.Start, last.ID)
	}
	return out, nil
}

// cursorOf is the cursor of a place.
func cursorOf(at int64, key id.ID) string {
	return strconv.FormatInt(at, 10) + "." + strconv.FormatInt(int64(key), 10)
}

// behindOf reads a cursor of visits.
func behindOf(text string) (analytics.SeenBefore, error) {
	at := analytics.SeenBefore{At: math.MaxInt64}
	if text == "" {
		return at, nil
	}
	ms, key, _ := strings.Cut(text, ".")
	var err, err2 error
	at.At, err = strconv.ParseInt(ms, 10, 64)
	at.ID, err2 = strconv.ParseInt(key, 10, 64)
	if err != nil || err2 != nil {
		return at, fault.InvalidField("api.bad_parameter", "before", nil)
	}
	return at, nil
}

// Visit implements api.BehaviourPages.
func (b behaviours) Visit(ctx context.Context, customer, visit id.ID) (out api.BehavedVisit, err error) {
	p, err := b.Party(ctx, customer)
	if err != nil {
		return out, err
	}
	v, ok, err := analytics.Visit(ctx, b.w.gate, p.Owners, visit)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "profile.no_visit", nil)
	}
	if err != nil {
		return out, err
	}
	acts, _, err := b.actsOf(ctx, p.Owners, []analytics.Seen{v}, actsAtMost)
	return b.behaved(p, &v, acts[v.ID]), err
}

func (b behaviours) behaved(p *timeline.Party, v *analytics.Seen, acts []analytics.Act) api.BehavedVisit {
	out := api.BehavedVisit{ID: id.Format(api.StayPrefix, v.ID), StartedAt: time.UnixMilli(v.Start).UTC(), EndedAt: time.UnixMilli(v.End).UTC(), Host: v.Host, Channel: v.Channel, Device: v.Device,
		Views: int(v.Views), EngagedMS: v.Engaged, Contact: b.ref(p.Contact(v.Profile, v.Owner)), Acts: []api.BehavedAct{}}
	for i := range acts {
		a := &acts[i]
		if a.Kind == "track" && a.Name == event.Engaged {
			continue
		}
		out.Acts = append(out.Acts, api.BehavedAct{At: time.UnixMilli(a.At).UTC(), Kind: a.Kind, Name: a.Name, Title: a.Title, Path: a.Path, About: a.About, Amount: i64(a.Amount)})
	}
	return out
}

// Texts implements api.BehaviourPages. Of very many events the newest are searched.
func (b behaviours) Texts(ctx context.Context, customer id.ID, stays []*timeline.Stay) (map[id.ID]string, error) {
	p, err := b.Party(ctx, customer)
	if err != nil {
		return nil, err
	}
	visits := make([]analytics.Seen, len(stays))
	for i, v := range stays {
		visits[i] = analytics.Seen{ID: v.ID, Profile: v.Profile, Start: v.At.UnixMilli(), End: v.End.UnixMilli(), Day: clock.DayOf(v.At, b.w.zone)}
	}
	acts, _, err := b.actsOf(ctx, p.Owners, visits, actsSearched)
	if err != nil && !away(err) {
		return nil, err
	}
	out := map[id.ID]string{}
	for v, list := range acts {
		var text strings.Builder
		for i := range list {
			a := &list[i]
			for _, part := range []string{a.Name, a.Title, a.Path, a.About} {
				if part != "" {
					text.WriteString(part + "\n")
				}
			}
		}
		out[v] = text.String()
	}
	return out, nil
}

// ref prints a reference, nil for none.
func (b behaviours) ref(r *record.Ref) *api.Ref {
	if r == nil {
		return nil
	}
	return &api.Ref{ID: id.Format(b.w.registry().Object(r.Object).Prefix, r.ID), Title: r.Title, Object: r.Object}
}

// Figures implements api.BehaviourPages.
func (b behaviours) Figures(ctx context.Context, customer id.ID) (*api.BehaviourFigures, error) {
	p, err := b.Party(ctx, customer)
	if err != nil {
		return nil, err
	}
	visits, err := analytics.AllVisits(ctx, b.w.gate, p.Owners, visitsSummed)
	if err != nil || len(visits) == 0 {
		if away(err) {
			err = nil
		}
		return nil, err
	}
	out := summed(visits, clock.DayOf(b.w.app.Clock.Now(), b.w.zone))
	acts, _, err := b.actsOf(ctx, p.Owners, visits[:min(len(visits), favouritesOf)], actsAtMost)
	if err != nil {
		return nil, err
	}
	out.Pages, out.Products = favourites(acts)
	return out, nil
}

// summed adds visits up, which are there newest first.
func summed(visits []analytics.Seen, today clock.Day) *api.BehaviourFigures {
	out := &api.BehaviourFigures{Visits: int64(len(visits)), FirstAt: time.UnixMilli(visits[len(visits)-1].Start).UTC(), Days: make([]api.BehaviourDay, figureDays)}
	since := today - figureDays + 1
	for i := range out.Days {
		out.Days[i].Day = (since + clock.Day(i)).String() //nolint:gosec // a day of thirty
	}
	devices, channels, last := map[string]int64{}, map[string]int64{}, int64(math.MinInt64)
	for i := range visits {
		v := &visits[i]
		out.Views, out.Orders, out.Bounced, out.EngagedMS = out.Views+v.Views, out.Orders+v.Orders, out.Bounced+v.Bounced, out.EngagedMS+v.Engaged
		devices[v.Device]++
		channels[v.Channel]++
		last = max(last, v.End)
		if at := int(v.Day - since); at >= 0 && at < figureDays {
			out.Days[at].Visits++
			out.Days[at].Views += v.Views
		}
	}
	out.LastAt, out.Devices, out.Channels = time.UnixMilli(last).UTC(), shares(devices), shares(channels)
	return out
}

// shares are the visits of each value, the most first.
func shares(of map[string]int64) []api.BehaviourShare {
	out := []api.BehaviourShare{}
	for k, n := range of {
		if k != "" {
			out = append(out, api.BehaviourShare{Key: k, Visits: n})
		}
	}
	slices.SortFunc(out, func(a, b api.BehaviourShare) int {
		return cmp.Or(cmp.Compare(b.Visits, a.Visits), cmp.Compare(a.Key, b.Key))
	})
	return out[:min(len(out), favouritesAre)]
}

// productEvents are those that name a product that somebody is interested in.
var productEvents = [...]string{"Product Viewed", "Product Clicked", "Product Added", "Product Added to Wishlist", "Product Shared", "Product Reviewed"}

// favourites are the pages and products that come up most in the events of visits.
func favourites(acts map[id.ID][]analytics.Act) (pages []api.BehaviourPage, products []api.BehaviourShare) {
	type page struct{ host, path string }
	seen, wanted := map[page]*api.BehaviourPage{}, map[string]int64{}
	for _, list := range acts {
		for i := range list {
			a := &list[i]
			if a.Kind == "track" {
				if a.About != "" && slices.Contains(productEvents[:], a.Name) {
					wanted[a.About]++
				}
				if a.Name != event.Engaged {
					continue
				}
			}
			k := page{a.Host, cmp.Or(a.Path, a.Title)}
			v := seen[k]
			if v == nil {
				v = &api.BehaviourPage{Host: a.Host, Path: a.Path}
				seen[k] = v
			}
			if a.Kind == "track" {
				v.EngagedMS += a.Dwell
				continue
			}
			v.Views, v.Title = v.Views+1, cmp.Or(v.Title, a.Title)
		}
	}
	pages = []api.BehaviourPage{}
	for _, v := range seen {
		if v.Views > 0 {
			pages = append(pages, *v)
		}
	}
	slices.SortFunc(pages, func(a, b api.BehaviourPage) int {
		return cmp.Or(cmp.Compare(b.Views, a.Views), cmp.Compare(b.EngagedMS, a.EngagedMS), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Host, b.Host))
	})
	return pages[:min(len(pages), favouritesAre)], shares(wanted)
}

// i64 is an amount, nil for none.
func i64(v int64) *int64 {
	if v == 0 {
		return nil
	}
	return &v
}
