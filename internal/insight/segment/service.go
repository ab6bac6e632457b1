package segment

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Config is what a Service is made of; all parts but Watchers are required.
type Config struct {
	Store    Store
	Audience Audience
	Language Language
	Clock    clock.Clock
	Log      *slog.Logger
	// Watchers names the automation rules that speak of a segment; nil for none.
	Watchers func(ctx context.Context, key string) ([]string, error)
	// Publish tells listeners (open pages) that a segment changed.
	Publish func(key string)
	// Shifted tells open pages that members of segments changed, and nothing else of them; nil for nobody.
	Shifted func(keys []string)
	// Zone is the local time of windows.
	Zone func() *time.Location
	// Given reports a trait that is worked out of everybody together (a class, a score): Stir says when that was done; nil for none.
	Given func(trait string) bool
	// Subjects are what segments are compared by, as far as the caller may see it.
	Subjects func(ctx context.Context) []Subject
	// Settle waits until what was written is seen by the audience; nil where it is at once.
	Settle func(ctx context.Context) error
	// Stamp is another text whenever something that segments ask of may have changed; nil where that is not known.
	Stamp func(ctx context.Context) (string, error)
}

// Service is the behaviour of segments. It is safe for concurrent use.
type Service struct {
	c Config
	watch
}

// New makes a Service.
func New(c Config) *Service {
	if c.Subjects == nil {
		c.Subjects = func(context.Context) []Subject { return nil }
	}
	if c.Settle == nil {
		c.Settle = func(context.Context) error { return nil }
	}
	if c.Shifted == nil {
		c.Shifted = func([]string) {}
	}
	if c.Given == nil {
		c.Given = func(string) bool { return false }
	}
	if c.Zone == nil {
		c.Zone = func() *time.Location { return time.UTC }
	}
	return &Service{c: c}
}

// Draft is what a person may set. A nil pointer leaves the field as it is when updating.
type Draft struct {
	Key         string
	Label       *string
	Description *string
	Folder      *string
	Kind        Kind // another one when updating converts the segment
	Where       *query.Node
}

const (
	maxLabel       = 100
	maxDescription = 2000
	maxFolder      = 200
	staticPage     = 20000
)

var keyShape = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// List gives all segments, by label.
func (s *Service) List(ctx context.Context) ([]Segment, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	return s.c.Store.List(ctx)
}

// Get finds one segment; fault.NotFound "segment.not_found" when there is none.
func (s *Service) Get(ctx context.Context, key string) (Segment, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Segment{}, err
	}
	return s.get(ctx, key)
}

func (s *Service) get(ctx context.Context, key string) (Segment, error) {
	seg, ok, err := s.c.Store.Find(ctx, key)
	if err != nil {
		return Segment{}, err
	}
	if !ok {
		return Segment{}, fault.New(fault.NotFound, "segment.not_found", fault.Params{"key": key})
	}
	return seg, nil
}

// Create checks and stores a segment and computes its membership once. Without a key one is made from the label.
func (s *Service) Create(ctx context.Context, d Draft) (Segment, error) {
	if err := may(ctx, access.SegmentWrite); err != nil {
		return Segment{}, err
	}
	now := s.c.Clock.Now()
	seg := Segment{Key: d.Key, Kind: d.Kind, Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: access.From(ctx).ID}
	if seg.Kind == "" {
		seg.Kind = Dynamic
	}
	seg.apply(d)
	if seg.Key == "" {
		seg.Key = makeKey(seg.Label, now)
	}
	if err := s.validate(ctx, seg, ""); err != nil {
		return Segment{}, err
	}
	var members []id.ID
	if seg.Kind == Static {
		var err error
		if members, err = s.collect(ctx, seg.Where); err != nil {
			return Segment{}, err
		}
	}
	if err := s.c.Store.Insert(ctx, seg); err != nil {
		return Segment{}, err
	}
	if seg.Kind == Static {
		if err := s.c.Store.SetMembers(ctx, seg.Key, members); err != nil {
			return Segment{}, err
		}
	}
	return s.refresh(ctx, seg, Listed)
}

