package classify

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Language checks and prints conditions; app wires it to the condition language and the workspace's metadata.
type Language interface {
	Check(ctx context.Context, where *query.Node, self string) error
	Sentence(where *query.Node) schema.Label
}

// Config is what a Service is made of; all parts are required.
type Config struct {
	Store    Store
	Board    Board
	Past     Past
	Goals    GoalStore
	Language Language
	Clock    clock.Clock
	Publish  func(key string)
}

// Service is the behaviour of classifications. It is safe for concurrent use.
type Service struct{ c Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c: c} }

const (
	maxClasses = 30
	maxLabel   = 60
)

var (
	keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)
	colors   = []string{"gray", "blue", "violet", "teal", "green", "amber", "orange", "red", "pink"}
)

// EnsureDefaults stores the classifications of a new workspace that are not there yet.
func (s *Service) EnsureDefaults(ctx context.Context) error {
	defs, err := Defaults()
	if err != nil {
		return err
	}
	for _, d := range defs {
		if _, ok, err := s.c.Store.Find(ctx, d.Key); err != nil || ok {
			if err != nil {
				return err
			}
			continue
		}
		d.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Store.Save(ctx, d); err != nil {
			return fmt.Errorf("store default classification %s: %w", d.Key, err)
		}
	}
	return nil
}

// List gives all classifications in the order of the defaults, then by key.
func (s *Service) List(ctx context.Context) ([]Classification, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	return s.ordered(ctx)
}

func (s *Service) ordered(ctx context.Context) ([]Classification, error) {
	all, err := s.c.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	defs, err := Defaults()
	if err != nil {
		return nil, err
	}
	place := map[string]int{}
	for i, d := range defs {
		place[d.Key] = i - len(defs)
	}
	slices.SortStableFunc(all, func(a, b Classification) int { return place[a.Key] - place[b.Key] })
	return all, nil
}

// Get finds one classification; fault.NotFound "classify.not_found" when there is none.
func (s *Service) Get(ctx context.Context, key string) (Classification, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Classification{}, err
	}
	return s.get(ctx, key)
}

func (s *Service) get(ctx context.Context, key string) (Classification, error) {
	c, ok, err := s.c.Store.Find(ctx, key)
	if err != nil {
		return Classification{}, err
	}
	if !ok {
		return Classification{}, fault.New(fault.NotFound, "classify.not_found", fault.Params{"key": key})
	}
	return c, nil
}

// Counts are the present sizes of the classes, those that nobody is in being 0.
func (s *Service) Counts(ctx context.Context, c Classification) (map[string]int, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	got, err := s.c.Board.Counts(ctx, c.Key)
	if err != nil {
		return nil, err
	}
	return fill(c, got), nil
}

// Update replaces label and classes of a classification whose version the caller has seen (0 for any), and recomputes
// it for everyone.
func (s *Service) Update(ctx context.Context, key string, version int64, label schema.Label, classes []Class) (Classification, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return Classification{}, err
	}
	c, err := s.get(ctx, key)
	if err != nil {
		return Classification{}, err
	}
	if version != 0 && version != c.Version {
		return Classification{}, fault.New(fault.Stale, "classify.stale", fault.Params{"key": key, "version": c.Version})
	}
	if label != nil {
		c.Label = label
	}
	c.Classes = classes
	if err := s.validate(ctx, c); err != nil {
		return Classification{}, err
	}
	return s.save(ctx, c, "edited")
}

// Reset takes a standard classification back to what it was on the first start.
func (s *Service) Reset(ctx context.Context, key string) (Classification, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return Classification{}, err
	}
	c, err := s.get(ctx, key)
	if err != nil {
		return Classification{}, err
	}
	defs, err := Defaults()
	if err != nil {
		return Classification{}, err
	}
	i := slices.IndexFunc(defs, func(d Classification) bool { return d.Key == key })
	if i < 0 {
		return Classification{}, fault.New(fault.Conflict, "classify.no_default", fault.Params{"key": key})
	}
	c.Label, c.Description, c.Classes = defs[i].Label, defs[i].Description, defs[i].Classes
	return s.save(ctx, c, "reset")
}

func (s *Service) save(ctx context.Context, c Classification, reason string) (Classification, error) {
	c.Version++
	c.UpdatedAt = s.c.Clock.Now()
	if err := s.c.Store.Save(ctx, c); err != nil {
		return Classification{}, err
	}
	if err := s.Run(ctx, reason, false); err != nil {
		return Classification{}, err
	}
	s.c.Publish(c.Key)
	return c, nil
}

// Preview sizes the classes of an unsaved edit and counts who would move.
func (s *Service) Preview(ctx context.Context, key string, classes []Class) (counts, before map[string]int, moved int, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, nil, 0, err
	}
	c, err := s.get(ctx, key)
	if err != nil {
		return nil, nil, 0, err
	}
	if before, err = s.c.Board.Counts(ctx, key); err != nil {
		return nil, nil, 0, err
	}
	c.Classes = classes
	if err := s.validate(ctx, c); err != nil {
		return nil, nil, 0, err
	}
	counts, moved, err = s.c.Board.Preview(ctx, c)
	return fill(c, counts), before, moved, err
}

