package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/customer/person"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/edge/ingest"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/blob"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/rollup"
	"github.com/guanxi-crm/guanxi/internal/record/search"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/internal/store/eventschema"
	"github.com/guanxi-crm/guanxi/internal/store/mirror"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
)

// workspace is one open organisation: its stores, its engines and what feeds the derived stores.
type workspace struct {
	app  *App
	info auth.Workspace
	dir  string // embedded: DIR/workspaces/<key>
	zone *time.Location

	reg      atomic.Pointer[schema.Registry]
	rates    atomic.Pointer[money.Table]
	metadata *metadata.Service
	late     []string // objects whose indexes a change of metadata left to be made
	db       sqlstore.DB
	store    *sqlstore.Store
	adb      analytics.DB
	events   *eventFlow
	intake   *event.Intake
	bars     *doorPrivacy
	learned  *eventschema.Store
	visitors *ingest.Visitors
	gate     *analytics.Gate // adb as everything but the mirror sees it
	plane    *analytics.Store
	feed     feeder

	ring     *crypt.Keyring
	words    *vocabulary
	records  *record.Service
	indexer  *search.Indexer
	recurrer *activity.Recurrer
	rollups  *rollup.Follower
	consents *consents

	influenceMoved chan struct{} // something that influence is made of may have changed

	approvals    *approval.Service
	stages       *stage.Service
	configuring  sync.Mutex // held by whoever changes many parts of the configuration
	followStages *stage.Follower

	talk        *talk.Service
	told        *talk.Collector
	reminders   *talk.Reminders
	importMoved chan struct{}
	telling     sync.Mutex // held by whoever tells of imports by the names of their files, or takes such a name away
	files       *attachment.Service
	blobs       *blob.Dir

	traits   *trait.Service
	segments *segment.Service
	classes  *classify.Service
	imports  *transfer.Service
	mass     *mass.Service
	audience *analytics.Audience
	edge     *api.Workspace

	opened time.Time // by the clock of the file system's machine
	ctx    context.Context
	cancel context.CancelFunc
	owned  sync.WaitGroup

	engine  *identity.Engine
	persons *person.Service

	hooks       hooks
	post        post
	channels    *channel.Service
	rules       automations
	demo        demoBoard
	loading     sync.Mutex  // one load of everything at a time
	leads       atomic.Bool // this process feeds what is derived and runs imports
	stopFeeding context.CancelFunc
	feeding     sync.WaitGroup
}

// feeder keeps the analytics plane in step: a copier when embedded, a marker of touched customers on PostgreSQL.
type feeder interface {
	Run(ctx context.Context) error
	Drain(ctx context.Context) error
	Ready() bool
	Busy() bool
	Flush(ctx context.Context) error
	Status(ctx context.Context) (mirror.Status, error)
	WaitFor(ctx context.Context, p change.Position, atMost time.Duration) bool
	Reconcile(ctx context.Context) (mirror.Report, error)
	Rebuild(ctx context.Context, objects ...string) error
}

// opening is a workspace that is open, or being opened by the first who asked.
type opening struct {
	done chan struct{}
	ws   *workspace
	err  error
}

// Open implements api.Workspaces: the first to ask opens, others wait for it.
func (a *App) Open(ctx context.Context, key string) (*api.Workspace, error) {
	w, err := a.workspace(ctx, key)
	if err != nil {
		return nil, err
	}
	return w.edge, nil
}

