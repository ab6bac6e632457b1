package talk

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// Channel is when a kind of notification reaches a person by mail. A kind that is turned off altogether is not mailed either.
type Channel string

// The channels.
const (
	AtOnce Channel = "now"
	Daily  Channel = "daily" // in one mail, in the morning
	Never  Channel = "never"
)

// MailPreferences are what a person chose about notifications by mail.
type MailPreferences struct {
	Kinds map[Kind]Channel `json:"kinds"`
	// Quiet keeps mails back from one time of the day to another ("22:00" to "08:00"), in the zone of the workspace.
	Quiet bool   `json:"quiet"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// usual is the channel of who chose none: at once what waits for the person, the rest in the interface alone.
func usual(k Kind) Channel {
	switch k {
	case Assigned, Mentioned, Reminder:
		return AtOnce
	case Commented:
		return Daily
	case Changed, Job:
	}
	return Never
}

func mailPreferenceKey(user id.ID) string { return "notify.mail." + id.Format("usr", user) }

func (s *Service) mailPreferences(ctx context.Context, user id.ID) (MailPreferences, error) {
	out := MailPreferences{Kinds: map[Kind]Channel{}, From: "22:00", To: "08:00"}
	said := MailPreferences{}
	found, err := s.cfg.Settings.Setting(ctx, mailPreferenceKey(user), &said)
	if err != nil {
		return out, fmt.Errorf("read mail preferences: %w", err)
	}
	if found && said.From != "" {
		out.Quiet, out.From, out.To = said.Quiet, said.From, said.To
	}
	for _, k := range Kinds() {
		out.Kinds[k] = usual(k)
		if c, chosen := said.Kinds[k]; chosen {
			out.Kinds[k] = c
		}
	}
	return out, nil
}

// MailPreferences are those of the actor.
func (s *Service) MailPreferences(ctx context.Context) (MailPreferences, error) {
	return s.mailPreferences(ctx, access.From(ctx).ID)
}

// SetMailPreferences changes the channels that are named, and the quiet hours when they are.
func (s *Service) SetMailPreferences(ctx context.Context, in MailPreferences) (MailPreferences, error) {
	who := access.From(ctx)
	all, err := s.mailPreferences(ctx, who.ID)
	if err != nil {
		return all, err
	}
	for k, c := range in.Kinds {
		if !slices.Contains(Kinds(), k) {
			return all, fault.InvalidField("talk.unknown_kind", string(k), fault.Params{"kind": string(k)})
		}
		if c != AtOnce && c != Daily && c != Never {
			return all, fault.InvalidField("talk.unknown_channel", "kinds."+string(k), nil)
		}
		all.Kinds[k] = c
	}
	if in.From != "" || in.To != "" {
		for field, v := range map[string]string{"from": in.From, "to": in.To} {
			if _, err := time.Parse("15:04", v); err != nil {
				return all, fault.InvalidField("talk.bad_time", field, nil)
			}
		}
		if in.From == in.To {
			return all, fault.InvalidField("talk.bad_time", "to", nil)
		}
		all.Quiet, all.From, all.To = in.Quiet, in.From, in.To
	}
	return all, s.cfg.Settings.SetSetting(ctx, mailPreferenceKey(who.ID), all)
}

// NotBefore is when a mail may go out that is made at an instant: then, or at the end of the quiet hours. They may cross midnight.
func (p *MailPreferences) NotBefore(at time.Time, zone *time.Location) time.Time {
	if !p.Quiet {
		return at
	}
	local := at.In(zone)
	from, errFrom := time.Parse("15:04", p.From)
	to, errTo := time.Parse("15:04", p.To)
	if errFrom != nil || errTo != nil {
		return at
	}
	now, begin, end := local.Hour()*60+local.Minute(), from.Hour()*60+from.Minute(), to.Hour()*60+to.Minute()
	inside := now >= begin && now < end
	if begin > end {
		inside = now >= begin || now < end
	}
	if !inside {
		return at
	}
	wake := time.Date(local.Year(), local.Month(), local.Day(), to.Hour(), to.Minute(), 0, 0, zone)
	if !wake.After(local) {
		wake = time.Date(local.Year(), local.Month(), local.Day()+1, to.Hour(), to.Minute(), 0, 0, zone)
	}
	return wake
}

// Where a notification stands with mail.
const (
	MailOpen   = 0 // not looked at
	MailDone   = 1
	MailDigest = 2 // waits for the daily mail
)

// MailStore keeps where notifications stand with mail.
type MailStore interface {
	// Unmailed are those that were not looked at, oldest first.
	Unmailed(ctx context.Context, limit int) ([]Notification, error)
	// Mailed notes where notifications stand.
	Mailed(ctx context.Context, keys []id.ID, state int) error
	// Digests are those that wait for the daily mail and were told before an instant, by person, oldest first.
	Digests(ctx context.Context, before time.Time, limit int) ([]Notification, error)
}

// Mailer tells people by mail what they are told, by their preferences. Each mail has a key that names the notification, or the
// person and the day: what is done again after a crash sends nothing twice. Only one should run at a time in a workspace.
type Mailer struct {
	Service *Service
	Store   MailStore
	Post    mail.Sender
	// Address is the origin that links lead to, "" while it is not known.
	Address func(ctx context.Context) (string, error)
	// As is a context in which a person acts, with the rights of the moment.
	As func(ctx context.Context, user id.ID) (context.Context, error)
	// Words finds sentences.
	Words func(locale lang.Locale, key string, params map[string]any) string
	// Sign authenticates what leaves in a link; Verify takes it back.
	Sign   func([]byte) []byte
	Verify func([]byte) ([]byte, bool)
	// Prefix is that of the printed ids of an object.
	Prefix    func(object string) string
	Workspace string // key
	Name      string // of the workspace, for people
	Zone      func() *time.Location
}

const (
	mailEvery   = 3 * time.Second
	mailBatch   = 200
	digestItems = 50
	// digestHour is when the daily mail is made.
	digestHour = 8
	// tooOld is when a notification is no news: those are not mailed.
	tooOld = 24 * time.Hour
)

// Run looks for what is to be mailed until ctx ends.
func (m *Mailer) Run(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	for {
		n, err := m.Step(ctx)
		if err != nil {
			return fmt.Errorf("mail notifications: %w", err)
		}
		if n == mailBatch {
			continue
		}
		if err := clock.Pause(ctx, mailEvery, nil); err != nil {
			return err
		}
	}
}

// Step takes a batch of what was not looked at, and makes the daily mails that are due; n counts the batch.
func (m *Mailer) Step(ctx context.Context) (n int, err error) {
	list, err := m.Store.Unmailed(ctx, mailBatch)
	if err != nil {
		return 0, err
	}
	origin, err := m.reachable(ctx)
	if err != nil {
		return 0, err
	}
	for i := range list {
		state, err := m.one(ctx, origin, &list[i])
		if err != nil {
			return 0, err
		}
		if err := m.Store.Mailed(ctx, []id.ID{list[i].ID}, state); err != nil {
			return 0, err
		}
	}
	return len(list), m.digests(ctx, origin)
}

// reachable is the origin of links, "" when nothing can be mailed.
func (m *Mailer) reachable(ctx context.Context) (string, error) {
	ready, err := m.Post.Ready(ctx)
	if err != nil || !ready {
		return "", err
	}
	return m.Address(ctx)
}

// one decides about a notification and says where it stands then.
func (m *Mailer) one(ctx context.Context, origin string, n *Notification) (int, error) {
	now := m.Service.cfg.Clock.Now()
	if origin == "" || !n.ReadAt.IsZero() || now.Sub(n.At) > tooOld {
		return MailDone, nil
	}
	want, err := m.Service.mailPreferences(ctx, n.User)
	if err != nil {
		return 0, err
	}
	switch want.Kinds[n.Kind] {
	case Daily:
		return MailDigest, nil
	case AtOnce:
	default:
		return MailDone, nil
	}
	p, shown, err := m.see(ctx, n.User, []Notification{*n})
	if err != nil || len(shown) == 0 {
		return MailDone, err
	}
	entry := m.entry(ctx, origin, p, &shown[0])
	letter := m.letter(p, origin, n.User, n.Kind)
	letter.Title, letter.Paragraphs = entry.Label, nil
	if entry.Note != "" {
		letter.Paragraphs = []string{entry.Note}
	}
	letter.Button = mail.Link{Label: m.say(p, "mail.notice.open", nil), URL: entry.URL}
	return MailDone, m.send(ctx, mail.Message{Key: "notice:" + id.Format(NoticePrefix, n.ID), Kind: "notice", To: mail.Address{Name: p.Name, Email: p.Email}, User: n.User, Subject: entry.Label,
		About: mail.About{Object: n.Object, Record: n.Record}, NotBefore: want.NotBefore(now, m.Zone()), Stop: m.stopURL(origin, n.User, n.Kind)}, letter)
}

// send queues a letter. An address that takes nothing any more, or is none, is nobody's error here.
func (m *Mailer) send(ctx context.Context, msg mail.Message, letter mail.Letter) error {
	if !strings.HasPrefix(msg.Stop, "https://") {
		msg.Stop = "" // the form of RFC 8058 is for https alone; the link at the end of the mail stays
	}
	_, err := m.Post.Enqueue(ctx, letter.Message(msg))
	if code := fault.CodeOf(err); code == "mail.address_stopped" || code == "mail.bad_address" {
		return nil
	}
	return err
}

// see is the person and what they may see of notifications; nothing for who has gone.
func (m *Mailer) see(ctx context.Context, user id.ID, list []Notification) (Person, []Shown, error) {
	p, ok, err := m.Service.cfg.People.Person(ctx, user)
	if err != nil || !ok || p.Disabled {
		return p, nil, err
	}
	as, err := m.As(ctx, user)
	if fault.KindOf(err) == fault.Forbidden && err != nil {
		return p, nil, nil
	}
	if err != nil {
		return p, nil, err
	}
	shown, err := m.Service.see(as, list)
	return p, shown, err
}

func (m *Mailer) say(p Person, key string, params map[string]any) string {
	return m.Words(lang.Locale(p.Locale), key, params)
}

// entry is a notification in one line, with its link.
func (m *Mailer) entry(ctx context.Context, origin string, p Person, n *Shown) mail.Entry {
	params := map[string]any{"who": "", "name": n.Detail.Text, "count": n.Times}
	if n.ByKind == access.ByUser {
		if by, ok, err := m.Service.cfg.People.Person(ctx, n.By); err == nil && ok {
			params["who"] = by.Name
		}
	}
	if params["who"] == "" {
		params["who"] = m.say(p, "mail.notice.somebody", nil)
	}
	e := mail.Entry{Link: mail.Link{URL: origin + "/notifications"}}
	if n.About != nil {
		params["name"] = n.About.Title
		e.URL = origin + "/o/" + n.Object + "/" + id.Format(m.Prefix(n.Object), n.Record)
		e.Note = n.Detail.Text
	}
	if n.Kind == Job && n.Detail.JobID != "" {
		e.URL = origin + "/imports/" + n.Detail.JobID
	}
	if n.Kind == Anomaly {
		e.URL = origin + "/forecast?tab=watch"
	}
	if n.Kind == Reminder && n.Detail.At != "" {
		if at, err := time.Parse(time.RFC3339, n.Detail.At); err == nil {
			e.Note = at.In(m.Zone()).Format("2006-01-02 15:04")
		}
	}
	key := "mail.notice." + string(n.Kind)
	if e.Label = m.say(p, key, params); e.Label == key { // a kind without words of its own
		e.Label = m.say(p, "mail.notice.other", params)
	}
	return e
}

// letter begins a letter to a person, with the end that lets them have no more of a kind; "" for all of the daily mail.
func (m *Mailer) letter(p Person, origin string, user id.ID, kind Kind) mail.Letter {
	what := "digest"
	if kind != "" {
		what = string(kind)
	}
	stop := m.say(p, "mail.notice.stop_"+what, nil)
	if stop == "mail.notice.stop_"+what {
		stop = m.say(p, "mail.notice.stop_other", nil)
	}
	return mail.Letter{Locale: p.Locale, Workspace: m.Name, Small: []string{m.say(p, "mail.notice.why", map[string]any{"email": p.Email})},
		Stop: mail.Link{Label: stop, URL: origin + "/stop#" + m.token(user, kind)}}
}

// digests makes the daily mails: of everybody for whom something waits from before this morning.
func (m *Mailer) digests(ctx context.Context, origin string) error {
	now := m.Service.cfg.Clock.Now().In(m.Zone())
	due := time.Date(now.Year(), now.Month(), now.Day(), digestHour, 0, 0, 0, m.Zone())
	if now.Before(due) {
		due = due.AddDate(0, 0, -1)
	}
	for {
		list, err := m.Store.Digests(ctx, due, mailBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n].User == list[0].User {
				n++
			}
			if err := m.digest(ctx, origin, due, list[:n]); err != nil {
				return err
			}
			list = list[n:]
		}
	}
}

func (m *Mailer) digest(ctx context.Context, origin string, due time.Time, list []Notification) error {
	keys := make([]id.ID, len(list))
	for i := range list {
		keys[i] = list[i].ID
	}
	user := list[0].User
	fresh := slices.DeleteFunc(slices.Clone(list), func(n Notification) bool { return !n.ReadAt.IsZero() })
	if origin != "" && len(fresh) > 0 {
		p, shown, err := m.see(ctx, user, fresh)
		if err != nil {
			return err
		}
		if len(shown) > 0 {
			letter := m.letter(p, origin, user, "")
			letter.Title = m.say(p, "mail.notice.digest_title", map[string]any{"count": len(shown)})
			for i := range shown[:min(len(shown), digestItems)] {
				letter.Items = append(letter.Items, m.entry(ctx, origin, p, &shown[i]))
			}
			letter.Button = mail.Link{Label: m.say(p, "mail.notice.digest_open", nil), URL: origin + "/notifications"}
			err = m.send(ctx, mail.Message{Key: "digest:" + id.Format("usr", user) + ":" + due.Format(time.DateOnly) + ":" + strconv.FormatInt(int64(keys[0]), 36), Kind: "digest",
				To: mail.Address{Name: p.Name, Email: p.Email}, User: user, Subject: letter.Title, Stop: m.stopURL(origin, user, "")}, letter)
			if err != nil {
				return err
			}
		}
	}
	return m.Store.Mailed(ctx, keys, MailDone)
}

// token names the workspace, a person and a kind, so that a link can end mails of the kind without signing in.
func (m *Mailer) token(user id.ID, kind Kind) string {
	msg := binary.BigEndian.AppendUint64([]byte("stop|"), uint64(user)) //nolint:gosec // ids are positive
	return m.Workspace + "." + base64.RawURLEncoding.EncodeToString(m.Sign(append(msg, kind...)))
}

func (m *Mailer) stopURL(origin string, user id.ID, kind Kind) string {
	return origin + "/api/v1/mail/stop/" + m.token(user, kind)
}

// Stopping is what a link ends.
type Stopping struct {
	Person Person
	Kind   Kind // "" for the daily mail
}

var errStop = errors.New("not a link of ours")

func (m *Mailer) read(token string) (user id.ID, kind Kind, err error) {
	_, text, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, "", errStop
	}
	msg, ok := m.Verify(raw)
	body, ours := strings.CutPrefix(string(msg), "stop|")
	if !ok || !ours || len(body) < 8 {
		return 0, "", errStop
	}
	return id.ID(binary.BigEndian.Uint64([]byte(body))), Kind(body[8:]), nil //nolint:gosec // ours
}

// LookAt shows what a link would end. NotFound talk.stop_unknown.
func (m *Mailer) LookAt(ctx context.Context, token string) (Stopping, error) {
	user, kind, err := m.read(token)
	unknown := fault.New(fault.NotFound, "talk.stop_unknown", nil)
	if err != nil {
		return Stopping{}, unknown
	}
	p, ok, err := m.Service.cfg.People.Person(ctx, user)
	if err == nil && !ok {
		err = unknown
	}
	return Stopping{Person: p, Kind: kind}, err
}

// Stop ends mails of the kind that a link names; ended twice it is ended.
func (m *Mailer) Stop(ctx context.Context, token string) (Stopping, error) {
	s, err := m.LookAt(ctx, token)
	if err != nil {
		return s, err
	}
	want, err := m.Service.mailPreferences(ctx, s.Person.ID)
	if err != nil {
		return s, err
	}
	change := MailPreferences{Kinds: map[Kind]Channel{s.Kind: Never}}
	if s.Kind == "" {
		change.Kinds = map[Kind]Channel{}
		for k, c := range want.Kinds {
			if c == Daily {
				change.Kinds[k] = Never
			}
		}
	}
	_, err = m.Service.SetMailPreferences(access.With(ctx, access.Actor{Kind: access.ByUser, ID: s.Person.ID}), change)
	return s, err
}
