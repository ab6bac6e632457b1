package eventplane

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	dayMs  = 24 * 60 * 60 * 1000
	ending = ".parquet"
	unsure = ".part" // a file that is being written
	// keptFor is how long PostgreSQL keeps what was loaded in the inbox, where newest events are looked at and replayed.
	keptFor = dayMs
	// trimSlice is how many events leave the inbox in one transaction.
	trimSlice = 5000
)

// File is a sealed file.
type File struct {
	Name           string // the path below the folder, with slashes
	Day            int64  // of acceptance, since 1970 in UTC
	First, Last    int64  // places in the inbox
	Rows, Bytes    int64
	Sum            string // SHA-256 in hexadecimal
	MinDay, MaxDay int64  // local days on which what it holds happened
}

const fileColumns = "file, day, first_seq, last_seq, row_count, bytes, sha256, min_day, max_day"

// List are the sealed files in the order of acceptance.
func (p *Plane) List(ctx context.Context) (out []File, err error) {
	err = p.c.Store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var f File
			err := r.Scan(&f.Name, &f.Day, &f.First, &f.Last, &f.Rows, &f.Bytes, &f.Sum, &f.MinDay, &f.MaxDay)
			out = append(out, f)
			return err
		}, "SELECT "+fileColumns+" FROM event_seal ORDER BY first_seq, day, file")
	})
	return out, err
}

func insertFile(ctx context.Context, c sqlstore.Conn, f File, now int64) error {
	_, err := c.Exec(ctx, "INSERT INTO event_seal ("+fileColumns+", sealed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", f.Name, f.Day, f.First, f.Last, f.Rows, f.Bytes, f.Sum, f.MinDay, f.MaxDay, now)
	return err
}

func (p *Plane) path(name string) string { return filepath.Join(p.c.Dir, filepath.FromSlash(name)) }

// Seal writes what is due into files, or trims the inbox of what is safe. It says how many events it was.
func (p *Plane) Seal(ctx context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	loaded, known, err := p.c.Facts.Loaded(ctx)
	if err != nil || !known {
		return 0, err
	}
	safe := loaded
	if p.c.Files != nil {
		if err := p.sweep(ctx); err != nil {
			return 0, err
		}
		n, err := p.seal(ctx, loaded)
		if err != nil || n > 0 {
			return n, err
		}
		if safe, err = p.c.Store.Position(ctx, Sealed); err != nil {
			return 0, err
		}
	}
	return p.trim(ctx, safe)
}

// sweep removes files that a crash left without a line in the list, once.
func (p *Plane) sweep(ctx context.Context) error {
	if p.swept {
		return nil
	}
	list, err := p.List(ctx)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, f := range list {
		listed[p.path(f.Name)] = true
	}
	err = filepath.WalkDir(p.c.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || listed[path] || !strings.HasSuffix(path, ending) && !strings.HasSuffix(path, unsure) {
			return err
		}
		return os.Remove(path)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove unfinished files of events: %w", err)
	}
	p.swept = true
	return nil
}

// waiting is an event that is to be sealed.
type waiting struct{ seq, id, received int64 }

// seal writes files for the next events that are loaded and due: many, or of a day of acceptance that is over.
func (p *Plane) seal(ctx context.Context, loaded change.Position) (int, error) {
	from, err := p.c.Store.Position(ctx, Sealed)
	if err != nil || loaded.Seq <= from.Seq {
		return 0, err
	}
	today := p.c.Clock.Now().UnixMilli() / dayMs
	if loaded.Seq-from.Seq < int64(p.c.Seal) { // every round asks: what lies there for the day is not read each time
		first, err := p.due(ctx, from.Seq, loaded.Seq, 1)
		if err != nil || len(first) == 0 || first[0].received/dayMs >= today {
			return 0, err
		}
	}
	list, err := p.due(ctx, from.Seq, loaded.Seq, p.c.Seal)
	if err != nil {
		return 0, err
	}
	if len(list) < p.c.Seal { // of a day that is not over nothing yet
		if i := slices.IndexFunc(list, func(w waiting) bool { return w.received/dayMs >= today }); i >= 0 {
			list = list[:i]
		}
	}
	if len(list) == 0 {
		return 0, nil
	}
	days := map[int64][]waiting{}
	for _, w := range list {
		days[w.received/dayMs] = append(days[w.received/dayMs], w)
	}
	var files []File
	for _, day := range slices.Sorted(maps.Keys(days)) {
		part := days[day]
		f := File{Day: day, First: part[0].seq, Last: part[len(part)-1].seq}
		f.Name = fmt.Sprintf("%s/%012d-%012d%s", clock.Day(day).String(), f.First, f.Last, ending) //nolint:gosec // a day fits
		ids := make([]int64, len(part))
		for i, w := range part {
			ids[i] = w.id
		}
		if err := p.write(ctx, &f, func(path string) error { return p.c.Files.Copy(ctx, ids, path) }); err != nil {
			return 0, err
		}
		if f.Rows != int64(len(ids)) {
			return 0, fault.New(fault.Internal, "event.plane_differs", fault.Params{"events": len(ids), "rows": f.Rows})
		}
		files = append(files, f)
	}
	last := list[len(list)-1].seq
	err = p.c.Store.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		for _, f := range files {
			if err := insertFile(ctx, c, f, p.c.Clock.Now().UnixMilli()); err != nil {
				return err
			}
		}
		return p.c.Store.Advance(ctx, c, Sealed, change.Position{Seq: last})
	})
	if err != nil {
		p.swept = false // what was written has no line in the list
		return 0, err
	}
	return len(list), nil
}

