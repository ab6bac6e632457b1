package analytics

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Format is the version of what the plane keeps; an embedded file of another format is dropped and filled anew.
const Format = 1

// Store is one workspace's analytics plane. It is safe for concurrent use.
type Store struct {
	db    DB
	clock clock.Clock

	mu      sync.Mutex // of schema changes and passes
	classes []string   // columns of t_class, in order
	classed []string   // classifications whose columns Ensure makes

	computed  []ComputedColumn // of the wide view
	wanted    int              // families of computed traits that Ensure makes
	families  atomic.Int64     // how many of them are there
	customers string           // the table of customers
	redefined atomic.Bool      // the definition of a purchase is another than the traits go by
}

// New works on an open database; Ensure must be called before anything else.
func New(db DB, c clock.Clock) *Store { return &Store{db: db, clock: c} }

// DB is the database underneath, for compiled conditions and reports.
func (s *Store) DB() DB { return s.db }

// Ensure makes the plane fit the registry: its own tables, the relations of analytic objects (new tables and columns, or
// views), the facts and the wide view. It is called at start and after each change of metadata. It never drops data that is
// not derived, and answers the objects whose relation is new and empty where relations must be filled.
func (s *Store) Ensure(ctx context.Context, reg *schema.Registry, settings trait.Settings) error {
	if err := checkObjects(reg); err != nil {
		return err
	}
	facts, err := factViews(settings.Statuses)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.customers = reg.Object("customer").Physical
	if err := s.makeTables(ctx, s.customers); err != nil {
		return fmt.Errorf("prepare analytics plane: %w", err)
	}
	if err := s.makeEach(ctx, s.familyTables(s.wanted)); err != nil {
		return fmt.Errorf("prepare analytics plane: %w", err)
	}
	s.families.Store(int64(s.wanted))
	var classes []string
	err = s.db.Write(ctx, func(tx Tx) error {
		d := s.db.Dialect()
		columns, err := tableColumns(ctx, tx)
		if err != nil {
			return err
		}
		classes = slices.DeleteFunc(slices.Clone(columns[FamilyClass]), func(c string) bool { return c == "customer_id" || c == "computed_at" })
		if err := widen(ctx, tx, d, columns); err != nil {
			return err
		}
		for _, key := range s.classed {
			if len(classes) >= maxClasses {
				break
			}
			if classes, err = addClass(ctx, tx, d, classes, key); err != nil {
				return err
			}
		}
		views := append(facts, traitsView(classes, s.madeComputed()))
		if d.Mirrored() {
			if err := ensureTables(ctx, tx, d, Relations(reg), columns); err != nil {
				return err
			}
			return replaceViews(ctx, tx, d, nil, views)
		}
		return replaceViews(ctx, tx, d, Relations(reg), views)
	})
	if err != nil {
		return fmt.Errorf("prepare analytics plane: %w", err)
	}
	s.classes = classes
	return nil
}

// makeTables makes the tables of the plane's own, and places each where there are several machines. Views follow, which hold
// on to where their tables lie.
func (s *Store) makeTables(ctx context.Context, customers string) error {
	d := s.db.Dialect()
	own := tables()
	if d.Mirrored() {
		own = append(own, mirrorTables()...)
	}
	err := s.db.Write(ctx, func(tx Tx) error {
		for _, t := range own {
			if err := t.make(ctx, tx, d); err != nil {
				return fmt.Errorf("create %s: %w", t.name, err)
			}
		}
		for _, name := range gone() {
			if _, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
				return fmt.Errorf("drop %s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil || d.Spread("", true, "") == "" {
		return err
	}
	err = s.db.Write(ctx, func(tx Tx) error {
		for _, t := range slices.Concat(workTables(), visitTables(), movedTables()) {
			if _, err := tx.Exec(ctx, t.ddl(d)); err != nil {
				return fmt.Errorf("create %s: %w", t.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range slices.Concat(own, workTables(), visitTables(), movedTables()) {
		if t.local && !t.everywhere {
			continue
		}
		err := s.db.Write(ctx, func(tx Tx) error {
			_, err := tx.Exec(ctx, d.Spread(t.name, !t.local, customers))
			return err
		})
		if err != nil {
			return fmt.Errorf("spread %s: %w", t.name, err)
		}
	}
	return nil
}

const listColumns = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()
ORDER BY table_name, ordinal_position`

// tableColumns are the columns of every relation of the plane.
func tableColumns(ctx context.Context, q Querier) (map[string][]string, error) {
	out := map[string][]string{}
	err := each(ctx, q, listColumns, nil, func(r *sql.Rows) error {
		var t, c string
		if err := r.Scan(&t, &c); err != nil {
			return err
		}
		out[t] = append(out[t], c)
		return nil
	})
	return out, err
}

// ensureTables makes the tables of relations and adds columns that metadata gained. A column whose field is gone stays.
func ensureTables(ctx context.Context, tx Tx, d Dialect, relations []Relation, have map[string][]string) error {
	for _, r := range relations {
		cols, ok := have[r.Name]
		if !ok {
			if _, err := tx.Exec(ctx, r.tableDDL(d)); err != nil {
				return fmt.Errorf("create %s: %w", r.Name, err)
			}
			continue
		}
		for _, c := range r.Columns {
			if slices.Contains(cols, c.Name) {
				continue
			}
			if _, err := tx.Exec(ctx, "ALTER TABLE "+Quote(r.Name)+" ADD COLUMN "+Quote(c.Name)+" "+d.ColumnType(c.Kind)); err != nil {
				return fmt.Errorf("add %s.%s: %w", r.Name, c.Name, err)
			}
		}
	}
	return nil
}

// replaceViews makes all views anew when one of them changed. A view can only be replaced when its columns stay, so all go and
// come back in one transaction, the dependent ones first to go.
func replaceViews(ctx context.Context, tx Tx, d Dialect, relations []Relation, views []view) error {
	var statements []string
	statements = append(statements, d.Division())
	for i := len(views) - 1; i >= 0; i-- {
		statements = append(statements, "DROP VIEW IF EXISTS "+Quote(views[i].name))
	}
	for _, r := range relations {
		statements = append(statements, "DROP VIEW IF EXISTS "+Quote(r.Name), r.viewDDL())
	}
	for _, v := range views {
		statements = append(statements, "CREATE VIEW "+Quote(v.name)+" AS "+v.text)
	}
	h := fnv.New64a()
	h.Write([]byte(strings.Join(statements, ";\n")))
	mark := strconv.FormatUint(h.Sum64(), 16)
	had, _, err := getState(ctx, tx, "views")
	if err != nil || had == mark {
		return err
	}
	for _, st := range statements {
		if _, err := tx.Exec(ctx, st); err != nil {
			return fmt.Errorf("%.60s: %w", st, err)
		}
	}
	return setState(ctx, tx, "views", mark)
}

func getState(ctx context.Context, q Querier, key string) (value string, ok bool, err error) {
	ok, err = one(ctx, q, readState, []any{key}, &value)
	return value, ok, err
}

func setState(ctx context.Context, tx Tx, key, value string) error {
	if _, err := tx.Exec(ctx, dropState, key); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, writeState, key, value)
	return err
}

func getJSON(ctx context.Context, q Querier, key string, v any) (bool, error) {
	text, ok, err := getState(ctx, q, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return false, fmt.Errorf("read state %s: %w", key, err)
	}
	return true, nil
}

func setJSON(ctx context.Context, tx Tx, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return errors.Join(errors.New("write state "+key), err)
	}
	return setState(ctx, tx, key, string(b))
}
