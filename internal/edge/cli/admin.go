package cli

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (s *state) command(use, word string, args cobra.PositionalArgs, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: s.text("cli." + word), Args: args, RunE: run}
}

func (s *state) serve() *cobra.Command {
	c := s.command("serve", "serve", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		return s.Backend.Serve(c.Context(), cfg, obs.NewLogger(s.Stderr, cfg.LogLevel, cfg.LogFormat), s.say)
	})
	c.SetHelpFunc(func(c *cobra.Command, args []string) { // every boot setting concerns the server
		var hidden []*pflag.Flag
		s.flags.VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				f.Hidden, hidden = false, append(hidden, f)
			}
		})
		c.Parent().HelpFunc()(c, args)
		for _, f := range hidden {
			f.Hidden = true
		}
	})
	return c
}

func (s *state) setup() *cobra.Command {
	var email, name, person, locale, zone, currency string
	var stdin, demo bool
	c := s.command("setup", "setup", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		if email == "" || !stdin {
			return usage("setup needs --email and --password-stdin")
		}
		line, err := bufio.NewReader(s.Stdin).ReadString('\n')
		password := strings.TrimRight(line, "\r\n")
		if password == "" {
			return usage("no password on standard input: %v", err)
		}
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/local/setup", map[string]any{"email": email, "password": password, "name": person, "workspace": name,
				"locale": locale, "timezone": zone, "currency": currency, "demo": demo})
		})
	})
	f := c.Flags()
	f.StringVar(&email, "email", "", s.text("cli.flag_email"))
	f.BoolVar(&stdin, "password-stdin", false, s.text("cli.flag_password_stdin"))
	f.StringVar(&name, "name", "", s.text("cli.flag_workspace_name"))
	f.StringVar(&person, "person", "", s.text("cli.flag_person"))
	f.StringVar(&locale, "locale", "zh-CN", s.text("cli.flag_locale"))
	f.StringVar(&zone, "timezone", "Asia/Shanghai", s.text("cli.flag_timezone"))
	f.StringVar(&currency, "currency", "CNY", s.text("cli.flag_currency"))
	return c
}

func (s *state) workspaces() *cobra.Command {
	var name, locale, zone, currency string
	create := s.command("create KEY", "workspace_create", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/local/workspaces", map[string]any{"key": args[0], "name": orElse(name, args[0]), "locale": locale, "timezone": zone, "currency": currency})
		})
	})
	f := create.Flags()
	f.StringVar(&name, "name", "", s.text("cli.flag_workspace_name"))
	f.StringVar(&locale, "locale", "zh-CN", s.text("cli.flag_locale"))
	f.StringVar(&zone, "timezone", "Asia/Shanghai", s.text("cli.flag_timezone"))
	f.StringVar(&currency, "currency", "CNY", s.text("cli.flag_currency"))
	list := s.command("list", "workspace_list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/local/workspaces", nil) })
	})
	return s.group("workspace", create, list)
}

func orElse(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

func (s *state) apikey() *cobra.Command {
	var name string
	var scopes []string
	create := s.command("create", "apikey_create", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		if name == "" {
			return usage("apikey create needs --name")
		}
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/apikeys", map[string]any{"name": name, "scopes": scopes})
		})
	})
	create.Flags().StringVar(&name, "name", "", s.text("cli.flag_key_name"))
	create.Flags().StringSliceVar(&scopes, "scope", []string{"read", "write", "import"}, s.text("cli.flag_scope"))
	return s.group("apikey", create)
}

func (s *state) user() *cobra.Command {
	reset := s.command("reset-mfa EMAIL", "user_reset_mfa", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/local/users/reset-mfa", map[string]any{"email": args[0]})
		})
	})
	return s.group("user", reset)
}

func (s *state) audit() *cobra.Command {
	var head string
	verify := s.command("verify", "audit_verify", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error {
			var out struct {
				Entries int    `json:"entries"`
				Erased  int    `json:"erased"`
				Head    string `json:"head"`
				OK      bool   `json:"ok"`
				Reason  string `json:"reason"`
				Place   int64  `json:"place,omitempty"`
				Entry   string `json:"entry,omitempty"`
			}
			if err := d.call(http.MethodGet, "/audit/check?head="+url.QueryEscape(head), nil, &out); err != nil {
				return err
			}
			state := "ok"
			if !out.OK {
				state = fmt.Sprintf("BROKEN: %s at %d %s", out.Reason, out.Place, out.Entry)
			}
			row := []string{state, strconv.Itoa(out.Entries), strconv.Itoa(out.Erased), out.Head}
			if err := d.table(out, []string{"state", "entries", "erased", "head"}, [][]string{row}); err != nil {
				return err
			}
			if !out.OK {
				return errSaid
			}
			return nil
		})
	})
	verify.Flags().StringVar(&head, "head", "", s.text("cli.flag_head"))
	return s.group("audit", verify)
}

func (s *state) keys() *cobra.Command {
	var data, index bool
	show := s.command("show", "keys_show", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/keys", nil) })
	})
	rotate := s.command("rotate", "keys_rotate", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		what := "secret"
		switch {
		case data:
			what = "data"
		case index:
			what = "index"
		}
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/keys/rotate", map[string]string{"what": what})
		})
	})
	rotate.Flags().BoolVar(&data, "data-keys", false, s.text("cli.flag_keys_data"))
	rotate.Flags().BoolVar(&index, "index-key", false, s.text("cli.flag_keys_index"))
	rotate.MarkFlagsMutuallyExclusive("data-keys", "index-key")
	pause := func(name string, on bool) *cobra.Command {
		return s.command(name+" ROTATION", "keys_"+name, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return s.with(c, func(d *session) error {
				return d.show(http.MethodPost, "/keys/rotations/"+url.PathEscape(args[0])+"/pause", map[string]bool{"on": on})
			})
		})
	}
	return s.group("keys", show, rotate, pause("pause", true), pause("resume", false))
}

