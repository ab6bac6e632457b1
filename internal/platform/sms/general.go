package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
)

// general speaks with anybody who takes a signed request: {"id", "to", "text", "sign", "template", "parameters"}, signed as webhooks are
// (Standard Webhooks). An answer of 2xx takes the message and may name it: {"id": "…"}.
type general struct{ Settings }

// Send implements Provider.
func (g *general) Send(ctx context.Context, m Message) Result {
	params := m.Params
	if params == nil {
		params = []Param{}
	}
	raw, err := json.Marshal(map[string]any{"id": m.ID, "to": m.To, "text": m.Text, "sign": m.Sign, "template": m.Template, "parameters": params})
	if err != nil {
		return Result{Outcome: Refused, Code: "parameters"}
	}
	return g.Call(ctx, m.ID, raw)
}

// Call makes one signed request; the id is the same in every attempt, so that who hears it twice knows.
func (g *general) Call(ctx context.Context, id string, raw []byte) Result {
	r, err := request(ctx, g.Endpoint, raw)
	if err != nil {
		return Result{Outcome: Account, Code: "refused"}
	}
	now := g.Clock.Now().Truncate(time.Second)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhook.HeaderID, id)
	r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(webhook.HeaderSignature, webhook.Sign([]byte(g.Secret), id, now, raw))
	status, body, code, sent := ask(g.Client, r)
	if code != "" {
		return lost(code, sent)
	}
	out := Result{Outcome: Unknown, Code: "http_" + strconv.Itoa(status)}
	switch {
	case status >= 200 && status < 300:
		var got struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(body, &got) // an answer without a name is an answer
		return Result{Outcome: Taken, Receipt: got.ID}
	case status == http.StatusTooManyRequests:
		out.Outcome = Later
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusGone, status == http.StatusPaymentRequired, status >= 300 && status < 400:
		out.Outcome = Account
	case status >= 400 && status < 500:
		out.Outcome = Refused
	}
	return out
}

// Find implements Provider: nobody is asked; who has receipts sends them.
func (g *general) Find(context.Context, Sent) (Report, bool, error) { return Report{}, false, nil }

// Inbound is what a provider tells, and what it wants to hear.
type Inbound struct {
	Reports []Report
	Replies []Reply
	Answer  []byte
}

// Read reads what a provider sent.
func Read(provider string, body []byte) (Inbound, error) {
	switch provider {
	case Aliyun:
		return readAliyun(body)
	case Tencent:
		return readTencent(body)
	}
	var v struct {
		Reports []struct {
			ID        string    `json:"id"`
			Receipt   string    `json:"receipt"`
			Delivered bool      `json:"delivered"`
			Code      string    `json:"code"`
			Dead      bool      `json:"dead"`
			At        time.Time `json:"at"`
		} `json:"reports"`
		Replies []struct {
			From string    `json:"from"`
			Text string    `json:"text"`
			At   time.Time `json:"at"`
		} `json:"replies"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return Inbound{}, err
	}
	in := Inbound{Answer: []byte(`{"ok":true}`)}
	for _, r := range v.Reports {
		in.Reports = append(in.Reports, Report{ID: r.ID, Receipt: r.Receipt, Delivered: r.Delivered, Code: r.Code, Dead: r.Dead, At: r.At})
	}
	for _, r := range v.Replies {
		in.Replies = append(in.Replies, Reply{Phone: global(r.From, ""), Text: r.Text, At: r.At})
	}
	return in, nil
}

// silent is the error of a provider that does not say.
func silent(code string) error { return fmt.Errorf("the provider does not say: %s", code) }
