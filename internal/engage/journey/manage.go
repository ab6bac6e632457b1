package journey

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

// List are all of them, the newest first.
func (s *Service) List(ctx context.Context) ([]Journey, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Journeys(ctx)
}

// Names are those of all, for who reads what they wrote.
func (s *Service) Names(ctx context.Context) (map[id.ID]string, error) {
	list, err := s.cfg.Store.Journeys(ctx)
	out := make(map[id.ID]string, len(list))
	for i := range list {
		out[list[i].ID] = list[i].Name
	}
	return out, err
}

// Get is one.
func (s *Service) Get(ctx context.Context, key id.ID) (Journey, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Journey{}, err
	}
	return s.cfg.Store.Journey(ctx, key)
}

// Versions are those that were published, the newest first.
func (s *Service) Versions(ctx context.Context, key id.ID) ([]Version, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Versions(ctx, key)
}

// InForce is the definition of the version that is published; an empty one where there is none.
func (s *Service) InForce(ctx context.Context, j *Journey) (*Definition, error) {
	if j.Published == 0 {
		return &Definition{}, nil
	}
	return s.definition(ctx, j.ID, j.Published)
}

func named(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return "", fault.InvalidField("journey.bad_name", "name", fault.Params{"max": maxName})
	}
	return name, nil
}

// Create makes a draft. It may have problems: those are in the way of publishing only.
func (s *Service) Create(ctx context.Context, name string, d Definition) (Journey, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Journey{}, err
	}
	name, err := named(name)
	if err != nil {
		return Journey{}, err
	}
	if len(d.Steps) > maxSteps {
		return Journey{}, fault.InvalidField("journey.too_many_steps", "steps", fault.Params{"max": maxSteps})
	}
	now, who := s.now(), access.From(ctx).ID
	j := Journey{ID: s.cfg.IDs.Next(), Name: name, Status: Draft, Draft: d, Changed: true, Version: 1, CreatedBy: who, UpdatedBy: who, CreatedAt: now, UpdatedAt: now}
	if err := s.cfg.Store.Insert(ctx, j); err != nil {
		return j, err
	}
	s.cfg.Publish(j.ID)
	return j, s.cfg.Note(ctx, "journey.create", j.ID, map[string]any{"name": j.Name})
}

// Update changes name and draft over the version that the caller saw. What is published stays as it is.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, name string, d Definition) (Journey, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Journey{}, err
	}
	j, err := s.cfg.Store.Journey(ctx, key)
	if err != nil {
		return j, err
	}
	if j.Version != version {
		return j, fault.New(fault.Stale, "journey.stale", nil)
	}
	if j.Name, err = named(name); err != nil {
		return j, err
	}
	if len(d.Steps) > maxSteps {
		return j, fault.InvalidField("journey.too_many_steps", "steps", fault.Params{"max": maxSteps})
	}
	j.Draft, j.Changed = d, true
	j.Version++
	j.UpdatedBy, j.UpdatedAt = access.From(ctx).ID, s.now()
	if err := s.cfg.Store.Update(ctx, j); err != nil {
		return j, err
	}
	s.cfg.Publish(j.ID)
	return j, s.cfg.Note(ctx, "journey.update", j.ID, map[string]any{"version": j.Version})
}

// Delete removes a draft that was never published; what people went through stays.
func (s *Service) Delete(ctx context.Context, key id.ID) error {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return err
	}
	j, err := s.cfg.Store.Journey(ctx, key)
	if err != nil {
		return err
	}
	if j.Published > 0 {
		return fault.New(fault.Conflict, "journey.not_draft", nil)
	}
	if err := s.cfg.Store.Delete(ctx, key); err != nil {
		return err
	}
	s.cfg.Publish(key)
	return s.cfg.Note(ctx, "journey.delete", key, map[string]any{"name": j.Name})
}

