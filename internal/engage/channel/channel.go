// Package channel keeps the accounts through which messages go that are no mails: companies that deliver text messages, and addresses that take a
// signed request.
//
// The secret of an account is sealed and never shown again. Its health is what the last attempts came to. Every account has an address of its own at
// which the company tells what became of messages and what people answered (Token): it names the account and is signed, and a new one can be made.
//
// A message is attempted once (Send); what is to be repeated decides who asked. Numbers are kept as keyed digests alone.
//
// The package knows no SQL and no HTTP, and no other engine.
package channel

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/sms"
)

// Prefix of printed ids.
const Prefix = "cha"

// The channels.
const (
	SMS     = "sms"
	Webhook = "webhook"
)

// Settings are what is no secret.
type Settings struct {
	Endpoint string `json:"endpoint,omitempty"` // "" for that of the provider
	Key      string `json:"key,omitempty"`      // AccessKeyId, SecretId
	App      string `json:"app,omitempty"`      // SmsSdkAppId
	Region   string `json:"region,omitempty"`
	Sign     string `json:"sign,omitempty"` // without brackets
	// Out are the words at the end of marketing that say how to have no more of it.
	Out string `json:"out,omitempty"`
	// Price is that of a part, in thousandths of a minor unit.
	Price int64 `json:"price,omitempty"`
	// Turn counts the addresses for receipts that were made.
	Turn int64 `json:"turn,omitempty"`
}

// Account is one.
type Account struct {
	ID                      id.ID
	Channel, Provider, Name string
	Settings                Settings
	Wrapped, Secret         []byte
	Active                  bool
	Version                 int64
	CreatedAt, UpdatedAt    time.Time
	LastSuccess             time.Time
	FailingSince            time.Time
	LastError               string
}

// Coded reports whether the provider sends texts that it knows, by their code and the values in their places, and not what it is given.
func (a *Account) Coded() bool { return a.Provider == sms.Aliyun || a.Provider == sms.Tencent }

// Store keeps accounts and numbers.
type Store interface {
	// Accounts are all of them, the oldest first.
	Accounts(ctx context.Context) ([]Account, error)
	Insert(ctx context.Context, a Account) error
	// Save writes over version a.Version-1. Stale channel.stale.
	Save(ctx context.Context, a Account) error
	// Delete removes an account; Conflict channel.in_use while a campaign that has not ended goes through it.
	Delete(ctx context.Context, key id.ID) error
	// Health notes what an attempt came to: code "" for success.
	Health(ctx context.Context, key id.ID, code string, at time.Time) error
	// Stop remembers a number; Stopped says which of some are remembered, and why.
	Stop(ctx context.Context, channel, blind, reason string, at time.Time) error
	Stopped(ctx context.Context, channel string, blinds []string) (map[string]string, error)
	// Release forgets a number; false when it was not remembered.
	Release(ctx context.Context, channel, blind string) (bool, error)
}

// Why numbers are remembered.
const (
	Dead = "dead"
	Left = "left"
)

// Vault seals secrets.
type Vault interface {
	NewKey(subject id.ID) ([]byte, error)
	Seal(wrapped []byte, subject id.ID, field string, plain []byte) ([]byte, error)
	Open(wrapped []byte, subject id.ID, field string, sealed []byte) ([]byte, error)
	// Blind is the keyed digest of a number.
	Blind(number string) string
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Vault Vault
	// Open makes the provider of settings; false for one that there is not.
	Open      func(x sms.Settings) (sms.Provider, bool)
	Guard     *httpc.Guard
	Clock     clock.Clock
	IDs       *id.Generator
	Workspace string
	Sign      func([]byte) []byte
	Verify    func([]byte) ([]byte, bool)
	Nonce     func() string // a text that is never the same
}

// Service is the accounts of one workspace. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu     sync.Mutex
	health map[id.ID]told
}

// told is what was written of the health of an account last.
type told struct {
	code string
	at   time.Time
}

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg, health: map[id.ID]told{}} }

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

func may(ctx context.Context, list ...access.Right) error {
	for _, r := range list {
		if access.From(ctx).Can(r) {
			return nil
		}
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(list[0])})
}

