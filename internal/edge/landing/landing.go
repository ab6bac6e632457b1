// Package landing is the public pages on which people become customers: /f/{workspace}.{key} shows a form, takes what is sent and thanks for it.
//
// The pages are whole without a script, in Chinese or English as the browser asks for (?lang= says otherwise), and load nothing from elsewhere: their policy of
// content allows their own style alone. A site that the form names may show them in a frame. What is sent is bounded, and so is how often anybody sends.
package landing

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
)

// Path is where the pages live.
const Path = "/f/"

// Room is a workspace.
type Room struct {
	Name   string
	Locale string
	Forms  *form.Service
}

// Backend finds workspaces; NotFound for one that is not there.
type Backend interface {
	Room(ctx context.Context, workspace string) (Room, error)
}

// Words finds sentences.
type Words interface {
	Text(locale lang.Locale, key string, params map[string]any) string
}

// Config is what the pages are made of.
type Config struct {
	Backend Backend
	Words   Words
	Clock   clock.Clock
	Log     *slog.Logger
	// Address is where a caller is, Base the address under which he called us.
	Address func(r *http.Request) string
	Base    func(r *http.Request) string
	// Sends bounds what one address sends; zero for the default.
	Sends rate.Limit
}

// Bounds.
const (
	maxBody   = 64 << 10
	maxValue  = 4000
	looks     = rate.Limit(10)
	looksOnce = 60
	sends     = rate.Limit(0.5) // many people of one shop share an address
	sendsOnce = 20
	maxKnown  = 20_000
)

// Handler serves the pages.
type Handler struct {
	Config
	mux *http.ServeMux

	mu    sync.Mutex
	known map[string]*rate.Limiter
}

// New makes one.
func New(c Config) *Handler {
	if c.Sends == 0 {
		c.Sends = sends
	}
	h := &Handler{Config: c, mux: http.NewServeMux(), known: map[string]*rate.Limiter{}}
	h.mux.HandleFunc("GET "+Path+"{key}", h.show)
	h.mux.HandleFunc("POST "+Path+"{key}", h.take)
	h.mux.HandleFunc("GET "+Path+"{key}/thanks", h.thanks)
	h.mux.HandleFunc(Path, func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, fault.New(fault.NotFound, "form.not_found", nil))
	})
	return h
}

// ServeHTTP serves.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex")
	policy(w, nil, "")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody) // whatever is asked: the language is read from a body too
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(30 * time.Second))
	_ = rc.SetWriteDeadline(time.Now().Add(30 * time.Second))
	h.mux.ServeHTTP(w, r)
}

//go:embed page.css
var style string

//go:embed page.html
var pages string

var (
	templates = template.Must(template.New("pages").Parse(pages))
	styleHash = func() string {
		sum := sha256.Sum256([]byte(style))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}()
)

