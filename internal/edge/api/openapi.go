package api

import (
	"context"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// conditionSchema stands for a condition tree in the document.
type conditionSchema struct{}

// Schema implements huma.SchemaProvider.
func (conditionSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "A condition tree, see docs/conditions.md."}
}

// ruleSchema stands for what an automation does in the document.
type ruleSchema struct{}

// Schema implements huma.SchemaProvider.
func (ruleSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "What a rule does, see docs/automations.md."}
}

// anySchema stands for whatever JSON object somebody sends.
type anySchema struct{}

// Schema implements huma.SchemaProvider.
func (anySchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// labelSchema stands for a text in several languages.
type labelSchema struct{}

// Schema implements huma.SchemaProvider.
func (labelSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString}, Description: "Text by language: zh-CN, en."}
}

// schemaName is the name of a type; that of its package stands before it where two packages have one of the name.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if pkg := path.Base(t.PkgPath()); pkg == "automation" {
		return "Automation" + name
	}
	return name
}

// newRegistry collects schemas; it knows the types that look different outside.
func newRegistry() huma.Registry {
	reg := huma.NewMapRegistry("#/components/schemas/", schemaName)
	reg.RegisterTypeAlias(reflect.TypeFor[query.Node](), reflect.TypeFor[conditionSchema]())
	reg.RegisterTypeAlias(reflect.TypeFor[Condition](), reflect.TypeFor[conditionSchema]())
	reg.RegisterTypeAlias(reflect.TypeFor[AutomationDefinition](), reflect.TypeFor[ruleSchema]())
	reg.RegisterTypeAlias(reflect.TypeFor[JourneyDefinition](), reflect.TypeFor[ruleSchema]())
	reg.RegisterTypeAlias(reflect.TypeFor[Ceremony](), reflect.TypeFor[map[string]any]())
	reg.RegisterTypeAlias(reflect.TypeFor[hookBody](), reflect.TypeFor[anySchema]())
	reg.RegisterTypeAlias(reflect.TypeFor[lang.Label](), reflect.TypeFor[labelSchema]())
	return reg
}

var pathParam = regexp.MustCompile(`\{([a-z]+)\}`)

// OpenAPI makes the document of the whole table.
func (a *API) OpenAPI(d Described) *huma.OpenAPI {
	reg := newRegistry()
	doc := &huma.OpenAPI{OpenAPI: "3.1.0", Info: &huma.Info{Title: "Guanxi", Version: a.Version,
		Description: "Customer management. Errors are problem+json; lists have cursors; ETag and If-Match guard versions; Idempotency-Key makes a POST safe to repeat."},
		Servers: []*huma.Server{{URL: Prefix}}, Components: &huma.Components{Schemas: reg, SecuritySchemes: map[string]*huma.SecurityScheme{
			"key":     {Type: "http", Scheme: "bearer", Description: "API key gxk_…"},
			"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "with X-CSRF-Token on writes"}}},
		Paths: map[string]*huma.PathItem{}}
	problem := &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: reg.Schema(reflect.TypeFor[Problem](), true, "Problem")}}}
	for i := range a.table {
		r := &a.table[i]
		doc.AddOperation(a.operation(reg, r, problem, &d))
	}
	a.describeObjects(doc, reg, &d)
	return doc
}

func (a *API) operation(reg huma.Registry, r *route, problem *huma.Response, d *Described) *huma.Operation {
	id := operationID(r)
	op := &huma.Operation{OperationID: id, Method: r.method, Path: r.path, Summary: a.summary(r, d.Locale), Tags: []string{tag(r.path)},
		Responses: map[string]*huma.Response{"default": problem}}
	if r.right != "" {
		op.Description = "Needs the right " + string(r.right) + "."
		if d.Locale != "" && a.Words != nil {
			op.Description = a.Words.Text(d.Locale, "api.route_needs", map[string]any{"right": string(r.right)})
		}
	}
	if r.need != open {
		op.Security = []map[string][]string{{"key": {}}, {"session": {}}}
		if r.need == person {
			op.Security = op.Security[1:]
		}
	}
	if r.run.in != nil {
		for i := range r.run.in.NumField() {
			a.parameter(reg, op, r.run.in.Field(i), id)
		}
	}
	ok := &huma.Response{Description: http.StatusText(r.success(nil))}
	status := r.success(nil)
	switch r.run.out {
	case reflect.TypeFor[empty]():
		status = r.success(empty{})
		ok.Description = http.StatusText(status)
	case reflect.TypeFor[written]():
		kind := "application/octet-stream"
		if r.path == "/events" {
			kind = "text/event-stream"
		}
		if strings.HasSuffix(r.path, "/errors") {
			kind = "text/csv"
		}
		ok.Content = map[string]*huma.MediaType{kind: {}}
	default:
		ok.Content = map[string]*huma.MediaType{"application/json": {Schema: reg.Schema(r.run.out, true, id+"Answer")}}
	}
	op.Responses[strconv.Itoa(status)] = ok
	return op
}

