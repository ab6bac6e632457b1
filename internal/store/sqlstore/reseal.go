package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

var (
	_ record.Fenced      = (*Store)(nil)
	_ record.Resealer    = (*tx)(nil)
	_ record.IndexKeeper = (*tx)(nil)
)

type aloneKey struct{}

// Alone implements record.Fenced. SQLite has one writer anyway.
func (s *Store) Alone(ctx context.Context) context.Context {
	return context.WithValue(ctx, aloneKey{}, true)
}

// fence makes updates of records wait for one that is to be alone.
func fence(ctx context.Context, c Conn) error {
	alone, _ := ctx.Value(aloneKey{}).(bool)
	q := c.Dialect().Fence(alone)
	if q == "" {
		return nil
	}
	_, err := c.Exec(ctx, q)
	return err
}

// RowsAfter implements record.Resealer.
func (t *tx) RowsAfter(ctx context.Context, obj *schema.Object, after id.ID, limit int) ([]record.Row, error) {
	sh := t.store.shapes.of(obj)
	var ids []int64
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		ids = append(ids, v)
		return err
	}, "SELECT id FROM "+dialect.Quote(sh.table)+" WHERE id > ? ORDER BY id LIMIT ?", int64(after), int64(limit))
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return t.rows(ctx, reading{sh: sh}, len(ids), sh.getMany+" ORDER BY t.id", t.c.Dialect().IDList(ids))
}

// PutColumns implements record.Resealer.
func (t *tx) PutColumns(ctx context.Context, obj *schema.Object, columns []int, rows []record.Row) error {
	if len(rows) == 0 {
		return nil
	}
	sh := t.store.shapes.of(obj)
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = dialect.Quote(sh.columns[systemCount+c]) + " = ?"
	}
	q := "UPDATE " + dialect.Quote(sh.table) + " SET " + strings.Join(set, ", ") + " WHERE id = ?"
	args := make([]any, len(columns)+1)
	for i := range rows {
		for n, c := range columns {
			args[n] = rows[i].Cols[c]
		}
		args[len(columns)] = int64(rows[i].ID)
		if _, err := t.c.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// ImagesOf implements record.Resealer.
func (t *tx) ImagesOf(ctx context.Context, object string, ids []id.ID) ([]change.Row, error) {
	d := t.c.Dialect()
	return readChanges(ctx, t.c, "SELECT "+d.ChangeColumns()+" FROM change WHERE "+d.In("record_id")+" AND object = ? AND (before IS NOT NULL OR after IS NOT NULL)",
		d.IDList(plain(ids)), object)
}

// PutImages implements record.Resealer.
func (t *tx) PutImages(ctx context.Context, rows []change.Row) error {
	d := t.c.Dialect()
	q := "UPDATE change SET before = ?, after = ? WHERE seq = ? AND " + d.ChangeXid() + " = ?"
	for i := range rows {
		r := &rows[i]
		if _, err := t.c.Exec(ctx, q, image(r.Before), image(r.After), r.Position.Seq, r.Position.Xid); err != nil {
			return err
		}
	}
	return nil
}

// MergeImagesOf implements record.Resealer.
func (t *tx) MergeImagesOf(ctx context.Context, object string, ids []id.ID) ([]change.Row, error) {
	var out []change.Row
	d := t.c.Dialect()
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var c change.Row
		var survivor int64
		err := r.Scan(&c.Position.Seq, &survivor, &c.Before, &c.After)
		c.Record = id.ID(survivor)
		out = append(out, c)
		return err
	}, "SELECT id, survivor, before, after FROM record_merge WHERE "+d.In("survivor")+" AND object = ?", d.IDList(plain(ids)), object)
	return out, err
}

// PutMergeImages implements record.Resealer.
func (t *tx) PutMergeImages(ctx context.Context, rows []change.Row) error {
	for i := range rows {
		r := &rows[i]
		if _, err := t.c.Exec(ctx, "UPDATE record_merge SET before = ?, after = ? WHERE id = ?", image(r.Before), image(r.After), r.Position.Seq); err != nil {
			return err
		}
	}
	return nil
}

