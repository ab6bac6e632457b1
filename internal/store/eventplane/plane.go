// Package eventplane takes events from the inbox to where they are analysed and kept: the steps behind identity resolution.
//
// Load puts what has its profile into f_event, with the columns that reports group by, and marks whose visits and traits change. Follow
// gives rows to the customers that their profiles belong to, whenever that changes. Visits makes the visits of whoever was touched.
// Rollups (PostgreSQL) sums the days of events and visits for reports.
// Seal (embedded) writes what was loaded into Parquet files by the day of acceptance, and trims the inbox of what is safe; on PostgreSQL, where
// f_event itself is durable, the inbox is only trimmed.
//
// Guarantees. An event is in f_event once, whatever crashes when: the position stands in the transaction that adds the rows. An event leaves
// the inbox only when it is loaded, every consumer named has passed it, and, embedded, a file that holds it has reached the disk and
// stands in the list with its checksum. The analytics file may be lost: what was sealed is read back from the files, the rest
// from the inbox. Files and f_event hold profiles and no name, address or number of a person; of traits only which there were.
//
// The steps of a Plane run one after another; its methods may be called by several goroutines.
package eventplane

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/customer/facet"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Names of consumers of the inbox whose positions the plane keeps: Loaded for looking at, Sealed as the truth.
const (
	Loaded = "load"
	Sealed = "seal"
)

// Owners says whose the events of profiles are. It is safe for concurrent use.
type Owners interface {
	// Owners are those of profiles that are not their own: a customer, or the profile they were joined to.
	Owners(ctx context.Context, profiles []id.ID) (map[id.ID]id.ID, error)
	// Moved are profiles whose owner was set behind a place in the log of owners, and the place up to which that is known; the same place
	// when there are none.
	Moved(ctx context.Context, after int64, limit int) (profiles []id.ID, upTo int64, err error)
	// Head is the newest place.
	Head(ctx context.Context) (int64, error)
}

// Config is what a Plane is made of.
type Config struct {
	Store  *eventstore.Store
	Facts  *analytics.Events
	Files  *analytics.EventFiles // nil where f_event is durable itself
	Dir    string                // where the files lie
	Owners Owners                // nil: every profile is its own
	Rates  func() facet.Rates
	Visits func(ctx context.Context) (analytics.VisitOptions, error)
	// First must have passed an event before it is loaded: it is analysed when it is known whether it may be.
	First []string
	// Refusals are the times in which any of some owners refused to be analysed; nil where nobody can. What happened in them is loaded without a person.
	Refusals func(ctx context.Context, owners []id.ID) (map[id.ID][]consent.Refusal, error)
	// Consumers must have passed an event before it leaves the inbox.
	Consumers []string
	// Touched is told that traits of customers may have changed; nil for nobody.
	Touched func()
	Clock   clock.Clock
	Log     *slog.Logger
	// Batch is how many events are loaded at once, 20,000 when 0; Seal from how many on a file is written before the day is over, 250,000 when 0.
	Batch, Seal int
}

// Plane carries the events of one workspace.
type Plane struct {
	c      Config
	mu     sync.Mutex // one step at a time, and none during a backup
	reader *facet.Reader
	swept  bool
}

// New makes a Plane; it touches nothing yet.
func New(c Config) *Plane {
	if c.Batch == 0 {
		c.Batch = 20_000
	}
	if c.Seal == 0 {
		c.Seal = 250_000
	}
	return &Plane{c: c, reader: facet.NewReader()}
}

// Hold keeps the plane from changing files and inbox until the answer is called.
func (p *Plane) Hold() func() {
	p.mu.Lock()
	return p.mu.Unlock
}

// Load loads the next events that have their profiles, or, when the plane was lost, reads back the next file. It says how many events.
func (p *Plane) Load(ctx context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from, known, err := p.c.Facts.Loaded(ctx)
	if err != nil {
		return 0, fmt.Errorf("where events were loaded up to: %w", err)
	}
	if !known && p.c.Files != nil {
		return p.restore(ctx)
	}
	resolved, err := p.least(ctx, append([]string{eventstore.Resolved}, p.c.First...))
	if err != nil {
		return 0, err
	}
	if !from.Less(resolved) {
		return 0, nil
	}
	list, err := p.c.Store.Read(ctx, from, p.c.Batch)
	if err != nil {
		return 0, fmt.Errorf("read inbox: %w", err)
	}
	for i := range list {
		if resolved.Less(eventstore.PositionOf(&list[i])) {
			list = list[:i]
			break
		}
	}
	if len(list) == 0 {
		return 0, nil
	}
	upTo := eventstore.PositionOf(&list[len(list)-1])
	rows, known, withheld, err := p.rows(ctx, list)
	if err != nil {
		return 0, err
	}
	if err := p.c.Facts.Load(ctx, rows, from, upTo); err != nil {
		return 0, fmt.Errorf("load events: %w", err)
	}
	if known && p.c.Touched != nil {
		p.c.Touched()
	}
	if len(withheld) > 0 {
		if err := p.c.Store.AddCounts(ctx, p.c.Store.Withheld(withheld)); err != nil {
			return 0, err
		}
	}
	return len(list), p.advance(ctx, Loaded, upTo)
}

func (p *Plane) advance(ctx context.Context, consumer string, upTo change.Position) error {
	return p.c.Store.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error { return p.c.Store.Advance(ctx, c, consumer, upTo) })
}

