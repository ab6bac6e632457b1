package lang_test

import (
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

func TestOneSlip(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		a, b string
		want bool
	}{
		{"johnson", "jonson", true}, {"johnson", "johnsson", true}, {"johnson", "jonhson", true}, {"johnson", "johnsen", true}, {"johnson", "johnson", false},
		{"johnson", "jansen", false}, {"smith", "smyth", true}, {"smith", "msith", true}, {"smith", "mitsh", false}, {"anna", "ana", true},
	} {
		if lang.OneSlip(x.a, x.b) != x.want || lang.OneSlip(x.b, x.a) != x.want {
			t.Errorf("%s and %s", x.a, x.b)
		}
		// Whatever is one slip away meets in a token.
		if x.want && len(x.b) >= 4 {
			stored := append(lang.Tokens(x.a), lang.TypoTokens(x.a)...)
			if !slices.ContainsFunc(lang.TypoQuery(x.b), func(q string) bool { return slices.Contains(stored, q) }) {
				t.Errorf("%s does not find %s", x.b, x.a)
			}
		}
	}
	if lang.TypoQuery("abc") != nil || lang.TypoQuery("ab12") != nil || lang.TypoQuery("张三李四") != nil || lang.TypoTokens("张三 abc 12345") != nil {
		t.Error("words that are none have forms")
	}
}
