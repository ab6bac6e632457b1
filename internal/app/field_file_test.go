package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// photo is a picture of some size as a camera makes it, with the place where it was taken.
func photo(t *testing.T, w, h int, shade uint8) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	raw := b.String()
	const place = "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00GPS 31.2304N"
	return raw[:2] + "\xff\xe1\x00" + string(rune(len(place)+2)) + place + raw[2:]
}

// send uploads a file for a field.
func (c *client) sendTo(object, field, name, content string) answer {
	c.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err != nil || w.Close() != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.Context(), "POST", c.server.URL+api.Prefix+"/records/"+object+"/fields/"+field+"/files", &form)
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("X-CSRF-Token", c.csrf)
	return c.send(req)
}

func (c *client) sent(object, field, name, content string) api.FileValue {
	c.Helper()
	var f api.FileValue
	if err := c.want(201, c.sendTo(object, field, name, content)).json(&f); err != nil {
		c.Fatal(err)
	}
	return f
}

// named are the names of the files in a field of a record.
func (r shownRecord) named(field string) string {
	list, _ := r.Fields[field].([]any)
	out := make([]string, len(list))
	for i, v := range list {
		m, _ := v.(map[string]any)
		out[i], _ = m["name"].(string)
	}
	return strings.Join(out, " ")
}

func (c *client) now(r shownRecord) shownRecord {
	c.Helper()
	return read[shownRecord](c, "GET", "/records/"+r.Object+"/"+r.ID, "", 200)
}

// gowns is an object with pictures and with contracts.
func (s *site) gowns() *client {
	s.Helper()
	c := s.as(access.Administrator)
	c.want(201, c.do("POST", "/objects", `{"key":"gown","label":{"zh-CN":"礼服","en":"Gown"},"plural":{"en":"Gowns"}}`))
	c.want(201, c.do("POST", "/objects/gown/fields", `{"key":"pictures","type":"image","label":{"zh-CN":"图片","en":"Pictures"},"max":3}`))
	c.want(201, c.do("POST", "/objects/gown/fields", `{"key":"contract","type":"file","label":{"zh-CN":"合同","en":"Contract"},"kinds":["pdf","text"],"max_mb":1}`))
	return c
}

