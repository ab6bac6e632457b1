// Package letter is what people write to customers by mail from a record's page.
//
// A letter goes to an address that stands in a field of the record. Whoever may see the record and the field may write to it, also
// when the address is masked for them: it is read by the program and shown to nobody. A record that asks not to be contacted is not
// written to. The text may name fields of the record as {{field}} or {{field|instead}}; they are filled in as the writer sees them,
// and a personal value is not filled in, since it would be readable where it is masked. A letter sent twice under one key is one.
//
// What was written is kept sealed with the mail (package mail), shown on the timeline to whoever may see the record, and removed with
// the record's personal data (Erase).
//
// A rule writes through Order: to the same addresses under the same refusals, and what it wrote is kept and shown in the same way.
package letter

import (
	"context"
	"html"
	"regexp"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Kind is the kind of mail that letters are.
const Kind = "customer"

// quiet is the field that says that somebody wants no mail.
const quiet = "do_not_contact"

// Limits of a letter.
const (
	maxSubject = 200
	maxText    = 20_000
)

// Records is what it needs of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	PlainValue(ctx context.Context, object, field string, ids []id.ID) (map[id.ID]any, error)
	Env(ctx context.Context) schema.ParseEnv
}

// Config is what a Service needs.
type Config struct {
	Records  Records
	Registry func() *schema.Registry
	Mail     *mail.Queue
	// Email is the address of a colleague, for answers; "" for none.
	Email func(ctx context.Context, user id.ID) (string, error)
	// Family is a record with those that became part of it by merging.
	Family func(ctx context.Context, rec id.ID) ([]id.ID, error)
	Clock  clock.Clock
	// Consent refuses a mail for a purpose to the customer that a record is or belongs to: Conflict letter.no_consent, letter.quiet.
	Consent func(ctx context.Context, object string, rec id.ID, purpose string) error
	// Foot is the end of a mail for a purpose, and the address at which one POST ends mails for it; "" for none.
	Foot func(ctx context.Context, object string, rec id.ID, purpose, locale string) (foot, stop string, err error)
}

// Service writes and shows letters. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Address is a field of a record that a letter may go to.
type Address struct {
	Field string
	Label schema.Label
	Mask  string // as the writer may see it
}

// Desk is what a page needs to write a letter.
type Desk struct {
	Addresses []Address
	Quiet     bool // the record asks not to be contacted
	Ready     bool // there is a mail server
}

// Desk tells where a letter about a record can go.
func (s *Service) Desk(ctx context.Context, object string, rec id.ID) (Desk, error) {
	if err := allowed(ctx); err != nil {
		return Desk{}, err
	}
	r, err := s.cfg.Records.Get(ctx, object, rec)
	if err != nil {
		return Desk{}, err
	}
	var out Desk
	for _, f := range s.fields(object) {
		v, clear := r.Values[f.Key].(string)
		if mask := r.Masks[f.Key]; mask != "" {
			v = mask
		} else if !clear {
			continue
		}
		out.Addresses = append(out.Addresses, Address{Field: f.Key, Label: f.Label, Mask: v})
	}
	if out.Quiet, err = s.quiet(ctx, object, rec); err != nil {
		return out, err
	}
	out.Ready, err = s.cfg.Mail.Ready(ctx)
	return out, err
}

func allowed(ctx context.Context) error {
	who := access.From(ctx)
	if !who.Can(access.MailSend) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.MailSend)})
	}
	if who.Kind != access.ByUser {
		return fault.New(fault.Forbidden, "auth.people_only", nil)
	}
	return nil
}

// fields are those of an object that hold addresses.
func (s *Service) fields(object string) []*schema.Field {
	obj := s.cfg.Registry().Object(object)
	if obj == nil {
		return nil
	}
	var out []*schema.Field
	for i := range obj.Fields {
		if f := obj.Fields[i]; f.Type == schema.Email && !f.Hidden {
			out = append(out, f)
		}
	}
	return out
}