// rows are events as they are loaded; known says that some are of customers, withheld how many of each source are loaded without their persons.
func (p *Plane) rows(ctx context.Context, list []event.Event) (rows []analytics.Row, known bool, withheld map[id.ID]int64, err error) {
	profiles := make(map[id.ID]bool, len(list))
	for i := range list {
		profiles[list[i].Profile] = true
	}
	owners, err := p.ownersOf(ctx, profiles)
	if err != nil {
		return nil, false, nil, err
	}
	if withheld, err = p.withhold(ctx, list, owners); err != nil {
		return nil, false, nil, err
	}
	rates := p.c.Rates()
	rows = make([]analytics.Row, len(list))
	for i := range list {
		o, ok := owners[list[i].Profile]
		if !ok { // withheld
			o = analytics.Owner{ID: list[i].Profile}
		}
		known = known || o.Known
		rows[i] = analytics.NewRow(&list[i], o, p.reader.Read(&list[i], rates))
	}
	return rows, known, withheld, nil
}

// ownersOf are the owners of profiles, of each one.
func (p *Plane) ownersOf(ctx context.Context, profiles map[id.ID]bool) (map[id.ID]analytics.Owner, error) {
	out := make(map[id.ID]analytics.Owner, len(profiles))
	list := make([]id.ID, 0, len(profiles))
	for v := range profiles {
		out[v] = analytics.Owner{ID: v}
		list = append(list, v)
	}
	if p.c.Owners == nil || len(list) == 0 {
		return out, nil
	}
	known, err := p.c.Owners.Owners(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("find whose profiles are: %w", err)
	}
	for v, o := range known {
		if o != 0 && o != v && profiles[v] {
			out[v] = analytics.Owner{ID: o, Known: true}
		}
	}
	return out, nil
}

// moveBatch is how many changes of owners are followed in one transaction.
const moveBatch = 5000

// Follow gives the rows of profiles whose owner changed to their owners, and says how many profiles it looked at.
func (p *Plane) Follow(ctx context.Context) (int, error) {
	if p.c.Owners == nil {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.follow(ctx)
}

func (p *Plane) follow(ctx context.Context) (int, error) {
	if _, known, err := p.c.Facts.Loaded(ctx); err != nil || !known {
		return 0, err
	}
	after, err := p.c.Facts.Followed(ctx)
	if err != nil {
		return 0, err
	}
	moved, upTo, err := p.c.Owners.Moved(ctx, after, moveBatch)
	if err != nil || upTo == after {
		return 0, err
	}
	profiles := make(map[id.ID]bool, len(moved))
	for _, v := range moved {
		profiles[v] = true
	}
	owners, err := p.ownersOf(ctx, profiles)
	if err != nil {
		return 0, err
	}
	n, err := p.c.Facts.Move(ctx, owners, upTo)
	if err != nil {
		return 0, fmt.Errorf("move events to their customers: %w", err)
	}
	if n > 0 && p.c.Touched != nil {
		p.c.Touched()
	}
	return max(len(moved), 1), nil
}

// Visits makes visits anew where events were loaded.
func (p *Plane) Visits(ctx context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known, err := p.c.Facts.Loaded(ctx); err != nil || !known {
		return 0, err
	}
	opt, err := p.c.Visits(ctx)
	if err != nil {
		return 0, err
	}
	return p.c.Facts.Visits(ctx, opt)
}

// Rollups rolls the next day up that reports sum, on PostgreSQL; it says 1, or 0 when there was nothing to do.
func (p *Plane) Rollups(ctx context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.c.Facts.Rollup(ctx)
}

// CheckRollups compares some days of the rollups with their facts and says how many there are; "" where none are kept.
func (p *Plane) CheckRollups(ctx context.Context) (string, error) {
	c, err := p.c.Facts.CheckRollups(ctx, rollupSample)
	if err != nil || c.Days == 0 && c.Stale == 0 {
		return "", err
	}
	if len(c.Differing) > 0 {
		return "", fmt.Errorf("the rollup of %s differs from its events: rebuild analytics", c.Differing[0])
	}
	return fmt.Sprintf("%d days rolled up, %d wait, %d equal their events", c.Days, c.Stale, len(c.Compared)), nil
}

// rollupSample is how many days are compared at once.
const rollupSample = 3

// Complete reports whether the plane holds everything that was sealed and its visits are made.
func (p *Plane) Complete(ctx context.Context) (bool, error) {
	if _, known, err := p.c.Facts.Loaded(ctx); err != nil || !known {
		return false, err
	}
	return p.c.Facts.VisitsMade(ctx)
}

// Passed is up to where events were loaded and every consumer has come.
func (p *Plane) Passed(ctx context.Context) (change.Position, error) {
	at, _, err := p.c.Facts.Loaded(ctx)
	if err != nil {
		return at, err
	}
	return p.behind(ctx, at)
}

// behind is the position, or that of the consumer that is furthest behind it.
func (p *Plane) behind(ctx context.Context, at change.Position) (change.Position, error) {
	other, err := p.least(ctx, append([]string{eventstore.Resolved}, p.c.Consumers...))
	if other.Less(at) {
		at = other
	}
	return at, err
}

// least is the position of the consumer that is furthest behind.
func (p *Plane) least(ctx context.Context, names []string) (at change.Position, err error) {
	for i, name := range names {
		other, err := p.c.Store.Position(ctx, name)
		if err != nil {
			return at, err
		}
		if i == 0 || other.Less(at) {
			at = other
		}
	}
	return at, nil
}
