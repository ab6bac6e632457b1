package app

import (
	"context"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// system is a context in which the program itself acts.
func system(ctx context.Context) context.Context { return access.With(ctx, access.System()) }

// people are the users of a workspace as the record engine knows them.
type people struct {
	app       *App
	workspace string
}

// Users implements record.Users.
func (p people) Users(ctx context.Context, ids []id.ID) (map[id.ID]string, error) {
	us, err := p.app.instance.ListUsers(ctx, p.workspace)
	if err != nil {
		return nil, err
	}
	wanted := make(map[id.ID]bool, len(ids))
	for _, v := range ids {
		wanted[v] = true
	}
	out := map[id.ID]string{}
	for _, u := range us {
		if wanted[u.ID] {
			out[u.ID] = u.Name
		}
	}
	return out, nil
}

// auditor writes readings of personal data into the trail.
type auditor struct {
	app       *App
	workspace string
}

// Audit implements record.Auditor.
func (a auditor) Audit(ctx context.Context, e record.AuditEntry) error {
	return a.app.auth.Note(ctx, a.workspace, e.Action, e.Object, e.Record, map[string]any{"fields": e.Fields, "count": e.Count})
}

// searchStore is the search index of the record store.
type searchStore struct{ store *sqlstore.Store }

// IndexSearch implements search.Store.
func (s searchStore) IndexSearch(ctx context.Context, put []record.Document, remove []id.ID, consumer string, to change.Position) error {
	docs := make([]sqlstore.SearchDoc, len(put))
	for i, d := range put {
		docs[i] = sqlstore.SearchDoc(d)
	}
	return s.store.IndexSearch(ctx, docs, remove, consumer, to)
}

// lister answers lists that name traits or segments.
type lister struct{ audience *analytics.Audience }

// List implements api.Lister.
func (l lister) List(ctx context.Context, q api.AnalyticQuery) (api.AnalyticPage, error) {
	p, err := l.audience.List(ctx, analytics.ListQuery{Object: q.Object, Where: q.Where, Sort: q.Sort, Offset: q.Offset, Limit: q.Limit, Count: q.Count, Limits: q.Limits})
	return api.AnalyticPage{IDs: p.IDs, Total: p.Total, AsOf: p.Fresh.AsOf, Lag: p.Fresh.Lag}, err
}

// moves are passages between classes for the timeline.
type moves struct{ store *sqlstore.Classifications }

// Moves implements timeline.Moves.
func (m moves) Moves(ctx context.Context, customer id.ID, until time.Time, limit int) ([]timeline.Passage, error) {
	got, err := m.store.MovesOf(ctx, customer, until.Add(time.Millisecond), limit)
	var out []timeline.Passage
	for _, v := range got {
		out = append(out, timeline.Passage{At: v.At, Move: timeline.Move{Classification: v.Classification, From: v.From, To: v.To, Reason: v.Reason}})
	}
	return out, err
}

// cuts are how RFM is cut.
type cuts struct{ w *workspace }

// Cuts implements api.CutService.
func (c cuts) Cuts(ctx context.Context) (api.RFM, error) {
	st, err := c.w.traits.State(ctx)
	if err != nil {
		return api.RFM{}, err
	}
	settings, err := c.w.settings(ctx)
	if err != nil {
		return api.RFM{}, err
	}
	sum, err := c.w.traits.Summary(ctx)
	if err != nil {
		return api.RFM{}, err
	}
	anchor, err := c.w.traits.Anchor(ctx)
	if err != nil {
		return api.RFM{}, err
	}
	out := api.RFM{Anchor: anchor.String(), Mode: settings.Mode, Customers: sum.Customers, Cuts: showCuts(st.Cuts)}
	if n := float64(sum.Customers); n > 0 {
		out.Means = api.RFMMeans{R: float64(sum.Recency) / n, F: float64(sum.Frequency) / n, M: float64(sum.Monetary) / n}
	}
	return out, nil
}

// SetCuts implements api.CutService. Saving without cuts keeps those of now.
func (c cuts) SetCuts(ctx context.Context, mode string, in *api.RFMCuts) (api.RFM, error) {
	settings, err := c.w.settings(ctx)
	if err != nil {
		return api.RFM{}, err
	}
	settings.Mode = mode
	if mode == trait.ModeSaved {
		st, err := c.w.traits.State(ctx)
		if err != nil {
			return api.RFM{}, err
		}
		settings.Cuts = st.Cuts
		if in != nil {
			if settings.Cuts, err = readCuts(*in); err != nil {
				return api.RFM{}, err
			}
		}
	}
	if err := settings.Check(); err != nil {
		return api.RFM{}, err
	}
	if err := c.w.store.SetSetting(ctx, analysisKey, settings); err != nil {
		return api.RFM{}, err
	}
	if _, _, err := c.w.traits.Tick(system(ctx)); err != nil {
		return api.RFM{}, err
	}
	return c.Cuts(ctx)
}

func showCuts(m rfm.Model) api.RFMCuts {
	return api.RFMCuts{R: slices.Clone(m.Recency[:]), F: slices.Clone(m.Frequency[:]), M: slices.Clone(m.Monetary[:])}
}

func readCuts(in api.RFMCuts) (m rfm.Model, err error) {
	for _, part := range []struct {
		name string
		from []int64
		to   *rfm.Cuts
	}{{"cuts.r", in.R, &m.Recency}, {"cuts.f", in.F, &m.Frequency}, {"cuts.m", in.M, &m.Monetary}} {
		if len(part.from) != len(part.to) {
			return m, fault.InvalidField("trait.bad_cuts", part.name, nil)
		}
		copy(part.to[:], part.from)
	}
	return m, nil
}