func (a *App) workspace(ctx context.Context, key string) (*workspace, error) {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil, fault.New(fault.Unavailable, "store.closed", nil)
	}
	o := a.workspaces[key]
	if o == nil {
		o = &opening{done: make(chan struct{})}
		a.workspaces[key] = o
		a.mu.Unlock()
		o.ws, o.err = a.openWorkspace(context.WithoutCancel(ctx), key)
		if o.err != nil {
			a.mu.Lock()
			delete(a.workspaces, key)
			a.mu.Unlock()
		}
		close(o.done)
		return o.ws, o.err
	}
	a.mu.Unlock()
	select {
	case <-o.done:
		return o.ws, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *App) openWorkspace(ctx context.Context, key string) (_ *workspace, err error) {
	info, err := a.auth.Workspace(ctx, key)
	if err != nil {
		return nil, err
	}
	w := &workspace{app: a, info: info, dir: filepath.Join(a.Config.Data, "workspaces", info.Key), opened: time.Now()}
	w.ctx, w.cancel = context.WithCancel(a.ctx)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open workspace %s: %w", key, err), w.close())
		}
	}()
	if w.zone, err = time.LoadLocation(info.Timezone); err != nil {
		return nil, err
	}
	if err := w.openRecords(ctx); err != nil {
		return nil, err
	}
	if err := w.openEvents(ctx); err != nil {
		return nil, err
	}
	if err := w.openAnalytics(ctx); err != nil {
		return nil, err
	}
	w.openPlane()
	if err := w.build(ctx); err != nil {
		return nil, err
	}
	w.newIdentities()
	if err := w.records.RefreshIndexes(ctx); err != nil {
		return nil, err
	}
	w.run()
	if err := w.reapply(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *workspace) openRecords(ctx context.Context) (err error) {
	a := w.app
	if a.embedded() {
		if err := os.MkdirAll(w.dir, 0o700); err != nil {
			return err
		}
		w.db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(w.dir, "records.db"), SecureDelete: true, Clock: a.Clock, WriterCacheMB: 24, ReaderCacheMB: 4})
	} else {
		w.db, err = postgres.Open(ctx, postgres.Config{URL: a.Config.DatabaseURL, Schema: a.WorkspacePrefix + w.info.Key})
	}
	if err != nil {
		return err
	}
	if _, err := sqlstore.Migrate(ctx, w.db, migrations.Files, "schema_version"); err != nil {
		return err
	}
	w.store = sqlstore.New(sqlstore.Config{DB: w.db, Env: w.recordEnv, Clock: a.Clock})
	over := a.Clock.Now()
	if a.embedded() { // nobody else works on it
		over = over.Add(2 * configFor)
	}
	if err := w.restoreConfig(ctx, over); err != nil {
		return err
	}
	if err := errors.Join(w.openMetadata(ctx), w.openRates(ctx)); err != nil {
		return err
	}
	if _, err = w.store.Ensure(ctx, w.registry()); err != nil {
		return err
	}
	// Before anything can be written: what is to be told of or begun from now on lies behind these positions.
	return w.store.BeginAtHead(ctx, stage.Consumer, automation.Consumer, talk.Consumer, activity.Consumer, identityConsumer)
}

func (w *workspace) openAnalytics(ctx context.Context) (err error) {
	a := w.app
	if a.embedded() {
		w.adb, err = duckdb.Open(ctx, duckdb.Config{Dir: w.dir, Format: analytics.Format, MemoryLimit: a.Config.AnalyticsMB, Threads: a.Config.Threads, Clock: a.Clock})
	} else {
		w.adb, err = analytics.OpenPostgres(ctx, analytics.PostgresConfig{URL: a.Config.DatabaseURL, Schema: a.WorkspacePrefix + w.info.Key})
	}
	if err != nil {
		return err
	}
	settings, err := w.settings(ctx)
	if err != nil {
		return err
	}
	if err := w.guard(ctx); err != nil {
		return err
	}
	w.plane = analytics.New(w.gate, a.Clock)
	if err := w.shapeComputed(ctx); err != nil {
		return err
	}
	return w.plane.Ensure(system(ctx), w.registry(), settings)
}

// ensureClasses makes the classifications that come with the program, and room for the classes of all: they are traits that anybody may
// ask for before they are first worked out.
func (w *workspace) ensureClasses(ctx context.Context) error {
	if err := w.classes.EnsureDefaults(ctx); err != nil {
		return err
	}
	all, err := w.classes.List(ctx)
	if err != nil {
		return err
	}
	keys := make([]string, len(all))
	for i := range all {
		keys[i] = all[i].Key
	}
	return w.plane.MakeClasses(ctx, keys)
}

// zoneOf and base are what engines ask for.
func (w *workspace) zoneOf() *time.Location { return w.zone }
func (w *workspace) base() string           { return w.info.Currency }

// analysisKey is where a workspace keeps what it decides about its traits.
const analysisKey = "analysis"

// settings are what the workspace decided about its traits.
func (w *workspace) settings(ctx context.Context) (trait.Settings, error) {
	s := trait.Defaults()
	_, err := w.store.Setting(ctx, analysisKey, &s)
	return s, err
}