const (
	indexState  = "SELECT oldest, newest FROM key_state WHERE one = 1"
	indexKeys   = "SELECT generation, wrapped FROM index_key WHERE generation >= ? ORDER BY generation"
	indexAdd    = "INSERT INTO index_key (generation, wrapped, at) VALUES (?, ?, ?)"
	indexNewest = "UPDATE key_state SET newest = ? WHERE one = 1"
	indexOldest = "UPDATE key_state SET oldest = newest WHERE one = 1"
	indexDrop   = "DELETE FROM index_key WHERE generation < (SELECT newest FROM key_state WHERE one = 1)"

	keysNext  = "SELECT subject, wrapped FROM person_key WHERE subject > ? AND former IS NULL ORDER BY subject LIMIT ?"
	keysRenew = "UPDATE person_key SET former = wrapped, wrapped = ? WHERE subject = ? AND former IS NULL"
	keysOld   = "SELECT subject FROM person_key WHERE subject > ? AND former IS NOT NULL ORDER BY subject LIMIT ?"
	keysDrop  = "UPDATE person_key SET former = NULL WHERE "
)

// IndexState implements record.IndexKeeper.
func (t *tx) IndexState(ctx context.Context) (oldest, newest int64, err error) {
	_, err = t.c.QueryRow(ctx, []any{&oldest, &newest}, indexState)
	return oldest, newest, err
}

// IndexKeys implements record.IndexKeeper.
func (t *tx) IndexKeys(ctx context.Context, from int64) ([]crypt.Index, error) {
	var out []crypt.Index
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var x crypt.Index
		err := r.Scan(&x.Generation, &x.Wrapped)
		out = append(out, x)
		return err
	}, indexKeys, from)
	return out, err
}

// alone runs fn when no update of records runs.
func (s *Store) alone(ctx context.Context, fn func(c Conn) error) error {
	ctx = s.Alone(Bulk(ctx))
	return s.Write(ctx, func(c Conn) error {
		if err := fence(ctx, c); err != nil {
			return err
		}
		return fn(c)
	})
}

// NextIndex begins with a further index key, which make gives for its generation, unless one is being changed already.
func (s Privacy) NextIndex(ctx context.Context, now int64, make func(generation int64) crypt.Index) error {
	return s.alone(ctx, func(c Conn) error {
		var oldest, newest int64
		if _, err := c.QueryRow(ctx, []any{&oldest, &newest}, indexState); err != nil || oldest != newest {
			return err
		}
		x := make(newest + 1)
		if _, err := c.Exec(ctx, indexAdd, x.Generation, x.Wrapped, now); err != nil {
			return err
		}
		_, err := c.Exec(ctx, indexNewest, x.Generation)
		return err
	})
}

// DropIndexes destroys all index keys but the newest.
func (s Privacy) DropIndexes(ctx context.Context) error {
	return s.alone(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, indexOldest); err != nil {
			return err
		}
		_, err := c.Exec(ctx, indexDrop)
		return err
	})
}

// RenewKeys gives subjects behind one a second data key, the next ones that have none.
func (s Privacy) RenewKeys(ctx context.Context, after int64, limit int, fresh func(subject id.ID) ([]byte, error)) (last int64, n int, err error) {
	err = s.alone(ctx, func(c Conn) error {
		last, n = after, 0
		var list []int64
		err := Each(ctx, c, func(r *sql.Rows) error {
			var v int64
			var wrapped []byte
			err := r.Scan(&v, &wrapped)
			list = append(list, v)
			return err
		}, keysNext, after, int64(limit))
		if err != nil {
			return err
		}
		for _, v := range list {
			wrapped, err := fresh(id.ID(v))
			if err != nil {
				return err
			}
			if _, err := c.Exec(ctx, keysRenew, wrapped, v); err != nil {
				return err
			}
			last = v
			n++
		}
		return nil
	})
	return last, n, err
}

