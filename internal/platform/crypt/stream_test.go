package crypt_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// TestStream: any length comes back, and nothing that was cut, moved, changed or put elsewhere does.
func TestStream(t *testing.T) {
	t.Parallel()
	k, err := crypt.New("main", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	at := crypt.Place{Object: "attachment", Field: "content", Record: 5}
	key := k.NewStreamKey()
	seal := func(plain []byte) []byte {
		var out bytes.Buffer
		w, err := k.SealStream(key, at, &out)
		if err == nil {
			_, err = w.Write(plain)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	open := func(at crypt.Place, sealed []byte) ([]byte, error) {
		r, err := k.OpenStream(key, at, bytes.NewReader(sealed))
		if err != nil {
			t.Fatal(err)
		}
		return io.ReadAll(r)
	}
	const seg = crypt.SegmentSize
	for _, n := range []int{0, 1, seg - 1, seg, seg + 1, 3 * seg, 3*seg + 17} {
		plain := bytes.Repeat([]byte("guanxi7"), n/7+1)[:n]
		sealed := seal(plain)
		if int64(len(sealed)) != crypt.SealedSize(int64(n)) {
			t.Errorf("%d bytes sealed are %d, not %d", n, len(sealed), crypt.SealedSize(int64(n)))
		}
		if got, err := open(at, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
	whole := seal(bytes.Repeat([]byte{1}, 3*seg))
	full := seg + 16
	swapped := append(append(bytes.Clone(whole[full:2*full]), whole[:full]...), whole[2*full:]...)
	changed := bytes.Clone(whole)
	changed[full+9] ^= 1
	for name, bad := range map[string][]byte{"cut at a segment": whole[:2*full], "cut inside": whole[:2*full+9], "longer": append(bytes.Clone(whole), whole[:full]...), "moved": swapped, "changed": changed, "nothing": {}} {
		if _, err := open(at, bad); fault.CodeOf(err) != "crypt.value_tampered" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(crypt.Place{Object: "attachment", Field: "content", Record: 6}, whole); fault.CodeOf(err) != "crypt.value_tampered" {
		t.Errorf("elsewhere: %v", err)
	}
}
