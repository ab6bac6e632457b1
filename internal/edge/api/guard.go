package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"golang.org/x/time/rate"
)

const (
	cookieName       = "guanxi_session"
	secureCookieName = "__Host-guanxi_session"
)

// identify finds out who calls. A request of the local socket is the administrator of this machine.
func (a *API) identify(ctx context.Context, c *call, rt *route) error {
	c.token = sessionToken(c.r)
	if rt.need == open {
		if !safe(c.r.Method) {
			if err := a.origin.Check(c.r); err != nil {
				return fault.New(fault.Forbidden, "api.cross_origin", nil)
			}
		}
		return a.limits.allow("addr:"+c.address, a.Rates.Anonymous)
	}
	bearer, isKey := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if ws, ok := ctx.Value(localKey{}).(string); ok && !isKey { // who shows a key wants the rights of the key
		return a.identifyLocal(ctx, c, rt, ws)
	}
	var err error
	switch {
	case isKey:
		c.token = ""
		c.who, err = a.Auth.AuthenticateKey(ctx, strings.TrimSpace(bearer))
	case c.token != "":
		c.who, err = a.Auth.Authenticate(ctx, c.token, c.r.Header.Get("X-Workspace"))
	default:
		err = fault.New(fault.Unauthenticated, "auth.not_signed_in", nil)
	}
	if err != nil {
		if fault.KindOf(err) == fault.Unauthenticated {
			if limited := a.limits.allow("addr:"+c.address, a.Rates.Anonymous); limited != nil {
				return limited
			}
		}
		return err
	}
	c.locale = acceptLanguage(c.r, c.who.Actor.Locale)
	if isKey {
		return a.limits.allow("key:"+id.Format(auth.KeyPrefix, c.who.Key.ID), a.Rates.SignedIn)
	}
	return a.limits.allow("user:"+c.who.Session, a.Rates.SignedIn)
}

func (a *API) identifyLocal(ctx context.Context, c *call, rt *route, workspace string) error {
	if h := c.r.Header.Get("X-Workspace"); h != "" {
		workspace = h
	}
	if workspace == "" {
		workspace = "main"
	}
	w, err := a.Auth.Workspace(ctx, workspace)
	if fault.KindOf(err) == fault.NotFound && rt.need == owner {
		w, err = auth.Workspace{}, nil // before the first run there is none
	}
	if err != nil {
		return err
	}
	c.local, c.token = true, ""
	c.locale = acceptLanguage(c.r, w.Locale)
	c.who = auth.Identity{Workspace: w, Actor: access.Actor{Kind: access.ByCLI, Name: "command line", Role: access.Administrator, Locale: c.locale}}
	return nil
}

// meant checks that a session's write was meant, and that the session has come far enough.
func (a *API) meant(c *call, rt *route) error {
	if rt.need == open {
		return nil
	}
	if c.token != "" && !safe(c.r.Method) {
		if err := a.origin.Check(c.r); err != nil {
			return fault.New(fault.Forbidden, "api.cross_origin", nil)
		}
		if !auth.CheckCSRF(c.token, c.r.Header.Get("X-CSRF-Token")) {
			return fault.New(fault.Forbidden, "api.csrf", nil)
		}
	}
	if c.who.Stage != auth.Full && !slices.Contains(rt.stages, c.who.Stage) {
		return fault.New(fault.Forbidden, "auth.step_pending", nil)
	}
	return nil
}

