package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// Suggest makes a mapping of an object's file from the names of its columns and its first values. Columns that mean
// nothing to it are left out.
func Suggest(reg *schema.Registry, object string, f source.Format, s source.Sample) Mapping {
	g := &guesser{reg: reg, object: object, sample: s, folded: make([]string, len(s.Columns)), used: map[int]string{}, given: map[string]Column{}}
	for i, c := range s.Columns {
		g.folded[i] = foldName(c)
	}
	m := Mapping{Format: f}
	if object == OrderObject {
		g.order()
		m.Order, m.Line = map[string]Column{}, map[string]Column{}
		for key, col := range g.given {
			part, name, _ := strings.Cut(key, ".")
			if Part(part) == LinePart {
				m.Line[name] = col
			} else {
				m.Order[name] = col
			}
		}
		m.Options = orderOptions(g)
	} else {
		g.plain()
		m.Fields = g.given
		if by := g.match(); by != "" {
			m.Options.Match = Match{by}
		}
	}
	e := DecimalsOf(reg, object, m, s)
	m.Options.DecimalComma = e.Comma > 0 && e.Point == 0
	return m
}

// Suggested says for each column which target the mapping gives it, "" for none.
func Suggested(reg *schema.Registry, object string, m Mapping, columns []string) []string {
	out := make([]string, len(columns))
	for part, in := range map[Part]map[string]Column{OrderPart: m.Order, LinePart: m.Line, FieldPart: m.Fields} {
		for name, cols := range in {
			t, ok := Resolve(reg, object, part, name)
			for _, c := range cols {
				if i, found := Find(columns, c); ok && found {
					out[i] = t.Key
				}
			}
		}
	}
	return out
}

