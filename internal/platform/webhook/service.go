package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Limits of what a person may set.
const (
	maxName     = 100
	maxURL      = 2000
	maxRules    = 50
	maxFields   = 100
	maxHeaders  = 20
	maxHeader   = 2000
	maxWebhooks = 50
	// overlap is how long the secret before a rotation still signs.
	overlap = 24 * time.Hour
	// MaxPage is the most deliveries in one page.
	MaxPage = 200
)

// Config is what a Service needs.
type Config struct {
	Workspace string
	Store     Store
	Vault     Vault
	Registry  func() *schema.Registry
	// Check refuses conditions that are wrong or cannot be asked of one record.
	Check  func(ctx context.Context, object string, where *query.Node) error
	Guard  *httpc.Guard
	Sender *Sender
	Clock  clock.Clock
	IDs    *id.Generator
	// Notify wakes the dispatcher; nil does nothing.
	Notify func()
}

// Service is what people do with subscriptions. Every method asks for the right webhook.manage.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Notify == nil {
		cfg.Notify = func() {}
	}
	return &Service{cfg: cfg}
}

// Input is what a subscription is to become; nil leaves what is there.
type Input struct {
	Name, URL *string
	Rules     *[]Rule
	State     *State
	Reveal    *bool
	// Headers replace all others; a nil value keeps the one of the same name.
	Headers map[string]*string
}

func allowed(ctx context.Context) error {
	if !access.From(ctx).Can(access.WebhookManage) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.WebhookManage)})
	}
	return nil
}

// List gives every subscription with its health, oldest first.
func (s *Service) List(ctx context.Context) ([]Subscription, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.Webhooks(ctx, true)
}

// Get gives one.
func (s *Service) Get(ctx context.Context, key id.ID) (Subscription, error) {
	if err := allowed(ctx); err != nil {
		return Subscription{}, err
	}
	return s.cfg.Store.Webhook(ctx, key)
}

// Create makes a subscription and its secret, which is given this once. It is told of what happens from then on.
func (s *Service) Create(ctx context.Context, in Input) (Subscription, string, error) {
	if err := allowed(ctx); err != nil {
		return Subscription{}, "", err
	}
	all, err := s.cfg.Store.Webhooks(ctx, false)
	if err != nil {
		return Subscription{}, "", err
	}
	if len(all) >= maxWebhooks {
		return Subscription{}, "", fault.New(fault.Conflict, "webhook.too_many", fault.Params{"max": maxWebhooks})
	}
	now := s.cfg.Clock.Now()
	sub := Subscription{ID: s.cfg.IDs.Next(), State: Active, Rules: []Rule{}, HeaderNames: []string{}, Version: 1, CreatedBy: access.From(ctx).ID, CreatedAt: now, UpdatedAt: now}
	if sub.Wrapped, err = s.cfg.Vault.NewKey(sub.ID); err != nil {
		return Subscription{}, "", err
	}
	secret := NewSecret()
	if sub.Secret, err = s.cfg.Vault.Seal(sub.Wrapped, sub.ID, sealedSecret, []byte(secret)); err != nil {
		return Subscription{}, "", err
	}
	if err := s.change(ctx, &sub, in); err != nil {
		return Subscription{}, "", err
	}
	if err := s.cfg.Store.InsertWebhook(ctx, sub); err != nil {
		return Subscription{}, "", err
	}
	return sub, secret, nil
}

// Update changes a subscription. version 0 is the current one. Stale: webhook.stale.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, in Input) (Subscription, error) {
	return s.edit(ctx, key, version, func(sub *Subscription) error { return s.change(ctx, sub, in) })
}

func (s *Service) edit(ctx context.Context, key id.ID, version int64, fn func(*Subscription) error) (Subscription, error) {
	if err := allowed(ctx); err != nil {
		return Subscription{}, err
	}
	sub, err := s.cfg.Store.Webhook(ctx, key)
	if err != nil {
		return sub, err
	}
	if version != 0 && version != sub.Version {
		return sub, fault.New(fault.Stale, "webhook.stale", nil)
	}
	if err := fn(&sub); err != nil {
		return sub, err
	}
	sub.Version, sub.UpdatedAt = sub.Version+1, s.cfg.Clock.Now()
	if err := s.cfg.Store.UpdateWebhook(ctx, sub); err != nil {
		return sub, err
	}
	s.cfg.Notify()
	return s.cfg.Store.Webhook(ctx, key)
}

// Rotate makes a new secret, given this once. The one before signs beside it for a day.
func (s *Service) Rotate(ctx context.Context, key id.ID) (Subscription, string, error) {
	secret := NewSecret()
	sub, err := s.edit(ctx, key, 0, func(sub *Subscription) error {
		sealed, err := s.cfg.Vault.Seal(sub.Wrapped, sub.ID, sealedSecret, []byte(secret))
		if err != nil {
			return err
		}
		sub.OldSecret, sub.OldUntil, sub.Secret = sub.Secret, s.cfg.Clock.Now().Add(overlap), sealed
		return nil
	})
	return sub, secret, err
}

