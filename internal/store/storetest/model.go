package storetest

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testModels: versions are numbered and come back as they were, old ones go but the one in use, and settings that somebody else changed are not overwritten.
func testModels(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k := sqlstore.NewModels(w.Store)
	ctx := context.Background()
	low, value := 0.7, 3.5
	v := room.Version{Model: "value", Cause: room.First, Options: json.RawMessage(`{"months":12}`), State: json.RawMessage(`{"r":0.24}`), Until: 20000, FittedAt: T0, FittedBy: 7, Took: 1500 * time.Millisecond, Facts: 9,
		Card: predict.Card{Until: 20000, Rows: 9, Measures: []predict.Measure{{Key: "auc", Value: 0.77, Low: &low}}, Charts: []predict.Chart{{Key: "deciles", Kind: predict.Bars, X: []string{"1", "2"},
			Series: []predict.Series{{Key: "actual", Values: []*float64{&value, nil}}}}}, Notes: []predict.Note{{Key: "too_few", Level: predict.Warning, Params: map[string]any{"have": 3.0}}}}}
	first, err := k.Insert(ctx, v, 2)
	if err != nil || first.Number != 1 {
		t.Fatalf("%d %v", first.Number, err)
	}
	if got, err := k.Version(ctx, "value", 1); err != nil || !reflect.DeepEqual(got, first) {
		t.Fatalf("%+v, want %+v, %v", got, first, err)
	}
	modelOutline(t, k, first)
	if err := k.SaveStanding(ctx, room.Standing{Model: "value", Version: 1, Options: json.RawMessage(`{"months":6}`), Refit: predict.Monthly}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := k.Insert(ctx, v, 2); err != nil {
			t.Fatal(err)
		}
	}
	list, err := k.Versions(ctx, "value")
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int64
	for _, l := range list {
		numbers = append(numbers, l.Number)
		if len(l.State) != 0 {
			t.Error("a list read states")
		}
	}
	if !reflect.DeepEqual(numbers, []int64{5, 4, 1}) {
		t.Errorf("versions %v", numbers)
	}
	if _, err := k.Version(ctx, "value", 2); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	note := room.Standing{Model: "value", Version: 5, TriedAt: T0, ScoredAt: T0.Add(time.Second), ScoredDay: 20001, ScoredVersion: 5, Scored: 8, Took: time.Second}
	if err := k.Note(ctx, note); err != nil {
		t.Fatal(err)
	}
	if err := k.Note(ctx, room.Standing{Model: "churn", Failure: "model.broke", TriedAt: T0}); err != nil {
		t.Fatal(err)
	}
	all, err := k.Standings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	note.Edition, note.Options, note.Refit = 1, json.RawMessage(`{"months":6}`), predict.Monthly
	if got := all["value"]; !reflect.DeepEqual(got, note) {
		t.Errorf("%+v, want %+v", got, note)
	}
	if got := all["churn"]; got.Failure != "model.broke" || got.Edition != 1 || string(got.Options) != "{}" {
		t.Errorf("%+v", got)
	}
	seen := all["value"]
	if err := k.SaveStanding(ctx, seen); err != nil {
		t.Fatal(err)
	}
	if err := k.SaveStanding(ctx, seen); fault.KindOf(err) != fault.Stale {
		t.Errorf("%v", err)
	}
	modelLines(t, k)
}

func modelOutline(t *testing.T, k *sqlstore.Models, whole room.Version) {
	t.Helper()
	whole.State = json.RawMessage{}
	if got, err := k.Outline(context.Background(), whole.Model, whole.Number); err != nil || !reflect.DeepEqual(got, whole) {
		t.Fatalf("%+v, want %+v, %v", got, whole, err)
	}
}

func modelLines(t *testing.T, k *sqlstore.Models) {
	t.Helper()
	ctx := context.Background()
	for i := range 3 {
		if err := k.Log(ctx, room.Line{At: T0.Add(time.Duration(i) * time.Hour), Model: "value", What: "fit", Version: int64(i), Took: time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := k.Lines(ctx, "value", 2)
	if err != nil || len(lines) != 2 || lines[0].Version != 2 || lines[0].Took != time.Second {
		t.Errorf("%+v %v", lines, err)
	}
}
