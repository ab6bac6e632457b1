// Package web describes behaviour on sites and in apps: how many come, from where, what they look at, how far they get, which
// ways they take and whether they return.
//
// Definitions. A visitor is one person, or one profile as long as nobody is known. A visit is a row of the visits (30 minutes
// without an event end it, 24 hours at most, another campaign begins one). A view is a page or a screen. A visit bounces when it
// has no second view and no interactive event; its duration is last minus first event, 0 for a bounce, which counts. A visit is
// engaged when it lasted over ten seconds of visible time, held a key event or two views. The exit rate of a page is exits over
// its views, its dwell the visible and active time over its views. Conversion is visitors who reached the goal over visitors.
// Visitors of days are not summed: a person who comes on two days is one visitor of both together.
//
// What a filter says about where a visit came from (channel, campaign, source, medium, referrer, entry, exit) holds for the
// visit; what it says about the device, the place or the host holds for the event itself. A segment holds for the person.
//
// Robots are left out everywhere. Events of those who refused to be analysed count as views and events; funnels, paths,
// retention and lists of people, which follow a person, leave them out.
//
// Who asks needs the right access.WebRead. Figures are the workspace's; of the people behind them only those whom the reader
// reaches are listed, anonymous visitors to readers of every customer only.
package web

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Span is a run of whole local days, both ends included.
type Span struct{ From, To clock.Day }

// Days is the number of days.
func (s Span) Days() int { return int(s.To-s.From) + 1 }

// Before is the span of the same length that ends the day before.
func (s Span) Before() Span { return Span{s.From - clock.Day(s.Days()), s.From - 1} }

// Dimension is what figures are split and filtered by.
type Dimension string

// The dimensions. Entry and Exit are the first and the last page of a visit.
const (
	Host     Dimension = "host"
	Channel  Dimension = "channel"
	Campaign Dimension = "campaign"
	Source   Dimension = "utm_source"
	Medium   Dimension = "utm_medium"
	Referrer Dimension = "referrer"
	Device   Dimension = "device"
	Browser  Dimension = "browser"
	OS       Dimension = "os"
	Language Dimension = "language"
	Country  Dimension = "country"
	Region   Dimension = "region"
	Entry    Dimension = "entry"
	Exit     Dimension = "exit"
)

// Dimensions lists every dimension, in a fixed order.
func Dimensions() []Dimension {
	return []Dimension{Host, Channel, Campaign, Source, Medium, Referrer, Device, Browser, OS, Language, Country, Region, Entry, Exit}
}

// Filter narrows what is counted. The zero value counts everything.
type Filter struct {
	Is      map[Dimension]string // "" is a value: not known
	Through id.ID                // the event source it came through; 0 for all
	Segment string               // key of a segment, "" for everybody
	members *query.Node          // the condition of Segment
}

// Members is the condition that the persons fulfil, nil for everybody; Service sets it from Segment.
func (f Filter) Members() *query.Node { return f.members }

// Among is the filter of those who fulfil a condition besides.
func (f Filter) Among(n *query.Node) Filter {
	f.members = n
	return f
}

// Question is what every report is asked with. Goal is the name of the event that counts as conversion; "" is a purchase in the
// visit.
type Question struct {
	Span
	Filter
	Goal string
}

// Totals are figures of one span. Times are milliseconds, Amount minor units of the base currency.
type Totals struct {
	Visitors, Visits, Views, Events int64
	Bounced, Engaged                int64 // visits
	Duration, EngagedTime           int64
	Converters                      int64 // visitors who reached the goal
	Orders, Amount                  int64
}

// Bucket is a step of the trend: a day, or an hour that begins at At.
type Bucket struct {
	Day                     clock.Day
	At                      time.Time // of an hour, else zero
	Visitors, Visits, Views int64
}

// Row is a value of a dimension with its figures.
type Row struct {
	Value string
	Totals
}

// Page is a page or a screen with its figures; Bounced are visits that entered by it.
type Page struct {
	Host, Path, Title                        string
	Views, Visitors, Entries, Exits, Bounced int64
	Dwell                                    int64 // ms
}

// Event is an event by name. Amount is the sum of its amounts.
type Event struct {
	Name                    string
	Count, Visitors, Amount int64
}

// Facts answers from the analytics plane; store/analytics implements it on DuckDB and PostgreSQL.
type Facts interface {
	// Any reports whether there is an event at all.
	Any(ctx context.Context) (bool, error)
	Totals(ctx context.Context, q Question) (Totals, error)
	// Trend has a bucket for every day, or every hour, of the span, in order.
	Trend(ctx context.Context, q Question, hours bool) ([]Bucket, error)
	Breakdown(ctx context.Context, q Question, by Dimension, limit int) ([]Row, error)
	Pages(ctx context.Context, q Question, limit int) ([]Page, error)
	Events(ctx context.Context, q Question, limit int) ([]Event, error)
	Funnel(ctx context.Context, q Question, f Funnel) ([]Reached, error)
	Paths(ctx context.Context, q Question, p Paths) ([]Link, error)
	Retention(ctx context.Context, q Question, r Retention) ([]Cell, error)
	// People counts who stands behind a figure and lists a page of them.
	People(ctx context.Context, q Question, b Behind, p PeoplePage) (People, error)
	Visitors(ctx context.Context, ids []id.ID) ([]Visitor, error)
}