// Go publishes the draft as a new version and lets people in by it. flight says what becomes of those who are on the way. Faults: journey.invalid
// with every problem.
func (s *Service) Go(ctx context.Context, key id.ID, version int64, flight Flight) (Journey, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return Journey{}, err
	}
	j, err := s.cfg.Store.Journey(ctx, key)
	if err != nil {
		return j, err
	}
	switch {
	case j.Version != version:
		return j, fault.New(fault.Stale, "journey.stale", nil)
	case !slices.Contains([]Flight{Finish, MoveOn, Leave}, flight):
		return j, fault.InvalidField("journey.no_flight", "flight", nil)
	}
	d := j.Draft
	d.Steps = slices.Clone(d.Steps)
	problems, err := s.Check(ctx, &d)
	if err != nil {
		return j, err
	}
	var bad []*fault.Fault
	for _, p := range problems {
		bad = append(bad, fault.InvalidField(p.Code, strings.Trim(p.Step+"."+p.At, "."), p.Params))
	}
	if f := fault.Join("journey.invalid", bad); f != nil {
		return j, f
	}
	if err := s.cfg.Sender.Ready(ctx, &j, &d); err != nil {
		return j, err
	}
	now := s.now()
	if j.Status != Live { // who came before is nobody's
		j.Cursor = now
	}
	if j.BeganAt.IsZero() || j.Status == Stopped {
		j.BeganAt = now
	}
	j.Status, j.Reason, j.Changed, j.EndedAt = Live, "", false, time.Time{}
	j.Published++
	j.Version++
	j.UpdatedBy, j.UpdatedAt = access.From(ctx).ID, now
	if err := s.cfg.Store.Publish(ctx, j, d, flight); err != nil {
		return j, err
	}
	s.moved(j.ID)
	return j, s.cfg.Note(ctx, "journey.publish", j.ID, map[string]any{"name": j.Name, "version": j.Published, "flight": string(flight)})
}

func (s *Service) moved(key id.ID) {
	s.live.forget()
	s.shown.forget(key)
	s.cfg.Publish(key)
	s.notify()
}

// runs are those of all versions that send.
func (s *Service) runs(ctx context.Context, j *Journey) ([]id.ID, error) {
	var out []id.ID
	for n := int64(1); n <= j.Published; n++ {
		d, err := s.definition(ctx, j.ID, n)
		if err != nil {
			return nil, err
		}
		for i := range d.Steps {
			if d.Steps[i].Run != 0 {
				out = append(out, d.Steps[i].Run)
			}
		}
	}
	return out, nil
}

// Pause holds everybody where they are, and lets nobody in.
func (s *Service) Pause(ctx context.Context, key id.ID) (Journey, error) {
	return s.move(ctx, key, Paused, s.cfg.Sender.Pause, Live)
}

// Resume goes on. Who would have entered meanwhile does not.
func (s *Service) Resume(ctx context.Context, key id.ID) (Journey, error) {
	j, err := s.move(ctx, key, Live, s.cfg.Sender.Resume, Paused)
	if err == nil {
		err = s.cfg.Store.SetCursor(ctx, key, s.now())
	}
	return j, err
}

// Stop ends a journey: everybody on the way leaves, and what waits is not sent any more.
func (s *Service) Stop(ctx context.Context, key id.ID) (Journey, error) {
	j, err := s.move(ctx, key, Stopped, s.cfg.Sender.Stop, Live, Paused)
	if err != nil {
		return j, err
	}
	return j, s.cfg.Store.Empty(ctx, key, WhyStopped, s.now())
}

func (s *Service) move(ctx context.Context, key id.ID, to Status, sends func(context.Context, []id.ID) error, from ...Status) (Journey, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return Journey{}, err
	}
	j, err := s.cfg.Store.Journey(ctx, key)
	if err != nil {
		return j, err
	}
	j.Status, j.Reason = to, ""
	if to == Stopped {
		j.EndedAt = s.now()
	}
	ok, err := s.cfg.Store.Move(ctx, j, from...)
	if err != nil {
		return j, err
	}
	if !ok {
		return j, fault.New(fault.Conflict, "journey.wrong_status", nil)
	}
	runs, err := s.runs(ctx, &j)
	if err == nil && len(runs) > 0 {
		err = sends(ctx, runs)
	}
	if err != nil {
		return j, err
	}
	s.moved(key)
	return j, s.cfg.Note(ctx, "journey."+string(to), j.ID, map[string]any{"name": j.Name})
}

