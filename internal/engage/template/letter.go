package template

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Bounds of a document.
const (
	maxSubject  = 200 // characters
	maxBlocks   = 60
	maxProducts = 8
)

// Letter is a compiled document. It is immutable and safe for concurrent use.
type Letter struct {
	subject, preheader *Program
	html, text         []part
	links              []*Program
	products           bool
	offer              string
	traits             []string
	code               string
	params             []filled
}

// filled is a value for a place of a provider's text.
type filled struct {
	key  string
	fill *Program
}

// Offer is the offer of which each reader gets a code, empty for none.
func (l *Letter) Offer() string { return l.offer }

// Code is what a provider of short messages calls the text.
func (l *Letter) Code() string { return l.code }

// Traits are the keys of the traits that it speaks of.
func (l *Letter) Traits() []string { return l.traits }

// Products reports whether it shows products, so that they are looked up for those letters alone.
func (l *Letter) Products() bool { return l.products }

// part is a piece of a form: fixed, filled in, or the address of a link.
type part struct {
	fixed string
	fill  *Program
	link  int // 1 for the first; 0 for none
	goods []part
}

// Compile makes a document ready to be rendered. Findings of code "use" name the values that it speaks of, with Line -1 where there is a fallback.
func Compile(channel string, d Document, locale string) (*Letter, []Finding) {
	c := &compiler{letter: &Letter{offer: d.Offer, code: d.Code}}
	if channel == SMS {
		c.at = "text"
		if strings.TrimSpace(d.Text) == "" {
			c.add("empty", "", 0, true)
		}
		if p := c.parse(d.Text); p != nil {
			c.letter.text = []part{{fill: p}}
		}
		c.params(&d)
		return c.letter, c.found
	}
	c.at = "subject"
	if s := strings.TrimSpace(d.Subject); s == "" || len([]rune(s)) > maxSubject || strings.ContainsAny(s, "\r\n") {
		c.add("bad_subject", fmt.Sprint(maxSubject), 0, true)
	}
	c.letter.subject = c.parse(d.Subject)
	c.at = "preheader"
	c.letter.preheader = c.parse(d.Preheader)
	if len(d.Blocks) == 0 {
		c.at = "blocks"
		c.add("empty", "", 0, true)
	}
	c.lang = "zh-CN"
	if locale != "" {
		c.lang = locale
	}
	c.blocks("blocks", d.Blocks, 0)
	return c.letter, c.found
}

// Bounds of what a provider of short messages is given.
const (
	maxCode   = 100
	maxParams = 20
	maxParam  = 40
)

// params compiles the values of a provider's text.
func (c *compiler) params(d *Document) {
	c.at = "code"
	if len(d.Code) > maxCode || strings.ContainsAny(d.Code, " \r\n\t") {
		c.add("bad_code", fmt.Sprint(maxCode), 0, true)
	}
	c.at = "params"
	if len(d.Params) > maxParams {
		c.add("too_many_params", fmt.Sprint(maxParams), 0, true)
		return
	}
	for i, v := range d.Params {
		c.at = fmt.Sprintf("params.%d", i)
		if v.Key == "" || len(v.Key) > maxParam || strings.ContainsAny(v.Key, "${} \r\n\t") || slices.ContainsFunc(d.Params[:i], func(x Param) bool { return x.Key == v.Key }) {
			c.add("bad_param", v.Key, 0, true)
		}
		if strings.TrimSpace(v.Value) == "" {
			c.add("empty", "", 0, true)
		}
		if p := c.parse(v.Value); p != nil {
			c.letter.params = append(c.letter.params, filled{v.Key, p})
		}
	}
}

type compiler struct {
	letter *Letter
	found  []Finding
	at     string
	lang   string
	count  int
	html   []part
	text   []part
}

func (c *compiler) add(code, what string, line int, severe bool) {
	c.found = append(c.found, Finding{At: c.at, Code: code, What: what, Line: line, Severe: severe})
}

