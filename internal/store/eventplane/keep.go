package eventplane

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Forget takes everything of profiles, and of whoever else's events belong to customers, out of the facts, the inbox and the files, and says
// how many events there were. It may be repeated. What is not loaded yet and has no profile is not found: Drain comes first.
func (p *Plane) Forget(ctx context.Context, customers, profiles []id.ID) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.c.Owners != nil { // what became theirs a moment ago is theirs
		if n, err := p.follow(ctx); err != nil {
			return 0, err
		} else if n == 0 {
			break
		}
	}
	more, err := p.c.Facts.ProfilesOf(ctx, customers)
	if err != nil {
		return 0, err
	}
	all := append(slices.Clone(profiles), more...)
	slices.Sort(all)
	return p.drop(ctx, analytics.Gone{Profiles: slices.Compact(all)})
}

// Retain takes the events of sources before a local day away, and says how many there were.
func (p *Plane) Retain(ctx context.Context, before map[id.ID]clock.Day) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := analytics.Gone{Before: map[id.ID]int64{}}
	for source, day := range before {
		g.Before[source] = int64(day)
	}
	return p.drop(ctx, g)
}

// Remove takes single events out of the facts, the inbox and the files, and says how many there were; the visits and traits that they were
// part of are made anew. It may be repeated. What is not loaded yet is not found.
func (p *Plane) Remove(ctx context.Context, events []id.ID) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.drop(ctx, analytics.Gone{Events: events})
	if n > 0 && p.c.Touched != nil {
		p.c.Touched()
	}
	p.c.Store.Wake()
	return n, err
}

// drop goes through files, inbox and facts in this order, so that a repetition after a crash still finds what the facts name.
func (p *Plane) drop(ctx context.Context, g analytics.Gone) (int64, error) {
	if g.Nothing() {
		return 0, nil
	}
	if p.c.Files != nil {
		if err := p.rewrite(ctx, g); err != nil {
			return 0, err
		}
	}
	if err := p.dropWaiting(ctx, g); err != nil {
		return 0, err
	}
	return p.c.Facts.Drop(ctx, g)
}

var errNothing = errors.New("nothing to write")

// rewrite writes the files anew in which something goes.
func (p *Plane) rewrite(ctx context.Context, g analytics.Gone) error {
	list, err := p.List(ctx)
	if err != nil {
		return err
	}
	newest := int64(0)
	for _, day := range g.Before {
		newest = max(newest, day)
	}
	oldest := int64(math.MaxInt64) // before which no event that goes was accepted
	for _, v := range g.Events {
		oldest = min(oldest, id.Made(v))
	}
	for _, f := range list {
		if len(g.Profiles) == 0 && f.MinDay >= newest && (f.Day+2)*dayMs <= oldest {
			continue
		}
		if err := p.rewriteOne(ctx, f, g); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plane) rewriteOne(ctx context.Context, f File, g analytics.Gone) error {
	var kept, gone int64
	fresh := f
	fresh.Name = strings.TrimSuffix(f.Name, ending) + "r" + ending
	err := p.write(ctx, &fresh, func(path string) (err error) {
		kept, gone, err = p.c.Files.Rewrite(ctx, p.path(f.Name), path, g)
		if err == nil && (kept == 0 || gone == 0) {
			err = errNothing
		}
		return err
	})
	if err != nil && !errors.Is(err, errNothing) {
		return err
	}
	if gone == 0 {
		return nil
	}
	err = p.c.Store.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM event_seal WHERE file = ?", f.Name); err != nil || kept == 0 {
			return err
		}
		return insertFile(ctx, c, fresh, p.c.Clock.Now().UnixMilli())
	})
	if err != nil {
		p.swept = false
		return err
	}
	return errors.Join(removeIfThere(p.path(f.Name)), syncDir(filepath.Dir(p.path(f.Name))))
}

// profilesAtOnce bounds a list in a statement.
const (
	profilesAtOnce = 500
	eventsAtOnce   = 5000
)

// dropNamed takes what is named in a column out of the inbox.
func (p *Plane) dropNamed(ctx context.Context, column string, list []id.ID, most int) error {
	for part := range slices.Chunk(list, most) {
		ids := make([]int64, len(part))
		for i, v := range part {
			ids[i] = int64(v)
		}
		err := p.c.Store.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
			d := c.Dialect()
			_, err := c.Exec(ctx, "DELETE FROM event_inbox WHERE "+d.In(column), d.IDList(ids))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropWaiting takes what goes out of the inbox. Of sources only what was loaded goes, the rest the next time.
func (p *Plane) dropWaiting(ctx context.Context, g analytics.Gone) error {
	loaded, _, err := p.c.Facts.Loaded(ctx)
	if err != nil {
		return err
	}
	if err := p.dropNamed(ctx, "profile_id", g.Profiles, profilesAtOnce); err != nil {
		return err
	}
	if err := p.dropNamed(ctx, "id", g.Events, eventsAtOnce); err != nil {
		return err
	}
	for source, day := range g.Before {
		err := p.c.Store.Write(sqlstore.Bulk(ctx), func(ctx context.Context, c sqlstore.Conn) error {
			_, err := c.Exec(ctx, "DELETE FROM event_inbox WHERE source_id = ? AND day < ? AND "+c.Dialect().ChangeBefore(), int64(source), day, loaded.Xid, loaded.Seq+1)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
