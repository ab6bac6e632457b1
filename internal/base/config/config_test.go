package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/config"
)

var update = flag.Bool("update", false, "rewrite generated files")

func env(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "guanxi.conf")
	if err := os.WriteFile(file, []byte("# comment\naddr = :1\nlog_level = warn\nsession_idle = \"2h\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Sources{
		Flags: map[string]string{"addr": ":3"},
		Env:   env(map[string]string{"GUANXI_ADDR": ":2", "GUANXI_LOG_LEVEL": "error"}),
		File:  file,
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != ":3" || c.LogLevel != "error" || c.SessionIdle != 2*time.Hour || c.Data != "./data" {
		t.Fatalf("flag > env > file > default not kept: %+v", c)
	}
}

func TestBadValuesNameTheirPlace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		flags map[string]string
		want  string
	}{
		"role":     {map[string]string{"role": "boss"}, "--role"},
		"duration": {map[string]string{"session-idle": "soon"}, "--session-idle"},
		"number":   {map[string]string{"threads": "-1"}, "--threads"},
		"switch":   {map[string]string{"demo": "perhaps"}, "--demo"},
		"time":     {map[string]string{"nightly-at": "25:00"}, "--nightly-at"},
		"worker":   {map[string]string{"role": "worker"}, "database_url"},
		"tls":      {map[string]string{"tls-cert": "a.pem"}, "tls_key"},
		"secret":   {map[string]string{"secret": "short"}, "32 characters"},
		"idle":     {map[string]string{"session-idle": "900h"}, "session_max"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(config.Sources{Flags: tc.flags})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v does not name %q", err, tc.want)
			}
		})
	}
}

func TestUnknownSettingInFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "guanxi.conf")
	if err := os.WriteFile(file, []byte("colour = blue\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(config.Sources{File: file}); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Fatalf("unknown setting passed: %v", err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Env: env(map[string]string{
		"GUANXI_DATABASE_URL": "postgres://u:hunter2@db/x", "GUANXI_SECRET": strings.Repeat("s", 40)})})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Show() {
		if strings.Contains(v.Value, "hunter2") || strings.Contains(v.Value, "ssss") {
			t.Fatalf("%s is shown", v.Key)
		}
	}
}

func TestDocsAreCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "configuration.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(config.Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != config.Markdown() {
		t.Fatal("docs/configuration.md is stale: make generate")
	}
}
