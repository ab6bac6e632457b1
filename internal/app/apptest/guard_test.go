package apptest_test

import (
	"fmt"
	"testing"
)

// BenchmarkGuardedWrites measures creating and changing a record where no object has stages or approvals, where another object has, and
// where the object itself has and the write is none that they guard.
func BenchmarkGuardedWrites(b *testing.B) {
	for _, x := range []struct{ name, object, field, option string }{{"none", "", "", ""}, {"another object", "order", "status", "confirmed"}, {"this object", "customer", "source", "store"}} {
		m := newMachine(b).setup("Asia/Shanghai", "CNY").start()
		c := m.client()
		if x.object != "" {
			c.want(200, c.do("PATCH", "/stages/"+x.object, `{"version":0,"spec":{"field":"`+x.field+`","stages":[{"key":"`+x.option+`","kind":"open","probability":1,"days":0}]}}`))
			c.want(201, c.do("POST", "/approval-processes", `{"spec":{"name":"x","object":"`+x.object+`","enabled":true,"action":"delete","whole":false,"own":"leave","once":false,"steps":[{"name":"一","mode":"any","who":[{"kind":"role","role":"manager"}]}]}}`))
		}
		b.Run("create/"+x.name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				c.want(201, c.do("POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"n%d"}}`, n)))
			}
		})
		r := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"x"}}`)
		d := c.with("If-Match", "*")
		b.Run("update/"+x.name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				d.want(200, d.do("PATCH", "/records/customer/"+r.ID, fmt.Sprintf(`{"fields":{"note":"n%d"}}`, n)))
			}
		})
		m.stop()
	}
}
