package mail

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Limits of what a person may set.
const (
	maxName     = 100
	maxHost     = 253
	maxUser     = 320
	maxPassword = 1000
	maxProfiles = 20
	maxRate     = 1_000_000
	// MaxPage is the most messages in one page of the log.
	MaxPage = 200
	// stoppedShown is how many stopped addresses are listed.
	stoppedShown = 500
	testTimeout  = 90 * time.Second
)

// Config is what a Service needs.
type Config struct {
	Queue  *Queue
	Client *Client
	// Forgive tells the dispatcher that a profile was changed; nil does nothing.
	Forgive func(profile id.ID)
}

// Service is what people do with profiles and the queue. Every method asks for the right mail.manage.
type Service struct {
	cfg   Config
	store Store
	clock clock.Clock
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Forgive == nil {
		cfg.Forgive = func(id.ID) {}
	}
	return &Service{cfg: cfg, store: cfg.Queue.Store, clock: cfg.Queue.Clock}
}

// Input is what a profile is to become; nil leaves what is there.
type Input struct {
	Name, Host, Username, Password *string // an empty Password removes it
	FromName, FromAddress, ReplyTo *string
	Port, PerMinute, PerHour       *int
	Security                       *Security
	Active, Standard, Sign         *bool
}

func allowed(ctx context.Context) error {
	if !access.From(ctx).Can(access.MailManage) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.MailManage)})
	}
	return nil
}

// List gives every profile, oldest first.
func (s *Service) List(ctx context.Context) ([]Profile, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.store.Profiles(ctx)
}

// Get gives one; NotFound mail.profile_not_found.
func (s *Service) Get(ctx context.Context, key id.ID) (Profile, error) {
	all, err := s.List(ctx)
	if err != nil {
		return Profile{}, err
	}
	for _, p := range all {
		if p.ID == key {
			return p, nil
		}
	}
	return Profile{}, fault.New(fault.NotFound, "mail.profile_not_found", nil)
}

// Create makes a profile; the first one is the standard one.
func (s *Service) Create(ctx context.Context, in Input) (Profile, error) {
	all, err := s.List(ctx)
	if err != nil {
		return Profile{}, err
	}
	if len(all) >= maxProfiles {
		return Profile{}, fault.New(fault.Conflict, "mail.too_many", fault.Params{"max": maxProfiles})
	}
	now := s.clock.Now()
	p := Profile{ID: s.cfg.Queue.IDs.Next(), Port: 587, Security: STARTTLS, Active: true, Standard: len(all) == 0, Version: 1, CreatedBy: access.From(ctx).ID, CreatedAt: now, UpdatedAt: now}
	if p.Wrapped, err = s.cfg.Queue.Vault.NewKey(p.ID); err != nil {
		return Profile{}, err
	}
	if err := s.change(&p, in); err != nil {
		return Profile{}, err
	}
	if err := s.store.InsertProfile(ctx, p); err != nil {
		return Profile{}, err
	}
	s.cfg.Forgive(p.ID)
	return p, nil
}

// Update changes a profile. version 0 is the current one. Stale mail.stale.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, in Input) (Profile, error) {
	return s.edit(ctx, key, version, func(p *Profile) error { return s.change(p, in) })
}

func (s *Service) edit(ctx context.Context, key id.ID, version int64, fn func(*Profile) error) (Profile, error) {
	p, err := s.Get(ctx, key)
	if err != nil {
		return p, err
	}
	if version != 0 && version != p.Version {
		return p, fault.New(fault.Stale, "mail.stale", nil)
	}
	if err := fn(&p); err != nil {
		return p, err
	}
	p.Version, p.UpdatedAt = p.Version+1, s.clock.Now()
	if err := s.store.UpdateProfile(ctx, p); err != nil {
		return p, err
	}
	s.cfg.Forgive(key)
	return s.Get(ctx, key)
}

// NewKey makes a key that signs, in place of an earlier one. It signs when it is turned on: first its DNS record must stand.
func (s *Service) NewKey(ctx context.Context, key id.ID) (Profile, error) {
	return s.edit(ctx, key, 0, func(p *Profile) error {
		private, public, err := makeKey()
		if err != nil {
			return err
		}
		if p.Key, err = s.cfg.Queue.Vault.Seal(p.Wrapped, p.ID, sealedKey, private); err != nil {
			return err
		}
		clear(private)
		p.Selector, p.Public, p.On = "gx"+s.clock.Now().Format("20060102150405"), public, false
		return nil
	})
}

