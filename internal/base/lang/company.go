package lang

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// CompanyKey reduces a company name to the part that tells it from others, for finding duplicates: folded, without
// brackets, spaces and punctuation, without the legal form at its end (有限公司, 股份, 集团, Ltd, Inc …) and without a
// place at its head or in brackets. "关系（上海）科技有限公司" and "上海关系科技有限公司" share the key "关系科技". A place
// stays when little would be left ("上海银行"). A branch (分公司) keeps its name. Equal keys are a hint, never a proof.
func CompanyKey(s string) string {
	s = Fold(s)
	head, inner := bracketed(s)
	name := joinName(head)
	key := trimPlace(trimForm(name), false)
	for _, in := range inner {
		in = joinName(in)
		if trimPlace(in, true) != "" && trimForm(in) != "" {
			key += in // says more than where or of what form
		}
	}
	if key == "" {
		return joinName(s)
	}
	return key
}

// bracketed takes the bracketed parts out of a folded name.
func bracketed(s string) (rest string, inner []string) {
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "([【〔《「")
		if i < 0 {
			break
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		j := strings.IndexAny(s[i:], ")]】〕》」")
		if j < 0 {
			break
		}
		_, cw := utf8.DecodeRuneInString(s[i+j:])
		b.WriteString(s[:i])
		inner = append(inner, s[i+w:i+j])
		s = s[i+j+cw:]
	}
	return b.String() + s, inner
}

// joinName drops what is neither letter nor digit; Latin words stay apart by one space, so that forms can be told.
func joinName(s string) string {
	words := strings.FieldsFunc(strings.ReplaceAll(s, ".", ""), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	var b strings.Builder
	for i, w := range words {
		if i > 0 && isASCII(w) && isASCII(words[i-1]) {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

// trimForm removes legal forms from the end until none is left. A name that is nothing else becomes "".
func trimForm(s string) string {
	if strings.HasSuffix(s, "分公司") {
		return s
	}
	for {
		before := s
		for _, form := range [...]string{
			"有限责任公司", "股份有限公司", "有限公司", "总公司", "公司", "集团", "股份", "控股", "有限责任", "有限",
			"个体工商户", "有限合伙", "普通合伙",
		} {
			s = strings.TrimSuffix(s, form)
		}
		i := strings.LastIndexByte(s, ' ')
		if slices.Contains(latinForms(), s[i+1:]) {
			s = strings.TrimSpace(s[:max(i, 0)])
		}
		if s == before {
			return s
		}
	}
}

var latinForms = sync.OnceValue(func() []string {
	return strings.Fields(`ltd limited inc incorporated corp corporation co company llc llp lp plc gmbh ag kg sa sas sarl
		srl spa bv nv pty pte kk oy ab as group holding holdings international intl`)
})

var placeList = sync.OnceValue(func() []string { return strings.Fields(places) })

// trimPlace removes places from the head of a name; with bare set, nothing needs to be left.
func trimPlace(s string, bare bool) string {
	for {
		rest, ok := cutPlace(s)
		if !ok || (!bare && (utf8.RuneCountInString(rest) < 2 || general(rest))) {
			return s
		}
		s = rest
	}
}

func cutPlace(s string) (string, bool) {
	for _, p := range placeList() {
		rest, ok := strings.CutPrefix(s, p)
		if !ok {
			continue
		}
		for _, suffix := range [...]string{"特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市"} {
			if r, ok := strings.CutPrefix(rest, suffix); ok {
				return r, true
			}
		}
		return rest, true
	}
	return s, false
}

// general reports words that name a trade and not a company: with them the place is the name.
func general(s string) bool {
	return slices.Contains([]string{
		"银行", "农商银行", "机场", "地铁", "大学", "医院", "移动", "联通", "电信", "电力", "航空", "证券", "保险", "石油", "石化",
		"铁路", "烟草", "邮政", "建筑", "中学", "小学", "学校", "酒店", "宾馆", "商会", "博物馆", "图书馆", "出版社", "日报",
		"科技", "贸易", "商贸", "服饰", "服装", "实业", "投资", "建设", "国际", "分公司", "交通", "燃气", "水务", "城投",
	}, s)
}
