package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// vocabulary is what conditions of a workspace may speak of: its metadata, its traits with the classes as they are now, and
// its segments. It reads definitions when they have changed, and every few seconds in case another process changed them.
type vocabulary struct {
	w        *workspace
	standard *trait.Catalogue

	mu      sync.Mutex
	segs    segment.Store
	classes classify.Store
	read    time.Time
	byKey   map[string]segment.Segment
	traits  *trait.Catalogue
}

var (
	_ api.Conditions = (*vocabulary)(nil)
	_ query.Segments = (*vocabulary)(nil)
)

func newVocabulary(w *workspace) (*vocabulary, error) {
	c, err := trait.Standard()
	return &vocabulary{w: w, standard: c, traits: c}, err
}

func (v *vocabulary) sources(s segment.Store, c classify.Store) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.segs, v.classes = s, c
}

// freshFor is how long definitions are believed without looking.
const freshFor = 5 * time.Second

// forget makes the next question read the definitions anew.
func (v *vocabulary) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read = time.Time{}
}

// refresh reads the definitions when they may have changed. A failure keeps the old ones.
func (v *vocabulary) refresh() (map[string]segment.Segment, *trait.Catalogue) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.w.app.Clock.Now()
	if v.segs == nil || !v.read.IsZero() && now.Sub(v.read) < freshFor && now.After(v.read.Add(-freshFor)) {
		return v.byKey, v.traits
	}
	ctx, cancel := context.WithTimeout(v.w.ctx, 10*time.Second)
	defer cancel()
	segs, err := v.segs.List(ctx)
	if err == nil {
		v.byKey = map[string]segment.Segment{}
		for _, s := range segs {
			v.byKey[s.Key] = s
		}
		err = v.readClasses(ctx)
	}
	if err != nil {
		v.w.app.Log.Error("read definitions of segments and classes", "workspace", v.w.info.Key, "error", err)
	}
	v.read = now
	return v.byKey, v.traits
}

func (v *vocabulary) readClasses(ctx context.Context) error {
	defs, err := v.classes.List(ctx)
	if err != nil {
		return err
	}
	var extra []trait.Def
	for _, d := range defs {
		t := trait.Def{Key: d.Key, Group: "class", Type: schema.Choice, Table: analytics.FamilyClass, Column: analytics.ClassColumn(d.Key), Label: d.Label, Definition: d.Description}
		for _, c := range d.Classes {
			t.Options = append(t.Options, schema.Option{Key: c.Key, Label: c.Label, Color: c.Color})
		}
		extra = append(extra, t)
	}
	computed, err := sqlstore.NewComputedTraits(v.w.store).ListComputed(ctx)
	if err != nil {
		return err
	}
	for i := range computed {
		extra = append(extra, v.w.computedDef(&computed[i]))
	}
	consents, err := v.w.consentTraits(ctx)
	if err != nil {
		return err
	}
	actions, err := v.w.actionTraits(ctx)
	if err != nil {
		return err
	}
	c, err := v.standard.With(slices.Concat(extra, consents, actions)...)
	if err == nil {
		v.traits = c
	}
	return err
}

// Catalogue is the traits of the workspace.
func (v *vocabulary) Catalogue() *trait.Catalogue {
	_, t := v.refresh()
	return t
}

// Segment implements query.Segments.
func (v *vocabulary) Segment(key string) (query.Segment, bool) {
	segs, _ := v.refresh()
	s, ok := segs[key]
	if !ok {
		return query.Segment{}, false
	}
	out := query.Segment{Key: key, Label: schema.Label{lang.ChineseSimplified: s.Label, lang.English: s.Label}}
	if s.Kind == segment.Dynamic && s.Broken == "" {
		out.Where = s.Where
	}
	return out, true
}

// where is the condition of a dynamic segment for the compiler.
func (v *vocabulary) where(key string) (*query.Node, bool) {
	s, ok := v.Segment(key)
	if !ok || s.Where == nil {
		return nil, false
	}
	return privacy.Processed(s.Where), true
}

func (v *vocabulary) env(ctx context.Context, object, self string) query.CheckEnv {
	actor := access.From(ctx)
	env := query.CheckEnv{Registry: v.w.registry(), Object: object, Use: query.ForList, Self: self,
		Can:  access.Asking(actor, v.w.registry()),
		Base: v.w.info.Currency, Blind: v.w.blind, Blinds: v.w.blinds}
	if actor.Can(access.SegmentRead) { // traits and segments have a right of their own
		env.Traits, env.Segments, env.Behaviour = v.Catalogue(), v, true
	}
	return env
}

// Check implements api.Conditions.
func (v *vocabulary) Check(ctx context.Context, object string, where *query.Node) error {
	if where == nil {
		return nil
	}
	return query.Check(where, v.env(ctx, object, ""))
}

