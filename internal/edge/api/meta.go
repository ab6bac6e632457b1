package api

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Object is a kind of record as the interface needs it.
type Object struct {
	Key            string         `json:"key"`
	Label          schema.Label   `json:"label"`
	Plural         schema.Label   `json:"plural"`
	Icon           string         `json:"icon"`
	Prefix         string         `json:"prefix"`
	TitleField     string         `json:"title_field"`
	SubtitleFields []string       `json:"subtitle_fields"`
	Standard       bool           `json:"standard"`
	Hidden         bool           `json:"hidden"`
	Actions        ObjectActions  `json:"actions"`
	Fields         []Field        `json:"fields"`
	Rules          []schema.Rule  `json:"rules" doc:"validation rules"`
	DefaultColumns []string       `json:"default_columns"`
	DefaultSort    []schema.Sort  `json:"default_sort"`
	Related        []Related      `json:"related"`
	OwnerField     string         `json:"owner_field" doc:"the field that says whose a record is"`
	UniqueRules    []UniqueRule   `json:"unique_rules" doc:"rules that no two records may have the same values in several fields"`
	Layout         *schema.Layout `json:"layout,omitempty" doc:"how page and form are laid out for the caller's role; none leaves it to the program"`
}

// ObjectActions is what the caller may do with records of an object.
type ObjectActions struct {
	Create bool `json:"create"`
	Update bool `json:"update"`
	Delete bool `json:"delete"`
	Import bool `json:"import"`
	Export bool `json:"export"`
	Assign bool `json:"assign"`
	Share  bool `json:"share"`
}

// Field is a field as the interface needs it.
type Field struct {
	Key           string          `json:"key"`
	Type          string          `json:"type"`
	Label         schema.Label    `json:"label"`
	Help          schema.Label    `json:"help,omitempty"`
	Section       string          `json:"section,omitempty"`
	Required      bool            `json:"required"`
	Unique        bool            `json:"unique"`
	Personal      bool            `json:"personal"`
	ReadOnly      bool            `json:"read_only"`
	OperationOnly bool            `json:"operation_only"`
	Filterable    bool            `json:"filterable"`
	Sortable      bool            `json:"sortable"`
	Searchable    bool            `json:"searchable"`
	Indexed       bool            `json:"indexed"`
	Custom        bool            `json:"custom" doc:"made in this workspace"`
	Pattern       string          `json:"pattern,omitempty"`
	Options       []schema.Option `json:"options,omitempty"`
	Target        string          `json:"target,omitempty"`
	Via           string          `json:"via,omitempty"`
	Scale         int             `json:"scale,omitempty"`
	MaxLength     int             `json:"max_length,omitempty"`
	Default       any             `json:"default,omitempty"`
	Operators     []string        `json:"operators"`
	Width         int             `json:"width"`
	Access        string          `json:"access" enum:"read,write,hidden"`
	Masked        bool            `json:"masked,omitempty" doc:"the caller's role sees only that there is a value"`
	Max           int             `json:"max,omitempty" doc:"most stars of a rating, most files of a field that holds files"`
	MaxMB         int             `json:"max_mb,omitempty" doc:"largest file in MiB of a field that holds files"`
	Kinds         []string        `json:"kinds,omitempty" doc:"kinds of files that a field takes, any when absent"`
	Upload        string          `json:"upload,omitempty" doc:"where files for the field are uploaded, below the address of the API"`
	MaxBytes      int64           `json:"max_bytes,omitempty" doc:"largest file that the field takes now"`
	Formula       string          `json:"formula,omitempty" doc:"of a computed field"`
	Rollup        *schema.Rollup  `json:"rollup,omitempty" doc:"of a field that sums up related records"`
	Conversions   []schema.Type   `json:"conversions,omitempty" doc:"types that its values can become"`
	ShownWhen     json.RawMessage `json:"shown_when,omitempty" doc:"a condition: where it does not hold the field is not shown"`
	RequiredWhen  json.RawMessage `json:"required_when,omitempty" doc:"a condition: where it holds the field needs a value"`
	Broken        bool            `json:"broken,omitempty" doc:"the formula does not hold any more; values are blank"`
}

