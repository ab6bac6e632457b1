package cli

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// modelKey is a model's name in an address; what commands always called clv is the model of value.
func modelKey(name string) string {
	if name == "clv" {
		name = "value"
	}
	return seg(name)
}

// model works with what learns from customers.
func (s *state) model() *cobra.Command {
	list := s.command("list", "model_list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/models", nil) })
	})
	card := s.command("card NAME", "model_card", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/models/"+modelKey(a[0])+"/card", nil) })
	})
	score := s.command("score NAME", "model_score", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error { return d.follow("/local/models/"+modelKey(a[0])+"/score", map[string]any{}) })
	})
	return s.group("model", list, s.modelFit(), score, card)
}

func (s *state) modelFit() *cobra.Command {
	var until, held string
	var params []string
	c := s.command("fit NAME", "model_fit", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		body := map[string]any{}
		if until != "" {
			body["until"] = until
		}
		if held != "" {
			body["holdout_until"] = held
		}
		if len(params) > 0 {
			options := map[string]any{}
			for _, p := range params {
				key, text, ok := strings.Cut(p, "=")
				if !ok || key == "" {
					return usage("--param %s: write KEY=VALUE", p)
				}
				var v any = text
				if parsed := any(nil); json.Unmarshal([]byte(text), &parsed) == nil {
					v = parsed
				}
				options[key] = v
			}
			body["options"] = options
		}
		return s.with(c, func(d *session) error { return d.follow("/local/models/"+modelKey(a[0])+"/fit", body) })
	})
	f := c.Flags()
	f.StringVar(&until, "until", "", s.text("cli.flag_model_until"))
	f.StringVar(&held, "holdout-until", "", s.text("cli.flag_model_holdout"))
	f.StringArrayVar(&params, "param", nil, s.text("cli.flag_model_param"))
	return c
}
