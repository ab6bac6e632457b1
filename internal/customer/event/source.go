package event

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// SourcePrefix begins the printed ids of sources, KeyPrefix the write keys.
const (
	SourcePrefix = "src"
	KeyPrefix    = "wk_"
)

// SourceType is what sends events by a source.
type SourceType string

// The types. Only web sources are called by browsers of visitors: they are answered across origins, and their write key is public.
const (
	Web     SourceType = "web"
	Server  SourceType = "server"
	Sensor  SourceType = "sensors" // an SDK of 神策
	Webhook SourceType = "webhook"
)

// Source is a door of its own: a site, an app, a server, another program.
type Source struct {
	ID        id.ID
	Workspace string
	Name      string
	Type      SourceType
	Enabled   bool
	Settings
	Keys      []Key
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Settings are what is decided about a source.
type Settings struct {
	Origins   []string `json:"origins"`        // of Web: who may call from a page, "https://shop.example"; empty for every origin
	PerSecond int      `json:"per_second"`     // events; 0 for DefaultRate
	Retention int      `json:"retention_days"` // how long its events are kept; 0 for ever
	Mapping   *Mapping `json:"mapping,omitempty"`
	// Consent is what becomes of events that do not say that analysis was agreed to.
	Consent Asking `json:"consent,omitempty"`
	// Unlocated has no region made of the address of the network.
	Unlocated bool `json:"unlocated,omitempty"`
	// Orders has the orders that a public source tells of count at once; otherwise they do when a source whose key is secret tells of the same.
	Orders bool `json:"orders,omitempty"`
}

// Asking is what a source asks of consent.
type Asking string

// What a source asks. A refusal that is said is kept without its person either way: it is the proof of itself.
const (
	AskNothing   Asking = ""          // whoever has not refused is analysed
	KeepUnnamed  Asking = "anonymous" // what does not agree is kept and counted without a person
	DropUnagreed Asking = "drop"      // what says nothing is answered as if it were kept, and is not
)

// Public reports whether the source's key stands in pages and apps, where anybody can read it.
func (v *Source) Public() bool { return v.Type == Web || v.Type == Sensor }

// Key is a write key; only its hash is stored.
type Key struct {
	Hash      string // SHA-256, hex
	Hint      string // its first characters
	CreatedAt time.Time
	ExpiresAt time.Time // zero for never
}

// Bounds of sources.
const (
	DefaultRate  = 5000
	maxRate      = 100_000
	maxSources   = 200
	maxOrigins   = 50
	maxRetention = 36_500
	maxOverlap   = 90 * 24 * time.Hour
	maxNameRunes = 100
	hintLength   = 9
)

// SourceStore keeps the sources of all workspaces.
type SourceStore interface {
	CreateSource(ctx context.Context, s Source) error
	// UpdateSource writes all but the keys over the given version; false when it was changed meanwhile.
	UpdateSource(ctx context.Context, s Source, version int64) (bool, error)
	DeleteSource(ctx context.Context, workspace string, source id.ID) error
	Sources(ctx context.Context, workspace string) ([]Source, error) // oldest first, with their keys
	// RotateSource adds a key, and lets those there are end at a time at the latest.
	RotateSource(ctx context.Context, source id.ID, k Key, old time.Time) error
	// SourceByKey finds a source by the hash of a key that is good at a time.
	SourceByKey(ctx context.Context, hash string, now time.Time) (Source, bool, error)
}

// Sources manages the sources of one workspace.
type Sources struct {
	Store     SourceStore
	Workspace string
	Clock     clock.Clock
	IDs       *id.Generator
	// Changed is told that something is not as it was, so that what is remembered of keys is asked for again.
	Changed func()
}

// SourceInput is what a source is to become; nil leaves what is there.
type SourceInput struct {
	Name      *string
	Type      *SourceType
	Enabled   *bool
	Origins   *[]string
	PerSecond *int
	Retention *int
	Mapping   *Mapping
	Consent   *Asking
	Located   *bool // the region is made of the address of the network
	Orders    *bool
}

func allowed(ctx context.Context) error {
	if !access.From(ctx).Can(access.SourceManage) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SourceManage)})
	}
	return nil
}

// List is every source, oldest first.
func (s *Sources) List(ctx context.Context) ([]Source, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.Store.Sources(ctx, s.Workspace)
}

// Get is one source; NotFound event.source_not_found.
func (s *Sources) Get(ctx context.Context, key id.ID) (Source, error) {
	list, err := s.List(ctx)
	if err != nil {
		return Source{}, err
	}
	for _, v := range list {
		if v.ID == key {
			return v, nil
		}
	}
	return Source{}, fault.New(fault.NotFound, "event.source_not_found", nil)
}

// Create makes a source and its write key, which is told this once.
func (s *Sources) Create(ctx context.Context, in SourceInput) (Source, string, error) {
	list, err := s.List(ctx)
	if err != nil {
		return Source{}, "", err
	}
	if len(list) >= maxSources {
		return Source{}, "", fault.New(fault.Conflict, "event.too_many_sources", fault.Params{"limit": maxSources})
	}
	now := s.Clock.Now()
	v := Source{ID: s.IDs.Next(), Workspace: s.Workspace, Type: Web, Enabled: true, Settings: Settings{Origins: []string{}}, Version: 1, CreatedAt: now, UpdatedAt: now}
	if in.Type != nil {
		v.Type = *in.Type
	}
	if in.Mapping == nil && v.Type == Webhook {
		in.Mapping = &Mapping{Kind: event.Track, Event: "event", UserID: "user_id", AnonymousID: "anonymous_id", Time: "timestamp", MessageID: "id"}
	}
	if err := v.change(in); err != nil {
		return Source{}, "", err
	}
	key, secret := newKey(now)
	v.Keys = []Key{key}
	return v, secret, s.Store.CreateSource(ctx, v)
}

