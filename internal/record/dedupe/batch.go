package dedupe

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Matcher compares the rows of an import with the records of an object and with the rows before them. What is stored is read once
// and kept as keyed hashes of the blocks of the rules, about a hundred bytes a record; a batch of rows then asks the store one
// question, for the records that share a block with any of them. It belongs to one goroutine and to one import.
type Matcher struct {
	s      *Service
	c      *comparer
	blocks []block
	seed   maphash.Seed
	single bool // few rows: stored records are found by the indexes of the store, one row at a time

	ids   []id.ID           // by place
	head  map[uint64]uint32 // key → its last node, counted from 1
	nodes []node
	rows  map[id.ID]*read // rows that may not be stored yet
	order []id.ID         // of rows, the oldest first
	keep  int             // how many of them are kept
	keys  []uint64
}

// node is a record in a block.
type node struct{ rec, next uint32 }

// Twin is what a row may be: the likest record.
type Twin struct {
	Record  id.ID
	Score   int // per cent
	Rule    string
	Sure    bool
	Reasons []Reason
}

// Job says what a Matcher is for.
type Job struct {
	Object string
	Fields []string // that the rows have
	// Few says that there are too few rows for reading everything that is stored.
	Few bool
	// Window is how many rows at most are not stored yet when those after them are compared.
	Window int
}

// chainMost is how many records of a block a row is compared with, from the newest.
const chainMost = 40

// Matcher makes a Matcher of the rules for imports; ok is false when no rule can hold of rows with these fields. The records that are
// compared with are all, whoever sees them: what is told of one is the caller's to decide.
func (s *Service) Matcher(ctx context.Context, j Job) (m *Matcher, ok bool, err error) {
	obj, err := s.object(ctx, j.Object, access.ImportRun)
	if err != nil {
		return nil, false, err
	}
	rules, err := s.rules(ctx, obj)
	if err != nil {
		return nil, false, err
	}
	c := newComparer(obj, rules.Rules, func(r *Rule) bool {
		return r.on(OnImport) && !slices.ContainsFunc(r.Parts, func(p Part) bool { return p.Needed && !slices.Contains(j.Fields, p.Field) })
	})
	if len(c.rules) == 0 {
		return nil, false, nil
	}
	m = &Matcher{s: s, c: c, blocks: c.blocks(), seed: maphash.MakeSeed(), single: j.Few, head: map[uint64]uint32{}, rows: map[id.ID]*read{}, keep: max(j.Window, 1)}
	if !j.Few {
		err = m.load(s.cfg.System(ctx))
	}
	if err != nil {
		return nil, false, fmt.Errorf("read what rows of %s may be: %w", j.Object, err)
	}
	return m, true, nil
}

// load puts all stored records into their blocks.
func (m *Matcher) load(ctx context.Context) error {
	type page struct {
		rows []record.Compared
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan page, 2)
	go func() { // reading and hashing take a processor each
		defer close(pages)
		for before := id.ID(0); ; {
			rows, err := m.s.cfg.Records.CompareScan(ctx, m.c.obj.Key, before, scanPage, m.c.facets)
			select {
			case pages <- page{rows, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || len(rows) < scanPage {
				return
			}
			before = rows[len(rows)-1].ID
		}
	}()
	defer func() {
		cancel()
		for range pages { //nolint:revive // until the reader has ended
		}
	}()
	for pg := range pages {
		if pg.err != nil {
			return pg.err
		}
		for i := range pg.rows {
			m.insert(m.c.read(&pg.rows[i]), nil)
		}
	}
	return ctx.Err()
}

// insert puts a record into its blocks; meets is told of every record that it finds there.
func (m *Matcher) insert(r *read, meets func(id.ID)) {
	rec := uint32(len(m.ids)) //nolint:gosec // below four thousand million
	m.ids = append(m.ids, r.id)
	m.keys = m.keys[:0]
	for n := range m.blocks {
		m.keys = m.c.keys(m.seed, n, &m.blocks[n], r, m.keys)
	}
	slices.Sort(m.keys)
	for _, k := range slices.Compact(m.keys) {
		last := m.head[k]
		for at, n := last, 0; meets != nil && at != 0 && n < chainMost; n++ {
			meets(m.ids[m.nodes[at-1].rec])
			at = m.nodes[at-1].next
		}
		m.nodes = append(m.nodes, node{rec, last})
		m.head[k] = uint32(len(m.nodes)) //nolint:gosec // below four thousand million
	}
}

// Next compares the rows that follow; ids are those that they will have when they are imported. The answer is aligned with them, nil
// for a row that is like nothing.
func (m *Matcher) Next(ctx context.Context, ids []id.ID, rows []record.Input) ([]*Twin, error) {
	ctx = m.s.cfg.System(ctx)
	compared, err := m.s.cfg.Records.CompareInputs(ctx, m.c.obj.Key, rows, m.c.facets)
	if err != nil {
		return nil, fmt.Errorf("compare rows of %s: %w", m.c.obj.Key, err)
	}
	mine, meets := make([]*read, len(rows)), make([][]id.ID, len(rows))
	var stored []id.ID
	for i := range rows {
		compared[i].ID = ids[i]
		mine[i] = m.c.read(&compared[i])
		m.insert(mine[i], func(v id.ID) {
			if !slices.Contains(meets[i], v) {
				meets[i] = append(meets[i], v)
			}
		})
		m.rows[ids[i]], m.order = mine[i], append(m.order, ids[i])
		for _, v := range meets[i] {
			if m.rows[v] == nil {
				stored = append(stored, v)
			}
		}
	}
	reads, err := m.read(ctx, stored)
	if err != nil {
		return nil, err
	}
	out := make([]*Twin, len(rows))
	for i := range rows {
		for _, v := range meets[i] {
			other := m.rows[v]
			if other == nil {
				other = reads[v]
			}
			if other == nil {
				continue
			}
			if h, ok := m.c.best(mine[i], other); ok {
				out[i] = better(out[i], h, v)
			}
		}
		if m.single {
			found, err := m.s.candidates(ctx, m.c, 0, rows[i])
			if err != nil {
				return nil, fmt.Errorf("look for duplicates of %s: %w", m.c.obj.Key, err)
			}
			for _, f := range found {
				if !f.deleted {
					out[i] = better(out[i], f.hit, f.id)
				}
			}
		}
	}
	for len(m.order) > m.keep {
		delete(m.rows, m.order[0])
		m.order = m.order[1:]
	}
	return out, nil
}

// better is the likelier of what was found and a further hit; of two alike the older record.
func better(t *Twin, h hit, v id.ID) *Twin {
	if t != nil && (t.Score > h.score || t.Score == h.score && (t.Sure && !h.rule.Sure || t.Sure == h.rule.Sure && t.Record <= v)) {
		return t
	}
	return &Twin{Record: v, Score: h.score, Rule: h.rule.Key, Sure: h.rule.Sure, Reasons: h.reasons}
}

// read brings what is compared of stored records.
func (m *Matcher) read(ctx context.Context, ids []id.ID) (map[id.ID]*read, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	out := make(map[id.ID]*read, len(ids))
	for part := range slices.Chunk(ids, scanPage) {
		rows, err := m.s.cfg.Records.Compare(ctx, m.c.obj.Key, part, m.c.facets)
		if err != nil {
			return nil, fmt.Errorf("compare %s: %w", m.c.obj.Key, err)
		}
		for i := range rows {
			if !rows[i].Deleted {
				out[rows[i].ID] = m.c.read(&rows[i])
			}
		}
	}
	return out, nil
}
