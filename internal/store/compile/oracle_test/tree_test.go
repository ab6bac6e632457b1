package oracle_test

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// tree draws conditions that fit the metadata of the world.
type tree struct {
	t *rapid.T
	w *world
	// analytics allows what only the analytics plane answers.
	analytics bool
	top       bool
}

type node = map[string]any

func draw[T any](g *tree, of ...T) T { return rapid.SampledFrom(of).Draw(g.t, "choice") }

func (g *tree) number(lo, hi int) int { return rapid.IntRange(lo, hi).Draw(g.t, "number") }

// condition draws a tree about an object.
func (g *tree) condition(object string, depth int) node {
	if depth > 0 && g.number(0, 2) == 0 {
		switch g.number(0, 3) {
		case 0:
			return node{"not": g.condition(object, depth-1)}
		case 1:
			return node{"any": g.some(object, depth)}
		default:
			return node{"all": g.some(object, depth)}
		}
	}
	return g.leaf(object)
}

func (g *tree) some(object string, depth int) []node {
	out := []node{}
	for range g.number(0, 3) {
		out = append(out, g.condition(object, depth-1))
	}
	return out
}

func (g *tree) leaf(object string) node {
	kinds := []string{"field", "field", "field"}
	if object == "customer" {
		kinds = append(kinds, "record", "record", "first", "stopped", "resumed")
	}
	if object == "order" && !g.analytics {
		kinds = append(kinds, "record")
	}
	if g.analytics && (object == "customer" || object == "order") {
		kinds = append(kinds, "trait", "segment", "random", "event", "event", "event", "lifecycle", "sequence", "list")
		if g.top {
			kinds = append(kinds, "top")
		}
	}
	switch k := draw(g, kinds...); k {
	case "record":
		return g.record(object)
	case "first":
		return node{"first": g.rows(object), "within": g.window(true)}
	case "stopped":
		return node{"stopped": g.rows(object), "for": g.back()}
	case "resumed":
		return node{"resumed": g.rows(object), "after": g.back()}
	case "trait":
		return g.trait()
	case "event":
		return g.event()
	case "lifecycle":
		return g.lifecycle()
	case "sequence":
		return g.sequence()
	case "list":
		return node{"list": "static", "op": draw(g, "in", "not_in")}
	case "segment":
		return node{"segment": draw(g, "static", "dynamic", "nested"), "op": draw(g, "in", "not_in")}
	case "random":
		return node{"random": node{"percent": draw(g, 0.0, 12.5, 50, 99.999999, 100), "salt": draw(g, "", "a", "盐:?")}}
	case "top":
		top := node{"trait": draw(g, "spend", "orders_n", "last_on"), "count": draw(g, 1, 5, 1000)}
		if g.number(0, 2) == 0 {
			delete(top, "count")
			top["percent"] = draw(g, 0.5, 20, 100)
		}
		if g.number(0, 1) == 0 {
			top["of"] = g.leaf("customer")
			if _, ok := top["of"].(node)["top"]; ok {
				delete(top, "of")
			}
		}
		return node{"top": top}
	}
	return g.field(object)
}

// classes of the paths of each object; "#n" is a number of scale n.
var paths = map[string]map[string]string{
	"customer": {
		"name": "text", "note": "text", "site": "text", "region": "region", "region.tier": "tier", "level": "choice:gold,silver,none",
		"tags": "set", "likes": "set:a,ab,b", "score": "#2", "credit": "money", "credit.currency": "currency", "vip": "bool",
		"joined": "date", "seen_at": "instant", "created_at": "instant", "birthday": "birthday", "birthday.year": "year",
		"phone": "phone", "phone.operator": "operator", "email": "email", "email.domain": "domain", "id_number": "personal",
		"second_email": "plain_email", "address": "opaque", "address.region": "region", "store": "id:sto", "store.name": "text", "store.opened": "date",
		"store.region": "region", "referrer": "id:cus", "referrer.name": "text", "referrer.store.name": "text", "referrer.score": "#2",
		"owner": "id:usr", "created_by": "id:usr", "id": "id:cus", "number": "exact",
	},
	"order": {
		"number": "exact", "customer": "id:cus", "customer.name": "text", "customer.region": "region", "customer.store.opened": "date",
		"customer.birthday": "birthday", "customer.phone": "phone", "customer.address": "opaque",
		"status": "choice:draft,confirmed,cancelled", "placed_at": "instant", "amount": "money", "quantity": "#3", "store.region.tier": "tier", "tags": "set",
	},
	"order_line": {"name": "text", "product.category": "text", "product.price": "money", "order.status": "choice:draft,confirmed,cancelled", "on": "date", "amount": "money", "order": "id:ord"},
}

