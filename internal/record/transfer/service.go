package transfer

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// Config is what a Service needs. Store, Records, Registry, Clock and Dir must be set.
type Config struct {
	Store    Store
	Records  Records
	Registry func() *schema.Registry
	Clock    clock.Clock
	Dir      string // of uploaded files and scratch files
	Vault    Vault  // nil keeps uploaded files in clear
	// Duplicates finds existing records that rows may be; nil finds none.
	Duplicates Duplicates
	// People finds persons of the workspace by folded e-mail addresses or names; nil finds nobody. A name that several have has several.
	People func(ctx context.Context, texts []string) (map[string][]id.ID, error)
	// NewOptions makes options of a choice field under the rights of the actor and gives their keys by label; labels that an option has
	// already give its key. nil makes none.
	NewOptions func(ctx context.Context, object, field string, labels []string) (map[string]string, error)
	// Words gives the sentence of a fault code in a language; nil gives codes.
	Words func(locale, code string, params fault.Params) string
	// Publish is told whenever a job moves; nil for nobody. It must not wait.
	Publish func(Event)
	// Actor completes whom a job acts for with what they may do now: a job begins under the rights of the moment at which it
	// runs, not of the one at which it was asked for. nil leaves it as it was.
	Actor func(ctx context.Context, a access.Actor) (access.Actor, error)
	// Lock makes this process the one that runs imports, where there are several; ok is false while another does.
	Lock func(ctx context.Context) (release func(), ok bool, err error)
	// MaxFile bounds uploads in bytes, 10 GiB when 0; SpillBytes what sorting keeps in memory, 160 MiB when 0.
	MaxFile    int64
	SpillBytes int
	// KeepFor is how long files of ended imports stay, for undo and error files; 30 days when 0.
	KeepFor time.Duration
	Log     *slog.Logger // nil discards
}

