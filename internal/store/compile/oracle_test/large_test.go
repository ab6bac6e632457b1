package oracle_test

import (
	"strconv"
	"testing"
)

// The largest conditions that pass the check run everywhere: no engine's limits on depth or parameters are met.
func TestLargeConditions(t *testing.T) {
	t.Parallel()
	l := newLab(t, 5)
	obj := l.w.registry.Object("customer")
	var many, regionsOf, leaves, dates []any
	for i := range 1000 {
		many = append(many, "w"+strconv.Itoa(i))
		regionsOf = append(regionsOf, regions[i%len(regions)])
	}
	for i := range 1900 {
		leaves = append(leaves, node{"field": "score", "op": draws[i%len(draws)], "value": i})
	}
	for i := range 30 {
		dates = append(dates, node{"field": "joined", "op": "anniversary_within", "value": node{"days": []int{i + 2, i}}})
	}
	inner := node{"field": "name", "op": "is_set"}
	for range 30 {
		inner = node{"not": inner}
	}
	for _, c := range []node{
		{"field": "name", "op": "in", "value": many}, {"field": "region", "op": "not_in", "value": regionsOf}, {"field": "tags", "op": "in", "value": many},
		{"any": leaves}, {"all": leaves}, {"any": dates}, inner,
	} {
		n, text := parse(t, c)
		want := l.evaluated(t, n, "customer")
		text = text[:min(len(text), 80)]
		l.agreeRecords(t, n, obj, want, text)
		l.agreeAnalytics(t, n, obj, want, text)
	}
}

var draws = []string{"=", ">", "<", "!="}
