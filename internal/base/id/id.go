// Package id makes and prints record ids: positive 64-bit integers of 41 bits of milliseconds since 2024-01-01 UTC,
// 10 bits of node and 12 bits of sequence, shown as a prefix and 13 characters of Crockford base32 ("cus_01H…").
// Ids of one generator rise strictly; the zero ID means "none".
package id

import (
	"fmt"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// ID is a record's identity inside one workspace.
type ID int64

const (
	epoch    = 1704067200000 // 2024-01-01T00:00:00Z in milliseconds
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	width    = 13
)

// Generator makes ids for one node. It is safe for concurrent use and never goes backwards, even when the clock does.
type Generator struct {
	mu    sync.Mutex
	clock clock.Clock
	node  int64
	last  int64
	seq   int64
}

// NewGenerator makes ids of node (0..1023).
func NewGenerator(c clock.Clock, node int) *Generator {
	return &Generator{clock: c, node: int64(node) & 1023}
}

// Next is a new id.
func (g *Generator) Next() ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now().UnixMilli() - epoch
	if now > g.last {
		g.last, g.seq = now, 0
	} else if g.seq++; g.seq > 4095 {
		g.last, g.seq = g.last+1, 0
	}
	return ID(g.last<<22 | g.node<<12 | g.seq)
}

// Made is when an id was made, in milliseconds since 1970.
func Made(v ID) int64 { return int64(v)>>22 + epoch }

// Format prints an id with a prefix, "" for the zero id.
func Format(prefix string, v ID) string {
	if v == 0 {
		return ""
	}
	var b [width]byte
	n := uint64(v)
	for i := width - 1; i >= 0; i-- {
		b[i] = alphabet[n&31]
		n >>= 5
	}
	return prefix + "_" + string(b[:])
}

// Parse reads an id printed with the given prefix; letters of either case, and I, L, O read as 1, 1, 0.
func Parse(prefix, s string) (ID, error) {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok {
		return 0, fmt.Errorf("id %q does not begin with %s_", s, prefix)
	}
	return parseBody(rest)
}

// ParseAny reads an id with whatever prefix and returns both.
func ParseAny(s string) (string, ID, error) {
	i := strings.LastIndexByte(s, '_')
	if i <= 0 {
		return "", 0, fmt.Errorf("%q is not an id", s)
	}
	v, err := parseBody(s[i+1:])
	return s[:i], v, err
}

func parseBody(s string) (ID, error) {
	if len(s) != width {
		return 0, fmt.Errorf("id has %d characters, not %d", len(s), width)
	}
	var n uint64
	for i := range len(s) {
		d := digit(s[i])
		if d < 0 || i == 0 && d > 7 {
			return 0, fmt.Errorf("%q is not an id", s)
		}
		n = n<<5 | uint64(d)
	}
	if n == 0 {
		return 0, fmt.Errorf("%q is not an id", s)
	}
	return ID(n), nil
}

func digit(c byte) int {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	switch c {
	case 'I', 'L':
		return 1
	case 'O':
		return 0
	}
	return strings.IndexByte(alphabet, c)
}

// Mentions makes a test of whether a text names one of some printed ids.
func Mentions(printed []string) func(text string) bool {
	set := make(map[string]bool, len(printed))
	for _, p := range printed {
		set[p] = true
	}
	return func(text string) bool {
		for at := 0; len(set) > 0; {
			i := strings.IndexByte(text[at:], '_')
			if i < 0 {
				return false
			}
			i += at
			at = i + 1
			if i+1+width > len(text) {
				return false
			}
			from := i
			for from > 0 && 'a' <= text[from-1] && text[from-1] <= 'z' {
				from--
			}
			if set[text[from:i+1+width]] {
				return true
			}
		}
		return false
	}
}
