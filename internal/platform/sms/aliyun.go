package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// aliyun speaks with the short message service of Alibaba Cloud, version 2017-05-25.
type aliyun struct{ Settings }

const (
	aliyunVersion = "2017-05-25"
	aliyunTime    = "2006-01-02T15:04:05Z"
)

// china is where days and hours of the providers are read.
var china = time.FixedZone("CST", 8*60*60)

func sum256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// escape is percent-encoding by RFC 3986.
func escape(text string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(text))
}

// canonicalQuery joins parameters by ascending name.
func canonicalQuery(params map[string]string) string {
	names := make([]string, 0, len(params))
	for k := range params {
		names = append(names, k)
	}
	slices.Sort(names)
	for i, k := range names {
		names[i] = escape(k) + "=" + escape(params[k])
	}
	return strings.Join(names, "&")
}

// acs3 is the header Authorization of a POST to Alibaba Cloud (signature V3): headers are those that are signed, in lower case.
func (s *Settings) acs3(query string, headers map[string]string, body []byte) string {
	names := make([]string, 0, len(headers))
	for k := range headers {
		names = append(names, k)
	}
	slices.Sort(names)
	var canonical strings.Builder
	for _, k := range names {
		canonical.WriteString(k + ":" + strings.TrimSpace(headers[k]) + "\n")
	}
	signed := strings.Join(names, ";")
	request := strings.Join([]string{"POST", "/", query, canonical.String(), signed, sum256(body)}, "\n")
	text := "ACS3-HMAC-SHA256\n" + sum256([]byte(request))
	return "ACS3-HMAC-SHA256 Credential=" + s.Key + ",SignedHeaders=" + signed + ",Signature=" + hex.EncodeToString(mac256([]byte(s.Secret), text))
}

func (a *aliyun) call(ctx context.Context, action string, params map[string]string) (status int, body []byte, code string, sent bool) {
	query := canonicalQuery(params)
	r, err := request(ctx, a.Endpoint+"/?"+query, nil)
	if err != nil {
		return 0, nil, "refused", false
	}
	headers := map[string]string{"host": r.URL.Host, "x-acs-action": action, "x-acs-version": aliyunVersion, "x-acs-date": a.Clock.Now().UTC().Format(aliyunTime),
		"x-acs-signature-nonce": a.Nonce(), "x-acs-content-sha256": sum256(nil)}
	for k, v := range headers {
		if k != "host" {
			r.Header.Set(k, v)
		}
	}
	r.Header.Set("Authorization", a.acs3(query, headers, nil))
	return ask(a.Client, r)
}

// Send implements Provider.
func (a *aliyun) Send(ctx context.Context, m Message) Result {
	params := map[string]string{"PhoneNumbers": mainland(m.To), "SignName": m.Sign, "TemplateCode": m.Template, "OutId": m.ID}
	if len(m.Params) > 0 {
		values := map[string]string{}
		for _, p := range m.Params {
			values[p.Key] = p.Value
		}
		raw, err := json.Marshal(values)
		if err != nil {
			return Result{Outcome: Refused, Code: "parameters"}
		}
		params["TemplateParam"] = string(raw)
	}
	status, body, code, sent := a.call(ctx, "SendSms", params)
	if code != "" {
		return lost(code, sent)
	}
	var got struct{ Code, Message, BizID string }
	if json.Unmarshal(body, &got) != nil || got.Code == "" {
		return Result{Outcome: Unknown, Code: "status"}
	}
	out := Result{Code: got.Code, Detail: got.Message, Receipt: got.BizID, Outcome: aliyunOutcome(got.Code)}
	switch {
	case got.Code == "OK":
		out.Code, out.Detail = "", ""
	case out.Outcome == Unknown && status >= 400 && status < 500:
		out.Outcome = Refused
	}
	return out
}

