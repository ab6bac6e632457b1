package facet

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// kept reports a parameter of an address that says where somebody came from; others may say who somebody is and are not kept.
func kept(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "utm_") || paid(key) || key == "fbclid"
}

// paid reports a parameter that advertisers add when somebody clicks.
func paid(key string) bool {
	switch key {
	case "gclid", "gbraid", "wbraid", "dclid", "gclsrc", "msclkid", "yclid", "ttclid", "twclid", "li_fat_id", "epik", // abroad
		"bd_vid", "qhclickid", "sg_vid", "sogou_click_id", "qz_gdt", "gdt_vid", "clickid", "click_id", "uctrackid", "uc_vid", "track_id", "xhs_click_id", "ks_callback", "callback_param": // at home
		return true
	}
	return false
}

// withoutQuery is an address with what is kept of its query.
func withoutQuery(address string) string {
	rest, fragment, _ := strings.Cut(address, "#")
	base, query, _ := strings.Cut(rest, "?")
	route, inner, hasInner := strings.Cut(fragment, "?")
	if query == "" && !hasInner && !strings.Contains(address, "@") {
		return address
	}
	var list []string
	for p := range strings.SplitSeq(query+"&"+inner, "&") {
		if key, _, _ := strings.Cut(p, "="); kept(key) {
			list = append(list, p)
		}
	}
	if u, err := url.Parse(base); err == nil && u.User != nil {
		u.User = nil
		base = u.String()
	}
	if len(list) > 0 {
		base += "?" + strings.Join(list, "&")
	}
	if strings.HasPrefix(strings.TrimPrefix(route, "!"), "/") {
		base += "#" + route
	}
	return base
}

// withoutQueries cuts the addresses among the members of a page.
func withoutQueries(raw json.RawMessage) json.RawMessage {
	if !bytes.ContainsAny(raw, "?&@") {
		return raw
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw
	}
	changed := false
	for _, key := range []string{"url", "referrer", "search", "path", "initial_referrer"} {
		var was string
		if len(members[key]) == 0 || json.Unmarshal(members[key], &was) != nil {
			continue
		}
		if is := withoutQuery(was); is != was {
			members[key], _ = json.Marshal(is) // a text can be written
			changed = true
		}
	}
	if !changed {
		return raw
	}
	out, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return out
}

// cleanContext cuts the addresses of the page and the referrer in a context, and leaves out what is in columns of its own.
func cleanContext(raw json.RawMessage) json.RawMessage {
	if !bytes.Contains(raw, []byte(`"page"`)) && !bytes.Contains(raw, []byte(`"referrer"`)) && !bytes.Contains(raw, []byte(`"ip"`)) {
		return raw
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw
	}
	changed := false
	for _, key := range []string{"page", "referrer"} {
		if len(members[key]) == 0 {
			continue
		}
		if is := withoutQueries(members[key]); !bytes.Equal(is, members[key]) {
			members[key], changed = is, true
		}
	}
	if _, ok := members["ip"]; ok {
		delete(members, "ip")
		changed = true
	}
	if !changed {
		return raw
	}
	out, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return out
}

// campaign fills in the campaign and answers the parameters of the page's address.
func (f *Facets) campaign(c campaign, page said) url.Values {
	query := url.Values{}
	add := func(s string) {
		if v, err := url.ParseQuery(strings.TrimPrefix(s, "?")); err == nil {
			for k, list := range v {
				query[strings.ToLower(k)] = list
			}
		}
	}
	if u, err := url.Parse(string(page.URL)); err == nil {
		add(u.RawQuery)
		if _, inner, ok := strings.Cut(u.Fragment, "?"); ok {
			add(inner)
		}
	}
	add(string(page.Search))
	f.UTMSource = first(c.Source, text(query.Get("utm_source")))
	f.UTMMedium = first(c.Medium, text(query.Get("utm_medium")))
	f.UTMCampaign = first(c.Name, text(query.Get("utm_campaign")))
	f.UTMTerm = first(c.Term, text(query.Get("utm_term")))
	f.UTMContent = first(c.Content, text(query.Get("utm_content")))
	return query
}

func (f *Facets) channel(query url.Values, a Agent) string {
	for k := range query {
		if paid(k) {
			return Ads
		}
	}
	source, medium := strings.ToLower(f.UTMSource), strings.ToLower(f.UTMMedium)
	if medium != "" || source != "" || f.UTMCampaign != "" {
		return named(source, medium)
	}
	switch {
	case f.Referrer == "":
		if a.InApp {
			return Social
		}
		return Direct
	case f.Host != "" && sameSite(f.Referrer, f.Host):
		return Internal
	}
	return site(f.Referrer)
}

