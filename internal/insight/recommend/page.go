package recommend

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// Overview is what was found when the model learned last.
type Overview struct {
	Version  int64 // 0 before the first fit
	Until    clock.Day
	Held     [2]clock.Day // what it was judged on, 0 for nothing
	Method   Method
	HalfLife float64
	Judged   []Judged
	Baskets  int
	Rules    int // that are kept
	Products int
	Listed   int // length of the lists that were judged
}

// Overview tells how good the lists are.
func (s *Service) Overview(ctx context.Context) (Overview, error) {
	state, version, err := s.learned(ctx)
	if err != nil || state == nil {
		return Overview{}, err
	}
	return Overview{Version: version, Until: state.Until, Held: state.Held, Method: state.Method, HalfLife: state.HalfLife, Judged: slices.Clone(state.Judged), Baskets: state.Baskets,
		Rules: len(state.Rules), Products: len(state.Products), Listed: listed}, nil
}

// Association is a rule between two products.
type Association struct {
	stat.Rule
	From, To int64
}

// Associations are the rules of baskets, the surest first; of one product only, where one is given.
func (s *Service) Associations(ctx context.Context, product int64, limit int) ([]Association, error) {
	state, _, err := s.learned(ctx)
	if err != nil || state == nil {
		return nil, err
	}
	var numbers []int32
	if product != 0 {
		n, ok := state.at[product]
		if !ok {
			return nil, nil
		}
		numbers = state.byItem[n]
	} else {
		numbers = make([]int32, len(state.Rules))
		for i := range numbers {
			numbers[i] = int32(i)
		}
	}
	var out []Association
	for _, n := range numbers[:min(len(numbers), max(limit, 0))] {
		r := state.rule(n)
		out = append(out, Association{r, state.Products[r.A], state.Products[r.B]})
	}
	return out, nil
}

// Rules are those in force.
func (s *Service) Rules(ctx context.Context) (Rules, error) { return s.c.Rules(ctx) }

// SetRules changes them.
func (s *Service) SetRules(ctx context.Context, r Rules) (Rules, error) {
	if err := r.Check(); err != nil {
		return r, err
	}
	return r, s.c.Save(ctx, r)
}

// Names are the categories and brands of live products, in order.
func (s *Service) Names(ctx context.Context) (categories, brands []string, err error) {
	shelf, err := s.goods(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range shelf.list {
		if g := &shelf.list[i]; g.Category != "" {
			categories = append(categories, g.Category)
		}
		if g := &shelf.list[i]; g.Brand != "" {
			brands = append(brands, g.Brand)
		}
	}
	slices.Sort(categories)
	slices.Sort(brands)
	return slices.Compact(categories), slices.Compact(brands), nil
}

// Known is what is known of a customer's habits, with what it was worked out by.
type Known struct {
	*Preference
	Habit   Habit
	Today   clock.Day
	Version int64 // of the model, 0 before the first fit: then nothing is said of what is due and of bands
}

// Preference works out the habits of a customer as of today.
func (s *Service) Preference(ctx context.Context, customer int64) (Known, error) {
	out := Known{Habit: DefaultHabit()}
	state := habitState{Habit: out.Habit}
	version, err := s.c.Kept.InUse(ctx, PreferenceKey)
	if err != nil {
		return out, err
	}
	if version != 0 {
		raw, err := s.c.Kept.State(ctx, PreferenceKey, version)
		if err != nil {
			return out, err
		}
		if err := json.Unmarshal(raw, &state); err != nil {
			return out, fmt.Errorf("state of %s: %w", PreferenceKey, err)
		}
		out.Version, out.Habit = version, state.Habit
	}
	if out.Today, err = s.c.Anchor(ctx); err != nil {
		return out, err
	}
	past, err := s.c.Facts.Past(ctx, customer, out.Today)
	if err != nil {
		return out, err
	}
	shelf, err := s.goods(ctx)
	if err != nil {
		return out, err
	}
	out.Preference = state.knowledge(shelf.by, s.c.Zone(), out.Today).prefer(past.Deeds)
	return out, nil
}
