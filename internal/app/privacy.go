package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// privacyJob works off erasures and copies; privacyNightJob does what the rules of retention say, and rewrites what is large.
const (
	privacyJob      = "privacy"
	privacyNightJob = "privacy_night"
)

// newPrivacy makes the engine of what people may ask about their data.
func (w *workspace) newPrivacy(keys *crypt.Keyring) *privacy.Service {
	a := w.app
	store := sqlstore.Privacy{Store: w.store}
	return privacy.New(privacy.Config{Store: store, Records: w.records, Outside: outside{w, keys}, Registry: w.registry, Clock: a.Clock, Zone: w.zoneOf, IDs: a.ids, Log: a.Log, Work: w.info.Name,
		Words:    func(locale, key string, p fault.Params) string { return a.words.Text(lang.Locale(locale), key, p) },
		Locale:   func() string { return w.info.Locale },
		Check:    w.words.Check,
		Analytic: w.words.Analytic,
		IDsOf: func(ctx context.Context, object string, where *query.Node) ([]id.ID, error) {
			return crowd{w}.IDs(ctx, object, where, nil)
		},
		Files: copyFiles{filepath.Join(w.dir, "copies"), keys}, Gather: gatherer{w}})
}

// runPrivacy is the job.
func (a *App) runPrivacy(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	return errors.Join(w.edge.Privacy.Run(ctx, false), w.edge.Privacy.RunCopies(system(ctx)))
}

// runPrivacyNight is the job of each night.
func (a *App) runPrivacyNight(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	p := w.edge.Privacy
	return errors.Join(p.RunRules(ctx), p.Run(ctx, true), p.RunCopies(system(ctx)), p.SweepCopies(ctx), w.retainEvents(ctx))
}

// outside implements privacy.Outside.
type outside struct {
	w    *workspace
	keys *crypt.Keyring
}

var _ privacy.Outside = outside{}

const (
	settlePause = 50 * time.Millisecond
	settleTries = 1200
)

// Settle implements privacy.Outside.
func (o outside) Settle(ctx context.Context) error {
	log := o.w.store.Log()
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	for range settleTries {
		if err := o.w.feed.Flush(ctx); err != nil && !away(err) {
			return err
		}
		behind, err := o.w.store.Behind(ctx, head)
		if err != nil || !behind {
			return err
		}
		if err := clock.Pause(ctx, settlePause, nil); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "privacy.not_settled", nil)
}

// ShredImports implements privacy.Outside.
func (o outside) ShredImports(ctx context.Context, batches []id.ID, texts []string) (removed, waiting int, err error) {
	o.w.telling.Lock()
	defer o.w.telling.Unlock()
	return o.w.imports.Shred(ctx, batches, texts, func(j *transfer.Job) error { return o.w.talk.Retell(ctx, endOfImport(j).Once, j.FileName) })
}

// ShredExports implements privacy.Outside.
func (o outside) ShredExports(ctx context.Context, objects []string) (int, error) {
	return o.w.mass.Shred(ctx, objects)
}

// ForgetMail implements privacy.Outside.
func (o outside) ForgetMail(ctx context.Context, address string) (int, error) {
	return o.w.edge.Letters.Erase(ctx, 0, address)
}

// CarryBehaviour implements privacy.Outside.
func (o outside) CarryBehaviour(ctx context.Context) error {
	o.w.bars.forget()
	return o.w.events.settle(system(ctx))
}

// ForgetBehaviour implements privacy.Outside. What waits in the inbox is carried on first, so that it is found. The window of the newest
// events and the examples of what properties hold are emptied for whoever it is: both fill again by themselves.
func (o outside) ForgetBehaviour(ctx context.Context, customers []id.ID) (int64, error) {
	ctx = system(ctx)
	if err := o.w.events.settle(ctx); err != nil {
		return 0, err
	}
	if err := o.w.learned.Clear(ctx); err != nil {
		return 0, err
	}
	defer o.w.moveInfluence()
	return o.w.events.plane.Forget(ctx, customers, nil)
}

// RemoveBlob implements privacy.Outside.
func (o outside) RemoveBlob(name string) error { return o.w.blobs.Remove(name) }

