// Package ingest is the door of events over HTTP: /v1/* in the words of the Segment API, /sa of 神策 SDKs, and /v1/hook/{key} for other
// programs. It stands beside /api/v1, since those who call are sites, apps and servers with a write key, not people.
//
// The key comes by Basic (with and without the colon), as writeKey in the body, or in the address. What came is read by its first bytes;
// Content-Type is never asked. Answers: 200 with what was accepted and what was not, and why, one by one; 400 only for a body that is too
// large or no JSON, since SDKs send again, or throw away, the whole of a call that is refused; 401 for a key that is not known; 429 and
// 503 with Retry-After for "later". What was answered with 200 is durable.
//
// Browsers of any origin may call a web source unless it names its origins; a preflight, which brings no key, is answered to all.
package ingest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

// Backend is what stands behind the door.
type Backend interface {
	// Source finds the source of a write key; Unauthenticated event.key_unknown.
	Source(ctx context.Context, key string) (*event.Source, error)
	// Room is where the events of a workspace go.
	Room(ctx context.Context, workspace string) (Room, error)
}

// Room takes the events of one workspace.
type Room struct {
	Zone   *time.Location
	Intake *event.Intake
	// Onsite is a document of what a site shows to a browser, named by its anonymous id or not at all, in a language.
	Onsite func(ctx context.Context, source id.ID, browser, locale string) ([]byte, error)
}

// Words finds sentences.
type Words interface {
	Text(locale lang.Locale, key string, params map[string]any) string
}

// Config is what the door is made of.
type Config struct {
	Backend Backend
	Words   Words
	Clock   clock.Clock
	Log     *slog.Logger
	Metrics *obs.Metrics
	// Visitor names the sender of an event that names nobody and says that it keeps nothing (context.cookieless); nil where nobody can.
	Visitor func(r *http.Request, s *event.Source) string
	// Address is where a caller is, behind trusted proxies too; Secure reports whether the caller's connection is encrypted. Nil for what the
	// connection itself says.
	Address func(r *http.Request) netip.Addr
	Secure  func(r *http.Request) bool
	// Locate says in which country and region an address is; nil where nobody can.
	Locate func(netip.Addr) (country, region string)
}

// Limits of what may be under way.
const (
	maxBody  = 4 * event.MaxBatch // base64 in a form is longer than what it holds
	maxBytes = 64 << 20           // of all bodies that are read or wait to be durable
	retryIn  = "1"
)

// Door is the handler.
type Door struct {
	Config
	mux   *http.ServeMux
	bytes atomic.Int64

	mu     sync.Mutex
	limits map[id.ID]*limit
}

type limit struct {
	*rate.Limiter
	perSecond int
}

// Paths are the addresses that belong to the door.
func Paths() []string { return []string{"/v1/", "/sa", "/sa.gif"} }

// New makes the door.
func New(c Config) *Door {
	d := &Door{Config: c, mux: http.NewServeMux(), limits: map[id.ID]*limit{}}
	if d.Address == nil {
		d.Address = func(r *http.Request) netip.Addr {
			ap, _ := netip.ParseAddrPort(r.RemoteAddr) // none: nowhere
			return ap.Addr().Unmap()
		}
	}
	if d.Secure == nil {
		d.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	d.mux.HandleFunc("POST /v1/{call}", d.wrap("/v1/{call}", d.segment))
	d.mux.HandleFunc("GET /v1/pixel/{call}", d.wrap("/v1/pixel/{call}", d.pixel))
	d.mux.HandleFunc("POST /v1/hook/{key}", d.wrap("/v1/hook", d.hook))
	d.mux.HandleFunc("GET /v1/onsite/{key}", d.wrap("/v1/onsite", d.onsite))
	d.mux.HandleFunc("GET /v1/projects/{key}/settings", d.wrap("/v1/projects", d.settings))
	for _, path := range []string{"/sa", "/sa.gif"} {
		d.mux.HandleFunc("POST "+path, d.wrap("/sa", d.sensors))
		d.mux.HandleFunc("GET "+path, d.wrap("/sa", d.sensors))
	}
	d.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.answer(w, r, fault.New(fault.NotFound, "event.call_unknown", nil))
	})
	return d
}