// List are all accounts, the oldest first.
func (s *Service) List(ctx context.Context) ([]Account, error) {
	if err := may(ctx, access.MailManage, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Accounts(ctx)
}

// Get is one; NotFound channel.not_found.
func (s *Service) Get(ctx context.Context, key id.ID) (Account, error) {
	all, err := s.List(ctx)
	if err != nil {
		return Account{}, err
	}
	for _, a := range all {
		if a.ID == key {
			return a, nil
		}
	}
	return Account{}, fault.New(fault.NotFound, "channel.not_found", nil)
}

// Use is the account that messages of a channel go through: the one named, or the oldest that is active. Conflict channel.none, channel.off.
func (s *Service) Use(ctx context.Context, channel string, key id.ID) (Account, error) {
	all, err := s.cfg.Store.Accounts(ctx)
	if err != nil {
		return Account{}, err
	}
	for _, a := range all {
		switch {
		case a.Channel != channel, key != 0 && a.ID != key, key == 0 && !a.Active:
		case !a.Active:
			return a, fault.New(fault.Conflict, "channel.off", fault.Params{"name": a.Name})
		default:
			return a, nil
		}
	}
	return Account{}, fault.New(fault.Conflict, "channel.none", nil)
}

// Input is what an account is to become; nil leaves what is there.
type Input struct {
	Name, Endpoint, Key, Secret, App, Region, Sign, Out *string
	Price                                               *int64
	Active                                              *bool
}

// Bounds of accounts.
const (
	maxAccounts = 50
	maxName     = 100
	maxSign     = 20
	maxOut      = 20
	maxText     = 300
	maxSecret   = 500
	maxPrice    = 100_000_000
	secretField = "secret"
)

// Create makes an account. Faults: channel.invalid with every place.
func (s *Service) Create(ctx context.Context, channel, provider string, in Input) (Account, error) {
	if err := may(ctx, access.MailManage); err != nil {
		return Account{}, err
	}
	all, err := s.cfg.Store.Accounts(ctx)
	if err != nil {
		return Account{}, err
	}
	if len(all) >= maxAccounts {
		return Account{}, fault.New(fault.Conflict, "channel.too_many", fault.Params{"max": maxAccounts})
	}
	if channel != SMS && channel != Webhook {
		return Account{}, fault.InvalidField("channel.bad_channel", "channel", nil)
	}
	if channel == Webhook {
		provider = sms.General
	}
	if !slices.Contains(sms.Providers(), provider) {
		return Account{}, fault.InvalidField("channel.bad_provider", "provider", nil)
	}
	now := s.now()
	a := Account{ID: s.cfg.IDs.Next(), Channel: channel, Provider: provider, Active: true, Version: 1, CreatedAt: now, UpdatedAt: now}
	if a.Wrapped, err = s.cfg.Vault.NewKey(a.ID); err != nil {
		return a, err
	}
	if err := s.change(&a, in); err != nil {
		return a, err
	}
	return a, s.cfg.Store.Insert(ctx, a)
}

// Update changes an account over the version that the caller saw.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, in Input) (Account, error) {
	return s.edit(ctx, key, version, func(a *Account) error { return s.change(a, in) })
}

// Turn makes another address for receipts; the one before leads nowhere from then on.
func (s *Service) Turn(ctx context.Context, key id.ID) (Account, error) {
	return s.edit(ctx, key, 0, func(a *Account) error {
		a.Settings.Turn++
		return nil
	})
}

func (s *Service) edit(ctx context.Context, key id.ID, version int64, fn func(*Account) error) (Account, error) {
	if err := may(ctx, access.MailManage); err != nil {
		return Account{}, err
	}
	a, err := s.Get(ctx, key)
	if err != nil {
		return a, err
	}
	if version != 0 && version != a.Version {
		return a, fault.New(fault.Stale, "channel.stale", nil)
	}
	if err := fn(&a); err != nil {
		return a, err
	}
	a.Version++
	a.UpdatedAt = s.now()
	return a, s.cfg.Store.Save(ctx, a)
}

// Delete removes an account.
func (s *Service) Delete(ctx context.Context, key id.ID) error {
	if err := may(ctx, access.MailManage); err != nil {
		return err
	}
	return s.cfg.Store.Delete(ctx, key)
}