// Delete removes a profile; what waits for it waits for the standard one.
func (s *Service) Delete(ctx context.Context, key id.ID) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	return s.store.DeleteProfile(ctx, key)
}

// Test sends one message now and tells each step of the conversation. What the steps say is not kept.
func (s *Service) Test(ctx context.Context, key id.ID, m Message) ([]Step, error) {
	p, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	it, err := s.cfg.Queue.item(m)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	c, err := s.cfg.Client.connect(ctx, &p)
	if err == nil {
		defer c.close()
		var text content
		var raw []byte
		if text, err = s.cfg.Queue.open(&it); err != nil {
			return nil, err
		}
		if raw, err = compose(&p, &it, &text, c.key, s.clock.Now()); err != nil {
			return nil, err
		}
		err = s.cfg.Client.send(c, p.FromAddress, text.To.Email, raw, func() error { return nil })
	}
	h := p.Health
	last := c.steps[len(c.steps)-1]
	switch {
	case err == nil:
		h = Health{LastSuccess: s.clock.Now()}
		s.cfg.Forgive(key)
	case last.Name == "recipient" || last.Name == "content":
		return c.steps, nil // about this message
	default:
		if h.FailingSince.IsZero() {
			h.FailingSince = s.clock.Now()
		}
		h.LastError, h.LastReply = last.Error, last.Reply
	}
	return c.steps, s.store.Fared(context.WithoutCancel(ctx), key, h)
}

// Messages is a page of the log, newest first; next is where the following one begins, 0 at the end.
func (s *Service) Messages(ctx context.Context, f Filter, limit int) (page []Item, next id.ID, err error) {
	if err := allowed(ctx); err != nil {
		return nil, 0, err
	}
	if limit <= 0 || limit > MaxPage {
		limit = 50
	}
	if page, err = s.store.Messages(ctx, f, limit+1); err != nil {
		return nil, 0, err
	}
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].ID
	}
	return page, next, nil
}

// Counts are the messages of each state but the sent ones.
func (s *Service) Counts(ctx context.Context) (map[State]int, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.store.Counts(ctx)
}

// Replay sends messages again that failed, were cancelled, or whose fate is unknown, and says how many.
func (s *Service) Replay(ctx context.Context, keys []id.ID) (int, error) {
	if err := allowed(ctx); err != nil {
		return 0, err
	}
	now := s.clock.Now()
	n, err := s.store.Replay(ctx, keys, now, now.Add(usefulFor))
	if err == nil && s.cfg.Queue.Notify != nil {
		s.cfg.Queue.Notify()
	}
	return n, err
}

// Cancel ends messages that wait, or whose fate is unknown, and says how many.
func (s *Service) Cancel(ctx context.Context, keys []id.ID) (int, error) {
	if err := allowed(ctx); err != nil {
		return 0, err
	}
	return s.store.Cancel(ctx, keys, s.clock.Now())
}

// Stopped lists addresses that take nothing any more, newest first.
func (s *Service) Stopped(ctx context.Context) ([]Stopped, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.store.ListStopped(ctx, stoppedShown)
}

// Release lets an address take mail again; NotFound mail.address_not_found.
func (s *Service) Release(ctx context.Context, blind string) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	return s.store.Release(ctx, blind)
}

// BlindOf is the index of an address, to look for it in the log.
func (s *Service) BlindOf(address string) (string, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return "", err
	}
	return s.cfg.Queue.Vault.Blind(a), nil
}

var hostShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// change applies an input, reporting everything that is wrong with it.
func (s *Service) change(p *Profile, in Input) error {
	var bad []*fault.Fault
	text := func(to *string, from *string) {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	before, server := p.domain(), p.server()
	text(&p.Name, in.Name)
	text(&p.Host, in.Host)
	text(&p.Username, in.Username)
	text(&p.FromName, in.FromName)
	for to, from := range map[*int]*int{&p.Port: in.Port, &p.PerMinute: in.PerMinute, &p.PerHour: in.PerHour} {
		if from != nil {
			*to = *from
		}
	}
	for to, from := range map[*bool]*bool{&p.Active: in.Active, &p.Standard: in.Standard} {
		if from != nil {
			*to = *from
		}
	}
	if in.Security != nil {
		p.Security = *in.Security
	}
	if p.Name == "" || utf8.RuneCountInString(p.Name) > maxName {
		bad = append(bad, fault.InvalidField("mail.bad_name", "name", fault.Params{"max": maxName}))
	}
	if utf8.RuneCountInString(p.FromName) > maxName || p.FromName != oneLine(p.FromName) {
		bad = append(bad, fault.InvalidField("mail.bad_from_name", "from_name", fault.Params{"max": maxName}))
	}
	if p.Port < 1 || p.Port > 65535 {
		bad = append(bad, fault.InvalidField("mail.bad_port", "port", nil))
	}
	if len(p.Username) > maxUser || p.Username != oneLine(p.Username) {
		bad = append(bad, fault.InvalidField("mail.bad_username", "username", fault.Params{"max": maxUser}))
	}
	for field, v := range map[string]int{"per_minute": p.PerMinute, "per_hour": p.PerHour} {
		if v < 0 || v > maxRate {
			bad = append(bad, fault.InvalidField("mail.bad_rate", field, fault.Params{"max": maxRate}))
		}
	}
	if !slices.Contains([]Security{STARTTLS, TLS, Plain}, p.Security) {
		bad = append(bad, fault.InvalidField("mail.bad_security", "security", nil))
	}
	bad = append(bad, s.setHost(p)...)
	bad = append(bad, setAddresses(p, in)...)
	if err := s.setSecret(p, in.Password, server != p.server(), &bad); err != nil {
		return err
	}
	if before != p.domain() { // the record of the key stands at the former domain
		p.On = false
	}
	if in.Sign != nil {
		if *in.Sign && p.Key == nil {
			bad = append(bad, fault.InvalidField("mail.no_key", "sign", nil))
		}
		p.On = *in.Sign
	}
	if f := fault.Join("mail.invalid", bad); f != nil {
		return f
	}
	return nil
}

// setHost checks the server as far as it can be without asking for its name: that is done when it is dialled.
func (s *Service) setHost(p *Profile) []*fault.Fault {
	bad := func(code string) []*fault.Fault { return []*fault.Fault{fault.InvalidField(code, "host", nil)} }
	addr, err := netip.ParseAddr(p.Host)
	if err != nil && (len(p.Host) > maxHost || !hostShape.MatchString(p.Host)) {
		return bad("mail.bad_host")
	}
	if err == nil && s.cfg.Client.Guard.Check(addr) != nil || p.Host == "localhost" && !s.cfg.Client.Guard.Allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		return bad("mail.host_private")
	}
	if p.Security == Plain && (len(s.cfg.Client.Guard.Allowed) == 0 || err == nil && !s.cfg.Client.Guard.Allows(addr)) {
		return []*fault.Fault{fault.InvalidField("mail.plain_refused", "security", nil)}
	}
	return nil
}

func setAddresses(p *Profile, in Input) (bad []*fault.Fault) {
	if in.FromAddress != nil || p.FromAddress == "" {
		text := ""
		if in.FromAddress != nil {
			text = *in.FromAddress
		}
		a, err := ParseAddress(text)
		if err != nil {
			bad = append(bad, fault.InvalidField("mail.bad_address", "from_address", nil))
		}
		p.FromAddress = a
	}
	if in.ReplyTo != nil {
		p.ReplyTo = ""
		if strings.TrimSpace(*in.ReplyTo) != "" {
			a, err := ParseAddress(*in.ReplyTo)
			if err != nil {
				bad = append(bad, fault.InvalidField("mail.bad_address", "reply_to", nil))
			}
			p.ReplyTo = a
		}
	}
	return bad
}

// server is where a password goes.
func (p *Profile) server() string {
	return fmt.Sprintf("%s|%d|%s|%s", p.Host, p.Port, p.Security, p.Username)
}

// setSecret seals a password. One that is stored is only good for the server and the account it was given for: who could send it
// elsewhere could read it.
func (s *Service) setSecret(p *Profile, given *string, moved bool, bad *[]*fault.Fault) error {
	switch {
	case given == nil && p.Password != nil && moved && p.Username != "":
		*bad = append(*bad, fault.InvalidField("mail.password_again", "password", nil))
	case given != nil && len(*given) > maxPassword:
		*bad = append(*bad, fault.InvalidField("mail.bad_password", "password", fault.Params{"max": maxPassword}))
	case given != nil && *given == "", p.Username == "":
		p.Password = nil
	case given != nil:
		sealed, err := s.cfg.Queue.Vault.Seal(p.Wrapped, p.ID, sealedPassword, []byte(*given))
		if err != nil {
			return fmt.Errorf("seal a password: %w", err)
		}
		p.Password = sealed
	}
	if p.Username != "" && p.Password == nil && len(*bad) == 0 {
		*bad = append(*bad, fault.InvalidField("mail.password_missing", "password", nil))
	}
	return nil
}