// inRows marks the where of rows, where nothing but fields may stand.
const inRows = " rows"

func (g *tree) path(object string) (string, string) {
	object = strings.TrimSuffix(object, inRows)
	keys := make([]string, 0, len(paths[object]))
	for k := range paths[object] {
		keys = append(keys, k)
	}
	sortStrings(keys)
	k := draw(g, keys...)
	return k, paths[object][k]
}

func (g *tree) field(object string) node {
	path, class := g.path(object)
	n := g.compare(class)
	n["field"] = path
	return n
}

func (g *tree) trait() node {
	t := draw(g, "orders_n #0", "rate #4", "spend money", "last_on date", "grade choice:A,B", "motto exact", "risky bool", "likes set:a,ab,b", "seen_at instant", "home region")
	key, class, _ := strings.Cut(t, " ")
	n := g.compare(class)
	n["trait"] = key
	return n
}

// compare draws operator and value of a class.
func (g *tree) compare(class string) node {
	if g.number(0, 9) == 0 || class == "opaque" {
		return node{"op": draw(g, "is_set", "is_not_set")}
	}
	class, rest, _ := strings.Cut(class, ":")
	one := func(v any) node { return node{"op": draw(g, "=", "!="), "value": v} }
	list := func(draw1 func() any) node {
		vs := []any{}
		for range g.number(1, 3) {
			vs = append(vs, draw1())
		}
		return node{"op": draw(g, "in", "not_in"), "value": vs}
	}
	switch class {
	case "text", "exact":
		return g.text()
	case "region":
		region := func() any { return draw(g, append(regions, "110000", "320000")...) }
		if g.number(0, 1) == 0 {
			return one(region())
		}
		return list(region)
	case "tier", "operator", "domain", "currency":
		word := func() any {
			return draw(g, "first", "new_first", "fifth", "mobile", "unicom", "qq.com", "example.org", "CNY", "USD", "q")
		}
		if g.number(0, 1) == 0 {
			return list(word)
		}
		return node{"op": draw(g, "=", "!=", "contains", "starts_with", ">="), "value": word()}
	case "choice", "id":
		pick := func() any { return draw(g, strings.Split(rest, ",")...) }
		if class == "id" {
			pick = func() any { return g.id(rest) }
		}
		if g.number(0, 1) == 0 {
			return one(pick())
		}
		return list(pick)
	case "set":
		return g.set(rest)
	case "bool":
		return one(g.number(0, 1) == 0)
	case "phone", "email", "personal", "plain_email":
		return g.personal(class, one, list)
	case "birthday":
		return node{"op": "anniversary_within", "value": g.ahead()}
	case "date", "instant":
		return g.time(class)
	case "year":
		return g.numeric(func() any { return draw(g, 0, 1979, 1980, 1990, 1992, 1993, 9999) }, true)
	case "money":
		return g.numeric(g.money, true)
	}
	return g.numeric(func() any { return g.decimal(class) }, true)
}

