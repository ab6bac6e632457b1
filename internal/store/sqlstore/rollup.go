package sqlstore

import (
	"context"
	"database/sql"
	"math/big"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// rolling is what the statements of a rollup have in common.
type rolling struct {
	via  string
	from string // FROM … WHERE …
	args []any
}

func (t *tx) rolling(q *record.RollQuery, joins string) (rolling, error) {
	sel, err := t.query(q.Object, record.Selection{Where: q.Where})
	if err != nil {
		return rolling{}, err
	}
	r := rolling{via: "t." + dialect.Quote(columnName(q.Object, q.Via, schema.Main))}
	table := " FROM " + dialect.Quote(q.Object.Physical) + " t"
	r.from = table + joins + sel.from[len(table):] + " AND " + t.c.Dialect().In(r.via)
	r.args = append(sel.args, t.c.Dialect().IDList(plain(q.IDs)))
	return r, nil
}

func columnName(obj *schema.Object, f *schema.Field, role schema.Role) string {
	if c, ok := obj.Column(f.Key, role); ok {
		return c.Name
	}
	if role == schema.DayRole {
		return f.Physical + "_day"
	}
	return f.Physical
}

// total is the sum of a column in two halves of 32 bits, which no number of rows overflows.
func total(x string) string {
	return ", CAST(sum((" + x + ") >> 32) AS BIGINT), CAST(sum((" + x + ") & 4294967295) AS BIGINT)"
}

func joinHalves(hi, lo sql.NullInt64) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(hi.Int64), 32)
	return n.Add(n, big.NewInt(lo.Int64))
}

// Roll implements record.Roller.
func (t *tx) Roll(ctx context.Context, q record.RollQuery) (map[id.ID]record.Rolled, error) {
	if len(q.IDs) == 0 {
		return nil, nil
	}
	if q.By != nil {
		return t.edges(ctx, &q)
	}
	x, joins, money := "1", "", false
	if q.Source != nil {
		money = q.Source.Type == schema.Money
		switch {
		case q.Source.Computed():
			var err error
			if x, joins, err = compile.ExpressionOf(t.store.environment(), q.Object, q.Source, false); err != nil {
				return nil, err
			}
		case money:
			x = "t." + dialect.Quote(columnName(q.Object, q.Source, schema.Base))
		default:
			x = "t." + dialect.Quote(columnName(q.Object, q.Source, schema.Main))
		}
	}
	r, err := t.rolling(&q, joins)
	if err != nil {
		return nil, err
	}
	text := "SELECT " + r.via + ", count(*), count(" + x + "), min(" + x + "), max(" + x + ")" + total(x)
	kept := money && !q.Source.Computed()
	if kept { // the amounts as they were entered, of use where all share a currency
		a, c := "t."+dialect.Quote(columnName(q.Object, q.Source, schema.Main)), "t."+dialect.Quote(columnName(q.Object, q.Source, schema.Currency))
		text += ", count(" + a + "), min(" + c + "), max(" + c + "), min(" + a + "), max(" + a + ")" + total(a)
	}
	out := map[id.ID]record.Rolled{}
	err = Each(ctx, t.c, func(rows *sql.Rows) error {
		var parent int64
		var v record.Rolled
		var least, most, hi, lo, aLeast, aMost, aHi, aLo sql.NullInt64
		var first, last sql.NullString
		dest := []any{&parent, &v.Rows, &v.Values, &least, &most, &hi, &lo}
		if kept {
			dest = append(dest, &v.Amounts, &first, &last, &aLeast, &aMost, &aHi, &aLo)
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		v.Least, v.Most, v.Sum = least.Int64, most.Int64, joinHalves(hi, lo)
		if kept && first.Valid && first.String == last.String {
			v.Currency, v.AmountLeast, v.AmountMost, v.AmountSum = first.String, aLeast.Int64, aMost.Int64, joinHalves(aHi, aLo)
		}
		out[id.ID(parent)] = v
		return nil
	}, text+r.from+" GROUP BY "+r.via, r.args...)
	return out, err
}

// edges finds the first or last record of each group.
func (t *tx) edges(ctx context.Context, q *record.RollQuery) (map[id.ID]record.Rolled, error) {
	r, err := t.rolling(q, "")
	if err != nil {
		return nil, err
	}
	role := schema.Main
	if q.By.Type == schema.Money {
		role = schema.Base
	}
	by := "t." + dialect.Quote(columnName(q.Object, q.By, role))
	desc := ""
	if q.Last {
		desc = " DESC"
	}
	text := "SELECT via, id FROM (SELECT " + r.via + " AS via, t.id AS id, row_number() OVER (PARTITION BY " + r.via + " ORDER BY " + by + desc + ", t.id" + desc + ") AS place" +
		r.from + " AND " + by + " IS NOT NULL) e WHERE place = 1"
	out := map[id.ID]record.Rolled{}
	err = Each(ctx, t.c, func(rows *sql.Rows) error {
		var parent, rec int64
		err := rows.Scan(&parent, &rec)
		out[id.ID(parent)] = record.Rolled{Record: id.ID(rec)}
		return err
	}, text, r.args...)
	return out, err
}
