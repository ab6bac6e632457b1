package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

// Strips: the events of a day person by person in the order of time, as narrow as they can be kept, for funnels and ways, which follow a person and
// would have the engine put every event of the span in order each time. A strip tells of an event when it was and what: five bytes of the two or
// three hundred of its row. It holds those who may be followed, without robots.
//
// web_strip has a row for every sixteenth of the persons of a day, so that a question walks over a sixteenth at a time, and one, numbered dictionary,
// for what the events of the day were and how often.
const (
	stripTable = "web_strip"
	stripParts = 16
	dictionary = -1
)

func stripTables() []table {
	return []table{{name: stripTable, key: []string{"part", "day"}, local: true, columns: append(ints("part", "day", "events"), blobs("body")...)}}
}

// stripPart is the part in which a person is.
func stripPart(who int64) int64 {
	return int64(uint64(who) * 0x9E3779B97F4A7C15 >> 60) //nolint:gosec // four bits
}

// deedKind is what an event was, as far as strips tell.
type deedKind struct {
	bits              uint64 // of kindView and kindDone
	source            int64
	name, path, title string // title is that of what has no path
}

const (
	kindView = 1 // isView
	kindDone = 2 // isDone
)

// deedRow is an event while a strip is made.
type deedRow struct {
	who, at, id int64
	code        uint64 // place in the dictionary
}

// stripDay is one day while its strips are made.
type stripDay struct {
	kinds  []deedKind
	counts []uint64
	codes  map[deedKind]uint64
	deeds  []deedRow
}

func (s *stripDay) add(k deedKind, d deedRow) {
	code, known := s.codes[k]
	if !known {
		if s.codes == nil {
			s.codes = map[deedKind]uint64{}
		}
		code = uint64(len(s.kinds))
		s.codes[k] = code
		s.kinds, s.counts = append(s.kinds, k), append(s.counts, 0)
	}
	s.counts[code]++
	d.code = code
	s.deeds = append(s.deeds, d)
}

// order gives the most frequent kinds the smallest numbers and puts the events in order.
func (s *stripDay) order() {
	by := make([]int, len(s.kinds))
	for i := range by {
		by[i] = i
	}
	slices.SortFunc(by, func(a, b int) int {
		x, y := s.kinds[a], s.kinds[b]
		return cmp.Or(cmp.Compare(s.counts[b], s.counts[a]), cmp.Compare(x.name, y.name), cmp.Compare(x.path, y.path), cmp.Compare(x.title, y.title), cmp.Compare(x.source, y.source), cmp.Compare(x.bits, y.bits))
	})
	kinds, counts, code := make([]deedKind, len(by)), make([]uint64, len(by)), make([]uint64, len(by))
	for to, from := range by {
		kinds[to], counts[to], code[from] = s.kinds[from], s.counts[from], uint64(to)
	}
	s.kinds, s.counts, s.codes = kinds, counts, nil
	for i := range s.deeds {
		s.deeds[i].code = code[s.deeds[i].code]
	}
	slices.SortFunc(s.deeds, func(a, b deedRow) int {
		return cmp.Or(cmp.Compare(stripPart(a.who), stripPart(b.who)), cmp.Compare(a.who, b.who), cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
	})
}

// rows are the rows of web_strip.
func (s *stripDay) rows(day clock.Day) [][]any {
	if len(s.deeds) == 0 {
		return nil
	}
	s.order()
	out := [][]any{{int64(dictionary), int64(day), int64(len(s.deeds)), s.dictionary()}}
	for from := 0; from < len(s.deeds); {
		part, to := stripPart(s.deeds[from].who), from
		for to < len(s.deeds) && stripPart(s.deeds[to].who) == part {
			to++
		}
		out = append(out, []any{part, int64(day), int64(to - from), stripBody(s.deeds[from:to], day)})
		from = to
	}
	return out
}

func (s *stripDay) dictionary() []byte {
	var out []byte
	for i, k := range s.kinds {
		out = binary.AppendUvarint(out, s.counts[i])
		out = binary.AppendUvarint(out, k.bits)
		out = binary.AppendVarint(out, k.source)
		for _, v := range []string{k.name, k.path, k.title} {
			out = binary.AppendUvarint(out, uint64(len(v)))
			out = append(out, v...)
		}
	}
	return out
}

// stripBody is the events of a part: for each person the distance from the one before, how many events, and of each the distance in time and the kind.
func stripBody(deeds []deedRow, day clock.Day) []byte {
	var out []byte
	last := int64(0)
	for from := 0; from < len(deeds); {
		who, to := deeds[from].who, from
		for to < len(deeds) && deeds[to].who == who {
			to++
		}
		out = binary.AppendUvarint(out, uint64(who)-uint64(last)) //nolint:gosec // wraps round and back
		out = binary.AppendUvarint(out, uint64(to-from))
		last = who
		at := int64(day) * dayLength
		for _, d := range deeds[from:to] {
			out = binary.AppendVarint(out, d.at-at)
			out = binary.AppendUvarint(out, d.code)
			at = d.at
		}
		from = to
	}
	return out
}

var errStrip = errors.New("a strip of events is damaged") //nolint:gochecknoglobals // a constant

// cutter reads numbers and texts off bytes.
type cutter struct {
	b   []byte
	bad bool
}

func (c *cutter) number() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cutter) signed() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cutter) text() string {
	n := c.number()
	if n > uint64(len(c.b)) {
		c.bad, c.b = true, nil
		return ""
	}
	s := string(c.b[:n])
	c.b = c.b[n:]
	return s
}

