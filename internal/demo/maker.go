package demo

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// maker writes the events of one customer or visitor.
type maker struct {
	*random
	g        *Generator
	life     *life
	loc      lang.Locale
	history  *History
	prefix   string // of event ids
	made     int
	city     string
	device   device
	customer *Customer // nil for a visitor nobody knows
	latent   latent
	joined   clock.Day // day of registration, counted from the first of the history
	left     clock.Day // from when on the customer hardly comes any more
}

// device is what a person holds.
type device struct {
	agent  string
	mobile bool
}

// shopHost is where the shop is: a name that nobody can own.
const shopHost = "shop.jinshu.example"

var devices = []struct {
	device
	share float64
}{
	{device{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", true}, 0.17},
	{device{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.61 NetType/WIFI Language/zh_CN", true}, 0.15},
	{device{"Mozilla/5.0 (Linux; Android 15; 24129PN74C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/19.4", true}, 0.09},
	{device{"Mozilla/5.0 (Linux; Android 14; PJD110) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 HeyTapBrowser/45.11", true}, 0.07},
	{device{"Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0 Mobile HuaweiBrowser/5.1", true}, 0.10},
	{device{"Mozilla/5.0 (Linux; Android 15; V2425A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.60", true}, 0.13},
	{device{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", false}, 0.13},
	{device{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0", false}, 0.07},
	{device{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", false}, 0.06},
	{device{"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", true}, 0.03},
}

const miniAgent = "Mozilla/5.0 (Linux; Android 15; V2425A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.60 MiniProgramEnv/android"

func (m *maker) pickDevice() device {
	u := m.Float64()
	for _, d := range devices {
		if u -= d.share; u < 0 {
			return d.device
		}
	}
	return devices[0].device
}

// arrival is how a visit comes about. The zero value is somebody who types the address.
type arrival struct {
	referrer, source, medium string // medium "" for none of a campaign
}

var arrivals = []struct {
	arrival
	share float64
}{
	{arrival{}, 0.29},
	{arrival{referrer: "https://www.baidu.com/"}, 0.14},
	{arrival{referrer: "https://www.bing.com/"}, 0.05},
	{arrival{referrer: "https://www.sogou.com/"}, 0.02},
	{arrival{referrer: "https://www.xiaohongshu.com/"}, 0.08},
	{arrival{referrer: "https://weibo.com/"}, 0.05},
	{arrival{referrer: "https://www.smzdm.com/"}, 0.04},
	{arrival{"", "wechat", "social"}, 0.09},
	{arrival{"", "newsletter", "email"}, 0.07},
	{arrival{"", "baidu", "cpc"}, 0.06},
	{arrival{"", "oceanengine", "cpc"}, 0.06},
	{arrival{"", "tencent_ads", "cpc"}, 0.05},
}

func (m *maker) arrive() arrival {
	u := m.Float64()
	for _, a := range arrivals {
		if u -= a.share; u < 0 {
			return a.arrival
		}
	}
	return arrival{}
}

// campaign is what is being advertised on a day.
func (m *maker) campaign(t time.Time) string {
	d := clock.DayOf(t, Zone)
	i := min(max(int(d-m.g.almanac.first), 0), len(m.g.almanac.sales)-1)
	year := strconv.Itoa(t.Year())
	if code := m.g.almanac.sales[i].code; code != "" {
		return strings.ToLower(code) + "_" + year
	}
	return seasonNames[seasonOf(d)] + "_new_" + year
}

// walk is a visit to the shop on the web, or in WeChat.
type walk struct {
	*maker
	t      time.Time
	actor  int
	signed bool
	mini   bool
	from   arrival
	device device
	first  bool // nothing was looked at yet
	path   string
	title  string
	into   *[]Event
}

func (m *maker) walk(at time.Time, mini, signed bool) *walk {
	w := &walk{maker: m, t: at, mini: mini, signed: signed, first: true, device: m.device, into: &m.history.Events}
	if !mini {
		w.from = m.arrive()
	}
	return w
}

// event adds one; nothing happens after the last day.
func (w *walk) event(kind, name string, props, context []byte) {
	source := "web"
	if w.mini {
		source = "mini"
	}
	*w.into = append(*w.into, Event{ID: w.nextID(), Actor: w.actor, Source: source, Kind: kind, Name: name, At: w.t, Properties: props, Context: context, Signed: w.signed})
}

func (m *maker) nextID() string {
	m.made++
	return m.prefix + "-" + strconv.Itoa(m.made)
}

// page looks at a page and stays for a while.
func (w *walk) page(path, title string) {
	w.path, w.title = path, title
	var props fields
	kind := "page"
	if w.mini {
		kind = "screen"
		props.text("name", title)
	} else {
		w.address(&props)
		if w.first {
			props.text("referrer", w.from.referrer)
		}
	}
	w.event(kind, "", props.object(), w.context(false))
	w.first = false
	rest := w.between(6, 95)
	if w.chance(0.4) {
		w.t = w.t.Add(time.Duration(rest*w.between(500, 950)) * time.Millisecond)
		var engaged fields
		engaged.number("engaged_ms", int64(rest*w.between(450, 900)))
		w.event("track", "Page Engaged", engaged.object(), w.context(true))
	}
	w.t = w.t.Add(time.Duration(rest) * time.Second / 2)
}

func (w *walk) address(f *fields) {
	f.text("url", "https://"+shopHost+w.path)
	path, _, _ := strings.Cut(w.path, "?")
	f.text("path", path)
	f.text("title", w.title)
}

// act does something on the page.
func (w *walk) act(name string, props *fields) {
	w.event("track", name, props.object(), w.context(true))
	w.t = w.t.Add(time.Duration(w.between(2, 12)) * time.Second)
}

func (w *walk) context(page bool) []byte {
	var f fields
	agent := w.device.agent
	if w.mini {
		agent = miniAgent
	}
	f.text("userAgent", agent)
	locale := "zh-CN"
	if w.loc == lang.English {
		locale = "en-GB"
	}
	f.text("locale", locale)
	var place fields
	place.text("country", "CN")
	place.text("region", w.city)
	f.raw("location", place.object())
	if w.first && w.from.medium != "" {
		var c fields
		c.text("source", w.from.source)
		c.text("medium", w.from.medium)
		c.text("name", w.campaign(w.t))
		f.raw("campaign", c.object())
	}
	if page && !w.mini {
		var p fields
		w.address(&p)
		f.raw("page", p.object())
	}
	return f.object()
}

// product is what events say of a style.
func (m *maker) product(f *fields, style int) {
	p := &m.g.catalogue.products[style]
	f.text("product_id", p.Style)
	f.text("name", p.Name.In(m.loc))
	f.text("category", fashion[m.g.catalogue.kinds[style]].name().In(m.loc))
	f.money("price", p.Price)
	f.text("currency", "CNY")
}

func (k *category) name() lang.Label { return label(k.zh, k.en) }

func (m *maker) word(zh, en string) string { return label(zh, en).In(m.loc) }

func (w *walk) home() { w.page("/", w.word("锦书服饰官方商城", "Jinshu official shop")) }

func (w *walk) shelf(kind int) {
	k := &fashion[kind]
	w.page("/c/"+k.key, k.name().In(w.loc))
}

func (w *walk) goods(style int) {
	p := &w.g.catalogue.products[style]
	w.page("/p/"+p.Style, p.Name.In(w.loc))
	var f fields
	w.product(&f, style)
	f.raw("nonInteraction", []byte("true")) // the page was opened, nothing more
	w.act("Product Viewed", &f)
}

func (w *walk) search(kind int) {
	word := fashion[kind].name().In(w.loc)
	w.page("/search?q="+url.QueryEscape(word), w.word("搜索：", "Search: ")+word)
	var f fields
	f.text("query", word)
	w.act("Products Searched", &f)
}

// fields is a JSON object under construction. Its texts hold no control characters.
type fields struct{ b []byte }

func (f *fields) key(k string) {
	if len(f.b) == 0 {
		f.b = append(make([]byte, 0, 160), '{')
	} else {
		f.b = append(f.b, ',')
	}
	f.b = quote(f.b, k)
	f.b = append(f.b, ':')
}

func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// text adds a text that is not empty.
func (f *fields) text(k, v string) {
	if v != "" {
		f.key(k)
		f.b = quote(f.b, v)
	}
}

func (f *fields) number(k string, v int64) {
	f.key(k)
	f.b = strconv.AppendInt(f.b, v, 10)
}

// money adds an amount of fen in yuan.
func (f *fields) money(k string, fen int64) {
	f.key(k)
	f.b = strconv.AppendInt(f.b, fen/100, 10)
	f.b = append(f.b, '.', byte('0'+fen/10%10), byte('0'+fen%10))
}

func (f *fields) raw(k string, v []byte) {
	f.key(k)
	f.b = append(f.b, v...)
}

func (f *fields) object() []byte {
	if len(f.b) == 0 {
		return []byte("{}")
	}
	return append(f.b, '}')
}
