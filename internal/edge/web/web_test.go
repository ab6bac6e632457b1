package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/guanxi-crm/guanxi/internal/edge/web"
)

func built(t *testing.T) *web.Handler {
	t.Helper()
	h, err := web.New(fstest.MapFS{
		"t.js": {Data: []byte("tracker")}, "t.js.gz": {Data: []byte("TGZ")},
		".gitkeep": {}, "index.html": {Data: []byte("<html>app</html>")}, "sw.js": {Data: []byte("//sw")},
		"manifest.en.webmanifest": {Data: []byte("{}")}, "icons/icon-192.png": {Data: []byte("PNG")},
		"assets/a-1f.js": {Data: []byte("let a=1")}, "assets/a-1f.js.br": {Data: []byte("BR")}, "assets/a-1f.js.gz": {Data: []byte("GZ")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestServing(t *testing.T) {
	t.Parallel()
	h := built(t)
	for _, tc := range []struct {
		path, accept, body, kind, encoding, cache string
		status                                    int
	}{
		{"/", "", "<html>app</html>", "text/html; charset=utf-8", "", "no-cache", 200},
		{"/o/customer/cus_1", "br", "<html>app</html>", "text/html; charset=utf-8", "", "no-cache", 200},
		{"/sw.js", "", "//sw", "text/javascript; charset=utf-8", "", "no-cache", 200},
		{"/manifest.en.webmanifest", "", "{}", "application/manifest+json", "", "no-cache", 200},
		{"/icons/icon-192.png", "", "PNG", "image/png", "", "no-cache", 200},
		{"/assets/a-1f.js", "", "let a=1", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable", 200},
		{"/assets/a-1f.js", "gzip, br", "BR", "text/javascript; charset=utf-8", "br", "public, max-age=31536000, immutable", 200},
		{"/assets/a-1f.js", "gzip", "GZ", "text/javascript; charset=utf-8", "gzip", "public, max-age=31536000, immutable", 200},
		{"/assets/gone.js", "", "", "", "", "no-store", 404},
		{"/assets/../../etc/passwd", "", "<html>app</html>", "text/html; charset=utf-8", "", "no-cache", 200},
		{"/.gitkeep", "", "<html>app</html>", "text/html; charset=utf-8", "", "no-cache", 200},
	} {
		t.Run(tc.path+" "+tc.accept, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "http://x/", nil)
			r.URL.Path = tc.path
			r.Header.Set("Accept-Encoding", tc.accept)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			got := w.Header()
			if w.Code != tc.status || w.Body.String() != tc.body || got.Get("Content-Type") != tc.kind || got.Get("Content-Encoding") != tc.encoding || got.Get("Cache-Control") != tc.cache {
				t.Fatalf("%d %q %v", w.Code, w.Body, got)
			}
		})
	}
}

func TestTrackerIsForOtherOrigins(t *testing.T) {
	t.Parallel()
	h := built(t)
	version := h.TrackerVersion()
	for _, tc := range []struct{ address, accept, body, cache string }{
		{"/t.js", "", "tracker", "public, max-age=3600, stale-while-revalidate=86400"},
		{"/t.js?v=other", "gzip", "TGZ", "public, max-age=3600, stale-while-revalidate=86400"},
		{"/t.js?v=" + version, "gzip", "TGZ", "public, max-age=31536000, immutable"},
	} {
		r := httptest.NewRequest("GET", "http://x"+tc.address, nil)
		r.Header.Set("Accept-Encoding", tc.accept)
		w := httptest.NewRecorder()
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		h.ServeHTTP(w, r)
		got := w.Header()
		if w.Code != 200 || w.Body.String() != tc.body || got.Get("Cache-Control") != tc.cache || got.Get("Cross-Origin-Resource-Policy") != "cross-origin" ||
			got.Get("Access-Control-Allow-Origin") != "*" || len(version) != 8 {
			t.Fatalf("%s: %d %q %v", tc.address, w.Code, w.Body, got)
		}
	}
	unbuilt, err := web.New(fstest.MapFS{"index.html": {Data: []byte("<html>app</html>")}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	unbuilt.ServeHTTP(w, httptest.NewRequest("GET", "/t.js", nil))
	if w.Code != 404 || unbuilt.TrackerVersion() != "" {
		t.Fatalf("a page in the place of a script: %d %q", w.Code, w.Body)
	}
}

func TestETagSavesTheBody(t *testing.T) {
	t.Parallel()
	h := built(t)
	first := httptest.NewRecorder()
	h.ServeHTTP(first, httptest.NewRequest("GET", "/", nil))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	again := httptest.NewRecorder()
	h.ServeHTTP(again, r)
	if again.Code != 304 || again.Body.Len() != 0 {
		t.Fatalf("%d %q", again.Code, again.Body)
	}
}

func TestMethodsAndUnbuilt(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	built(t).ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	if w.Code != 405 {
		t.Fatalf("POST answered %d", w.Code)
	}
	empty, err := web.New(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	empty.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "not built") || !strings.Contains(w.Body.String(), "界面尚未编译") {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
}