// lend lets a key with the scope "act" call a route as the person who made it, with that person's rights of the moment, where the key alone
// may not: to answer what that person is asked, and to speak for them. The key must hold the right of the route besides.
func (a *API) lend(ctx context.Context, c *call, rt *route) error {
	who := c.who.Actor
	if !rt.acts || who.Kind != access.ByKey || !who.ActsForMaker() || rt.need == right && !who.Can(rt.right) {
		return nil
	}
	maker, err := a.Auth.Present(ctx, c.who.Workspace.Key, access.ByUser, c.who.Key.CreatedBy)
	if err != nil {
		return err
	}
	maker.Person = maker.ID
	if !maker.Role.Known() {
		ws, err := a.Workspaces.Open(ctx, c.who.Workspace.Key)
		if err != nil {
			return err
		}
		if maker, err = ws.Rights.Resolve(ctx, maker); err != nil {
			return err
		}
	}
	if !safe(rt.method) {
		if err := a.Auth.Note(access.With(ctx, who), c.who.Workspace.Key, "apikey.act", "", 0, map[string]any{"route": rt.method + " " + rt.path, "user": id.Format(auth.UserPrefix, maker.ID)}); err != nil {
			return err
		}
	}
	c.who.Actor = maker
	return nil
}

// admit checks that the actor holds the right.
func (a *API) admit(c *call, rt *route) error {
	switch rt.need {
	case right:
		if rt.right == "" || !c.who.Actor.Can(rt.right) {
			a.refused(c, rt)
			return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(rt.right)})
		}
	case person:
		if c.who.Actor.Kind != access.ByUser {
			return fault.New(fault.Forbidden, "auth.people_only", nil)
		}
	case owner:
		if !c.local {
			return fault.New(fault.Forbidden, "auth.owner_only", nil)
		}
	case signedIn, open:
	}
	return nil
}

// refused leaves a refusal in the trail, at most one a second for each caller.
func (a *API) refused(c *call, rt *route) {
	if a.limits.allow("refused:"+string(c.who.Actor.Kind)+id.Format("a", c.who.Actor.ID), Rate{PerSecond: 1, Burst: 5}) != nil {
		return
	}
	ctx := access.With(c.r.Context(), c.who.Actor)
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "access.refused", "", 0, map[string]any{"route": rt.method + " " + rt.path, "right": string(rt.right)}); err != nil {
		a.Log.ErrorContext(ctx, "audit trail", "error", err)
	}
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func sessionToken(r *http.Request) string {
	for _, name := range []string{secureCookieName, cookieName} {
		if k, err := r.Cookie(name); err == nil {
			return k.Value
		}
	}
	return ""
}

// setSession hands a session to the browser; over TLS under a name that binds it to this host.
func (a *API) setSession(c *call, token string, expires time.Time) {
	k := &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: expires}
	if a.https(c.r) {
		k.Name, k.Secure = secureCookieName, true
	}
	http.SetCookie(c.w, k)
}

func (a *API) clearSession(c *call) {
	for _, name := range []string{cookieName, secureCookieName} {
		http.SetCookie(c.w, &http.Cookie{Name: name, Path: "/", HttpOnly: true, Secure: name == secureCookieName, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	}
}

// acceptLanguage chooses among the languages there are: the header's first that is known, else the fallback, else zh-CN.
func acceptLanguage(r *http.Request, fallback string) string {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		switch base {
		case "zh":
			return "zh-CN"
		case "en":
			return "en"
		}
	}
	if fallback != "" {
		return fallback
	}
	return "zh-CN"
}

// Rate is a token bucket: so many a second, and so many at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Rates bound how often a caller may ask.
type Rates struct {
	Anonymous Rate // per address
	SignedIn  Rate // per session or key
	Reveal    Rate // personal data in plain, per actor
}

// DefaultRates are generous for people and programs, and slow for guessing.
var DefaultRates = Rates{Anonymous: Rate{10, 60}, SignedIn: Rate{100, 400}, Reveal: Rate{0.5, 30}}

type bucket struct {
	*rate.Limiter
	last time.Time
}

// limiter holds the buckets of callers seen lately.
type limiter struct {
	mu      sync.Mutex
	clock   clock.Clock
	buckets map[string]*bucket
	swept   time.Time
}

func newLimiter(c clock.Clock) *limiter {
	return &limiter{clock: c, buckets: map[string]*bucket{}, swept: c.Now()}
}

const bucketLife = 10 * time.Minute

func (l *limiter) allow(key string, r Rate) error {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > bucketLife || len(l.buckets) > 100_000 {
		for k, b := range l.buckets {
			if now.Sub(b.last) > bucketLife {
				delete(l.buckets, k)
			}
		}
		l.swept = now
	}
	b := l.buckets[key]
	if b == nil {
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)}
		l.buckets[key] = b
	}
	b.last = now
	if b.AllowN(now, 1) {
		return nil
	}
	after := int(1/r.PerSecond) + 1
	return fault.New(fault.RateLimited, "api.too_many_requests", fault.Params{"retry_after": after})
}