// ServeHTTP answers preflights, and lets pages of other origins read what is answered to them.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true") // a beacon is sent with whatever the page has; nothing of it is read
		h.Set("Access-Control-Expose-Headers", "Retry-After")
	}
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "authorization, content-type, content-encoding, x-retry-count, x-requested-with")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	d.mux.ServeHTTP(w, r)
}

// call is one request that has been let in.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	body []byte
	gif  bool
}

// wrap reads the body within the bounds of what may be under way, and turns an error into an answer.
func (d *Door) wrap(route string, fn func(c *call) (*outcome, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := d.Clock.Now()
		done := d.Metrics.Started()
		status := http.StatusOK
		defer func() { done(r.Method, route, status, d.Clock.Now().Sub(start)) }()
		size := r.ContentLength
		if size < 0 {
			size = event.MaxBatch
		}
		size = min(size, maxBody) + 4096
		if d.bytes.Add(size) > maxBytes {
			d.bytes.Add(-size)
			status = d.answer(w, r, fault.New(fault.Unavailable, "event.busy", nil))
			return
		}
		defer d.bytes.Add(-size)
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(30 * time.Second))
		_ = rc.SetWriteDeadline(time.Now().Add(60 * time.Second))
		c := &call{w: w, r: r}
		var err error
		if c.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil {
			status = d.answer(w, r, event.Unparseable())
			return
		}
		if len(c.body) > maxBody {
			status = d.answer(w, r, event.Oversize(event.MaxBatch))
			return
		}
		out, err := fn(c)
		switch {
		case err != nil:
			status = d.answer(w, r, err)
		case out == nil: // it has answered itself
		case c.gif:
			w.Header().Set("Content-Type", "image/gif")
			_, _ = w.Write(pixel)
		default:
			d.show(c, out)
		}
	}
}

// pixel is a transparent picture of one point.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// outcome is what became of the items of a call.
type outcome struct {
	items   []event.Item
	results []event.Result
}

func (d *Door) segment(c *call) (*outcome, error) {
	name := c.r.PathValue("call")
	if _, known := event.Call(name); !known {
		return nil, fault.New(fault.NotFound, "event.call_unknown", nil)
	}
	body, err := event.Unzip(c.body, event.MaxBatch)
	if err != nil {
		return nil, err
	}
	key := basic(c.r)
	for _, other := range []func() string{func() string { return event.KeyIn(body) }, func() string { return c.r.URL.Query().Get("writeKey") }} {
		if key == "" {
			key = other()
		}
	}
	return d.take(c, key, func(dl *event.Delivery) ([]event.Item, error) { return event.Segment(name, body, dl) })
}

// pixel takes one call of the Segment API out of an address: data holds its JSON in base64.
func (d *Door) pixel(c *call) (*outcome, error) {
	c.gif = true
	name := c.r.PathValue("call")
	if kind, known := event.Call(name); !known || kind == "" {
		return nil, fault.New(fault.NotFound, "event.call_unknown", nil)
	}
	q := c.r.URL.Query()
	text := strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(q.Get("data"))
	body, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, event.Unparseable()
	}
	key := q.Get("writeKey")
	if key == "" {
		key = event.KeyIn(body)
	}
	return d.take(c, key, func(dl *event.Delivery) ([]event.Item, error) { return event.Segment(name, body, dl) })
}

