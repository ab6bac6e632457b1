package demo

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Content is something that the company published.
type Content struct {
	ExternalID  string // on its platform, unique
	Title       lang.Label
	Kind        string // "article", "post", "video", "live"
	Platform    string // "wechat", "xiaohongshu", "douyin", "weibo", "taobao_live", "instagram"
	URL         string
	PublishedAt time.Time
	Product     string // style it is about, "" for none
	Campaign    string // "" for none
	Reach       int64  // how many people the platform says saw it
	pull        float64
}

// Contents lists what was published in the last half year, the oldest first.
func (g *Generator) Contents() []Content {
	if g.options.Events < 0 {
		return nil
	}
	return g.life().contents
}

// outlets are the accounts of the company and what it publishes there.
var outlets = []struct {
	platform, kind, address string
	every                   int // days
	pull                    float64
}{
	{"wechat", "article", "https://mp.weixin.qq.com/s/demo-", 6, 0.8},
	{"xiaohongshu", "post", "https://www.xiaohongshu.com/explore/demo-", 5, 1.5},
	{"douyin", "video", "https://www.douyin.com/video/demo-", 6, 1.7},
	{"weibo", "post", "https://weibo.com/demo/", 9, 0.6},
	{"taobao_live", "live", "https://tbzb.taobao.com/live?id=demo-", 10, 1.2},
	{"instagram", "post", "https://www.instagram.com/p/demo-", 21, 0.25},
}

// newContents are about a hundred and thirty in half a year. What people do with one is proportional to its pull; its reach is so
// many times that, give or take.
func (g *Generator) newContents(l *life) (list []Content, pull weights) {
	r := newRandom(g.options.Seed, streamContent, 0)
	for i, o := range outlets {
		n := 0
		for day := l.from + r.IntN(o.every); day < len(g.almanac.busy); day += o.every - 1 + r.IntN(3) {
			n++
			c := Content{ExternalID: o.platform + "-" + pad(n, 4), Kind: o.kind, Platform: o.platform, URL: o.address + pad(n, 4), PublishedAt: at(g.almanac.day(day), r.between(9, 20)*3600+r.IntN(60)*60)}
			c.pull = o.pull * math.Exp(0.7*r.NormFloat64())
			g.title(r, &c, day, i+n)
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b Content) int { return a.PublishedAt.Compare(b.PublishedAt) })
	sum := 0.0
	for i := range list {
		sum += list[i].pull
	}
	for i := range list {
		rate := 22 + 30*r.Float64() // how many see it for one who does something
		list[i].Reach = int64(math.Round(float64(g.options.Customers)*list[i].pull/sum*rate/10))*10 + 10*int64(r.between(1, 9))
	}
	return list, newWeights(len(list), func(i int) float64 { return list[i].pull })
}

func (g *Generator) title(r *random, c *Content, day, n int) {
	d := g.almanac.day(day)
	sale := g.almanac.sales[day].code
	style := g.catalogue.choose(r, shelf{seasonOf(d), n % 2, -1}, d, int64(r.between(20, 90))*1000, &latent{archetype: n % bulk, brand: n % len(houses)})
	if style < 0 {
		style = 0
	}
	p, kind := &g.catalogue.products[style], fashion[g.catalogue.kinds[style]].name()
	zh, en := kind["zh-CN"], strings.ToLower(kind["en"])
	season := SeasonName(seasonNames[seasonOf(d)])
	c.Product = p.Style
	switch c.Kind {
	case "article":
		c.Title = pick(r, []lang.Label{label(zh+"怎么挑？看这四点就够了", "How to choose a "+en+": four things to look at"), label(season["zh-CN"]+"衣橱：十件单品搭出一个月", season["en"]+" wardrobe: ten pieces for a month"),
			label("面料课堂："+zh+"的洗护与收纳", "Cloth class: washing and storing a "+en)})
	case "video":
		c.Title = pick(r, []lang.Label{label("30 秒看懂 "+p.Name["zh-CN"], "30 seconds: "+p.Name["en"]), label(zh+"一衣三穿，通勤周末都能用", "One "+en+", three ways to wear it"), label("裁缝师傅的一天："+zh+"是怎么做成的", "A tailor's day: how a "+en+" is made")})
	case "live":
		c.Title = label(season["zh-CN"]+"上新专场直播", season["en"]+" arrivals, live")
		if sale != "" {
			c.Title = label(saleName(sale)+"专场直播", saleName(sale)+" special, live")
		}
		c.Product = ""
	default:
		c.Title = pick(r, []lang.Label{label("小个子"+zh+"穿搭，显高五厘米", "Petite "+en+" looks"), label(p.Name["zh-CN"]+" 上身实拍", p.Name["en"]+", as worn"), label(season["zh-CN"]+"配色灵感："+zh, season["en"]+" colours: "+en)})
	}
	if sale != "" {
		c.Campaign = strings.ToLower(sale) + "_" + strconv.Itoa(d.Time().Year())
	}
}

// saleName is what a sale is called in both languages.
func saleName(code string) string {
	switch code {
	case "D11":
		return "11.11"
	case "D12":
		return "12.12"
	}
	return code
}

// fondness is how often a customer does something with contents in half a year.
func (m *maker) fondness() float64 {
	f := 0.35
	for _, t := range m.customer.Tags {
		switch t {
		case "朋友圈互动":
			f += 1.5
		case "社群成员":
			f += 1.1
		case "直播粉丝":
			f += 1.3
		case "老带新":
			f += 0.9
		}
	}
	switch {
	case m.latent.kind != Person:
		return 0
	case archetypes[m.latent.archetype].key == "trend":
		f *= 1.6
	}
	if int(m.left) < m.life.from {
		f *= 0.25
	}
	return f
}

