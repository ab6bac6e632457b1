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
	fileColumns = "id, object, record_id, name, media, size, blob, subject, sealed, by_id, by_kind, at, deleted_at, deleted_by, field, thumb, width, height"
	fileInsert  = "INSERT INTO attachment (" + fileColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)"
	fileGet     = "SELECT " + fileColumns + " FROM attachment WHERE id = ?"
	fileRename  = "UPDATE attachment SET name = ? WHERE id = ?"
	fileBin     = "UPDATE attachment SET deleted_at = ?, deleted_by = ? WHERE id = ?"
	fileEach    = "SELECT " + fileColumns + " FROM attachment WHERE id > ? ORDER BY id LIMIT ?"
	fileOld     = "SELECT id, blob, thumb FROM attachment WHERE deleted_at > 0 AND deleted_at < ? ORDER BY deleted_at LIMIT ?"
	fileLeft    = "SELECT id, blob, thumb FROM attachment WHERE record_id = 0 AND at < ? ORDER BY at LIMIT ?"
	fileWaiting = "SELECT count(*), coalesce(sum(size), 0) FROM attachment WHERE record_id = 0 AND by_id = ? AND by_kind = ?"
	fileTake    = "UPDATE attachment SET record_id = ?, subject = ?, sealed = ?, deleted_at = 0, deleted_by = 0 WHERE id = ? AND record_id = 0"
	fileBack    = "UPDATE attachment SET deleted_at = 0, deleted_by = 0 WHERE id = ? AND record_id = ?"
	fileField   = "id, object, field, record_id, name, media, size, thumb, width, height, subject, sealed, by_id, by_kind"
)

func scanFile(rows *sql.Rows) (f attachment.File, err error) {
	var key, rec, subject, by, at, deleted, deletedBy int64
	var kind string
	err = rows.Scan(&key, &f.Object, &rec, &f.Name, &f.Media, &f.Size, &f.Blob, &subject, &f.Sealed, &by, &kind, &at, &deleted, &deletedBy, &f.Field, &f.Thumb, &f.Width, &f.Height)
	f.ID, f.Record, f.Subject, f.By, f.DeletedBy = id.ID(key), id.ID(rec), id.ID(subject), id.ID(by), id.ID(deletedBy)
	f.ByKind, f.At, f.DeletedAt = access.ActorKind(kind), instant(at), instant(deleted)
	return f, err
}

// AddFile implements attachment.Store.
func (s Attachments) AddFile(ctx context.Context, f *attachment.File, obj *schema.Object, row change.Row) error {
	return s.with(ctx, obj, row, func(c Conn) error { return insertFile(ctx, c, f) })
}

func insertFile(ctx context.Context, c Conn, f *attachment.File) error {
	_, err := c.Exec(ctx, fileInsert, int64(f.ID), f.Object, int64(f.Record), f.Name, f.Media, f.Size, f.Blob, int64(f.Subject), f.Sealed, int64(f.By), string(f.ByKind), milli(f.At),
		f.Field, f.Thumb, f.Width, f.Height)
	return err
}

// AddUpload implements attachment.Store.
func (s Attachments) AddUpload(ctx context.Context, f *attachment.File) error {
	return s.Write(ctx, func(c Conn) error { return insertFile(ctx, c, f) })
}

// Waiting implements attachment.Store.
func (s Attachments) Waiting(ctx context.Context, by id.ID, kind access.ActorKind) (count int, bytes int64, err error) {
	type sum struct {
		n     int
		bytes int64
	}
	list, err := read(ctx, s.Store, func(rows *sql.Rows) (v sum, err error) { return v, rows.Scan(&v.n, &v.bytes) }, fileWaiting, int64(by), string(kind))
	if err != nil || len(list) == 0 {
		return 0, 0, err
	}
	return list[0].n, list[0].bytes, nil
}

var _ record.FileTx = (*tx)(nil)

