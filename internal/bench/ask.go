package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// pageSize is the number of rows of a page in the interface.
const pageSize = 50

var newest = []any{obj{"field": "created_at", "desc": true}}

// kind is one kind of request, and the same work as bare statements.
type kind struct {
	what string
	goal time.Duration // for the 95th percentile, 0 for none
	n    int
	ask  func(i int) error
	bare []string                   // names in bare/, run one after the other
	args func(i int) map[string]any // their values by name
}

const homePage = "home page"

// remembered reports a kind of which the program keeps the answers until something changes.
func (k kind) remembered() bool { return k.what == homePage }

// asker makes the kinds of one program.
type asker struct {
	p *program
	s *sample
	n int
}

func (a *asker) query(object string, body func(i int) obj) func(int) error {
	return func(i int) error {
		b := body(i)
		if b["limit"] == nil {
			b["limit"] = pageSize
		}
		return a.p.call(http.MethodPost, "/records/"+object+"/query", b, nil)
	}
}

func field(name, op string, v any) obj { return obj{"field": name, "op": op, "value": v} }

// after is the code behind the last one that lies within a city.
func after(city string) string {
	n, err := strconv.Atoi(city)
	if err != nil {
		return city
	}
	return strconv.Itoa(n + 100)
}

func (a *asker) city(i int) map[string]any {
	c := at(a.s.cities, i)
	return map[string]any{"from": c, "to": after(c), "offset": i / len(a.s.cities)}
}

const (
	listGoal  = 100 * time.Millisecond
	traitGoal = 300 * time.Millisecond
)

var sources = []string{"store", "online_shop", "marketplace", "wechat"}

// lists are pages of records.
func (a *asker) lists() []kind {
	return []kind{
		{"list, default order", listGoal, a.n, a.query("customer", func(i int) obj { return obj{"sort": newest, "offset": i} }), []string{"page"},
			func(i int) map[string]any { return map[string]any{"offset": i} }},
		{"list, the page after a cursor", listGoal, min(a.n, len(a.s.cursors)-1),
			a.query("customer", func(i int) obj { return obj{"sort": newest, "cursor": a.s.cursors[i].token} }), []string{"cursor"},
			func(i int) map[string]any {
				c := a.s.cursors[i]
				return map[string]any{"created": c.created, "id": c.id}
			}},
		{"list, deep offset (9,000)", listGoal, a.n, a.query("customer", func(i int) obj { return obj{"sort": newest, "offset": 9000 + i} }), []string{"page"},
			func(i int) map[string]any { return map[string]any{"offset": 9000 + i} }},
		{"list, indexed filter: region", listGoal, a.n, a.query("customer", func(i int) obj {
			c := a.city(i)
			return obj{"sort": newest, "offset": c["offset"], "where": field("region", "in", []any{c["from"]})}
		}), []string{"region"}, a.city},
		{"list, indexed filters: kind and source", listGoal, a.n, a.query("customer", func(i int) obj {
			return obj{"sort": newest, "offset": i / 4, "where": obj{"all": []any{field("kind", "=", "person"), field("source", "=", at(sources, i))}}}
		}), []string{"source"}, func(i int) map[string]any {
			return map[string]any{"kind": "person", "source": at(sources, i), "offset": i / 4}
		}},
		{"list, filter without an index, many fulfil it", listGoal, a.n, a.query("customer", func(i int) obj {
			return obj{"sort": newest, "where": field("height_cm", ">=", 150+float64(i%200)/10)}
		}), []string{"height"}, func(i int) map[string]any { return map[string]any{"height": 1500 + i%200} }},
		{"list, filter without an index, nobody fulfils it", listGoal, a.n, a.query("customer", func(i int) obj {
			return obj{"sort": newest, "where": field("note", "contains", "没有的词"+strconv.Itoa(i))}
		}), []string{"note"}, func(i int) map[string]any { return map[string]any{"like": "%没有的词" + strconv.Itoa(i) + "%"} }},
		{"list, over a relation: orders of customers of a region", listGoal, a.n, a.query("order", func(i int) obj {
			c := a.city(i)
			return obj{"sort": []any{obj{"field": "placed_at", "desc": true}}, "offset": c["offset"], "where": field("customer.region", "in", []any{c["from"]})}
		}), []string{"orders_of_region"}, a.city},
		{"list, filter and order by traits", traitGoal, a.n, a.query("customer", func(i int) obj {
			return obj{"sort": []any{obj{"trait": "spend_total", "desc": true}}, "traits": []string{"spend_total", "orders", "lifecycle"}, "offset": i, "where": obj{"trait": "orders", "op": ">=", "value": 1 + i%8}}
		}), []string{"traits", "rows"}, func(i int) map[string]any { return map[string]any{"orders": 1 + i%8, "offset": i} }},
	}
}

