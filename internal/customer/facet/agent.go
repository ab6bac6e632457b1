package facet

import (
	"strings"

	"github.com/mileusna/useragent"
)

// The devices.
const (
	Desktop = "desktop"
	Mobile  = "mobile"
	Tablet  = "tablet"
	Robot   = "bot"
	Other   = "other"
)

// Agent is what a user agent says of itself.
type Agent struct {
	Device, Browser, OS string
	Bot                 bool
	InApp               bool // the browser inside an app in which people pass links on
}

// maxAgents is how many user agents a Reader remembers; most visitors share a few hundred.
const maxAgents = 10_000

func (r *Reader) agent(s string) Agent {
	if s == "" {
		return Agent{}
	}
	if a, ok := r.agents[s]; ok {
		return a
	}
	if len(r.agents) >= maxAgents {
		clear(r.agents)
	}
	a := ReadAgent(s)
	r.agents[s] = a
	return a
}

// shells are browsers that say who they are beside a browser that they are built on, in the order in which they are looked for.
func shells() []struct {
	mark, name string
	inApp      bool
} {
	return []struct {
		mark, name string
		inApp      bool
	}{
		{"wxwork/", "WeCom", true}, {"micromessenger/", "WeChat", true}, {"dingtalk", "DingTalk", true}, {"lark/", "Lark", true}, {"aweme", "Douyin", true}, {"bytedancewebview", "Douyin", true},
		{"xiaohongshu", "Xiaohongshu", true}, {"discover/", "Xiaohongshu", true}, {"weibo", "Weibo", true}, {"zhihuhybrid", "Zhihu", true}, {"osee2unifiedrelease", "Zhihu", true},
		{"bilibili", "Bilibili", true}, {"kwai", "Kuaishou", true}, {"alipayclient", "Alipay", false}, {"newsarticle", "Toutiao", false}, {"qq/", "QQ", true}, {"mqqbrowser", "QQ Browser", false}, {"qqbrowser", "QQ Browser", false},
		{"baiduboxapp", "Baidu", false}, {"baidubrowser", "Baidu", false}, {"quark/", "Quark", false}, {"ucbrowser", "UC Browser", false}, {"miuibrowser", "Mi Browser", false},
		{"huaweibrowser", "Huawei Browser", false}, {"heytapbrowser", "OPPO Browser", false}, {"vivobrowser", "vivo Browser", false}, {"samsungbrowser", "Samsung Browser", false},
		{"metasr", "Sogou", false}, {"sogoumobilebrowser", "Sogou", false}, {"qihoobrowser", "360", false}, {"360se", "360", false}, {"360ee", "360", false}, {"lbbrowser", "Liebao", false}, {"maxthon", "Maxthon", false},
	}
}

// ReadAgent reads a user agent.
func ReadAgent(s string) Agent {
	u := useragent.Parse(s)
	a := Agent{Browser: u.Name, OS: u.OS, Bot: u.Bot, Device: Other}
	switch {
	case u.Bot:
		a.Device = Robot
	case u.Tablet:
		a.Device = Tablet
	case u.Mobile:
		a.Device = Mobile
	case u.Desktop:
		a.Device = Desktop
	}
	low := strings.ToLower(s)
	if strings.Contains(low, "openharmony") || strings.Contains(low, "harmonyos") {
		a.OS = "HarmonyOS"
		if a.Device == Other || a.Device == Desktop && !strings.Contains(low, "pc;") {
			a.Device = Mobile
		}
	}
	for _, b := range shells() {
		if strings.Contains(low, b.mark) && !u.Bot {
			a.Browser, a.InApp = b.name, b.inApp
			break
		}
	}
	a.Browser, a.OS = cut(a.Browser), cut(a.OS)
	return a
}
