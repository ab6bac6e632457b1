package place_test

import (
	"net/netip"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/place"
	"github.com/guanxi-crm/guanxi/internal/base/region"
)

// TestKnownNetworks: networks of universities, resolvers and providers, whose seats are public.
func TestKnownNetworks(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]place.Place{
		"8.8.8.8":           {Country: "US"},
		"::ffff:8.8.8.8":    {Country: "US"},
		"2a00:1450:4001::1": {Country: "DE"},                   // Frankfurt
		"2001:da8:200::1":   {Country: "CN", Region: "110100"}, // Tsinghua
		"101.6.6.6":         {Country: "CN", Region: "110100"}, // Tsinghua
		"202.96.209.5":      {Country: "CN", Region: "310100"}, // Shanghai, 电信
		"202.96.128.86":     {Country: "CN", Region: "440100"}, // Guangzhou, 电信
		"223.5.5.5":         {Country: "CN", Region: "330100"}, // Hangzhou, Alibaba
		"147.8.2.1":         {Country: "CN", Region: "810000"}, // University of Hong Kong
		"140.112.2.1":       {Country: "CN", Region: "710000"}, // National Taiwan University
		"133.11.0.1":        {Country: "JP"},                   // University of Tokyo
		"193.99.144.80":     {Country: "DE"},
	} {
		if got, ok := place.Of(netip.MustParseAddr(address)); !ok || got != want {
			t.Errorf("%s is in %+v, %v; want %+v", address, got, ok, want)
		}
	}
	for _, address := range []string{"127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "::1", "fe80::1", "fd00::1", "0.0.0.0", "224.0.0.1", "255.255.255.255"} {
		if got, ok := place.Of(netip.MustParseAddr(address)); ok {
			t.Errorf("%s is in %+v", address, got)
		}
	}
	if _, ok := place.Of(netip.Addr{}); ok {
		t.Error("no address is somewhere")
	}
}

// TestRegionsAreRegions: whatever address of China is asked for, its region is one of the standard, a province or a city.
func TestRegionsAreRegions(t *testing.T) {
	t.Parallel()
	chinese, cities := 0, 0
	for i := range 1 << 18 { // one address of each /18
		n := uint32(i)<<14 | 0x1234 //nolint:gosec // small
		p, ok := place.Of(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
		if !ok {
			continue
		}
		if len(p.Country) != 2 || p.Country != "CN" && p.Region != "" || p.Country == "HK" || p.Country == "TW" || p.Country == "MO" {
			t.Fatalf("%d: %+v", i, p)
		}
		if p.Country != "CN" {
			continue
		}
		chinese++
		if p.Region == "" {
			continue
		}
		r, known := region.Get(p.Region)
		if !known || r.Level == region.County {
			t.Fatalf("%+v is %+v", p, r)
		}
		if r.Level == region.City {
			cities++
		}
	}
	if chinese < 10_000 || cities < chinese*3/4 {
		t.Errorf("%d addresses of China, %d with a city", chinese, cities)
	}
}

func BenchmarkOf(b *testing.B) {
	a := netip.MustParseAddr("202.96.128.86")
	for b.Loop() {
		place.Of(a)
	}
}