// Match is a condition on a property of an event.
type Match struct {
	Property string `json:"property"`
	Op       string `json:"op"`
	Value    string `json:"value,omitempty"`
}

// Ops are the comparisons of a Match: texts by bytes, the last four as numbers. A missing property fulfils none.
func Ops() []string {
	return []string{"=", "!=", "contains", "starts_with", "is_set", ">", ">=", "<", "<="}
}

// Step is an event of a funnel. Path narrows a page: the path itself, or with a star at its end every path that begins so.
type Step struct {
	Event string  `json:"event"`
	Path  string  `json:"path,omitempty"`
	Where []Match `json:"where,omitempty"`
}

// Funnel is steps that a person takes in the order of time: every step after the one before it, the last at most Window after
// the first. The first step lies in the span; later ones may lie behind its end.
type Funnel struct {
	Steps  []Step `json:"steps"`
	Window int    `json:"window_days"`
	// By splits it: a dimension of the person's first visit of the span, or "class:" and the key of a classification; "" for not.
	By string `json:"by,omitempty"`
}

// Reached is how many persons took the steps up to one, and the median milliseconds that those took from the step before it,
// each counted once, at the first time.
type Reached struct {
	Step   int // from 1
	Group  string
	Count  int64
	Median int64
}

// Paths are the ways through pages and events, step by step. A way ends after 30 minutes without one; the same page twice in
// a row is one.
type Paths struct {
	Nodes string // PathPages, PathEvents, PathBoth
	// Node is where the ways begin, or end when Backward is set; "" is the beginning or the end of the visit.
	Node     string
	Backward bool
	Depth    int // 3 to 6 nodes
	Top      int // how many nodes of a step keep their name
}

// What the nodes of paths are.
const (
	PathPages  = "pages"
	PathEvents = "events"
	PathBoth   = "both"
)

// Link is how many ways went from one node to another. Step 1 is the first link. To is nil where the way ended; Others stands
// for all that are not among the top of their step.
type Link struct {
	Step     int
	From, To *Node
	Count    int64
}

// Node is a page or an event of a step. Rest stands for all others.
type Node struct {
	Name string
	Rest bool
}

// Retention is how many of those who began in a period came back in later ones.
type Retention struct {
	Start, Return string // StartVisit, StartPurchase, or the name of an event
	Period        string // day, week (from Monday), month
}

// What begins a cohort and what counts as coming back, besides events.
const (
	OfVisit    = "visit"
	OfPurchase = "purchase"
)

// Cell is one field of the retention table. Period counts from 0 within the cohort's own; -1 holds the size of the cohort.
type Cell struct {
	Cohort clock.Day // first day of the cohort's period
	Period int
	Count  int64
}

// Behind names a figure; exactly one of its parts is set.
type Behind struct {
	// Visits are the visitors of the question itself; Only narrows them to visits of a sort: "", bounced, engaged, converted.
	Visits bool
	Only   string
	// Path are those who viewed a page, of Host where that is set.
	Path *PagePath
	// Event are those who did an event.
	Event string
	// Funnel: who took Step, or, with Lost, took it and not the next. Group is one of By.
	Funnel *FunnelStep
	// Cohort: who began in a period and, from Period 0 on, came back in another.
	Cohort *CohortCell
	// Way: who went from one node to another.
	Way *Way
}

// PagePath is a page.
type PagePath struct{ Host, Path string }

// FunnelStep is a step of a funnel. Group narrows it where Grouped is set.
type FunnelStep struct {
	Funnel
	Step    int
	Lost    bool
	Group   string
	Grouped bool
}

// CohortCell is a field of the retention table; Period -1 is the whole cohort.
type CohortCell struct {
	Retention
	Cohort clock.Day
	Period int
}

// Way is a link of paths between named nodes; To "" with Ended set is the end of the way.
type Way struct {
	Paths
	Step     int
	From, To string
	Ended    bool
}

// PeoplePage says which people of a figure are wanted: customers or anonymous visitors, after an id, in the order of ids.
// Limits are what the reader sees of customers, nil for everybody.
type PeoplePage struct {
	Anonymous bool
	After     id.ID
	Limit     int
	Limits    *query.Limits
	Count     bool // count them too
}

// People are the persons behind a figure.
type People struct {
	Customers, Anonymous int64 // all of them, -1 when not counted
	IDs                  []id.ID
}

// Visitor is what is known of somebody whom nobody knows.
type Visitor struct {
	ID                               id.ID
	Visits, Views                    int64
	FirstAt, LastAt                  time.Time
	Channel, Device, Country, Region string
}
