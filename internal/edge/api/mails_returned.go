package api

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// mailReturned is called by the operator's own mail server, with the mail as it came; the address says that it may.
func (a *API) mailReturned(ctx context.Context, c *call, in messageIn) (empty, error) {
	ws, err := a.linked(ctx, in.Token)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "mail.profile_not_found", nil)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, mail.MaxReturned))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return empty{}, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": mail.MaxReturned >> 20})
	case err != nil:
		return empty{}, fault.New(fault.Invalid, "api.bad_request", nil)
	}
	return empty{}, ws.Returned.Take(ctx, in.Token, raw)
}
