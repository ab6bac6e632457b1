package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

const (
	enterBatch = 1000
	// overlap is how far behind it is looked again: passages are written some time after the instant that they name. Whoever is seen twice enters once.
	overlap = 15 * time.Minute
	// slotsBack is how late a slot of the clock is still taken.
	slotsBack = 24 * time.Hour
)

// lively keeps which journeys wait for what is seen, for a moment.
type lively struct {
	mu   sync.Mutex
	at   time.Time
	list []livelyOne
}

type livelyOne struct {
	j Journey
	d *Definition
	// awaited are the events that steps of versions in use wait for.
}

func (l *lively) forget() {
	l.mu.Lock()
	l.at = time.Time{}
	l.mu.Unlock()
}

const livelyFor = 2 * time.Second

func (s *Service) liveOnes(ctx context.Context) ([]livelyOne, error) {
	now := s.now()
	s.live.mu.Lock()
	if d := now.Sub(s.live.at); d >= 0 && d < livelyFor {
		defer s.live.mu.Unlock()
		return s.live.list, nil
	}
	s.live.mu.Unlock()
	all, err := s.cfg.Store.Journeys(ctx)
	if err != nil {
		return nil, err
	}
	var out []livelyOne
	for i := range all {
		if all[i].Status != Live {
			continue
		}
		d, err := s.definition(ctx, all[i].ID, all[i].Published)
		if err != nil {
			return nil, err
		}
		out = append(out, livelyOne{all[i], d})
	}
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	s.live.at, s.live.list = now, out
	return out, nil
}

// enter lets people in whom the condition of entry finds. Occasions are by place.
func (s *Service) enter(ctx context.Context, j *Journey, d *Definition, who []id.ID, occasions []string) (entered int, err error) {
	global, err := s.cfg.Sender.Global(ctx)
	if err != nil {
		return 0, err
	}
	now := s.now()
	zone := s.cfg.Zone()
	for at := 0; at < len(who); at += enterBatch {
		part, names := who[at:min(at+enterBatch, len(who))], occasions[at:min(at+enterBatch, len(who))]
		here, err := s.cfg.People.Now(ctx, part)
		if err != nil {
			return entered, err
		}
		holds := map[id.ID]bool{}
		if d.Where != nil {
			var ask []id.ID
			for _, v := range part {
				if to, ok := here[v]; ok {
					ask = append(ask, to)
				}
			}
			if holds, err = s.cfg.People.Holding(ctx, d.Where, ask); err != nil {
				return entered, err
			}
		}
		e := Entering{Journey: j, Def: d, At: now, DayFrom: clock.DayOf(now, zone).Start(zone)}
		for i, v := range part {
			to, ok := here[v]
			if !ok || d.Where != nil && !holds[to] {
				continue
			}
			t := Token{ID: s.cfg.IDs.Next(), Journey: j.ID, Customer: to, Version: j.Published, Occasion: names[i], Arm: ArmTreated, State: On, Step: d.Start, Due: now, Entered: now}
			switch {
			case global(to):
				t.Arm, t.State = ArmGlobal, Held
			case Chance("holdout|"+id.Format(Prefix, j.ID)+"|"+id.Format("cus", to))*100 < float64(d.Holdout):
				t.Arm, t.State = ArmHoldout, Held
			}
			if t.State == Held {
				t.Step = ""
			}
			e.List = append(e.List, t)
		}
		if len(e.List) == 0 {
			continue
		}
		n, err := s.cfg.Store.Enter(ctx, e)
		entered += n
		if err != nil {
			return entered, err
		}
	}
	return entered, nil
}

// look lets in whom segments and the clock bring.
func (s *Service) look(ctx context.Context, j *Journey, d *Definition) (int, error) {
	switch d.Trigger.Kind {
	case OnEntered, OnLeft:
		return s.crossed(ctx, j, d)
	case OnDate, OnSchedule:
		return s.slots(ctx, j, d)
	}
	return 0, nil
}

