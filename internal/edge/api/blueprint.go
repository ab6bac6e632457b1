package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Blueprints are the configuration of a workspace as a document.
type Blueprints interface {
	// Export prints what the caller may read of it.
	Export(ctx context.Context) ([]byte, error)
	// Compare tells what a file says differently of the workspace, or of another file when there is one.
	Compare(ctx context.Context, file, with []byte) (Differences, error)
	// Import makes the chosen differences; nil for all that the file says. The problems by pointer are one fault; dry finds
	// them and changes nothing.
	Import(ctx context.Context, file []byte, chosen []string, dry bool) (applied int, err error)
}

// Differences are the items that differ, by pointer.
type Differences struct {
	Items []Difference `json:"items"`
	// LeftOut are pointers of what is not compared because it names single records, people or personal values.
	LeftOut []string `json:"left_out,omitempty"`
}

// Difference is one thing that differs.
type Difference struct {
	Path       string            `json:"path" doc:"JSON Pointer into the document"`
	Change     string            `json:"change" enum:"added,changed,only_here"`
	Label      schema.Label      `json:"label,omitempty"`
	Archivable bool              `json:"archivable" doc:"only here, and can be archived by an import that names it"`
	Members    []DifferentMember `json:"members"`
}

// DifferentMember is a value that differs.
type DifferentMember struct {
	Path   string `json:"path"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

func (a *API) blueprintRoutes() []route {
	return []route{
		{method: get, path: "/config", need: right, right: access.SchemaManage, run: op(a.exportConfig), doc: "The configuration as a file", stream: true},
		{method: post, path: "/config/compare", need: right, right: access.SchemaManage, run: op(a.compareConfig), doc: "What a configuration file says differently of the workspace, or of another file", large: true, secret: true},
		{method: post, path: "/config/import", need: right, right: access.SchemaManage, run: op(a.importConfig), doc: "Make chosen differences of a configuration file, all or none; each part needs its own right too", large: true, secret: true},
	}
}

func (a *API) exportConfig(ctx context.Context, c *call, _ struct{}) (written, error) {
	doc, err := c.ws.Blueprints.Export(ctx)
	if err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="guanxi-`+c.who.Workspace.Key+`.json"`)
	_, err = c.w.Write(doc)
	if err != nil {
		panic(http.ErrAbortHandler) // the caller is gone
	}
	return written{}, nil
}

type compareConfigIn struct {
	Body struct {
		File json.RawMessage `json:"file" doc:"a configuration document"`
		With json.RawMessage `json:"with,omitempty" doc:"another one in the place of the workspace"`
	}
}

func (a *API) compareConfig(ctx context.Context, c *call, in compareConfigIn) (Differences, error) {
	return c.ws.Blueprints.Compare(ctx, in.Body.File, in.Body.With)
}

type importConfigIn struct {
	Body struct {
		File   json.RawMessage `json:"file" doc:"a configuration document"`
		Paths  []string        `json:"paths,omitempty" doc:"differences to make; without it all that the file says. What is only here is archived when named"`
		DryRun bool            `json:"dry_run,omitempty" doc:"only find the problems"`
	}
}

// ConfigImported is what an import did, or of a dry run what stands against it.
type ConfigImported struct {
	Applied  int           `json:"applied"`
	Problems []ProblemItem `json:"problems"`
}

func (a *API) importConfig(ctx context.Context, c *call, in importConfigIn) (ConfigImported, error) {
	n, err := c.ws.Blueprints.Import(ctx, in.Body.File, in.Body.Paths, in.Body.DryRun)
	out := ConfigImported{Applied: n, Problems: []ProblemItem{}}
	if f, ok := fault.Find(err); ok && in.Body.DryRun && f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		p := a.problem(c.locale, err)
		if out.Problems = append(out.Problems, p.Errors...); len(p.Errors) == 0 {
			out.Problems = append(out.Problems, ProblemItem{Message: p.Title, Code: p.Type})
		}
		return out, nil
	}
	return out, err
}
