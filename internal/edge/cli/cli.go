// Package cli is the command line: the same operations as the API, for people at a terminal and for scripts.
//
// With --json exactly one JSON document goes to standard output; progress and logs always go to standard error. The exit
// code is 0 when done, 1 when it failed, 2 when the command was used wrongly. A command works whether the server runs or
// not: it speaks the API through a Door, which is the socket of the server that holds the data directory, or a server
// started for the command inside this process. Either way the actor is the local administrator and the trail says so.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Door sends API requests as the local administrator.
type Door interface {
	Do(*http.Request) (*http.Response, error)
	Close() error
}

// Backend is what the command line needs of the program; package app implements it.
type Backend interface {
	// Serve runs the product until the context ends. started is told the address once it listens.
	Serve(ctx context.Context, cfg *config.Config, log *slog.Logger, say func(string)) error
	// Open gives a door to the running server, or to one of its own.
	Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (Door, error)
	// Restore fills an empty data directory from a backup file.
	Restore(ctx context.Context, cfg *config.Config, file, keys, passphrase string, say func(string)) error
	// Migrate brings every store to the schema of this program and reports it.
	Migrate(ctx context.Context, cfg *config.Config, log *slog.Logger) (any, error)
	// OpenAPI is the document of the standard objects; it needs no data.
	OpenAPI() ([]byte, error)
}

// Program is the surroundings of one run.
type Program struct {
	Backend Backend
	Version string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	LookEnv func(string) (string, bool)
	Words   func(locale lang.Locale, key string, params map[string]any) string
}

// errUsage marks wrong use: exit code 2.
type errUsage struct{ error }

func (e errUsage) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return errUsage{fmt.Errorf(format, args...)} }

// errSaid is a failure whose words have been written already.
var errSaid = errors.New("failed")

// Run executes the arguments and returns the exit code.
func (p *Program) Run(ctx context.Context, args []string) int {
	root := p.Root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var u errUsage
	wrong := errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command")
	if !errors.Is(err, errSaid) {
		fmt.Fprintln(p.Stderr, "guanxi: "+err.Error())
	}
	if wrong {
		return 2
	}
	return 1
}

// state is what the flags of one run said.
type state struct {
	*Program
	json       bool
	workspace  string
	configFile string
	flags      *pflag.FlagSet
}

// Root builds the command tree.
func (p *Program) Root() *cobra.Command {
	s := &state{Program: p}
	root := &cobra.Command{
		Use: "guanxi", Short: p.text("cli.root"), SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.SetIn(p.Stdin)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage{err} })
	f := root.PersistentFlags()
	f.BoolVar(&s.json, "json", false, p.text("cli.flag_json"))
	f.StringVar(&s.workspace, "workspace", "", p.text("cli.flag_workspace"))
	f.StringVar(&s.configFile, "config", "", p.text("cli.flag_config"))
	for _, set := range config.Settings() {
		if set.Kind == "switch" {
			f.Bool(set.Flag(), set.Default == "true", set.Doc)
		} else {
			f.String(set.Flag(), set.Default, set.Doc)
		}
		if set.Key != "data" && set.Key != "database_url" {
			_ = f.MarkHidden(set.Flag())
		}
	}
	s.flags = f
	root.AddCommand(s.serve(), s.setup(), s.workspaces(), s.user(), s.apikey(), s.sources(), s.consents(), s.audit(), s.keys(), s.importer(), s.export(), s.record(), s.segment(), s.trait(), s.model(), s.classify(),
		s.texts(), s.demo(), s.openapi(), s.mcp(), s.backup(), s.restore(), s.doctor(), s.rebuild(), s.migrate(), s.config(), s.version())
	wrapArgs(root)
	return root
}

// wrapArgs makes a wrong number of arguments wrong use, everywhere.
func wrapArgs(c *cobra.Command) {
	check := c.Args
	if check == nil {
		check = cobra.NoArgs
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return errUsage{err}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}

// group is a command that only holds others.
func (s *state) group(use string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: s.text("cli." + strings.Fields(use)[0]), RunE: func(c *cobra.Command, _ []string) error {
		return usage("%s needs a subcommand: %s --help lists them", c.CommandPath(), c.CommandPath())
	}}
	c.AddCommand(subs...)
	return c
}

// locale is the language of help and messages: GUANXI_LANG, LC_ALL or LANG, Chinese for zh, else English.
func (p *Program) locale() lang.Locale {
	for _, name := range []string{"GUANXI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, ok := p.LookEnv(name); ok && v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return lang.ChineseSimplified
			}
			return lang.English
		}
	}
	return lang.English
}

func (p *Program) text(key string) string { return p.Words(p.locale(), key, nil) }

// load reads the settings: flags given on the command line come first.
func (s *state) load() (*config.Config, error) {
	given := map[string]string{}
	s.flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			given[f.Name] = f.Value.String()
		}
	})
	cfg, err := config.Load(config.Sources{Flags: given, Env: s.LookEnv, File: s.configFile})
	if err != nil {
		return nil, errUsage{err}
	}
	return cfg, nil
}

func (s *state) ws() string {
	if s.workspace != "" {
		return s.workspace
	}
	if v, ok := s.LookEnv("GUANXI_WORKSPACE"); ok && v != "" {
		return v
	}
	return "main"
}

// log is the logger of commands other than serve: warnings only, unless asked for.
func (s *state) log(cfg *config.Config) *slog.Logger {
	level := "warn"
	if s.flags.Changed("log-level") {
		level = cfg.LogLevel
	}
	return obs.NewLogger(s.Stderr, level, cfg.LogFormat)
}

// say writes progress.
func (s *state) say(text string) { fmt.Fprintln(s.Stderr, text) }

// print writes a result: the document itself with --json, else readable for a person.
func (s *state) print(v any) error {
	enc := json.NewEncoder(s.Stdout)
	enc.SetEscapeHTML(false)
	if !s.json {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// readJSON reads a JSON document from a file, or from standard input for "-".
func (s *state) readJSON(name string) (json.RawMessage, error) {
	raw, err := s.readFile(name)
	if err != nil {
		return nil, err
	}
	if !json.Valid(raw) {
		return nil, usage("%s is not JSON", name)
	}
	return raw, nil
}

func (s *state) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(s.Stdin)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("%v", err)
	}
	return raw, nil
}