// crossed lets in who entered or left the segment since the journey was published.
func (s *Service) crossed(ctx context.Context, j *Journey, d *Definition) (entered int, err error) {
	since := j.Cursor.Add(-overlap)
	if since.Before(j.BeganAt) {
		since = j.BeganAt
	}
	last := j.Cursor
	for after := (Crossing{}); ; {
		page, err := s.cfg.Store.Crossed(ctx, d.Trigger.Segment, d.Trigger.Kind == OnEntered, since, after, enterBatch)
		if err != nil {
			return entered, err
		}
		who, names := make([]id.ID, len(page)), make([]string, len(page))
		for i, c := range page {
			who[i], names[i] = c.Customer, "p"+strconv.FormatInt(c.At.UnixMilli(), 10)
			last = later(last, c.At)
		}
		n, err := s.enter(ctx, j, d, who, names)
		entered += n
		if err != nil {
			return entered, err
		}
		if len(page) < enterBatch {
			break
		}
		after = page[len(page)-1]
	}
	if last.After(j.Cursor) {
		err = s.cfg.Store.SetCursor(ctx, j.ID, last)
	}
	return entered, err
}

// Feasts are the festivals that a schedule knows.
func Feasts() []string {
	return []string{"new_year", "spring", "lantern", "women", "qingming", "labour", "may20", "dragon_boat", "qixi", "mid_autumn", "double_ninth", "national", "double11", "winter"}
}

// FeastDay is the day of a festival in a year; false where it cannot be told.
func FeastDay(key string, year int) (clock.Day, bool) {
	moon := map[string][2]int{"spring": {1, 1}, "lantern": {1, 15}, "dragon_boat": {5, 5}, "qixi": {7, 7}, "mid_autumn": {8, 15}, "double_ninth": {9, 9}}
	sun := map[string][2]int{"new_year": {1, 1}, "women": {3, 8}, "labour": {5, 1}, "may20": {5, 20}, "national": {10, 1}, "double11": {11, 11}}
	if m, ok := moon[key]; ok {
		day, err := lunar.Date{Year: year, Month: m[0], Day: m[1]}.Solar()
		return day, err == nil
	}
	if m, ok := sun[key]; ok {
		return clock.NewDay(year, time.Month(m[0]), m[1]), true
	}
	y, leaps := float64(year%100), (year%100-1)/4
	switch {
	case year < 2000 || year > 2099:
	case key == "qingming": // solar terms of this century, by the usual approximation
		return clock.NewDay(year, time.April, int(y*0.2422+4.81)-year%100/4), true
	case key == "winter":
		return clock.NewDay(year, time.December, int(y*0.2422+21.94)-leaps), true
	}
	return 0, false
}

// slot says whether a trigger of the clock is for a day.
func (t *Trigger) slot(day clock.Day) bool {
	if t.Kind == OnDate {
		return true
	}
	at := day.Time()
	switch t.Every {
	case Once:
		return day.String() == t.Date
	case Daily:
		return true
	case Weekly:
		return (int(at.Weekday())+6)%7+1 == t.On
	case Monthly: // the last day of a month that is too short
		last := time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return at.Day() == min(t.On, last)
	case Festival:
		for year := at.Year() - 1; year <= at.Year()+1; year++ {
			if feast, ok := FeastDay(t.Feast, year); ok && feast+clock.Day(t.Days) == day { //nolint:gosec // bounded when it was checked
				return true
			}
		}
	}
	return false
}

// slots lets in whom the clock brings: of each slot since it was looked last that is not too long ago.
func (s *Service) slots(ctx context.Context, j *Journey, d *Definition) (entered int, err error) {
	now, zone, t := s.now(), s.cfg.Zone(), &d.Trigger
	from := later(j.Cursor, now.Add(-slotsBack))
	hour, minute := clockOf(t.At)
	for day := clock.DayOf(from, zone); day <= clock.DayOf(now, zone); day++ {
		start := day.Start(zone).In(zone)
		at := time.Date(start.Year(), start.Month(), start.Day(), hour, minute, 0, 0, zone)
		if !at.After(from) || at.After(now) || !t.slot(day) {
			continue
		}
		err := s.cfg.People.All(ctx, t.audience(day), func(who []id.ID) error {
			names := make([]string, len(who))
			for i := range names {
				names[i] = "s" + day.String()
			}
			n, err := s.enter(ctx, j, d, who, names)
			entered += n
			return err
		})
		if err != nil {
			return entered, err
		}
		if err := s.cfg.Store.SetCursor(ctx, j.ID, at); err != nil {
			return entered, err
		}
	}
	return entered, nil
}

