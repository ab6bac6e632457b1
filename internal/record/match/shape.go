package match

import (
	"strings"
	"sync"
)

// shapes are groups of characters that are taken for one another by eye: they share a component, or differ by a stroke. Common
// characters of names first.
const shapes = `明朋 晴睛清倩婧情请靖 静净 婷停亭葶 娜哪那 玲铃怜伶冷 颖颍 莹萤荧莺 萍苹评坪 欣钦掀 怡恰台 佳住往桂 琪淇棋祺其 诗侍待持 涵函 晓烧浇绕饶 晨辰农震 瑶谣摇遥
	琳林淋霖 洁结诘 蕾雷 薇微徽 露路鹭 霞暇遐 梅海悔敏 兰三 英央映 秀季香 彤丹 可何河 馨磬 悦阅说 宁守字 妍研 菲韭非霏 璐路 茜酋 珊册姗 珍诊疹 晶品昌
	蓉容溶 冰水 媛援缓 依衣 萱宣喧 芸云 瑾谨槿 楠南 玥明钥 桐铜洞 岚风 青情 雯文 娟绢捐鹃 君群郡 凡几 墨黑 伟苇纬玮炜 磊石 军车 勇男 杰木 涛焘寿 超起
	刚钢冈纲 平乎 辉挥晖 鹏棚 飞气 鑫金 波披坡皮 斌武赋 宇字守 浩皓告 凯恺 健建键腱 俊峻骏竣 帆机 帅师 旭旮 龙尤 阳旧 志忠态 家冢 嘉喜 天夭夫无 泽译择怿 轩杆
	博搏缚傅 梓锌 瑞端喘 昊吴昦 然燃 睿壑 航杭抗 翔洋 峰锋烽蜂 威戚成 毅豪 亮高 东车 国园因 永水 振震娠 景影 思恩 承丞 启后 彦产颜 恒桓 煜昱 铭名茗 哲誓
	远运 卓桌 越趣 森林 诚城 力刀 源原 朗郎 川州 舟丹 言信 钧均 楷揩 野墅 佩珮 雪雷 敏繁 芳劳 燕蒸 艳丰 莉利俐 红江虹 若苦 心必 芷芒 沐休 月用 秋伙 爱受
	末未 己已巳 土士 日曰目 人入八 千干于 大太犬 王玉主 木术本 白自百 午牛 今令 玄去 申由甲田 戊戌戍 侯候 汆余 佘余 史吏 冯马 邱丘 洗冼 祁祈 荀苟 晏宴 裴斐 茅矛
	栗粟 肖尚 汪江 沈忱 潘番 蔡察 蒋将 袁哀 董重 曹曾 孙小 许午 邓双 彭澎 杜社 叶计 程呈 魏巍 苏办 吕品 丁了 卢户 姚桃 钟种 姜美 崔催 谭潭 陆六 范苑 廖寥
	韦书 贾要 夏复 付什 方万 邹皱 熊能 孟孔 秦泰 尹伊 薛薜 闫间 段段 黎藜 陶淘 贺贸 毛手 郝赤 顾颀 龚共 邵召 覃潭 武斌 钱残 戴载 严亚 莫英 向问 常尝 汤扬杨 康唐 易昜
	乔桥 赖懒 文又 庞宠 樊攀 欧殴 单早 解懈 查杳 区臣 仇化 刘浏 陈阵 黄横 吴昊 赵走 周用 徐除 马鸟 朱失 胡湖 郭敦 何可 罗萝 郑邦 梁粱 谢射 宋宗 唐康 韩朝`

var lookAlike = sync.OnceValue(func() map[[2]rune]bool {
	pairs := map[[2]rune]bool{}
	for _, group := range strings.Fields(shapes) {
		r := []rune(group)
		for i := range r {
			for j := range r {
				if i != j {
					pairs[[2]rune{r[i], r[j]}] = true
				}
			}
		}
	}
	return pairs
})

// LookAlike reports two characters that are taken for one another by eye.
func LookAlike(a, b rune) bool { return lookAlike()[[2]rune{a, b}] }
