package automation

import (
	"context"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Limits of a mail.
const (
	maxSubject  = 200
	maxMailText = 20_000
	mailsAtOnce = 8
)

// letterform is a Mail that was checked.
type letterform struct {
	to      *path // of MailField
	person  id.ID
	address string
	reply   string // of those that are worked out, "" for none
	replyTo string // an address
	purpose string
	words   map[lang.Locale]wording
}

type wording struct{ subject, text *template }

// anyLanguage is the wording of receivers whose language has none of its own.
const anyLanguage lang.Locale = ""

func (c *checker) mail(in *instr, at string) error {
	m := in.step.Mail
	if m == nil {
		c.fail("needs_mail", at+".mail", nil)
		return nil
	}
	if !access.From(c.ctx).Can(access.MailSend) {
		c.fail("may_not_mail", at, nil)
	}
	at += ".mail"
	in.mail = &letterform{words: map[lang.Locale]wording{}}
	switch m.To {
	case MailField:
		in.mail.to = c.mailField(m.Field, at+".field")
	case MailPerson:
		v, err := id.Parse("usr", m.Person)
		if err != nil {
			c.fail("unknown_person", at+".person", nil)
		}
		in.mail.person = v
	case MailAddress:
		in.mail.address = strings.TrimSpace(m.Address)
		if err := c.relocated(c.s.cfg.Post.CheckAddress(in.mail.address), at+".address"); err != nil {
			return err
		}
	default:
		c.fail("bad_receiver", at+".to", nil)
	}
	switch m.ReplyTo {
	case "":
	case ReaderOwner, ReplyRunAs:
		in.mail.reply = m.ReplyTo
	case ReaderCustomerOwner:
		if in.mail.reply = m.ReplyTo; c.customer() == nil {
			c.fail("no_customer", at+".reply_to", fault.Params{"object": c.prog.obj.Label})
		}
	default:
		in.mail.replyTo = strings.TrimSpace(m.ReplyTo)
		if err := c.relocated(c.s.cfg.Post.CheckAddress(in.mail.replyTo), at+".reply_to"); err != nil {
			return err
		}
	}
	if in.mail.purpose = m.Purpose; m.Purpose != "" {
		if m.To != MailField {
			c.fail("purpose_needs_field", at+".purpose", nil)
		}
		if err := c.relocated(c.s.cfg.Post.CheckPurpose(c.ctx, m.Purpose), at+".purpose"); err != nil {
			return err
		}
	}
	in.mail.words[anyLanguage] = c.wording(m.Wording, at)
	for key, w := range m.Translations {
		loc := lang.Locale(key)
		if loc != lang.ChineseSimplified && loc != lang.English {
			c.fail("unknown_language", at+".translations."+key, fault.Params{"language": key})
			continue
		}
		in.mail.words[loc] = c.wording(w, at+".translations."+key)
	}
	return nil
}

// mailField is a path to an e-mail address or to somebody who works here.
func (c *checker) mailField(text, at string) *path {
	if text == "" || strings.HasPrefix(text, "old.") || strings.HasPrefix(text, "body.") {
		c.fail("needs_address_field", at, fault.Params{"field": text})
		return nil
	}
	before := len(c.bad)
	p := c.path(text, at, true)
	if p != nil && (p.field == nil || p.field.Type != schema.Email && p.field.Type != schema.User) || p == nil && len(c.bad) == before {
		c.fail("needs_address_field", at, fault.Params{"field": text})
		return nil
	}
	return p
}

// wording checks a subject and a text. A personal value is not put into a mail: it would be readable where it is masked.
func (c *checker) wording(w Wording, at string) wording {
	subject := strings.TrimSpace(w.Subject)
	if subject == "" || utf8.RuneCountInString(subject) > maxSubject || strings.ContainsAny(subject, "\r\n") {
		c.fail("bad_subject", at+".subject", fault.Params{"max": maxSubject})
	}
	if n := utf8.RuneCountInString(w.Text); strings.TrimSpace(w.Text) == "" || n > maxMailText {
		c.fail("bad_mail_text", at+".text", fault.Params{"max": maxMailText})
		return wording{}
	}
	return wording{c.openly(c.template(subject, at+".subject"), at+".subject"), c.openly(c.longTemplate(w.Text, maxMailText, at+".text"), at+".text")}
}

func (c *checker) openly(t *template, at string) *template {
	if t == nil {
		return nil
	}
	for _, p := range t.parts {
		if p.path != nil && p.path.field != nil && p.path.field.Personal {
			c.fail("personal_value", at, fault.Params{"field": p.path.field.Label})
		}
	}
	return t
}

// mailKey is the key of a run's mail at a step.
func (b *batch) mailKey(run *Run) string {
	return "rule:" + id.Format(RunPrefix, run.ID) + ":" + b.in.step.ID
}

// mail sends a mail for each run. A run that waits looks where its mail stands; one that somebody replays writes a mail that failed anew.
func (b *batch) mail(ctx context.Context) error {
	moves := make([]Move, len(b.runs))
	var group sync.WaitGroup
	slots := make(chan struct{}, mailsAtOnce)
	for i := range b.runs {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			moves[i] = b.mailOne(ctx, b.runs[i])
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := b.s.move(ctx, moves); err != nil {
		return err
	}
	return b.again(ctx, moves, func(m *Move) (bool, error) {
		p, there, err := b.s.cfg.Post.Standing(ctx, b.mailKey(&m.Run))
		return !there || p.State != PostWaiting, err
	})
}

// again has runs that wait look once more where what they wait for came about before it was stored that they wait.
func (b *batch) again(ctx context.Context, moves []Move, over func(*Move) (bool, error)) error {
	for i := range moves {
		if moves[i].State != Waiting || !moves[i].DueAt.After(b.now) {
			continue
		}
		done, err := over(&moves[i])
		if err == nil && done {
			err = b.s.Nudge(ctx, moves[i].ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) mailOne(ctx context.Context, run Run) Move {
	key := b.mailKey(&run)
	posted, there, err := b.s.cfg.Post.Standing(ctx, key)
	if err != nil {
		return b.s.failed(run, b.in, err)
	}
	again := there && posted.State == PostFailed && run.State == Ready && run.Problem != nil && run.Problem.Step == b.in.step.ID && strings.HasPrefix(run.Problem.Code, mailFailed)
	switch {
	case there && !again:
		return b.stands(run, posted)
	case !there && run.State == Waiting: // removed with the personal data of its receiver
		return b.passed(run, b.in.next, OutHeld, Detail{Code: HeldBack + "erased"})
	}
	l, err := b.letter(ctx, &run)
	if err == nil {
		l.Key = key
		posted, err = b.s.cfg.Post.Write(ctx, l, again)
	}
	if code := fault.CodeOf(err); err != nil && strings.HasPrefix(code, HeldBack) {
		return b.passed(run, b.in.next, OutHeld, Detail{Code: code})
	}
	if err != nil {
		return b.s.failed(run, b.in, err)
	}
	return b.stands(run, posted)
}

// mailFailed begins the codes of mails that failed.
const mailFailed = "automation.mail_"

// stands is what follows from where a mail stands.
func (b *batch) stands(run Run, p Posted) Move {
	d := Detail{Mail: p.Mail}
	switch p.State {
	case PostSent:
		return b.passed(run, b.in.next, OutDone, d)
	case PostFailed:
		m := b.s.failed(run, b.in, fault.New(fault.Conflict, p.Code, fault.Params{"reply": p.Reply}))
		m.Step.Detail.Mail = p.Mail
		return m
	}
	first := run.State != Waiting
	m := b.pause(run, b.now.Add(lookAgain), false, false)
	if first {
		m.Step = b.log(&m.Run, OutSending, d)
	}
	return m
}

// letter makes the mail of a run in the language of its receiver.
func (b *batch) letter(ctx context.Context, run *Run) (Letter, error) {
	f := b.in.mail
	rec := b.recs[run.Record]
	to, about := b.receiver(run), rec
	if f.to != nil {
		if about = b.at(rec, f.to.hop); about == nil {
			return Letter{}, fault.New(fault.Conflict, HeldBack+"nobody", nil)
		}
	}
	if to == (Receiver{}) {
		return Letter{}, fault.New(fault.Conflict, HeldBack+"nobody", nil)
	}
	box, err := b.s.cfg.Post.Find(ctx, to)
	if err != nil {
		return Letter{}, err
	}
	words, ok := f.words[lang.Locale(box.Locale)]
	if !ok {
		words = f.words[anyLanguage]
	}
	who := access.From(ctx)
	who.Locale = box.Locale
	ctx = access.With(ctx, who)
	subject := strings.Join(strings.Fields(b.fill(ctx, words.subject, run)), " ")
	l := Letter{Rule: b.rule.ID, To: box, Subject: cut(subject, maxSubject), Text: strings.TrimSpace(b.fill(ctx, words.text, run)), Object: b.prog.obj.Key, Record: rec.ID, Person: to.Person}
	if to.Record != 0 { // the mail is shown with whose address it is
		l.Object, l.Record, l.Purpose = to.Object, to.Record, to.Purpose
	}
	l.ReplyTo = b.replyTo(run)
	return l, nil
}

// receiver is whom the mail of a run is for; zero for nobody.
func (b *batch) receiver(run *Run) Receiver {
	f := b.in.mail
	switch {
	case f.person != 0:
		return Receiver{Person: f.person}
	case f.to == nil:
		return Receiver{Address: f.address}
	}
	rec := b.at(b.recs[run.Record], f.to.hop)
	if rec == nil {
		return Receiver{}
	}
	if f.to.field.Type == schema.User {
		v, _ := fieldValue(rec, f.to.field).(id.ID)
		return Receiver{Person: v}
	}
	return Receiver{Object: f.to.obj.Key, Record: rec.ID, Field: f.to.field.Key, Purpose: f.purpose}
}

// replyTo is where answers go; zero for what the mail server says.
func (b *batch) replyTo(run *Run) Receiver {
	f, rec := b.in.mail, b.recs[run.Record]
	if f.replyTo != "" {
		return Receiver{Address: f.replyTo}
	}
	var person id.ID
	switch f.reply {
	case ReaderOwner:
		person, _ = fieldValue(rec, access.Owner(b.prog.obj)).(id.ID)
	case ReaderCustomerOwner:
		if c := b.customerField(); c != nil {
			if r := b.at(rec, c); r != nil {
				person, _ = fieldValue(r, access.Owner(b.s.cfg.Registry().Object(c.Target))).(id.ID)
			}
		}
	case ReplyRunAs:
		person = b.rule.RunAs
	}
	return Receiver{Person: person}
}

// TrialMail is a mail as it would be sent.
type TrialMail struct {
	To      string // masked
	Name    string
	Locale  string
	Subject string
	Text    string
	HTML    string
}

// tryMail makes a mail and sends nothing.
func (b *batch) tryMail(ctx context.Context, run *Run, t *Trial) error {
	t.Outcome = OutSending
	l, err := b.letter(ctx, run)
	if code := fault.CodeOf(err); err != nil && strings.HasPrefix(code, HeldBack) {
		t.Outcome, t.Problem = OutHeld, problemOf(err)
		return nil
	}
	if err != nil {
		return err
	}
	t.Mail = &TrialMail{To: l.To.Mask, Name: l.To.Name, Locale: l.To.Locale, Subject: l.Subject, Text: l.Text, HTML: b.s.cfg.Post.Page(l.Text)}
	return nil
}
