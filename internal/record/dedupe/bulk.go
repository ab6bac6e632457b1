package dedupe

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

const (
	scanPage  = 2000
	scoreMany = 20_000
	// A block with more records than this says little: each is compared with its nearest neighbours alone.
	blockMost = 60
	neighbour = 20
	pairsMost = 8_000_000
)

// Pair is two records that may be the same; A is the older.
type Pair struct {
	A, B    id.ID
	Group   id.ID // the oldest record of all that hang together
	Score   int   // per cent
	Rule    string
	Sure    bool
	Later   bool // put off by somebody
	Reasons []Reason
}

// Progress is how far a search over everything is.
type Progress struct {
	Scanned int
	Pairs   int // candidates to compare
	Scored  int
	Found   int
}

// member is a record in a block.
type member struct {
	key uint64
	rec uint32
}

// search looks through the live records of an object, at most limit from the newest (0: all), and gives the pairs that rules hold of.
// known pairs are left out. The memory it takes is about 100 bytes a record.
func search(ctx context.Context, records Records, c *comparer, limit int, known map[[2]id.ID]bool, tell func(Progress)) ([]Pair, error) {
	var p Progress
	ids, members, err := scan(ctx, records, c, limit, &p, tell)
	if err != nil {
		return nil, err
	}
	candidates := meet(members)
	p.Pairs = len(candidates)
	tell(p)
	var out []Pair
	for part := range slices.Chunk(candidates, scoreMany) {
		found, err := score(ctx, records, c, ids, part)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !known[[2]id.ID{f.A, f.B}] {
				out = append(out, f)
			}
		}
		p.Scored, p.Found = p.Scored+len(part), len(out)
		tell(p)
	}
	gather(out)
	return out, nil
}

// scan reads all records once and keeps the hashes of their blocks.
func scan(ctx context.Context, records Records, c *comparer, limit int, p *Progress, tell func(Progress)) ([]id.ID, []member, error) {
	type page struct {
		rows []record.Compared
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan page, 2)
	go func() { // reading and hashing take a processor each
		defer close(pages)
		var before id.ID
		for got := 0; ; {
			rows, err := records.CompareScan(ctx, c.obj.Key, before, scanPage, c.facets)
			if err == nil {
				err = ctx.Err()
			}
			select {
			case pages <- page{rows, err}:
			case <-ctx.Done():
				return
			}
			if got += len(rows); err != nil || len(rows) < scanPage || limit > 0 && got >= limit {
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
	seed, blocks := maphash.MakeSeed(), c.blocks()
	var ids []id.ID
	var members []member
	var keys []uint64
	for pg := range pages {
		if pg.err != nil {
			return nil, nil, pg.err
		}
		for i := range pg.rows {
			r := c.read(&pg.rows[i])
			rec := uint32(len(ids)) //nolint:gosec // below four thousand million
			ids = append(ids, r.id)
			keys = keys[:0]
			for n := range blocks {
				keys = c.keys(seed, n, &blocks[n], r, keys)
			}
			for _, k := range keys {
				members = append(members, member{k, rec})
			}
		}
		p.Scanned = len(ids)
		tell(*p)
	}
	return ids, members, ctx.Err()
}

// meet are the pairs of records that share a block, each once: the lower place in the upper half.
func meet(members []member) []uint64 {
	slices.SortFunc(members, func(a, b member) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.rec, b.rec)) })
	var out []uint64
	for i := 0; i < len(members); {
		j := i
		for j < len(members) && members[j].key == members[i].key {
			j++
		}
		reach := j - i
		if reach > blockMost {
			reach = neighbour
		}
		for x := i; x < j && len(out) < pairsMost; x++ {
			for y := x + 1; y < min(j, x+reach); y++ {
				if members[x].rec != members[y].rec {
					out = append(out, uint64(members[x].rec)<<32|uint64(members[y].rec))
				}
			}
		}
		i = j
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// score compares candidates in full.
func score(ctx context.Context, records Records, c *comparer, ids []id.ID, candidates []uint64) ([]Pair, error) {
	var want []id.ID
	for _, pair := range candidates {
		want = append(want, ids[pair>>32], ids[pair&0xffffffff])
	}
	slices.Sort(want)
	want = slices.Compact(want)
	reads := make(map[id.ID]*read, len(want))
	for part := range slices.Chunk(want, scanPage) {
		rows, err := records.Compare(ctx, c.obj.Key, part, c.facets)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if !rows[i].Deleted {
				reads[rows[i].ID] = c.read(&rows[i])
			}
		}
	}
	var out []Pair
	for _, pair := range candidates {
		a, b := reads[ids[pair>>32]], reads[ids[pair&0xffffffff]]
		if a == nil || b == nil { // gone meanwhile
			continue
		}
		if a.id > b.id {
			a, b = b, a
		}
		if h, ok := c.best(a, b); ok {
			out = append(out, Pair{A: a.id, B: b.id, Score: h.score, Rule: h.rule.Key, Sure: h.rule.Sure, Reasons: h.reasons})
		}
	}
	return out, nil
}

// gather gives every pair the group it hangs together with.
func gather(pairs []Pair) {
	up := map[id.ID]id.ID{}
	root := func(v id.ID) id.ID {
		for {
			to, ok := up[v]
			if !ok || to == v {
				return v
			}
			if next, ok := up[to]; ok {
				up[v] = next // halve the way
			}
			v = to
		}
	}
	for i := range pairs {
		a, b := root(pairs[i].A), root(pairs[i].B)
		if a != b {
			up[max(a, b)] = min(a, b)
		}
	}
	for i := range pairs {
		pairs[i].Group = root(pairs[i].A)
	}
}
