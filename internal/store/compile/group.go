package compile

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// group is one scan of the records of an object in the analytics plane, grouped by customer. All aggregate leaves over
// the same object and the same joins share it: each is a column with a FILTER of its own, and what all filters have in
// common moves into WHERE.
type group struct {
	alias string
	sign  string // what it scans
	scope *scope
	table string
	base  piece  // what all rows fulfil, TRUE for records
	via   string // the column of the customer
	items []item
	known map[string]string // item → its column
}

// item is one aggregate of a group.
type item struct {
	text   string // with filterSign where the filter goes
	args   []any
	rows   rowsText
	column string
}

// filterSign stands where the filter of an aggregate goes; no expression contains it.
const filterSign = "\x00"

// item is a function over the rows of a leaf.
func (f function) item(t rowsText) item { return item{text: f.text(filterSign), rows: t} }

// group finds or makes the group of a leaf. slot is what it aggregates, nil for the rows themselves.
func (b *builder) group(s *scope, r *query.Rows, slot *query.Slot) (*group, rowsText, error) {
	if r.Event != "" {
		return b.eventGroup(s, r)
	}
	if s.object.Key != query.Customer || !r.Object.Analytic {
		return nil, rowsText{}, notInAnalytics(r.Object.Key)
	}
	compile := func(in *scope) (rowsText, error) {
		t, err := b.rowsIn(in, r)
		if err == nil && slot != nil && slot.Field != nil {
			_, err = b.column(in, slot, slot.Role)
		}
		return t, err
	}
	// The joins decide which group it is, so they are found first.
	numbers := b.aliases
	probe := newScope("r", r.Object)
	if _, err := compile(probe); err != nil {
		return nil, rowsText{}, err
	}
	b.aliases = numbers
	sign := r.Object.Key + " " + r.Via.Key + strings.Join(slices.Sorted(maps.Keys(probe.known)), " ")
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.sign == sign })
	if i < 0 {
		i = len(s.groups)
		s.groups = append(s.groups, &group{
			alias: b.alias("g"), sign: sign, scope: newScope("r", r.Object), table: b.table(r.Object), base: yes,
			via: b.name("r", r.Object, r.Via, schema.Main), known: map[string]string{},
		})
	}
	t, err := compile(s.groups[i].scope)
	return s.groups[i], t, err
}

// add gives the column of an aggregate, which is shared with equal ones.
func (g *group) add(it item) string {
	key := piece{it.text, it.args}.key() + "\x00" + it.rows.where.key() + "\x00" + it.rows.window.key()
	if _, ok := g.known[key]; !ok {
		it.column = "v" + strconv.Itoa(len(g.items)+1)
		g.items = append(g.items, it)
		g.known[key] = it.column
	}
	return g.alias + "." + quote(g.known[key])
}

// grouped asks an aggregate by the column of a group.
func (b *builder) grouped(s *scope, e *query.Aggregated) (piece, error) {
	slot := &e.Slot
	if e.Func == "count" {
		slot = nil
	}
	g, t, err := b.group(s, &e.Rows, slot)
	if err != nil {
		return piece{}, err
	}
	f, err := b.function(g.scope, e)
	if err != nil {
		return piece{}, err
	}
	var x string
	var asked piece
	if e.Func == "avg" {
		asked = average(e, func(bound int64) piece {
			p := f.around(bound)
			x = g.add(item{text: p.text + filterSign, args: p.args, rows: t})
			return raw(x)
		})
	} else {
		x = g.add(f.item(t))
		asked = b.test(x, &e.Test)
	}
	if e.None {
		return wrap("coalesce(", asked, ", TRUE)"), nil
	}
	return and(raw(x+" IS NOT NULL"), asked), nil
}

// render is the join of the group.
func (g *group) render(b *builder) piece {
	sameWhere, sameWindow := true, true
	for _, it := range g.items[1:] {
		sameWhere = sameWhere && it.rows.where.key() == g.items[0].rows.where.key()
		sameWindow = sameWindow && it.rows.window.key() == g.items[0].rows.window.key()
	}
	where := g.base
	if sameWhere {
		where = and(where, g.items[0].rows.where)
	}
	if sameWindow {
		where = and(where, g.items[0].rows.window)
	} else {
		where = and(where, g.hull())
	}
	parts := []piece{raw(" LEFT JOIN (SELECT " + g.via + ` AS "customer_id"`)}
	for _, it := range g.items {
		filter := yes
		if !sameWhere {
			filter = it.rows.where
		}
		if !sameWindow {
			filter = and(filter, it.rows.window)
		}
		if filter.text == yes.text {
			filter = raw("")
		} else {
			filter = wrap(" FILTER (WHERE ", filter, ")")
		}
		before, after, _ := strings.Cut(it.text, filterSign)
		parts = append(parts, piece{", " + before, it.args}, filter, raw(after+" AS "+quote(it.column)))
	}
	parts = append(parts, raw(" FROM "+g.table+" r"), g.scope.joined(b))
	if where.text != yes.text {
		parts = append(parts, wrap(" WHERE ", b.nobody("r", where), ""))
	}
	parts = append(parts, raw(" GROUP BY "+g.via+") "+g.alias+" ON "+g.alias+`."customer_id" = t."id"`))
	return joined("", parts)
}

// hull is the smallest window around those of all items, TRUE where one has none or their times differ.
func (g *group) hull() piece {
	var lo, hi *int64
	openLo, openHi, time := false, false, ""
	for _, it := range g.items {
		if it.rows.window.text == no.text {
			continue
		}
		if it.rows.span == nil || time != "" && time != it.rows.time {
			return yes
		}
		time = it.rows.time
		if r := it.rows.span; r.Lo == nil {
			openLo = true
		} else if lo == nil || *r.Lo < *lo {
			lo = r.Lo
		}
		if r := it.rows.span; r.Hi == nil {
			openHi = true
		} else if hi == nil || *r.Hi > *hi {
			hi = r.Hi
		}
	}
	hull := query.Range{}
	if !openLo {
		hull.Lo = lo
	}
	if !openHi {
		hull.Hi = hi
	}
	if hull.Lo == nil && hull.Hi == nil {
		return yes
	}
	return rangeOf(time, hull)
}
