package identity_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

var t0 = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// plainVault keeps texts readable, so that tests can look at them.
type plainVault struct{}

func (plainVault) Open(_ context.Context, raw json.RawMessage) (string, error) {
	var m map[string]string
	err := json.Unmarshal(raw, &m)
	return m["$sealed"], err
}
func (plainVault) Seal(_ context.Context, text string) (string, error)     { return "s:" + text, nil }
func (plainVault) Unseal(_ context.Context, sealed string) (string, error) { return sealed[2:], nil }
func (plainVault) Index(namespace, normalised string) string               { return namespace + ":" + normalised }

// memory is a Ledger in maps.
type memory struct {
	profiles    map[id.ID]identity.Profile
	identifiers map[[2]string]identity.Identifier
	merges      []identity.Merge
	reviews     map[[2]id.ID]identity.Review
	mappings    []identity.Mapping
	survivors   map[id.ID]id.ID
}

var _ identity.Ledger = (*memory)(nil)

func newMemory() *memory {
	return &memory{profiles: map[id.ID]identity.Profile{}, identifiers: map[[2]string]identity.Identifier{}, reviews: map[[2]id.ID]identity.Review{}, survivors: map[id.ID]id.ID{}}
}

func (m *memory) Lock(context.Context) error { return nil }

func (m *memory) Find(_ context.Context, ns string, values []string) (out []identity.Identifier, err error) {
	for _, v := range values {
		if x, ok := m.identifiers[[2]string{ns, v}]; ok {
			out = append(out, x)
		}
	}
	return out, nil
}

func (m *memory) now(c id.ID) id.ID {
	for m.survivors[c] != 0 {
		c = m.survivors[c]
	}
	return c
}

func (m *memory) Trees(_ context.Context, profiles []id.ID) ([]identity.Tree, error) {
	byRoot := map[id.ID]*identity.Tree{}
	for _, p := range profiles {
		if x, ok := m.profiles[p]; ok && byRoot[x.Root] == nil {
			byRoot[x.Root] = &identity.Tree{Root: x.Root}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(m.profiles)) {
		x := m.profiles[p]
		x.Now = m.now(x.Customer)
		if t := byRoot[x.Root]; t != nil {
			t.Profiles = append(t.Profiles, x)
		}
	}
	all := slices.SortedFunc(maps.Values(m.identifiers), func(a, b identity.Identifier) int { return cmp.Compare(a.ID, b.ID) })
	for _, x := range all {
		if t := byRoot[m.profiles[x.Profile].Root]; t != nil {
			t.Identifiers = append(t.Identifiers, x)
		}
	}
	var out []identity.Tree
	for _, r := range slices.Sorted(maps.Keys(byRoot)) {
		out = append(out, *byRoot[r])
	}
	return out, nil
}

func (m *memory) Verdicts(_ context.Context, profiles []id.ID) (out [][2]id.ID, err error) {
	for k, r := range m.reviews {
		if r.State == identity.NotSame && k[1] != 0 && (slices.Contains(profiles, k[0]) || slices.Contains(profiles, k[1])) {
			out = append(out, k)
		}
	}
	return out, nil
}

func (m *memory) Owned(_ context.Context, customers []id.ID) (out []id.ID, err error) {
	for _, p := range slices.Sorted(maps.Keys(m.profiles)) {
		for c := m.profiles[p].Customer; c != 0; c = m.survivors[c] {
			if slices.Contains(customers, c) {
				out = append(out, p)
				break
			}
		}
	}
	return out, nil
}

func (m *memory) Merge(_ context.Context, v id.ID) (identity.Merge, bool, error) {
	i := slices.IndexFunc(m.merges, func(x identity.Merge) bool { return x.ID == v })
	if i < 0 {
		return identity.Merge{}, false, nil
	}
	return m.merges[i], true, nil
}

func (m *memory) Review(_ context.Context, v id.ID) (identity.Review, bool, error) {
	for _, r := range m.reviews {
		if r.ID == v {
			return r, true, nil
		}
	}
	return identity.Review{}, false, nil
}

func (m *memory) Undone(_ context.Context, merge, by id.ID, at int64) error {
	for i := range m.merges {
		if m.merges[i].ID == merge {
			m.merges[i].UndoneAt, m.merges[i].UndoneBy = at, by
		}
	}
	return nil
}

func (m *memory) Decide(_ context.Context, r *identity.Review) error {
	k := [2]id.ID{r.A, r.B}
	was, ok := m.reviews[k]
	if !ok {
		was = *r
	}
	was.State, was.By, was.At = r.State, r.By, r.At
	m.reviews[k] = was
	return nil
}

func (m *memory) Survives(_ context.Context, merged []id.ID, survivor id.ID) error {
	for _, v := range merged {
		if survivor == 0 {
			delete(m.survivors, v)
		} else {
			m.survivors[v] = survivor
		}
	}
	return nil
}

func (m *memory) Forget(_ context.Context, profiles []id.ID) error {
	maps.DeleteFunc(m.identifiers, func(_ [2]string, x identity.Identifier) bool { return slices.Contains(profiles, x.Profile) })
	return nil
}

func (m *memory) Save(_ context.Context, c *identity.Changes) error {
	for _, p := range c.Profiles {
		p.Now = 0
		m.profiles[p.ID] = p
	}
	for _, x := range c.Identifiers {
		m.identifiers[[2]string{x.Namespace, x.Value}] = x
	}
	m.merges = append(m.merges, c.Merges...)
	for _, r := range c.Reviews {
		k := [2]id.ID{r.A, r.B}
		if was, ok := m.reviews[k]; ok {
			was.Count += r.Count
			m.reviews[k] = was
			continue
		}
		m.reviews[k] = r
	}
	for _, x := range c.Mappings {
		x.Seq = int64(len(m.mappings) + 1)
		m.mappings = append(m.mappings, x)
	}
	return nil
}

// owners is whose the events of each profile are, by the map alone.
func (m *memory) owners() map[id.ID]id.ID {
	out := map[id.ID]id.ID{}
	for p := range m.profiles {
		out[p] = p
	}
	for _, x := range m.mappings {
		out[x.Profile] = x.Subject
	}
	return out
}

// dump is everything but the log, the map and the verdicts, for comparison.
func (m *memory) dump() string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(m.profiles)) {
		fmt.Fprintf(&b, "%+v\n", m.profiles[p])
	}
	for _, x := range slices.SortedFunc(maps.Values(m.identifiers), func(a, b identity.Identifier) int { return cmp.Compare(a.ID, b.ID) }) {
		fmt.Fprintf(&b, "%+v\n", x)
	}
	return b.String()
}

