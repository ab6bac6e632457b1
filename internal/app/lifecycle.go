package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/insight/classify"
)

// goalsKey is the setting that holds the goals of stages.
const goalsKey = "lifecycle_goals"

// stageGoals keeps the goals of stages among the settings of the workspace.
type stageGoals struct{ w *workspace }

// Goals implements classify.GoalStore.
func (g stageGoals) Goals(ctx context.Context) (out []classify.Goal, err error) {
	_, err = g.w.store.Setting(ctx, goalsKey, &out)
	return out, err
}

// SetGoals implements classify.GoalStore.
func (g stageGoals) SetGoals(ctx context.Context, goals []classify.Goal) error {
	return g.w.store.SetSetting(ctx, goalsKey, goals)
}
