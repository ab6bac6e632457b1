// Package api is the REST door: /api/v1, the health addresses and the metrics.
//
// Every operation stands in one table (routes.go) with its method, path, the right it needs and its handler, and every one
// is served by the same wrapper: request id, panic guard, authentication (session cookie, bearer key, or the local socket),
// CSRF, rate, right, idempotency, strict decoding, handler, and one function that turns faults into problem+json in the
// reader's language. Handlers are thin: they bind, call an engine, and present. The OpenAPI 3.1 document is made from the
// same table.
//
// It knows no storage; what it needs of the engines stands in ports.go.
package api

import (
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Prefix is where the operations live.
const Prefix = "/api/v1"

// Config is what the API is made of.
type Config struct {
	Auth         *auth.Service
	Workspaces   Workspaces
	Setup        Installer
	Operate      Operator
	Idempotency  Idempotency
	Words        Words
	Log          *slog.Logger
	Metrics      *obs.Metrics
	Clock        clock.Clock
	Hub          *Hub
	Web          http.Handler // everything that is not the API
	Version      string
	Ready        func(context.Context) error
	MetricsToken string
	Proxies      []netip.Prefix // whose X-Forwarded-* is believed
	PublicURL    string
	TLS          bool
	MaxUpload    int64 // bytes
	Rates        Rates // zero for the default
	// Assistant answers at AssistantPath; it calls the API as the caller (CallerFrom). Nil for none.
	Assistant http.Handler
	// Door answers at DoorPaths to sites, apps and servers that send events; it knows its callers by keys of its own. Nil for none.
	Door      http.Handler
	DoorPaths []string
	// Landing answers at LandingPath to people who become customers; told how callers are seen when the API is there. Nil for none.
	Landing     func(address, base func(*http.Request) string) http.Handler
	LandingPath string
}

// API is the handler of everything.
type API struct {
	Config
	mux       *http.ServeMux
	origin    *http.CrossOriginProtection
	limits    *limiter
	positions positions // of the callers' last writes
	table     []route
}

// New builds the handler. It fails when a route is declared wrongly.
func New(c Config) (*API, error) {
	if c.Rates == (Rates{}) {
		c.Rates = DefaultRates
	}
	a := &API{Config: c, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(), limits: newLimiter(c.Clock)}
	if c.PublicURL != "" {
		if err := a.origin.AddTrustedOrigin(strings.TrimSuffix(c.PublicURL, "/")); err != nil {
			return nil, fmt.Errorf("public url: %w", err)
		}
	}
	a.table = a.routes()
	for i := range a.table {
		r := &a.table[i]
		if r.run.serve == nil || r.doc == "" {
			return nil, fmt.Errorf("route %s %s is incomplete", r.method, r.path)
		}
		a.mux.Handle(r.method+" "+Prefix+r.path, a.wrap(r))
	}
	a.mux.Handle("/api/", a.wrap(&route{path: "/", need: open, run: a.unknown()}))
	if c.Assistant != nil {
		a.mux.Handle(AssistantPath, a.wrap(&route{path: AssistantPath, need: signedIn, run: operation{serve: a.assist}}))
	}
	for _, path := range c.DoorPaths {
		a.mux.Handle(path, c.Door)
	}
	if c.Landing != nil {
		a.mux.Handle(c.LandingPath, c.Landing(a.address, a.baseOf))
	}
	a.mux.Handle("/.well-known/", http.NotFoundHandler()) // programs look here for what is not offered; a page would mislead them
	a.mux.Handle("GET /healthz", http.HandlerFunc(a.health))
	a.mux.Handle("GET /readyz", http.HandlerFunc(a.ready))
	a.mux.Handle("GET /metrics", http.HandlerFunc(a.metrics))
	a.mux.Handle("/", c.Web)
	return a, nil
}

// need says who may call a route.
type need uint8

const (
	right    need = iota // whoever holds the route's right; the zero value denies most
	signedIn             // any user or key of the workspace
	open                 // anyone
	person               // a signed-in person: no key, no command line
	owner                // the owner of the data directory, through the socket
)

// route is one line of the table.
type route struct {
	method, path string
	need         need
	right        access.Right
	run          operation
	doc          string // summary for the OpenAPI document
	status       int    // of success; 200, or 204 for an empty answer, when 0
	large        bool   // a batch: larger body
	secret       bool   // the answer holds a secret or a person's plain data and is never stored for replay
	stream       bool   // no deadline: event streams, uploads, downloads
	acts         bool   // a key that acts in the name of its maker may call it as that person
	stages       stages // of signing in, at which it may be called besides
}

// stages are the stages of signing in that a route is for; none for most, which serve full sessions alone.
type stages []auth.Stage

var anyStage = stages{auth.OwesCode, auth.OwesPassword, auth.OwesEnrolment}

// operation is a handler with the types of its input and output.
type operation struct {
	in, out reflect.Type
	serve   func(ctx context.Context, c *call, limit int64) (any, error)
}

// written is the result of an operation that has written its answer itself.
type written struct{}

// empty is an answer without body.
type empty struct{}

// op makes an operation of a typed handler.
func op[In, Out any](fn func(context.Context, *call, In) (Out, error)) operation {
	in, out := reflect.TypeFor[In](), reflect.TypeFor[Out]()
	b := newBinder(in)
	return operation{in: in, out: out, serve: func(ctx context.Context, c *call, limit int64) (any, error) {
		v := reflect.New(in)
		if err := b.bind(c, v, limit); err != nil {
			return nil, err
		}
		return fn(ctx, c, *v.Interface().(*In))
	}}
}

// call is one request on its way through the wrapper.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	who     auth.Identity
	ws      *Workspace
	token   string // session token, "" for keys and the socket
	local   bool   // came through the local socket
	locale  string
	address string
	request string
	route   string
	body    []byte
	status  int // written
	current func(context.Context) *Record
	found   DuplicateMatches // records that speak against a write
	rules   map[id.ID]string // names of automations, nil until one is asked for
	words   Words
	files   map[id.ID]*record.FieldFile // those that values shown so far name
}

