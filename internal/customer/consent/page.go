package consent

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Links of people who do not sign in. A link names the workspace, a customer and what it is good for, and is signed; it holds nothing personal.
// A link to the page of preferences is good for pageFor, one that confirms for confirmFor.
const (
	pageFor    = 400 * 24 * time.Hour
	confirmFor = 7 * 24 * time.Hour
)

const (
	pageSign    = "consent|"
	confirmSign = "consent-yes|"
)

// Links makes and reads links.
type Links struct {
	Workspace string
	Sign      func([]byte) []byte
	Verify    func([]byte) ([]byte, bool)
}

func (l Links) text(head string, v id.ID, now time.Time, tail string) string {
	msg := binary.BigEndian.AppendUint64([]byte(head), uint64(v))                     //nolint:gosec // ids are positive
	msg = binary.BigEndian.AppendUint32(msg, uint32(now.Unix()/int64(day.Seconds()))) //nolint:gosec // days fit
	return l.Workspace + "." + base64.RawURLEncoding.EncodeToString(l.Sign(append(msg, tail...)))
}

const day = 24 * time.Hour

func (l Links) read(head, token string, now time.Time, good time.Duration) (id.ID, string, error) {
	unknown := fault.New(fault.NotFound, "consent.link_unknown", nil)
	_, text, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, "", unknown
	}
	msg, ok := l.Verify(raw)
	body, ours := strings.CutPrefix(string(msg), head)
	if !ok || !ours || len(body) < 12 {
		return 0, "", unknown
	}
	made := time.Unix(int64(binary.BigEndian.Uint32([]byte(body)[8:]))*int64(day.Seconds()), 0)
	if now.After(made.Add(good + day)) {
		return 0, "", fault.New(fault.NotFound, "consent.link_old", nil)
	}
	return id.ID(binary.BigEndian.Uint64([]byte(body))), body[12:], nil //nolint:gosec // ours
}

// Page is a link to the page of preferences of a customer; with a place it also ends what a mail was sent for, by one click.
func (l Links) Page(customer id.ID, at Place, now time.Time) string {
	tail := ""
	if at.Purpose != "" {
		tail = at.Purpose + "/" + string(at.Channel)
	}
	return l.text(pageSign, customer, now, tail)
}

// Confirm is a link that confirms a line.
func (l Links) Confirm(entry id.ID, now time.Time) string { return l.text(confirmSign, entry, now, "") }

// PageLink is a link to the page of preferences of a customer whom the caller may change consents of.
func (s *Service) PageLink(ctx context.Context, l Links, customer id.ID) (string, error) {
	if err := may(ctx, access.ConsentWrite); err != nil {
		return "", err
	}
	v, err := s.cfg.People.See(ctx, customer, true)
	if err != nil {
		return "", err
	}
	return l.Page(v, Place{}, s.now()), s.cfg.Note(ctx, "consent.link", v, nil)
}

// LookAt is what a link to the page of preferences shows: the consents of its customer. NotFound consent.link_unknown, consent.link_old.
func (s *Service) LookAt(ctx context.Context, l Links, token string) (Seen, Place, error) {
	v, tail, err := l.read(pageSign, token, s.now(), pageFor)
	if err != nil {
		return Seen{}, Place{}, err
	}
	system := access.With(ctx, access.System())
	if v, err = s.cfg.People.See(system, v, false); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = fault.New(fault.NotFound, "consent.link_unknown", nil)
		}
		return Seen{}, Place{}, err
	}
	purpose, channel, _ := strings.Cut(tail, "/")
	seen, err := s.seen(system, v)
	return seen, Place{purpose, Channel(channel)}, err
}

// Choice is what a person sets on the page.
type Choice struct {
	Place
	Given bool
	// Wording is the number of the version that the page showed.
	Wording int64
}

// Choose records what a person set on the page of preferences.
func (s *Service) Choose(ctx context.Context, l Links, token string, choices []Choice, page string) error {
	seen, _, err := s.LookAt(ctx, l, token)
	if err != nil {
		return err
	}
	return s.choose(ctx, &seen, choices, ByPage, page)
}

