package consent

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Reasons of an Answer.
const (
	SaidYes      = "given"
	Unasked      = "unasked"        // nothing was said, and the purpose does not fail closed
	SaidNothing  = "nothing"        // nothing was said, and the purpose fails closed
	SaidNo       = "withdrawn"      //
	Waits        = "pending"        // not confirmed
	RanOut       = "expired"        //
	NotToContact = "do_not_contact" // wants to hear from nobody
	Restricted   = "restricted"     // is only stored
	TooYoung     = "minor"          // under fourteen, and no guardian agreed
	NoLonger     = "retired"        // the purpose
)

// Answer says whether a customer may be processed for a purpose by a channel, and why.
type Answer struct {
	OK  bool
	Why string
}

// Allowed answers for each of some customers whether it may be reached for a purpose by a channel, or used for it (channel Any). It is the one
// question that everything asks before it acts, and needs no right: its answers are for programs. Faults: consent.unknown_purpose,
// consent.unknown_channel.
func (s *Service) Allowed(ctx context.Context, customers []id.ID, purpose string, channel Channel) (map[id.ID]Answer, error) {
	pol, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	p, err := pol.Place(purpose, channel)
	if err != nil {
		return nil, err
	}
	standings, err := s.cfg.Store.Standings(ctx, customers)
	if err != nil {
		return nil, err
	}
	left, err := s.cfg.People.Left(ctx, customers)
	if err != nil {
		return nil, err
	}
	var minors map[id.ID]bool
	if p.Minor != MinorsToo {
		if minors, err = s.cfg.People.Minors(ctx, customers); err != nil {
			return nil, err
		}
	}
	by := make(map[id.ID]Standing, len(customers))
	for _, x := range standings {
		if x.Purpose == purpose && x.Channel == channel {
			by[x.Subject] = x
		}
	}
	now := s.now()
	out := make(map[id.ID]Answer, len(customers))
	for _, c := range customers {
		switch why := left[c]; {
		case why == Restricted, why == NotToContact && channel != Any && channel != Web:
			out[c] = Answer{Why: why}
		default:
			out[c] = p.answer(by[c], minors[c], now)
		}
	}
	return out, nil
}

// answer is what a purpose makes of what somebody said.
func (p *Purpose) answer(st Standing, minor bool, now time.Time) Answer {
	if p.Retired {
		return Answer{Why: NoLonger}
	}
	if minor && (p.Minor == NoMinors || p.Minor == Guardians && !(st.Guardian && st.Ended(now) == Given)) {
		return Answer{Why: TooYoung}
	}
	switch st.Ended(now) {
	case Given:
		return Answer{OK: true, Why: SaidYes}
	case Withdrawn:
		return Answer{Why: SaidNo}
	case Pending:
		return Answer{OK: !p.FailClosed, Why: Waits}
	case Expired:
		return Answer{OK: !p.FailClosed, Why: RanOut}
	case Nothing:
	}
	if p.FailClosed {
		return Answer{Why: SaidNothing}
	}
	return Answer{OK: true, Why: Unasked}
}

// Seen is everything about the consents of a customer.
type Seen struct {
	Customer  id.ID
	Policy    Policy
	Wordings  []Wording
	Standings []Standing // Ended is applied
	Left      string     // see People.Left
	Minor     bool
	// Answers are by place, as Allowed gives them.
	Answers map[Place]Answer
}

// Of shows the consents of a customer whom the caller sees.
func (s *Service) Of(ctx context.Context, customer id.ID) (Seen, error) {
	if err := may(ctx, access.ConsentRead); err != nil {
		return Seen{}, err
	}
	v, err := s.cfg.People.See(ctx, customer, false)
	if err != nil {
		return Seen{}, err
	}
	return s.seen(ctx, v)
}

func (s *Service) seen(ctx context.Context, customer id.ID) (out Seen, err error) {
	out = Seen{Customer: customer, Answers: map[Place]Answer{}}
	if out.Policy, err = s.policy(ctx); err != nil {
		return out, err
	}
	if out.Wordings, err = s.cfg.Store.Wordings(ctx); err != nil {
		return out, err
	}
	one := []id.ID{customer}
	if out.Standings, err = s.cfg.Store.Standings(ctx, one); err != nil {
		return out, err
	}
	left, err := s.cfg.People.Left(ctx, one)
	if err != nil {
		return out, err
	}
	minors, err := s.cfg.People.Minors(ctx, one)
	if err != nil {
		return out, err
	}
	out.Left, out.Minor = left[customer], minors[customer]
	now := s.now()
	by := map[Place]Standing{}
	for i := range out.Standings {
		st := &out.Standings[i]
		st.State = st.Ended(now)
		by[Place{st.Purpose, st.Channel}] = *st
	}
	for _, p := range out.Policy.Purposes {
		for _, c := range p.Channels {
			at := Place{p.Key, c}
			out.Answers[at] = p.answer(by[at], out.Minor, now)
			if out.Left == Restricted || out.Left == NotToContact && c != Any && c != Web {
				out.Answers[at] = Answer{Why: out.Left}
			}
		}
	}
	return out, nil
}

