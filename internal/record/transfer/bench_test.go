package transfer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/record/transfer"
)

// benchFile is a file of n customers as a shop hands one over.
func benchFile(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same file every time
	family, given := []rune("王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"), []rune("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红鹏飞雪梅建国志远子涵雨欣浩然梓轩")
	places, sources := []string{"浙江省杭州市", "上海市", "广东省深圳市", "四川省成都市"}, []string{"门店", "网店", "微信", "转介绍"}
	var b bytes.Buffer
	b.WriteString("会员编号,姓名,性别,手机,邮箱,地区,来源,生日\n")
	for i := range n {
		name := string(family[r.IntN(len(family))]) + string(given[r.IntN(len(given))])
		if r.IntN(3) > 0 {
			name += string(given[r.IntN(len(given))])
		}
		fmt.Fprintf(&b, "M%08d,%s,%s,1%02d%08d,u%d@example.com,%s,%s,%d-%02d-%02d\n", i, name, []string{"女", "男"}[r.IntN(2)], 35+r.IntN(5), r.IntN(100_000_000), i,
			places[r.IntN(len(places))], sources[r.IntN(len(sources))], 1960+r.IntN(45), 1+r.IntN(12), 1+r.IntN(28))
	}
	return b.Bytes()
}

// BenchmarkPlain imports a hundred thousand customers into an empty workspace.
func BenchmarkPlain(b *testing.B) {
	const rows = 100_000
	file := benchFile(rows)
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, openSQLite(b), "Asia/Shanghai", "CNY")
		im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "c.csv", Body: bytes.NewReader(file)})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if j := w.done(w.finish(im.ID)); j.Result.Created != rows {
			b.Fatalf("%+v", j.Result)
		}
	}
}

// BenchmarkCompared imports a hundred thousand customers whose rows are compared with one another by the rules of duplicates.
func BenchmarkCompared(b *testing.B) {
	const rows = 100_000
	file := benchFile(rows)
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, openSQLite(b), "Asia/Shanghai", "CNY")
		w.alikes()
		im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "c.csv", Body: bytes.NewReader(file)})
		if err != nil {
			b.Fatal(err)
		}
		m := im.Mapping
		m.Options.Duplicates = "review"
		if _, err := w.svc.SetMapping(w.ctx, im.ID, m); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if j := w.done(w.finish(im.ID)); j.Result.Created != rows {
			b.Fatalf("%+v", j.Result)
		}
	}
}
