package search_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/search"
	"github.com/guanxi-crm/guanxi/objects"
)

// fake is a change log, the records behind it and the index, in memory.
type fake struct {
	log     []change.Row
	live    map[id.ID]string // record → its one token
	index   map[id.ID]string
	at      change.Position
	asked   int  // documents made
	failing bool // the index refuses
}

func (f *fake) Read(_ context.Context, after change.Position, limit int) ([]change.Row, error) {
	var out []change.Row
	for _, r := range f.log {
		if after.Less(r.Position) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *fake) Head(context.Context) (change.Position, error) {
	if len(f.log) == 0 {
		return change.Position{}, nil
	}
	return f.log[len(f.log)-1].Position, nil
}

func (f *fake) LoadPosition(context.Context, string) (change.Position, error) { return f.at, nil }

func (f *fake) WaitAfter(ctx context.Context, after change.Position) error {
	if head, _ := f.Head(ctx); after.Less(head) {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fake) Documents(_ context.Context, object string, ids []id.ID) ([]record.Document, error) {
	var out []record.Document
	for _, v := range ids {
		f.asked++
		if tok, ok := f.live[v]; ok {
			out = append(out, record.Document{Object: object, ID: v, Tokens: []string{tok}})
		}
	}
	return out, nil
}

func (f *fake) List(_ context.Context, object string, q record.Query) (*record.Page, error) {
	p := &record.Page{}
	if object == "customer" && q.Cursor == "" {
		for v := range f.live {
			p.Items = append(p.Items, &record.Record{Object: object, ID: v})
		}
	}
	return p, nil
}

func (f *fake) IndexSearch(_ context.Context, put []record.Document, remove []id.ID, _ string, to change.Position) error {
	if f.failing {
		return errors.New("disk full")
	}
	for _, d := range put {
		f.index[d.ID] = d.Tokens[0]
	}
	for _, v := range remove {
		delete(f.index, v)
	}
	f.at = to
	return nil
}

func (f *fake) add(object string, rec id.ID, op change.Op) {
	f.log = append(f.log, change.Row{Position: change.Position{Seq: int64(len(f.log) + 1)}, Object: object, Record: rec, Op: op})
}

func indexer(t *testing.T, f *fake) *search.Indexer {
	t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	return search.New(search.Config{Store: f, Changes: f, Records: f, Registry: func() *schema.Registry { return reg }, Batch: 3})
}

func TestIndexFollowsTheLog(t *testing.T) {
	t.Parallel()
	f := &fake{live: map[id.ID]string{1: "a", 2: "b"}, index: map[id.ID]string{3: "old"}}
	f.add("customer", 1, change.Create)
	f.add("customer", 1, change.Update)
	f.add("customer", 2, change.Create)
	f.add("order_line", 9, change.Create) // hidden: not searched
	f.add("gone_object", 8, change.Create)
	f.add("customer", 3, change.Purge)
	x := indexer(t, f)
	n, err := x.CatchUp(t.Context())
	if err != nil || n != 6 {
		t.Fatalf("read %d, %v", n, err)
	}
	if len(f.index) != 2 || f.index[1] != "a" || f.index[2] != "b" || f.at.Seq != 6 || f.asked != 3 {
		t.Errorf("index %v at %v, %d documents made", f.index, f.at, f.asked)
	}
	if n, err := x.CatchUp(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	// A batch seen twice has the same result.
	f.at = change.Position{Seq: 2}
	if _, err := x.CatchUp(t.Context()); err != nil || len(f.index) != 2 {
		t.Errorf("after a crash: %v, %v", f.index, err)
	}
	// When the index refuses, the position stays and nothing is lost.
	f.live[4] = "d"
	f.add("customer", 4, change.Create)
	f.failing = true
	if _, err := x.CatchUp(t.Context()); err == nil || f.at.Seq != 6 {
		t.Errorf("a refusing index: %v at %v", err, f.at)
	}
	f.failing = false
	if _, err := x.CatchUp(t.Context()); err != nil || f.index[4] != "d" {
		t.Errorf("afterwards: %v, %v", f.index, err)
	}
	clear(f.index)
	if n, err := x.Rebuild(t.Context()); err != nil || n != 3 || len(f.index) != 3 {
		t.Errorf("rebuilt %d, %v", n, err)
	}
}

// An update is looked at when it names a field that is searched, or does not say what it changed.
func TestUpdatesThatDoNotConcernSearch(t *testing.T) {
	t.Parallel()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	obj := reg.Object("customer")
	column := func(field string) string {
		c, ok := obj.Column(field, schema.Main)
		if !ok {
			t.Fatalf("no column of %s", field)
		}
		return c.Name
	}
	for _, c := range []struct {
		after string
		asked int
	}{
		{`{"` + column("do_not_contact") + `":true}`, 0},
		{`{"` + column("do_not_contact") + `":true,"` + column("name") + `":"王芳"}`, 1},
		{`{"` + column("phone") + `":"AAAA"}`, 1},
		{`{}`, 1},
		{``, 1},
		{string(change.Reshaped([]byte(`{"` + column("do_not_contact") + `":true}`))), 1},
	} {
		f := &fake{live: map[id.ID]string{1: "王芳"}, index: map[id.ID]string{}}
		f.add("customer", 1, change.Update)
		f.log[0].After = []byte(c.after)
		if _, err := indexer(t, f).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f.asked != c.asked || f.at != f.log[0].Position {
			t.Errorf("%s: %d documents made, want %d; position %v", c.after, f.asked, c.asked, f.at)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := &fake{live: map[id.ID]string{1: "a"}, index: map[id.ID]string{}}
	f.add("customer", 1, change.Create)
	ctx, cancel := context.WithCancel(t.Context())
	stop := &stopping{fake: f, cancel: cancel}
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	x := search.New(search.Config{Store: stop, Changes: f, Records: f, Registry: func() *schema.Registry { return reg }})
	if err := x.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("run ended with %v", err)
	}
	if f.index[1] != "a" {
		t.Errorf("index %v", f.index)
	}
}

// stopping ends the run after its first batch.
type stopping struct {
	*fake
	cancel context.CancelFunc
}

func (s *stopping) IndexSearch(ctx context.Context, put []record.Document, remove []id.ID, consumer string, to change.Position) error {
	defer s.cancel()
	return s.fake.IndexSearch(ctx, put, remove, consumer, to)
}

func TestIndexed(t *testing.T) {
	t.Parallel()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range list {
		if !o.Virtual && search.Indexed(o) {
			got = append(got, o.Key)
		}
	}
	if want := []string{"customer", "contact", "order", "refund", "product", "variant", "store", "channel", "content", "feedback", "task", "call", "meeting", "visit", "note", "churn_reason", "tag"}; !slices.Equal(got, want) {
		t.Errorf("indexed %v", got)
	}
}
