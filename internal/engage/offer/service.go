package offer

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Config is what a Service is made of.
type Config struct {
	Store  Store
	People People
	Clock  clock.Clock
	Zone   func() *time.Location
	IDs    *id.Generator
	Note   func(ctx context.Context, action string, key id.ID, detail map[string]any) error
}

// Service keeps offers and answers tills.
type Service struct {
	cfg Config

	mu    sync.Mutex
	tries map[string]*tried
}

// New makes one.
func New(cfg Config) *Service { return &Service{cfg: cfg, tries: map[string]*tried{}} }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

func (s *Service) stamp(ctx context.Context) Stamp {
	return Stamp{By: access.From(ctx).ID, IDs: s.cfg.IDs.Next, At: s.cfg.Clock.Now()}
}

// List are all offers, the newest first.
func (s *Service) List(ctx context.Context) ([]Offer, error) {
	if err := may(ctx, access.OfferRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Offers(ctx)
}

// Get is one.
func (s *Service) Get(ctx context.Context, key id.ID) (Offer, error) {
	if err := may(ctx, access.OfferRead); err != nil {
		return Offer{}, err
	}
	return s.cfg.Store.Offer(ctx, key)
}

// Create makes a draft. Faults: offer.invalid with every place that needs a change.
func (s *Service) Create(ctx context.Context, name string, r Rule) (Offer, error) {
	if err := may(ctx, access.OfferWrite); err != nil {
		return Offer{}, err
	}
	now, who := s.cfg.Clock.Now(), access.From(ctx).ID
	v := Offer{ID: s.cfg.IDs.Next(), Name: strings.TrimSpace(name), Status: Draft, Rule: r, Version: 1, CreatedBy: who, UpdatedBy: who, CreatedAt: now, UpdatedAt: now}
	if err := check(&v); err != nil {
		return v, err
	}
	if err := s.cfg.Store.Insert(ctx, v); err != nil {
		return v, err
	}
	return v, s.cfg.Note(ctx, "offer.create", v.ID, map[string]any{"name": v.Name})
}

// Update changes an offer over the version that the caller saw. What was used stays as it was.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, name string, status Status, r Rule) (Offer, error) {
	if err := may(ctx, access.OfferWrite); err != nil {
		return Offer{}, err
	}
	v, err := s.cfg.Store.Offer(ctx, key)
	if err != nil {
		return v, err
	}
	if v.Version != version {
		return v, fault.New(fault.Stale, "offer.stale", nil)
	}
	if status == "" {
		status = v.Status
	}
	if status != v.Status && status != Active && status != Ended {
		return v, fault.InvalidField("offer.bad_status", "status", nil)
	}
	v.Name, v.Status, v.Rule, v.UpdatedBy, v.UpdatedAt = strings.TrimSpace(name), status, r, access.From(ctx).ID, s.cfg.Clock.Now()
	v.Version++
	if err := check(&v); err != nil {
		return v, err
	}
	if err := s.cfg.Store.Update(ctx, v); err != nil {
		return v, err
	}
	return v, s.cfg.Note(ctx, "offer.update", v.ID, map[string]any{"name": v.Name, "status": string(status)})
}

// letters have no look-alikes: no 0 O, 1 I L, U V.
const (
	letters    = "23456789ABCDEFGHJKMNPQRSTWXYZ"
	codeLength = 12 // 29^12, 58 bits
	maxIssue   = 10_000
)

func newCode() string {
	var b strings.Builder
	for range codeLength {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(letters)))) // never fails
		b.WriteByte(letters[n.Int64()])
	}
	return b.String()
}

// Clean is the one form of a code: upper case, without spaces and hyphens.
func Clean(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
}

// Issuing is which codes are wanted: N made ones, Codes of one's own, or one for each customer; Shared: one code for many.
type Issuing struct {
	N         int
	Codes     []string
	Customers []id.ID
	Shared    bool
}

