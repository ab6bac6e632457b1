package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

func TestFindThroughWrapping(t *testing.T) {
	t.Parallel()
	f := fault.Wrap(fault.Unavailable, "store.disk_full", io.ErrShortWrite)
	err := fmt.Errorf("append changes: %w", f)
	if got, ok := fault.Find(err); !ok || got != f || fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "store.disk_full" {
		t.Fatalf("found %v, %v", got, ok)
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Error("the cause is lost")
	}
	if fault.KindOf(io.EOF) != fault.Internal || fault.CodeOf(io.EOF) != "" {
		t.Error("a foreign error is internal and has no code")
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	if fault.Join("x.invalid", nil) != nil {
		t.Error("nothing joined is not nil")
	}
	a, b := fault.InvalidField("x.required", "name", nil), fault.InvalidField("x.too_long", "note", fault.Params{"max": 5})
	if fault.Join("x.invalid", []*fault.Fault{a}) != a {
		t.Error("one fault is not kept as it is")
	}
	j := fault.Join("x.invalid", []*fault.Fault{a, b})
	if j.Kind != fault.Invalid || len(j.Items) != 2 {
		t.Errorf("joined %+v", j)
	}
	if want := "x.invalid; x.required at name; x.too_long at note max=5"; j.Error() != want {
		t.Errorf("prints %q, want %q", j, want)
	}
}

func TestAt(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{{"", "fields", "fields"}, {"name", "fields", "fields.name"}, {"/all/0", "/where", "/where/all/0"}} {
		f := &fault.Fault{Code: "x", Field: c[0]}
		if got := f.At(c[1]).Field; got != c[2] || f.Field != c[0] {
			t.Errorf("%q at %q is %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
