package region

import (
	"sort"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// index finds regions by the forms of their names.
type index struct {
	byName  map[string][]int // Chinese form, full or short → regions by code
	byWord  map[string][]int // English form without spaces and apostrophes
	longest int              // runes of the longest Chinese form
	folded  []string         // of every region, for Search
	words   []string
}

// short forms: what people leave off.
var suffixes = []string{
	"特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "自治县", "自治旗", "地区", "林区", "新区", "省", "市", "区", "县", "盟", "旗",
}

var peoples = strings.Fields(`蒙古族 回族 藏族 维吾尔族 苗族 彝族 壮族 布依族 朝鲜族 满族 侗族 瑶族 白族 土家族 哈尼族 哈萨克族 傣族 黎族
	傈僳族 佤族 畲族 拉祜族 水族 纳西族 景颇族 柯尔克孜族 土族 达斡尔族 仫佬族 羌族 布朗族 撒拉族 毛南族 仡佬族 锡伯族 裕固族 保安族 东乡族
	独龙族 怒族 普米族 塔吉克族 各族 蒙古 哈萨克 柯尔克孜 锡伯 塔吉克`)

func newIndex(a *atlas) index {
	x := index{byName: map[string][]int{}, byWord: map[string][]int{}}
	for i, r := range a.all {
		x.folded = append(x.folded, lang.Fold(r.Name))
		x.words = append(x.words, word(r.En))
		for _, form := range chineseForms(r) {
			x.byName[form] = append(x.byName[form], i)
			x.longest = max(x.longest, len([]rune(form)))
		}
		for _, form := range englishForms(r) {
			x.byWord[form] = append(x.byWord[form], i)
		}
	}
	return x
}

// chineseForms are the full name and, when two characters or more are left, the name without its kind and peoples.
func chineseForms(r Region) []string {
	full := lang.Fold(r.Name)
	forms := []string{full}
	for _, s := range suffixes {
		base, ok := strings.CutSuffix(full, s)
		if !ok {
			continue
		}
		if strings.HasPrefix(s, "自治") && r.Level != Province { // 内蒙古 is not 内
			base = cutPeoples(base)
		}
		if len([]rune(base)) >= 2 {
			forms = append(forms, base)
			if strings.HasPrefix(s, "自治") {
				forms = append(forms, base+string([]rune(s)[2:]))
			}
		}
		break
	}
	return forms
}

func cutPeoples(s string) string {
	for {
		cut := s
		for _, p := range peoples {
			if b, ok := strings.CutSuffix(cut, p); ok && b != "" {
				cut = b
			}
		}
		if cut == s {
			return s
		}
		s = cut
	}
}

func englishForms(r Region) []string {
	full := word(r.En)
	forms := []string{full}
	for _, s := range []string{" District", " County", " Prefecture", " League", " Banner", " New Area", " Special District"} {
		if base, ok := strings.CutSuffix(r.En, s); ok {
			if base := word(base); len(base) > 3 {
				forms = append(forms, base)
			}
			break
		}
	}
	if r.Level == Province {
		forms = append(forms, full+"province")
	}
	if r.Level == City {
		forms = append(forms, full+"city")
	}
	return forms
}

// word is a folded name without spaces, hyphens and apostrophes.
func word(s string) string {
	return strings.NewReplacer(" ", "", "'", "", "’", "", "-", "").Replace(lang.Fold(s))
}

// Find reads a place from the beginning of a text as people write it: "上海", "浙江省杭州市西湖区文三路 1 号", "浙江 杭州",
// "杭州西湖", "Hangzhou", "Xihu District, Hangzhou", or a six-digit code. It returns the deepest region that the names
// agree on. Of regions of one name the one inside what came before is taken, then the higher level, then the lower
// code; a county named alone must be unique in the country. Text that does not begin with a place is not found.
func Find(text string) (code string, ok bool) {
	s := lang.Fold(text)
	if _, known := Get(s); known {
		return s, true
	}
	a := load()
	s = strings.TrimPrefix(s, "中国")
	if s != "" && s[0] < 0x80 {
		return a.findEnglish(s)
	}
	return a.findChinese([]rune(s))
}

func (a *atlas) findChinese(s []rune) (string, bool) {
	found := -1
	for {
		for len(s) > 0 && strings.ContainsRune(" ,，/-·>、|_", s[0]) {
			s = s[1:]
		}
		id, n := a.prefix(s, found)
		if id < 0 {
			break
		}
		found, s = id, s[n:]
	}
	if found < 0 {
		return "", false
	}
	return a.all[found].Code, true
}

// prefix returns the region whose form is the longest beginning of s that fits inside what was found, and its length.
func (a *atlas) prefix(s []rune, within int) (id, n int) {
	for n = min(a.names.longest, len(s)); n >= 2; n-- {
		id := a.choose(a.names.byName[string(s[:n])], within)
		if id < 0 {
			continue
		}
		whole := string(s[:n]) == a.names.folded[id]
		if !whole && n < len(s) && strings.ContainsRune("路街道巷弄村镇乡大桥站", s[n]) {
			continue // 南京路 is a street
		}
		return id, n
	}
	return -1, 0
}

// choose takes one of several regions of a name, -1 when none fits or a county is not unique.
func (a *atlas) choose(ids []int, within int) int {
	best, twins := -1, 0
	for _, id := range ids {
		r := a.all[id]
		if within >= 0 && (id == within || !Contains(a.all[within].Code, r.Code)) &&
			!(municipality(r.Code) && middle(a.all[within].Code) && Contains(r.Code[:2], a.all[within].Code)) {
			continue
		}
		switch {
		case best < 0 || r.Level < a.all[best].Level:
			best, twins = id, 1
		case r.Level == a.all[best].Level:
			twins++
		}
	}
	if within < 0 && twins > 1 && a.all[best].Level == County {
		return -1
	}
	return best
}

// findEnglish reads names in either order, small to large or large to small. Words that are no name are passed over.
func (a *atlas) findEnglish(s string) (string, bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,/;|", r) })
	var sets [][]int
	for i := 0; i < len(parts); {
		n := min(4, len(parts)-i) // the longest names have four words
		for ; n > 0; n-- {
			if ids := a.names.byWord[word(strings.Join(parts[i:i+n], ""))]; len(ids) > 0 {
				sets = append(sets, ids)
				break
			}
		}
		i += max(n, 1)
	}
	if len(sets) == 0 {
		return "", false
	}
	best := -1
	for _, order := range [][][]int{sets, reversed(sets)} {
		found := -1
		depth := 0
		for _, ids := range order {
			if id := a.choose(ids, found); id >= 0 {
				found = id
				depth++
			}
		}
		if found >= 0 && (best < 0 || depth == len(sets) && a.all[found].Level > a.all[best].Level) {
			best = found
		}
	}
	if best < 0 {
		return "", false
	}
	return a.all[best].Code, true
}

func reversed(in [][]int) [][]int {
	out := make([][]int, len(in))
	for i, v := range in {
		out[len(in)-1-i] = v
	}
	return out
}

// Search lists up to limit regions whose name, English name or code begins with the text, higher levels first,
// for a picker.
func Search(text string, limit int) []Region {
	a := load()
	s := lang.Fold(text)
	if s == "" || limit <= 0 {
		return nil
	}
	w := word(s)
	var hits []Region
	for i, r := range a.all {
		if middle(r.Code) {
			continue
		}
		if strings.HasPrefix(a.names.folded[i], s) || strings.HasPrefix(a.names.words[i], w) || strings.HasPrefix(r.Code, s) {
			hits = append(hits, r)
		}
	}
	sort.SliceStable(hits, func(i, j int) bool { return hits[i].Level < hits[j].Level })
	return hits[:min(limit, len(hits))]
}
