package oracle_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	dialects "github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// happened is an event as it lies in the relation.
type happened struct {
	query.Happening
	customer id.ID
	flags    event.Flags
	raw      string
}

// eventKeys are keys of properties, ordinary ones and those that a careless text would take apart.
var eventKeys = []string{"price", "sku", "a.b", "it's", "50%", "q?", `say "hi"`, `back\\slash`, "missing", "商品", "$own", "*", "a/b", "~1", "0"}

// values of properties as senders write them.
var eventValues = []string{
	`1`, `2`, `0`, `-1`, `2.5`, `1.50`, `0.00005`, `0.00015`, `-0.00005`, `1e3`, `123456789012`, `999999999999.5`, `1000000000000`, `123456789012345678`, `1e300`, `1e-7`,
	`"1"`, `"2.5"`, `" 1"`, `"1e3"`, `"1e400"`, `"NaN"`, `"inf"`, `"0x10"`, `"1_000"`, `"true"`, `"false"`, `true`, `false`, `null`, `""`, `"a"`, `"A"`, `"上海"`, `"O'Brien"`, `"a\\b"`, `"two\nlines"`, `"é"`,
	`"😀"`, `["a","b"]`, `{"x":1}`, `[]`, `"[\"a\"]"`,
}

// behave gives customers, and visitors whom nobody knows, events that lie at the edges of days and often at the same millisecond.
func (w *world) behave() {
	n := int64(1 << 40)
	add := func(customer id.ID) *happened {
		n += 1 + int64(w.rnd.IntN(3))
		at := w.instant()
		h := &happened{customer: customer}
		h.EventID, h.Name, h.At, h.Day = id.ID(n), pick(w, []string{"View", "View", "Add", "Buy", "it's"}), at.UnixMilli(), int64(clock.DayOf(at, w.zone))
		h.flags = pick(w, []event.Flags{0, 0, 0, 0, event.FutureTime, event.Bot, event.NoConsent, event.Bot | event.Historic})
		h.Columns = map[string]any{"channel": pick(w, []string{"", "search", "social"}), "path": pick(w, []string{"/", "/a", "/A", ""}), "region": pick(w, append(regions, "")),
			"kind": "track", "amount": nil, "dwell_ms": nil}
		if w.rnd.IntN(3) > 0 {
			h.Columns["amount"] = int64(pick(w, []int{0, -500, 100, 999, 1000, 50000}))
		}
		if w.rnd.IntN(3) > 0 {
			h.Columns["dwell_ms"] = int64(w.rnd.IntN(4) * 500)
		}
		var members []string
		for _, k := range eventKeys {
			if k == "missing" || w.rnd.IntN(2) == 0 {
				continue
			}
			name, _ := json.Marshal(k)
			value := pick(w, eventValues)
			if w.rnd.IntN(2) == 0 {
				value = pick(w, eventValues[:5])
			}
			members = append(members, string(name)+": "+value)
		}
		h.raw = "{" + strings.Join(members, ", ") + "}"
		dec := json.NewDecoder(strings.NewReader(h.raw))
		dec.UseNumber()
		if err := dec.Decode(&h.Properties); err != nil {
			panic(h.raw + err.Error())
		}
		w.events = append(w.events, h)
		return h
	}
	for i, r := range w.rows["customer"] {
		for range w.rnd.IntN(9) * min(i%5, 1) {
			h := add(r.RecordID)
			if h.flags&query.EventFlagsApart == 0 {
				r.Behaved = append(r.Behaved, &h.Happening)
			}
		}
	}
	for i := range 10 {
		add(id.ID(1<<50 + i)) // a profile
	}
}

// events fills the relation.
func (e engine) events(t testing.TB, w *world) {
	t.Helper()
	columns := []string{"kind", "channel", "path", "region", "amount", "dwell_ms"}
	e.exec(t, `CREATE TABLE f_event (id BIGINT, customer_id BIGINT, "at" BIGINT, day BIGINT, name TEXT, flags BIGINT,
 kind TEXT, channel TEXT, path TEXT, region TEXT, amount BIGINT, dwell_ms BIGINT, properties TEXT)`)
	if e.citus {
		e.exec(t, dialects.CitusPlace("f_event", "customer_id", w.registry.Object(query.Customer).Physical))
	}
	for _, h := range w.events {
		args := []any{int64(h.EventID), int64(h.customer), h.At, h.Day, h.Name, int64(h.flags)}
		for _, c := range columns {
			args = append(args, h.Columns[c])
		}
		e.exec(t, "INSERT INTO f_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", append(args, h.raw)...)
	}
}

