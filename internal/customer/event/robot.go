package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// robots are parts of user agents, in lower case, by which crawlers, monitors and programs that drive a browser name themselves.
var robots = []string{"bot/", "bot;", "bot ", "bot)", "-bot", "_bot", "googlebot", "bingbot", "baiduspider", "360spider", "sogou web spider", "sogou inst spider", "yisouspider", "bytespider", "petalbot",
	"toutiaospider", "spider/", "spider)", "crawler", "slurp", "facebookexternalhit", "headlesschrome", "phantomjs", "electron/", "puppeteer", "playwright", "selenium", "lighthouse", "pagespeed", "gtmetrix",
	"uptimerobot", "pingdom", "statuscake", "site24x7", "monitoring", "curl/", "wget/", "python-requests", "python-urllib", "go-http-client", "java/", "okhttp/0", "apache-httpclient", "scrapy", "gptbot",
	"claudebot", "ccbot", "perplexity", "ahrefs", "semrush", "mj12", "dotbot", "archive.org", "prerender", "whatsapp/", "telegrambot", "skypeuripreview"}

// Robot reports whether a user agent is one of a known robot.
func Robot(agent string) bool {
	if agent == "" {
		return false
	}
	known.Lock()
	is, ok := known.agents[agent]
	known.Unlock()
	if !ok {
		is = robot(agent)
		known.Lock()
		if len(known.agents) >= agentsMost {
			clear(known.agents)
		}
		known.agents[strings.Clone(agent)] = is
		known.Unlock()
	}
	return is
}

// known are the user agents that came of late: a shop's visitors have few different ones.
var known = struct {
	sync.Mutex
	agents map[string]bool
}{agents: map[string]bool{}}

// agentsMost bounds them.
const agentsMost = 2000

func robot(agent string) bool {
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
	var agent text
	var bot bool
	var consent struct {
		Preferences map[string]any `json:"categoryPreferences"`
	}
	if len(e.Context) > 2 {
		eachMember(e.Context, func(name, v []byte) {
			switch {
			case called(name, "userAgent"):
				agent = textOf(v)
			case called(name, "bot"):
				bot = string(v) == "true"
			case called(name, "consent"):
				_ = json.Unmarshal(v, &consent) // what has another form says nothing
			}
		})
	}
	if bot || Robot(string(agent)) {
		e.Flags |= event.Bot
	}
	agreed := false
	for name, given := range consent.Preferences {
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
