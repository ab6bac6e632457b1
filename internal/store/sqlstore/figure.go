package sqlstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Figures implements record.Reader.
func (t *tx) Figures(ctx context.Context, f *query.Figures, sel record.Selection, limit int) ([]record.FigureRow, error) {
	text, err := compile.Figures(t.store.environment(), f, sel.Where, sel.Limits, false)
	if err != nil {
		return nil, err
	}
	if sel.IDs != nil && len(sel.IDs) == 0 {
		return nil, nil
	}
	args := text.Args
	stmt := "SELECT " + text.Columns + " FROM " + dialect.Quote(f.Object.Physical) + " t" + text.Joins + " WHERE t.deleted_at IS NULL AND (" + text.Where + ")"
	if sel.IDs != nil {
		d := t.c.Dialect()
		stmt += " AND " + d.In("t.id")
		args = append(args, d.IDList(plain(sel.IDs)))
	}
	stmt += text.Tail
	if text.Limited {
		stmt += " LIMIT ?"
		args = append(args, int64(limit))
	}
	var out []record.FigureRow
	err = Each(ctx, t.c, func(rows *sql.Rows) error {
		values := make([]any, text.Width)
		dst := make([]any, text.Width)
		for i := range values {
			dst[i] = &values[i]
		}
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		out = append(out, record.NewFigureRow(f, values))
		return nil
	}, stmt, args...)
	return out, err
}
