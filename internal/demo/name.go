package demo

import (
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// nameBook draws names of persons, companies and streets, and spells them.
type nameBook struct {
	surnames  []string
	frequent  weights
	female    []string
	male      []string
	pinyin    map[string]string // of surnames and characters
	trades    []trade
	syllables []string
	streets   []string
	estates   []string
}

type trade struct{ key, zh string }

// surnameShares are per cent of the population for the most common names (census of 2020 and the registers of the
// ministry of public security), and a few rare ones with readings of their own.
const surnameShares = `王7.10 李7.00 张6.74 刘5.10 陈4.61 杨3.22 黄2.45 吴2.00 赵2.00 周1.90 徐1.45 孙1.38 马1.29 朱1.15 胡1.15 林1.13
	郭1.13 何1.06 高1.00 罗0.95 郑0.93 梁0.85 谢0.76 宋0.70 唐0.69 许0.66 邓0.62 韩0.61 冯0.60 曹0.57 彭0.56 曾0.55 肖0.54 田0.52
	董0.51 潘0.50 袁0.48 蔡0.48 蒋0.47 余0.46 于0.45 杜0.44 叶0.43 程0.42 魏0.42 苏0.41 吕0.41 丁0.41 任0.40 卢0.40 姚0.40 沈0.40
	钟0.39 姜0.39 崔0.38 谭0.38 陆0.37 范0.36 汪0.36 廖0.36 石0.35 金0.35 韦0.34 贾0.33 夏0.33 付0.30 方0.29 邹0.28 熊0.28 白0.27
	孟0.27 秦0.27 邱0.26 侯0.26 江0.25 尹0.24 薛0.24 闫0.23 段0.22 雷0.22 龙0.21 黎0.20 史0.20 陶0.20 贺0.19 毛0.19 郝0.19 顾0.19
	龚0.19 邵0.18 万0.18 覃0.17 武0.17 钱0.17 戴0.17 严0.16 莫0.16 孔0.15 向0.15 常0.15 汤0.14 康0.14 易0.14 乔0.14 赖0.13 文0.13
	庞0.12 樊0.12 欧阳0.06 单0.04 解0.04 查0.03 区0.02 仇0.02 华0.05 司马0.01 上官0.01 诸葛0.01 慕容0.005 尉迟0.003`

// Given names, by the character; common ones stand twice.
const (
	femaleCharacters = `婷 婷 雪 雪 静 静 敏 敏 丽 丽 娜 娜 芳 燕 艳 玲 玲 倩 倩 颖 颖 莉 莹 莹 萍 慧 慧 欣 欣 怡 怡 佳 佳 梦 梦 琪 琪 雨 雨 思 思 诗 诗 涵 涵 语
		嘉 晓 晓 晨 瑶 瑶 琳 琳 洁 洁 蕾 薇 薇 露 云 霞 红 梅 兰 英 秀 文 文 若 彤 彤 可 可 馨 馨 悦 悦 宁 妍 妍 菲 璐 璐 茜 珊 珍 丹 晶 蓉 冰 媛 媛
		心 依 依 萱 萱 芸 芷 沐 苒 予 瑾 楠 清 月 秋 春 夏 冬 爱 安 安 艺 舒 然 玥 玥 桐 岚 青 雯 雯 娟 娟 君 乐 凡 墨`
	maleCharacters = `伟 伟 强 强 磊 磊 军 勇 杰 杰 涛 涛 超 超 明 明 刚 平 辉 辉 鹏 鹏 华 飞 飞 鑫 鑫 波 斌 斌 宇 宇 浩 浩 凯 凯 健 俊 俊 帆 帅 旭 旭 宁 龙
		林 欢 阳 阳 建 志 志 文 文 晓 子 子 家 家 嘉 天 天 泽 泽 轩 轩 博 博 梓 一 瑞 昊 昊 然 然 晨 晨 睿 睿 航 航 翔 翔 峰 峰 威 毅 亮 东 海 新 国 成
		永 振 景 思 承 明 启 彦 恒 恒 煜 铭 铭 皓 哲 哲 远 卓 越 霖 森 安 诚 力 凡 源 骏 朗 川 舟 墨 言 钧 楷 野`
	tradeList = `technology:科技 trade:商贸 hotel:酒店管理 catering:餐饮管理 property:物业服务 logistics:物流 education:教育咨询 media:文化传媒
		manufacturing:实业 construction:建筑工程 medical:医疗科技 security:安保服务 exhibition:会展服务 finance:金融信息服务`
	streetList = `人民 中山 解放 建设 和平 文化 新华 胜利 长江 黄河 学府 迎宾 滨河 环城 朝阳 光明 友谊 幸福 花园 公园 湖滨 锦绣 创业 科技 金融 商务 振兴 世纪 东风 体育
		青年 团结 民主 复兴 北京 南京 天山 泰山 华山 西湖 桂花 樱花 梧桐 银杏 玉兰 海棠 翠竹 望江 临江 大学`
	estateList = `阳光花园 锦绣江南 碧水云天 翡翠城 金色家园 万和家园 滨江壹号 书香门第 幸福里 春江花月 香樟园 御景湾 星河湾 中央公园 梧桐苑 盛世华庭 紫金苑 和谐家园 绿洲小区
		东方名都 时代广场 水岸新城 银杏苑 翠湖天地 江南春晓 世纪花园 丽景湾 云栖小镇 观澜苑 山水华府`
	companyWords = `华 信 恒 鑫 盛 瑞 达 通 远 泰 安 嘉 宏 博 创 联 海 天 云 星 金 诚 德 卓 凯 利 丰 源 锦 腾 旭 众 智 立 正 新 飞 力 佳 旺`
)

func newNameBook() *nameBook {
	b := &nameBook{
		female: strings.Fields(femaleCharacters), male: strings.Fields(maleCharacters), pinyin: map[string]string{},
		streets: strings.Fields(streetList), estates: strings.Fields(estateList), syllables: strings.Fields(companyWords),
	}
	var shares []float64
	for _, f := range strings.Fields(surnameShares) {
		cut := strings.IndexAny(f, "0123456789")
		share, err := strconv.ParseFloat(f[cut:], 64)
		if err != nil {
			share = 0.01
		}
		b.surnames = append(b.surnames, f[:cut])
		shares = append(shares, share)
		// Read in front of a given name, so that 单 is Shan.
		b.pinyin[f[:cut]] = strings.TrimSuffix(lang.Pinyin(f[:cut]+"一"), "yi")
	}
	for _, s := range append(append([]string{}, b.female...), b.male...) {
		if b.pinyin[s] == "" {
			b.pinyin[s] = lang.Pinyin(s)
		}
	}
	for _, f := range strings.Fields(tradeList) {
		key, zh, _ := strings.Cut(f, ":")
		b.trades = append(b.trades, trade{key, zh})
	}
	b.frequent = newWeights(len(shares), func(i int) float64 { return shares[i] })
	return b
}

// person draws a name and its spelling.
func (b *nameBook) person(r *random, gender Gender) (name, spelled string) {
	given := b.female
	if gender == Male {
		given = b.male
	}
	family := b.surnames[b.frequent.draw(r)]
	first := pick(r, given)
	if r.chance(0.14) {
		return family + first, b.pinyin[family] + b.pinyin[first]
	}
	second := pick(r, given)
	return family + first + second, b.pinyin[family] + b.pinyin[first] + b.pinyin[second]
}

// company draws the name of a company in a town, "杭州华信科技有限公司".
func (b *nameBook) company(r *random, town string) (name, industry string) {
	t := pick(r, b.trades)
	core := pick(r, b.syllables) + pick(r, b.syllables)
	if r.chance(0.25) {
		core += pick(r, b.syllables)
	}
	form := "有限公司"
	switch u := r.Float64(); {
	case u < 0.08:
		form = "股份有限公司"
	case u < 0.14:
		form = "集团有限公司"
	}
	if r.chance(0.2) {
		return core + "（" + town + "）" + t.zh + form, t.key
	}
	return town + core + t.zh + form, t.key
}

// authority draws the name of a public body.
func (b *nameBook) authority(r *random, county string) string {
	return county + pick(r, []string{
		"文化和旅游局", "教育局", "体育局", "总工会", "人民医院", "实验中学", "图书馆", "市场监督管理局", "政务服务中心", "消防救援大队",
	})
}

func (b *nameBook) street(r *random, office bool) string {
	kind := "路"
	if r.chance(0.3) {
		kind = pick(r, []string{"街", "大道", "东路", "西路", "南路", "北路"})
	}
	s := make([]byte, 0, 96)
	s = append(s, pick(r, b.streets)...)
	s = append(s, kind...)
	s = strconv.AppendInt(s, int64(r.between(1, 1200)), 10)
	s = append(s, "号"...)
	if office {
		s = append(s, "写字楼"...)
		s = strconv.AppendInt(s, int64(r.between(2, 30)), 10)
		return string(append(s, "层"...))
	}
	s = append(s, pick(r, b.estates)...)
	s = strconv.AppendInt(s, int64(r.between(1, 30)), 10)
	s = append(s, "幢"...)
	s = strconv.AppendInt(s, int64(r.between(1, 4)), 10)
	s = append(s, "单元"...)
	s = strconv.AppendInt(s, int64(r.between(1, 28)*100+r.between(1, 4)), 10)
	return string(append(s, "室"...))
}
