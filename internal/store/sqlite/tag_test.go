package sqlite_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// TestABuildWithoutFullTextSearchFailsAndSaysWhy: the file that stops the compiler belongs to builds without the tag only.
func TestABuildWithoutFullTextSearchFailsAndSaysWhy(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]bool{"": true, "sqlite_fts5": false} {
		c := build.Default
		c.BuildTags = []string{tag}
		if got, err := c.MatchFile(".", "tag.go"); err != nil || got != want {
			t.Errorf("with the tag %q the file takes part: %v, %v", tag, got, err)
		}
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "tag.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&types.Config{}).Check("sqlite", set, []*ast.File{f}, nil)
	if err == nil || err.Error() != "tag.go:7:11: undefined: build_with__tags_sqlite_fts5" {
		t.Errorf("the compiler says %v", err)
	}
}
