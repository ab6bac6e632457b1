package text

import (
	"strings"
	"unicode"
)

// Topic is what a text is about.
type Topic string

// The topics.
const (
	Quality   Topic = "quality"
	Size      Topic = "size"
	Looks     Topic = "looks"
	Delivery  Topic = "delivery"
	Service   Topic = "service"
	Price     Topic = "price"
	Packaging Topic = "packaging"
	Returns   Topic = "returns"
	Store     Topic = "store"
)

// Topics are all of them in the order in which they are shown.
func Topics() []Topic {
	return []Topic{Quality, Size, Looks, Delivery, Service, Price, Packaging, Returns, Store}
}

// named are the words that name a topic, Chinese ones anywhere and English ones as whole words. A word that begins with - takes the
// topic away from a clause it stands in: 大小姐 is no size, and "as good as new" no price.
var named = map[Topic]string{
	Quality:   "质量 品质 做工 材质 面料 布料 手感 质感 用料 起球 掉色 褪色 缩水 开线 线头 破洞 瑕疵 次品 劣质 耐用 结实 不耐 容易坏 坏了 坏的 烂了 烂的 烂掉 新鲜 腐烂 正品 假货 假的 山寨 quality fabric material stitching durable flimsy defective defect broke broken ripped fades faded pilling shrank shrunk fake authentic craftsmanship",
	Size:      "尺码 尺寸 码数 偏大 偏小 大了 小了 太大 太小 合身 大一号 小一号 大一码 小一码 合脚 挤脚 太长 太短 太紧 太松 太肥 肥了 紧了 -声音 -噪音 -压力 -差距 -差别 -变化 size sizes sizing fits fit fitted tight loose -unfit -benefit",
	Looks:     "款式 外观 颜色 样式 好看 难看 漂亮 丑 花色 版型 显瘦 显胖 显老 时尚 洋气 土气 色差 图片不符 与图片 跟图片 和图片 style design colour color colours colors looks beautiful ugly pretty stylish -looks_like",
	Delivery:  "物流 快递 发货 送货 到货 配送 送到 收到货 送餐 运费 送来 骑手 骑士 签收 派送 顺丰 圆通 中通 申通 韵达 邮政 -收到短信 delivery delivered shipping shipped shipment courier arrived arrive parcel postage",
	Service:   "客服 服务 态度 卖家 店家 商家 售后 店主 回复 不理人 不搭理 投诉 敷衍 热情 推诿 -服务器 service support staff seller helpful rude polite assistant representative attitude",
	Price:     "价格 价钱 性价比 便宜 太贵 很贵 有点贵 贵了 不贵 实惠 划算 降价 优惠 涨价 差价 物超所值 不值 超值 值得买 值这个价 price prices pricey priced expensive cheap cheaper overpriced bargain discount affordable worth",
	Packaging: "包装 盒子 外盒 纸箱 箱子 漏液 漏了 洒了 压坏 压扁 压烂 破损 碎了 密封 -旅行箱 -行李箱 -冰箱 packaging packaged package box boxed wrapped wrapping leaked dented",
	Returns:   "退货 换货 退换 退款 退了 退掉 退回 要退 给退 换一个 换新 返修 维修 保修 -退房 -退休 return returns returned refund refunded refunds exchange exchanged warranty",
	Store:     "门店 实体店 专柜 店员 店里 导购 试衣间 柜台 收银 店面 排队 -旗舰店里 store shop shops salesperson cashier checkout queue fitting_room -app_store",
}

type lexicon struct {
	topic           Topic
	words, not      []string // Chinese
	english, except map[string]bool
}

var lexicons = lexica()

func lexica() (out []lexicon) {
	for _, t := range Topics() {
		l := lexicon{topic: t, english: map[string]bool{}, except: map[string]bool{}}
		for _, w := range strings.Fields(named[t]) {
			bare, not := strings.CutPrefix(w, "-")
			bare = strings.ReplaceAll(bare, "_", " ")
			switch latin := bare[0] < 0x80; {
			case latin && not:
				l.except[bare] = true
			case latin:
				l.english[bare] = true
			case not:
				l.not = append(l.not, bare)
			default:
				l.words = append(l.words, bare)
			}
		}
		out = append(out, l)
	}
	return out
}

