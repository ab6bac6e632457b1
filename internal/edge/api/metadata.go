package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
)

// schemaRoutes shape a workspace.
func (a *API) schemaRoutes() []route {
	return append(append(a.shapeRoutes(), a.convertRoutes()...), []route{
		{method: get, path: "/objects/archived", need: right, right: access.SchemaManage, run: op(a.archived), doc: "Archived objects and fields"},
		{method: post, path: "/objects", need: right, right: access.SchemaManage, run: op(a.createObject), doc: "Make an object", status: http.StatusCreated},
		{method: patch, path: "/objects/{object}", need: right, right: access.SchemaManage, run: op(a.patchObject), doc: "Change an object"},
		{method: del, path: "/objects/{object}", need: right, right: access.SchemaManage, run: op(a.archiveObject), doc: "Archive an object; its records stay"},
		{method: post, path: "/objects/{object}/restore", need: right, right: access.SchemaManage, run: op(a.restoreObject), doc: "Restore an object with its records"},
		{method: post, path: "/objects/{object}/fields", need: right, right: access.SchemaManage, run: op(a.createField), doc: "Add a field", status: http.StatusCreated},
		{method: patch, path: "/objects/{object}/fields/{field}", need: right, right: access.SchemaManage, run: op(a.patchField), doc: "Change a field"},
		{method: del, path: "/objects/{object}/fields/{field}", need: right, right: access.SchemaManage, run: op(a.archiveField), doc: "Archive a field; its values stay"},
		{method: post, path: "/objects/{object}/fields/{field}/restore", need: right, right: access.SchemaManage, run: op(a.restoreField), doc: "Restore a field with its values"},
		{method: get, path: "/rates", need: right, right: access.RecordRead, run: op(a.rates), doc: "Exchange rates"},
		{method: patch, path: "/rates", need: right, right: access.SchemaManage, run: op(a.setRates), doc: "Replace all exchange rates; stored amounts are worked out anew"},
	}...)
}

// Archived is what can be restored.
type Archived struct {
	Objects []ArchivedObject `json:"objects"`
	Fields  []ArchivedField  `json:"fields"`
}

// ArchivedObject is an object out of use.
type ArchivedObject struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	Icon  string       `json:"icon"`
}

// ArchivedField is a field out of use.
type ArchivedField struct {
	Object string       `json:"object"`
	Key    string       `json:"key"`
	Label  schema.Label `json:"label"`
	Type   string       `json:"type"`
}

func (a *API) archived(ctx context.Context, c *call, _ struct{}) (Archived, error) {
	got, err := c.ws.Metadata.Archive(ctx)
	if err != nil {
		return Archived{}, err
	}
	out := Archived{Objects: []ArchivedObject{}, Fields: []ArchivedField{}}
	for _, o := range got.Objects {
		out.Objects = append(out.Objects, ArchivedObject{o.Key, o.Spec.Label, o.Spec.Icon})
	}
	for _, f := range got.Fields {
		out.Fields = append(out.Fields, ArchivedField{f.Object, f.Key, f.Spec.Label, string(f.Spec.Type)})
	}
	return out, nil
}

type createObjectIn struct {
	Body struct {
		Key         string       `json:"key,omitempty" doc:"made of the label when empty"`
		Label       schema.Label `json:"label"`
		Plural      schema.Label `json:"plural,omitempty"`
		Icon        string       `json:"icon,omitempty"`
		Title       schema.Label `json:"title,omitempty" doc:"label of the title field"`
		TitleNumber string       `json:"title_number,omitempty" doc:"pattern of an automatic number as title"`
		OfCustomer  bool         `json:"of_customer,omitempty" doc:"records belong to a customer"`
	}
}

func (a *API) createObject(ctx context.Context, c *call, in createObjectIn) (Object, error) {
	b := in.Body
	key, err := c.ws.Metadata.CreateObject(ctx, metadata.NewObject{Key: b.Key, Label: b.Label, Plural: b.Plural, Icon: b.Icon, Title: b.Title,
		TitleNumber: b.TitleNumber, OfCustomer: b.OfCustomer})
	return c.objectNow(key, err)
}