// ForgetAnswers implements privacy.Outside.
func (o outside) ForgetAnswers(ctx context.Context, printed []string) (int, error) {
	return o.w.app.instance.ForgetAnswers(ctx, printed)
}

// ForgetTrail implements privacy.Outside.
func (o outside) ForgetTrail(ctx context.Context, ids []id.ID) (int, error) {
	return o.w.app.instance.ForgetTrail(ctx, o.w.info.Key, ids)
}

// ForgetKey implements privacy.Outside.
func (o outside) ForgetKey(subject id.ID) { o.keys.Forget(subject) }

// largeFrom is the size of the databases of a workspace from which their pages are rewritten at night: half a gigabyte takes some
// ten seconds, in which nobody writes.
const largeFrom = 512 << 20

// Large implements privacy.Outside.
func (o outside) Large() bool { return o.w.app.embedded() && dirSize(o.w.dir) > largeFrom }

// Clean implements privacy.Outside. PostgreSQL reuses its pages by itself.
func (o outside) Clean(ctx context.Context) error {
	if err := o.w.store.OptimizeSearch(ctx); err != nil {
		return fmt.Errorf("search index: %w", err)
	}
	if db, ok := o.w.db.(interface {
		Rewrite(ctx context.Context) error
	}); ok {
		if err := db.Rewrite(ctx); err != nil {
			return fmt.Errorf("records: %w", err)
		}
	}
	if file := o.w.events.file; file != nil {
		if err := file.Rewrite(ctx); err != nil {
			return fmt.Errorf("inbox of events: %w", err)
		}
	}
	if plane, ok := o.w.adb.(analytics.Rewriter); ok {
		if err := o.w.feed.Drain(ctx); err != nil {
			return fmt.Errorf("analytics: %w", err)
		}
		if err := plane.Rewrite(ctx); err != nil {
			return fmt.Errorf("analytics: %w", err)
		}
	}
	return o.w.app.instance.Rewrite(ctx)
}

// LedgerName is the file in the data directory that lists erasures, by ids and keyed digests alone: a restored backup is brought up to it. It is to be
// kept apart from backups, like the secret key.
const LedgerName = "erasures.log"

// ledgerLine is one erasure in the ledger.
type ledgerLine struct {
	Workspace string    `json:"workspace"`
	Object    string    `json:"object"`
	Record    id.ID     `json:"record"`
	Asked     time.Time `json:"asked"`
	Done      time.Time `json:"done"`
	Digest    string    `json:"certificate"`
	// Suppressed are the keyed digests that keep the person from coming back, with the keys of their fields.
	Suppressed map[string]string `json:"suppressed,omitempty"`
	// Lifted are digests that were taken off the list; such a line is no erasure.
	Lifted []string `json:"lifted,omitempty"`
}

// Ledger implements privacy.Outside.
func (o outside) Ledger(ctx context.Context, e *privacy.Erasure) error {
	digests, err := sqlstore.Privacy{Store: o.w.store}.SuppressedBy(ctx, e.ID)
	if err != nil {
		return err
	}
	return o.enter(ledgerLine{Workspace: o.w.info.Key, Object: e.Object, Record: e.Record, Asked: e.RequestedAt, Done: e.FinishedAt, Digest: e.Digest, Suppressed: digests})
}

// Lifted implements privacy.Outside.
func (o outside) Lifted(_ context.Context, digests []string) error {
	return o.enter(ledgerLine{Workspace: o.w.info.Key, Done: o.w.app.Clock.Now().UTC(), Lifted: digests})
}

