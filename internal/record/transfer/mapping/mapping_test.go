package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
	"github.com/guanxi-crm/guanxi/objects"
)

func registry(t testing.TB) *schema.Registry {
	t.Helper()
	objs, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(objs)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// suggest maps a header and one row, and prints column=target.
func suggest(t *testing.T, object, header, row string) (mapping.Mapping, string) {
	t.Helper()
	s := source.Sample{Columns: strings.Split(header, ",")}
	if row != "" {
		s.Rows = [][]string{strings.Split(row, ",")}
	}
	reg := registry(t)
	m := mapping.Suggest(reg, object, source.Format{}, s)
	var out []string
	for i, target := range mapping.Suggested(reg, object, m, s.Columns) {
		if target != "" {
			out = append(out, s.Columns[i]+"="+target)
		}
	}
	return m, strings.Join(out, " ")
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ object, header, row, want string }{
		{"order", "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country", "",
			"InvoiceNo=order.number StockCode=line.product.sku Description=line.product.name Quantity=line.quantity InvoiceDate=order.at UnitPrice=line.unit_price CustomerID=order.customer.external_id Country=order.customer.country"},
		{"order", "订单号,下单时间,会员号,客户姓名,手机号,商品名称,货号,款号,颜色,尺码,数量,单价,金额,门店,渠道,备注", "",
			"订单号=order.number 下单时间=order.at 会员号=order.customer.external_id 客户姓名=order.customer.name 手机号=order.customer.phone 商品名称=line.product.name 货号=line.product.sku 款号=line.product.code 颜色=line.product.colour 尺码=line.product.size 数量=line.quantity 单价=line.unit_price 金额=line.amount 门店=order.store.name 渠道=order.channel.name 备注=order.note"},
		{"order", "订单编号,买家昵称,收货人,省份,城市,区县,买家实际支付金额,订单付款时间,订单创建时间,订单状态", "1,n,张三,浙江省,杭州市,西湖区,9,2026-01-01,2026-01-01,x",
			"订单编号=order.number 买家昵称=order.customer.external_id 收货人=order.customer.name 省份=order.customer.region 城市=order.customer.region 区县=order.customer.region 买家实际支付金额=order.total 订单付款时间=order.paid_at 订单创建时间=order.at 订单状态=order.status"},
		{"order", "a,b,c", "2026-01-02 10:00:00,13812341234,x", "a=order.at b=order.customer.phone"},
		{"customer", "客户编号,姓名,手机,电子邮箱,性别,出生日期,备注", "1,a,,,,,", "客户编号=external_id 姓名=name 手机=phone 电子邮箱=email 性别=gender 出生日期=birthday 备注=note"},
		{"customer", "Customer ID,Full Name,E-mail Address,Country,Date of Birth", "1,a,,,", "Customer ID=external_id Full Name=name E-mail Address=email Country=country Date of Birth=birthday"},
		{"product", "款号,商品名称,品牌,品类,吊牌价（元）,上市日期", "1,a,,,,", "款号=code 商品名称=name 品牌=brand 品类=category 吊牌价（元）=list_price 上市日期=launched_on"},
		{"store", "门店编码,门店名称,面积", "1,a,", "门店编码=code 门店名称=name 面积=area_m2"},
	} {
		if _, got := suggest(t, c.object, c.header, c.row); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.header, got, c.want)
		}
	}
	m, _ := suggest(t, "order", "InvoiceNo,Quantity,InvoiceDate,Amount", "1,-2,2010-12-01,5")
	if m.Options.RefundWhen != "quantity<0" || m.Options.OrderKey != nil {
		t.Errorf("options %+v", m.Options)
	}
	if m, _ := suggest(t, "order", "Date,CustomerID,Dollars", "2010-12-01,1,5"); len(m.Options.OrderKey) != 2 {
		t.Errorf("options %+v", m.Options)
	}
}

