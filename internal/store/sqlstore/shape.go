package sqlstore

import (
	"slices"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// shape is what the statements of one object look like; it is made once per Object and never changed.
type shape struct {
	table   string
	columns []string // system columns, then the fields'
	list    string   // the same, quoted, of alias t
	get     string
	getMany string
	replace string
	// customer is the index in Object.Columns of the customer column of a fact whose table keeps it NOT NULL in the key
	// (0 for none), -1 elsewhere.
	customer int
}

// shapes keeps them by object. A change of metadata makes new Objects; the old ones are dropped with the map.
type shapes struct {
	d  dialect.Dialect
	mu sync.RWMutex
	m  map[*schema.Object]*shape
}

const maxShapes = 500

func newShapes(d dialect.Dialect) *shapes {
	return &shapes{d: d, m: map[*schema.Object]*shape{}}
}

func (s *shapes) of(obj *schema.Object) *shape {
	s.mu.RLock()
	sh := s.m[obj]
	s.mu.RUnlock()
	if sh != nil {
		return sh
	}
	sh = newShape(s.d, obj)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.m) >= maxShapes {
		clear(s.m)
	}
	s.m[obj] = sh
	return sh
}

func newShape(d dialect.Dialect, obj *schema.Object) *shape {
	sh := &shape{table: obj.Physical, columns: slices.Clone(schema.SystemColumns[:]), customer: -1}
	for _, c := range obj.Columns() {
		sh.columns = append(sh.columns, c.Name)
	}
	aliased := make([]string, len(sh.columns))
	for i, c := range sh.columns {
		aliased[i] = "t." + dialect.Quote(c)
	}
	sh.list = strings.Join(aliased, ", ")
	table := dialect.Quote(sh.table)
	sh.get = "SELECT " + sh.list + " FROM " + table + " t WHERE t.id = ?"
	sh.getMany = "SELECT " + sh.list + " FROM " + table + " t WHERE " + d.In("t.id")
	var set strings.Builder
	for i, c := range sh.columns[1:] {
		if i > 0 {
			set.WriteString(", ")
		}
		set.WriteString(dialect.Quote(c) + " = ?")
	}
	sh.replace = "UPDATE " + table + " SET " + set.String() + " WHERE id = ? AND version = ?"
	if d.FactKey() {
		sh.customer = factColumn(obj)
	}
	return sh
}

// factColumn is the index in Columns of the customer of a fact: a record that belongs to a customer and happens, such
// as an order. -1 for other objects.
func factColumn(obj *schema.Object) int {
	field := obj.CustomerField
	if field == "" {
		return -1
	}
	f := obj.Field(field)
	if f == nil || f.Type != schema.Relation {
		return -1
	}
	return obj.Offset(field)
}
