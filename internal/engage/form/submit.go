package form

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Page is a form as somebody sees it.
type Page struct {
	Form     Form
	Words    Words
	Locale   string
	Inputs   []Entry
	Consents []Box
	Token    string
}

// Entry is a field of the page.
type Entry struct {
	Input
	Required bool
	Own      string // the plan's label in the language of the page, "" for the field's own
}

// Box is a consent of the page.
type Box struct {
	Purpose
	Required bool
}

const (
	keptFor = 5 * time.Second
	maxKept = 1000
	// tooFast is how long a person takes at least, tooLate how long a page is good for.
	tooFast = 2 * time.Second
	tooLate = 24 * time.Hour
)

func system(ctx context.Context) context.Context { return access.With(ctx, access.System()) }

// open is a form that is public; NotFound form.not_found for every other.
func (s *Service) open(ctx context.Context, key string) (Form, error) {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	k, ok := s.kept[key]
	s.mu.Unlock()
	if !ok || now.Sub(k.at) > keptFor || now.Before(k.at) {
		f, err := s.cfg.Store.ByKey(ctx, key)
		if err != nil {
			return f, err
		}
		k = kept{f, now}
		s.mu.Lock()
		if len(s.kept) >= maxKept {
			clear(s.kept)
		}
		s.kept[key] = k
		s.mu.Unlock()
	}
	if k.form.Status != Active {
		return Form{}, fault.New(fault.NotFound, "form.not_found", nil)
	}
	return k.form, nil
}

// View is a form to be shown. count counts it as shown.
func (s *Service) View(ctx context.Context, key, locale, code string, count bool) (Page, error) {
	ctx = system(ctx)
	f, err := s.open(ctx, key)
	if err != nil {
		return Page{}, err
	}
	if _, ok := f.Plan.Code(code); !ok {
		code = ""
	}
	p := Page{Form: f}
	p.Words, p.Locale = f.Plan.In(locale)
	inputs := map[string]Input{}
	for _, in := range s.cfg.People.Inputs() {
		inputs[in.Key] = in
	}
	for _, x := range f.Plan.Fields {
		if in, ok := inputs[x.Key]; ok { // a field may be gone since
			p.Inputs = append(p.Inputs, Entry{in, x.Required, strings.TrimSpace(x.Label[p.Locale])})
		}
	}
	shown := map[string]int64{}
	for _, x := range f.Plan.Consents {
		got, err := s.cfg.Consents.Purpose(ctx, x.Purpose, x.Channels)
		if err != nil {
			return Page{}, err
		}
		if got.Known && got.Wording != 0 { // what nobody could prove is not asked for
			p.Consents = append(p.Consents, Box{got, x.Required})
			shown[x.Purpose] = got.Wording
		}
	}
	p.Token = s.token(&f, shown)
	if count {
		err = s.cfg.Store.Shown(ctx, f.ID, clock.DayOf(s.cfg.Clock.Now(), s.cfg.Zone()), code, 1)
	}
	return p, err
}

const tokenSign = "form|"

// token is proof that a page was shown: of which form, when, and with which words of consents; it is good for one submission.
func (s *Service) token(f *Form, shown map[string]int64) string {
	msg := binary.BigEndian.AppendUint64([]byte(tokenSign), uint64(f.ID))           //nolint:gosec // ids are positive
	msg = binary.BigEndian.AppendUint64(msg, uint64(s.cfg.Clock.Now().UnixMilli())) //nolint:gosec // after 1970
	msg = append(msg, newKey(16)...)
	for _, key := range slices.Sorted(maps.Keys(shown)) {
		msg = append(msg, key...)
		msg = append(msg, 0)
		msg = binary.BigEndian.AppendUint64(msg, uint64(shown[key])) //nolint:gosec // a number
	}
	return base64.RawURLEncoding.EncodeToString(s.cfg.Sign(msg))
}

const tokenHead = 8 + 8 + 16

