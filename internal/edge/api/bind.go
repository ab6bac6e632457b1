package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// maxDepth bounds the nesting of a JSON body.
const maxDepth = 64

// Body limits in bytes.
const (
	bodyLimit      = 1 << 20
	batchBodyLimit = 16 << 20
)

// binder reads one request into an input struct: fields tagged path, query or header, and a field Body for JSON.
type binder struct {
	fields []boundField
	body   int // index of the field Body, -1 for none
	typ    reflect.Type
}

type boundField struct {
	index      int
	from, name string
	kind       reflect.Kind
	elem       reflect.Kind // of a pointer
}

func newBinder(t reflect.Type) *binder {
	b := &binder{body: -1, typ: t}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "Body" {
			b.body = i
			continue
		}
		for _, from := range []string{"path", "query", "header"} {
			if name, ok := f.Tag.Lookup(from); ok {
				bf := boundField{index: i, from: from, name: name, kind: f.Type.Kind()}
				if bf.kind == reflect.Pointer {
					bf.elem = f.Type.Elem().Kind()
				}
				b.fields = append(b.fields, bf)
			}
		}
	}
	return b
}

// bind fills v, a pointer to the input struct.
func (b *binder) bind(c *call, v reflect.Value, limit int64) error {
	v = v.Elem()
	q := c.r.URL.Query()
	var bad []*fault.Fault
	for _, f := range b.fields {
		var text string
		var given bool
		switch f.from {
		case "path":
			text, given = c.r.PathValue(f.name), true
		case "query":
			text, given = q.Get(f.name), q.Has(f.name)
		case "header":
			text = c.r.Header.Get(f.name)
			given = text != ""
		}
		if !given {
			continue
		}
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			bad = append(bad, fault.InvalidField("api.bad_text", f.name, nil))
			continue
		}
		if !setScalar(v.Field(f.index), text) {
			bad = append(bad, fault.InvalidField("api.bad_parameter", f.name, nil))
		}
	}
	if f := fault.Join("api.invalid", bad); f != nil {
		return f
	}
	if b.body < 0 {
		return nil
	}
	raw, err := c.readBody(limit)
	if err != nil {
		return err
	}
	return decodeStrict(raw, v.Field(b.body).Addr().Interface())
}

func setScalar(v reflect.Value, text string) bool {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if !setScalar(p.Elem(), text) {
			return false
		}
		v.Set(p)
		return true
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false
		}
		v.SetInt(n)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return false
		}
		v.SetBool(b)
	default:
		return false
	}
	return true
}

// readBody reads a JSON body once and keeps it for the idempotency digest.
func (c *call) readBody(limit int64) ([]byte, error) {
	if c.body != nil {
		return c.body, nil
	}
	if ct := c.r.Header.Get("Content-Type"); ct != "" || c.r.ContentLength > 0 {
		kind, _, err := mime.ParseMediaType(ct)
		if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return nil, fault.New(fault.Invalid, "api.content_type", nil)
		}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": limit >> 20})
	case err != nil:
		return nil, fault.New(fault.Invalid, "api.bad_request", nil)
	}
	c.body = raw
	return raw, nil
}

// decodeStrict reads one JSON value into v: valid UTF-8, no deeper than maxDepth, nothing behind it, no member that v does
// not know (told with its place), no NUL in a text. An empty body stands for an empty object.
func decodeStrict(raw []byte, v any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	if !utf8.Valid(raw) {
		return fault.New(fault.Invalid, "api.bad_json", fault.Params{"offset": 0})
	}
	if tooDeep(raw) {
		return fault.New(fault.Invalid, "api.too_deep", fault.Params{"max": maxDepth})
	}
	var tree any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return fault.New(fault.Invalid, "api.bad_json", fault.Params{"offset": dec.InputOffset()})
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "api.bad_json", fault.Params{"offset": dec.InputOffset()})
	}
	var bad []*fault.Fault
	inspect(tree, reflect.TypeOf(v), "", &bad)
	if f := fault.Join("api.invalid", bad); f != nil {
		return f
	}
	dec = json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		var te *json.UnmarshalTypeError
		if errors.As(err, &te) {
			return fault.InvalidField("api.bad_type", te.Field, fault.Params{"type": te.Value})
		}
		if f, ok := fault.Find(err); ok {
			return f
		}
		return fault.New(fault.Invalid, "api.invalid", nil)
	}
	return nil
}

// tooDeep counts brackets outside of texts.
func tooDeep(raw []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// inspect walks a decoded value beside the type it will become and collects members that the type does not have.
func inspect(v any, t reflect.Type, path string, bad *[]*fault.Fault) {
	for t != nil && t.Kind() == reflect.Pointer && !t.Implements(unmarshaler) {
		t = t.Elem()
	}
	typed := t != nil && !t.Implements(unmarshaler) && !reflect.PointerTo(t).Implements(unmarshaler)
	switch v := v.(type) {
	case string:
		if strings.ContainsRune(v, 0) {
			*bad = append(*bad, fault.InvalidField("api.bad_text", path, nil))
		}
	case []any:
		var elem reflect.Type
		if typed && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
			elem = t.Elem()
		}
		for i, x := range v {
			inspect(x, elem, join(path, strconv.Itoa(i)), bad)
		}
	case map[string]any:
		inspectObject(v, t, typed, path, bad)
	}
}

func inspectObject(v map[string]any, t reflect.Type, typed bool, path string, bad *[]*fault.Fault) {
	var members map[string]reflect.Type
	var elem reflect.Type
	if typed {
		switch t.Kind() {
		case reflect.Struct:
			members = jsonMembers(t)
		case reflect.Map:
			elem = t.Elem()
		}
	}
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		at := join(path, k)
		next := elem
		if members != nil {
			var ok bool
			if next, ok = members[k]; !ok {
				*bad = append(*bad, fault.InvalidField("api.unknown_field", at, fault.Params{"field": k}))
				continue
			}
		}
		if strings.ContainsRune(k, 0) {
			*bad = append(*bad, fault.InvalidField("api.bad_text", at, nil))
		}
		inspect(v[k], next, at, bad)
	}
}

func jsonMembers(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			e := f.Type
			if e.Kind() == reflect.Pointer {
				e = e.Elem()
			}
			if e.Kind() == reflect.Struct {
				for k, v := range jsonMembers(e) {
					out[k] = v
				}
			}
		case name != "-" && name != "" && f.IsExported():
			out[name] = f.Type
		}
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
