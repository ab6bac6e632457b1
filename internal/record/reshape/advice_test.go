package reshape_test

import (
	"context"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/reshape"
)

type kept struct{ list []reshape.Question }

func (k *kept) AddQuestions(_ context.Context, list []reshape.Question) error {
	k.list = append(k.list, list...)
	return nil
}

func (k *kept) Questions(context.Context, string, int) ([]reshape.Question, error) {
	return k.list, nil
}

func TestAdviserProposesTheFieldWithoutIndex(t *testing.T) {
	t.Parallel()
	store := &kept{}
	a := reshape.NewAdviser(store, clock.System{})
	for n := range 100 {
		took := 20 * time.Millisecond
		if n < 10 {
			took = 700 * time.Millisecond
		}
		a.Note(record.Asked{Object: "order", Fields: []string{"customer", "note", "state"}, Sort: "placed_at", Took: took})
	}
	reg, err := schema.NewRegistry([]*schema.Object{{Key: "order", Prefix: "ord", TitleField: "number", Fields: []*schema.Field{
		{Key: "number", Type: schema.Text}, {Key: "note", Type: schema.LongText}, {Key: "state", Type: schema.Choice, Options: []schema.Option{{Key: "a"}}},
		{Key: "placed_at", Type: schema.DateTime, Indexed: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := access.With(t.Context(), access.System())
	got, err := a.Advise(ctx, reg.Object("order"))
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if q := got[0]; q.Asked != 100 || q.Slow != 10 || q.P95() != 1024*time.Millisecond || q.Propose != "state" {
		t.Errorf("%+v, p95 %s", q, q.P95())
	}
	reg.Object("order").Field("state").Indexed = true
	if got, err = a.Advise(ctx, reg.Object("order")); err != nil || got[0].Propose != "" {
		t.Errorf("with its index: %+v, %v", got, err)
	}
	if _, err := a.Advise(access.With(t.Context(), access.Actor{Role: access.Member}), reg.Object("order")); err == nil {
		t.Error("told to somebody who may not shape")
	}
}
