package analytics

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Select are the ids of one page of live records as the record store would give them: the same order, cursors and offsets.
// Sel names no ids and not the recycle bin.
func (a *Audience) Select(ctx context.Context, obj *schema.Object, sel record.Selection) ([]id.ID, error) {
	text, args, err := a.within(obj.Key, sel.Where, sel.Limits)
	if err != nil {
		return nil, err
	}
	keys, joins, err := compile.Sorting(a.env(), obj, sel.Sort, true)
	if err != nil {
		return nil, err
	}
	table := " FROM " + Quote(RelationName(obj.Key)) + " t"
	text = table + joins + strings.TrimPrefix(text, table)
	branches, err := compile.Keyset(compile.AnalyticDialect(), keys, numbers(sel.After))
	if err != nil {
		return nil, err
	}
	out := []id.ID{}
	skip := sel.Offset
	for _, br := range branches {
		all := append(append(args[:len(args):len(args)], br.Args...), int64(sel.Limit-len(out)), int64(skip))
		ids, err := a.ids(ctx, "SELECT t.id"+text+" AND "+br.Where+" ORDER BY "+br.Order+" LIMIT ? OFFSET ?", all)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
		if len(out) == sel.Limit {
			break
		}
		if len(ids) > 0 || skip == 0 {
			skip = 0
			continue
		}
		n, err := a.upTo(ctx, text+" AND "+br.Where, append(args[:len(args):len(args)], br.Args...), skip)
		if err != nil {
			return nil, err
		}
		skip -= n
	}
	return out, nil
}

// CountUpTo counts live records, stopping at limit (0 counts all).
func (a *Audience) CountUpTo(ctx context.Context, obj *schema.Object, where *query.Node, l *query.Limits, limit int) (int, error) {
	text, args, err := a.within(obj.Key, where, l)
	if err != nil {
		return 0, err
	}
	if limit == 0 {
		limit = math.MaxInt32
	}
	return a.upTo(ctx, text, args, limit)
}

func (a *Audience) upTo(ctx context.Context, text string, args []any, limit int) (n int, err error) {
	if _, err = one(ctx, a.store.db, "SELECT count(*) FROM (SELECT 1"+text+" LIMIT ?) n", append(args[:len(args):len(args)], int64(limit)), &n); err != nil {
		return 0, fmt.Errorf("count a list: %w", err)
	}
	return n, nil
}

// numbers are the values of a cursor as the engine takes them.
func numbers(after []any) []any {
	if after == nil {
		return nil
	}
	out := make([]any, len(after))
	for i, v := range after {
		if n, ok := v.(id.ID); ok {
			v = int64(n)
		}
		out[i] = v
	}
	return out
}
