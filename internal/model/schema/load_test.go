package schema_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/objects"
)

func standard(t testing.TB) []*schema.Object {
	t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The embedded declarations are whole: checked against each other, labelled in both languages, with icons and colours
// that exist.
func TestStandardObjects(t *testing.T) {
	t.Parallel()
	reg, err := schema.NewRegistry(standard(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"customer", "contact", "order", "order_line", "refund", "product", "variant", "store", "channel", "content", "feedback", "task", "call", "meeting", "visit", "note", "churn_reason", "tag", "user"}
	hues := []string{"gray", "blue", "violet", "teal", "green", "amber", "orange", "red", "pink"}
	for i, o := range reg.Objects() {
		if o.Key != want[i] {
			t.Errorf("object %d is %s, want %s", i, o.Key, want[i])
		}
		both(t, o.Key, o.Label)
		both(t, o.Key+" plural", o.Plural)
		if o.Icon == "" || !o.Standard || len(o.DefaultColumns) == 0 || len(o.DefaultSort) == 0 {
			t.Errorf("%s lacks an icon, columns or a sort", o.Key)
		}
		for _, f := range o.Fields {
			both(t, o.Key+"."+f.Key, f.Label)
			if f.Help != nil {
				both(t, o.Key+"."+f.Key+" help", f.Help)
			}
			if f.Section == "" {
				t.Errorf("%s.%s has no section", o.Key, f.Key)
			}
			for _, opt := range f.Options {
				both(t, o.Key+"."+f.Key+"."+opt.Key, opt.Label)
				if opt.Color != "" && !slices.Contains(hues, opt.Color) {
					t.Errorf("%s.%s.%s: colour %q", o.Key, f.Key, opt.Key, opt.Color)
				}
			}
			if f.Default != nil && f.Default != "now" {
				if _, bad := schema.ParseJSON(f, f.Default, schema.ParseEnv{}); bad != nil {
					t.Errorf("%s.%s: default: %v", o.Key, f.Key, bad)
				}
			}
		}
	}
	if tables := reg.Tables(); len(tables) != len(want)-1 || reg.Object("user") == nil || !reg.Object("user").Virtual {
		t.Errorf("%d tables", len(tables))
	}
	for _, fact := range []string{"order", "order_line", "refund"} {
		o := reg.Object(fact)
		if o.CustomerField != "customer" || o.TimeField == "" {
			t.Errorf("%s: customer %q, time %q", fact, o.CustomerField, o.TimeField)
		}
	}
	if f := reg.Object("order").Field("customer"); f.TargetPrefix() != "cus" {
		t.Errorf("orders point at %q", f.TargetPrefix())
	}
}

func both(t *testing.T, what string, l schema.Label) {
	t.Helper()
	if l["zh-CN"] == "" || l["en"] == "" {
		t.Errorf("%s: label %v", what, l)
	}
}

func TestSortColumn(t *testing.T) {
	t.Parallel()
	reg, err := schema.NewRegistry(standard(t))
	if err != nil {
		t.Fatal(err)
	}
	o := reg.Object("customer")
	for field, want := range map[string]string{"name": "name_sort", "external_id": "external_id_fold", "kind": "kind", "birthday": "birthday_md",
		"annual_revenue": "annual_revenue_base", "phone": "", "address": "", "tags": "", "orders": "", "nothing": ""} {
		c, ok := o.SortColumn(field)
		if c.Name != want || ok != (want != "") {
			t.Errorf("%s sorts by %q", field, c.Name)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an unknown member": `{"key":"x","sercret":true}`, "another key": `{"key":"y"}`, "half a document": `{"key":"x"`, "two documents": `{"key":"x"}{}`,
	} {
		if _, err := schema.Load(fstest.MapFS{"x.json": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	base := func() *schema.Object {
		return &schema.Object{Key: "thing", Prefix: "thi", TitleField: "name", Fields: []*schema.Field{{Key: "name", Type: schema.Text}}}
	}
	add := func(f schema.Field) func(*schema.Object) {
		return func(o *schema.Object) { o.Fields = append(o.Fields, &f) }
	}
	for want, change := range map[string]func(*schema.Object){
		"cannot be personal":   add(schema.Field{Key: "n", Type: schema.Number, Personal: true}),
		"cannot be unique":     add(schema.Field{Key: "n", Type: schema.Money, Unique: true}),
		"unknown type":         add(schema.Field{Key: "n", Type: "colour"}),
		"does not exist":       add(schema.Field{Key: "n", Type: schema.Relation, Target: "nothing"}),
		"does not point here":  add(schema.Field{Key: "n", Type: schema.RelationMany, Target: "thing", Via: "name"}),
		"without options":      add(schema.Field{Key: "n", Type: schema.Choice}),
		"not one":              add(schema.Field{Key: "n", Type: schema.AutoNumber, Pattern: "SO"}),
		"two fields share":     add(schema.Field{Key: "name", Type: schema.Text}),
		`field key "Name"`:     add(schema.Field{Key: "Name", Type: schema.Text}),
		`field key "id"`:       add(schema.Field{Key: "id", Type: schema.Text}),
		"scale 12":             add(schema.Field{Key: "n", Type: schema.Number, Scale: 12}),
		`column "nothing"`:     func(o *schema.Object) { o.DefaultColumns = []string{"nothing"} },
		`time field "nothing"`: func(o *schema.Object) { o.TimeField = "nothing" },
		"title field":          func(o *schema.Object) { o.TitleField = "nothing" },
	} {
		o := base()
		change(o)
		if _, err := schema.NewRegistry([]*schema.Object{o}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want a defect %q, got %v", want, err)
		}
	}
	if _, err := schema.NewRegistry([]*schema.Object{base()}); err != nil {
		t.Error(err)
	}
}

// Stored metadata adds fields to standard objects, says some things differently of declared ones, adds objects of its own, and
// leaves the declarations alone.
func TestMerge(t *testing.T) {
	t.Parallel()
	std := standard(t)
	fields, declared := len(std[0].Fields), 0
	for _, f := range std[0].Fields {
		if f.Key == "source" {
			declared = len(f.Options)
		}
	}
	stored := []schema.Stored{
		{Object: "fitting", Spec: []byte(`{"label":{"en":"Fitting"},"plural":{"en":"Fittings"},"prefix":"fit","title_field":"name","physical":"x_1"}`)},
		{Object: "fitting", Field: "name", Spec: []byte(`{"type":"text","physical":"x_2"}`)},
		{Object: "fitting", Field: "customer", Spec: []byte(`{"type":"relation","target":"customer","physical":"x_3"}`)},
		{Object: "fitting", Field: "gone", Spec: []byte(`{"type":"text","physical":"x_4","archived":true}`)},
		{Object: "old", Spec: []byte(`{"prefix":"old","title_field":"name","physical":"x_5","archived":true}`)},
		{Object: "old", Field: "name", Spec: []byte(`{"type":"text","physical":"x_6"}`)},
		{Object: "customer", Spec: []byte(`{"label":{"en":"Guest"},"title_field":"note","prefix":"zzz"}`)},
		{Object: "customer", Field: "x_1", Spec: []byte(`{"type":"text","physical":"c_1001"}`)},
		{Object: "customer", Field: "source", Spec: []byte(`{"type":"number","label":{"en":"Door"},"required":true,"options":[{"key":"fair","label":{"en":"Fair"}},{"key":"store","label":{"en":"Shop"}}]}`)},
	}
	merged, err := schema.Merge(std, stored)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(merged)
	if err != nil {
		t.Fatal(err)
	}
	customer, source := reg.Object("customer"), reg.Object("customer").Field("source")
	if c, ok := customer.Column("x_1", schema.Main); !ok || c.Name != "c_1001" || !customer.Field("x_1").Custom {
		t.Errorf("the custom field has column %q", c.Name)
	}
	if customer.Label["en"] != "Guest" || customer.TitleField != "name" || customer.Prefix != "cus" {
		t.Errorf("the declared object became %q, title %q, prefix %q", customer.Label["en"], customer.TitleField, customer.Prefix)
	}
	if source.Type != schema.Choice || source.Label["en"] != "Door" || !source.Required || source.Options[0].Key != "fair" || source.Options[1].Label["en"] != "Shop" ||
		len(source.Options) != declared+1 {
		t.Errorf("the declared field became %+v", source)
	}
	if o := reg.Object("fitting"); o == nil || o.Standard || o.Physical != "x_1" || len(o.Fields) != 2 || len(reg.Referrers("customer")) == 0 || reg.Object("old") != nil {
		t.Errorf("custom object %+v", o)
	}
	if len(std[0].Fields) != fields || std[0].Label["en"] == "Guest" {
		t.Error("merging changed the declarations")
	}
	if _, err := schema.Merge(std, []schema.Stored{{Object: "nothing", Field: "x", Spec: []byte(`{"type":"text"}`)}}); err == nil {
		t.Error("a field of no object was taken")
	}
}
