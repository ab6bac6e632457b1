package mirror

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Difference is a relation that does not hold what the records hold.
type Difference struct {
	Object           string
	Records, Mirror  int64 // rows
	ChecksumsDiffer  bool
	recordSums, sums []int64
}

// Report is the result of a comparison.
type Report struct {
	Objects     int
	Rows        int64
	Differences []Difference
}

// Equal reports whether nothing differed.
func (r Report) Equal() bool { return len(r.Differences) == 0 }

// attempts is how often a comparison is made before writes in between are no longer an excuse.
const attempts = 4

// Reconcile compares every relation with its records by count and sums, after applying all changes. Records written during
// the comparison show as differences, so what differs is drained and compared again.
func (m *Mirror) Reconcile(ctx context.Context) (Report, error) {
	var rep Report
	relations := analytics.Relations(m.c.Registry())
	rep.Objects = len(relations)
	counts := map[string]int64{}
	for range attempts {
		if err := m.Drain(ctx); err != nil {
			return rep, err
		}
		rep.Differences = nil
		var left []analytics.Relation
		for _, r := range relations {
			d, n, err := m.compare(ctx, r)
			if err != nil {
				return rep, fmt.Errorf("compare %s: %w", r.Name, err)
			}
			counts[r.Name] = n
			if d != nil {
				rep.Differences = append(rep.Differences, *d)
				left = append(left, r)
			}
		}
		if len(left) == 0 {
			break
		}
		relations = left
	}
	for _, n := range counts {
		rep.Rows += n
	}
	return rep, nil
}

func (m *Mirror) compare(ctx context.Context, r analytics.Relation) (*Difference, int64, error) {
	m.work.Lock()
	defer m.work.Unlock()
	want, err := m.c.Records.Sums(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	rows, err := m.c.DB.Query(ctx, "SELECT "+strings.Join(sums(r), ", ")+" FROM "+analytics.Quote(r.Name))
	if err != nil {
		return nil, 0, err
	}
	got, err := scanSums(rows, len(want))
	if err != nil {
		return nil, 0, err
	}
	if slices.Equal(want, got) {
		return nil, got[0], nil
	}
	return &Difference{Object: r.Object.Key, Records: want[0], Mirror: got[0], ChecksumsDiffer: !slices.Equal(want[1:], got[1:]),
		recordSums: want, sums: got}, got[0], nil
}