func (g *tree) named() node {
	n := node{"event": draw(g, "View", "View", "Add", "Buy", "it's", "*", "never")}
	if g.number(0, 1) == 0 {
		n["where"] = g.property(1)
	}
	return n
}

// property draws the where of events.
func (g *tree) property(depth int) node {
	if depth > 0 && g.number(0, 2) == 0 {
		some := []node{}
		for range g.number(0, 3) {
			some = append(some, g.property(depth-1))
		}
		return node{draw(g, "all", "any"): some}
	}
	if g.number(0, 5) == 0 {
		return node{"not": g.property(0)}
	}
	var n node
	switch g.number(0, 7) {
	case 0:
		n = g.compare(draw(g, "exact", "tier"))
		n["property"] = draw(g, "$channel", "$path", "$kind")
		return n
	case 1:
		n = g.compare("region")
		n["property"] = "$region"
		return n
	case 2:
		n = g.numeric(g.money, true)
		n["property"] = "$amount"
		return n
	case 3:
		n = g.numeric(func() any { return draw(g, 0, 500, 1000) }, true)
		n["property"] = "$dwell_ms"
		return n
	case 4:
		n = node{"op": draw(g, "=", "!=", "in", "contains", "starts_with", ">=", "<", "not_in"), "value": draw(g, "1", "2.5", "a", "A", "true", "上海", "O'Brien", "a\\b", "é", "123456789012345678")}
		if n["op"] == "in" || n["op"] == "not_in" {
			n["value"] = []any{n["value"], draw(g, "1", "a", "[")}
		}
	case 5:
		n = node{"op": draw(g, "=", "!="), "value": g.number(0, 1) == 0}
	case 6:
		n = node{"op": draw(g, "is_set", "is_not_set")}
	default:
		n = g.numeric(func() any {
			return jsonNumber(draw(g, "0", "1", "2", "2.5", "1.5", "0.0001", "0.0002", "-0.0001", "1000", "123456789012"))
		}, true)
	}
	n["property"] = draw(g, eventKeys...)
	return n
}

func (g *tree) event() node {
	n := g.named()
	if g.number(0, 1) == 0 {
		n["within"] = g.window(true)
	}
	compare := func(m node) {
		for k, v := range m {
			n[k] = v
		}
		if g.number(0, 2) == 0 {
			n["none_as"] = jsonNumber(draw(g, "0", "1", "2"))
		}
	}
	count := func() any { return draw(g, 0, 1, 2, 3, 5) }
	decimal := func() any { return jsonNumber(draw(g, "0", "1", "2.5", "0.0001", "3.3333", "1000")) }
	switch g.number(0, 8) {
	case 0:
	case 1:
		n["op"] = "none"
	case 2:
		n["aggregate"] = "days"
		compare(g.numeric(count, true))
	case 3:
		n["aggregate"] = node{draw(g, "sum", "min", "max"): draw(g, "price", "a.b", "50%")}
		compare(g.numeric(decimal, true))
	case 4:
		n["aggregate"] = node{"avg": draw(g, "price", "sku")}
		compare(g.numeric(decimal, false))
	case 5:
		n["aggregate"] = node{draw(g, "sum", "max", "min"): "$amount"}
		compare(g.numeric(g.money, true))
	case 6:
		n["aggregate"] = node{"avg": draw(g, "$dwell_ms")}
		compare(g.numeric(func() any { return jsonNumber(draw(g, "0", "500", "333.3333")) }, false))
	case 7:
		n["aggregate"] = node{"distinct": draw(g, "price", "sku", "商品", "$path", "$channel", "*")}
		compare(g.numeric(count, true))
	default:
		compare(g.numeric(count, true))
	}
	return n
}

func (g *tree) lifecycle() node {
	switch g.number(0, 2) {
	case 0:
		return node{"first": g.named(), "within": g.window(true)}
	case 1:
		return node{"stopped": g.named(), "for": g.back()}
	}
	return node{"resumed": g.named(), "after": g.back()}
}

func (g *tree) sequence() node {
	n := node{"sequence": []node{g.named(), g.named()}, "op": draw(g, "did", "did_not")}
	if g.number(0, 2) == 0 {
		n["sequence"] = []node{g.named(), g.named(), g.named()}
	}
	if g.number(0, 1) == 0 {
		n["within"] = g.window(true)
	}
	return n
}
