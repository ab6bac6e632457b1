package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// Operator does what only the owner of the data directory may ask for. say tells progress.
type Operator interface {
	Demo(ctx context.Context, workspace string, o DemoOptions, say func(string)) (any, error)
	// QueueDemo puts a load of the demo company in the queue; faults Conflict app.demo_not_empty and app.busy.
	QueueDemo(ctx context.Context, workspace string, o DemoOptions) error
	// QueueDemoRemoval queues the removal of the demo company; confirm is the workspace's name. Faults Invalid app.demo_confirm,
	// Conflict app.demo_none and app.busy.
	QueueDemoRemoval(ctx context.Context, workspace, confirm string) error
	DemoState(ctx context.Context, workspace string) (DemoState, error)
	Backup(ctx context.Context, path, passphrase string, say func(string)) (any, error)
	Rebuild(ctx context.Context, workspace, what string, say func(string)) (any, error)
	Recompute(ctx context.Context, workspace string, say func(string)) (any, error)
	Doctor(ctx context.Context, workspace string) (Diagnosis, error)
}

// DemoOptions say which demo company to make.
type DemoOptions struct {
	Industry  string `json:"industry,omitempty"`
	Customers int    `json:"customers,omitempty"`
	Seed      uint64 `json:"seed,omitempty"`
	// OrdersPerCustomer is the mean over all customers, 1 to 20; 5 when 0.
	OrdersPerCustomer float64 `json:"orders_per_customer,omitempty"`
	// Events is about how many events of behaviour there are: fifteen a customer and 300,000 at most when 0, none when negative.
	Events int `json:"events,omitempty"`
}

// Diagnosis is what the doctor found.
type Diagnosis struct {
	OK     bool           `json:"ok"`
	Checks []DoctorsCheck `json:"checks"`
}

// DoctorsCheck is one thing looked at.
type DoctorsCheck struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func (a *API) localSetup(ctx context.Context, c *call, in setupIn) (WorkspaceInfo, error) {
	b := in.Body
	u, w, err := a.Auth.Initialise(ctx, auth.Setup{Email: b.Email, Password: b.Password, Name: b.Name, Workspace: b.Workspace,
		Locale: or(b.Locale, "zh-CN"), Timezone: or(b.Timezone, "Asia/Shanghai"), Currency: or(b.Currency, "CNY"), Address: "local"})
	if err != nil {
		return WorkspaceInfo{}, err
	}
	_ = u
	return showWorkspace(w), a.Setup.Install(ctx, w, b.Demo)
}

// WorkspaceList is the organisations of the instance.
type WorkspaceList struct {
	Items []WorkspaceInfo `json:"items"`
}

func (a *API) listWorkspaces(ctx context.Context, _ *call, _ struct{}) (WorkspaceList, error) {
	ws, err := a.Auth.Store.Workspaces(ctx)
	out := WorkspaceList{Items: []WorkspaceInfo{}}
	for _, w := range ws {
		out.Items = append(out.Items, showWorkspace(w))
	}
	return out, err
}

type createWorkspaceIn struct {
	Body WorkspaceInfo
}

func (a *API) createWorkspace(ctx context.Context, _ *call, in createWorkspaceIn) (WorkspaceInfo, error) {
	b := in.Body
	w := auth.Workspace{Key: b.Key, Name: or(b.Name, b.Key), Timezone: or(b.Timezone, "Asia/Shanghai"), Currency: or(b.Currency, "CNY"), Locale: or(b.Locale, "zh-CN")}
	if err := a.Auth.CreateWorkspace(ctx, w); err != nil {
		return WorkspaceInfo{}, err
	}
	return showWorkspace(w), a.Setup.Install(ctx, w, false)
}

