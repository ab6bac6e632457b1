package letter

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// RuleKind is the kind of mail that rules send.
const RuleKind = "rule"

// language is the field that says in which language somebody is written to, where an object has it: a text or choice such as "en".
const language = "language"

// Addressee is where a mail to an address of a record goes. Email is shown to nobody.
type Addressee struct{ Email, Name, Locale string }

// Addressee finds the address in a field of a record as the actor may write to it, masked or not. Locale is "" where the record does not
// say. Faults: Conflict letter.quiet, letter.no_consent and letter.unaddressed.
func (s *Service) Addressee(ctx context.Context, object string, rec id.ID, field, purpose string) (Addressee, error) {
	r, err := s.cfg.Records.Get(ctx, object, rec)
	if err != nil {
		return Addressee{}, err
	}
	on, err := s.quiet(ctx, object, rec)
	if err != nil {
		return Addressee{}, err
	}
	obj := s.cfg.Registry().Object(object)
	if f := obj.Field(obj.CustomerField); !on && obj.CustomerField != "" && f != nil && f.Type == schema.Relation { // whose customer asks for quiet is left in peace too
		if customer, ok := r.Values[f.Key].(id.ID); ok {
			if on, err = s.quiet(ctx, f.Target, customer); err != nil && fault.KindOf(err) != fault.NotFound {
				return Addressee{}, err
			}
		}
	}
	if on {
		return Addressee{}, fault.New(fault.Conflict, "letter.quiet", nil)
	}
	if err := s.cfg.Consent(ctx, object, rec, purpose); err != nil {
		return Addressee{}, err
	}
	to, err := s.address(ctx, r, field)
	if fault.CodeOf(err) == "letter.no_address" {
		return Addressee{}, fault.New(fault.Conflict, "letter.unaddressed", nil)
	}
	return Addressee{Email: to, Name: r.Title, Locale: localeOf(r)}, err
}

func localeOf(r *record.Record) string {
	text, _ := r.Values[language].(string)
	switch {
	case len(text) >= 2 && text[:2] == "zh":
		return string(lang.ChineseSimplified)
	case len(text) >= 2 && text[:2] == "en":
		return string(lang.English)
	}
	return ""
}

// Order is a mail that a rule sends. Key keeps it from being written twice.
type Order struct {
	Key     string
	To      mail.Address
	ReplyTo string
	Subject string
	Text    string
	About   mail.About
	User    id.ID // the colleague who gets it
	Rule    id.ID
	// Purpose is what consents call it for; "" for none.
	Purpose string
	Locale  string
}

// Order writes a mail of a rule down to be sent, or in the place of the one of its key that failed. It is kept, as letters are, and says that a
// program made it.
func (s *Service) Order(ctx context.Context, o Order, again bool) (mail.Receipt, error) {
	if !access.From(ctx).Can(access.MailSend) {
		return mail.Receipt{}, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.MailSend)})
	}
	foot, stop, err := s.cfg.Foot(ctx, o.About.Object, o.About.Record, o.Purpose, o.Locale)
	if err != nil {
		return mail.Receipt{}, err
	}
	o.Text = footed(o.Text, foot)
	m := mail.Message{Key: o.Key, Kind: RuleKind, To: o.To, ReplyTo: o.ReplyTo, Subject: o.Subject, Text: o.Text, HTML: Page(o.Text), About: o.About, User: o.User, By: o.Rule, Stop: secure(stop), Keep: true}
	if again {
		return s.cfg.Mail.Anew(ctx, m)
	}
	return s.cfg.Mail.Enqueue(ctx, m)
}

// Page is a text in the plainest HTML, everything in it escaped.
func Page(text string) string { return page(text) }
