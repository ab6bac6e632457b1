package identity

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Config is what an Engine needs; all must be set.
type Config struct {
	Vault    Vault
	IDs      *id.Generator
	Clock    clock.Clock
	Settings func(ctx context.Context) (Policy, error)
}

// Engine resolves events and carries out decisions on a Ledger that the caller opens: everything it writes commits with the
// caller's transaction. It is safe for concurrent use.
type Engine struct{ cfg Config }

// New makes an Engine.
func New(cfg Config) *Engine { return &Engine{cfg: cfg} }

// dayMS is a day in milliseconds.
const dayMS = 24 * 60 * 60 * 1000

// touchEvery is how much later an identifier must be seen again to be written again, in milliseconds.
const touchEvery = 60 * 60 * 1000

// Resolve gives each event of a batch, in its order, its profile. Events that show nobody (all their identifiers are blocked, or the
// visitor refused analysis) get their own id: nobody else has it and it leads nowhere.
func (e *Engine) Resolve(ctx context.Context, l Ledger, batch []event.Event) error {
	settings, err := e.cfg.Settings(ctx)
	if err != nil {
		return err
	}
	if err := l.Lock(ctx); err != nil {
		return err
	}
	r := newRules(&settings)
	shown := make([][]found, len(batch))
	for i := range batch {
		if batch[i].Flags.Has(event.NoConsent) {
			continue
		}
		if shown[i], err = e.identifiers(ctx, r, &batch[i]); err != nil {
			return err
		}
	}
	s, err := e.load(ctx, l, r, shown)
	if err != nil {
		return err
	}
	for i := range batch {
		ev := &batch[i]
		if len(shown[i]) == 0 {
			ev.Profile = ev.ID
			continue
		}
		s.resolve(ev, shown[i])
	}
	c, err := s.changes(ctx)
	if err != nil {
		return err
	}
	return l.Save(ctx, c)
}

// load reads everything that the identifiers of a batch lead to: one question per namespace, one for trees, one for verdicts.
func (e *Engine) load(ctx context.Context, l Ledger, r *rules, shown [][]found) (*state, error) {
	values := map[string]map[string]bool{}
	want := func(namespace, value string) {
		if values[namespace] == nil {
			values[namespace] = map[string]bool{}
		}
		values[namespace][value] = true
	}
	for _, list := range shown {
		for i := range list {
			want(list[i].ns.Key, list[i].value)
			if list[i].alias {
				if f, ok := e.read(r.byKey[AnonymousID], list[i].text); ok {
					want(AnonymousID, f.value)
				}
			}
		}
	}
	var profiles []id.ID
	for _, ns := range slices.Sorted(maps.Keys(values)) {
		got, err := l.Find(ctx, ns, slices.Sorted(maps.Keys(values[ns])))
		if err != nil {
			return nil, err
		}
		for i := range got {
			profiles = append(profiles, got[i].Profile)
		}
	}
	return e.open(ctx, l, r, profiles)
}

// open reads the trees of profiles.
func (e *Engine) open(ctx context.Context, l Ledger, r *rules, profiles []id.ID) (*state, error) {
	slices.Sort(profiles)
	profiles = slices.Compact(profiles)
	s := &state{e: e, rules: r, byKey: map[key]*Identifier{}, treeOf: map[id.ID]*tree{}, profiles: map[id.ID]*Profile{}, before: map[id.ID]id.ID{},
		verdicts: map[[2]id.ID]bool{}, touched: map[id.ID]bool{}, moved: map[*Identifier]bool{}, reviews: map[[2]id.ID]*Review{}, texts: map[*Identifier]string{}}
	if len(profiles) == 0 {
		return s, nil
	}
	trees, err := l.Trees(ctx, profiles)
	if err != nil {
		return nil, err
	}
	var all []id.ID
	for i := range trees {
		t := &trees[i]
		n := &tree{root: t.Root, customer: t.Customer()}
		for j := range t.Profiles {
			p := &t.Profiles[j]
			s.profiles[p.ID], s.treeOf[p.ID], s.before[p.ID] = p, n, t.Subject()
			n.members = append(n.members, p.ID)
			all = append(all, p.ID)
		}
		for j := range t.Identifiers {
			x := &t.Identifiers[j]
			s.byKey[key{x.Namespace, x.Value}] = x
			n.ids = append(n.ids, x)
		}
	}
	pairs, err := l.Verdicts(ctx, all)
	for _, p := range pairs {
		s.verdicts[p] = true
	}
	return s, err
}

