package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func absolute(name string) (string, error) { return filepath.Abs(name) }

func seg(s string) string { return url.PathEscape(s) }

func (s *state) record() *cobra.Command {
	get := s.command("get OBJECT ID", "record_get", cobra.ExactArgs(2), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/records/"+seg(a[0])+"/"+seg(a[1]), nil) })
	})
	return s.group("record", get, s.recordList(), s.recordCreate(), s.recordUpdate(), s.recordDelete())
}

func (s *state) recordList() *cobra.Command {
	var where, search, cursor string
	var sorts, fields []string
	var limit int
	c := s.command("list OBJECT", "record_list", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		body := map[string]any{"limit": limit, "search": search, "fields": fields}
		if where != "" {
			w, err := s.readJSON(where)
			if err != nil {
				return err
			}
			body["where"] = w
		}
		if cursor != "" {
			body["cursor"] = cursor
		}
		var order []map[string]any
		for _, k := range sorts {
			name, desc := strings.CutPrefix(k, "-")
			kind := "field"
			if t, ok := strings.CutPrefix(name, "trait."); ok {
				kind, name = "trait", t
			}
			order = append(order, map[string]any{kind: name, "desc": desc})
		}
		if order != nil {
			body["sort"] = order
		}
		return s.with(c, func(d *session) error { return d.list(a[0], body) })
	})
	f := c.Flags()
	f.StringVar(&where, "where", "", s.text("cli.flag_where"))
	f.StringVar(&search, "search", "", s.text("cli.flag_search"))
	f.StringSliceVar(&sorts, "sort", nil, s.text("cli.flag_sort"))
	f.StringSliceVar(&fields, "field", nil, s.text("cli.flag_fields"))
	f.IntVar(&limit, "limit", 50, s.text("cli.flag_limit"))
	f.StringVar(&cursor, "cursor", "", s.text("cli.flag_cursor"))
	return c
}

func (d *session) list(object string, body map[string]any) error {
	var out struct {
		Items []struct {
			ID    string `json:"id"`
			Title string `json:"title"`
		} `json:"items"`
	}
	var raw json.RawMessage
	if err := d.call(http.MethodPost, "/records/"+seg(object)+"/query", body, &raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return err
	}
	var rows [][]string
	for _, r := range out.Items {
		rows = append(rows, []string{r.ID, r.Title})
	}
	return d.table(raw, []string{"id", "title"}, rows)
}

// fieldsOf reads the values of a record: --set key=value (the value as JSON when it is JSON, else as text), or a document.
func (s *state) fieldsOf(sets []string, from string) (map[string]any, error) {
	out := map[string]any{}
	if from != "" {
		raw, err := s.readJSON(from)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, usage("%s is not a JSON object of fields", from)
		}
	}
	for _, kv := range sets {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, usage("--set %s is not KEY=VALUE", kv)
		}
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") || v == "null" || v == "true" || v == "false" {
			var parsed any
			if err := json.Unmarshal([]byte(v), &parsed); err == nil {
				out[k] = parsed
				continue
			}
		}
		out[k] = v
	}
	if len(out) == 0 {
		return nil, usage("no fields: --set KEY=VALUE or --from FILE.json")
	}
	return out, nil
}

func (s *state) fieldFlags(c *cobra.Command) (sets *[]string, from *string) {
	sets, from = new([]string), new(string)
	c.Flags().StringArrayVar(sets, "set", nil, s.text("cli.flag_set"))
	c.Flags().StringVar(from, "from", "", s.text("cli.flag_from"))
	return sets, from
}

func (s *state) recordCreate() *cobra.Command {
	c := s.command("create OBJECT", "record_create", cobra.ExactArgs(1), nil)
	sets, from := s.fieldFlags(c)
	c.RunE = func(c *cobra.Command, a []string) error {
		fields, err := s.fieldsOf(*sets, *from)
		if err != nil {
			return err
		}
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/records/"+seg(a[0]), map[string]any{"fields": fields})
		})
	}
	return c
}

func (s *state) recordUpdate() *cobra.Command {
	var version int64
	c := s.command("update OBJECT ID", "record_update", cobra.ExactArgs(2), nil)
	sets, from := s.fieldFlags(c)
	c.Flags().Int64Var(&version, "version", 0, s.text("cli.flag_version"))
	c.RunE = func(c *cobra.Command, a []string) error {
		fields, err := s.fieldsOf(*sets, *from)
		if err != nil {
			return err
		}
		return s.with(c, func(d *session) error {
			path := "/records/" + seg(a[0]) + "/" + seg(a[1])
			v, err := d.version(path, version)
			if err != nil {
				return err
			}
			return d.show(http.MethodPatch, path, map[string]any{"fields": fields, "version": v})
		})
	}
	return c
}

