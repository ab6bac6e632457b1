package app_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

const picture = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"

// attach adds a file to a record: in a form, or with raw as the whole body.
func (c *client) attach(record, name string, content io.Reader, raw bool) answer {
	c.Helper()
	path, kind := record+"/files", "application/octet-stream"
	if raw {
		path += "?name=" + name
	} else {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err != nil || w.Close() != nil {
			c.Fatal(err)
		}
		content, kind = &form, w.FormDataContentType()
	}
	req, err := http.NewRequestWithContext(c.Context(), "POST", c.server.URL+api.Prefix+path, content)
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-CSRF-Token", c.csrf)
	return c.send(req)
}

func (c *client) attached(record, name, content string) api.File {
	c.Helper()
	var f api.File
	if err := c.want(201, c.attach(record, name, strings.NewReader(content), false)).json(&f); err != nil {
		c.Fatal(err)
	}
	return f
}

func fileNames(c *client, record string) string {
	c.Helper()
	var out []string
	for _, f := range read[api.FileList](c, "GET", record+"/files", "", 200).Items {
		out = append(out, f.Name)
	}
	return strings.Join(out, " ")
}

// TestFiles: what is added is found, shown and downloaded as it was by whoever sees the record; what a file is says its content;
// names are cleaned; what is removed comes back.
func TestFiles(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		boss, reader := s.as(access.Manager), s.as(access.ReadOnly)
		customer := boss.make("王小姐")
		at := "/records/customer/" + customer.ID
		f := boss.attached(at, `..\..\etc/量体:照片.png`, picture)
		if f.Name != "量体_照片.png" || f.Media != "image/png" || !f.Preview || f.Size != int64(len(picture)) || !f.CanChange {
			t.Errorf("%+v", f)
		}
		for _, in := range []struct{ inline, want string }{{"?inline=true", "inline"}, {"", "attachment"}} {
			got := reader.want(200, reader.do("GET", "/files/"+f.ID+"/content"+in.inline, ""))
			if string(got.body) != picture || !strings.HasPrefix(got.header.Get("Content-Disposition"), in.want+";") || got.header.Get("Content-Type") != "image/png" ||
				got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
				t.Errorf("%v %q", got.header, got.body)
			}
		}
		reader.want(304, reader.with("If-None-Match", `"`+f.ID+`"`).do("GET", "/files/"+f.ID+"/content", ""))

		// A page that calls itself a picture is neither shown nor run.
		page := boss.attached(at, "photo.png", "<!doctype html><script>alert(1)</script>")
		got := reader.want(200, reader.do("GET", "/files/"+page.ID+"/content?inline=true", ""))
		if page.Preview || page.Media != "text/plain" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("%+v %v", page, got.header)
		}

		// Large content comes back whole, in many segments; too large, empty or nameless is refused or made good.
		large := strings.Repeat("0123456789abcdef", 200<<10/16*5) + "end"
		var big api.File
		if err := boss.want(201, boss.attach(at, "big.bin", strings.NewReader(large), true)).json(&big); err != nil {
			t.Fatal(err)
		}
		if got := reader.do("GET", "/files/"+big.ID+"/content", ""); string(got.body) != large {
			t.Errorf("%d bytes came back, %d were sent", len(got.body), len(large))
		}
		boss.wantCode(413, "attachment.too_large", boss.attach(at, "huge.bin", bytes.NewReader(make([]byte, 50<<20+1)), true))
		boss.wantCode(422, "attachment.empty", boss.attach(at, "none.txt", strings.NewReader(""), false))
		if f := boss.attached(at, "...", "x"); f.Name != "file" {
			t.Errorf("%q", f.Name)
		}

		// Who may not change the record changes no files, and nobody finds one that is not there.
		reader.wantCode(403, "access.forbidden", reader.attach(at, "x", strings.NewReader("x"), false))
		reader.wantCode(403, "access.forbidden", reader.do("DELETE", "/files/"+f.ID, ""))
		boss.wantCode(404, "attachment.not_found", boss.do("GET", "/files/fil_0000000000001/content", ""))

		boss.wantCode(422, "attachment.name_required", boss.do("PATCH", "/files/"+f.ID, `{"name":" "}`))
		if f := read[api.File](boss, "PATCH", "/files/"+f.ID, `{"name":"尺寸.png"}`, 200); f.Name != "尺寸.png" {
			t.Errorf("%q", f.Name)
		}
		boss.want(204, boss.do("DELETE", "/files/"+f.ID, ""))
		boss.want(204, boss.do("DELETE", "/files/"+f.ID, ""))
		boss.wantCode(404, "attachment.not_found", boss.do("GET", "/files/"+f.ID+"/content", ""))
		if names := fileNames(reader, at); names != "file big.bin photo.png" {
			t.Errorf("%s", names)
		}
		line := read[api.Timeline](reader, "GET", at+"/timeline?kinds=file", "", 200)
		if len(line.Items) != 4 || line.Items[3].File == nil || line.Items[3].File.DeletedAt == nil || line.Items[3].File.DeletedBy == nil || line.Items[0].File.CanChange {
			t.Errorf("%+v", line.Items)
		}
		read[api.File](boss, "POST", "/files/"+f.ID+"/restore", "", 200)
		if names := fileNames(reader, at); names != "file big.bin photo.png 尺寸.png" {
			t.Errorf("%s", names)
		}

		// What became part of another record shows its files there.
		other := boss.make("王晓明")
		read[mergeAnswer](boss, "POST", "/records/customer/merge", `{"survivor":"`+other.ID+`","ids":["`+customer.ID+`"]}`, 200)
		if names := fileNames(reader, "/records/customer/"+other.ID); names != "file big.bin photo.png 尺寸.png" {
			t.Errorf("after the merge: %s", names)
		}
		if f := read[api.File](boss, "PATCH", "/files/"+f.ID, `{"name":"a.png"}`, 200); !f.CanChange {
			t.Error("the survivor's files cannot be changed")
		}
		if raw := stored(t, s); bytes.Contains(raw, []byte("0123456789abcdef")) || len(raw) < len(large) {
			t.Errorf("%d bytes are stored, in the clear or not at all", len(raw))
		}
	})
}

