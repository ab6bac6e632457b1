package lang_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	foldcase "golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

func TestFold(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"":                   "",
		"  ":                 "",
		"Hello  World":       "hello world",
		"ＡＢＣ　１２３":            "abc 123",
		" 张 \t 三 ":           "张 三",
		"Straße":             "strasse",
		"ﬁn":                 "fin",
		"张三\u200b":           "张三",
		"e\u200b\u0301":      "é",
		"İstanbul":           "i̇stanbul",
		"①":                  "1",
		"（上海）":               "(上海)",
		"bad\xffutf8":        "bad\uFFFDutf8",
		"line\nbreak\x00nul": "line breaknul",
	}
	for in, want := range cases {
		if got := lang.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFoldIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		once := lang.Fold(s)
		if twice := lang.Fold(once); twice != once {
			t.Fatalf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
	})
}

// TestFoldOfCommonText: the short way that Chinese and ASCII text takes gives what normalising and folding give.
func TestFoldOfCommonText(t *testing.T) {
	t.Parallel()
	printable := &unicode.RangeTable{R16: []unicode.Range16{{Lo: '!', Hi: '~', Stride: 1}}}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.OneOf(rapid.RuneFrom(nil, printable), rapid.RuneFrom(nil, unicode.Han))).Draw(t, "s")
		if want := norm.NFKC.String(foldcase.Fold().String(norm.NFKC.String(s))); lang.Fold(s) != want {
			t.Fatalf("Fold(%q) = %q, want %q", s, lang.Fold(s), want)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"ΑΙ\u0345", "\u1E9E", "A\u030A", "e\u00AD\u0301", "\u00A8x", "ǰ", "Ŧ\u0301ᾳ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := lang.Fold(s)
		if twice := lang.Fold(once); twice != once {
			t.Fatalf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
		lang.Tokens(s)
		lang.SortKey(s)
		lang.CompanyKey(s)
		if e, ok := lang.NormaliseEmail(s); ok {
			if again, ok := lang.NormaliseEmail(e); !ok || again != e {
				t.Fatalf("NormaliseEmail(%q) = %q, again %q", s, e, again)
			}
		}
		if p, ok := lang.NormalisePhone(s, "CN"); ok {
			if again, ok := lang.NormalisePhone(p, "CN"); !ok || again != p {
				t.Fatalf("NormalisePhone(%q) = %q, again %q", s, p, again)
			}
		}
	})
}

func TestSortKeyOrder(t *testing.T) {
	t.Parallel()
	// 重庆 reads Chong, 华 Hua, 区 Ou, 仇 Qiu, 任 Ren, 单 Shan, 解 Xie, 曾 Zeng, 查 Zha: by tone within a syllable.
	want := []string{
		"艾伦", "alice", "白敬亭", "Bob", "重庆", "华罗庚", "李白", "李娜", "吕布", "区小明", "欧阳修", "仇英", "任正非", "单雄信", "王安石", "西安", "先生",
		"解晓东", "曾国藩", "查良镛", "张飞", "张三", "张三丰", "章子怡", "赵云", "Zoe",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(lang.SortKey(a), lang.SortKey(b)) })
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestSortKeyGroupsEqualCharacters(t *testing.T) {
	t.Parallel()
	names := []string{"章一", "张二", "张三", "章二"}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(lang.SortKey(a), lang.SortKey(b)) })
	if want := []string{"张二", "张三", "章二", "章一"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if lang.SortKey("单鞋") >= lang.SortKey("多") || lang.SortKey("单雪") < lang.SortKey("任") {
		t.Error("单 is read by what stands after it")
	}
}

