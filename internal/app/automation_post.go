package app

import (
	"context"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/engage/letter"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// rulePost sends the mails of rules.
type rulePost struct{ w *workspace }

// CheckAddress implements automation.Post.
func (p rulePost) CheckAddress(address string) error {
	_, err := mail.ParseAddress(address)
	return err
}

// CheckPurpose implements automation.Post.
func (p rulePost) CheckPurpose(ctx context.Context, purpose string) error {
	_, err := p.w.consents.Allowed(ctx, nil, purpose, consent.Email)
	return err
}

// Page implements automation.Post.
func (p rulePost) Page(text string) string { return letter.Page(text) }

// held makes of a fault of a mail the one that holds a rule's mail back.
func held(err error) error {
	for code, why := range map[string]string{"letter.quiet": "quiet", "letter.no_consent": "no_consent", "letter.unaddressed": "no_address", "mail.address_stopped": "stopped"} {
		if fault.CodeOf(err) == code {
			return fault.New(fault.Conflict, automation.HeldBack+why, nil)
		}
	}
	return err
}

// Find implements automation.Post.
func (p rulePost) Find(ctx context.Context, r automation.Receiver) (automation.Mailbox, error) {
	box := automation.Mailbox{Address: r.Address}
	switch {
	case r.Person != 0:
		who, ok, err := members{p.w.app, p.w.info.Key}.Person(ctx, r.Person)
		if err != nil {
			return box, err
		}
		if !ok || who.Disabled || who.Email == "" {
			return box, fault.New(fault.Conflict, automation.HeldBack+"nobody", nil)
		}
		box = automation.Mailbox{Address: who.Email, Name: who.Name, Locale: who.Locale}
	case r.Record != 0:
		to, err := p.w.edge.Letters.Addressee(ctx, r.Object, r.Record, r.Field, r.Purpose)
		if err != nil {
			return box, held(err)
		}
		box = automation.Mailbox{Address: to.Email, Name: to.Name, Locale: to.Locale}
	}
	if box.Locale == "" {
		box.Locale = p.w.info.Locale
	}
	box.Mask = mail.Mask(box.Address)
	if _, stopped, err := p.w.post.Store.Stopped(ctx, p.w.post.Vault.Blind(box.Address)); err != nil || stopped {
		if err == nil {
			err = fault.New(fault.Conflict, automation.HeldBack+"stopped", nil)
		}
		return box, err
	}
	return box, nil
}

// Standing implements automation.Post.
func (p rulePost) Standing(ctx context.Context, key string) (automation.Posted, bool, error) {
	it, ok, err := p.w.post.Store.ByKey(ctx, key)
	if err != nil || !ok {
		return automation.Posted{}, false, err
	}
	return standing(&it), true, nil
}

// standing is where a mail stands, as a rule sees it: what only a person can decide about has failed.
func standing(it *mail.Item) automation.Posted {
	out := automation.Posted{Mail: id.Format(mail.Prefix, it.ID), State: automation.PostWaiting, Reply: it.Reply}
	switch it.State {
	case mail.Sent:
		out.State = automation.PostSent
	case mail.Unknown:
		out.State, out.Code = automation.PostFailed, "automation.mail_unknown"
	case mail.Cancelled:
		out.State, out.Code = automation.PostFailed, "automation.mail_cancelled"
	case mail.Failed:
		out.State, out.Code = automation.PostFailed, "automation.mail_failed"
		switch it.Reason {
		case mail.ErrAddress, mail.ErrStopped:
			out.Code = "automation.mail_address"
		case mail.ErrContent:
			out.Code = "automation.mail_content"
		case mail.ErrExpired, mail.ErrGaveUp:
			out.Code = "automation.mail_late"
		}
	case mail.Waiting, mail.Sending:
	}
	return out
}

// Write implements automation.Post.
func (p rulePost) Write(ctx context.Context, l automation.Letter, again bool) (automation.Posted, error) {
	reply := l.ReplyTo.Address
	if l.ReplyTo.Person != 0 {
		who, _, err := members{p.w.app, p.w.info.Key}.Person(ctx, l.ReplyTo.Person)
		if err != nil {
			return automation.Posted{}, err
		}
		reply = who.Email
	}
	r, err := p.w.edge.Letters.Order(ctx, letter.Order{Key: l.Key, To: mail.Address{Name: l.To.Name, Email: l.To.Address}, ReplyTo: reply, Subject: l.Subject, Text: l.Text,
		About: mail.About{Object: l.Object, Record: l.Record}, User: l.Person, Rule: l.Rule, Purpose: l.Purpose, Locale: l.To.Locale}, again)
	if err != nil {
		return automation.Posted{}, held(err)
	}
	it, err := p.w.post.Store.Message(ctx, r.ID)
	if err != nil {
		return automation.Posted{}, err
	}
	return standing(&it), nil
}

// mailFinished wakes the run that waits for a mail. Where a crash comes in between, the run looks by itself.
func (w *workspace) mailFinished(ctx context.Context, it *mail.Item) {
	rest, ok := strings.CutPrefix(it.Key, "rule:")
	run, _, _ := strings.Cut(rest, ":")
	v, err := id.Parse(automation.RunPrefix, run)
	if !ok || err != nil || w.edge.Automations == nil {
		return
	}
	if err := w.edge.Automations.Nudge(ctx, v); err != nil {
		w.app.Log.Error("a run was not told of its mail", "run", run, "error", err)
	}
}

// ruleAgreements asks people for their agreement to what rules write.
type ruleAgreements struct{ w *workspace }

// Ask implements automation.Agreements: in the name of the person that the rule runs as, with the rights of that person.
func (g ruleAgreements) Ask(ctx context.Context, a automation.Asking) error {
	acting, err := g.w.as(ctx, a.Person)
	if err != nil {
		return err
	}
	comment := g.w.app.words.Text(lang.Locale(g.w.info.Locale), "automation.asks", map[string]any{"rule": a.Rule})
	_, err = g.w.approvals.Submit(acting, approval.Proposal{Op: a.Op.Op, Assign: a.Assign, Object: a.Op.Object, Record: a.Op.ID, Input: a.Op.Input, Comment: comment, ID: a.Request, Origin: a.Run})
	return err
}

// Answer implements automation.Agreements.
func (g ruleAgreements) Answer(ctx context.Context, request id.ID) (automation.AnswerState, string, error) {
	r, err := g.w.approvals.Look(ctx, request)
	if fault.CodeOf(err) == "approval.unknown" {
		return automation.AnswerNone, "", nil
	}
	if err != nil {
		return "", "", err
	}
	switch r.State {
	case approval.Applied:
		return automation.AnswerDone, "", nil
	case approval.Rejected, approval.Withdrawn:
		return automation.AnswerRefused, "", nil
	case approval.Failed:
		return automation.AnswerFailed, r.Code, nil
	case approval.Pending, approval.Returned, approval.Approved:
	}
	return automation.AnswerOpen, "", nil
}

// requestMoved wakes the run that waits for the answer to a request.
func (w *workspace) requestMoved(ctx context.Context, r *approval.Request, _ approval.Event) error {
	run, err := id.Parse(automation.RunPrefix, r.Origin)
	if r.Origin == "" || err != nil || w.edge == nil || w.edge.Automations == nil {
		return nil //nolint:nilerr // no run asked
	}
	return w.edge.Automations.Nudge(access.With(ctx, access.System()), run)
}
