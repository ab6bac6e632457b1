// Package action says what to do next for each customer (下一步行动).
//
// A play is something that a company can do for a customer: for whom (stages and a condition), what (a task, a rule that people begin, or a
// note to whoever looks after him), what it is likely to bring, what it costs, and its guard rails: never for customers whose processing is restricted
// or who asked not to be contacted; a play that advertises goes only to who agreed to marketing on one of its channels; a play rests for a customer
// after a decision; and a customer gets no more than so many actions in so many days.
//
// Expected gain. What the play brings is the part of customers who buy because of it, times what a purchase is worth, less the cost. That part
// is the company's own estimate (by rule) until a holdout knows better: a small share of those who are eligible, chosen by a hash of play and
// customer, is never shown the play. Everybody who was eligible counts (intention to treat); the difference over the share of those for whom
// somebody acted is the effect of acting, and is drawn to the estimate by how sure it is. Dismissals lower a play for the customer, and for the
// customers of his stage.
//
// What was learned is a version of the model with the key "action" in the model room; ranks are written each night as traits, and worked out
// anew when somebody looks at one customer. Days of windows of learning are days of analysis; rests and limits go by the calendar.
package action

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	_ "embed"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

// Kind is what is done when a play is accepted.
type Kind string

// The kinds.
const (
	Task Kind = "task" // a task for who looks after the customer
	Rule Kind = "rule" // a rule that people begin is begun
	Note Kind = "note" // nothing but that it was said
)

// Worth is what a purchase that would not have come otherwise counts for.
type Worth string

// The kinds of worth.
const (
	Basket Worth = "basket" // one order of the customer's
	Year   Worth = "year"   // what he spent in a year
	Future Worth = "clv"    // his expected value
	Fixed  Worth = "fixed"  // an amount that is the same for everyone
)

// Play is something that can be done for a customer. Key is its address and never changes.
type Play struct {
	Key    string       `json:"-"`
	Label  schema.Label `json:"label"`
	What   schema.Label `json:"what,omitempty"` // what whoever does it should do
	On     bool         `json:"on"`
	Stages []string     `json:"stages,omitempty"` // classes of the lifecycle; none for all
	Where  *query.Node  `json:"where,omitempty"`
	Kind   Kind         `json:"kind"`
	Rule   id.ID        `json:"rule,omitempty"`
	Due    int          `json:"due,omitempty"`   // days until the task is due
	Reach  []string     `json:"reach,omitempty"` // channels, on one of which marketing must be agreed to; none for what is no marketing
	Lift   float64      `json:"lift"`            // the part of customers who buy because of it, as the company estimates
	Worth  Worth        `json:"worth"`
	Amount int64        `json:"amount,omitempty"` // minor units, of Fixed
	Cost   int64        `json:"cost,omitempty"`   // minor units
	Window int          `json:"window"`           // days within which it shows
	Rest   int          `json:"rest"`             // days before it is said again
	Held   int          `json:"held,omitempty"`   // percent who are left out

	Standard  bool      `json:"-"` // comes with the program
	Version   int64     `json:"-"` // 0 of one that nobody changed
	UpdatedAt time.Time `json:"-"`
	UpdatedBy id.ID     `json:"-"`
}

// Pick is what somebody decided.
type Pick string

// The decisions.
const (
	Taken     Pick = "taken"
	Dismissed Pick = "dismissed"
	Snoozed   Pick = "snoozed"
)

// Choice is a decision about a play for a customer.
type Choice struct {
	ID       id.ID
	Play     string
	Customer id.ID
	Pick     Pick
	Reason   string
	At       time.Time
	Day      clock.Day // of the calendar
	Until    clock.Day // the play rests before it
	By       id.ID
	Stage    string
	Gain     int64
	Learned  bool // the gain was measured
	Task     id.ID
	To       clock.Day // the last day of its window; only what was taken is followed
	Orders   *int64    // nil until the window is over
	Revenue  int64
}