func TestPinyin(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"张三": "zhangsan", "吕布": "lvbu", "欧阳娜娜": "ouyangnana", "单田芳": "shantianfang", "曾志伟": "zengzhiwei", "万俟卨": "moqixie",
		"尉迟恭": "yuchigong", "重庆": "chongqing", "长沙": "changsha", "查询": "chaxun", "Li Lei": "li lei", "略": "lve",
	}
	for in, want := range cases {
		if got := lang.Pinyin(in); got != want {
			t.Errorf("Pinyin(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want []string
	}{
		{"张三", []string{"^张", "张三", "zhangsan", "san", "zs"}},
		{"单雄信", []string{"^单", "单雄", "雄信", "shanxiongxin", "xiongxin", "sxx", "danxiongxin", "dxx"}},
		{"欧阳修", []string{"^欧", "欧阳", "阳修", "ouyangxiu", "xiu", "oyx"}},
		{"吕布", []string{"^吕", "吕布", "lvbu", "lubu", "bu", "lb"}},
		{"SKU-AB12 Café", []string{"sku", "ab12", "ab", "12", "cafe"}},
		{"A班", []string{"a", "^班", "ban", "b"}},
		{"东京タワー", []string{"^东", "东京", "京タ", "タワ", "ワー"}},
		{"", nil},
	}
	for _, c := range cases {
		if got := lang.Tokens(c.text); !slices.Equal(got, c.want) {
			t.Errorf("Tokens(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got := lang.QueryTokens("张"); !slices.Equal(got, []string{"^张"}) {
		t.Errorf("one character: %q", got)
	}
	if got := lang.QueryTokens("张三丰 ABC"); !slices.Equal(got, []string{"张三", "三丰", "abc"}) {
		t.Errorf("query: %q", got)
	}
}

// What is typed from the beginning of a name, in characters, finds the name.
func TestQueryFindsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		runes := rapid.SliceOfN(rapid.RuneFrom([]rune("张王李赵欧阳单区abc12 é")), 1, 12).Draw(t, "runes")
		text := string(runes)
		have := lang.Tokens(text)
		for _, q := range lang.QueryTokens(text) {
			if !slices.Contains(have, q) {
				t.Fatalf("query token %q is not among %q of %q", q, have, text)
			}
		}
	})
}

func TestPhone(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, region, want string }{
		{"13812341234", "CN", "+8613812341234"},
		{"138 1234 1234", "CN", "+8613812341234"},
		{"138-1234-1234", "CN", "+8613812341234"},
		{"+86 138 1234 1234", "US", "+8613812341234"},
		{"0086 13812341234", "CN", "+8613812341234"},
		{"8613812341234", "CN", "+8613812341234"},
		{"（+86）138 1234 1234", "CN", "+8613812341234"},
		{"１３８１２３４１２３４", "CN", "+8613812341234"},
		{"\u202d13812341234\u202c", "CN", "+8613812341234"},
		{"19212345678", "CN", "+8619212345678"},
		{"010-62345678", "CN", "+861062345678"},
		{"+1 (415) 555-2671", "CN", "+14155552671"},
		{"415-555-2671", "US", "+14155552671"},
		{"+44 20 7946 0958", "CN", "+442079460958"},
		{"12345", "CN", ""},
		{"12812341234", "CN", ""},
		{"", "CN", ""},
		{"张三", "CN", ""},
	}
	for _, c := range cases {
		got, ok := lang.NormalisePhone(c.in, c.region)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("NormalisePhone(%q, %s) = %q, %v; want %q", c.in, c.region, got, ok, c.want)
		}
	}
	ops := map[string]lang.Operator{
		"+8613812341234": lang.OperatorMobile, "+8613012341234": lang.OperatorUnicom, "+8618912341234": lang.OperatorTelecom,
		"+8619212341234": lang.OperatorBroadnet, "+8613491234123": lang.OperatorTelecom, "+8617041234123": lang.OperatorUnicom,
		"+14155552671": "", "+861062345678": "", "": "",
	}
	for in, want := range ops {
		if got := lang.PhoneOperator(in); got != want {
			t.Errorf("PhoneOperator(%s) = %q, want %q", in, got, want)
		}
	}
	if got := lang.PhoneTokens("+8613812341234"); !slices.Equal(got, []string{"+8613812341234", "2341234", "1234"}) {
		t.Errorf("PhoneTokens: %q", got)
	}
}

