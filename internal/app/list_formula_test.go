package app_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestAFormulaIsListedWithoutWhatItNames: a list that shows a formula and none of the fields that it is made of.
func TestAFormulaIsListedWithoutWhatItNames(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		c.want(201, c.do("POST", "/objects/customer/fields", `{"key":"twice","label":{"en":"Twice","zh-CN":"两倍"},"formula":"height_cm * 2"}`))
		c.create("customer", `{"name":"甲","height_cm":170}`)
		list := read[struct{ Items []shownRecord }](c, "POST", "/records/customer/query", `{"fields":["twice"]}`, 200)
		if len(list.Items) != 1 || list.Items[0].Fields["twice"] != 340.0 {
			t.Errorf("%+v", list.Items)
		}
	})
}
