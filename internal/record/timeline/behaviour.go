package timeline

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Party is who stands on the page of a customer: the customer, and with a company its contacts, as far as the reader may know them.
type Party struct {
	// Owners are whose events are shown, the customer first: also customers and visitors that the contacts are known as.
	Owners []id.ID
	// Customers are those of them whose orders and refunds are shown.
	Customers []id.ID
	// Contacts name the contact behind another owner, or behind a profile.
	Contacts map[id.ID]record.Ref
}

// Name keeps the first contact behind an owner or a profile, and reports whether it is that one.
func (p *Party) Name(of id.ID, contact record.Ref) bool {
	if _, ok := p.Contacts[of]; ok {
		return false
	}
	p.Contacts[of] = contact
	return true
}

// Contact is whose something is that belongs to an owner and came by a profile; nil for the customer itself.
func (p *Party) Contact(of ...id.ID) *record.Ref {
	for _, v := range of {
		if r, ok := p.Contacts[v]; ok {
			return &r
		}
	}
	return nil
}

// Stay is a visit to a site or an app; it stands where it began.
type Stay struct {
	ID       id.ID
	Profile  id.ID // that it was made by
	At, End  time.Time
	Views    int64
	Events   int64
	Engaged  time.Duration
	Orders   int64
	Host     string
	Entry    string
	Exit     string
	Referrer string
	Channel  string
	Campaign string
	Device   string
	Country  string
	Region   string
	Contact  *record.Ref // whose visit it was, nil for the customer's
}

// Behind is a place among the items of a source, newest first, at one millisecond the greater id first: those behind it are wanted.
type Behind struct {
	At int64
	ID int64 // of those at the instant only the smaller ones
}

// Behaviours knows what people did on sites and in apps.
type Behaviours interface {
	// Party is who stands on the page of a customer that the caller sees.
	Party(ctx context.Context, customer id.ID) (*Party, error)
	// Stays gives at most limit visits of a party behind a place, newest first by their beginning, at one instant the greater id first.
	Stays(ctx context.Context, p *Party, b Behind, limit int) ([]Stay, error)
	// Deeds gives at most limit interactions of a party behind a place, newest first, at one instant the greater id first.
	Deeds(ctx context.Context, p *Party, b Behind, limit int) ([]Deed, error)
}

// Deed is something that somebody did with a content, in a store, on the phone or on a platform.
type Deed struct {
	ID      id.ID
	At      time.Time
	Name    string // of the event
	About   string // title of the content, name of the product or the store
	Text    string // what was said
	Place   string // platform
	Contact *record.Ref
}

// Join is that profiles of events became one, or that this was taken back.
type Join struct {
	ID            id.ID
	At            time.Time
	Undone        bool
	Why           string // event, move, person, customer
	By            id.ID  // the person, 0 for none
	Loser, Winner id.ID
	Shown         []JoinShown
}

// JoinShown is an identifier that a join rests on, masked where it is personal.
type JoinShown struct{ Namespace, Text string }

// Joins knows the identities of customers.
type Joins interface {
	// Joins gives what happened to the profiles of a customer at or before an instant, newest first.
	Joins(ctx context.Context, customer id.ID, until time.Time) ([]Join, error)
}

// WithBehaviour adds what people did on sites and in apps, and with companies the orders of their contacts.
func (s *Service) WithBehaviour(b Behaviours) *Service {
	s.behaviours = b
	return s
}

// WithJoins adds how profiles of events became one.
func (s *Service) WithJoins(j Joins) *Service {
	s.joins = j
	return s
}

// behind is where a source begins.
func (q *page) behind(source int) Behind {
	b := Behind{At: q.before.At, ID: math.MinInt64}
	switch {
	case q.before.Source < source:
		b.ID = math.MaxInt64
	case q.before.Source == source:
		b.ID = q.before.Key
	}
	return b
}

// stays adds visits.
func (q *page) stays(ctx context.Context) error {
	if q.s.behaviours == nil || !q.wants(Behaviour) {
		return nil
	}
	list, err := q.s.behaviours.Stays(ctx, q.party, q.behind(fromStay), q.limit)
	if err != nil {
		return err
	}
	for i := range list {
		v := &list[i]
		q.add(entry{place{v.At.UnixMilli(), fromStay, int64(v.ID), 0}, Item{ID: "v" + strconv.FormatInt(int64(v.ID), 36), At: v.At, Kind: Behaviour, Stay: v, Contact: v.Contact}})
	}
	return nil
}

