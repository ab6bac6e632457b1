package consent

import (
	"cmp"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Repeat is a statement of a subject that was said again.
type Repeat struct {
	Subject id.ID
	Purpose string
	Channel Channel
	State   State
	LastAt  time.Time
}

// Place is a purpose by a channel.
type Place struct {
	Purpose string
	Channel Channel
}

// statement is a line of the ledger, or a line that was said again later.
type statement struct {
	*Entry
	at time.Time
}

// before orders statements: the one that counts comes last. It looks at what was said alone, never at the order of arrival.
func (a statement) before(b statement) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.State.rank(), b.State.rank()), later(a.Expires, b.Expires), cmp.Compare(boolInt(b.Guardian), boolInt(a.Guardian)), cmp.Compare(b.Once, a.Once))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// later orders ends of consent: the earlier end is stricter and comes last; zero is never.
func later(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return -1
	case b.IsZero():
		return 1
	}
	return b.Compare(a)
}

// Fold works out what statements come to at an instant, for each place that somebody spoke about. The lines may be those of several
// subjects that are one person; lines of expiry are notes for readers and count for nothing, since the end of a consent stands in the consent.
func Fold(entries []Entry, again []Repeat, now time.Time) map[Place]Standing {
	by := map[Place][]statement{}
	for i := range entries {
		e := &entries[i]
		if e.Source == ByExpiry {
			continue
		}
		at := Place{e.Purpose, e.Channel}
		by[at] = append(by[at], statement{e, e.At})
	}
	for _, r := range again {
		at := Place{r.Purpose, r.Channel}
		if e := repeated(by[at], r); e != nil && r.LastAt.After(e.At) {
			by[at] = append(by[at], statement{e, r.LastAt})
		}
	}
	out := make(map[Place]Standing, len(by))
	for place, list := range by {
		out[place] = settle(place, list, now)
	}
	return out
}

// repeated is the line that a repetition repeats: the newest of the same subject and state that is not after it.
func repeated(list []statement, r Repeat) (found *Entry) {
	for _, s := range list {
		if s.Subject == r.Subject && s.State == r.State && s.at.Equal(s.Entry.At) && !s.at.After(r.LastAt) && (found == nil || (statement{found, found.At}).before(s) < 0) {
			found = s.Entry
		}
	}
	return found
}

// settle finds the statement that counts. One that is to be confirmed counts only over one that is no consent: it takes nothing away.
func settle(place Place, list []statement, now time.Time) Standing {
	slices.SortFunc(list, statement.before)
	var counts, waits *statement
	for i := range list {
		s := &list[i]
		if s.State == Pending {
			waits = s
			continue
		}
		counts = s
	}
	out := Standing{Purpose: place.Purpose, Channel: place.Channel}
	if counts != nil {
		out.State, out.At, out.Entry, out.Expires, out.Guardian = counts.State, counts.at, counts.ID, counts.Expires, counts.Guardian
	}
	if ended := out.Ended(now); ended != out.State {
		out.State = ended
	}
	if waits != nil && out.State != Given && (counts == nil || counts.at.Before(waits.at)) {
		out.State, out.At, out.Entry, out.Expires, out.Guardian = Pending, waits.at, waits.ID, time.Time{}, waits.Guardian
	}
	return out
}

// Ended is the state at an instant: a consent that has run out is Expired.
func (s Standing) Ended(now time.Time) State {
	if s.State == Given && !s.Expires.IsZero() && !s.Expires.After(now) {
		return Expired
	}
	return s.State
}

// InForce is what the lines of a subject say about a place at an instant, whether it has run out or not; Nothing for none. Repetitions are not
// asked: a line too many does no harm, one too few would.
func InForce(entries []Entry, subject id.ID, place Place, at time.Time) State {
	var last *statement
	for i := range entries {
		e := &entries[i]
		if e.Subject != subject || e.Purpose != place.Purpose || e.Channel != place.Channel || e.Source == ByExpiry || e.At.After(at) {
			continue
		}
		if s := (statement{e, e.At}); last == nil || last.before(s) < 0 {
			last = &s
		}
	}
	if last == nil {
		return Nothing
	}
	return last.State
}