func (a *API) parameter(reg huma.Registry, op *huma.Operation, f reflect.StructField, id string) {
	if f.Name == "Body" {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: reg.Schema(f.Type, true, id+"Body")}}}
		return
	}
	for _, from := range []string{"path", "query", "header"} {
		if name, ok := f.Tag.Lookup(from); ok {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: from, Required: from == "path", Schema: reg.Schema(f.Type, false, name)})
		}
	}
	if kind, ok := f.Tag.Lookup("multipart"); ok {
		form := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": {Type: huma.TypeString, Format: "binary"}}, Required: []string{"file"}}
		if kind != "" {
			form.Properties[kind], form.Required = &huma.Schema{Type: huma.TypeString}, []string{kind, "file"}
		}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: form}}}
	}
}

// operationID is the method and the path in camel case: getRecordsObjectId.
func operationID(r *route) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(r.method))
	for part := range strings.SplitSeq(pathParam.ReplaceAllString(r.path, "$1"), "/") {
		if part = strings.ReplaceAll(part, ".", "_"); part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

func tag(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

func fieldSchema(f *schema.Field) *huma.Schema {
	text := func(format string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: format} }
	switch f.Type {
	case schema.Number, schema.Percent, schema.Duration, schema.Rating:
		return &huma.Schema{Type: huma.TypeNumber}
	case schema.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case schema.Date:
		return text("date")
	case schema.DateTime:
		return text("date-time")
	case schema.Email:
		return text("email")
	case schema.URL:
		return text("uri")
	case schema.MultiChoice, schema.Tags:
		return &huma.Schema{Type: huma.TypeArray, Items: text("")}
	case schema.File, schema.Image:
		return &huma.Schema{Type: huma.TypeArray, Items: fileSchema(), Description: "files in their order; written as ids, of POST /records/{object}/fields/{field}/files or of the value as it was"}
	case schema.Choice:
		s := text("")
		for _, o := range f.Options {
			s.Enum = append(s.Enum, o.Key)
		}
		return s
	case schema.Money:
		return &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"amount": text("decimal"), "currency": text("")}, Required: []string{"amount", "currency"}}
	case schema.Relation, schema.User, schema.Region, schema.JSON, schema.Record:
		return &huma.Schema{}
	case schema.Address, schema.Birthday:
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	default:
		return text("")
	}
}

// fileSchema is one file of a value.
func fileSchema() *huma.Schema {
	out := &huma.Schema{Type: huma.TypeObject, Required: []string{"id"}, Properties: map[string]*huma.Schema{}}
	for name, kind := range map[string]string{"id": huma.TypeString, "name": huma.TypeString, "type": huma.TypeString, "size": huma.TypeInteger, "url": huma.TypeString,
		"thumbnail": huma.TypeString, "width": huma.TypeInteger, "height": huma.TypeInteger} {
		out.Properties[name] = &huma.Schema{Type: kind}
	}
	return out
}

// summary says what a route does.
func (a *API) summary(r *route, loc lang.Locale) string {
	key := "route." + operationID(r)
	if loc != "" && a.Words != nil {
		if text := a.Words.Text(loc, key, nil); text != key {
			return text
		}
	}
	return r.doc
}

// openapi serves the document: with the objects of the workspace, as the caller sees them, for who belongs to it; the bare one
// for others.
func (a *API) openapi(ctx context.Context, c *call, _ struct{}) (*huma.OpenAPI, error) {
	if c.token == "" && c.r.Header.Get("Authorization") == "" && ctx.Value(localKey{}) == nil {
		return a.OpenAPI(Described{Locale: localeOf(c.locale)}), nil
	}
	if err := a.identify(ctx, c, &route{need: signedIn}); err != nil {
		return a.OpenAPI(Described{Locale: localeOf(c.locale)}), nil //nolint:nilerr // a stranger reads the bare document
	}
	if c.who.Stage != auth.Full && !c.local {
		return a.OpenAPI(Described{Locale: localeOf(c.locale)}), nil
	}
	var err error
	if c.who, err = a.withRights(ctx, c.who); err != nil {
		return nil, err
	}
	ws, err := a.Workspaces.Open(ctx, c.who.Workspace.Key)
	if err != nil {
		return nil, err
	}
	return a.OpenAPI(Described{Objects: ws.Registry().Objects(), Actor: &c.who.Actor, Locale: localeOf(c.locale)}), nil
}
