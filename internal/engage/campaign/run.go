package campaign

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

const (
	planBatch = 1000
	sendBatch = 400
	// mostOpen is how many mails of a campaign the queue has at most, so that a pause is soon felt.
	mostOpen = 4000
	// callFor is when a call whose answer never came is unknown.
	callFor = 5 * time.Minute
	// callBatch is how many lines are taken for calls together, so that all of them are called before callFor and the hour is not another.
	callBatch = 80
	// callsAtOnce is how many calls to providers run beside each other.
	callsAtOnce = 8
	// tryAgain is when what a provider surely did not take is tried again the first time, twice as late each time, tryLongest at the latest; mostTries
	// is how often.
	tryAgain   = time.Minute
	tryLongest = time.Hour
	mostTries  = 12
	done       = "done"
)

// Run works campaigns until the context ends. Two at once do nothing twice.
func (s *Service) Run(ctx context.Context) error {
	for {
		busy, err := s.Step(ctx)
		if err != nil {
			return err
		}
		if busy {
			continue
		}
		if err := clock.Pause(ctx, soon, s.wake); err != nil {
			return err
		}
	}
}

// Step does one batch of every campaign that is under way; busy says that there is more to do at once.
func (s *Service) Step(ctx context.Context) (busy bool, err error) {
	all, err := s.cfg.Store.Campaigns(ctx)
	if err != nil {
		return false, err
	}
	for i := range all {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		more, err := s.step(ctx, &all[i])
		if err != nil {
			if ctx.Err() != nil {
				return false, err
			}
			if err := s.fail(ctx, &all[i], err); err != nil {
				return false, err
			}
		}
		busy = busy || more
	}
	return busy, nil
}

// fail pauses a campaign that cannot go on, for a reason that somebody can do something about; anything else is tried again.
func (s *Service) fail(ctx context.Context, c *Campaign, err error) error {
	code := fault.CodeOf(err)
	if kind := fault.KindOf(err); code == "" || kind == fault.Internal || kind == fault.Unavailable {
		return err
	}
	s.cfg.Log.Warn("a campaign was paused", "campaign", id.Format(Prefix, c.ID), "error", err)
	from := c.Status
	c.Status, c.Reason = Paused, code
	_, err = s.cfg.Store.Move(ctx, *c, from)
	s.cfg.Publish(c.ID)
	return err
}

func (s *Service) step(ctx context.Context, c *Campaign) (busy bool, err error) {
	now := s.now()
	switch c.Status {
	case Scheduled:
		if c.StartAt.After(now) {
			return false, nil
		}
		from := c.Status
		c.Status = Planning
		if c.BeganAt.IsZero() {
			c.BeganAt = now
		}
		if c.Cursor == done {
			c.Status = Sending
		}
		_, err := s.cfg.Store.Move(ctx, *c, from)
		s.cfg.Publish(c.ID)
		return true, err
	case Planning:
		return true, s.enlist(ctx, c)
	case Sending:
		return s.send(ctx, c)
	case Paused, Stopped, Sent:
		if now.Sub(c.EndedAt) < time.Hour || c.EndedAt.IsZero() {
			_, _, err := s.cfg.Store.Settle(ctx, c.ID, now.Add(-callFor), now)
			return false, err
		}
	case Draft:
	}
	return false, nil
}

// enlist writes one batch of the audience down.
func (s *Service) enlist(ctx context.Context, c *Campaign) error {
	rules, err := s.cfg.Rules(ctx)
	if err != nil {
		return err
	}
	members, cursor, err := s.page(ctx, c, c.Cursor)
	if err != nil {
		return err
	}
	list, err := s.plan(ctx, c, &rules, members)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.Enlist(ctx, c.ID, list, cursor); err != nil {
		return err
	}
	if cursor == done {
		c.Status, c.Cursor = Sending, done
		if _, err := s.cfg.Store.Move(ctx, *c, Planning); err != nil {
			return err
		}
	}
	s.cfg.Publish(c.ID)
	return nil
}

// page is the next page of the audience: the members of one segment after another, without those of the segments that are left out.
func (s *Service) page(ctx context.Context, c *Campaign, cursor string) (members []id.ID, next string, err error) {
	at, after := 0, id.ID(0)
	if left, right, ok := strings.Cut(cursor, ":"); ok {
		n, _ := strconv.ParseInt(right, 10, 64)
		at, _ = strconv.Atoi(left)
		after = id.ID(n)
	}
	if at >= len(c.Plan.Segments) {
		return nil, done, nil
	}
	members, err = s.cfg.Audience.Members(ctx, c.Plan.Segments[at], after, planBatch)
	if err != nil {
		return nil, "", err
	}
	next = fmt.Sprintf("%d:0", at+1)
	if len(members) == planBatch {
		next = fmt.Sprintf("%d:%d", at, members[len(members)-1])
	} else if at+1 == len(c.Plan.Segments) {
		next = done
	}
	for _, key := range c.Plan.Except {
		if len(members) == 0 {
			break
		}
		out, err := s.cfg.Audience.Among(ctx, key, members)
		if err != nil {
			return nil, "", err
		}
		kept := members[:0:0]
		for _, m := range members {
			if !out[m] {
				kept = append(kept, m)
			}
		}
		members = kept
	}
	return members, next, nil
}

