// Package oracle_test holds the evaluators of conditions together: query.Eval, the records text on SQLite and
// PostgreSQL and the analytics text on DuckDB and PostgreSQL must find the same records for random trees over random
// data.
package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// zone has daylight saving with changes at midnight, which moves the starts of days.
func zone(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func field(key string, typ schema.Type, set ...func(*schema.Field)) *schema.Field {
	f := &schema.Field{Key: key, Type: typ, Label: schema.Label{"en": key}}
	for _, s := range set {
		s(f)
	}
	return f
}

func to(target string) func(*schema.Field) { return func(f *schema.Field) { f.Target = target } }
func scale(n int) func(*schema.Field)      { return func(f *schema.Field) { f.Scale = n } }
func personal(f *schema.Field)             { f.Personal = true }
func pinyin(f *schema.Field)               { f.Pinyin = true }
func numbered(f *schema.Field)             { f.Pattern = "NO{00000}" }

func options(keys ...string) func(*schema.Field) {
	return func(f *schema.Field) {
		for _, k := range keys {
			f.Options = append(f.Options, schema.Option{Key: k, Label: schema.Label{"en": k}})
		}
	}
}

func registry(t testing.TB) *schema.Registry {
	t.Helper()
	object := func(key, prefix, title string, fields ...*schema.Field) *schema.Object {
		return &schema.Object{Key: key, Prefix: prefix, TitleField: title, Analytic: true, Standard: true, Label: schema.Label{"en": key}, Fields: fields}
	}
	customer := object("customer", "cus", "name",
		field("name", schema.Text, pinyin), field("note", schema.LongText), field("region", schema.Region),
		field("level", schema.Choice, options("gold", "silver", "none")), field("tags", schema.Tags),
		field("likes", schema.MultiChoice, options("a", "ab", "b")), field("score", schema.Number, scale(2)),
		field("credit", schema.Money), field("vip", schema.Bool), field("joined", schema.Date),
		field("seen_at", schema.DateTime), field("birthday", schema.Birthday), field("phone", schema.Phone, personal),
		field("email", schema.Email, personal), field("second_email", schema.Email), field("id_number", schema.Text, personal), field("address", schema.Address, personal),
		field("store", schema.Relation, to("store")), field("referrer", schema.Relation, to("customer")),
		field("owner", schema.User), field("number", schema.AutoNumber, numbered), field("site", schema.URL))
	store := object("store", "sto", "name", field("name", schema.Text), field("region", schema.Region), field("opened", schema.Date))
	product := object("product", "prd", "name", field("name", schema.Text), field("category", schema.Text), field("price", schema.Money))
	order := object("order", "ord", "number", field("number", schema.AutoNumber, numbered),
		field("customer", schema.Relation, to("customer")), field("status", schema.Choice, options("draft", "confirmed", "cancelled")),
		field("placed_at", schema.DateTime), field("amount", schema.Money), field("quantity", schema.Number, scale(3)),
		field("store", schema.Relation, to("store")), field("tags", schema.Tags))
	order.CustomerField, order.TimeField = "customer", "placed_at"
	line := object("order_line", "orl", "name", field("name", schema.Text), field("customer", schema.Relation, to("customer")),
		field("order", schema.Relation, to("order")), field("product", schema.Relation, to("product")), field("amount", schema.Money), field("on", schema.Date))
	line.CustomerField, line.TimeField = "customer", "on"
	r, err := schema.NewRegistry([]*schema.Object{customer, store, product, order, line})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// traits are one family of every type.
type traits map[string]query.Trait

func (m traits) Trait(key string) (query.Trait, bool) { v, ok := m[key]; return v, ok }

func allTraits() traits {
	out := traits{}
	for _, t := range []query.Trait{
		{Key: "orders_n", Type: schema.Number, Table: "t_order"}, {Key: "rate", Type: schema.Number, Scale: 4, Table: "t_order"},
		{Key: "spend", Type: schema.Money, Table: "t_order"}, {Key: "last_on", Type: schema.Date, Table: "t_order"},
		{Key: "grade", Type: schema.Choice, Options: []schema.Option{{Key: "A"}, {Key: "B"}}, Table: "t_class"},
		{Key: "motto", Type: schema.Text, Table: "t_class"}, {Key: "risky", Type: schema.Bool, Table: "t_class"},
		{Key: "likes", Type: schema.MultiChoice, Options: []schema.Option{{Key: "a"}, {Key: "ab"}, {Key: "b"}}, Table: "t_class"},
		{Key: "seen_at", Type: schema.DateTime, Table: "t_class"}, {Key: "home", Type: schema.Region, Table: "t_class"},
	} {
		t.Column = t.Key
		out[t.Key] = t
	}
	return out
}

// record is one row of the world in all its forms.
type record struct {
	query.Facts
	object    *schema.Object
	createdAt time.Time
	updatedAt time.Time
	deleted   bool
	cols      []any
	stored    *stored
}

// stored is the Subject that reads columns.
type stored struct {
	r     *record
	world *world
}

func (s *stored) ID() id.ID                             { return s.r.RecordID }
func (s *stored) Value(*schema.Field) any               { panic("a stored subject is asked for columns") }
func (s *stored) Trait(key string) any                  { return s.r.Traits[key] }
func (s *stored) InSegment(key string) bool             { return s.r.Segments[key] }
func (s *stored) Events(name string) []*query.Happening { return s.r.Events(name) }
func (s *stored) Column(f *schema.Field, role schema.Role) any {
	if schema.System(f.Key) == f {
		v := s.r.Values[f.Key]
		switch x := v.(type) {
		case time.Time:
			if role == schema.DayRole {
				return int64(clock.DayOf(x, s.world.zone))
			}
			return x.UnixMilli()
		case nil:
			if f.Key == "id" {
				return s.r.RecordID
			}
		}
		return v
	}
	for i, c := range s.r.object.Columns() {
		if c.Field == f && c.Role == role {
			return s.r.cols[i]
		}
	}
	return nil
}

func (s *stored) Related(f *schema.Field) query.Subject {
	if r := s.r.ToOne[f.Key]; r != nil {
		return s.world.byFacts[r].stored
	}
	return nil
}

func (s *stored) Records(obj *schema.Object, via *schema.Field) []query.Subject {
	var out []query.Subject
	for _, r := range s.r.Many[obj.Key][via.Key] {
		out = append(out, s.world.byFacts[r].stored)
	}
	return out
}

// world is a small workspace.
type world struct {
	registry *schema.Registry
	zone     *time.Location
	now      time.Time
	rows     map[string][]*record
	byFacts  map[*query.Facts]*record
	events   []*happened
	rnd      *rand.Rand
}

// words are texts that differ in case, width, order and special characters.
var words = []string{
	"上海", "上海市", "海", "杭州", "Zoë", "ZOE", "zoe", "Ａｂｃ", "abc", "ABC%", "a_c", "a\\c", "O'Brien", "\"q\"", "😀 smile", "é", "e\u0301",
	"two  words", "line\nbreak", "straße", "STRASSE", "?", "$1", "Ω", "ﬁne", "[a]", "z", "~", "中", "一",
}

var regions = []string{"310000", "310100", "310101", "330100", "330106", "330000", "441900", "500200", "110105", "419001"}

func newWorld(t testing.TB, seed uint64, customers int) *world {
	t.Helper()
	w := &world{
		registry: registry(t), zone: zone(t), rows: map[string][]*record{}, byFacts: map[*query.Facts]*record{},
		rnd: rand.New(rand.NewPCG(seed, 1)),
	}
	// Around the change of the clocks of 2018-11-04, when the day began at one o'clock.
	w.now = time.Date(2018, 11, 5, 1, 30, 0, 0, time.UTC).Add(time.Duration(seed%3) * 13 * time.Hour)
	n := int64(1000)
	add := func(object string, count int) {
		for range count {
			n += 1 + int64(w.rnd.IntN(3))
			r := &record{object: w.registry.Object(object), deleted: w.rnd.IntN(10) == 0}
			r.RecordID, r.Values = id.ID(n), map[string]any{}
			r.ToOne, r.Many = map[string]*query.Facts{}, map[string]map[string][]*query.Facts{}
			r.Traits, r.Segments = map[string]any{}, map[string]bool{}
			r.stored = &stored{r, w}
			w.byFacts[&r.Facts] = r
			w.rows[object] = append(w.rows[object], r)
		}
	}
	add("store", 4)
	add("product", 6)
	add("customer", customers)
	add("order", customers*3)
	add("order_line", customers*5)
	for _, o := range w.registry.Objects() {
		for _, r := range w.rows[o.Key] {
			w.fill(r)
		}
	}
	w.link()
	for _, r := range w.rows["customer"] {
		w.traitsOf(r)
	}
	w.behave()
	return w
}

func blind(f *schema.Field, normalised string) string {
	return fmt.Sprintf("%.22s", schema.BlindClass(f)+normalised+strings.Repeat("-", 22))
}

func pick[T any](w *world, of []T) T { return of[w.rnd.IntN(len(of))] }

// instant is a time whose day is likely to lie at the edge of a window.
func (w *world) instant() time.Time {
	day := clock.DayOf(w.now, w.zone) - clock.Day(pick(w, []int{0, 0, 1, 2, 3, 6, 7, 8, 29, 30, 31, 60, 400, -1, -5}))
	at := day.Start(w.zone)
	switch w.rnd.IntN(6) {
	case 0:
		return w.now
	case 1:
		return w.now.Add(-time.Duration(pick(w, []int{1, 24, 48})) * time.Hour)
	case 2:
		return at
	case 3:
		return at.Add(-time.Millisecond)
	}
	return at.Add(time.Duration(w.rnd.IntN(24*3600*1000)) * time.Millisecond)
}

func (w *world) day() clock.Day {
	if w.rnd.IntN(4) == 0 {
		return clock.NewDay(pick(w, []int{1960, 1996, 2000, 2016, 2018}), pick(w, []time.Month{2, 11, 11}), pick(w, []int{28, 29, 5, 6, 10}))
	}
	return clock.DayOf(w.instant(), w.zone)
}

func (w *world) value(f *schema.Field) any {
	switch f.Type {
	case schema.Phone:
		return pick(w, []string{"+8613800138000", "+8618612345678", "+8613912345678"})
	case schema.Email:
		return pick(w, []string{"a@qq.com", "b@qq.com", "c@example.org"})
	case schema.Text, schema.LongText, schema.AutoNumber, schema.URL:
		return pick(w, words)
	case schema.Region:
		return pick(w, regions)
	case schema.Choice:
		return pick(w, f.Options).Key
	case schema.Tags:
		return sublist(w, []string{"新客", "VIP", "vip", "a%b", "a"})
	case schema.MultiChoice:
		return sublist(w, []string{"a", "ab", "b"})
	case schema.Number:
		return int64(pick(w, []int{-100, 0, 1, 99, 100, 101, 250, 12345, 1000}))
	case schema.Money:
		return money.Money{Amount: int64(pick(w, []int{-500, 0, 1, 100, 999, 1000, 1001, 50000})), Currency: pick(w, []string{"CNY", "CNY", "CNY", "USD", "KRW"})}
	case schema.Bool:
		return w.rnd.IntN(2) == 0
	case schema.Date:
		return w.day()
	case schema.DateTime:
		return w.instant()
	case schema.Birthday:
		return w.birthday()
	case schema.Address:
		return schema.AddressValue{Region: pick(w, regions), Street: "1"}
	case schema.User:
		return id.ID(pick(w, []int{1, 2, 3}))
	}
	return nil
}

func sublist(w *world, of []string) []string {
	var out []string
	for _, s := range of {
		if w.rnd.IntN(3) == 0 {
			out = append(out, s)
		}
	}
	slices.Sort(out) // as canonical lists are
	return out
}

func (w *world) birthday() schema.BirthdayValue {
	b := schema.BirthdayValue{Calendar: lunar.Solar, Year: pick(w, []int{0, 1980, 1992}), Month: pick(w, []int{2, 11, 11, 11, 12}), Day: pick(w, []int{1, 4, 5, 6, 12, 28, 29})}
	if w.rnd.IntN(2) == 0 {
		b = schema.BirthdayValue{Calendar: lunar.Lunar, Month: pick(w, []int{9, 9, 10, 1}), Day: pick(w, []int{26, 27, 28, 29, 30, 1, 5}), Leap: w.rnd.IntN(3) == 0}
	}
	return b
}

// convert knows dollars only.
func convert(m money.Money) (int64, bool) {
	if m.Currency == "USD" {
		return m.Amount * 7, true
	}
	return 0, false
}

type rates struct{}

func (rates) Convert(m money.Money, _ string, _ clock.Day) (int64, bool) { return convert(m) }

func (w *world) fill(r *record) {
	r.createdAt, r.updatedAt = w.instant(), w.instant()
	for _, f := range r.object.Fields {
		var v any
		if w.rnd.IntN(5) > 0 && f.Type != schema.Relation {
			v = w.value(f)
		}
		if l, ok := v.([]string); ok && len(l) == 0 {
			v = nil
		}
		if target := w.rows[f.Target]; f.Type == schema.Relation && w.rnd.IntN(6) > 0 {
			// The first customers have no rows, the others share them.
			i := w.rnd.IntN(len(target))
			if f.Target == "customer" && f.Key == "customer" {
				i = len(target)/4 + w.rnd.IntN(len(target)-len(target)/4)
			}
			v = target[i].RecordID
			if !target[i].deleted {
				r.ToOne[f.Key] = &target[i].Facts
			}
		}
		n := len(r.cols)
		r.cols = schema.Encode(r.cols, f, v, &schema.EncodeEnv{Zone: w.zone, Base: "CNY", Rates: rates{}})
		if v == nil {
			continue
		}
		r.Values[f.Key] = v
		if f.Personal {
			r.cols[n] = []byte("sealed")
			if f.Type != schema.Address {
				r.cols[n+1] = blind(f, schema.BlindForm(f, v))
				s, _ := v.(string)
				if w.rnd.IntN(2) == 0 {
					r.Values[f.Key] = query.Sealed{Blind: blind(f, schema.BlindForm(f, s)), Class: schema.Class(f, s)}
				}
			}
		}
	}
	r.Values["created_at"], r.Values["updated_at"] = r.createdAt, r.updatedAt
	if w.rnd.IntN(2) == 0 {
		r.Values["created_by"] = id.ID(pick(w, []int{1, 2}))
	}
}

// link makes the lists of records that point at one.
func (w *world) link() {
	for _, o := range w.registry.Objects() {
		for _, f := range o.Fields {
			if f.Type != schema.Relation {
				continue
			}
			for _, r := range w.rows[o.Key] {
				to := r.ToOne[f.Key]
				if r.deleted || to == nil {
					continue
				}
				if to.Many[o.Key] == nil {
					to.Many[o.Key] = map[string][]*query.Facts{}
				}
				to.Many[o.Key][f.Key] = append(to.Many[o.Key][f.Key], &r.Facts)
			}
		}
	}
}

func (w *world) traitsOf(r *record) {
	set := func(key string, v any) {
		if w.rnd.IntN(4) > 0 {
			r.Traits[key] = v
		}
	}
	set("orders_n", int64(w.rnd.IntN(4)))
	set("rate", int64(w.rnd.IntN(3)*5000))
	set("spend", int64(pick(w, []int{0, 1000, 1000, 2500})))
	set("last_on", w.day())
	set("grade", pick(w, []string{"A", "B"}))
	set("motto", pick(w, words))
	set("risky", w.rnd.IntN(2) == 0)
	set("likes", pick(w, [][]string{{"a"}, {"ab"}, {"a", "b"}}))
	set("seen_at", w.instant())
	set("home", pick(w, regions))
	r.Segments["static"] = !r.deleted && w.rnd.IntN(2) == 0
}
