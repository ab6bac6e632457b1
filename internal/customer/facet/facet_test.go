package facet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/customer/facet"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

const (
	chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
	wechat = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x1800312f) NetType/WIFI Language/zh_CN"
)

func page(url, referrer string, context string) *event.Event {
	props, err := json.Marshal(map[string]string{"url": url, "referrer": referrer, "title": "首页"})
	if err != nil {
		panic(err)
	}
	return &event.Event{Kind: event.Page, Name: event.PageViewed, Properties: props, Context: json.RawMessage(context)}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	agent := func(ua string) string { return `{"userAgent":"` + ua + `"}` }
	for _, c := range []struct{ url, referrer, context, want string }{
		{"https://shop.cn/", "", agent(chrome), facet.Direct},
		{"https://shop.cn/", "", agent(wechat), facet.Social},
		{"https://www.shop.cn/a", "https://m.shop.cn/b", "{}", facet.Internal},
		{"https://a.shop.com.cn/a", "https://b.shop.com.cn/b", "{}", facet.Internal},
		{"https://a.com.cn/a", "https://b.com.cn/b", "{}", facet.Referral},
		{"https://shop.cn/", "https://www.baidu.com/link?url=x", "{}", facet.Search},
		{"https://shop.cn/", "https://www.so.com/s?q=x", "{}", facet.Search},
		{"https://shop.cn/", "https://www.google.co.jp/", "{}", facet.Search},
		{"https://shop.cn/", "https://notgoogle.example/", "{}", facet.Referral},
		{"https://shop.cn/", "https://mp.weixin.qq.com/s/x", "{}", facet.Social},
		{"https://shop.cn/", "https://tieba.baidu.com/p/1", "{}", facet.Social}, // though within a search engine
		{"https://shop.cn/", "https://www.xiaohongshu.com/", "{}", facet.Social},
		{"https://shop.cn/", "https://mail.qq.com/", "{}", facet.Email},
		{"https://shop.cn/", "https://blog.example/", "{}", facet.Referral},
		{"https://shop.cn/?bd_vid=1", "https://www.baidu.com/", "{}", facet.Ads},
		{"https://shop.cn/?GCLID=1", "", "{}", facet.Ads},
		{"https://shop.cn/#/goods/1?qhclickid=2", "", "{}", facet.Ads},
		{"https://shop.cn/?utm_source=baidu&utm_medium=cpc", "", "{}", facet.Ads},
		{"https://shop.cn/?utm_source=edm", "", "{}", facet.Email},
		{"https://shop.cn/?utm_source=小红书", "", "{}", facet.Social},
		{"https://shop.cn/?utm_source=x1&utm_medium=newsletter", "", "{}", facet.Email},
		{"https://shop.cn/?utm_source=partner", "https://www.baidu.com/", "{}", facet.Campaign},
		{"https://shop.cn/", "", `{"campaign":{"name":"双11","source":"sms","medium":"sms"}}`, facet.Campaign},
		{"https://shop.cn/", "", `{"campaign":5,"page":[1],"userAgent":{"a":1}}`, facet.Direct},
	} {
		if got := facet.NewReader().Read(page(c.url, c.referrer, c.context), facet.Rates{}).Channel; got != c.want {
			t.Errorf("%s from %q with %.30s: %s, want %s", c.url, c.referrer, c.context, got, c.want)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	r := facet.NewReader()
	f := r.Read(page("https://User:pw@WWW.Shop.cn:8443/a/b?token=geheim&utm_source=wx&utm_campaign=%E5%8F%8C11#top", "https://www.baidu.com/s?wd=%E5%A7%93%E5%90%8D", `{"page":{"url":"https://www.shop.cn/a/b?token=geheim","search":"?token=geheim"},"ip":"1.2.3.4","locale":"zh_CN"}`), facet.Rates{})
	if f.Host != "www.shop.cn" || f.Path != "/a/b" || f.Title != "首页" || f.Referrer != "www.baidu.com" || f.UTMSource != "wx" || f.UTMCampaign != "双11" || f.Language != "zh-CN" {
		t.Errorf("%+v", f)
	}
	for _, kept := range []string{string(f.Properties), string(f.Context)} {
		for _, gone := range []string{"geheim", "wd=", "pw@", "1.2.3.4"} {
			if strings.Contains(kept, gone) {
				t.Errorf("%q is kept in %s", gone, kept)
			}
		}
	}
	if !strings.Contains(string(f.Properties), "utm_source=wx") {
		t.Errorf("the campaign is gone: %s", f.Properties)
	}
	f = r.Read(page("https://shop.cn/app#/goods/5?uid=9", "", "{}"), facet.Rates{})
	if f.Path != "/app#/goods/5" || strings.Contains(string(f.Properties), "uid") {
		t.Errorf("a route behind #: %q, %s", f.Path, f.Properties)
	}
	f = r.Read(&event.Event{Kind: event.Screen, Properties: json.RawMessage(`{"name":"购物车"}`), Context: json.RawMessage(`{"device":{"type":"ios"},"os":{"name":"iOS"}}`)}, facet.Rates{})
	if f.Path != "购物车" || f.Device != facet.Mobile || f.OS != "iOS" {
		t.Errorf("a screen: %+v", f)
	}
	long := strings.Repeat("长", 3000)
	if f = r.Read(page("https://shop.cn/"+long, "", "{}"), facet.Rates{}); len([]rune(f.Path)) != 2000 {
		t.Errorf("a path of %d characters", len([]rune(f.Path)))
	}
}

func TestAgents(t *testing.T) {
	t.Parallel()
	for ua, want := range map[string]facet.Agent{
		chrome: {Device: "desktop", Browser: "Chrome", OS: "Windows"},
		wechat: {Device: "mobile", Browser: "WeChat", OS: "iOS", InApp: true},
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                                 {Device: "bot", Browser: "Googlebot", Bot: true},
		"Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4":     {Device: "mobile", Browser: "Huawei Browser", OS: "HarmonyOS"},
		"Mozilla/5.0 (Linux; Android 13; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/17.5": {Device: "mobile", Browser: "Mi Browser", OS: "Android"},
		"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1":                           {Device: "tablet", Browser: "Safari", OS: "iOS"},
	} {
		if got := facet.ReadAgent(ua); got != want {
			t.Errorf("%s\n got %+v\nwant %+v", ua, got, want)
		}
	}
}

func TestWhatInteractionsAreWorth(t *testing.T) {
	t.Parallel()
	table, err := money.NewTable("CNY", []money.Rate{{Currency: "USD", From: 0, Value: 7_000_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	r, rates := facet.NewReader(), facet.Rates{Table: table, Base: "CNY"}
	for props, want := range map[string]int64{
		`{"revenue":12.5,"total":99}`:             1250,
		`{"value":"12.5"}`:                        1250,
		`{"total":10,"currency":"usd"}`:           7000,
		`{"revenue":"viel","value":3}`:            300,
		`{"revenue":null,"total":1}`:              100,
		`{"total":1,"currency":"KRW"}`:            -1,
		`{"total":{"a":1}}`:                       -1,
		`{}`:                                      -1,
		`{"total":1,"currency":"not a currency"}`: 100,
	} {
		f := r.Read(&event.Event{Kind: event.Track, Name: "Order Completed", Properties: json.RawMessage(props), Context: json.RawMessage("{}")}, rates)
		if !f.HasAmount {
			f.Amount = -1
		}
		if f.Amount != want {
			t.Errorf("%s is worth %d, want %d", props, f.Amount, want)
		}
	}
	f := r.Read(&event.Event{Kind: event.Track, Name: event.Engaged, Properties: json.RawMessage(`{"dwell_ms":4200}`), Context: json.RawMessage("{}")}, rates)
	if !f.HasDwell || f.Dwell != 4200 {
		t.Errorf("dwell %d", f.Dwell)
	}
	if f = r.Read(&event.Event{Kind: event.Track, Name: "Promotion Viewed", Properties: json.RawMessage(`{"nonInteraction":true}`), Context: json.RawMessage("{}")}, rates); !f.Passive {
		t.Error("an event that nobody did counts as done")
	}
	f = r.Read(&event.Event{Kind: event.Identify, Name: event.Identified, Properties: json.RawMessage(`{"name":"陈静","plan":"gold"}`), Context: json.RawMessage("{}")}, rates)
	if string(f.Properties) != `{"name":true,"plan":true}` {
		t.Errorf("of traits is kept %s", f.Properties)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"url":"https://a.b/c?d#e","revenue":1}`, `{"page":{"url":"x"},"userAgent":"y"}`)
	f.Fuzz(func(t *testing.T, props, context string) {
		if !json.Valid([]byte(props)) || !json.Valid([]byte(context)) {
			return
		}
		for _, kind := range []event.Kind{event.Page, event.Track, event.Screen, event.Identify} {
			got := facet.NewReader().Read(&event.Event{Kind: kind, Name: event.Engaged, Properties: json.RawMessage(props), Context: json.RawMessage(context)}, facet.Rates{Base: "CNY"})
			if !json.Valid(got.Properties) || !json.Valid(got.Context) || got.Channel == "" {
				t.Errorf("%+v", got)
			}
		}
	})
}
