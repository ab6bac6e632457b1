package mail

import (
	"context"
	"encoding/json"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Limits of a message.
const (
	maxKey     = 200
	maxSubject = 500
	maxBody    = 2 << 20  // bytes of text, and of HTML
	maxFiles   = 20 << 20 // bytes of all files together
	usefulFor  = 5 * 24 * time.Hour
)

// content is what a message keeps sealed.
type content struct {
	To       Address   `json:"to"`
	ReplyTo  string    `json:"reply_to,omitempty"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	HTML     string    `json:"html,omitempty"`
	Files    []File    `json:"files,omitempty"`
	Calendar *Calendar `json:"calendar,omitempty"`
	Stop     string    `json:"stop,omitempty"`
	Personal bool      `json:"personal,omitempty"`
}

var kindShape = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// ParseAddress reads a bare mailbox such as "wang@example.com" and folds its domain; Invalid mail.bad_address.
func ParseAddress(text string) (string, error) {
	text = strings.TrimSpace(text)
	a, err := netmail.ParseAddress(text)
	local, domain, ok := strings.Cut(text, "@")
	if err != nil || !ok || a.Name != "" || a.Address != text || len(text) > 254 || len(local) > 64 || strings.ContainsAny(text, "\r\n\t <>\",;()") || !strings.Contains(domain, ".") && domain != "localhost" {
		return "", fault.New(fault.Invalid, "mail.bad_address", nil)
	}
	return local + "@" + strings.ToLower(domain), nil
}

// Mask is an address as it is shown to those who may not see it: the first character and the domain.
func Mask(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" {
		return "***"
	}
	r, _ := utf8.DecodeRuneInString(local)
	return string(r) + "***@" + domain
}

// Queue writes messages down. It is safe for concurrent use.
type Queue struct {
	Store Store
	Vault Vault
	Clock clock.Clock
	IDs   *id.Generator
	// Notify wakes the dispatcher; nil does nothing.
	Notify func()
}

var _ Sender = (*Queue)(nil)

// Ready implements Sender.
func (q *Queue) Ready(ctx context.Context) (bool, error) {
	_, ok, err := q.standard(ctx)
	return ok, err
}

// standard is the active profile that serves messages which name none.
func (q *Queue) standard(ctx context.Context) (Profile, bool, error) {
	all, err := q.Store.Profiles(ctx)
	if err != nil {
		return Profile{}, false, fmt.Errorf("read mail profiles: %w", err)
	}
	for _, p := range all {
		if p.Standard && p.Active {
			return p, true, nil
		}
	}
	return Profile{}, false, nil
}

// Enqueue implements Sender.
func (q *Queue) Enqueue(ctx context.Context, m Message) (Receipt, error) {
	return q.put(ctx, m, q.Store.Enqueue)
}

// Anew is Enqueue that takes the place of a message of the same key that failed, is unknown or was cancelled.
func (q *Queue) Anew(ctx context.Context, m Message) (Receipt, error) {
	return q.put(ctx, m, q.Store.Supersede)
}

// Make seals a message without writing it down, for whoever writes it together with something else and says Notify then. Nothing is
// asked of the store: an address that is stopped is found when the message is to be sent.
func (q *Queue) Make(m Message) (Item, error) { return q.item(m) }

func (q *Queue) put(ctx context.Context, m Message, store func(context.Context, Item) (Receipt, error)) (Receipt, error) {
	it, err := q.item(m)
	if err != nil {
		return Receipt{}, err
	}
	if _, stopped, err := q.Store.Stopped(ctx, it.Blind); err != nil {
		return Receipt{}, fmt.Errorf("look for a stopped address: %w", err)
	} else if stopped {
		return Receipt{}, fault.New(fault.Conflict, "mail.address_stopped", fault.Params{"address": it.Mask})
	}
	r, err := store(ctx, it)
	if err != nil {
		return Receipt{}, fmt.Errorf("queue a mail: %w", err)
	}
	if r.Fresh && q.Notify != nil {
		q.Notify()
	}
	return r, nil
}

func (q *Queue) item(m Message) (Item, error) {
	to, err := ParseAddress(m.To.Email)
	if err != nil {
		return Item{}, err
	}
	if m.ReplyTo != "" {
		if m.ReplyTo, err = ParseAddress(m.ReplyTo); err != nil {
			return Item{}, err
		}
	}
	if err := m.check(); err != nil {
		return Item{}, err
	}
	now := q.Clock.Now()
	it := Item{ID: q.IDs.Next(), Key: m.Key, Kind: m.Kind, Profile: m.Profile, Mask: Mask(to), Blind: q.Vault.Blind(to), Keep: m.Keep, About: m.About, User: m.User, By: m.By,
		State: Waiting, CreatedAt: now, NextAt: m.NotBefore, Until: m.Until}
	if it.NextAt.Before(now) {
		it.NextAt = now
	}
	if it.Until.IsZero() {
		it.Until = it.NextAt.Add(usefulFor)
	}
	raw, err := json.Marshal(content{To: Address{Name: oneLine(m.To.Name), Email: to}, ReplyTo: m.ReplyTo, Subject: oneLine(m.Subject), Text: m.Text, HTML: m.HTML, Files: m.Files,
		Calendar: m.Calendar, Stop: m.Stop, Personal: m.Personal})
	if err != nil {
		return Item{}, fmt.Errorf("content of a mail: %w", err)
	}
	if it.Wrapped, err = q.Vault.NewKey(it.ID); err != nil {
		return Item{}, err
	}
	it.Content, err = q.Vault.Seal(it.Wrapped, it.ID, sealedContent, raw)
	return it, err
}

func (m *Message) check() error {
	bad := func(field string) error {
		return fault.InvalidField("mail.bad_message", field, fault.Params{"field": field})
	}
	size := 0
	for _, f := range m.Files {
		size += len(f.Content)
	}
	switch {
	case m.Key == "" || len(m.Key) > maxKey:
		return bad("key")
	case !kindShape.MatchString(m.Kind):
		return bad("kind")
	case strings.TrimSpace(m.Subject) == "" || utf8.RuneCountInString(m.Subject) > maxSubject || !utf8.ValidString(m.Subject):
		return bad("subject")
	case strings.TrimSpace(m.Text) == "" || len(m.Text) > maxBody || !utf8.ValidString(m.Text):
		return bad("text")
	case len(m.HTML) > maxBody || !utf8.ValidString(m.HTML):
		return bad("html")
	case size > maxFiles:
		return bad("files")
	}
	return nil
}

// oneLine makes a text fit for a header.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

func (q *Queue) open(it *Item) (content, error) {
	var c content
	raw, err := q.Vault.Open(it.Wrapped, it.ID, sealedContent, it.Content)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(raw, &c)
}

// Read opens what a kept message says; both are empty when it was forgotten.
func (q *Queue) Read(it *Item) (subject, text string, err error) {
	if it.Content == nil {
		return "", "", nil
	}
	c, err := q.open(it)
	return c.Subject, c.Text, err
}