func (c *compiler) parse(source string) *Program {
	p, bad := Parse(source)
	for _, b := range bad {
		c.add(b.Code, b.What, b.Line, true)
	}
	if p == nil {
		return nil
	}
	for _, u := range p.uses {
		line := u.Line
		if u.Fallback {
			line = -1
		}
		c.add("use", u.Path, line, false)
		if key, ok := strings.CutPrefix(u.Path, traitValues); ok && !slices.Contains(c.letter.traits, key) {
			c.letter.traits = append(c.letter.traits, key)
		}
	}
	return p
}

// escaped is a source whose own words are made safe for HTML; what it fills in is made safe when it is.
func escaped(source string) string {
	var b strings.Builder
	for source != "" {
		i := liquidAt(source)
		b.WriteString(html.EscapeString(source[:i]))
		source = source[i:]
		if source == "" {
			break
		}
		end := strings.Index(source, map[byte]string{'{': "}}", '%': "%}"}[source[1]])
		if end < 0 {
			b.WriteString(source)
			break
		}
		b.WriteString(source[:end+2])
		source = source[end+2:]
	}
	return b.String()
}

func liquidAt(s string) int {
	a, b := strings.Index(s, "{{"), strings.Index(s, "{%")
	switch {
	case a < 0 && b < 0:
		return len(s)
	case a < 0 || b >= 0 && b < a:
		return b
	}
	return a
}

func (c *compiler) raw(s string) { c.html = append(c.html, part{fixed: s}) }

func (c *compiler) fill(source string) {
	if p := c.parse(escaped(source)); p != nil {
		c.html = append(c.html, part{fill: p})
	}
}

func (c *compiler) plain(source string) {
	if p, _ := Parse(source); p != nil {
		c.text = append(c.text, part{fill: p})
	}
}

func (c *compiler) say(s string) { c.text = append(c.text, part{fixed: s}) }

// link remembers the address of a link and gives its number; 0 for a bad one.
func (c *compiler) link(address string) int {
	address = strings.TrimSpace(address)
	low := strings.ToLower(address)
	if !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "mailto:") && !strings.HasPrefix(low, "tel:") && !strings.HasPrefix(address, "{{") {
		c.add("bad_address", short(address), 0, true)
		return 0
	}
	p := c.parse(address)
	if p == nil {
		return 0
	}
	c.letter.links = append(c.letter.links, p)
	return len(c.letter.links)
}

func (c *compiler) blocks(at string, list []Block, depth int) {
	outer := depth == 0
	if outer {
		defer func() { c.letter.html, c.letter.text = c.html, c.text }()
	}
	for i := range list {
		if c.count++; c.count > maxBlocks {
			c.at = at
			c.add("too_many_blocks", fmt.Sprint(maxBlocks), 0, true)
			return
		}
		c.at = fmt.Sprintf("%s.%d", at, i)
		c.block(c.at, &list[i], depth)
	}
}

const (
	cellOpen  = `<tr><td class="gx-t" style="padding:0 0 16px 0;font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;color:#1f2328;`
	cellClose = "</td></tr>\n"
)

func (c *compiler) block(at string, b *Block, depth int) {
	switch b.Kind {
	case Heading:
		c.raw(cellOpen + `font-size:22px;line-height:30px;font-weight:600">`)
		c.fill(b.Text)
		c.raw(cellClose)
		c.plain(b.Text)
		c.say("\n\n")
	case Text:
		c.raw(cellOpen + `font-size:15px;line-height:24px">`)
		c.rich(b.Text)
		c.raw(cellClose)
		c.say("\n\n")
	case Button:
		n := c.link(b.URL)
		if strings.TrimSpace(b.Text) == "" {
			c.add("empty", "", 0, true)
		}
		c.raw(`<tr><td style="padding:4px 0 20px 0"><table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td class="gx-b" style="border-radius:8px;background:#1f6feb"><a style="display:inline-block;padding:11px 22px;font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;font-size:15px;font-weight:600;color:#ffffff;text-decoration:none" href="`)
		c.html = append(c.html, part{link: n})
		c.raw(`">`)
		c.fill(b.Text)
		c.raw("</a></td></tr></table>" + cellClose)
		c.plain(b.Text)
		c.say(": ")
		c.text = append(c.text, part{link: n})
		c.say("\n\n")
	case Picture:
		c.picture(b)
	case Divider:
		c.raw(`<tr><td style="padding:4px 0 20px 0"><div class="gx-d" style="border-top:1px solid #d8dee4;font-size:0;line-height:0">&nbsp;</div>` + cellClose)
		c.say("----\n\n")
	case Columns:
		if depth > 0 {
			c.add("nested_columns", "", 0, true)
			return
		}
		c.raw(`<tr><td style="padding:0;font-size:0">`)
		for i, side := range [][]Block{b.Left, b.Right} {
			c.raw(`<div class="gx-c" style="display:inline-block;width:100%;max-width:268px;vertical-align:top` + map[int]string{0: ";margin-right:16px"}[i] + `"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">` + "\n")
			c.blocks(at+"."+[]string{"left", "right"}[i], side, depth+1)
			c.raw("</table></div>")
		}
		c.raw(cellClose)
	case Products:
		c.goods(b)
	case Coupon:
		c.coupon(b)
	default:
		c.add("unknown_block", string(b.Kind), 0, true)
	}
}

