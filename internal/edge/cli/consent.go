package cli

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// consents are what customers agreed to.
func (s *state) consents() *cobra.Command {
	var by string
	var try bool
	imported := s.command("import FILE", "consent_import", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		return s.with(c, func(d *session) error { return d.importConsents(args[0], by, try) })
	})
	imported.Flags().StringVar(&by, "by", "id", s.text("cli.flag_consent_by"))
	imported.Flags().BoolVar(&try, "dry-run", false, s.text("cli.flag_dry_run"))
	return s.group("consent", imported)
}

// consentsAtOnce is how many statements go in one request.
const consentsAtOnce = 1000

// consentColumns are those that a file may have; the first four it must.
var consentColumns = []string{"customer", "purpose", "channel", "state", "time", "wording", "source", "page", "note", "evidence", "guardian"}

const consentMust = 4

// consentImport is an import on its way.
type consentImport struct {
	d     *session
	by    string
	try   bool
	lines []int
	items []map[string]any

	rows, fresh, known, failed int
	reasons                    map[string]int
}

// consentRow is a line of the file as a statement. Its key is made of what it says, so that the same file written twice is written once.
func consentRow(head, row []string) (map[string]any, error) {
	item := map[string]any{}
	sum := sha256.New()
	for i, column := range head {
		value := strings.TrimSpace(row[i])
		sum.Write([]byte(column + "\x00" + value + "\x00"))
		if value == "" {
			continue
		}
		switch column {
		case "time":
			at, err := consentTime(value)
			if err != nil {
				return nil, err
			}
			item["at"] = at
		case "wording":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("wording %q is no number", value)
			}
			item["wording"] = n
		case "guardian":
			item["guardian"] = value == "true" || value == "1" || value == "yes" || value == "是"
		default:
			item[column] = value
		}
	}
	item["once"] = hex.EncodeToString(sum.Sum(nil))[:40]
	return item, nil
}

func consentTime(value string) (string, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, value, time.Local); err == nil {
			return at.Format(time.RFC3339), nil
		}
	}
	return "", fmt.Errorf("time %q is not like 2026-01-31, 2026-01-31 08:00 or 2026-01-31T08:00:00Z", value)
}

// consentHead checks the first line.
func consentHead(row []string) ([]string, error) {
	head := make([]string, len(row))
	have := map[string]bool{}
	for i, column := range row {
		head[i] = strings.ToLower(strings.TrimSpace(column))
		have[head[i]] = true
		known := false
		for _, c := range consentColumns {
			known = known || c == head[i]
		}
		if !known {
			return nil, usage("column %q is not one of %s", column, strings.Join(consentColumns, ", "))
		}
	}
	for _, c := range consentColumns[:consentMust] {
		if !have[c] {
			return nil, usage("the file has no column %q", c)
		}
	}
	return head, nil
}

func (c *consentImport) read(r io.Reader) error {
	rows := csv.NewReader(r)
	first, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return usage("the file is empty")
	}
	if err != nil {
		return err
	}
	head, err := consentHead(first)
	if err != nil {
		return err
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return c.send()
		}
		if err != nil {
			return err
		}
		line, _ := rows.FieldPos(0)
		c.rows++
		item, err := consentRow(head, row)
		if err != nil {
			c.fail(line, "cli.consent_line", err.Error())
			continue
		}
		c.lines, c.items = append(c.lines, line), append(c.items, item)
		if len(c.items) == consentsAtOnce {
			if err := c.send(); err != nil {
				return err
			}
		}
	}
}

func (c *consentImport) fail(line int, code, message string) {
	c.failed++
	c.reasons[code]++
	c.d.say(fmt.Sprintf("line %d: %s (%s)", line, message, code))
}

func (c *consentImport) send() error {
	if len(c.items) == 0 {
		return nil
	}
	var out struct {
		New, Known int
		Errors     []struct {
			Index         int
			Code, Message string
		}
	}
	if err := c.d.call(http.MethodPost, "/consents/import", map[string]any{"by": c.by, "try": c.try, "items": c.items}, &out); err != nil {
		return err
	}
	c.fresh, c.known = c.fresh+out.New, c.known+out.Known
	for _, e := range out.Errors {
		c.fail(c.lines[e.Index], e.Code, e.Message)
	}
	c.lines, c.items = c.lines[:0], c.items[:0]
	return nil
}

// importConsents brings a file of statements in: CSV with a head, gzip or not.
func (s *session) importConsents(file, by string, try bool) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return usage("%v", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	mark := make([]byte, 3)
	n, err := io.ReadFull(f, mark)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return usage("%s: %v", file, err)
	}
	r := io.MultiReader(bytes.NewReader(bytes.TrimPrefix(mark[:n], []byte("\xef\xbb\xbf"))), f)
	if n > 1 && mark[0] == 0x1f && mark[1] == 0x8b {
		if r, err = gzip.NewReader(r); err != nil {
			return err
		}
	}
	c := &consentImport{d: s, by: by, try: try, reasons: map[string]int{}}
	if err := c.read(r); err != nil {
		return err
	}
	return s.print(map[string]any{"rows": c.rows, "new": c.fresh, "known": c.known, "errors": c.failed, "reasons": c.reasons, "dry_run": try})
}