// version is the version named, or the present one of a record.
func (d *session) version(path string, given int64) (int64, error) {
	if given != 0 {
		return given, nil
	}
	var rec struct {
		Version int64 `json:"version"`
	}
	err := d.call(http.MethodGet, path, nil, &rec)
	return rec.Version, err
}

func (s *state) recordDelete() *cobra.Command {
	var version int64
	c := s.command("delete OBJECT ID", "record_delete", cobra.ExactArgs(2), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			path := "/records/" + seg(a[0]) + "/" + seg(a[1])
			v, err := d.version(path, version)
			if err != nil {
				return err
			}
			if err := d.call(http.MethodDelete, path+"?version="+strconv.FormatInt(v, 10), nil, nil); err != nil {
				return err
			}
			return s.print(map[string]any{"deleted": a[1]})
		})
	})
	c.Flags().Int64Var(&version, "version", 0, s.text("cli.flag_version"))
	return c
}

// importJob is an import as the API shows it, as far as the command line needs it.
type importJob struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	FileName string `json:"file_name"`
	Status   string `json:"status"`
	Progress struct {
		Rows       int64   `json:"rows"`
		Bytes      int64   `json:"bytes"`
		TotalBytes int64   `json:"total_bytes"`
		Rate       float64 `json:"rate"`
	} `json:"progress"`
	Mapping json.RawMessage `json:"mapping"`
	Result  *struct {
		Rows      int64                      `json:"rows"`
		Created   int64                      `json:"created"`
		Updated   int64                      `json:"updated"`
		Unchanged int64                      `json:"unchanged"`
		Skipped   int64                      `json:"skipped"`
		Errors    int64                      `json:"errors"`
		ByObject  map[string]json.RawMessage `json:"by_object,omitempty"`
		Seconds   float64                    `json:"seconds"`
		NoRate    map[string]int64           `json:"no_rate,omitempty"`
	} `json:"result"`
	Warnings []struct {
		Message string `json:"message"`
	} `json:"warnings"`
	Error json.RawMessage `json:"error"`
}

func (j importJob) over() bool {
	switch j.Status {
	case "uploaded", "checking", "running", "undoing":
		return false
	}
	return true
}

func (s *state) importer() *cobra.Command {
	var mapping, errorFile string
	var dry, list bool
	var o importFlags
	c := s.command("import OBJECT FILE", "import", cobra.MaximumNArgs(2), func(c *cobra.Command, a []string) error {
		if list {
			return s.with(c, func(d *session) error { return d.listImports() })
		}
		if len(a) != 2 {
			return usage("import needs an object and a file")
		}
		if err := o.check(); err != nil {
			return err
		}
		var m json.RawMessage
		if mapping != "" {
			var err error
			if m, err = s.readJSON(mapping); err != nil {
				return err
			}
		}
		run := importRun{object: a[0], file: a[1], mapping: m, flags: o, errorFile: errorFile, dry: dry}
		return s.with(c, func(d *session) error { return d.runImport(run) })
	})
	f := c.Flags()
	f.StringVar(&mapping, "mapping", "", s.text("cli.flag_mapping"))
	o.add(s, f)
	f.StringVar(&errorFile, "error-file", "", s.text("cli.flag_error_file"))
	f.BoolVar(&dry, "dry-run", false, s.text("cli.flag_dry_run"))
	f.BoolVar(&list, "list", false, s.text("cli.flag_list"))
	undo := s.command("undo ID", "import_undo", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			var j importJob
			if err := d.call(http.MethodPost, "/imports/"+seg(a[0])+"/undo", map[string]any{}, &j); err != nil {
				return err
			}
			return d.finish(j, "")
		})
	})
	c.AddCommand(undo)
	c.AddCommand(s.importMore()...)
	return c
}

func (d *session) listImports() error {
	var out struct {
		Items []importJob `json:"items"`
	}
	var raw json.RawMessage
	if err := d.call(http.MethodGet, "/imports", nil, &raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return err
	}
	var rows [][]string
	for _, j := range out.Items {
		rows = append(rows, []string{j.ID, j.Object, j.Status, j.FileName})
	}
	return d.table(raw, []string{"id", "object", "status", "file"}, rows)
}

