package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// group is the lines of one order.
type group struct {
	key      [16]byte
	number   string
	currency string
	exp      int
	lines    []line
	seen     SeenOrder
	known    bool // seen before
	fresh    []*line
	all      bool // every line seen before stands in this file

	customer id.ID
	store    id.ID
	channel  id.ID
	order    id.ID // 0 when the group has only refunds
	planned  id.ID // of the order that it will make
	linked   id.ID // the order that refunds belong to
	digest   uint64
}

// keyer finds out to which order a row belongs.
type keyer struct {
	plan  *mapping.Plan
	roles *roles
	env   *schema.ParseEnv
	zone  *time.Location
	named map[string]int // the values that Options.OrderKey names
	buf   []byte
}

// key is the text by which an order is told from others; a fault says why a row belongs to none.
func (k *keyer) key(texts [][]byte) ([]byte, int, *fault.Fault) {
	b := k.buf[:0]
	defer func() { k.buf = b }()
	for _, i := range []int{k.roles.number, k.roles.externalID} {
		if i >= 0 && len(texts[i]) > 0 {
			b = append(append(b, 'n', 0), texts[i]...)
			return b, 0, nil
		}
	}
	if len(k.plan.Options.OrderKey) == 0 {
		return nil, max(k.roles.number, k.roles.externalID), fault.New(fault.Invalid, "import.no_order_number", nil)
	}
	b = append(b, 'k', 0)
	for _, name := range k.plan.Options.OrderKey {
		switch name {
		case "customer":
			n := len(b)
			for _, i := range k.roles.fields["customer"] {
				if k.plan.Values[i].Field.Unique || len(b) == n && (k.plan.Values[i].Field.Type == schema.Phone || k.plan.Values[i].Field.Type == schema.Email) {
					b = append(b, texts[i]...)
				}
			}
			if len(b) == n { // nobody: rows that are not equal are orders of their own
				for _, t := range texts {
					b = append(append(b, 1), t...)
				}
			}
		case "date":
			v, bad := schema.ParseTextWith(k.plan.Values[k.roles.at].Field, string(texts[k.roles.at]), k.env)
			at, ok := v.(time.Time)
			if bad == nil && !ok {
				bad = fault.New(fault.Invalid, "import.value_missing", nil)
			}
			if bad != nil {
				return nil, k.roles.at, bad
			}
			b = binary.AppendVarint(b, int64(clock.DayOf(at, k.zone)))
		default:
			if i, ok := k.named[name]; ok {
				b = append(b, texts[i]...)
			}
		}
		b = append(b, 2)
	}
	return b, 0, nil
}

// readLines reads the whole file, sends every good row to the spill, ordered by the first row of its order, and reports
// the others. It returns how many rows there are.
func (o *orders) readLines(r source.Reader, sp *spill) (int64, error) {
	ordinals := map[[8]byte]uint64{}
	k := keyer{plan: o.plan, roles: o.roles, env: &o.env, zone: o.zone, named: o.keyValues}
	texts := make([][]byte, len(o.plan.Values))
	var rows int64
	var payload []byte
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows++
		if rows%progressRows == 0 {
			if err := o.reading(rows, r); err != nil {
				return rows, err
			}
		}
		if row.Fault != nil {
			if err := o.reportRead(row.Number, -1, row.Fault); err != nil {
				return rows, err
			}
			continue
		}
		for i := range o.plan.Values {
			texts[i] = o.plan.Values[i].Text(row.Cells)
		}
		key, value, bad := k.key(texts)
		if bad != nil {
			if err := o.reportRead(row.Number, value, bad); err != nil {
				return rows, err
			}
			continue
		}
		sum := sha256.Sum256(key)
		short := [8]byte(sum[:8])
		n, ok := ordinals[short]
		if !ok {
			n = uint64(len(ordinals))
			ordinals[short] = n
		}
		payload = append(payload[:0], sum[:16]...)
		payload = binary.AppendUvarint(payload, uint64(row.Number)) //nolint:gosec // rows count from 1
		for _, t := range texts {
			payload = binary.AppendUvarint(payload, uint64(len(t)))
			payload = append(payload, t...)
		}
		if err := sp.Add(n, payload); err != nil {
			return rows, err
		}
	}
}

// groups reads orders back from the spill.
type groups struct {
	sp     *spill
	values int
	ahead  []byte
	group  uint64
	done   bool
}

// next is the next order with the texts of its lines, nil at the end.
func (g *groups) next() (*group, error) {
	if g.ahead == nil && !g.done {
		if err := g.pull(); err != nil {
			return nil, err
		}
	}
	if g.done {
		return nil, nil //nolint:nilnil // the end
	}
	out := &group{key: [16]byte(g.ahead[:16])}
	n := g.group
	for !g.done && g.group == n && [16]byte(g.ahead[:16]) == out.key {
		out.lines = append(out.lines, g.decode(g.ahead[16:]))
		if err := g.pull(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (g *groups) pull() error {
	n, payload, err := g.sp.Next()
	if errors.Is(err, io.EOF) {
		g.done, g.ahead = true, nil
		return nil
	}
	g.group, g.ahead = n, payload
	return err
}

func (g *groups) decode(b []byte) line {
	row, n := binary.Uvarint(b)
	b = b[n:]
	l := line{row: int64(row), texts: make([][]byte, g.values)} //nolint:gosec // written by readLines
	for i := range l.texts {
		size, n := binary.Uvarint(b)
		l.texts[i], b = b[n:n+int(size)], b[n+int(size):] //nolint:gosec // written by readLines
	}
	return l
}

// first is the first text of a value that a group's lines have.
func (g *group) first(i int) []byte {
	if i < 0 {
		return nil
	}
	for j := range g.lines {
		if t := g.lines[j].texts[i]; len(t) > 0 {
			return t
		}
	}
	return nil
}

// open reads the lines of a group into figures and reports those that are not imported.
func (o *orders) open(g *group) {
	g.number = string(g.first(o.roles.number))
	g.currency = o.env.Currency
	if t := strings.ToUpper(string(g.first(o.roles.currency))); money.Known(t) {
		g.currency = t
	}
	g.exp = money.Exponent(g.currency)
	named := false
	for _, x := range o.customerKeys {
		named = named || len(g.first(x.value)) > 0
	}
	for i := range g.lines {
		l := &g.lines[i]
		anonymous := !named
		if named && o.plan.Options.AnonymousCustomer == "skip" {
			anonymous = true
			for _, x := range o.customerKeys {
				anonymous = anonymous && len(l.texts[x.value]) == 0
			}
		}
		o.reader.read(l, g.currency, anonymous)
	}
	g.digest = o.digest(g)
}

// digest sums up the order's own fields, to notice when a later file changes them.
func (o *orders) digest(g *group) uint64 {
	h := sha256.New()
	for _, i := range append(o.roles.fields["order"], o.roles.total, o.roles.discount, o.roles.gross, o.roles.status) {
		if i >= 0 {
			h.Write(g.first(i))
			h.Write([]byte{0})
		}
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// match finds out which lines were imported before: by content, equal ones counted.
func (g *group) match() {
	had := make(map[uint64]int, len(g.seen.Lines))
	for _, s := range g.seen.Lines {
		had[s.Hash]++
	}
	matched := 0
	for i := range g.lines {
		l := &g.lines[i]
		if l.kind != purchase && l.kind != refund {
			continue
		}
		if had[l.hash] > 0 {
			had[l.hash]--
			matched++
			continue
		}
		g.fresh = append(g.fresh, l)
	}
	g.all = matched == len(g.seen.Lines)
}