// state is what a run knows and changes in memory.
type state struct {
	e        *Engine
	rules    *rules
	byKey    map[key]*Identifier
	treeOf   map[id.ID]*tree
	profiles map[id.ID]*Profile
	before   map[id.ID]id.ID // whose a profile's events were, by profile; new ones are their own
	verdicts map[[2]id.ID]bool

	touched map[id.ID]bool       // profiles to be written
	moved   map[*Identifier]bool // identifiers to be written
	texts   map[*Identifier]string
	merges  []Merge
	reviews map[[2]id.ID]*Review
	order   [][2]id.ID
}

type tree struct {
	root     id.ID
	members  []id.ID
	ids      []*Identifier
	customer id.ID
}

// pair is two profiles in order.
func pair(a, b id.ID) [2]id.ID { return [2]id.ID{min(a, b), max(a, b)} }

// users are the user ids of a tree.
func (t *tree) users() []string {
	var out []string
	for _, x := range t.ids {
		if x.Namespace == UserID && !slices.Contains(out, x.Value) {
			out = append(out, x.Value)
		}
	}
	return out
}

// union is who an event may be of, gathered from its identifiers, the strongest first.
type union struct {
	trees  []*tree
	fresh  []*found // identifiers that nobody has yet
	moving []*found // identifiers of somebody else that go over
}

func (u *union) holds(t *tree) bool { return slices.Contains(u.trees, t) }

// obstacle is why an identifier cannot join a union.
type obstacle int

const (
	none     obstacle = iota
	limit             // a namespace would be over its limit
	verdict           // somebody said that they are two people
	identity          // two user ids or two customers
)

// fits says whether a tree, or a fresh identifier (t nil), can join the union.
func (s *state) fits(u *union, t *tree, f *found, at int64) obstacle {
	var users []string
	var customers []id.ID
	add := func(t *tree) {
		for _, v := range t.users() {
			if !slices.Contains(users, v) {
				users = append(users, v)
			}
		}
		if t.customer != 0 && !slices.Contains(customers, t.customer) {
			customers = append(customers, t.customer)
		}
	}
	for _, x := range u.trees {
		add(x)
	}
	for _, x := range u.fresh {
		if x.ns.Key == UserID && !slices.Contains(users, x.value) {
			users = append(users, x.value)
		}
	}
	wereUsers, wereCustomers := len(users), len(customers)
	if t != nil {
		for _, x := range u.trees {
			for _, a := range x.members {
				for _, b := range t.members {
					if len(s.verdicts) > 0 && s.verdicts[pair(a, b)] {
						return verdict
					}
				}
			}
		}
		add(t)
	} else if f.ns.Key == UserID && !slices.Contains(users, f.value) {
		users = append(users, f.value)
	}
	if len(users) > 1 && len(users) > wereUsers || len(customers) > 1 && len(customers) > wereCustomers {
		return identity
	}
	if s.over(u, t, f, at) {
		return limit
	}
	return none
}

// over reports whether a namespace would hold more identifiers of its window than its limit. One that is over already stays as it is.
func (s *state) over(u *union, t *tree, f *found, at int64) bool {
	check := func(ns *Namespace, more int) bool {
		if ns == nil || more == 0 {
			return false
		}
		n := more
		for _, x := range u.trees {
			n += s.count(x, ns, at)
		}
		for _, x := range u.fresh {
			if x.ns == ns {
				n++
			}
		}
		for _, x := range u.moving {
			if x.ns == ns {
				n++
			}
		}
		return n > ns.Limit
	}
	if t == nil {
		return check(f.ns, 1)
	}
	if len(u.trees)+len(u.fresh)+len(u.moving) == 0 {
		return false
	}
	for i := range s.rules.settings.Namespaces {
		ns := &s.rules.settings.Namespaces[i]
		if check(ns, s.count(t, ns, at)) {
			return true
		}
	}
	return false
}