func (d *Door) sensors(c *call) (*outcome, error) {
	c.gif = c.r.Method == http.MethodGet
	form := c.r.URL.Query()
	body, err := event.Unzip(c.body, maxBody)
	if err != nil {
		return nil, err
	}
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] != '{' && body[0] != '[' {
		posted, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, event.Unparseable()
		}
		for name, v := range posted {
			form[name] = v
		}
	}
	key := basic(c.r)
	for _, name := range []string{"token", "key", "writeKey", "project"} {
		if v := form.Get(name); key == "" && (name != "project" || strings.HasPrefix(v, event.KeyPrefix)) {
			key = v
		}
	}
	return d.take(c, key, func(dl *event.Delivery) ([]event.Item, error) { return event.Sensors(form, body, dl) })
}

func (d *Door) hook(c *call) (*outcome, error) {
	body, err := event.Unzip(c.body, event.MaxBatch)
	if err != nil {
		return nil, err
	}
	source, err := d.source(c, c.r.PathValue("key"))
	if err != nil {
		return nil, err
	}
	if source.Mapping == nil {
		return nil, fault.New(fault.Invalid, "event.no_mapping", nil)
	}
	return d.deliver(c, source, func(dl *event.Delivery) ([]event.Item, error) { return event.Hook(source.Mapping, body, dl) })
}

// settings are what analytics-next asks for before it sends.
func (d *Door) settings(c *call) (*outcome, error) {
	key := c.r.PathValue("key")
	if _, err := d.source(c, key); err != nil {
		return nil, err
	}
	protocol := "http"
	if d.Secure(c.r) {
		protocol = "https"
	}
	c.w.Header().Set("Content-Type", "application/json")
	return nil, json.NewEncoder(c.w).Encode(map[string]any{"plan": map[string]any{}, "integrations": map[string]any{
		"Segment.io": map[string]any{"apiKey": key, "apiHost": c.r.Host + "/v1", "protocol": protocol, "unbundledIntegrations": []string{}}}})
}

// onsiteFor is how long a browser may keep what it is to show.
const onsiteFor = "private, max-age=60"

// onsite is what a website shows to its visitor.
func (d *Door) onsite(c *call) (*outcome, error) {
	source, err := d.source(c, c.r.PathValue("key"))
	if err != nil {
		return nil, err
	}
	if source.Type != event.Web {
		return nil, fault.New(fault.NotFound, "event.call_unknown", nil)
	}
	if err := d.admit(source, 1); err != nil {
		return nil, err
	}
	room, err := d.Backend.Room(c.r.Context(), source.Workspace)
	if err != nil {
		return nil, err
	}
	q := c.r.URL.Query()
	body, err := room.Onsite(c.r.Context(), source.ID, q.Get("id"), q.Get("lang"))
	if err != nil {
		return nil, err
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Cache-Control", onsiteFor)
	_, err = c.w.Write(body)
	return nil, err
}

func (d *Door) take(c *call, key string, decode func(*event.Delivery) ([]event.Item, error)) (*outcome, error) {
	source, err := d.source(c, key)
	if err != nil {
		return nil, err
	}
	return d.deliver(c, source, decode)
}

// source finds out by whose key the call came, and whether it may.
func (d *Door) source(c *call, key string) (*event.Source, error) {
	if key == "" {
		return nil, fault.New(fault.Unauthenticated, "event.key_missing", nil)
	}
	source, err := d.Backend.Source(c.r.Context(), key)
	if err != nil {
		return nil, err
	}
	if !source.Enabled {
		return nil, fault.New(fault.Unauthenticated, "event.source_disabled", nil)
	}
	if origin := c.r.Header.Get("Origin"); origin != "" && source.Type == event.Web && !source.Allows(origin) {
		return nil, fault.New(fault.Forbidden, "event.origin_refused", nil)
	}
	return source, nil
}

func (d *Door) deliver(c *call, source *event.Source, decode func(*event.Delivery) ([]event.Item, error)) (*outcome, error) {
	ctx := c.r.Context()
	room, err := d.Backend.Room(ctx, source.Workspace)
	if err != nil {
		return nil, err
	}
	dl := &event.Delivery{Source: source.ID, ReceivedAt: d.Clock.Now(), Zone: room.Zone, Consent: source.Consent}
	if source.Type == event.Web || c.r.Header.Get("Origin") != "" {
		dl.UserAgent, dl.Own = c.r.UserAgent(), true
	}
	if !source.Unlocated {
		dl.Address, dl.Locate = d.Address(c.r), d.Locate
	}
	if d.Visitor != nil {
		dl.Visitor = func() string { return d.Visitor(c.r, source) }
	}
	items, err := decode(dl)
	if err != nil {
		return nil, err
	}
	if err := d.admit(source, len(items)); err != nil {
		return nil, err
	}
	results, err := room.Intake.Take(ctx, source.ID, items)
	if err != nil {
		return nil, err
	}
	return &outcome{items, results}, nil
}

// admit keeps a source to its rate.
func (d *Door) admit(s *event.Source, n int) error {
	per := s.Rate()
	d.mu.Lock()
	l := d.limits[s.ID]
	if l == nil || l.perSecond != per {
		l = &limit{rate.NewLimiter(rate.Limit(per), max(per, event.MaxEvents)), per}
		d.limits[s.ID] = l
	}
	d.mu.Unlock()
	if l.AllowN(d.Clock.Now(), n) {
		return nil
	}
	return fault.New(fault.RateLimited, "event.too_fast", fault.Params{"limit": per, "retry_after": n/per + 1})
}

// basic is the key of a Basic header: the name, with or without colon and password behind it.
func basic(r *http.Request) string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "basic") {
		return ""
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(rest), "="))
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(string(raw), ":")
	return name
}