// Counts is how a journey stands. Entered is always the sum of who is on the way, done, left and held back.
type Counts struct {
	Standing
	Waiting map[string]int64 // by step
	Tallies []Tally
	// Treated and Control compare first entries by what chance decided; Open says that windows have not ended.
	Treated, Control, Global Arm
	Goal                     uplift.Effect
	Balanced                 bool
	Open                     bool
	At                       time.Time
}

const countsFor = 3 * time.Second

type counts struct {
	mu sync.Mutex
	of map[id.ID]Counts
}

func (c *counts) forget(key id.ID) {
	c.mu.Lock()
	delete(c.of, key)
	c.mu.Unlock()
}

// Counts is how a journey stands, not older than some seconds.
func (s *Service) Counts(ctx context.Context, key id.ID) (Counts, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Counts{}, err
	}
	j, err := s.cfg.Store.Journey(ctx, key)
	if err != nil {
		return Counts{}, err
	}
	now := s.now()
	s.shown.mu.Lock()
	got, ok := s.shown.of[key]
	s.shown.mu.Unlock()
	if d := now.Sub(got.At); ok && d >= 0 && d < countsFor {
		return got, nil
	}
	out := Counts{At: now, Balanced: true}
	if out.Standing, out.Waiting, err = s.cfg.Store.Standing(ctx, key); err != nil {
		return out, err
	}
	if out.Tallies, err = s.cfg.Store.Tallies(ctx, key); err != nil {
		return out, err
	}
	d, err := s.InForce(ctx, &j)
	if err != nil {
		return out, err
	}
	if err := s.compare(ctx, &j, d, &out); err != nil {
		return out, err
	}
	s.shown.mu.Lock()
	s.shown.of[key] = out
	s.shown.mu.Unlock()
	return out, nil
}

// compare says what was gained over those held back.
func (s *Service) compare(ctx context.Context, j *Journey, d *Definition, out *Counts) error {
	if d.Goal.Kind == "" || d.Goal.Kind == GoalNone {
		return nil
	}
	arms, err := s.cfg.Store.Arms(ctx, j.ID, d.Goal.Days, out.At)
	if err != nil {
		return err
	}
	out.Treated.Arm, out.Control.Arm, out.Global.Arm = ArmTreated, ArmHoldout, ArmGlobal
	for _, a := range arms {
		switch a.Arm {
		case ArmTreated:
			out.Treated = a
		case ArmHoldout:
			out.Control = a
		case ArmGlobal:
			out.Global = a
		}
	}
	out.Open = out.Treated.Over+out.Control.Over < out.Treated.N+out.Control.N
	out.Goal = uplift.Rates(uplift.Rate{N: out.Treated.N, Hits: out.Treated.Hits}, uplift.Rate{N: out.Control.N, Hits: out.Control.Hits})
	if d.Holdout > 0 && out.Treated.N+out.Control.N > 0 {
		_, alarm := uplift.Mismatch([]int64{out.Treated.N, out.Control.N}, []float64{float64(100 - d.Holdout), float64(d.Holdout)})
		out.Balanced = !alarm
	}
	return nil
}

// People are those of a state at a step.
func (s *Service) People(ctx context.Context, key id.ID, state State, step string, before id.ID, limit int) ([]Token, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.People(ctx, key, state, step, before, limit)
}

// Of are the ways of a customer, the newest first.
func (s *Service) Of(ctx context.Context, customer id.ID, limit int) ([]Token, []Path, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, nil, err
	}
	return s.cfg.Store.Of(ctx, customer, limit)
}
