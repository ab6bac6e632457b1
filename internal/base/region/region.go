// Package region knows the administrative divisions of China by their GB/T 2260 code: provinces, cities and counties
// (省、市、区县) with Chinese and English names, and the tier of cities (一线、新一线、二线 …).
//
// A code has six digits: two for the province, two for the city, two for the county. Codes are kept as text. One region
// contains another when its digits without trailing pairs of zeros are a prefix of the other's, so a condition on any
// level is a prefix match in every storage. Exceptions, all of which obey that rule:
//
//   - The four municipalities have a middle row with their own name (110000 北京市 → 110100 北京市 → 110108 海淀区);
//     FullName leaves it out. 500200 重庆郊县 is the middle row of the counties of Chongqing.
//   - Cities and counties under a province directly (济源, 石河子, 神农架 …) are of level City and have no counties; so do
//     东莞, 中山, 儋州 and 嘉峪关.
//   - The districts of Hong Kong and Macao are counties right under the province. The standard gives no codes below
//     Taiwan, Hong Kong and Macao; those here are in common use. They have no tier.
//
// The data is embedded (data/README.md names its sources and date), read once at first use, and immutable; everything
// is safe for concurrent use. The package does not geocode and does not know streets.
package region

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Level is the depth of a region.
type Level uint8

// The levels. A region of level City may have no counties.
const (
	Province Level = iota + 1
	City
	County
)

// CityTier is a commercial class of cities. Its values are stored and used in conditions.
type CityTier string

// The tiers, from large to small. TierRural is that of a 县 or 旗 (not of a 区 or a county-level 市), whatever its city.
// Provinces, Hong Kong, Macao and Taiwan have TierNone.
const (
	TierNone     CityTier = ""
	TierFirst    CityTier = "first"
	TierNewFirst CityTier = "new_first"
	TierSecond   CityTier = "second"
	TierThird    CityTier = "third"
	TierFourth   CityTier = "fourth"
	TierFifth    CityTier = "fifth"
	TierRural    CityTier = "rural"
)

// Region is one division. Parent is empty for a province.
type Region struct {
	Code   string
	Parent string
	Name   string // Chinese, as in the standard
	En     string // established English name or pinyin
	Level  Level
	Tier   CityTier // as Tier returns it
}

// In is the name in a language: Chinese for any kind of Chinese, else English.
func (r Region) In(loc lang.Locale) string {
	if strings.HasPrefix(string(loc), "zh") {
		return r.Name
	}
	return r.En
}

//go:embed data/regions.tsv
var source string

type atlas struct {
	all      []Region    // by code
	paths    [2][]string // FullName in Chinese and in English, beside all
	at       map[string]int
	children map[string][]int // of "" the provinces
	names    index
}

var load = sync.OnceValue(func() *atlas {
	lines := strings.Split(strings.TrimSpace(source), "\n")
	a := &atlas{
		all: make([]Region, 0, len(lines)), at: make(map[string]int, len(lines)), children: map[string][]int{},
	}
	for _, line := range lines {
		f := strings.Split(line, "\t")
		r := Region{Code: f[0], Name: f[1], En: f[2]}
		if len(f) > 3 {
			r.Tier = CityTier(f[3])
		}
		a.place(&r)
		a.at[r.Code] = len(a.all)
		a.children[r.Parent] = append(a.children[r.Parent], len(a.all))
		a.all = append(a.all, r)
	}
	a.names = newIndex(a)
	for i, loc := range []lang.Locale{"zh-CN", "en"} {
		a.paths[i] = make([]string, len(a.all))
		for j := range a.all {
			a.paths[i][j] = a.path(j, loc)
		}
	}
	return a
})

// path is the full name of the j-th region.
func (a *atlas) path(j int, loc lang.Locale) string {
	var names []string
	for ok := true; ok; j, ok = a.at[a.all[j].Parent] {
		if r := &a.all[j]; r.Parent == "" || !middle(r.Code) {
			names = append(names, r.In(loc))
		}
	}
	slices.Reverse(names)
	return strings.Join(names, " / ")
}

