package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/customer/facet"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/eventplane"
	"github.com/guanxi-crm/guanxi/internal/store/eventschema"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
)

// visitsKey is where a workspace keeps what it decides about visits.
const visitsKey = "visits"

// visitSettings are what a workspace decides about visits.
type visitSettings struct {
	Midnight bool `json:"midnight"` // a new local day begins a new visit
}

// openPlane makes what takes events from the inbox to analysis and into files.
func (w *workspace) openPlane() {
	c := eventplane.Config{Store: w.events.store, Facts: analytics.NewEvents(w.adb, w.app.Clock), Files: analytics.NewEventFiles(w.adb), Consumers: []string{eventschema.Consumer, peopleStep, consentStep, contentStep, feedbackStep, journeyStep},
		Dir: filepath.Join(w.dir, eventDir, eventFiles), Clock: w.app.Clock, Log: w.app.Log,
		Rates: func() facet.Rates { return facet.Rates{Table: w.rates.Load(), Base: w.info.Currency} },
		Visits: func(ctx context.Context) (analytics.VisitOptions, error) {
			var s visitSettings
			_, err := w.store.Setting(ctx, visitsKey, &s)
			return analytics.VisitOptions{Midnight: s.Midnight}, err
		},
		First: []string{consentStep},
		Refusals: func(ctx context.Context, owners []id.ID) (map[id.ID][]consent.Refusal, error) {
			return w.consents.store.Refusals(ctx, owners)
		},
		Owners:  eventstore.Ownership{DB: w.events.store.DB},
		Seal:    sealAt,
		Touched: func() { w.traits.Notify() }}
	w.events.plane = eventplane.New(c)
}

// sealAt is from how many events on a file is written before its day is over: more of them would need memory that a small server wants for
// other things.
const sealAt = 100_000

// eventFiles is the folder of the sealed files, beside the inbox.
const eventFiles = "sealed"

// planeSteps are the stations behind identity resolution. They work on the plane itself: its gate is for those who ask.
func (w *workspace) planeSteps() []eventStep {
	p := w.events.plane
	run := func(step func(context.Context) (int, error)) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) { return step(system(ctx)) }
	}
	return []eventStep{{"follow", run(p.Follow)}, {"load", run(p.Load)}, {"refusals", run(w.sweepRefusals)}, {visitsStep, run(p.Visits)}, {"rollups", run(p.Rollups)}, {sealStep, run(p.Seal)}}
}

// pacedRest is how long at most visits wait for what comes in company with what they were made of last.
const pacedRest = 500 * time.Millisecond

// visitsStep is the name of the step that makes visits.
const visitsStep = "visits"

// paced is a step that rests after it has done something: that of few events costs nearly as much as that of many.
func (w *workspace) paced(step func(context.Context) (int, error)) func(context.Context) (int, error) {
	var until time.Time
	return func(ctx context.Context) (int, error) {
		began := w.app.Clock.Now()
		if began.Before(until) {
			return 0, nil
		}
		did, err := step(ctx)
		if end := w.app.Clock.Now(); did > 0 {
			until = end.Add(clock.Rest(end.Sub(began), pacedRest))
		}
		return did, err
	}
}

// eventsBack reports whether the facts of behaviour are complete, or cannot be completed for now: then everything else is of use without them.
func (w *workspace) eventsBack(ctx context.Context) bool {
	done, err := w.events.plane.Complete(system(ctx))
	return err == nil && done || len(w.events.trouble()) > 0
}

// settle waits until what was accepted before has its people and is loaded.
func (f *eventFlow) settle(ctx context.Context) error {
	head, err := f.store.Head(ctx)
	if err != nil {
		return err
	}
	for range settleTries {
		at, err := f.plane.Passed(ctx)
		if err != nil || !at.Less(head) {
			return err
		}
		f.store.Wake()
		if err := clock.Pause(ctx, settlePause, nil); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "privacy.not_settled", nil)
}
