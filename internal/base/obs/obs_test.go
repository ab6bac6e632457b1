package obs_test

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/obs"
)

func TestLogLinesCarryTheRequestAndCannotBeForged(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		log := obs.NewLogger(&b, "info", format)
		log.DebugContext(context.Background(), "hidden")
		log.InfoContext(obs.WithRequestID(context.Background(), "RID1"), "line", "value", "a\nlevel=ERROR msg=forged")
		out := b.String()
		if strings.Count(out, "\n") != 1 || strings.Contains(out, "hidden") || !strings.Contains(out, "RID1") {
			t.Errorf("%s: %q", format, out)
		}
	}
}

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	m := obs.NewMetrics("1.2.3")
	m.Started()("GET", "/api/v1/me", 200, 3*time.Millisecond)
	m.SignIn("refused")
	m.Job("import", "ok")
	m.Lag("main", "mirror", 7)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(rec.Body)
	for _, want := range []string{
		`guanxi_http_requests_total{method="GET",route="/api/v1/me",status="200"} 1`,
		`guanxi_sign_ins_total{outcome="refused"} 1`, `guanxi_jobs_total{kind="import",outcome="ok"} 1`,
		`guanxi_consumer_lag_changes{consumer="mirror",workspace="main"} 7`, `guanxi_build_info{version="1.2.3"} 1`, "guanxi_http_in_flight 0",
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	t.Parallel()
	if a, b := obs.NewRequestID(), obs.NewRequestID(); a == b || len(a) != 16 {
		t.Fatalf("%q %q", a, b)
	}
}