type localKey struct{}

// Local marks a context as coming from the owner of the data directory: the socket, or the program itself.
func Local(ctx context.Context, workspace string) context.Context {
	return context.WithValue(ctx, localKey{}, workspace)
}

// ServeHTTP guards and routes.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.secure(w, r)
	a.mux.ServeHTTP(w, r)
}

// secure sets the headers that every answer carries.
func (a *API) secure(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(self), payment=()")
	if a.https(r) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func (a *API) https(r *http.Request) bool { return a.Secure(r) }

// Secure reports whether the person's connection is encrypted, here or at a trusted proxy.
func (a *API) Secure(r *http.Request) bool {
	return a.TLS || r.TLS != nil || a.trusted(r) && r.Header.Get("X-Forwarded-Proto") == "https"
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

func (a *API) trusted(r *http.Request) bool {
	p := peer(r)
	for _, n := range a.Proxies {
		if p.IsValid() && n.Contains(p) {
			return true
		}
	}
	return false
}

// Caller is where the person is: the peer, or behind trusted proxies the last address that is not one of them; not valid where the connection has none.
func (a *API) Caller(r *http.Request) netip.Addr {
	p := peer(r)
	if a.trusted(r) {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			h, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			p = h.Unmap()
			if !a.isProxy(p) {
				break
			}
		}
	}
	return p
}

func (a *API) address(r *http.Request) string {
	p := a.Caller(r)
	if !p.IsValid() {
		return "local"
	}
	if p.Is6() {
		pre, _ := p.Prefix(64) // one household, one bucket
		return pre.String()
	}
	return p.String()
}

// Address is where the caller of a request is: an address, of version 6 the network of a household, or "local".
func (a *API) Address(r *http.Request) string { return a.address(r) }

func (a *API) isProxy(p netip.Addr) bool {
	for _, n := range a.Proxies {
		if n.Contains(p) {
			return true
		}
	}
	return false
}

// wrap is the one way to every operation.
func (a *API) wrap(rt *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		c := &call{w: w, r: r, words: a.Words, route: rt.path, address: a.address(r), request: obs.NewRequestID(), locale: acceptLanguage(r, "")}
		ctx := obs.WithRequestID(r.Context(), c.request)
		c.r = r.WithContext(ctx)
		w.Header().Set("X-Request-Id", c.request)
		w.Header().Set("Cache-Control", "no-store")
		done := a.Metrics.Started()
		defer func() {
			took := time.Since(start)
			done(r.Method, rt.path, c.status, took)
			a.Log.InfoContext(ctx, "request", "method", r.Method, "route", rt.path, "status", c.status, "ms", took.Milliseconds(), "actor", string(c.who.Actor.Kind))
		}()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				a.Metrics.Panicked()
				a.Log.ErrorContext(ctx, "panic", "route", rt.path, "value", fmt.Sprint(p), "stack", string(debug.Stack()))
				if c.status == 0 {
					a.fail(c, fault.New(fault.Internal, "api.internal", nil))
				}
			}
		}()
		if !rt.stream {
			rc := http.NewResponseController(w)
			_ = rc.SetReadDeadline(start.Add(time.Minute))
			_ = rc.SetWriteDeadline(start.Add(3 * time.Minute))
		}
		if err := a.serve(ctx, c, rt); err != nil {
			a.fail(c, err)
		}
	})
}