func (s *Service) change(a *Account, in Input) error {
	old := *a
	x := &a.Settings
	for to, from := range map[*string]*string{&a.Name: in.Name, &x.Endpoint: in.Endpoint, &x.Key: in.Key, &x.App: in.App, &x.Region: in.Region, &x.Sign: in.Sign, &x.Out: in.Out} {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	x.Sign = strings.Trim(x.Sign, "【】 ")
	if in.Price != nil {
		x.Price = *in.Price
	}
	if in.Active != nil {
		a.Active = *in.Active
	}
	var bad []*fault.Fault
	fail := func(ok bool, code, field string, p fault.Params) {
		if !ok {
			bad = append(bad, fault.InvalidField("channel."+code, field, p))
		}
	}
	fail(a.Name != "" && utf8.RuneCountInString(a.Name) <= maxName, "bad_name", "name", fault.Params{"max": maxName})
	if a.Channel == SMS {
		fail(x.Sign != "" && utf8.RuneCountInString(x.Sign) <= maxSign, "bad_sign", "sign", fault.Params{"max": maxSign})
		fail(utf8.RuneCountInString(x.Out) <= maxOut, "bad_out", "out", fault.Params{"max": maxOut})
	}
	fail(x.Price >= 0 && x.Price <= maxPrice, "bad_price", "price", nil)
	fail(!a.Coded() || x.Key != "" && len(x.Key) <= maxText, "bad_key", "key", nil)
	fail(a.Provider != sms.Tencent || x.App != "" && len(x.App) <= maxText, "bad_app", "app", nil)
	fail(len(x.Region) <= 40, "bad_region", "region", nil)
	if a.Provider == sms.General || x.Endpoint != "" {
		if f := s.address(x.Endpoint); f != nil {
			bad = append(bad, f)
		}
	}
	if in.Secret != nil && *in.Secret != "" {
		fail(len(*in.Secret) <= maxSecret, "bad_secret", "secret", nil)
		sealed, err := s.cfg.Vault.Seal(a.Wrapped, a.ID, secretField, []byte(*in.Secret))
		if err != nil {
			return err
		}
		a.Secret = sealed
	} else if old.Secret != nil && old.Settings.Endpoint != x.Endpoint {
		fail(false, "secret_again", "secret", nil) // it is not sent to another address than it was given for
	}
	fail(a.Secret != nil, "bad_secret", "secret", nil)
	if f := fault.Join("channel.invalid", bad); f != nil {
		return f
	}
	return nil
}

func (s *Service) address(text string) *fault.Fault {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(text) > 1000 {
		return fault.InvalidField("channel.bad_endpoint", "endpoint", nil)
	}
	if u.Scheme == "http" && len(s.cfg.Guard.Allowed) == 0 {
		return fault.InvalidField("channel.url_https", "endpoint", nil)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && s.cfg.Guard.Check(addr) != nil,
		err != nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) && !s.cfg.Guard.Allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})):
		return fault.InvalidField("channel.url_private", "endpoint", nil)
	case err == nil && u.Scheme == "http" && !s.cfg.Guard.Allows(addr):
		return fault.InvalidField("channel.url_https", "endpoint", nil)
	}
	return nil
}

// open makes the provider of an account.
func (s *Service) open(a *Account) (sms.Provider, error) {
	secret, err := s.cfg.Vault.Open(a.Wrapped, a.ID, secretField, a.Secret)
	if err != nil {
		return nil, err
	}
	p, ok := s.cfg.Open(sms.Settings{Provider: a.Provider, Endpoint: a.Settings.Endpoint, Key: a.Settings.Key, Secret: string(secret), App: a.Settings.App, Region: a.Settings.Region, Clock: s.cfg.Clock, Nonce: s.cfg.Nonce})
	if !ok {
		return nil, fault.New(fault.Conflict, "channel.bad_provider", nil)
	}
	return p, nil
}

// Send makes one attempt, and remembers what it says about the account and about the number.
func (s *Service) Send(ctx context.Context, a *Account, m sms.Message) sms.Result {
	p, err := s.open(a)
	if err != nil {
		return sms.Result{Outcome: sms.Account, Code: "sealed"}
	}
	m.Sign = a.Settings.Sign
	r := p.Send(ctx, m)
	s.heard(context.WithoutCancel(ctx), a, r)
	if r.Outcome == sms.Dead {
		s.Stop(context.WithoutCancel(ctx), m.To, Dead)
	}
	return r
}

// Call makes one attempt at a signed request of any content.
func (s *Service) Call(ctx context.Context, a *Account, key string, body []byte) sms.Result {
	p, err := s.open(a)
	if err != nil {
		return sms.Result{Outcome: sms.Account, Code: "sealed"}
	}
	c, ok := p.(sms.Caller)
	if !ok {
		return sms.Result{Outcome: sms.Account, Code: "refused"}
	}
	r := c.Call(ctx, key, body)
	s.heard(context.WithoutCancel(ctx), a, r)
	return r
}

// heard remembers what an attempt says about an account.
func (s *Service) heard(ctx context.Context, a *Account, r sms.Result) {
	switch r.Outcome {
	case sms.Taken, sms.Refused, sms.Dead:
		s.tell(ctx, a.ID, "")
	default:
		s.tell(ctx, a.ID, r.Code)
	}
}

// healthEvery is how often the health of an account is written while it stays what it is.
const healthEvery = time.Minute

// tell writes the health of an account; what cannot be written is told again by the next attempt.
func (s *Service) tell(ctx context.Context, key id.ID, code string) {
	now := s.now()
	s.mu.Lock()
	last, ok := s.health[key]
	fresh := ok && last.code == code && now.Sub(last.at) < healthEvery
	if !fresh {
		s.health[key] = told{code, now}
	}
	s.mu.Unlock()
	if fresh {
		return
	}
	if err := s.cfg.Store.Health(ctx, key, code, now); err != nil {
		s.mu.Lock()
		delete(s.health, key)
		s.mu.Unlock()
	}
}

