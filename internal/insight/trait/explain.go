package trait

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

func unknown(key string) error {
	return fault.New(fault.NotFound, "trait.unknown", fault.Params{"key": key})
}

// Explainer prints values and explains them with the numbers behind them.
type Explainer struct {
	Catalogue *Catalogue
	Anchor    clock.Day
	Zone      *time.Location
	Currency  string // the workspace's base currency
}

// Explain says in Chinese and English why a customer has the value of a trait, with the numbers behind it.
func (s *Service) Explain(ctx context.Context, customer id.ID, key, currency string) (schema.Label, error) {
	cat := s.c.Catalogue()
	if _, ok := cat.Find(key); !ok {
		return nil, unknown(key)
	}
	anchor, err := s.Anchor(ctx)
	if err != nil {
		return nil, err
	}
	values, err := s.Values(ctx, []id.ID{customer})
	if err != nil {
		return nil, err
	}
	v, ok := values[customer]
	if !ok {
		return nil, fault.New(fault.NotFound, "record.not_found", fault.Params{"object": "customer"})
	}
	return Explainer{cat, anchor, s.c.Zone(), currency}.Sentence(key, v), nil
}

// Sentence explains one trait of a customer whose values are given.
func (e Explainer) Sentence(key string, values Values) schema.Label {
	d, ok := e.Catalogue.Find(key)
	if !ok {
		return nil
	}
	out := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		out[loc] = e.sentence(d, values, loc)
	}
	return out
}

func (e Explainer) sentence(d Def, values Values, loc lang.Locale) string {
	v, ok := values[d.Key]
	if !ok && d.Absent[loc] != "" {
		return d.Absent[loc]
	}
	if ok && d.Explain[loc] != "" {
		if s, whole := e.fill(d, values, loc); whole {
			return singular(s, loc)
		}
	}
	if !ok {
		if loc == lang.English {
			return d.Label[loc] + ": no value"
		}
		return d.Label[loc] + "：无"
	}
	text := e.Print(d, v, loc)
	if d.Type == schema.Number && d.Scale < 4 && d.Unit[loc] != "" {
		text += " " + d.Unit[loc]
	}
	if loc == lang.English {
		return d.Label[loc] + ": " + singular(text, loc)
	}
	return d.Label[loc] + "：" + text
}

// fill writes the numbers into the sentence; whole is false when one of them has no value.
func (e Explainer) fill(d Def, values Values, loc lang.Locale) (_ string, whole bool) {
	whole = true
	word := func(name string) string {
		switch name {
		case "value":
			return e.Print(d, values[d.Key], loc)
		case "value_percent":
			v, _ := values[d.Key].(int64)
			return percent(v)
		case "anchor":
			return e.Anchor.String()
		}
		if n, ok := strings.CutPrefix(name, "from_"); ok {
			days, err := strconv.Atoi(n)
			if err == nil {
				return (e.Anchor - clock.Day(days) + 1).String()
			}
		}
		other, known := e.Catalogue.Find(name)
		v, has := values[name]
		if !known || !has {
			whole = false
			return ""
		}
		return e.Print(other, v, loc)
	}
	var b strings.Builder
	rest := d.Explain[loc]
	for {
		i := strings.IndexByte(rest, '{')
		if i < 0 {
			break
		}
		j := strings.IndexByte(rest[i:], '}') + i
		if j < i {
			break
		}
		b.WriteString(rest[:i])
		b.WriteString(word(rest[i+1 : j]))
		rest = rest[j+1:]
	}
	b.WriteString(rest)
	return b.String(), whole
}

// Print is a value as a person reads it: numbers without needless zeros, money with its currency, days and instants in the
// workspace's zone, the label of a choice.
func (e Explainer) Print(d Def, v any, loc lang.Locale) string {
	switch v := v.(type) {
	case string:
		if d.Type == schema.Choice {
			return d.Option(v)[loc]
		}
		if d.Type == schema.Tags {
			comma := ", "
			if loc != lang.English {
				comma = "、"
			}
			return strings.ReplaceAll(strings.Trim(v, "|"), "|", comma)
		}
		return v
	case int64:
		switch d.Type {
		case schema.Money:
			return money.Money{Amount: v, Currency: e.Currency}.String()
		case schema.Date:
			return clock.Day(v).String()
		case schema.DateTime:
			return time.UnixMilli(v).In(e.Zone).Format("2006-01-02 15:04")
		}
		return plain(v, d.Scale)
	}
	return ""
}

func plain(v int64, scale int) string {
	s := money.FormatScaled(v, scale)
	if scale > 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// percent prints a share of four decimals: 2075 is "20.75%".
func percent(v int64) string { return plain(v, 2) + "%" }

// singular makes "1 purchases" into "1 purchase".
func singular(s string, loc lang.Locale) string {
	if loc != lang.English {
		return s
	}
	return plurals().ReplaceAllString(s, "${1}1 ${2}")
}

func plurals() *regexp.Regexp {
	return regexp.MustCompile(`(^|[^0-9.,-])1 (purchase|purchase day|day|time|refund|item|product|channel|point)s\b`)
}
