package record

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Broad is a second holder of the records, by columns: it answers lists that no index of the store serves. Its answers are
// those of the store at a position that it had reached when it was asked.
type Broad interface {
	// Select are the ids of a page in order; ok is false when it does not hold what is asked, or is behind the store.
	Select(ctx context.Context, obj *schema.Object, sel Selection) (ids []id.ID, ok bool, err error)
	// Count counts, stopping at limit (0 counts all).
	Count(ctx context.Context, obj *schema.Object, sel Selection, limit int) (n int, ok bool, err error)
}

const (
	// patience is how long the store may look for a page before Broad is asked: what an index serves takes a few milliseconds.
	// Where more look at once than there are processors each takes as much longer.
	patience = 60 * time.Millisecond
	// surely is how long it may look where it begins with few records: what takes long then is their first reading from the disk.
	surely = time.Second
	// A kind of question that took longer so many times, and never less in between, goes to Broad at once for so long.
	slowTimes = 3
	slowFor   = 5 * time.Minute
	slowMax   = 1000
	// One of so many is still put to the store, which grows quick as what it reads comes into memory.
	slowTry = 25
)

// slowly remembers the kinds of questions that the store answers slowly.
type slowly struct {
	mu   sync.Mutex
	seen map[string]slowness
}

type slowness struct {
	times, asked int
	until        time.Time
}

// is reports whether a question is not to be put to the store.
func (s *slowly) is(kind string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.seen[kind]
	if k.times < slowTimes || !now.Before(k.until) {
		return false
	}
	k.asked++
	s.seen[kind] = k
	return k.asked%slowTry != 0
}

func (s *slowly) note(kind string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= slowMax {
		s.seen = map[string]slowness{}
	}
	k := s.seen[kind]
	s.seen[kind] = slowness{k.times + 1, k.asked, now.Add(slowFor)}
}

// forget is told that a question of a kind was answered in time.
func (s *slowly) forget(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, kind)
}

// broad reports whether a page may come from Broad, and names the kind of question: what is asked without the values.
func (l *listing) broad(ctx context.Context) (kind string, ok bool) {
	if l.s.cfg.Broad == nil || !l.sh.obj.Analytic || l.sel.Where == nil && !l.sortsComputed() && (l.sel.Limits == nil || l.sel.Limits.Rows == nil) || l.sel.Deleted || l.sel.IDs != nil || l.search.given {
		return "", false
	}
	var b strings.Builder
	b.WriteString(l.sh.obj.Key)
	if l.sel.Limits != nil { // what is slow for one who sees little is not for one who sees much
		b.WriteString("|" + string(access.From(ctx).Role) + " " + id.Format("p", access.From(ctx).Person))
	}
	query.Walk(l.sel.Where, func(n *query.Node, _ string) bool {
		b.WriteString("|" + n.Kind() + " " + n.Field + " " + n.Op)
		return true
	})
	for _, k := range l.sel.Sort {
		b.WriteString("|" + k.Field)
	}
	if l.q.Total != "" {
		b.WriteString("|" + l.q.Total)
	}
	return b.String(), true
}

// fetch reads the rows of a page, one more than its limit when there is a next one, and its total.
func (l *listing) fetch(ctx context.Context, page *Page) (rows []Row, more bool, err error) {
	defer l.asked(l.s.cfg.Clock.Now())
	kind, can := l.broad(ctx)
	if !can {
		rows, err = l.narrow(ctx, page)
		return rows, len(rows) > l.q.Limit, err
	}
	if !l.s.slow.is(kind, l.s.cfg.Clock.Now()) {
		looking := l.s.looking.Add(1)
		var late bool
		rows, late, err = l.hasty(ctx, page, patience*max(1, time.Duration(looking)/time.Duration(runtime.GOMAXPROCS(0))))
		l.s.looking.Add(-1)
		if err == nil {
			l.s.slow.forget(kind)
		}
		if !late {
			return rows, len(rows) > l.q.Limit, err
		}
		l.s.slow.note(kind, l.s.cfg.Clock.Now())
	}
	rows, more, ok, err := l.wide(ctx, page)
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, err
		}
		l.s.cfg.Log.Error("list from the analytics plane", "object", l.sh.obj.Key, "error", err)
	}
	if err == nil && ok {
		page.AsOf = l.s.cfg.Clock.Now()
		return rows, more, nil
	}
	page.Total, page.TotalIsEstimate = 0, false
	rows, err = l.narrow(ctx, page)
	return rows, len(rows) > l.q.Limit, err
}

// hasty asks the store, and stops it after a while; late when nothing else ended it.
func (l *listing) hasty(ctx context.Context, page *Page, atMost time.Duration) (rows []Row, late bool, err error) {
	hasty, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := time.AfterFunc(atMost, func() { cancel(errLate) })
	defer stop.Stop()
	l.sel.Sure = func() { stop.Reset(max(atMost, surely)) }
	defer func() { l.sel.Sure = nil }()
	rows, err = l.narrow(hasty, page)
	return rows, err != nil && ctx.Err() == nil && errors.Is(context.Cause(hasty), errLate), err
}

// errLate ends a question to the store that Broad is to answer.
var errLate = errors.New("the store takes too long")

// narrow asks the store.
func (l *listing) narrow(ctx context.Context, page *Page) (rows []Row, err error) {
	err = l.s.cfg.Store.View(ctx, func(r Reader) error {
		var err error
		if rows, err = l.read(ctx, r); err != nil {
			return err
		}
		return l.count(ctx, r, page)
	})
	return rows, err
}

// wide asks Broad and fills in the rows. A record that was deleted since is left out.
func (l *listing) wide(ctx context.Context, page *Page) (rows []Row, more, ok bool, err error) {
	broad, obj := l.s.cfg.Broad, l.sh.obj
	if limit, counted, err := l.counting(); err != nil || counted {
		if err != nil {
			return nil, false, false, err
		}
		n, ok, err := broad.Count(ctx, obj, l.sel, limit)
		if err != nil || !ok {
			return nil, false, false, err
		}
		page.total(n, limit)
	}
	ids, ok, err := broad.Select(ctx, obj, l.sel)
	if err != nil || !ok {
		return nil, false, false, err
	}
	if rows, err = l.s.readSeen(ctx, obj, ids, false, l.actions...); err != nil {
		return nil, false, false, err
	}
	orderBy(rows, ids)
	more = len(ids) > l.q.Limit
	return rows, more, len(rows) > 0 || !more, nil
}
