package template_test

import (
	"html"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/engage/template"
)

func values() template.Values {
	return template.Values{"customer": template.Values{"name": `<王芳> & "co"`, "tags": []any{"a", "b"}, "height": int64(170), "empty": ""}, "today": time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		"products": []any{template.Values{"name": "茶"}, template.Values{"name": "杯", "price": "¥30"}}}
}

func TestLiquid(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`您好 {{ customer.name }}`:                            `您好 &lt;王芳&gt; &amp; &#34;co&#34;`,
		`{{ customer.nick | default: "朋友" | append: '！' }}`: `朋友！`,
		`{{customer.empty|default:'x'}}`:                    `x`,
		`{% if customer.height >= 170 and customer.nick == nil %}高{% elsif true %}中{% else %}低{% endif %}`:                               `高`,
		`{% unless customer.nick %}无{% endunless %}`:                                                                                     `无`,
		`{% for p in products limit:1 %}{{ forloop.index }}{{ p.name }}{% unless forloop.last %},{% endunless %}{% else %}-{% endfor %}`: `1茶`,
		`{% for p in nothing %}x{% else %}-{% endfor %}`:                                                                                 `-`,
		`{{ today | date: "%Y年%-m月%-d日" }}`:                                                                                              `2026年3月2日`,
		`{{ 1234567.5 | money: "¥" }} {{ 5 | divided_by: 0 }}`:                                                                           `¥1,234,567.50 `,
		`{{ customer.tags | join: "/" | upcase }} { { a }`:                                                                               `A/B { { a }`,
		`{{ "一二三四五" | truncate: 3 }}{{ "a b&c" | url_encode }}`:                                                                          `一二…a+b%26c`,
		`{% comment %} {{ nonsense | }} {% endcomment %}{% if customer.tags contains "b" %}y{% endif %}`:                                 `y`,
	} {
		p, bad := template.Parse(source)
		if bad != nil {
			t.Errorf("%s: %v", source, bad)
			continue
		}
		var b strings.Builder
		if err := p.Render(&b, values(), html.EscapeString); err != nil || b.String() != want {
			t.Errorf("%s: %q, want %q (%v)", source, b.String(), want, err)
		}
	}
	for source, code := range map[string]string{`{{ a`: "unclosed", `{% if a %}`: "unclosed", `{% endif %}`: "unexpected", `{{ a | shell: 1 }}`: "unknown_filter", `{% include "x" %}`: "unknown_tag",
		`{% for i in (1..9) %}{% endfor %}`: "bad_value", `{{ }}`: "bad_value", `{% if a ~ b %}{% endif %}`: "bad_test", `{% assign a = 1 %}`: "unknown_tag", strings.Repeat(`{% if a %}`, 20): "too_deep"} {
		if _, bad := template.Parse(source); len(bad) == 0 || bad[0].Code != code {
			t.Errorf("%s: %v, want %s", source, bad, code)
		}
	}
}

// TestBounds: lists within lists within lists end, and so does a value that doubles.
func TestBounds(t *testing.T) {
	t.Parallel()
	list := make([]any, 1000)
	for i := range list {
		list[i] = strings.Repeat("x", 500)
	}
	deep := strings.Repeat(`{% for a in list %}`, 4) + `{{ a }}` + strings.Repeat(`{% endfor %}`, 4)
	for _, source := range []string{deep, `{% for a in list %}{% for b in list %}{{ b }}{% endfor %}{% endfor %}`, `{{ s` + strings.Repeat(` | replace: "x", "xxxxxxxxxx"`, 9) + ` }}`} {
		p, bad := template.Parse(source)
		if bad != nil {
			t.Fatal(bad)
		}
		var b strings.Builder
		began := time.Now() //nolint:forbidigo // a bound of work
		if err := p.Render(&b, template.Values{"list": list, "s": "x"}, nil); err == nil {
			t.Errorf("%.40s went on", source)
		}
		if b.Len() > 500_000 || time.Since(began) > 5*time.Second {
			t.Errorf("%.40s: %d bytes in %s", source, b.Len(), time.Since(began))
		}
	}
}

func document() template.Document {
	return template.Document{Subject: `{{ customer.name | default: "您" }}，春季上新`, Preheader: "看看新品", Blocks: []template.Block{
		{Kind: template.Heading, Text: "<春> {{ customer.name }}"}, {Kind: template.Text, Text: "**新品** 见 [这里](https://shop.example/new?a=1&utm_source=x)\n第二行"},
		{Kind: template.Button, Text: "去看看", URL: "https://shop.example/{{ customer.nick | default: 'all' | url_encode }}"}, {Kind: template.Picture, Image: "https://cdn.example/a.png", Text: "一条\"裙子\"", URL: "https://shop.example/p"},
		{Kind: template.Columns, Left: []template.Block{{Kind: template.Text, Text: "左"}}, Right: []template.Block{{Kind: template.Text, Text: "右"}}}, {Kind: template.Divider}, {Kind: template.Products, Count: 2, URL: "https://shop.example/all"}}}
}