// rejection is one event that was not accepted, as the answer says it.
type rejection struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId,omitempty"`
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	Message   string `json:"message"`
}

type answer struct {
	Success   bool        `json:"success"`
	Accepted  int         `json:"accepted"`
	Duplicate int         `json:"duplicate,omitempty"`
	Rejected  []rejection `json:"rejected"`
}

func (d *Door) show(c *call, out *outcome) {
	a := answer{Success: true, Rejected: []rejection{}}
	for i, r := range out.results {
		if r.Fault != nil {
			a.Rejected = append(a.Rejected, rejection{Index: i, MessageID: out.items[i].Event.MessageID, Code: r.Fault.Code, Field: r.Fault.Field, Message: d.words(c.r, r.Fault)})
			continue
		}
		a.Accepted++
		if r.State == model.Duplicate {
			a.Duplicate++
		}
	}
	c.w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(c.w).Encode(a)
}

func (d *Door) words(r *http.Request, f *fault.Fault) string {
	locale := lang.Locale("en")
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "zh") {
		locale = "zh-CN"
	}
	return d.Words.Text(locale, f.Code, f.Params)
}

// answer says why a whole call was refused.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, err error) (status int) {
	f, ok := fault.Find(err)
	if !ok {
		f = fault.Wrap(fault.Unavailable, "event.busy", err)
	}
	h := w.Header()
	switch f.Kind {
	case fault.Invalid:
		status = http.StatusBadRequest
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Unauthenticated:
		status = http.StatusUnauthorized
	case fault.Forbidden:
		status = http.StatusForbidden
		h.Del("Access-Control-Allow-Origin")
	case fault.RateLimited:
		status = http.StatusTooManyRequests
		after, _ := f.Params["retry_after"].(int)
		h.Set("Retry-After", strconv.Itoa(max(after, 1)))
	default: // whatever it is, the events are with the client and come again
		status = http.StatusServiceUnavailable
		h.Set("Retry-After", retryIn)
		if !errors.Is(err, context.Canceled) && f.Code != "event.busy" {
			d.Log.Error("events were not accepted", "code", f.Code, "error", err)
		}
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"success": false, "code": f.Code, "field": f.Field, "message": d.words(r, f)})
	return status
}