func (c *compiler) picture(b *Block) {
	src := strings.TrimSpace(b.Image)
	u, err := url.Parse(src)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		c.add("bad_picture", short(src), 0, true)
		return
	}
	n := 0
	c.raw(`<tr><td style="padding:0 0 16px 0">`)
	if b.URL != "" {
		n = c.link(b.URL)
		c.raw(`<a href="`)
		c.html = append(c.html, part{link: n})
		c.raw(`">`)
	}
	c.raw(`<img src="` + html.EscapeString(src) + `" width="536" style="display:block;width:100%;max-width:100%;height:auto;border:0;border-radius:8px" alt="`)
	c.fill(b.Text)
	c.raw(`">`)
	if b.URL != "" {
		c.raw("</a>")
	}
	c.raw(cellClose)
	if b.Text != "" {
		c.plain(b.Text)
		if n > 0 {
			c.say(": ")
			c.text = append(c.text, part{link: n})
		}
		c.say("\n\n")
	}
}

// coupon shows the code of the reader as something that can be cut out, with words above it and the last day below.
func (c *compiler) coupon(b *Block) {
	c.raw(cellOpen + `font-size:15px;line-height:24px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" class="gx-t gx-d" style="border:2px dashed #d8dee4;border-radius:8px;padding:16px;color:#1f2328">`)
	if strings.TrimSpace(b.Text) != "" {
		c.fill(b.Text)
		c.raw("<br>")
		c.plain(b.Text)
		c.say(": ")
	}
	c.raw(`<span style="font-size:22px;line-height:34px;font-weight:600;letter-spacing:1px;font-family:Menlo,Consolas,monospace">`)
	c.fill("{{ coupon.code }}")
	c.raw("</span>")
	c.raw("<br>")
	c.fill("{{ coupon.valid }}")
	c.raw("</td></tr></table>" + cellClose)
	c.plain("{{ coupon.code }} {{ coupon.valid }}")
	c.say("\n\n")
}

// goods shows recommended products: what is known of them is put in when the letter is rendered.
func (c *compiler) goods(b *Block) {
	if b.Count < 1 || b.Count > maxProducts {
		c.add("bad_count", fmt.Sprint(maxProducts), 0, true)
		return
	}
	c.letter.products = true
	n := 0
	if b.URL != "" {
		n = c.link(b.URL)
	}
	limit := fmt.Sprint(b.Count)
	row := func(source string) *Program { p, _ := Parse(source); return p }
	if n > 0 {
		c.html = append(c.html, part{fill: row(`{% for p in products limit:` + limit + ` %}{% if forloop.first %}` + cellOpen + `font-size:15px;line-height:24px"><a class="gx-t" style="color:#1f2328;text-decoration:none" href="{% endif %}{% endfor %}`)})
		c.html = append(c.html, part{link: n, goods: []part{}})
		c.html = append(c.html, part{fill: row(`{% for p in products limit:` + limit + ` %}{% if forloop.first %}">{% endif %}<b>{{ p.name }}</b>{% if p.price %} {{ p.price }}{% endif %}<br>{% if forloop.last %}</a>` + cellClose + `{% endif %}{% endfor %}`)})
	} else {
		c.html = append(c.html, part{fill: row(`{% for p in products limit:` + limit + ` %}{% if forloop.first %}` + cellOpen + `font-size:15px;line-height:24px">{% endif %}<b>{{ p.name }}</b>{% if p.price %} {{ p.price }}{% endif %}<br>{% if forloop.last %}` + cellClose + `{% endif %}{% endfor %}`)})
	}
	c.text = append(c.text, part{fill: row(`{% for p in products limit:` + limit + ` %}- {{ p.name }}{% if p.price %} {{ p.price }}{% endif %}` + "\n" + `{% if forloop.last %}` + "\n" + `{% endif %}{% endfor %}`)})
}

