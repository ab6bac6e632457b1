package arch_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/guanxi-crm/guanxi/"

// layers, lowest first: a room imports rooms of its own layer's "same" rule or of lower layers. Every package must have
// a room here; the longest matching prefix counts.
var layers = []struct {
	room   string
	rank   int
	reason string
}{
	{"internal/base", 0, "knows nothing of customers; its rooms may use one another"},
	{"locales", 0, "words: data"},
	{"objects", 0, "declarations: data"},
	{"migrations", 0, "schema: data"},
	{"industries", 0, "industry models: data"},
	{"ui", 0, "the built interface: data"},
	{"internal/model", 1, "objects, conditions, rights: no SQL, no HTTP, no storage"},
	{"internal/stat", 1, "pure mathematics on slices"},
	{"internal/demo", 1, "a lifelike company, made up: pure"},
	{"internal/platform", 2, "change log, keys, sign-in: knows no engine"},
	{"internal/record", 3, "the record engine: knows no engine above it"},
	{"internal/customer", 4, "engine"},
	{"internal/insight", 4, "engine"},
	{"internal/engage", 4, "engine"},
	{"internal/sales", 4, "engine"},
	{"internal/store", 5, "implements what engines declare; knows no edge"},
	{"internal/edge", 6, "HTTP, command line: no storage"},
	{"internal/app", 7, "wiring: the only room that knows everyone"},
	{"cmd", 8, "main"},
	{"internal/bench", 8, "measures the whole"},
	{"internal/arch", 9, "reads everything, is imported by none"},
}

// owners: an outside module may be imported only below these folders.
var owners = []struct {
	module string
	rooms  []string
	reason string
}{
	{"github.com/mattn/go-sqlite3", []string{"internal/store", "internal/bench"}, "database drivers belong to the stores"},
	{"github.com/jackc/pgx", []string{"internal/store", "internal/bench"}, "database drivers belong to the stores"},
	{"github.com/duckdb/", []string{"internal/store/duckdb", "internal/store/compile/oracle", "internal/bench"}, "linking DuckDB costs ten seconds a binary"},
	{"database/sql", []string{"internal/store", "internal/bench"}, "engines know no SQL"},
	{"github.com/danielgtaylor/huma", []string{"internal/edge/api"}, "only the API knows HTTP shapes"},
	{"net/http", []string{"internal/edge", "internal/app", "internal/base/httpc", "internal/base/obs", "cmd", "internal/bench", "internal/platform/webhook", "internal/platform/oidc", "internal/platform/sms"}, "engines know no HTTP"},
	{"github.com/spf13/cobra", []string{"internal/edge/cli", "cmd"}, "only the command line parses flags"},
	{"github.com/modelcontextprotocol/", []string{"internal/edge/mcp"}, "one door for assistants"},
	{"github.com/xuri/excelize", []string{"internal/record/transfer", "internal/edge", "internal/app"}, "files are read and written by transfer"},
	{"github.com/parquet-go", []string{"internal/record/transfer", "internal/edge", "internal/app"}, "files are read and written by transfer"},
	{"github.com/wneessen/go-mail", []string{"internal/platform/mail"}, "one room speaks SMTP"},
	{"github.com/emersion/go-msgauth", []string{"internal/platform/mail"}, "one room signs mails"},
	{"github.com/coreos/go-oidc", []string{"internal/platform/oidc"}, "one room speaks OpenID Connect"},
	{"golang.org/x/oauth2", []string{"internal/platform/oidc"}, "one room speaks OpenID Connect"},
	{"github.com/go-webauthn/", []string{"internal/platform/auth"}, "one room knows passkeys"},
	{"math/rand", []string{"internal/arch"}, "use math/rand/v2 with a seed that is given"},
	{"log", []string{"internal/arch"}, "use log/slog with the logger that is given"},
}

// exact outside modules that only match whole import paths.
var exactOwner = map[string]bool{"log": true, "math/rand": true, "net/http": true, "database/sql": true}

// calls that no code makes outside the rooms named.
var forbidden = []struct {
	pkg, name string
	rooms     []string
	advice    string
}{
	{"time", "Now", []string{"internal/base/clock", "internal/base/obs", "internal/app", "internal/edge", "internal/bench", "cmd"}, "take the time from a clock.Clock"},
	{"time", "Sleep", []string{"internal/bench"}, "wait on a channel or a timer with the context"},
	{"os", "Exit", []string{"cmd", "internal/bench"}, "return an error; main decides"},
	{"fmt", "Println", []string{"internal/edge/cli", "cmd", "internal/bench", "internal/demo/cmd"}, "log through slog, print through the command's writer"},
	{"fmt", "Printf", []string{"internal/edge/cli", "cmd", "internal/bench"}, "log through slog, print through the command's writer"},
}

const (
	maxLines      = 800
	maxStatements = 60
	maxParameters = 6
)