// DropFormer destroys the data keys that subjects behind one had before.
func (s Privacy) DropFormer(ctx context.Context, after int64, limit int) (last int64, n int, err error) {
	err = s.alone(ctx, func(c Conn) error {
		last, n = after, 0
		var list []int64
		err := Each(ctx, c, func(r *sql.Rows) error {
			var v int64
			err := r.Scan(&v)
			list = append(list, v)
			return err
		}, keysOld, after, int64(limit))
		if err != nil || len(list) == 0 {
			return err
		}
		d := c.Dialect()
		_, err = c.Exec(ctx, keysDrop+d.In("subject"), d.IDList(list))
		last, n = list[len(list)-1], len(list)
		return err
	})
	return last, n, err
}

// PauseRotation stops an exchange where it is, or has it go on. Conflict app.not_rotating when it is over or cannot be stopped.
func (s Privacy) PauseRotation(ctx context.Context, rotation id.ID, on bool) error {
	return s.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, rotationPause, on, int64(rotation))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "app.not_rotating", nil)
		}
		return err
	})
}

// RotationPaused reports whether an exchange is to stop.
func (s Privacy) RotationPaused(ctx context.Context, rotation id.ID) (paused bool, err error) {
	err = s.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&paused}, rotationPaused, int64(rotation))
		return err
	})
	return paused, err
}

const (
	sealedCount = "SELECT count(*) FROM person_key"
	filesCount  = "SELECT 2 * count(*) FROM attachment"
	filesNext   = "SELECT id, subject, sealed FROM attachment WHERE id > ? ORDER BY id LIMIT ?"
	filesPut    = "UPDATE attachment SET sealed = ? WHERE id = ? AND sealed = ?"
)

// CountSealed is how many data keys and keys of files there are, when they are to be exchanged.
func (s Privacy) CountSealed(ctx context.Context, data bool) (n int64, err error) {
	if !data {
		return 0, nil
	}
	err = s.Read(ctx, func(c Conn) error {
		var files int64
		if _, err := c.QueryRow(ctx, []any{&n}, sealedCount); err != nil {
			return err
		}
		_, err := c.QueryRow(ctx, []any{&files}, filesCount)
		n += files
		return err
	})
	return n, err
}

// CountRows is how many records an object has, those of the recycle bin too.
func (s Privacy) CountRows(ctx context.Context, obj *schema.Object) (n int64, err error) {
	err = s.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, "SELECT count(*) FROM "+dialect.Quote(obj.Physical))
		return err
	})
	return n, err
}

// ResealFiles takes the next files behind one: reseal gives the sealed key anew, nil where it stays.
func (s Privacy) ResealFiles(ctx context.Context, after int64, limit int, reseal func(ctx context.Context, file, subject id.ID, sealed []byte) ([]byte, error)) (last int64, seen, changed int, err error) {
	type entry struct {
		file, subject int64
		sealed        []byte
	}
	list, err := read(ctx, s.Store, func(rows *sql.Rows) (e entry, err error) {
		return e, rows.Scan(&e.file, &e.subject, &e.sealed)
	}, filesNext, after, int64(limit))
	if err != nil {
		return after, 0, 0, err
	}
	last = after
	for _, e := range list {
		fresh, err := reseal(ctx, id.ID(e.file), id.ID(e.subject), e.sealed)
		if err != nil {
			return after, 0, 0, err
		}
		last = e.file
		if fresh == nil {
			continue
		}
		changed++
		err = s.Write(ctx, func(c Conn) error {
			_, err := c.Exec(ctx, filesPut, fresh, e.file, e.sealed)
			return err
		})
		if err != nil {
			return after, 0, 0, err
		}
	}
	return last, len(list), changed, nil
}
