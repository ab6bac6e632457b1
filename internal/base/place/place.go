// Package place says where an address of the network is: in which country, and in China in which province and city, without asking anybody.
//
// The table is made from the free database "IP to City Lite" of DB-IP by cmd/place and embedded (data/README.md names its date and licence). What
// an address tells is where its provider registered the network: the country is nearly always right, the province mostly, the city often that in which
// the provider has its seat. A region is a hint for counting many visits and no statement about one person.
//
// Countries are ISO 3166 codes, regions GB/T 2260 codes of package region: of a city where the table knows it, else of a province. Hong Kong, Macao
// and Taiwan are regions of CN, as in the standard. Private and reserved addresses are nowhere.
//
// The table is read at first use and takes about 8 MB; everything is safe for concurrent use. A look-up takes below a microsecond.
package place

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sort"
	"strings"
	"sync"
)

// Place is where an address is. The zero value is nowhere.
type Place struct {
	Country string // ISO 3166, two capitals
	Region  string // GB/T 2260, in CN alone; "" where it is not known
}

//go:embed data/networks.bin.gz
var source []byte

// stretches are the addresses of one version of the protocol: the i-th stretch reaches from begin[i] to the next one.
type stretches[T uint32 | uint64] struct {
	begin []T
	place []uint16
}

type table struct {
	places []Place
	four   stretches[uint32]
	six    stretches[uint64] // by the first 48 bits
}

var load = sync.OnceValues(func() (*table, error) { return read(source) })

var errDamaged = errors.New("the table of networks is damaged")

func read(packed []byte) (*table, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	names, rest, ok := bytes.Cut(raw, []byte("\n\n"))
	if !ok {
		return nil, errDamaged
	}
	t := &table{places: []Place{{}}}
	for line := range strings.SplitSeq(string(names), "\n") {
		country, region, _ := strings.Cut(line, " ")
		t.places = append(t.places, Place{Country: country, Region: region})
	}
	if t.four, rest, err = readStretches[uint32](rest, len(t.places)); err != nil {
		return nil, err
	}
	t.six, rest, err = readStretches[uint64](rest, len(t.places))
	if err != nil || len(rest) > 0 {
		return nil, errDamaged
	}
	return t, nil
}

func readStretches[T uint32 | uint64](b []byte, places int) (s stretches[T], rest []byte, err error) {
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err = errDamaged
			return 0
		}
		b = b[n:]
		return v
	}
	n := next()
	if err != nil || n > uint64(len(b)) {
		return s, nil, errDamaged
	}
	s.begin, s.place = make([]T, n), make([]uint16, n)
	at := uint64(0)
	for i := range s.begin {
		at += next()
		p := next()
		if err != nil || p >= uint64(places) {
			return s, nil, errDamaged
		}
		s.begin[i], s.place[i] = T(at), uint16(p) //nolint:gosec // made to fit
	}
	return s, b, nil
}

func (s *stretches[T]) find(v T) uint16 {
	i := sort.Search(len(s.begin), func(i int) bool { return s.begin[i] > v })
	if i == 0 {
		return 0
	}
	return s.place[i-1]
}

// Of is where an address is; ok is false for nowhere.
func Of(a netip.Addr) (p Place, ok bool) {
	a = a.Unmap()
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
		return Place{}, false
	}
	t, err := load()
	if err != nil { // the tests hold that it is whole
		return Place{}, false
	}
	if a.Is4() {
		b := a.As4()
		p = t.places[t.four.find(binary.BigEndian.Uint32(b[:]))]
	} else {
		b := a.As16()
		p = t.places[t.six.find(binary.BigEndian.Uint64(b[:8])>>16)]
	}
	return p, p != Place{}
}