// Update changes a segment whose version the caller has seen (0 for any). A changed condition of a static segment takes
// the list anew.
func (s *Service) Update(ctx context.Context, key string, version int64, d Draft) (Segment, error) {
	if err := may(ctx, access.SegmentWrite); err != nil {
		return Segment{}, err
	}
	seg, err := s.get(ctx, key)
	if err != nil {
		return Segment{}, err
	}
	if version != 0 && version != seg.Version {
		return Segment{}, fault.New(fault.Stale, "segment.stale", fault.Params{"key": key, "version": seg.Version})
	}
	converted := d.Kind != "" && d.Kind != seg.Kind
	if converted {
		if seg, err = s.converted(ctx, seg, d); err != nil {
			return Segment{}, err
		}
	}
	seg.apply(d)
	if err := s.validate(ctx, seg, key); err != nil {
		return Segment{}, err
	}
	seg.Version++
	seg.UpdatedAt, seg.Broken = s.c.Clock.Now(), ""
	if seg.Kind == Static && !seg.itself() && (d.Where != nil || converted) {
		members, err := s.collect(ctx, seg.Where)
		if err != nil {
			return Segment{}, err
		}
		if err := s.c.Store.SetMembers(ctx, key, members); err != nil {
			return Segment{}, err
		}
	}
	if err := s.c.Store.Update(ctx, seg); err != nil {
		return Segment{}, err
	}
	if d.Where == nil && !converted {
		s.c.Publish(key)
		return seg, nil
	}
	return s.refresh(ctx, seg, Listed)
}

// converted is a segment of the other kind. A list that no condition describes needs one to become dynamic; rules watch dynamic segments only.
func (s *Service) converted(ctx context.Context, seg Segment, d Draft) (Segment, error) {
	if d.Kind == Static {
		if err := s.unwatched(ctx, seg.Key); err != nil {
			return seg, err
		}
	} else if seg.itself() && d.Where == nil {
		return seg, fault.InvalidField("segment.no_condition", "kind", nil)
	}
	seg.Kind = d.Kind
	return seg, nil
}

func (s *Segment) apply(d Draft) {
	if d.Label != nil {
		s.Label = strings.TrimSpace(*d.Label)
	}
	if d.Description != nil {
		s.Description = strings.TrimSpace(*d.Description)
	}
	if d.Folder != nil {
		s.Folder = folderOf(*d.Folder)
	}
	if d.Where != nil {
		s.Where = d.Where
	}
}

// folderOf is the path of a folder without empty parts.
func folderOf(text string) string {
	parts := strings.Split(text, "/")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

func (s *Service) validate(ctx context.Context, seg Segment, self string) error {
	var bad []*fault.Fault
	if !keyShape.MatchString(seg.Key) {
		bad = append(bad, fault.InvalidField("segment.bad_key", "key", nil))
	}
	switch {
	case seg.Label == "":
		bad = append(bad, fault.InvalidField("segment.label_required", "label", nil))
	case len([]rune(seg.Label)) > maxLabel:
		bad = append(bad, fault.InvalidField("segment.label_too_long", "label", fault.Params{"max": maxLabel}))
	}
	if len([]rune(seg.Description)) > maxDescription {
		bad = append(bad, fault.InvalidField("segment.description_too_long", "description", fault.Params{"max": maxDescription}))
	}
	if len([]rune(seg.Folder)) > maxFolder {
		bad = append(bad, fault.InvalidField("segment.folder_too_long", "folder", fault.Params{"max": maxFolder}))
	}
	if seg.Kind != Dynamic && seg.Kind != Static {
		bad = append(bad, fault.InvalidField("segment.bad_kind", "kind", nil))
	}
	if seg.Where == nil {
		bad = append(bad, fault.InvalidField("segment.where_required", "where", nil))
	} else if err := s.checkWhere(ctx, seg, self); err != nil {
		f, ok := fault.Find(err)
		if !ok {
			return err
		}
		bad = append(bad, f.At("where"))
	}
	if f := fault.Join("segment.invalid", bad); f != nil {
		return f
	}
	return nil
}

// Delete puts a segment into the bin, unless another one or a rule refers to it: segment.in_use, segment.watched.
func (s *Service) Delete(ctx context.Context, key string) error {
	if err := may(ctx, access.SegmentWrite); err != nil {
		return err
	}
	if _, err := s.get(ctx, key); err != nil {
		return err
	}
	all, err := s.c.Store.List(ctx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Key != key && other.Where != nil && mentions(other.Where, key) {
			return fault.New(fault.Conflict, "segment.in_use", fault.Params{"key": key, "by": other.Label})
		}
	}
	if err := s.unwatched(ctx, key); err != nil {
		return err
	}
	if err := s.c.Store.Trash(ctx, key, s.c.Clock.Now()); err != nil {
		return err
	}
	if err := s.c.Audience.DropMembership(ctx, key); err != nil {
		return fmt.Errorf("drop membership of %s: %w", key, err)
	}
	s.c.Publish(key)
	return nil
}

// unwatched refuses what rules that speak of a segment would not survive.
func (s *Service) unwatched(ctx context.Context, key string) error {
	if s.c.Watchers == nil {
		return nil
	}
	rules, err := s.c.Watchers(ctx, key)
	if err == nil && len(rules) > 0 {
		err = fault.New(fault.Conflict, "segment.watched", fault.Params{"key": key, "rules": strings.Join(rules, " · ")})
	}
	return err
}

// Refresh evaluates a segment now, stores its membership and appends to its history.
func (s *Service) Refresh(ctx context.Context, key string) (Segment, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Segment{}, err
	}
	seg, err := s.get(ctx, key)
	if err != nil {
		return Segment{}, err
	}
	return s.refresh(ctx, seg, Moved)
}