// importRun is what the import command was told.
type importRun struct {
	object, file string
	mapping      json.RawMessage
	flags        importFlags
	errorFile    string
	dry          bool
}

func (d *session) runImport(r importRun) error {
	var j importJob
	if err := d.upload("/imports", r.file, map[string]string{"object": r.object}, &j); err != nil {
		return err
	}
	if err := d.shapeImport(&j, r); err != nil {
		return err
	}
	if err := d.call(http.MethodPost, "/imports/"+seg(j.ID)+"/start", map[string]any{"dry_run": r.dry}, &j); err != nil {
		return err
	}
	return d.finish(j, orElse(r.errorFile, r.file+".errors.csv"))
}

func orRaw(a, b json.RawMessage) json.RawMessage {
	if a != nil {
		return a
	}
	return b
}

// finish waits for an import to end, tells its progress, fetches its error file and prints the result.
func (d *session) finish(j importJob, errorFile string) error {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	said := time.Time{}
	for !j.over() {
		select {
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-tick.C:
		}
		if err := d.call(http.MethodGet, "/imports/"+seg(j.ID), nil, &j); err != nil {
			return err
		}
		if time.Since(said) > 2*time.Second {
			said = time.Now()
			d.say(fmt.Sprintf("%s %d rows, %.0f/s", j.Status, j.Progress.Rows, j.Progress.Rate))
		}
	}
	if j.Status == "done" || j.Status == "undone" {
		if err := d.settle(); err != nil {
			return err
		}
	}
	out := map[string]any{"id": j.ID, "status": j.Status}
	if r := j.Result; r != nil {
		out["rows"], out["created"], out["updated"], out["unchanged"], out["skipped"], out["errors"], out["seconds"] = r.Rows, r.Created, r.Updated, r.Unchanged, r.Skipped, r.Errors, r.Seconds
		out["error_file"] = nil
		if r.ByObject != nil {
			out["by_object"] = r.ByObject
		}
		if r.NoRate != nil {
			out["no_rate"] = r.NoRate
		}
		if errorFile != "" && (r.Errors > 0 || r.NoRate != nil) {
			if err := d.download("/imports/"+seg(j.ID)+"/errors", errorFile); err != nil {
				return err
			}
			out["error_file"] = errorFile
		}
	}
	if j.Error != nil && string(j.Error) != "null" {
		out["error"] = j.Error
	}
	for _, w := range j.Warnings {
		d.say(w.Message)
	}
	if err := d.print(out); err != nil {
		return err
	}
	if j.Status == "failed" || j.Status == "cancelled" {
		d.say("guanxi: import " + j.Status)
		return errSaid
	}
	return nil
}

// stalledAfter is how long a command waits for what follows its writes while nothing moves.
const stalledAfter = 2 * time.Minute