// TestFieldsHoldFiles: what is uploaded for a field joins the record with the write that names it, is shown, found, counted, exported,
// put into order, removed, brought back, and merged; a picture loses its place and gets a small one.
func TestFieldsHoldFiles(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		c := s.gowns()
		one, two := c.sent("gown", "pictures", "front.jpg", photo(t, 1200, 600, 200)), c.sent("gown", "pictures", "back.jpg", photo(t, 600, 1200, 90))
		if one.Type != "image/jpeg" || one.Width != 1200 || one.Height != 600 || one.Thumbnail == "" {
			t.Fatalf("%+v", one)
		}
		gown := c.create("gown", fmt.Sprintf(`{"name":"星河","pictures":[%q,{"id":%q}]}`, one.ID, two.ID))
		if gown.named("pictures") != "front.jpg back.jpg" {
			t.Fatalf("%v", gown.Fields)
		}
		content := c.want(200, c.do("GET", "/files/"+one.ID+"/content?inline=true", ""))
		if strings.Contains(string(content.body), "GPS") || !strings.HasPrefix(content.header.Get("Content-Disposition"), "inline") {
			t.Error("the place is still there, or the picture cannot be shown")
		}
		small := c.want(200, c.do("GET", "/files/"+one.ID+"/thumbnail", ""))
		m, kind, err := image.DecodeConfig(bytes.NewReader(small.body))
		if err != nil || kind != "jpeg" || m.Width != 480 || m.Height != 240 || small.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%v %s %+v", err, kind, m)
		}
		c.want(304, c.with("If-None-Match", small.header.Get("ETag")).do("GET", "/files/"+one.ID+"/thumbnail", ""))
		if raw := stored(t, s); bytes.Contains(raw, []byte("JFIF")) || bytes.Contains(raw, []byte("\xff\xd8\xff")) {
			t.Error("pictures lie there in the clear")
		}
		if list := read[api.FileList](c, "GET", "/records/gown/"+gown.ID+"/files", "", 200); len(list.Items) != 0 {
			t.Errorf("they are among the files beside the record: %+v", list.Items)
		}
		c.wantCode(409, "attachment.of_field", c.do("DELETE", "/files/"+one.ID, ""))

		other := c.create("gown", `{"name":"晨曦"}`)
		for where, want := range map[string]string{
			`{"field":"pictures","op":"is_set"}`: "星河", `{"field":"pictures","op":"is_not_set"}`: "晨曦", `{"field":"pictures","op":"contains","value":"FRONT"}`: "星河",
			`{"field":"pictures.count","op":">=","value":2}`: "星河", `{"field":"pictures.count","op":"=","value":1}`: "", `{"field":"pictures","op":"contains","value":"side"}`: "",
		} {
			var titles []string
			for _, r := range read[struct{ Items []shownRecord }](c, "POST", "/records/gown/query", `{"where":`+where+`}`, 200).Items {
				titles = append(titles, r.Title)
			}
			if strings.Join(titles, " ") != want {
				t.Errorf("%s: %v", where, titles)
			}
		}
		csv := string(c.want(200, c.do("POST", "/records/gown/export", `{"format":"csv","fields":["name","pictures"]}`)).body)
		lines := string(c.want(200, c.do("POST", "/records/gown/export", `{"format":"ndjson","fields":["name","pictures"]}`)).body)
		if !strings.Contains(csv, "front.jpg") || strings.Contains(csv, one.ID) || !strings.Contains(lines, one.ID) || strings.Contains(lines, "front.jpg") {
			t.Errorf("%s\n%s", csv, lines)
		}
		c.want(201, c.do("POST", "/objects/gown/fields", `{"key":"how_many","label":{"en":"How many"},"formula":"pictures + 1"}`))
		if n := c.now(gown).Fields["how_many"]; fmt.Sprint(n) != "3" {
			t.Errorf("a formula counts %v", n)
		}

		// Order, removal, and what history brings back.
		third := c.sent("gown", "pictures", "side.png", gray(t))
		gown = c.change(gown, fmt.Sprintf(`{"pictures":[%q,%q]}`, two.ID, third.ID))
		if gown.named("pictures") != "back.jpg side.png" {
			t.Errorf("%v", gown.Fields)
		}
		c.wantCode(404, "attachment.not_found", c.do("GET", "/files/"+one.ID+"/content", ""))
		c.wantCode(404, "attachment.not_found", c.do("GET", "/files/"+one.ID+"/thumbnail", ""))
		past := string(c.want(200, c.do("GET", "/records/gown/"+gown.ID+"/history", "")).body)
		if !strings.Contains(past, "front.jpg") || !strings.Contains(past, "side.png") {
			t.Errorf("%s", past)
		}
		gown = c.change(gown, fmt.Sprintf(`{"pictures":[%q,%q,%q]}`, third.ID, one.ID, two.ID))
		c.want(200, c.do("GET", "/files/"+one.ID+"/content", ""))
		fourth := c.sent("gown", "pictures", "x.png", gray(t))
		c.wantCode(422, "schema.too_many_files", c.do("POST", "/records/gown", fmt.Sprintf(`{"fields":{"name":"x","pictures":[%q,%q,%q,%q]}}`, third.ID, one.ID, two.ID, fourth.ID)))

		// A file belongs to one record, to one field, and to who uploaded it.
		for _, try := range []string{
			fmt.Sprintf(`{"name":"x","pictures":[%q]}`, one.ID), fmt.Sprintf(`{"name":"x","contract":[%q]}`, fourth.ID), `{"name":"x","pictures":["fil_0000000000001"]}`,
		} {
			c.wantCode(422, "record.file_unknown", c.do("POST", "/records/gown", `{"fields":`+try+`}`))
		}

		// The survivor of a merge can have what another record held, and gives it back.
		other = c.change(other, fmt.Sprintf(`{"pictures":[%q]}`, fourth.ID))
		merged := read[mergeAnswer](c, "POST", "/records/gown/merge", fmt.Sprintf(`{"survivor":%q,"ids":[%q],"fields":{"pictures":%q}}`, gown.ID, other.ID, other.ID), 200)
		if got := c.now(gown); got.named("pictures") != "x.png" {
			t.Errorf("%v", got.Fields)
		}
		c.want(200, c.do("GET", "/files/"+fourth.ID+"/thumbnail", ""))
		c.want(200, c.do("POST", "/records/gown/unmerge", fmt.Sprintf(`{"merge":%q}`, merged.Merge)))
		if a, b := c.now(gown).named("pictures"), c.now(other).named("pictures"); a != "side.png front.jpg back.jpg" || b != "x.png" {
			t.Errorf("after the merge was undone: %q and %q", a, b)
		}
		for _, f := range []api.FileValue{one, two, third, fourth} {
			c.want(200, c.do("GET", "/files/"+f.ID+"/content", ""))
		}
	})
}