// Case is a customer who was eligible for a play that leaves some out.
type Case struct {
	ID       id.ID
	Play     string
	Customer int64
	Shown    bool
	From, To clock.Day // purchases after From up to To count
}

// Open is a case or decision whose window is over and that nobody has counted yet.
type Open struct {
	ID       id.ID
	Choice   bool // a decision, else a case
	Customer int64
	From, To clock.Day
	Orders   int64
	Revenue  int64
}

// Tally is how many the last pass found for a play.
type Tally struct {
	Play     string
	Day      clock.Day
	At       time.Time
	Eligible int64 // by the condition, guard rails of consent included
	Held     int64 // of those, left out for comparison
	Resting  int64 // of those, with a decision that is not old enough, or with enough actions already
	Offered  int64 // among the first three of a customer
	Gain     int64 // of those, in minor units
	Broken   bool  // the condition does not work
}

// Outcome is what became of a play, in sums.
type Outcome struct {
	Play                     string
	Treated, Control         uplift.Arm  // revenue of closed cases
	TreatedHits, ControlHits int64       // who of them bought
	Assigned                 [2]int64    // all cases: shown, left out
	Acted                    int64       // closed cases shown in which somebody acted
	TakenAll                 int64       // decisions
	Done                     uplift.Rate // decisions whose window is over, and who bought
	Revenue                  int64       // of those
	Dismissed, Snoozed       int64
	Stages                   map[string]uplift.Rate // decisions by stage, hits being dismissals
}

// Keeper keeps plays, decisions and cases in the records plane; store/sqlstore implements it.
type Keeper interface {
	Plays(ctx context.Context) ([]Play, error) // those that were saved, by key
	// SavePlay replaces a play whose stored version is p.Version-1 (0: none), else fault.Stale.
	SavePlay(ctx context.Context, p Play) error
	DropPlay(ctx context.Context, key string) error
	// Choices are the decisions that rest after a day or were taken since another, of customers (nil: all), oldest first.
	Choices(ctx context.Context, rests, since clock.Day, customers []id.ID) ([]Choice, error)
	// History are the newest decisions about a customer.
	History(ctx context.Context, customer id.ID, limit int) ([]Choice, error)
	// Choose stores a decision; a Conflict action.decided when there is one about the same play and customer of the same day.
	Choose(ctx context.Context, c Choice) error
	// Made says which task a decision made.
	Made(ctx context.Context, choice, task id.ID) error
	// Unchoose takes a decision back.
	Unchoose(ctx context.Context, choice id.ID) error
	// Turned counts dismissals by play and customer (nil: all).
	Turned(ctx context.Context, customers []id.ID) (map[Turn]int, error)
	SaveTallies(ctx context.Context, list []Tally) error
	Tallies(ctx context.Context) (map[string]Tally, error)
	// Standing are the customers with a case of a play that began after a day.
	Standing(ctx context.Context, play string, after clock.Day) (map[int64]bool, error)
	AddCases(ctx context.Context, list []Case) error
	// Due are cases and decisions whose windows ended up to a day and that are not counted, of one window first.
	Due(ctx context.Context, until clock.Day, limit int) ([]Open, error)
	Close(ctx context.Context, list []Open) error
	Outcomes(ctx context.Context) (map[string]Outcome, error)
}

// Turn is a play and a customer.
type Turn struct {
	Play     string
	Customer int64
}

// Candidate is a customer for whom at least one play is eligible. Amounts are minor units, -1 where not known.
type Candidate struct {
	Customer             int64
	Stage                string
	Basket, Year, Future int64
	Holds                []bool
}

// Ranked is a play for a customer.
type Ranked struct {
	Play string
	Gain int64
}

// Line is a line of the work list.
type Line struct {
	Customer id.ID
	Ranked
}

