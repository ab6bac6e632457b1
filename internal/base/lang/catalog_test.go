package lang_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

func catalog(t *testing.T) *lang.Catalog {
	t.Helper()
	c, err := lang.NewCatalog(fstest.MapFS{
		"locales/zh-CN/core.json": {Data: []byte(`{"hello":"你好，{name}","customers":"{count, plural, =0{没有客户} other{# 位客户}}"}`)},
		"locales/en/core.json": {Data: []byte(`{"hello":"Hello, {name}",
			"customers":"{count, plural, =0{no customers} one{# customer of {name}} other{# customers of {name}}} found",
			"brace":"it's '{'literal'}'"}`)},
		"locales/en/more.json": {Data: []byte(`{"only.english":"Only English"}`)},
	}, lang.English)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogText(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	cases := []struct {
		loc    lang.Locale
		key    string
		params map[string]any
		want   string
	}{
		{"zh-CN", "hello", map[string]any{"name": "张三"}, "你好，张三"},
		{"zh-TW", "hello", map[string]any{"name": "张三"}, "你好，张三"},
		{"fr", "hello", map[string]any{"name": 7}, "Hello, 7"},
		{"en", "hello", nil, "Hello, {name}"},
		{"en", "hello", map[string]any{"name": lang.Label{"en": "Customer", "zh-CN": "客户"}}, "Hello, Customer"},
		{"zh-CN", "hello", map[string]any{"name": map[string]any{"en": "Customer", "zh-CN": "客户"}}, "你好，客户"},
		{"en", "customers", map[string]any{"count": 0}, "no customers found"},
		{"en", "customers", map[string]any{"count": 1, "name": "X"}, "1 customer of X found"},
		{"en", "customers", map[string]any{"count": uint8(2), "name": "X"}, "2 customers of X found"},
		{"en", "customers", map[string]any{"count": "many", "name": "X"}, "many customers of X found"},
		{"zh-CN", "customers", map[string]any{"count": int64(3)}, "3 位客户"},
		{"zh-CN", "only.english", nil, "Only English"},
		{"zh-CN", "no.such.key", nil, "no.such.key"},
		{"en", "brace", nil, "it's {literal}"},
	}
	for _, k := range cases {
		if got := c.Text(k.loc, k.key, k.params); got != k.want {
			t.Errorf("Text(%s, %s, %v) = %q, want %q", k.loc, k.key, k.params, got, k.want)
		}
	}
	if got := c.Params("en", "customers"); !slices.Equal(got, []string{"count", "name"}) {
		t.Errorf("params %q", got)
	}
	if got := c.Locales(); !slices.Equal(got, []lang.Locale{"en", "zh-CN"}) {
		t.Errorf("locales %q", got)
	}
	if c.Has("zh-CN", "brace") || !c.Has("en", "brace") || len(c.Keys("en")) != 4 {
		t.Error("Has or Keys")
	}
}

func TestCatalogRefusesBadTexts(t *testing.T) {
	t.Parallel()
	bad := map[string]string{
		"open":       `{"k":"a {b"}`,
		"close":      `{"k":"a } b"}`,
		"no other":   `{"k":"{n, plural, one{x}}"}`,
		"bad form":   `{"k":"{n, plural, some{x} other{y}}"}`,
		"bad kind":   `{"k":"{n, select, a{x} other{y}}"}`,
		"empty name": `{"k":"{}"}`,
		"nested":     `{"k":{"a":"b"}}`,
		"no json":    `{`,
	}
	for name, text := range bad {
		_, err := lang.NewCatalog(fstest.MapFS{"locales/en/x.json": {Data: []byte(text)}}, lang.English)
		if err == nil || !strings.Contains(err.Error(), "locales/en/x.json") {
			t.Errorf("%s: got %v, want an error naming the file", name, err)
		}
	}
	twice := fstest.MapFS{
		"locales/en/a.json": {Data: []byte(`{"k":"1"}`)},
		"locales/en/b.json": {Data: []byte(`{"k":"2"}`)},
	}
	if _, err := lang.NewCatalog(twice, lang.English); err == nil {
		t.Error("a key in two files is accepted")
	}
	if _, err := lang.NewCatalog(twice, lang.ChineseSimplified); err == nil {
		t.Error("a fallback without texts is accepted")
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	cases := map[string]lang.Locale{
		"":                         "zh-CN",
		"en":                       "en",
		"en-GB,en;q=0.9":           "en",
		"fr,en;q=0.5,zh;q=0.9":     "zh-CN",
		"zh-TW":                    "zh-CN",
		"ZH-cn":                    "zh-CN",
		"fr":                       "zh-CN",
		"*":                        "zh-CN",
		"not a header; q=x":        "zh-CN",
		"de-DE;q=0.8, en-US;q=0.7": "en",
	}
	for header, want := range cases {
		if got := lang.Match(header, lang.ChineseSimplified); got != want {
			t.Errorf("Match(%q) = %s, want %s", header, got, want)
		}
	}
	if got := lang.Match("fr-CA", "en", "en", "fr"); got != "fr" {
		t.Errorf("third language: %s", got)
	}
}

func TestLabel(t *testing.T) {
	t.Parallel()
	l := lang.Label{"zh-CN": "客户", "en": "Customer"}
	for loc, want := range map[lang.Locale]string{"zh-CN": "客户", "zh-HK": "客户", "en-GB": "Customer", "fr": "Customer"} {
		if got := l.In(loc); got != want {
			t.Errorf("In(%s) = %q, want %q", loc, got, want)
		}
	}
	if (lang.Label{"zh-CN": "客户"}).In("en") != "客户" || lang.Label(nil).In("en") != "" {
		t.Error("fallback")
	}
}
