package arch_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// locales reads every word: locale → key → sentence. A key in two files of a locale is a mistake.
func readLocales(t *testing.T) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, locale := range []string{"zh-CN", "en"} {
		out[locale] = map[string]string{}
		files, err := filepath.Glob(filepath.Join("../../locales", locale, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no words of %s: %v", locale, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var words map[string]string
			if err := json.Unmarshal(raw, &words); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			for k, v := range words {
				if _, twice := out[locale][k]; twice {
					t.Errorf("%s: %s is in another file too", f, k)
				}
				if strings.TrimSpace(v) == "" {
					t.Errorf("%s: %s is empty", f, k)
				}
				out[locale][k] = v
			}
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\{([a-z][a-z0-9_]*)`)

func placeholders(s string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestLocalesSayTheSame: the folders have the same files, the same keys and the same parameters.
func TestLocalesSayTheSame(t *testing.T) {
	t.Parallel()
	words := readLocales(t)
	zh, en := words["zh-CN"], words["en"]
	for _, key := range slices.Sorted(maps.Keys(zh)) {
		if _, ok := en[key]; !ok {
			t.Errorf("%s has no words in en", key)
			continue
		}
		if strings.HasPrefix(key, "condition.") {
			continue // composed of phrases in the forms that each grammar has: {one}, {many}, {hour}
		}
		if a, b := placeholders(zh[key]), placeholders(en[key]); !slices.Equal(a, b) {
			t.Errorf("%s: parameters %v in zh-CN, %v in en", key, a, b)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if _, ok := zh[key]; !ok {
			t.Errorf("%s has no words in zh-CN", key)
		}
	}
}

// callee names a function as its package knows it: "internal/base/fault.New", or "" for what is no plain call.
func callee(f *file, fun ast.Expr) string {
	switch x := fun.(type) {
	case *ast.Ident:
		return f.dir + "." + x.Name
	case *ast.SelectorExpr:
		pkg, ok := x.X.(*ast.Ident)
		if !ok {
			return f.dir + "." + x.Sel.Name
		}
		for _, imp := range f.ast.Imports {
			p := strings.Trim(imp.Path.Value, `"`)
			name := path.Base(p)
			if imp.Name != nil {
				name = imp.Name.Name
			}
			if name == pkg.Name {
				return strings.TrimPrefix(p, module) + "." + x.Sel.Name
			}
		}
		return f.dir + "." + x.Sel.Name // a method
	}
	return ""
}

// codes finds fault codes: the literals and constants that reach fault.New, InvalidField, Wrap, Join and Fault{Code: …},
// directly or through functions that pass a parameter on.
type codes struct {
	consts map[string]string       // package.Name → text
	at     map[string]map[int]bool // function → parameters that become codes
	found  map[string]string       // code → where
}

func (c *codes) constants(f *file) {
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, n := range v.Names {
				if i < len(v.Values) {
					if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						c.consts[f.dir+"."+n.Name], _ = strconv.Unquote(lit.Value)
					}
				}
			}
		}
	}
}

// scan looks through a file; it reports whether a function was found to pass codes on that was not known to.
func (c *codes) scan(f *file) (more bool) {
	for _, d := range f.ast.Decls {
		fn, _ := d.(*ast.FuncDecl)
		var params []string
		if fn != nil {
			for _, p := range fn.Type.Params.List {
				for _, n := range p.Names {
					params = append(params, n.Name)
				}
			}
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.CallExpr:
				for i := range c.at[callee(f, x.Fun)] {
					if i < len(x.Args) && c.reaches(f, fn, params, x.Args[i]) {
						more = true
					}
				}
			case *ast.CompositeLit:
				if name := callee(f, typeOf(x)); name == "internal/base/fault.Fault" {
					for _, e := range x.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok && isIdent(kv.Key, "Code") && c.reaches(f, fn, params, kv.Value) {
							more = true
						}
					}
				}
			}
			return true
		})
	}
	return more
}

func typeOf(x *ast.CompositeLit) ast.Expr {
	if x.Type == nil {
		return &ast.Ident{Name: "_"}
	}
	return x.Type
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// reaches notes what an expression in the place of a code says; true when it makes a parameter a code.
func (c *codes) reaches(f *file, fn *ast.FuncDecl, params []string, e ast.Expr) (more bool) {
	note := func(code string) {
		if c.found[code] == "" {
			c.found[code] = f.fset.Position(e.Pos()).String()
		}
	}
	switch x := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(x.Value); err == nil {
			note(s)
		}
	case *ast.SelectorExpr:
		if s, ok := c.consts[callee(f, x)]; ok {
			note(s)
		}
	case *ast.Ident:
		if s, ok := c.consts[f.dir+"."+x.Name]; ok {
			note(s)
		}
		if i := slices.Index(params, x.Name); i >= 0 {
			name := f.dir + "." + fn.Name.Name
			if c.at[name] == nil {
				c.at[name] = map[int]bool{}
			}
			more = !c.at[name][i]
			c.at[name][i] = true
		}
		if fn != nil {
			c.assigned(f, fn, x.Name, note)
		}
	case *ast.BinaryExpr: // "area." + reason: at least the area must be known; the pieces are checked where they are made
		if lit, ok := x.X.(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				note(s + "*")
			}
		}
	}
	return more
}

// assigned notes the literals that a local variable is given.
func (c *codes) assigned(f *file, fn *ast.FuncDecl, name string, note func(string)) {
	ast.Inspect(fn, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i := range a.Lhs {
			if !isIdent(a.Lhs[i], name) {
				continue
			}
			if lit, ok := a.Rhs[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					note(s)
				}
			}
		}
		return true
	})
}

var codeForm = regexp.MustCompile(`^[a-z]+\.[a-z0-9_]*\*?$`)

// TestFaultsHaveWords: every code of a fault that the program can make has a sentence in both languages.
func TestFaultsHaveWords(t *testing.T) {
	t.Parallel()
	words := readLocales(t)
	const home = "internal/base/fault."
	c := &codes{consts: map[string]string{}, found: map[string]string{}, at: map[string]map[int]bool{
		home + "New": {1: true}, home + "InvalidField": {0: true}, home + "Wrap": {1: true}, home + "Join": {0: true}}}
	var files []file
	for _, f := range sources(t) {
		if !f.test && f.dir != strings.TrimSuffix(home, ".") {
			files = append(files, f)
			c.constants(&f)
		}
	}
	for more := true; more; {
		more = false
		for i := range files {
			if c.scan(&files[i]) {
				more = true
			}
		}
	}
	if len(c.found) < 100 {
		t.Errorf("only %d codes were found: the search has gone blind", len(c.found))
	}
	for _, code := range slices.Sorted(maps.Keys(c.found)) {
		if code == "" {
			continue
		}
		if !codeForm.MatchString(code) {
			t.Errorf("%s: %q is not written as package.snake_reason", c.found[code], code)
			continue
		}
		for locale, known := range words {
			if area, open := strings.CutSuffix(code, "*"); open {
				if !slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(k string) bool { return strings.HasPrefix(k, area) }) {
					t.Errorf("%s: no code begins with %q in %s", c.found[code], area, locale)
				}
			} else if _, ok := known[code]; !ok {
				t.Errorf("%s: %q has no words in %s", c.found[code], code, locale)
			}
		}
	}
	t.Logf("%d codes through %d functions", len(c.found), len(c.at))
}