func gray(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestUploadsForFieldsAreChecked: kind, size and wholeness count by content.
func TestUploadsForFieldsAreChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.gowns()
	whole := photo(t, 400, 400, 50)
	for _, try := range []struct {
		status         int
		code           string
		field, content string
	}{
		{422, "attachment.not_picture", "pictures", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`},
		{422, "attachment.bad_picture", "pictures", whole[:len(whole)/2]},
		{422, "attachment.bad_picture", "pictures", "\x89PNG\r\n\x1a\n but nothing more"},
		{422, "attachment.empty", "pictures", ""},
		{422, "attachment.kind_refused", "contract", whole},
		{413, "attachment.too_large", "contract", strings.Repeat("合同", 1<<18)},
		{404, "record.unknown_field", "no_such", "x"},
		{409, "attachment.no_file_field", "name", "x"},
	} {
		c.wantCode(try.status, try.code, c.sendTo("gown", try.field, "x.png", try.content))
	}
	c.wantCode(404, "record.unknown_object", c.sendTo("no_such", "pictures", "x.png", whole))
	if raw := stored(t, s); len(raw) != 0 {
		t.Errorf("%d bytes of what was refused stayed", len(raw))
	}
	// A picture that would not fit into memory is kept without a small one.
	bomb := c.sent("gown", "pictures", "huge.gif", "GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	if bomb.Thumbnail != "" || bomb.Width != 65535 {
		t.Errorf("%+v", bomb)
	}
	c.want(200, c.do("PATCH", "/objects/gown/fields/contract", `{"kinds":[],"max_mb":0,"max":4}`))
	c.sent("gown", "contract", "x.jpg", whole)
	for body, code := range map[string]string{`{"max":51}`: "metadata.bad_max", `{"max_mb":2000}`: "metadata.bad_max_mb", `{"kinds":["program"]}`: "metadata.bad_kind"} {
		c.wantCode(422, code, c.do("PATCH", "/objects/gown/fields/contract", body))
	}
	c.wantCode(422, "metadata.declared_member", c.do("PATCH", "/objects/product/fields/images", `{"max":2}`))
}

// TestFilesOfFieldsAreForThoseWhoSeeTheField: to whom a field is hidden or masked its files do not exist, by any address; who only reads
// it adds none; a file that waits is its uploader's alone.
func TestFilesOfFieldsAreForThoseWhoSeeTheField(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		o := newOffice(t, s)
		c := s.gowns()
		fields := func(level string) string {
			return `{"name":"` + level + `","objects":{"*":` + strings.TrimSuffix(grants("all"), "}") + `},"gown":` + strings.TrimSuffix(grants("all"), "}") + `,"fields":{"pictures":"` + level + `"}}}}`
		}
		for _, level := range []string{"hidden", "masked", "read"} {
			o.role(level, fields(level))
		}
		o.role("own", `{"name":"own","objects":{"*":`+grants("own")+`}}`)
		hidden, masked, reader, stranger := o.person("hid", o.roles["hidden"]), o.person("mas", o.roles["masked"]), o.person("rea", o.roles["read"]), o.person("str", o.roles["own"])
		f := c.sent("gown", "pictures", "front.jpg", photo(t, 100, 100, 10))
		waiting := c.sent("gown", "pictures", "waits.jpg", photo(t, 100, 100, 10))
		gown := c.create("gown", fmt.Sprintf(`{"name":"星河","pictures":[%q]}`, f.ID))
		for _, path := range []string{"/content", "/content?inline=true", "/thumbnail"} {
			for _, who := range []*client{hidden, masked, stranger} {
				who.wantCode(404, "attachment.not_found", who.do("GET", "/files/"+f.ID+path, ""))
			}
			reader.want(200, reader.do("GET", "/files/"+f.ID+path, ""))
			for _, who := range []*client{hidden, masked, reader, stranger} {
				who.wantCode(404, "attachment.not_found", who.do("GET", "/files/"+waiting.ID+path, ""))
			}
		}
		for _, who := range []*client{hidden, masked} {
			for _, path := range []string{"", "/history", "/files", "/timeline"} {
				if a := who.want(200, who.do("GET", "/records/gown/"+gown.ID+path, "")); bytes.Contains(a.body, []byte(f.ID)) || bytes.Contains(a.body, []byte("front.jpg")) {
					t.Errorf("%s tells of the file: %s", path, a.body)
				}
			}
			if a := who.do("POST", "/records/gown/query", `{"where":{"field":"pictures","op":"contains","value":"front"}}`); a.status == 200 {
				t.Error("the names can be asked for")
			}
		}
		hidden.wantCode(404, "record.unknown_field", hidden.sendTo("gown", "pictures", "x.jpg", photo(t, 9, 9, 1)))
		masked.wantCode(403, "record.field_closed", masked.sendTo("gown", "pictures", "x.jpg", photo(t, 9, 9, 1)))
		reader.wantCode(403, "record.field_closed", reader.sendTo("gown", "pictures", "x.jpg", photo(t, 9, 9, 1)))
		nobody := s.client()
		nobody.want(401, nobody.do("GET", "/files/"+f.ID+"/thumbnail", ""))
		// Somebody else's upload cannot be taken.
		stranger.wantCode(422, "record.file_unknown", stranger.do("POST", "/records/gown", fmt.Sprintf(`{"fields":{"name":"x","pictures":[%q]}}`, waiting.ID)))
	})
}

// TestUploadsWaitForADay: what no record took goes in the night after, row and content; what a record took stays; a purged record takes
// its files along.
func TestUploadsWaitForADay(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC))
	a := open(t, app.Options{Config: settings(t, nil), Clock: now})
	s := prepare(t, a)
	c := s.gowns()
	kept, lost := c.sent("gown", "pictures", "kept.jpg", photo(t, 100, 100, 10)), c.sent("gown", "pictures", "lost.jpg", photo(t, 100, 100, 20))
	gown := c.create("gown", fmt.Sprintf(`{"name":"星河","pictures":[%q]}`, kept.ID))
	night := func() {
		t.Helper()
		if err := a.QueueNightly(t.Context()); err != nil {
			t.Fatal(err)
		}
		for {
			did, err := a.Jobs().Step(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !did {
				return
			}
		}
	}
	blobs := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(a.Config.Data, "workspaces", "main", "files", "*", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if blobs() != 4 {
		t.Fatalf("%d contents and small pictures", blobs())
	}
	now.Set(time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC))
	night()
	if blobs() != 4 {
		t.Fatalf("%d are left within the day", blobs())
	}
	now.Set(time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC))
	night()
	if blobs() != 2 {
		t.Errorf("%d are left after the day", blobs())
	}
	c = s.as(access.Administrator)
	c.wantCode(404, "attachment.not_found", c.do("GET", "/files/"+lost.ID+"/content", ""))
	c.wantCode(422, "record.file_unknown", c.do("POST", "/records/gown", fmt.Sprintf(`{"fields":{"name":"x","pictures":[%q]}}`, lost.ID)))
	c.want(200, c.do("GET", "/files/"+kept.ID+"/content", ""))
	c.change(gown, `{"pictures":null}`)
	now.Set(time.Date(2026, 12, 22, 20, 0, 0, 0, time.UTC))
	night()
	if blobs() != 0 {
		t.Errorf("%d are left after the time of the bin", blobs())
	}
	c = s.as(access.Administrator)
	versions := string(c.want(200, c.do("GET", "/records/gown/"+gown.ID+"/history", "")).body)
	if !strings.Contains(versions, kept.ID) || strings.Contains(versions, "kept.jpg") {
		t.Errorf("%s", versions)
	}
	// Bringing back a version leaves out what is gone.
	back := read[shownRecord](c.with("If-Match", "*"), "POST", "/records/gown/"+gown.ID+"/revert", `{"to":1,"fields":["pictures"]}`, 200)
	if back.named("pictures") != "" {
		t.Errorf("%v", back.Fields)
	}
}