// Need asks for a page of the work list.
type Need struct {
	Play          string // "" for all
	Where         *query.Node
	Limits        *query.Limits
	Offset, Limit int
	Count         bool
}

// Facts answers from the analytics plane and writes ranks there; store/analytics implements it.
type Facts interface {
	// Eligible gives everybody (of customers, nil for all) for whom a condition holds. The candidate is only good until yield returns.
	Eligible(ctx context.Context, plays []*query.Node, customers []id.ID, yield func(c *Candidate) error) error
	// Works says why a condition cannot be asked, nil when it can.
	Works(where *query.Node) error
	// Usual is the mean basket and the mean spending of a year of those who purchased.
	Usual(ctx context.Context) (basket, year int64, err error)
	Replace(ctx context.Context, at int64, mark string, rows func(yield func(customer int64, best []Ranked) bool)) (int64, error)
	// Bought gives who purchased after one day up to another.
	Bought(ctx context.Context, from, to clock.Day, yield func(customer, orders, revenue int64)) error
	Work(ctx context.Context, n Need) (lines []Line, total int64, err error)
	// Count is how many fulfil a condition.
	Count(ctx context.Context, where *query.Node) (int64, error)
}

//go:embed plays.json
var standard []byte

// Standard are the plays that come with the program.
func Standard() []Play {
	var raw []struct {
		Key string `json:"key"`
		Play
	}
	if err := json.Unmarshal(standard, &raw); err != nil {
		panic(err) // a constant, held by a test
	}
	out := make([]Play, len(raw))
	for i, r := range raw {
		out[i] = r.Play
		out[i].Key, out[i].Standard = r.Key, true
	}
	return out
}

// All are the standard plays as they were changed, then the company's own.
func All(saved []Play) []Play {
	out := Standard()
	for _, p := range saved {
		if i := slices.IndexFunc(out, func(s Play) bool { return s.Key == p.Key }); i >= 0 {
			p.Standard = true
			out[i] = p
			continue
		}
		out = append(out, p)
	}
	return out
}

// leaf is a condition on a trait.
func leaf(trait, op string, value any) *query.Node {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings
	}
	return &query.Node{Trait: trait, Op: op, Value: b}
}

// Condition is whom a play is for, guard rails included. consent is the trait that tells a channel's state, "" where there is none.
func (p *Play) Condition(guards []*query.Node, consent func(channel string) string) *query.Node {
	all := slices.Clone(guards)
	if len(p.Stages) > 0 {
		all = append(all, leaf("lifecycle", "in", p.Stages))
	}
	if len(p.Reach) > 0 {
		agreed := &query.Node{Any: []*query.Node{}}
		for _, c := range p.Reach {
			if key := consent(c); key != "" {
				agreed.Any = append(agreed.Any, leaf(key, "=", "given"))
			}
		}
		all = append(all, agreed)
	}
	if p.Where != nil {
		all = append(all, p.Where)
	}
	return &query.Node{All: all}
}

// Audience is for whom a play is meant, without guard rails, for words.
func (p *Play) Audience() *query.Node {
	var all []*query.Node
	if len(p.Stages) > 0 {
		all = append(all, leaf("lifecycle", "in", p.Stages))
	}
	if p.Where != nil {
		all = append(all, p.Where)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &query.Node{All: all}
}

// LeftOut reports whether a customer is in the part that a play leaves out: the same every time.
func LeftOut(play string, customer int64, percent int) bool {
	if percent <= 0 {
		return false
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(customer)) //nolint:gosec // bits for a hash
	sum := sha256.Sum256(append([]byte("guanxi play "+play+" "), b[:]...))
	return float64(binary.BigEndian.Uint64(sum[:8]))/math.MaxUint64*100 < float64(percent)
}

// trim takes the spaces off words.
func trim(l schema.Label) schema.Label {
	out := schema.Label{}
	for k, v := range l {
		if v = strings.TrimSpace(v); v != "" {
			out[k] = v
		}
	}
	return out
}
