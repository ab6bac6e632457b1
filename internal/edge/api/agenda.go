package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// agendaRoutes are what somebody has to do. Making, changing and finishing activities is done with their records.
func (a *API) agendaRoutes() []route {
	r := access.RecordRead
	return []route{
		{method: get, path: "/day", need: right, right: r, run: op(a.day), doc: "What somebody has to do: overdue, today, upcoming, done"},
		{method: get, path: "/agenda", need: right, right: r, run: op(a.agenda), doc: "Tasks, calls, meetings and visits of somebody between two days"},
		{method: get, path: "/records/{object}/{id}/open", need: right, right: r, run: op(a.openWork), doc: "What is still to be done about a record"},
	}
}

// AgendaItem is an activity with its time.
type AgendaItem struct {
	Record *Record    `json:"record"`
	At     *time.Time `json:"at"`
	Day    string     `json:"day" doc:"the local day, empty without a time"`
}

// Day is what somebody has to do as of now.
type Day struct {
	Today        string       `json:"today"`
	Overdue      []AgendaItem `json:"overdue"`
	OverdueTotal int          `json:"overdue_total"`
	Due          []AgendaItem `json:"due" doc:"of today, not overdue"`
	Upcoming     []AgendaItem `json:"upcoming" doc:"of the next fourteen days"`
	Undated      []AgendaItem `json:"undated"`
	Done         []AgendaItem `json:"done" doc:"finished today"`
}

// Agenda is what lies between two days, in order.
type Agenda struct {
	Items []AgendaItem `json:"items"`
}

type dayIn struct {
	User string `query:"user" doc:"whose; one's own when empty"`
}

// whose reads the person that is asked about; the caller when none is named.
func (c *call) whose(text string) (id.ID, error) {
	if text == "" {
		return c.who.Actor.ID, nil
	}
	v, err := id.Parse(auth.UserPrefix, text)
	if err != nil {
		return 0, fault.InvalidField("api.bad_parameter", "user", nil)
	}
	return v, nil
}

func (a *API) day(ctx context.Context, c *call, in dayIn) (Day, error) {
	user, err := c.whose(in.User)
	if err != nil {
		return Day{}, err
	}
	d, err := c.ws.Agenda.Day(ctx, user)
	if err != nil {
		return Day{}, err
	}
	out := Day{Today: d.Today.String(), OverdueTotal: d.OverdueTotal}
	for _, g := range []struct {
		from []activity.Item
		to   *[]AgendaItem
	}{{d.Overdue, &out.Overdue}, {d.Due, &out.Due}, {d.Upcoming, &out.Upcoming}, {d.Undated, &out.Undated}, {d.Done, &out.Done}} {
		if *g.to, err = c.showAgenda(ctx, g.from); err != nil {
			return Day{}, err
		}
	}
	return out, nil
}

type agendaIn struct {
	User string `query:"user" doc:"whose; one's own when empty"`
	From string `query:"from" doc:"first local day, 2026-11-01"`
	To   string `query:"to" doc:"the day after the last one"`
}

// agendaDays is the longest stretch that is answered at once.
const agendaDays = 100

func (a *API) agenda(ctx context.Context, c *call, in agendaIn) (Agenda, error) {
	user, err := c.whose(in.User)
	if err != nil {
		return Agenda{}, err
	}
	from, err := clock.ParseDay(in.From)
	if err != nil {
		return Agenda{}, fault.InvalidField("api.bad_parameter", "from", nil)
	}
	to, err := clock.ParseDay(in.To)
	if err != nil || to <= from || to-from > agendaDays {
		return Agenda{}, fault.InvalidField("activity.bad_span", "to", fault.Params{"max": agendaDays})
	}
	items, err := c.ws.Agenda.Between(ctx, user, from.Start(c.ws.Zone), to.Start(c.ws.Zone))
	if err != nil {
		return Agenda{}, err
	}
	out := Agenda{}
	out.Items, err = c.showAgenda(ctx, items)
	return out, err
}

func (a *API) openWork(ctx context.Context, c *call, in recordIn) (Agenda, error) {
	o, v, err := in.find(c)
	if err != nil {
		return Agenda{}, err
	}
	items, err := c.ws.Agenda.Of(ctx, o.Key, v)
	if err != nil {
		return Agenda{}, err
	}
	out := Agenda{}
	out.Items, err = c.showAgenda(ctx, items)
	return out, err
}

func (c *call) showAgenda(ctx context.Context, items []activity.Item) ([]AgendaItem, error) {
	recs := make([]*record.Record, len(items))
	for i := range items {
		recs[i] = items[i].Record
	}
	shown, err := c.showMixed(ctx, recs)
	if err != nil {
		return nil, err
	}
	out := make([]AgendaItem, len(items))
	for i := range items {
		out[i].Record = shown[i]
		if at := items[i].At; !at.IsZero() {
			out[i].At, out[i].Day = &at, clock.DayOf(at, c.ws.Zone).String()
		}
	}
	return out, nil
}

// showMixed prints records of several objects, in their order; a nil record stays nil.
func (c *call) showMixed(ctx context.Context, recs []*record.Record) ([]*Record, error) {
	out := make([]*Record, len(recs))
	byObject := map[string][]int{}
	for i, r := range recs {
		if r != nil {
			byObject[r.Object] = append(byObject[r.Object], i)
		}
	}
	for object, places := range byObject {
		o, err := c.object(object)
		if err != nil {
			return nil, err
		}
		group := make([]*record.Record, len(places))
		for i, at := range places {
			group[i] = recs[at]
		}
		shown, err := c.showRecords(ctx, o, group)
		if err != nil {
			return nil, err
		}
		for i, at := range places {
			out[at] = shown[i]
		}
	}
	return out, nil
}
