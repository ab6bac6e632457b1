package cli

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// importFlags are what the command line says of an import beside its mapping file.
type importFlags struct {
	match, mode, duplicates, onError string
	sheet, encoding                  string
	headerRow                        int
	saved, saveAs                    string
}

func (o *importFlags) add(s *state, f *pflag.FlagSet) {
	f.StringVar(&o.match, "match", "", s.text("cli.flag_match"))
	f.StringVar(&o.mode, "mode", "", s.text("cli.flag_import_mode"))
	f.StringVar(&o.duplicates, "duplicates", "", s.text("cli.flag_duplicates"))
	f.StringVar(&o.onError, "on-error", "", s.text("cli.flag_on_error"))
	f.StringVar(&o.sheet, "sheet", "", s.text("cli.flag_sheet"))
	f.StringVar(&o.encoding, "encoding", "", s.text("cli.flag_import_encoding"))
	f.IntVar(&o.headerRow, "header-row", 0, s.text("cli.flag_header_row"))
	f.StringVar(&o.saved, "saved", "", s.text("cli.flag_saved"))
	f.StringVar(&o.saveAs, "save-as", "", s.text("cli.flag_save_as"))
}

func (o *importFlags) check() error {
	for _, x := range []struct {
		flag, value string
		allowed     []string
	}{
		{"on-error", o.onError, []string{"skip", "stop"}},
		{"mode", o.mode, []string{"upsert", "create", "update"}},
		{"duplicates", o.duplicates, []string{"create", "skip", "update", "mark", "review"}},
	} {
		if x.value != "" && !slices.Contains(x.allowed, x.value) {
			return usage("--%s is one of %s", x.flag, strings.Join(x.allowed, ", "))
		}
	}
	if o.headerRow < 0 {
		return usage("--header-row is the number of a row, from 1")
	}
	return nil
}

// format is what the flags say of how the file is read.
func (o *importFlags) format() map[string]any {
	out := map[string]any{}
	if o.sheet != "" {
		out["sheet"] = o.sheet
	}
	if o.encoding != "" {
		out["encoding"] = o.encoding
	}
	if o.headerRow > 0 {
		out["header_row"] = o.headerRow
	}
	return out
}

// adjust writes the flags into a mapping.
func (o *importFlags) adjust(m json.RawMessage) (map[string]any, error) {
	out := map[string]any{}
	if len(m) > 0 && string(m) != "null" {
		if err := json.Unmarshal(m, &out); err != nil {
			return nil, usage("the mapping is not a JSON object")
		}
	}
	options, _ := out["options"].(map[string]any)
	if options == nil {
		options = map[string]any{}
	}
	set := func(key, value string) {
		if value != "" {
			options[key] = value
		}
	}
	if o.match != "" {
		options["match"] = strings.Split(o.match, ",")
	}
	if o.mode == "upsert" {
		delete(options, "mode")
	} else {
		set("mode", o.mode)
	}
	set("duplicates", o.duplicates)
	set("on_error", o.onError)
	if len(options) > 0 {
		out["options"] = options
	}
	return out, nil
}

// savedMapping is a saved mapping as the API shows it.
type savedMapping struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Name   string `json:"name"`
}

func (d *session) savedMappings(object string) (items []savedMapping, raw json.RawMessage, err error) {
	var out struct {
		Items []savedMapping `json:"items"`
	}
	path := "/import-mappings"
	if object != "" {
		path += "?object=" + seg(object)
	}
	if err := d.call(http.MethodGet, path, nil, &raw); err != nil {
		return nil, nil, err
	}
	err = json.Unmarshal(raw, &out)
	return out.Items, raw, err
}

// findSaved is the id of a saved mapping by its name or id.
func (d *session) findSaved(object, name string) (string, error) {
	items, _, err := d.savedMappings(object)
	if err != nil {
		return "", err
	}
	for _, m := range items {
		if m.ID == name || strings.EqualFold(m.Name, name) {
			return m.ID, nil
		}
	}
	return "", usage("there is no saved mapping named %s", name)
}

// shapeImport gives an uploaded file its format and mapping, and saves the mapping where that is asked for.
func (d *session) shapeImport(j *importJob, r importRun) error {
	at := "/imports/" + seg(j.ID)
	if f := r.flags.format(); len(f) > 0 {
		if err := d.call(http.MethodPatch, at, map[string]any{"mapping": map[string]any{"format": f}}, j); err != nil {
			return err
		}
	}
	if r.flags.saved != "" {
		saved, err := d.findSaved(r.object, r.flags.saved)
		if err != nil {
			return err
		}
		if err := d.call(http.MethodPatch, at, map[string]any{"saved": saved}, j); err != nil {
			return err
		}
	}
	m, err := r.flags.adjust(orRaw(r.mapping, j.Mapping))
	if err != nil {
		return err
	}
	if err := d.call(http.MethodPatch, at, map[string]any{"mapping": m}, j); err != nil {
		return err
	}
	if r.flags.saveAs == "" {
		return nil
	}
	return d.call(http.MethodPost, at+"/saved", map[string]any{"name": r.flags.saveAs, "replace": true}, nil)
}

// importMore are the commands around imports: templates, corrected rows, saved mappings.
func (s *state) importMore() []*cobra.Command {
	var output string
	template := s.command("template OBJECT", "import_template", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			to := orElse(output, a[0]+"-template.xlsx")
			if err := d.download("/import-templates/"+seg(a[0]), to); err != nil {
				return err
			}
			return d.print(map[string]any{"file": to})
		})
	})
	template.Flags().StringVar(&output, "output", "", s.text("cli.flag_output"))
	var errorFile string
	retry := s.command("retry ID FILE", "import_retry", cobra.ExactArgs(2), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			var j importJob
			if err := d.upload("/imports/"+seg(a[0])+"/retry", a[1], nil, &j); err != nil {
				return err
			}
			if err := d.call(http.MethodPost, "/imports/"+seg(j.ID)+"/start", map[string]any{}, &j); err != nil {
				return err
			}
			return d.finish(j, orElse(errorFile, a[1]+".errors.csv"))
		})
	})
	retry.Flags().StringVar(&errorFile, "error-file", "", s.text("cli.flag_error_file"))
	return []*cobra.Command{template, retry, s.importMappings()}
}

func (s *state) importMappings() *cobra.Command {
	list := s.command("mappings", "import_mappings", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error {
			items, raw, err := d.savedMappings("")
			if err != nil {
				return err
			}
			var rows [][]string
			for _, m := range items {
				rows = append(rows, []string{m.ID, m.Object, m.Name})
			}
			return d.table(raw, []string{"id", "object", "name"}, rows)
		})
	})
	list.AddCommand(s.command("delete NAME", "import_mapping_delete", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			v, err := d.findSaved("", a[0])
			if err != nil {
				return err
			}
			if err := d.call(http.MethodDelete, "/import-mappings/"+seg(v), nil, nil); err != nil {
				return err
			}
			return d.print(map[string]any{"id": v, "deleted": true})
		})
	}))
	return list
}
