package crypt_test

import (
	"bytes"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

func TestTextThatStandsByItself(t *testing.T) {
	t.Parallel()
	old, young := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	ring := func(workspace string, secrets ...[]byte) *crypt.Keyring {
		k, err := crypt.New(workspace, secrets...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	place := crypt.Place{Object: "event", Field: "trait"}
	k := ring("main", old)
	for _, plain := range []string{"13800138000", "", "张三@例子.中国"} {
		sealed, err := k.SealText(place, plain)
		if err != nil {
			t.Fatal(err)
		}
		if other, _ := k.SealText(place, plain); other == sealed {
			t.Error("the same value is sealed twice alike")
		}
		for _, r := range []*crypt.Keyring{k, ring("main", young, old)} {
			if got, err := r.OpenText(place, sealed); err != nil || got != plain {
				t.Errorf("%q became %q, %v", plain, got, err)
			}
		}
		if got, err := ring("other", old).OpenText(place, sealed); err == nil {
			t.Errorf("another workspace reads %q", got)
		}
		if got, err := k.OpenText(crypt.Place{Object: "event", Field: "other"}, sealed); err == nil {
			t.Errorf("another place reads %q", got)
		}
		for _, bad := range []string{"", "x", sealed[:len(sealed)-2], "A" + sealed[1:]} {
			if got, err := k.OpenText(place, bad); err == nil && bad != sealed {
				t.Errorf("%q reads %q", bad, got)
			}
		}
	}
}
