// Package smstest is a company that delivers text messages, for tests: it speaks as Alibaba Cloud, as Tencent Cloud and as webhooks do, checks every
// signature from what came over the wire by code of its own, and does with a number what the test said it does.
package smstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// Message is one that was taken.
type Message struct {
	ID, To, Sign, Template, Text string
	Params                       string // as they came
	Receipt                      string
}

// Server is the company.
type Server struct {
	*httptest.Server
	Key, Secret, App string
	// Answers are codes for numbers: a code of the provider, "hang" for an answer that does not come although the message was taken, "500" for a broken answer.
	Answers map[string]string

	mu       sync.Mutex
	messages []Message
	refused  []string
	seen     map[string]bool // nonces
}

// Start begins a Server that ends with the test.
func Start(t *testing.T) *Server {
	t.Helper()
	s := &Server{Key: "LTAItest", Secret: "a secret of thirty-two characters", App: "1400006666", Answers: map[string]string{}, seen: map[string]bool{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Messages are those that were taken so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Refused says why requests were not even read.
func (s *Server) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.refused...)
}

// Answer sets what becomes of messages to a number.
func (s *Server) Answer(number, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Answers[number] = code
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, text)
	return h.Sum(nil)
}

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// take keeps a message and says what the test wants of its number.
func (s *Server) take(m *Message) (code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code = s.Answers[m.To]
	if code == "" || code == "hang" || code == "500" {
		m.Receipt = fmt.Sprintf("rcpt-%d", len(s.messages)+1)
		s.messages = append(s.messages, *m)
	}
	return code
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var why string
	switch {
	case r.Header.Get("x-acs-action") != "":
		if why = s.aliyunSigned(r, body); why == "" {
			s.aliyun(w, r)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]string{"Code": "SignatureDoesNotMatch", "Message": why})
	case r.Header.Get("X-TC-Action") != "":
		if why = s.tencentSigned(r, body); why == "" {
			s.tencent(w, r, body)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Response": map[string]any{"Error": map[string]string{"Code": "AuthFailure.SignatureFailure", "Message": why}}})
	default:
		if why = s.webhookSigned(r, body); why == "" {
			s.general(w, body)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}
	s.mu.Lock()
	s.refused = append(s.refused, why)
	s.mu.Unlock()
}

// fields reads "Name=value" parts of a header.
func fields(text, separator string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, separator) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		out[name] = value
	}
	return out
}

func header(r *http.Request, name string) string {
	if name == "host" {
		return r.Host
	}
	return strings.TrimSpace(r.Header.Get(name))
}

func (s *Server) aliyunSigned(r *http.Request, body []byte) string {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 ")
	got := fields(rest, ",")
	if !ok || got["Credential"] != s.Key {
		return "not of this account"
	}
	if header(r, "x-acs-content-sha256") != digest(body) {
		return "another content"
	}
	when, err := time.Parse("2006-01-02T15:04:05Z", header(r, "x-acs-date"))
	if err != nil || time.Since(when).Abs() > 15*time.Minute {
		return "too old"
	}
	s.mu.Lock()
	again := s.seen[header(r, "x-acs-signature-nonce")]
	s.seen[header(r, "x-acs-signature-nonce")] = true
	s.mu.Unlock()
	if again {
		return "a nonce twice"
	}
	names := strings.Split(got["SignedHeaders"], ";")
	for _, must := range []string{"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if !strings.Contains(";"+got["SignedHeaders"]+";", ";"+must+";") {
			return must + " is not signed"
		}
	}
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n"
	pairs := strings.Split(r.URL.RawQuery, "&")
	sort.Strings(pairs)
	canonical += strings.Join(pairs, "&") + "\n"
	sort.Strings(names)
	for _, n := range names {
		canonical += n + ":" + header(r, n) + "\n"
	}
	canonical += "\n" + strings.Join(names, ";") + "\n" + digest(body)
	if want := hex.EncodeToString(mac([]byte(s.Secret), "ACS3-HMAC-SHA256\n"+digest([]byte(canonical)))); want != got["Signature"] {
		return "the signature is another"
	}
	return ""
}

func (s *Server) tencentSigned(r *http.Request, body []byte) string {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "TC3-HMAC-SHA256 ")
	got := fields(rest, ",")
	var stamp int64
	if _, err := fmt.Sscan(r.Header.Get("X-TC-Timestamp"), &stamp); err != nil || time.Since(time.Unix(stamp, 0)).Abs() > 5*time.Minute {
		return "too old"
	}
	day := time.Unix(stamp, 0).UTC().Format("2006-01-02")
	scope := day + "/sms/tc3_request"
	if !ok || got["Credential"] != s.Key+"/"+scope {
		return "not of this account"
	}
	canonical := r.Method + "\n/\n" + r.URL.RawQuery + "\n"
	for n := range strings.SplitSeq(got["SignedHeaders"], ";") {
		canonical += n + ":" + strings.ToLower(header(r, n)) + "\n"
	}
	canonical += "\n" + got["SignedHeaders"] + "\n" + digest(body)
	key := mac(mac(mac([]byte("TC3"+s.Secret), day), "sms"), "tc3_request")
	text := fmt.Sprintf("TC3-HMAC-SHA256\n%d\n%s\n%s", stamp, scope, digest([]byte(canonical)))
	if hex.EncodeToString(mac(key, text)) != got["Signature"] {
		return "the signature is another"
	}
	return ""
}

