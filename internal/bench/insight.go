package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// The part insight: every trait and every model of everyone, as the night does it, and many segments computed as a whole.
const (
	nightGoal    = 10 * time.Minute
	nightMemory  = 4 << 30
	segmentsAll  = 200
	segmentsGoal = 5 * time.Minute
)

func (s *settings) measureInsight(ctx context.Context, p *program, d *document) error {
	for _, part := range []struct {
		name string
		do   func(context.Context, *document) error
	}{{"night", p.night}, {"segments", p.manySegments}} {
		if s.only != nil && !s.only.MatchString(part.name) {
			continue
		}
		if err := part.do(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// night computes all traits, and fits and scores one model after the other.
func (p *program) night(ctx context.Context, d *document) error {
	began, before := time.Now(), p.processor()
	if _, err := p.command(ctx, "", "trait", "recompute", "--json"); err != nil {
		return err
	}
	d.open("night", "| what | wall | processor | peak of memory until then |")
	row := func(what string, wall, cpu time.Duration) {
		progress("%s: %s, processor %s, peak %d MB", what, short(wall), short(cpu), p.resident("VmHWM")/mb)
		fmt.Fprintf(&d.b, "| %s | %s | %s | %d MB |\n", what, short(wall), short(cpu), p.resident("VmHWM")/mb)
	}
	row("all traits of everyone", time.Since(began), p.processor()-before)
	var list struct{ Items []struct{ Key string } }
	if err := p.call(http.MethodGet, "/models", nil, &list); err != nil {
		return err
	}
	for _, m := range list.Items {
		start, cpu := time.Now(), p.processor()
		if _, err := p.command(ctx, "", "model", "fit", m.Key, "--json"); err != nil {
			return err
		}
		row("model "+m.Key+", fitted and everyone scored", time.Since(start), p.processor()-cpu)
	}
	all, peak := time.Since(began), p.resident("VmHWM")
	d.goal("all traits and models in one pass", short(all), "processor "+short(p.processor()-before), all <= nightGoal, short(nightGoal))
	d.goal("memory at most", fmt.Sprintf("%d MB", peak/mb), "", peak <= nightMemory, "4 GB")
	return nil
}

// manySegments makes segments of one to six conditions and has them computed one after the other.
func (p *program) manySegments(_ context.Context, d *document) error {
	var list struct{ Items []struct{ Key string } }
	if err := p.call(http.MethodGet, "/segments", nil, &list); err != nil {
		return err
	}
	have := map[string]bool{}
	for _, it := range list.Items {
		have[it.Key] = true
	}
	key := func(i int) string { return fmt.Sprintf("bench_%03d", i) }
	for i := range segmentsAll {
		if have[key(i)] {
			continue
		}
		where := six(i)
		where["all"] = where["all"].([]any)[i%6 : min(6, i%6+1+i%4)]
		if err := p.call(http.MethodPost, "/segments", obj{"key": key(i), "label": key(i), "kind": "dynamic", "where": where}, nil); err != nil {
			return err
		}
	}
	began, before := time.Now(), p.processor()
	for i := range segmentsAll {
		if err := p.call(http.MethodPost, "/segments/"+key(i)+"/refresh", nil, nil); err != nil {
			return err
		}
	}
	took, cpu := time.Since(began), p.processor()-before
	progress("%d segments: %s, processor %s", segmentsAll, short(took), short(cpu))
	d.goal(fmt.Sprintf("%d segments computed as a whole", segmentsAll), short(took), "processor "+short(cpu), took <= segmentsGoal, short(segmentsGoal))
	return nil
}