// FieldFiles implements record.FileReader.
func (t *tx) FieldFiles(ctx context.Context, ids []id.ID) ([]record.FieldFile, error) {
	d := t.c.Dialect()
	var out []record.FieldFile
	err := Each(ctx, t.c, func(rows *sql.Rows) error {
		var f record.FieldFile
		var key, rec, subject, by int64
		var kind, thumb string
		err := rows.Scan(&key, &f.Object, &f.Field, &rec, &f.Name, &f.Media, &f.Size, &thumb, &f.Width, &f.Height, &subject, &f.Sealed, &by, &kind)
		f.ID, f.Record, f.Subject, f.By, f.ByKind, f.Thumb = id.ID(key), id.ID(rec), id.ID(subject), id.ID(by), access.ActorKind(kind), thumb != ""
		out = append(out, f)
		return err
	}, "SELECT "+fileField+" FROM attachment WHERE field <> '' AND "+d.In("id"), d.IDList(plain(ids)))
	return out, err
}

// TakeFiles implements record.FileTx.
func (t *tx) TakeFiles(ctx context.Context, list []record.FileTaken) error {
	for _, f := range list {
		var n int64
		var err error
		if f.From == 0 {
			n, err = t.c.Exec(ctx, fileTake, int64(f.Record), int64(f.Subject), f.Sealed, int64(f.ID))
		} else {
			n, err = t.c.Exec(ctx, fileBack, int64(f.ID), int64(f.From))
		}
		if err == nil && n != 1 { // another one was faster, or its time was over
			err = fault.New(fault.Stale, "record.file_taken", nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// BinFieldFiles implements record.FileTx.
func (t *tx) BinFieldFiles(ctx context.Context, rec id.ID, files []id.ID, by id.ID, at int64) error {
	d := t.c.Dialect()
	_, err := t.c.Exec(ctx, "UPDATE attachment SET deleted_at = ?, deleted_by = ? WHERE record_id = ? AND deleted_at = 0 AND "+d.In("id"), at, int64(by), int64(rec), d.IDList(plain(files)))
	return err
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
func (s Attachments) Files(ctx context.Context, records []id.ID, sel attachment.Selection) ([]attachment.File, error) {
	d := s.db.Dialect()
	q := "SELECT " + fileColumns + " FROM attachment WHERE " + d.In("record_id") + " AND at <= ?"
	if !sel.Deleted {
		q += " AND deleted_at = 0"
	}
	if !sel.Fields {
		q += " AND field = ''"
	}
	return read(ctx, s.Store, scanFile, q+" ORDER BY at DESC, id DESC LIMIT ?", d.IDList(longs(records)), milli(sel.Until), sel.Limit)
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
	}, "SELECT blob FROM attachment WHERE "+d.In("blob")+" UNION ALL SELECT thumb FROM attachment WHERE thumb <> '' AND "+d.In("thumb"), d.TextList(names), d.TextList(names))
	out := make(map[string]bool, len(list))
	for _, name := range list {
		out[name] = true
	}
	return out, err
}

// ForgetFiles implements attachment.Store.
func (s Attachments) ForgetFiles(ctx context.Context, objects []*schema.Object, binned, waiting time.Time, limit int) (names []string, err error) {
	d := s.db.Dialect()
	err = s.Write(ctx, func(c Conn) error {
		names = nil
		var keys []id.ID
		collect := func(q string, args ...any) error {
			return Each(ctx, c, func(rows *sql.Rows) error {
				var key int64
				var name, thumb string
				err := rows.Scan(&key, &name, &thumb)
				if keys, names = append(keys, id.ID(key)), append(names, name); thumb != "" {
					names = append(names, thumb)
				}
				return err
			}, q, args...)
		}
		if err := collect(fileOld, milli(binned), limit); err != nil {
			return err
		}
		if err := collect(fileLeft, milli(waiting), limit); err != nil {
			return err
		}
		for _, obj := range objects {
			if len(names) > 0 { // the next call goes on
				break
			}
			q := "SELECT a.id, a.blob, a.thumb FROM attachment a LEFT JOIN " + dialect.Quote(obj.Physical) + " r ON r.id = a.record_id WHERE a.object = ? AND a.record_id <> 0 AND r.id IS NULL ORDER BY a.id LIMIT ?"
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
