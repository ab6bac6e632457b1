package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

type exportIn struct {
	Object string `path:"object"`
	Body   struct {
		exportFile
		Where   Condition `json:"where,omitempty"`
		Segment string    `json:"segment,omitempty"`
	}
}

// export streams records as a file, by the engine of the exports that are kept. The trailer X-Rows says how many there were and
// comes only when the file is whole.
func (a *API) export(ctx context.Context, c *call, in exportIn) (written, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return written{}, err
	}
	where, err := in.Body.Where.node("where")
	if err != nil {
		return written{}, err
	}
	if in.Body.Segment != "" && where != nil {
		return written{}, fault.InvalidField("api.bad_parameter", "segment", nil)
	}
	file := in.Body.file()
	p, err := c.ws.Mass.Prepare(ctx, mass.Order{Object: o.Key, Set: mass.Set{Where: where, Segment: in.Body.Segment}, File: file})
	if err != nil {
		return written{}, under(err, "where")
	}
	// The trail is written before the first row leaves.
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "record.export", o.Key, 0, map[string]any{"format": in.Body.Format, "segment": in.Body.Segment, "filtered": where != nil}); err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", sink.Options{Format: file.Format, Encoding: file.Encoding}.ContentType())
	h.Set("Content-Disposition", `attachment; filename="`+o.Key+"."+in.Body.Format+`"`)
	h.Set("Trailer", "X-Rows")
	rows, err := p.Stream(ctx, c.w)
	if err != nil {
		a.Log.ErrorContext(ctx, "export broke off", "object", o.Key, "error", err)
		panic(http.ErrAbortHandler) // the caller sees a broken transfer, not a short file
	}
	h.Set("X-Rows", strconv.FormatInt(rows, 10))
	return written{}, nil
}