// plan makes the lines of people, with the gates that do not depend on the hour.
func (s *Service) plan(ctx context.Context, c *Campaign, rules *Rules, members []id.ID) ([]Intent, error) {
	if len(members) == 0 {
		return nil, nil
	}
	people, err := s.cfg.People.Look(ctx, c.Channel, c.Plan.Purpose, members)
	if err != nil {
		return nil, err
	}
	now := s.now()
	out := make([]Intent, 0, len(members))
	for _, m := range members {
		p := people[m]
		it := Intent{ID: s.cfg.IDs.Next(), Run: c.ID, Customer: m, Channel: c.Channel, State: Held, Due: s.due(c, &p), At: now, Arm: Assign(c, rules, m)}
		it.Gate = reach(&p)
		if it.Gate == "" {
			it.Eligible = true
			switch it.Arm {
			case ArmGlobal:
				it.Gate = GlobalHoldout
			case ArmHoldout:
				it.Gate = Holdout
			default:
				it.State = Queued
			}
		}
		if it.State == Held {
			it.DoneAt = now
		}
		out = append(out, it)
	}
	return out, nil
}

// reach is the first of the gates that a person alone decides.
func reach(p *Person) Gate {
	switch {
	case p.Suppressed || p.ID == 0:
		return Suppressed
	case p.Address == "":
		return NoAddress
	case p.Stopped:
		return BadAddress
	case p.Refused:
		return NoConsent
	}
	return ""
}

// due is when a person's message may go: at the start, or at its hour in the person's own zone.
func (s *Service) due(c *Campaign, p *Person) time.Time {
	if !c.Plan.Local || p.Zone == nil {
		return c.StartAt
	}
	t := c.StartAt.In(s.cfg.Zone())
	local := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, p.Zone)
	if local.Before(c.StartAt.Add(-12 * time.Hour)) {
		local = local.AddDate(0, 0, 1)
	}
	return local.UTC()
}

// send hands one batch over.
func (s *Service) send(ctx context.Context, c *Campaign) (bool, error) {
	now := s.now()
	handed, open, err := s.cfg.Store.Recent(ctx, c.ID, now.Add(-time.Minute))
	if err != nil {
		return false, err
	}
	if s.settles(c.ID, now) || open < sendBatch {
		var changed int
		if changed, open, err = s.cfg.Store.Settle(ctx, c.ID, now.Add(-callFor), now); err != nil {
			return false, err
		}
		if changed > 0 {
			s.results.forget(c.ID)
			s.cfg.Publish(c.ID)
		}
	}
	room := min(sendBatch, mostOpen-open)
	if room < sendBatch { // a few at a time would cost as much as many
		return false, nil
	}
	if c.Channel != Email {
		room = min(room, callBatch)
	}
	if c.Plan.PerMinute > 0 {
		room = min(room, c.Plan.PerMinute-handed)
	}
	if room <= 0 {
		return false, nil
	}
	due, err := s.cfg.Store.Due(ctx, c.ID, now, room)
	if err != nil {
		return false, err
	}
	if len(due) == 0 {
		return false, s.end(ctx, c, open)
	}
	if carrier := s.cfg.Carriers[c.Channel]; carrier != nil {
		if err := carrier.Ready(ctx, c); err != nil {
			if c.Plan.Journey != 0 && fault.CodeOf(err) != "" { // nobody resumes the run of a step: its people wait
				return false, nil
			}
			return false, err
		}
	}
	rules, err := s.cfg.Rules(ctx)
	if err != nil {
		return false, err
	}
	b := &batch{s: s, c: c, rules: &rules, now: now, due: due}
	if err := b.gates(ctx); err != nil {
		return false, err
	}
	if err := b.hand(ctx); err != nil {
		return false, err
	}
	s.results.forget(c.ID)
	s.cfg.Publish(c.ID)
	return len(due) == room && c.Plan.PerMinute == 0, nil
}

// settleEvery is how often at most it is looked what became of what was handed over: all of that is read.
const settleEvery = time.Second