func sortStrings(s []string) {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

func (g *tree) id(prefix string) string {
	objects := map[string]string{"cus": "customer", "sto": "store", "ord": "order"}
	if rows := g.w.rows[objects[prefix]]; len(rows) > 0 {
		return id.Format(prefix, rows[g.number(0, len(rows)-1)].RecordID)
	}
	return id.Format(prefix, id.ID(g.number(1, 4)))
}

func (g *tree) decimal(class string) any {
	v := draw(g, "0", "1", "2", "-1", "0.99", "1.01", "123.45", "2.5", "10")
	if class == "#0" {
		v, _, _ = strings.Cut(v, ".")
	}
	if g.number(0, 1) == 0 {
		return v
	}
	return jsonNumber(v)
}

// jsonNumber is written without quotation marks.
type jsonNumber string

func (n jsonNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func (g *tree) money() any {
	switch g.number(0, 4) {
	case 0:
		return node{"amount": draw(g, "1.00", "0.01", "1.43"), "currency": "USD"}
	case 1:
		return node{"amount": jsonNumber(draw(g, "10", "-5", "0.01")), "currency": "CNY"}
	}
	return node{"amount": draw(g, "10.00", "9.99", "0", "1", "500", "70"), "currency": "CNY"}
}

func (g *tree) numeric(value func() any, lists bool) node {
	switch k := g.number(0, 3); {
	case k == 0:
		return node{"op": "between", "value": []any{value(), value()}}
	case k == 1 && lists:
		return node{"op": draw(g, "in", "not_in"), "value": []any{value(), value(), value()}}
	}
	return node{"op": draw(g, "=", "!=", ">", ">=", "<", "<="), "value": value()}
}

func (g *tree) text() node {
	word := func() string { return draw(g, words...) }
	switch g.number(0, 4) {
	case 0:
		return node{"op": draw(g, "=", "!=", ">", ">=", "<", "<=", "starts_with", "ends_with", "contains", "not_contains"), "value": word()}
	case 1:
		return node{"op": draw(g, "in", "not_in"), "value": []any{word(), word()}}
	case 2:
		return node{"op": "between", "value": []any{word(), word()}}
	case 3:
		return node{"op": "matches", "value": draw(g, "^a", "b$", "上海市?", "[a-c]_", "[^a-z]", "^.{3}$", "o'b", "(ab|zo)+", `\d`, `\w\s\w`, "z|^一", "A[B-D]", `\[a\]`, `a.c`, "^[一-龥]+$", `e b`, "e.b", `(a|b){1,2}c`, "[^%_]$", `a\\`)}
	}
	r := []rune(word())
	i := g.number(0, len(r)-1)
	s := string(r[i:g.number(i+1, len(r))])
	if strings.TrimSpace(s) == "" || s == "\u0301" {
		s = "a"
	}
	return node{"op": draw(g, "contains", "not_contains", "starts_with", "ends_with"), "value": s}
}

func (g *tree) set(options string) node {
	keys := []string{"新客", "VIP", "a%b", "a", "%", "nobody"}
	if options != "" {
		keys = strings.Split(options, ",")
	}
	list := []any{}
	for range g.number(1, 3) {
		list = append(list, draw(g, keys...))
	}
	if g.number(0, 1) == 0 {
		return node{"op": draw(g, "contains", "not_contains", "=", "!="), "value": list[0]}
	}
	return node{"op": draw(g, "contains", "not_contains", "in", "not_in", "=", "!="), "value": list}
}

func (g *tree) personal(class string, one func(any) node, list func(func() any) node) node {
	value := func() any {
		switch class {
		case "phone":
			return draw(g, "13800138000", "+86 186 1234 5678", "15012345678")
		case "email", "plain_email":
			return draw(g, "A@QQ.com", "b@qq.com", "z@example.org")
		}
		return draw(g, "上海", "ZOE", "zo e", "nobody")
	}
	if class == "plain_email" {
		if g.number(0, 2) == 0 {
			return node{"op": draw(g, "contains", "ends_with", "starts_with"), "value": draw(g, "qq", "@QQ.com", "B@")}
		}
		if g.number(0, 1) == 0 {
			return one(value())
		}
		return list(value)
	}
	if g.number(0, 1) == 0 {
		return node{"op": "=", "value": value()}
	}
	n := list(value)
	n["op"] = "in"
	return n
}

func (g *tree) date() string {
	d := clock.DayOf(g.w.now, g.w.zone) + clock.Day(draw(g, 0, 0, -1, 1, -7, -30, 2, -31))
	return d.String()
}

func (g *tree) span() any {
	a := draw(g, 0, 1, 2, 7, 8, 30, 31, 400)
	if g.number(0, 2) > 0 {
		return a
	}
	return []int{a, g.number(0, a)}
}

func (g *tree) back() node {
	if g.number(0, 2) == 0 {
		return node{"hours": draw(g, 1, 24, 48)}
	}
	return node{"days": draw(g, 1, 2, 7, 30)}
}

// window is one of rows, with hours where time is known to the millisecond.
func (g *tree) window(hours bool) node {
	switch k := g.number(0, 3); {
	case k == 0 && hours:
		return node{"hours": draw(g, 1, 24, 25, 48)}
	case k == 1:
		w := node{}
		a, b := g.date(), g.date()
		if a > b {
			a, b = b, a
		}
		if g.number(0, 2) > 0 {
			w["from"] = a
		}
		if g.number(0, 2) > 0 || len(w) == 0 {
			w["to"] = b
		}
		return w
	}
	return node{"days": g.span()}
}

func (g *tree) ahead() node {
	if g.number(0, 3) == 0 {
		from := clock.DayOf(g.w.now, g.w.zone) + clock.Day(g.number(-300, 500))
		return node{"from": from.String(), "to": (from + clock.Day(g.number(0, 300))).String()}
	}
	a := draw(g, 0, 1, 2, 7, 8, 30, 130, 366)
	return node{"days": []int{a, g.number(0, a)}}
}

func (g *tree) time(class string) node {
	value := func() any {
		return g.date()
	}
	if class == "instant" && g.number(0, 3) == 0 {
		value = func() any {
			return g.w.now.Add(-time.Duration(draw(g, 0, 1, 24, 30)) * time.Hour).Format("2006-01-02T15:04:05.999Z07:00")
		}
	}
	switch g.number(0, 3) {
	case 0:
		w := node{"days": g.span()}
		if class == "instant" && g.number(0, 1) == 0 {
			w = node{"hours": draw(g, 1, 24, 48)}
		}
		return node{"op": draw(g, "within_last", "within_next"), "value": w}
	case 1:
		return node{"op": "between", "value": []any{value(), value()}}
	case 2:
		return node{"op": "anniversary_within", "value": g.ahead()}
	}
	return node{"op": draw(g, "=", "!=", "<", "<=", ">", ">=", "before", "after"), "value": value()}
}

// rows draws the record leaf of a lifecycle: about orders, whose time is an instant.
func (g *tree) rows(string) node {
	n := node{"record": "order"}
	if g.number(0, 1) == 0 {
		n["where"] = g.condition("order"+inRows, 1)
	}
	return n
}

func (g *tree) record(object string) node {
	of := draw(g, "order", "order", "order_line")
	if object == "order" {
		of = "order_line"
	}
	n := node{"record": of}
	if g.number(0, 1) == 0 {
		n["where"] = g.condition(of+inRows, 1)
	}
	if g.number(0, 1) == 0 {
		n["within"] = g.window(of == "order")
	}
	money := []string{"amount"}
	if of == "order_line" {
		money = append(money, "product.price")
	}
	count := func() any { return draw(g, 0, 1, 2, 3, 5) }
	compare := func(m node, numbers bool) {
		for k, v := range m {
			n[k] = v
		}
		if numbers && g.number(0, 2) == 0 {
			n["none_as"] = jsonNumber(draw(g, "0", "1", "2"))
		}
	}
	switch g.number(0, 8) {
	case 0:
	case 1:
		n["op"] = "none"
	case 2:
		n["aggregate"] = "days"
		compare(g.numeric(count, true), true)
	case 3:
		n["aggregate"] = node{"sum": draw(g, money...)}
		compare(g.numeric(g.money, true), true)
	case 4:
		n["aggregate"] = node{"avg": draw(g, money...)}
		compare(g.numeric(g.money, false), true)
	case 5:
		if of == "order" {
			n["aggregate"] = node{draw(g, "sum", "min", "max"): "quantity"}
			compare(g.numeric(func() any { return g.decimal("#3") }, true), true)
			break
		}
		n["aggregate"] = node{draw(g, "min", "max"): draw(g, "on", "created_at")}
		c := "date"
		m := g.time(c)
		if m["op"] == "anniversary_within" {
			m = node{"op": "after", "value": g.date()}
		}
		compare(m, false)
	case 6:
		fields := map[string][]string{"order": {"store", "status", "customer.region", "amount", "placed_at"}, "order_line": {"product", "product.category", "order.status", "on"}}
		n["aggregate"] = node{"distinct": draw(g, fields[of]...)}
		compare(g.numeric(count, true), true)
	case 7:
		if of == "order" {
			n["aggregate"] = node{"avg": "quantity"}
			compare(g.numeric(func() any { return draw[any](g, "0.33333", jsonNumber("1.0"), "0.1", "2.5000001") }, false), true)
			break
		}
		fallthrough
	default:
		compare(g.numeric(count, true), true)
	}
	return n
}

func (n jsonNumber) String() string { return fmt.Sprint(string(n)) }
