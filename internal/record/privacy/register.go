package privacy

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// The laws by whose clock a request is due. Under PIPL it is answered within a number of working days that the workspace sets (Monday
// to Friday: holidays are not known here, so a due day may be earlier than the law asks, never later). Under GDPR (article 12) it is
// one month from the day it came, and two more when it was extended with reasons.
const (
	PIPL = "pipl"
	GDPR = "gdpr"
)

// Kinds of requests.
func requestKinds() []string {
	return []string{"access", "copy", "correction", "erasure", "objection", "restriction", "explanation"}
}

// States of a request.
const (
	RequestOpen      = "open"
	RequestWorking   = "working"
	RequestDone      = "done"
	RequestRefused   = "refused"
	RequestWithdrawn = "withdrawn"
)

// Request is something that a person asked for.
type Request struct {
	ID         id.ID
	Kind       string
	Law        string
	Object     string // "" and 0 while nobody knows whom it is from
	Record     id.ID
	Channel    string // how it came: phone, e-mail, letter, in person, online
	Verified   string // how it was made sure who asks: phone, document, login, known; "" for not yet
	ReceivedOn clock.Day
	DueOn      clock.Day
	Extended   bool
	State      string
	Assignee   id.ID
	Outcome    string // what was done, or why it was refused
	Reference  string
	ProofKind  string // erasure or copy
	Proof      id.ID
	Version    int64
	CreatedBy  id.ID
	CreatedAt  time.Time
	UpdatedAt  time.Time
	ClosedAt   time.Time
}

// Open reports a request that is still to be answered.
func (r *Request) Open() bool { return r.State == RequestOpen || r.State == RequestWorking }

// RequestFilter says which requests to list: open ones by due day, closed ones newest first.
type RequestFilter struct {
	Open   *bool
	Record id.ID
	Limit  int
}

// Register keeps requests.
type Register interface {
	// SaveRequest stores a request; version 0 inserts, another one than is stored is the Stale privacy.request_stale.
	SaveRequest(ctx context.Context, r *Request, version int64) error
	GetRequest(ctx context.Context, v id.ID) (*Request, error) // NotFound privacy.request_unknown
	ListRequests(ctx context.Context, f RequestFilter) ([]*Request, error)
}

