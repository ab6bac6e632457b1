package dedupe

import (
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Method is how values of a field are compared.
type Method string

// The methods.
const (
	Exact   Method = "exact"   // the same, after normalising
	Person  Method = "person"  // names of persons
	Company Method = "company" // names of companies
	Address Method = "address" // street addresses
	Text    Method = "text"    // other texts
	Place   Method = "place"   // the same city
)

// When is an occasion to look for duplicates.
type When string

// The occasions.
const (
	OnCreate When = "create" // a person or a program makes or changes a record
	OnImport When = "import"
	OnShow   When = "show" // the page of a record
	OnBulk   When = "bulk" // the search over everything
)

// Action is what a hit on create leads to.
type Action string

// The actions.
const (
	Warn  Action = "warn"
	Block Action = "block"
)

// Part is one comparison of a rule.
type Part struct {
	Field  string `json:"field"`
	Method Method `json:"method"`
	// Needed parts must have values on both sides and be alike; others count when both sides have a value.
	Needed bool `json:"needed"`
	// Least is how alike the values must be, in per cent; below it they count as not alike at all. Exact and place are all or nothing.
	Least  int `json:"least"`
	Weight int `json:"weight"` // in the score
}

// Rule finds records that may be the same: every needed part holds, and the weighted mean of all parts reaches the threshold.
type Rule struct {
	Key       string       `json:"key"`
	Label     schema.Label `json:"label"`
	Enabled   bool         `json:"enabled"`
	Parts     []Part       `json:"parts"`
	Threshold int          `json:"threshold"` // per cent
	Create    bool         `json:"create"`
	Import    bool         `json:"import"`
	Show      bool         `json:"show"`
	Bulk      bool         `json:"bulk"`
	Action    Action       `json:"action"`
	// Sure hits may be merged many at a time without looking at each.
	Sure bool `json:"sure"`
}

// on reports whether a rule is asked on an occasion.
func (r *Rule) on(w When) bool {
	switch w {
	case OnCreate:
		return r.Enabled && r.Create
	case OnImport:
		return r.Enabled && r.Import
	case OnShow:
		return r.Enabled && r.Show
	case OnBulk:
		return r.Enabled && r.Bulk
	}
	return r.Enabled
}

// Rules are those of an object. Version rises with every change; 0 are the defaults.
type Rules struct {
	Version int64  `json:"version"`
	Rules   []Rule `json:"rules"`
}

const (
	maxRules = 20
	maxParts = 8
)

// methods are the ways in which values of a type can be compared, the first being the usual one.
func methods(f *schema.Field) []Method {
	switch f.Type {
	case schema.Text, schema.LongText:
		if f.Personal {
			return []Method{Exact}
		}
		return []Method{Exact, Person, Company, Text}
	case schema.Address:
		return []Method{Address}
	case schema.Region:
		return []Method{Place, Exact}
	case schema.Phone, schema.Email, schema.URL, schema.AutoNumber, schema.Birthday, schema.Date, schema.Choice, schema.Relation, schema.Number, schema.User:
		return []Method{Exact}
	}
	return nil
}

// Methods are the ways in which values of a field can be compared; nil when they cannot.
func Methods(f *schema.Field) []Method { return methods(f) }

// selective reports a part that few records share, so that it can be looked up by itself.
func selective(f *schema.Field, p *Part) bool {
	if p.Method == Person || p.Method == Company || p.Method == Address || p.Method == Text {
		return true
	}
	switch f.Type {
	case schema.Phone, schema.Email, schema.Text, schema.URL, schema.AutoNumber:
		return p.Method == Exact
	}
	return false
}

// Check says what is wrong with rules for an object; faults are located at "rules.<i>…".
func Check(obj *schema.Object, rules []Rule) error {
	if len(rules) > maxRules {
		return fault.InvalidField("dedupe.too_many", "rules", fault.Params{"max": maxRules})
	}
	var bad []*fault.Fault
	keys := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		at := "rules." + strconv.Itoa(i)
		say := func(code, where string, p fault.Params) {
			bad = append(bad, fault.InvalidField("dedupe."+code, at+where, p))
		}
		if r.Key == "" || len(r.Key) > 40 || keys[r.Key] {
			say("rule_key", ".key", nil)
		}
		keys[r.Key] = true
		if len(r.Label) == 0 {
			say("rule_label", ".label", nil)
		}
		if r.Action != Warn && r.Action != Block {
			say("rule_action", ".action", nil)
		}
		if r.Threshold < 1 || r.Threshold > 100 {
			say("percent", ".threshold", nil)
		}
		if len(r.Parts) == 0 || len(r.Parts) > maxParts {
			say("parts", ".parts", fault.Params{"max": maxParts})
		}
		lookUp := false
		for j := range r.Parts {
			p := &r.Parts[j]
			where := ".parts." + strconv.Itoa(j)
			f := obj.Field(p.Field)
			switch {
			case f == nil || obj.Offset(p.Field) < 0:
				say("field", where+".field", fault.Params{"field": p.Field})
				continue
			case !slices.Contains(methods(f), p.Method):
				say("method", where+".method", fault.Params{"label": f.Label})
			case p.Least < 0 || p.Least > 100:
				say("percent", where+".least", nil)
			case p.Weight < 1 || p.Weight > 100:
				say("weight", where+".weight", nil)
			}
			lookUp = lookUp || p.Needed && selective(f, p)
		}
		if len(r.Parts) > 0 && !lookUp {
			say("not_selective", ".parts", nil)
		}
	}
	if f := fault.Join("dedupe.invalid", bad); f != nil {
		return f
	}
	return nil
}

