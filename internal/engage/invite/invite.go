// Package invite asks people outside to meetings, by mails that calendars understand (RFC 5546, RFC 6047).
//
// The guests of a meeting are contacts or customers with an address, or an address that somebody types. Nobody is written to before
// somebody says so; then each guest gets a REQUEST, and after a change of time, place, link or subject a further one with a higher
// SEQUENCE, when somebody says so again. A guest who is taken off the list, and all of them when the meeting is cancelled, get a
// CANCEL. What guests answer is written down by hand: answers go to the colleague who invites.
//
// Addresses are sealed with a data key for each guest and shown masked. Each mail has a key of guest and sequence, so that what is
// done again after a crash writes to nobody twice. Whoever may see a meeting sees its guests; whoever may change it changes them.
package invite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/ical"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Meeting is the object that has guests.
const Meeting = "meeting"

// Prefix of printed ids of guests.
const Prefix = "gst"

// Kind is the kind of mail that invitations are.
const Kind = "meeting"

const maxGuests = 100

// Answer is what a guest said.
type Answer string

// The answers.
const (
	None      Answer = ""
	Accepted  Answer = "accepted"
	Tentative Answer = "tentative"
	Declined  Answer = "declined"
)

// Guest is somebody who is asked to a meeting.
type Guest struct {
	ID         id.ID
	Meeting    id.ID
	Name       string
	Mask       string
	Blind      string
	Wrapped    []byte
	Address    []byte // sealed
	Object     string // contact or customer; "" for a typed address
	Record     id.ID
	Answer     Answer
	AnsweredAt time.Time
	AnsweredBy id.ID
	Sequence   int    // of the last invitation; -1 before the first
	Digest     string // of what the last invitation said
	Removed    bool   // off the list, and still to be told
	AddedBy    id.ID
	AddedAt    time.Time
	// Stale says that the meeting has changed since the last invitation, or that there was none; filled in by List.
	Stale bool
}

// Store keeps guests.
type Store interface {
	Guests(ctx context.Context, meeting id.ID) ([]Guest, error)
	// AddGuest adds one, or brings one back that was removed; Conflict invite.guest_twice for one of the same address.
	AddGuest(ctx context.Context, g Guest) error
	UpdateGuest(ctx context.Context, g Guest) error
	DeleteGuest(ctx context.Context, meeting, guest id.ID) error
}

// Records is what it needs of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	PlainValue(ctx context.Context, object, field string, ids []id.ID) (map[id.ID]any, error)
	Reaches(ctx context.Context, object string, rec id.ID, actions ...access.Action) (map[access.Action]bool, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Records Records
	Mail    *mail.Queue
	Vault   mail.Vault
	// Person is a colleague's name and address.
	Person    func(ctx context.Context, user id.ID) (name, email string, err error)
	Words     func(locale, key string, params map[string]any) string
	Workspace string // key
	Name      string
	Locale    string
	Zone      func() *time.Location
	Clock     clock.Clock
	IDs       *id.Generator
}

// Service invites. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// event is what an invitation says of a meeting.
type event struct {
	title       string
	start, end  time.Time
	day         bool
	place, link string
	note        string
	cancelled   bool
	digest      string
}

func (s *Service) read(ctx context.Context, meeting id.ID) (event, error) {
	r, err := s.cfg.Records.Get(ctx, Meeting, meeting)
	if err != nil {
		return event{}, err
	}
	e := event{title: r.Title}
	e.start, _ = r.Values["starts_at"].(time.Time)
	e.end, _ = r.Values["ends_at"].(time.Time)
	e.day, _ = r.Values["all_day"].(bool)
	e.place, _ = r.Values["place"].(string)
	e.link, _ = r.Values["link"].(string)
	e.note, _ = r.Values["note"].(string)
	e.cancelled = r.Values["status"] == "cancelled"
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%d|%v|%s|%s|%s", e.title, e.start.Unix(), e.end.Unix(), e.day, e.place, e.link, e.note))
	e.digest = hex.EncodeToString(sum[:8])
	return e, nil
}