// due are the next events that may be sealed, so many at most.
func (p *Plane) due(ctx context.Context, after, upTo int64, limit int) (out []waiting, err error) {
	err = p.c.Store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var w waiting
			err := r.Scan(&w.seq, &w.id, &w.received)
			out = append(out, w)
			return err
		}, "SELECT seq, id, received_at FROM event_inbox WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", after, upTo, limit)
	})
	return out, err
}

// write has a file written, brings it to the disk under its name, and fills in what is known of it.
func (p *Plane) write(ctx context.Context, f *File, fill func(path string) error) (err error) {
	path := p.path(f.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	part := path + unsure
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := fill(part); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.Name, err), removeIfThere(part))
	}
	if f.Rows, f.MinDay, f.MaxDay, err = p.c.Files.Describe(ctx, part); err != nil {
		return fmt.Errorf("read %s back: %w", f.Name, err)
	}
	if f.Sum, f.Bytes, err = settleFile(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return errors.Join(syncDir(filepath.Dir(path)), syncDir(p.c.Dir))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// settleFile brings a file to the disk and sums it up.
func settleFile(path string) (sum string, size int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := errors.Join(f.Chmod(0o600), f.Sync()); err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// trim takes what every consumer has passed out of the inbox, a slice at a time.
func (p *Plane) trim(ctx context.Context, safe change.Position) (int, error) {
	safe, err := p.behind(ctx, safe)
	if err != nil {
		return 0, err
	}
	until := int64(1) << 62
	if p.c.Files == nil {
		until = p.c.Clock.Now().UnixMilli() - keptFor
	}
	n := int64(0)
	err = p.c.Store.Write(sqlstore.Bulk(ctx), func(ctx context.Context, c sqlstore.Conn) (err error) {
		d := c.Dialect()
		key := d.ChangeKey()
		n, err = c.Exec(ctx, "DELETE FROM event_inbox WHERE ("+key+") IN (SELECT "+key+" FROM event_inbox WHERE "+d.ChangeBefore()+" AND received_at < ? ORDER BY "+d.ChangeOrder(false)+" LIMIT ?)",
			safe.Xid, safe.Seq+1, until, trimSlice)
		return err
	})
	return int(n), err
}

// restore reads back the next file into a plane that was lost; after the last one loading goes on from the inbox.
func (p *Plane) restore(ctx context.Context) (int, error) {
	list, err := p.List(ctx)
	if err != nil {
		return 0, err
	}
	done, begun, err := p.c.Files.Restored(ctx)
	if err != nil {
		return 0, err
	}
	if !begun {
		head := int64(0)
		if p.c.Owners != nil {
			if head, err = p.c.Owners.Head(ctx); err != nil {
				return 0, err
			}
		}
		return 1, p.c.Files.Begin(ctx, head)
	}
	next := 0
	if i := slices.IndexFunc(list, func(f File) bool { return f.Name == done }); i >= 0 {
		next = i + 1
	} else if done != "" { // rewritten meanwhile
		return 1, p.c.Files.Abandon(ctx)
	}
	if next == len(list) {
		sealed, err := p.c.Store.Position(ctx, Sealed)
		if err != nil {
			return 0, err
		}
		return 1, p.c.Files.Finish(ctx, sealed)
	}
	f := list[next]
	if err := p.verify(f); err != nil {
		return 0, err
	}
	profiles, err := p.c.Files.Profiles(ctx, p.path(f.Name))
	if err != nil {
		return 0, err
	}
	wanted := make(map[id.ID]bool, len(profiles))
	for _, v := range profiles {
		wanted[v] = true
	}
	owners, err := p.ownersOf(ctx, wanted)
	if err != nil {
		return 0, err
	}
	if err := p.c.Files.Restore(ctx, p.path(f.Name), f.Name, owners); err != nil {
		return 0, fmt.Errorf("read back %s: %w", f.Name, err)
	}
	return int(max(f.Rows, 1)), nil
}

// verify compares a file with its checksum.
func (p *Plane) verify(f File) error {
	bad := fault.New(fault.Internal, "event.file_damaged", fault.Params{"file": f.Name})
	in, err := os.Open(p.path(f.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return bad
	}
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(h, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != f.Sum {
		return bad
	}
	return nil
}

// Check compares every file with its checksum, and says what there is.
func (p *Plane) Check(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, err := p.List(ctx)
	if err != nil {
		return "", err
	}
	rows := int64(0)
	for _, f := range list {
		if err := p.verify(f); err != nil {
			return "", err
		}
		rows += f.Rows
	}
	return fmt.Sprintf("%d files, %d events", len(list), rows), nil
}

// Rebuild empties the facts of behaviour and makes them anew from the files and the inbox. On PostgreSQL, where they are themselves what is
// kept, only visits and rollups are made anew.
func (p *Plane) Rebuild(ctx context.Context) error {
	p.mu.Lock()
	var err error
	if p.c.Files != nil {
		err = p.c.Files.Abandon(ctx)
	} else {
		err = errors.Join(p.c.Facts.RemakeVisits(ctx), p.c.Facts.RemakeRollups(ctx))
	}
	p.mu.Unlock()
	return err
}

// Drain runs the steps until none has anything left to do.
func (p *Plane) Drain(ctx context.Context) error {
	for {
		did := 0
		for _, step := range []func(context.Context) (int, error){p.Follow, p.Load, p.Visits} {
			n, err := step(ctx)
			if err != nil {
				return err
			}
			did += n
		}
		if did == 0 {
			return nil
		}
	}
}
