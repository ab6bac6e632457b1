package sqlstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// SearchDoc is what is found of a record: tokens made by the record engine, in any order, without repetition. Personal
// values are there as keyed digests.
type SearchDoc struct {
	Object string
	ID     id.ID
	Tokens []string
}

// PutSearch stores documents, each in the place of an earlier one of the same id.
func PutSearch(ctx context.Context, c Conn, docs []SearchDoc) error {
	d := c.Dialect()
	for i := range docs {
		for _, q := range d.PutSearch() {
			if _, err := c.Exec(ctx, q, int64(docs[i].ID), docs[i].Object, d.SearchTokens(docs[i].Object, docs[i].Tokens)); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteSearch removes documents; unknown ids are left out.
func DeleteSearch(ctx context.Context, c Conn, ids []id.ID) error {
	for _, v := range ids {
		for _, q := range c.Dialect().DeleteSearch() {
			if _, err := c.Exec(ctx, q, int64(v)); err != nil {
				return err
			}
		}
	}
	return nil
}

// IndexSearch applies one batch of the search index's consumer: documents to store, ids to remove, and the consumer's
// new position, in one transaction.
func (s *Store) IndexSearch(ctx context.Context, put []SearchDoc, remove []id.ID, consumer string, to change.Position) error {
	return s.db.Write(Bulk(ctx), func(c Conn) error {
		if err := DeleteSearch(ctx, c, remove); err != nil {
			return err
		}
		if err := PutSearch(ctx, c, put); err != nil {
			return err
		}
		return SavePosition(ctx, c, consumer, to)
	})
}

// PutSearch stores documents in a transaction of its own.
func (s *Store) PutSearch(ctx context.Context, docs []SearchDoc) error {
	return s.db.Write(ctx, func(c Conn) error { return PutSearch(ctx, c, docs) })
}

// DeleteSearch removes documents in a transaction of its own.
func (s *Store) DeleteSearch(ctx context.Context, ids []id.ID) error {
	return s.db.Write(ctx, func(c Conn) error { return DeleteSearch(ctx, c, ids) })
}

// OptimizeSearch rewrites the index so that nothing of removed documents is left in it; erasure calls it once a batch.
func (s *Store) OptimizeSearch(ctx context.Context) error {
	return s.db.Write(Bulk(ctx), func(c Conn) error {
		for _, q := range c.Dialect().OptimizeSearch() {
			if _, err := c.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// Search implements record.Reader. No token and no object finds nothing.
func (t *tx) Search(ctx context.Context, objects []string, tokens []string, limit int) ([]record.Hit, error) {
	d := t.c.Dialect()
	q := d.SearchQuery(objects, tokens)
	if q == "" || limit <= 0 {
		return nil, nil
	}
	out := make([]record.Hit, 0, min(limit, 200))
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var h record.Hit
		var rec int64
		if err := r.Scan(&h.Object, &rec); err != nil {
			return err
		}
		h.ID = id.ID(rec)
		out = append(out, h)
		return nil
	}, d.Search(), q, int64(limit))
	return out, err
}

// SearchWithin implements record.Reader: the limits are part of the search, so that what others own does not use up the limit.
func (t *tx) SearchWithin(ctx context.Context, obj *schema.Object, l *query.Limits, tokens []string, limit int) ([]id.ID, error) {
	d := t.c.Dialect()
	q := d.SearchQuery([]string{obj.Key}, tokens)
	if len(tokens) == 0 || q == "" || limit <= 0 {
		return nil, nil
	}
	f, err := compile.RecordsWithin(t.store.environment(), obj, nil, l)
	if err != nil {
		return nil, err
	}
	from, match, key := d.SearchJoin()
	text := "SELECT " + key + " FROM " + from + " " + dialect.Quote(obj.Physical) + " t ON t.id = " + key + f.Joins +
		" WHERE " + match + " AND t.deleted_at IS NULL AND (" + f.Where + ") ORDER BY " + key + " DESC LIMIT ?"
	args := append(append(append(append([]any{}, f.Args[:f.JoinArgs]...), q), f.Args[f.JoinArgs:]...), int64(limit))
	var out []id.ID
	err = Each(ctx, t.c, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out = append(out, id.ID(v))
		return err
	}, text, args...)
	return out, err
}
