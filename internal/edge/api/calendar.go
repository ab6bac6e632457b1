package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/ical"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
)

// calendarRoutes are a person's calendar for other programs. Whoever knows its address reads it, so the address is a secret: it is
// shown once, only its hash is kept, and a new one ends the old one.
func (a *API) calendarRoutes() []route {
	return []route{
		{method: get, path: "/calendar", need: person, run: op(a.calendarState), doc: "Whether one's calendar can be subscribed to"},
		{method: post, path: "/calendar", need: person, run: op(a.makeCalendar), doc: "A new address for one's calendar, shown once; the old one ends", status: http.StatusCreated, secret: true},
		{method: del, path: "/calendar", need: person, run: op(a.endCalendar), doc: "End the address of one's calendar"},
		{method: get, path: "/calendar/{workspace}/{token}", need: open, run: op(a.readCalendar), doc: "A person's calendar (text/calendar), by its secret address"},
	}
}

// Calendars keeps the addresses of calendars.
type Calendars interface {
	// Set gives a person another address, by its hash; "" ends it.
	Set(ctx context.Context, user id.ID, hash string) error
	Has(ctx context.Context, user id.ID) (bool, error)
	// Reader is the person behind a hash with all rights of now; NotFound when there is none, or may not sign in any more.
	Reader(ctx context.Context, hash string) (access.Actor, error)
}

// CalendarState says whether there is an address.
type CalendarState struct {
	Active bool   `json:"active"`
	URL    string `json:"url,omitempty" doc:"told once, when it is made"`
}

func (a *API) calendarState(ctx context.Context, c *call, _ struct{}) (CalendarState, error) {
	on, err := c.ws.Calendars.Has(ctx, c.who.Actor.ID)
	return CalendarState{Active: on}, err
}

// calendarToken is how many random bytes an address has.
const calendarToken = 32

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (a *API) makeCalendar(ctx context.Context, c *call, _ struct{}) (CalendarState, error) {
	var raw [calendarToken]byte
	_, _ = rand.Read(raw[:])
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	if err := c.ws.Calendars.Set(ctx, c.who.Actor.ID, hashOf(token)); err != nil {
		return CalendarState{}, err
	}
	url := a.base(c) + Prefix + "/calendar/" + c.who.Workspace.Key + "/" + token + ".ics"
	return CalendarState{Active: true, URL: url}, a.Auth.Note(ctx, c.who.Workspace.Key, "calendar.create", "", 0, nil)
}

func (a *API) endCalendar(ctx context.Context, c *call, _ struct{}) (empty, error) {
	if err := c.ws.Calendars.Set(ctx, c.who.Actor.ID, ""); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "calendar.delete", "", 0, nil)
}

type readCalendarIn struct {
	Workspace string `path:"workspace"`
	Token     string `path:"token"`
}

const (
	calendarBack  = 90 * 24 * time.Hour
	calendarAhead = 366 * 24 * time.Hour
)

func (a *API) readCalendar(ctx context.Context, c *call, in readCalendarIn) (written, error) {
	unknown := fault.New(fault.NotFound, "api.no_such_address", nil)
	token, ok := strings.CutSuffix(in.Token, ".ics")
	if !ok {
		return written{}, unknown
	}
	ws, err := a.Workspaces.Open(ctx, in.Workspace)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return written{}, unknown
	}
	if err != nil {
		return written{}, err
	}
	actor, err := ws.Calendars.Reader(ctx, hashOf(token))
	if err != nil {
		return written{}, err
	}
	c.ws, c.who.Actor = ws, actor
	ctx = access.With(ctx, actor)
	now := a.Clock.Now()
	items, err := ws.Agenda.Between(ctx, actor.ID, now.Add(-calendarBack), now.Add(calendarAhead))
	if err != nil {
		return written{}, err
	}
	events := make([]ical.Event, 0, len(items))
	for _, it := range items {
		events = append(events, c.event(it))
	}
	var b bytes.Buffer
	if err := ical.Write(&b, actor.Name+" · "+ws.Info.Name, events); err != nil {
		return written{}, err
	}
	c.w.Header().Set("Content-Disposition", `inline; filename="guanxi.ics"`)
	a.write(c, http.StatusOK, "text/calendar; charset=utf-8", b.Bytes())
	return written{}, nil
}

// event is an activity as calendars show it.
func (c *call) event(it activity.Item) ical.Event {
	r := it.Record
	o := c.ws.Registry().Object(r.Object)
	e := ical.Event{UID: id.Format(o.Prefix, r.ID) + "@" + c.ws.Info.Key + ".guanxi", Stamp: r.UpdatedAt, Start: it.At, Summary: r.Title, Alarm: -1,
		Done: r.Values["status"] == activity.Done, Categories: []string{o.Label.In(localeOf(c.locale))}}
	if e.End, _ = r.Values["ends_at"].(time.Time); e.End.IsZero() {
		if minutes, ok := r.Values["minutes"].(int64); ok {
			e.End = e.Start.Add(time.Duration(minutes) * time.Minute)
		}
	}
	if e.Day, _ = r.Values["all_day"].(bool); e.Day {
		e.Start = e.Start.In(c.ws.Zone)
		if !e.End.IsZero() {
			e.End = e.End.In(c.ws.Zone)
		}
	}
	e.Location, _ = r.Values["place"].(string)
	if link, ok := r.Values["link"].(string); ok {
		e.URL = link
	}
	var parts []string
	for _, key := range []string{"customer", "about"} {
		if ref := r.Titles[key]; ref.Title != "" && (len(parts) == 0 || parts[0] != ref.Title) {
			parts = append(parts, ref.Title)
		}
	}
	if text, ok := r.Values["note"].(string); ok {
		parts = append(parts, text)
	}
	e.Description = strings.Join(parts, "\n")
	if n, err := strconv.Atoi(textOf(r.Values["reminder"])); err == nil && !e.Day {
		e.Alarm = time.Duration(n) * time.Minute
	}
	return e
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}