// serve authenticates, checks and runs.
func (a *API) serve(ctx context.Context, c *call, rt *route) error {
	if err := a.identify(ctx, c, rt); err != nil {
		return err
	}
	if err := a.meant(c, rt); err != nil {
		return err
	}
	var err error
	if c.who, err = a.withRights(ctx, c.who); err != nil {
		return err
	}
	if err := a.lend(ctx, c, rt); err != nil {
		return err
	}
	if err := a.admit(c, rt); err != nil {
		return err
	}
	actor := c.who.Actor
	actor.Locale = c.locale
	ctx = access.With(ctx, actor)
	if rt.need != open && c.who.Workspace.Key != "" {
		ws, err := a.Workspaces.Open(ctx, c.who.Workspace.Key)
		if err != nil {
			return err
		}
		c.ws = ws
	}
	c.r = c.r.WithContext(ctx)
	limit := int64(bodyLimit)
	if rt.large {
		limit = batchBodyLimit
	}
	if key := c.r.Header.Get("Idempotency-Key"); key != "" && rt.method == http.MethodPost && rt.need != open && !rt.secret {
		return a.once(ctx, c, rt, key, limit)
	}
	out, err := rt.run.serve(ctx, c, limit)
	if err != nil {
		return err
	}
	return a.answer(c, rt, out)
}

func (rt *route) success(out any) int {
	switch {
	case rt.status != 0:
		return rt.status
	case out == any(empty{}):
		return http.StatusNoContent
	}
	return http.StatusOK
}

// answer writes the result of an operation.
func (a *API) answer(c *call, rt *route, out any) error {
	if _, ok := out.(written); ok {
		return nil
	}
	status := rt.success(out)
	if _, ok := out.(empty); ok {
		a.write(c, status, "", nil)
		return nil
	}
	body, err := encode(out)
	if err != nil {
		return fmt.Errorf("encode answer of %s: %w", rt.path, err)
	}
	if v, ok := out.(interface{ etag() string }); ok {
		tag := v.etag()
		c.w.Header().Set("ETag", tag)
		if c.r.Method == http.MethodGet && c.r.Header.Get("If-None-Match") == tag {
			a.write(c, http.StatusNotModified, "", nil)
			return nil
		}
	}
	a.write(c, status, "application/json", body)
	return nil
}

var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return z
}}

// write sends a complete answer, compressed when it is worth it.
func (a *API) write(c *call, status int, contentType string, body []byte) {
	h := c.w.Header()
	c.status = status
	if contentType != "" {
		h.Set("Content-Type", contentType)
		h.Add("Vary", "Accept-Encoding, Accept-Language")
	}
	if len(body) < 1400 || !strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		if len(body) > 0 {
			h.Set("Content-Length", strconv.Itoa(len(body)))
		}
		c.w.WriteHeader(status)
		_, _ = c.w.Write(body)
		return
	}
	h.Set("Content-Encoding", "gzip")
	c.w.WriteHeader(status)
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(c.w)
	_, _ = z.Write(body)
	_ = z.Close()
}

// unknown answers what no route matches: 405 where another method would, else 404.
func (a *API) unknown() operation {
	return operation{serve: func(_ context.Context, c *call, _ int64) (any, error) {
		var allow []string
		for _, m := range []string{get, post, patch, del} {
			r := c.r.Clone(c.r.Context())
			r.Method = m
			if _, pattern := a.mux.Handler(r); m != c.r.Method && strings.HasPrefix(pattern, m+" ") {
				allow = append(allow, m)
			}
		}
		if allow == nil {
			return nil, fault.New(fault.NotFound, "api.no_such_address", nil)
		}
		c.w.Header().Set("Allow", strings.Join(allow, ", "))
		return nil, fault.New(fault.Invalid, "api.method", nil)
	}}
}