// Prepare makes codes of customers without writing them down: whoever asks does, with what belongs to it.
func (s *Service) Prepare(ctx context.Context, key id.ID, customers []id.ID) ([]Coupon, error) {
	v, err := s.cfg.Store.Offer(ctx, key)
	if err == nil && v.Status == Ended {
		err = fault.New(fault.Conflict, "offer.not_active", nil)
	}
	if err != nil {
		return nil, err
	}
	out := make([]Coupon, len(customers))
	for i, c := range customers {
		out[i] = s.fresh(&v, newCode(), c, false)
	}
	return out, nil
}

// Issue makes codes and answers with those that are new; codes that exist already are left out.
func (s *Service) Issue(ctx context.Context, key id.ID, in Issuing) ([]Coupon, int, error) {
	if err := may(ctx, access.OfferWrite); err != nil {
		return nil, 0, err
	}
	v, err := s.cfg.Store.Offer(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	if v.Status == Ended {
		return nil, 0, fault.New(fault.Conflict, "offer.not_active", nil)
	}
	if n := max(in.N, 0) + len(in.Codes) + len(in.Customers); n == 0 || n > maxIssue {
		return nil, 0, fault.InvalidField("offer.bad_count", "n", fault.Params{"max": maxIssue})
	}
	one := func(code string, customer id.ID) Coupon {
		return s.fresh(&v, code, customer, in.Shared && customer == 0)
	}
	var list []Coupon
	for range in.N {
		list = append(list, one(newCode(), 0))
	}
	for i, text := range in.Codes {
		code := Clean(text)
		if len(code) < 4 || len(code) > 40 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, 0, fault.InvalidField("offer.bad_code", "codes", fault.Params{"line": i + 1})
		}
		list = append(list, one(code, 0))
	}
	for _, c := range in.Customers {
		list = append(list, one(newCode(), c))
	}
	n, err := s.cfg.Store.Issue(ctx, list)
	if err != nil {
		return nil, 0, err
	}
	return list, n, s.cfg.Note(ctx, "offer.issue", key, map[string]any{"count": n})
}

// fresh is a new code of an offer.
func (s *Service) fresh(v *Offer, code string, customer id.ID, shared bool) Coupon {
	now := s.cfg.Clock.Now()
	return Coupon{ID: s.cfg.IDs.Next(), Offer: v.ID, Code: code, Shared: shared, Customer: customer, State: Issued, IssuedAt: now, ExpiresAt: v.Rule.Expiry(now, s.cfg.Zone())}
}

// Given is a code that somebody is to have for something: For names it, and gets one code however often it is asked for.
type Given struct {
	For      string
	Customer id.ID
}