// History is the ledger of a customer whom the caller sees, newest first, with notes in clear.
func (s *Service) History(ctx context.Context, customer, before id.ID, limit int) ([]Entry, error) {
	if err := may(ctx, access.ConsentRead); err != nil {
		return nil, err
	}
	v, err := s.cfg.People.See(ctx, customer, false)
	if err != nil {
		return nil, err
	}
	return s.Told(ctx, v, before, limit)
}

// Told is History for whoever has asked already whether the caller may: the copy of a person's data.
func (s *Service) Told(ctx context.Context, customer, before id.ID, limit int) ([]Entry, error) {
	list, err := s.cfg.Store.History(ctx, customer, before, limit)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Note == "" {
			continue
		}
		if list[i].Note, err = s.cfg.Seal.Open(list[i].Note); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Statement is something to record. A zero At is now. WordingNumber 0 takes the version in force at that time.
type Statement struct {
	Customer      id.ID
	Purpose       string
	Channel       Channel
	State         State // Given or Withdrawn
	At            time.Time
	Source        Source
	WordingNumber int64
	Guardian      bool
	Page          string
	Note          string
	Evidence      string // SHA-256, hex
	Once          string // "" where it may be said again
	Confirm       bool   // a yes by mail waits for the link, whatever the purpose wants
}

// Bounds of statements.
const (
	MaxStatements = 1000
	maxNote       = 2000
	maxOnce       = 100
)

// Recorded is what became of statements.
type Recorded struct {
	New     int
	Pending []Entry // wait for the link that was mailed
	Unsent  int     // of those, whose mail could not be sent
}

// Record writes what a customer said into the ledger, all of it or nothing; the caller may change the customer. Faults: consent.invalid with every
// statement that needs a change, numbered in the order given.
func (s *Service) Record(ctx context.Context, customer id.ID, list []Statement) (Recorded, error) {
	if err := may(ctx, access.ConsentWrite); err != nil {
		return Recorded{}, err
	}
	v, err := s.cfg.People.See(ctx, customer, true)
	if err != nil {
		return Recorded{}, err
	}
	for i := range list {
		list[i].Customer = v
		if !list[i].Source.Known() {
			return Recorded{}, fault.InvalidField("consent.bad_source", "items."+strconv.Itoa(i)+".source", nil)
		}
	}
	out, err := s.record(ctx, list)
	if err != nil {
		return out, err
	}
	return out, s.cfg.Note(ctx, "consent.record", v, map[string]any{"count": len(list)})
}

// Imported is what became of statements about many customers: those that cannot be taken are named by their places, and the others written.
type Imported struct {
	Recorded
	Faults map[int]*fault.Fault
}

// Import writes what many customers said. try writes nothing.
func (s *Service) Import(ctx context.Context, list []Statement, try bool) (Imported, error) {
	out := Imported{Faults: map[int]*fault.Fault{}}
	if err := may(ctx, access.ConsentWrite); err != nil {
		return out, err
	}
	if len(list) == 0 || len(list) > MaxStatements {
		return out, fault.InvalidField("consent.bad_count", "items", fault.Params{"max": MaxStatements})
	}
	var who []id.ID
	for i := range list {
		if list[i].Customer != 0 {
			who = append(who, list[i].Customer)
		}
	}
	reached, err := s.cfg.People.Reach(ctx, slices.Compact(slices.Sorted(slices.Values(who))))
	if err != nil {
		return out, err
	}
	all, err := s.entries(ctx, list)
	if err != nil {
		return out, err
	}
	good := make([]Entry, 0, len(all))
	for i, m := range all {
		switch {
		case !reached[list[i].Customer]:
			out.Faults[i] = fault.InvalidField("consent.unknown_customer", "items."+strconv.Itoa(i)+".customer", nil)
		case !list[i].Source.Known():
			out.Faults[i] = fault.InvalidField("consent.bad_source", "items."+strconv.Itoa(i)+".source", nil)
		case len(m.bad) > 0:
			out.Faults[i] = m.bad[0]
		default:
			good = append(good, m.made)
		}
	}
	if try || len(good) == 0 {
		out.New = len(good)
		return out, nil
	}
	if out.Recorded, err = s.append(ctx, good); err != nil {
		return out, err
	}
	return out, s.cfg.Note(ctx, "consent.import", 0, map[string]any{"count": len(good), "new": out.New})
}

// record checks statements and appends them, whoever makes them.
func (s *Service) record(ctx context.Context, list []Statement) (Recorded, error) {
	all, err := s.entries(ctx, list)
	if err != nil {
		return Recorded{}, err
	}
	var bad []*fault.Fault
	entries := make([]Entry, len(all))
	for i := range all {
		entries[i], bad = all[i].made, append(bad, all[i].bad...)
	}
	if f := fault.Join("consent.invalid", bad); f != nil {
		return Recorded{}, f
	}
	return s.append(ctx, entries)
}

func (s *Service) entries(ctx context.Context, list []Statement) ([]making, error) {
	if len(list) == 0 || len(list) > MaxStatements {
		return nil, fault.InvalidField("consent.bad_count", "items", fault.Params{"max": MaxStatements})
	}
	pol, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	wordings, err := s.cfg.Store.Wordings(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]making, len(list))
	now, who := s.now(), access.From(ctx)
	for i := range list {
		out[i] = making{s: s, policy: &pol, wordings: wordings, now: now, who: who, at: "items." + strconv.Itoa(i)}
		if out[i].made, err = out[i].entry(&list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// making makes a line of a statement.
type making struct {
	s        *Service
	policy   *Policy
	wordings []Wording
	now      time.Time
	who      access.Actor
	at       string
	made     Entry
	bad      []*fault.Fault
}

func (m *making) fail(code, field string, params fault.Params) {
	m.bad = append(m.bad, fault.InvalidField(code, m.at+"."+field, params))
}

func (m *making) entry(x *Statement) (Entry, error) {
	e := Entry{ID: m.s.cfg.IDs.Next(), Once: x.Once, Subject: x.Customer, Purpose: x.Purpose, Channel: x.Channel, State: x.State, At: x.At.UTC().Truncate(time.Millisecond), RecordedAt: m.now,
		Source: x.Source, Guardian: x.Guardian, By: m.who}
	if x.At.IsZero() {
		e.At = m.now
	}
	if e.Once == "" {
		e.Once = id.Format(EntryPrefix, e.ID)
	} else if len(e.Once) > maxOnce {
		m.fail("consent.bad_once", "once", fault.Params{"max": maxOnce})
	}
	p, err := m.policy.Place(x.Purpose, x.Channel)
	if err != nil {
		m.fail(fault.CodeOf(err), "purpose", fault.Params{"purpose": x.Purpose, "channel": string(x.Channel)})
		return e, nil
	}
	if x.State != Given && x.State != Withdrawn {
		m.fail("consent.bad_state", "state", nil)
	}
	if e.At.After(m.now.Add(time.Minute)) || e.At.Year() < 1990 {
		m.fail("consent.bad_time", "at", nil)
	}
	if p.Retired && x.State == Given {
		m.fail("consent.retired", "purpose", fault.Params{"purpose": p.Label})
	}
	m.wording(x, &e)
	if x.State == Given {
		if p.Months > 0 {
			e.Expires = e.At.AddDate(0, p.Months, 0)
		}
		if (p.Confirm || x.Confirm) && x.Channel == Email && x.Source != ByConfirm && x.Source != ByPage {
			e.State = Pending
		}
	}
	return e, m.proof(x, &e)
}

func (m *making) wording(x *Statement, e *Entry) {
	w, ok := InForceWording(m.wordings, x.Purpose, e.At)
	if x.WordingNumber != 0 {
		ok = false
		for _, v := range m.wordings {
			if v.Purpose == x.Purpose && v.Number == x.WordingNumber {
				w, ok = v, true
			}
		}
		if !ok {
			m.fail("consent.unknown_wording", "wording", fault.Params{"number": x.WordingNumber})
		}
	}
	if ok {
		e.Wording = w.ID
	}
}

func (m *making) proof(x *Statement, e *Entry) error {
	var ok bool
	if e.Page, ok = pageOf(x.Page); !ok {
		m.fail("consent.bad_page", "page", nil)
	}
	if e.Evidence = strings.ToLower(strings.TrimSpace(x.Evidence)); e.Evidence != "" {
		if raw, err := hex.DecodeString(e.Evidence); err != nil || len(raw) != 32 {
			m.fail("consent.bad_evidence", "evidence", nil)
		}
	}
	note := strings.TrimSpace(x.Note)
	if utf8.RuneCountInString(note) > maxNote {
		m.fail("consent.bad_note", "note", fault.Params{"max": maxNote})
	}
	if note == "" {
		return nil
	}
	sealed, err := m.s.cfg.Seal.Seal(note)
	e.Note = sealed
	return err
}

// append stores lines, and mails the links of those that wait.
func (s *Service) append(ctx context.Context, entries []Entry) (out Recorded, err error) {
	if out.New, err = s.cfg.Store.Append(ctx, entries, s.now()); err != nil {
		return out, err
	}
	s.cfg.Changed()
	for i := range entries {
		if entries[i].State != Pending {
			continue
		}
		out.Pending = append(out.Pending, entries[i])
		sent, err := s.cfg.Confirm(ctx, entries[i])
		if err != nil {
			return out, err
		}
		if !sent {
			out.Unsent++
		}
	}
	return out, nil
}

// Claims are the refusals that wait to be decided of a customer whom the caller sees, newest first.
func (s *Service) Claims(ctx context.Context, customer id.ID, limit int) ([]Claim, error) {
	if err := may(ctx, access.ConsentRead); err != nil {
		return nil, err
	}
	v, err := s.cfg.People.See(ctx, customer, false)
	if err != nil {
		return nil, err
	}
	return s.cfg.Store.Claims(ctx, v, 0, limit)
}

// Waiting are the refusals that wait to be decided of everybody whom the caller may change, newest first, before a line (0 for the newest), and the line
// before which the next ones are, 0 for none. It looks at a bounded number of them, so that there may be more behind few.
func (s *Service) Waiting(ctx context.Context, before id.ID) (list []Claim, next id.ID, err error) {
	if err := may(ctx, access.ConsentWrite); err != nil {
		return nil, 0, err
	}
	if list, err = s.cfg.Store.Claims(ctx, 0, before, waitingAtOnce); err != nil {
		return nil, 0, err
	}
	if len(list) == waitingAtOnce {
		next = list[len(list)-1].Entry.ID
	}
	who := make([]id.ID, len(list))
	for i := range list {
		who[i] = list[i].Customer
	}
	reached, err := s.cfg.People.Reach(ctx, slices.Compact(slices.Sorted(slices.Values(who))))
	return slices.DeleteFunc(list, func(c Claim) bool { return !reached[c.Customer] }), next, err
}

const waitingAtOnce = 200

// Decide says of refusals that wait whether they are the customer's: those that are count from when they were said, the others for nobody but the browser
// that said them. The caller may change the customer. Faults: consent.unknown_claim where any of them does not wait.
func (s *Service) Decide(ctx context.Context, customer id.ID, entries []id.ID, accept bool) error {
	if err := may(ctx, access.ConsentWrite); err != nil {
		return err
	}
	v, err := s.cfg.People.See(ctx, customer, true)
	if err != nil {
		return err
	}
	entries = slices.Compact(slices.Sorted(slices.Values(entries)))
	if len(entries) == 0 || len(entries) > MaxStatements {
		return fault.InvalidField("consent.bad_count", "entries", fault.Params{"max": MaxStatements})
	}
	now := s.now()
	n, err := s.cfg.Store.Decide(ctx, v, entries, Verdict{Decided: true, Accepted: accept, By: access.From(ctx).ID, At: now}, now)
	if err != nil {
		return err
	}
	s.cfg.Changed()
	action := "consent.dismiss"
	if accept {
		action = "consent.accept"
	}
	return s.cfg.Note(ctx, action, v, map[string]any{"count": n})
}

// Figures are how many customers stand where.
func (s *Service) Figures(ctx context.Context) ([]Figure, error) {
	if err := may(ctx, access.ConsentRead); err != nil {
		return nil, err
	}
	if err := may(ctx, access.ReportRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Figures(ctx)
}

// expireAtOnce is how many consents that ran out are noted in one transaction.
const expireAtOnce = 500

// Expire notes in the ledger which consents have run out, and says how many. Nobody waits for it: Allowed knows by itself.
func (s *Service) Expire(ctx context.Context) (int, error) {
	now := s.now()
	list, err := s.cfg.Store.Due(ctx, now, expireAtOnce)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	entries := make([]Entry, len(list))
	for i, st := range list {
		entries[i] = Entry{ID: s.cfg.IDs.Next(), Once: "expiry:" + id.Format(EntryPrefix, st.Entry) + ":" + strconv.FormatInt(int64(st.Subject), 36), Subject: st.Subject, Purpose: st.Purpose, Channel: st.Channel,
			State: Expired, At: st.Expires, RecordedAt: now, Source: ByExpiry, By: access.System()}
	}
	if _, err := s.cfg.Store.Append(ctx, entries, now); err != nil {
		return 0, err
	}
	s.cfg.Changed()
	return len(list), nil
}

// Link follows joins of people; see Edge.
func (s *Service) Link(ctx context.Context, list []Edge) error {
	if len(list) == 0 {
		return nil
	}
	err := s.cfg.Store.Link(ctx, list, s.now())
	if err == nil {
		s.cfg.Changed()
	}
	return err
}

// Erase keeps of what people said the proof alone; see Store.
func (s *Service) Erase(ctx context.Context, subjects []id.ID, erasure id.ID, proof func(id.ID) string) (int64, error) {
	n, err := s.cfg.Store.Erase(ctx, subjects, erasure, proof)
	if err == nil {
		s.cfg.Changed()
	}
	return n, err
}