// Related is a list of records of another object that point at a record.
type Related struct {
	Object string       `json:"object"`
	Via    string       `json:"via"`
	Label  schema.Label `json:"label"`
}

// Objects is all metadata.
type Objects struct {
	Items []Object `json:"items"`
}

func (a *API) listObjects(_ context.Context, c *call, _ struct{}) (Objects, error) {
	out := Objects{Items: []Object{}}
	for _, o := range c.ws.Registry().Objects() {
		if !o.Virtual && !c.who.Actor.May(o.Key, access.Read) {
			continue
		}
		out.Items = append(out.Items, c.showObject(o))
	}
	return out, nil
}

type objectIn struct {
	Object string `path:"object"`
}

func (a *API) getObject(_ context.Context, c *call, in objectIn) (Object, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return Object{}, err
	}
	if !o.Virtual && !c.who.Actor.May(o.Key, access.Read) {
		return Object{}, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.RecordRead)})
	}
	return c.showObject(o), nil
}

// object finds an object; NotFound api.object_unknown.
func (c *call) object(key string) (*schema.Object, error) {
	if o := c.ws.Registry().Object(key); o != nil {
		return o, nil
	}
	return nil, fault.New(fault.NotFound, "api.object_unknown", fault.Params{"object": key})
}

func (c *call) showObject(o *schema.Object) Object {
	can := func(x access.Action) bool { return c.who.Actor.May(o.Key, x) }
	out := Object{Key: o.Key, Label: o.Label, Plural: o.Plural, Icon: o.Icon, Prefix: o.Prefix, TitleField: o.TitleField, Standard: o.Standard, Hidden: o.Hidden,
		Actions: ObjectActions{Create: !o.NoCreate && can(access.Create), Update: !o.NoUpdate && can(access.Update),
			Delete: !o.NoDelete && can(access.Delete), Import: !o.NoImport && c.who.Actor.Can(access.ImportRun), Export: can(access.Export),
			Assign: can(access.Assign) && access.Owner(o) != schema.System("created_by"), Share: can(access.Share)},
		OwnerField:     access.Owner(o).Key,
		SubtitleFields: c.visibleKeys(o, o.SubtitleFields), DefaultColumns: c.visibleKeys(o, o.DefaultColumns), DefaultSort: o.DefaultSort, Related: []Related{}, Fields: []Field{}}
	write := can(access.Update) && !o.NoUpdate || can(access.Create) && !o.NoCreate
	for _, f := range o.Fields {
		level := c.who.Actor.FieldOf(o.Key, f)
		if level == access.FieldHidden {
			continue
		}
		v := showField(f, write && level == access.FieldWrite)
		if f.HoldsFiles() && level == access.FieldWrite {
			v.Upload, v.MaxBytes = "/records/"+o.Key+"/fields/"+f.Key+"/files", c.ws.Files.FieldLimit(o.Key, f.Key)
		}
		if !c.who.Actor.MayAsk(o.Key, f) {
			v.Filterable, v.Sortable, v.Searchable, v.Operators = false, false, false, []string{}
		}
		v.Masked = level == access.FieldMasked
		out.Fields = append(out.Fields, v)
	}
	out.Rules = []schema.Rule{}
	for _, r := range o.Rules {
		out.Rules = append(out.Rules, schema.Rule{Key: r.Key, When: r.When, Message: r.Message, Field: r.Field, Off: r.Off})
	}
	out.UniqueRules = []UniqueRule{}
	for _, u := range o.UniqueRules {
		out.UniqueRules = append(out.UniqueRules, UniqueRule{Key: u.Key, Label: u.Label, Fields: c.visibleKeys(o, u.Fields), State: string(u.State)})
	}
	if l := o.Layout(string(c.who.Actor.Role)); l != nil {
		out.Layout = l.Seen(c.sees(o))
	}
	for _, f := range schema.Systems() {
		if f.Key != "updated_by" {
			out.Fields = append(out.Fields, showField(f, false))
		}
	}
	for _, ref := range c.ws.Registry().Referrers(o.Key) {
		if !c.who.Actor.May(ref.Object.Key, access.Read) || c.who.Actor.Field(ref.Object.Key, ref.Field.Key) == access.FieldHidden {
			continue
		}
		out.Related = append(out.Related, Related{Object: ref.Object.Key, Via: ref.Field.Key, Label: ref.Object.Plural})
	}
	if len(out.DefaultColumns) == 0 {
		out.DefaultColumns = []string{o.TitleField}
	}
	if out.DefaultSort == nil || c.maySort(o, out.DefaultSort) != nil {
		out.DefaultSort = []schema.Sort{{Field: "created_at", Desc: true}}
	}
	return out
}

