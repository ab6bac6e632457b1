package schema_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

func files(n ...int64) []string {
	out := make([]string, len(n))
	for i, v := range n {
		out[i] = id.Format(schema.FilePrefix, id.ID(v))
	}
	return out
}

func TestFilesAreAListOfIDs(t *testing.T) {
	t.Parallel()
	f := &schema.Field{Key: "f", Type: schema.Image, Max: 3, Physical: "f"}
	three := files(7, 5, 6)
	for _, c := range []struct {
		name string
		in   any
		want any
		code string
	}{
		{"ids in their order", []any{three[0], three[1], three[2]}, three, ""},
		{"what the API prints", []any{map[string]any{"id": three[1], "name": "x"}}, three[1:2], ""},
		{"one alone", three[2], three[2:], ""},
		{"twice is once", []any{three[0], three[0]}, three[:1], ""},
		{"none", []any{}, nil, ""},
		{"another kind of id", []any{"cus_0000000000001"}, nil, "schema.not_files"},
		{"no id", []any{map[string]any{"name": "x"}}, nil, "schema.not_files"},
		{"a number", 5.0, nil, "schema.not_files"},
		{"too many", []any{three[0], three[1], three[2], files(8)[0]}, nil, "schema.too_many_files"},
	} {
		got, bad := schema.ParseJSON(f, c.in, schema.ParseEnv{})
		if code(bad) != c.code || c.code == "" && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, %v", c.name, got, bad)
		}
	}
	one := &schema.Field{Key: "f", Type: schema.File, Physical: "f"}
	if _, bad := schema.ParseJSON(one, []any{three[0], three[1]}, schema.ParseEnv{}); code(bad) != "schema.too_many_files" {
		t.Errorf("a field without a number holds one: %v", bad)
	}
}

func TestFilesAreStoredByIDAndCounted(t *testing.T) {
	t.Parallel()
	f := &schema.Field{Key: "f", Type: schema.File, Max: 9, Physical: "f"}
	list := files(7, 5)
	cols := schema.Encode(nil, f, list, &schema.EncodeEnv{})
	want := []any{"|" + list[0] + "|" + list[1] + "|", nil, int64(2)}
	if !reflect.DeepEqual(cols, want) {
		t.Fatalf("%#v", cols)
	}
	if back := schema.Decode(f, cols); !reflect.DeepEqual(back, list) {
		t.Errorf("%#v", back)
	}
	if ids := schema.FileIDs(list); !reflect.DeepEqual(ids, []id.ID{7, 5}) {
		t.Errorf("%v", ids)
	}
	names := schema.ParseEnv{FileName: func(file string) string {
		if file == list[0] {
			return "合同.pdf"
		}
		return ""
	}}
	if text := schema.FormatText(f, list, names); text != "合同.pdf" {
		t.Errorf("%q", text)
	}
	if text := schema.FormatText(f, list, schema.ParseEnv{}); text != strings.Join(list, "、") {
		t.Errorf("%q", text)
	}
	if back, bad := schema.ParseText(f, strings.Join(list, "、"), schema.ParseEnv{}); bad != nil || !reflect.DeepEqual(back, list) {
		t.Errorf("%v %v", back, bad)
	}
	if schema.Sortable(f) || !schema.Filterable(f) || schema.Conversions(&schema.Field{Type: schema.Image, Custom: true}) != nil {
		t.Error("what can be done with files is another thing")
	}
}

func TestKindsOfFiles(t *testing.T) {
	t.Parallel()
	const office = "application/vnd.openxmlformats-officedocument."
	for media, want := range map[string]string{
		"image/webp x.webp": "image", "application/pdf a.pdf": "pdf", office + "wordprocessingml.document a.docx": "document", "application/x-ole-storage a.XLS": "spreadsheet",
		"application/x-ole-storage a.doc": "document", "application/x-ole-storage a": "other", "text/plain a.csv": "spreadsheet", "text/plain a.svg": "text",
		"audio/amr a.amr": "audio", "video/mp4 a.mp4": "video", "application/zip a.zip": "archive", "application/octet-stream a.png": "other",
	} {
		var kind, name string
		if _, err := fmt.Sscan(media, &kind, &name); err != nil {
			t.Fatal(err)
		}
		if got := schema.FileKind(kind, name); got != want {
			t.Errorf("%s: %s, want %s", media, got, want)
		}
	}
	pdf := &schema.Field{Type: schema.File, Kinds: []string{"pdf"}}
	image := &schema.Field{Type: schema.Image}
	if !pdf.Takes("application/pdf", "a") || pdf.Takes("image/png", "a.pdf") || !image.Takes("image/gif", "a") || image.Takes("text/plain", "a.svg") || image.Takes("image/tiff", "a.png") {
		t.Error("a field takes what it should not, or the other way round")
	}
}