// enter adds a line to the ledger, durable before it returns.
func (o outside) enter(l ledgerLine) error {
	if err := os.MkdirAll(o.w.app.Config.Data, 0o700); err != nil {
		return err
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(o.w.app.Config.Data, LedgerName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// readLedger reads the erasures of a workspace that stand in the ledger behind a place, and says up to where it read. A ledger that is
// shorter than the place is another one and is read from the beginning; a line that broke off is passed over.
func (a *App) readLedger(workspace string, from int64) (out []ledgerLine, to int64, err error) {
	f, err := os.Open(filepath.Join(a.Config.Data, LedgerName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if from > info.Size() {
		from = 0
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, 0, err
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l ledgerLine
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Workspace == workspace && (l.Record > 0 || len(l.Lifted) > 0) {
			out = append(out, l)
		}
	}
	return out, info.Size(), lines.Err()
}

// ledgerKey is where a workspace keeps up to which byte of the ledger it knows what was erased; a restored backup knows less.
const ledgerKey = "erasure_ledger"

// reapply erases again whom a restored backup brought back. It reads what stands in the ledger since the workspace was last opened.
func (w *workspace) reapply(ctx context.Context) error {
	var from int64
	if _, err := w.store.Setting(ctx, ledgerKey, &from); err != nil {
		return err
	}
	lines, to, err := w.app.readLedger(w.info.Key, from)
	if err != nil || to == from {
		return err
	}
	store := sqlstore.Privacy{Store: w.store}
	for _, l := range lines {
		if len(l.Lifted) > 0 {
			if _, err := store.Unsuppress(ctx, l.Lifted); err != nil {
				return fmt.Errorf("suppress again: %w", err)
			}
			continue
		}
		if err := store.Suppress(ctx, 0, l.Suppressed, l.Done); err != nil {
			return fmt.Errorf("suppress again: %w", err)
		}
		missing, err := w.edge.Privacy.Again(ctx, l.Object, l.Record, l.Asked)
		if err != nil {
			return fmt.Errorf("erase again: %w", err)
		}
		if missing {
			w.app.Log.Warn("a person who was erased after this backup is erased again", "workspace", w.info.Key)
		}
	}
	return w.store.SetSetting(ctx, ledgerKey, to)
}

// Enqueue implements privacy.Outside.
func (o outside) Enqueue(ctx context.Context) error {
	_, err := o.w.app.jobs.Add(ctx, job.Job{Kind: privacyJob, Workspace: o.w.info.Key})
	return err
}

// Actor implements privacy.Outside.
func (o outside) Actor(ctx context.Context, kind access.ActorKind, who id.ID) (access.Actor, error) {
	actor, err := o.w.app.auth.Present(ctx, o.w.info.Key, kind, who)
	if err != nil {
		return actor, err
	}
	return o.w.edge.Rights.Resolve(ctx, actor)
}

// Note implements privacy.Outside.
func (o outside) Note(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error {
	return o.w.app.auth.Note(ctx, o.w.info.Key, action, object, rec, detail)
}

// Publish implements privacy.Outside.
func (o outside) Publish() { o.w.app.hub.Publish(o.w.info.Key, api.Event{Kind: "privacy"}) }

// copyFiles implements privacy.CopyFiles: each file is a sealed stream under a key of its own.
type copyFiles struct {
	dir  string
	keys *crypt.Keyring
}

func (c copyFiles) path(key id.ID) string {
	return filepath.Join(c.dir, id.Format(privacy.CopyPrefix, key))
}

func copyPlace(key id.ID) crypt.Place {
	return crypt.Place{Object: "copy", Field: "content", Record: key}
}

// Create implements privacy.CopyFiles.
func (c copyFiles) Create(key id.ID, fill func(io.Writer) error) (sealed []byte, size int64, err error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, 0, err
	}
	part := c.path(key) + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(part))
		}
	}()
	raw := c.keys.NewStreamKey()
	defer clear(raw)
	if sealed, err = (vault{c.keys}).WrapFileKey(raw, key); err != nil {
		return nil, 0, err
	}
	out, err := c.keys.SealStream(raw, copyPlace(key), f)
	if err != nil {
		return nil, 0, err
	}
	n := &counter{w: out}
	if err := fill(n); err != nil {
		return nil, 0, err
	}
	if err := errors.Join(out.Close(), f.Sync()); err != nil {
		return nil, 0, err
	}
	if err := f.Close(); err != nil {
		return nil, 0, err
	}
	return sealed, n.n, os.Rename(part, c.path(key))
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Open implements privacy.CopyFiles.
func (c copyFiles) Open(key id.ID, sealed []byte) (io.ReadCloser, error) {
	raw, err := (vault{c.keys}).UnwrapFileKey(sealed, key)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	f, err := os.Open(c.path(key))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "privacy.copy_gone", nil)
	}
	if err != nil {
		return nil, err
	}
	plain, err := c.keys.OpenStream(raw, copyPlace(key), f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, f}, nil
}

// Remove implements privacy.CopyFiles.
func (c copyFiles) Remove(key id.ID) error {
	for _, p := range []string{c.path(key), c.path(key) + ".part"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// gatherer implements privacy.Gather.
type gatherer struct{ w *workspace }

var _ privacy.Gather = gatherer{}

const gatherAtMost = 100_000

// Said implements privacy.Gather.
func (g gatherer) Said(ctx context.Context, ids []id.ID) ([]privacy.Said, error) {
	list, err := sqlstore.NewTalk(g.w.store).Comments(ctx, ids, g.w.app.Clock.Now(), gatherAtMost)
	if err != nil {
		return nil, err
	}
	var who []id.ID
	for _, c := range list {
		if !slices.Contains(who, c.By) {
			who = append(who, c.By)
		}
	}
	names, err := people{g.w.app, g.w.info.Key}.Users(ctx, who)
	var out []privacy.Said
	for _, c := range list {
		if c.DeletedAt.IsZero() {
			out = append(out, privacy.Said{Record: c.Record, At: c.At, By: names[c.By], Text: c.Body})
		}
	}
	return out, err
}

// Filed implements privacy.Gather.
func (g gatherer) Filed(ctx context.Context, ids []id.ID) ([]privacy.Filed, error) {
	list, err := sqlstore.Attachments{Store: g.w.store}.Files(ctx, ids, attachment.Selection{Until: g.w.app.Clock.Now(), Limit: gatherAtMost, Fields: true})
	var out []privacy.Filed
	for _, f := range list {
		out = append(out, privacy.Filed{ID: f.ID, Record: f.Record, Name: f.Name, Media: f.Media, Size: f.Size, At: f.At})
	}
	return out, err
}

// OpenFile implements privacy.Gather.
func (g gatherer) OpenFile(ctx context.Context, file id.ID) (io.ReadCloser, error) {
	_, body, err := g.w.files.Open(ctx, file)
	return body, err
}

// Known implements privacy.Gather.
func (g gatherer) Known(ctx context.Context, customer id.ID) ([]privacy.Known, error) {
	p, err := g.w.edge.Profiles.Profile(ctx, customer)
	if err != nil {
		return nil, err
	}
	var out []privacy.Known
	for _, t := range p.Traits {
		if t.Value != nil {
			out = append(out, privacy.Known{Group: t.Group, Label: t.Label, Value: t.Value})
		}
	}
	for _, c := range p.Classes {
		out = append(out, privacy.Known{Label: c.Label, Value: c.ClassLabel})
	}
	segments := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		segments[loc] = g.w.app.words.Text(loc, "privacy.copy_segment", nil)
	}
	for _, s := range p.Segments {
		out = append(out, privacy.Known{Label: segments, Value: s.Label})
	}
	return out, nil
}

// Recipients implements privacy.Gather.
func (g gatherer) Recipients(ctx context.Context, objects []string) ([]string, error) {
	list, err := sqlstore.NewWebhooks(g.w.store).Webhooks(ctx, false)
	out := []string{}
	for _, s := range list {
		for _, r := range s.Rules {
			if slices.Contains(objects, r.Object) || r.Object == "*" {
				out = append(out, s.Name+" ("+s.URL+")")
				break
			}
		}
	}
	return out, err
}

// revealLimit is how many records somebody may reveal in an hour. A limit that cannot be read is the default one.
func (w *workspace) revealLimit(ctx context.Context, a access.Actor) int {
	set, err := w.edge.Privacy.Settings(ctx)
	if err != nil {
		w.app.Log.Error("privacy settings", "error", err)
		return privacy.DefaultReveals
	}
	if n, ok := set.Reveals[string(a.Role)]; ok {
		return n
	}
	return privacy.DefaultReveals
}
