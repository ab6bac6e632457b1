package demo_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/demo"
)

func TestSeasonsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, key := range []string{"spring", "summer", "autumn", "winter", "all"} {
		zh, en := demo.SeasonName(key).In(lang.ChineseSimplified), demo.SeasonName(key).In(lang.English)
		if zh == "" || en == "" || zh == key || en == key || seen[zh] {
			t.Fatalf("%s is called %q and %q", key, zh, en)
		}
		seen[zh] = true
	}
}
