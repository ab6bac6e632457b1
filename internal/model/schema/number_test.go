package schema_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// TestGroupingIsRead: separators of thousands are read where they stand as such, and a number of another notation is refused
// instead of being taken for another number.
func TestGroupingIsRead(t *testing.T) {
	t.Parallel()
	f := &schema.Field{Key: "n", Type: schema.Number, Scale: 2}
	for text, want := range map[string]struct{ point, comma any }{
		"1,234.50":    {int64(123450), nil},
		"1.234,50":    {nil, int64(123450)},
		"12,5":        {nil, int64(1250)},
		"12.5":        {int64(1250), nil},
		"1,234":       {int64(123400), int64(123)},
		"1.234":       {int64(123), int64(123400)},
		"-1,234,567":  {int64(-123456700), nil},
		"12,34,567.8": {int64(123456780), nil},
		"1,2345.6":    {int64(1234560), nil},
		"1,23,4":      {nil, nil},
		",123":        {nil, int64(12)},
		"1,,234":      {nil, nil},
		"１，２３４．５":     {int64(123450), nil},
		"1 234.5":     {int64(123450), nil},
	} {
		for i, env := range []schema.ParseEnv{{}, {DecimalComma: true}} {
			got, bad := schema.ParseText(f, text, env)
			expected := []any{want.point, want.comma}[i]
			if expected == nil && (bad == nil || bad.Code != "schema.not_number") || expected != nil && (bad != nil || got != expected) {
				t.Errorf("%q, comma %v: %v %v, want %v", text, i == 1, got, bad, expected)
			}
		}
	}
}