var richShape = regexp.MustCompile(`\[([^\[\]\n]+)\]\(([^()\s]+)\)|\*\*([^*\n]+)\*\*`)

// rich is a text with bold words and links.
func (c *compiler) rich(source string) {
	source = strings.TrimSpace(strings.ReplaceAll(source, "\r\n", "\n"))
	if source == "" {
		c.add("empty", "", 0, true)
	}
	lines := func(s string) {
		if p := c.parse(strings.ReplaceAll(escaped(s), "\n", "<br>\n")); p != nil {
			c.html = append(c.html, part{fill: p})
		}
		c.plain(s)
	}
	at := 0
	for _, m := range richShape.FindAllStringSubmatchIndex(source, -1) {
		if m[0] > at {
			lines(source[at:m[0]])
		}
		at = m[1]
		if m[6] >= 0 {
			c.raw("<b>")
			lines(source[m[6]:m[7]])
			c.raw("</b>")
			continue
		}
		n := c.link(source[m[4]:m[5]])
		c.raw(`<a class="gx-a" style="color:#1f6feb" href="`)
		c.html = append(c.html, part{link: n})
		c.raw(`">`)
		lines(source[m[2]:m[3]])
		c.raw("</a>")
		c.say(" (")
		c.text = append(c.text, part{link: n})
		c.say(")")
	}
	if at < len(source) {
		lines(source[at:])
	}
}

// Frame is what stands around a letter.
type Frame struct {
	Locale string
	// Foot is the text at its end, with the address where its reader ends them.
	Foot, FootURL, FootLink string
	// Pixel is the address of an invisible picture, "" for none.
	Pixel string
	// Link says where a link leads; n counts from 1. nil leaves addresses as they are.
	Link func(n int, address string) string
	// Tags are added to the query of links that have none of their name.
	Tags [][2]string
}

// Rendered is a letter for one person.
type Rendered struct {
	Subject, HTML, Text string
	Params              []Param // of a short message
}

// Render fills a letter in for one person.
func (l *Letter) Render(values Values, f Frame) (out Rendered, err error) {
	if l.subject == nil {
		out.Text, err = l.write(l.text, values, f, nil)
		out.Text = strings.TrimSpace(out.Text)
		for _, v := range l.params {
			var b strings.Builder
			if err == nil {
				err = v.fill.Render(&b, values, nil)
			}
			out.Params = append(out.Params, Param{v.key, strings.TrimSpace(b.String())})
		}
		return out, err
	}
	var subject, pre strings.Builder
	if err := l.subject.Render(&subject, values, nil); err != nil {
		return out, err
	}
	out.Subject = strings.Join(strings.Fields(subject.String()), " ")
	if r := []rune(out.Subject); len(r) > 2*maxSubject {
		out.Subject = string(r[:2*maxSubject])
	}
	if l.preheader != nil {
		if err := l.preheader.Render(&pre, values, html.EscapeString); err != nil {
			return out, err
		}
	}
	body, err := l.write(l.html, values, f, html.EscapeString)
	if err != nil {
		return out, err
	}
	if out.Text, err = l.write(l.text, values, f, nil); err != nil {
		return out, err
	}
	out.Text = strings.TrimSpace(out.Text)
	if f.Foot != "" {
		out.Text += "\n\n-- \n" + f.Foot
		if f.FootURL != "" {
			out.Text += "\n" + f.FootURL
		}
	}
	out.HTML = page(&f, html.EscapeString(out.Subject), pre.String(), body)
	return out, nil
}