// count is how many identifiers of a namespace a tree showed in the window that ends with an event.
func (s *state) count(t *tree, ns *Namespace, at int64) (n int) {
	for _, x := range t.ids {
		if x.Namespace == ns.Key && (ns.Days == 0 || x.FirstAt > at-int64(ns.Days)*dayMS) {
			n++
		}
	}
	return n
}

// resolve gives one event its profile.
func (s *state) resolve(ev *event.Event, list []found) {
	list = s.alias(list)
	u := &union{}
	var against []*found // identifiers of another person who is to be asked about
	for i := range list {
		f := &list[i]
		x := s.byKey[f.key()]
		if x == nil {
			if s.fits(u, nil, f, ev.At) == none {
				u.fresh = append(u.fresh, f)
			}
			continue
		}
		t := s.treeOf[x.Profile]
		if u.holds(t) {
			continue
		}
		switch o := s.fits(u, t, f, ev.At); {
		case o == none:
			u.trees = append(u.trees, t)
		case o == limit:
		case f.ns.Shared:
			if !s.over(u, nil, f, ev.At) {
				u.moving = append(u.moving, f)
			}
		case o == identity:
			against = append(against, f)
		}
	}
	home := s.join(ev, u, list)
	ev.Profile = home.root
	for _, f := range against {
		s.ask(ev, home, s.treeOf[s.byKey[f.key()].Profile], f)
	}
	for i := range list {
		if x := s.byKey[list[i].key()]; x != nil && s.treeOf[x.Profile] == home {
			s.see(x, ev.At)
		}
	}
}

// alias decides what the former name of an alias is.
func (s *state) alias(list []found) []found {
	for i := range list {
		f := &list[i]
		if !f.alias || s.byKey[f.key()] != nil {
			continue
		}
		ns := s.rules.of(AnonymousID)
		other, ok := found{}, false
		if ns != nil {
			other, ok = s.e.read(ns, f.text)
		}
		out := slices.Delete(slices.Clone(list), i, i+1)
		if ok && !slices.ContainsFunc(out, func(x found) bool { return x.key() == other.key() }) {
			other.rank = s.rules.rank[AnonymousID]
			out = append(out, other)
			slices.SortStableFunc(out, func(a, b found) int { return a.rank - b.rank })
		}
		return out
	}
	return list
}

// join makes the trees of a union one and gives it the fresh identifiers.
func (s *state) join(ev *event.Event, u *union, list []found) *tree {
	var home *tree
	switch len(u.trees) {
	case 0:
		home = s.make(ev.At)
	default:
		home = slices.MinFunc(u.trees, s.stronger)
	}
	for _, t := range u.trees {
		if t != home {
			s.merge(home, t, Merge{At: ev.At, Why: ByEvent, Event: ev.ID, Evidence: Evidence{Kind: string(ev.Kind), Identifiers: shownOf(list)}})
		}
	}
	for _, f := range u.fresh {
		x := &Identifier{ID: s.e.cfg.IDs.Next(), Namespace: f.ns.Key, Value: f.value, Shown: f.shown, Profile: home.root, FirstAt: ev.At, LastAt: ev.At}
		if f.secret {
			s.texts[x] = f.text
		}
		s.byKey[f.key()], s.moved[x] = x, true
		home.ids = append(home.ids, x)
	}
	for _, f := range u.moving {
		x := s.byKey[f.key()]
		from := s.treeOf[x.Profile]
		from.ids = slices.DeleteFunc(from.ids, func(y *Identifier) bool { return y == x })
		s.merges = append(s.merges, Merge{ID: s.e.cfg.IDs.Next(), Loser: x.Profile, Winner: home.root, At: ev.At, Why: ByMove, Event: ev.ID,
			Evidence: Evidence{Kind: string(ev.Kind), Identifiers: []Shown{{f.ns.Key, f.shown}}, Moved: x.ID, Since: x.FirstAt}})
		x.Profile, x.FirstAt, x.LastAt = home.root, ev.At, ev.At
		s.moved[x] = true
		home.ids = append(home.ids, x)
	}
	return home
}

func shownOf(list []found) []Shown {
	out := make([]Shown, 0, len(list))
	for i := range list {
		out = append(out, Shown{list[i].ns.Key, list[i].shown})
	}
	return out
}

