package demo

import "github.com/guanxi-crm/guanxi/internal/base/lang"

func label(zh, en string) lang.Label {
	return lang.Label{lang.ChineseSimplified: zh, lang.English: en}
}

// category is what the generator knows about a kind of product.
type category struct {
	key, zh, en string
	code        string   // two letters of the style code
	styles      int      // of about 400
	price       float64  // usual, yuan
	women, men  float64  // share by department, the rest unisex; both 0 for children
	seasons     []int    // indexes of seasonNames, nil for all the year
	sizes       []string // nil for one size
	returns     float64  // share of lines sent back for other reasons than size
	basic       bool
	with        []string // bought together
}

var (
	letterSizes = []string{"XS", "S", "M", "L", "XL", "XXL"}
	shoeSizes   = []string{"35", "36", "37", "38", "39", "40", "41", "42", "43", "44"}
	kidsSizes   = []string{"90", "100", "110", "120", "130", "140", "150"}
)

// fashion is the assortment. Never changed.
var fashion = []category{
	{"dress", "连衣裙", "Dress", "DR", 42, 459, 1, 0, []int{0, 1, 2}, letterSizes, 0.13, false, []string{"shoe", "bag", "coat"}},
	{"skirt", "半身裙", "Skirt", "SK", 22, 329, 1, 0, []int{0, 1, 2}, letterSizes, 0.11, false, []string{"shirt", "knit"}},
	{"tee", "T恤", "T-shirt", "TE", 34, 139, 0.5, 0.4, []int{0, 1}, letterSizes, 0.05, true, []string{"jeans", "trousers"}},
	{"shirt", "衬衫", "Shirt", "SH", 30, 299, 0.5, 0.5, nil, letterSizes, 0.07, false, []string{"trousers", "knit"}},
	{"knit", "针织衫", "Knitwear", "KN", 28, 369, 0.6, 0.3, []int{2, 3, 0}, letterSizes, 0.08, false, []string{"trousers", "skirt"}},
	{"hoodie", "卫衣", "Hoodie", "HO", 22, 279, 0.3, 0.3, []int{2, 3, 0}, letterSizes, 0.06, false, []string{"sport", "sneaker"}},
	{"jacket", "夹克", "Jacket", "JK", 20, 599, 0.4, 0.5, []int{0, 2}, letterSizes, 0.09, false, []string{"tee", "jeans"}},
	{"coat", "大衣", "Coat", "CO", 18, 1499, 0.65, 0.35, []int{2, 3}, letterSizes, 0.12, false, []string{"scarf", "boot"}},
	{"down", "羽绒服", "Down jacket", "DN", 20, 1099, 0.5, 0.4, []int{3}, letterSizes, 0.10, false, []string{"scarf", "boot"}},
	{"jeans", "牛仔裤", "Jeans", "JE", 24, 329, 0.5, 0.5, nil, letterSizes, 0.09, false, []string{"tee", "sneaker"}},
	{"trousers", "休闲裤", "Trousers", "TR", 24, 299, 0.5, 0.5, nil, letterSizes, 0.08, false, []string{"shirt", "knit"}},
	{"sport", "运动套装", "Sportswear", "SP", 16, 399, 0.4, 0.4, nil, letterSizes, 0.06, false, []string{"sneaker", "socks"}},
	{"underwear", "内衣", "Underwear", "UN", 14, 119, 0.6, 0.4, nil, letterSizes, 0.02, true, []string{"socks"}},
	{"socks", "袜子", "Socks", "SO", 8, 49, 0.4, 0.3, nil, nil, 0.01, true, []string{"underwear"}},
	{"shoe", "单鞋", "Shoes", "SE", 16, 499, 0.7, 0.3, []int{0, 1, 2}, shoeSizes, 0.11, false, []string{"socks", "bag"}},
	{"sneaker", "休闲运动鞋", "Sneakers", "SN", 18, 459, 0.4, 0.4, nil, shoeSizes, 0.08, false, []string{"socks", "sport"}},
	{"boot", "靴子", "Boots", "BT", 12, 799, 0.7, 0.3, []int{2, 3}, shoeSizes, 0.11, false, []string{"socks", "coat"}},
	{"bag", "包袋", "Bag", "BG", 16, 699, 0.7, 0.2, nil, nil, 0.05, false, []string{"scarf"}},
	{"scarf", "围巾", "Scarf", "SC", 10, 199, 0.4, 0.2, []int{2, 3}, nil, 0.03, false, []string{"coat"}},
	{"accessory", "配饰", "Accessory", "AC", 14, 129, 0.6, 0.1, nil, nil, 0.03, false, []string{"dress"}},
	{"kids_top", "童装上衣", "Kids' top", "KT", 18, 149, 0, 0, nil, kidsSizes, 0.05, true, []string{"kids_bottom"}},
	{"kids_bottom", "童裤", "Kids' trousers", "KB", 12, 159, 0, 0, nil, kidsSizes, 0.05, true, []string{"kids_top"}},
	{"kids_coat", "儿童外套", "Kids' jacket", "KC", 10, 329, 0, 0, []int{2, 3, 0}, kidsSizes, 0.07, false, []string{"kids_bottom"}},
}

// house is a brand as the generator knows it.
type house struct {
	brand  Brand
	code   string
	level  float64 // against the usual price of a category
	share  float64 // of styles
	kids   bool    // makes children's clothes, and nothing else
	fans   [bulk]float64
	wealth float64 // how its following grows with the price level
}