// place sets level, parent and the tier of a county. Ancestors come first in the data.
func (a *atlas) place(r *Region) {
	province, city := r.Code[:2]+"0000", r.Code[:4]+"00"
	switch {
	case r.Code == province:
		r.Level = Province
		return
	case r.Code == city:
		r.Level, r.Parent = City, province
	case hasKey(a.at, city) && city != province:
		r.Level, r.Parent = County, city
		r.Tier = a.all[a.at[city]].Tier
	case r.Tier != TierNone:
		r.Level, r.Parent = City, province // under the province directly
	default:
		r.Level, r.Parent = County, province // Hong Kong, Macao
	}
	if r.Tier != TierNone && (strings.HasSuffix(r.Name, "县") || strings.HasSuffix(r.Name, "旗")) && r.Code != city {
		r.Tier = TierRural
	}
}

func hasKey(m map[string]int, k string) bool {
	_, ok := m[k]
	return ok
}

// Get returns the region of a code.
func Get(code string) (Region, bool) {
	a := load()
	i, ok := a.at[code]
	if !ok {
		return Region{}, false
	}
	return a.all[i], true
}

// Path returns the region and its ancestors, the province first; nil for an unknown code.
func Path(code string) []Region {
	var out []Region
	for r, ok := Get(code); ok; r, ok = Get(r.Parent) {
		out = append(out, r)
	}
	slices.Reverse(out)
	return out
}

// FullName is the path in words, "浙江省 / 杭州市 / 西湖区" or "Zhejiang / Hangzhou / Xihu District", without the middle
// row of municipalities: "北京市 / 海淀区". Empty for an unknown code.
func FullName(code string, loc lang.Locale) string {
	a := load()
	j, ok := a.at[code]
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(string(loc), "zh"):
		return a.paths[0][j]
	}
	return a.paths[1][j]
}

// middle reports the rows between a municipality and its districts.
func middle(code string) bool {
	if len(code) != 6 || code[2:] == "0000" || code[4:] != "00" {
		return false
	}
	return municipality(code)
}

func municipality(code string) bool {
	switch code[:2] {
	case "11", "12", "31", "50":
		return true
	}
	return false
}

// Children lists the regions right below a code by code; the provinces for "". Nil when there are none.
func Children(code string) []Region {
	a := load()
	ids := a.children[code]
	if len(ids) == 0 {
		return nil
	}
	out := make([]Region, len(ids))
	for i, id := range ids {
		out[i] = a.all[id]
	}
	return out
}

// Tier is the tier of a city, or of the city that a county belongs to, or TierRural. A municipality has its own tier at
// every level; other provinces and unknown codes have none.
func Tier(code string) CityTier {
	r, ok := Get(code)
	if !ok {
		return TierNone
	}
	if r.Level == Province && municipality(code) {
		return Tier(code[:2] + "0100")
	}
	return r.Tier
}

// CityOf returns the city that a code stands for or lies in: for a county its city, for a municipality at any level
// its middle row 110100. False for other provinces, Hong Kong and Macao, and unknown codes.
func CityOf(code string) (Region, bool) {
	r, ok := Get(code)
	switch {
	case !ok:
		return Region{}, false
	case municipality(code):
		return Get(code[:2] + "0100")
	case r.Level == County:
		r, ok = Get(r.Parent)
	}
	if !ok || r.Level != City {
		return Region{}, false
	}
	return r, true
}

// Contains reports whether a code is the ancestor itself or lies in it, by digits alone: the codes need not be known.
func Contains(ancestor, code string) bool {
	return ancestor != "" && strings.HasPrefix(code, Prefix(ancestor))
}

// Prefix is the significant digits of a code, "3301" of "330100": what the codes of all regions in it begin with.
func Prefix(code string) string {
	for len(code) == 6 || len(code) == 4 {
		if !strings.HasSuffix(code, "00") {
			break
		}
		code = code[:len(code)-2]
	}
	return code
}

// All lists every region by code, ancestors before what they contain. The slice is the caller's.
func All() []Region { return slices.Clone(load().all) }