// kindsOf reads a dictionary.
func kindsOf(b []byte, fn func(k deedKind, count uint64)) error {
	c := cutter{b: b}
	for len(c.b) > 0 {
		n := c.number()
		k := deedKind{bits: c.number(), source: c.signed(), name: c.text(), path: c.text(), title: c.text()}
		if c.bad {
			return errStrip
		}
		fn(k, n)
	}
	return nil
}

// deed is an event on a person's way; what is as the question names it.
type deed struct {
	at   int64
	what uint32
}

// walk is a question that goes through strips. meaning says what an event of a kind on a day is to the question, 0 for nothing.
type walk struct {
	*rolling
	meaning func(k deedKind, day clock.Day) uint32
	among   *crowd // whose events count, nil for everybody's
}

const (
	readDictionaries = `SELECT w.day, w.body FROM web_strip w WHERE w.part = -1 AND w.day >= ` + asInt + ` AND w.day <= ` + asInt
	readStrips       = `SELECT w.day, w.body FROM web_strip w WHERE w.part = ` + asInt + ` AND w.day >= ` + asInt + ` AND w.day <= ` + asInt
)

// meanings are what the kinds of every day are to the question, those of stale days included; each is given to tell too.
func (w *walk) meanings(ctx context.Context, tell func(k deedKind, count uint64)) (map[clock.Day][]uint32, error) {
	out := map[clock.Day][]uint32{}
	one := func(day clock.Day) func(k deedKind, count uint64) {
		return func(k deedKind, count uint64) {
			if tell != nil {
				tell(k, count)
			}
			out[day] = append(out[day], w.meaning(k, day))
		}
	}
	err := w.strips(ctx, readDictionaries, nil, func(day clock.Day, b []byte) error { return kindsOf(b, one(day)) })
	if err != nil {
		return nil, err
	}
	for day, d := range w.stale {
		for i, k := range d.strip.kinds {
			one(day)(k, d.strip.counts[i])
		}
	}
	return out, nil
}

func (w *walk) strips(ctx context.Context, text string, args []any, fn func(day clock.Day, b []byte) error) error {
	var s statement
	s.add(text, append(args, int64(w.span.From), int64(w.span.To))...)
	w.without(&s)
	s.add(" ORDER BY w.day")
	err := each(ctx, w.db, s.text, s.args, func(rows *sql.Rows) error {
		var day int64
		var b sql.RawBytes
		if err := rows.Scan(&day, &b); err != nil {
			return err
		}
		return fn(clock.Day(day), b) //nolint:gosec // a day fits
	})
	if err != nil {
		return fmt.Errorf("read strips of events: %w", err)
	}
	return nil
}

// gathered are the events of a part of the persons, in the order in which they were read.
type gathered struct {
	place map[int64]int32
	who   []int64 // by place
	count []int32
	of    []int32 // place by event
	deeds []deed
	among *crowd
	// starts is where the events of each person begin, when they are in order.
	starts []int32
}

func (g *gathered) at(who int64) int32 {
	i, known := g.place[who]
	if !known {
		i = int32(len(g.who)) //nolint:gosec // persons of a part
		g.place[who] = i
		g.who, g.count = append(g.who, who), append(g.count, 0)
	}
	return i
}

func (g *gathered) add(place int32, d deed) {
	g.count[place]++
	g.of, g.deeds = append(g.of, place), append(g.deeds, d)
}

// body reads the events of a part of a day.
func (g *gathered) body(b []byte, day clock.Day, meaning []uint32) error {
	c := cutter{b: b}
	who := uint64(0)
	for len(c.b) > 0 {
		who += c.number()
		n, place := c.number(), int32(-1)
		wanted := g.among == nil || g.among.has(int64(who)) //nolint:gosec // wraps back
		at := int64(day) * dayLength
		for range n {
			at += c.signed()
			code := c.number()
			if c.bad || code >= uint64(len(meaning)) {
				return errStrip
			}
			if what := meaning[code]; what != 0 && wanted {
				if place < 0 {
					place = g.at(int64(who)) //nolint:gosec // wraps back
				}
				g.add(place, deed{at, what})
			}
		}
	}
	return nil
}

