package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// visit adds up the sizes of files.
func visit(sum *int64) fs.WalkDirFunc {
	return func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			*sum += info.Size()
		}
		return nil
	}
}

const (
	surnames = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"
	given    = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红鹏飞雪梅建国志远子涵雨欣浩然梓轩"
)

// customerFile writes a file of n customers as a shop would hand one over.
func customerFile(path string, n int) error {
	f, err := os.Create(path) //nolint:gosec // in the directory of the benchmark
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same file every time
	family, first := []rune(surnames), []rune(given)
	fmt.Fprintln(w, "会员编号,姓名,性别,手机,邮箱,地区,来源,生日")
	for i := range n {
		name := string(family[r.IntN(len(family))]) + string(first[r.IntN(len(first))])
		if r.IntN(3) > 0 {
			name += string(first[r.IntN(len(first))])
		}
		gender := at([]string{"女", "男"}, r.IntN(2))
		fmt.Fprintf(w, "M%08d,%s,%s,1%02d%08d,u%d@example.com,%s,%s,%d-%02d-%02d\n", i, name, gender, 35+r.IntN(5), r.IntN(100_000_000), i,
			at(provinces, r.IntN(len(provinces))), at(sources, r.IntN(len(sources))), 1960+r.IntN(45), 1+r.IntN(12), 1+r.IntN(28))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

var customerMapping = obj{
	"format":  obj{"kind": "csv", "header": true},
	"fields":  obj{"external_id": "会员编号", "name": "姓名", "gender": "性别", "phone": "手机", "email": "邮箱", "region": "地区", "source": "来源", "birthday": "生日"},
	"options": obj{"match": "external_id"},
}

var retailMapping = obj{
	"format":  obj{"kind": "csv", "header": true},
	"order":   obj{"number": "InvoiceNo", "at": "InvoiceDate", "customer.external_id": "CustomerID", "customer.country": "Country"},
	"line":    obj{"product.sku": "StockCode", "product.name": "Description", "quantity": "Quantity", "unit_price": "UnitPrice"},
	"options": obj{"currency": "GBP", "timezone": "Europe/London", "refund_when": "quantity<0", "anonymous_customer": "keep"},
}

// imported is what the import command answers.
type imported struct {
	Rows, Created, Unchanged, Skipped, Errors int
	Seconds                                   float64
}

func (p *program) load(ctx context.Context, object, file string, mapping obj) (imported, used, error) {
	var r imported
	b, err := json.Marshal(mapping)
	if err != nil {
		return r, used{}, err
	}
	path := filepath.Join(filepath.Dir(p.data), object+"-mapping.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return r, used{}, err
	}
	u, err := p.command(ctx, "", "import", object, file, "--mapping", path, "--json")
	if err != nil {
		return r, u, err
	}
	return r, u, json.Unmarshal(u.out, &r)
}

// measureImport imports a file of n customers.
func (s *settings) measureImport(ctx context.Context, n int, d *document) error {
	progress("importing %d customers", n)
	p, err := fresh(ctx, s, "import", "CNY", "Asia/Shanghai")
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, "customers.csv")
	if err := customerFile(file, n); err != nil {
		return err
	}
	r, u, err := p.load(ctx, "customer", file, customerMapping)
	if err != nil {
		return err
	}
	if r.Created != n {
		return fmt.Errorf("%d of %d customers were created: %s", r.Created, n, strings.TrimSpace(string(u.out)))
	}
	d.section("Files")
	d.goal(fmt.Sprintf("import of a file of %s customers", thousands(n)), seconds(r.Seconds), fmt.Sprintf("%.0f rows/s", float64(r.Rows)/r.Seconds),
		r.Seconds <= 180*float64(n)/1e6, "a million in 3 min")
	d.goal("memory at most", fmt.Sprintf("%d MB", u.peak/mb), fmt.Sprintf("%.1f s of processor time", u.cpu.Seconds()), u.peak < 1<<30, "1 GB")
	return nil
}

// measureRetail imports a real purchase file, twice.
func (s *settings) measureRetail(ctx context.Context, d *document) error {
	progress("importing the purchase file")
	p, err := fresh(ctx, s, "retail", "GBP", "Europe/London")
	if err != nil {
		return err
	}
	r, u, err := p.load(ctx, "order", s.retail, retailMapping)
	if err != nil {
		return err
	}
	d.goal(fmt.Sprintf("import of Online Retail, %s lines", thousands(r.Rows)), seconds(r.Seconds), fmt.Sprintf("%s orders; %s with everything computed", thousands(r.Created), short(u.took.Round(time.Millisecond))),
		r.Seconds < 60, "60 s")
	d.goal("memory at most", fmt.Sprintf("%d MB", u.peak/mb), fmt.Sprintf("%.1f s of processor time", u.cpu.Seconds()), u.peak < 1<<30, "1 GB")
	again, u, err := p.load(ctx, "order", s.retail, retailMapping)
	if err != nil {
		return err
	}
	d.goal("the same file again", short(u.took), fmt.Sprintf("%d created", again.Created), again.Created == 0, "nothing created")
	return nil
}
