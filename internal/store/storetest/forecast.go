package storetest

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testForecasts: a figure is watched once; what was said of a period stays as it was said, and what came is added.
func testForecasts(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k := sqlstore.NewForecasts(w.Store)
	ctx := context.Background()
	watch := forecast.Watch{ID: 5, Figure: forecast.Revenue, Slice: forecast.Slice{Dimension: forecast.Category, Value: "衬衫"}, Period: forecast.Week, By: 7, At: T0}
	if err := k.Add(ctx, watch); err != nil {
		t.Fatal(err)
	}
	again := watch
	again.ID = 6
	if err := k.Add(ctx, again); fault.KindOf(err) != fault.Conflict {
		t.Errorf("watched twice: %v", err)
	}
	list, err := k.Watches(ctx)
	if err != nil || !reflect.DeepEqual(list, []forecast.Watch{watch}) {
		t.Errorf("%+v, %v", list, err)
	}
	for _, told := range [][]id.ID{{3, 9}, nil} {
		if err := k.Tell(ctx, 5, told); err != nil {
			t.Fatal(err)
		}
		if list, err := k.Watches(ctx); err != nil || !slices.Equal(list[0].Told, told) {
			t.Errorf("told %v: %+v, %v", told, list, err)
		}
	}
	if err := k.Tell(ctx, 99, nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("of no watch: %v", err)
	}
	said := forecast.Said{From: 20_000, To: 20_006, Made: 19_999, Method: "theta", Mean: 50, Low80: 40, High80: 60, Low95: 30, High95: 70}
	if err := k.Say(ctx, 5, []forecast.Said{said}); err != nil {
		t.Fatal(err)
	}
	came := int64(75)
	later := said
	later.Mean, later.Came = 99, &came
	if err := k.Say(ctx, 5, []forecast.Said{later}); err != nil {
		t.Fatal(err)
	}
	said.Came = &came
	got, err := k.Said(ctx, 5)
	if err != nil || !reflect.DeepEqual(got, []forecast.Said{said}) || !got[0].Odd() {
		t.Errorf("%+v, %v", got, err)
	}
	if err := k.Drop(ctx, 5); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Said(ctx, 5); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := k.Drop(ctx, 5); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}
