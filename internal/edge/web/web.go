// Package web serves the embedded interface: compressed forms where the browser takes them, content types, ETags, content
// of /assets kept for ever, index.html asked for again each time, 404 for an asset that is not there (answering the page
// instead would give a module the wrong type), and the page for every other address, whose routing is the page's own.
//
// The tracker (/t.js) is for pages of other origins: browsers keep it for an hour, and for ever under the address with its version,
// /t.js?v=VERSION.
//
// Where the interface was not built into the program, a plain page says so. It knows nothing of the API.
package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// file is one file in up to three forms.
type file struct {
	raw, gz, br []byte
	kind        string
	etag        string
	immutable   bool
	version     string // of a file for other origins; "" for all others
}

// TrackerPath is where websites load the tracker, MessagesPath where the tracker loads what draws messages, if there are any.
const (
	TrackerPath  = "/t.js"
	MessagesPath = "/m.js"
)

// Handler serves the files of one built interface.
type Handler struct {
	files map[string]*file // by address without the leading slash
}

// New reads dist, the built interface with index.html at its root. The files are not copied where fsys is embedded.
func New(fsys fs.FS) (*Handler, error) {
	h := &Handler{files: map[string]*file{}}
	forms := map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		forms[p], err = fs.ReadFile(fsys, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	for p, raw := range forms {
		if ext := path.Ext(p); ext == ".gz" || ext == ".br" || path.Base(p) == ".gitkeep" {
			continue
		}
		sum := sha256.Sum256(raw)
		h.files[p] = &file{raw: raw, gz: forms[p+".gz"], br: forms[p+".br"], kind: kindOf(p),
			etag: `"` + hex.EncodeToString(sum[:8]) + `"`, immutable: strings.HasPrefix(p, "assets/")}
		if "/"+p == TrackerPath || "/"+p == MessagesPath {
			h.files[p].version = hex.EncodeToString(sum[:4])
		}
	}
	return h, nil
}

// TrackerVersion names the content of the tracker; "" where it was not built.
func (h *Handler) TrackerVersion() string {
	if f := h.files[TrackerPath[1:]]; f != nil {
		return f.version
	}
	return ""
}

func kindOf(p string) string {
	switch path.Ext(p) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(p)); t != "" {
		return t
	}
	return "application/octet-stream"
}

const notBuilt = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>Guanxi 关系</title>
<h1>Guanxi 关系</h1><p>界面尚未编译进本程序。请在 ui 目录执行 npm run build 后重新编译；API 位于 <a href="/api/v1/openapi.json">/api/v1</a>。</p>
<p lang="en">The interface is not built into this program. Run npm run build in ui and build again; the API is at <a href="/api/v1/openapi.json">/api/v1</a>.</p></html>
`

// ServeHTTP answers GET and HEAD.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	f := h.files[name]
	if f == nil && (strings.HasPrefix(name, "assets/") || name == "assets" || name == TrackerPath[1:]) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if f == nil {
		f = h.files["index.html"]
	}
	if f == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(notBuilt))
		return
	}
	f.serve(w, r)
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if f.version != "" {
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Access-Control-Allow-Origin", "*") // for pages that check it by its hash
		h.Set("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400")
		if r.URL.Query().Get("v") == f.version {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
	}
	body, etag := f.raw, f.etag
	accept := r.Header.Get("Accept-Encoding")
	switch {
	case f.br != nil && strings.Contains(accept, "br"):
		body, etag = f.br, strings.TrimSuffix(f.etag, `"`)+`-b"`
		h.Set("Content-Encoding", "br")
	case f.gz != nil && strings.Contains(accept, "gzip"):
		body, etag = f.gz, strings.TrimSuffix(f.etag, `"`)+`-g"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = bytes.NewReader(body).WriteTo(w)
}
