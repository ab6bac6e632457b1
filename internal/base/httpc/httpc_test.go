package httpc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/httpc"
)

func TestOnlyThePublicInternet(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8": true, "114.114.114.114": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"2606:4700:4700::1111": true, "2400:3200::1": true,
		"127.0.0.1": false, "127.255.255.254": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.100.100.200": false, "100.64.0.1": false, "192.0.0.192": false, "198.18.0.1": false, "203.0.113.5": false, "224.0.0.1": false,
		"255.255.255.255": false, "240.0.0.1": false, "192.88.99.1": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::a00:1": false,
		"2002:7f00:1::": false, "2001:0:7f00:1::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "fec0::1": false,
		"ff02::1": false, "2001:db8::1": false, "100::1": false, "3fff::1": false,
	} {
		if got := httpc.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v, want %v", text, got, want)
		}
	}
}

func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	nets, err := httpc.Networks("127.0.0.0/8, 10.0.0.5,169.254.0.0/16,::1/128")
	if err != nil {
		t.Fatal(err)
	}
	g := &httpc.Guard{Allowed: nets}
	for text, want := range map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true, "10.0.0.5": true, "10.0.0.6": false, "169.254.169.254": false, "::1": true, "8.8.8.8": true} {
		if err := g.Check(netip.MustParseAddr(text)); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := httpc.Networks("10.0.0.0/33"); err == nil {
		t.Error("a network that is none was read")
	}
}

// server counts the requests that reach it.
func server(t *testing.T) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	return s, &n
}

func get(t *testing.T, c *http.Client, url string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func TestLocalServerIsNotReached(t *testing.T) {
	t.Parallel()
	s, n := server(t)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	c := (&httpc.Guard{}).Client(httpc.Options{Timeout: 5 * time.Second})
	for _, url := range []string{"http://127.0.0.1", "http://localhost", "http://[::ffff:127.0.0.1]", "http://0.0.0.0", "https://127.0.0.1", "https://localhost", "https://[::1]"} {
		var refused *httpc.Refused
		if _, err := get(t, c, url+port+"/"); !errors.As(err, &refused) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if n.Load() != 0 {
		t.Errorf("%d requests reached the server", n.Load())
	}
	nets, err := httpc.Networks("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c = (&httpc.Guard{Allowed: nets}).Client(httpc.Options{Timeout: 5 * time.Second})
	if status, err := get(t, c, s.URL+"/away"); status != http.StatusFound || err != nil || n.Load() != 1 {
		t.Errorf("a redirect: %d %v after %d requests", status, err, n.Load())
	}
	if _, err := get(t, c, "file:///etc/hostname"); !errors.Is(err, httpc.ErrScheme) {
		t.Errorf("a file: %v", err)
	}
}

// TestRebinding: a name that is public when somebody looks and local when it is dialled is refused, at every connection.
func TestRebinding(t *testing.T) {
	t.Parallel()
	s, n := server(t)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	var asked atomic.Int64
	names := rebinder(t, &asked)
	ips, err := names.LookupNetIP(t.Context(), "ip4", "rebind.test.")
	if err != nil || len(ips) != 1 || !httpc.Public(ips[0].Unmap()) {
		t.Fatalf("the first answer is %v, %v", ips, err)
	}
	for _, scheme := range []string{"http://", "https://"} {
		c := (&httpc.Guard{}).Client(httpc.Options{Timeout: 5 * time.Second, Resolver: names})
		var refused *httpc.Refused
		if _, err := get(t, c, scheme+"rebind.test."+port+"/"); !errors.As(err, &refused) || !refused.Addr.IsLoopback() {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	nets, err := httpc.Networks("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	before := n.Load()
	open := (&httpc.Guard{Allowed: nets}).Client(httpc.Options{Timeout: 5 * time.Second, Resolver: names})
	if status, err := get(t, open, "http://rebind.test."+port+"/"); status != 200 || err != nil {
		t.Errorf("the stand-in for names does not lead to the server: %d %v", status, err)
	}
	if before != 0 || n.Load() != 1 {
		t.Errorf("%d requests reached the server before it was allowed, %d after", before, n.Load())
	}
}

// rebinder is a server of names that answers 8.8.8.8 once and 127.0.0.1 ever after.
func rebinder(t *testing.T, asked *atomic.Int64) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			k, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			q := buf[:k]
			end := 12
			for q[end] != 0 {
				end += int(q[end]) + 1
			}
			end += 5 // the zero, type and class
			out := append([]byte{}, q[:end]...)
			out[2], out[3] = 0x81, 0x80
			binary.BigEndian.PutUint16(out[6:], 0)
			binary.BigEndian.PutUint16(out[8:], 0)
			binary.BigEndian.PutUint16(out[10:], 0)
			if binary.BigEndian.Uint16(q[end-4:]) == 1 { // A
				addr := []byte{127, 0, 0, 1}
				if asked.Add(1) == 1 {
					addr = []byte{8, 8, 8, 8}
				}
				binary.BigEndian.PutUint16(out[6:], 1)
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				out = append(out, addr...)
			}
			_, _ = conn.WriteTo(out, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
