package api

import (
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Described is what the document tells besides the routes, and in which language.
type Described struct {
	// Objects get paths and schemas of their own: /records/customer with the fields of a customer. Nil for the bare routes.
	Objects []*schema.Object
	// Actor leaves out what it may not do or see; nil for everything.
	Actor *access.Actor
	// Locale is that of summaries and descriptions; English when empty.
	Locale lang.Locale
}

func (d *Described) may(o *schema.Object, x access.Action) bool {
	return d.Actor == nil || d.Actor.May(o.Key, x)
}

func (d *Described) field(o *schema.Object, f *schema.Field) access.FieldAccess {
	if d.Actor == nil {
		return ""
	}
	return d.Actor.FieldOf(o.Key, f)
}

func (d *Described) text(l lang.Label) string {
	if d.Locale == "" {
		return l.In("en")
	}
	return l.In(d.Locale)
}

// objectPaths are the routes of records that get a path of each object.
var objectPaths = map[string]access.Action{
	"GET /records/{object}": access.Read, "POST /records/{object}": access.Create, "POST /records/{object}/query": access.Read,
	"GET /records/{object}/{id}": access.Read, "PATCH /records/{object}/{id}": access.Update, "DELETE /records/{object}/{id}": access.Delete,
}

// describeObjects adds the paths and schemas of the objects. What has no form of its own is described for {object}.
func (a *API) describeObjects(doc *huma.OpenAPI, reg huma.Registry, d *Described) {
	for _, o := range d.Objects {
		if o.Virtual || !d.may(o, access.Read) {
			continue
		}
		known := reg.Map()
		known["Fields_"+o.Key] = d.fields(o, true)
		known["Changes_"+o.Key] = d.fields(o, false)
		known["Record_"+o.Key] = with(known["Record"], "fields", "Fields_"+o.Key)
		page := with(known["RecordPage"], "", "")
		page.Properties["items"] = &huma.Schema{Type: huma.TypeArray, Items: ref("Record_" + o.Key)}
		known["Page_"+o.Key] = page
		for i := range a.table {
			r := &a.table[i]
			action, ok := objectPaths[r.method+" "+r.path]
			if !ok || !d.may(o, action) || action == access.Create && o.NoCreate || action == access.Update && o.NoUpdate || action == access.Delete && o.NoDelete {
				continue
			}
			op := a.operation(reg, r, nil, d)
			op.Responses["default"] = &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: ref("Problem")}}}
			op.Path = strings.Replace(r.path, "{object}", o.Key, 1)
			op.OperationID += "_" + o.Key
			op.Tags = []string{"records." + o.Key}
			op.Summary = d.text(o.Label) + " · " + op.Summary
			var params []*huma.Param
			for _, p := range op.Parameters {
				if p.Name != "object" {
					params = append(params, p)
				}
			}
			op.Parameters = params
			shape(op, o, r)
			doc.AddOperation(op)
		}
	}
}

// shape gives an operation the schemas of the object.
func shape(op *huma.Operation, o *schema.Object, r *route) {
	body := func(name string, more map[string]*huma.Schema) {
		s := &huma.Schema{Type: huma.TypeObject, Required: []string{"fields"}, Properties: map[string]*huma.Schema{"fields": ref(name)}}
		maps.Copy(s.Properties, more)
		op.RequestBody.Content["application/json"] = &huma.MediaType{Schema: s}
	}
	answer := "Record_" + o.Key
	switch r.method + " " + r.path {
	case "POST /records/{object}":
		body("Fields_"+o.Key, nil)
	case "PATCH /records/{object}/{id}":
		body("Changes_"+o.Key, map[string]*huma.Schema{"version": {Type: huma.TypeInteger, Format: "int64"}})
	case "GET /records/{object}", "POST /records/{object}/query":
		answer = "Page_" + o.Key
	case "DELETE /records/{object}/{id}":
		return
	}
	for status, res := range op.Responses {
		if status != "default" {
			res.Content = map[string]*huma.MediaType{"application/json": {Schema: ref(answer)}}
		}
	}
}

func ref(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }

// with is a schema with another one for a member.
func with(s *huma.Schema, member, name string) *huma.Schema {
	out := &huma.Schema{Type: s.Type, Description: s.Description, Required: s.Required, AdditionalProperties: s.AdditionalProperties, Properties: maps.Clone(s.Properties)}
	if member != "" {
		out.Properties[member] = ref(name)
	}
	return out
}

// fields describes the member "fields" of an object's records: as a whole record, or as changes of one, which need nothing.
func (d *Described) fields(o *schema.Object, whole bool) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Title: d.text(o.Label), Properties: map[string]*huma.Schema{}}
	for _, f := range o.Fields {
		level := d.field(o, f)
		fixed := f.ReadOnly || f.Type == schema.AutoNumber || level == access.FieldRead || level == access.FieldMasked
		if level == access.FieldHidden || f.Hidden || fixed && !whole {
			continue
		}
		p := fieldSchema(f)
		p.Description = d.text(f.Label)
		if help := d.text(f.Help); help != "" {
			p.Description += ". " + help
		}
		p.ReadOnly = fixed
		s.Properties[f.Key] = p
		if f.Required && whole {
			s.Required = append(s.Required, f.Key)
		}
	}
	return s
}
