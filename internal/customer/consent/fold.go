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
	by := spoken(entries, again)
	out := make(map[Place]Standing, len(by))
	for place, list := range by {
		out[place] = settle(place, list, now)
	}
	return out
}

// Counting leaves out what nobody proved. Whoever has the key of a page can say anything of any customer: of a customer what such a key says counts where
// known says so of the browser it came from, and a refusal where somebody accepted it. What it says of a visitor's browser counts for the visitor; what it
// refuses in somebody's name counts for nobody by itself.
func Counting(entries []Entry, customer bool, known map[id.ID]bool) []Entry {
	out := make([]Entry, 0, len(entries))
	for i := range entries {
		if e := &entries[i]; e.Verdict.Accepted || e.Source != ByNamed && (e.Source != ByClaim || !customer || known[e.Subject]) {
			out = append(out, *e)
		}
	}
	return out
}

// Unproven are the lines of browsers that are nobody's for sure: they count for the browser itself, whose behaviour is left out when it refuses that.
func Unproven(entries []Entry, known map[id.ID]bool) map[id.ID][]Entry {
	out := map[id.ID][]Entry{}
	for i := range entries {
		if e := &entries[i]; e.Source == ByClaim && !known[e.Subject] {
			out[e.Subject] = append(out[e.Subject], *e)
		}
	}
	return out
}

// Open are the refusals of a customer that wait to be decided: of each browser and place its last word, where that is a refusal, and the refusals in its
// name. What would change nothing does not wait: where the customer refused already, or said something since.
func Open(entries []Entry, again []Repeat, known map[id.ID]bool, standing map[Place]Standing) (out []Entry) {
	type voice struct {
		subject id.ID
		named   bool
		place   Place
	}
	last := map[voice]statement{}
	for place, list := range spoken(entries, again) {
		for _, s := range list {
			if s.Source != ByNamed && (s.Source != ByClaim || known[s.Subject]) {
				continue
			}
			v := voice{s.Subject, s.Source == ByNamed, place}
			if was, ok := last[v]; !ok || was.before(s) < 0 {
				last[v] = s
			}
		}
	}
	for v, s := range last {
		st := standing[v.place]
		if s.State == Withdrawn && !s.Verdict.Decided && st.State != Withdrawn && st.At.Before(s.at) {
			e := *s.Entry
			e.At = s.at
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(b.ID, a.ID) })
	return out
}

// Refusal is a time in which a subject refused to be analysed. Until is zero while it lasts.
type Refusal struct {
	Subject     id.ID
	From, Until time.Time
}

// Holds reports whether an instant lies in it.
func (r Refusal) Holds(at time.Time) bool {
	return !at.Before(r.From) && (r.Until.IsZero() || at.Before(r.Until))
}

// claimedBack is how long before it came a refusal by the key of a page may begin: as long as message ids are remembered. Nobody who knows a user id is
// to wipe out years.
const claimedBack = 7 * 24 * time.Hour

// Refused reports whether an instant, in milliseconds, lies in any of some times.
func Refused(list []Refusal, at int64) bool {
	return slices.ContainsFunc(list, func(r Refusal) bool { return r.Holds(time.UnixMilli(at)) })
}

// Refusals are the times in which the purpose of analysis was refused, in their order; by several channels each has its own.
func Refusals(entries []Entry, again []Repeat) (out []Refusal) {
	for place, list := range spoken(entries, again) {
		if place.Purpose != Analytics {
			continue
		}
		slices.SortFunc(list, statement.before)
		begun := -1
		for i := range list {
			s := &list[i]
			switch {
			case s.State == Withdrawn && begun < 0:
				r := Refusal{From: s.at}
				if earliest := s.RecordedAt.Add(-claimedBack); (s.Source == ByClaim || s.Source == ByNamed) && r.From.Before(earliest) {
					r.From = earliest
				}
				begun, out = len(out), append(out, r)
			case s.State == Given && begun >= 0:
				if out[begun].Until = s.at; !out[begun].From.Before(s.at) {
					out = out[:begun]
				}
				begun = -1
			}
		}
	}
	slices.SortFunc(out, func(a, b Refusal) int { return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until)) })
	return out
}

// namedAgain is how long a verdict answers the same question: the key of a page asks it with every event.
const namedAgain = 30 * 24 * time.Hour

// Named reports whether a refusal in somebody's name says nothing new to the lines that its subject has: the same waits already, or was decided a short
// time ago.
func Named(entries []Entry, e *Entry) bool {
	return slices.ContainsFunc(entries, func(x Entry) bool {
		return x.Source == ByNamed && x.Subject == e.Subject && x.Purpose == e.Purpose && x.Channel == e.Channel && (!x.Verdict.Decided || e.RecordedAt.Before(x.Verdict.At.Add(namedAgain)))
	})
}

// spoken are the statements about each place.
func spoken(entries []Entry, again []Repeat) map[Place][]statement {
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
	return by
}

// repeated is the line that a repetition repeats: the newest of the same subject and state that is not after it.
func repeated(list []statement, r Repeat) (found *Entry) {
	for _, s := range list {
		if s.Subject == r.Subject && s.State == r.State && s.Source != ByNamed && s.at.Equal(s.Entry.At) && !s.at.After(r.LastAt) && (found == nil || (statement{found, found.At}).before(s) < 0) {
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
// asked: a line too many does no harm, one too few would. What was said in somebody's name is no word of theirs.
func InForce(entries []Entry, subject id.ID, place Place, at time.Time) State {
	var last *statement
	for i := range entries {
		e := &entries[i]
		if e.Subject != subject || e.Purpose != place.Purpose || e.Channel != place.Channel || e.Source == ByExpiry || e.Source == ByNamed || e.At.After(at) {
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
