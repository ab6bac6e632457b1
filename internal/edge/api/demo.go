package api

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Sizes, in customers, of a demo company that is asked for through the API.
const (
	DemoLeast = 1_000
	DemoMost  = 1_000_000
)

// DemoState is whether the demo company can be loaded, and how far a load has come.
type DemoState struct {
	// Available says that the workspace has no customers and nothing is being loaded.
	Available bool `json:"available"`
	// Removable says that there is a demo company and nothing is being loaded.
	Removable bool `json:"removable"`
	// Phase is idle, queued, loading, computing (traits and classes), removing, done or failed; done and failed are of the last load
	// since the program started.
	Phase     string   `json:"phase" enum:"idle,queued,loading,computing,removing,done,failed"`
	Target    int      `json:"target"` // customers asked for
	Customers int      `json:"customers"`
	Orders    int      `json:"orders"`
	Records   int      `json:"records"`
	Seconds   float64  `json:"seconds"`
	Error     *Problem `json:"error"` // why the last load failed

	// Cause is the fault behind Error.
	Cause *fault.Fault `json:"-"`
}

type demoIn struct {
	Body DemoOptions
}

// demo queues a load of the demo company. Its progress is told by events of the kind demo and read from GET /demo.
func (a *API) demo(ctx context.Context, c *call, in demoIn) (DemoState, error) {
	o := in.Body
	if o.Customers < DemoLeast || o.Customers > DemoMost {
		return DemoState{}, fault.InvalidField("api.demo_size", "customers", fault.Params{"least": DemoLeast, "most": DemoMost})
	}
	if n := o.OrdersPerCustomer; n != 0 && !(n >= 1 && n <= 20) {
		return DemoState{}, fault.InvalidField("api.bad_parameter", "orders_per_customer", nil)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if err := a.Operate.QueueDemo(ctx, c.who.Workspace.Key, o); err != nil {
		return DemoState{}, err
	}
	if err := a.note(ctx, c, "demo.load", map[string]any{"customers": o.Customers}); err != nil {
		return DemoState{}, err
	}
	return a.demoState(ctx, c, struct{}{})
}

func (a *API) demoState(ctx context.Context, c *call, _ struct{}) (DemoState, error) {
	s, err := a.Operate.DemoState(ctx, c.who.Workspace.Key)
	if err == nil && s.Cause != nil {
		s.Error = a.problem(c.locale, s.Cause)
	}
	return s, err
}

type removeDemoIn struct {
	Body struct {
		Confirm string `json:"confirm" doc:"the name of the workspace"`
	}
}

// removeDemo queues the removal of everything that the demo company brought, and of nothing else.
func (a *API) removeDemo(ctx context.Context, c *call, in removeDemoIn) (DemoState, error) {
	if err := a.Operate.QueueDemoRemoval(ctx, c.who.Workspace.Key, in.Body.Confirm); err != nil {
		return DemoState{}, err
	}
	if err := a.note(ctx, c, "demo.remove", nil); err != nil {
		return DemoState{}, err
	}
	return a.demoState(ctx, c, struct{}{})
}
