package sqlstore

import (
	"context"
	"crypto/md5" //nolint:gosec // shortens a name, protects nothing
	"database/sql"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Placement says where the rows of a table lie when tables are spread over several machines.
type Placement struct {
	Table string
	// Column is what the rows are spread by; "" copies the table to every machine.
	Column string
	// Beside is a table spread before: rows with equal values lie together. "" is a table that lies by itself.
	Beside string
}

// Distributor is what a DB is besides when its tables can be spread over several machines.
type Distributor interface {
	// Distribute places tables in the given order, each in a transaction of its own, with what they hold. One that is placed
	// already stays as it is. Where there is one machine, it does nothing.
	Distribute(ctx context.Context, places []Placement) error
}

// Ensure creates and extends the tables of objects so that every column and index the registry asks for is there: it
// creates tables, adds columns and creates indexes, and never drops or changes any. It runs in one transaction, may be
// called at any time and by several processes at once, and notes each statement in schema_change. It returns the
// statements it ran.
func (s *Store) Ensure(ctx context.Context, reg *schema.Registry) ([]string, error) {
	if err := checkNames(reg); err != nil {
		return nil, err
	}
	var ran []string
	err := s.db.Write(ctx, func(c Conn) error {
		ran = nil
		if err := lockSchema(ctx, c); err != nil {
			return err
		}
		have, err := inspect(ctx, c)
		if err != nil {
			return err
		}
		for _, obj := range reg.Tables() {
			list, err := due(ctx, c, obj, have)
			if err != nil {
				return err
			}
			for _, st := range list {
				if _, err := c.Exec(ctx, st); err != nil {
					return fmt.Errorf("%s: %w", st, err)
				}
				ran = append(ran, st)
			}
		}
		return s.note(ctx, c, ran)
	})
	if d, ok := s.db.(Distributor); ok && err == nil {
		err = d.Distribute(ctx, placements(reg))
	}
	return ran, err
}

// placements keep what belongs to a customer beside the customer, and the unique keys by their value, which only so can be
// promised to be unique. Everything else is copied to every machine.
func placements(reg *schema.Registry) []Placement {
	beside := ""
	out := []Placement{{Table: "unique_key", Column: "value"}}
	if c := reg.Object("customer"); c != nil && !c.Virtual {
		beside = c.Physical
		out = append(out, Placement{Table: beside, Column: "id"})
	}
	for _, obj := range reg.Tables() {
		p := Placement{Table: obj.Physical}
		if i := factColumn(obj); i >= 0 {
			p.Column, p.Beside = obj.Columns()[i].Name, beside
		}
		if p.Table != beside {
			out = append(out, p)
		}
	}
	return out
}

func (s *Store) note(ctx context.Context, c Conn, ran []string) error {
	if len(ran) == 0 {
		return nil
	}
	var last sql.NullInt64
	if _, err := c.QueryRow(ctx, []any{&last}, "SELECT max(number) FROM schema_change"); err != nil {
		return err
	}
	at := s.clock.Now().UnixMilli()
	for i, st := range ran {
		_, err := c.Exec(ctx, "INSERT INTO schema_change(number, at, statement) VALUES (?, ?, ?)", last.Int64+int64(i)+1, at, st)
		if err != nil {
			return err
		}
	}
	return nil
}

// Tune lets the database count its rows anew, so that it picks the right index. It is called after large imports and
// once a day.
func (s *Store) Tune(ctx context.Context) error {
	return s.db.Write(Bulk(ctx), func(c Conn) error {
		for _, q := range c.Dialect().Tune() {
			if _, err := c.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// Difference is one point in which the database is not as the metadata says.
type Difference struct {
	Object  string
	Table   string
	Name    string // column or index; empty when the table itself is missing
	Problem string // "missing table", "missing column", "missing index", "type"
	Detail  string
}

// Check compares the metadata with the real tables and changes nothing. Columns that no field needs any more are not a
// difference: nothing is ever dropped.
func (s *Store) Check(ctx context.Context, reg *schema.Registry) ([]Difference, error) {
	var out []Difference
	err := s.db.Read(ctx, func(c Conn) error {
		have, err := inspect(ctx, c)
		if err != nil {
			return err
		}
		for _, obj := range reg.Tables() {
			out = append(out, have.compare(c.Dialect(), obj)...)
		}
		return nil
	})
	return out, err
}

func (h inventory) compare(d dialect.Dialect, obj *schema.Object) []Difference {
	table := obj.Physical
	cols, ok := h.columns[table]
	if !ok {
		return []Difference{{Object: obj.Key, Table: table, Problem: "missing table"}}
	}
	var out []Difference
	expect := func(name string, k schema.Kind) {
		got, ok := cols[name]
		switch {
		case !ok:
			out = append(out, Difference{Object: obj.Key, Table: table, Name: name, Problem: "missing column"})
		case !sameType(got, d.ColumnType(k)) && name != "id":
			out = append(out, Difference{Object: obj.Key, Table: table, Name: name, Problem: "type", Detail: got})
		}
	}
	for _, name := range schema.SystemColumns {
		expect(name, schema.Int64)
	}
	for _, c := range obj.Columns() {
		expect(c.Name, c.Kind)
	}
	for _, ix := range indexes(d, obj) {
		if !h.indexes[ix.name] {
			out = append(out, Difference{Object: obj.Key, Table: table, Name: ix.name, Problem: "missing index"})
		}
	}
	return out
}

// sameType compares a type as the database tells it with a declared one, whose collation it does not tell.
func sameType(got, declared string) bool {
	word, _, _ := strings.Cut(strings.ToLower(declared), " ")
	return got == word
}

// inventory is what the database has.
type inventory struct {
	columns map[string]map[string]string // table → column → type
	indexes map[string]bool
	on      map[string]string // index → table
}

func inspect(ctx context.Context, c Conn) (inventory, error) {
	h := inventory{columns: map[string]map[string]string{}, indexes: map[string]bool{}, on: map[string]string{}}
	err := Each(ctx, c, func(r *sql.Rows) error {
		var table, column, kind string
		if err := r.Scan(&table, &column, &kind); err != nil {
			return err
		}
		if h.columns[table] == nil {
			h.columns[table] = map[string]string{}
		}
		h.columns[table][column] = kind
		return nil
	}, c.Dialect().Columns())
	if err != nil {
		return h, err
	}
	err = Each(ctx, c, func(r *sql.Rows) error {
		var table, index string
		err := r.Scan(&table, &index)
		h.indexes[index], h.on[index] = true, table
		return err
	}, c.Dialect().Indexes())
	return h, err
}

var physicalShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,61}$`)

// checkNames refuses physical names that were not made by the program.
func checkNames(reg *schema.Registry) error {
	for _, obj := range reg.Tables() {
		names := append([]string{obj.Physical}, schema.SystemColumns[:]...)
		for _, c := range obj.Columns() {
			taken := slices.Contains(names[1:], c.Name)
			names = append(names, c.Name)
			if taken { // "name" with "name_fold" beside it
				return fault.New(fault.Invalid, "store.physical_name", fault.Params{"object": obj.Key, "name": c.Name})
			}
		}
		for _, n := range names {
			if !physicalShape.MatchString(n) {
				return fault.New(fault.Invalid, "store.physical_name", fault.Params{"object": obj.Key, "name": n})
			}
		}
	}
	return nil
}

// statements are those that bring one object's table up to its description.
func statements(d dialect.Dialect, obj *schema.Object, have inventory) []string {
	var out []string
	cols, ok := have.columns[obj.Physical]
	if !ok {
		out = append(out, createTable(d, obj))
	} else {
		for i, c := range obj.Columns() {
			if _, ok := cols[c.Name]; !ok {
				out = append(out, "ALTER TABLE "+dialect.Quote(obj.Physical)+" ADD COLUMN "+column(d, obj, i))
			}
		}
	}
	for _, ix := range indexes(d, obj) {
		if !have.indexes[ix.name] {
			out = append(out, ix.statement(obj.Physical))
		}
		if ix.former != "" && have.indexes[ix.former] {
			out = append(out, "DROP INDEX "+dialect.Quote(ix.former))
		}
	}
	return out
}

// column is the definition of the i-th column of an object's fields.
func column(d dialect.Dialect, obj *schema.Object, i int) string {
	c := obj.Columns()[i]
	def := dialect.Quote(c.Name) + " " + d.ColumnType(c.Kind)
	if d.FactKey() && i == factColumn(obj) {
		def += " NOT NULL DEFAULT 0"
	}
	return def
}

func createTable(d dialect.Dialect, obj *schema.Object) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + dialect.Quote(obj.Physical) + " (")
	fact := -1
	if d.FactKey() {
		fact = factColumn(obj)
	}
	b.WriteString("id " + d.KeyType())
	if fact < 0 {
		b.WriteString(" PRIMARY KEY")
	} else {
		b.WriteString(" NOT NULL")
	}
	for _, name := range schema.SystemColumns[1:] {
		b.WriteString(", " + name + " BIGINT")
		switch name {
		case "created_by", "updated_by", "deleted_at", "batch_id":
		default:
			b.WriteString(" NOT NULL")
		}
	}
	for i := range obj.Columns() {
		b.WriteString(", " + column(d, obj, i))
	}
	if fact >= 0 {
		b.WriteString(", PRIMARY KEY (" + dialect.Quote(obj.Columns()[fact].Name) + ", id)")
	}
	b.WriteString(")")
	return b.String()
}

// index is one index of an object's table.
type index struct {
	name    string
	columns []string
	where   string
	former  string // the name of the one that it takes the place of, "" for none
}

func (ix index) statement(table string) string {
	st := "CREATE INDEX " + dialect.Quote(ix.name) + " ON " + dialect.Quote(table) + " (" + dialect.QuoteAll(ix.columns) + ")"
	if ix.where != "" {
		st += " WHERE " + ix.where
	}
	return st
}

// indexes are those that an object needs: for relations, for fields with the mark "indexed", for its time and its default
// order, all of live records that have a value; for personal values, which are looked for as a whole only, live and deleted; for the recycle
// bin, and the titles in it, among which duplicates are looked for; for taking back an import.
func indexes(d dialect.Dialect, obj *schema.Object) []index {
	fact := -1
	if d.FactKey() {
		fact = factColumn(obj)
	}
	out := []index{
		{indexName(obj.Physical, "bin"), []string{"deleted_at", "id"}, "deleted_at IS NOT NULL", ""},
		{indexName(obj.Physical, "batch"), []string{"batch_id", "id"}, "batch_id IS NOT NULL", ""},
	}
	if fact >= 0 {
		out = append(out, index{indexName(obj.Physical, "id"), []string{"id"}, "", ""})
	}
	if len(obj.DefaultSort) > 0 && slices.Contains(schema.SystemColumns[1:], obj.DefaultSort[0].Field) {
		c := obj.DefaultSort[0].Field
		out = append(out, index{indexName(obj.Physical, c), []string{c, "id"}, "deleted_at IS NULL", ""})
	}
	if c, ok := obj.Column(obj.TitleField, schema.FoldRole); ok {
		out = append(out, index{indexName(obj.Physical, "bin_"+c.Name), []string{c.Name, "id"}, "deleted_at IS NOT NULL", ""})
	}
	for _, f := range obj.Fields {
		if c, ok := obj.Column(f.Key, schema.BlindRole); ok && f.Personal {
			out = append(out, index{indexName(obj.Physical, c.Name), []string{c.Name, "id"}, dialect.Quote(c.Name) + " IS NOT NULL", ""})
			continue
		}
		if f.Type == schema.RelationMany || !wantsIndex(obj, f) {
			continue
		}
		for _, c := range indexedColumns(obj, f) {
			if fact >= 0 && c == obj.Columns()[fact].Name {
				continue // the primary key begins with it
			}
			where := "deleted_at IS NULL"
			if !f.Required { // who has no value is never looked for in an index, and many have none
				where += " AND " + dialect.Quote(c) + " IS NOT NULL"
			}
			by := order(obj, f)
			ix := index{indexName(obj.Physical, c), append(append([]string{c}, by...), "id"), where, ""}
			if f.Type == schema.Region && len(by) > 0 { // it did not hold the order once
				ix.former = ix.name
				ix.name = indexName(obj.Physical, c+"_"+by[0])
			}
			out = append(out, ix)
		}
	}
	return out
}

// order is the column by which lists of an object are sorted unless asked otherwise. It stands in the indexes of fields that
// few values are shared by many records of, so that those of one value are read in that order instead of being sorted; and in those of
// regions, of which one is asked for with all that lie in it, so that a page is found in the index alone.
func order(obj *schema.Object, f *schema.Field) []string {
	switch f.Type {
	case schema.Choice, schema.Relation, schema.User, schema.Bool, schema.Record, schema.Region:
	default:
		return nil
	}
	if len(obj.DefaultSort) == 0 || obj.DefaultSort[0].Field == f.Key {
		return nil
	}
	by := obj.DefaultSort[0].Field
	if slices.Contains(schema.SystemColumns[1:], by) {
		return []string{by}
	}
	if c, ok := obj.SortColumn(by); ok && !obj.Field(by).Personal {
		return []string{c.Name}
	}
	return nil
}

func wantsIndex(obj *schema.Object, f *schema.Field) bool {
	if f.Indexed || f.Unique || f.Type == schema.Relation || f.Key == obj.TimeField {
		return true
	}
	return len(obj.DefaultSort) > 0 && obj.DefaultSort[0].Field == f.Key
}

// indexedColumns are the columns that conditions compare and lists sort by.
func indexedColumns(obj *schema.Object, f *schema.Field) []string {
	var out []string
	add := func(c schema.Column, ok bool) {
		if ok && c.Kind != schema.Bytes && !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	for _, role := range [...]schema.Role{schema.BlindRole, schema.FoldRole, schema.RegionRole} {
		add(obj.Column(f.Key, role))
	}
	if f.Type == schema.Money {
		add(obj.Column(f.Key, schema.Base))
	}
	if !f.Personal {
		add(obj.SortColumn(f.Key))
	}
	if len(out) == 0 {
		add(obj.Column(f.Key, schema.Main))
	}
	return out
}

// indexName keeps within the 63 bytes that PostgreSQL allows.
func indexName(table, column string) string {
	name := "ix_" + table + "_" + column
	if len(name) <= 62 {
		return name
	}
	sum := md5.Sum([]byte(name)) //nolint:gosec // see above
	return name[:50] + "_" + hex.EncodeToString(sum[:4])
}
