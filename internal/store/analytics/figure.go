package analytics

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Figures counts and sums live records by groups, as the record store would; traits too. See record.Figurer.
func (a *Audience) Figures(ctx context.Context, f *query.Figures, where *query.Node, l *query.Limits, limit int) ([]record.FigureRow, error) {
	text, err := compile.Figures(a.env(), f, where, l, true)
	if err != nil {
		return nil, err
	}
	args := text.Args
	stmt := "SELECT " + text.Columns + " FROM " + Quote(RelationName(f.Object.Key)) + " t" + text.Joins + " WHERE (" + text.Where + ")" + text.Tail
	if text.Limited {
		stmt += " LIMIT ?"
		args = append(args, int64(limit))
	}
	var out []record.FigureRow
	err = each(ctx, a.store.db, stmt, args, func(rows *sql.Rows) error {
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
	})
	if err != nil {
		return nil, fmt.Errorf("figures of %s: %w", f.Object.Key, err)
	}
	return out, nil
}