// in reports whether a folded clause names the topic.
func (l *lexicon) in(clause string) bool {
	for _, w := range l.not {
		if strings.Contains(clause, w) {
			return false
		}
	}
	for w := range l.except {
		if strings.Contains(clause, w) {
			return false
		}
	}
	for _, w := range l.words {
		if strings.Contains(clause, w) {
			return true
		}
	}
	var last string
	for w := range strings.FieldsFuncSeq(clause, func(r rune) bool { return r >= 0x80 || !unicode.IsLetter(r) && r != '\'' }) {
		if l.english[w] || last != "" && l.english[last+" "+w] {
			return true
		}
		last = w
	}
	return false
}

// Clause is a piece of a text that is about something.
type Clause struct {
	Text      string
	Topics    []Topic
	Sentiment Sentiment
}

// Clauses cuts a text into pieces by what they are about. A clause that names nothing belongs to the one before it, unless a word such as "but"
// turns round; what comes before the first topic belongs to none.
func Clauses(s string) []Clause { return clauses(fold(s)) }

func clauses(plain string) (out []Clause) {
	for _, part := range parts(plain) {
		var about []Topic
		for i := range lexicons {
			if lexicons[i].in(part.text) {
				about = append(about, lexicons[i].topic)
			}
		}
		if n := len(out) - 1; n >= 0 && len(about) == 0 && !part.turns && !part.begins {
			out[n].Text += "，" + part.text
			continue
		}
		out = append(out, Clause{Text: part.text, Topics: about})
	}
	for i := range out {
		out[i].Sentiment, _ = feel(out[i].Text)
	}
	return out
}

type part struct {
	text          string
	turns, begins bool // after a word such as "but"; the first of a sentence
}

// turning are words before which a clause ends, in Chinese also without a comma.
var turning = []string{"但是", "不过", "可是", "就是", "然而", "只是", "但"}

func parts(plain string) (out []part) {
	begins, begin := true, 0
	put := func(s string, turns bool) {
		s = strings.TrimSpace(s)
		if s == "" {
			return
		}
		if rest, ok := strings.CutPrefix(s, "but "); ok {
			s, turns = rest, true
		}
		for _, w := range turning {
			if rest, ok := strings.CutPrefix(s, w); ok && rest != "" {
				s, turns = rest, true
				break
			}
		}
		if before, after, ok := strings.Cut(s, " but "); ok {
			out = append(out, part{before, turns, begins}, part{after, true, false})
		} else {
			out = append(out, part{s, turns, begins})
		}
		begins = false
	}
	for i, r := range plain {
		size := len(string(r))
		switch {
		case strings.ContainsRune("。!?;；\n…", r), r == '.' && (i+1 == len(plain) || plain[i+1] == ' ' || plain[i+1] == '.' || plain[i+1] == '\n'):
			put(plain[begin:i], false)
			begin, begins = i+size, true
		case strings.ContainsRune(",，、~", r):
			put(plain[begin:i], false)
			begin = i + size
		case r == '但' || r == '不' && strings.HasPrefix(plain[i:], "不过"):
			if i > begin {
				put(plain[begin:i], false)
				begin = i
			}
		}
	}
	put(plain[begin:], false)
	return out
}

// topics are the topics of a folded text; where clauses disagree, a complaint counts, since somebody may have to do something.
func topics(plain string) []About {
	found := map[Topic]Sentiment{}
	for _, c := range clauses(plain) {
		for _, t := range c.Topics {
			had, ok := found[t]
			if !ok || c.Sentiment == Negative || had == Neutral {
				found[t] = c.Sentiment
			}
		}
	}
	var out []About
	for _, t := range Topics() {
		if s, ok := found[t]; ok {
			out = append(out, About{t, s})
		}
	}
	return out
}