func TestLetter(t *testing.T) {
	t.Parallel()
	l, found := template.Compile(template.Email, document(), "zh-CN")
	for _, f := range found {
		if f.Severe {
			t.Errorf("%+v", f)
		}
	}
	var links []string
	r, err := l.Render(values(), template.Frame{Locale: "zh-CN", Foot: "退订请点", FootURL: "https://c.example/p#x", FootLink: "这里", Pixel: "https://c.example/o",
		Tags: [][2]string{{"utm_source", "guanxi"}, {"utm_medium", "email"}}, Link: func(n int, address string) string {
			links = append(links, address)
			return "https://c.example/l/" + string(rune('0'+n))
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Subject != `<王芳> & "co"，春季上新` {
		t.Error(r.Subject)
	}
	for _, want := range []string{"&lt;春&gt; &lt;王芳&gt; &amp;", "<b>新品</b>", `href="https://c.example/l/1"`, `alt="一条&#34;裙子&#34;"`, "<br>\n第二行", "prefers-color-scheme:dark", "max-width:600px", `src="https://c.example/o"`, "退订请点", "<b>杯</b> ¥30"} {
		if !strings.Contains(r.HTML, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	if strings.Contains(r.HTML, "<春>") || strings.Contains(r.HTML, "<王芳>") {
		t.Error("a value is read as HTML")
	}
	for _, want := range []string{"新品 见 这里 (https://c.example/l/1)", "去看看: https://c.example/l/2", "- 杯 ¥30", "https://c.example/p#x"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("no %q in %s", want, r.Text)
		}
	}
	if links[0] != "https://shop.example/new?a=1&utm_medium=email&utm_source=x" || links[1] != "https://shop.example/all?utm_medium=email&utm_source=guanxi" {
		t.Errorf("%q", links)
	}
	bad, _ := template.Parse("{{ customer.link }}")
	_ = bad
	evil, _ := template.Compile(template.Email, template.Document{Subject: "s", Blocks: []template.Block{{Kind: template.Button, Text: "t", URL: "{{ customer.link }}"}}}, "en")
	if r, err := evil.Render(template.Values{"customer": template.Values{"link": "javascript:alert(1)"}}, template.Frame{}); err != nil || strings.Contains(r.HTML, "javascript") {
		t.Errorf("a value makes a script of a link: %v", err)
	}
	_, found = template.Compile(template.Email, template.Document{Subject: "a\nb", Blocks: []template.Block{{Kind: template.Button, Text: "x", URL: "javascript:1"}, {Kind: template.Picture, Image: "data:x"}, {Kind: "video"}, {Kind: template.Text}}}, "en")
	codes := ""
	for _, f := range found {
		codes += f.At + " " + f.Code + ";"
	}
	if codes != "subject bad_subject;blocks.0 bad_address;blocks.1 bad_picture;blocks.2 unknown_block;blocks.3 empty;" {
		t.Error(codes)
	}
}

// TestMeasure: lengths as networks count them, signature and brackets included.
func TestMeasure(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]template.Length{
		"":                            {"gsm7", 0, 0, 160},
		strings.Repeat("a", 160):      {"gsm7", 160, 1, 0},
		strings.Repeat("a", 161):      {"gsm7", 161, 2, 145},
		strings.Repeat("€", 80):       {"gsm7", 160, 1, 0},
		strings.Repeat("中", 70):       {"ucs2", 70, 1, 0},
		strings.Repeat("中", 71):       {"ucs2", 71, 2, 63},
		strings.Repeat("中", 160):      {"ucs2", 160, 3, 41},
		"😀" + strings.Repeat("中", 68): {"ucs2", 70, 1, 0},
		template.Signed("关系", "新品到店", "拒收请回复R"):         {"ucs2", 15, 1, 55},
		template.Signed("关系", "【关系】好 拒收请回复R", "拒收请回复R"): {"ucs2", 12, 1, 58},
	} {
		if got := template.Measure(text); got != want {
			t.Errorf("%.20s: %+v, want %+v", text, got, want)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	l, _ := template.Compile(template.Email, document(), "zh-CN")
	v := values()
	for b.Loop() {
		if _, err := l.Render(v, template.Frame{Locale: "zh-CN", Foot: "f", Link: func(_ int, a string) string { return a }}); err != nil {
			b.Fatal(err)
		}
	}
}
