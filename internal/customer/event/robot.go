package event

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// robots are parts of user agents, in lower case, by which crawlers, monitors and programs that drive a browser name themselves.
var robots = []string{"bot/", "bot;", "bot ", "bot)", "-bot", "_bot", "googlebot", "bingbot", "baiduspider", "360spider", "sogou web spider", "sogou inst spider", "yisouspider", "bytespider", "petalbot",
	"toutiaospider", "spider/", "spider)", "crawler", "slurp", "facebookexternalhit", "headlesschrome", "phantomjs", "electron/", "puppeteer", "playwright", "selenium", "lighthouse", "pagespeed", "gtmetrix",
	"uptimerobot", "pingdom", "statuscake", "site24x7", "monitoring", "curl/", "wget/", "python-requests", "python-urllib", "go-http-client", "java/", "okhttp/0", "apache-httpclient", "scrapy", "gptbot",
	"claudebot", "ccbot", "perplexity", "ahrefs", "semrush", "mj12", "dotbot", "archive.org", "prerender", "whatsapp/", "telegrambot", "skypeuripreview"}

// Robot reports whether a user agent is one of a known robot.
func Robot(agent string) bool {
	agent = strings.ToLower(agent)
	for _, r := range robots {
		if strings.Contains(agent, r) {
			return true
		}
	}
	return strings.HasSuffix(agent, "bot") || strings.HasSuffix(agent, "spider")
}

// refusals are categories of consent without which behaviour is not to be analysed by person.
var refusals = []string{"analytics", "analytic", "statistics", "performance", "分析", "统计"}

// flag notes what the context says about the sender.
func (d *Delivery) flag(it *Item) {
	e := &it.Event
	var c struct {
		Agent   text `json:"userAgent"`
		Bot     bool `json:"bot"`
		Consent struct {
			Preferences map[string]any `json:"categoryPreferences"`
		} `json:"consent"`
	}
	if bytes.Contains(e.Context, []byte(`"userAgent"`)) || bytes.Contains(e.Context, []byte(`"consent"`)) || bytes.Contains(e.Context, []byte(`"bot"`)) {
		_ = json.Unmarshal(e.Context, &c) // what has another form says nothing
	}
	if c.Bot || Robot(string(c.Agent)) {
		e.Flags |= event.Bot
	}
	agreed := false
	for name, given := range c.Consent.Preferences {
		for _, r := range refusals {
			if strings.EqualFold(name, r) {
				agreed = agreed || given == true
				if given == false {
					e.Flags |= event.NoConsent
				}
			}
		}
	}
	if d.Consent != AskNothing && !agreed {
		it.Unagreed = d.Consent == DropUnagreed && !e.Flags.Has(event.NoConsent)
		e.Flags |= event.NoConsent
	}
}

func cookieless(context json.RawMessage) bool {
	if !bytes.Contains(context, []byte(`"cookieless"`)) {
		return false
	}
	var c struct {
		Cookieless bool `json:"cookieless"`
	}
	return json.Unmarshal(context, &c) == nil && c.Cookieless
}
