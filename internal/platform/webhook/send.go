package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
)

// SendTimeout is how long an attempt may take.
const SendTimeout = 15 * time.Second

// responseKept is how much of an answer's body is kept, responseRead how much is read so that the connection can be used again.
const (
	responseKept = 2 << 10
	responseRead = 64 << 10
)

// The codes of failed attempts.
const (
	ErrTimeout  = "timeout"
	ErrRefused  = "refused" // by the guard: not a public address
	ErrResolve  = "resolve"
	ErrConnect  = "connect"
	ErrTLS      = "tls"
	ErrStatus   = "status" // an answer that is not 2xx
	ErrRedirect = "redirect"
	ErrSecret   = "secret" // the secret cannot be opened
	ErrBroken   = "broken" // the connection broke off
)

// Sender makes one request.
type Sender struct {
	Client *http.Client
	Vault  Vault
	Source Source
	Clock  clock.Clock
	// Version is told in User-Agent.
	Version string
}

// answer is what an attempt found out beside the Attempt itself.
type answer struct {
	Attempt
	after time.Duration // Retry-After
}

// secrets are the keys that sign now: the current one, and within a day after a rotation the one before.
func (x *Sender) secrets(s *Subscription, now time.Time) ([][]byte, error) {
	var keys [][]byte
	stored := [][]byte{s.Secret}
	if s.OldSecret != nil && now.Before(s.OldUntil) {
		stored = append(stored, s.OldSecret)
	}
	for _, sealed := range stored {
		text, err := x.Vault.Open(s.Wrapped, s.ID, sealedSecret, sealed)
		if err != nil {
			return nil, err
		}
		key, err := ParseSecret(string(text))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (x *Sender) headers(s *Subscription) (map[string]string, error) {
	if s.Headers == nil {
		return nil, nil //nolint:nilnil // none
	}
	raw, err := x.Vault.Open(s.Wrapped, s.ID, sealedHeaders, s.Headers)
	if err != nil {
		return nil, err
	}
	var out map[string]string
	return out, json.Unmarshal(raw, &out)
}

// body is what is sent: the stored one, and for a subscription that may reveal with personal values in clear, which revealed tells.
func (x *Sender) body(ctx context.Context, s *Subscription, d *Delivery) (payload []byte, revealed bool, err error) {
	if !s.Reveal || len(d.Masked) == 0 {
		return []byte(d.Body), false, nil
	}
	plain, err := x.Source.Plain(ctx, s.ID, d.Object, d.Record, d.Masked)
	if err != nil || len(plain) == 0 {
		return []byte(d.Body), false, err
	}
	var b body
	dec := json.NewDecoder(strings.NewReader(d.Body))
	dec.UseNumber()
	if err := dec.Decode(&b); err != nil {
		return nil, false, fmt.Errorf("stored body: %w", err)
	}
	for k, v := range plain {
		b.Data.Fields[k] = v
	}
	payload, err = encode(b)
	return payload, true, err
}

// outgoing is a request, and what of it must not be kept when the endpoint sends it back.
type outgoing struct {
	*http.Request
	hidden   []string
	revealed bool
}

func (x *Sender) request(ctx context.Context, s *Subscription, d *Delivery, at time.Time) (*outgoing, error) {
	payload, revealed, err := x.body(ctx, s, d)
	if err != nil {
		return nil, err
	}
	keys, err := x.secrets(s, at)
	if err != nil {
		return nil, err
	}
	extra, err := x.headers(s)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	out := &outgoing{Request: r, revealed: revealed}
	for k, v := range extra {
		r.Header.Set(k, v)
		out.hidden = append(out.hidden, v)
	}
	signatures := make([]string, len(keys))
	for i, k := range keys {
		signatures[i] = Sign(k, d.Message(), at, payload)
	}
	out.hidden = append(out.hidden, signatures...)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Guanxi-Webhooks/"+x.Version)
	r.Header.Set(HeaderID, d.Message())
	r.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(HeaderSignature, strings.Join(signatures, " "))
	return out, nil
}

// send makes one attempt. It never fails: what went wrong stands in the attempt.
func (x *Sender) send(ctx context.Context, s *Subscription, d *Delivery) answer {
	at := x.Clock.Now()
	a := answer{Attempt: Attempt{Number: d.Attempts + 1, At: at}}
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	r, err := x.request(ctx, s, d, at)
	if err != nil {
		a.Error = ErrSecret
		return a
	}
	res, err := x.Client.Do(r.Request)
	if err != nil {
		a.Error, a.Took = codeOf(err), x.Clock.Now().Sub(at)
		return a
	}
	defer res.Body.Close()
	a.Status = res.StatusCode
	raw, err := io.ReadAll(io.LimitReader(res.Body, responseRead))
	a.Took, a.Response = x.Clock.Now().Sub(at), r.keep(raw)
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		a.Error = ErrRedirect
	case res.StatusCode < 200 || res.StatusCode >= 300:
		a.Error = ErrStatus
		if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 {
			a.after = time.Duration(min(n, int(retryAfterMost/time.Second))) * time.Second
		}
	case err != nil:
		a.Error = codeOf(err)
	}
	return a
}

// keep is what may be kept of an answer: nothing of one to a request with personal values in clear, which may repeat them, and of
// others the beginning without what is secret.
func (o *outgoing) keep(raw []byte) string {
	if o.revealed {
		return ""
	}
	for _, h := range o.hidden {
		if h != "" {
			raw = bytes.ReplaceAll(raw, []byte(h), []byte("•••"))
		}
	}
	return beginning(raw)
}

// beginning is the text that an answer begins with, in characters that a database and a page can show.
func beginning(raw []byte) string {
	raw = raw[:min(len(raw), responseKept)]
	for i := 0; i < utf8.UTFMax && len(raw) > 0 && !utf8.Valid(raw); i++ { // a character cut in two
		raw = raw[:len(raw)-1]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(raw), "\uFFFD"), "\x00", "\uFFFD")
}

// codeOf tells failures apart without giving away what was reached.
func codeOf(err error) string {
	var refused *httpc.Refused
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		return ErrRefused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.As(err, &dns):
		return ErrResolve
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "HTTP response to HTTPS"):
		return ErrTLS
	case errors.As(err, &op) && op.Op == "dial":
		return ErrConnect
	}
	return ErrBroken
}
