// Package person turns what events tell of people and their purchases into customers, orders and refunds.
//
// An identify with a user id, an e-mail address or a phone number finds the customer of its profile (by external id, card number or
// WeChat UnionID, else by e-mail and phone where these name one customer and nobody else's external id) or makes one; its traits become fields by
// a mapping (Intake). Where several customers fit, a person is asked and nothing is made. "Order Completed" and its kin make and complete orders
// by their order_id, whatever number of times and by whatever way they come.
//
// Guarantees. Everything may be done again: after a crash a batch is taken from its beginning, and what it wrote is found by
// external ids, e-mail, phone and order ids. A trait that repeats what the last event said is no news, so that a correction
// by a person stays; an event that is older than the last one, or than the last change of a customer whom no event told of before, fills
// what is empty and overwrites nothing. A value that a field cannot hold is left out and the rest is taken. One bad event holds up none.
//
// The keys of web pages and apps can be read by anybody who looks. What comes by such a source makes customers and fills what is empty by the
// workspace's mapping, and never replaces a value or a number of a customer who is there. The orders that it tells of are made when a source whose key
// is secret tells of the same order_id, and then belong to the visitor who was there; it changes and cancels none and refunds nothing. A source may
// be set to count at once.
//
// Everything goes through the record engine as the program itself. Anonymous visitors stay profiles. Robots and visitors who refused analysis
// make nobody.
package person