func (s *Service) readToken(f *Form, token string) (at time.Time, once string, shown map[string]int64, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(token) > 4000 {
		return at, "", nil, false
	}
	msg, ok := s.cfg.Verify(raw)
	body, ours := strings.CutPrefix(string(msg), tokenSign)
	if !ok || !ours || len(body) < tokenHead || id.ID(binary.BigEndian.Uint64([]byte(body))) != f.ID { //nolint:gosec // ours
		return at, "", nil, false
	}
	at = time.UnixMilli(int64(binary.BigEndian.Uint64([]byte(body)[8:]))) //nolint:gosec // ours
	once, shown = body[16:tokenHead], map[string]int64{}
	for rest := body[tokenHead:]; rest != ""; {
		key, tail, found := strings.Cut(rest, "\x00")
		if !found || len(tail) < 8 {
			return at, "", nil, false
		}
		shown[key], rest = int64(binary.BigEndian.Uint64([]byte(tail))), tail[8:] //nolint:gosec // ours
	}
	return at, once, shown, true
}

// Sent is what a browser sent.
type Sent struct {
	Token   string
	Fields  map[string][]string
	Agreed  map[string]bool // by purpose
	Code    string
	Trace   Trace
	Locale  string
	Page    string // address of the page
	Trapped bool   // a field that no person sees was filled in
}

// Done is what is answered; the same for everybody.
type Done struct {
	Words   Words
	Locale  string
	URL     string
	Confirm bool // some consent is confirmed by a link that is mailed
}

// Faulty is what needs a change, by field, by "consent:" and the purpose, and "" for the whole.
type Faulty map[string]error

// Error implements error.
func (f Faulty) Error() string { return "what was sent needs a change" }

// Submit takes what somebody sent. Faults: Faulty, NotFound form.not_found.
func (s *Service) Submit(ctx context.Context, key string, in Sent) (Done, error) {
	ctx = system(ctx)
	f, err := s.open(ctx, key)
	if err != nil {
		return Done{}, err
	}
	done := Done{URL: f.Plan.ThanksURL, Confirm: confirms(&f, &in)}
	done.Words, done.Locale = f.Plan.In(in.Locale)
	if in.Trapped {
		return done, nil // whoever it is learns nothing
	}
	at, once, shown, ok := s.readToken(&f, in.Token)
	now := s.cfg.Clock.Now()
	switch {
	case !ok || now.Sub(at) > tooLate || now.Before(at.Add(-time.Minute)):
		return done, Faulty{"": fault.New(fault.Invalid, "form.page_old", nil)}
	case now.Sub(at) < tooFast:
		return done, Faulty{"": fault.New(fault.Invalid, "form.too_fast", nil)}
	}
	values, err := s.read(ctx, &f, &in, shown)
	if err != nil {
		return done, err
	}
	return done, s.take(ctx, &f, &in, values, once, shown)
}

// confirms reports whether a mail with a link is promised: by what was asked and written alone, whoever it is.
func confirms(f *Form, in *Sent) bool {
	return slices.ContainsFunc(f.Plan.Consents, func(x Consent) bool {
		return in.Agreed[x.Purpose] && slices.Contains(x.Channels, "email") && reaches(in, "email")
	})
}

// reaches reports whether what was sent says how to reach somebody by a channel: whoever leaves the address out agrees to no mail.
func reaches(in *Sent, channel string) bool {
	field := map[string]string{"email": "email", "sms": "phone", "phone": "phone"}[channel]
	return field == "" || slices.ContainsFunc(in.Fields[field], func(v string) bool { return strings.TrimSpace(v) != "" })
}

// read checks what was written.
func (s *Service) read(ctx context.Context, f *Form, in *Sent, shown map[string]int64) (map[string]any, error) {
	written := map[string][]string{}
	for _, x := range f.Plan.Fields {
		if list := in.Fields[x.Key]; len(list) > 0 {
			written[x.Key] = list
		}
	}
	values, bad := s.cfg.People.Read(ctx, written)
	out := Faulty{}
	maps.Copy(out, bad)
	for _, x := range f.Plan.Fields {
		if x.Required && out[x.Key] == nil && values[x.Key] == nil {
			out[x.Key] = fault.New(fault.Invalid, "form.required", nil)
		}
	}
	for _, x := range f.Plan.Consents {
		if x.Required && shown[x.Purpose] != 0 && !in.Agreed[x.Purpose] {
			out["consent:"+x.Purpose] = fault.New(fault.Invalid, "form.agree", nil)
		}
	}
	if len(out) > 0 {
		return nil, out
	}
	return values, nil
}