func (w *workspace) keys(ctx context.Context) (*crypt.Keyring, error) {
	secrets, err := w.app.secrets(ctx)
	if err != nil {
		return nil, err
	}
	return crypt.New(w.info.Key, secrets...)
}

// SecretName is the file in the data directory with the master secret.
const SecretName = "secret.key"

// secrets are the master secrets: of the settings, or of the key file, which is made with the first workspace. A file that
// is missing later is an error: a new one could not read what the old one encrypted.
func (a *App) secrets(ctx context.Context) ([][]byte, error) {
	if a.Config.Secret != "" {
		if s, err := crypt.ParseSecrets(a.Config.Secret); err == nil {
			return s, nil
		}
		return [][]byte{[]byte(a.Config.Secret)}, nil
	}
	path := filepath.Join(a.Config.Data, SecretName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		made, err := a.instance.Kept(ctx, "secret_made")
		if err != nil {
			return nil, err
		}
		if made != "" {
			return nil, fault.New(fault.Unavailable, "app.secret_missing", nil)
		}
		if err := os.MkdirAll(a.Config.Data, 0o700); err != nil {
			return nil, err
		}
		if err := crypt.CreateFile(path); err != nil {
			return nil, err
		}
		if err := a.instance.Keep(ctx, "secret_made", "1"); err != nil {
			return nil, err
		}
	}
	return crypt.ReadFile(path)
}

// hold keeps the keyring, which asks for a key that another process has exchanged.
func (w *workspace) hold(keys *crypt.Keyring) {
	keys.Source(w.app.secretSource())
	keys.Refresh(func(subject id.ID) ([]byte, error) {
		return w.records.WrappedKey(context.WithoutCancel(w.ctx), subject)
	})
	w.ring = keys
}

