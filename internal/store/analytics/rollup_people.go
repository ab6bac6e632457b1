package analytics

import (
	"encoding/binary"
	"errors"
	"slices"
)

// people is a set of persons by their ids: while it is collected a list in any order, tidied an ascending list of different ids.
type people []int64

// with adds a person.
func (p people) with(who int64) people {
	if n := len(p); n > 0 && p[n-1] == who {
		return p
	}
	return append(p, who)
}

func (p people) tidy() people {
	slices.Sort(p)
	return slices.Compact(p)
}

// bytes are the distances from one id to the next as numbers of variable length; nothing for nobody. The set is tidied.
func (p people) bytes() []byte {
	out := make([]byte, 0, 7*len(p))
	last := int64(0)
	for _, v := range p {
		out = binary.AppendUvarint(out, uint64(v)-uint64(last)) //nolint:gosec // wraps round and back
		last = v
	}
	return out
}

var errPeople = errors.New("a set of persons is damaged") //nolint:gochecknoglobals // a constant

// eachOf reads a set of persons from its bytes.
func eachOf(b []byte, fn func(who int64)) error {
	last := uint64(0)
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return errPeople
		}
		last += v
		fn(int64(last)) //nolint:gosec // wraps back
		b = b[n:]
	}
	return nil
}

// crowd is a set of persons that grows: open addressing, of which at most half is taken.
type crowd struct {
	slots []int64 // 0 is free
	n     int
	zero  bool
}

// add adds a person and reports whether it was none of the crowd.
func (c *crowd) add(who int64) bool {
	if who == 0 {
		fresh := !c.zero
		c.zero = true
		return fresh
	}
	if 2*c.n >= len(c.slots) {
		c.grow()
	}
	i := c.find(who)
	if c.slots[i] == who {
		return false
	}
	c.slots[i] = who
	c.n++
	return true
}

// has reports whether a person is one of the crowd.
func (c *crowd) has(who int64) bool {
	if who == 0 {
		return c.zero
	}
	return len(c.slots) > 0 && c.slots[c.find(who)] == who
}

// find is the slot of a person, or the free one where it would stand.
func (c *crowd) find(who int64) int {
	mask := len(c.slots) - 1
	i := int(uint64(who)*0x9E3779B97F4A7C15>>32) & mask //nolint:gosec // a hash
	for c.slots[i] != 0 && c.slots[i] != who {
		i = (i + 1) & mask
	}
	return i
}

func (c *crowd) grow() {
	old := c.slots
	c.slots = make([]int64, max(16, 4*len(old)))
	for _, v := range old {
		if v != 0 {
			c.slots[c.find(v)] = v
		}
	}
}

func (c *crowd) count() int64 {
	n := int64(c.n)
	if c.zero {
		n++
	}
	return n
}

// both is how many persons are in two crowds.
func (c *crowd) both(o *crowd) int64 {
	n := int64(0)
	for _, v := range c.slots {
		if v != 0 && o.has(v) {
			n++
		}
	}
	if c.zero && o.zero {
		n++
	}
	return n
}

// list is everybody, in no order.
func (c *crowd) list(fn func(who int64)) {
	for _, v := range c.slots {
		if v != 0 {
			fn(v)
		}
	}
	if c.zero {
		fn(0)
	}
}
