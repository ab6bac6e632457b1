// Package httpc makes HTTP clients for addresses that people type in, so that the server cannot be made to speak with what
// only it can reach: itself, its network, the metadata service of a cloud.
//
// Guarantees. An address is looked at when the connection is made, after the name was resolved, and the very address that
// was looked at is dialled: a name that answers differently the second time changes nothing. Every connection is checked
// anew. Only addresses of the public internet are reached, and those of networks that the operator allows; http without TLS
// only reaches the latter. No proxy of the environment is used, no redirect is followed, and nothing is decompressed.
package httpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Refused is the error of an address that must not be reached.
type Refused struct{ Addr netip.Addr }

func (r *Refused) Error() string { return fmt.Sprintf("the address %s is not public", r.Addr) }

// ErrScheme is the error of an address that is neither http nor https.
var ErrScheme = errors.New("only http and https are spoken")

// Networks reads a comma-separated list of prefixes or single addresses.
func Networks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if a, err := netip.ParseAddr(part); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Guard decides which addresses may be reached. The zero value allows the public internet alone.
type Guard struct {
	// Allowed are further networks. Link-local addresses, where clouds keep their metadata, stay closed whatever it says.
	Allowed []netip.Prefix
}

// private lists what is not the public internet: the special-purpose registries of IANA.
func private() []netip.Prefix {
	const list = "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.31.196.0/24," +
		"192.52.193.0/24,192.88.99.0/24,192.168.0.0/16,192.175.48.0/24,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,224.0.0.0/4,240.0.0.0/4," +
		"2001::/23,2001:db8::/32,2002::/16,2620:4f:8000::/48,3fff::/20"
	out, err := Networks(list)
	if err != nil { // a constant
		panic(err)
	}
	return out
}

// Allows reports whether an operator's network holds the address.
func (g *Guard) Allows(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	for _, p := range g.Allowed {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Public reports whether an address belongs to the public internet. Addresses that carry another inside (IPv4-mapped, NAT64,
// 6to4, Teredo) are not: what they reach is the one inside.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() && !netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(a) {
		return false // beyond 2000::/3 nothing is global: loopback, unique local, link-local, NAT64, multicast
	}
	for _, p := range private() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Check answers a Refused for an address that must not be reached.
func (g *Guard) Check(a netip.Addr) error {
	if Public(a) || g.Allows(a) {
		return nil
	}
	return &Refused{Addr: a}
}

// Options are what a client is made of.
type Options struct {
	// Timeout is for the whole exchange: resolving, dialling, TLS, request and answer.
	Timeout time.Duration
	// Resolver answers names; nil is the machine's.
	Resolver *net.Resolver
	// TLS is the configuration of connections, nil for the machine's roots.
	TLS *tls.Config
}

const (
	keepIdle     = 30 * time.Second
	headerAtMost = 64 << 10
)

// Client makes a client that reaches what the guard allows. Connections are kept for half a minute.
func (g *Guard) Client(o Options) *http.Client {
	dial := func(check func(netip.Addr) error) func(context.Context, string, string) (net.Conn, error) {
		d := &net.Dialer{Resolver: o.Resolver, ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return ErrScheme
			}
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("address to dial: %w", err)
			}
			return check(ap.Addr())
		}}
		return d.DialContext
	}
	transport := func(check func(netip.Addr) error) *http.Transport {
		return &http.Transport{DialContext: dial(check), TLSClientConfig: o.TLS, DisableCompression: true, IdleConnTimeout: keepIdle, MaxIdleConnsPerHost: 4,
			MaxResponseHeaderBytes: headerAtMost, ForceAttemptHTTP2: true}
	}
	plain := func(a netip.Addr) error {
		if g.Allows(a) {
			return nil
		}
		return &Refused{Addr: a}
	}
	return &http.Client{Timeout: o.Timeout, Transport: byScheme{plain: transport(plain), secure: transport(g.Check)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// byScheme keeps connections with and without TLS apart, since they may reach different networks.
type byScheme struct{ plain, secure *http.Transport }

// RoundTrip implements http.RoundTripper.
func (b byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.Scheme {
	case "https":
		return b.secure.RoundTrip(r)
	case "http":
		return b.plain.RoundTrip(r)
	}
	return nil, ErrScheme
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (b byScheme) CloseIdleConnections() {
	b.plain.CloseIdleConnections()
	b.secure.CloseIdleConnections()
}
