package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// KeyService changes the secret that wraps the data keys.
type KeyService interface {
	Keys(ctx context.Context) (Keys, error)
	// Rotate makes a new secret and has every data key wrapped with it (secret), or exchanges the data keys of people (data) or the key of
	// blind indexes (index). Conflict app.rotating while one of them is under way.
	Rotate(ctx context.Context, what string) error
	// Pause stops an exchange where it is, or has it go on.
	Pause(ctx context.Context, rotation string, on bool) error
}

func (a *API) keyRoutes() []route {
	return []route{
		{method: get, path: "/keys", need: right, right: access.SystemManage, run: op(a.keys), doc: "Secrets that wrap data keys, and how far a change of them is"},
		{method: post, path: "/keys/rotate", need: right, right: access.SystemManage, run: op(a.rotateKeys), doc: "Make a new secret and wrap every data key with it, or exchange the data keys or the index key, as a job", status: http.StatusAccepted},
		{method: post, path: "/keys/rotations/{id}/pause", need: right, right: access.SystemManage, run: op(a.pauseKeys), doc: "Stop an exchange of data keys or of the index key where it is, or have it go on"},
		{method: get, path: "/privacy/reveals", need: right, right: access.AuditRead, run: op(a.reveals), doc: "Who read whose personal fields in clear, newest first, and how often in thirty days"},
	}
}

// Keys are the secrets of the instance and the rotations of the workspace.
type Keys struct {
	Secrets   int           `json:"secrets" doc:"lines of the key file; the first wraps, all open"`
	File      bool          `json:"file" doc:"the secrets are in the key file; otherwise in the settings, where the operator changes them"`
	Rotations []KeyRotation `json:"rotations"`
}

// KeyRotation is the wrapping of every data key with a new secret, or the exchange of the data keys or of the index key.
type KeyRotation struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"secret,data,index"`
	State      string     `json:"state" enum:"queued,running,done"`
	Paused     bool       `json:"paused"`
	Phase      string     `json:"phase" enum:",people,former,index,webhooks,mail,letters,guests,imports,exports,copies,approvals,keys,records,files,search,mirror,check,drop"`
	Object     string     `json:"object" doc:"whose records an exchange is at"`
	Changed    int64      `json:"changed" doc:"values that an exchange has written anew"`
	PerSecond  int64      `json:"per_second" doc:"of them, in a second of work"`
	Done       int64      `json:"done"`
	Total      int64      `json:"total"`
	At         time.Time  `json:"at"`
	FinishedAt *time.Time `json:"finished_at"`
}

func (a *API) keys(ctx context.Context, c *call, _ struct{}) (Keys, error) {
	return c.ws.Keys.Keys(ctx)
}

type pauseKeysIn struct {
	ID   string `path:"id"`
	Body struct {
		On bool `json:"on"`
	}
}

func (a *API) pauseKeys(ctx context.Context, c *call, in pauseKeysIn) (Keys, error) {
	if err := c.ws.Keys.Pause(ctx, in.ID, in.Body.On); err != nil {
		return Keys{}, err
	}
	return c.ws.Keys.Keys(ctx)
}

type rotateKeysIn struct {
	Body struct {
		What string `json:"what,omitempty" enum:"secret,data,index" doc:"secret when absent"`
	}
}

func (a *API) rotateKeys(ctx context.Context, c *call, in rotateKeysIn) (Keys, error) {
	if err := c.ws.Keys.Rotate(ctx, in.Body.What); err != nil {
		return Keys{}, err
	}
	return c.ws.Keys.Keys(ctx)
}

// Reveals are readings of personal fields in clear.
type Reveals struct {
	Items      []AuditEntry  `json:"items"`
	NextCursor *string       `json:"next_cursor"`
	People     []RevealCount `json:"people" doc:"who revealed how many records in thirty days, the most first; on the first page only"`
}

// RevealCount is how often somebody revealed.
type RevealCount struct {
	Actor Actor `json:"actor"`
	Count int   `json:"count"`
}

type revealsIn struct {
	Actor  string `query:"actor"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

// revealsOver is the span of RevealCount.
const revealsOver = 30 * 24 * time.Hour

func (a *API) reveals(ctx context.Context, c *call, in revealsIn) (Reveals, error) {
	f := auth.EntryFilter{Workspace: c.who.Workspace.Key, Action: "record.reveal", Limit: limitOf(in.Limit, 50) + 1}
	var err error
	if in.Actor != "" {
		if _, f.Actor, err = id.ParseAny(in.Actor); err != nil {
			return Reveals{}, fault.InvalidField("api.bad_parameter", "actor", nil)
		}
	}
	if in.Cursor != "" {
		if f.Before, err = id.Parse(entryPrefix, in.Cursor); err != nil {
			return Reveals{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	es, err := a.Auth.Store.ListAudit(ctx, f)
	if err != nil {
		return Reveals{}, err
	}
	out := Reveals{Items: []AuditEntry{}, People: []RevealCount{}}
	if len(es) == f.Limit {
		es = es[:f.Limit-1]
		next := id.Format(entryPrefix, es[len(es)-1].ID)
		out.NextCursor = &next
	}
	for i := range es {
		out.Items = append(out.Items, c.showEntry(&es[i]))
	}
	if in.Cursor != "" {
		return out, nil
	}
	counts, err := a.Auth.Store.CountActors(ctx, c.who.Workspace.Key, "record.reveal", a.Clock.Now().Add(-revealsOver), 20)
	for _, x := range counts {
		out.People = append(out.People, RevealCount{Actor: showActor(x.Kind, x.ID, x.Name), Count: x.Count})
	}
	return out, err
}