// Give gives a code for each of a list, in its order: a new one of the person's own, or for all the newest code that many may use, where the offer has one.
// Asked again it answers with the same codes, so that work that was cut off gives nothing twice. Conflict offer.not_active unless the offer holds.
func (s *Service) Give(ctx context.Context, key id.ID, list []Given) ([]Coupon, error) {
	if err := may(ctx, access.OfferWrite); err != nil {
		return nil, err
	}
	v, err := s.cfg.Store.Offer(ctx, key)
	if err != nil {
		return nil, err
	}
	if v.Status != Active {
		return nil, fault.New(fault.Conflict, "offer.not_active", nil)
	}
	shared, ok, err := s.cfg.Store.SharedCode(ctx, key, s.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	out := make([]Coupon, len(list))
	for i, g := range list {
		if out[i] = shared; !ok {
			out[i] = s.fresh(&v, newCode(), g.Customer, false)
			out[i].For = g.For
		}
	}
	if ok || len(list) == 0 {
		return out, nil
	}
	out, _, err = s.cfg.Store.Give(ctx, key, out)
	return out, err
}

const (
	maxGive  = 200_000
	giveStep = 5_000
)

// IssueTo gives each member of a segment a code of his own; whoever got one for this segment before is left out. It says how many are new. What was given
// before a fault stays given, and is left out by the next try.
func (s *Service) IssueTo(ctx context.Context, key id.ID, segment string) (fresh int, err error) {
	if err := may(ctx, access.OfferWrite); err != nil {
		return 0, err
	}
	v, err := s.cfg.Store.Offer(ctx, key)
	if err != nil {
		return 0, err
	}
	if v.Status == Ended {
		return 0, fault.New(fault.Conflict, "offer.not_active", nil)
	}
	people, whole, err := s.cfg.People.Members(ctx, segment, maxGive)
	if err != nil {
		return 0, err
	}
	if !whole {
		return 0, fault.InvalidField("offer.bad_count", "segment", fault.Params{"max": maxGive})
	}
	for part := range slices.Chunk(people, giveStep) {
		list := make([]Coupon, len(part))
		for i, customer := range part {
			list[i] = s.fresh(&v, newCode(), customer, false)
			list[i].For = "segment:" + segment + ":" + id.Format("cus", customer)
		}
		_, n, err := s.cfg.Store.Give(ctx, key, list)
		if fresh += n; err != nil {
			return fresh, err
		}
	}
	return fresh, s.cfg.Note(ctx, "offer.issue", key, map[string]any{"count": fresh, "segment": segment})
}

// Coupons are those of an offer or of a customer.
func (s *Service) Coupons(ctx context.Context, offer, customer, before id.ID, limit int) ([]Coupon, error) {
	if err := may(ctx, access.OfferRead); err != nil {
		return nil, err
	}
	who, err := s.same(ctx, customer)
	if err != nil {
		return nil, err
	}
	return s.cfg.Store.Coupons(ctx, offer, who, before, limit)
}

// same are a customer and those that were merged into him: their codes are his, and their uses count as his.
func (s *Service) same(ctx context.Context, customer id.ID) ([]id.ID, error) {
	if customer == 0 {
		return nil, nil
	}
	merged, err := s.cfg.People.Merged(ctx, customer)
	return append([]id.ID{customer}, merged...), err
}

// Revoke takes a code back.
func (s *Service) Revoke(ctx context.Context, coupon id.ID) error {
	if err := may(ctx, access.OfferWrite); err != nil {
		return err
	}
	if err := s.cfg.Store.Revoke(ctx, coupon); err != nil {
		return err
	}
	return s.cfg.Note(ctx, "offer.revoke", coupon, nil)
}

// Ledger is what happened to an offer, the newest first.
func (s *Service) Ledger(ctx context.Context, offer, before id.ID, limit int) ([]Entry, error) {
	if err := may(ctx, access.OfferRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Ledger(ctx, offer, before, limit)
}

// Sums is what became of the codes of an offer.
func (s *Service) Sums(ctx context.Context, offer id.ID) (Sums, error) {
	if err := may(ctx, access.OfferRead); err != nil {
		return Sums{}, err
	}
	return s.cfg.Store.Sums(ctx, offer)
}

// Ask is a cart with codes. Address is of the person at the till, where it is known; it only counts tries.
type Ask struct {
	Customer id.ID
	Codes    []string
	Cart     Cart
	Address  string
}

// Answer is what a code does.
type Answer struct {
	Code    string
	Offer   id.ID
	Name    string
	Refused *fault.Fault // nil when it holds
	Cut     Cut
	hold    Hold
}

// Quote says what codes take off a cart, the first to be taken off first. Nothing is reserved.
func (s *Service) Quote(ctx context.Context, a Ask) ([]Answer, error) {
	if err := may(ctx, access.OfferUse); err != nil {
		return nil, err
	}
	return s.judge(ctx, &a)
}

func (a *Ask) check() error {
	if len(a.Codes) == 0 || len(a.Codes) > maxCodes {
		return fault.InvalidField("offer.bad_count", "codes", fault.Params{"max": maxCodes})
	}
	if len(a.Cart.Lines) == 0 || len(a.Cart.Lines) > maxLines {
		return fault.InvalidField("offer.bad_cart", "lines", fault.Params{"max": maxLines})
	}
	for _, l := range a.Cart.Lines {
		if l.Amount < 0 || l.Amount > maxMoney {
			return fault.InvalidField("offer.bad_money", "lines", nil)
		}
		if l.Quantity < 0 || l.Quantity > maxPieces {
			return fault.InvalidField("offer.bad_number", "lines", nil)
		}
	}
	if a.Cart.Shipping < 0 || a.Cart.Shipping > maxMoney {
		return fault.InvalidField("offer.bad_money", "shipping", nil)
	}
	return nil
}

func (s *Service) judge(ctx context.Context, a *Ask) ([]Answer, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	if err := s.allowed(a, now); err != nil {
		return nil, err
	}
	var out []Answer
	rules := map[id.ID]*Offer{}
	seen := map[string]bool{}
	for _, text := range a.Codes {
		code := Clean(text)
		if seen[code] {
			continue
		}
		seen[code] = true
		x, v, err := s.one(ctx, a, code, now)
		if err != nil {
			return nil, err
		}
		if v != nil {
			rules[x.Offer] = v
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(x, y Answer) int {
		return cmp.Or(cmp.Compare(orderOf(rules, x), orderOf(rules, y)), cmp.Compare(x.Offer, y.Offer), cmp.Compare(x.Code, y.Code))
	})
	left := make([]int64, len(a.Cart.Lines))
	for i, l := range a.Cart.Lines {
		left[i] = l.Amount
	}
	shipping := a.Cart.Shipping
	offers, groups := map[id.ID]bool{}, map[string]bool{}
	for i := range out {
		x := &out[i]
		if x.Refused != nil {
			continue
		}
		r := &rules[x.Offer].Rule
		if offers[x.Offer] || r.Group != "" && groups[r.Group] {
			x.Refused = fault.New(fault.Conflict, "offer.not_with_other", nil)
			continue
		}
		cut, err := r.Take(&a.Cart, left, shipping)
		if err == nil && r.Budget > 0 && rules[x.Offer].Spent+cut.Total > r.Budget {
			err = fault.New(fault.Conflict, "offer.used_up", nil)
		}
		if x.refuse(err) {
			continue
		}
		offers[x.Offer], groups[r.Group] = true, true
		x.Cut = cut
		x.hold.Use.Discount, x.hold.Use.Base, x.hold.Use.Lines = cut.Total, cut.Base, cut.Lines
		shipping -= cut.Shipping
		for j := range left {
			left[j] -= cut.Lines[j]
		}
	}
	return out, nil
}

func orderOf(rules map[id.ID]*Offer, a Answer) int {
	if v := rules[a.Offer]; v != nil {
		return v.Rule.Order
	}
	return 0
}

func (x *Answer) refuse(err error) bool {
	f, ok := err.(*fault.Fault) //nolint:errorlint // ours, just made
	if ok {
		x.Refused = f
	}
	return ok
}

// one looks at a code by itself: all that does not depend on the cart.
func (s *Service) one(ctx context.Context, a *Ask, code string, now time.Time) (Answer, *Offer, error) {
	x := Answer{Code: code}
	no := func(why string) (Answer, *Offer, error) {
		x.Refused = fault.New(fault.Conflict, "offer."+why, nil)
		return x, nil, nil
	}
	c, ok, err := s.cfg.Store.Coupon(ctx, code)
	if err != nil {
		return x, nil, err
	}
	who, err := s.same(ctx, a.Customer)
	if err != nil {
		return x, nil, err
	}
	if !ok || c.Customer > 0 && a.Customer > 0 && !slices.Contains(who, c.Customer) { // of somebody else is as good as unknown
		s.missed(a, now)
		return no("unknown_code")
	}
	if err := s.cfg.Store.Lapse(ctx, c.Offer, s.stamp(ctx)); err != nil { // its budget and the counts of persons are judged below
		return x, nil, err
	}
	v, err := s.cfg.Store.Offer(ctx, c.Offer)
	if err != nil {
		return x, nil, err
	}
	x.Offer, x.Name = v.ID, v.Name
	r, zone := &v.Rule, s.cfg.Zone()
	day := clock.DayOf(now, zone)
	from, _ := dayOf(r.From, 0) // they were checked when it was saved
	to, _ := dayOf(r.To, 1<<30)
	switch {
	case v.Status != Active:
		return no("not_active")
	case day < from:
		return no("too_early")
	case day > to:
		return no("over")
	case c.State == Revoked:
		return no("coupon_revoked")
	case c.State == Redeemed:
		return no("coupon_used")
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return no("coupon_expired")
	case a.Customer == 0 && (c.Customer > 0 || r.PerPerson > 0 || r.PerDay > 0 || r.First || len(r.Segments) > 0):
		return no("needs_customer")
	}
	if a.Customer > 0 {
		if why, err := s.person(ctx, &v, who, day); err != nil {
			return x, nil, err
		} else if why != "" {
			return no(why)
		}
	}
	hold := time.Duration(cmp.Or(r.HoldMin, 30)) * time.Minute
	x.hold = Hold{Same: who, Version: v.Version, Rule: *r, Shared: c.Shared, Use: Use{ID: s.cfg.IDs.Next(), Offer: v.ID, Coupon: c.ID, Code: c.Code, Customer: a.Customer, Day: day, State: Held, Stands: true, ReservedAt: now, Until: now.Add(hold)}}
	return x, &v, nil
}

// person says why an offer is not for somebody, or nothing.
func (s *Service) person(ctx context.Context, v *Offer, who []id.ID, day clock.Day) (string, error) {
	r := &v.Rule
	if r.PerPerson > 0 || r.PerDay > 0 {
		all, today, err := s.cfg.Store.Counted(ctx, v.ID, who, day)
		switch {
		case err != nil:
			return "", err
		case r.PerPerson > 0 && all >= r.PerPerson:
			return "person_limit", nil
		case r.PerDay > 0 && today >= r.PerDay:
			return "day_limit", nil
		}
	}
	if r.First {
		if bought, err := s.cfg.People.HasBought(ctx, who[0]); err != nil || bought {
			return "not_first", err
		}
	}
	if len(r.Segments) > 0 {
		if in, err := s.cfg.People.InSegment(ctx, who[0], r.Segments); err != nil || !in {
			return "not_in_segment", err
		}
	}
	return "", nil
}

// Reserve holds codes for a cart, all or none. The same cart with the same question has the same answer. Conflict offer.cart_reused for another
// question, offer.not_reserved for a cart whose reservation ended: it needs another key.
func (s *Service) Reserve(ctx context.Context, cart string, a Ask) ([]Use, error) {
	if err := may(ctx, access.OfferUse); err != nil {
		return nil, err
	}
	if err := goodKey(cart, "cart"); err != nil {
		return nil, err
	}
	digest := a.digest()
	for try := 0; ; try++ {
		if got, err := s.again(ctx, cart, digest); err != nil || got != nil {
			return got, err
		}
		answers, err := s.judge(ctx, &a)
		if err != nil {
			return nil, err
		}
		var holds []Hold
		for i := range answers {
			if answers[i].Refused != nil {
				if got, err := s.again(ctx, cart, digest); err == nil && got != nil { // it is held by another try with this key
					return got, nil
				}
				return nil, answers[i].Refused
			}
			h := answers[i].hold
			h.Use.Cart, h.Use.Digest = cart, digest
			holds = append(holds, h)
		}
		got, err := s.cfg.Store.Hold(ctx, holds, s.stamp(ctx))
		if err == nil {
			return got, nil
		}
		if got, again := s.again(ctx, cart, digest); again == nil && got != nil { // another try with this key was faster
			return got, nil
		}
		if fault.KindOf(err) != fault.Stale || try == 3 {
			return nil, err
		}
	}
}

func (s *Service) again(ctx context.Context, cart, digest string) ([]Use, error) {
	got, err := s.cfg.Store.Uses(ctx, cart)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	for i := range got {
		u := &got[i]
		switch {
		case u.Digest != digest:
			return nil, fault.New(fault.Conflict, "offer.cart_reused", nil)
		case u.State == Released || u.State == RanOut || u.State == Held && !now.Before(u.Until):
			return nil, fault.New(fault.Conflict, "offer.not_reserved", nil)
		}
	}
	return got, nil
}

func (a *Ask) digest() string {
	codes := make([]string, len(a.Codes))
	for i, c := range a.Codes {
		codes[i] = Clean(c)
	}
	slices.Sort(codes)
	text, _ := json.Marshal([]any{a.Customer, slices.Compact(codes), a.Cart}) // plain values
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

const maxKey = 128

func goodKey(key, field string) error {
	if key == "" || len(key) > maxKey {
		return fault.InvalidField("offer.bad_key", field, fault.Params{"max": maxKey})
	}
	return nil
}

// Redeem turns what a cart holds into an order. Once more with the same order is the same answer.
func (s *Service) Redeem(ctx context.Context, cart, order string) ([]Use, error) {
	if err := may(ctx, access.OfferUse); err != nil {
		return nil, err
	}
	if err := goodKey(order, "order"); err != nil {
		return nil, err
	}
	return s.cfg.Store.Redeem(ctx, cart, order, s.stamp(ctx))
}

// Release lets go what a cart holds.
func (s *Service) Release(ctx context.Context, cart string) ([]Use, error) {
	if err := may(ctx, access.OfferUse); err != nil {
		return nil, err
	}
	return s.cfg.Store.Release(ctx, cart, s.stamp(ctx))
}

// Refund says that goods of an order came back, worth so much before discounts, or all of them. A ref counts once.
func (s *Service) Refund(ctx context.Context, cart, ref string, goods int64, all bool) ([]Use, error) {
	if err := may(ctx, access.OfferUse); err != nil {
		return nil, err
	}
	if err := goodKey(ref, "refund"); err != nil {
		return nil, err
	}
	if !all && (goods < 1 || goods > maxMoney) {
		return nil, fault.InvalidField("offer.bad_money", "goods", nil)
	}
	uses, err := s.cfg.Store.Uses(ctx, cart)
	if err != nil {
		return nil, err
	}
	back := map[id.ID]bool{}
	for _, u := range uses {
		v, err := s.cfg.Store.Offer(ctx, u.Offer)
		if err != nil {
			return nil, err
		}
		back[u.Offer] = v.Rule.Back
	}
	return s.cfg.Store.Refund(ctx, cart, Return{Ref: ref, Goods: goods, All: all, Back: func(v id.ID) bool { return back[v] }}, s.stamp(ctx))
}

// tried counts codes that were not there.
type tried struct {
	since time.Time
	n     int
}

const (
	mostMisses = 10
	missWindow = 10 * time.Minute
	mostTriers = 20_000
	retryAfter = 600
)

// triers are whom wrong codes are counted for: the person and the address. Counts live in memory, on each node.
func (a *Ask) triers() (out []string) {
	if a.Customer > 0 {
		out = append(out, id.Format("p", a.Customer))
	}
	if a.Address != "" {
		out = append(out, "a"+a.Address)
	}
	return out
}

func (s *Service) allowed(a *Ask, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range a.triers() {
		if t := s.tries[key]; t != nil && now.Sub(t.since) < missWindow && t.n >= mostMisses {
			return fault.New(fault.RateLimited, "offer.too_many_tries", fault.Params{"retry_after": retryAfter})
		}
	}
	return nil
}

func (s *Service) missed(a *Ask, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tries) > mostTriers {
		clear(s.tries)
	}
	for _, key := range a.triers() {
		t := s.tries[key]
		if t == nil || now.Sub(t.since) >= missWindow {
			t = &tried{since: now}
			s.tries[key] = t
		}
		t.n++
	}
}
