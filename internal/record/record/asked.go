package record

import (
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Asked is how a list was asked and how long the answer took: by field keys alone, never by values or by whom.
type Asked struct {
	Object string
	Fields []string // paths that the condition names, sorted; none for a list without one
	Sort   string   // the first key of the order
	Took   time.Duration
}

// WatchLists has a watcher told of lists. It is called once, before lists are asked.
func (s *Service) WatchLists(watch func(Asked)) { s.watch = watch }

// asked tells the watcher of lists how long one took.
func (l *listing) asked(began time.Time) {
	if l.s.watch == nil || l.search.given || l.sel.IDs != nil || l.sel.Deleted {
		return
	}
	a := Asked{Object: l.sh.obj.Key, Took: l.s.cfg.Clock.Now().Sub(began)}
	query.Walk(l.sel.Where, func(n *query.Node, _ string) bool {
		if n.Field != "" && n.Kind() == "field" && !slices.Contains(a.Fields, n.Field) {
			a.Fields = append(a.Fields, n.Field)
		}
		return n.Record == ""
	})
	slices.Sort(a.Fields)
	if len(l.sel.Sort) > 0 {
		a.Sort = l.sel.Sort[0].Field
	}
	l.s.watch(a)
}
