// Package schema describes objects and fields: what a workspace stores, told as data.
//
// A standard object is a declaration file embedded in the program (objects/*.json); a custom one is made at run time.
// Both become an Object here and take the same path from then on. An Object also says, without knowing any database,
// which physical columns its fields occupy (Columns): a field type has one to four columns of a plain kind. A Registry
// is an immutable snapshot of all objects of one workspace; a change of metadata makes a new Registry.
package schema

import (
	"encoding/json"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Label is a text in several languages.
type Label = lang.Label

// Type is a field type. Its behaviour (parsing, printing, columns) is in the file of its family; which conditions can
// ask about it is package query's.
type Type string

// The field types.
const (
	Text         Type = "text"
	LongText     Type = "long_text"
	Number       Type = "number" // scaled integer, Field.Scale decimals
	Money        Type = "money"
	Bool         Type = "bool"
	Date         Type = "date"
	DateTime     Type = "datetime"
	Choice       Type = "choice"
	MultiChoice  Type = "multi_choice"
	Tags         Type = "tags"
	Phone        Type = "phone"
	Email        Type = "email"
	URL          Type = "url"
	Region       Type = "region"
	Address      Type = "address"
	Relation     Type = "relation"      // to one record of Field.Target
	RelationMany Type = "relation_many" // derived: the records of Field.Target whose field Field.Via points here
	User         Type = "user"
	AutoNumber   Type = "auto_number"
	Birthday     Type = "birthday"
	Record       Type = "record" // to one record of any object
	JSON         Type = "json"
	Percent      Type = "percent"  // scaled integer of percents: 12.5 % with one decimal is 125
	Duration     Type = "duration" // whole seconds
	Rating       Type = "rating"   // 1 to Field.Max stars
	File         Type = "file"     // up to Field.Max files of the kinds in Field.Kinds
	Image        Type = "image"    // up to Field.Max pictures
)

// Option is one value of a choice.
type Option struct {
	Key   string `json:"key"`
	Label Label  `json:"label"`
	Color string `json:"color,omitempty"` // one of the nine tag hues
	// Archived options stay readable in records and are offered no more.
	Archived bool `json:"archived,omitempty"`
}

// Field is one field of an object. The JSON form is the declaration file's and the stored metadata's.
type Field struct {
	Key           string   `json:"key"`
	Type          Type     `json:"type"`
	Label         Label    `json:"label"`
	Help          Label    `json:"help,omitempty"`
	Section       string   `json:"section,omitempty"`
	Required      bool     `json:"required,omitempty"`
	Unique        bool     `json:"unique,omitempty"`
	Indexed       bool     `json:"indexed,omitempty"`        // keep a database index for filters and sorts
	Personal      bool     `json:"personal,omitempty"`       // encrypted at rest, masked on screen
	ReadOnly      bool     `json:"read_only,omitempty"`      // never written by a person
	OperationOnly bool     `json:"operation_only,omitempty"` // changed by its own operation; generic update refuses it
	Searchable    bool     `json:"searchable,omitempty"`
	Pinyin        bool     `json:"pinyin,omitempty"` // keep a pinyin sort key (names)
	Options       []Option `json:"options,omitempty"`
	Target        string   `json:"target,omitempty"`
	Via           string   `json:"via,omitempty"`
	Scale         int      `json:"scale,omitempty"`
	Pattern       string   `json:"pattern,omitempty"` // auto_number: "SO{yyyymmdd}-{00000}"
	Default       any      `json:"default,omitempty"`
	MaxLength     int      `json:"max_length,omitempty"`
	Width         int      `json:"width,omitempty"`
	Max           int      `json:"max,omitempty"`    // rating: the most stars, 5 when 0; file, image: the most files, 1 when 0
	Kinds         []string `json:"kinds,omitempty"`  // file: the kinds of files it takes (FileKinds), any when empty
	MaxMB         int      `json:"max_mb,omitempty"` // file, image: the largest file in MiB, that of the program when 0

	// Formula makes a field computed: it has no columns, and its value is worked out when it is read (package formula).
	Formula string `json:"formula,omitempty"`

	// Rollup makes a field a stored sum over records that point here; its type is that of the result.
	Rollup *Rollup `json:"rollup,omitempty"`

	// ShownWhen and RequiredWhen are conditions (package query) on the record itself and what its relations point at: where the
	// first does not hold the field is not shown and keeps its value, where the second holds it must have one. nil says nothing.
	ShownWhen    json.RawMessage `json:"shown_when,omitempty"`
	RequiredWhen json.RawMessage `json:"required_when,omitempty"`

	// Becoming is of a field that is being filled with another one's values.
	Becoming *Becoming `json:"becoming,omitempty"`

	// Hidden keeps a declared field out of the interface and the API; what the program writes into it stays.
	Hidden bool `json:"hidden,omitempty"`

	// Physical is the base name of the field's columns, machine-made for custom fields; the key for standard ones.
	Physical string `json:"physical,omitempty"`

	Custom  bool   `json:"-"` // made at run time; set by Merge
	prefix  string // of the ids a relation points at; set by NewRegistry
	columns int    // how many columns the field has; set by NewRegistry
	program any    // of a computed field; set before the registry is used
}

// Program is what SetProgram was given, nil before.
func (f *Field) Program() any { return f.program }

// SetProgram keeps what a formula was compiled into. It is called once, before the registry of the field is used.
func (f *Field) SetProgram(p any) { f.program = p }

// Computed reports a field whose value is worked out from other fields.
func (f *Field) Computed() bool { return f.Formula != "" }

// Object is a kind of record.
type Object struct {
	Key            string        `json:"key"`
	Label          Label         `json:"label"`
	Plural         Label         `json:"plural"`
	Icon           string        `json:"icon"`
	Prefix         string        `json:"prefix"` // of its ids, e.g. "cus"
	TitleField     string        `json:"title_field"`
	SubtitleFields []string      `json:"subtitle_fields,omitempty"`
	Standard       bool          `json:"standard"`
	Hidden         bool          `json:"hidden,omitempty"`   // not in the navigation (order lines)
	Analytic       bool          `json:"analytic,omitempty"` // mirrored to the analytics plane
	Virtual        bool          `json:"virtual,omitempty"`  // has no table here (users live in the instance store); only titles are known
	CustomerField  string        `json:"customer_field,omitempty"`
	TimeField      string        `json:"time_field,omitempty"`  // when the fact happened, for windows ("placed_at"); created_at when empty
	OwnerField     string        `json:"owner_field,omitempty"` // the user whose record it is, for rights; a user field "owner", else who made it, when empty
	NoCreate       bool          `json:"no_create,omitempty"`
	NoUpdate       bool          `json:"no_update,omitempty"`
	NoDelete       bool          `json:"no_delete,omitempty"`
	NoImport       bool          `json:"no_import,omitempty"`
	DefaultColumns []string      `json:"default_columns,omitempty"`
	DefaultSort    []Sort        `json:"default_sort,omitempty"`
	Rules          []*Rule       `json:"rules,omitempty"`
	UniqueRules    []*UniqueRule `json:"unique_rules,omitempty"`
	Layouts        []Layout      `json:"layouts,omitempty"`
	Fields         []*Field      `json:"fields"`

	// Physical is the table name, "r_"+key for standard objects.
	Physical string `json:"physical,omitempty"`

	byKey   map[string]*Field
	columns []Column
	offset  map[string]int // field key → index of its first column
}

// Sort is one sort key: a field, or a trait (customers only).
type Sort struct {
	Field string `json:"field,omitempty"`
	Trait string `json:"trait,omitempty"`
	Desc  bool   `json:"desc,omitempty"`
}

// Kind is the plain kind of a physical column, the same in every database.
type Kind uint8

// The kinds. Go values in a row: int64, string, bool, []byte, or nil for no value.
const (
	Int64 Kind = iota
	String
	Boolean
	Bytes
)

// Column is one physical column of a field.
type Column struct {
	Name  string // physical name
	Kind  Kind
	Field *Field
	Role  Role
}

// Role says what a column of a field holds.
type Role uint8

// The roles. A field's first column has role Main.
const (
	Main       Role = iota // the value; ciphertext when the field is personal
	FoldRole               // text folded for comparing and searching (lang.Fold)
	SortRole               // pinyin sort key (lang.SortKey)
	DayRole                // local day of an instant in the workspace's zone
	Currency               // of money
	Base                   // money in the workspace's base currency, minor units
	BlindRole              // keyed blind index of the normalised value (22 characters)
	ClassRole              // phone: operator; e-mail: domain; region: city tier
	Calendar               // birthday: "solar" or "lunar"
	MonthDay               // birthday: month*100+day, +10000 in a lunar leap month
	RegionRole             // address: region code
	CountRole              // file, image: how many files
)

// Columns are all physical columns of the object's fields in a fixed order; system columns are not among them.
func (o *Object) Columns() []Column { return o.columns }

// Offset is the index in Columns of the first column of a field; -1 for a field without columns.
func (o *Object) Offset(field string) int {
	if i, ok := o.offset[field]; ok {
		return i
	}
	return -1
}

// Field finds a field by key, nil when there is none. The system fields id, created_at, updated_at, created_by and
// updated_by are found too (see System).
func (o *Object) Field(key string) *Field {
	if f, ok := o.byKey[key]; ok {
		return f
	}
	return System(key)
}

// Column finds a field's column of a role; ok is false when the field has none.
func (o *Object) Column(field string, role Role) (Column, bool) {
	i := o.Offset(field)
	if i < 0 {
		return Column{}, false
	}
	for ; i < len(o.columns) && o.columns[i].Field.Key == field; i++ {
		if o.columns[i].Role == role {
			return o.columns[i], true
		}
	}
	return Column{}, false
}

// FieldColumns are the columns that a field of this description occupies.
func FieldColumns(f *Field) []Column {
	if f.Formula != "" {
		return nil
	}
	p := f.Physical
	col := func(suffix string, k Kind, r Role) Column {
		return Column{Name: p + suffix, Kind: k, Field: f, Role: r}
	}
	switch f.Type {
	case Text, LongText, URL:
		cols := []Column{col("", String, Main), col("_fold", String, FoldRole)}
		if f.Pinyin {
			cols = append(cols, col("_sort", String, SortRole))
		}
		if f.Personal {
			return []Column{col("", Bytes, Main), col("_blind", String, BlindRole)}
		}
		return cols
	case Number, Date, Relation, User, Percent, Duration, Rating:
		return []Column{col("", Int64, Main)}
	case Money:
		return []Column{col("", Int64, Main), col("_currency", String, Currency), col("_base", Int64, Base)}
	case Bool:
		return []Column{col("", Boolean, Main)}
	case DateTime:
		return []Column{col("", Int64, Main), col("_day", Int64, DayRole)}
	case Choice, MultiChoice, Tags, AutoNumber, JSON, Record:
		return []Column{col("", String, Main)}
	case Phone, Email:
		if !f.Personal {
			return []Column{col("", String, Main), col("_fold", String, FoldRole)}
		}
		return []Column{col("", Bytes, Main), col("_blind", String, BlindRole), col("_class", String, ClassRole)}
	case Region:
		return []Column{col("", String, Main), col("_tier", String, ClassRole)}
	case Address:
		return []Column{col("", Bytes, Main), col("_region", String, RegionRole)}
	case Birthday:
		return []Column{col("", Int64, Main), col("_cal", String, Calendar), col("_md", Int64, MonthDay)}
	case File, Image:
		return []Column{col("", String, Main), col("_fold", String, FoldRole), col("_count", Int64, CountRole)}
	case RelationMany:
		return nil
	}
	return nil
}

// System gives the description of a system field, nil for any other key.
func System(key string) *Field {
	for _, f := range systemFields {
		if f.Key == key {
			return f
		}
	}
	return nil
}

// Systems are the fields every object has besides its own.
func Systems() []*Field { return slices.Clone(systemFields) }

// systemFields is read only.
var systemFields = []*Field{
	{Key: "id", Type: Text, ReadOnly: true, Physical: "id", Label: Label{"zh-CN": "编号", "en": "ID"}},
	{Key: "created_at", Type: DateTime, ReadOnly: true, Physical: "created_at", Label: Label{"zh-CN": "创建时间", "en": "Created"}},
	{Key: "updated_at", Type: DateTime, ReadOnly: true, Physical: "updated_at", Label: Label{"zh-CN": "更新时间", "en": "Updated"}},
	{Key: "created_by", Type: User, ReadOnly: true, prefix: "usr", Physical: "created_by", Label: Label{"zh-CN": "创建人", "en": "Created by"}},
	{Key: "updated_by", Type: User, ReadOnly: true, prefix: "usr", Physical: "updated_by", Label: Label{"zh-CN": "更新人", "en": "Updated by"}},
}

// SystemColumns are the physical columns every table has, in the order in which they stand before Columns:
// id, version, created_at, created_at_day, created_by, updated_at, updated_at_day, updated_by, deleted_at, batch_id.
// All are 64-bit integers; created_by, updated_by, deleted_at and batch_id are NULL for none.
var SystemColumns = [...]string{"id", "version", "created_at", "created_at_day", "created_by", "updated_at", "updated_at_day", "updated_by", "deleted_at", "batch_id"}

// Registry is an immutable snapshot of the objects of a workspace.
type Registry struct {
	objects []*Object
	byKey   map[string]*Object
	prefix  map[string]*Object
}

// NewRegistry prepares objects for use (physical names, columns, look-ups) and checks that relations point at objects.
// It takes ownership of the objects.
func NewRegistry(objects []*Object) (*Registry, error) {
	r := &Registry{objects: objects, byKey: map[string]*Object{}, prefix: map[string]*Object{}}
	for _, o := range objects {
		o.prepare()
		r.byKey[o.Key], r.prefix[o.Prefix] = o, o
	}
	for _, o := range objects {
		for _, f := range o.Fields {
			f.prefix = r.prefixOf(f)
		}
	}
	return r, check(r)
}

// Aim makes a computed field point at records of an object. It is called before the registry is used.
func (r *Registry) Aim(f *Field, target string) {
	f.Target = target
	f.prefix = r.prefixOf(f)
}

func (r *Registry) prefixOf(f *Field) string {
	target := f.Target
	if f.Type == User {
		target = "user"
	}
	if t := r.byKey[target]; t != nil {
		return t.Prefix
	}
	if f.Type == User {
		return "usr"
	}
	return ""
}

func (o *Object) prepare() {
	if o.Physical == "" {
		o.Physical = "r_" + o.Key
	}
	o.byKey, o.offset, o.columns = map[string]*Field{}, map[string]int{}, nil
	for _, f := range o.Fields {
		if f.Physical == "" {
			f.Physical = f.Key
		}
		o.byKey[f.Key] = f
		cols := FieldColumns(f)
		f.columns = len(cols)
		if len(cols) > 0 {
			o.offset[f.Key] = len(o.columns)
		}
		o.columns = append(o.columns, cols...)
	}
}

// Objects are all objects in declaration order.
func (r *Registry) Objects() []*Object { return r.objects }

// Tables are the objects that have a table, which is all but the virtual ones, in declaration order.
func (r *Registry) Tables() []*Object {
	out := make([]*Object, 0, len(r.objects))
	for _, o := range r.objects {
		if !o.Virtual {
			out = append(out, o)
		}
	}
	return out
}

// Object finds an object by key; nil when there is none.
func (r *Registry) Object(key string) *Object { return r.byKey[key] }

// ByPrefix finds an object by the prefix of its ids; nil when there is none.
func (r *Registry) ByPrefix(p string) *Object { return r.prefix[p] }

// SortColumn is the column by which rows are sorted and keyset pages continue: the pinyin key of a name, else the folded
// text, else the main column; month and day for a birthday, the base currency for money. ok is false for what cannot be sorted: personal values,
// addresses, JSON, lists of keys and derived fields. System fields sort by the column of their own name and are not found here.
func (o *Object) SortColumn(field string) (c Column, ok bool) {
	f := o.byKey[field]
	if f == nil || !Sortable(f) {
		return Column{}, false
	}
	for _, role := range [...]Role{SortRole, FoldRole, MonthDay, Base, Main} {
		if c, ok = o.Column(field, role); ok {
			return c, true
		}
	}
	return Column{}, false
}

// Sortable reports whether lists can be sorted by a field.
func Sortable(f *Field) bool {
	switch f.Type {
	case Address, JSON, MultiChoice, Tags, RelationMany, Record, File, Image:
		return false
	}
	return !f.Personal
}

// Filterable reports whether conditions may name a field. A personal one can only be compared as a whole.
func Filterable(f *Field) bool { return f.Type != JSON && f.Type != RelationMany }

// Referrers are the relation fields of other objects that point at the given object, as (object, field) pairs.
func (r *Registry) Referrers(object string) []Reference {
	var out []Reference
	for _, o := range r.objects {
		for _, f := range o.Fields {
			if f.Type == Relation && f.Target == object {
				out = append(out, Reference{Object: o, Field: f})
			}
		}
	}
	return out
}

// Reference is a relation field and the object it belongs to.
type Reference struct {
	Object *Object
	Field  *Field
}
