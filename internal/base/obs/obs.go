// Package obs is what operators see: structured logs and Prometheus metrics.
//
// Neither ever holds personal data: a request is logged by method, route pattern, status, size and duration, never by its
// body, its query string or the ids in its path; errors are logged by code and cause.
package obs

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewLogger writes lines of at least level (debug, info, warn, error) in format text or json. Control characters in values
// are escaped by both formats, so a value cannot forge a line.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(requestHandler{slog.NewJSONHandler(w, opts)})
	}
	return slog.New(requestHandler{slog.NewTextHandler(w, opts)})
}

// requestHandler adds the request id of the context to every line.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, r slog.Record) error {
	if v := RequestID(ctx); v != "" {
		r.AddAttrs(slog.String("request", v))
	}
	return h.Handler.Handle(ctx, r)
}

func (h requestHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(a)}
}
func (h requestHandler) WithGroup(n string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(n)}
}

type requestKey struct{}

// WithRequestID puts a request id into the context.
func WithRequestID(ctx context.Context, v string) context.Context {
	return context.WithValue(ctx, requestKey{}, v)
}

// RequestID is the request id of the context, "" for none.
func RequestID(ctx context.Context) string {
	v, _ := ctx.Value(requestKey{}).(string)
	return v
}

// NewRequestID is 16 random characters.
func NewRequestID() string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	return base32.StdEncoding.EncodeToString(b[:])
}

// Metrics are the program's Prometheus metrics, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
	signIns  *prometheus.CounterVec
	jobs     *prometheus.CounterVec
	lag      *prometheus.GaugeVec
	passes   *prometheus.CounterVec
	hooks    *prometheus.CounterVec
	mails    *prometheus.CounterVec
}

// NewMetrics registers every metric.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "guanxi_http_requests_total", Help: "Requests by method, route and status."}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "guanxi_http_request_seconds", Help: "Time to answer by route.",
			Buckets: []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "guanxi_http_in_flight", Help: "Requests being answered."}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "guanxi_panics_total", Help: "Panics recovered in handlers and jobs."}),
		signIns:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "guanxi_sign_ins_total", Help: "Sign-in attempts by outcome."}, []string{"outcome"}),
		jobs:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "guanxi_jobs_total", Help: "Background jobs by kind and outcome."}, []string{"kind", "outcome"}),
		lag:      prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "guanxi_consumer_lag_changes", Help: "Changes a consumer has not yet read."}, []string{"workspace", "consumer"}),
		passes:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "guanxi_trait_passes_total", Help: "Passes over the traits of customers by size."}, []string{"workspace", "size"}),
		hooks:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "guanxi_webhook_attempts_total", Help: "Requests to webhooks by outcome: delivered, failed (tried again later), dead (given up)."}, []string{"outcome"}),
		mails:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "guanxi_mail_attempts_total", Help: "Mails handed to a server by outcome: sent, waiting (tried again later), failed, unknown (the connection or the program ended in the middle)."}, []string{"outcome"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "guanxi_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.inFlight, m.panics, m.signIns, m.jobs, m.lag, m.passes, m.hooks, m.mails, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in the Prometheus text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Started counts a request in; the function returned counts it out.
func (m *Metrics) Started() func(method, route string, status int, took time.Duration) {
	m.inFlight.Inc()
	return func(method, route string, status int, took time.Duration) {
		m.inFlight.Dec()
		m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
		m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
	}
}

// Panicked counts a recovered panic.
func (m *Metrics) Panicked() { m.panics.Inc() }

// SignIn counts an attempt to sign in; outcome is ok, refused or locked.
func (m *Metrics) SignIn(outcome string) { m.signIns.WithLabelValues(outcome).Inc() }

// Job counts a finished job; outcome is ok, retry or failed.
func (m *Metrics) Job(kind, outcome string) { m.jobs.WithLabelValues(kind, outcome).Inc() }

// Lag sets how many changes a consumer is behind.
func (m *Metrics) Lag(workspace, consumer string, n int64) {
	m.lag.WithLabelValues(workspace, consumer).Set(float64(n))
}

// Pass counts a pass over traits; size is full (everyone) or small (who changed).
func (m *Metrics) Pass(workspace, size string) { m.passes.WithLabelValues(workspace, size).Inc() }

// Mail counts an attempt to hand over a mail: sent, waiting, failed or unknown.
func (m *Metrics) Mail(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// Webhook counts a request to a webhook: delivered, failed or dead.
func (m *Metrics) Webhook(outcome string) { m.hooks.WithLabelValues(outcome).Inc() }
