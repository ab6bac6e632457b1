package demo

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/region"
)

// place is a city with its counties and the stores in it.
type place struct {
	city   string
	codes  []string // counties, districts more than once since more people live there; or the city itself
	stores []int
	tier   region.CityTier
}

// millions of inhabitants of the largest cities (census of 2020, rounded); others go by their tier.
var millions = map[string]float64{
	"110100": 21.9, "120100": 13.9, "310100": 24.9, "500100": 24, "500200": 8, "510100": 20.9, "440100": 18.7, "440300": 17.6,
	"610100": 13, "420100": 12.3, "320500": 12.7, "410100": 12.6, "330100": 11.9, "370200": 10.1, "441900": 10.5,
	"320100": 9.3, "430100": 10, "330200": 9.4, "440600": 9.5, "340100": 9.4, "530100": 8.5, "210100": 9.1, "370100": 9.2,
	"130100": 11.2, "230100": 10, "330300": 9.6, "350500": 8.8, "371300": 11, "130600": 9.2, "411300": 9.7, "411600": 9,
	"210200": 7.5, "350200": 5.2, "350100": 8.3, "320200": 7.5,
}

var tierMillions = map[region.CityTier]float64{
	region.TierSecond: 6, region.TierThird: 5.2, region.TierFourth: 3.6, region.TierFifth: 2.2, region.TierRural: 0.3, region.TierNone: 0.15,
}

// appetite is how much likelier people of a tier are to be customers of a fashion brand.
var appetite = map[region.CityTier]float64{
	region.TierFirst: 1.9, region.TierNewFirst: 1.6, region.TierSecond: 1.25, region.TierThird: 0.9, region.TierFourth: 0.7,
	region.TierFifth: 0.5, region.TierRural: 0.4, region.TierNone: 0.3,
}

// storeBoost is how much a store in town adds.
const storeBoost = 1.9

func newPlaces(stores []Store) ([]place, weights) {
	byCity := map[string][]int{}
	for i, s := range stores {
		if c, ok := region.CityOf(s.Region); ok {
			byCity[c.Code] = append(byCity[c.Code], i)
		}
	}
	var places []place
	for _, r := range region.All() {
		if r.Level != region.City || r.Code == "460300" { // 三沙 has next to nobody
			continue
		}
		p := place{city: r.Code, stores: byCity[r.Code], tier: r.Tier}
		for _, c := range region.Children(r.Code) {
			for range crowd(c) {
				p.codes = append(p.codes, c.Code)
			}
		}
		if len(p.codes) == 0 {
			p.codes = []string{r.Code}
		}
		places = append(places, p)
	}
	return places, newWeights(len(places), func(i int) float64 {
		p := places[i]
		w, ok := millions[p.city]
		if !ok {
			w = tierMillions[p.tier]
			if p.city[2:4] == "90" {
				w = 0.5 // cities under a province directly
			}
		}
		w *= appetite[p.tier]
		if len(p.stores) > 0 {
			w *= storeBoost
		}
		return w
	})
}

// crowd is how often a county is drawn against a rural one.
func crowd(r region.Region) int {
	switch {
	case strings.HasSuffix(r.Name, "区"):
		return 4
	case strings.HasSuffix(r.Name, "市"):
		return 2
	}
	return 1
}

// newStores opens the shops: malls and streets that fit any city, in a county of the city.
func newStores(seed uint64, first clock.Day) []Store {
	sites := []struct{ county, zh, en string }{
		{"310106", "上海静安店", "Shanghai Jing'an"}, {"310101", "上海淮海路店", "Shanghai Huaihai Road"},
		{"310115", "上海浦东店", "Shanghai Pudong"}, {"110105", "北京朝阳店", "Beijing Chaoyang"},
		{"110102", "北京西单店", "Beijing Xidan"}, {"110108", "北京海淀店", "Beijing Haidian"},
		{"440106", "广州天河店", "Guangzhou Tianhe"}, {"440104", "广州北京路店", "Guangzhou Beijing Road"},
		{"440304", "深圳福田店", "Shenzhen Futian"}, {"440305", "深圳南山店", "Shenzhen Nanshan"},
		{"330106", "杭州西湖店", "Hangzhou Xihu"}, {"330102", "杭州湖滨店", "Hangzhou Hubin"},
		{"510107", "成都武侯店", "Chengdu Wuhou"}, {"510104", "成都春熙路店", "Chengdu Chunxi Road"},
		{"500103", "重庆解放碑店", "Chongqing Jiefangbei"}, {"420106", "武汉武昌店", "Wuhan Wuchang"},
		{"320106", "南京鼓楼店", "Nanjing Gulou"}, {"320508", "苏州姑苏店", "Suzhou Gusu"},
		{"610113", "西安雁塔店", "Xi'an Yanta"}, {"430103", "长沙天心店", "Changsha Tianxin"},
		{"120101", "天津和平店", "Tianjin Heping"}, {"410105", "郑州金水店", "Zhengzhou Jinshui"},
		{"370202", "青岛市南店", "Qingdao Shinan"}, {"330203", "宁波海曙店", "Ningbo Haishu"},
		{"210102", "沈阳和平店", "Shenyang Heping"}, {"350203", "厦门思明店", "Xiamen Siming"},
	}
	r := newRandom(seed, streamStores, 0)
	out := make([]Store, len(sites))
	for i, s := range sites {
		out[i] = Store{
			Code: "S" + pad(i+1, 3), Name: label(s.zh, s.en), Region: s.county,
			OpenedOn: first - clock.Day(r.between(60, 2500)), Area: r.between(8, 40) * 10, //nolint:gosec // small
		}
	}
	return out
}
