package sms

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// tencent speaks with the short message service of Tencent Cloud, version 2021-01-11.
type tencent struct{ Settings }

const (
	tencentVersion = "2021-01-11"
	tencentService = "sms"
	tencentType    = "application/json; charset=utf-8"
)

// tc3 is the header Authorization of a request to Tencent Cloud (signature v3).
func (s *Settings) tc3(service, host, action string, body []byte, when time.Time) string {
	const signed = "content-type;host;x-tc-action"
	headers := "content-type:" + tencentType + "\nhost:" + host + "\nx-tc-action:" + strings.ToLower(action) + "\n"
	request := strings.Join([]string{"POST", "/", "", headers, signed, sum256(body)}, "\n")
	day := when.UTC().Format(time.DateOnly)
	scope := day + "/" + service + "/tc3_request"
	text := strings.Join([]string{"TC3-HMAC-SHA256", strconv.FormatInt(when.Unix(), 10), scope, sum256([]byte(request))}, "\n")
	signing := mac256(mac256(mac256([]byte("TC3"+s.Secret), day), service), "tc3_request")
	return "TC3-HMAC-SHA256 Credential=" + s.Key + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(mac256(signing, text))
}

func (t *tencent) call(ctx context.Context, action string, in any) (status int, body []byte, code string, sent bool) {
	raw, err := json.Marshal(in)
	if err != nil {
		return 0, nil, "parameters", false
	}
	r, err := request(ctx, t.Endpoint+"/", raw)
	if err != nil {
		return 0, nil, "refused", false
	}
	now := t.Clock.Now()
	r.Header.Set("Content-Type", tencentType)
	r.Header.Set("X-TC-Action", action)
	r.Header.Set("X-TC-Version", tencentVersion)
	r.Header.Set("X-TC-Region", t.Region)
	r.Header.Set("X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("Authorization", t.tc3(tencentService, r.URL.Host, action, raw, now))
	return ask(t.Client, r)
}

// Send implements Provider.
func (t *tencent) Send(ctx context.Context, m Message) Result {
	values := make([]string, len(m.Params))
	for i, p := range m.Params {
		values[i] = p.Value
	}
	_, body, code, sent := t.call(ctx, "SendSms", map[string]any{"PhoneNumberSet": []string{m.To}, "SmsSdkAppId": t.App, "SignName": m.Sign, "TemplateId": m.Template,
		"TemplateParamSet": values, "SessionContext": m.ID})
	if code != "" {
		return lost(code, sent)
	}
	var got struct {
		Response struct {
			Error         *struct{ Code, Message string }
			SendStatusSet []struct{ SerialNo, Code, Message string }
		}
	}
	if json.Unmarshal(body, &got) != nil {
		return Result{Outcome: Unknown, Code: "status"}
	}
	if e := got.Response.Error; e != nil {
		return Result{Outcome: tencentOutcome(e.Code), Code: e.Code, Detail: e.Message}
	}
	if len(got.Response.SendStatusSet) != 1 {
		return Result{Outcome: Unknown, Code: "status"}
	}
	s := got.Response.SendStatusSet[0]
	if s.Code == "Ok" {
		return Result{Outcome: Taken, Receipt: s.SerialNo}
	}
	return Result{Outcome: tencentOutcome(s.Code), Code: s.Code, Detail: s.Message}
}

// tencentOutcome sorts the codes of the documents by what they begin with.
func tencentOutcome(code string) Outcome {
	switch code {
	case "InvalidParameterValue.IncorrectPhoneNumber":
		return Dead
	case "FailedOperation.PhoneNumberInBlacklist", "FailedOperation.ContainSensitiveWord", "FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "FailedOperation.FailResolvePacket",
		"InvalidParameterValue.TemplateParameterFormatError", "InvalidParameterValue.TemplateParameterLengthLimit", "InvalidParameterValue.ContentLengthLimit", "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
		"UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber":
		return Refused
	case "LimitExceeded.AppDailyLimit", "LimitExceeded.DailyLimit", "LimitExceeded.AppCountryOrRegionDailyLimit", "LimitExceeded.AppMainlandChinaDailyLimit":
		return Account
	case "LimitExceeded.DeliveryFrequencyLimit", "RequestLimitExceeded":
		return Later
	}
	switch {
	case strings.HasPrefix(code, "LimitExceeded."): // of the number
		return Refused
	case strings.HasPrefix(code, "AuthFailure"), strings.HasPrefix(code, "UnauthorizedOperation"), strings.HasPrefix(code, "FailedOperation."), strings.HasPrefix(code, "InvalidParameter"),
		strings.HasPrefix(code, "MissingParameter"), strings.HasPrefix(code, "UnsupportedOperation"):
		return Account
	}
	return Unknown // InternalError and what is not in the documents
}

// Find implements Provider.
func (t *tencent) Find(ctx context.Context, s Sent) (Report, bool, error) {
	_, body, code, _ := t.call(ctx, "PullSmsSendStatusByPhoneNumber", map[string]any{"BeginTime": s.At.Add(-time.Minute).Unix(), "EndTime": s.At.Add(24 * time.Hour).Unix(), "Offset": 0, "Limit": 100, "PhoneNumber": s.To, "SmsSdkAppId": t.App})
	if code != "" {
		return Report{}, false, silent(code)
	}
	var got struct {
		Response struct {
			Error                *struct{ Code string }
			PullSmsSendStatusSet []struct {
				SerialNo, ReportStatus, Description, SessionContext string
				UserReceiveTime                                     int64
			}
		}
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Response.Error != nil {
		if got.Response.Error != nil {
			code = got.Response.Error.Code
		}
		return Report{}, false, silent(code)
	}
	for _, v := range got.Response.PullSmsSendStatusSet {
		if s.Receipt != "" && v.SerialNo != s.Receipt || s.Receipt == "" && v.SessionContext != s.ID {
			continue
		}
		r := Report{ID: s.ID, Receipt: v.SerialNo, Phone: s.To, Delivered: v.ReportStatus == "SUCCESS"}
		if v.UserReceiveTime > 0 {
			r.At = time.Unix(v.UserReceiveTime, 0).UTC()
		}
		if !r.Delivered {
			r.Code, r.Dead = v.Description, deadNumber(v.Description)
		}
		return r, true, nil
	}
	return Report{}, false, nil
}

// readTencent reads what Tencent Cloud pushes: a list of receipts, or one reply.
func readTencent(body []byte) (in Inbound, err error) {
	in.Answer = []byte(`{"result":0,"errmsg":"OK"}`)
	if trimmed := strings.TrimSpace(string(body)); strings.HasPrefix(trimmed, "{") {
		var v struct {
			Mobile     string `json:"mobile"`
			NationCode string `json:"nationcode"`
			Text       string `json:"text"`
			Time       int64  `json:"time"`
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return in, err
		}
		in.Replies = []Reply{{Phone: global(v.Mobile, v.NationCode), Text: v.Text, At: time.Unix(v.Time, 0).UTC()}}
		return in, nil
	}
	var list []struct {
		Received   string `json:"user_receive_time"`
		NationCode string `json:"nationcode"`
		Mobile     string `json:"mobile"`
		Status     string `json:"report_status"`
		Err        string `json:"errmsg"`
		Sid        string `json:"sid"`
		Ext        string `json:"ext"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return in, err
	}
	for _, v := range list {
		r := Report{ID: v.Ext, Receipt: v.Sid, Phone: global(v.Mobile, v.NationCode), Delivered: v.Status == "SUCCESS", At: at(v.Received)}
		if !r.Delivered {
			r.Code, r.Dead = v.Err, deadNumber(v.Err)
		}
		in.Reports = append(in.Reports, r)
	}
	return in, nil
}