// Due is the day by which a request is to be answered.
func Due(law string, received clock.Day, days int, extended bool) clock.Day {
	if law == GDPR {
		months := 1
		if extended {
			months = 3
		}
		t := received.Time()
		y, m, d := t.Date()
		first := time.Date(y, m+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		return clock.DayOf(time.Date(first.Year(), first.Month(), min(d, last), 0, 0, 0, 0, time.UTC), time.UTC)
	}
	if extended {
		days *= 2
	}
	due := received
	for left := days; left > 0; {
		due++
		if wd := due.Time().Weekday(); wd != time.Saturday && wd != time.Sunday {
			left--
		}
	}
	return due
}

// RequestInput is what may be said about a request; nil keeps what it was.
type RequestInput struct {
	Kind, Law, Channel, Verified, State, Outcome, Reference *string
	Object                                                  string
	Record                                                  *id.ID
	ReceivedOn                                              *clock.Day
	Extended                                                *bool
	Assignee                                                *id.ID
}

// AddRequest puts a request into the register.
func (s *Service) AddRequest(ctx context.Context, in RequestInput) (*Request, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	r := &Request{ID: s.cfg.IDs.Next(), Law: set.Law, State: RequestOpen, ReceivedOn: clock.DayOf(now, s.cfg.Zone()), CreatedBy: person(ctx), CreatedAt: now, UpdatedAt: now}
	if in.Kind == nil {
		return nil, fault.InvalidField("privacy.unknown_kind", "kind", nil)
	}
	if err := s.put(ctx, r, in, set); err != nil {
		return nil, err
	}
	if err := s.cfg.Store.SaveRequest(ctx, r, 0); err != nil {
		return nil, err
	}
	s.cfg.Outside.Publish()
	return r, s.noteRequest(ctx, "privacy.request_add", r)
}

func (s *Service) noteRequest(ctx context.Context, action string, r *Request) error {
	return s.cfg.Outside.Note(ctx, action, r.Object, r.Record, map[string]any{"request": id.Format(RequestPrefix, r.ID), "kind": r.Kind, "state": r.State, "due": r.DueOn.String()})
}

// ChangeRequest changes a request.
func (s *Service) ChangeRequest(ctx context.Context, v id.ID, version int64, in RequestInput) (*Request, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	r, err := s.cfg.Store.GetRequest(ctx, v)
	if err != nil {
		return nil, err
	}
	if version != 0 && version != r.Version {
		return nil, fault.New(fault.Stale, "privacy.request_stale", nil)
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	was := r.Version
	if err := s.put(ctx, r, in, set); err != nil {
		return nil, err
	}
	r.UpdatedAt = s.now()
	if err := s.cfg.Store.SaveRequest(ctx, r, was); err != nil {
		return nil, err
	}
	s.cfg.Outside.Publish()
	return r, s.noteRequest(ctx, "privacy.request_change", r)
}

// put writes an input into a request and checks the whole.
func (s *Service) put(ctx context.Context, r *Request, in RequestInput, set Settings) error {
	var bad []*fault.Fault
	choose := func(to *string, from *string, at, code string, known ...string) {
		if from == nil {
			return
		}
		if !slices.Contains(known, *from) {
			bad = append(bad, fault.InvalidField(code, at, nil))
			return
		}
		*to = *from
	}
	text := func(to *string, from *string, at string, most int) {
		if from == nil {
			return
		}
		t := strings.TrimSpace(*from)
		if len([]rune(t)) > most {
			bad = append(bad, fault.InvalidField("privacy.text_long", at, fault.Params{"max": most}))
			return
		}
		*to = t
	}
	choose(&r.Kind, in.Kind, "kind", "privacy.unknown_kind", requestKinds()...)
	choose(&r.Law, in.Law, "law", "privacy.unknown_law", PIPL, GDPR)
	choose(&r.Channel, in.Channel, "channel", "privacy.unknown_channel", "", "phone", "email", "letter", "person", "online")
	choose(&r.Verified, in.Verified, "verified", "privacy.unknown_proof", "", "phone", "document", "login", "known")
	before := r.State
	choose(&r.State, in.State, "state", "privacy.unknown_state", RequestOpen, RequestWorking, RequestDone, RequestRefused, RequestWithdrawn)
	text(&r.Outcome, in.Outcome, "outcome", 1000)
	text(&r.Reference, in.Reference, "reference", 100)
	if in.ReceivedOn != nil {
		r.ReceivedOn = *in.ReceivedOn
		if r.ReceivedOn > clock.DayOf(s.now(), s.cfg.Zone()) {
			bad = append(bad, fault.InvalidField("privacy.received_later", "received_on", nil))
		}
	}
	if in.Extended != nil {
		r.Extended = *in.Extended
	}
	if in.Assignee != nil {
		r.Assignee = *in.Assignee
	}
	if in.Record != nil {
		if *in.Record == 0 {
			r.Object, r.Record = "", 0
		} else if err := s.whom(ctx, r, in); err != nil {
			return err
		}
	}
	if r.State == RequestRefused && r.Outcome == "" {
		bad = append(bad, fault.InvalidField("privacy.refusal_reason", "outcome", nil))
	}
	if r.State == RequestDone && r.Verified == "" {
		bad = append(bad, fault.InvalidField("privacy.not_verified", "verified", nil))
	}
	if f := fault.Join("record.invalid", bad); f != nil {
		return f
	}
	r.DueOn = Due(r.Law, r.ReceivedOn, set.Days, r.Extended)
	switch {
	case r.Open():
		r.ClosedAt = time.Time{}
	case before != r.State || r.ClosedAt.IsZero():
		r.ClosedAt = s.now()
	}
	return nil
}

func (s *Service) whom(ctx context.Context, r *Request, in RequestInput) error {
	obj := s.cfg.Registry().Object(in.Object)
	if obj == nil || !record.People(obj) {
		return fault.InvalidField("privacy.not_a_person", "record", fault.Params{"object": in.Object})
	}
	rec, err := s.cfg.Records.Get(ctx, in.Object, *in.Record)
	if err != nil {
		return err
	}
	r.Object, r.Record = in.Object, rec.ID
	return nil
}

// Requests lists the register.
func (s *Service) Requests(ctx context.Context, f RequestFilter) ([]*Request, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	f.Limit = min(max(f.Limit, 1), 500)
	return s.cfg.Store.ListRequests(ctx, f)
}

// proved ends a request with what was done for it.
func (s *Service) proved(ctx context.Context, v id.ID, kind string, proof id.ID) error {
	r, err := s.cfg.Store.GetRequest(ctx, v)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	was := r.Version
	r.ProofKind, r.Proof, r.UpdatedAt = kind, proof, s.now()
	if r.Open() && kind == "erasure" {
		r.State, r.ClosedAt = RequestDone, r.UpdatedAt
	}
	return s.cfg.Store.SaveRequest(ctx, r, was)
}
