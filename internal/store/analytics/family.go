package analytics

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// column is one column of a table of the plane's own.
type column struct {
	name string
	kind schema.Kind
}

func ints(names ...string) []column {
	out := make([]column, len(names))
	for i, n := range names {
		out[i] = column{n, schema.Int64}
	}
	return out
}

func texts(names ...string) []column {
	out := make([]column, len(names))
	for i, n := range names {
		out[i] = column{n, schema.String}
	}
	return out
}

func blobs(names ...string) []column {
	out := make([]column, len(names))
	for i, n := range names {
		out[i] = column{n, schema.Bytes}
	}
	return out
}

// table is a table of the plane's own. Every table of facts or traits has customer_id in its key; the others are small and
// local to the workspace (or staging).
type table struct {
	name    string
	columns []column
	key     []string
	// local tables hold bookkeeping and no fact about a customer.
	local bool
	// everywhere: a local table that facts are joined with, of which every machine needs a copy.
	everywhere bool
	// family tables are part of customer_traits.
	family bool
	// staging tables hold nothing between two passes.
	staging bool
	// month is a column of days by whose months the table is parted, where the engine parts tables; "" for none.
	month string
	// indexes are those beside the key, where the engine needs them.
	indexes [][]string
	// lookups are columns of texts that rows are found by. Lines are joined to names by theirs: a planner that takes lines for few goes
	// through all names for each of them unless there is an index, which took minutes.
	lookups []string
}

func (t table) names() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.name
	}
	return out
}

// values are the columns that hold trait values: all but the key and the time of computing.
func (t table) values() []string {
	var out []string
	for _, c := range t.columns {
		if c.name != "customer_id" && c.name != "computed_at" {
			out = append(out, c.name)
		}
	}
	return out
}

func (t table) ddl(d Dialect) string {
	var b strings.Builder
	create := "CREATE TABLE"
	if t.staging {
		create = d.CreateStaging()
	}
	b.WriteString(create + " IF NOT EXISTS " + Quote(t.name) + " (")
	for i, c := range t.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Quote(c.name) + " " + d.ColumnType(c.kind))
		for _, k := range t.key {
			if k == c.name {
				b.WriteString(" NOT NULL")
			}
		}
	}
	if len(t.key) > 0 {
		b.WriteString(d.PrimaryKey(t.key...))
	}
	b.WriteString(")")
	if t.month != "" {
		b.WriteString(d.Parted(t.month))
	}
	return b.String()
}

// The trait families that the plane computes itself.
const (
	FamilyOrder = "t_order"
	FamilyTaste = "t_taste"
	FamilyRFM   = "t_rfm"
	FamilyClass = "t_class"
)

// staged is the twin of a family in which a full pass is prepared.
func staged(family string) string { return family + "_next" }

// next is the staged twin of a family.
func (t table) next() table {
	t.name, t.family, t.staging = staged(t.name), false, true
	return t
}

func family(name string, columns ...[]column) table {
	t := table{name: name, key: []string{"customer_id"}, family: true}
	t.columns = append(t.columns, column{"customer_id", schema.Int64})
	for _, c := range columns {
		t.columns = append(t.columns, c...)
	}
	t.columns = append(t.columns, column{"computed_at", schema.Int64})
	return t
}

func orderFamily() table {
	return family(FamilyOrder, ints(
		"orders", "orders_30d", "orders_90d", "orders_180d", "orders_365d",
		"spend_total", "spend_30d", "spend_90d", "spend_180d", "spend_365d", "net_spend",
		"first_order_at", "first_order_day", "last_order_at", "last_order_day", "days_since_last",
		"average_basket", "average_interval_days", "purchase_days", "discount_share",
		"refund_count", "refund_amount", "refund_rate", "margin", "margin_rate"))
}

func tasteFamily() table {
	return family(FamilyTaste,
		ints("items", "products", "channels", "online_share", "offline_share"),
		texts("favourite_channel", "favourite_category", "favourite_brand", "favourite_store", "favourite_size"))
}

func rfmFamily() table {
	return family(FamilyRFM, ints("recency", "frequency", "monetary", "r_score", "f_score", "m_score"),
		texts("rfm_cell", "rfm_segment"))
}

// classColumns are the classifications every workspace starts with; further ones get a column when first used.
func classColumns() []string {
	return []string{"lifecycle", "value_tier", "frequency_class", "region_class", "customer_type", "need_type"}
}

func classFamily() table { return family(FamilyClass, texts(classColumns()...)) }