// build makes the engines.
func (w *workspace) build(ctx context.Context) error {
	a := w.app
	keys, err := w.keys(ctx)
	if err != nil {
		return err
	}
	w.hold(keys)
	registry := w.registry
	if w.words, err = newVocabulary(w); err != nil {
		return err
	}
	var second record.Broad
	if a.embedded() {
		second = broad{w}
	}
	w.records = record.New(record.Config{Store: w.store, Registry: registry, Keys: keys, Clock: a.Clock, IDs: a.ids, Zone: w.zoneOf, BaseCurrency: w.base, Rates: w,
		Users: people{a, w.info.Key}, Auditor: auditor{a, w.info.Key}, Broad: second, Figurer: figures{w}, Figures: w.words.Figures, Check: w.words.Check, RevealLimit: w.revealLimit, Log: a.Log})
	privacy.Guard(w.records)
	w.records.WatchMerges(func(object string, survivor id.ID) {
		if obj := registry().Object(object); obj != nil {
			a.hub.Publish(w.info.Key, api.Event{Kind: "merge", Object: object, ID: id.Format(obj.Prefix, survivor)})
		}
	})
	w.registerRules(registry)
	w.recurrer = &activity.Recurrer{Records: w.records, Changes: w.store.Log(), Registry: registry, Zone: w.zoneOf, Clock: a.Clock, Log: a.Log}
	w.newTalk()
	w.newApprovals(keys)
	if err := w.newFiles(keys); err != nil {
		return err
	}
	w.indexer = search.New(search.Config{Store: searchStore{w.store}, Changes: w.store.Log(), Records: w.records, Registry: registry, Log: a.Log})
	w.rollups = rollup.New(rollup.Config{Changes: w.store.Log(), Records: w.records, Registry: registry, Clock: a.Clock, Log: a.Log})
	w.feed = w.newFeed(registry)
	w.audience = analytics.NewAudience(w.plane, w.env, w.fresh)
	w.traits = trait.New(trait.Config{Store: shown{w.plane}, Catalogue: w.words.Catalogue, Settings: w.settings, Clock: a.Clock, Zone: w.zoneOf, Log: a.Log,
		Ready: w.feed.Ready, Busy: w.busy, Marked: w.marked(), Plan: w.computedPlan, OnPass: w.onPass})
	segments := sqlstore.NewSegments(w.store, w.zoneOf)
	classes := sqlstore.NewClassifications(w.store, w.zoneOf)
	language := language{w.words}
	w.segments = w.newSegments(segments, language)
	w.classes = classify.New(classify.Config{Store: classes, Board: w.audience, Past: w.audience, Goals: stageGoals{w}, Language: language, Clock: a.Clock, Publish: func(key string) {
		w.words.forget()
		w.segments.Stir()
		a.hub.Publish(w.info.Key, api.Event{Kind: "classification", ID: key})
	}})
	w.words.sources(segments, classes)
	if err := w.ensureClasses(system(ctx)); err != nil {
		return err
	}
	if w.imports, err = w.newImports(keys, registry); err != nil {
		return err
	}
	w.mass = w.newMass(keys)
	w.edge = &api.Workspace{Info: w.info, Registry: registry, Catalogue: w.words.Catalogue, Records: w.records, Conditions: w.words, Lists: lister{w.audience},
		Views:    w.newViews(),
		Timeline: timeline.New(w.records, moves{classes}, registry).WithCrossings(crossings{w.segments}).WithRemarks(remarks{w.talk}).WithFiles(w.files).WithAgreements(agreements{w}).WithBehaviour(behaviours{w}).WithJoins(behaviours{w}), Behaved: behaviours{w}, Talk: w.talk, Approvals: w.approvals, Stages: w.stages, Files: w.files, Calendars: calendars{w},
		Agenda:   &activity.Agenda{Records: w.records, Registry: registry, Zone: w.zoneOf, Clock: a.Clock},
		Segments: w.segments, Classes: w.classes, Traits: w.traits, Cuts: cuts{w}, Deeds: &deeds{w: w}, Computed: w.newDefinitions(),
		Reports: report.New(analytics.NewReports(w.gate, w.traits.Anchor, w.fresh, w.version)), Imports: w.imports, Mass: w.mass, Zone: w.zone, Purchases: w.purchases,
		Metadata: w.metadata, Rates: exchange{w}, Blueprints: blueprints{w}, Rights: w.newRights(), Status: w.status, Settle: func(ctx context.Context, p change.Position) { w.feed.WaitFor(ctx, p, time.Second) }}
	w.edge.Value, w.edge.Churn, w.edge.Warnings = value.NewService(analytics.NewValues(w.gate, w.plane)), w.newChurnDesk(), w.newWarnings()
	w.edge.Models, w.edge.Recommend, w.edge.Profiles, w.edge.Duplicates, w.edge.Privacy = w.newModels(), w.newRecommend(), w.newProfiles(), w.newDuplicates(), w.newPrivacy(keys)
	w.edge.Keys, w.edge.Web, w.edge.Social = keyService{w}, w.newWeb(), social.New(analytics.NewSocial(w.gate, w.zoneOf))
	if err := w.newTracking(ctx); err != nil {
		return err
	}
	w.edge.Sources, w.edge.Behaviour, w.edge.Interactions, w.edge.History = w.newSources(), w.events, interactions{w}, eventImports{w}
	if err := w.newPost(keys); err != nil {
		return err
	}
	w.newCampaigns(keys)
	return w.newHooks(keys)
}

// recordEnv is what conditions on the records plane are compiled against; traits and segments are not asked there.
func (w *workspace) recordEnv() compile.Env {
	return compile.Env{Registry: w.registry(), Now: w.app.Clock.Now(), Zone: w.zone, Base: w.info.Currency, Blind: w.blind, Blinds: w.blinds, Columnar: w.app.embedded()}
}

// env is what conditions on the analytics plane are compiled against.
func (w *workspace) env() compile.Env {
	env := w.recordEnv()
	env.Traits, env.Segment = w.words.Catalogue(), w.words.where
	return env
}

func (w *workspace) blind(f *schema.Field, normalised string) string {
	return w.records.Blind(f, normalised)
}

func (w *workspace) blinds(f *schema.Field, normalised string) []string {
	return w.records.Blinds(f, normalised)
}

func (w *workspace) purchases() []string {
	s, err := w.settings(w.ctx)
	if err != nil {
		w.app.Log.Error("settings", "error", err)
		s = trait.Defaults()
	}
	return s.Statuses
}

// marked is nil where the mirror writes relations and marks in one transaction.
func (w *workspace) marked() func(context.Context) (bool, error) {
	if m, ok := w.feed.(*marker); ok {
		return m.marked
	}
	return nil
}

