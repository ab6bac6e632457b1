package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// FindUnique implements record.Reader.
func (t *tx) FindUnique(ctx context.Context, obj *schema.Object, field *schema.Field, keys []string) (map[string]id.ID, error) {
	out := make(map[string]id.ID, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	const head = "SELECT value, record_id FROM unique_key WHERE object = ? AND field = ? AND "
	q, arg := head+"value = ?", any(keys[0])
	if len(keys) > 1 {
		q, arg = head+t.c.Dialect().In("value"), t.c.Dialect().TextList(keys)
	}
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var key string
		var rec int64
		if err := r.Scan(&key, &rec); err != nil {
			return err
		}
		out[key] = id.ID(rec)
		return nil
	}, q, obj.Key, field.Key, arg)
	return out, err
}

// reserveBatch is how many keys one statement claims.
const reserveBatch = 1000

// Reserve implements record.Tx. The keys are claimed in sorted order, so that two transactions that claim the same keys
// wait for one another instead of locking each other out.
func (t *tx) Reserve(ctx context.Context, obj *schema.Object, field *schema.Field, keys map[string]id.ID) (map[string]id.ID, error) {
	sorted := slices.Sorted(maps.Keys(keys))
	// What is taken already is found by reading; claiming decides about what others claim at the same moment.
	taken, err := t.FindUnique(ctx, obj, field, sorted)
	if err != nil {
		return nil, err
	}
	if len(taken) > 0 {
		sorted = slices.DeleteFunc(sorted, func(k string) bool { _, ok := taken[k]; return ok })
	}
	var lost []string
	for chunk := range slices.Chunk(sorted, reserveBatch) {
		missed, err := t.claim(ctx, obj, field, chunk, keys)
		if err != nil {
			return nil, err
		}
		lost = append(lost, missed...)
	}
	if len(lost) > 0 {
		late, err := t.FindUnique(ctx, obj, field, lost)
		if err != nil {
			return nil, err
		}
		maps.Copy(taken, late)
	}
	for k, holder := range taken { // a record that holds the key already has nothing to fear
		if holder == keys[k] {
			delete(taken, k)
		}
	}
	return taken, nil
}

// claim inserts keys and returns those that somebody else had claimed in the meantime.
func (t *tx) claim(ctx context.Context, obj *schema.Object, field *schema.Field, chunk []string, keys map[string]id.ID) ([]string, error) {
	d := t.c.Dialect()
	ids := make([]int64, len(chunk))
	for i, k := range chunk {
		ids[i] = int64(keys[k])
	}
	n, err := t.c.Exec(ctx, d.ClaimKeys(), append([]any{obj.Key, field.Key}, d.ClaimArgs(chunk, ids)...)...)
	if err != nil || d.CountsClaims() && n == int64(len(chunk)) {
		return nil, err
	}
	holders, err := t.FindUnique(ctx, obj, field, chunk)
	if err != nil {
		return nil, err
	}
	var missed []string
	for _, k := range chunk {
		if holders[k] != keys[k] {
			missed = append(missed, k)
		}
	}
	return missed, nil
}

// Release implements record.Tx.
func (t *tx) Release(ctx context.Context, obj *schema.Object, field *schema.Field, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	const head = "DELETE FROM unique_key WHERE object = ? AND field = ? AND "
	q, arg := head+"value = ?", any(keys[0])
	if len(keys) > 1 {
		sorted := slices.Sorted(slices.Values(keys))
		q, arg = head+t.c.Dialect().In("value"), t.c.Dialect().TextList(sorted)
	}
	_, err := t.c.Exec(ctx, q, obj.Key, field.Key, arg)
	return err
}

// Lock implements record.Locker. SQLite has one writer, so nobody else writes meanwhile.
func (t *tx) Lock(ctx context.Context, obj *schema.Object, ids []id.ID) error {
	d := t.c.Dialect()
	if d.ForUpdate() == "" || len(ids) == 0 {
		return nil
	}
	return Each(ctx, t.c, func(r *sql.Rows) error {
		var v int64
		return r.Scan(&v)
	}, "SELECT t.id FROM "+dialect.Quote(obj.Physical)+" t WHERE "+d.In("t.id")+d.ForUpdate(), d.IDList(plain(ids)))
}

// Next implements record.Tx. The counter's row is locked until the commit, so the numbers of committed transactions have
// no gaps; the first number of a new counter is 1.
func (t *tx) Next(ctx context.Context, counter string, n int) (int64, error) {
	if n <= 0 {
		return 0, nil
	}
	const q = "INSERT INTO counter(name, value) VALUES (?, ?) " +
		"ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value"
	var last int64
	if _, err := t.c.QueryRow(ctx, []any{&last}, q, counter, int64(n)); err != nil {
		return 0, err
	}
	return last - int64(n) + 1, nil
}

// PersonKeys implements record.Reader.
func (t *tx) PersonKeys(ctx context.Context, subjects []id.ID) (map[id.ID][]byte, error) {
	out := make(map[id.ID][]byte, len(subjects))
	if len(subjects) == 0 {
		return out, nil
	}
	d := t.c.Dialect()
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var subject int64
		var wrapped, former []byte
		if err := r.Scan(&subject, &wrapped, &former); err != nil {
			return err
		}
		out[id.ID(subject)] = append(wrapped, former...)
		return nil
	}, "SELECT subject, wrapped, former FROM person_key WHERE "+d.In("subject"), d.IDList(plain(subjects)))
	return out, err
}

// SavePersonKeys implements record.Tx.
func (t *tx) SavePersonKeys(ctx context.Context, keys map[id.ID][]byte) error {
	subjects := slices.Sorted(maps.Keys(keys))
	switch len(subjects) {
	case 0:
		return nil
	case 1:
		const q = "INSERT INTO person_key(subject, wrapped) VALUES (?, ?) ON CONFLICT (subject) DO NOTHING"
		_, err := t.c.Exec(ctx, q, int64(subjects[0]), keys[subjects[0]])
		return err
	}
	have, err := t.PersonKeys(ctx, subjects)
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(subjects, func(s id.ID) bool { _, ok := have[s]; return ok })
	return t.c.InsertMany(ctx, "person_key", []string{"subject", "wrapped"}, len(fresh), func(i int, dst []any) {
		dst[0], dst[1] = int64(fresh[i]), keys[fresh[i]]
	})
}