// quiet reports whether a record asks not to be contacted, or its processing is restricted, whatever the writer may see of it.
func (s *Service) quiet(ctx context.Context, object string, rec id.ID) (bool, error) {
	if obj := s.cfg.Registry().Object(object); obj == nil || obj.Field(quiet) == nil {
		return false, nil
	}
	r, err := s.cfg.Records.Get(access.With(ctx, access.System()), object, rec)
	if err != nil {
		return false, err
	}
	on, _ := r.Values[quiet].(bool)
	return on || r.Values["processing"] != nil, nil // one who is only stored gets no mail
}

// Input is a letter to write.
type Input struct {
	Key     string // chosen by the writer's page, so that sending twice is sending once
	Object  string
	Record  id.ID
	Field   string // of the address
	Subject string
	Text    string
	Profile id.ID // 0 for the standard one
	// Purpose is what it is written for, in the words of consents ("marketing"); "" for a letter that answers or serves somebody.
	Purpose string
}

var keyShape = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// Send writes a letter down to be sent. Faults: letter.quiet, letter.no_address, letter.bad_subject, letter.bad_text,
// letter.unknown_field, letter.personal_field, letter.no_consent, consent.unknown_purpose, and those of mail.
func (s *Service) Send(ctx context.Context, in Input) (mail.Receipt, error) {
	if err := allowed(ctx); err != nil {
		return mail.Receipt{}, err
	}
	r, err := s.cfg.Records.Get(ctx, in.Object, in.Record)
	if err != nil {
		return mail.Receipt{}, err
	}
	subject, text, err := s.fill(ctx, r, in)
	if err != nil {
		return mail.Receipt{}, err
	}
	on, err := s.quiet(ctx, in.Object, in.Record)
	if err != nil {
		return mail.Receipt{}, err
	}
	if on {
		return mail.Receipt{}, fault.New(fault.Conflict, "letter.quiet", nil)
	}
	if err := s.cfg.Consent(ctx, in.Object, in.Record, in.Purpose); err != nil {
		return mail.Receipt{}, err
	}
	to, err := s.address(ctx, r, in.Field)
	if err != nil {
		return mail.Receipt{}, err
	}
	foot, stop, err := s.cfg.Foot(ctx, in.Object, in.Record, in.Purpose, localeOf(r))
	if err != nil {
		return mail.Receipt{}, err
	}
	text = footed(text, foot)
	who := access.From(ctx)
	reply, err := s.cfg.Email(ctx, who.ID)
	if err != nil {
		return mail.Receipt{}, err
	}
	return s.cfg.Mail.Enqueue(ctx, mail.Message{Key: "letter:" + id.Format("usr", who.ID) + ":" + in.Key, Kind: Kind, Profile: in.Profile, To: mail.Address{Name: r.Title, Email: to}, ReplyTo: reply,
		Subject: subject, Text: text, HTML: page(text), About: mail.About{Object: in.Object, Record: in.Record}, By: who.ID, Stop: secure(stop), Keep: true, Personal: true})
}

// footed is a text with its end below a line.
func footed(text, foot string) string {
	if foot == "" {
		return text
	}
	return text + "\n\n--\n" + foot
}

// secure is an address that mail programs call by themselves, which they do by https alone.
func secure(stop string) string {
	if strings.HasPrefix(stop, "https://") {
		return stop
	}
	return ""
}

// address is read by the program; that the writer sees the field is what allows it.
func (s *Service) address(ctx context.Context, r *record.Record, field string) (string, error) {
	none := fault.InvalidField("letter.no_address", "field", nil)
	for _, f := range s.fields(r.Object) {
		if f.Key != field {
			continue
		}
		if v, ok := r.Values[field].(string); ok && r.Masks[field] == "" {
			return v, nil
		}
		if r.Masks[field] == "" {
			return "", none
		}
		got, err := s.cfg.Records.PlainValue(access.With(ctx, access.System()), r.Object, field, []id.ID{r.ID})
		if err != nil {
			return "", err
		}
		if v, ok := got[r.ID].(string); ok && v != "" {
			return v, nil
		}
	}
	return "", none
}

var place = regexp.MustCompile(`\{\{\s*([a-z][a-z0-9_]*)\s*(?:\|([^{}|]*))?\}\}`)