// busy reports that much more is coming than the analytics plane has.
func (w *workspace) busy() bool { return w.feed.Busy() || w.imports.Busy() || w.mass.Busy() }

// fresh tells how old the answers of the analytics plane are.
func (w *workspace) fresh(ctx context.Context) (report.Freshness, error) {
	s, err := w.feed.Status(ctx)
	if err != nil {
		return report.Freshness{}, err
	}
	return report.Freshness{AsOf: w.app.Clock.Now().Add(-s.Lag), Lag: s.Lag}, nil
}

// version is another text whenever the analytics plane has changed: by records, by a pass of the traits, or by the day.
func (w *workspace) version(ctx context.Context) (string, error) {
	s, err := w.feed.Status(ctx)
	if err != nil {
		return "", err
	}
	st, err := w.traits.State(ctx)
	if err != nil {
		return "", err
	}
	anchor, err := w.traits.Anchor(ctx)
	return fmt.Sprint(s.Position, s.Head, s.Filling, st.ComputedAt.UnixNano(), st.Refilled, anchor), err
}

// run starts what follows the change log. An api process on PostgreSQL leaves it to the workers.
func (w *workspace) run() {
	w.shape()
	w.resume()
	if w.app.embedded() && w.app.Config.Role != "api" {
		w.own(w.ctx, &w.owned, "imports", w.imports.Run)
		w.own(w.ctx, &w.owned, "bulk work", w.mass.Run)
	}
	w.own(w.ctx, &w.owned, "events", w.follow)
	w.own(w.ctx, &w.owned, "pages of customers", w.watchVisits)
	w.own(w.ctx, &w.owned, "counts of events", w.countEvents)
	w.own(w.ctx, &w.owned, "plan of events", w.followPlan)
	w.own(w.ctx, &w.owned, "heal", w.heal)
	w.own(w.ctx, &w.owned, "files", w.sweepFiles)
	if !w.app.embedded() {
		w.own(w.ctx, &w.owned, "metadata", w.followMetadata)
	}
}

// resume starts the feeders of what is derived; of several processes on PostgreSQL the one that leads.
func (w *workspace) resume() {
	if w.app.Config.Role == "api" {
		return
	}
	var ctx context.Context
	ctx, w.stopFeeding = context.WithCancel(w.ctx)
	if w.app.embedded() {
		w.leads.Store(true)
		w.feedAll(ctx, &w.feeding)
	} else {
		w.own(ctx, &w.feeding, "lead", w.lead)
	}
}

func (w *workspace) feedAll(ctx context.Context, group *sync.WaitGroup) {
	w.own(ctx, group, "mirror", w.feed.Run)
	if !w.app.embedded() {
		w.own(ctx, group, "keys", w.hear)
	}
	w.own(ctx, group, "behaviour", w.events.run)
	w.own(ctx, group, "consents", w.followConsents)
	w.own(ctx, group, "influence", w.followInfluence)
	w.own(ctx, group, "search", w.indexer.Run)
	w.own(ctx, group, "repeating activities", w.recurrer.Run)
	w.own(ctx, group, "texts", w.readTexts)
	w.own(ctx, group, "rollups", w.rollups.Run)
	w.own(ctx, group, "notifications", w.told.Run)
	w.own(ctx, group, "reminders", w.reminders.Run)
	w.own(ctx, group, "requests for agreement", w.approvals.Run)
	w.own(ctx, group, "stays in stages", w.followStages.Run)
	w.own(ctx, group, "stages", w.stages.Run)
	w.own(ctx, group, "merges", w.records.RunMerges)
	w.own(ctx, group, "customers of profiles", w.followCustomers)
	if !w.app.embedded() {
		w.own(ctx, group, "configuration", w.watchConfig)
	}
	w.own(ctx, group, "ended imports", w.tellOfImports)
	w.hooks.feed(ctx, w, group)
	w.post.feed(ctx, w, group)
	w.own(ctx, group, "text messages of which nobody knows", w.clearDoubts)
	w.own(ctx, group, "campaigns", func(ctx context.Context) error { return w.edge.Campaigns.Run(system(ctx)) })
	w.own(ctx, group, "forms", w.edge.Forms.Run)
	w.own(ctx, group, "journeys", func(ctx context.Context) error { return w.edge.Journeys.Run(system(ctx)) })
	w.own(ctx, group, "changes for journeys", w.followJourneys)
	w.rules.feed(ctx, w, group)
	w.own(ctx, group, "duplicates", w.edge.Duplicates.Run)
	w.own(ctx, group, "traits", func(ctx context.Context) error { return w.traits.Run(system(ctx)) })
}

