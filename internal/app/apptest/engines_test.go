package apptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// conditions are asked of both engines; {c} is the currency.
var conditions = []string{
	`{"trait":"orders","op":">=","value":2}`,
	`{"trait":"spend_total","op":">","value":{"amount":"500","currency":"{c}"}}`,
	`{"record":"order","aggregate":"count","op":">=","value":2,"within":{"from":"2010-12-01","to":"2010-12-05"}}`,
	`{"record":"order","aggregate":"count","op":">=","value":3,"within":{"days":90}}`,
	`{"record":"order","op":"none","within":{"days":60}}`,
	`{"all":[{"field":"country","op":"in","value":["France","Germany","EIRE"]},{"trait":"orders","op":">=","value":1}]}`,
	`{"any":[{"record":"refund","aggregate":"count","op":">=","value":1},{"not":{"trait":"days_since_last","op":"<=","value":20}}]}`,
	`{"record":"order_line","where":{"field":"quantity","op":">=","value":100},"aggregate":"count","op":">=","value":1}`,
	`{"first":{"record":"order"},"within":{"days":90}}`,
	`{"stopped":{"record":"order"},"for":{"days":10}}`,
	`{"all":[{"trait":"rfm_cell","op":"is_set"},{"not":{"segment":"heavy","op":"in"}}]}`,
	`{"field":"external_id","op":"starts_with","value":"12"}`,
}

// figures are what a workspace says about its purchases, in words to compare.
func (c *client) figures() string {
	c.Helper()
	var b strings.Builder
	for _, o := range []string{"customer", "order", "order_line", "refund", "product", "variant"} {
		fmt.Fprintf(&b, "%s %d\n", o, c.records(o))
	}
	rfm := read[struct {
		Anchor    string
		Customers int
		Means     struct{ R, F, M float64 }
		Cuts      struct{ R, F, M []int64 }
	}](c, "GET", "/rfm", "")
	fmt.Fprintf(&b, "rfm %s of %d: R %.2f F %.3f M %.2f %v\n", rfm.Anchor, rfm.Customers, rfm.Means.R, rfm.Means.F, rfm.Means.M/100, rfm.Cuts)
	cohorts := read[struct {
		Cohorts []struct {
			Month  string
			Active []int
		}
	}](c, "GET", "/cohorts", "")
	for _, k := range cohorts.Cohorts {
		fmt.Fprintf(&b, "cohort %s %v\n", k.Month, k.Active)
	}
	classes := read[struct {
		Items []struct {
			Key     string
			Classes []struct {
				Key   string
				Count int
			}
		}
	}](c, "GET", "/classifications", "")
	for _, k := range classes.Items {
		fmt.Fprintf(&b, "%s %v\n", k.Key, k.Classes)
	}
	currency := read[struct{ Workspace struct{ Currency string } }](c, "GET", "/me", "").Workspace.Currency
	if a := c.do("GET", "/segments/heavy", ""); a.status == 404 {
		c.want(201, c.do("POST", "/segments", `{"key":"heavy","label":"Heavy","kind":"dynamic","where":{"trait":"orders","op":">=","value":3}}`))
	}
	for _, where := range conditions {
		fmt.Fprintf(&b, "%d %s\n", c.counted(strings.ReplaceAll(where, "{c}", currency)), where)
	}
	b.WriteString(c.spending())
	return b.String()
}

