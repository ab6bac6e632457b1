package mapping

import (
	"errors"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/money"
)

// Rule says which lines are refunds: any of its terms suffices. The empty rule holds for none.
type Rule []Term

// Term compares a text or a figure of a line: quantity, amount, unit_price, number, status.
type Term struct {
	Name  string
	Op    string // < <= > >= = != starts_with
	Text  string
	Value int64 // of a figure, six decimals
}

var errRule = errors.New("not a rule")

var ruleNames = map[string]string{"quantity": "quantity", "amount": "amount", "total": "amount", "order.total": "amount", "line.amount": "amount",
	"unit_price": "unit_price", "price": "unit_price", "number": "number", "order.number": "number", "status": "status", "order.status": "status",
	"line.quantity": "quantity"}

// ParseRule reads "quantity<0 or number starts_with C".
func ParseRule(s string) (Rule, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var out Rule
	for _, part := range strings.Split(strings.ReplaceAll(s, "||", " or "), " or ") {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func parseTerm(s string) (Term, error) {
	for _, op := range []string{" starts_with ", "<=", ">=", "!=", "==", "<", ">", "="} {
		name, rest, ok := strings.Cut(s, op)
		if !ok {
			continue
		}
		t := Term{Op: strings.TrimSpace(op), Name: ruleNames[strings.ToLower(strings.TrimSpace(name))], Text: strings.Trim(strings.TrimSpace(rest), `'"`)}
		if t.Op == "==" {
			t.Op = "="
		}
		text := t.Name == "number" || t.Name == "status"
		if t.Name == "" || t.Text == "" || text != (t.Op == "starts_with") && !(text && (t.Op == "=" || t.Op == "!=")) {
			return t, errRule
		}
		if !text {
			v, err := money.ParseScaled(t.Text, 6)
			if err != nil {
				return t, errRule
			}
			t.Value = v
		}
		return t, nil
	}
	return Term{}, errRule
}

// Facts are what rules look at. Figures have six decimals; a figure that the line does not have is not compared.
type Facts struct {
	Quantity, Amount, UnitPrice          int64
	HasQuantity, HasAmount, HasUnitPrice bool
	Number, Status                       string
}

// Holds reports whether any term does.
func (r Rule) Holds(f *Facts) bool {
	for i := range r {
		if r[i].holds(f) {
			return true
		}
	}
	return false
}

func (t *Term) holds(f *Facts) bool {
	switch t.Name {
	case "quantity":
		return f.HasQuantity && t.compare(f.Quantity)
	case "amount":
		return f.HasAmount && t.compare(f.Amount)
	case "unit_price":
		return f.HasUnitPrice && t.compare(f.UnitPrice)
	case "number":
		return t.match(f.Number)
	}
	return t.match(f.Status)
}

func (t *Term) compare(v int64) bool {
	switch t.Op {
	case "<":
		return v < t.Value
	case "<=":
		return v <= t.Value
	case ">":
		return v > t.Value
	case ">=":
		return v >= t.Value
	case "=":
		return v == t.Value
	}
	return v != t.Value
}

func (t *Term) match(s string) bool {
	switch t.Op {
	case "starts_with":
		return strings.HasPrefix(s, t.Text)
	case "=":
		return s == t.Text
	}
	return s != t.Text
}
