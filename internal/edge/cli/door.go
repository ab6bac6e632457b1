package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// session is an open door with the habits of one command.
type session struct {
	*state
	ctx  context.Context
	door Door
}

// with opens the door, runs fn and closes the door.
func (s *state) with(c *cobra.Command, fn func(*session) error) (err error) {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	door, err := s.Backend.Open(c.Context(), cfg, s.log(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, door.Close()) }()
	return fn(&session{state: s, ctx: c.Context(), door: door})
}

// problem is the error answer of the API.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
		Code     string `json:"code"`
	} `json:"errors,omitempty"`
}

// request sends one request; the caller closes the body of the answer, whose status is below 400.
func (s *session) request(method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(s.ctx, method, "http://guanxi/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("X-Workspace", s.ws())
	req.Header.Set("Accept-Language", string(s.locale()))
	res, err := s.door.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 400 {
		return res, nil
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	return nil, s.refuse(raw)
}

// refuse says what went wrong: to a person in words, with --json as the problem document itself.
func (s *session) refuse(raw []byte) error {
	var p problem
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("unexpected answer: %.200s", raw)
	}
	fmt.Fprintf(s.Stderr, "guanxi: %s (%s)\n", p.Title, p.Type)
	for _, e := range p.Errors {
		fmt.Fprintf(s.Stderr, "  %s: %s\n", e.Location, e.Message)
	}
	if s.json {
		if err := s.print(json.RawMessage(raw)); err != nil {
			return err
		}
	}
	return errSaid
}

// call sends a JSON request and reads a JSON answer into out (nil for none).
func (s *session) call(method, path string, in, out any) error {
	var body io.Reader
	kind := ""
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, kind = bytes.NewReader(raw), "application/json"
	}
	res, err := s.request(method, path, kind, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	dec := json.NewDecoder(res.Body)
	dec.UseNumber()
	return dec.Decode(out)
}

// show sends a request and prints the answer.
func (s *session) show(method, path string, in any) error {
	var out any
	if err := s.call(method, path, in, &out); err != nil {
		return err
	}
	return s.print(out)
}

// step is one line of a long operation's answer.
type step struct {
	Say     string          `json:"say"`
	Result  json.RawMessage `json:"result"`
	Problem json.RawMessage `json:"problem"`
}

// follow runs a long operation, repeats its progress on standard error and prints its result.
func (s *session) follow(path string, in any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	res, err := s.request(http.MethodPost, path, "application/json", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var st step
		if err := json.Unmarshal(lines.Bytes(), &st); err != nil {
			return fmt.Errorf("unexpected answer: %w", err)
		}
		switch {
		case st.Say != "":
			s.say(st.Say)
		case st.Problem != nil:
			return s.refuse(st.Problem)
		case st.Result != nil:
			return s.print(st.Result)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the operation ended without a result")
}

// upload sends a file with form values, streaming.
func (s *session) upload(path, file string, values map[string]string, out any) error {
	f, err := os.Open(file)
	if err != nil {
		return usage("%v", err)
	}
	defer f.Close()
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	go func() {
		err := func() error {
			for k, v := range values {
				if err := form.WriteField(k, v); err != nil {
					return err
				}
			}
			w, err := form.CreateFormFile("file", filepath.Base(file))
			if err != nil {
				return err
			}
			if _, err := io.Copy(w, f); err != nil {
				return err
			}
			return form.Close()
		}()
		pw.CloseWithError(err)
	}()
	res, err := s.request(http.MethodPost, path, form.FormDataContentType(), pr)
	if err != nil {
		_ = pr.CloseWithError(err)
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(out)
}

// table prints rows with a heading for a person; with --json the whole document instead.
func (s *session) table(doc any, heading []string, rows [][]string) error {
	if s.json {
		return s.print(doc)
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
