package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

const (
	// muchSeen is how many records a reader sees at least for whom a list is walked in its order until a page is full. For one who sees
	// fewer the index of what is seen is read whole and sorted. Both cost about the same at this size in a million.
	muchSeen = 5000
	// sightFor is how long the store remembers which of the two a reader is.
	sightFor = time.Minute
	sightMax = 2000
)

// sights remembers whether limits leave much.
type sights struct {
	mu   sync.Mutex
	seen map[string]sight
}

type sight struct {
	much  bool
	until time.Time
}

func (s *sights) find(key string, now time.Time) (much, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.seen[key]
	return v.much, ok && now.Before(v.until)
}

func (s *sights) keep(key string, much bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= sightMax {
		s.seen = map[string]sight{}
	}
	s.seen[key] = sight{much, now.Add(sightFor)}
}

// within compiles a selection with its limits. SQLite takes an index of what limits name (the owner, mostly) for the best way into any
// list; where they leave much their condition is written so that it can only be tested ("+" before it), and the list is walked in
// its order or by the index of what was asked. PostgreSQL's planner chooses by itself.
func (t *tx) within(ctx context.Context, obj *schema.Object, sel record.Selection) (compile.Fragment, error) {
	env := t.store.environment()
	l := sel.Limits
	if sel.Where == nil && l == nil {
		return compile.Fragment{}, nil
	}
	if l == nil || l.Rows == nil || sel.IDs != nil || sel.Deleted || sel.Binned || t.c.Dialect().Name() != (dialect.SQLite{}).Name() {
		return compile.RecordsWithin(env, obj, sel.Where, l)
	}
	rows, err := compile.RecordsWithin(env, obj, nil, &query.Limits{Rows: l.Rows})
	if err != nil || rows.Joins != "" {
		return compile.RecordsWithin(env, obj, sel.Where, l)
	}
	much, err := t.sees(ctx, obj, rows)
	if err != nil || !much {
		if err != nil {
			return compile.Fragment{}, err
		}
		return compile.RecordsWithin(env, obj, sel.Where, l)
	}
	f, err := compile.RecordsWithin(env, obj, sel.Where, &query.Limits{Of: l.Of})
	f.Where = "(" + f.Where + ") AND +(" + rows.Where + ")"
	f.Args = append(f.Args, rows.Args...)
	return f, err
}

// sees reports whether limits without joins leave much.
func (t *tx) sees(ctx context.Context, obj *schema.Object, rows compile.Fragment) (bool, error) {
	var b strings.Builder
	b.WriteString(obj.Key + "|" + rows.Where)
	for _, a := range rows.Args {
		fmt.Fprintf(&b, "|%T:%v", a, a)
	}
	key, now := b.String(), t.store.clock.Now()
	if much, known := t.store.sights.find(key, now); known {
		return much, nil
	}
	var n int64
	text := "SELECT count(*) FROM (SELECT 1 FROM " + dialect.Quote(obj.Physical) + " t WHERE t.deleted_at IS NULL AND (" + rows.Where + ") LIMIT ?) n"
	if _, err := t.c.QueryRow(ctx, []any{&n}, text, append(append([]any{}, rows.Args...), int64(muchSeen))...); err != nil {
		return false, err
	}
	t.store.sights.keep(key, n >= muchSeen, now)
	return n >= muchSeen, nil
}