// sees tells of the fields of an object that are there and that the caller sees.
func (c *call) sees(o *schema.Object) func(string) bool {
	return func(key string) bool {
		f := o.Field(key)
		return f != nil && c.who.Actor.FieldOf(o.Key, f) != access.FieldHidden
	}
}

// visibleKeys are the fields among some that the caller sees.
func (c *call) visibleKeys(o *schema.Object, keys []string) []string {
	out := []string{}
	for _, k := range keys {
		if c.who.Actor.Field(o.Key, k) != access.FieldHidden {
			out = append(out, k)
		}
	}
	return out
}

func showField(f *schema.Field, write bool) Field {
	out := Field{Key: f.Key, Type: string(f.Type), Label: f.Label, Help: f.Help, Section: f.Section, Required: f.Required, Unique: f.Unique, Personal: f.Personal,
		ReadOnly: f.ReadOnly, OperationOnly: f.OperationOnly, Filterable: schema.Filterable(f), Sortable: schema.Sortable(f), Searchable: f.Searchable,
		Indexed: f.Indexed, Custom: f.Custom, Pattern: f.Pattern, Options: f.Options, Target: f.Target, Via: f.Via, Scale: f.Scale, MaxLength: f.MaxLength, Default: f.Default, Operators: query.Operators(f), Width: f.Width, Access: "read", Formula: f.Formula, Rollup: f.Rollup,
		ShownWhen: f.ShownWhen, RequiredWhen: f.RequiredWhen, Conversions: schema.Conversions(f),
		Broken: f.Computed() && formula.Of(f) == nil}
	if f.Type == schema.Rating {
		out.Max = f.Stars()
	}
	if f.HoldsFiles() {
		out.Max, out.MaxMB, out.Kinds = f.Files(), f.MaxMB, f.Kinds
	}
	if out.Width == 0 {
		out.Width = width(f.Type)
	}
	switch {
	case f.Hidden:
		out.Access = "hidden"
	case write && !f.ReadOnly && f.Type != schema.RelationMany && f.Type != schema.AutoNumber:
		out.Access = "write"
	}
	if out.Operators == nil {
		out.Operators = []string{}
	}
	return out
}

// width is the default column width in pixels.
func width(t schema.Type) int {
	switch t {
	case schema.Bool:
		return 90
	case schema.Number, schema.Money, schema.Date, schema.Choice, schema.Percent, schema.Duration, schema.Rating:
		return 120
	case schema.LongText, schema.Address:
		return 260
	case schema.Email, schema.URL, schema.Region, schema.Tags, schema.MultiChoice, schema.File:
		return 200
	default:
		return 160
	}
}

// Region is an administrative division with those inside it.
type Region struct {
	Code     string    `json:"code"`
	Name     string    `json:"name"`
	NameEn   string    `json:"name_en"`
	Tier     string    `json:"tier,omitempty"`
	Children []*Region `json:"children,omitempty"`
}

// Regions is the whole tree.
type Regions struct {
	Items []*Region `json:"items"`
}

var regionTree = sync.OnceValue(func() []*Region { return regionsUnder("") })

func regionsUnder(code string) []*Region {
	var out []*Region
	for _, r := range region.Children(code) {
		out = append(out, &Region{Code: r.Code, Name: r.In("zh-CN"), NameEn: r.In("en"), Tier: string(region.Tier(r.Code)), Children: regionsUnder(r.Code)})
	}
	return out
}

func (a *API) regions(_ context.Context, c *call, _ struct{}) (Regions, error) {
	c.w.Header().Set("Cache-Control", "private, max-age=86400")
	return Regions{Items: regionTree()}, nil
}
