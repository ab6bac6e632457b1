package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// subjectsText are the columns v0, v1 … of subjects beside a customer "t", and the joins that they need.
func subjectsText(subjects []segment.Subject) (columns []string, joins string) {
	alias := map[string]string{"": "t"}
	for _, s := range subjects {
		name, ok := alias[s.Source]
		if !ok {
			name = "f" + strconv.Itoa(len(alias))
			alias[s.Source] = name
			joins += " LEFT JOIN " + Quote(s.Source) + " " + name + " ON " + name + ".customer_id = t.id"
		}
		text := name + "." + Quote(s.Column)
		if s.Numeric {
			text = "CAST(" + text + " AS FLOAT8)"
		} else {
			text = "CAST(" + text + " AS TEXT)"
		}
		columns = append(columns, text)
	}
	return columns, joins
}

// sides is a query with the side of each customer (1 is in the first segment alone, 2 in the second alone, 3 in both) and the subjects.
func (a *Audience) sides(x, y *query.Node, columns []string, joins string) (string, []any, error) {
	nodes := []*query.Node{x}
	side := "CASE WHEN h0 THEN 1 ELSE 2 END"
	if y != nil {
		nodes = append(nodes, y)
		side = "CASE WHEN h0 AND h1 THEN 3 WHEN h0 THEN 1 WHEN h1 THEN 2 END"
	}
	cases, err := a.cases(nodes)
	if err != nil {
		return "", nil, err
	}
	var values strings.Builder
	for i, c := range columns {
		values.WriteString(", " + c + " AS v" + strconv.Itoa(i))
	}
	text := "SELECT q.*, " + side + " AS side FROM (SELECT t.id" + cases.columns + values.String() + " FROM a_customer t" + cases.Joins + joins + ") q"
	return text, slices.Concat(cases.args, cases.JoinArgs), nil
}

// Contrast implements segment.Audience.
func (a *Audience) Contrast(ctx context.Context, x, y *query.Node, subjects []segment.Subject) (sizes [3]int, figures []segment.Figure, err error) {
	var numbers, choices []segment.Subject
	for _, s := range subjects {
		if s.Numeric {
			numbers = append(numbers, s)
		} else {
			choices = append(choices, s)
		}
	}
	err = a.alone(ctx, func() error {
		if sizes, figures, err = a.numbers(ctx, x, y, numbers); err != nil {
			return err
		}
		more, err := a.choices(ctx, x, y, choices)
		figures = append(figures, more...)
		return err
	})
	if err != nil {
		return sizes, nil, fmt.Errorf("compare segments: %w", err)
	}
	return sizes, figures, nil
}

func (a *Audience) numbers(ctx context.Context, x, y *query.Node, subjects []segment.Subject) (sizes [3]int, figures []segment.Figure, err error) {
	columns, joins := subjectsText(subjects)
	from, args, err := a.sides(x, y, columns, joins)
	if err != nil {
		return sizes, nil, err
	}
	text := "SELECT side, count(*)"
	figures = make([]segment.Figure, len(subjects))
	var side, n int
	got := make([]struct{ n, sum, variance sql.NullFloat64 }, len(subjects))
	dst := []any{&side, &n}
	for i, s := range subjects {
		figures[i].Subject = s
		v := "v" + strconv.Itoa(i)
		text += ", CAST(count(" + v + ") AS FLOAT8), sum(" + v + "), var_samp(" + v + ")"
		dst = append(dst, &got[i].n, &got[i].sum, &got[i].variance)
	}
	text += " FROM (" + from + ") p WHERE side IS NOT NULL GROUP BY side"
	err = each(ctx, a.store.db, text, args, func(r *sql.Rows) error {
		if err := r.Scan(dst...); err != nil || side < 1 || side > 3 {
			return err
		}
		sizes[side-1] = n
		if side == 3 {
			return nil
		}
		for i := range figures {
			f := &figures[i]
			if k := got[i].n.Float64; k > 0 {
				f.N[side-1], f.Mean[side-1], f.Variance[side-1] = int64(k), got[i].sum.Float64/k, got[i].variance.Float64
			}
		}
		return nil
	})
	return sizes, figures, err
}

// choicesMost is how many values of one subject are told apart; the rarer ones count as one.
const choicesMost = 12

