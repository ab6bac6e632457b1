// Package sms hands text messages to the companies that deliver them, and reads what these tell back.
//
// One attempt is one request (Provider.Send). What it came to is said as narrowly as it is known: the provider took the message, surely did not
// take it and may be asked again, refuses this message or this number, refuses the account, or nobody knows. Nothing is repeated here: a request
// whose answer never came may have been taken, and sending it again would reach somebody twice.
//
// Every message carries the id of the caller; the providers give it back in their receipts, so that a message of which nobody knew is found again,
// by a receipt or by asking (Provider.Find).
//
// Signing follows the documents of the providers: ACS3-HMAC-SHA256 (Aliyun) and TC3-HMAC-SHA256 (Tencent Cloud); the general one signs as
// webhooks are signed. The package keeps nothing and knows no customers.
package sms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
)

// The providers.
const (
	Aliyun  = "aliyun"
	Tencent = "tencent"
	General = "http"
)

// Providers lists them in a fixed order.
func Providers() []string { return []string{Aliyun, Tencent, General} }

// Outcome is what became of an attempt.
type Outcome string

// The outcomes.
const (
	Taken   Outcome = "taken"   // by the provider
	Later   Outcome = "later"   // surely not taken; it may be tried again
	Refused Outcome = "refused" // this message to this number
	Dead    Outcome = "dead"    // the number takes nothing
	Account Outcome = "account" // the account, its signature or its template: no message would be taken
	Unknown Outcome = "unknown"
)

// Param is a value for a place of a provider's template.
type Param struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Message is one text for one number.
type Message struct {
	ID       string // of the caller; comes back in receipts
	To       string // E.164
	Text     string // as it is read, with signature; what general providers send
	Sign     string // without brackets
	Template string // of the provider
	Params   []Param
}

// Result is what became of an attempt. Code is the provider's word, or one of ours: timeout, connect, tls, refused, status, broken.
type Result struct {
	Outcome Outcome
	Receipt string
	Code    string
	Detail  string // of the provider, for who manages accounts
}

// Report says what became of a message that was taken.
type Report struct {
	ID        string // of the caller, may be empty
	Receipt   string
	Phone     string // E.164
	Delivered bool
	Code      string // of what was not delivered
	Dead      bool   // the number takes nothing any more
	At        time.Time
}

// Reply is what somebody wrote back.
type Reply struct {
	Phone string // E.164
	Text  string
	At    time.Time
}

// Sent is a message whose fate is asked for.
type Sent struct {
	ID, Receipt, To string
	At              time.Time
}

// Provider is an account with a company that delivers.
type Provider interface {
	Send(ctx context.Context, m Message) Result
	// Find asks what became of a message; found is false when the provider does not know it, or does not say.
	Find(ctx context.Context, s Sent) (r Report, found bool, err error)
}

// Caller makes signed requests of any content.
type Caller interface {
	Call(ctx context.Context, id string, body []byte) Result
}

// Settings of an account.
type Settings struct {
	Provider string
	Endpoint string // with scheme; "" for that of the provider, never for the general one
	Key      string // AccessKeyId or SecretId
	Secret   string // AccessKeySecret or SecretKey; of the general one the bytes that sign
	App      string // SmsSdkAppId
	Region   string
	Client   *http.Client
	Clock    clock.Clock
	// Nonce makes a text that is never the same.
	Nonce func() string
}

// Standard addresses.
const (
	aliyunAddress  = "https://dysmsapi.aliyuncs.com"
	tencentAddress = "https://sms.tencentcloudapi.com"
	tencentRegion  = "ap-guangzhou"
)

// Open makes a Provider; false for one that there is not.
func Open(s Settings) (Provider, bool) {
	s.Endpoint = strings.TrimSuffix(s.Endpoint, "/")
	switch s.Provider {
	case Aliyun:
		if s.Endpoint == "" {
			s.Endpoint = aliyunAddress
		}
		return &aliyun{s}, true
	case Tencent:
		if s.Endpoint == "" {
			s.Endpoint = tencentAddress
		}
		if s.Region == "" {
			s.Region = tencentRegion
		}
		return &tencent{s}, true
	case General:
		return &general{s}, true
	}
	return nil, false
}

// answerRead is how much of an answer is read.
const answerRead = 256 << 10

// ask makes a request. sent is false when it surely did not reach anybody; code is "" when there is an answer.
func ask(c *http.Client, r *http.Request) (status int, body []byte, code string, sent bool) {
	res, err := c.Do(r)
	if err != nil {
		code, sent = trouble(err)
		return 0, nil, code, sent
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, answerRead))
	if err != nil {
		code, _ = trouble(err)
		return res.StatusCode, nil, code, true
	}
	return res.StatusCode, body, "", true
}

// trouble names why there is no answer, and whether the request may have arrived.
func trouble(err error) (code string, sent bool) {
	var refused *httpc.Refused
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &refused), errors.Is(err, httpc.ErrScheme):
		return "refused", false
	case errors.As(err, &dns):
		return "resolve", false
	case errors.As(err, &op) && op.Op == "dial":
		return "connect", false
	case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return "tls", false
	}
	var slow interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return "timeout", true
	}
	return "broken", true
}

// lost is the result of a request without an answer.
func lost(code string, sent bool) Result {
	switch {
	case sent:
		return Result{Outcome: Unknown, Code: code}
	case code == "refused" || code == "tls":
		return Result{Outcome: Account, Code: code}
	}
	return Result{Outcome: Later, Code: code}
}

func request(ctx context.Context, address string, body []byte) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
}

// mainland is a number of mainland China as providers there write it, any other without its plus.
func mainland(phone string) string {
	if rest, ok := strings.CutPrefix(phone, "+86"); ok {
		return rest
	}
	return strings.TrimPrefix(phone, "+")
}

// Global is a number in E.164 of how people write it, "" for what is none.
func Global(phone string) string {
	out := global(strings.TrimSpace(phone), "")
	if len(out) < 8 || len(out) > 16 {
		return ""
	}
	return out
}

// global is a number in E.164 of what a provider says: with or without plus, zeros or the code of mainland China.
func global(phone, nation string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
	nation = strings.TrimLeft(nation, "+0")
	switch {
	case digits == "":
		return ""
	case nation != "":
		return "+" + nation + strings.TrimPrefix(digits, "00"+nation)
	case strings.HasPrefix(phone, "+"):
		return "+" + digits
	case strings.HasPrefix(digits, "00"):
		return "+" + digits[2:]
	case len(digits) == 11 && digits[0] == '1':
		return "+86" + digits
	}
	return "+" + digits
}

// leaves are the words by which somebody asks to be left alone, as providers in China and elsewhere teach them.
var leaves = map[string]bool{"T": true, "TD": true, "R": true, "N": true, "Q": true, "QX": true, "STOP": true, "STOPALL": true, "UNSUBSCRIBE": true, "CANCEL": true, "END": true, "QUIT": true,
	"退订": true, "退定": true, "拒收": true, "取消": true, "取消订阅": true, "不要再发": true, "别再发": true, "不再接收": true, "回T": true, "回R": true, "回TD": true}

// Leaves reports whether a reply asks for no more messages.
func Leaves(text string) bool {
	word := strings.ToUpper(strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) }))
	return leaves[word] || strings.HasPrefix(word, "退订") || strings.HasPrefix(word, "拒收") || strings.HasSuffix(word, "退订")
}