// claimStale is when a request that never answered no longer holds its idempotency key.
const claimStale = 5 * time.Minute

// once runs a POST at most once per key and caller within 24 hours and repeats its answer afterwards.
func (a *API) once(ctx context.Context, c *call, rt *route, key string, limit int64) error {
	if len(key) > 200 {
		return fault.InvalidField("api.bad_parameter", "Idempotency-Key", nil)
	}
	digest := sha256.New()
	digest.Write([]byte(c.r.Method + " " + c.r.URL.Path + "\n"))
	if !rt.stream {
		raw, err := c.readBody(limit)
		if err != nil {
			return err
		}
		digest.Write(raw)
	}
	scope := sha256.Sum256([]byte(c.who.Workspace.Key + "\n" + string(c.who.Actor.Kind) + "\n" + id.Format("a", c.who.Actor.ID) + "\n" + key))
	name, sum := hex.EncodeToString(scope[:]), hex.EncodeToString(digest.Sum(nil))
	status, body, first, err := a.Idempotency.Claim(ctx, name, sum, a.Clock.Now(), claimStale)
	if err != nil {
		return err
	}
	if !first {
		c.w.Header().Set("Idempotent-Replay", "true")
		a.write(c, status, "application/json", []byte(body))
		return nil
	}
	filled := false
	defer func() {
		if !filled {
			if err := a.Idempotency.Abandon(context.WithoutCancel(ctx), name); err != nil {
				a.Log.ErrorContext(ctx, "idempotency key not freed", "error", err)
			}
		}
	}()
	// The key stands in the transaction of the records too: a repetition after a crash, when no answer was kept, finds it there.
	out, err := rt.run.serve(record.Once(ctx, name+"/"+sum), c, limit)
	if err != nil {
		return err
	}
	var raw []byte
	if _, ok := out.(empty); !ok {
		if raw, err = encode(out); err != nil {
			return err
		}
	}
	// It is done, whatever becomes of the answer's copy: the key stays taken, so that a repetition does not do it twice.
	if err := a.Idempotency.Fill(context.WithoutCancel(ctx), name, rt.success(out), string(raw)); err != nil {
		a.Log.ErrorContext(ctx, "answer of an idempotent request not kept", "error", err)
	}
	filled = true
	return a.answer(c, rt, out)
}

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := a.Ready(r.Context()); err != nil {
		a.Log.WarnContext(r.Context(), "not ready", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("not ready\n"))
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

// metrics are for a holder of the token, or without one for callers on this machine that no proxy brought.
func (a *API) metrics(w http.ResponseWriter, r *http.Request) {
	ok := false
	if a.MetricsToken != "" {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		ok = subtle.ConstantTimeCompare([]byte(given), []byte(a.MetricsToken)) == 1
	} else {
		p := peer(r)
		ok = (!p.IsValid() || p.IsLoopback()) && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
	}
	if !ok {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	a.Metrics.Handler().ServeHTTP(w, r)
}

// positions remembers where callers' last writes stand in the change log, for a few seconds.
type positions struct {
	mu    sync.Mutex
	marks map[string]mark
}

type mark struct {
	at time.Time
	p  change.Position
}

// markLife is how long a write is waited for; the mirror is normally far quicker.
const markLife = 10 * time.Second

func (s *positions) put(key string, p change.Position, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marks == nil || len(s.marks) > 10_000 {
		s.marks = map[string]mark{}
	}
	s.marks[key] = mark{now, p}
}

func (s *positions) take(key string, now time.Time) (change.Position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.marks[key]
	delete(s.marks, key)
	return m.p, ok && now.Sub(m.at) < markLife
}