// objectNow shows an object as it is after a change.
func (c *call) objectNow(key string, err error) (Object, error) {
	if err != nil {
		return Object{}, err
	}
	o, err := c.object(key)
	if err != nil {
		return Object{}, err
	}
	return c.showObject(o), nil
}

type patchObjectIn struct {
	Object string `path:"object"`
	Body   struct {
		Label          schema.Label  `json:"label,omitempty"`
		Plural         schema.Label  `json:"plural,omitempty"`
		Icon           *string       `json:"icon,omitempty"`
		TitleField     *string       `json:"title_field,omitempty"`
		SubtitleFields []string      `json:"subtitle_fields,omitempty"`
		DefaultColumns []string      `json:"default_columns,omitempty"`
		DefaultSort    []schema.Sort `json:"default_sort,omitempty"`
		Rules          []schema.Rule `json:"rules,omitempty" doc:"all validation rules; an empty list takes them away"`
		UniqueRules    []UniqueRule  `json:"unique_rules,omitempty" doc:"all unique rules, likewise"`
	}
}

func (a *API) patchObject(ctx context.Context, c *call, in patchObjectIn) (Object, error) {
	b := in.Body
	return c.objectNow(in.Object, c.ws.Metadata.UpdateObject(ctx, in.Object, metadata.ObjectChange{Label: b.Label, Plural: b.Plural, Icon: b.Icon,
		TitleField: b.TitleField, SubtitleFields: b.SubtitleFields, DefaultColumns: b.DefaultColumns, DefaultSort: b.DefaultSort, Rules: b.Rules, UniqueRules: uniqueRules(b.UniqueRules)}))
}

func (a *API) archiveObject(ctx context.Context, c *call, in objectIn) (empty, error) {
	return empty{}, c.ws.Metadata.ArchiveObject(ctx, in.Object)
}

func (a *API) restoreObject(ctx context.Context, c *call, in objectIn) (Object, error) {
	return c.objectNow(in.Object, c.ws.Metadata.RestoreObject(ctx, in.Object))
}

type createFieldIn struct {
	Object string `path:"object"`
	Body   struct {
		Key        string          `json:"key,omitempty" doc:"made of the label when empty"`
		Type       string          `json:"type,omitempty"`
		Label      schema.Label    `json:"label"`
		Help       schema.Label    `json:"help,omitempty"`
		Section    string          `json:"section,omitempty"`
		Required   bool            `json:"required,omitempty"`
		Unique     bool            `json:"unique,omitempty"`
		Indexed    bool            `json:"indexed,omitempty"`
		Personal   bool            `json:"personal,omitempty"`
		Searchable bool            `json:"searchable,omitempty"`
		Options    []schema.Option `json:"options,omitempty"`
		Target     string          `json:"target,omitempty"`
		Via        string          `json:"via,omitempty"`
		Scale      int             `json:"scale,omitempty"`
		Pattern    string          `json:"pattern,omitempty"`
		Default    any             `json:"default,omitempty"`
		MaxLength  int             `json:"max_length,omitempty"`
		Width      int             `json:"width,omitempty"`
		Max        int             `json:"max,omitempty" doc:"most stars of a rating, most files of a field that holds files"`
		MaxMB      int             `json:"max_mb,omitempty" doc:"largest file in MiB of a field that holds files"`
		Kinds      []string        `json:"kinds,omitempty" doc:"kinds of files that a field takes, any when absent"`
		Rollup     *schema.Rollup  `json:"rollup,omitempty" doc:"makes a field that sums up related records; its type follows"`
		Formula    string          `json:"formula,omitempty" doc:"makes a computed field; type and scale follow from it when left out"`

		ShownWhen    json.RawMessage `json:"shown_when,omitempty"`
		RequiredWhen json.RawMessage `json:"required_when,omitempty"`
	}
}

