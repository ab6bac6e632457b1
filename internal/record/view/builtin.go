package view

import (
	"encoding/json"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// builtinView describes a built-in view; one that names a trait is there only where the trait is.
type builtinView struct {
	key     string
	label   schema.Label
	columns []string // instead of the object's
	traits  []string // shown as columns, and needed
	where   *query.Node
	sort    []schema.Sort
}

func field(key, op string, value any) *query.Node {
	return &query.Node{Field: key, Op: op, Value: raw(value)}
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // literals always encode
		return nil
	}
	return b
}

// builtin are the views of an object that come with the program.
func (s *Service) builtin(obj *schema.Object) []View {
	all := builtinView{key: "all", label: label("全部"+obj.Plural.In("zh-CN"), "All "+obj.Plural.In("en"))}
	if known := []string{"lifecycle", "value_tier", "spend_total", "orders", "last_order_day"}; obj.Key == query.Customer && s.knows(obj, known) {
		all.columns, all.traits = []string{"name", "phone", "region", "source"}, known
	}
	list := []builtinView{all}
	list = append(list, standardViews()[obj.Key]...)
	out := make([]View, 0, len(list))
	for _, b := range list {
		if !s.knows(obj, b.traits) {
			continue
		}
		v := View{Builtin: b.key, Object: obj.Key, Label: b.label, Name: b.label.In("zh-CN"), Shared: true, Kind: List, Pinned: true, Where: b.where, Sort: b.sort,
			Position: len(out), Version: 1, Columns: slices.Clone(obj.DefaultColumns)}
		if b.columns != nil {
			v.Columns = slices.Clone(b.columns)
		}
		for _, k := range b.traits {
			v.Columns = append(v.Columns, "trait."+k)
		}
		if v.Sort == nil {
			v.Sort = slices.Clone(obj.DefaultSort)
		}
		out = append(out, v)
	}
	return out
}

// knows reports whether all these traits exist.
func (s *Service) knows(obj *schema.Object, traits []string) bool {
	return !slices.ContainsFunc(traits, func(k string) bool { _, ok := s.trait(obj, k); return !ok })
}

func standardViews() map[string][]builtinView {
	days := func(n int) map[string]int { return map[string]int{"days": n} }
	people := []string{"name", "phone", "region", "owner"}
	placed := []schema.Sort{{Field: "placed_at", Desc: true}}
	return map[string][]builtinView{
		"customer": {
			{key: "new_30d", label: label("近 30 天新增", "New in 30 days"), where: field("created_at", "within_last", days(30)),
				sort: []schema.Sort{{Field: "created_at", Desc: true}}},
			{key: "high_value", label: label("高价值客户", "High value"), columns: people,
				traits: []string{"value_tier", "spend_365d", "orders_365d", "last_order_day"},
				where:  &query.Node{Trait: "value_tier", Op: "=", Value: raw("high")}, sort: []schema.Sort{{Trait: "spend_365d", Desc: true}}},
			{key: "at_risk", label: label("有流失风险", "At risk"), columns: people,
				traits: []string{"lifecycle", "days_since_last", "spend_total", "last_order_day"},
				where:  &query.Node{Trait: "lifecycle", Op: "=", Value: raw("at_risk")}, sort: []schema.Sort{{Trait: "spend_total", Desc: true}}},
			{key: "companies", label: label("企业与机构", "Companies and bodies"), where: field("kind", "in", []string{"company", "government"}),
				columns: []string{"name", "industry", "company_size", "region", "owner", "created_at"}},
			{key: "unowned", label: label("无负责人", "Without an owner"), where: &query.Node{Field: "owner", Op: "is_not_set"}},
		},
		"order": {
			{key: "last_30d", label: label("近 30 天", "Last 30 days"), where: field("placed_at", "within_last", days(30)), sort: placed},
			{key: "drafts", label: label("草稿", "Drafts"), where: field("status", "=", "draft"), sort: placed},
			{key: "cancelled", label: label("已取消", "Cancelled"), where: field("status", "=", "cancelled"), sort: placed},
		},
		"product": {
			{key: "on_sale", label: label("在售", "On sale"), where: field("status", "=", "active")},
			{key: "discontinued", label: label("已停售", "Discontinued"), where: field("status", "=", "discontinued")},
		},
		"refund": {
			{key: "last_30d", label: label("近 30 天", "Last 30 days"), where: field("refunded_at", "within_last", days(30)),
				sort: []schema.Sort{{Field: "refunded_at", Desc: true}}},
		},
	}
}
