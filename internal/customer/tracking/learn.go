package tracking

import (
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Bounds of what is learned in a workspace. What comes beyond is counted under the name More of its source.
const (
	MaxNames    = 2000
	maxLearned  = 200 // properties of one event
	maxExamples = 3
	// More collects the names beyond the bound: a site that puts ids into names must not fill the disk.
	More = "…"
)

// Key names an event of a source.
type Key struct {
	Source id.ID
	Name   string
}

// Learned is what a batch of events taught of one name.
type Learned struct {
	Key
	Kind        event.Kind
	Count       int64
	First, Last int64 // milliseconds of arrival
	Days        map[clock.Day]int64
	Properties  map[string]*LearnedProperty
}

// LearnedProperty is what was seen in one property: how many events had it, of which types, and a few examples that show nobody.
type LearnedProperty struct {
	Count    int64
	Types    map[Type]int64
	Examples []string
	First    int64
	Last     int64
}

// Learn gathers what a batch teaches, one entry a name. Robots teach nothing.
func Learn(batch []event.Event) map[Key]*Learned {
	out := map[Key]*Learned{}
	for i := range batch {
		e := &batch[i]
		if e.Flags.Has(event.Bot) {
			continue
		}
		k := Key{e.Source, e.Name}
		l := out[k]
		if l == nil {
			l = &Learned{Key: k, Kind: e.Kind, First: e.ReceivedAt, Days: map[clock.Day]int64{}, Properties: map[string]*LearnedProperty{}}
			out[k] = l
		}
		l.Count++
		l.First, l.Last = min(l.First, e.ReceivedAt), max(l.Last, e.ReceivedAt)
		l.Days[e.Day]++
		l.take(e)
	}
	return out
}

// take learns the properties of one event. Traits teach their names and types alone: they are a person's.
func (l *Learned) take(e *event.Event) {
	traits := e.Kind != event.Track && e.Kind != event.Page && e.Kind != event.Screen
	for path, values := range Flatten(e.Properties) {
		p := l.Properties[path]
		if p == nil {
			if len(l.Properties) >= maxLearned {
				continue
			}
			p = &LearnedProperty{Types: map[Type]int64{}, First: e.ReceivedAt}
			l.Properties[path] = p
		}
		p.Count++
		p.First, p.Last = min(p.First, e.ReceivedAt), max(p.Last, e.ReceivedAt)
		for _, v := range values {
			p.Types[v.Type]++
			if traits || len(p.Examples) >= maxExamples {
				continue
			}
			if x, ok := Example(path, v); ok && !slices.Contains(p.Examples, x) {
				p.Examples = append(p.Examples, x)
			}
		}
	}
}

// Merge adds what was learned later.
func (p *LearnedProperty) Merge(q *LearnedProperty) {
	p.Count += q.Count
	p.First, p.Last = min(p.First, q.First), max(p.Last, q.Last)
	if p.Types == nil {
		p.Types = map[Type]int64{}
	}
	for t, n := range q.Types {
		p.Types[t] += n
	}
	for _, x := range q.Examples {
		if len(p.Examples) < maxExamples && !slices.Contains(p.Examples, x) {
			p.Examples = append(p.Examples, x)
		}
	}
}

// Into counts the names that are not known beyond the bound under More.
func Into(learned map[Key]*Learned, known func(Key) bool, room int) map[Key]*Learned {
	keys := slices.SortedFunc(maps.Keys(learned), func(a, b Key) int {
		if a.Source != b.Source {
			return int(min(max(a.Source-b.Source, -1), 1))
		}
		return compare(a.Name, b.Name)
	})
	out := make(map[Key]*Learned, len(learned))
	for _, k := range keys {
		l := learned[k]
		if !known(k) {
			if room <= 0 && k.Name != More {
				fold(out, l)
				continue
			}
			room--
		}
		if was := out[k]; was != nil {
			was.add(l)
			continue
		}
		out[k] = l
	}
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// fold counts l among the rest of its source, without its properties.
func fold(out map[Key]*Learned, l *Learned) {
	k := Key{l.Source, More}
	rest := &Learned{Key: k, Kind: event.Track, Count: l.Count, First: l.First, Last: l.Last, Days: maps.Clone(l.Days)}
	if was := out[k]; was != nil {
		was.add(rest)
		return
	}
	out[k] = rest
}

func (l *Learned) add(m *Learned) {
	l.Count += m.Count
	l.First, l.Last = min(l.First, m.First), max(l.Last, m.Last)
	for d, n := range m.Days {
		l.Days[d] += n
	}
}

// Draft is a plan of what was learned: each event with the properties that at least one in a hundred had, of the type that all but
// one in a hundred were of, required where every event had it.
func Draft(names []Name) Plan {
	p := Plan{Unplanned: Flag, Events: []Planned{}}
	byName := map[string]*Planned{}
	counts := map[string]int64{}
	for _, n := range names {
		if n.Name == More || n.Kind != event.Track && n.Kind != event.Page && n.Kind != event.Screen || n.Name == event.Engaged || len(n.Name) > maxName {
			continue
		}
		if byName[n.Name] == nil && len(byName) < maxPlanned {
			byName[n.Name] = &Planned{Name: n.Name, Act: Flag}
		}
		counts[n.Name] += n.Count
	}
	for name, e := range byName {
		merged := map[string]*LearnedProperty{}
		for _, n := range names {
			if n.Name != name {
				continue
			}
			for path, q := range n.Properties {
				if merged[path] == nil {
					merged[path] = &LearnedProperty{First: q.First}
				}
				merged[path].Merge(q)
			}
		}
		e.Properties = draftProperties(merged, counts[name])
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		p.Events = append(p.Events, *byName[name])
	}
	return p
}

func draftProperties(merged map[string]*LearnedProperty, events int64) []Property {
	out := []Property{}
	for _, path := range slices.Sorted(maps.Keys(merged)) {
		q := merged[path]
		if q.Count*100 < events || len(out) >= maxProperties {
			continue
		}
		out = append(out, Property{Name: path, Type: mainType(q.Types), Required: q.Count >= events, Values: []string{}})
	}
	return out
}

func mainType(types map[Type]int64) Type {
	var all int64
	for t, n := range types {
		if t != Null {
			all += n
		}
	}
	for _, want := range []Type{Bool, Integer, Number, Time, Text, Object, List} {
		var n int64
		for t, k := range types {
			if t != Null && t.Is(want) {
				n += k
			}
		}
		if all > 0 && n*100 >= all*99 {
			return want
		}
	}
	return Any
}