// steps streams the progress of a long operation as lines of JSON: {"say"} any number of times, then {"result"} or {"problem"}.
func (a *API) steps(ctx context.Context, c *call, run func(say func(string)) (any, error)) (written, error) {
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", "application/x-ndjson")
	c.w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(c.w)
	var mu sync.Mutex
	line := func(v any) {
		mu.Lock()
		defer mu.Unlock()
		if err := json.NewEncoder(c.w).Encode(v); err == nil {
			_ = rc.Flush()
		}
	}
	out, err := run(func(text string) { line(map[string]string{"say": text}) })
	if err != nil {
		p := a.problem(c.locale, err)
		p.Request = c.request
		if p.Status >= http.StatusInternalServerError {
			a.Log.ErrorContext(ctx, "operation failed", "route", c.route, "error", err)
		}
		line(map[string]any{"problem": p})
		return written{}, nil
	}
	line(map[string]any{"result": out})
	return written{}, nil
}

func (a *API) note(ctx context.Context, c *call, action string, detail map[string]any) error {
	return a.Auth.Note(ctx, c.who.Workspace.Key, action, "", 0, detail)
}

type localDemoIn struct {
	Body DemoOptions
}

func (a *API) localDemo(ctx context.Context, c *call, in localDemoIn) (written, error) {
	if err := c.needWorkspace(); err != nil {
		return written{}, err
	}
	if in.Body.Customers < 1 || in.Body.Customers > 5_000_000 {
		return written{}, fault.InvalidField("api.bad_parameter", "customers", nil)
	}
	if n := in.Body.OrdersPerCustomer; n != 0 && !(n >= 1 && n <= 20) {
		return written{}, fault.InvalidField("api.bad_parameter", "orders_per_customer", nil)
	}
	if err := a.note(ctx, c, "demo.load", map[string]any{"customers": in.Body.Customers}); err != nil {
		return written{}, err
	}
	return a.steps(ctx, c, func(say func(string)) (any, error) {
		return a.Operate.Demo(ctx, c.who.Workspace.Key, in.Body, say)
	})
}

type localBackupIn struct {
	Body struct {
		Path       string `json:"path"`
		Passphrase string `json:"passphrase,omitempty"`
	}
}

func (a *API) localBackup(ctx context.Context, c *call, in localBackupIn) (written, error) {
	if err := a.note(ctx, c, "instance.backup", nil); err != nil {
		return written{}, err
	}
	return a.steps(ctx, c, func(say func(string)) (any, error) {
		return a.Operate.Backup(ctx, in.Body.Path, in.Body.Passphrase, say)
	})
}

type localRebuildIn struct {
	Body struct {
		What string `json:"what" enum:"analytics,search"`
	}
}

func (a *API) localRebuild(ctx context.Context, c *call, in localRebuildIn) (written, error) {
	if err := c.needWorkspace(); err != nil {
		return written{}, err
	}
	if !strings.Contains(" analytics search ", " "+in.Body.What+" ") {
		return written{}, fault.InvalidField("api.bad_parameter", "what", nil)
	}
	if err := a.note(ctx, c, "rebuild."+in.Body.What, nil); err != nil {
		return written{}, err
	}
	return a.steps(ctx, c, func(say func(string)) (any, error) {
		return a.Operate.Rebuild(ctx, c.who.Workspace.Key, in.Body.What, say)
	})
}

func (a *API) localRecompute(ctx context.Context, c *call, _ struct{}) (written, error) {
	if err := c.needWorkspace(); err != nil {
		return written{}, err
	}
	if err := a.note(ctx, c, "trait.recompute", nil); err != nil {
		return written{}, err
	}
	return a.steps(ctx, c, func(say func(string)) (any, error) {
		return a.Operate.Recompute(ctx, c.who.Workspace.Key, say)
	})
}

func (a *API) localDoctor(ctx context.Context, c *call, _ struct{}) (Diagnosis, error) {
	if err := c.needWorkspace(); err != nil {
		return Diagnosis{}, err
	}
	return a.Operate.Doctor(ctx, c.who.Workspace.Key)
}

// needWorkspace refuses an operation on a workspace that does not exist.
func (c *call) needWorkspace() error {
	if c.ws == nil {
		return fault.New(fault.NotFound, "auth.workspace_unknown", fault.Params{"workspace": c.who.Workspace.Key})
	}
	return nil
}
