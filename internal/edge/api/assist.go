package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// AssistantPath is where assistants speak the Model Context Protocol.
const AssistantPath = "/mcp"

// Caller sends requests to the API as whoever a request came from: same credentials, same address, same language. Each one
// goes through the whole wrapper, so that rights, rates and trail are those of any other request.
type Caller struct {
	api    http.Handler
	r      *http.Request
	locale string
}

type callerKey struct{}

// CallerFrom finds who a request to AssistantPath came from; nil when the context is of none.
func CallerFrom(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// Locale is the language of the answers.
func (k *Caller) Locale() string { return k.locale }

// carried are the headers that say who asks and from where.
var carried = [...]string{"Authorization", "X-Workspace", "X-Forwarded-For", "X-Forwarded-Proto", "User-Agent"}

// Do answers a request of the API; the address of r begins with Prefix.
func (k *Caller) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, name := range carried {
		if v := k.r.Header.Values(name); v != nil {
			r.Header[name] = v
		}
	}
	r.Header.Set("Accept-Language", k.locale)
	r.RemoteAddr, r.Host, r.TLS = k.r.RemoteAddr, k.r.Host, k.r.TLS
	if r.Body == nil {
		r.Body = http.NoBody
	}
	out := &recorder{header: http.Header{}, status: http.StatusOK}
	k.api.ServeHTTP(out, r)
	return &http.Response{StatusCode: out.status, Header: out.header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r}, nil
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// assist lets a program with a key speak with the assistants' door. A browser's session is refused: a page that somebody else
// wrote must not reach it.
func (a *API) assist(ctx context.Context, c *call, limit int64) (any, error) {
	if err := a.origin.Check(c.r); err != nil {
		return nil, fault.New(fault.Forbidden, "api.cross_origin", nil)
	}
	if c.who.Actor.Kind != access.ByKey && !c.local {
		return nil, fault.New(fault.Forbidden, "mcp.key_needed", nil)
	}
	if c.r.ContentLength > limit {
		return nil, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": limit >> 20})
	}
	ctx = context.WithValue(ctx, callerKey{}, &Caller{api: a, r: c.r, locale: c.locale})
	w := &noted{ResponseWriter: c.w}
	a.Assistant.ServeHTTP(w, c.r.WithContext(ctx))
	c.status = w.status
	return written{}, nil
}

// noted remembers the status for the log.
type noted struct {
	http.ResponseWriter
	status int
}

func (w *noted) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *noted) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets deadlines and flushing reach the connection.
func (w *noted) Unwrap() http.ResponseWriter { return w.ResponseWriter }