func (a *API) createField(ctx context.Context, c *call, in createFieldIn) (Field, error) {
	b := in.Body
	key, err := c.ws.Metadata.CreateField(ctx, in.Object, schema.Field{Key: b.Key, Type: schema.Type(b.Type), Label: b.Label, Help: b.Help, Section: b.Section,
		Required: b.Required, Unique: b.Unique, Indexed: b.Indexed, Personal: b.Personal, Searchable: b.Searchable, Options: b.Options, Target: b.Target, Via: b.Via,
		Scale: b.Scale, Pattern: b.Pattern, Default: b.Default, MaxLength: b.MaxLength, Width: b.Width, Max: b.Max, MaxMB: b.MaxMB, Kinds: b.Kinds, Formula: b.Formula, Rollup: b.Rollup,
		ShownWhen: b.ShownWhen, RequiredWhen: b.RequiredWhen})
	return c.fieldNow(in.Object, key, err)
}

// fieldNow shows a field as it is after a change.
func (c *call) fieldNow(object, key string, err error) (Field, error) {
	o, err := c.objectNow(object, err)
	if err != nil {
		return Field{}, err
	}
	for _, f := range o.Fields {
		if f.Key == key {
			return f, nil
		}
	}
	return Field{Key: key}, nil
}

type fieldIn struct {
	Object string `path:"object"`
	Field  string `path:"field"`
}

type patchFieldIn struct {
	Object string `path:"object"`
	Field  string `path:"field"`
	Body   struct {
		Label      schema.Label    `json:"label,omitempty"`
		Help       schema.Label    `json:"help,omitempty"`
		Section    *string         `json:"section,omitempty"`
		Required   *bool           `json:"required,omitempty"`
		Indexed    *bool           `json:"indexed,omitempty"`
		Searchable *bool           `json:"searchable,omitempty"`
		Hidden     *bool           `json:"hidden,omitempty"`
		Options    []schema.Option `json:"options,omitempty"`
		Default    any             `json:"default,omitempty"`
		NoDefault  bool            `json:"no_default,omitempty"`
		MaxLength  *int            `json:"max_length,omitempty"`
		Width      *int            `json:"width,omitempty"`
		Pattern    *string         `json:"pattern,omitempty"`
		Position   *int            `json:"position,omitempty"`
		Max        *int            `json:"max,omitempty" doc:"most files of a field that holds files"`
		MaxMB      *int            `json:"max_mb,omitempty" doc:"largest file in MiB of a field that holds files, 0 for that of the program"`
		Kinds      *[]string       `json:"kinds,omitempty" doc:"kinds of files that a field takes, any when empty"`
		Formula    *string         `json:"formula,omitempty" doc:"of a computed field"`
		Type       string          `json:"type,omitempty" doc:"of a computed field: number, percent or duration"`
		Scale      *int            `json:"scale,omitempty" doc:"of a computed field"`
		Rollup     *schema.Rollup  `json:"rollup,omitempty" doc:"of a rollup: another order or condition; the result must be of the same type"`

		ShownWhen    json.RawMessage `json:"shown_when,omitempty" doc:"null takes the condition away"`
		RequiredWhen json.RawMessage `json:"required_when,omitempty" doc:"null takes the condition away"`
	}
}

func (a *API) patchField(ctx context.Context, c *call, in patchFieldIn) (Field, error) {
	b := in.Body
	return c.fieldNow(in.Object, in.Field, c.ws.Metadata.UpdateField(ctx, in.Object, in.Field, metadata.FieldChange{Label: b.Label, Help: b.Help, Section: b.Section,
		Required: b.Required, Indexed: b.Indexed, Searchable: b.Searchable, Hidden: b.Hidden, Options: b.Options, Default: b.Default, NoDefault: b.NoDefault,
		MaxLength: b.MaxLength, Width: b.Width, Pattern: b.Pattern, Position: b.Position, Max: b.Max, MaxMB: b.MaxMB, Kinds: b.Kinds,
		Formula: b.Formula, Type: schema.Type(b.Type), Scale: b.Scale, Rollup: b.Rollup, ShownWhen: b.ShownWhen, RequiredWhen: b.RequiredWhen}))
}

func (a *API) archiveField(ctx context.Context, c *call, in fieldIn) (empty, error) {
	return empty{}, c.ws.Metadata.ArchiveField(ctx, in.Object, in.Field)
}

func (a *API) restoreField(ctx context.Context, c *call, in fieldIn) (Field, error) {
	return c.fieldNow(in.Object, in.Field, c.ws.Metadata.RestoreField(ctx, in.Object, in.Field))
}