// stronger orders trees by who stays when they become one: who has a user id, who is a customer, who has the strongest identifier,
// and then who came first.
func (s *state) stronger(a, b *tree) int {
	return cmp.Or(compareBool(len(b.users()) > 0, len(a.users()) > 0), compareBool(b.customer != 0, a.customer != 0),
		cmp.Compare(s.strength(a), s.strength(b)), cmp.Compare(a.root, b.root))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (s *state) strength(t *tree) int {
	best := len(s.rules.settings.Namespaces)
	for _, x := range t.ids {
		if r, ok := s.rules.rank[x.Namespace]; ok {
			best = min(best, r)
		}
	}
	return best
}

// make is a new profile.
func (s *state) make(at int64) *tree {
	p := &Profile{ID: s.e.cfg.IDs.Next(), CreatedAt: at}
	p.Root = p.ID
	t := &tree{root: p.ID, members: []id.ID{p.ID}}
	s.profiles[p.ID], s.treeOf[p.ID], s.before[p.ID], s.touched[p.ID] = p, t, p.ID, true
	return t
}

// merge joins a tree to another one.
func (s *state) merge(home, t *tree, m Merge) {
	m.ID, m.Loser, m.Winner = s.e.cfg.IDs.Next(), t.root, home.root
	s.merges = append(s.merges, m)
	s.profiles[t.root].Into = home.root
	for _, p := range t.members {
		s.profiles[p].Root = home.root
		s.treeOf[p] = home
		s.touched[p] = true
	}
	home.members = append(home.members, t.members...)
	home.ids = append(home.ids, t.ids...)
	if home.customer == 0 {
		home.customer = t.customer
	}
	t.ids, t.members = nil, nil
}

// ask puts two trees before a person.
func (s *state) ask(ev *event.Event, a, b *tree, f *found) {
	if a == b {
		return
	}
	for _, x := range a.members {
		for _, y := range b.members {
			if s.verdicts[pair(x, y)] {
				return
			}
		}
	}
	k := pair(a.root, b.root)
	r := s.reviews[k]
	if r == nil {
		r = &Review{ID: s.e.cfg.IDs.Next(), Kind: TwoPeople, A: k[0], B: k[1], State: Open, CreatedAt: ev.At,
			Evidence: Evidence{Kind: string(ev.Kind), Identifiers: []Shown{{f.ns.Key, f.shown}}}}
		s.reviews[k] = r
		s.order = append(s.order, k)
	}
	r.Count++
	r.LastAt = max(r.LastAt, ev.At)
}

// see moves the times of an identifier.
func (s *state) see(x *Identifier, at int64) {
	if at < x.FirstAt {
		x.FirstAt = at
		s.moved[x] = true
	}
	if at > x.LastAt {
		if at > x.LastAt+touchEvery {
			s.moved[x] = true
		}
		if s.moved[x] {
			x.LastAt = at
		}
	}
}

// changes are what the run did, in an order that is the same each time.
func (s *state) changes(ctx context.Context) (*Changes, error) {
	c := &Changes{Merges: s.merges}
	for _, p := range slices.Sorted(maps.Keys(s.touched)) {
		c.Profiles = append(c.Profiles, *s.profiles[p])
	}
	for x := range s.moved {
		if text, ok := s.texts[x]; ok && x.Sealed == "" {
			sealed, err := s.e.cfg.Vault.Seal(ctx, text)
			if err != nil {
				return nil, err
			}
			x.Sealed = sealed
		}
		c.Identifiers = append(c.Identifiers, *x)
	}
	slices.SortFunc(c.Identifiers, func(a, b Identifier) int { return cmp.Compare(a.ID, b.ID) })
	for _, k := range s.order {
		c.Reviews = append(c.Reviews, *s.reviews[k])
	}
	for _, p := range slices.Sorted(maps.Keys(s.before)) {
		t := s.treeOf[p]
		if now := t.subject(); now != s.before[p] {
			c.Mappings = append(c.Mappings, Mapping{Profile: p, Subject: now})
		}
	}
	return c, nil
}

func (t *tree) subject() id.ID {
	if t.customer != 0 {
		return t.customer
	}
	return t.root
}
