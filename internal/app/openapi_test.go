package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
)

// described is what the tests read of the interface document.
type described struct {
	Paths map[string]map[string]struct {
		Summary     string
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Properties map[string]struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
	}
	Components struct {
		Schemas map[string]struct {
			Required   []string
			Properties map[string]struct {
				Description string
				Enum        []string
				ReadOnly    bool
			}
		}
	}
}

// The document of a workspace describes each object with its own fields, those made in the browser too, in the language of the
// reader, and nothing that the reader may not see or do.
func TestTheDocumentKnowsTheWorkspace(t *testing.T) {
	t.Parallel()
	o := newOffice(t, newSite(t))
	o.admin.want(201, o.admin.do("POST", "/objects", `{"key":"fitting","label":{"zh-CN":"试衣预约","en":"Fitting"},"plural":{"zh-CN":"试衣预约","en":"Fittings"}}`))
	o.admin.want(201, o.admin.do("POST", "/objects/fitting/fields", `{"key":"slot","label":{"zh-CN":"时段","en":"Slot"},"type":"choice","required":true,"options":[{"key":"am","label":{"zh-CN":"上午","en":"Morning"}}]}`))
	o.role("reader", `{"name":"阅","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"all"}},"fields":{"note":"hidden"}}}}`)
	reader := o.person("reader", o.roles["reader"])

	read := func(c *client, language string) described {
		t.Helper()
		var d described
		if err := json.Unmarshal(c.want(200, c.with("Accept-Language", language).do("GET", "/openapi.json", "")).body, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := read(o.admin, "en")
	fields := d.Components.Schemas["Fields_fitting"]
	if slot := fields.Properties["slot"]; slot.Description != "Slot" || !slices.Equal(slot.Enum, []string{"am"}) || !slices.Contains(fields.Required, "slot") {
		t.Errorf("the field of a new object: %+v, required %v", slot, fields.Required)
	}
	create := d.Paths["/records/fitting"]["post"]
	if got := create.RequestBody.Content["application/json"].Schema.Properties["fields"].Ref; got != "#/components/schemas/Fields_fitting" {
		t.Errorf("creating takes %q", got)
	}
	if !strings.HasPrefix(create.Summary, "Fitting · ") || len(d.Components.Schemas["Changes_fitting"].Required) != 0 {
		t.Errorf("summary %q, changes need %v", create.Summary, d.Components.Schemas["Changes_fitting"].Required)
	}
	if got := read(o.admin, "zh-CN").Components.Schemas["Fields_fitting"].Properties["slot"].Description; got != "时段" {
		t.Errorf("in Chinese the field is %q", got)
	}
	d = read(reader, "en")
	if _, there := d.Components.Schemas["Fields_fitting"]; there || d.Paths["/records/fitting"] != nil {
		t.Error("who may not read an object is told of it")
	}
	if _, there := d.Components.Schemas["Fields_customer"].Properties["note"]; there {
		t.Error("a hidden field is described")
	}
	if _, there := d.Paths["/records/customer"]["post"]; there || d.Paths["/records/customer"]["get"].Summary == "" {
		t.Errorf("a reader is told how to create a customer, or not how to read one: %+v", d.Paths["/records/customer"])
	}
}

// Every route says in both languages what it does; the English words are those of the table.
func TestRoutesHaveWords(t *testing.T) {
	t.Parallel()
	words, err := app.Words()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := app.Backend{Version: "0"}.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID, Summary string
			Tags                 []string
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if strings.HasPrefix(op.Tags[0], "records.") {
				continue // an object's own path says what its pattern says
			}
			key := "route." + op.OperationID
			if !words.Has("zh-CN", key) || words.Text("en", key, nil) != op.Summary {
				t.Errorf("%s %s: locales/*/route.json has no %q, or other English words than %q", strings.ToUpper(method), path, key, op.Summary)
			}
		}
	}
}