// Run computes all classifications for everyone, or only for the customers of the last small pass of the traits, records
// moves, and for a pass over everyone a history point for each. Reason is "edited", "reset", "nightly", "import", "changed" or "recomputed".
func (s *Service) Run(ctx context.Context, reason string, touched bool) error {
	defs, err := s.ordered(ctx)
	if err != nil {
		return err
	}
	if defs, err = inOrder(defs); err != nil {
		return err
	}
	at := s.c.Clock.Now()
	moved := map[string]int{}
	counts, err := s.c.Board.Apply(ctx, defs, touched, at, func(moves []Move) error {
		for i := range moves {
			moves[i].At, moves[i].Reason = at, reason
			moved[moves[i].Classification]++
		}
		return s.c.Store.AppendMoves(ctx, moves)
	})
	if err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	if touched {
		return nil
	}
	for _, d := range defs {
		p := Point{At: at, By: access.From(ctx).ID, Reason: reason, Counts: fill(d, counts[d.Key]), Moved: moved[d.Key]}
		if err := s.c.Store.AppendPoint(ctx, d.Key, p); err != nil {
			return err
		}
	}
	if reason == "edited" || reason == "reset" {
		if large, err := s.c.Past.TooLarge(ctx); err != nil || large {
			return err
		}
	}
	return s.c.Past.Remember(ctx, defs, at)
}

// History gives the sizes after past passes, newest first.
func (s *Service) History(ctx context.Context, key string, limit int) ([]Point, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := s.get(ctx, key); err != nil {
		return nil, err
	}
	return s.c.Store.Points(ctx, key, limit)
}

func (s *Service) validate(ctx context.Context, c Classification) error {
	var bad []*fault.Fault
	add := func(code, field string, p fault.Params) { bad = append(bad, fault.InvalidField(code, field, p)) }
	if len(c.Classes) == 0 {
		add("classify.classes_required", "classes", nil)
	}
	if len(c.Classes) > maxClasses {
		add("classify.too_many_classes", "classes", fault.Params{"max": maxClasses})
	}
	seen := map[string]bool{}
	for i, cl := range c.Classes {
		at := "classes." + strconv.Itoa(i)
		if !keyShape.MatchString(cl.Key) {
			add("classify.bad_key", at+".key", nil)
		}
		if seen[cl.Key] {
			add("classify.key_twice", at+".key", fault.Params{"key": cl.Key})
		}
		seen[cl.Key] = true
		if !slices.Contains([]string{"", Growing, AtRisk, Lost, Back}, cl.Phase) {
			add("classify.bad_phase", at+".phase", nil)
		}
		if !labelled(cl.Label) {
			add("classify.label_required", at+".label", nil)
		}
		if !slices.Contains(colors, cl.Color) {
			add("classify.bad_color", at+".color", fault.Params{"colors": colors})
		}
		if cl.Where == nil {
			if i != len(c.Classes)-1 {
				add("classify.else_not_last", at+".where", nil)
			}
			continue
		}
		if err := s.c.Language.Check(ctx, cl.Where, ""); err != nil {
			f, ok := fault.Find(err)
			if !ok {
				return err
			}
			bad = append(bad, f.At(at+".where"))
		}
		if names(cl.Where, c.Key) {
			add("classify.names_itself", at+".where", fault.Params{"trait": c.Key})
		}
	}
	if f := fault.Join("classify.invalid", bad); f != nil {
		return f
	}
	return nil
}

func labelled(l schema.Label) bool {
	for _, text := range l {
		if text != "" && len([]rune(text)) <= maxLabel {
			return true
		}
	}
	return false
}

// inOrder puts a classification behind those whose traits its conditions name; fault.Conflict "classify.circle" when
// they name each other.
func inOrder(defs []Classification) ([]Classification, error) {
	var out []Classification
	done := map[string]bool{}
	for len(out) < len(defs) {
		before := len(out)
		for _, d := range defs {
			if !done[d.Key] && ready(d, defs, done) {
				out, done[d.Key] = append(out, d), true
			}
		}
		if len(out) == before {
			return nil, fault.New(fault.Conflict, "classify.circle", nil)
		}
	}
	return out, nil
}

func ready(d Classification, defs []Classification, done map[string]bool) bool {
	for _, other := range defs {
		if other.Key == d.Key || done[other.Key] {
			continue
		}
		for _, cl := range d.Classes {
			if cl.Where != nil && names(cl.Where, other.Key) {
				return false
			}
		}
	}
	return true
}

func names(n *query.Node, trait string) bool {
	found := false
	query.Walk(n, func(m *query.Node, _ string) bool {
		found = found || m.Trait == trait
		return !found
	})
	return found
}

func fill(c Classification, counts map[string]int) map[string]int {
	out := make(map[string]int, len(c.Classes))
	for _, cl := range c.Classes {
		out[cl.Key] = counts[cl.Key]
	}
	return out
}

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

// Check refuses a definition as Update would, under another language than the one at work.
func (s *Service) Check(ctx context.Context, d Classification, l Language) error {
	c := s.c
	c.Language = l
	return New(c).validate(ctx, d)
}
