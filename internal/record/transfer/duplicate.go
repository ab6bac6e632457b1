package transfer

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// What a row meets that looks like an existing record.
const (
	duplicateSkip   = "skip"
	duplicateUpdate = "update"

	codeDuplicate = "import.duplicate"
)

// Duplicates knows which existing record a row may be, by the rules of its object; nothing when there is none. sure says that the likest
// one may be updated without somebody looking at it.
type Duplicates interface {
	Existing(ctx context.Context, object string, in record.Input) (rec id.ID, title string, sure bool, err error)
}

// alike looks for existing records that the rows to be created may be, and does with each what the import says: leaves the row
// out and reports it, or updates the record. A row whose match is not sure is left out in both cases, for somebody to decide: its line is in the
// error file, which can be imported again with duplicates allowed.
func (p *plain) alike(ctx context.Context, c *chunk, rows []*row, seen map[LineKey]id.ID) error {
	how := p.plan.Options.Duplicates
	if p.svc.cfg.Duplicates == nil || how != duplicateSkip && how != duplicateUpdate {
		return nil
	}
	for _, w := range rows {
		if _, known := seen[w.line]; known && w.match == nil || w.match != nil && p.match.get(w.match) != w.fresh {
			continue // known by its own key
		}
		rec, title, sure, err := p.svc.cfg.Duplicates.Existing(ctx, p.obj.Key, w.in)
		if err != nil || rec == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if how == duplicateUpdate && sure {
			w.twin = rec
			if w.match != nil {
				p.match.put(w.match, rec)
				w.fresh = 0
			}
			continue
		}
		w.left = true
		c.skipped++
		c.report(w.number, "", fault.New(fault.Conflict, codeDuplicate, fault.Params{"record": id.Format(p.obj.Prefix, rec), "title": title}))
		p.forget(w)
	}
	return nil
}
