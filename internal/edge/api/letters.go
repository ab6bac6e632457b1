package api

import (
	"context"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/letter"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// letterRoutes are mails that people write to customers; each leaves a note in the trail (letter.send), without what it says.
func (a *API) letterRoutes() []route {
	r := access.MailSend
	return []route{
		{method: get, path: "/records/{object}/{id}/letters", need: right, right: r, run: op(a.letterDesk), doc: "Where a mail about a record can go"},
		{method: post, path: "/records/{object}/{id}/letters", need: right, right: r, run: op(a.sendLetter), doc: "Write a mail to an address of a record; the name of a field in double braces stands for its value", status: http.StatusCreated},
	}
}

// LetterShown is a mail to a customer as the timeline shows it.
type LetterShown struct {
	To      string `json:"to" doc:"masked"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	State   string `json:"state" enum:"waiting,sending,sent,failed,unknown,cancelled"`
	Reason  string `json:"reason" doc:"a code"`
}

// LetterAddress is a field that a mail may go to.
type LetterAddress struct {
	Field string       `json:"field"`
	Label schema.Label `json:"label"`
	Shown string       `json:"shown" doc:"as the caller may see it"`
}

// LetterDesk is what a page needs to write a mail.
type LetterDesk struct {
	Addresses []LetterAddress `json:"addresses"`
	Quiet     bool            `json:"quiet" doc:"the record asks not to be contacted"`
	Ready     bool            `json:"ready" doc:"there is a mail server"`
}

func (a *API) letterDesk(ctx context.Context, c *call, in recordIn) (LetterDesk, error) {
	o, v, err := in.find(c)
	if err != nil {
		return LetterDesk{}, err
	}
	d, err := c.ws.Letters.Desk(ctx, o.Key, v)
	if err != nil {
		return LetterDesk{}, err
	}
	out := LetterDesk{Addresses: []LetterAddress{}, Quiet: d.Quiet, Ready: d.Ready}
	for _, x := range d.Addresses {
		out.Addresses = append(out.Addresses, LetterAddress{Field: x.Field, Label: x.Label, Shown: x.Mask})
	}
	return out, nil
}

type letterIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Key     string `json:"key" doc:"made by the caller; a second mail of the same key is not sent"`
		Field   string `json:"field"`
		Subject string `json:"subject"`
		Text    string `json:"text"`
		Profile string `json:"profile,omitempty" doc:"empty for the standard one"`
		Purpose string `json:"purpose,omitempty" doc:"what it is written for, a purpose of consents such as marketing: whoever did not agree gets none, and the mail ends with a link to the page of preferences; empty for a letter that answers or serves"`
	}
}

// LetterSent is a mail that waits to be sent.
type LetterSent struct {
	ID    string `json:"id"`
	Fresh bool   `json:"fresh" doc:"false: it was written before"`
}

func (a *API) sendLetter(ctx context.Context, c *call, in letterIn) (LetterSent, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return LetterSent{}, err
	}
	b := in.Body
	want := letter.Input{Key: b.Key, Object: o.Key, Record: v, Field: b.Field, Subject: b.Subject, Text: b.Text, Purpose: b.Purpose}
	if b.Profile != "" {
		if want.Profile, err = profileID(b.Profile); err != nil {
			return LetterSent{}, err
		}
	}
	r, err := c.ws.Letters.Send(ctx, want)
	if err != nil {
		return LetterSent{}, err
	}
	out := LetterSent{ID: id.Format(mail.Prefix, r.ID), Fresh: r.Fresh}
	if !r.Fresh {
		return out, nil
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "letter.send", o.Key, v, map[string]any{"mail": out.ID, "field": b.Field})
}