// take makes or finds the customer and keeps what was sent. Cut off, it is done again by whoever sends again: the customer is found then, and consents are
// recorded once for a token. One at a time, so that two pages that name the same address make one customer.
func (s *Service) take(ctx context.Context, f *Form, in *Sent, values map[string]any, once string, shown map[string]int64) error {
	s.taking.Lock()
	defer s.taking.Unlock()
	if _, there, err := s.cfg.Store.Once(ctx, once); err != nil || there {
		return err
	}
	now := s.cfg.Clock.Now()
	code, ok := f.Plan.Code(in.Code)
	trace := in.Trace.clean()
	if ok {
		trace.Source, trace.Medium, trace.Campaign = code.Source, code.Medium, code.Campaign
	}
	sub := Submission{ID: s.cfg.IDs.Next(), Form: f.ID, Once: once, At: now, State: Taken, Code: code.Key, Told: Told{Filled: []string{}, Left: []string{}, Agreements: []Agreement{}, Trace: trace, Locale: in.Locale}}
	found, err := s.cfg.People.Find(ctx, values)
	if err != nil {
		return err
	}
	sub.Customer, sub.Told.Several = found.Customer, found.Several
	switch {
	case found.Customer == 0:
		if sub.Customer, err = s.cfg.People.Make(ctx, values, code.Store); err != nil {
			return err
		}
		sub.Made, sub.Told.Filled = true, slices.Sorted(maps.Keys(values))
	case !found.Restricted:
		if sub.Told.Filled, sub.Told.Left, err = s.cfg.People.Fill(ctx, found.Customer, values, f.Plan.Contacts, code.Store); err != nil {
			return err
		}
	default:
		sub.Told.Left = slices.Sorted(maps.Keys(values))
	}
	if err := s.agree(ctx, f, in, &sub, shown, found.Restricted); err != nil {
		return err
	}
	added, err := s.cfg.Store.Add(ctx, sub)
	if err != nil || !added {
		return err
	}
	if !found.Restricted {
		if err := s.cfg.Teller.Tell(ctx, f, &sub, values, in.Page); err != nil { // the customer and the consents stand; the event is lost
			s.cfg.Log.Error("tell of a form", "form", f.ID, "error", err)
		}
	}
	if sub.State == Confirmed {
		if err := s.gift(ctx, f, &sub); err != nil {
			return err
		}
	}
	s.cfg.Changed(f.ID)
	return nil
}

// clean bounds what a browser says of where somebody came from.
func (t Trace) clean() Trace {
	for _, v := range []*string{&t.Source, &t.Medium, &t.Campaign, &t.Term, &t.Content} {
		if long(*v, maxTrace) {
			*v = string([]rune(*v)[:maxTrace])
		}
		*v = strings.TrimSpace(*v)
	}
	if u, err := url.Parse(t.Referrer); err == nil && web(t.Referrer) {
		t.Referrer = u.Scheme + "://" + u.Host
	} else {
		t.Referrer = ""
	}
	return t
}

// Bounds of mails to one customer.
const (
	mailRest   = 10 * time.Minute
	mailsADay  = 3
	waitsFor   = 8 * 24 * time.Hour // a link is good for a week
	settleStep = 200
)

// agree records the consents that were ticked.
func (s *Service) agree(ctx context.Context, f *Form, in *Sent, sub *Submission, shown map[string]int64, restricted bool) error {
	mailed, err := s.mailed(ctx, sub)
	if err != nil {
		return err
	}
	for _, x := range f.Plan.Consents {
		if !in.Agreed[x.Purpose] || shown[x.Purpose] == 0 {
			continue
		}
		for _, channel := range x.Channels {
			if !reaches(in, channel) {
				continue
			}
			what := Untouched
			if !restricted {
				if what, err = s.agreeOne(ctx, sub, mailed, Yes{sub.Customer, x.Purpose, channel, shown[x.Purpose], in.Page, "form:" + sub.Once + ":" + x.Purpose + ":" + channel}); err != nil {
					return err
				}
			}
			sub.Told.Agreements = append(sub.Told.Agreements, Agreement{x.Purpose, channel, what})
			switch {
			case what == Asked:
				sub.State = Waiting
			case channel == "email" && (what == Stands || what == Agreed) && sub.State == Taken:
				sub.State = Confirmed
				sub.ConfirmedAt = sub.At
			}
		}
	}
	return nil
}

