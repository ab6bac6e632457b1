package demo

import (
	"slices"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Planted is how a customer was entered a second time, for measuring how duplicates are found.
type Planted string

// The ways in which a customer comes to be there twice.
const (
	Homophone    Planted = "homophone"     // a character that sounds the same
	NearShape    Planted = "near_shape"    // a character that looks much the same
	SwappedChars Planted = "swapped"       // two characters of the name changed places
	InPinyin     Planted = "pinyin"        // the name in Latin letters
	OldPhone     Planted = "old_phone"     // another number
	NewEmail     Planted = "new_email"     // another address
	Moved        Planted = "moved_address" // lives elsewhere
	CompanyForm  Planted = "company_form"  // place, brackets and legal form written otherwise
)

// PlantedKinds lists the ways, in a fixed order.
func PlantedKinds() []Planted {
	return []Planted{Homophone, NearShape, SwappedChars, InPinyin, OldPhone, NewEmail, Moved, CompanyForm}
}

// nearShapes are pairs of characters of names that are taken for one another by eye.
const nearShapes = `晴睛 倩情 婷停 玲铃 颖颍 莹萤 萍苹 欣掀 怡恰 佳住 琪淇 诗待 涵函 晓饶 晨辰 瑶遥 琳淋 洁结 薇微 露路 梅海 悦阅 宁守 妍研 璐路 珊姗 媛缓 萱宣 芸云 瑾谨 楠南
	桐铜 青清 雯文 娟捐 伟纬 涛焘 刚钢 辉挥 鹏棚 波坡 斌武 浩皓 凯恺 健建 俊峻 志忘 泽译 轩杆 博搏 瑞端 航抗 翔洋 峰锋 威戚 永水 振震 彦颜 恒桓 铭名 远运 诚城 朗郎
	钧均 敏繁 丽郦 静净 磊石 杰木 昊吴 睿壑 皓告 天夫 林森`

// sounds are the characters of names by their pinyin.
var sounds = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	seen := map[string]bool{}
	for _, c := range strings.Fields(femaleCharacters + " " + maleCharacters + ` 张 章 王 汪 刘 柳 陈 程 杨 阳 吴 伍 赵 兆 周 邹 徐 许 孙 荪 朱 诸 胡 湖 林 霖 郭 国 何 和 高 皋 罗 洛
		郑 政 梁 良 谢 榭 宋 颂 唐 堂 邓 登 韩 寒 冯 逢 曹 操 彭 鹏 肖 晓 田 甜 董 懂 潘 盼 袁 园 蔡 菜 蒋 江 余 于 杜 度 叶 业 魏 卫 苏 酥 吕 旅 丁 顶 姚 尧 沈 审 钟 中
		李 黎 黄 皇 马 玛 付 傅 方 芳 石 时 金 今 贾 甲 夏 霞 白 百 秦 琴 史 诗 陶 桃 龚 公 万 宛 武 舞 钱 前 戴 代 莫 墨 孔 恐 常 长 康 慷 易 意 乔 桥 文 雯 燕 艳 颖 影`) {
		if !seen[c] {
			seen[c] = true
			p := lang.Pinyin(c)
			out[p] = append(out[p], c)
		}
	}
	return out
})