// Figures resolves a question for figures for the actor.
func (v *vocabulary) Figures(ctx context.Context, object string, groups []query.Group, measures []query.Measure) (*query.Figures, error) {
	return query.ResolveFigures(groups, measures, v.env(ctx, object, ""))
}

// Sentence implements api.Conditions.
func (v *vocabulary) Sentence(object string, where *query.Node) schema.Label {
	out := schema.Label{}
	if where == nil {
		return out
	}
	env := query.SentenceEnv{Registry: v.w.registry(), Object: object, Traits: v.Catalogue(), Segments: v, Words: v.w.app.words}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		out[loc] = query.Sentence(where, env, loc)
	}
	return out
}

// Analytic implements api.Conditions.
func (v *vocabulary) Analytic(where *query.Node) bool { return where != nil && compile.Planes(where) }

// language is the vocabulary as segments and classes speak it: about customers.
type language struct{ *vocabulary }

// Check implements segment.Language and classify.Language.
func (l language) Check(ctx context.Context, where *query.Node, self string) error {
	env := l.env(ctx, query.Customer, self)
	env.Use = query.ForSegment
	if err := query.Check(where, env); err != nil || where == nil {
		return err
	}
	// What is saved must also be answered, every night: a condition that only reads well is refused here.
	_, err := compile.Analytics(l.w.env(), l.w.registry().Object(query.Customer), where)
	return err
}

// Sentence implements segment.Language and classify.Language.
func (l language) Sentence(where *query.Node) schema.Label {
	return l.vocabulary.Sentence(query.Customer, where)
}

// processed is the audience of segments without those who are only stored.
type processed struct{ segment.Audience }

// Count implements segment.Audience.
func (p processed) Count(ctx context.Context, where *query.Node, fields []string, sample int) (segment.Count, error) {
	return p.Audience.Count(ctx, privacy.Processed(where), fields, sample)
}

// IDs implements segment.Audience.
func (p processed) IDs(ctx context.Context, where *query.Node, after id.ID, limit int) ([]id.ID, error) {
	return p.Audience.IDs(ctx, privacy.Processed(where), after, limit)
}

// Seen implements segment.Audience.
func (p processed) Seen(ctx context.Context, where *query.Node, l *query.Limits, after id.ID, limit int) ([]id.ID, error) {
	return p.Audience.Seen(ctx, privacy.Processed(where), l, after, limit)
}

// Contrast implements segment.Audience.
func (p processed) Contrast(ctx context.Context, a, b *query.Node, subjects []segment.Subject) (sizes [3]int, figures []segment.Figure, err error) {
	if b == nil { // everybody else, without those who are only stored
		b = &query.Node{Not: a}
	}
	return p.Audience.Contrast(ctx, privacy.Processed(a), privacy.Processed(b), subjects)
}

// Drawn implements segment.Audience.
func (p processed) Drawn(ctx context.Context, where *query.Node, subjects []segment.Subject, members, others int) ([]segment.Row, error) {
	return p.Audience.Drawn(ctx, privacy.Processed(where), subjects, members, others)
}

// Nearest implements segment.Audience.
func (p processed) Nearest(ctx context.Context, where *query.Node, terms []segment.Term, l *query.Limits, limit int) ([]id.ID, error) {
	return p.Audience.Nearest(ctx, privacy.Processed(where), terms, l, limit)
}

// Plan implements segment.Audience.
func (p processed) Plan(ctx context.Context, where *query.Node) (string, error) {
	return p.Audience.Plan(ctx, privacy.Processed(where))
}

// Parts implements segment.Audience.
func (p processed) Parts(ctx context.Context, nodes []*query.Node) ([]int, error) {
	return p.Audience.Parts(ctx, processedAll(nodes))
}

// Overlaps implements segment.Audience.
func (p processed) Overlaps(ctx context.Context, nodes []*query.Node) ([][]int, error) {
	return p.Audience.Overlaps(ctx, processedAll(nodes))
}

func processedAll(nodes []*query.Node) []*query.Node {
	out := make([]*query.Node, len(nodes))
	for i, n := range nodes {
		out[i] = privacy.Processed(n)
	}
	return out
}

// Replace implements segment.Audience.
func (p processed) Replace(ctx context.Context, t segment.Turn) (segment.Point, error) {
	t.Where = privacy.Processed(t.Where)
	return p.Audience.Replace(ctx, t)
}

// Follow implements segment.Audience.
func (p processed) Follow(ctx context.Context, turns []segment.Turn) ([]segment.Point, error) {
	turns = slices.Clone(turns)
	for i := range turns {
		turns[i].Where = privacy.Processed(turns[i].Where)
	}
	return p.Audience.Follow(ctx, turns)
}

// Overlap implements segment.Audience.
func (p processed) Overlap(ctx context.Context, a, b *query.Node) (onlyA, both, onlyB int, err error) {
	return p.Audience.Overlap(ctx, privacy.Processed(a), privacy.Processed(b))
}
