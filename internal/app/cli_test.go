package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/edge/cli"
	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "rewrite golden files")

// shell runs commands on one data directory.
type shell struct {
	*testing.T
	dir string
	env map[string]string
}

func newShell(t *testing.T) *shell {
	return &shell{T: t, dir: filepath.Join(t.TempDir(), "data"), env: map[string]string{"LANG": "en"}}
}

func (s *shell) run(stdin string, args ...string) (code int, stdout, stderr string) {
	s.Helper()
	words, err := app.Words()
	if err != nil {
		s.Fatal(err)
	}
	var out, errs bytes.Buffer
	p := cli.Program{Backend: app.Backend{Version: "test"}, Version: "test", Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs,
		LookEnv: func(k string) (string, bool) { v, ok := s.env[k]; return v, ok }, Words: words.Text}
	code = p.Run(context.Background(), append([]string{"--data", s.dir, "--analytics-mb", "256", "--threads", "1"}, args...))
	return code, out.String(), errs.String()
}

// ok runs a command that must succeed and print exactly one JSON document.
func (s *shell) ok(v any, args ...string) {
	s.Helper()
	code, out, errs := s.run("", append(args, "--json")...)
	if code != 0 {
		s.Fatalf("%v: exit %d: %s %s", args, code, out, errs)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	if err := dec.Decode(v); err != nil || dec.More() {
		s.Fatalf("%v: not one document: %v: %s", args, err, out)
	}
}

func (s *shell) setup() {
	s.Helper()
	if code, out, errs := s.run(password+"\n", "setup", "--email", "a@example.com", "--password-stdin"); code != 0 {
		s.Fatalf("setup: %d %s %s", code, out, errs)
	}
}

func (s *shell) file(name, content string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

func TestHelpIsGolden(t *testing.T) {
	t.Parallel()
	words, err := app.Words()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"en", "zh-CN"} {
		p := cli.Program{Backend: app.Backend{}, LookEnv: func(k string) (string, bool) { return tag, k == "GUANXI_LANG" }, Words: words.Text}
		var b bytes.Buffer
		var walk func(c *cobra.Command)
		walk = func(c *cobra.Command) {
			b.WriteString("$ " + c.CommandPath() + " --help\n")
			c.SetOut(&b)
			if err := c.Help(); err != nil {
				t.Fatal(err)
			}
			b.WriteString("\n")
			for _, sub := range c.Commands() {
				if sub.Name() != "help" && sub.Name() != "completion" {
					walk(sub)
				}
			}
		}
		walk(p.Root())
		golden := filepath.Join("testdata", "help."+tag+".txt")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, b.Bytes()) {
			t.Errorf("%s is stale: make generate", golden)
		}
		if strings.Contains(b.String(), "cli.") {
			t.Errorf("%s: a word is missing", tag)
		}
	}
}