// Stop remembers that a number takes nothing, or wants nothing. A failure is met again with the next message to it.
func (s *Service) Stop(ctx context.Context, number, reason string) {
	_ = s.cfg.Store.Stop(ctx, SMS, s.cfg.Vault.Blind(number), reason, s.now())
}

// Release lets messages go to a number again; false when nothing kept them from it.
func (s *Service) Release(ctx context.Context, number string) (bool, error) {
	if err := may(ctx, access.MailManage); err != nil {
		return false, err
	}
	return s.cfg.Store.Release(ctx, SMS, s.cfg.Vault.Blind(number))
}

// Leave remembers that the owner of a number wants nothing; what cannot be stored is for the provider to tell again.
func (s *Service) Leave(ctx context.Context, number string) error {
	return s.cfg.Store.Stop(ctx, SMS, s.cfg.Vault.Blind(number), Left, s.now())
}

// Mark is a keyed digest of a number, for what must be known again and not be read.
func (s *Service) Mark(number string) string { return s.cfg.Vault.Blind(number) }

// Stopped says which numbers are remembered, and why.
func (s *Service) Stopped(ctx context.Context, numbers []string) (map[string]string, error) {
	blinds := make([]string, len(numbers))
	for i, n := range numbers {
		blinds[i] = s.cfg.Vault.Blind(n)
	}
	got, err := s.cfg.Store.Stopped(ctx, SMS, blinds)
	out := make(map[string]string, len(got))
	for i, n := range numbers {
		if why := got[blinds[i]]; why != "" {
			out[n] = why
		}
	}
	return out, err
}

// Find asks the provider what became of a message.
func (s *Service) Find(ctx context.Context, a *Account, m sms.Sent) (sms.Report, bool, error) {
	p, err := s.open(a)
	if err != nil {
		return sms.Report{}, false, err
	}
	return p.Find(ctx, m)
}

// Test sends one message now, whatever gates say.
func (s *Service) Test(ctx context.Context, key id.ID, m sms.Message) (sms.Result, error) {
	if err := may(ctx, access.MailManage); err != nil {
		return sms.Result{}, err
	}
	a, err := s.Get(ctx, key)
	if err != nil {
		return sms.Result{}, err
	}
	m.ID = "msg_test_" + s.cfg.Nonce()
	s.mu.Lock()
	delete(s.health, key) // whoever tries wants to see it
	s.mu.Unlock()
	if a.Channel == Webhook {
		return s.Call(ctx, &a, m.ID, []byte(`{"type":"test"}`)), nil
	}
	return s.Send(ctx, &a, m), nil
}

const tokenSign = "channel|"

// Token is what the address for receipts and answers ends with.
func (s *Service) Token(a *Account) string {
	msg := binary.BigEndian.AppendUint64([]byte(tokenSign), uint64(a.ID)) //nolint:gosec // ids are positive
	msg = binary.BigEndian.AppendUint64(msg, uint64(a.Settings.Turn))     //nolint:gosec // counts
	return s.cfg.Workspace + "." + base64.RawURLEncoding.EncodeToString(s.cfg.Sign(msg))
}

// Told reads what came to the address of an account. NotFound channel.not_found for an address that leads nowhere, Invalid channel.unreadable for
// what the provider never says.
func (s *Service) Told(ctx context.Context, token string, body []byte) (Account, sms.Inbound, error) {
	unknown := fault.New(fault.NotFound, "channel.not_found", nil)
	_, text, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Account{}, sms.Inbound{}, unknown
	}
	msg, ok := s.cfg.Verify(raw)
	rest, ours := strings.CutPrefix(string(msg), tokenSign)
	if !ok || !ours || len(rest) != 16 {
		return Account{}, sms.Inbound{}, unknown
	}
	key, turn := id.ID(binary.BigEndian.Uint64([]byte(rest))), int64(binary.BigEndian.Uint64([]byte(rest)[8:])) //nolint:gosec // ours
	all, err := s.cfg.Store.Accounts(ctx)
	if err != nil {
		return Account{}, sms.Inbound{}, err
	}
	at := slices.IndexFunc(all, func(a Account) bool { return a.ID == key && a.Settings.Turn == turn && a.Channel == SMS })
	if at < 0 {
		return Account{}, sms.Inbound{}, unknown
	}
	in, err := sms.Read(all[at].Provider, body)
	if err != nil {
		return Account{}, in, fault.New(fault.Invalid, "channel.unreadable", nil)
	}
	return all[at], in, nil
}