func (s *Server) webhookSigned(r *http.Request, body []byte) string {
	text := r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + string(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac([]byte(s.Secret), text))
	if r.Header.Get("webhook-signature") != want {
		return "the signature is another"
	}
	return ""
}

func (s *Server) aliyun(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return
	}
	if r.Header.Get("x-acs-action") == "QuerySendDetails" {
		list := []map[string]any{}
		for _, m := range s.Messages() {
			if m.To == q.Get("PhoneNumber") && (q.Get("BizId") == "" || q.Get("BizId") == m.Receipt) {
				list = append(list, map[string]any{"SendStatus": 3, "ErrCode": "DELIVERED", "OutId": m.ID, "ReceiveDate": "2026-11-23 10:00:00", "PhoneNum": m.To})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Code": "OK", "TotalCount": len(list), "SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": list}})
		return
	}
	m := Message{ID: q.Get("OutId"), To: q.Get("PhoneNumbers"), Sign: q.Get("SignName"), Template: q.Get("TemplateCode"), Params: q.Get("TemplateParam")}
	switch code := s.take(&m); code {
	case "":
		_ = json.NewEncoder(w).Encode(map[string]string{"Code": "OK", "Message": "OK", "BizId": m.Receipt, "RequestId": "r"})
	case "hang":
		<-r.Context().Done()
	case "500":
		w.WriteHeader(http.StatusBadGateway)
	default:
		_ = json.NewEncoder(w).Encode(map[string]string{"Code": code, "Message": "no"})
	}
}

func (s *Server) tencent(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		PhoneNumberSet, TemplateParamSet                               []string
		SmsSdkAppId, SignName, TemplateId, SessionContext, PhoneNumber string //nolint:revive // names of the provider
	}
	if json.Unmarshal(body, &q) != nil || q.SmsSdkAppId != s.App {
		_ = json.NewEncoder(w).Encode(map[string]any{"Response": map[string]any{"Error": map[string]string{"Code": "UnauthorizedOperation.SmsSdkAppIdVerifyFail", "Message": "app"}}})
		return
	}
	if r.Header.Get("X-TC-Action") == "PullSmsSendStatusByPhoneNumber" {
		list := []map[string]any{}
		for _, m := range s.Messages() {
			if m.To == q.PhoneNumber {
				list = append(list, map[string]any{"SerialNo": m.Receipt, "ReportStatus": "SUCCESS", "Description": "DELIVRD", "SessionContext": m.ID, "UserReceiveTime": 1795399200})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Response": map[string]any{"PullSmsSendStatusSet": list}})
		return
	}
	raw, _ := json.Marshal(q.TemplateParamSet)
	m := Message{ID: q.SessionContext, To: q.PhoneNumberSet[0], Sign: q.SignName, Template: q.TemplateId, Params: string(raw)}
	switch code := s.take(&m); code {
	case "":
		_ = json.NewEncoder(w).Encode(map[string]any{"Response": map[string]any{"SendStatusSet": []map[string]any{{"SerialNo": m.Receipt, "PhoneNumber": m.To, "Fee": 1, "SessionContext": m.ID, "Code": "Ok", "Message": "send success", "IsoCode": "CN"}}, "RequestId": "r"}})
	case "hang":
		<-r.Context().Done()
	case "500":
		w.WriteHeader(http.StatusBadGateway)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"Response": map[string]any{"SendStatusSet": []map[string]any{{"SerialNo": "", "PhoneNumber": m.To, "Code": code, "Message": "no"}}}})
	}
}

func (s *Server) general(w http.ResponseWriter, body []byte) {
	var q struct {
		ID, To, Text, Sign, Template string
		Parameters                   json.RawMessage
	}
	if json.Unmarshal(body, &q) != nil {
		return
	}
	m := Message{ID: q.ID, To: q.To, Text: q.Text, Sign: q.Sign, Template: q.Template, Params: string(q.Parameters)}
	switch code := s.take(&m); code {
	case "":
		_ = json.NewEncoder(w).Encode(map[string]string{"id": m.Receipt})
	case "500":
		w.WriteHeader(http.StatusBadGateway)
	default:
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
}
