package cli

import (
	"net/http"

	"github.com/spf13/cobra"
)

// sources are the doors that events come by.
func (s *state) sources() *cobra.Command {
	var name, kind string
	create := s.command("create", "source_create", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		if name == "" {
			return usage("source create needs --name")
		}
		return s.with(c, func(d *session) error {
			var made struct {
				Source struct {
					ID string `json:"id"`
				} `json:"source"`
				WriteKey string `json:"write_key"`
			}
			if err := d.call(http.MethodPost, "/event-sources", map[string]any{"name": name, "type": kind}, &made); err != nil {
				return err
			}
			return d.print(map[string]any{"id": made.Source.ID, "write_key": made.WriteKey})
		})
	})
	create.Flags().StringVar(&name, "name", "", s.text("cli.flag_source_name"))
	create.Flags().StringVar(&kind, "type", "web", s.text("cli.flag_source_type"))
	list := s.command("list", "source_list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/event-sources", nil) })
	})
	history := s.command("import SOURCE FILE", "source_import", cobra.ExactArgs(2), func(c *cobra.Command, args []string) error {
		return s.with(c, func(d *session) error { return d.importEvents(args[0], args[1]) })
	})
	return s.group("source", create, list, history)
}