// audience is whom a trigger of the clock takes on a day.
func (t *Trigger) audience(day clock.Day) *query.Node {
	all := &query.Node{All: []*query.Node{}}
	if t.Segment != "" {
		all.All = append(all.All, &query.Node{Segment: t.Segment})
	}
	if t.Kind == OnDate {
		on := day - clock.Day(t.Days) //nolint:gosec // bounded when it was checked
		leaf := &query.Node{Field: t.Field, Op: "="}
		leaf.Value, _ = json.Marshal(on.String()) //nolint:errchkjson // a text
		if t.Yearly {
			leaf.Op = "anniversary_within"
			leaf.Value, _ = json.Marshal(map[string]string{"from": on.String(), "to": on.String()}) //nolint:errchkjson // texts
		}
		all.All = append(all.All, leaf)
	}
	return all
}

// matches reports whether an event is one that a trigger is about.
func (t *Trigger) matches(e *Seen) bool {
	for _, m := range t.Match {
		text, there := plainValue(e.Properties[m.Property])
		ok := there
		switch m.Op {
		case "=":
			ok = there && text == m.Value
		case "!=":
			ok = !there || text != m.Value
		case ">", "<":
			a, err1 := strconv.ParseFloat(text, 64)
			b, err2 := strconv.ParseFloat(m.Value, 64)
			ok = there && err1 == nil && err2 == nil && (m.Op == ">" && a > b || m.Op == "<" && a < b)
		}
		if !ok {
			return false
		}
	}
	return true
}

func plainValue(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return strings.Trim(string(raw), `"`), true
}

// Happened is told of events of customers, in the order in which they came: they let in, end waits and reach goals. Told again it does nothing more.
func (s *Service) Happened(ctx context.Context, list []Seen) error {
	live, err := s.liveOnes(ctx)
	if err != nil || len(live) == 0 || len(list) == 0 {
		return err
	}
	by := map[string][]id.ID{}
	for i := range list {
		by[list[i].Event] = append(by[list[i].Event], list[i].Customer)
	}
	now, did := s.now(), 0
	for i := range live {
		j, d := &live[i].j, live[i].d
		if d.Goal.Kind == GoalEvent && len(by[d.Goal.Event]) > 0 {
			n, err := s.cfg.Store.Reach(ctx, j.ID, by[d.Goal.Event], d.Goal.Days, now)
			if err != nil {
				return err
			}
			did += n
		}
		if d.Trigger.Kind != OnEvent {
			continue
		}
		var who []id.ID
		var names []string
		for k := range list {
			e := &list[k]
			if e.Event != d.Trigger.Event || e.At.Before(j.BeganAt) || !d.Trigger.matches(e) {
				continue
			}
			name := "e" + e.Key
			if entity, ok := plainValue(e.Properties[d.Trigger.Entity]); ok && d.Trigger.Entity != "" {
				name = "n" + shortened(entity)
			}
			who, names = append(who, e.Customer), append(names, name)
		}
		n, err := s.enter(ctx, j, d, who, names)
		did += n
		if err != nil {
			return err
		}
	}
	for name, who := range by {
		n, err := s.cfg.Store.Wake(ctx, name, who, now)
		if err != nil {
			return err
		}
		did += n
	}
	if did > 0 {
		s.notify()
	}
	return nil
}

const maxEntity = 120

func shortened(text string) string {
	r := []rune(text)
	return string(r[:min(len(r), maxEntity)])
}

// Wrote is a record that was made or changed, of a customer.
type Wrote struct {
	Object   string
	Record   id.ID
	Version  int64
	Created  bool
	Customer id.ID
	At       time.Time
}

// Fulfilling finds the records of an object that a condition is true of.
type Fulfilling func(ctx context.Context, object string, where *query.Node, records []id.ID) (map[id.ID]bool, error)

