package sms

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/platform/sms/smstest"
)

// TestPublishedSignatures: the examples in the documents of both clouds.
func TestPublishedSignatures(t *testing.T) {
	t.Parallel()
	a := Settings{Key: "YourAccessKeyId", Secret: "YourAccessKeySecret"}
	query := canonicalQuery(map[string]string{"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"})
	headers := map[string]string{"host": "ecs.cn-shanghai.aliyuncs.com", "x-acs-action": "RunInstances", "x-acs-version": "2014-05-26", "x-acs-date": "2023-10-26T10:22:32Z",
		"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-content-sha256": sum256(nil)}
	if got := a.acs3(query, headers, nil); !strings.HasSuffix(got, "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0") {
		t.Error(got)
	}
	if got := escape(" a!*'()~短"); got != "%20a%21%2A%27%28%29~%E7%9F%AD" {
		t.Error(got)
	}
	c := Settings{Key: "AKID" + strings.Repeat("*", 32), Secret: strings.Repeat("*", 32)}
	body := `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	if got := c.tc3("cvm", "cvm.tencentcloudapi.com", "DescribeInstances", []byte(body), time.Unix(1551113065, 0)); !strings.HasSuffix(got, "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f") {
		t.Error(got)
	}
}

func opened(t *testing.T, s *smstest.Server, provider string, wait time.Duration) Provider {
	t.Helper()
	var n atomic.Int64
	p, ok := Open(Settings{Provider: provider, Endpoint: s.URL, Key: s.Key, Secret: s.Secret, App: s.App, Client: &http.Client{Timeout: wait}, Clock: clock.System{},
		Nonce: func() string { return fmt.Sprint("n", n.Add(1)) }})
	if !ok {
		t.Fatal(provider)
	}
	return p
}

// TestProviders: what is sent arrives with its values and a signature that others check; every answer is what it says and no more; what nobody knows is found
// again by its id.
func TestProviders(t *testing.T) {
	t.Parallel()
	for _, provider := range Providers() {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			s := smstest.Start(t)
			p := opened(t, s, provider, 5*time.Second)
			to := func(n int) string { return fmt.Sprintf("+861380000000%d", n) }
			wire := func(n int) string {
				if provider == Aliyun {
					return strings.TrimPrefix(to(n), "+86")
				}
				return to(n)
			}
			m := Message{ID: "msg_1", To: to(1), Text: "【关系】您好 王 & 李+1", Sign: "关系", Template: "SMS_1", Params: []Param{{"name", "王 & 李+1"}, {"code", "8F 2*~"}}}
			if got := p.Send(t.Context(), m); got.Outcome != Taken || got.Receipt != "rcpt-1" {
				t.Fatalf("%+v, %v", got, s.Refused())
			}
			got := s.Messages()[0]
			if got.ID != "msg_1" || got.To != wire(1) || got.Sign != "关系" || got.Template != "SMS_1" || !strings.Contains(got.Params, `8F 2*~`) || provider == General && got.Text != m.Text {
				t.Errorf("%+v", got)
			}
			limit, money, busy, wrong := "isv.BUSINESS_LIMIT_CONTROL", "isv.AMOUNT_NOT_ENOUGH", "Throttling.User", "isv.MOBILE_NUMBER_ILLEGAL"
			if provider == Tencent {
				limit, money, busy, wrong = "LimitExceeded.PhoneNumberDailyLimit", "FailedOperation.InsufficientBalanceInSmsPackage", "RequestLimitExceeded", "InvalidParameterValue.IncorrectPhoneNumber"
			}
			if provider != General {
				for n, c := range []struct {
					code string
					want Outcome
				}{{limit, Refused}, {money, Account}, {busy, Later}, {wrong, Dead}, {"never.heard.of", Unknown}} {
					s.Answer(wire(n+2), c.code)
					m.To = to(n + 2)
					if got := p.Send(t.Context(), m); got.Outcome != c.want || got.Code != c.code {
						t.Errorf("%s: %+v", c.code, got)
					}
				}
			}
			s.Answer(wire(8), "500")
			if m.ID, m.To = "msg_8", to(8); p.Send(t.Context(), m).Outcome != Unknown {
				t.Error("a broken answer after it was taken is unknown")
			}
			bad := opened(t, s, provider, 5*time.Second)
			switch v := bad.(type) {
			case *aliyun:
				v.Secret = "another"
			case *tencent:
				v.Secret = "another"
			case *general:
				v.Secret = "another"
			}
			if got := bad.Send(t.Context(), m); got.Outcome != Account {
				t.Errorf("%+v", got)
			}
			if provider == General {
				return
			}
			s.Answer(wire(9), "hang")
			slow := opened(t, s, provider, 100*time.Millisecond)
			if s1, ok := slow.(*aliyun); ok {
				s1.Nonce = func() string { return "slow" }
			}
			if m.ID, m.To = "msg_9", to(9); slow.Send(t.Context(), m).Outcome != Unknown {
				t.Error("a timeout is unknown")
			}
			r, found, err := p.Find(t.Context(), Sent{ID: "msg_9", To: to(9), At: time.Now()})
			if err != nil || !found || !r.Delivered || r.At.IsZero() {
				t.Errorf("%+v %v %v", r, found, err)
			}
			if _, found, err := p.Find(t.Context(), Sent{ID: "msg_77", To: to(9), At: time.Now()}); found || err != nil {
				t.Error("another message of the number is not this one", err)
			}
			s.Close()
			if got := p.Send(t.Context(), m); got.Outcome != Later || got.Code != "connect" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestInbound: receipts and replies as the documents of the providers show them.
func TestInbound(t *testing.T) {
	t.Parallel()
	report, err := Read(Aliyun, []byte(`[{"phone_number":"13900000001","send_time":"2017-01-01 11:12:13","report_time":"2017-02-02 22:23:24","success":true,"err_code":"DELIVERED","err_msg":"x","sms_size":"1","biz_id":"12345","out_id":"msg_67"},`+
		`{"phone_number":"13900000002","report_time":"2017-02-02 22:23:24","success":false,"err_code":"MK:0001","biz_id":"9","out_id":""}]`))
	if err != nil || len(report.Reports) != 2 || report.Reports[0] != (Report{ID: "msg_67", Receipt: "12345", Phone: "+8613900000001", Delivered: true, At: time.Date(2017, 2, 2, 14, 23, 24, 0, time.UTC)}) || !report.Reports[1].Dead {
		t.Errorf("%+v %v", report, err)
	}
	up, err := Read(Aliyun, []byte(`[{"phone_number":"13900000001","content":"T","send_time":"2017-09-01 11:12:13","sign_name":"阿里","dest_code":"4545","sequence_id":1234567890}]`))
	if err != nil || len(up.Replies) != 1 || up.Replies[0].Phone != "+8613900000001" || !Leaves(up.Replies[0].Text) {
		t.Errorf("%+v %v", up, err)
	}
	report, err = Read(Tencent, []byte(`[{"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13700000001","report_status":"SUCCESS","errmsg":"DELIVRD","description":"用户短信送达成功","sid":"xxxxxxx","ext":"msg_5"}]`))
	if err != nil || len(report.Reports) != 1 || report.Reports[0].ID != "msg_5" || report.Reports[0].Phone != "+8613700000001" || !report.Reports[0].Delivered || string(report.Answer) != `{"result":0,"errmsg":"OK"}` {
		t.Errorf("%+v %v", report, err)
	}
	up, err = Read(Tencent, []byte(`{"extend":"1","mobile":"13700000001","nationcode":"86","sign":"x","text":"退订","time":1457336869}`))
	if err != nil || len(up.Replies) != 1 || up.Replies[0].Phone != "+8613700000001" || up.Replies[0].At.Unix() != 1457336869 {
		t.Errorf("%+v %v", up, err)
	}
	for text, want := range map[string]bool{"T": true, " td ": true, "退订。": true, "“R”": true, "我要退订": true, "拒收": true, "STOP!": true, "Tomorrow": false, "谢谢": false, "取消订单怎么办": false, "": false, "请问有货吗": false} {
		if Leaves(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	for _, provider := range Providers() {
		if _, err := Read(provider, []byte("<xml>")); err == nil {
			t.Error(provider)
		}
	}
}