// order puts the events of every person together, in the order of time.
func (g *gathered) order() {
	g.starts = make([]int32, len(g.who)+1)
	for i, n := range g.count {
		g.starts[i+1] = g.starts[i] + n
	}
	sorted, next := make([]deed, len(g.deeds)), slices.Clone(g.starts)
	for i, place := range g.of {
		sorted[next[place]] = g.deeds[i]
		next[place]++
	}
	g.deeds, g.of, g.place = sorted, nil, nil
	for i := range g.who {
		list := sorted[g.starts[i]:g.starts[i+1]]
		if !slices.IsSortedFunc(list, byTime) { // the zone of the workspace was another once
			slices.SortStableFunc(list, byTime)
		}
	}
}

// each gives every person with the events; the list is only good during the call.
func (g *gathered) each(fn func(who int64, deeds []deed)) {
	for i, who := range g.who {
		fn(who, g.deeds[g.starts[i]:g.starts[i+1]])
	}
}

func byTime(a, b deed) int { return cmp.Compare(a.at, b.at) }

// people gives every person with what the question asks for. A part is read and put in order while the one before it is gone through.
func (w *walk) people(ctx context.Context, meanings map[clock.Day][]uint32, fn func(who int64, deeds []deed)) error {
	ctx, stop := context.WithCancel(ctx)
	parts := make(chan *gathered)
	var failed error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(parts)
		for part := int64(0); part < stripParts && failed == nil; part++ {
			var g *gathered
			if g, failed = w.gather(ctx, part, meanings); failed != nil {
				return
			}
			select {
			case parts <- g:
			case <-ctx.Done():
				failed = ctx.Err()
			}
		}
	})
	defer reading.Wait()
	defer stop()
	for g := range parts {
		g.each(fn)
	}
	return failed
}

// gather reads a part of the persons.
func (w *walk) gather(ctx context.Context, part int64, meanings map[clock.Day][]uint32) (*gathered, error) {
	g := &gathered{place: map[int64]int32{}, among: w.among}
	// Stale days lie among the others: each is read when its turn comes.
	waiting := sortedDays(w.stale)
	upTo := func(day clock.Day) {
		for len(waiting) > 0 && waiting[0] < day {
			g.stale(w.stale[waiting[0]].strip, part, meanings[waiting[0]])
			waiting = waiting[1:]
		}
	}
	err := w.strips(ctx, readStrips, []any{part}, func(day clock.Day, b []byte) error {
		upTo(day)
		return g.body(b, day, meanings[day])
	})
	if err != nil {
		return nil, err
	}
	upTo(w.span.To + 1)
	g.order()
	return g, nil
}

func sortedDays(m map[clock.Day]dayRoll) []clock.Day {
	out := make([]clock.Day, 0, len(m))
	for day := range m {
		out = append(out, day)
	}
	slices.Sort(out)
	return out
}

// stale takes the events of a part of a day that is read from its facts.
func (g *gathered) stale(s *stripDay, part int64, meaning []uint32) {
	at, _ := slices.BinarySearchFunc(s.deeds, part, func(d deedRow, part int64) int { return cmp.Compare(stripPart(d.who), part) })
	for ; at < len(s.deeds) && stripPart(s.deeds[at].who) == part; at++ {
		d := s.deeds[at]
		if what := meaning[d.code]; what != 0 && (g.among == nil || g.among.has(d.who)) {
			g.add(g.at(d.who), deed{d.at, what})
		}
	}
}

// walked answers from strips; ok is false for what only the facts know: a filter on visits or devices, and days that are not rolled up.
func (w *Web) walked(ctx context.Context, q web.Question, span web.Span, meaning func(k deedKind, day clock.Day) uint32, fn func(v *walk) error) (ok bool, err error) {
	if w.plain || len(q.Is) > 0 {
		return false, nil
	}
	mean := meaning
	if q.Through != 0 {
		mean = func(k deedKind, day clock.Day) uint32 {
			if k.source != int64(q.Through) {
				return 0
			}
			return meaning(k, day)
		}
	}
	var among *crowd
	if q.Members() != nil {
		text, args, err := w.of(q.Members(), nil)
		if err != nil {
			return false, err
		}
		among = &crowd{}
		err = each(ctx, w.db, "SELECT t.id"+text, args, func(rows *sql.Rows) error {
			var who int64
			err := rows.Scan(&who)
			among.add(who)
			return err
		})
		if err != nil {
			return false, err
		}
	}
	return w.rolled(ctx, span, false, true, func(r *rolling) error {
		for _, d := range r.stale {
			d.strip.order()
		}
		return fn(&walk{rolling: r, meaning: mean, among: among})
	})
}