func TestEmail(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		" Zhang.San@Example.COM ":           "zhang.san@example.com",
		"ｚｓ＠ｑｑ．ｃｏｍ":                         "zs@qq.com",
		"张三 <zs@qq.com>":                    "zs@qq.com",
		"mailto:zs@qq.com":                  "zs@qq.com",
		"zs+tag@例子。中国":                      "zs+tag@例子.中国",
		"zs@qq":                             "",
		"zs@@qq.com":                        "",
		"z s@qq.com":                        "",
		"@qq.com":                           "",
		"zs@-qq.com":                        "",
		"zs@1.2.3.4":                        "",
		"zs@qq..com":                        "",
		strings.Repeat("a", 65) + "@qq.com": "",
	}
	for in, want := range cases {
		got, ok := lang.NormaliseEmail(in)
		if got != want || ok != (want != "") {
			t.Errorf("NormaliseEmail(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	if lang.EmailDomain("zs@qq.com") != "qq.com" || lang.EmailDomain("zs") != "" {
		t.Error("EmailDomain")
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	phones := map[string]string{
		"+8613812341234": "+86 138****1234", "13812341234": "138****1234", "+14155552671": "+1 415***2671",
		"+861062345678": "+86 106***5678", "12345": "***45", "": "", "abc": "***",
	}
	for in, want := range phones {
		if got := lang.MaskPhone(in); got != want {
			t.Errorf("MaskPhone(%q) = %q, want %q", in, got, want)
		}
	}
	if got := lang.MaskEmail("zhangsan@qq.com"); got != "z***@qq.com" {
		t.Errorf("MaskEmail: %q", got)
	}
	if got := lang.MaskEmail("z@qq.com"); got != "***@qq.com" {
		t.Errorf("MaskEmail of one letter: %q", got)
	}
	if got := lang.MaskText("欧阳修", 1, 0); got != "欧**" {
		t.Errorf("MaskText: %q", got)
	}
	if got := lang.MaskText("张三", 1, 1); got != "**" {
		t.Errorf("MaskText of a short text: %q", got)
	}
}

func TestCompanyKey(t *testing.T) {
	t.Parallel()
	same := [][]string{
		{"关系（上海）科技有限公司", "上海关系科技有限公司", "上海市关系科技有限责任公司", "关系科技", "关系科技(集团)股份有限公司", "关系科技（中国）有限公司"},
		{"Acme, Inc.", "ACME Inc", "acme co., ltd.", "Acme Corporation", "Acme Holdings Limited"},
		{"上海银行股份有限公司", "上海银行"},
		{"内蒙古自治区伊利实业集团股份有限公司", "内蒙古伊利实业集团"},
	}
	seen := map[string]string{}
	for _, group := range same {
		key := lang.CompanyKey(group[0])
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q share the key %q", group[0], other, key)
		}
		seen[key] = group[0]
		for _, s := range group {
			if got := lang.CompanyKey(s); got != key {
				t.Errorf("CompanyKey(%q) = %q, want %q", s, got, key)
			}
		}
	}
	apart := [][2]string{
		{"上海银行", "北京银行"}, {"杭州科技有限公司", "宁波科技有限公司"}, {"关系科技有限公司", "关系科技有限公司杭州分公司"},
		{"中国移动", "中国联通"}, {"万达（电影）有限公司", "万达有限公司"},
	}
	for _, p := range apart {
		if lang.CompanyKey(p[0]) == lang.CompanyKey(p[1]) {
			t.Errorf("%q and %q share the key %q", p[0], p[1], lang.CompanyKey(p[0]))
		}
	}
	for _, s := range []string{"有限公司", "上海", "Ltd", "中国（上海）有限公司"} {
		if lang.CompanyKey(s) == "" {
			t.Errorf("CompanyKey(%q) is empty", s)
		}
	}
}

func BenchmarkSortKey(b *testing.B) {
	names := [...]string{"张三", "欧阳娜娜", "单雄信", "王小明"}
	for i := 0; b.Loop(); i++ {
		_ = lang.SortKey(names[i%4])
	}
}

func BenchmarkTokens(b *testing.B) {
	names := [...]string{"张三", "欧阳娜娜", "单雄信", "王小明"}
	for i := 0; b.Loop(); i++ {
		_ = lang.Tokens(names[i%4])
	}
}

func BenchmarkNormalisePhone(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		_, _ = lang.NormalisePhone("138"+strconv.Itoa(10000000+i%80000000), "CN")
	}
}