// fill checks a letter and puts in the values of the record.
func (s *Service) fill(ctx context.Context, r *record.Record, in Input) (subject, text string, err error) {
	var bad []*fault.Fault
	if !keyShape.MatchString(in.Key) {
		bad = append(bad, fault.InvalidField("letter.bad_key", "key", nil))
	}
	subject, text = strings.TrimSpace(in.Subject), strings.TrimSpace(strings.ReplaceAll(in.Text, "\r\n", "\n"))
	if subject == "" || len([]rune(subject)) > maxSubject || strings.ContainsAny(subject, "\n\r") {
		bad = append(bad, fault.InvalidField("letter.bad_subject", "subject", fault.Params{"max": maxSubject}))
	}
	if text == "" || len([]rune(text)) > maxText {
		bad = append(bad, fault.InvalidField("letter.bad_text", "text", fault.Params{"max": maxText}))
	}
	put := func(at, from string) string {
		return place.ReplaceAllStringFunc(from, func(m string) string {
			parts := place.FindStringSubmatch(m)
			v, f := s.value(ctx, r, parts[1])
			if f != nil {
				bad = append(bad, f.At(at))
			}
			if v == "" {
				v = strings.TrimSpace(parts[2])
			}
			return v
		})
	}
	subject, text = put("subject", subject), put("text", text)
	if f := fault.Join("letter.invalid", bad); f != nil {
		return "", "", f
	}
	return subject, text, nil
}

// value is a field of the record in words.
func (s *Service) value(ctx context.Context, r *record.Record, key string) (string, *fault.Fault) {
	f := s.cfg.Registry().Object(r.Object).Field(key)
	if f == nil || f.Hidden {
		return "", fault.New(fault.Invalid, "letter.unknown_field", fault.Params{"field": key})
	}
	if f.Personal || r.Masks[key] != "" {
		return "", fault.New(fault.Invalid, "letter.personal_field", fault.Params{"field": key})
	}
	if ref, ok := r.Titles[key]; ok {
		return ref.Title, nil
	}
	v := r.Values[key]
	if v == nil {
		return "", nil
	}
	for _, o := range f.Options {
		if o.Key == v {
			return o.Label.In(lang.Locale(access.From(ctx).Locale)), nil
		}
	}
	env := s.cfg.Records.Env(ctx)
	env.FileName = r.FileName
	return schema.FormatText(f, v, env), nil
}

// page is a text in the plainest HTML.
func page(text string) string {
	return `<div style="font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;font-size:15px;line-height:1.6;white-space:pre-wrap">` + html.EscapeString(text) + `</div>`
}

// Letter is what was written.
type Letter struct {
	ID            id.ID
	At            time.Time
	By            id.ID
	To            string // masked
	Subject, Text string // "" when they cannot be read any more
	State         mail.State
	Reason        string
	Rule          bool // By is a rule
}

// About reads letters about a record, and about those that became part of it, at or before an instant, newest first. Whoever calls
// it has checked that the actor may see the record.
func (s *Service) About(ctx context.Context, rec id.ID, until time.Time, limit int) ([]Letter, error) {
	family, err := s.cfg.Family(ctx, rec)
	if err != nil {
		return nil, err
	}
	items, err := s.cfg.Mail.Store.About(ctx, family, until, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Letter, len(items))
	for i := range items {
		it := &items[i]
		out[i] = Letter{ID: it.ID, At: it.CreatedAt, By: it.By, To: it.Mask, State: it.State, Reason: it.Reason, Rule: it.Kind == RuleKind}
		if out[i].Subject, out[i].Text, err = s.cfg.Mail.Read(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Erase removes every mail about a record, and every one to an address ("" for none), with what they say, and takes both off the lists
// of meetings. Whoever calls it has checked that the actor may.
func (s *Service) Erase(ctx context.Context, rec id.ID, address string) (int, error) {
	blind := ""
	if address != "" {
		blind = s.cfg.Mail.Vault.Blind(address)
	}
	return s.cfg.Mail.Store.EraseAbout(ctx, rec, blind)
}