import (
	"context"
	"encoding/json"
	"log/slog"
	"regexp"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Records is what is needed of the record engine.
type Records interface {
	Lookup(ctx context.Context, object, field string, values []string) (map[string]id.ID, error)
	LookupAll(ctx context.Context, object, field string, values []string) (map[string][]id.ID, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	Bulk(ctx context.Context, batch id.ID, ops []record.BulkOp) ([]record.BulkResult, change.Position, error)
	Env(ctx context.Context) schema.ParseEnv
	NewID() id.ID
	// Lines reads the lines of an order with sku and name.
	Lines(ctx context.Context, order id.ID) ([]*record.Record, error)
	// Children are the ids of the lines or refunds of an order.
	Children(ctx context.Context, object string, order id.ID) ([]id.ID, error)
}

// Standing is where a profile stands.
type Standing struct {
	Root     id.ID
	Members  []id.ID
	Customer id.ID // 0 for none
}

// Link is a customer found for a profile.
type Link struct{ Profile, Customer id.ID }

// Doubt is a profile that may be one of several customers.
type Doubt struct {
	Profile   id.ID
	Customers []id.ID
	Shown     [][2]string // namespace and text as it may be shown
	At        int64
	// Apart says that the customers have external ids of their own, so the profile became another one. Those that events know are
	// asked about profile by profile already.
	Apart bool
}

// Told is what the last event said of a field of a customer.
type Told struct {
	Customer id.ID
	Field    string
	Digest   string
	At       int64 // milliseconds

	open bool // said by a source whose key is public
}

// Order is an order that events told of.
type Order struct {
	Key      string // the order_id
	Record   id.ID
	Profile  id.ID
	Customer id.ID
	At       int64 // of the newest event that was taken in
}

// Store keeps what this package must remember; it lies beside the profiles.
type Store interface {
	Standings(ctx context.Context, profiles []id.ID) (map[id.ID]Standing, error)
	Link(ctx context.Context, links []Link, doubts []Doubt) error
	Told(ctx context.Context, customers []id.ID) ([]Told, error)
	SaveTold(ctx context.Context, list []Told) error
	Orders(ctx context.Context, keys []string) ([]Order, error)
	// Unowned are orders of profiles without a customer.
	Unowned(ctx context.Context, profiles []id.ID) ([]Order, error)
	SaveOrders(ctx context.Context, list []Order) error
}

// Vault opens and digests values.
type Vault interface {
	Open(ctx context.Context, sealed json.RawMessage) (string, error)
	Index(namespace, normalised string) string
}

// Config is what a Service needs; all must be set.
type Config struct {
	Records  Records
	Store    Store
	Vault    Vault
	Registry func() *schema.Registry
	Settings func(ctx context.Context) (Intake, error)
	Open     func(ctx context.Context) (map[id.ID]Door, error) // the sources whose keys are public
	Erased   func(ctx context.Context, who []Claim) ([]bool, error)
	Log      *slog.Logger
}

// Door is a source whose key is public. Orders has what it tells of orders count like what others tell.
type Door struct{ Orders bool }

// Claim is who somebody says to be. Erased of a Config reports those who were erased and are not to come back, one by one.
type Claim struct{ User, Email, Phone string }

// Service works through batches. One may run at a time in a workspace.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Mode is when a trait is written.
type Mode string

// The modes.
const (
	Newest Mode = "newest" // what the newest event says
	Empty  Mode = "empty"  // only where nothing is
	Off    Mode = "off"
)

// TraitMapping is where a trait goes. Trait may be a path ("company.name"). Several may lead to a field: the first with a value counts.
type TraitMapping struct {
	Trait string `json:"trait"`
	Field string `json:"field"`
	Mode  Mode   `json:"mode"`
}

// What an event does to an order.
const (
	Completed = "completed"
	Updated   = "updated"
	Refunded  = "refunded"
	Cancelled = "cancelled"
)

// OrderRule takes events of a name for orders. Properties say where its parts are, by their names of the Segment
// specification ("order_id", "total", "products", …); those left out have these names.
type OrderRule struct {
	Event      string            `json:"event"`
	Does       string            `json:"does"`
	Properties map[string]string `json:"properties"`
}

// Intake is how a workspace takes people and orders.
type Intake struct {
	Version int64 `json:"version"`
	// Create makes customers of people who are not found.
	Create bool `json:"create"`
	// Source is the choice of the customer's field source that new ones get, "" for none.
	Source string `json:"source"`
	// Same takes traits that are called like a field of the customer.
	Same     bool           `json:"same"`
	Mappings []TraitMapping `json:"mappings"`
	Orders   []OrderRule    `json:"orders"`
}

// Defaults are the settings of a workspace that decided nothing.
func Defaults() Intake {
	s := Intake{Create: true, Source: "online_shop", Same: true}
	for _, m := range [][2]string{
		{"name", "name"}, {"email", "email"}, {"phone", "phone"}, {"mobile", "phone"}, {"birthday", "birthday"}, {"gender", "gender"}, {"sex", "gender"},
		{"address", "address"}, {"address.country", "country"}, {"website", "website"}, {"title", "occupation"}, {"company.industry", "industry"}, {"createdAt", "acquired_on"},
		{"unionid", "wechat_unionid"}, {"loyalty_card", "card_number"}, {"card_number", "card_number"},
	} {
		mode := Newest
		switch m[1] {
		case "acquired_on", "wechat_unionid", "card_number":
			mode = Empty
		}
		s.Mappings = append(s.Mappings, TraitMapping{Trait: m[0], Field: m[1], Mode: mode})
	}
	for _, o := range [][2]string{{"Order Completed", Completed}, {"Order Updated", Updated}, {"Order Refunded", Refunded}, {"Order Cancelled", Cancelled}} {
		s.Orders = append(s.Orders, OrderRule{Event: o[0], Does: o[1], Properties: map[string]string{}})
	}
	return s
}

const (
	maxMappings = 200
	maxOrders   = 50
	maxName     = 200 // bytes of an event's name
)

var path = regexp.MustCompile(`^[^.\s][^.]{0,99}(\.[^.]{1,100}){0,4}$`)

// Writable reports whether a field of the customer can be filled from a trait.
func Writable(f *schema.Field) bool {
	switch f.Type {
	case schema.Relation, schema.RelationMany, schema.User, schema.AutoNumber:
		return false
	}
	return !f.ReadOnly && !f.OperationOnly && !f.Computed() && f.Rollup == nil && !f.Hidden && schema.System(f.Key) != f
}

// Check says what is wrong with settings for the customer's fields, all of it together.
func (s *Intake) Check(obj *schema.Object) error {
	var bad []*fault.Fault
	add := func(code, field string, p fault.Params) { bad = append(bad, fault.InvalidField(code, field, p)) }
	if len(s.Mappings) > maxMappings {
		add("person.too_many_mappings", "mappings", fault.Params{"max": maxMappings})
	}
	for i, m := range s.Mappings {
		at := "mappings." + strconv.Itoa(i) + "."
		if !path.MatchString(m.Trait) {
			add("person.bad_trait", at+"trait", nil)
		}
		if f := obj.Field(m.Field); f == nil || !Writable(f) {
			add("person.bad_field", at+"field", fault.Params{"field": m.Field})
		}
		if m.Mode != Newest && m.Mode != Empty && m.Mode != Off {
			add("person.bad_mode", at+"mode", nil)
		}
	}
	if f := obj.Field("source"); s.Source != "" && (f == nil || !hasOption(f, s.Source)) {
		add("person.bad_source", "source", nil)
	}
	if len(s.Orders) > maxOrders {
		add("person.too_many_orders", "orders", fault.Params{"max": maxOrders})
	}
	seen := map[string]bool{}
	for i, o := range s.Orders {
		at := "orders." + strconv.Itoa(i) + "."
		switch {
		case o.Event == "" || len(o.Event) > maxName:
			add("person.bad_event", at+"event", nil)
		case seen[o.Event]:
			add("person.event_twice", at+"event", fault.Params{"event": o.Event})
		}
		seen[o.Event] = true
		switch o.Does {
		case Completed, Updated, Refunded, Cancelled:
		default:
			add("person.bad_action", at+"does", nil)
		}
		for k, v := range o.Properties {
			if !path.MatchString(v) {
				add("person.bad_trait", at+"properties."+k, nil)
			}
		}
	}
	if f := fault.Join("person.invalid", bad); f != nil {
		return f
	}
	return nil
}

func hasOption(f *schema.Field, key string) bool {
	for _, o := range f.Options {
		if o.Key == key {
			return true
		}
	}
	return false
}

// Take works through events in their order. All must have their profiles.
func (s *Service) Take(ctx context.Context, batch []event.Event) error {
	settings, err := s.cfg.Settings(ctx)
	if err != nil {
		return err
	}
	r := &run{s: s, set: &settings, obj: s.cfg.Registry().Object("customer"), env: s.cfg.Records.Env(ctx)}
	if r.obj == nil {
		return nil
	}
	if err := r.gather(ctx, batch); err != nil {
		return err
	}
	if len(r.facts) == 0 && len(r.sales) == 0 {
		return r.adopt(ctx)
	}
	if err := r.people(ctx); err != nil {
		return err
	}
	if err := r.orders(ctx); err != nil {
		return err
	}
	return r.adopt(ctx)
}