// settles reports that it is time to look, and takes it for done.
func (s *Service) settles(key id.ID, now time.Time) bool {
	s.results.mu.Lock()
	defer s.results.mu.Unlock()
	last, ok := s.results.settled[key]
	if ok && now.Sub(last) < settleEvery && !now.Before(last) {
		return false
	}
	s.results.settled[key] = now
	return true
}

// end closes a campaign of which nothing waits.
func (s *Service) end(ctx context.Context, c *Campaign, open int) error {
	if open > 0 || c.Plan.Journey != 0 {
		return nil
	}
	far, err := s.cfg.Store.Due(ctx, c.ID, s.now().AddDate(10, 0, 0), 1)
	if err != nil || len(far) > 0 {
		return err
	}
	c.Status, c.EndedAt = Sent, s.now()
	_, err = s.cfg.Store.Move(ctx, *c, Sending)
	s.results.forget(c.ID)
	s.cfg.Publish(c.ID)
	return err
}

// batch is what is handed over together.
type batch struct {
	s      *Service
	c      *Campaign
	rules  *Rules
	now    time.Time
	due    []Intent
	people map[id.ID]Person
	moves  []Handover // by place in due
	draws  []Draw
	places []int // of draws in due
}

// gates asks everything again that may have changed since the audience was written down, and then what the hour decides.
func (b *batch) gates(ctx context.Context) error {
	ids := make([]id.ID, len(b.due))
	for i := range b.due {
		ids[i] = b.due[i].Customer
	}
	var err error
	if b.people, err = b.s.cfg.People.Look(ctx, b.c.Channel, b.c.Plan.Purpose, ids); err != nil {
		return err
	}
	still := map[id.ID]bool{}
	for _, key := range b.c.Plan.Segments {
		in, err := b.s.cfg.Audience.Among(ctx, key, ids)
		if err != nil {
			return err
		}
		for m := range in {
			still[m] = true
		}
	}
	for _, key := range b.c.Plan.Except {
		out, err := b.s.cfg.Audience.Among(ctx, key, ids)
		if err != nil {
			return err
		}
		for m := range out {
			delete(still, m)
		}
	}
	if b.c.Plan.Journey != 0 { // the journey itself asks who is still on it
		for _, m := range ids {
			still[m] = true
		}
	}
	caps, got, err := b.counted(ctx, ids)
	if err != nil {
		return err
	}
	b.moves = make([]Handover, len(b.due))
	for i := range b.due {
		it := &b.due[i]
		p := b.people[it.Customer]
		b.moves[i] = b.gate(it, &p, still[it.Customer], caps, got[it.Customer])
		if b.moves[i].State == Handed {
			b.draw(i, &p)
		}
	}
	return nil
}

func (b *batch) counted(ctx context.Context, ids []id.ID) ([]Cap, map[id.ID]map[string]map[clock.Day]int, error) {
	caps := CapsFor(b.rules.Caps, b.c.Channel)
	if b.c.Plan.Purpose == "" || len(caps) == 0 {
		return nil, nil, nil
	}
	today := clock.DayOf(b.now, time.UTC)
	got, err := b.s.cfg.Store.Counted(ctx, ids, today-maxCapDays-1, today+1)
	return caps, got, err
}

func (b *batch) zone(p *Person) *time.Location {
	if p.Zone != nil {
		return p.Zone
	}
	return b.s.cfg.Zone()
}

// gate is what becomes of one line: the first gate that stops it, or its way out.
func (b *batch) gate(it *Intent, p *Person, still bool, caps []Cap, got map[string]map[clock.Day]int) Handover {
	zone := b.zone(p)
	local := b.now.In(zone)
	h := Handover{Intent: it.ID, Customer: it.Customer, Channel: it.Channel, Day: clock.DayOf(b.now, zone), State: Handed, Counts: b.c.Plan.Purpose != "", Wait: b.c.Plan.WaitCap,
		NextDay: time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone).UTC()}
	stop := func(g Gate) Handover {
		h.State, h.Gate = Held, g
		return h
	}
	wait := func(g Gate, until time.Time) Handover {
		h.State, h.Gate, h.Later = Queued, g, until
		return h
	}
	if g := reach(p); g != "" {
		return stop(g)
	}
	if !still {
		return stop(LeftSegment)
	}
	if !h.Counts {
		return h
	}
	if Full(caps, got, h.Day) {
		if b.c.Plan.WaitCap {
			return wait(Capped, h.NextDay)
		}
		return stop(Capped)
	}
	if open, next := b.rules.Open(b.c.Channel, b.now, zone); !open {
		if b.c.Plan.DropQuiet {
			return stop(Quiet)
		}
		return wait(Quiet, next)
	}
	return h
}

