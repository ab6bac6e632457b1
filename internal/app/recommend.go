package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// recommendKey is the setting with the business rules of recommendations.
const recommendKey = "recommend"

// recommendRules are the business rules in force.
func (w *workspace) recommendRules(ctx context.Context) (recommend.Rules, error) {
	r := recommend.DefaultRules()
	_, err := w.store.Setting(ctx, recommendKey, &r)
	return r, err
}

// modelScores writes what models say of customers into the analytics plane.
type modelScores struct{ plane *analytics.Store }

// ReplaceFamily implements recommend.Scores.
func (s modelScores) ReplaceFamily(ctx context.Context, family string, columns []string, at int64, mark string, rows recommend.Rows) (int64, error) {
	return s.plane.ReplaceFamily(ctx, family, columns, at, mark, rows)
}

// versions are those of the model room.
type versions struct{ store room.Store }

// InUse implements recommend.Kept.
func (v versions) InUse(ctx context.Context, model string) (int64, error) {
	all, err := v.store.Standings(ctx)
	return all[model].Version, err
}

// State implements recommend.Kept.
func (v versions) State(ctx context.Context, model string, version int64) (json.RawMessage, error) {
	got, err := v.store.Version(ctx, model, version)
	return got.State, err
}

// quickFacts are the facts with one customer's read where that is quick.
type quickFacts struct {
	recommend.Facts
	pasts *sqlstore.Pasts
}

// Past implements recommend.Facts.
func (f quickFacts) Past(ctx context.Context, customer int64, until clock.Day) (recommend.Past, error) {
	return f.pasts.Past(ctx, customer, until)
}

func (w *workspace) facts() recommend.Facts {
	all := analytics.NewRecommending(w.plane)
	if !w.app.embedded() {
		return all
	}
	return quickFacts{all, sqlstore.NewPasts(w.store, w.registry, w.purchases)}
}

// newHabits is the model of habits.
func (w *workspace) newHabits() *recommend.Preferences {
	return recommend.NewPreferences(w.facts(), modelScores{w.plane}, w.zoneOf)
}

// newLearner is the model of recommendations.
func (w *workspace) newLearner() *recommend.Learner {
	return recommend.NewLearner(w.facts(), modelScores{w.plane}, w.recommendRules)
}

// newRecommend answers what to show to whom.
func (w *workspace) newRecommend() *recommend.Service {
	return recommend.New(recommend.Config{Facts: w.facts(), Kept: versions{sqlstore.NewModels(w.store)}, Rules: w.recommendRules,
		Save:   func(ctx context.Context, r recommend.Rules) error { return w.store.SetSetting(ctx, recommendKey, r) },
		Anchor: w.traits.Anchor, Zone: w.zoneOf, Clock: w.app.Clock})
}
