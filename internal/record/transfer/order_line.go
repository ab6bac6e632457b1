package transfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// lineKind is what a row of a purchase file turns out to be.
type lineKind uint8

const (
	purchase lineKind = iota
	refund
	leftOut // skipped by a rule
	faulty
)

// Why a rule left a line out.
const (
	codeAnonymous        = "import.anonymous_line"
	codeNoQuantity       = "import.zero_quantity"
	codeAdjustment       = "import.adjustment_line"
	codeNegativeQuantity = "import.negative_quantity"
	codeNegativeAmount   = "import.negative_amount"
	codeFree             = "import.free_line"
)

// line is one row of a purchase file, read into figures.
type line struct {
	row   int64
	texts [][]byte // aligned with Plan.Values
	kind  lineKind

	at       time.Time
	quantity int64 // three decimals, as in order_line.quantity
	price    int64 // six decimals
	discount int64 // minor units
	amount   int64 // minor units, after the discount
	gross6   int64 // quantity times price, six decimals
	net6     int64
	total    int64 // the order's, minor units
	hasTotal bool
	hash     uint64
}

// roles are the places of the values that have a meaning of their own in Plan.Values, -1 for those not mapped.
type roles struct {
	number, externalID, at, total, gross, discount, currency, status, refundOf int
	quantity, price, amount, lineDiscount, reason, note                        int
	sku, barcode, code, productID, productName                                 int
	fields                                                                     map[string][]int // object → the rest
	lineMapped                                                                 bool
	content                                                                    []int // texts that tell lines apart
}

func newRoles(p *mapping.Plan) *roles {
	r := &roles{fields: map[string][]int{}}
	named := map[string]*int{"order.number": &r.number, "order.external_id": &r.externalID, "order.at": &r.at, "order.total": &r.total,
		"order.gross_amount": &r.gross, "order.discount": &r.discount, "order.currency": &r.currency, "order.status": &r.status,
		"order.refund_of": &r.refundOf, "line.quantity": &r.quantity, "line.unit_price": &r.price, "line.amount": &r.amount,
		"line.discount_amount": &r.lineDiscount, "line.reason": &r.reason, "order.note": &r.note, "line.product.sku": &r.sku, "line.variant.sku": &r.sku,
		"line.product.barcode": &r.barcode, "line.variant.barcode": &r.barcode, "line.product.code": &r.code,
		"line.product.external_id": &r.productID, "line.product.name": &r.productName}
	for _, p := range named {
		*p = -1
	}
	for i := range p.Values {
		v := &p.Values[i]
		if v.Part == mapping.LinePart {
			r.lineMapped = true
			if v.Object == "variant" || v.Object == "product" && v.Field.Unique || v.Key == "line.product.name" || v.Key == "line.name" || v.Key == "line.sku" {
				r.content = append(r.content, i)
			}
		}
		if p, ok := named[v.Key]; ok {
			*p = i
			if v.Key != "order.note" && v.Object != "product" && v.Object != "variant" && v.Key != "order.external_id" {
				continue
			}
		}
		r.fields[v.Object] = append(r.fields[v.Object], i)
	}
	return r
}

// text is a value of a line, "" when it is not mapped.
func (l *line) text(i int) string {
	if i < 0 {
		return ""
	}
	return string(l.texts[i])
}

func (l *line) has(i int) bool { return i >= 0 && len(l.texts[i]) > 0 }

// reader turns rows into lines. It is for one goroutine.
type reader struct {
	plan  *mapping.Plan
	roles *roles
	env   schema.ParseEnv
	// the last time read: neighbouring rows mostly bear the same one
	lastText []byte
	lastAt   time.Time
	report   func(l *line, value int, f *fault.Fault)
}