func (s *Service) choose(ctx context.Context, seen *Seen, choices []Choice, by Source, page string) error {
	list := make([]Statement, 0, len(choices))
	for _, c := range choices {
		p, err := seen.Policy.Place(c.Purpose, c.Channel)
		if err != nil {
			return err
		}
		state := Withdrawn
		if c.Given {
			state = Given
		}
		if c.Given && seen.Minor && p.Minor != MinorsToo {
			return fault.New(fault.Conflict, "consent.minor", nil)
		}
		list = append(list, Statement{Customer: seen.Customer, Purpose: c.Purpose, Channel: c.Channel, State: state, Source: by, WordingNumber: c.Wording, Page: page})
	}
	if len(list) == 0 {
		return nil
	}
	_, err := s.record(access.With(ctx, access.System()), list)
	return err
}

// WithdrawAll withdraws everything that rests on consent or may be refused, by the page's link.
func (s *Service) WithdrawAll(ctx context.Context, l Links, token, page string) error {
	seen, _, err := s.LookAt(ctx, l, token)
	if err != nil {
		return err
	}
	var all []Choice
	for _, p := range seen.Policy.Purposes {
		if p.Basis == Contract || p.Basis == Duty {
			continue
		}
		for _, c := range p.Channels {
			all = append(all, Choice{Place: Place{p.Key, c}})
		}
	}
	return s.choose(ctx, &seen, all, ByPage, page)
}

// Stop ends what a mail was sent for, by one click (RFC 8058); ended twice it is ended.
func (s *Service) Stop(ctx context.Context, l Links, token string) (Place, error) {
	seen, at, err := s.LookAt(ctx, l, token)
	if err != nil {
		return at, err
	}
	if at.Purpose == "" {
		at = Place{Marketing, Email}
	}
	if seen.Answers[at].Why == SaidNo {
		return at, nil
	}
	return at, s.choose(ctx, &seen, []Choice{{Place: at}}, ByLink, "")
}

// Answered withdraws what people wrote back that they do not want by a channel: everything there that rests on consent or may be refused. Once is the
// answer: told again, it is written once.
func (s *Service) Answered(ctx context.Context, customers []id.ID, by Channel, when time.Time, once string) error {
	pol, err := s.policy(ctx)
	if err != nil {
		return err
	}
	var list []Statement
	for _, who := range customers {
		for _, p := range pol.Purposes {
			if p.Basis == Contract || p.Basis == Duty || !slices.Contains(p.Channels, by) {
				continue
			}
			list = append(list, Statement{Customer: who, Purpose: p.Key, Channel: by, State: Withdrawn, At: when, Source: ByReply, Once: once + ":" + p.Key + ":" + id.Format("cus", who)})
		}
	}
	for len(list) > 0 {
		n := min(len(list), MaxStatements)
		if _, err := s.record(access.With(ctx, access.System()), list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// Confirmed counts a consent that waits for its link. Used twice it is confirmed; one that was withdrawn meanwhile stays so: Conflict
// consent.withdrawn_since.
func (s *Service) Confirmed(ctx context.Context, l Links, token string) (e Entry, p Purpose, err error) {
	v, _, err := l.read(confirmSign, token, s.now(), confirmFor)
	if err != nil {
		return e, p, err
	}
	if e, err = s.cfg.Store.Entry(ctx, v); err == nil && e.Subject == 0 || fault.KindOf(err) == fault.NotFound && err != nil {
		err = fault.New(fault.NotFound, "consent.link_unknown", nil)
	}
	if err != nil {
		return e, p, err
	}
	pol, err := s.policy(ctx)
	if err != nil {
		return e, p, err
	}
	p, _ = pol.Find(e.Purpose)
	return e, p, s.confirm(ctx, &e)
}

func (s *Service) confirm(ctx context.Context, e *Entry) error {
	all, err := s.cfg.Store.Standings(ctx, []id.ID{e.Subject})
	if err != nil {
		return err
	}
	for _, st := range all {
		if st.Purpose != e.Purpose || st.Channel != e.Channel {
			continue
		}
		switch st.State {
		case Given:
			return nil
		case Withdrawn:
			return fault.New(fault.Conflict, "consent.withdrawn_since", nil)
		case Pending, Expired, Nothing:
		}
	}
	_, err = s.record(access.With(ctx, access.System()), []Statement{{Customer: e.Subject, Purpose: e.Purpose, Channel: e.Channel, State: Given, Source: ByConfirm, Guardian: e.Guardian, Once: "confirm:" + printed(e.ID)}})
	return err
}