func (s *Service) refresh(ctx context.Context, seg Segment, cause Cause) (Segment, error) {
	list, err := s.c.Store.List(ctx)
	if err != nil {
		return Segment{}, err
	}
	seg, _, err = s.replace(ctx, byKey(list), seg, cause)
	if err == nil {
		s.c.Publish(seg.Key)
	}
	return seg, err
}

// replace makes the stored membership of a segment what it is now, and remembers the size.
func (s *Service) replace(ctx context.Context, all map[string]Segment, seg Segment, cause Cause) (Segment, Point, error) {
	at := s.c.Clock.Now()
	var p Point
	var err error
	t := s.turn(all, seg, at, cause)
	if seg.Kind == Static {
		var ids []id.ID
		if ids, err = s.listed(ctx, seg.Key); err == nil {
			p, err = s.c.Audience.SetMembership(ctx, t, ids)
		}
	} else {
		if cerr := s.c.Language.Check(access.With(ctx, access.System()), seg.Where, seg.Key); cerr != nil {
			seg, err = s.breakIt(ctx, seg, cerr)
			return seg, p, err
		}
		p, err = s.c.Audience.Replace(ctx, t)
	}
	if err != nil {
		return Segment{}, p, fmt.Errorf("refresh segment %s: %w", seg.Key, err)
	}
	p.At = at
	if seg.Broken != "" {
		if err := s.c.Store.SetBroken(ctx, seg.Key, ""); err != nil {
			return Segment{}, p, err
		}
		seg.Broken = ""
	}
	if err := s.c.Store.SaveSize(ctx, seg.Key, p); err != nil {
		return Segment{}, p, err
	}
	seg.Size, seg.SizeAt = p.Size, at
	return seg, p, nil
}

// breakIt marks a segment whose condition no longer checks; its membership stays frozen.
func (s *Service) breakIt(ctx context.Context, seg Segment, cause error) (Segment, error) {
	code := fault.CodeOf(cause)
	if code == "" {
		return Segment{}, cause
	}
	if err := s.c.Store.SetBroken(ctx, seg.Key, code); err != nil {
		return Segment{}, err
	}
	seg.Broken = code
	s.c.Publish(seg.Key)
	return seg, nil
}

// SampleSize is how many customers Count shows.
const SampleSize = 5

// Reachable are the fields without which a customer cannot be reached.
func Reachable() []string { return []string{"phone", "email"} }

// Count says how many customers fulfil an unsaved condition, who of them can be reached, and shows a few of those whom the
// reader sees. The numbers are the workspace's.
func (s *Service) Count(ctx context.Context, where *query.Node, l *query.Limits) (Count, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Count{}, err
	}
	if where == nil {
		return Count{}, fault.InvalidField("segment.where_required", "where", nil)
	}
	if err := s.c.Language.Check(ctx, where, ""); err != nil {
		if f, ok := fault.Find(err); ok {
			return Count{}, f.At("where")
		}
		return Count{}, err
	}
	if l == nil {
		return s.c.Audience.Count(ctx, where, Reachable(), SampleSize)
	}
	n, err := s.c.Audience.Count(ctx, where, Reachable(), 0)
	if err == nil {
		n.Sample, err = s.c.Audience.Seen(ctx, where, l, 0, SampleSize)
	}
	return n, err
}

// MemberIDs are the members of a segment of this moment, in id order after the given id. Of a dynamic one only those whom the
// reader sees; of a static one the caller leaves out the others.
func (s *Service) MemberIDs(ctx context.Context, key string, l *query.Limits, after id.ID, limit int) ([]id.ID, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	seg, err := s.get(ctx, key)
	if err != nil {
		return nil, err
	}
	if seg.Kind == Static {
		return s.c.Store.Members(ctx, key, after, limit)
	}
	return s.c.Audience.Seen(ctx, seg.Node(), l, after, limit)
}

