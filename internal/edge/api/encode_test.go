package api_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// TestRecordsAreWrittenAsEncodingJSONWould compares the bytes of answers that are written by hand with those of reflection.
func TestRecordsAreWrittenAsEncodingJSONWould(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 8, 9, 10, 120_000_000, time.UTC)
	env := schema.ParseEnv{Locale: "zh-CN", Base: "CNY", PhoneRegion: "CN"}
	shown := map[string]any{}
	for key, v := range map[schema.Type]any{
		schema.Text: "a\"<b>&\n王\u2028", schema.Number: int64(-12500), schema.Money: money.Money{Amount: 123456, Currency: "CNY"}, schema.Bool: true,
		schema.Region: "310000", schema.Address: schema.AddressValue{Region: "310000", Street: "南京路***"}, schema.Date: clock.Day(20000), schema.DateTime: at,
		schema.Birthday: schema.BirthdayValue{Calendar: "gregorian", Year: 1990, Month: 2, Day: 3}, schema.Tags: []string{"a", "乙"}, schema.Choice: "one", schema.MultiChoice: []string{},
		schema.JSON: json.RawMessage(`{"z":1,"a":[1.50,"<"]}`),
	} {
		shown[string(key)] = schema.FormatJSON(&schema.Field{Key: "f", Type: key, Scale: 3}, v, env)
	}
	shown["none"], shown["ref"], shown["address2"] = nil, api.Ref{ID: "cus_1", Title: "王\"", Object: "customer"}, schema.FormatJSON(&schema.Field{Type: schema.Address}, schema.AddressValue{Postcode: "200001"}, env)
	shown["birthday2"] = schema.FormatJSON(&schema.Field{Type: schema.Birthday}, schema.BirthdayValue{Calendar: "lunar", Leap: true, Month: 12, Day: 30}, env)
	shown["files"], shown["float"], shown["number"], shown["nested"] = []api.FileValue{{ID: "fil_1", Name: "a.png"}}, 0.1, json.Number("1e3"), map[string]any{"b": int64(1), "a": []any{"x", nil}}
	later, next, total := at.Add(time.Hour), "cursor\\", 42
	full := &api.Record{ID: "cus_1", Object: "customer", Title: "王小明", Version: 7, CreatedAt: at, UpdatedAt: later, CreatedBy: &api.Ref{ID: "usr_1", Title: "李", Object: "user"}, DeletedAt: &later,
		Fields: shown, Traits: map[string]any{"orders": int64(3), "rfm": map[string]any{"key": "a", "label": schema.Label{"en": "A", "zh-CN": "甲"}}, "spent": api.ShowMoney(5, "CNY"), "share": 0.25},
		Masked: []string{"phone"}, May: map[string]bool{"update": true, "delete": false}}
	for name, v := range map[string]interface {
		AppendJSON(b []byte) ([]byte, error)
	}{
		"full": full, "empty": &api.Record{}, "nil": (*api.Record)(nil),
		"page":  api.RecordPage{Items: []*api.Record{full, nil, {Masked: []string{}, Fields: map[string]any{}}}, NextCursor: &next, Total: &total, TotalIsEstimate: true, Plane: "records", AsOf: at, LagSeconds: 1.5},
		"blank": api.RecordPage{}, "none": api.RecordPage{Items: []*api.Record{}},
	} {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Fatal(name, err)
		}
		got, err := v.AppendJSON(nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if string(got)+"\n" != want.String() {
			t.Errorf("%s:\n%s\nnot\n%s", name, got, want.String())
		}
	}
	if _, err := (&api.Record{CreatedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}).AppendJSON(nil); err == nil {
		t.Error("a year that JSON has no form for was written")
	}
}