// settle waits until search, analytics, traits and classes have taken in what was written, so that the next command sees it.
func (d *session) settle() error {
	var s struct {
		Mirror struct {
			Lag int64 `json:"lag_changes"`
		} `json:"mirror"`
		Search struct {
			Lag int64 `json:"lag_changes"`
		} `json:"search"`
		Traits struct {
			Stale bool `json:"stale"`
		} `json:"traits"`
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	said, moved, last := time.Now(), time.Now(), int64(-1)
	for {
		if err := d.call(http.MethodGet, "/system", nil, &s); err != nil {
			return err
		}
		if s.Mirror.Lag == 0 && s.Search.Lag == 0 && !s.Traits.Stale {
			return nil
		}
		now := time.Now()
		if left := s.Mirror.Lag + s.Search.Lag; left != last {
			last, moved = left, now
		}
		if now.Sub(moved) > stalledAfter {
			d.say("analytics is still catching up; it goes on while the server runs")
			return nil
		}
		if now.Sub(said) > 2*time.Second {
			said = now
			d.say(fmt.Sprintf("catching up: analytics %d, search %d changes behind", s.Mirror.Lag, s.Search.Lag))
		}
		select {
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-tick.C:
		}
	}
}

func (d *session) download(path, file string) error {
	res, err := d.request(http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return save(res.Body, file)
}

// save writes a file that appears whole or not at all.
func save(r io.Reader, file string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".guanxi-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = io.Copy(f, r); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func (s *state) export() *cobra.Command {
	var where, segment, format, output string
	var fields []string
	c := s.command("export OBJECT", "export", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		if output == "" {
			return usage("export needs --output FILE")
		}
		if where != "" && segment != "" {
			return usage("--where and --segment exclude each other")
		}
		body := map[string]any{"format": format, "fields": fields, "segment": segment}
		if where != "" {
			w, err := s.readJSON(where)
			if err != nil {
				return err
			}
			body["where"] = w
		}
		return s.with(c, func(d *session) error { return d.runExport(a[0], body, output) })
	})
	f := c.Flags()
	f.StringVar(&where, "where", "", s.text("cli.flag_where"))
	f.StringVar(&segment, "segment", "", s.text("cli.flag_segment"))
	f.StringVar(&format, "format", "csv", s.text("cli.flag_format"))
	f.StringVar(&output, "output", "", s.text("cli.flag_output"))
	f.StringSliceVar(&fields, "field", nil, s.text("cli.flag_fields"))
	return c
}

func (d *session) runExport(object string, body map[string]any, output string) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	start := time.Now()
	res, err := d.request(http.MethodPost, "/records/"+seg(object)+"/export", "application/json", strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := save(res.Body, output); err != nil {
		return err
	}
	rows, err := strconv.ParseInt(res.Trailer.Get("X-Rows"), 10, 64)
	if err != nil {
		return fmt.Errorf("the export broke off: %s", output)
	}
	return d.print(map[string]any{"rows": rows, "file": output, "seconds": time.Since(start).Seconds()})
}

func (s *state) segment() *cobra.Command {
	sub := func(use, word, path string, method string) *cobra.Command {
		return s.command(use, word, cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
			return s.with(c, func(d *session) error { return d.show(method, "/segments/"+seg(a[0])+path, nil) })
		})
	}
	list := s.command("list", "segment_list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/segments", nil) })
	})
	return s.group("segment", list, sub("show KEY", "segment_show", "", http.MethodGet), s.segmentCount(), s.segmentMembers(), sub("refresh KEY", "segment_refresh", "/refresh", http.MethodPost))
}

func (s *state) segmentCount() *cobra.Command {
	var where string
	c := s.command("count [KEY]", "segment_count", cobra.MaximumNArgs(1), func(c *cobra.Command, a []string) error {
		if (where == "") == (len(a) == 0) {
			return usage("segment count needs a key or --where FILE")
		}
		node := any(map[string]any{"segment": strings.Join(a, ""), "op": "in"})
		if where != "" {
			w, err := s.readJSON(where)
			if err != nil {
				return err
			}
			node = w
		}
		return s.with(c, func(d *session) error {
			return d.show(http.MethodPost, "/segments/count", map[string]any{"where": node, "plan": true})
		})
	})
	c.Flags().StringVar(&where, "where", "", s.text("cli.flag_where"))
	return c
}

func (s *state) segmentMembers() *cobra.Command {
	var limit int
	var cursor string
	c := s.command("members KEY", "segment_members", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			if cursor != "" {
				q.Set("cursor", cursor)
			}
			return d.show(http.MethodGet, "/segments/"+seg(a[0])+"/members?"+q.Encode(), nil)
		})
	})
	c.Flags().IntVar(&limit, "limit", 100, s.text("cli.flag_limit"))
	c.Flags().StringVar(&cursor, "cursor", "", s.text("cli.flag_cursor"))
	return c
}

func (s *state) trait() *cobra.Command {
	list := s.command("list", "trait_list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/traits", nil) })
	})
	recompute := s.command("recompute", "trait_recompute", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.follow("/local/recompute", map[string]any{}) })
	})
	return s.group("trait", list, recompute)
}

func (s *state) classify() *cobra.Command {
	list := s.command("list", "classify_list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return s.with(c, func(d *session) error { return d.show(http.MethodGet, "/classifications", nil) })
	})
	show := s.command("show KEY", "classify_show", cobra.ExactArgs(1), func(c *cobra.Command, a []string) error {
		return s.with(c, func(d *session) error {
			var out struct {
				Items []map[string]any `json:"items"`
			}
			if err := d.call(http.MethodGet, "/classifications", nil, &out); err != nil {
				return err
			}
			for _, k := range out.Items {
				if k["key"] == a[0] {
					return d.print(k)
				}
			}
			return fmt.Errorf("no classification %q", a[0])
		})
	})
	return s.group("classify", list, show)
}
