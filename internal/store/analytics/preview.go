package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

var _ trait.Previewer = (*Audience)(nil)

// A preview looks at about so many customers, and names so many rows and texts.
const (
	previewSample = 2000
	previewRows   = 10
	previewTexts  = 5
)

// PreviewFigure implements trait.Previewer.
func (a *Audience) PreviewFigure(ctx context.Context, f *query.ComputedFigure, customer id.ID) (trait.Preview, error) {
	begin := a.clock.Now()
	p := trait.Preview{Figure: f, Customer: customer}
	if customer != 0 {
		values, err := a.figures(ctx, f, oneCustomer(customer))
		if err != nil {
			return p, err
		}
		if len(values) > 0 {
			p.Value = values[0]
		} else if f.Kind.Zero() {
			p.Value = int64(0)
		}
		if p.Rows, err = a.FigureRows(ctx, f, customer, previewRows); err != nil {
			return p, err
		}
	}
	total, err := a.count(ctx, "customer", nil)
	if err != nil {
		return p, err
	}
	step := int64(max(1, total/previewSample))
	sample := "SELECT id FROM a_customer WHERE id % " + strconv.FormatInt(step, 10) + " = 0"
	if _, err := one(ctx, a.store.db, "SELECT count(*) FROM ("+sample+") s", nil, &p.Sampled); err != nil {
		return p, err
	}
	values, err := a.figures(ctx, f, func(column string) (string, []any) { return column + " IN (" + sample + ")", nil })
	if err != nil {
		return p, err
	}
	describe(&p, values)
	p.Took = a.clock.Now().Sub(begin)
	return p, nil
}

func oneCustomer(customer id.ID) func(string) (string, []any) {
	return func(column string) (string, []any) { return column + " = ?", []any{int64(customer)} }
}

// figures are the values of a figure: int64 or string.
func (a *Audience) figures(ctx context.Context, f *query.ComputedFigure, who func(string) (string, []any)) ([]any, error) {
	text, args, err := compile.ComputedText(a.env(), f, compile.ComputedScope{Who: who})
	if err != nil {
		return nil, err
	}
	var out []any
	err = each(ctx, a.store.db, "SELECT q.value FROM ("+text+") q WHERE q.value IS NOT NULL", args, func(r *sql.Rows) error {
		if trait.Textual(f) {
			var s string
			err := r.Scan(&s)
			out = append(out, s)
			return err
		}
		var n int64
		err := r.Scan(&n)
		out = append(out, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("preview a trait: %w", err)
	}
	return out, nil
}

// FigureRows implements trait.Previewer.
func (a *Audience) FigureRows(ctx context.Context, f *query.ComputedFigure, customer id.ID, limit int) ([]trait.Row, error) {
	text, args, err := compile.ComputedRowsText(a.env(), f, compile.ComputedScope{Who: oneCustomer(customer)})
	if err != nil {
		return nil, err
	}
	days := f.Rows.Event == "" && f.Rows.Time.Field.Type == schema.Date
	var out []trait.Row
	err = each(ctx, a.store.db, text, append(args, int64(limit)), func(r *sql.Rows) error {
		var v int64
		var at sql.NullInt64
		var name string
		var value sql.NullString
		if err := r.Scan(&v, &at, &name, &value); err != nil {
			return err
		}
		row := trait.Row{Event: name, ID: id.ID(v), At: at.Int64, Days: days}
		if value.Valid {
			row.Value = value.String
			if n, err := strconv.ParseInt(value.String, 10, 64); err == nil && !trait.Textual(f) {
				row.Value = n
			}
		}
		out = append(out, row)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rows of a trait: %w", err)
	}
	return out, nil
}

// describe says how values lie.
func describe(p *trait.Preview, values []any) {
	var numbers []int64
	texts := map[string]int64{}
	for _, v := range values {
		switch x := v.(type) {
		case int64:
			numbers = append(numbers, x)
		case string:
			texts[x]++
		}
	}
	p.Having = int64(len(values))
	if len(numbers) > 0 {
		slices.Sort(numbers)
		p.Low, p.Middle, p.High = numbers[0], numbers[len(numbers)/2], numbers[len(numbers)-1]
	}
	keys := slices.SortedFunc(maps.Keys(texts), func(x, y string) int { return cmp.Or(cmp.Compare(texts[y], texts[x]), cmp.Compare(x, y)) })
	for _, k := range keys[:min(len(keys), previewTexts)] {
		p.Common = append(p.Common, trait.Common{Text: k, Count: texts[k]})
	}
}
