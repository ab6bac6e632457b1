package app

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

const (
	behaviourAtOnce = 400              // events of a page
	visitRest       = 30 * time.Minute // that long without an event ends a visit
)

// Behaviour implements api.IdentityService. The caller has been asked whether they see the customer.
func (i identities) Behaviour(ctx context.Context, customer id.ID, before string) (out api.Behaved, err error) {
	until := int64(math.MaxInt64)
	if before != "" {
		if until, err = strconv.ParseInt(before, 10, 64); err != nil || until <= 0 {
			return out, fault.InvalidField("api.bad_parameter", "before", nil)
		}
		until--
	}
	acts, err := analytics.Behaviour(ctx, i.w.gate, customer, until, int64(event.Bot), behaviourAtOnce)
	if err != nil {
		return out, err
	}
	visits := visitsOf(acts)
	if len(acts) == behaviourAtOnce && len(visits) > 1 { // the last visit may go on beyond the page
		visits = visits[:len(visits)-1]
	}
	out.Visits = visits
	if len(acts) == behaviourAtOnce {
		last := visits[len(visits)-1]
		out.Next = strconv.FormatInt(last.StartedAt.UnixMilli(), 10)
	}
	return out, nil
}

// visitsOf groups what was done, newest first, wherever the customer rested; what was done on two devices at once is one.
func visitsOf(acts []analytics.Act) []api.BehavedVisit {
	out := []api.BehavedVisit{}
	for k := range acts {
		a := &acts[k]
		at := time.UnixMilli(a.At).UTC()
		if n := len(out); n == 0 || out[n-1].StartedAt.Sub(at) > visitRest {
			out = append(out, api.BehavedVisit{ID: strconv.FormatInt(int64(a.ID), 10), EndedAt: at, Acts: []api.BehavedAct{}})
		}
		v := &out[len(out)-1]
		v.StartedAt = at
		if a.Channel != "" {
			v.Channel = a.Channel
		}
		if a.Device != "" {
			v.Device = a.Device
		}
		if a.Host != "" {
			v.Host = a.Host
		}
		v.EngagedMS += a.Dwell
		if a.Kind == "track" && a.Name == event.Engaged {
			continue
		}
		if a.Kind != "track" {
			v.Views++
		}
		v.Acts = append(v.Acts, api.BehavedAct{At: at, Kind: a.Kind, Name: a.Name, Title: a.Title, Path: a.Path, About: a.About, Amount: i64(a.Amount)})
	}
	return out
}

// i64 is an amount, nil for none.
func i64(v int64) *int64 {
	if v == 0 {
		return nil
	}
	return &v
}