func (a *Audience) choices(ctx context.Context, x, y *query.Node, subjects []segment.Subject) ([]segment.Figure, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	columns, joins := subjectsText(subjects)
	from, args, err := a.sides(x, y, columns, joins)
	if err != nil {
		return nil, err
	}
	figures := make([]segment.Figure, len(subjects))
	counts := make([]map[string]*segment.Share, len(subjects))
	var parts []string
	for i, s := range subjects {
		figures[i].Subject, counts[i] = s, map[string]*segment.Share{}
		v := "v" + strconv.Itoa(i)
		parts = append(parts, "SELECT "+strconv.Itoa(i)+" AS k, side, "+v+" AS v, count(*) AS n FROM p WHERE "+v+" IS NOT NULL AND side < 3 GROUP BY side, "+v)
	}
	text := "WITH p AS MATERIALIZED (" + from + ") " + strings.Join(parts, " UNION ALL ")
	err = each(ctx, a.store.db, text, args, func(r *sql.Rows) error {
		var k, side int
		var v string
		var n int64
		if err := r.Scan(&k, &side, &v, &n); err != nil {
			return err
		}
		if counts[k][v] == nil {
			counts[k][v] = &segment.Share{Value: v}
		}
		counts[k][v].N[side-1] += n
		figures[k].N[side-1] += n
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range figures {
		var list []segment.Share
		for _, s := range counts[i] {
			list = append(list, *s)
		}
		slices.SortFunc(list, func(a, b segment.Share) int {
			if d := b.N[0] + b.N[1] - a.N[0] - a.N[1]; d != 0 {
				return int(d)
			}
			return strings.Compare(a.Value, b.Value)
		})
		if len(list) > choicesMost {
			rest := segment.Share{}
			for _, s := range list[choicesMost:] {
				rest.N[0] += s.N[0]
				rest.N[1] += s.N[1]
			}
			list = append(list[:choicesMost], rest)
		}
		figures[i].Values = list
	}
	return figures, nil
}

// Drawn implements segment.Audience.
func (a *Audience) Drawn(ctx context.Context, where *query.Node, subjects []segment.Subject, members, others int) ([]segment.Row, error) {
	columns, joins := subjectsText(subjects)
	cases, err := a.cases([]*query.Node{where})
	if err != nil {
		return nil, err
	}
	var values strings.Builder
	for i, c := range columns {
		values.WriteString(", " + c + " AS v" + strconv.Itoa(i))
	}
	// Who is drawn is decided by the id alone: the same people each time.
	p := "WITH p AS MATERIALIZED (SELECT t.id" + cases.columns + values.String() + " FROM a_customer t" + cases.Joins + joins + ")"
	pick := func(which string) string {
		return "SELECT * FROM (SELECT * FROM p WHERE " + which + " ORDER BY md5(CAST(id AS TEXT)), id LIMIT ?) d"
	}
	text := p + " SELECT * FROM (" + pick("h0") + " UNION ALL " + pick("NOT h0") + ") z ORDER BY id"
	var out []segment.Row
	var customer int64
	var in bool
	floats, texts := make([]sql.NullFloat64, len(subjects)), make([]sql.NullString, len(subjects))
	dst := []any{&customer, &in}
	for i, s := range subjects {
		if s.Numeric {
			dst = append(dst, &floats[i])
		} else {
			dst = append(dst, &texts[i])
		}
	}
	err = a.alone(ctx, func() error {
		return each(ctx, a.store.db, text, slices.Concat(cases.args, cases.JoinArgs, []any{int64(members), int64(others)}), func(r *sql.Rows) error {
			if err := r.Scan(dst...); err != nil {
				return err
			}
			row := segment.Row{In: in, Values: make([]any, len(subjects))}
			for i, s := range subjects {
				if s.Numeric && floats[i].Valid {
					row.Values[i] = floats[i].Float64
				} else if !s.Numeric && texts[i].Valid {
					row.Values[i] = texts[i].String
				}
			}
			out = append(out, row)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("draw customers: %w", err)
	}
	return out, nil
}

// Nearest implements segment.Audience.
func (a *Audience) Nearest(ctx context.Context, where *query.Node, terms []segment.Term, l *query.Limits, limit int) ([]id.ID, error) {
	subjects := make([]segment.Subject, len(terms))
	for i := range terms {
		subjects[i] = terms[i].Subject
	}
	columns, joins := subjectsText(subjects)
	number := func(v float64) string { return "CAST('" + strconv.FormatFloat(v, 'g', 17, 64) + "' AS FLOAT8)" }
	sum := []string{number(0)}
	var values []any
	for i, t := range terms {
		var x string
		switch {
		case t.Missing:
			x = "CASE WHEN " + columns[i] + " IS NULL THEN 1 ELSE 0 END"
		case t.Numeric:
			x = "COALESCE(greatest(-4.0, least(4.0, (" + columns[i] + " - " + number(t.Mean) + ") / " + number(t.Dev) + ")), 0)"
		default:
			x = "CASE WHEN " + columns[i] + " = CAST(? AS TEXT) THEN 1 ELSE 0 END"
			values = append(values, t.Value)
		}
		sum = append(sum, number(t.Weight)+" * "+x)
	}
	text, args, err := a.within(customer, where, l)
	if err != nil {
		return nil, err
	}
	query := "SELECT id FROM (SELECT t.id, " + strings.Join(sum, " + ") + " AS score FROM (SELECT t.id" + text + ") w JOIN a_customer t ON t.id = w.id" + joins +
		") q ORDER BY score DESC, id LIMIT ?"
	var out []id.ID
	err = a.alone(ctx, func() error {
		out, err = a.ids(ctx, query, slices.Concat(values, args, []any{int64(limit)}))
		return err
	})
	return out, err
}