// read finds out what a line is. What is wrong is reported; the line is then faulty or left out.
func (r *reader) read(l *line, currency string, anonymous bool) {
	l.kind = purchase
	exp := money.Exponent(currency)
	if !r.readTime(l) {
		return
	}
	facts := mapping.Facts{Number: l.text(r.roles.number), Status: l.text(r.roles.status)}
	if !r.readFigures(l, exp, &facts) {
		return
	}
	l.hash = r.hash(l)
	isRefund := r.plan.Refund.Holds(&facts)
	switch {
	case anonymous && r.plan.Options.AnonymousCustomer == "skip":
		r.leave(l, codeAnonymous, -1)
	case l.quantity == 0:
		r.leave(l, codeNoQuantity, r.roles.quantity)
	case isRefund && l.amount == 0:
		r.leave(l, codeAdjustment, r.roles.price)
	case isRefund:
		l.kind = refund
		l.quantity, l.amount = abs(l.quantity), abs(l.amount)
		l.discount, l.gross6, l.net6 = abs(l.discount), abs(l.gross6), abs(l.net6)
	case l.quantity < 0:
		r.leave(l, codeNegativeQuantity, r.roles.quantity)
	case l.amount < 0 || l.price < 0:
		r.leave(l, codeNegativeAmount, r.roles.price)
	case l.gross6 == 0 && r.plan.Options.FreeLines != "keep":
		r.leave(l, codeFree, r.roles.price)
	}
}

func (r *reader) leave(l *line, code string, value int) {
	l.kind = leftOut
	r.report(l, value, fault.New(fault.Invalid, code, nil))
}

func (r *reader) fail(l *line, value int, f *fault.Fault) bool {
	l.kind = faulty
	r.report(l, value, f)
	return false
}

func (r *reader) readTime(l *line) bool {
	text := l.texts[r.roles.at]
	if len(text) > 0 && bytes.Equal(text, r.lastText) {
		l.at = r.lastAt
		return true
	}
	v, bad := schema.ParseTextWith(r.plan.Values[r.roles.at].Field, string(text), &r.env)
	if bad != nil {
		return r.fail(l, r.roles.at, bad)
	}
	at, ok := v.(time.Time)
	if !ok {
		return r.fail(l, r.roles.at, fault.New(fault.Invalid, "import.value_missing", nil))
	}
	l.at, r.lastAt = at, at
	r.lastText = append(r.lastText[:0], text...)
	return true
}

// readFigures reads quantity, price, amounts and total, and works out those that are not in the file.
func (r *reader) readFigures(l *line, exp int, facts *mapping.Facts) bool {
	ro := r.roles
	quantity6, price, amount, disc, total := int64(1_000_000), int64(0), int64(0), int64(0), int64(0)
	hasPrice, hasAmount := l.has(ro.price), l.has(ro.amount)
	for _, f := range []struct {
		value, scale int
		to           *int64
	}{{ro.quantity, 6, &quantity6}, {ro.price, 6, &price}, {ro.amount, exp, &amount}, {ro.lineDiscount, exp, &disc}, {ro.total, exp, &total}} {
		if !l.has(f.value) {
			continue
		}
		if !r.figure(l, f.value, f.scale, f.to) {
			return false
		}
	}
	l.hasTotal = l.has(ro.total)
	if ro.quantity >= 0 && !l.has(ro.quantity) && !hasAmount && !l.hasTotal {
		return r.fail(l, ro.quantity, fault.New(fault.Invalid, "import.value_missing", nil))
	}
	if ro.price >= 0 && !hasPrice && !hasAmount && !l.hasTotal {
		return r.fail(l, ro.price, fault.New(fault.Invalid, "import.value_missing", nil))
	}
	l.quantity, l.price, l.discount, l.total = divRound(quantity6, 1000), price, disc, total
	ok := true
	switch {
	case hasAmount:
		l.amount = amount
		l.net6, ok = shift(amount, 6-exp)
		l.gross6 = l.net6 + disc*pow10(6-exp)
		if !hasPrice && quantity6 != 0 {
			l.price = money.MulDiv(l.gross6, 1_000_000, quantity6)
		}
	case hasPrice:
		if l.gross6, ok = mulRound(quantity6, price, 1_000_000); ok {
			l.net6 = l.gross6 - disc*pow10(6-exp)
			l.amount = divRound(l.net6, pow10(6-exp))
		}
	default: // the only figure is the total of the row
		l.amount = total
		l.net6, ok = shift(total, 6-exp)
		l.gross6 = l.net6 + disc*pow10(6-exp)
		if quantity6 != 0 && ok {
			l.price = money.MulDiv(l.gross6, 1_000_000, quantity6)
		}
	}
	if !ok || abs(l.gross6) > schema.MaxScaled || abs(l.quantity) > schema.MaxScaled || abs(l.price) > schema.MaxScaled {
		return r.fail(l, max(ro.price, ro.amount, ro.total), fault.New(fault.Invalid, "import.number_too_large", nil))
	}
	facts.HasQuantity, facts.Quantity = l.has(ro.quantity), quantity6
	facts.HasUnitPrice, facts.UnitPrice = hasPrice, price
	facts.HasAmount, facts.Amount = true, l.net6
	return true
}