func TestOpenAPIIsCurrent(t *testing.T) {
	t.Parallel()
	doc, err := app.Backend{Version: "0"}.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "openapi.json")
	if *update {
		if err := os.WriteFile(path, append(doc, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(want), doc) {
		t.Error("docs/openapi.json is stale: make generate")
	}
	var parsed struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(doc, &parsed); err != nil {
		t.Fatal(err)
	}
	refs := strings.Split(string(doc), `"$ref": "#/components/schemas/`)
	for _, r := range refs[1:] {
		name, _, _ := strings.Cut(r, `"`)
		if parsed.Components.Schemas[name] == nil {
			t.Errorf("the document points at a schema %q that it does not have", name)
		}
	}
	seen := map[string]bool{}
	for path, item := range parsed.Paths {
		for method, op := range item {
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s %s: operation id %q", method, path, op.OperationID)
			}
			seen[op.OperationID] = true
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, args := range [][]string{{"nonsense"}, {"serve", "--nonsense"}, {"record", "get", "customer"}, {"record"}, {"setup", "--email", "a@example.com"}, {"export", "customer"},
		{"segment", "count"}, {"rebuild", "everything"}, {"record", "create", "customer", "--set", "name"}, {"record", "list", "customer", "--where", "/no/such/file"},
		{"serve", "--role", "worker"}, {"import", "customer"}, {"--log-level", "loud", "version"}} {
		want := 2
		if args[len(args)-1] == "version" {
			want = 0 // settings are not read where none is needed
		}
		if code, out, _ := s.run("", args...); code != want {
			t.Errorf("%v: exit %d, want %d: %s", args, code, want, out)
		}
	}
	if code, _, errs := s.run("", "record", "list", "customer"); code != 1 || !strings.Contains(errs, "auth.workspace_unknown") {
		t.Errorf("before setup: %d %s", code, errs)
	}
	s.setup()
	if code, _, errs := s.run("", "record", "get", "customer", "cus_0000000000001"); code != 1 || !strings.Contains(errs, "record.not_found") {
		t.Errorf("an unknown record: %d %s", code, errs)
	}
	code, out, errs := s.run("", "record", "create", "customer", "--set", "phone=12", "--json")
	var p struct{ Type string }
	if err := json.Unmarshal([]byte(out), &p); code != 1 || err != nil || p.Type != "record.invalid" || !strings.Contains(errs, "fields.name") {
		t.Errorf("%d %s %s", code, out, errs)
	}
}

func TestCommandsInThisProcess(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	commands(s)
}

// TestCommandsThroughTheSocket runs the same commands while a server holds the data directory.
func TestCommandsThroughTheSocket(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	cfg, err := config.Load(config.Sources{Flags: map[string]string{"data": s.dir, "addr": "127.0.0.1:0", "analytics-mb": "256", "threads": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	listening, done := make(chan string, 8), make(chan error, 1)
	go func() {
		done <- app.Backend{Version: "test"}.Serve(ctx, cfg, slog.New(slog.DiscardHandler), func(text string) { listening <- text })
	}()
	select {
	case <-listening:
	case err := <-done:
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(s.dir, app.SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("socket %v %v", info, err)
	}
	commands(s)
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the server does not stop")
	}
}

func commands(s *shell) {
	s.Helper()
	var created, got rec
	s.ok(&created, "record", "create", "customer", "--set", "name=张三", "--set", "phone=13812345678", "--set", `tags=["vip"]`)
	s.ok(&got, "record", "get", "customer", created.ID)
	if got.Title != "张三" {
		s.Fatalf("%+v", got)
	}
	s.ok(&got, "record", "update", "customer", created.ID, "--set", "name==HYPERLINK(1)")
	if got.Version != 2 {
		s.Fatalf("%+v", got)
	}
	var p page
	s.ok(&p, "record", "list", "customer", "--sort", "-created_at")
	if len(p.Items) != 1 {
		s.Fatalf("%+v", p)
	}
	var key struct{ ID, Key string }
	s.ok(&key, "apikey", "create", "--name", "k", "--scope", "read")
	if !strings.HasPrefix(key.Key, "gxk_") {
		s.Fatal(key)
	}
	for _, format := range []string{"csv", "xlsx", "ndjson", "parquet"} {
		out := filepath.Join(s.TempDir(), "customers."+format)
		var res struct{ Rows int }
		s.ok(&res, "export", "customer", "--format", format, "--output", out)
		raw, err := os.ReadFile(out)
		if err != nil || res.Rows != 1 || len(raw) == 0 {
			s.Fatalf("%s: %d rows, %d bytes, %v", format, res.Rows, len(raw), err)
		}
		if bytes.Contains(raw, []byte("13812345678")) {
			s.Errorf("%s holds a phone number in plain", format)
		}
		if format == "csv" && (!bytes.Contains(raw, []byte("'=HYPERLINK(1)")) || bytes.Contains(raw, []byte(",=HYPERLINK"))) {
			s.Errorf("a formula goes out alive: %s", raw)
		}
	}
	file := s.file("people.csv", "姓名,手机,外部编号\n李四,13900000001,E1\n王五,13900000002,E2\n,坏,E3\n")
	var imp struct {
		ID, Status            string
		Rows, Created, Errors int
		ErrorFile             string `json:"error_file"`
	}
	mapping := s.file("map.json", `{"fields":{"name":"姓名","phone":"手机","external_id":"外部编号"},"options":{"match":"external_id","on_error":"skip"}}`)
	s.ok(&imp, "import", "customer", file, "--mapping", mapping)
	if imp.Status != "done" || imp.Rows != 3 || imp.Created != 2 || imp.Errors != 1 || imp.ErrorFile == "" {
		s.Fatalf("%+v", imp)
	}
	if raw, err := os.ReadFile(imp.ErrorFile); err != nil || !bytes.Contains(raw, []byte("E3")) {
		s.Errorf("error file: %s %v", raw, err)
	}
	var imports struct{ Items []struct{ ID string } }
	s.ok(&imports, "import", "--list")
	if len(imports.Items) != 1 || imports.Items[0].ID != imp.ID {
		s.Fatalf("%+v", imports)
	}
	s.ok(&imp, "import", "undo", imp.ID)
	if imp.Status != "undone" {
		s.Fatalf("%+v", imp)
	}
	where := s.file("w.json", `{"field":"name","op":"is_set"}`)
	var count struct{ Count, Total int }
	s.ok(&count, "segment", "count", "--where", where)
	if count.Count != 1 || count.Total != 1 {
		s.Fatalf("%+v", count)
	}
	var any map[string]any
	for _, args := range [][]string{{"segment", "list"}, {"trait", "list"}, {"trait", "recompute"}, {"classify", "list"}, {"classify", "show", "lifecycle"}, {"rebuild", "search"}, {"rebuild", "analytics"}, {"workspace", "list"}} {
		s.ok(&any, args...)
	}
	var doctor struct {
		OK     bool
		Checks []struct {
			Name, Detail string
			OK           bool
		}
	}
	s.ok(&doctor, "doctor")
	if !doctor.OK || len(doctor.Checks) != 12 {
		s.Fatalf("%+v", doctor)
	}
	var deleted map[string]string
	s.ok(&deleted, "record", "delete", "customer", created.ID)
	var ws map[string]string
	s.ok(&ws, "workspace", "create", "second", "--name", "第二")
	if code, out, errs := s.run("", "--workspace", "second", "record", "list", "customer", "--json"); code != 0 || !strings.Contains(out, `"items":[]`) {
		s.Fatalf("%d %s %s", code, out, errs)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	var r rec
	s.ok(&r, "record", "create", "customer", "--set", "name=备份", "--set", "phone=13812345678")
	file := filepath.Join(t.TempDir(), "b.guanxi")
	word := s.file("word", "a passphrase of some length\n")
	var res struct {
		Bytes     int64
		Key, Keys string
	}
	s.ok(&res, "backup", file, "--passphrase-file", word)
	if res.Bytes == 0 || res.Key != "passphrase" || res.Keys != file+".keys" {
		t.Fatalf("%+v", res)
	}
	if code, _, errs := s.run("", "backup", file); code != 1 || !strings.Contains(errs, "app.backup_exists") {
		t.Errorf("a backup overwrites: %d %s", code, errs)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := os.ReadFile(filepath.Join(s.dir, app.SecretName)); err != nil || bytes.Contains(raw, secret) {
		t.Fatal("the backup holds the key in plain", err)
	}
	if code, _, errs := s.run("", "restore", file, "--passphrase-file", word); code != 1 || !strings.Contains(errs, "app.restore_not_empty") {
		t.Errorf("a restore into data: %d %s", code, errs)
	}
	wrong := s.file("wrong", "another passphrase\n")
	fresh := newShell(t)
	if code, _, errs := fresh.run("", "restore", file, "--passphrase-file", wrong); code != 1 || !strings.Contains(errs, "app.passphrase_wrong") {
		t.Errorf("a wrong passphrase: %d %s", code, errs)
	}
	cut := s.file("cut", string(raw[:len(raw)*3/4]))
	if code, _, _ := fresh.run("", "restore", cut, "--passphrase-file", word); code != 1 {
		t.Errorf("half a backup was restored")
	}
	if entries, err := os.ReadDir(fresh.dir); err != nil || len(entries) != 0 {
		t.Errorf("a failed restore leaves something behind: %v %v", entries, err)
	}
	keysApart(t, s, fresh, file, word)
	if code, _, errs := fresh.run("", "restore", file, "--passphrase-file", word); code != 0 {
		t.Fatalf("restore: %d %s", code, errs)
	}
	var back rec
	fresh.ok(&back, "record", "get", "customer", r.ID)
	if back.Title != "备份" || back.Fields["phone"] != r.Fields["phone"] {
		t.Fatalf("%+v", back)
	}
	var doctor struct{ OK bool }
	fresh.ok(&doctor, "doctor")
	if !doctor.OK {
		t.Error("the doctor does not like what was restored")
	}
}

// TestRotateKeysOnTheLine begins an exchange from the command line, with the data directory named beside it.
func TestRotateKeysOnTheLine(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	var k struct {
		Rotations []struct{ Kind, State string }
	}
	s.ok(&k, "keys", "rotate", "--index-key")
	if len(k.Rotations) != 1 || k.Rotations[0].Kind != "index" {
		t.Errorf("%+v", k)
	}
	if code, _, errs := s.run("", "keys", "rotate", "--index-key", "--data-keys"); code == 0 {
		t.Errorf("both at once: %s", errs)
	}
}

// keysApart: a backup without its second file is refused with what it needs, and so is one with the file of another.
func keysApart(t *testing.T, s, fresh *shell, file, word string) {
	t.Helper()
	apart := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(file+".keys", apart); err != nil {
		t.Fatal(err)
	}
	refused := func(code string, args ...string) {
		t.Helper()
		if rc, _, errs := fresh.run("", append([]string{"restore", "--passphrase-file", word}, args...)...); rc != 1 || !strings.Contains(errs, code) {
			t.Errorf("%v: %d %s", args, rc, errs)
		}
		if entries, err := os.ReadDir(fresh.dir); err != nil || len(entries) != 0 {
			t.Errorf("a failed restore leaves something behind: %v %v", entries, err)
		}
	}
	refused("app.restore_keys_needed", file)
	refused("app.restore_is_keys", apart, "--keys", file)
	refused("app.restore_not_keys", file, "--keys", file)
	other := filepath.Join(t.TempDir(), "other.guanxi")
	var made any
	s.ok(&made, "backup", other, "--passphrase-file", word)
	refused("app.restore_keys_other", file, "--keys", other+".keys")
	if err := os.Rename(apart, file+".keys"); err != nil {
		t.Fatal(err)
	}
}

// TestBackupWithoutKeys: what a backup and its passphrase give is no wrapped key and no secret.
func TestBackupWithoutKeys(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	var r rec
	s.ok(&r, "record", "create", "customer", "--set", "name=备份", "--set", "phone=13812345678")
	file := filepath.Join(t.TempDir(), "b.guanxi")
	var made any
	s.ok(&made, "backup", file)
	wrapped := column(t, filepath.Join(s.dir, "workspaces", "main", "records.db"), "SELECT wrapped FROM person_key")
	if len(wrapped) != 1 {
		t.Fatalf("%d keys", len(wrapped))
	}
	plain := func(name string) []byte {
		t.Helper()
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		zr, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer zr.Close()
		raw, err := io.ReadAll(zr)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if bytes.Contains(plain(file), []byte(wrapped[0])) {
		t.Error("the first file holds a wrapped key")
	}
	if !bytes.Contains(plain(file+".keys"), []byte(wrapped[0])) {
		t.Error("the second file holds no wrapped key")
	}
}

// TestRestoreBackupOfBefore restores a backup of one file, as they were made before the keys were kept apart.
func TestRestoreBackupOfBefore(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	word := s.file("word", "a passphrase of some length\n")
	if code, _, errs := s.run("", "restore", filepath.Join("testdata", "backup-1.guanxi"), "--passphrase-file", word); code != 0 {
		t.Fatalf("restore: %d %s", code, errs)
	}
	var found struct{ Items []rec }
	s.ok(&found, "record", "list", "customer")
	if len(found.Items) != 1 || found.Items[0].Title != "备份" || found.Items[0].Fields["phone"] != "138****5678" {
		t.Errorf("%+v", found)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	var res struct{ Customers, Orders, Records int }
	s.ok(&res, "demo", "load", "--customers", "300")
	if res.Customers != 300 || res.Orders < 500 {
		t.Fatalf("%+v", res)
	}
	if code, _, errs := s.run("", "demo", "load", "--customers", "10"); code != 1 || !strings.Contains(errs, "app.demo_not_empty") {
		t.Errorf("a second load: %d %s", code, errs)
	}
	var classes struct {
		Items []struct {
			Key     string
			Classes []struct{ Count int }
		}
	}
	s.ok(&classes, "classify", "list")
	for _, k := range classes.Items {
		sum := 0
		for _, c := range k.Classes {
			sum += c.Count
		}
		if sum != 300 {
			t.Errorf("%s puts %d of 300 customers into classes", k.Key, sum)
		}
	}
	var doctor struct{ OK bool }
	s.ok(&doctor, "doctor")
	if !doctor.OK {
		t.Error("the doctor does not like the demo company")
	}
}