// houses are invented; the order of fans is that of archetypes.
var houses = []house{
	{Brand{"sunian", label("素念", "Sunian")}, "SU", 1.0, 0.26, false, [bulk]float64{2, 3, 2, 2, 1, 1}, 0},
	{Brand{"qingyu", label("青屿", "Qingyu")}, "QY", 0.72, 0.26, false, [bulk]float64{3, 1, 5, 2, 2, 0.1}, -0.8},
	{Brand{"guanlan", label("观澜", "Guanlan")}, "GL", 1.75, 0.18, false, [bulk]float64{1, 3, 0.2, 0.6, 0.3, 6}, 0.9},
	{Brand{"yexing", label("野行", "Yexing")}, "YX", 1.15, 0.16, false, [bulk]float64{2, 1, 1, 1, 7, 0.5}, 0.1},
	{Brand{"mosheng", label("墨生", "Mosheng")}, "MS", 1.3, 0.14, false, [bulk]float64{3, 2, 0.6, 0.6, 1, 3}, 0.5},
	{Brand{"xiaoman", label("小满", "Xiaoman")}, "XM", 1.0, 0, true, [bulk]float64{0.1, 0.1, 0.3, 5, 0.1, 0.1}, 0},
}

var channelList = []struct {
	channel Channel
	share   float64 // of online orders
}{
	{Channel{"tmall", label("天猫旗舰店", "Tmall"), true}, 0.36},
	{Channel{"jd", label("京东自营店", "JD.com"), true}, 0.17},
	{Channel{"douyin", label("抖音直播间", "Douyin"), true}, 0.19},
	{Channel{"wechat_mini", label("微信小程序", "WeChat mini program"), true}, 0.20},
	{Channel{"website", label("官方商城", "Official shop"), true}, 0.08},
	{Channel{"store", label("线下门店", "Store"), false}, 0},
}

// Channels lists the ways of selling.
func (g *Generator) Channels() []Channel {
	out := make([]Channel, len(channelList))
	for i, c := range channelList {
		out[i] = c.channel
	}
	return out
}

// Categories lists the kinds of product.
func (g *Generator) Categories() []Category {
	out := make([]Category, len(fashion))
	for i, c := range fashion {
		out[i] = Category{c.key, label(c.zh, c.en)}
	}
	return out
}

// Brands lists the labels.
func (g *Generator) Brands() []Brand {
	out := make([]Brand, len(houses))
	for i, h := range houses {
		out[i] = h.brand
	}
	return out
}

type words struct{ zh, en string }

var manners = []words{
	{"法式", "French"}, {"复古", "Retro"}, {"通勤", "Office"}, {"简约", "Plain"}, {"轻奢", "Fine"}, {"学院", "Campus"},
	{"国风", "Guofeng"}, {"度假", "Holiday"}, {"街头", "Street"}, {"田园", "Country"}, {"都市", "City"}, {"日常", "Everyday"},
	{"新中式", "New Chinese"}, {"慵懒", "Relaxed"}, {"运动", "Active"}, {"经典", "Classic"},
}

var details = []words{
	{"宽松", "Loose"}, {"修身", "Slim"}, {"高腰", "High-waist"}, {"条纹", "Striped"}, {"印花", "Printed"}, {"拼色", "Two-tone"},
	{"刺绣", "Embroidered"}, {"短款", "Short"}, {"长款", "Long"}, {"百搭", "Versatile"}, {"廓形", "Boxy"}, {"基础", "Basic"},
}

var warmDetails = []words{
	{"羊毛", "Wool"}, {"灯芯绒", "Corduroy"}, {"加绒", "Fleece"}, {"格纹", "Checked"}, {"立领", "Stand-collar"}, {"长款", "Long"},
	{"羊绒", "Cashmere"}, {"加厚", "Thick"}, {"双面", "Double-face"}, {"廓形", "Boxy"},
}

var lightDetails = []words{
	{"纯棉", "Cotton"}, {"亚麻", "Linen"}, {"轻薄", "Light"}, {"碎花", "Floral"}, {"条纹", "Striped"}, {"印花", "Printed"},
	{"宽松", "Loose"}, {"短款", "Short"}, {"刺绣", "Embroidered"}, {"透气", "Airy"},
}

// materials that would be odd on shoes and small things are kept off them.
var smallDetails = []words{
	{"真皮", "Leather"}, {"帆布", "Canvas"}, {"轻便", "Light"}, {"拼色", "Two-tone"}, {"手工", "Handmade"}, {"百搭", "Versatile"},
	{"复刻", "Reissue"}, {"软底", "Soft"}, {"编织", "Woven"}, {"刺绣", "Embroidered"},
}

var colours = []struct {
	code string
	name lang.Label
}{
	{"BK", label("黑色", "Black")}, {"WH", label("白色", "White")}, {"GY", label("灰色", "Grey")}, {"NV", label("藏青", "Navy")},
	{"BE", label("米色", "Beige")}, {"KH", label("卡其", "Khaki")}, {"RD", label("酒红", "Wine")}, {"PK", label("粉色", "Pink")},
	{"BL", label("雾蓝", "Mist blue")}, {"GN", label("墨绿", "Dark green")}, {"BR", label("咖色", "Coffee")},
	{"YL", label("鹅黄", "Light yellow")}, {"PR", label("香芋紫", "Taro")}, {"OR", label("焦糖", "Caramel")},
}