func (s *state) openapi() *cobra.Command {
	return s.command("openapi", "openapi", cobra.NoArgs, func(*cobra.Command, []string) error {
		doc, err := s.Backend.OpenAPI()
		if err != nil {
			return err
		}
		_, err = s.Stdout.Write(append(doc, '\n'))
		return err
	})
}

func (s *state) config() *cobra.Command {
	show := s.command("show", "config_show", cobra.NoArgs, func(*cobra.Command, []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		if s.json {
			return s.print(cfg.Show())
		}
		for _, v := range cfg.Show() {
			fmt.Fprintf(s.Stdout, "%s = %s\n", v.Key, v.Value)
		}
		return nil
	})
	return s.group("config", show, s.configExport(), s.configCompare(), s.configImport())
}

func (s *state) version() *cobra.Command {
	return s.command("version", "version", cobra.NoArgs, func(*cobra.Command, []string) error {
		if s.json {
			return s.print(map[string]string{"version": s.Version})
		}
		_, err := fmt.Fprintln(s.Stdout, "guanxi "+s.Version)
		return err
	})
}

func (s *state) demo() *cobra.Command {
	var industry string
	var customers int
	var seed uint64
	var orders float64
	var events int
	load := s.command("load", "demo_load", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error {
			return d.follow("/local/demo", map[string]any{"industry": industry, "customers": customers, "seed": seed, "orders_per_customer": orders, "events": events})
		})
	})
	f := load.Flags()
	f.StringVar(&industry, "industry", "fashion", s.text("cli.flag_industry"))
	f.IntVar(&customers, "customers", 20000, s.text("cli.flag_customers"))
	f.Uint64Var(&seed, "seed", 1, s.text("cli.flag_seed"))
	f.Float64Var(&orders, "orders-per-customer", 5, s.text("cli.flag_orders"))
	f.IntVar(&events, "events", 0, s.text("cli.flag_demo_events"))
	return s.group("demo", load)
}

func (s *state) backup() *cobra.Command {
	var passphrase string
	c := s.command("backup FILE", "backup", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		word, err := s.passphrase(passphrase)
		if err != nil {
			return err
		}
		path, err := absolute(args[0])
		if err != nil {
			return err
		}
		return s.with(c, func(d *session) error {
			return d.follow("/local/backup", map[string]any{"path": path, "passphrase": word})
		})
	})
	c.Flags().StringVar(&passphrase, "passphrase-file", "", s.text("cli.flag_passphrase"))
	return c
}

func (s *state) restore() *cobra.Command {
	var passphrase, keys string
	c := s.command("restore FILE", "restore", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		word, err := s.passphrase(passphrase)
		if err != nil {
			return err
		}
		if err := s.Backend.Restore(c.Context(), cfg, args[0], keys, word, s.say); err != nil {
			return err
		}
		return s.print(map[string]any{"restored": args[0], "data": cfg.Data})
	})
	c.Flags().StringVar(&keys, "keys", "", s.text("cli.flag_restore_keys"))
	c.Flags().StringVar(&passphrase, "passphrase-file", "", s.text("cli.flag_passphrase"))
	return c
}

func (s *state) passphrase(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	raw, err := s.readFile(file)
	if err != nil {
		return "", err
	}
	word := strings.TrimRight(string(raw), "\r\n")
	if len(word) < 8 {
		return "", usage("the passphrase has fewer than 8 characters")
	}
	return word, nil
}

func (s *state) doctor() *cobra.Command {
	return s.command("doctor", "doctor", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error {
			var out struct {
				OK     bool `json:"ok"`
				Checks []struct {
					Name   string `json:"name"`
					OK     bool   `json:"ok"`
					Detail string `json:"detail"`
				} `json:"checks"`
			}
			if err := d.call(http.MethodPost, "/local/doctor", map[string]any{}, &out); err != nil {
				return err
			}
			var rows [][]string
			for _, k := range out.Checks {
				state := "ok"
				if !k.OK {
					state = "BAD"
				}
				rows = append(rows, []string{state, k.Name, k.Detail})
			}
			if err := d.table(out, []string{"state", "check", "detail"}, rows); err != nil {
				return err
			}
			if !out.OK {
				return errSaid
			}
			return nil
		})
	})
}

func (s *state) rebuild() *cobra.Command {
	c := s.command("rebuild analytics|search", "rebuild", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		if args[0] != "analytics" && args[0] != "search" {
			return usage("rebuild analytics or rebuild search")
		}
		return s.with(c, func(d *session) error { return d.follow("/local/rebuild", map[string]any{"what": args[0]}) })
	})
	c.ValidArgs = []string{"analytics", "search"}
	return c
}

func (s *state) migrate() *cobra.Command {
	return s.command("migrate", "migrate", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		out, err := s.Backend.Migrate(c.Context(), cfg, s.log(cfg))
		if err != nil {
			return err
		}
		return s.print(out)
	})
}