// Update changes a source; version 0 is the current one. Stale: event.source_stale.
func (s *Sources) Update(ctx context.Context, key id.ID, version int64, in SourceInput) (Source, error) {
	v, err := s.Get(ctx, key)
	if err != nil {
		return v, err
	}
	stale := fault.New(fault.Stale, "event.source_stale", nil)
	if version != 0 && version != v.Version {
		return v, stale
	}
	if in.Type != nil && *in.Type != v.Type {
		return v, fault.InvalidField("event.type_fixed", "type", nil)
	}
	if err := v.change(in); err != nil {
		return v, err
	}
	was := v.Version
	v.Version, v.UpdatedAt = was+1, s.Clock.Now()
	ok, err := s.Store.UpdateSource(ctx, v, was)
	if err == nil && !ok {
		err = stale
	}
	s.Changed()
	return v, err
}

// Delete removes a source with its keys; its events stay.
func (s *Sources) Delete(ctx context.Context, key id.ID) error {
	if _, err := s.Get(ctx, key); err != nil {
		return err
	}
	err := s.Store.DeleteSource(ctx, s.Workspace, key)
	s.Changed()
	return err
}

// Rotate makes another write key, which is told this once; those there are stay good for a time.
func (s *Sources) Rotate(ctx context.Context, key id.ID, overlap time.Duration) (Source, string, error) {
	v, err := s.Get(ctx, key)
	if err != nil {
		return v, "", err
	}
	if overlap < 0 || overlap > maxOverlap {
		return v, "", fault.InvalidField("event.overlap", "overlap_hours", fault.Params{"limit": int(maxOverlap.Hours())})
	}
	now := s.Clock.Now()
	k, secret := newKey(now)
	err = s.Store.RotateSource(ctx, key, k, now.Add(overlap))
	s.Changed()
	if err != nil {
		return v, "", err
	}
	v, err = s.Get(ctx, key)
	return v, secret, err
}

func newKey(now time.Time) (Key, string) {
	var b [24]byte
	_, _ = rand.Read(b[:])
	secret := KeyPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return Key{Hash: HashKey(secret), Hint: secret[:hintLength], CreatedAt: now}, secret
}

// HashKey is how a write key is stored.
func HashKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (v *Source) change(in SourceInput) error {
	if in.Name != nil {
		v.Name = strings.TrimSpace(*in.Name)
	}
	if v.Name == "" || len([]rune(v.Name)) > maxNameRunes {
		return fault.InvalidField("event.source_name", "name", fault.Params{"limit": maxNameRunes})
	}
	if !slices.Contains([]SourceType{Web, Server, Sensor, Webhook}, v.Type) {
		return fault.InvalidField("event.source_type", "type", nil)
	}
	if in.Enabled != nil {
		v.Enabled = *in.Enabled
	}
	if in.Located != nil {
		v.Unlocated = !*in.Located
	}
	if in.Orders != nil {
		v.Orders = *in.Orders && v.Public()
	}
	if in.Origins != nil {
		list, err := origins(*in.Origins)
		if err != nil {
			return err
		}
		v.Origins = list
	}
	for _, n := range []struct {
		field string
		given *int
		limit int
		to    *int
	}{{"per_second", in.PerSecond, maxRate, &v.PerSecond}, {"retention_days", in.Retention, maxRetention, &v.Retention}} {
		if n.given == nil {
			continue
		}
		if *n.given < 0 || *n.given > n.limit {
			return fault.InvalidField("event.number_range", n.field, fault.Params{"limit": n.limit})
		}
		*n.to = *n.given
	}
	if in.Consent != nil {
		if !slices.Contains([]Asking{AskNothing, KeepUnnamed, DropUnagreed}, *in.Consent) {
			return fault.InvalidField("event.source_consent", "consent", nil)
		}
		v.Consent = *in.Consent
	}
	if in.Mapping == nil || v.Type != Webhook {
		return nil
	}
	if err := in.Mapping.Check(); err != nil {
		return err
	}
	v.Mapping = in.Mapping
	return nil
}

// origins are what browsers send as Origin: scheme, host and port.
func origins(given []string) ([]string, error) {
	out := []string{}
	for _, o := range given {
		if o = strings.TrimRight(strings.ToLower(strings.TrimSpace(o)), "/"); o == "" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return nil, fault.InvalidField("event.origin", "origins", fault.Params{"origin": cut(o, 100)})
		}
		if !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	if len(out) > maxOrigins {
		return nil, fault.InvalidField("event.too_many_origins", "origins", fault.Params{"limit": maxOrigins})
	}
	return out, nil
}

// Rate is how many events a second are taken.
func (v *Source) Rate() int {
	if v.PerSecond > 0 {
		return v.PerSecond
	}
	return DefaultRate
}

// Allows reports whether a page of an origin may call.
func (v *Source) Allows(origin string) bool {
	return len(v.Origins) == 0 || slices.Contains(v.Origins, strings.ToLower(origin))
}
