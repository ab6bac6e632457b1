package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

// configExport writes the file whole or not at all: a half one is never left under the name.
func (s *state) configExport() *cobra.Command {
	return s.command("export FILE", "config_export", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		return s.with(c, func(d *session) error {
			res, err := d.request(http.MethodGet, "/config", "", nil)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			raw, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			if args[0] == "-" {
				_, err = s.Stdout.Write(raw)
				return err
			}
			part := args[0] + ".part"
			if err := os.WriteFile(part, raw, 0o600); err != nil {
				return usage("%v", err)
			}
			if err := os.Rename(part, args[0]); err != nil {
				return err
			}
			return s.print(map[string]any{"written": args[0], "bytes": len(raw)})
		})
	})
}

type configDifferences struct {
	Items []struct {
		Path    string `json:"path"`
		Change  string `json:"change"`
		Members []struct {
			Path   string          `json:"path"`
			Before json.RawMessage `json:"before"`
			After  json.RawMessage `json:"after"`
		} `json:"members"`
	} `json:"items"`
	LeftOut []string `json:"left_out,omitempty"`
}

func (s *state) configCompare() *cobra.Command {
	return s.command("compare FILE [FILE2]", "config_compare", cobra.RangeArgs(1, 2), func(c *cobra.Command, args []string) error {
		file, err := s.readJSON(args[0])
		if err != nil {
			return err
		}
		in := map[string]any{"file": file}
		if len(args) == 2 { // what the second says that the first does not
			if in["file"], err = s.readJSON(args[1]); err != nil {
				return err
			}
			in["with"] = file
		}
		return s.with(c, func(d *session) error {
			var out configDifferences
			if err := d.call(http.MethodPost, "/config/compare", in, &out); err != nil {
				return err
			}
			if s.json {
				return s.print(out)
			}
			signs := map[string]string{"added": "+", "changed": "~", "only_here": "-"}
			for _, item := range out.Items {
				fmt.Fprintln(s.Stdout, signs[item.Change], item.Path)
				if item.Change != "changed" {
					continue
				}
				for _, m := range item.Members {
					fmt.Fprintf(s.Stdout, "    %s: %s → %s\n", m.Path, m.Before, m.After)
				}
			}
			return nil
		})
	})
}

func (s *state) configImport() *cobra.Command {
	var dry bool
	var paths []string
	c := s.command("import FILE", "config_import", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		file, err := s.readJSON(args[0])
		if err != nil {
			return err
		}
		in := map[string]any{"file": file, "dry_run": dry}
		if len(paths) > 0 {
			in["paths"] = paths
		}
		return s.with(c, func(d *session) error {
			var out struct {
				Applied  int `json:"applied"`
				Problems []struct {
					Location string `json:"location"`
					Message  string `json:"message"`
					Code     string `json:"code"`
				} `json:"problems"`
			}
			if err := d.call(http.MethodPost, "/config/import", in, &out); err != nil {
				return err
			}
			if err := s.print(out); err != nil {
				return err
			}
			if len(out.Problems) > 0 {
				return errSaid
			}
			return nil
		})
	})
	c.Flags().BoolVar(&dry, "dry-run", false, s.text("cli.flag_dry_run"))
	c.Flags().StringArrayVar(&paths, "path", nil, s.text("cli.flag_paths"))
	return c
}