// Delete removes a subscription with its log.
func (s *Service) Delete(ctx context.Context, key id.ID) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	return s.cfg.Store.DeleteWebhook(ctx, key)
}

// Test sends one message now, whatever the state of the subscription, and keeps it in the log.
func (s *Service) Test(ctx context.Context, key id.ID) (Delivery, Attempt, error) {
	sub, err := s.Get(ctx, key)
	if err != nil {
		return Delivery{}, Attempt{}, err
	}
	now := s.cfg.Clock.Now()
	raw, err := encode(body{Type: TestType, Timestamp: now, Workspace: s.cfg.Workspace})
	if err != nil {
		return Delivery{}, Attempt{}, err
	}
	d := Delivery{ID: s.cfg.IDs.Next(), Webhook: key, Type: TestType, At: now, Body: string(raw), Masked: []string{}, State: Delivered}
	a := s.cfg.Sender.send(ctx, &sub, &d)
	d.Attempts, d.Tries, d.DoneAt, d.Reason = 1, 1, s.cfg.Clock.Now(), a.Error
	if a.Error != "" {
		d.State = Dead
	}
	return d, a.Attempt, s.cfg.Store.InsertDelivery(context.WithoutCancel(ctx), d, a.Attempt)
}

// Deliveries is a page of the log, newest first; next is where the following one begins, 0 at the end.
func (s *Service) Deliveries(ctx context.Context, key id.ID, f Filter, limit int) (page []Delivery, next id.ID, err error) {
	if _, err := s.Get(ctx, key); err != nil {
		return nil, 0, err
	}
	if limit <= 0 || limit > MaxPage {
		limit = 50
	}
	if page, err = s.cfg.Store.Deliveries(ctx, key, f, limit+1); err != nil {
		return nil, 0, err
	}
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].ID
	}
	return page, next, nil
}

// Delivery gives one delivery with its attempts, oldest first.
func (s *Service) Delivery(ctx context.Context, key, delivery id.ID) (Delivery, []Attempt, error) {
	found, _, err := s.Deliveries(ctx, key, Filter{Delivery: delivery}, 1)
	if err != nil {
		return Delivery{}, nil, err
	}
	if len(found) == 0 {
		return Delivery{}, nil, fault.New(fault.NotFound, "webhook.delivery_not_found", nil)
	}
	attempts, err := s.cfg.Store.Attempts(ctx, delivery)
	return found[0], attempts, err
}

// Replay sends deliveries again under their old ids and says how many: one, those of a state, those of a time. Tests are left out.
func (s *Service) Replay(ctx context.Context, key id.ID, f Filter) (int, error) {
	sub, err := s.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	if sub.State == Disabled {
		return 0, fault.New(fault.Conflict, "webhook.disabled", nil)
	}
	if f.Delivery == 0 && f.State == "" && f.From.IsZero() && f.To.IsZero() {
		return 0, fault.New(fault.Invalid, "webhook.replay_what", nil)
	}
	n, err := s.cfg.Store.Replay(ctx, key, f, s.cfg.Clock.Now())
	if err == nil && n == 0 && f.Delivery != 0 {
		return 0, fault.New(fault.NotFound, "webhook.delivery_not_found", nil)
	}
	s.cfg.Notify()
	return n, err
}

// change applies an input, reporting everything that is wrong with it.
func (s *Service) change(ctx context.Context, sub *Subscription, in Input) error {
	var bad []*fault.Fault
	add := func(f *fault.Fault) {
		if f != nil {
			bad = append(bad, f)
		}
	}
	if in.Name != nil || sub.Name == "" {
		add(setName(sub, in.Name))
	}
	if in.URL != nil || sub.URL == "" {
		add(s.setURL(sub, in.URL))
	}
	if in.Rules != nil || len(sub.Rules) == 0 {
		found, err := s.setRules(ctx, sub, in.Rules)
		if err != nil {
			return err
		}
		bad = append(bad, found...)
	}
	if in.State != nil {
		add(setState(sub, *in.State))
	}
	if in.Reveal != nil {
		if *in.Reveal && !sub.Reveal && !access.From(ctx).Can(access.PersonalReveal) {
			return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.PersonalReveal)})
		}
		sub.Reveal = *in.Reveal
	}
	if in.Headers != nil {
		f, err := s.setHeaders(sub, in.Headers)
		if err != nil {
			return err
		}
		add(f)
	}
	if f := fault.Join("webhook.invalid", bad); f != nil {
		return f
	}
	return nil
}

func setName(sub *Subscription, name *string) *fault.Fault {
	if name != nil {
		sub.Name = strings.TrimSpace(*name)
	}
	if sub.Name == "" || utf8.RuneCountInString(sub.Name) > maxName {
		return fault.InvalidField("webhook.bad_name", "name", fault.Params{"max": maxName})
	}
	return nil
}

func setState(sub *Subscription, state State) *fault.Fault {
	if state != Active && state != Paused {
		return fault.InvalidField("webhook.bad_state", "state", nil)
	}
	sub.State, sub.Reason = state, ""
	return nil
}