// world is an engine on a memory.
type world struct {
	t        testing.TB
	engine   *identity.Engine
	ledger   *memory
	settings identity.Policy
	ids      *id.Generator
	at       int64
	clock    *clock.Fake
}

func newWorld(t testing.TB) *world {
	clk := clock.NewFake(t0)
	w := &world{t: t, ledger: newMemory(), settings: identity.Defaults(), ids: id.NewGenerator(clk, 1), at: t0.UnixMilli(), clock: clk}
	w.engine = identity.New(identity.Config{Vault: plainVault{}, IDs: w.ids, Clock: clk, Settings: func(context.Context) (identity.Policy, error) { return w.settings, nil }})
	return w
}

// ev is an event that shows a user id, an anonymous id and traits.
func (w *world) ev(user, anon string, traits map[string]string) event.Event {
	w.at += 1000
	kind := event.Track
	if traits != nil {
		kind = event.Identify
	}
	members := map[string]any{}
	for k, v := range traits {
		members[k] = map[string]string{"$sealed": v}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		w.t.Fatal(err)
	}
	return event.Event{ID: w.ids.Next(), Kind: kind, At: w.at, ReceivedAt: w.at, UserID: user, AnonymousID: anon, Properties: raw, Context: json.RawMessage(`{}`)}
}

// resolve resolves events as one batch and answers their profiles.
func (w *world) resolve(list ...event.Event) []id.ID {
	w.t.Helper()
	if err := w.engine.Resolve(context.Background(), w.ledger, list); err != nil {
		w.t.Fatal(err)
	}
	out := make([]id.ID, len(list))
	for i := range list {
		if out[i] = list[i].Profile; out[i] == 0 {
			w.t.Fatal("an event without a profile")
		}
	}
	return out
}

// one resolves one event.
func (w *world) one(user, anon string, traits map[string]string) id.ID {
	w.t.Helper()
	return w.resolve(w.ev(user, anon, traits))[0]
}

// root is where a profile leads.
func (w *world) root(p id.ID) id.ID { return w.ledger.profiles[p].Root }