// Fingerprint tells files with the same columns, whatever their order, for remembering mappings.
func Fingerprint(object string, columns []string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = foldName(c)
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(object + "\x00" + strings.Join(names, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// foldName is a column name without case, spaces and punctuation, and without what stands in brackets (units, hints).
func foldName(s string) string {
	s = lang.Fold(s)
	if i := strings.IndexAny(s, "(（[【"); i > 0 {
		s = s[:i]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

type guesser struct {
	reg    *schema.Registry
	object string
	sample source.Sample
	folded []string
	used   map[int]string    // column → target
	given  map[string]Column // target → columns
}

func (g *guesser) give(target string, columns ...int) {
	var c Column
	for _, i := range columns {
		g.used[i] = target
		c = append(c, g.sample.Columns[i])
	}
	g.given[target] = c
}

// claim gives a target the first free column that bears one of the words.
func (g *guesser) claim(target string, list []string) {
	if _, ok := g.given[target]; ok {
		return
	}
	for _, w := range list {
		for i, name := range g.folded {
			if _, taken := g.used[i]; !taken && name == w {
				g.give(target, i)
				return
			}
		}
	}
}

// region gives the columns of province, city and district together to one region field.
func (g *guesser) region(target string) {
	if _, ok := g.given[target]; ok {
		return
	}
	var cols []int
	for _, list := range regionWords {
		if i := g.firstOf(list); i >= 0 {
			cols = append(cols, i)
		}
	}
	chinese := slices.ContainsFunc(cols, func(i int) bool {
		return slices.ContainsFunc(g.sample.Values(i, 5), func(v string) bool {
			return strings.IndexFunc(v, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
		})
	})
	if chinese {
		g.give(target, cols...)
	}
}

func (g *guesser) firstOf(list []string) int {
	for _, w := range list {
		for i, name := range g.folded {
			if _, taken := g.used[i]; !taken && name == w {
				return i
			}
		}
	}
	return -1
}

func (g *guesser) order() {
	for _, w := range orderWords {
		g.claim(w.target, w.list)
	}
	g.region("order.customer.region")
	g.shapes(map[schema.Type]string{schema.Phone: "order.customer.phone", schema.Email: "order.customer.email", schema.DateTime: "order.at"})
	g.money()
	g.fallbacks()
}

// money settles which of price, line amount and order total a lone figure is.
func (g *guesser) money() {
	_, total := g.given["order.total"]
	_, price := g.given["line.unit_price"]
	if amount, ok := g.given["line.amount"]; ok && !total && !price {
		if _, lines := g.given["line.product.sku"]; !lines && g.given["line.product.name"] == nil {
			delete(g.given, "line.amount")
			g.given["order.total"] = amount
		}
	}
}

// fallbacks make a purchase file without a customer number findable by card, phone or name.
func (g *guesser) fallbacks() {
	if g.given["order.customer.name"] == nil {
		return
	}
	for _, k := range []string{"external_id", "card_number", "phone", "email"} {
		if g.given["order.customer."+k] != nil {
			return
		}
	}
	g.given["order.customer.external_id"] = g.given["order.customer.name"]
}

func orderOptions(g *guesser) Options {
	o := Options{AnonymousCustomer: "keep"}
	if q, ok := g.given["line.quantity"]; ok && g.negative(q) {
		o.RefundWhen = "quantity<0"
	} else if a, ok := g.given["line.amount"]; ok && g.negative(a) {
		o.RefundWhen = "amount<0"
	} else if ok || g.given["line.quantity"] != nil {
		o.RefundWhen = "quantity<0"
	}
	if g.given["order.number"] == nil && g.given["order.external_id"] == nil {
		o.OrderKey = []string{"customer", "date"}
	}
	return o
}

func (g *guesser) negative(c Column) bool {
	i, _ := Find(g.sample.Columns, c[0])
	return slices.ContainsFunc(g.sample.Rows, func(r []string) bool { return strings.HasPrefix(strings.TrimSpace(r[i]), "-") })
}

func (g *guesser) plain() {
	o := g.reg.Object(g.object)
	if o == nil {
		return
	}
	g.related()
	var region string
	for pass := range 2 { // exact names first, looser words after, so that 客户编号 is not taken by a looser field
		for _, f := range o.Fields {
			t, ok := plainTarget(g.reg, g.object, f.Key)
			if !ok {
				continue
			}
			if f.Type == schema.Region {
				region = f.Key
			}
			list := []string{foldName(f.Key), foldName(f.Label.In("zh-CN")), foldName(f.Label.In("en"))}
			if pass == 1 {
				list = plainWords[f.Key]
			}
			g.claim(t.Key, list)
		}
	}
	g.settle(o)
	if region != "" {
		g.region(region)
	}
	byType := map[schema.Type]string{}
	for _, f := range o.Fields {
		if (f.Type == schema.Phone || f.Type == schema.Email) && importable(f) {
			byType[f.Type] = f.Key
		}
	}
	g.shapes(byType)
}

// related gives columns that name a related record by one of its fields (客户手机) to that field.
func (g *guesser) related() {
	for _, t := range plainTargets(g.reg, g.object) {
		if t.Via == "" {
			continue
		}
		list := []string{foldName(t.Key), foldName(t.Label.In("zh-CN")), foldName(t.Label.In("en"))}
		if o := g.reg.Object(t.Object); t.Object != g.object {
			list = append(list, foldName(o.Label.In("zh-CN")+t.Field.Label.In("zh-CN")), foldName(o.Label.In("en")+t.Field.Label.In("en")))
		}
		g.claim(t.Key, list)
	}
}

// settle makes a column that names a related record as such its title, where other columns say more of the same record.
func (g *guesser) settle(o *schema.Object) {
	for _, f := range o.Fields {
		col, named := g.given[f.Key]
		target := g.reg.Object(f.Target)
		if f.Type != schema.Relation || !named || target == nil {
			continue
		}
		title := f.Key + "." + target.TitleField
		more := false
		for key := range g.given {
			more = more || strings.HasPrefix(key, f.Key+".")
		}
		if !more {
			continue
		}
		delete(g.given, f.Key)
		if _, ok := plainTarget(g.reg, g.object, title); ok && g.given[title] == nil {
			g.given[title] = col
		}
	}
}

// match proposes the unique field by which a repeated import finds the records of the first.
func (g *guesser) match() string {
	for _, f := range g.reg.Object(g.object).Fields {
		if c, ok := g.given[f.Key]; ok && f.Unique {
			if i, found := Find(g.sample.Columns, c[0]); found && len(g.sample.Values(i, 1)) > 0 {
				return f.Key
			}
		}
	}
	return ""
}

var shapeOf = map[schema.Type]*regexp.Regexp{
	schema.Phone:    regexp.MustCompile(`^(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}$`),
	schema.Email:    regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}$`),
	schema.DateTime: regexp.MustCompile(`^((19|20)\d\d[-/.年]?[01]?\d[-/.月]?[0-3]?\d日?|[0-3]?\d[-/.][0-3]?\d[-/.](19|20)\d\d)([T ].*)?$`),
}

// shapes gives targets that no column is named after to the first free column whose values look right.
func (g *guesser) shapes(targets map[schema.Type]string) {
	for _, t := range slices.Sorted(maps.Keys(targets)) {
		if _, ok := g.given[targets[t]]; ok {
			continue
		}
		for i := range g.sample.Columns {
			values := g.sample.Values(i, 20)
			if _, taken := g.used[i]; taken || len(values) == 0 {
				continue
			}
			fits := 0
			for _, v := range values {
				if shapeOf[t].MatchString(v) {
					fits++
				}
			}
			if fits*10 >= len(values)*9 {
				g.give(targets[t], i)
				break
			}
		}
	}
}

// DecimalEvidence counts figures that can only be read with a comma, or only with a point, before the decimals.
type DecimalEvidence struct{ Comma, Point int }

var (
	commaDecimals = regexp.MustCompile(`^\D*(\d+|\d{1,3}(\.\d{3})+),(\d{1,2}|\d{4,})\D*$|^\D*\d{1,3}(\.\d{3})+,\d+\D*$`)
	pointDecimals = regexp.MustCompile(`^\D*(\d+|\d{1,3}(,\d{3})+)\.(\d{1,2}|\d{4,})\D*$|^\D*\d{1,3}(,\d{3})+\.\d+\D*$`)
)

// DecimalsOf looks at the figures among the mapped columns of the first rows.
func DecimalsOf(reg *schema.Registry, object string, m Mapping, s source.Sample) DecimalEvidence {
	var e DecimalEvidence
	for part, in := range map[Part]map[string]Column{OrderPart: m.Order, LinePart: m.Line, FieldPart: m.Fields} {
		for name, cols := range in {
			t, ok := Resolve(reg, object, part, name)
			if !ok || t.Field == nil || t.Field.Type != schema.Money && t.Field.Type != schema.Number {
				continue
			}
			for _, c := range cols {
				i, found := Find(s.Columns, c)
				for _, v := range s.Values(i, 100) {
					switch {
					case !found:
					case commaDecimals.MatchString(v):
						e.Comma++
					case pointDecimals.MatchString(v):
						e.Point++
					}
				}
			}
		}
	}
	return e
}

var slashed = regexp.MustCompile(`^(\d{1,2})[-/. ](\d{1,2})[-/. ]\d{4}`)

// DateEvidence is what a column of dates says about the order of day and month.
type DateEvidence struct{ DayFirst, MonthFirst, Open int }

// Add looks at one more date.
func (e *DateEvidence) Add(text string) {
	m := slashed.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return
	}
	a, b := number2(m[1]), number2(m[2])
	switch {
	case a > 12 && b <= 12:
		e.DayFirst++
	case b > 12 && a <= 12:
		e.MonthFirst++
	case a != b:
		e.Open++
	}
}

func number2(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// Settled reports whether something has decided; further dates may still contradict.
func (e *DateEvidence) Settled() bool { return e.DayFirst+e.MonthFirst > 0 }

// Mixed reports whether dates contradict each other.
func (e *DateEvidence) Mixed() bool { return e.DayFirst > 0 && e.MonthFirst > 0 }

// Order is dmy, mdy, or "" where no date is written so. A warning comes with a guess: nothing decides, or both occur.
func (e *DateEvidence) Order() (order string, warning *fault.Fault) {
	switch {
	case e.DayFirst == 0 && e.MonthFirst == 0 && e.Open == 0:
		return "", nil
	case e.DayFirst > 0 && e.MonthFirst > 0:
		order = "dmy"
		if e.MonthFirst > e.DayFirst {
			order = "mdy"
		}
		return order, fault.New(fault.Invalid, "import.mixed_dates", fault.Params{"order": order})
	case e.DayFirst > 0:
		return "dmy", nil
	case e.MonthFirst > 0:
		return "mdy", nil
	}
	return "mdy", fault.New(fault.Invalid, "import.ambiguous_dates", fault.Params{"order": "mdy"})
}

// GoLayout turns a layout of people ("dd/mm/yyyy hh:mm") into one of package time; one that holds 2006 passes unchanged.
func GoLayout(s string) string {
	if s == "" || strings.Contains(s, "06") {
		return s
	}
	r := strings.NewReplacer("yyyy", "2006", "YYYY", "2006", "%Y", "2006", "%m", "01", "%d", "02", "%H", "15", "%M", "04", "%S", "05", "%y", "06",
		"yy", "06", "YY", "06", "MM", "01", "DD", "02", "dd", "02", "HH", "15", "hh", "15", "mm", "\x00", "ss", "05", "SS", "05")
	out := r.Replace(s)
	for n := 0; strings.Contains(out, "\x00"); n++ { // "mm" is the month unless one was named or an hour stands before it
		i := strings.Index(out, "\x00")
		word := "01"
		if strings.Contains(out[:i], "15") || strings.Contains(out, "01") && n == 0 {
			word = "04"
		}
		out = strings.Replace(out, "\x00", word, 1)
	}
	return out
}
