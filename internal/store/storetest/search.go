package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

func (w *World) found(objects []string, tokens string, limit int) []id.ID {
	w.T.Helper()
	var out []id.ID
	w.View(func(ctx context.Context, r record.Reader) error {
		hits, err := r.Search(ctx, objects, strings.Fields(tokens), limit)
		for _, h := range hits {
			out = append(out, h.ID)
		}
		return err
	})
	return out
}

func testSearch(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	ctx := t.Context()
	doc := func(object string, v id.ID, tokens ...string) sqlstore.SearchDoc {
		return sqlstore.SearchDoc{Object: object, ID: v, Tokens: tokens}
	}
	err := w.Store.PutSearch(ctx, []sqlstore.SearchDoc{
		doc("customer", 1, "^张", "张三", "三丰", "zhangsanfeng", "zsf", "#aB-_9"),
		doc("customer", 2, "^张", "张三", "zhangsan", "zs"),
		doc("order", 3, "so20260301-00001", "张三", "it's", `a\b`, `q"uote`),
		doc("order_line", 4, "zhang", "O'Brien"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		objects []string
		tokens  string
		want    []id.ID
	}{
		{nil, "张三", []id.ID{3, 2, 1}},
		{nil, "张三 三丰", []id.ID{1}},
		{nil, "三", nil},
		{nil, "三*", []id.ID{1}},
		{nil, "^张", []id.ID{2, 1}},
		{nil, "zhangsan", []id.ID{2}},
		{nil, "zhangsan*", []id.ID{2, 1}},
		{nil, "zhang*", []id.ID{4, 2, 1}},
		{nil, "zhang* 张三", []id.ID{2, 1}},
		{nil, "z*", []id.ID{4, 2, 1}},
		{[]string{"customer"}, "张三", []id.ID{2, 1}},
		{[]string{"order"}, "张三", []id.ID{3}},
		{[]string{"customer", "order"}, "张三", []id.ID{3, 2, 1}},
		{[]string{"order"}, "zhang*", nil},
		{[]string{"order"}, "", []id.ID{3}},
		{nil, "#aB-_9", []id.ID{1}},
		{nil, "#ab-_9", nil},
		{nil, "#aB*", []id.ID{1}},
		{nil, "so2026*", []id.ID{3}},
		{nil, "so20260301-00001", []id.ID{3}},
		{nil, "00001", nil},
		{nil, "it's", []id.ID{3}},
		{nil, `a\b`, []id.ID{3}},
		{nil, `q"u*`, []id.ID{3}},
		{nil, "O'Brien", []id.ID{4}},
		{nil, "nobody", nil},
		{nil, "", nil},
		{nil, "customer", nil},
	} {
		if got := w.found(tt.objects, tt.tokens, 10); !slices.Equal(got, tt.want) {
			t.Errorf("%q in %v: %v, want %v", tt.tokens, tt.objects, got, tt.want)
		}
	}
	if got := w.found(nil, "张三", 2); !slices.Equal(got, []id.ID{3, 2}) {
		t.Errorf("limited: %v", got)
	}
	err = w.Store.IndexSearch(ctx, []sqlstore.SearchDoc{doc("customer", 1, "李四")}, []id.ID{3, 77}, "search", change.Position{Seq: 5})
	if err != nil {
		t.Fatal(err)
	}
	for tokens, want := range map[string][]id.ID{"张三": {2}, "李四": {1}, "it's": nil, "zsf": nil} {
		if got := w.found(nil, tokens, 10); !slices.Equal(got, want) {
			t.Errorf("after changes, %q: %v, want %v", tokens, got, want)
		}
	}
	if p, err := w.Store.Log().LoadPosition(ctx, "search"); err != nil || p.Seq != 5 {
		t.Errorf("the consumer stands at %v, %v", p, err)
	}
	if err := w.Store.OptimizeSearch(ctx); err != nil {
		t.Fatal(err)
	}
	if got := w.found(nil, "zhang*", 10); !slices.Equal(got, []id.ID{4, 2}) {
		t.Errorf("after rewriting: %v", got)
	}
}

// testSearchOrder stores documents in no order and in several transactions; common and rare tokens are found newest first.
func testSearchOrder(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	const n = 3000
	for part := range 3 {
		docs := make([]sqlstore.SearchDoc, 0, n/3)
		for i := part; i < n; i += 3 {
			tokens := []string{"common", fmt.Sprintf("n%05d", i)}
			if i%500 == 0 {
				tokens = append(tokens, "rare")
			}
			docs = append(docs, sqlstore.SearchDoc{Object: "customer", ID: id.ID(i + 1), Tokens: tokens})
		}
		if err := w.Store.PutSearch(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.found(nil, "common", 3); !slices.Equal(got, []id.ID{n, n - 1, n - 2}) {
		t.Errorf("common: %v", got)
	}
	if got := w.found(nil, "common rare", 10); !slices.Equal(got, []id.ID{2501, 2001, 1501, 1001, 501, 1}) {
		t.Errorf("common and rare: %v", got)
	}
	if got := w.found([]string{"customer"}, "n0250*", 4); !slices.Equal(got, []id.ID{2510, 2509, 2508, 2507}) {
		t.Errorf("prefix: %v", got)
	}
}
