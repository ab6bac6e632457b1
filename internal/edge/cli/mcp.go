package cli

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/mcp"
	"github.com/spf13/cobra"
)

// keyVariable holds an API key for an assistant.
const keyVariable = "GUANXI_API_KEY"

// mcp serves an assistant over standard input and output: as the local administrator, or with the rights of a key; from the
// data here, or from a server elsewhere.
func (s *state) mcp() *cobra.Command {
	var readOnly bool
	var address, keyFile string
	c := s.command("mcp", "mcp", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		key, err := s.assistantKey(keyFile)
		if err != nil {
			return err
		}
		conf := mcp.Config{Words: words{s.Program}, Version: s.Version, ReadOnly: readOnly}
		if address != "" {
			door, err := elsewhere(address, key)
			if err != nil {
				return err
			}
			return mcp.Stdio(c.Context(), conf, door, s.locale(), s.Stdin, s.Stdout)
		}
		return s.with(c, func(d *session) error {
			return mcp.Stdio(d.ctx, conf, keyed{Door: d.door, key: key, workspace: d.ws()}, s.locale(), s.Stdin, s.Stdout)
		})
	})
	f := c.Flags()
	f.BoolVar(&readOnly, "read-only", false, s.text("cli.flag_mcp_read_only"))
	f.StringVar(&address, "url", "", s.text("cli.flag_mcp_url"))
	f.StringVar(&keyFile, "key-file", "", s.text("cli.flag_mcp_key_file"))
	return c
}

// assistantKey never comes from an argument, which every program on the machine could read.
func (s *state) assistantKey(file string) (string, error) {
	if file == "" {
		key, _ := s.LookEnv(keyVariable)
		return strings.TrimSpace(key), nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", usage("%v", err)
	}
	if key := strings.TrimSpace(string(raw)); key != "" {
		return key, nil
	}
	return "", usage("%s is empty", file)
}

// words are the sentences of the program.
type words struct{ *Program }

// Text implements api.Words.
func (w words) Text(loc lang.Locale, key string, params map[string]any) string {
	return w.Program.Words(loc, key, params)
}

// Has implements api.Words.
func (w words) Has(loc lang.Locale, key string) bool { return w.Program.Words(loc, key, nil) != key }

// keyed is a door that shows a key where there is one.
type keyed struct {
	Door
	key, workspace string
}

// Do implements mcp.Door.
func (k keyed) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Workspace", k.workspace)
	if k.key != "" {
		r.Header.Del("X-Workspace") // a key belongs to one
		r.Header.Set("Authorization", "Bearer "+k.key)
	}
	return k.Door.Do(r)
}

// remote is the door of a server elsewhere.
type remote struct {
	base   *url.URL
	key    string
	client *http.Client
}

func elsewhere(address, key string) (mcp.Door, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, usage("--url %s is not an address such as https://crm.example.com", address)
	}
	if key == "" {
		return nil, usage("--url needs a key: --key-file FILE or %s", keyVariable)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key is for this server alone
	return &remote{base: u, key: key, client: &http.Client{Timeout: 3 * time.Minute, CheckRedirect: stay}}, nil
}

// Do implements mcp.Door.
func (d *remote) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	query := r.URL.RawQuery
	r.URL.Scheme, r.URL.Host, r.Host = d.base.Scheme, d.base.Host, ""
	if d.base.Path != "" {
		r.URL = d.base.JoinPath(r.URL.EscapedPath())
		r.URL.RawQuery = query
	}
	r.Header.Set("Authorization", "Bearer "+d.key)
	return d.client.Do(r)
}