// mailed reports whether a customer got as many links as he may.
func (s *Service) mailed(ctx context.Context, sub *Submission) (bool, error) {
	if sub.Made {
		return false, nil
	}
	list, err := s.cfg.Store.Since(ctx, sub.Customer, sub.At.Add(-24*time.Hour))
	if err != nil {
		return false, err
	}
	n := 0
	for i := range list {
		if slices.ContainsFunc(list[i].Told.Agreements, func(a Agreement) bool { return a.What == Asked }) {
			if n++; sub.At.Sub(list[i].At) < mailRest || n >= mailsADay {
				return true, nil
			}
		}
	}
	return false, nil
}

func (s *Service) agreeOne(ctx context.Context, sub *Submission, mailed bool, y Yes) (string, error) {
	if !sub.Made {
		standing, err := s.cfg.Consents.Standing(ctx, sub.Customer, y.Purpose, y.Channel)
		if err != nil {
			return "", err
		}
		switch {
		case standing == "given":
			return Stands, nil
		case standing == "withdrawn" && y.Channel != "email":
			return SaidNo, nil
		case y.Channel == "email" && mailed:
			return NotAsked, nil
		}
	}
	return s.cfg.Consents.Agree(ctx, y)
}

// gift gives what a form promises; what cannot be given is said, and not tried again.
func (s *Service) gift(ctx context.Context, f *Form, sub *Submission) error {
	if f.Plan.Offer == "" || sub.Gift != GiftNone {
		return nil
	}
	had, err := s.cfg.Store.Had(ctx, f.ID, sub.Customer)
	if err != nil || had {
		return err
	}
	sub.Gift = GiftGiven
	if err := s.cfg.Gifts.Give(ctx, f.Plan.Offer, f, sub); err != nil {
		s.cfg.Log.Warn("gift of a form", "form", f.ID, "error", err)
		sub.Gift = GiftFailed
	}
	return s.cfg.Store.Settle(ctx, *sub)
}

// Settle looks whether the links of a customer's submissions were used, of everybody's for customer 0, and gives what was promised for it. It says how many
// were.
func (s *Service) Settle(ctx context.Context, customer id.ID) (done int, err error) {
	ctx = system(ctx)
	var after id.ID
	for {
		list, err := s.cfg.Store.Waits(ctx, customer, after, s.cfg.Clock.Now().Add(-waitsFor), settleStep)
		if err != nil {
			return done, err
		}
		for i := range list {
			after = list[i].ID
			ok, err := s.settle(ctx, &list[i])
			if err != nil {
				return done, err
			}
			if ok {
				done++
			}
		}
		if len(list) < settleStep {
			return done, nil
		}
	}
}

func (s *Service) settle(ctx context.Context, sub *Submission) (bool, error) {
	for _, a := range sub.Told.Agreements {
		if a.What != Asked {
			continue
		}
		standing, err := s.cfg.Consents.Standing(ctx, sub.Customer, a.Purpose, a.Channel)
		if err != nil {
			return false, err
		}
		if standing != "given" {
			continue
		}
		f, err := s.cfg.Store.Form(ctx, sub.Form)
		if err != nil {
			return false, err
		}
		// The gift first: cut off between the two, it is asked for again and given once.
		sub.State, sub.ConfirmedAt = Confirmed, s.cfg.Clock.Now()
		if err := s.gift(ctx, &f, sub); err != nil {
			return false, err
		}
		s.cfg.Changed(f.ID)
		return true, s.cfg.Store.Settle(ctx, *sub)
	}
	return false, nil
}

// settleEvery is how often links are looked after that nobody told of.
const settleEvery = time.Minute

// Run looks after links until the context ends; what the page of a link does at once is done here after a crash.
func (s *Service) Run(ctx context.Context) error {
	for {
		if _, err := s.Settle(ctx, 0); err != nil && !errors.Is(err, context.Canceled) {
			s.cfg.Log.Error("confirmed forms", "error", err)
		}
		if err := clock.Pause(ctx, settleEvery, nil); err != nil {
			return err
		}
	}
}
