package predict_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// A sheet gives what was put into it: numbers, texts and nothing, of rows whose slice is used again.
func TestSheet(t *testing.T) {
	t.Parallel()
	in := [][]any{{int64(0), "a", nil}, {nil, nil, nil}, {int64(-7), "b", "a"}, {"", int64(1 << 62), "a"}}
	s := predict.NewSheet(3)
	row := make([]any, 3)
	for i, v := range in {
		copy(row, v)
		s.Add(int64(i+1), row)
	}
	for _, stop := range []int{len(in), 2} {
		var got [][]any
		err := s.Rows(func(customer int64, values []any) bool {
			if customer != int64(len(got)+1) {
				t.Errorf("customer %d at %d", customer, len(got))
			}
			got = append(got, slices.Clone(values))
			return len(got) < stop
		})
		if err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", in[:stop]) {
			t.Errorf("%#v, %v", got, err)
		}
	}
}
