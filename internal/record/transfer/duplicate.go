package transfer

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// What becomes of a row that looks like an existing record or like an earlier row.
const (
	duplicateSkip   = "skip"
	duplicateUpdate = "update"
	duplicateMark   = "mark"
	duplicateReview = "review"
)

// Duplicates finds records that rows may be, by the rules of their object.
type Duplicates interface {
	// Likeness prepares the comparison of the rows of one import; nil when no rule can hold of them.
	Likeness(ctx context.Context, ask LikenessFor) (Likeness, error)
}

// LikenessFor says what rows are to be compared.
type LikenessFor struct {
	Object string
	Fields []string // that the rows have
	Few    bool     // too few rows for reading everything that is stored
	Window int      // how many rows at most are not stored yet when those after them are compared
}

// Likeness compares the rows of one import, in batches and in their order, with what is stored and with the rows before.
type Likeness interface {
	// Next compares the rows that follow. ids are those that they will have when they are imported; the answer is aligned with them, nil
	// for a row that is like nothing.
	Next(ctx context.Context, ids []id.ID, rows []record.Input) ([]*Suspect, error)
}

// Suspect is the record that a row may be.
type Suspect struct {
	Record  id.ID
	Score   int // per cent
	Rule    string
	Sure    bool   // it may be updated without somebody looking at it
	Reasons []byte // as the review of duplicates keeps them
}

// Pair is two records that somebody is to look at; A is the older.
type Pair struct {
	A, B    id.ID
	Score   int
	Rule    string
	Sure    bool
	Reasons []byte
}

// Files of up to so many bytes have too few rows for reading everything that is stored.
const fewBytes = 64 << 10

// Rows whose values are kept for the comparison with later ones: those of the chunks on their way, and in a dry run, which stores
// nothing, so many that memory allows.
const (
	windowRows = 4 * plainRows
	dryRows    = 200_000
)

// suspects prepares the comparison when the import asks for it.
func (p *plain) suspects(ctx context.Context) error {
	how := p.plan.Options.Duplicates
	if p.svc.cfg.Duplicates == nil || how == "" || how == "create" || p.plan.Options.Mode == mapping.OnlyUpdate {
		return nil
	}
	ask := LikenessFor{Object: p.obj.Key, Few: p.job.Size <= fewBytes && !p.job.Mapping.Format.Gzip, Window: windowRows}
	if p.job.State.DryRun {
		ask.Window = dryRows
	}
	for i := range p.plan.Values {
		v := &p.plan.Values[i]
		key := v.Field.Key
		if v.Via != "" {
			key = v.Via
		}
		if !slices.Contains(ask.Fields, key) {
			ask.Fields = append(ask.Fields, key)
		}
	}
	var err error
	p.likely, err = p.svc.cfg.Duplicates.Likeness(ctx, ask)
	return err
}

// alike looks for records that the rows to be created may be, and does with each what the import says. A row whose match is not sure is
// left out by skip and by update, for somebody to decide: its line is in the file of rows left out, which can be imported again with
// duplicates allowed.
func (p *plain) alike(ctx context.Context, c *chunk, rows []*row, seen map[LineKey]id.ID) error {
	if p.likely == nil {
		return nil
	}
	var fresh []*row
	var ids []id.ID
	var ins []record.Input
	for _, w := range rows {
		if _, known := seen[w.line]; w.left || w.target != 0 || known && w.keys == nil {
			continue // known by its own key
		}
		if w.fresh == 0 {
			w.fresh = p.svc.cfg.Records.NewID()
		}
		fresh, ids, ins = append(fresh, w), append(ids, w.fresh), append(ins, w.in)
	}
	if len(fresh) == 0 {
		return nil
	}
	found, err := p.likely.Next(ctx, ids, ins)
	if err != nil {
		return err
	}
	titles, err := p.titles(ctx, c, found)
	if err != nil {
		return err
	}
	for i, w := range fresh {
		s := found[i]
		if s == nil {
			continue
		}
		if to, ok := p.became[s.Record]; ok { // that row was none of its own
			s.Record = to
		}
		p.suspect(c, w, s, titles)
	}
	return nil
}

// titles are those of the stored records among the suspects that the actor sees. A row of the file itself has none yet.
func (p *plain) titles(ctx context.Context, c *chunk, found []*Suspect) (map[id.ID]string, error) {
	var ids []id.ID
	for _, s := range found {
		if s == nil {
			continue
		}
		if to, ok := p.became[s.Record]; ok {
			ids = append(ids, to)
		}
		if !p.own(s.Record) {
			ids = append(ids, s.Record)
		}
	}
	out := map[id.ID]string{}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), lookupBatch) {
		list, err := p.svc.cfg.Records.GetMany(ctx, p.obj.Key, part, []string{p.obj.TitleField})
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			out[r.ID] = r.Title
		}
	}
	return out, nil
}

// own reports records that this run of the import makes.
func (p *plain) own(v id.ID) bool { return v >= p.first }

// suspect does with a row that may be a record what the import says.
func (p *plain) suspect(c *chunk, w *row, s *Suspect, titles map[id.ID]string) {
	title, visible := titles[s.Record]
	visible = visible || p.own(s.Record)
	params, variant := fault.Params{"score": s.Score}, ""
	switch {
	case !visible:
		variant = unseenRecord
	case title == "":
		variant = earlierRow
	default:
		params["record"], params["title"] = id.Format(p.obj.Prefix, s.Record), title
	}
	switch how := p.plan.Options.Duplicates; {
	case how == duplicateMark || how == duplicateReview:
		w.suspect = s
		c.report(w.number, "", fault.New(fault.Conflict, codeMarked+variant, params))
		return
	case how == duplicateUpdate && s.Sure && visible:
		w.target, w.twin = s.Record, true
		for i, k := range w.keys {
			if have, _ := p.matches[i].find(k); have == w.fresh {
				p.matches[i].putKey(k, s.Record)
			}
		}
		p.became[w.fresh] = s.Record
		w.fresh = 0
		return
	}
	p.became[w.fresh] = s.Record
	p.forget(w)
	w.left = true
	c.skipped++
	c.report(w.number, "", fault.New(fault.Conflict, codeDuplicate+variant, params))
}

// mark notes what a row that is imported all the same may be.
func (p *plain) mark(c *chunk, u *unit, w *row, v id.ID) {
	if w.suspect == nil || p.plan.Options.Duplicates != duplicateReview || w.suspect.Record == v {
		return
	}
	s := w.suspect
	u.pair = &Pair{A: min(s.Record, v), B: max(s.Record, v), Score: s.Score, Rule: s.Rule, Sure: s.Sure, Reasons: s.Reasons}
}
