package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Actions implements action.Facts: conditions of plays are columns of one statement over all customers.
type Actions struct {
	a *Audience
}

var _ action.Facts = (*Actions)(nil)

// NewActions asks the audience.
func NewActions(a *Audience) *Actions { return &Actions{a} }

func actionFamily() table {
	return family(action.Family, texts(action.PlayTraits()...), ints(action.GainTraits()...))
}

const (
	// Beside the conditions: the stage and what a purchase is worth.
	actionHead = `SELECT t.id AS id, ak.class_key AS stage, COALESCE(av.expected_basket, ao.average_basket) AS basket, ao.spend_365d AS year, av.clv AS clv`
	actionTail = ` LEFT JOIN ` + FamilyOrder + ` ao ON ao.customer_id = t.id LEFT JOIN m_value av ON av.customer_id = t.id
LEFT JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) ak ON ak.customer_id = t.id`

	actionUsual = `SELECT COALESCE(gx_div(CAST(sum(spend_total) AS BIGINT), CAST(sum(orders) AS BIGINT)), 0), COALESCE(gx_div(CAST(sum(spend_365d) AS BIGINT), count(*)), 0)
FROM ` + FamilyOrder + ` WHERE orders > 0`
	actionBought = `SELECT customer_id, count(*), CAST(sum(amount) AS BIGINT) FROM f_purchase WHERE day > CAST(? AS BIGINT) AND day <= CAST(? AS BIGINT) GROUP BY customer_id`
	// A line for each play of a customer.
	actionLines = `SELECT customer_id, next_action AS play, next_gain AS gain FROM m_action WHERE next_action IS NOT NULL
 UNION ALL SELECT customer_id, next_action_2, next_gain_2 FROM m_action WHERE next_action_2 IS NOT NULL
 UNION ALL SELECT customer_id, next_action_3, next_gain_3 FROM m_action WHERE next_action_3 IS NOT NULL`
)

func actionTexts() []Text {
	return []Text{{"usual purchases", actionUsual}, {"who bought in a window", actionBought}, {"lines of plays", actionLines},
		{"eligible for plays", eligibleText(several{columns: ", TRUE AS h0"}, 1, "")}}
}

func eligibleText(c several, n int, who string) string {
	holds := make([]string, n)
	for i := range holds {
		holds[i] = "h" + strconv.Itoa(i)
	}
	return "SELECT * FROM (" + actionHead + c.columns + " FROM a_customer t" + c.Joins + actionTail + who + ") q WHERE " + strings.Join(holds, " OR ")
}

// Eligible implements action.Facts.
func (f *Actions) Eligible(ctx context.Context, plays []*query.Node, customers []id.ID, yield func(c *action.Candidate) error) error {
	cases, err := f.a.cases(plays)
	if err != nil {
		return err
	}
	more, who := []any{classify.Lifecycle}, ""
	if customers != nil {
		who = " WHERE t.id IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(customers)), ", ") + ")"
		for _, c := range customers {
			more = append(more, int64(c))
		}
	}
	c := action.Candidate{Holds: make([]bool, len(plays))}
	var stage sql.NullString
	var basket, year, future sql.NullInt64
	dst := []any{&c.Customer, &stage, &basket, &year, &future}
	for i := range c.Holds {
		dst = append(dst, &c.Holds[i])
	}
	known := func(v sql.NullInt64) int64 {
		if v.Valid {
			return v.Int64
		}
		return -1
	}
	ask := func(q Querier) error {
		return each(ctx, q, eligibleText(cases, len(plays), who), slices.Concat(cases.args, cases.JoinArgs, more), func(r *sql.Rows) error {
			if err := r.Scan(dst...); err != nil {
				return err
			}
			c.Stage, c.Basket, c.Year, c.Future = stage.String, known(basket), known(year), known(future)
			return yield(&c)
		})
	}
	if customers != nil {
		err = ask(f.a.store.db)
	} else {
		err = wide(ctx, f.a.store.db, ask)
	}
	if err != nil {
		return fmt.Errorf("who is eligible for plays: %w", err)
	}
	return nil
}

// Works implements action.Facts.
func (f *Actions) Works(where *query.Node) error {
	env := f.a.env()
	_, err := compile.Analytics(env, env.Registry.Object(customer), where)
	return err
}

// Usual implements action.Facts.
func (f *Actions) Usual(ctx context.Context) (basket, year int64, err error) {
	_, err = one(ctx, f.a.store.db, actionUsual, nil, &basket, &year)
	return basket, year, err
}

// Replace implements action.Facts.
func (f *Actions) Replace(ctx context.Context, at int64, mark string, rows func(yield func(int64, []action.Ranked) bool)) (int64, error) {
	return f.a.store.ReplaceFamily(ctx, action.Family, action.Columns(), at, mark, func(yield func(int64, []any) bool) error {
		values := make([]any, len(action.Columns()))
		rows(func(customer int64, best []action.Ranked) bool {
			clear(values)
			for i, b := range best {
				values[i], values[action.Shown+i] = b.Play, b.Gain
			}
			return yield(customer, values)
		})
		return nil
	})
}

// Bought implements action.Facts.
func (f *Actions) Bought(ctx context.Context, from, to clock.Day, yield func(customer, orders, revenue int64)) error {
	return each(ctx, f.a.store.db, actionBought, []any{int64(from), int64(to)}, func(r *sql.Rows) error {
		var customer, orders, revenue int64
		if err := r.Scan(&customer, &orders, &revenue); err != nil {
			return err
		}
		yield(customer, orders, revenue)
		return nil
	})
}

// Work implements action.Facts.
func (f *Actions) Work(ctx context.Context, n action.Need) (lines []action.Line, total int64, err error) {
	from, args, err := f.a.within(customer, n.Where, n.Limits)
	if err != nil {
		return nil, 0, err
	}
	text := " FROM (" + actionLines + ") x WHERE x.customer_id IN (SELECT t.id" + from + ")"
	if n.Play != "" {
		text += " AND x.play = CAST(? AS TEXT)"
		args = append(args, n.Play)
	}
	total = -1
	if n.Count {
		if _, err := one(ctx, f.a.store.db, "SELECT count(*)"+text, args, &total); err != nil {
			return nil, 0, fmt.Errorf("count what is to be done: %w", err)
		}
	}
	err = each(ctx, f.a.store.db, "SELECT x.customer_id, x.play, x.gain"+text+" ORDER BY x.gain DESC NULLS LAST, x.customer_id, x.play LIMIT ? OFFSET ?", append(args, int64(n.Limit), int64(n.Offset)), func(r *sql.Rows) error {
		var l action.Line
		var who int64
		err := r.Scan(&who, &l.Play, &l.Gain)
		l.Customer = id.ID(who)
		lines = append(lines, l)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list what is to be done: %w", err)
	}
	return lines, total, nil
}

// Count implements action.Facts.
func (f *Actions) Count(ctx context.Context, where *query.Node) (n int64, err error) {
	err = f.a.alone(ctx, func() error {
		got, err := f.a.count(ctx, customer, where)
		n = int64(got)
		return err
	})
	return n, err
}
