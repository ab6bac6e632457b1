package mcp_test

import (
	"os"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
)

// TestEveryToolHasWords: a tool and each of its arguments is described in both languages. An argument that a route gains
// needs mcp.param_<name>.
func TestEveryToolHasWords(t *testing.T) {
	t.Parallel()
	words, err := lang.NewCatalog(os.DirFS("../../.."), lang.ChineseSimplified)
	if err != nil {
		t.Fatal(err)
	}
	tools, err := api.Tools()
	if err != nil {
		t.Fatal(err)
	}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		for _, tool := range tools {
			keys := []string{"mcp.title_" + tool.Name, "mcp.tool_" + tool.Name}
			for _, w := range tool.Words {
				keys = append(keys, "mcp.param_"+w)
			}
			for _, k := range keys {
				if !words.Has(loc, k) {
					t.Errorf("%s has no words in %s", k, loc)
				}
			}
		}
	}
}