// spending is the sum of what all customers spent, from their traits, and the five who spent most.
func (c *client) spending() string {
	c.Helper()
	var pence, orders int64
	var top []string
	seen := map[string]bool{}
	for offset := 0; ; offset += 500 {
		p := read[page](c, "POST", "/records/customer/query", fmt.Sprintf(`{"where":{"trait":"orders","op":">","value":0},"sort":[{"trait":"spend_total","desc":true}],"fields":["external_id"],"traits":["spend_total","orders"],"limit":500,"offset":%d}`, offset))
		for _, r := range p.Items {
			if seen[r.ID] {
				c.Errorf("the list shows %s twice", r.ID)
			}
			seen[r.ID] = true
			m, _ := r.Traits["spend_total"].(map[string]any)
			text, _ := m["amount"].(string)
			var whole, cents int64
			if _, err := fmt.Sscanf(text, "%d.%d", &whole, &cents); err != nil {
				c.Fatalf("spend_total of %s is %v", r.ID, r.Traits)
			}
			n, _ := r.Traits["orders"].(float64)
			pence, orders = pence+whole*100+cents, orders+int64(n)
			if len(top) < 5 {
				top = append(top, fmt.Sprint(r.Fields["external_id"], " ", text, " ", n))
			}
		}
		if len(p.Items) < 500 {
			return fmt.Sprintf("spent %d.%02d in %d orders by %d: %v\n", pence/100, pence%100, orders, len(seen), top)
		}
	}
}

// TestBothDatabasesAgree imports the same files on embedded storage and on PostgreSQL.
func TestBothDatabasesAgree(t *testing.T) {
	t.Parallel()
	for _, tr := range trials(t) {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			var got [2]string
			for i, m := range []*machine{newMachine(t), postgres(t)} {
				c := m.setup(tr.zone, tr.currency).start().client()
				j := c.finished(c.load("order", tr.name, tr.mapping, tr.content), 2*time.Minute)
				if j.Status != "done" {
					t.Fatalf("%+v %s", j, j.Error)
				}
				c.settled()
				got[i] = fmt.Sprintf("%d rows, %d skipped, %d errors\n", j.Result.Rows, j.Result.Skipped, j.Result.Errors) + c.figures()
				t.Logf("%s: %d rows in %.1f s", []string{"embedded", "PostgreSQL"}[i], j.Result.Rows, j.Result.Seconds)
				m.stop()
			}
			if got[0] != got[1] {
				t.Errorf("embedded:\n%s\nPostgreSQL:\n%s", got[0], got[1])
			}
			counts := map[string]bool{}
			for _, line := range strings.Split(got[0], "\n") {
				if n, where, ok := strings.Cut(line, " "); ok && strings.HasPrefix(where, "{") {
					counts[n] = true
				}
			}
			if len(counts) < 6 {
				t.Errorf("the conditions have only %d different counts: they say little\n%s", len(counts), got[0])
			}
		})
	}
}

// retailAnchors are figures of the whole of Online Retail that others have computed.
var retailAnchors = []string{"order 18532\n", "order_line 397884\n", "refund 8905\n", "of 4338: R 93.06 F 4.272 M 2054.27",
	"cohort 2010-12 [885 324 286 340 321 352 321 309 313 350 331 445 235]\n", "spent 8911407.90 in 18532 orders by 4338"}

// TestTheWholeOfOnlineRetail imports 541,909 lines on PostgreSQL, half a minute, and with GUANXI_LONG on embedded storage too.
func TestTheWholeOfOnlineRetail(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	content := shared(t, "online-retail/online_retail.csv.gz")
	var all []string
	machines := []*machine{postgres(t)}
	if long() {
		machines = append(machines, newMachine(t))
	}
	for _, m := range machines {
		c := m.setup("Europe/London", "GBP").start().client()
		began := time.Now()
		j := c.finished(c.load("order", "online_retail.csv.gz", retailMapping, content), 10*time.Minute)
		if j.Status != "done" || j.Result.Rows != 541_909 || j.Result.Skipped != 135_120 || j.Result.Errors != 0 {
			t.Fatalf("%+v %s", j, j.Error)
		}
		imported := time.Since(began)
		c.settled()
		figures := c.figures()
		t.Logf("imported in %.1f s, all settled after %.1f s", imported.Seconds(), time.Since(began).Seconds())
		for _, want := range retailAnchors {
			if !strings.Contains(figures, want) {
				t.Errorf("%q is not in\n%s", want, figures)
			}
		}
		all = append(all, figures)
		m.stop()
	}
	if all[0] != all[len(all)-1] {
		t.Errorf("PostgreSQL:\n%s\nembedded:\n%s", all[0], all[len(all)-1])
	}
}
