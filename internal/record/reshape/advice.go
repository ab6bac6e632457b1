package reshape

import (
	"context"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// SlowFrom is from when a list counts as slow: people notice it.
const SlowFrom = 200 * time.Millisecond

// buckets of the times of answers: the n-th counts those below 2^n milliseconds, the last all others.
const buckets = 16

// Question is a kind of list with how long its answers took.
type Question struct {
	Object string
	Fields []string
	Sort   string
	Asked  int64
	Slow   int64
	Times  [buckets]int64
	LastAt time.Time
}

// P95 is the time within which 95 of 100 answers came, as far as the buckets tell: an upper bound, at most twice the true one.
func (q *Question) P95() time.Duration {
	sum := int64(0)
	for n, count := range q.Times {
		if sum += count; sum*100 >= q.Asked*95 {
			return time.Duration(1<<n) * time.Millisecond
		}
	}
	return time.Duration(1<<(buckets-1)) * time.Millisecond
}

// Questions keeps kinds of lists.
type Questions interface {
	// AddQuestions adds to what is kept of each kind.
	AddQuestions(ctx context.Context, list []Question) error
	// Questions reads those of an object that were slow, those that cost most time first.
	Questions(ctx context.Context, object string, limit int) ([]Question, error)
}

// maxKinds bounds what is held in memory between two flushes; more kinds than that are let go.
const maxKinds = 2000

// Adviser watches lists and tells which fields an index would help. It is safe for concurrent use.
type Adviser struct {
	store Questions
	clock clock.Clock
	mu    sync.Mutex
	kinds map[string]*Question
}

// NewAdviser watches lists for a store.
func NewAdviser(s Questions, c clock.Clock) *Adviser {
	return &Adviser{store: s, clock: c, kinds: map[string]*Question{}}
}

// Note takes in how a list was asked.
func (a *Adviser) Note(x record.Asked) {
	key := x.Object + "\x00" + strings.Join(x.Fields, ",") + "\x00" + x.Sort
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.kinds[key]
	if q == nil {
		if len(a.kinds) >= maxKinds {
			return
		}
		q = &Question{Object: x.Object, Fields: slices.Clone(x.Fields), Sort: x.Sort}
		a.kinds[key] = q
	}
	q.Asked++
	if x.Took >= SlowFrom {
		q.Slow++
	}
	q.Times[min(bits.Len64(uint64(max(0, x.Took.Milliseconds()))), buckets-1)]++
	q.LastAt = a.clock.Now()
}

// Flush stores what was noted. Kinds of which no list was slow are stored too: how rare slow ones are is part of the answer.
func (a *Adviser) Flush(ctx context.Context) error {
	a.mu.Lock()
	kinds := a.kinds
	a.kinds = map[string]*Question{}
	a.mu.Unlock()
	if len(kinds) == 0 {
		return nil
	}
	list := make([]Question, 0, len(kinds))
	for _, q := range kinds {
		list = append(list, *q)
	}
	slices.SortFunc(list, func(x, y Question) int {
		return strings.Compare(x.Object+strings.Join(x.Fields, ",")+x.Sort, y.Object+strings.Join(y.Fields, ",")+y.Sort)
	})
	return a.store.AddQuestions(ctx, list)
}

// Advice is a kind of list that is slow, and the field whose index would help; "" when all that can have one do.
type Advice struct {
	Question
	Propose string
}

// Advise tells which lists of an object are slow and what would help.
func (a *Adviser) Advise(ctx context.Context, obj *schema.Object) ([]Advice, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	if err := a.Flush(ctx); err != nil {
		return nil, err
	}
	list, err := a.store.Questions(ctx, obj.Key, 50)
	out := make([]Advice, len(list))
	for i, q := range list {
		out[i] = Advice{Question: q, Propose: propose(obj, &q)}
	}
	return out, err
}

// propose is the first field of a question that could have an index and has none: of the condition, then of the order.
func propose(obj *schema.Object, q *Question) string {
	for _, path := range append(slices.Clone(q.Fields), q.Sort) {
		f := obj.Field(path)
		if f == nil || schema.System(path) == f || f.Computed() || f.Indexed || f.Unique || f.Type == schema.Relation {
			continue
		}
		switch f.Type {
		case schema.JSON, schema.LongText, schema.RelationMany, schema.Address, schema.MultiChoice, schema.Tags, schema.File, schema.Image:
			continue
		}
		return path
	}
	return ""
}