// finds are searches over everything, as the search box asks.
func (a *asker) finds() []kind {
	search := func(list []string) func(int) error {
		return func(i int) error {
			return a.p.call(http.MethodGet, "/search?limit=20&q="+url.QueryEscape(at(list, i)), nil, nil)
		}
	}
	found := func(list []string, prefix bool) func(int) map[string]any {
		return func(i int) map[string]any { return map[string]any{"match": match(at(list, i), prefix)} }
	}
	return []kind{
		{"search, two Chinese characters", listGoal, min(a.n, len(a.s.pairs)), search(a.s.pairs), []string{"search", "rows"}, found(a.s.pairs, false)},
		{"search, pinyin", listGoal, min(a.n, len(a.s.spelled)), search(a.s.spelled), []string{"search", "rows"}, found(a.s.spelled, true)},
		{"search, initials", listGoal, min(a.n, len(a.s.initials)), search(a.s.initials), []string{"search", "rows"}, found(a.s.initials, true)},
		{"search, last four of a phone", listGoal, min(a.n, len(a.s.tails)), search(a.s.tails), nil, nil},
	}
}

// one customer: numbers of the sample as values.
func (a *asker) customer(i int) map[string]any { return map[string]any{"id": at(a.s.numbers, i)} }

// views are the pages of the interface that gather much.
func (a *asker) views() []kind {
	id := func(i int) string { return at(a.s.ids, i) }
	return []kind{
		{"one record", 0, a.n, func(i int) error { return a.p.call(http.MethodGet, "/records/customer/"+id(i), nil, nil) }, []string{"get"}, a.customer},
		{"360° profile", 150 * time.Millisecond, a.n, func(i int) error { return a.p.call(http.MethodGet, "/customers/"+id(i)+"/profile", nil, nil) },
			[]string{"get", "profile_orders", "profile_refunds", "profile_counts", "profile_traits"}, a.customer},
		{homePage, 0, min(a.n, 60), func(i int) error { return a.p.call(http.MethodGet, "/home?days="+strconv.Itoa(30+i), nil, nil) }, nil, nil},
		{"segment of six conditions: count and sample", time.Second, min(a.n, 60),
			func(i int) error { return a.p.call(http.MethodPost, "/segments/count", obj{"where": six(i)}, nil) }, []string{"six"}, sixArgs},
		{"segment: a page of members", traitGoal, min(a.n, 60),
			func(i int) error {
				return a.p.call(http.MethodGet, fmt.Sprintf("/segments/bench/members?limit=%d", 20+i), nil, nil)
			}, []string{"members", "rows"},
			func(i int) map[string]any { return map[string]any{"segment": "bench", "limit": 20 + i} }},
	}
}

// provinces are codes of regions, the last four digits zero.
var provinces = []string{"110000", "130000", "210000", "310000", "320000", "330000", "340000", "350000", "370000", "410000", "420000", "430000", "440000", "510000", "610000"}

// six is a segment of six conditions, a little different for each i: two fields, two traits, two aggregates of orders.
func six(i int) obj {
	return obj{"all": []any{
		field("region", "in", []string{at(provinces, i), at(provinces, i+5)}),
		field("kind", "=", "person"),
		obj{"trait": "orders_365d", "op": ">=", "value": 1 + i%3},
		obj{"trait": "m_score", "op": ">=", "value": 3},
		obj{"record": "order", "aggregate": "count", "op": ">=", "value": 2, "within": obj{"days": 300 + i}},
		obj{"not": obj{"record": "order", "aggregate": obj{"sum": "net_amount"}, "op": ">=", "value": obj{"amount": strconv.Itoa(5000 + i), "currency": "CNY"}, "within": obj{"days": 90}}},
	}}
}

func sixArgs(i int) map[string]any {
	a, b := at(provinces, i), at(provinces, i+5)
	end := func(p string) string { return p[:2] + "9999" }
	return map[string]any{"from": a, "to": end(a), "from2": b, "to2": end(b), "orders": 1 + i%3, "days": 300 + i, "sum": (5000 + int64(i)) * 100}
}
