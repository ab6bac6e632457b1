package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Problem is the RFC 9457 form of every error answer.
type Problem struct {
	Type    string        `json:"type" doc:"code of the fault, stable"`
	Title   string        `json:"title" doc:"translated sentence"`
	Status  int           `json:"status"`
	Detail  string        `json:"detail,omitempty"`
	Errors  []ProblemItem `json:"errors,omitempty"`
	Request string        `json:"request,omitempty" doc:"request id, for the operator's log"`
	Current *Record       `json:"current,omitempty" doc:"the record as it is now, on a version conflict"`
	// Duplicates are the records that speak against a write, likest first.
	Duplicates []DuplicateMatch `json:"duplicates,omitempty"`
}

// ProblemItem is one place of the input that is wrong.
type ProblemItem struct {
	Location string `json:"location"`
	Message  string `json:"message"`
	Code     string `json:"code"`
	Record   string `json:"record,omitempty" doc:"the record that has the value already, for who sees it"`
}

// statusOf is the one map from faults to HTTP. A few faults of the edge itself have a status of their own.
func statusOf(f *fault.Fault) int {
	switch f.Code {
	case "api.bad_json", "api.bad_request":
		return http.StatusBadRequest
	case "api.method":
		return http.StatusMethodNotAllowed
	case "api.content_type":
		return http.StatusUnsupportedMediaType
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Stale:
		return http.StatusPreconditionFailed
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
	}
	return http.StatusInternalServerError
}

// problem turns any error into what the caller may see. An error that is no fault, and an Internal fault, become the same
// sentence without detail; their cause goes to the log.
func (a *API) problem(locale string, err error) *Problem {
	f, ok := fault.Find(err)
	if (!ok || f.Kind == fault.Internal) && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) { // an upload, a backup
		f, ok = fault.New(fault.Unavailable, "store.disk_full", nil), true
	}
	if !ok || f.Kind == fault.Internal {
		return &Problem{Type: "api.internal", Title: a.Words.Text(localeOf(locale), "api.internal", nil), Status: http.StatusInternalServerError}
	}
	p := &Problem{Type: f.Code, Title: a.Words.Text(localeOf(locale), f.Code, f.Params), Status: statusOf(f)}
	items := f.Items
	if len(items) == 0 && f.Field != "" {
		items = []*fault.Fault{f}
	}
	a.items(p, locale, items)
	return p
}

func (a *API) items(p *Problem, locale string, items []*fault.Fault) {
	for _, it := range items {
		if len(it.Items) > 0 {
			a.items(p, locale, it.Items)
			continue
		}
		item := ProblemItem{Location: it.Field, Message: a.Words.Text(localeOf(locale), it.Code, it.Params), Code: it.Code}
		if it.Kind == fault.Conflict {
			item.Record, _ = it.Params["record"].(string)
		}
		p.Errors = append(p.Errors, item)
	}
}

// fail writes an error answer and logs what the caller may not see.
func (a *API) fail(c *call, err error) {
	p := a.problem(c.locale, err)
	p.Request = c.request
	if p.Status >= http.StatusInternalServerError {
		level := slog.LevelError
		if c.r.Context().Err() != nil { // the caller went away
			level = slog.LevelInfo
		}
		a.Log.Log(c.r.Context(), level, "request failed", "route", c.route, "error", err)
	}
	f, ok := fault.Find(err)
	if ok && f.Kind == fault.RateLimited {
		after := 1
		if n, isInt := f.Params["retry_after"].(int); isInt {
			after = n
		}
		c.w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	if p.Status == http.StatusPreconditionFailed && c.current != nil {
		p.Current = c.current(c.r.Context())
	}
	if p.Status == http.StatusUnauthorized && (c.route == AssistantPath || strings.HasPrefix(c.r.Header.Get("Authorization"), "Bearer ")) {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if p.Status == http.StatusConflict {
		p.Duplicates = c.found.Items
	}
	body, merr := json.Marshal(p)
	if merr != nil {
		body = []byte(`{"type":"api.internal","status":500}`)
	}
	a.write(c, p.Status, "application/problem+json", body)
}

func localeOf(s string) lang.Locale {
	if s == "" {
		return lang.ChineseSimplified
	}
	return lang.Locale(s)
}