// named is the channel of a campaign by its medium, else by its source.
func named(source, medium string) string {
	switch medium {
	case "cpc", "ppc", "cpm", "cpa", "cps", "cpv", "ocpc", "ocpm", "ad", "ads", "sem", "display", "banner", "retargeting", "remarketing", "feed", "feeds", "native", "video_ad", "dsp",
		"信息流", "竞价", "广告", "投放":
		return Ads
	case "email", "e-mail", "edm", "mail", "newsletter", "邮件":
		return Email
	case "social", "sns", "social-media", "social_media", "kol", "koc", "moments", "朋友圈", "社交", "种草":
		return Social
	case "organic", "search", "seo", "自然搜索":
		return Search
	case "referral", "link", "partner", "affiliate":
		return Referral
	}
	if strings.HasPrefix(medium, "paid") {
		return Ads
	}
	if medium == "" {
		switch {
		case source == "edm" || source == "email" || source == "newsletter":
			return Email
		case slices.Contains(socialNames(), source):
			return Social
		case slices.Contains(searchNames(), source):
			return Search
		}
	}
	return Campaign
}

// site is the channel of a referring site.
func site(host string) string {
	for _, s := range mailHosts() {
		if within(host, s) {
			return Email
		}
	}
	for _, s := range socialHosts() { // some lie within a search engine's
		if within(host, s) {
			return Social
		}
	}
	for _, s := range searchHosts() {
		if within(host, s) {
			return Search
		}
	}
	// Search engines with a name in every country.
	for _, s := range []string{"google.", "bing.", "yandex.", "search.yahoo."} {
		if at := strings.Index(host, s); at == 0 || at > 0 && host[at-1] == '.' {
			return Search
		}
	}
	return Referral
}

func within(host, site string) bool { return host == site || strings.HasSuffix(host, "."+site) }

// sameSite reports two hosts of one registered name.
func sameSite(a, b string) bool { return a == b || registered(a) == registered(b) }

// registered is the name that somebody registered: two labels, three below names like com.cn.
func registered(host string) string {
	labels := strings.Split(host, ".")
	n := len(labels)
	if n <= 2 || strings.Trim(host, "0123456789.") == "" || strings.Contains(host, ":") {
		return host
	}
	take := 2
	if len(labels[n-1]) == 2 {
		switch labels[n-2] {
		case "com", "net", "org", "gov", "edu", "co", "ac", "ne", "or", "go":
			take = 3
		}
	}
	return strings.Join(labels[n-take:], ".")
}

func mailHosts() []string {
	return []string{"mail.qq.com", "exmail.qq.com", "mail.163.com", "mail.126.com", "mail.yeah.net", "mail.sina.com.cn", "mail.sohu.com", "mail.139.com", "mail.aliyun.com",
		"qiye.aliyun.com", "mail.google.com", "outlook.live.com", "outlook.office.com", "outlook.office365.com", "mail.yahoo.com", "mail.feishu.cn"}
}

func searchHosts() []string {
	return []string{"baidu.com", "so.com", "haosou.com", "sogou.com", "sm.cn", "quark.cn", "toutiao.com", "chinaso.com", "youdao.com", "duckduckgo.com", "yandex.com", "naver.com", "ecosia.org",
		"wx.sogou.com", "metaso.cn"}
}

func socialHosts() []string {
	return []string{"weixin.qq.com", "mp.weixin.qq.com", "servicewechat.com", "weixin110.qq.com", "wechat.com", "weixinbridge.com", "wx.qq.com", "work.weixin.qq.com", "xiaohongshu.com", "xhslink.com",
		"douyin.com", "iesdouyin.com", "amemv.com", "weibo.com", "weibo.cn", "t.cn", "sina.cn", "zhihu.com", "bilibili.com", "b23.tv", "kuaishou.com", "gifshow.com", "chenzhongtech.com", "douban.com",
		"tieba.baidu.com", "qzone.qq.com", "dewu.com", "smzdm.com", "hupu.com", "dingtalk.com", "feishu.cn", "larksuite.com",
		"facebook.com", "fb.com", "instagram.com", "twitter.com", "x.com", "t.co", "linkedin.com", "lnkd.in", "pinterest.com", "reddit.com", "youtube.com", "tiktok.com", "threads.net", "whatsapp.com",
		"telegram.org", "t.me", "line.me"}
}

func socialNames() []string {
	return []string{"weixin", "wechat", "wx", "微信", "xiaohongshu", "xhs", "red", "小红书", "douyin", "抖音", "weibo", "微博", "zhihu", "知乎", "bilibili", "b站", "kuaishou", "快手", "qzone", "douban",
		"facebook", "fb", "instagram", "ig", "twitter", "x", "linkedin", "tiktok", "youtube", "pinterest", "reddit"}
}

func searchNames() []string {
	return []string{"baidu", "百度", "360", "so", "sogou", "搜狗", "shenma", "神马", "quark", "google", "bing", "yandex", "duckduckgo"}
}