// computedFamilies are the families that a pass of the traits fills, in the order in which they depend on each other.
func computedFamilies() []table { return []table{orderFamily(), tasteFamily(), rfmFamily()} }

func families() []table { return append(computedFamilies(), classFamily()) }

// tables are all tables of the plane's own, on both engines.
func tables() []table {
	out := append(families(), modelFamilies()...)
	for _, f := range computedFamilies() {
		out = append(out, f.next())
	}
	customer := []string{"customer_id"}
	return append(append(append(out, pastTables()...), rollupTables()...),
		consentFamily(),
		table{name: "class_member", key: []string{"classification", "customer_id"},
			columns: []column{{"classification", schema.String}, {"customer_id", schema.Int64}, {"class_key", schema.String}, {"since_at", schema.Int64}}},
		table{name: "class_move", key: customer, staging: true, columns: []column{{"customer_id", schema.Int64}, {"was_key", schema.String}, {"class_key", schema.String}}},
		table{name: "segment_member", key: []string{"segment_key", "customer_id"},
			columns: []column{{"segment_key", schema.String}, {"customer_id", schema.Int64}, {"since_at", schema.Int64}}, indexes: [][]string{{"customer_id"}}},
		eventTable(), sessionTable(), eventTables()[0], eventTables()[1], eventTables()[2], creditTable(),
		table{name: "segment_next", key: customer, staging: true, columns: ints("customer_id")},
		table{name: "segment_list", key: customer, columns: ints("customer_id")},
		table{name: "segment_move", key: customer, staging: true, columns: []column{{"customer_id", schema.Int64}, {"entered", schema.Boolean}}},
		table{name: "trait_touched", key: []string{"customer_id", "batch"}, columns: ints("customer_id", "batch")},
		table{name: "trait_now", key: customer, staging: true, columns: ints("customer_id")},
		table{name: "pass_name", key: []string{"code"}, local: true, everywhere: true, staging: true, columns: []column{{"code", schema.Int64}, {"name", schema.String}}, lookups: []string{"name"}},
		table{name: "plane_state", key: []string{"key"}, local: true, columns: texts("key", "value")},
	)
}

// workTables hold the customers of one scope and their facts during a pass, then the parts of taste.
func workTables() []table {
	list := []table{
		{name: "pass_customer", columns: ints("customer_id")},
		{name: "pass_purchase", columns: ints("customer_id", "placed_at", "day", "amount", "discount", "cost", "channel_id", "store_id", "side")},
		{name: "pass_refund", columns: ints("customer_id", "amount", "cost")},
		{name: "pass_named", columns: append(ints("customer_id", "quantity", "amount", "product_id"), texts("category", "brand", "size")...)},
		{name: "pass_line", columns: ints("customer_id", "quantity", "amount", "product_id", "category", "brand", "size")},
		{name: "pass_side", columns: ints("customer_id", "online", "offline")},
		{name: "pass_items", columns: ints("customer_id", "items", "products")},
		{name: "pass_channel", columns: ints("customer_id", "different", "code")},
		{name: "pass_store", columns: ints("customer_id", "different", "code")},
		{name: "pass_category", columns: ints("customer_id", "code")},
		{name: "pass_brand", columns: ints("customer_id", "code")},
		{name: "pass_size", columns: ints("customer_id", "code")},
	}
	for i := range list {
		list[i].staging = true
	}
	return list
}

// gone are tables of earlier versions that held nothing between two passes.
func gone() []string { return []string{"taste_part", "work_purchase", "work_line", "class_next"} }

// Scratch are the statements that leave the work tables of all passes empty, for whoever runs one of their texts alone.
func Scratch(d Dialect) []string {
	return scratch(d, slices.Concat(workTables(), visitTables(), movedTables()))
}

func scratch(d Dialect, tables []table) []string {
	var out []string
	for _, t := range tables {
		var columns []string
		for _, c := range t.columns {
			columns = append(columns, Quote(c.name)+" "+d.ColumnType(c.kind))
		}
		out = append(out, d.Scratch(t.name, strings.Join(columns, ", "))...)
	}
	return out
}

// mirrorTables are the bookkeeping of the mirror, where there is one.
func mirrorTables() []table {
	return []table{
		{name: "mirror_object", key: []string{"object"}, local: true, columns: []column{
			{"object", schema.String}, {"filled", schema.Boolean}, {"last_id", schema.Int64}, {"row_count", schema.Int64}}},
		{name: "mirror_position", key: []string{"xid"}, local: true, columns: ints("xid", "seq")},
		{name: "mirror_batch", key: []string{"id"}, local: true, columns: ints("id")},
	}
}
