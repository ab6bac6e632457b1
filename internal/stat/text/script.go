package text

import "strings"

// pairs are traditional characters, each followed by its simplified one: those that stand often in what customers write.
const pairs = "質质貨货發发這这個个們们來来時时說说對对過过還还沒没會会買买賣卖價价錢钱東东裝装褲裤顏颜樣样寬宽鬆松緊紧長长舊旧壞坏爛烂髒脏氣气滿满歡欢愛爱" +
	"讚赞員员務务態态熱热懶懒慢慢遲迟速速遞递運运輸输單单訂订退退換换貴贵優优惠惠劃划算算實实體体驗验覺觉總总給给請请問问題题應应該该後后裡里裏里嗎吗麼么為为無无與与從从兩两點点幾几" +
	"關关開开間间門门車车書书電电腦脑機机視视聽听寫写讀读見见認认識识話话語语讓让誰谁課课論论評评詢询護护證证誤误試试計计記记設设許许調调談谈謝谢變变貼贴費费資资賞赏賬账購购贈赠" +
	"趕赶軟软轉转輕轻較较輛辆載载農农連连進进達达遠远選选邊边鄰邻醫医釋释針针鐘钟鋼钢鍋锅鍵键鏡镜鐵铁險险陽阳陰阴隊队階阶際际隨随難难雖虽雙双離离雲云靜静頁页頂顶項项順顺須须預预" +
	"領领頭头頻频顆颗額额願愿類类顧顾飯饭飲饮餅饼館馆饅馒馬马騙骗驚惊髮发鬧闹魚鱼鮮鲜鳥鸟鹽盐麗丽麥麦黃黄齊齐齒齿龍龙龜龟國国圖图圓圆場场塊块塵尘壓压夠够夢梦夾夹奪夺奮奋婦妇媽妈" +
	"學学宮宫寧宁寶宝將将專专尋寻導导屬属岡冈島岛嶺岭帶带帳帐幫帮幹干幣币庫库廠厂廢废廣广廳厅張张強强彈弹彎弯徑径復复恆恒悶闷惡恶惱恼慘惨慣惯慮虑憂忧懷怀戀恋戲戏戶户掃扫掛挂採采揀拣" +
	"損损搖摇搶抢撐撑擇择擊击擔担據据擠挤擺摆擾扰攜携敗败數数斷断於于曬晒曆历樂乐樓楼標标機机檢检權权欄栏歲岁歷历殘残毀毁毫毫氈毡決决況况洩泄淚泪淨净淺浅減减測测湯汤溫温準准滅灭" +
	"漲涨漸渐潔洁濃浓濕湿濟济灣湾災灾為为煩烦營营爐炉爛烂爺爷牆墙獎奖獨独獲获現现瑪玛環环產产畢毕畫画異异當当療疗瘋疯癢痒盜盗盡尽監监盤盘瞭了礙碍禮礼種种稱称穩稳窮穷竅窍筆笔節节範范" +
	"築筑簡简簽签籃篮籠笼粵粤糧粮紀纪約约紅红納纳純纯紙纸級级細细終终組组結结絕绝絲丝給给統统經经綠绿維维網网線线編编練练縮缩績绩織织繡绣繼继續续纖纤罰罚羅罗義义習习聞闻聯联聲声職职膚肤" +
	"膠胶臉脸臟脏臨临興兴舉举艦舰蓋盖蘋苹蘭兰處处號号蟲虫補补製制複复襯衬規规親亲觀观訊讯訴诉詳详誇夸誠诚讚赞負负財财責责貨货貪贪貧贫販贩賠赔賴赖賽赛贏赢跡迹踐践軍军適适遺遗釘钉銀银銷销錄录錯错" +
	"鑰钥閃闪閉闭閒闲閱阅雜杂雞鸡響响頓顿颱台飛飞養养餘余驟骤魯鲁"

// simplified maps traditional characters; simpleOnly are those that only simplified writing has.
var simplified, simpleOnly = writings()

func writings() (simple map[rune]rune, only map[rune]bool) {
	simple, only = map[rune]rune{}, map[rune]bool{}
	list := []rune(pairs)
	for i := 0; i+1 < len(list); i += 2 {
		if list[i] != list[i+1] {
			simple[list[i]] = list[i+1]
		}
	}
	for _, s := range simple {
		if _, both := simple[s]; !both && !strings.ContainsRune(shared, s) {
			only[s] = true
		}
	}
	return simple, only
}

// shared are simplified characters that traditional writing has too, for other words.
const shared = "里后松干台了余云采制准划于范挂恒迹扰"
