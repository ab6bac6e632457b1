package region_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/region"
)

// The shape of the data, so that an edit by hand cannot break it.
func TestData(t *testing.T) {
	t.Parallel()
	all := region.All()
	levels := map[region.Level]int{}
	tiers := map[region.CityTier]int{}
	last := ""
	for _, r := range all {
		if r.Code <= last || len(r.Code) != 6 || r.Name == "" || r.En == "" || r.Name != strings.TrimSpace(r.Name) {
			t.Errorf("bad or unsorted row %+v", r)
		}
		last = r.Code
		levels[r.Level]++
		if r.Level == region.City {
			tiers[r.Tier]++
		}
		if (r.Level == region.Province) != (r.Parent == "") {
			t.Errorf("%s %s has the parent %q", r.Code, r.Name, r.Parent)
		}
		if r.Parent != "" {
			p, ok := region.Get(r.Parent)
			if !ok || p.Level >= r.Level || !region.Contains(p.Code, r.Code) {
				t.Errorf("%s %s has a bad parent %q", r.Code, r.Name, r.Parent)
			}
		}
		if r.Level == region.County && r.Tier == region.TierNone && r.Code[0] != '8' {
			t.Errorf("%s %s has no tier", r.Code, r.Name)
		}
	}
	if levels[region.Province] != 34 || levels[region.City] < 370 || levels[region.County] < 2800 {
		t.Errorf("levels %v", levels)
	}
	want := map[region.CityTier]int{
		region.TierFirst: 4, region.TierNewFirst: 16, region.TierSecond: 30, region.TierThird: 70, region.TierFourth: 90,
	} // 重庆 has two rows
	for tier, n := range want {
		if tiers[tier] != n {
			t.Errorf("%d cities of tier %s, want %d", tiers[tier], tier, n)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	cases := []struct{ code, zh, en string }{
		{"330106", "浙江省 / 杭州市 / 西湖区", "Zhejiang / Hangzhou / Xihu District"},
		{"110108", "北京市 / 海淀区", "Beijing / Haidian District"},
		{"500235", "重庆市 / 云阳县", "Chongqing / Yunyang County"},
		{"110000", "北京市", "Beijing"},
		{"110100", "北京市", "Beijing"},
		{"441900", "广东省 / 东莞市", "Guangdong / Dongguan"},
		{"419001", "河南省 / 济源市", "Henan / Jiyuan"},
		{"810001", "香港特别行政区 / 中西区", "Hong Kong / Central and Western"},
		{"610100", "陕西省 / 西安市", "Shaanxi / Xi'an"},
		{"422800", "湖北省 / 恩施土家族苗族自治州", "Hubei / Enshi Prefecture"},
		{"999999", "", ""},
	}
	for _, c := range cases {
		if got := region.FullName(c.code, "zh-CN"); got != c.zh {
			t.Errorf("FullName(%s, zh-CN) = %q, want %q", c.code, got, c.zh)
		}
		if got := region.FullName(c.code, "en"); got != c.en {
			t.Errorf("FullName(%s, en) = %q, want %q", c.code, got, c.en)
		}
	}
	if got := len(region.Path("330106")); got != 3 {
		t.Errorf("path of 330106 has %d parts", got)
	}
}

func TestTierAndCity(t *testing.T) {
	t.Parallel()
	cases := []struct {
		code string
		tier region.CityTier
		city string
	}{
		{"310000", region.TierFirst, "310100"},
		{"310115", region.TierFirst, "310100"},
		{"330106", region.TierNewFirst, "330100"},
		{"330122", region.TierRural, "330100"},    // 桐庐县
		{"330182", region.TierNewFirst, "330100"}, // 建德市 follows its city
		{"500235", region.TierRural, "500100"},
		{"500000", region.TierNewFirst, "500100"},
		{"330000", region.TierNone, ""},
		{"419001", region.TierFifth, "419001"},
		{"469021", region.TierRural, "469021"}, // 定安县
		{"710100", region.TierNone, "710100"},
		{"810001", region.TierNone, ""},
		{"x", region.TierNone, ""},
	}
	for _, c := range cases {
		if got := region.Tier(c.code); got != c.tier {
			t.Errorf("Tier(%s) = %q, want %q", c.code, got, c.tier)
		}
		got, ok := region.CityOf(c.code)
		if got.Code != c.city || ok != (c.city != "") {
			t.Errorf("CityOf(%s) = %q, %v; want %q", c.code, got.Code, ok, c.city)
		}
	}
}

func TestContains(t *testing.T) {
	t.Parallel()
	yes := [][2]string{
		{"330000", "330106"}, {"330100", "330106"}, {"330106", "330106"}, {"110000", "110108"}, {"810000", "810001"},
		{"410000", "419001"}, {"441900", "441900"},
	}
	no := [][2]string{{"330106", "330100"}, {"330100", "330206"}, {"310000", "330106"}, {"", "330106"}, {"110000", ""}}
	for _, p := range yes {
		if !region.Contains(p[0], p[1]) {
			t.Errorf("%s does not contain %s", p[0], p[1])
		}
	}
	for _, p := range no {
		if region.Contains(p[0], p[1]) {
			t.Errorf("%s contains %s", p[0], p[1])
		}
	}
	if region.Prefix("330100") != "3301" || region.Prefix("330000") != "33" || region.Prefix("330106") != "330106" {
		t.Error("Prefix")
	}
}

func TestChildren(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{"": 34, "330000": 11, "310000": 1, "310100": 16, "441900": 0, "810000": 18, "x": 0} {
		if got := len(region.Children(code)); got != want {
			t.Errorf("%q has %d children, want %d", code, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"上海": "310000",
		"上海市浦东新区世纪大道 100 号": "310115",
		"浙江省杭州市西湖区":         "330106",
		"浙江省杭州市西湖区文三路 1 号":  "330106",
		"浙江 杭州":    "330100",
		"浙江/杭州/西湖": "330106",
		"杭州西湖":     "330106",
		"中国浙江省杭州市": "330100",
		"江苏省昆山市":   "320583",
		"昆山":       "320583",
		"吉林":       "220000",
		"吉林省吉林市":   "220200",
		"内蒙古呼和浩特":  "150100",
		"新疆维吾尔自治区乌鲁木齐市":                                  "650100",
		"湖北恩施州":                                          "422800",
		"北京市北京市朝阳区":                                      "110105",
		"北京朝阳区":                                          "110105",
		"重庆市重庆市城口县":                                      "500229",
		"重庆云阳":                                           "500235",
		"香港特别行政区中西区":                                     "810001",
		"香港":                                             "810000",
		"台北":                                             "710100",
		"苏州工业园区星湖街":                                      "320500",
		"上海长宁路 5 号":                                      "310000",
		"Hangzhou":                                       "330100",
		"hangzhou, zhejiang":                             "330100",
		"Xihu District, Hangzhou":                        "330106",
		"Zhejiang Hangzhou Xihu District":                "330106",
		"1 Wensan Road, Xihu, Hangzhou, Zhejiang, China": "330106",
		"Xi'an":      "610100",
		"Xian":       "610100",
		"New Taipei": "711100",
		"330106":     "330106",
		"３３０１０６":     "330106",
		"和平区":        "", // many of that name
		"南京路 100 号":  "",
		"某地":         "",
		"":           "",
		"Atlantis":   "",
	}
	for in, want := range cases {
		got, ok := region.Find(in)
		if got != want || ok != (want != "") {
			t.Errorf("Find(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

// Every region is found by its own full name in both languages.
func TestFindInvertsFullName(t *testing.T) {
	t.Parallel()
	missed := 0
	for _, r := range region.All() {
		if r.Code != "110100" && r.Code != "120100" && r.Code != "310100" && r.Code != "500100" && r.Code != "500200" {
			name := region.FullName(r.Code, "zh-CN")
			for _, text := range []string{name, strings.ReplaceAll(name, " / ", "")} {
				if got, _ := region.Find(text); got != r.Code {
					t.Errorf("Find(%q) = %q, want %s", text, got, r.Code)
				}
			}
			if got, _ := region.Find(region.FullName(r.Code, "en")); got != r.Code {
				missed++
			}
		}
	}
	if missed > 60 { // English names are not unique: 市中 and 石忠 are both spelled Shizhong
		t.Errorf("%d English full names lead elsewhere", missed)
	}
}

func TestFindNeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if code, ok := region.Find(s); ok {
			if _, known := region.Get(code); !known {
				t.Fatalf("Find(%q) = %q, which is not known", s, code)
			}
		}
		region.Tier(s)
		if p := region.Prefix(s); len(p) > len(s) {
			t.Fatalf("Prefix(%q) = %q is longer", s, p)
		}
		region.FullName(s, "en")
	})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	got := region.Search("hang", 3)
	if len(got) == 0 || got[0].Code != "330100" {
		t.Errorf("Search(hang) = %v", got)
	}
	if got := region.Search("朝阳", 10); len(got) < 3 || got[0].Code != "211300" {
		t.Errorf("Search(朝阳) = %v", got)
	}
}
