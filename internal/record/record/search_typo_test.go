package record_test

import (
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/record/record"
)

func testSearchTypo(t *testing.T, w *world) {
	near := w.create("customer", record.Input{"name": "Peter Johnson"})
	exact := w.create("customer", record.Input{"name": "Jonson"})
	w.create("customer", record.Input{"name": "Mary Jackson"})
	w.catchUp(3)
	found, err := w.s.Search(w.ctx(), "jonson", nil, 10)
	if err != nil || len(found) != 2 || found[0].ID != exact.ID || found[0].Match != record.MatchExact || found[1].ID != near.ID || found[1].Match != record.MatchTypo {
		t.Errorf("%+v, %v", found, err)
	}
	for _, text := range []string{"johnsn", "johnsom", "jonhson", "pter johnson", "Peter Johnsen"} {
		if found, err := w.s.Search(w.ctx(), text, nil, 10); err != nil || !slices.ContainsFunc(found, func(f record.Found) bool { return f.ID == near.ID }) {
			t.Errorf("%s: %+v, %v", text, found, err)
		}
	}
	if found, err := w.s.Search(w.ctx(), "jhnsn", nil, 10); err != nil || len(found) != 0 {
		t.Errorf("two slips: %+v, %v", found, err)
	}
}
