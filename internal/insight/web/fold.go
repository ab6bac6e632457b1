package web

import (
	"cmp"
	"slices"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// fold keeps the names of the widest nodes of every column and lays all others together. A node's width is what flows into it,
// in the first column what flows out. Nothing is lost: the links of a step sum to the same as before.
func fold(list []Link, top int) []Link {
	type place struct {
		column int
		name   string
	}
	width := map[place]int64{}
	for _, l := range list {
		if l.Step == 1 && l.From != nil && !l.From.Rest {
			width[place{1, l.From.Name}] += l.Count
		}
		if l.To != nil && !l.To.Rest {
			width[place{l.Step + 1, l.To.Name}] += l.Count
		}
	}
	columns := map[int][]place{}
	for p := range width {
		columns[p.column] = append(columns[p.column], p)
	}
	named := map[place]bool{}
	for _, places := range columns {
		slices.SortFunc(places, func(a, b place) int {
			return cmp.Or(cmp.Compare(width[b], width[a]), cmp.Compare(a.name, b.name))
		})
		for _, p := range places[:min(top, len(places))] {
			named[p] = true
		}
	}
	type key struct {
		step     int
		from, to Node
		ended    bool
	}
	at := func(column int, n Node) Node {
		if n.Rest || !named[place{column, n.Name}] {
			return Node{Rest: true}
		}
		return n
	}
	sums := map[key]int64{}
	for _, l := range list {
		k := key{step: l.Step, from: at(l.Step, *l.From), ended: l.To == nil}
		if l.To != nil {
			k.to = at(l.Step+1, *l.To)
		}
		sums[k] += l.Count
	}
	out := make([]Link, 0, len(sums))
	for k, n := range sums {
		l := Link{Step: k.step, From: &Node{k.from.Name, k.from.Rest}, Count: n}
		if !k.ended {
			l.To = &Node{k.to.Name, k.to.Rest}
		}
		out = append(out, l)
	}
	label := func(n *Node) string {
		if n == nil {
			return "\xff\xff"
		}
		if n.Rest {
			return "\xff"
		}
		return n.Name
	}
	slices.SortFunc(out, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(b.Count, a.Count), cmp.Compare(label(a.From), label(b.From)), cmp.Compare(label(a.To), label(b.To)))
	})
	return out
}