// setURL checks an address as far as it can be without asking for its name: that is done when it is dialled.
func (s *Service) setURL(sub *Subscription, text *string) *fault.Fault {
	if text != nil {
		sub.URL = strings.TrimSpace(*text)
	}
	bad := func(code string) *fault.Fault { return fault.InvalidField(code, "url", fault.Params{"max": maxURL}) }
	u, err := url.Parse(sub.URL)
	if err != nil || len(sub.URL) > maxURL || u.Host == "" || u.Hostname() == "" || u.Opaque != "" {
		return bad("webhook.bad_url")
	}
	if u.User != nil || u.Fragment != "" {
		return bad("webhook.url_userinfo")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || len(s.cfg.Guard.Allowed) == 0) {
		return bad("webhook.url_https")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && s.cfg.Guard.Check(addr) != nil,
		err != nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) && !s.cfg.Guard.Allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})):
		return bad("webhook.url_private")
	case err == nil && u.Scheme == "http" && !s.cfg.Guard.Allows(addr):
		return bad("webhook.url_https")
	}
	return nil
}

func (s *Service) setRules(ctx context.Context, sub *Subscription, rules *[]Rule) ([]*fault.Fault, error) {
	if rules == nil || len(*rules) == 0 || len(*rules) > maxRules {
		return []*fault.Fault{fault.InvalidField("webhook.bad_rules", "rules", fault.Params{"max": maxRules})}, nil
	}
	var bad []*fault.Fault
	out := make([]Rule, len(*rules))
	for i, r := range *rules {
		at := fmt.Sprintf("rules.%d", i)
		found, err := s.checkRule(ctx, &r)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			bad = append(bad, f.At(at))
		}
		out[i] = r
	}
	sub.Rules = out
	return bad, nil
}

func (s *Service) checkRule(ctx context.Context, r *Rule) ([]*fault.Fault, error) {
	obj := s.cfg.Registry().Object(r.Object)
	if obj == nil || obj.Virtual {
		return []*fault.Fault{fault.InvalidField("webhook.unknown_object", "object", fault.Params{"object": r.Object})}, nil
	}
	var bad []*fault.Fault
	var kinds []Kind
	all := slices.Concat(Kinds(), Around())
	for _, k := range all {
		if slices.Contains(r.Kinds, k) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 || slices.ContainsFunc(r.Kinds, func(k Kind) bool { return !slices.Contains(all, k) }) {
		bad = append(bad, fault.InvalidField("webhook.bad_kinds", "kinds", nil))
	}
	r.Kinds = kinds
	if len(r.Fields) > maxFields {
		bad = append(bad, fault.InvalidField("webhook.bad_fields", "fields", fault.Params{"max": maxFields}))
	}
	for i, f := range r.Fields {
		if obj.Field(f) == nil {
			bad = append(bad, fault.InvalidField("webhook.unknown_field", fmt.Sprintf("fields.%d", i), fault.Params{"field": f}))
		}
	}
	if r.Where == nil {
		return bad, nil
	}
	err := s.cfg.Check(ctx, r.Object, r.Where)
	f, isFault := fault.Find(err)
	switch {
	case err == nil:
	case !isFault || f.Kind != fault.Invalid:
		return nil, err
	case len(f.Items) == 0:
		bad = append(bad, f.At("where"))
	default:
		for _, it := range f.Items {
			bad = append(bad, it.At("where"))
		}
	}
	return bad, nil
}

// setHeaders replaces the further headers. Their values are never given out again.
func (s *Service) setHeaders(sub *Subscription, in map[string]*string) (*fault.Fault, error) {
	old, err := s.cfg.Sender.headers(sub)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v, kept := old[name]
		if in[name] != nil {
			v = *in[name]
		} else if !kept {
			return fault.InvalidField("webhook.bad_header", "headers."+name, fault.Params{"header": name}), nil
		}
		if !goodHeader(name, v) {
			return fault.InvalidField("webhook.bad_header", "headers."+name, fault.Params{"header": name}), nil
		}
		out[name] = v
	}
	if len(out) > maxHeaders {
		return fault.InvalidField("webhook.too_many_headers", "headers", fault.Params{"max": maxHeaders}), nil
	}
	sub.HeaderNames = slices.Sorted(maps.Keys(out))
	if len(out) == 0 {
		sub.Headers, sub.HeaderNames = nil, []string{}
		return nil, nil //nolint:nilnil // none is fine
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	sub.Headers, err = s.cfg.Vault.Seal(sub.Wrapped, sub.ID, sealedHeaders, raw)
	return nil, err
}

// goodHeader refuses what would break a request or speak in our name.
func goodHeader(name, value string) bool {
	if name == "" || len(name) > 100 || len(value) > maxHeader {
		return false
	}
	for _, c := range name {
		if !strings.ContainsRune("!#$%&'*+-.^_`|~", c) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(lower, "webhook-"), strings.HasPrefix(lower, "proxy-"):
		return false
	default:
		return !slices.Contains([]string{"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "user-agent", "upgrade", "te", "trailer",
			"expect", "keep-alive"}, lower)
	}
}