// pause stops the feeders until resume, so that a load of everything has the machine to itself.
func (w *workspace) pause() {
	if w.stopFeeding != nil {
		w.stopFeeding()
	}
	w.feeding.Wait()
}

// restartAfter is how long background work that failed (a full disk, a database that went away) rests before it begins again.
const restartAfter = 2 * time.Second

// own runs fn in a group until its context ends; after a failure fn begins again.
func (w *workspace) own(ctx context.Context, group *sync.WaitGroup, name string, fn func(context.Context) error) {
	group.Go(func() {
		for {
			err := fn(ctx)
			if err == nil || ctx.Err() != nil {
				return
			}
			w.app.Log.Error("background work failed", "workspace", w.info.Key, "what", name, "error", err)
			if sleep(ctx, restartAfter) != nil {
				return
			}
		}
	})
}

// close stops the consumers and closes the stores.
func (w *workspace) close() error {
	w.cancel()
	w.owned.Wait()
	w.feeding.Wait()
	var errs []error
	if w.feed != nil {
		errs = append(errs, w.feed.Flush(context.Background()))
	}
	if w.adb != nil {
		errs = append(errs, w.adb.Close())
	}
	errs = append(errs, w.events.close())
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	return errors.Join(errs...)
}

// settle waits, for a time at most, until what is derived has taken in everything, in every workspace that is open.
func (a *App) settle(atMost time.Duration) {
	ctx, cancel := context.WithTimeout(a.ctx, atMost)
	defer cancel()
	a.mu.Lock()
	open := slices.Collect(maps.Values(a.workspaces))
	a.mu.Unlock()
	for _, o := range open {
		<-o.done
		for o.ws != nil {
			s, err := o.ws.status(ctx)
			if err == nil && s.LagChanges == 0 && s.SearchLag == 0 && !s.TraitsStale || sleep(ctx, settlePoll) != nil {
				break
			}
		}
	}
}

const (
	settlePoll     = 25 * time.Millisecond
	troubledAtMost = 20
)

// status is what /system shows.
func (w *workspace) status(ctx context.Context) (api.Status, error) {
	m, err := w.feed.Status(ctx)
	if err != nil {
		return api.Status{}, err
	}
	at, head, err := w.indexer.Lag(ctx)
	if err != nil {
		return api.Status{}, err
	}
	ctx = system(ctx)
	st, err := w.traits.State(ctx)
	behind := false
	if err == nil {
		behind, err = w.traits.Behind(ctx)
	}
	rebuilding := w.gate.Closed() || away(err)
	if err != nil && !rebuilding {
		return api.Status{}, err
	}
	out := api.Status{Plane: "embedded", Position: m.Position.Seq, Head: m.Head.Seq, LagChanges: m.LagChanges, LagSeconds: m.Lag.Seconds(),
		SearchLag: max(head.Seq-at.Seq, 0), ComputedAt: st.ComputedAt, TraitsStale: behind || rebuilding, Rebuilding: rebuilding}
	troubled, err := w.app.instance.Troubled(ctx, w.info.Key, troubledAtMost)
	if err != nil {
		return api.Status{}, err
	}
	for _, t := range troubled {
		out.Jobs = append(out.Jobs, api.JobTrouble(t))
	}
	if w.app.embedded() {
		out.DataBytes = dirSize(w.dir) + dirSize(filepath.Join(w.dir, eventDir))
	} else {
		out.Plane = "postgres"
	}
	w.app.metrics.Lag(w.info.Key, "mirror", out.LagChanges)
	w.app.metrics.Lag(w.info.Key, "search", out.SearchLag)
	return out, nil
}

func dirSize(dir string) (n int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
	}
	return n
}

// Install implements api.Installer.
func (a *App) Install(ctx context.Context, w auth.Workspace, demo bool) error {
	if _, err := a.workspace(ctx, w.Key); err != nil {
		return err
	}
	if !demo {
		return nil
	}
	return a.enqueueDemo(ctx, w.Key)
}
