package analytics

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// systemColumns are the system columns of a relation; who changed it last, the recycle bin and the import batch stay in
// the records plane.
var systemColumns = [...]string{"id", "version", "created_at", "created_at_day", "created_by", "updated_at", "updated_at_day"}

// Relation is an analytic object as the analytics plane sees it: live rows only, and a personal value's ciphertext is
// replaced by whether there is one (<column>_set); blind index, class and region columns stay.
type Relation struct {
	Name    string // "a_" and the object's key
	Object  *schema.Object
	Columns []RelationColumn
}

// RelationColumn is one column of a relation.
type RelationColumn struct {
	Name   string
	Kind   schema.Kind
	Source string // the column of the record table
	Set    bool   // Source is ciphertext: only its presence is kept
}

// RelationName is the name of an object's relation.
func RelationName(object string) string { return "a_" + object }

// Relations are the relations of all analytic objects, in declaration order.
func Relations(reg *schema.Registry) []Relation {
	var out []Relation
	for _, o := range reg.Objects() {
		if o.Analytic {
			out = append(out, NewRelation(o))
		}
	}
	return out
}

// NewRelation describes one object.
func NewRelation(o *schema.Object) Relation {
	r := Relation{Name: RelationName(o.Key), Object: o}
	for _, c := range systemColumns {
		r.Columns = append(r.Columns, RelationColumn{Name: c, Kind: schema.Int64, Source: c})
	}
	for _, c := range o.Columns() {
		rc := RelationColumn{Name: c.Name, Kind: c.Kind, Source: c.Name}
		if c.Kind == schema.Bytes {
			rc.Name, rc.Kind, rc.Set = c.Name+"_set", schema.Boolean, true
		}
		r.Columns = append(r.Columns, rc)
	}
	return r
}

// Names are the column names in order.
func (r Relation) Names() []string {
	out := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		out[i] = c.Name
	}
	return out
}

// CustomerColumn is the column that says which customer a row belongs to: "id" of a customer, "" when there is none. In
// PostgreSQL a fact without a customer has 0 there, in DuckDB NULL: test with "> 0".
func (r Relation) CustomerColumn() string {
	if r.Object.Key == "customer" {
		return "id"
	}
	if c, ok := r.Object.Column(r.Object.CustomerField, schema.Main); ok && r.Object.CustomerField != "" {
		return c.Name
	}
	return ""
}

// tableDDL creates the relation as a table of its own (DuckDB).
func (r Relation) tableDDL(d Dialect) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + Quote(r.Name) + " (")
	for i, c := range r.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Quote(c.Name) + " " + d.ColumnType(c.Kind))
	}
	b.WriteString(")")
	return b.String()
}

// viewDDL creates the relation as a view over the records (PostgreSQL).
func (r Relation) viewDDL() string {
	var b strings.Builder
	b.WriteString("CREATE VIEW " + Quote(r.Name) + " AS SELECT ")
	for i, c := range r.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if c.Set {
			b.WriteString("(" + Quote(c.Source) + " IS NOT NULL) AS " + Quote(c.Name))
			continue
		}
		b.WriteString(Quote(c.Source))
	}
	b.WriteString(" FROM " + Quote(r.Object.Physical) + " WHERE deleted_at IS NULL")
	return b.String()
}
