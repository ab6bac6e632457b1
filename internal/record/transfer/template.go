package transfer

import (
	"context"
	"io"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// sheetColumn is a column of a template.
type sheetColumn struct {
	label, example string
	field          *schema.Field
}

// purchaseColumns are those of a template of purchases: one line per item. Their names are those by which columns are recognised.
func purchaseColumns(zh bool) []sheetColumn {
	both := [][4]string{
		{"订单号", "SO20261101001", "Order number", "SO20261101001"}, {"下单时间", "2026-11-01 10:30:00", "Order date", "2026-11-01 10:30:00"},
		{"客户编号", "M0001", "Customer ID", "M0001"}, {"客户姓名", "王小明", "Customer name", "Li Ming"}, {"手机", "13800000000", "Customer phone", "13800000000"},
		{"商品编码", "A100-RED-M", "SKU", "A100-RED-M"}, {"商品名称", "纯棉衬衫", "Product name", "Cotton shirt"}, {"数量", "2", "Quantity", "2"},
		{"单价", "199.00", "Unit price", "199.00"}, {"金额", "398.00", "Amount", "398.00"}, {"门店名称", "南京西路店", "Store name", "High Street"},
		{"渠道", "门店", "Channel", "Store"},
	}
	var out []sheetColumn
	for _, b := range both {
		if zh {
			out = append(out, sheetColumn{label: b[0], example: b[1]})
		} else {
			out = append(out, sheetColumn{label: b[2], example: b[3]})
		}
	}
	return out
}

// Template writes a workbook to be filled in and imported: the columns of an object as the actor may write them, an example row, and on a
// second sheet the options of its choices. Required columns bear an asterisk.
func (s *Service) Template(ctx context.Context, object string, w io.Writer) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	a, reg := importer(access.From(ctx)), s.cfg.Registry()
	obj := reg.Object(object)
	if obj == nil || obj.NoImport || obj.Virtual {
		return fault.InvalidField("import.unknown_object", "object", fault.Params{"object": object})
	}
	if !a.May(object, access.Create) && !a.May(object, access.Update) {
		return fault.New(fault.Forbidden, "import.object_forbidden", fault.Params{"label": obj.Label})
	}
	loc := lang.Locale(a.Locale)
	if loc == "" {
		loc = lang.ChineseSimplified
	}
	columns := purchaseColumns(strings.HasPrefix(string(loc), "zh"))
	if object != mapping.OrderObject {
		columns = templateColumns(reg, a, obj, loc)
	}
	heads, cells := make([]sink.Column, len(columns)), make([]sink.Cell, len(columns))
	for i, c := range columns {
		heads[i] = sink.Column{Key: c.label, Label: c.label}
		cells[i] = sink.Cell{Text: c.example, Given: c.example != "", Plain: true}
	}
	out, err := sink.New(w, sink.Options{Format: sink.XLSX, Name: obj.Label.In(loc)}, heads)
	if err != nil {
		return err
	}
	if err := out.Row(cells); err != nil {
		return err
	}
	if err := s.optionSheet(out, columns, loc); err != nil {
		return err
	}
	return out.Close()
}

// optionSheet writes the options of choices under the names of their columns.
func (s *Service) optionSheet(out sink.Writer, columns []sheetColumn, loc lang.Locale) error {
	tables, ok := out.(sink.Tables)
	if !ok {
		return nil
	}
	var heads []sink.Column
	var lists [][]string
	longest := 0
	for _, c := range columns {
		if c.field == nil || len(c.field.Options) == 0 {
			continue
		}
		var list []string
		for _, o := range c.field.Options {
			if !o.Archived {
				list = append(list, o.Label.In(loc))
			}
		}
		heads, lists = append(heads, sink.Column{Key: c.label, Label: c.label}), append(lists, list)
		longest = max(longest, len(list))
	}
	if len(heads) == 0 {
		return nil
	}
	if err := tables.Table(s.cfg.Words(string(loc), "import.options_sheet", nil), heads); err != nil {
		return err
	}
	for n := range longest {
		row := make([]sink.Cell, len(heads))
		for i, list := range lists {
			if n < len(list) {
				row[i] = sink.Cell{Text: list[n], Given: true, Plain: true}
			}
		}
		if err := out.Row(row); err != nil {
			return err
		}
	}
	return nil
}

// templateColumns are the fields of an object that the actor may write, those that must be filled first.
func templateColumns(reg *schema.Registry, a access.Actor, obj *schema.Object, loc lang.Locale) []sheetColumn {
	var must, may []sheetColumn
	for _, t := range mapping.Targets(reg, obj.Key) {
		f := t.Field
		if t.Via != "" || f.Type == schema.JSON || f.Type == schema.Record || f.HoldsFiles() {
			continue
		}
		if x := a.FieldOf(obj.Key, f); x == access.FieldHidden || x == access.FieldMasked || x == access.FieldRead {
			continue
		}
		if f.OperationOnly && !a.Can(access.RecordAssign) {
			continue
		}
		c := sheetColumn{label: t.Label.In(loc), field: f, example: example(reg, f, loc)}
		if t.Required {
			c.label += " *"
			must = append(must, c)
			continue
		}
		may = append(may, c)
	}
	return append(must, may...)
}

// example is a text that the field takes.
func example(reg *schema.Registry, f *schema.Field, loc lang.Locale) string {
	zh := strings.HasPrefix(string(loc), "zh")
	pick := func(a, b string) string {
		if zh {
			return a
		}
		return b
	}
	switch f.Type {
	case schema.Text:
		switch {
		case f.Unique:
			return "A0001"
		case f.Key == "name":
			return pick("王小明", "Li Ming")
		}
		return pick("示例", "Example")
	case schema.LongText:
		return pick("可以写多行文字", "Any text")
	case schema.Number:
		return "100"
	case schema.Percent:
		return "12.5%"
	case schema.Money:
		return "1999.00"
	case schema.Bool:
		return pick("是", "yes")
	case schema.Date, schema.Birthday:
		return "2026-11-01"
	case schema.DateTime:
		return "2026-11-01 10:30:00"
	case schema.Choice, schema.MultiChoice:
		for _, o := range f.Options {
			if !o.Archived {
				return o.Label.In(loc)
			}
		}
	case schema.Tags:
		return pick("老客户、VIP", "VIP, regular")
	case schema.Phone:
		return "13800000000"
	case schema.Email:
		return "name@example.com"
	case schema.URL:
		return "https://example.com"
	case schema.Region:
		return pick("浙江省杭州市西湖区", "浙江省杭州市")
	case schema.Address:
		return pick("文三路1号", "1 Example Street")
	case schema.Duration:
		return "90"
	case schema.Rating:
		return "5"
	case schema.User:
		return "name@example.com"
	case schema.Relation:
		if o := reg.Object(f.Target); o != nil {
			return pick(o.Label.In(loc)+"的名称或编号", "Name or number of the "+strings.ToLower(o.Label.In(loc)))
		}
	}
	return ""
}