func (l *Letter) write(parts []part, values Values, f Frame, escape Escape) (string, error) {
	var b strings.Builder
	for i := range parts {
		p := &parts[i]
		switch {
		case p.fill != nil:
			if err := p.fill.Render(&b, values, escape); err != nil {
				return "", err
			}
		case p.link > 0:
			if list, _ := values["products"].([]any); p.goods != nil && len(list) == 0 {
				continue
			}
			address, err := l.address(p.link, values, f)
			if err != nil {
				return "", err
			}
			if escape != nil {
				address = escape(address)
			}
			b.WriteString(address)
		default:
			b.WriteString(p.fixed)
		}
		if b.Len() > maxOutput {
			return "", boundError{"output"}
		}
	}
	return b.String(), nil
}

// address is where a link leads for one person. A value that makes something else of it than a web address, a mail or a number leads nowhere.
func (l *Letter) address(n int, values Values, f Frame) (string, error) {
	var b strings.Builder
	if err := l.links[n-1].Render(&b, values, nil); err != nil {
		return "", err
	}
	u, err := url.Parse(strings.TrimSpace(b.String()))
	if err != nil {
		return "#", nil //nolint:nilerr // a value spoilt it for this person
	}
	switch u.Scheme {
	case "mailto", "tel":
		return u.String(), nil
	case "http", "https":
	default:
		return "#", nil
	}
	if len(f.Tags) > 0 {
		q := u.Query()
		for _, t := range f.Tags {
			if t[1] != "" && !q.Has(t[0]) {
				q.Set(t[0], t[1])
			}
		}
		u.RawQuery = q.Encode()
	}
	if f.Link != nil {
		return f.Link(n, u.String()), nil
	}
	return u.String(), nil
}

func page(f *Frame, title, pre, body string) string {
	var b strings.Builder
	b.Grow(len(body) + 2500)
	b.WriteString(`<!doctype html><html lang="` + html.EscapeString(f.Locale) + `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>` + title + `</title>
<style>:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (max-width:600px){.gx-c{max-width:100%!important;margin-right:0!important}.gx-p{padding:20px 16px!important}}
@media (prefers-color-scheme:dark){.gx-o{background:#0d1117!important}.gx-i{background:#161b22!important}.gx-t{color:#e6edf3!important}.gx-a{color:#6cb6ff!important}.gx-b{background:#388bfd!important}.gx-d{border-color:#30363d!important}.gx-f{color:#9198a1!important}}</style></head>
<body class="gx-o" style="margin:0;padding:0;background:#f6f8fa">
`)
	if pre != "" {
		b.WriteString(`<div style="display:none;max-height:0;overflow:hidden;opacity:0">` + pre + "</div>\n")
	}
	b.WriteString(`<table role="presentation" class="gx-o" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f6f8fa"><tr><td align="center" style="padding:24px 8px"><table role="presentation" class="gx-i" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;background:#ffffff;border-radius:12px"><tr><td class="gx-p" style="padding:32px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
`)
	b.WriteString(body)
	b.WriteString("</table></td></tr></table>\n")
	if f.Foot != "" {
		b.WriteString(`<p class="gx-f" style="max-width:560px;margin:16px auto 0;font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;font-size:12px;line-height:18px;color:#59636e">` + html.EscapeString(f.Foot))
		if f.FootURL != "" {
			b.WriteString(` <a class="gx-f" style="color:#59636e" href="` + html.EscapeString(f.FootURL) + `">` + html.EscapeString(f.FootLink) + `</a>`)
		}
		b.WriteString("</p>\n")
	}
	if f.Pixel != "" {
		b.WriteString(`<img src="` + html.EscapeString(f.Pixel) + `" width="1" height="1" alt="" style="display:block;border:0">`)
	}
	b.WriteString("</td></tr></table></body></html>\n")
	return b.String()
}
