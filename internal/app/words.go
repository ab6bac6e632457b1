package app

import (
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/web"
	"github.com/guanxi-crm/guanxi/locales"
	"github.com/guanxi-crm/guanxi/ui"
)

// Words loads every sentence of the program.
func Words() (*lang.Catalog, error) {
	c, err := lang.NewCatalog(below{"locales", locales.FS}, lang.ChineseSimplified)
	if err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	return c, nil
}

// below shows a file system under a folder.
type below struct {
	dir string
	fs.FS
}

// Open implements fs.FS.
func (b below) Open(name string) (fs.File, error) {
	rest, ok := strings.CutPrefix(name, b.dir)
	if !ok || rest != "" && rest[0] != '/' {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if rest == "" {
		return b.FS.Open(".")
	}
	return b.FS.Open(rest[1:])
}

// site is the embedded interface.
func site() (http.Handler, error) {
	dist, err := fs.Sub(ui.Dist, "dist")
	if err != nil {
		return nil, err
	}
	return web.New(dist)
}
