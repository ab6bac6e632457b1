package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/invite"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// guestRoutes are who is asked to a meeting. Writing to them leaves a note in the trail (meeting.invite).
func (a *API) guestRoutes() []route {
	r := access.RecordUpdate
	return []route{
		{method: get, path: "/meetings/{id}/guests", need: right, right: access.RecordRead, run: op(a.listGuests), doc: "Guests of a meeting, and what they answered"},
		{method: post, path: "/meetings/{id}/guests", need: right, right: r, run: op(a.addGuest), doc: "Put a guest on the list; nobody is written to yet", status: http.StatusCreated},
		{method: patch, path: "/meetings/{id}/guests/{guest}", need: right, right: r, run: op(a.noteAnswer), doc: "Write down what a guest answered"},
		{method: del, path: "/meetings/{id}/guests/{guest}", need: right, right: r, run: op(a.removeGuest), doc: "Take a guest off the list; who was invited is told with the next mails"},
		{method: post, path: "/meetings/{id}/invite", need: right, right: access.MailSend, run: op(a.inviteGuests), doc: "Write to guests who have not heard of the meeting as it is"},
	}
}

// Guest is somebody who is asked to a meeting.
type Guest struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	To         string     `json:"to" doc:"masked"`
	Record     *Ref       `json:"record"`
	Answer     string     `json:"answer" enum:",accepted,tentative,declined"`
	AnsweredAt *time.Time `json:"answered_at"`
	Invited    bool       `json:"invited"`
	Stale      bool       `json:"stale" doc:"has not heard of the meeting as it is"`
	Removed    bool       `json:"removed" doc:"off the list, and still to be told"`
}

// Guests is the list of a meeting.
type Guests struct {
	Items []Guest `json:"items"`
	Stale int     `json:"stale" doc:"how many are to be written to"`
}

func (c *call) showGuest(g invite.Guest) Guest {
	out := Guest{ID: id.Format(invite.Prefix, g.ID), Name: g.Name, To: g.Mask, Answer: string(g.Answer), AnsweredAt: optional(g.AnsweredAt), Invited: g.Sequence >= 0, Stale: g.Stale, Removed: g.Removed}
	if g.Record != 0 {
		out.Record = &Ref{ID: id.Format(c.prefixOf(g.Object), g.Record), Object: g.Object, Title: g.Name}
	}
	return out
}

func (c *call) meeting(text string) (id.ID, error) {
	_, v, err := recordIn{invite.Meeting, text}.find(c)
	return v, err
}

func (a *API) listGuests(ctx context.Context, c *call, in idIn) (Guests, error) {
	out := Guests{Items: []Guest{}}
	meeting, err := c.meeting(in.ID)
	if err != nil {
		return out, err
	}
	list, err := c.ws.Guests.List(ctx, meeting)
	for _, g := range list {
		out.Items = append(out.Items, c.showGuest(g))
		if g.Stale {
			out.Stale++
		}
	}
	return out, err
}

type addGuestIn struct {
	ID   string `path:"id"`
	Body struct {
		Object string `json:"object,omitempty" enum:",contact,customer"`
		Record string `json:"record,omitempty" doc:"a contact or customer with an address"`
		Name   string `json:"name,omitempty"`
		Email  string `json:"email,omitempty"`
	}
}

func (a *API) addGuest(ctx context.Context, c *call, in addGuestIn) (Guest, error) {
	meeting, err := c.meeting(in.ID)
	if err != nil {
		return Guest{}, err
	}
	want := invite.Input{Name: in.Body.Name, Email: in.Body.Email}
	if in.Body.Record != "" {
		if want.Object = in.Body.Object; want.Object != "contact" && want.Object != "customer" {
			return Guest{}, fault.InvalidField("invite.bad_record", "record", nil)
		}
		if _, want.Record, err = (recordIn{want.Object, in.Body.Record}).find(c); err != nil {
			return Guest{}, err
		}
	}
	g, err := c.ws.Guests.Add(ctx, meeting, want)
	if err != nil {
		return Guest{}, err
	}
	return c.showGuest(g), nil
}

type guestIn struct {
	ID    string `path:"id"`
	Guest string `path:"guest"`
}

func (in guestIn) find(c *call) (meeting, guest id.ID, err error) {
	if meeting, err = c.meeting(in.ID); err != nil {
		return 0, 0, err
	}
	if guest, err = id.Parse(invite.Prefix, in.Guest); err != nil {
		return 0, 0, fault.New(fault.NotFound, "invite.guest_unknown", nil)
	}
	return meeting, guest, nil
}

type noteAnswerIn struct {
	ID    string `path:"id"`
	Guest string `path:"guest"`
	Body  struct {
		Answer string `json:"answer" enum:",accepted,tentative,declined"`
	}
}

func (a *API) noteAnswer(ctx context.Context, c *call, in noteAnswerIn) (empty, error) {
	meeting, guest, err := guestIn{in.ID, in.Guest}.find(c)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Guests.Note(ctx, meeting, guest, invite.Answer(in.Body.Answer))
}

func (a *API) removeGuest(ctx context.Context, c *call, in guestIn) (empty, error) {
	meeting, guest, err := in.find(c)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Guests.Remove(ctx, meeting, guest)
}

func (a *API) inviteGuests(ctx context.Context, c *call, in idIn) (Replayed, error) {
	meeting, err := c.meeting(in.ID)
	if err != nil {
		return Replayed{}, err
	}
	n, err := c.ws.Guests.Send(ctx, meeting)
	if err != nil || n == 0 {
		return Replayed{Count: n}, err
	}
	return Replayed{Count: n}, a.Auth.Note(ctx, c.who.Workspace.Key, "meeting.invite", invite.Meeting, meeting, map[string]any{"count": n})
}