// TestSuggestedMappingsAreValid: what is suggested can be imported as it is.
func TestSuggestedMappingsAreValid(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	for object, header := range map[string]string{"order": "订单号,下单时间,会员号,金额", "customer": "姓名,手机", "product": "商品名称,款号", "store": "门店名称", "contact": "姓名,所属客户", "variant": "SKU,商品", "channel": "标识,名称,类型"} {
		m, got := suggest(t, object, header, strings.Repeat("1,", strings.Count(header, ","))+"1")
		if err := mapping.Check(reg, object, m, strings.Split(header, ",")); err != nil {
			t.Errorf("%s (%s): %v", object, got, err)
		}
	}
	for _, o := range reg.Objects() {
		seen := map[string]bool{}
		for _, target := range mapping.Targets(reg, o.Key) {
			if seen[target.Key] || target.Label["en"] == "" || target.Label["zh-CN"] == "" || target.Group["en"] == "" {
				t.Errorf("%s: target %+v", o.Key, target)
			}
			seen[target.Key] = true
			part, name := mapping.FieldPart, target.Key
			if o.Key == "order" {
				p, rest, _ := strings.Cut(target.Key, ".")
				part, name = mapping.Part(p), rest
			}
			if back, ok := mapping.Resolve(reg, o.Key, part, name); !ok || back.Key != target.Key {
				t.Errorf("%s: target %s resolves to %s", o.Key, target.Key, back.Key)
			}
		}
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	columns := []string{"no", "at", "who", "qty"}
	for _, c := range []struct {
		object, mapping string
		want            []string // code@place
	}{
		{"order", `{"order":{"number":"no","at":"at","customer.external_id":"who"},"line":{"quantity":"qty"}}`, []string{"import.amount_missing@mapping.order.total"}},
		{"order", `{"order":{"number":"nope","customer.country":"who","planet":"at"},"line":{"unit_price":9},"options":{"refund_when":"qty<<1","timezone":"Mars","currency":"gold","anonymous_customer":"x"}}`,
			[]string{"import.unknown_target@mapping.order.planet", "import.unknown_column@mapping.order.number", "import.unknown_column@mapping.line.unit_price", "import.target_missing@mapping.order.at", "import.customer_key_missing@mapping.order.customer",
				"import.bad_refund_rule@mapping.options.refund_when", "import.bad_timezone@mapping.options.timezone", "import.bad_currency@mapping.options.currency", "import.bad_option@mapping.options.anonymous_customer"}},
		{"order", `{}`, []string{"import.nothing_mapped@mapping.order"}},
		{"order", `{"order":{"at":"at","date":"no","total":"qty"},"options":{"order_key":["customer","moon"]}}`, []string{"import.target_twice@mapping.order.date", "import.bad_order_key@mapping.options.order_key"}},
		{"customer", `{"fields":{"note":"who"},"options":{"match":"note"}}`, []string{"import.match_not_unique@mapping.options.match", "import.target_missing@mapping.fields.name"}},
		{"customer", `{"fields":{"name":"who"},"options":{"match":"external_id","on_error":"pray"}}`, []string{"import.match_not_mapped@mapping.options.match", "import.bad_option@mapping.options.on_error"}},
		{"customer", `{"order":{"number":"no"},"fields":{"name":["who","qty"],"created_by":"at"}}`, []string{"import.unknown_target@mapping.fields.created_by", "import.part_not_used@mapping.order"}},
		{"order_line2", `{}`, []string{"import.unknown_object@"}},
	} {
		m, err := mapping.Parse([]byte(c.mapping))
		if err != nil {
			t.Fatal(err)
		}
		err = mapping.Check(reg, c.object, m, columns)
		f, ok := fault.Find(err)
		if !ok {
			t.Errorf("%s: %v", c.mapping, err)
			continue
		}
		items := f.Items
		if len(items) == 0 {
			items = []*fault.Fault{f}
		}
		got := map[string]bool{}
		for _, it := range items {
			got[it.Code+"@"+it.Field] = true
		}
		for _, want := range c.want {
			if !got[want] {
				t.Errorf("%s: no %s in %v", c.mapping, want, got)
			}
		}
	}
	if _, err := mapping.Parse([]byte(`{"orders":{}}`)); fault.CodeOf(err) != "import.bad_mapping" {
		t.Errorf("a slip: %v", err)
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	m, err := mapping.Parse([]byte(`{"fields":{"name":"a","phone":2,"region":["省",3],"email":null,"note":""}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(m.Fields)
	if string(b) != `{"name":"a","phone":"2","region":["省","3"]}` {
		t.Errorf("%s", b)
	}
	if i, ok := mapping.Find([]string{"b", "2", "a"}, "2"); !ok || i != 1 {
		t.Errorf("a header that is a number: %d %v", i, ok)
	}
	if i, ok := mapping.Find([]string{"b", "x", "a"}, "2"); !ok || i != 1 {
		t.Errorf("a number: %d %v", i, ok)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	f := mapping.Facts{Quantity: -2_000_000, HasQuantity: true, Amount: -1, HasAmount: true, Number: "C12", Status: "退款成功"}
	for rule, want := range map[string]bool{"quantity<0": true, "quantity < -2": false, "quantity<=-2": true, "amount>0": false, "number starts_with C": true, "quantity>0 or number starts_with 'C'": true,
		"status=退款成功": true, "status != 退款成功 || quantity=-2": true, "unit_price<1": false, "": false} {
		r, err := mapping.ParseRule(rule)
		if err != nil || r.Holds(&f) != want {
			t.Errorf("%q: %v %v", rule, r.Holds(&f), err)
		}
	}
	for _, rule := range []string{"quantity", "quantity<", "moon<0", "number<3", "quantity starts_with 1", "quantity<x"} {
		if _, err := mapping.ParseRule(rule); err == nil {
			t.Errorf("%q passes", rule)
		}
	}
}

func TestDateOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dates, order, code string
	}{
		{"2010-12-01 08:26,2011-01-31", "", ""}, {"12/1/2010 8:26,12/13/2010 9:00", "mdy", ""}, {"1.12.2010,13.12.2010", "dmy", ""},
		{"1/2/2010,3/4/2010", "mdy", "import.ambiguous_dates"}, {"13/1/2010,14/1/2010,1/15/2010", "dmy", "import.mixed_dates"}, {"5/5/2010", "", ""},
	} {
		var e mapping.DateEvidence
		for _, d := range strings.Split(c.dates, ",") {
			e.Add(d)
		}
		order, warning := e.Order()
		code := ""
		if warning != nil {
			code = warning.Code
		}
		if order != c.order || code != c.code {
			t.Errorf("%s: %q %q", c.dates, order, code)
		}
	}
	for people, layout := range map[string]string{"yyyy-MM-dd": "2006-01-02", "dd/mm/yyyy hh:mm:ss": "02/01/2006 15:04:05", "yyyymmdd": "20060102", "%d.%m.%Y": "02.01.2006", "2006-01-02": "2006-01-02", "": ""} {
		if got := mapping.GoLayout(people); got != layout {
			t.Errorf("%s: %s", people, got)
		}
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	a := mapping.Fingerprint("order", []string{"Order No", "数量"})
	if a != mapping.Fingerprint("order", []string{"数量", "order_no"}) || a == mapping.Fingerprint("customer", []string{"Order No", "数量"}) || a == mapping.Fingerprint("order", []string{"数量"}) {
		t.Error("fingerprints")
	}
}