// Written is told of records of customers: they let in. Told again it does nothing more.
func (s *Service) Written(ctx context.Context, list []Wrote, holds Fulfilling) error {
	live, err := s.liveOnes(ctx)
	if err != nil || len(live) == 0 || len(list) == 0 {
		return err
	}
	for i := range live {
		j, d := &live[i].j, live[i].d
		t := &d.Trigger
		if t.Kind != OnRecord {
			continue
		}
		var cand []Wrote
		var records []id.ID
		for _, w := range list {
			if w.Object == t.Object && w.Created == (t.Change == "created") && !w.At.Before(j.BeganAt) {
				cand, records = append(cand, w), append(records, w.Record)
			}
		}
		if len(cand) == 0 {
			continue
		}
		found := map[id.ID]bool{}
		if t.Where != nil {
			if found, err = holds(ctx, t.Object, t.Where, records); err != nil {
				return err
			}
		}
		var who []id.ID
		var names []string
		for _, w := range cand {
			if t.Where == nil || found[w.Record] {
				who, names = append(who, w.Customer), append(names, fmt.Sprintf("r%d.%d", w.Record, w.Version))
			}
		}
		n, err := s.enter(ctx, j, d, who, names)
		if err != nil {
			return err
		}
		if n > 0 {
			s.notify()
		}
	}
	return nil
}

// Buying is a purchase of a customer.
type Buying struct {
	Customer id.ID
	At       time.Time
}

// Bought is told of purchases: they end waits and reach goals of those who entered before.
func (s *Service) Bought(ctx context.Context, list []Buying) error {
	live, err := s.liveOnes(ctx)
	if err != nil || len(list) == 0 || len(live) == 0 {
		return err
	}
	ids := make([]id.ID, len(list))
	for i := range list {
		ids[i] = list[i].Customer
	}
	known, err := s.cfg.Store.Known(ctx, ids)
	if err != nil {
		return err
	}
	did := 0
	for _, b := range list {
		if !known[b.Customer] {
			continue
		}
		who := []id.ID{b.Customer}
		n, err := s.cfg.Store.Wake(ctx, Purchase, who, b.At)
		if err != nil {
			return err
		}
		did += n
		for i := range live {
			if live[i].d.Goal.Kind != GoalPurchase {
				continue
			}
			n, err := s.cfg.Store.Reach(ctx, live[i].j.ID, who, live[i].d.Goal.Days, b.At)
			if err != nil {
				return err
			}
			did += n
		}
	}
	if did > 0 {
		s.notify()
	}
	return nil
}

// Awake reports whether anything waits for events and records, so that nobody reads them for nothing.
func (s *Service) Awake(ctx context.Context) (bool, error) {
	live, err := s.liveOnes(ctx)
	return len(live) > 0, err
}

// Goals asks the goals that are conditions of everybody whose window is open, on the way or held back alike.
func (s *Service) Goals(ctx context.Context) error {
	live, err := s.liveOnes(ctx)
	if err != nil {
		return err
	}
	now := s.now()
	for i := range live {
		j, g := &live[i].j, &live[i].d.Goal
		if g.Kind != GoalCondition {
			continue
		}
		for after := id.ID(0); ; {
			page, err := s.cfg.Store.Open(ctx, j.ID, now.AddDate(0, 0, -g.Days), after, enterBatch)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].ID
			ids := make([]id.ID, len(page))
			for k := range page {
				ids[k] = page[k].Customer
			}
			found, err := s.cfg.People.Holding(ctx, g.Where, ids)
			if err != nil {
				return err
			}
			ids = slices.DeleteFunc(ids, func(v id.ID) bool { return !found[v] })
			if len(ids) > 0 {
				if _, err := s.cfg.Store.Reach(ctx, j.ID, ids, g.Days, now); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// maxAsked is how many customers the API lets in at a time.
const maxAsked = 1000

// Admit lets in customers whom another system names. The key makes a second try do nothing.
func (s *Service) Admit(ctx context.Context, key id.ID, who []id.ID, occasion string) (int, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return 0, err
	}
	j, err := s.cfg.Store.Journey(ctx, key)
	if err != nil {
		return 0, err
	}
	if j.Status != Live {
		return 0, fault.New(fault.Conflict, "journey.not_live", nil)
	}
	d, err := s.definition(ctx, key, j.Published)
	if err != nil {
		return 0, err
	}
	if d.Trigger.Kind != OnAPI {
		return 0, fault.New(fault.Conflict, "journey.not_api", nil)
	}
	if len(who) == 0 || len(who) > maxAsked {
		return 0, fault.InvalidField("journey.bad_count", "customers", fault.Params{"max": maxAsked})
	}
	if occasion == "" {
		occasion = id.Format(TokenPrefix, s.cfg.IDs.Next())
	}
	names := make([]string, len(who))
	for i := range names {
		names[i] = "a" + shortened(occasion)
	}
	n, err := s.enter(system(ctx), &j, d, who, names)
	s.notify()
	return n, err
}