// policy says what a page may do. Whoever sent a form is led on to the thanks that it names, which browsers count as a part of sending.
func policy(w http.ResponseWriter, origins []string, thanks string) {
	frames, forms := "'none'", "'self'"
	if len(origins) > 0 {
		frames = strings.Join(origins, " ")
		w.Header().Del("X-Frame-Options")
	}
	if u, err := url.Parse(thanks); err == nil && u.Host != "" {
		forms += " " + u.Scheme + "://" + u.Host
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; img-src 'self'; base-uri 'none'; form-action "+forms+"; frame-ancestors "+frames)
}

// admit bounds how often an address asks.
func (h *Handler) admit(r *http.Request, kind string, limit rate.Limit, once int) bool {
	key := kind + h.Address(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.known[key]
	if l == nil {
		if len(h.known) >= maxKnown {
			clear(h.known)
		}
		l = rate.NewLimiter(limit, once)
		h.known[key] = l
	}
	return l.AllowN(h.Clock.Now(), 1)
}

// seen is a request on its way.
type seen struct {
	room   Room
	key    string
	locale string
}

func (h *Handler) open(r *http.Request) (seen, error) {
	workspace, key, _ := strings.Cut(r.PathValue("key"), ".")
	room, err := h.Backend.Room(r.Context(), workspace)
	if err != nil {
		return seen{}, err
	}
	return seen{room, key, localeOf(r, room.Locale)}, nil
}

func localeOf(r *http.Request, fallback string) string {
	if v := r.FormValue("lang"); v == string(lang.ChineseSimplified) || v == string(lang.English) {
		return v
	}
	return string(lang.Match(r.Header.Get("Accept-Language"), lang.Locale(fallback)))
}

// input is a field as the page draws it.
type input struct {
	form.Entry
	Name, Label, Help, Kind, Mode, Auto string
	Value                               string
	Values                              map[string]bool
	Choices                             []choice
	Error                               string
}

type choice struct{ Key, Label string }

// box is a consent as the page draws it.
type box struct {
	Name, Text string
	Required   bool
	On         bool
	Error      string
}

// shown is what the templates draw.
type shown struct {
	h                                                      *Handler
	Style                                                  template.CSS
	Locale, Workspace, Title, Text, Button, Error, Privacy string
	Action, Other, OtherName                               string
	Inputs                                                 []input
	Boxes                                                  []box
	Hidden                                                 [][2]string
	Confirm                                                bool
}

// Say is a sentence of the page.
func (s *shown) Say(key string) string {
	return s.h.Words.Text(lang.Locale(s.Locale), "form.page_"+key, nil)
}

func (h *Handler) show(w http.ResponseWriter, r *http.Request) {
	if !h.admit(r, "look:", looks, looksOnce) {
		h.fail(w, r, fault.New(fault.RateLimited, "form.too_many_calls", nil))
		return
	}
	s, err := h.open(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	count := r.Method == http.MethodGet && !event.Robot(r.UserAgent())
	p, err := s.room.Forms.View(r.Context(), s.key, s.locale, q.Get("c"), count)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	ref := r.Referer()
	if strings.HasPrefix(ref, h.Base(r)+"/") {
		ref = ""
	}
	from := url.Values{"c": {q.Get("c")}, "ref": {ref}}
	for _, name := range traces {
		from.Set(name, q.Get(name))
	}
	h.draw(w, r, &s, &p, from, nil)
}

// traces are the parameters that say where somebody comes from.
var traces = []string{"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"}

// The names of fields of a page.
const (
	fieldName = "f_"
	boxName   = "c_"
	trapName  = "more_2" // no person sees it, and browsers know no value for the name
)

// draw writes the page of a form, with what was written and what needs a change.
func (h *Handler) draw(w http.ResponseWriter, r *http.Request, s *seen, p *form.Page, from url.Values, bad form.Faulty) {
	plan := &p.Form.Plan
	policy(w, plan.Origins, plan.ThanksURL)
	v := &shown{h: h, Style: template.CSS(style), Locale: p.Locale, Workspace: s.room.Name, Title: p.Words.Title, Text: p.Words.Text, Button: p.Words.Button, Privacy: plan.Privacy, Action: Path + r.PathValue("key")} //nolint:gosec // ours
	if v.Button == "" {
		v.Button = v.Say("send")
	}
	say := func(err error) string {
		if err == nil {
			return ""
		}
		f, ok := fault.Find(err)
		if !ok {
			return v.Say("wrong")
		}
		return h.Words.Text(lang.Locale(v.Locale), f.Code, f.Params)
	}
	v.Error = say(bad[""])
	for _, other := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		if _, ok := plan.Words[string(other)]; ok && string(other) != v.Locale {
			q := url.Values{"lang": {string(other)}}
			for _, name := range append(slices.Clone(traces), "c") {
				if x := from.Get(name); x != "" {
					q.Set(name, x)
				}
			}
			v.Other, v.OtherName = v.Action+"?"+q.Encode(), v.Say("lang_"+string(other))
		}
	}
	for _, x := range p.Inputs {
		v.Inputs = append(v.Inputs, h.input(x, v.Locale, from, say(bad[x.Key])))
	}
	for _, x := range p.Consents {
		text := x.Text.In(lang.Locale(v.Locale))
		v.Boxes = append(v.Boxes, box{Name: boxName + x.Key, Text: text, Required: x.Required, On: from.Get(boxName+x.Key) != "", Error: say(bad["consent:"+x.Key])})
	}
	v.Hidden = [][2]string{{"token", p.Token}, {"lang", v.Locale}}
	for _, name := range append(slices.Clone(traces), "c", "ref") {
		if x := from.Get(name); x != "" && len(x) <= maxValue {
			v.Hidden = append(v.Hidden, [2]string{name, x})
		}
	}
	status := http.StatusOK
	if len(bad) > 0 {
		status = http.StatusUnprocessableEntity
	}
	h.write(w, "form", v, status)
}

func (h *Handler) input(x form.Entry, locale string, from url.Values, bad string) input {
	loc := lang.Locale(locale)
	in := input{Entry: x, Name: fieldName + x.Key, Label: x.Own, Help: x.Help.In(loc), Kind: "text", Value: from.Get(fieldName + x.Key), Values: map[string]bool{}, Error: bad}
	if in.Label == "" {
		in.Label = x.Label.In(loc)
	}
	for _, v := range from[in.Name] {
		in.Values[v] = true
	}
	for _, o := range x.Options {
		in.Choices = append(in.Choices, choice{o.Key, o.Label.In(loc)})
	}
	switch x.Type {
	case "phone":
		in.Kind, in.Auto, in.Mode = "tel", "tel", "tel"
	case "email":
		in.Kind, in.Auto, in.Mode = "email", "email", "email"
	case "url":
		in.Kind, in.Auto, in.Mode = "url", "url", "url"
	case "date", "birthday":
		in.Kind, in.Help = "date", ""
	case "number":
		in.Mode = "decimal"
	case "long_text":
		in.Kind = "area"
	case "choice":
		in.Kind = "choice"
	case "multi_choice":
		in.Kind = "choices"
	case "bool":
		in.Kind = "switch"
	}
	switch x.Key {
	case "name":
		in.Auto = "name"
	case "birthday":
		in.Auto = "bday"
	case "country":
		in.Auto = "country-name"
	}
	return in
}

func (h *Handler) take(w http.ResponseWriter, r *http.Request) {
	if !h.admit(r, "send:", h.Sends, max(sendsOnce, int(h.Sends))) {
		h.fail(w, r, fault.New(fault.RateLimited, "form.too_many_calls", nil))
		return
	}
	if err := r.ParseForm(); err != nil {
		h.fail(w, r, fault.New(fault.Invalid, "form.unreadable", nil))
		return
	}
	s, err := h.open(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	got := r.PostForm
	in := form.Sent{Token: got.Get("token"), Fields: map[string][]string{}, Agreed: map[string]bool{}, Code: got.Get("c"), Locale: s.locale, Page: h.Base(r) + Path + r.PathValue("key"), Trapped: got.Get(trapName) != "",
		Trace: form.Trace{Source: got.Get("utm_source"), Medium: got.Get("utm_medium"), Campaign: got.Get("utm_campaign"), Term: got.Get("utm_term"), Content: got.Get("utm_content"), Referrer: got.Get("ref")}}
	for name, list := range got {
		if key, ok := strings.CutPrefix(name, fieldName); ok && !slices.ContainsFunc(list, func(v string) bool { return len(v) > maxValue }) {
			in.Fields[key] = list
		}
		if key, ok := strings.CutPrefix(name, boxName); ok {
			in.Agreed[key] = true
		}
	}
	done, err := s.room.Forms.Submit(r.Context(), s.key, in)
	var bad form.Faulty
	if errors.As(err, &bad) {
		p, err := s.room.Forms.View(r.Context(), s.key, s.locale, in.Code, false)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if f, ok := fault.Find(bad[""]); !ok || f.Code != "form.page_old" {
			p.Token = in.Token // so that it is the same submission, and nobody waits again
		}
		h.draw(w, r, &s, &p, got, bad)
		return
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	to := done.URL
	if to == "" {
		q := url.Values{"lang": {s.locale}}
		if done.Confirm {
			q.Set("mail", "1")
		}
		to = Path + r.PathValue("key") + "/thanks?" + q.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (h *Handler) thanks(w http.ResponseWriter, r *http.Request) {
	s, err := h.open(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p, err := s.room.Forms.View(r.Context(), s.key, s.locale, "", false)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	policy(w, p.Form.Plan.Origins, "")
	v := &shown{h: h, Style: template.CSS(style), Locale: p.Locale, Workspace: s.room.Name, Title: p.Words.Title, Text: p.Words.Thanks, Confirm: r.URL.Query().Get("mail") != ""} //nolint:gosec // ours
	if v.Text == "" {
		v.Text = v.Say("thanks")
	}
	h.write(w, "thanks", v, http.StatusOK)
}

// fail says what is wrong, and no more than that.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, code := http.StatusInternalServerError, "form.page_broken"
	var f *fault.Fault
	if found, ok := fault.Find(err); ok {
		f = found
	}
	if f != nil {
		switch f.Kind {
		case fault.NotFound:
			status, code = http.StatusNotFound, "form.page_gone"
		case fault.RateLimited:
			status, code = http.StatusTooManyRequests, f.Code
			w.Header().Set("Retry-After", "10")
		case fault.Invalid:
			status, code = http.StatusBadRequest, f.Code
		case fault.Unavailable:
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", "10")
		}
	}
	if status >= http.StatusInternalServerError {
		h.Log.ErrorContext(r.Context(), "form", "error", err)
	}
	locale := localeOf(r, string(lang.ChineseSimplified))
	v := &shown{h: h, Style: template.CSS(style), Locale: locale} //nolint:gosec // ours
	v.Title = h.Words.Text(lang.Locale(locale), code, nil)
	h.write(w, "thanks", v, status)
}

func (h *Handler) write(w http.ResponseWriter, name string, v *shown, status int) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, v); err != nil {
		h.Log.Error("draw a form", "error", err)
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}