// make adds a customer.
func (c *client) make(name string) rec {
	c.Helper()
	return read[rec](c, "POST", "/records/customer", `{"fields":{"name":"`+name+`"}}`, 201)
}

// stored is all content that the site keeps.
func stored(t *testing.T, s *site) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.app.Config.Data, "workspaces", "main", "files", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, p := range files {
		raw, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw...)
	}
	return out
}

// TestFilesOfOthers: to whom a record is out of sight its files do not exist; who sees it without reaching it for a change only
// reads them.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		o := newOffice(t, s)
		o.role("own", `{"name":"own","objects":{"*":{"actions":{"read":{"scope":"all"}}},"customer":`+grants("own")+`}}`)
		o.role("look", `{"name":"look","objects":{"*":{"actions":{"read":{"scope":"all"},"update":{"scope":"own"}}}}}`)
		ann, bob, eve := o.person("ann", o.roles["own"]), o.person("bob", o.roles["own"]), o.person("eve", o.roles["look"])
		a := o.site.owned(ann)
		f := ann.attached(a, "x.png", picture)
		bob.wantCode(404, "record.not_found", bob.do("GET", a+"/files", ""))
		bob.wantCode(404, "record.not_found", bob.attach(a, "x", strings.NewReader("x"), false))
		for _, try := range []struct{ method, path, body string }{{"GET", "/content", ""}, {"PATCH", "", `{"name":"y"}`}, {"DELETE", "", ""}, {"POST", "/restore", ""}} {
			bob.wantCode(404, "attachment.not_found", bob.do(try.method, "/files/"+f.ID+try.path, try.body))
		}
		eve.want(200, eve.do("GET", "/files/"+f.ID+"/content", ""))
		eve.wantCode(403, "record.forbidden", eve.do("DELETE", "/files/"+f.ID, ""))
		eve.wantCode(403, "record.forbidden", eve.attach(a, "x", strings.NewReader("x"), false))
	})
}

// owned is the address of a customer of somebody's own.
func (s *site) owned(c *client) string {
	s.Helper()
	return fmt.Sprintf("/records/customer/%s", c.make("李小姐").ID)
}
