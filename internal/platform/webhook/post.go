package webhook

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// CheckURL refuses an address that no request is made to from here: webhook.bad_url, .url_userinfo, .url_https or .url_private.
func (s *Service) CheckURL(text string) error {
	var sub Subscription
	if f := s.setURL(&sub, &text); f != nil {
		return &fault.Fault{Kind: f.Kind, Code: f.Code, Params: f.Params}
	}
	return nil
}

// Call is one signed request outside of any subscription.
type Call struct {
	URL  string
	ID   string // the webhook-id; the same in every attempt
	Key  []byte // signs
	Body []byte // JSON
}

// Post makes one attempt of a call, signed as deliveries are. code is one of the codes of failed attempts, "" for success; status is 0
// without an answer.
func (x *Sender) Post(ctx context.Context, c Call) (status int, code string) {
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	at := x.Clock.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return 0, ErrBroken
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Guanxi-Webhooks/"+x.Version)
	r.Header.Set(HeaderID, c.ID)
	r.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(HeaderSignature, Sign(c.Key, c.ID, at.Truncate(time.Second), c.Body))
	res, err := x.Client.Do(r)
	if err != nil {
		return 0, codeOf(err)
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, responseRead))
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return res.StatusCode, ErrRedirect
	case res.StatusCode < 200 || res.StatusCode >= 300:
		return res.StatusCode, ErrStatus
	case err != nil:
		return res.StatusCode, codeOf(err)
	}
	return res.StatusCode, ""
}