// aliyunOutcome sorts the codes of the documents; a code that is not there says nothing about whether the message was taken.
func aliyunOutcome(code string) Outcome {
	switch code {
	case "OK":
		return Taken
	case "isv.MOBILE_NUMBER_ILLEGAL":
		return Dead
	case "isv.BUSINESS_LIMIT_CONTROL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.TEMPLATE_PARAMS_ILLEGAL", "isv.PARAM_LENGTH_LIMIT", "isv.PARAM_NOT_SUPPORT_URL",
		"isv.BLACK_KEY_CONTROL_LIMIT", "isv.INVALID_JSON_PARAM", "isv.INVALID_PARAMETERS", "isv.SMS_CONTENT_ILLEGAL", "isv.SMS_OVER_LIMIT", "MOBILE_IN_BLACK":
		return Refused
	case "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.ACCOUNT_ABNORMAL", "isv.ACCOUNT_NOT_EXISTS", "isv.PRODUCT_UNSUBSCRIBE", "isv.PRODUCT_UN_SUBSCRIPT", "isv.SMS_SIGNATURE_ILLEGAL",
		"isv.SMS_SIGN_ILLEGAL", "isv.SIGN_NAME_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL", "isv.SMS_SIGNATURE_SCENE_ILLEGAL", "isv.DENY_IP_RANGE", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL",
		"isp.RAM_PERMISSION_DENY", "SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "InvalidTimeStamp.Expired", "IncompleteSignature":
		return Account
	}
	switch {
	case strings.HasPrefix(code, "Throttling"), code == "isv.SERVICE_UNAVAILABLE":
		return Later
	case strings.HasPrefix(code, "Forbidden"), strings.HasPrefix(code, "InvalidAccessKey"), strings.HasPrefix(code, "NoPermission"):
		return Account
	}
	return Unknown
}

// Find implements Provider.
func (a *aliyun) Find(ctx context.Context, s Sent) (Report, bool, error) {
	params := map[string]string{"PhoneNumber": mainland(s.To), "SendDate": s.At.In(china).Format("20060102"), "PageSize": "50", "CurrentPage": "1"}
	if s.Receipt != "" {
		params["BizId"] = s.Receipt
	}
	_, body, code, _ := a.call(ctx, "QuerySendDetails", params)
	if code != "" {
		return Report{}, false, silent(code)
	}
	var got struct {
		Code              string
		SmsSendDetailDTOs struct {
			SmsSendDetailDTO []struct {
				SendStatus                  int
				ErrCode, OutID, ReceiveDate string
			}
		}
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Code != "OK" {
		return Report{}, false, silent(got.Code)
	}
	for _, d := range got.SmsSendDetailDTOs.SmsSendDetailDTO {
		if d.OutID != s.ID {
			continue
		}
		r := Report{ID: s.ID, Receipt: s.Receipt, Phone: s.To, At: at(d.ReceiveDate)}
		switch d.SendStatus {
		case 3:
			r.Delivered = true
		case 2:
			r.Code, r.Dead = d.ErrCode, deadNumber(d.ErrCode)
		}
		return r, true, nil
	}
	return Report{}, false, nil
}

// at reads an hour of a provider.
func at(text string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, text, china)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// deadNumber names the codes by which networks say that there is no such number any more.
func deadNumber(code string) bool {
	return slices.Contains([]string{"MOBILE_NOT_ON_SERVICE", "MK:0001", "MN:0001", "isv.MOBILE_NUMBER_ILLEGAL"}, code)
}

// readAliyun reads what Alibaba Cloud pushes: SmsReport and SmsUp, a list each.
func readAliyun(body []byte) (in Inbound, err error) {
	var list []struct {
		Phone      string `json:"phone_number"`
		SendTime   string `json:"send_time"`
		ReportTime string `json:"report_time"`
		Success    *bool  `json:"success"`
		ErrCode    string `json:"err_code"`
		BizID      string `json:"biz_id"`
		OutID      string `json:"out_id"`
		Content    string `json:"content"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return in, err
	}
	for _, v := range list {
		phone := global(v.Phone, "")
		if v.Success == nil {
			in.Replies = append(in.Replies, Reply{Phone: phone, Text: v.Content, At: at(v.SendTime)})
			continue
		}
		r := Report{ID: v.OutID, Receipt: v.BizID, Phone: phone, Delivered: *v.Success, At: at(v.ReportTime)}
		if !r.Delivered {
			r.Code, r.Dead = v.ErrCode, deadNumber(v.ErrCode)
		}
		in.Reports = append(in.Reports, r)
	}
	in.Answer = []byte(`{"code":0,"msg":"OK"}`)
	return in, nil
}