// History gives the sizes of past refreshes, newest first.
func (s *Service) History(ctx context.Context, key string, limit int) ([]Point, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := s.get(ctx, key); err != nil {
		return nil, err
	}
	return s.c.Store.History(ctx, key, limit)
}

// Part is how many fulfil one part of a condition; At is its place, a JSON pointer.
type Part struct {
	At    string
	Count int
}

// partsMost is how many parts of a condition are counted; the rest of a larger one is left out.
const partsMost = 80

// Parts counts the parts of an unsaved condition, each by itself: groups, and leaves.
func (s *Service) Parts(ctx context.Context, where *query.Node) ([]Part, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	if err := s.c.Language.Check(ctx, where, ""); err != nil {
		return nil, err
	}
	var out []Part
	var nodes []*query.Node
	partsOf(where, "", func(n *query.Node, at string) {
		if len(nodes) < partsMost {
			out, nodes = append(out, Part{At: at}), append(nodes, n)
		}
	})
	counts, err := s.c.Audience.Parts(ctx, nodes)
	for i, n := range counts {
		out[i].Count = n
	}
	return out, err
}

// partsOf visits what "all", "any" and "not" are made of, the whole first.
func partsOf(n *query.Node, at string, visit func(n *query.Node, at string)) {
	visit(n, at)
	for i, c := range n.All {
		partsOf(c, at+"/all/"+strconv.Itoa(i), visit)
	}
	for i, c := range n.Any {
		partsOf(c, at+"/any/"+strconv.Itoa(i), visit)
	}
	if n.Not != nil {
		partsOf(n.Not, at+"/not", visit)
	}
}

// Plan says how the database goes about counting an unsaved condition.
func (s *Service) Plan(ctx context.Context, where *query.Node) (string, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return "", err
	}
	if err := s.c.Language.Check(ctx, where, ""); err != nil {
		return "", err
	}
	return s.c.Audience.Plan(ctx, where)
}

// Overlaps counts the members that each two of several segments have in common, in the order of the keys.
func (s *Service) Overlaps(ctx context.Context, keys []string) ([]Segment, [][]int, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, nil, err
	}
	var segs []Segment
	var nodes []*query.Node
	for _, k := range keys {
		seg, err := s.get(ctx, k)
		if err != nil {
			return nil, nil, err
		}
		segs, nodes = append(segs, seg), append(nodes, seg.Node())
	}
	counts, err := s.c.Audience.Overlaps(ctx, nodes)
	return segs, counts, err
}

// Overlap counts the members of two segments: only in a, in both, only in b.
func (s *Service) Overlap(ctx context.Context, a, b string) (onlyA, both, onlyB int, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return 0, 0, 0, err
	}
	sa, err := s.get(ctx, a)
	if err != nil {
		return 0, 0, 0, err
	}
	sb, err := s.get(ctx, b)
	if err != nil {
		return 0, 0, 0, err
	}
	return s.c.Audience.Overlap(ctx, sa.Node(), sb.Node())
}

func (s *Service) collect(ctx context.Context, where *query.Node) ([]id.ID, error) {
	return pages(func(after id.ID) ([]id.ID, error) { return s.c.Audience.IDs(ctx, where, after, staticPage) })
}

func (s *Service) listed(ctx context.Context, key string) ([]id.ID, error) {
	return pages(func(after id.ID) ([]id.ID, error) { return s.c.Store.Members(ctx, key, after, staticPage) })
}

func pages(next func(after id.ID) ([]id.ID, error)) ([]id.ID, error) {
	var all []id.ID
	var after id.ID
	for {
		page, err := next(after)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < staticPage {
			return all, nil
		}
		after = page[len(page)-1]
	}
}

// mentions reports whether a condition names a segment.
func mentions(n *query.Node, key string) bool {
	found := false
	query.Walk(n, func(m *query.Node, _ string) bool {
		found = found || m.Segment == key || m.List == key
		return !found
	})
	return found
}

func makeKey(label string, now time.Time) string {
	var b strings.Builder
	for _, r := range lang.Pinyin(label) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(fmt.Sprintf("%s_%s", strings.Trim(b.String(), "_"), strings.ToLower(id.Format("s", id.ID(now.UnixMilli()))[8:])), "_")
}

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

// Check refuses a definition as Create and Update would, under another language than the one at work.
func (s *Service) Check(ctx context.Context, seg Segment, l Language) error {
	c := s.c
	c.Language = l
	return New(c).validate(ctx, seg, seg.Key)
}