// Service makes, changes and runs the imports of one workspace. It is safe for concurrent use.
type Service struct {
	cfg   Config
	files files
	wake  chan struct{}

	mu       sync.Mutex
	running  map[id.ID]context.CancelFunc
	looks    map[id.ID]*look
	lookList []id.ID
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.MaxFile == 0 {
		cfg.MaxFile = 10 << 30
	}
	if cfg.SpillBytes == 0 {
		cfg.SpillBytes = spillBudget
	}
	if cfg.KeepFor == 0 {
		cfg.KeepFor = 30 * 24 * time.Hour
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Publish == nil {
		cfg.Publish = func(Event) {}
	}
	if cfg.Words == nil {
		cfg.Words = func(_, code string, _ fault.Params) string { return code }
	}
	return &Service{cfg: cfg, files: files{dir: cfg.Dir, vault: cfg.Vault}, wake: make(chan struct{}, 1), running: map[id.ID]context.CancelFunc{}, looks: map[id.ID]*look{}}
}

func (s *Service) limits() source.Limits { return source.Limits{TempDir: s.cfg.Dir} }

// Upload is a file to import.
type Upload struct {
	Object   string
	FileName string
	Body     io.Reader
	Mapping  *mapping.Mapping // nil: the one remembered for such columns, or a suggestion
}

// Import is a job with what its file shows: the columns with samples, what they may become, a preview and warnings.
type Import struct {
	*Job
	Columns  []Column
	Targets  []mapping.Target
	Preview  []map[string]string
	Warnings []*fault.Fault
	Errors   []RowError // the first twenty that are faulty
	LeftOut  []RowError // the first twenty that a rule left out
	Marked   []RowError // the first twenty that were imported and may be duplicates
	Sheets   []string   // of a workbook
	Head     []source.HeadRow
}

// Column is a column of the file.
type Column struct {
	Name      string
	Samples   []string
	Reads     []string // what each sample is read as under the mapping, "" where it is no value of its field or not mapped
	Suggested string   // a target key, "" for none
}

// look is what was read of a file for the mapping; it is kept in memory alone, since it holds values.
type look struct {
	sample   source.Sample
	warnings []*fault.Fault
	mapping  string
	dayFirst bool // what the dates of the file say
	sheets   []string
	head     []source.HeadRow
}

func allowed(ctx context.Context) error {
	if !access.From(ctx).Can(access.ImportRun) {
		return fault.New(fault.Forbidden, "import.forbidden", nil)
	}
	return nil
}

// Create stores an upload and prepares its mapping.
func (s *Service) Create(ctx context.Context, up Upload) (*Import, error) {
	return s.create(ctx, up, 0)
}

func (s *Service) create(ctx context.Context, up Upload, retry id.ID) (*Import, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	if a := importer(access.From(ctx)); s.cfg.Registry().Object(up.Object) != nil && !a.May(up.Object, access.Create) && !a.May(up.Object, access.Update) {
		return nil, fault.New(fault.Forbidden, "import.object_forbidden", fault.Params{"label": s.cfg.Registry().Object(up.Object).Label})
	}
	if obj := s.cfg.Registry().Object(up.Object); obj == nil || obj.NoImport || obj.Virtual {
		return nil, fault.InvalidField("import.unknown_object", "object", fault.Params{"object": up.Object})
	}
	now, actor := s.cfg.Clock.Now(), access.From(ctx)
	j := &Job{ID: s.cfg.Records.NewID(), Object: up.Object, FileName: clipText(up.FileName, 200), Status: Uploaded, CreatedBy: actor.ID, CreatedAt: now, UpdatedAt: now,
		State: State{Retry: retry, Actor: Actor{Kind: actor.Kind, ID: actor.ID, Person: actor.Person, Role: actor.Role, Locale: actor.Locale, Scopes: actor.Scopes}}}
	var err error
	if j.Size, j.SHA256, j.State.FileKey, err = s.files.save(j.ID, up.Body, s.cfg.MaxFile); err != nil {
		return nil, err
	}
	j.Progress = Progress{TotalBytes: j.Size}
	l, err := s.prepare(ctx, j, up.Mapping)
	if err == nil {
		err = s.cfg.Store.SaveJob(ctx, j, "")
	}
	if err != nil {
		return nil, errors.Join(err, s.files.remove(j.ID))
	}
	s.keepLook(j.ID, l)
	return s.view(ctx, j, l)
}

// prepare finds the format of a new file and a mapping for it.
func (s *Service) prepare(ctx context.Context, j *Job, given *mapping.Mapping) (*look, error) {
	file, err := s.files.open(j)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var m mapping.Mapping
	if given != nil {
		m = *given
	}
	if m.Format, err = source.Detect(file, m.Format, s.limits()); err != nil {
		return nil, err
	}
	sample, err := source.Take(file, m.Format, s.limits(), sampleRows)
	if err != nil {
		return nil, err
	}
	if given != nil && !m.Empty() {
		if err = mapping.Check(s.cfg.Registry(), j.Object, m, withExtra(sample.Columns, m)); err == nil {
			err = s.permitted(ctx, j.Object, m, withExtra(sample.Columns, m))
		}
	} else {
		m, j.State.Saved, err = s.suggest(ctx, j.Object, m, sample)
	}
	if err != nil {
		return nil, err
	}
	j.Mapping = m
	return s.lookAt(ctx, j, file, sample)
}

// suggest maps the columns of a file: by the saved mapping for such columns, which it names, as the last time that such columns were
// imported, or by their names and values. Options that the given mapping holds stay, except those that name fields.
func (s *Service) suggest(ctx context.Context, object string, given mapping.Mapping, sample source.Sample) (mapping.Mapping, id.ID, error) {
	reg := s.cfg.Registry()
	var out mapping.Mapping
	saved, named, err := s.recognised(ctx, object, sample.Columns)
	if err != nil {
		return out, 0, err
	}
	if out = saved.Mapping.Fit(reg, object, sample.Columns); named && out.Empty() {
		named, saved.ID = false, 0
	}
	ok := named
	if !ok {
		if out, ok, err = s.cfg.Store.Remembered(ctx, mapping.Fingerprint(object, sample.Columns)); err != nil {
			return out, 0, err
		}
		out = out.Fit(reg, object, sample.Columns)
	}
	date := out.Format.Date
	if out.Format = given.Format; !ok || mapping.Check(reg, object, out, sample.Columns) != nil {
		out, saved.ID = mapping.Suggest(reg, object, given.Format, sample), 0
	} else {
		out.Format.Date = cmp.Or(given.Format.Date, date)
		if e := mapping.DecimalsOf(reg, object, out, sample); e.Comma == 0 != (e.Point == 0) {
			out.Options.DecimalComma = e.Comma > 0 // this file is written otherwise than the last one
		}
	}
	given.Options.Match, given.Options.OrderKey, given.Options.Mode = nil, nil, ""
	out.Options = given.Options.Over(out.Options)
	return out, saved.ID, nil
}

// withExtra adds the columns that the mapping of an NDJSON file names and its first rows do not have.
func withExtra(columns []string, m mapping.Mapping) []string {
	if m.Format.Kind != source.NDJSON {
		return columns
	}
	out := slices.Clone(columns)
	for _, n := range m.Names() {
		if _, ok := mapping.Find(out, n); !ok {
			out = append(out, n)
		}
	}
	return out
}

const (
	sampleRows  = 200
	previewRows = 10
	headRows    = 12
	maxLooks    = 16
)

// lookAt gathers warnings about a file under its mapping.
func (s *Service) lookAt(ctx context.Context, j *Job, file source.File, sample source.Sample) (*look, error) {
	l := &look{sample: sample, mapping: encodeJSON(j.Mapping), dayFirst: j.Mapping.Options.DateOrder == "dmy"}
	var err error
	if j.Mapping.Format.Kind == source.XLSX {
		if l.sheets, err = source.Sheets(file, s.limits()); err != nil {
			return nil, err
		}
	}
	if l.head, err = source.Head(file, j.Mapping.Format, s.limits(), headRows); err != nil {
		return nil, err
	}
	if sample.Faulty*10 > len(sample.Rows) {
		l.warnings = append(l.warnings, sample.Fault)
	} else if len(sample.Rows) == 0 {
		l.warnings = append(l.warnings, fault.New(fault.Invalid, "import.no_rows", nil))
	}
	plan, err := mapping.Compile(s.cfg.Registry(), j.Object, j.Mapping, withExtra(sample.Columns, j.Mapping))
	if err != nil {
		f, ok := fault.Find(err)
		if !ok {
			return nil, err
		}
		l.warnings = append(l.warnings, f)
		return l, nil
	}
	if e := mapping.DecimalsOf(s.cfg.Registry(), j.Object, j.Mapping, sample); e.Comma > 0 && (e.Point > 0 || !j.Mapping.Options.DecimalComma) || e.Point > 0 && j.Mapping.Options.DecimalComma {
		l.warnings = append(l.warnings, fault.New(fault.Invalid, "import.mixed_decimals", nil))
	}
	l.warnings = append(l.warnings, s.unconvertible(ctx, plan, sample)...)
	var at []*mapping.Value
	for i := range plan.Values {
		if t := plan.Values[i].Field.Type; (t == schema.DateTime || t == schema.Date) && plan.Values[i].Date == "" {
			at = append(at, &plan.Values[i])
		}
	}
	if len(at) > 0 && j.Mapping.Options.DateOrder == "" && j.Mapping.Format.Date == "" {
		e, err := s.dates(ctx, file, j.Mapping, at)
		if err != nil {
			return nil, err
		}
		order, warning := e.Order()
		if l.dayFirst = order == "dmy"; warning != nil {
			l.warnings = append(l.warnings, warning)
		}
	}
	return l, nil
}

func (s *Service) keepLook(v id.ID, l *look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looks[v] == nil {
		if s.lookList = append(s.lookList, v); len(s.lookList) > maxLooks {
			delete(s.looks, s.lookList[0])
			s.lookList = s.lookList[1:]
		}
	}
	s.looks[v] = l
}

// looked is what is known of a job's file; an empty look when the file is gone.
func (s *Service) looked(ctx context.Context, j *Job) (*look, error) {
	s.mu.Lock()
	l := s.looks[j.ID]
	s.mu.Unlock()
	if l != nil && l.mapping == encodeJSON(j.Mapping) {
		return l, nil
	}
	file, err := s.files.open(j)
	if fault.CodeOf(err) == "import.file_gone" {
		return &look{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sample, err := source.Take(file, j.Mapping.Format, s.limits(), sampleRows)
	if err != nil {
		return nil, err
	}
	if l, err = s.lookAt(ctx, j, file, sample); err != nil {
		return nil, err
	}
	s.keepLook(j.ID, l)
	return l, nil
}

func (s *Service) view(ctx context.Context, j *Job, l *look) (*Import, error) {
	reg := s.cfg.Registry()
	out := &Import{Job: j, Targets: mapping.Targets(reg, j.Object), Warnings: s.warnings(ctx, j, l), Sheets: l.sheets, Head: l.head}
	reads := s.reads(ctx, j, l)
	suggested := mapping.Suggested(reg, j.Object, j.Mapping, l.sample.Columns)
	for i, name := range l.sample.Columns {
		c := Column{Name: name, Samples: l.sample.Values(i, 3), Suggested: suggested[i]}
		for _, text := range c.Samples {
			c.Reads = append(c.Reads, reads(i, text))
		}
		out.Columns = append(out.Columns, c)
	}
	for _, row := range l.sample.Rows[:min(previewRows, len(l.sample.Rows))] {
		m := make(map[string]string, len(row))
		for i, v := range row {
			m[l.sample.Columns[i]] = v
		}
		out.Preview = append(out.Preview, m)
	}
	var err error
	out.Errors, out.LeftOut, out.Marked, err = s.sample(ctx, j.ID)
	return out, err
}

// Get reads an import with what its file shows.
func (s *Service) Get(ctx context.Context, v id.ID) (*Import, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	l, err := s.looked(ctx, j)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, j, l)
}

// Job reads an import alone: its state, progress and result.
func (s *Service) Job(ctx context.Context, v id.ID) (*Job, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.GetJob(ctx, v)
}

// JobQuery asks for a page of the history of imports. Zero members ask for all.
type JobQuery struct {
	Object   string
	Statuses []Status
	By       id.ID
	Text     string // in the name of the file
	Before   id.ID  // older than this one
	Limit    int
}

// Find reads a page of the history, newest first, without what the files show.
func (s *Service) Find(ctx context.Context, q JobQuery) ([]*Job, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	return s.cfg.Store.FindJobs(ctx, q)
}

// List reads the newest imports, without what their files show.
func (s *Service) List(ctx context.Context, limit int) ([]*Job, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.ListJobs(ctx, min(max(limit, 1), 200))
}

// SetMapping changes the mapping of an import that has not been started; its mistakes are refused, all at once. A mapping that maps no
// column, or that says how the file is to be read and leaves the columns as they were though they are others then, gets columns
// suggested anew, as the file then shows them.
func (s *Service) SetMapping(ctx context.Context, v id.ID, m mapping.Mapping) (*Import, error) {
	return s.set(ctx, v, m, 0)
}

func (s *Service) set(ctx context.Context, v id.ID, m mapping.Mapping, saved id.ID) (*Import, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	was := j.Status
	if was != Uploaded && was != Checked && was != Failed && was != Cancelled {
		return nil, stateConflict(j)
	}
	before, err := s.looked(ctx, j)
	if err != nil {
		return nil, err
	}
	file, err := s.files.open(j)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m.Format = j.Mapping.Format.With(m.Format)
	if m.Format, err = source.Detect(file, m.Format, s.limits()); err != nil {
		return nil, err
	}
	sample, err := source.Take(file, m.Format, s.limits(), sampleRows)
	if err != nil {
		return nil, err
	}
	others := !slices.Equal(before.sample.Columns, sample.Columns)
	if m.Empty() || others && m.SameColumns(j.Mapping) {
		m, saved, err = s.suggest(ctx, j.Object, m, sample)
	} else if err = mapping.Check(s.cfg.Registry(), j.Object, m, withExtra(sample.Columns, m)); err == nil {
		err = s.permitted(ctx, j.Object, m, withExtra(sample.Columns, m))
	}
	if err != nil {
		return nil, err
	}
	j.Mapping, j.UpdatedAt, j.State.Saved = m, s.cfg.Clock.Now(), saved
	j.State.Rows, j.State.Groups, j.State.Read = 0, 0, false
	if was == Checked {
		j.Status = Uploaded
	}
	l, err := s.lookAt(ctx, j, file, sample)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.SaveJob(ctx, j, was); err != nil {
		return nil, err
	}
	s.keepLook(j.ID, l)
	return s.view(ctx, j, l)
}

// permitted refuses what the actor may not do by an import: make options, records of other objects, or owners of existing records.
func (s *Service) permitted(ctx context.Context, object string, m mapping.Mapping, columns []string) error {
	reg, a := s.cfg.Registry(), access.From(ctx)
	plan, err := mapping.Compile(reg, object, m, columns)
	if err != nil {
		return err
	}
	var bad []*fault.Fault
	for i := range plan.Values {
		v := &plan.Values[i]
		place := "mapping.rules." + v.Key
		if v.Missing == mapping.MissingCreate {
			target := v.Object
			if v.Via == "" {
				target = v.Field.Target
			}
			if !importer(a).May(target, access.Create) {
				bad = append(bad, &fault.Fault{Kind: fault.Invalid, Code: "import.target_right", Field: place + ".missing", Params: fault.Params{"label": reg.Object(target).Label}})
			}
		}
		if v.Field.Type == schema.User && v.Field.OperationOnly && !a.Can(access.RecordAssign) {
			bad = append(bad, &fault.Fault{Kind: fault.Invalid, Code: "import.owner_right", Field: "mapping." + string(v.Part) + "." + v.Name, Params: fault.Params{"label": v.Field.Label}})
		}
	}
	if len(plan.NewOptions()) > 0 && !a.Can(access.SchemaManage) {
		bad = append(bad, &fault.Fault{Kind: fault.Invalid, Code: "import.no_new_options", Field: "mapping.rules"})
	}
	if f := fault.Join("import.mapping_invalid", bad); f != nil {
		return f
	}
	return nil
}

func stateConflict(j *Job) *fault.Fault {
	return fault.New(fault.Conflict, "import.wrong_state", fault.Params{"status": string(j.Status)})
}

// Start puts an import, or a dry run of it, in the queue. One that failed or was cancelled goes on where it was.
func (s *Service) Start(ctx context.Context, v id.ID, dryRun bool) (*Job, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	was := j.Status
	began := j.State.FirstID != 0
	if was != Uploaded && was != Checked && was != Failed && was != Cancelled || dryRun && began || j.State.Undo.Began {
		return nil, stateConflict(j)
	}
	l, err := s.looked(ctx, j)
	if err != nil {
		return nil, err
	}
	if l.sample.Columns == nil && j.Mapping.Format.Kind != source.Fixed {
		return nil, fault.New(fault.Conflict, "import.file_gone", nil)
	}
	if err := mapping.Check(s.cfg.Registry(), j.Object, j.Mapping, withExtra(l.sample.Columns, j.Mapping)); err != nil {
		return nil, err
	}
	if err := s.permitted(ctx, j.Object, j.Mapping, withExtra(l.sample.Columns, j.Mapping)); err != nil {
		return nil, err
	}
	if !began {
		if err := s.cfg.Store.ClearErrors(ctx, v); err != nil {
			return nil, err
		}
	}
	now, actor := s.cfg.Clock.Now(), access.From(ctx)
	j.Status, j.Error, j.UpdatedAt, j.StartedAt, j.FinishedAt = Running, nil, now, now, time.Time{}
	j.State.Actor = Actor{Kind: actor.Kind, ID: actor.ID, Person: actor.Person, Role: actor.Role, Locale: actor.Locale, Scopes: actor.Scopes}
	if j.State.DryRun = dryRun; dryRun {
		j.Status = Checking
	}
	if !began {
		j.State.Rows, j.State.Groups, j.State.Read, j.State.Active, j.Result = 0, 0, false, 0, Result{}
	}
	j.Progress = Progress{Phase: PhaseQueued, TotalBytes: j.Size, Rows: j.Result.Rows}
	if err := s.cfg.Store.SaveJob(ctx, j, was); err != nil {
		return nil, err
	}
	if j.State.Retry == 0 {
		if err := s.cfg.Store.Remember(ctx, mapping.Fingerprint(j.Object, l.sample.Columns), j.Mapping); err != nil {
			return nil, err
		}
	}
	s.publish(j)
	s.nudge()
	return j, nil
}

// Cancel stops an import; what is imported stays and can be undone or gone on with.
func (s *Service) Cancel(ctx context.Context, v id.ID) (*Job, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	for {
		j, err := s.cfg.Store.GetJob(ctx, v)
		if err != nil {
			return nil, err
		}
		was := j.Status
		if !was.Active() {
			return nil, stateConflict(j)
		}
		j.Status, j.FinishedAt = Cancelled, s.cfg.Clock.Now()
		j.UpdatedAt = j.FinishedAt
		if was == Checking {
			j.Status, j.State.DryRun = Uploaded, false
		}
		err = s.cfg.Store.SaveJob(ctx, j, was)
		if fault.CodeOf(err) == "import.state_changed" {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		if stop := s.running[v]; stop != nil {
			stop()
		}
		s.mu.Unlock()
		s.publish(j)
		return j, nil
	}
}

// Undo puts the taking back of an import in the queue.
func (s *Service) Undo(ctx context.Context, v id.ID) (*Job, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	was := j.Status
	if was != Done && was != Failed && was != Cancelled || j.State.FirstID == 0 {
		return nil, stateConflict(j)
	}
	now, actor := s.cfg.Clock.Now(), access.From(ctx)
	j.Status, j.Error, j.UpdatedAt, j.FinishedAt = Undoing, nil, now, time.Time{}
	j.State.Actor = Actor{Kind: actor.Kind, ID: actor.ID, Person: actor.Person, Role: actor.Role, Locale: actor.Locale, Scopes: actor.Scopes}
	j.Progress = Progress{Phase: PhaseQueued, TotalBytes: j.Size}
	if !j.State.Undo.Began {
		if err := s.seal(ctx, j); err != nil {
			return nil, err
		}
		j.State.Undo.Began = true
	}
	if err := s.cfg.Store.SaveJob(ctx, j, was); err != nil {
		return nil, err
	}
	s.publish(j)
	s.nudge()
	return j, nil
}

// seal notes where the work of a job ends: the last id it may have given and the last change it may have made.
func (s *Service) seal(ctx context.Context, j *Job) error {
	head, err := s.cfg.Store.Head(ctx)
	if err != nil {
		return err
	}
	j.State.Until, j.State.LastID = head, s.cfg.Records.NewID()
	return nil
}

// Busy reports whether an import, a dry run or an undo is being worked off in this process.
func (s *Service) Busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running) > 0
}

func (s *Service) publish(j *Job) {
	s.cfg.Publish(Event{Job: j.ID, Object: j.Object, Status: j.Status, Progress: j.Progress})
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