// Defaults are the rules that an object begins with, of which those are left out whose fields it does not have.
func Defaults(obj *schema.Object) []Rule {
	all := map[string][]Rule{"customer": customerRules(), "contact": contactRules(), "product": productRules()}[obj.Key]
	out := []Rule{}
	for _, r := range all {
		if Check(obj, []Rule{r}) == nil {
			out = append(out, r)
		}
	}
	return out
}

func label(zh, en string) schema.Label { return schema.Label{"zh-CN": zh, "en": en} }

func everywhere(key string, l schema.Label, threshold int, parts ...Part) Rule {
	return Rule{Key: key, Label: l, Enabled: true, Parts: parts, Threshold: threshold, Create: true, Import: true, Show: true, Bulk: true, Action: Warn}
}

func need(field string, m Method, least, weight int) Part {
	return Part{Field: field, Method: m, Needed: true, Least: least, Weight: weight}
}

func customerRules() []Rule {
	phone := everywhere("phone_name", label("手机相同且姓名相近", "Same phone, like name"), 70, need("phone", Exact, 100, 3), need("name", Person, 55, 2))
	phone.Sure = true
	companyPhone := everywhere("phone_company", label("手机相同且企业名称相近", "Same phone, like company name"), 75, need("phone", Exact, 100, 3), need("name", Company, 60, 2))
	companyPhone.Sure = true
	email := everywhere("email_name", label("邮箱相同且姓名相近", "Same e-mail, like name"), 70, need("email", Exact, 100, 3), need("name", Person, 55, 2))
	email.Sure = true
	identity := everywhere("id_number", label("证件号码相同", "Same identity number"), 100, need("id_number", Exact, 100, 1))
	identity.Sure = true
	return []Rule{
		phone, companyPhone, email, identity,
		everywhere("name_address", label("姓名与地址都相近", "Like name and address"), 88, need("name", Person, 85, 1), need("address", Address, 85, 1)),
		everywhere("company_address", label("企业名称与地址都相近", "Like company name and address"), 85, need("name", Company, 80, 1), need("address", Address, 85, 1)),
		everywhere("email_company", label("邮箱相同且企业名称相近", "Same e-mail, like company name"), 75, need("email", Exact, 100, 3), need("name", Company, 60, 2)),
		everywhere("name_birthday", label("姓名相近且生日、城市相同", "Like name, same birthday and city"), 92, need("name", Person, 88, 2), need("birthday", Exact, 100, 1), need("region", Place, 100, 1)),
	}
}

func contactRules() []Rule {
	phone := everywhere("phone_name", label("手机相同且姓名相近", "Same phone, like name"), 70, need("phone", Exact, 100, 3), need("name", Person, 55, 2))
	phone.Sure = true
	return []Rule{
		phone,
		everywhere("email_name", label("邮箱相同且姓名相近", "Same e-mail, like name"), 70, need("email", Exact, 100, 3), need("name", Person, 55, 2)),
		everywhere("name_customer", label("同一客户下姓名相近", "Like name at the same customer"), 90, need("name", Person, 88, 1), need("customer", Exact, 100, 1)),
	}
}

func productRules() []Rule {
	return []Rule{
		everywhere("name", label("名称相近", "Like name"), 90, need("name", Text, 90, 3), Part{Field: "category", Method: Exact, Least: 100, Weight: 1}, Part{Field: "brand", Method: Exact, Least: 100, Weight: 1}),
	}
}