// deeds adds interactions.
func (q *page) deeds(ctx context.Context) error {
	if q.s.behaviours == nil || !q.wants(Interaction) {
		return nil
	}
	list, err := q.s.behaviours.Deeds(ctx, q.party, q.behind(fromDeed), q.limit)
	if err != nil {
		return err
	}
	for i := range list {
		v := &list[i]
		q.add(entry{place{v.At.UnixMilli(), fromDeed, int64(v.ID), 0}, Item{ID: "d" + strconv.FormatInt(int64(v.ID), 36), At: v.At, Kind: Interaction, Deed: v, Contact: v.Contact}})
	}
	return nil
}

// joined adds how profiles became one. What was taken back stands before the join of the same moment.
func (q *page) joined(ctx context.Context) error {
	if q.s.joins == nil || !q.wants(Identity) {
		return nil
	}
	list, err := q.s.joins.Joins(ctx, q.rec, time.UnixMilli(min(q.before.At, 1<<52)).UTC())
	if err != nil {
		return err
	}
	for i := range list {
		j := &list[i]
		second, sign := int64(0), "j"
		if j.Undone {
			second, sign = 1, "u"
		}
		item := Item{ID: sign + strconv.FormatInt(int64(j.ID), 36), At: j.At, Kind: Identity, Join: j}
		if j.By != 0 {
			item.By, item.ByKind = j.By, access.ByUser
		}
		q.add(entry{place{j.At.UnixMilli(), fromJoin, int64(j.ID), second}, item})
	}
	return nil
}

// customers are those whose orders are shown.
func (q *page) customers() []id.ID {
	if q.party == nil || len(q.party.Customers) == 0 {
		return []id.ID{q.rec}
	}
	return q.party.Customers
}

// meet finds out who stands on the page of a customer.
func (q *page) meet(ctx context.Context) error {
	q.party = &Party{Owners: []id.ID{q.rec}}
	if q.object != query.Customer || q.s.behaviours == nil || !q.wants(Behaviour, Interaction, Order, Refund) {
		return nil
	}
	p, err := q.s.behaviours.Party(ctx, q.rec)
	if err == nil {
		q.party = p
	}
	return err
}

// contactField is the field of an order that names the contact who placed it.
const contactField = "contact"

// contactsOf are the fields of an object that say whose a record is, as far as the reader sees them.
func contactsOf(who access.Actor, obj *schema.Object, several bool) (out []string) {
	if f := obj.Field(contactField); f != nil && f.Type == schema.Relation && who.Field(obj.Key, contactField) != access.FieldHidden {
		out = append(out, contactField)
	}
	if several && who.Field(obj.Key, obj.CustomerField) != access.FieldHidden {
		out = append(out, obj.CustomerField)
	}
	return out
}

// attribute says whose record it is: the contact that it names, whose title is read with those of the page, else the one whose customer it has.
func (q *page) attribute(r *record.Record, fields []string, item *Item) {
	for _, f := range fields {
		v, ok := r.Values[f].(id.ID)
		switch {
		case !ok || v == 0 || v == q.rec:
		case f == contactField:
			item.Contact = &record.Ref{Object: contactField, ID: v}
			return
		default:
			item.Contact = q.party.Contact(v)
		}
	}
}

// name fills in the contacts of items; one whom the reader does not see goes.
func (q *page) name(ctx context.Context, items []Item) error {
	var refs []record.Ref
	for i := range items {
		if c := items[i].Contact; c != nil && c.Title == "" {
			refs = append(refs, *c)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	if err := q.s.records.Titles(ctx, refs); err != nil {
		return err
	}
	for i, at := 0, 0; i < len(items); i++ {
		if c := items[i].Contact; c == nil || c.Title != "" {
			continue
		}
		if items[i].Contact = &refs[at]; refs[at].Title == "" {
			items[i].Contact = nil
		}
		at++
	}
	return nil
}