func (r *reader) figure(l *line, value, scale int, to *int64) bool {
	if v, ok := plainNumber(l.texts[value], scale); ok && !r.env.DecimalComma {
		*to = v
		return true
	}
	f := schema.Field{Key: r.plan.Values[value].Field.Key, Type: schema.Number, Scale: scale}
	text := stripCurrency(string(l.texts[value]))
	v, bad := schema.ParseTextWith(&f, text, &r.env)
	if bad != nil {
		return r.fail(l, value, bad)
	}
	n, _ := v.(int64)
	*to = n
	return true
}

// stripCurrency takes signs and codes of currencies away from a figure.
func stripCurrency(s string) string {
	s = strings.TrimSpace(s)
	s = strings.Trim(s, "¥￥$€£元 ")
	if len(s) > 3 && money.Known(strings.ToUpper(s[:3])) {
		return strings.TrimSpace(s[3:])
	}
	if n := len(s) - 3; n > 0 && money.Known(strings.ToUpper(s[n:])) {
		return strings.TrimSpace(s[:n])
	}
	return s
}

// plainNumber reads the common case, digits with at most one point, without allocating; ok is false for anything else.
func plainNumber(b []byte, scale int) (int64, bool) {
	neg := false
	if len(b) > 0 && b[0] == '-' {
		neg, b = true, b[1:]
	}
	if len(b) == 0 || len(b) > 12 {
		return 0, false
	}
	var v int64
	decimals, digits := -1, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			v = v*10 + int64(c-'0')
			digits++
			if decimals >= 0 {
				decimals++
			}
		case c == '.' && decimals < 0:
			decimals = 0
		default:
			return 0, false
		}
	}
	if decimals = max(decimals, 0); digits == 0 || decimals > scale || digits-decimals > 9 {
		return 0, false
	}
	v *= pow10(scale - decimals)
	if neg {
		v = -v
	}
	return v, true
}

// hash is the fingerprint of what a line says, by value and not by notation: the moment, the figures, and what was bought.
func (r *reader) hash(l *line) uint64 {
	var buf [256]byte
	b := binary.BigEndian.AppendUint64(buf[:0], uint64(l.at.UnixMilli())) //nolint:gosec // a fingerprint
	for _, n := range [...]int64{l.quantity, l.price, l.net6} {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) //nolint:gosec // a fingerprint
	}
	for _, i := range r.roles.content {
		b = binary.AppendUvarint(b, uint64(i+1)) //nolint:gosec // small
		b = append(b, r.plan.Values[i].Key...)
		b = append(append(b, 0), l.texts[i]...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8])
}

func pow10(n int) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// divRound divides, rounding half away from zero.
func divRound(a, b int64) int64 {
	q, rest := a/b, a%b
	if 2*abs(rest) >= b {
		if a < 0 {
			return q - 1
		}
		return q + 1
	}
	return q
}

// shift multiplies by a power of ten; ok is false when that does not fit.
func shift(v int64, digits int) (int64, bool) {
	p := pow10(digits)
	if abs(v) > schema.MaxScaled/p*10 {
		return 0, false
	}
	return v * p, true
}

// mulRound is a*b/c rounded half away from zero, through 128 bits; ok is false when the result does not fit.
func mulRound(a, b, c int64) (int64, bool) {
	neg := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(uint64(abs(a)), uint64(abs(b))) //nolint:gosec // not negative
	lo, carry := bits.Add64(lo, uint64(c)/2, 0)          //nolint:gosec // not negative
	hi += carry
	if hi >= uint64(c) { //nolint:gosec // not negative
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, uint64(c)) //nolint:gosec // not negative
	if q > 1<<62 {
		return 0, false
	}
	if neg {
		return -int64(q), true
	}
	return int64(q), true
}