func (b *batch) draw(i int, p *Person) {
	it := &b.due[i]
	v := &b.c.Plan.Variants[0]
	for k := range b.c.Plan.Variants {
		if b.c.Plan.Variants[k].Key == it.Arm {
			v = &b.c.Plan.Variants[k]
		}
	}
	b.draws, b.places = append(b.draws, Draw{Campaign: b.c, Variant: v, Intent: it.ID, Person: p}), append(b.places, i)
}

// hand writes the messages and moves the lines.
func (b *batch) hand(ctx context.Context) error {
	letters, errs := b.s.cfg.Writer.Write(ctx, b.draws)
	var broken []Done
	for k, i := range b.places {
		h := &b.moves[i]
		err := errs[k]
		if err == nil {
			h.Parts = max(1, letters[k].Parts)
			if b.c.Channel == Email {
				err = b.seal(h, &b.draws[k], &letters[k])
			} else {
				h.State = Calling
			}
		}
		if err != nil {
			if fault.KindOf(err) == fault.Internal && fault.CodeOf(err) == "" && errors.Is(err, context.Canceled) {
				return err
			}
			h.State, h.Counts = Calling, false
			broken = append(broken, Done{Intent: h.Intent, State: Failed, Reason: reasonOf(err), At: b.now})
		}
	}
	moved, err := b.s.cfg.Store.Hand(ctx, b.moves, CapsFor(b.rules.Caps, b.c.Channel), b.now)
	if err != nil {
		return err
	}
	if err := b.s.cfg.Store.Finish(ctx, broken); err != nil {
		return err
	}
	if b.c.Channel == Email {
		if len(moved) > 0 {
			b.s.cfg.Sent()
		}
		return nil
	}
	return b.call(ctx, moved, letters, errs)
}

func reasonOf(err error) string {
	if code := fault.CodeOf(err); code != "" {
		return code
	}
	return "campaign.not_written"
}

// seal makes the mail of a line.
func (b *batch) seal(h *Handover, d *Draw, l *Letter) error {
	it, err := b.s.cfg.Post.Make(mail.Message{Key: "campaign:" + id.Format(IntentPrefix, h.Intent), Kind: "campaign", Profile: b.c.Plan.Profile, To: mail.Address{Name: d.Person.Name, Email: d.Person.Address},
		Subject: l.Subject, Text: l.Text, HTML: l.HTML, Stop: l.Stop, About: mail.About{Object: "customer", Record: h.Customer}, By: b.c.StartedBy, Until: b.now.Add(48 * time.Hour)})
	h.Mail = &it
	return err
}

// call brings what was moved to the provider, some at once.
func (b *batch) call(ctx context.Context, moved []id.ID, letters []Letter, errs []error) error {
	carrier := b.s.cfg.Carriers[b.c.Channel]
	if carrier == nil {
		return fault.New(fault.Conflict, "campaign.no_carrier", nil)
	}
	ours := make(map[id.ID]bool, len(moved))
	for _, v := range moved {
		ours[v] = true
	}
	var mu sync.Mutex
	var out []Done
	halt := ""
	work := make(chan int)
	var group sync.WaitGroup
	for range callsAtOnce {
		group.Go(func() {
			for k := range work {
				d := &b.draws[k]
				mu.Lock()
				stopped := halt != "" || ctx.Err() != nil
				mu.Unlock()
				a := Answer{Later: true}
				if !stopped { // what has begun is brought to its end
					a = carrier.Carry(context.WithoutCancel(ctx), Parcel{Intent: d.Intent, Person: d.Person, Letter: &letters[k], Account: b.c.Plan.Account, Run: b.c, Variant: d.Variant})
				}
				if b.c.Plan.Journey != 0 {
					a.Halt = ""
				}
				x := Done{Intent: d.Intent, State: a.State, Receipt: a.Receipt, Reason: a.Reason, At: b.s.now()}
				switch {
				case stopped || a.Halt != "": // it goes on with the campaign
					x.State = Queued
				case a.Later && b.due[b.places[k]].Tries >= mostTries:
					x.State = Failed
				case a.Later:
					x.State, x.Tried, x.At = Queued, true, b.s.now().Add(min(tryAgain<<b.due[b.places[k]].Tries, tryLongest))
				}
				mu.Lock()
				out = append(out, x)
				if halt == "" {
					halt = a.Halt
				}
				mu.Unlock()
			}
		})
	}
	for k := range b.draws {
		if errs[k] == nil && ours[b.draws[k].Intent] {
			work <- k
		}
	}
	close(work)
	group.Wait()
	if err := b.s.cfg.Store.Finish(context.WithoutCancel(ctx), out); err != nil {
		return err
	}
	if halt != "" {
		return fault.New(fault.Conflict, halt, nil)
	}
	return nil
}
