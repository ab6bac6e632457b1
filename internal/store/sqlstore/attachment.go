package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Attachments implements attachment.Store.
type Attachments struct{ *Store }

var _ attachment.Store = Attachments{}

const (
	fileColumns = "id, object, record_id, name, media, size, blob, subject, sealed, by_id, by_kind, at, deleted_at, deleted_by"
	fileInsert  = "INSERT INTO attachment (" + fileColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)"
	fileGet     = "SELECT " + fileColumns + " FROM attachment WHERE id = ?"
	fileRename  = "UPDATE attachment SET name = ? WHERE id = ?"
	fileBin     = "UPDATE attachment SET deleted_at = ?, deleted_by = ? WHERE id = ?"
	fileEach    = "SELECT " + fileColumns + " FROM attachment WHERE id > ? ORDER BY id LIMIT ?"
	fileOld     = "SELECT id, blob FROM attachment WHERE deleted_at > 0 AND deleted_at < ? ORDER BY deleted_at LIMIT ?"
)

func scanFile(rows *sql.Rows) (f attachment.File, err error) {
	var key, rec, subject, by, at, deleted, deletedBy int64
	var kind string
	err = rows.Scan(&key, &f.Object, &rec, &f.Name, &f.Media, &f.Size, &f.Blob, &subject, &f.Sealed, &by, &kind, &at, &deleted, &deletedBy)
	f.ID, f.Record, f.Subject, f.By, f.DeletedBy = id.ID(key), id.ID(rec), id.ID(subject), id.ID(by), id.ID(deletedBy)
	f.ByKind, f.At, f.DeletedAt = access.ActorKind(kind), instant(at), instant(deleted)
	return f, err
}

// AddFile implements attachment.Store.
func (s Attachments) AddFile(ctx context.Context, f *attachment.File, obj *schema.Object, row change.Row) error {
	return s.with(ctx, obj, row, func(c Conn) error {
		_, err := c.Exec(ctx, fileInsert, int64(f.ID), f.Object, int64(f.Record), f.Name, f.Media, f.Size, f.Blob, int64(f.Subject), f.Sealed, int64(f.By), string(f.ByKind), milli(f.At))
		return err
	})
}

// with writes a file and appends the change of its record at the version that this has.
func (s Attachments) with(ctx context.Context, obj *schema.Object, row change.Row, write func(Conn) error) error {
	_, err := s.UpdateWith(ctx, func(t record.Tx, c Conn) error {
		if err := write(c); err != nil || obj == nil {
			return err
		}
		if l, ok := t.(record.Locker); ok {
			if err := l.Lock(ctx, obj, []id.ID{row.Record}); err != nil {
				return err
			}
		}
		rows, err := t.Get(ctx, obj, []id.ID{row.Record}, true)
		if err != nil || len(rows) == 0 {
			return err
		}
		at := row
		at.Version = rows[0].Version
		return t.Append(ctx, []change.Row{at})
	})
	return err
}

// File implements attachment.Store.
func (s Attachments) File(ctx context.Context, key id.ID) (attachment.File, error) {
	list, err := read(ctx, s.Store, scanFile, fileGet, int64(key))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "attachment.not_found", nil)
	}
	if err != nil {
		return attachment.File{}, err
	}
	return list[0], nil
}

// Files implements attachment.Store.
func (s Attachments) Files(ctx context.Context, records []id.ID, until time.Time, limit int, deleted bool) ([]attachment.File, error) {
	d := s.db.Dialect()
	q := "SELECT " + fileColumns + " FROM attachment WHERE " + d.In("record_id") + " AND at <= ?"
	if !deleted {
		q += " AND deleted_at = 0"
	}
	return read(ctx, s.Store, scanFile, q+" ORDER BY at DESC, id DESC LIMIT ?", d.IDList(longs(records)), milli(until), limit)
}

// RenameFile implements attachment.Store.
func (s Attachments) RenameFile(ctx context.Context, key id.ID, name string) error {
	return s.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, fileRename, name, int64(key))
		return err
	})
}

// BinFile implements attachment.Store.
func (s Attachments) BinFile(ctx context.Context, f *attachment.File, obj *schema.Object, row change.Row) error {
	return s.with(ctx, obj, row, func(c Conn) error {
		var moment int64
		if !f.DeletedAt.IsZero() {
			moment = milli(f.DeletedAt)
		}
		_, err := c.Exec(ctx, fileBin, moment, int64(f.DeletedBy), int64(f.ID))
		return err
	})
}

// KnownBlobs implements attachment.Store.
func (s Attachments) KnownBlobs(ctx context.Context, names []string) (map[string]bool, error) {
	d := s.db.Dialect()
	list, err := read(ctx, s.Store, func(rows *sql.Rows) (name string, err error) {
		err = rows.Scan(&name)
		return name, err
	}, "SELECT blob FROM attachment WHERE "+d.In("blob"), d.TextList(names))
	out := make(map[string]bool, len(list))
	for _, name := range list {
		out[name] = true
	}
	return out, err
}

// ForgetFiles implements attachment.Store.
func (s Attachments) ForgetFiles(ctx context.Context, objects []*schema.Object, before time.Time, limit int) (names []string, err error) {
	d := s.db.Dialect()
	err = s.Write(ctx, func(c Conn) error {
		names = nil
		var keys []id.ID
		collect := func(q string, args ...any) error {
			return Each(ctx, c, func(rows *sql.Rows) error {
				var key int64
				var name string
				err := rows.Scan(&key, &name)
				keys, names = append(keys, id.ID(key)), append(names, name)
				return err
			}, q, args...)
		}
		if err := collect(fileOld, milli(before), limit); err != nil {
			return err
		}
		for _, obj := range objects {
			if len(names) > 0 { // the next call goes on
				break
			}
			q := "SELECT a.id, a.blob FROM attachment a LEFT JOIN " + dialect.Quote(obj.Physical) + " r ON r.id = a.record_id WHERE a.object = ? AND r.id IS NULL ORDER BY a.id LIMIT ?"
			if err := collect(q, obj.Key, limit); err != nil {
				return err
			}
		}
		if len(keys) == 0 {
			return nil
		}
		_, err := c.Exec(ctx, "DELETE FROM attachment WHERE "+d.In("id"), d.IDList(longs(keys)))
		return err
	})
	return names, err
}

// EachFile implements attachment.Store.
func (s Attachments) EachFile(ctx context.Context, after id.ID, limit int) ([]attachment.File, error) {
	return read(ctx, s.Store, scanFile, fileEach, int64(after), limit)
}
