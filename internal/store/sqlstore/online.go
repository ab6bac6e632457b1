package sqlstore

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Builder is what a DB is besides when it makes indexes while others write.
type Builder interface {
	// Outside runs a statement that no transaction may hold.
	Outside(ctx context.Context, statement string) error
	// Halves are indexes whose making was cut off: they are kept up and never used.
	Halves(ctx context.Context) ([]string, error)
}

// manyRows is from how many rows making an index is no matter of a moment.
const manyRows = 20_000

type soonKey struct{}

// EnsureSoon is Ensure for while people work: the indexes of a table with many rows are left to IndexOnline, and the keys of the
// objects that lack any are returned.
func (s *Store) EnsureSoon(ctx context.Context, reg *schema.Registry) ([]string, error) {
	late := map[string]bool{}
	_, err := s.Ensure(context.WithValue(ctx, soonKey{}, late), reg)
	return slices.Sorted(maps.Keys(late)), err
}

// due are the statements that bring one object's table up to its description, as far as they are a matter of a moment where the context
// asks for that.
func due(ctx context.Context, c Conn, obj *schema.Object, have inventory) ([]string, error) {
	list := statements(c.Dialect(), obj, have)
	late, soon := ctx.Value(soonKey{}).(map[string]bool)
	isIndex := func(st string) bool { return strings.HasPrefix(st, "CREATE INDEX ") }
	if _, old := have.columns[obj.Physical]; !soon || !old || !slices.ContainsFunc(list, isIndex) {
		return list, nil
	}
	var one int64
	found, err := c.QueryRow(ctx, []any{&one}, "SELECT 1 FROM "+dialect.Quote(obj.Physical)+" LIMIT 1 OFFSET ?", int64(manyRows))
	if err != nil || !found {
		return list, err
	}
	late[obj.Key] = true
	return slices.DeleteFunc(list, isIndex), nil
}

// IndexOnline makes the indexes of an object that are missing, each by itself, and removes those that none of its fields asks for
// any more. On PostgreSQL others go on writing meanwhile; SQLite has one writer, and readers are not kept waiting.
func (s *Store) IndexOnline(ctx context.Context, obj *schema.Object) error {
	var have inventory
	err := s.db.Read(ctx, func(c Conn) (err error) {
		have, err = inspect(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	builder, online := s.db.(Builder)
	if online {
		halves, err := builder.Halves(ctx)
		if err != nil {
			return err
		}
		for _, name := range halves {
			if have.on[name] != obj.Physical {
				continue
			}
			if err := builder.Outside(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+dialect.Quote(name)); err != nil {
				return err
			}
			delete(have.indexes, name)
			delete(have.on, name)
		}
	}
	wanted := map[string]bool{}
	for _, ix := range indexes(s.db.Dialect(), obj) {
		wanted[ix.name] = true
		if have.indexes[ix.name] {
			continue
		}
		if err := s.alter(ctx, builder, ix.statement(obj.Physical), "CREATE INDEX ", "CREATE INDEX CONCURRENTLY IF NOT EXISTS "); err != nil {
			return err
		}
	}
	for name, table := range have.on {
		if table != obj.Physical || wanted[name] || !strings.HasPrefix(name, "ix_") {
			continue
		}
		if err := s.alter(ctx, builder, "DROP INDEX "+dialect.Quote(name), "DROP INDEX ", "DROP INDEX CONCURRENTLY IF EXISTS "); err != nil {
			return err
		}
	}
	return s.Tune(ctx)
}

// alter runs a statement on an index: where the database can, while others write.
func (s *Store) alter(ctx context.Context, b Builder, statement, plain, online string) error {
	if b != nil {
		statement = online + strings.TrimPrefix(statement, plain)
		if err := b.Outside(ctx, statement); err != nil {
			return err
		}
		return s.db.Write(ctx, func(c Conn) error {
			if err := lockSchema(ctx, c); err != nil {
				return err
			}
			return s.note(ctx, c, []string{statement})
		})
	}
	return s.db.Write(Bulk(ctx), func(c Conn) error {
		if err := lockSchema(ctx, c); err != nil {
			return err
		}
		return s.runAll(ctx, c, []string{statement})
	})
}
