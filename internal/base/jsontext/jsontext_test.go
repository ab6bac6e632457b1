package jsontext_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/jsontext"
)

func TestTextsAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	same := func(t interface{ Fatalf(string, ...any) }, s string) {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if got := string(jsontext.Append([]byte("x"), s)) + "\n"; got != "x"+want.String() {
			t.Fatalf("%q is %s, not %s", s, got, want.String())
		}
	}
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
	}
	for _, s := range []string{"", "王小明", "a\"b\\c/d<e>&", string(all), "\u2028\u2029\ufffd", "\xe4\xbd", "\x7f\x00\b\f\n\r\t"} {
		same(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		same(t, rapid.String().Draw(t, "text"))
		same(t, string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
	})
}