type file struct {
	path string // from the root, with slashes
	dir  string
	test bool
	ast  *ast.File
	fset *token.FileSet
	src  []byte
}

func sources(t *testing.T) []file {
	t.Helper()
	root := "../.."
	var out []file
	for _, top := range []string{"cmd", "internal", "locales", "objects", "migrations", "ui/embed.go"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(p string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") {
				return err
			}
			src, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, p)
			rel = filepath.ToSlash(rel)
			out = append(out, file{rel, filepath.ToSlash(filepath.Dir(rel)), strings.HasSuffix(rel, "_test.go"), f, fset, src})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d source files found", len(out))
	}
	return out
}

func under(dir, room string) bool {
	return dir == room || strings.HasPrefix(dir, strings.TrimSuffix(room, "/")+"/")
}

func rank(dir string) (room string, r int, ok bool) {
	for _, l := range layers {
		if under(dir, l.room) && len(l.room) > len(room) {
			room, r, ok = l.room, l.rank, true
		}
	}
	return
}

func imports(f file) []string {
	var out []string
	for _, i := range f.ast.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// engine is the room of a package in the engine layer ("internal/insight/segment"), "" for others.
func engine(dir string) string {
	for _, l := range layers {
		if l.reason == "engine" && strings.HasPrefix(dir, l.room+"/") {
			name, _, _ := strings.Cut(strings.TrimPrefix(dir, l.room+"/"), "/")
			return l.room + "/" + name
		}
	}
	return ""
}

func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		room, r, ok := rank(f.dir)
		if !ok {
			t.Errorf("%s: its folder has no layer; add it to the table with a reason", f.path)
			continue
		}
		if f.test {
			continue // tests may put the real parts together
		}
		for _, imp := range imports(f) {
			dir, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			_, other, known := rank(dir)
			switch {
			case !known:
				t.Errorf("%s imports %s, which has no layer", f.path, imp)
			case other > r:
				t.Errorf("%s (%s) imports upwards: %s", f.path, room, imp)
			case engine(f.dir) != "" && engine(dir) != "" && engine(f.dir) != engine(dir):
				t.Errorf("%s: an engine imports another engine: %s; declare what you need and let app wire it", f.path, imp)
			case room == "internal/edge" && under(dir, "internal/store"):
				t.Errorf("%s: the edge imports storage: %s", f.path, imp)
			}
		}
	}
}

func TestOutsideModulesHaveOwners(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, imp := range imports(f) {
			for _, o := range owners {
				if exactOwner[o.module] && imp != o.module || !exactOwner[o.module] && !strings.HasPrefix(imp, o.module) {
					continue
				}
				allowed := false
				for _, r := range o.rooms {
					allowed = allowed || under(f.dir, r)
				}
				if !allowed {
					t.Errorf("%s imports %s: %s", f.path, imp, o.reason)
				}
			}
		}
	}
}

func TestForbiddenCalls(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			id, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, c := range forbidden {
				if id.Name != c.pkg || sel.Sel.Name != c.name {
					continue
				}
				allowed := false
				for _, r := range c.rooms {
					allowed = allowed || under(f.dir, r)
				}
				if !allowed {
					t.Errorf("%s: %s.%s: %s", f.fset.Position(n.Pos()), c.pkg, c.name, c.advice)
				}
			}
			return true
		})
	}
}

func TestNoInitAndPackageComments(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		documented[f.dir] = documented[f.dir] || f.ast.Doc != nil
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init(); wire things in app", f.path)
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment; it is the package's specification", dir)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if lines := bytes.Count(f.src, []byte("\n")); lines > maxLines && !f.test {
			t.Errorf("%s has %d lines (limit %d); look for the missing noun", f.path, lines, maxLines)
		}
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := statements(fn.Body); n > maxStatements {
				t.Errorf("%s: %s has %d statements (limit %d)", f.fset.Position(fn.Pos()), fn.Name.Name, n, maxStatements)
			}
			if n := fn.Type.Params.NumFields(); n > maxParameters {
				t.Errorf("%s: %s has %d parameters (limit %d)", f.fset.Position(fn.Pos()), fn.Name.Name, n, maxParameters)
			}
		}
	}
}

func statements(b *ast.BlockStmt) int {
	n := 0
	ast.Inspect(b, func(x ast.Node) bool {
		if _, lit := x.(*ast.FuncLit); lit {
			return true
		}
		if s, ok := x.(ast.Stmt); ok {
			if _, block := s.(*ast.BlockStmt); !block {
				n++
			}
		}
		return true
	})
	return n
}

// TestNothingSpeaksOfTheWorkshop keeps machine paths and registry hosts out of what is committed.
func TestNothingSpeaksOfTheWorkshop(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, word := range []string{"/work" + "/", "proxy.golang" + ".org", "registry.npmjs" + ".org"} {
			if bytes.Contains(f.src, []byte(word)) {
				t.Errorf("%s mentions %q", f.path, word)
			}
		}
	}
}