// changes is a refusal for who may not change a meeting.
func (s *Service) changes(ctx context.Context, meeting id.ID) error {
	may, err := s.cfg.Records.Reaches(ctx, Meeting, meeting, access.Update)
	if err == nil && !may[access.Update] {
		err = fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	return err
}

// List gives the guests of a meeting, and those who are off the list and still to be told.
func (s *Service) List(ctx context.Context, meeting id.ID) ([]Guest, error) {
	e, err := s.read(ctx, meeting)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.Store.Guests(ctx, meeting)
	for i := range list {
		g := &list[i]
		switch {
		case g.Removed || e.cancelled:
			g.Stale = g.Sequence >= 0 && g.Digest != cancelled
		default:
			g.Stale = g.Digest != e.digest
		}
	}
	return list, err
}

// cancelled is the digest of a guest who was told that it is off.
const cancelled = "cancelled"

// Input is a guest to add: a record with an address, or a name and an address.
type Input struct {
	Object string
	Record id.ID
	Name   string
	Email  string
}

// Add puts a guest on the list; nobody is written to yet.
func (s *Service) Add(ctx context.Context, meeting id.ID, in Input) (Guest, error) {
	if _, err := s.read(ctx, meeting); err != nil {
		return Guest{}, err
	}
	if err := s.changes(ctx, meeting); err != nil {
		return Guest{}, err
	}
	list, err := s.cfg.Store.Guests(ctx, meeting)
	if err != nil {
		return Guest{}, err
	}
	if len(list) >= maxGuests {
		return Guest{}, fault.New(fault.Conflict, "invite.too_many", fault.Params{"max": maxGuests})
	}
	name, address := strings.TrimSpace(in.Name), strings.TrimSpace(in.Email)
	if in.Record != 0 {
		if name, address, err = s.of(ctx, in.Object, in.Record); err != nil {
			return Guest{}, err
		}
	}
	if address, err = mail.ParseAddress(address); err != nil {
		return Guest{}, fault.InvalidField("mail.bad_address", "email", nil)
	}
	if name == "" {
		name, _, _ = strings.Cut(address, "@")
	}
	if utf8.RuneCountInString(name) > 200 {
		return Guest{}, fault.InvalidField("auth.name_length", "name", fault.Params{"max": 200})
	}
	g := Guest{ID: s.cfg.IDs.Next(), Meeting: meeting, Name: name, Mask: mail.Mask(address), Blind: s.cfg.Vault.Blind(address), Object: in.Object, Record: in.Record, Sequence: -1,
		AddedBy: access.From(ctx).ID, AddedAt: s.cfg.Clock.Now(), Stale: true}
	if g.Wrapped, err = s.cfg.Vault.NewKey(g.ID); err != nil {
		return Guest{}, err
	}
	if g.Address, err = s.cfg.Vault.Seal(g.Wrapped, g.ID, "guest", []byte(address)); err != nil {
		return Guest{}, err
	}
	return g, s.cfg.Store.AddGuest(ctx, g)
}

// of is the name and address of a record that the actor may see.
func (s *Service) of(ctx context.Context, object string, rec id.ID) (name, address string, err error) {
	if object != "contact" && object != "customer" {
		return "", "", fault.InvalidField("invite.bad_record", "record", nil)
	}
	r, err := s.cfg.Records.Get(ctx, object, rec)
	if err != nil {
		return "", "", err
	}
	none := fault.InvalidField("letter.no_address", "record", nil)
	address, clear := r.Values["email"].(string)
	if !clear && r.Masks["email"] == "" {
		return "", "", none
	}
	whole, err := s.cfg.Records.Get(access.With(ctx, access.System()), object, rec)
	if err != nil {
		return "", "", err
	}
	if quiet, _ := whole.Values["do_not_contact"].(bool); quiet || whole.Values["processing"] != nil {
		return "", "", fault.New(fault.Conflict, "letter.quiet", nil)
	}
	got, err := s.cfg.Records.PlainValue(access.With(ctx, access.System()), object, "email", []id.ID{rec})
	if err != nil {
		return "", "", err
	}
	if v, ok := got[rec].(string); ok {
		address = v
	}
	if address == "" {
		return "", "", none
	}
	return r.Title, address, nil
}

func (s *Service) find(ctx context.Context, meeting, guest id.ID) (Guest, error) {
	if err := s.changes(ctx, meeting); err != nil {
		return Guest{}, err
	}
	list, err := s.cfg.Store.Guests(ctx, meeting)
	if err != nil {
		return Guest{}, err
	}
	for _, g := range list {
		if g.ID == guest {
			return g, nil
		}
	}
	return Guest{}, fault.New(fault.NotFound, "invite.guest_unknown", nil)
}

// Remove takes a guest off the list. Who was invited stays until told, by Send.
func (s *Service) Remove(ctx context.Context, meeting, guest id.ID) error {
	g, err := s.find(ctx, meeting, guest)
	if err != nil {
		return err
	}
	if g.Sequence < 0 || g.Digest == cancelled {
		return s.cfg.Store.DeleteGuest(ctx, meeting, guest)
	}
	g.Removed = true
	return s.cfg.Store.UpdateGuest(ctx, g)
}

// Note writes down what a guest answered.
func (s *Service) Note(ctx context.Context, meeting, guest id.ID, a Answer) error {
	if a != None && a != Accepted && a != Tentative && a != Declined {
		return fault.InvalidField("invite.bad_answer", "answer", nil)
	}
	g, err := s.find(ctx, meeting, guest)
	if err != nil {
		return err
	}
	g.Answer, g.AnsweredAt, g.AnsweredBy = a, s.cfg.Clock.Now(), access.From(ctx).ID
	return s.cfg.Store.UpdateGuest(ctx, g)
}

// Send writes to every guest who has not heard of the meeting as it is, and says how many. Conflict mail.no_server.
func (s *Service) Send(ctx context.Context, meeting id.ID) (int, error) {
	if err := s.changes(ctx, meeting); err != nil {
		return 0, err
	}
	e, err := s.read(ctx, meeting)
	if err != nil {
		return 0, err
	}
	if ok, err := s.cfg.Mail.Ready(ctx); err != nil || !ok {
		if err == nil {
			err = fault.New(fault.Conflict, "mail.no_server", nil)
		}
		return 0, err
	}
	list, err := s.List(ctx, meeting)
	if err != nil {
		return 0, err
	}
	sent := 0
	for i := range list {
		g := &list[i]
		if !g.Stale {
			if g.Removed {
				if err := s.cfg.Store.DeleteGuest(ctx, meeting, g.ID); err != nil {
					return sent, err
				}
			}
			continue
		}
		if err := s.write(ctx, e, g); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

// write queues a mail to a guest and notes what it said: in this order, since the key of the mail keeps it from being queued twice.
func (s *Service) write(ctx context.Context, e event, g *Guest) error {
	raw, err := s.cfg.Vault.Open(g.Wrapped, g.ID, "guest", g.Address)
	if err != nil {
		return err
	}
	who := access.From(ctx)
	name, email, err := s.cfg.Person(ctx, who.ID)
	if err != nil {
		return err
	}
	method, part := ical.Request, "meeting_new"
	if g.Sequence >= 0 {
		part = "meeting_changed"
	}
	digest := e.digest
	if g.Removed || e.cancelled {
		method, part, digest = ical.Cancel, "meeting_off", cancelled
	}
	g.Sequence++
	v := ical.Invitation{Method: method, Sequence: g.Sequence, Organizer: ical.Party{Name: name, Email: email}, Guest: ical.Party{Name: g.Name, Email: string(raw)},
		Event: ical.Event{UID: id.Format("mtg", g.Meeting) + "@" + s.cfg.Workspace + ".guanxi", Stamp: s.cfg.Clock.Now(), Start: e.start, End: e.end, Day: e.day, Summary: e.title, Description: e.note,
			Location: e.place, URL: e.link}}
	if e.day {
		v.Event.Start = e.start.In(s.cfg.Zone())
		if !e.end.IsZero() {
			v.Event.End = e.end.In(s.cfg.Zone())
		}
	}
	var b bytes.Buffer
	if err := v.Write(&b); err != nil {
		return err
	}
	letter := s.letter(e, part, name)
	m := letter.Message(mail.Message{Key: fmt.Sprintf("meeting:%s:%d", id.Format(Prefix, g.ID), g.Sequence), Kind: Kind, To: mail.Address{Name: g.Name, Email: string(raw)}, ReplyTo: email, Subject: letter.Title,
		Calendar: &mail.Calendar{Method: method, Text: b.String()}, Files: []mail.File{{Name: "invite.ics", Type: "text/calendar; charset=utf-8; method=" + method, Content: b.Bytes()}},
		About: mail.About{Object: Meeting, Record: g.Meeting}, By: who.ID, Personal: true})
	if _, err := s.cfg.Mail.Enqueue(ctx, m); err != nil {
		return err
	}
	if g.Removed {
		return s.cfg.Store.DeleteGuest(ctx, g.Meeting, g.ID)
	}
	g.Digest = digest
	if part == "meeting_changed" {
		g.Answer = None
	}
	return s.cfg.Store.UpdateGuest(ctx, *g)
}

// letter is an invitation for people, in the language of the workspace: that of the guest is not known.
func (s *Service) letter(e event, part, by string) mail.Letter {
	say := func(key string) string {
		return s.cfg.Words(s.cfg.Locale, "mail.letter."+key, map[string]any{"by": by, "title": e.title, "workspace": s.cfg.Name})
	}
	layout := "2006-01-02 15:04"
	if e.day {
		layout = time.DateOnly
	}
	when := e.start.In(s.cfg.Zone()).Format(layout)
	if !e.end.IsZero() && e.end.After(e.start) {
		when += " – " + e.end.In(s.cfg.Zone()).Format(layout)
	}
	if !e.day {
		when += " (" + s.cfg.Zone().String() + ")"
	}
	l := mail.Letter{Locale: s.cfg.Locale, Workspace: s.cfg.Name, Title: say(part + "_title"), Paragraphs: []string{say(part + "_text")}, Facts: []mail.Fact{{Label: say("meeting_when"), Value: when}}}
	if e.place != "" {
		l.Facts = append(l.Facts, mail.Fact{Label: say("meeting_place"), Value: e.place})
	}
	if e.note != "" && part != "meeting_off" {
		l.Facts = append(l.Facts, mail.Fact{Label: say("meeting_note"), Value: e.note})
	}
	if strings.HasPrefix(e.link, "https://") && part != "meeting_off" {
		l.Button = mail.Link{Label: say("meeting_join"), URL: e.link}
	}
	return l
}
