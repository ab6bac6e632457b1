package eventstore

import (
	"cmp"
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Import is a file of events of before that somebody brought in.
type Import = event.Import

// ImportState is how far it is.
type ImportState = event.ImportState

// The states.
const (
	ImportOpen    = event.ImportOpen
	ImportDone    = event.ImportDone
	ImportUndoing = event.ImportUndoing
	ImportUndone  = event.ImportUndone
)

const importColumns = "id, source, file, by_id, at, state, accepted, duplicate, rejected, undone_at, undone_by"

func scanImport(r *sql.Rows) (v Import, err error) {
	var state string
	err = r.Scan(&v.ID, &v.Source, &v.File, &v.By, &v.At, &state, &v.Accepted, &v.Duplicate, &v.Rejected, &v.UndoneAt, &v.UndoneBy)
	v.State = ImportState(state)
	return v, err
}

// BeginImport notes an import.
func (s *Store) BeginImport(ctx context.Context, v Import) error {
	return s.DB.Write(ctx, func(c sqlstore.Conn) error {
		_, err := c.Exec(ctx, "INSERT INTO event_import (id, source, file, by_id, at, state) VALUES (?, ?, ?, ?, ?, ?)", int64(v.ID), int64(v.Source), v.File, int64(v.By), v.At, string(ImportOpen))
		return err
	})
}

func (s *Store) imports(ctx context.Context, where string, args ...any) (out []Import, err error) {
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanImport(r)
			out = append(out, v)
			return err
		}, "SELECT "+importColumns+" FROM event_import "+where, args...)
	})
	return out, err
}

// Imports are the newest imports.
func (s *Store) Imports(ctx context.Context, limit int) ([]Import, error) {
	return s.imports(ctx, "ORDER BY id DESC LIMIT ?", limit)
}

// Undoing are the imports that are to be taken away.
func (s *Store) Undoing(ctx context.Context) ([]Import, error) {
	return s.imports(ctx, "WHERE state = ? ORDER BY id", string(ImportUndoing))
}

// Import is one; NotFound event.import_not_found.
func (s *Store) Import(ctx context.Context, key id.ID) (Import, error) {
	list, err := s.imports(ctx, "WHERE id = ?", int64(key))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "event.import_not_found", nil)
	}
	if err != nil {
		return Import{}, err
	}
	return list[0], nil
}

// MoveImport gives an import another state, where it has one of some; false when it has not. by is who undoes it, at when.
func (s *Store) MoveImport(ctx context.Context, key id.ID, to ImportState, by id.ID, at int64, from ...ImportState) (moved bool, err error) {
	states := make([]string, len(from))
	for i, v := range from {
		states[i] = string(v)
	}
	err = s.DB.Write(ctx, func(c sqlstore.Conn) error {
		d := c.Dialect()
		n, err := c.Exec(ctx, "UPDATE event_import SET state = ?, undone_at = ?, undone_by = ? WHERE id = ? AND "+d.In("state"), string(to), at, int64(by), int64(key), d.TextList(states))
		moved = n > 0
		return err
	})
	return moved, err
}

// CountImport adds to the counts of an import.
func (s *Store) CountImport(ctx context.Context, key id.ID, accepted, duplicate, rejected int64) error {
	return s.DB.Write(ctx, func(c sqlstore.Conn) error {
		_, err := c.Exec(ctx, "UPDATE event_import SET accepted = accepted + ?, duplicate = duplicate + ?, rejected = rejected + ? WHERE id = ?", accepted, duplicate, rejected, int64(key))
		return err
	})
}

// Into accepts events as those of an import: what is stored and what import it belongs to stand there together.
type Into struct {
	*Store
	Import id.ID
}

// Accept stores events as Store.Accept does. A message id that an import brought before is a duplicate.
func (in Into) Accept(ctx context.Context, events []event.Event) ([]State, error) {
	return in.accept(ctx, events, in.Import)
}

// ImportedEvents are the ids of the events that an import brought.
func (s *Store) ImportedEvents(ctx context.Context, key id.ID) (out []id.ID, err error) {
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var v id.ID
			err := r.Scan(&v)
			out = append(out, v)
			return err
		}, "SELECT event_id FROM event_import_item WHERE import_id = ? ORDER BY event_id", int64(key))
	})
	return out, err
}

// EndUndo forgets what an import brought, when its events are gone: the file may be brought in again.
func (s *Store) EndUndo(ctx context.Context, key id.ID) error {
	return s.DB.Write(sqlstore.Bulk(ctx), func(c sqlstore.Conn) error {
		for _, text := range []string{
			"DELETE FROM event_seen WHERE message_id IN (SELECT message_id FROM event_import_item WHERE import_id = ?)",
			"DELETE FROM event_recent WHERE id IN (SELECT event_id FROM event_import_item WHERE import_id = ?)",
			"DELETE FROM event_import_item WHERE import_id = ?",
		} {
			if _, err := c.Exec(ctx, text, int64(key)); err != nil {
				return err
			}
		}
		_, err := c.Exec(ctx, "UPDATE event_import SET state = ? WHERE id = ? AND state = ?", string(ImportUndone), int64(key), string(ImportUndoing))
		return err
	})
}

// ForgetRecent takes events out of the newest ones that are looked at.
func (s *Store) ForgetRecent(ctx context.Context, events []id.ID) error {
	list := make([]int64, len(events))
	for i, v := range events {
		list[i] = int64(v)
	}
	return s.DB.Write(ctx, func(c sqlstore.Conn) error {
		d := c.Dialect()
		_, err := c.Exec(ctx, "DELETE FROM event_recent WHERE "+d.In("id"), d.IDList(list))
		return err
	})
}

func importedBefore(ctx context.Context, c sqlstore.Conn, names []string) (map[string]bool, error) {
	out := map[string]bool{}
	d := c.Dialect()
	err := sqlstore.Each(ctx, c, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		out[name] = true
		return err
	}, "SELECT message_id FROM event_import_item WHERE "+d.In("message_id"), d.TextList(names))
	return out, err
}

// noteImported keeps what an import brought, in the transaction that stores it.
func (in *intake) noteImported(ctx context.Context, c sqlstore.Conn) error {
	if in.imported == 0 || len(in.fresh) == 0 {
		return nil
	}
	var one int64
	if open, err := c.QueryRow(ctx, []any{&one}, "SELECT 1 FROM event_import WHERE id = ? AND state = ?", int64(in.imported), string(ImportOpen)); err != nil || !open {
		return cmp.Or(err, error(fault.New(fault.Conflict, "event.import_closed", nil)))
	}
	return c.InsertMany(ctx, "event_import_item", []string{"message_id", "import_id", "event_id"}, len(in.fresh), func(i int, dst []any) {
		i = in.fresh[i]
		dst[0], dst[1], dst[2] = in.names[i], int64(in.imported), int64(in.ids[i])
	})
}