// socialise is what a customer does with what the company published.
func (m *maker) socialise() {
	for range m.poisson(m.fondness()) {
		k := m.life.pull.draw(m.random)
		c := &m.life.contents[k]
		if c.Kind == "live" && !slices.Contains(m.customer.Tags, "直播粉丝") && m.chance(0.6) {
			continue
		}
		at := c.PublishedAt.Add(time.Duration(m.ExpFloat64() * 36 * float64(time.Hour)))
		if c.Kind == "live" {
			at = c.PublishedAt.Add(time.Duration(m.IntN(80)) * time.Minute)
		}
		if clock.DayOf(at, Zone)-m.g.almanac.first < m.joined {
			continue
		}
		m.react(c, at)
	}
	if m.latent.kind == Person && m.chance(0.05*m.fondness()) {
		o := outlets[m.IntN(len(outlets))]
		day := m.life.from + m.life.busy.draw(m.random)
		var f fields
		f.text("platform", o.platform)
		f.text("account", m.word("锦书服饰", "Jinshu"))
		at := m.g.moment(m.random, day, true)
		m.act("social", "Account Followed", at, &f)
		if m.chance(0.08) {
			var f fields
			f.text("platform", o.platform)
			f.text("account", m.word("锦书服饰", "Jinshu"))
			m.act("social", "Account Unfollowed", at.Add(time.Duration(m.between(3, 60))*24*time.Hour), &f)
		}
	}
}

// about begins what is said of a content.
func about(c *Content) *fields {
	f := &fields{}
	f.text("content_id", c.ExternalID)
	f.text("platform", c.Platform)
	return f
}

func (m *maker) react(c *Content, at time.Time) {
	f := about(c)
	if c.Kind == "live" {
		f.number("minutes", int64(m.between(2, 75)))
		m.act("social", "Live Stream Watched", at, f)
		if m.chance(0.4) {
			m.act("social", "Content Liked", at.Add(4*time.Minute), about(c))
		}
		return
	}
	m.act("social", "Content Viewed", at, f)
	at = at.Add(time.Duration(m.between(5, 90)) * time.Second)
	switch u := m.Float64(); {
	case u < 0.52:
		m.act("social", "Content Liked", at, about(c))
	case u < 0.64:
		m.act("social", "Content Saved", at, about(c))
	case u < 0.77:
		f := about(c)
		said := pick(m.random, []words{{"求链接", "Link please"}, {"好看，已下单", "Lovely, ordered"}, {"有 M 码吗？", "Is there an M?"}, {"颜色太美了", "What a colour"}, {"什么时候补货？", "When is it back in stock?"}, {"质感不错", "Looks well made"}})
		f.text("comment", m.word(said.zh, said.en))
		m.act("social", "Content Commented", at, f)
	case u < 0.88:
		m.share(c, at)
	case u < 0.92:
		f := &fields{}
		f.text("platform", c.Platform)
		f.text("product_id", c.Product)
		m.act("social", "Brand Mentioned", at, f)
	}
}

// share passes a content on; some people come by it.
func (m *maker) share(c *Content, at time.Time) {
	share := "sh" + pad(m.customer.Index, 7) + "-" + strconv.Itoa(m.made)
	f := about(c)
	f.text("share_id", share)
	m.act("social", "Content Shared", at, f)
	for range m.poisson(0.8) {
		came := at.Add(time.Duration(m.between(10, 4000)) * time.Minute)
		if !m.window(came) {
			continue
		}
		w := m.walk(came, false, false)
		w.from, w.device = arrival{"", "share", "social"}, m.pickDevice()
		w.actor = m.actor(Actor{Anonymous: "demo-s" + share + "-" + strconv.Itoa(len(m.history.Actors))})
		w.page("/journal/"+c.ExternalID, c.Title.In(m.loc))
		f := about(c)
		f.text("share_id", share)
		w.act("Share Opened", f)
		if m.chance(0.4) {
			w.goods(m.choose(came))
		}
	}
}

// talk are messages and calls, with those who added an adviser as a friend.
func (m *maker) talk() {
	mean := 0.04
	if slices.Contains(m.customer.Tags, "企微好友") {
		mean = 0.9
	}
	for range m.poisson(mean) {
		day := m.life.from + m.life.busy.draw(m.random)
		if day < int(m.joined) {
			continue
		}
		at := m.g.moment(m.random, day, true)
		if m.chance(0.12) {
			var f fields
			f.text("direction", pick(m.random, []string{"in", "out"}))
			f.number("minutes", int64(m.between(1, 12)))
			m.act("store", "Call Made", at, &f)
			continue
		}
		var in, out fields
		in.text("channel", "wecom")
		out.text("channel", "wecom")
		m.act("store", "Message Received", at, &in)
		m.act("store", "Message Sent", at.Add(time.Duration(m.between(1, 40))*time.Minute), &out)
	}
}

// watch is the stream in which an order was placed, mostly the last one before it.
func (m *maker) watch(o *Order) {
	if !m.chance(0.6) {
		return
	}
	var of *Content
	for i := range m.life.contents {
		if c := &m.life.contents[i]; c.Kind == "live" && !c.PublishedAt.After(o.At) {
			of = c
		}
	}
	if of == nil {
		return
	}
	f := about(of)
	f.number("minutes", int64(m.between(5, 60)))
	f.text("order_id", o.Number)
	m.act("social", "Live Stream Watched", o.At.Add(-time.Duration(m.between(1, 30))*time.Minute), f)
}