// Plant makes customer i a second time, as somebody else entered it. ok is false when the way does not fit this customer. The copy has
// no orders, no external numbers, and knows some things less; what identifies it besides the name varies: mostly the phone number, else the e-mail address
// where there is one, else birthday and address.
func (g *Generator) Plant(i int, how Planted) (c Customer, ok bool) {
	c = g.Customer(i)
	if (how == CompanyForm) != (c.Kind == Company) || c.Kind == Government {
		return c, false
	}
	r := newRandom(g.options.Seed, streamPlant, uint64(i)) //nolint:gosec // not negative
	c.Orders, c.Contacts, c.ExternalID, c.UnionID, c.Tags = nil, nil, "", "", nil
	other := g.options.Customers*2 + i // an index that nobody has
	switch how {
	case Homophone, NearShape, SwappedChars, InPinyin:
		if c.Name, ok = g.misspelled(r, c.Name, how); !ok {
			return c, false
		}
		switch u := r.Float64(); {
		case u < 0.7:
			c.Email = ""
		case u < 0.85 && c.Email != "":
			c.Phone = g.phone(other, 0)
		default:
			if how != InPinyin || c.Email == "" { // a name in pinyin alone with an address
				c.Email = ""
			}
			if how == NearShape && c.Birthday.Calendar == "" {
				return c, true
			}
			c.Phone = g.phone(other, 0)
		}
	case OldPhone:
		c.Phone = g.phone(other, 0)
	case NewEmail:
		c.Email = g.email(r, other, 0, "new", 0)
		c.Street = ""
	case Moved:
		p := &g.places[g.placeWeights.draw(r)]
		c.Region, c.Street, c.HomeStore = pick(r, p.codes), g.names.street(r, false), ""
		if r.chance(0.3) && c.Email != "" {
			c.Phone = g.phone(other, 0)
		}
	case CompanyForm:
		if c.Name, ok = otherForm(r, c.Name); !ok {
			return c, false
		}
		if r.chance(0.5) {
			c.Phone = g.phone(other, 0)
		}
		c.Email = ""
	}
	return c, true
}

// misspelled is a person's name as somebody wrote it who heard it, misread it, or has no Chinese keyboard.
func (g *Generator) misspelled(r *random, name string, how Planted) (string, bool) {
	runes := []rune(name)
	switch how {
	case SwappedChars:
		n := len(runes)
		if n < 3 || runes[n-1] == runes[n-2] {
			return "", false
		}
		runes[n-1], runes[n-2] = runes[n-2], runes[n-1]
		return string(runes), true
	case InPinyin:
		head := 1
		if len(runes) > 3 {
			head = 2
		}
		family, given := strings.TrimSuffix(lang.Pinyin(string(runes[:head])+"一"), "yi"), ""
		for _, c := range runes[head:] {
			given += lang.Pinyin(string(c))
		}
		title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
		if r.chance(0.5) {
			return title(given) + " " + title(family), true
		}
		return title(family) + " " + title(given), true
	}
	places := r.Perm(len(runes))
	for _, at := range places {
		var like []string
		if how == Homophone {
			like = slices.Clone(sounds()[lang.Pinyin(string(runes[at]))])
		} else {
			for _, pair := range strings.Fields(nearShapes) {
				if two := []rune(pair); two[0] == runes[at] {
					like = append(like, string(two[1]))
				} else if two[1] == runes[at] {
					like = append(like, string(two[0]))
				}
			}
		}
		like = slices.DeleteFunc(like, func(s string) bool { return s == string(runes[at]) })
		if len(like) > 0 {
			runes[at] = []rune(pick(r, like))[0]
			return string(runes), true
		}
	}
	return "", false
}

// otherForm writes the name of a company otherwise: the place in brackets or not at all, another legal form, other brackets.
func otherForm(r *random, name string) (string, bool) {
	place := ""
	if i, j := strings.Index(name, "（"), strings.Index(name, "）"); i > 0 && j > i {
		place, name = name[i+len("（"):j], name[:i]+name[j+len("）"):]
	} else {
		runes := []rune(name)
		place, name = string(runes[:2]), string(runes[2:])
	}
	for _, form := range []string{"股份有限公司", "集团有限公司", "有限公司"} {
		name = strings.TrimSuffix(name, form)
	}
	forms := []string{"有限责任公司", "有限公司", "股份有限公司", "公司", "集团"}
	form := pick(r, forms)
	switch r.IntN(4) {
	case 0:
		return name + "(" + place + ")" + form, true
	case 1:
		return place + "市" + name + form, true
	case 2:
		return name + form, true
	}
	return place + name, true
}
