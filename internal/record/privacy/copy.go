package privacy

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// CopyKeptFor is how long the file of a copy can be fetched.
const CopyKeptFor = 14 * 24 * time.Hour

// Copy is everything known about a person as one file: a ZIP with data.json, a page to read in Chinese and one in English, and the
// files on the person's records.
type Copy struct {
	ID         id.ID
	Object     string
	Record     id.ID
	Request    id.ID
	State      State // Queued, Running, Done, Failed; Gone files are Refused
	Locale     string
	Sealed     []byte // the key of the file
	Bytes      int64
	SHA256     string
	Parts      []Count
	Error      string
	ByKind     access.ActorKind
	CreatedBy  id.ID
	CreatedAt  time.Time
	FinishedAt time.Time
	ExpiresAt  time.Time // zero when the file is gone
}

// CopyFilter says which copies to list, newest first.
type CopyFilter struct {
	Record id.ID
	States []State
	Limit  int
}

// Copies keeps copies.
type Copies interface {
	SaveCopy(ctx context.Context, c *Copy, fresh bool) error
	GetCopy(ctx context.Context, v id.ID) (*Copy, error) // NotFound privacy.copy_unknown
	ListCopies(ctx context.Context, f CopyFilter) ([]*Copy, error)
}

// Said is something that somebody wrote about a record.
type Said struct {
	Record id.ID
	At     time.Time
	By     string
	Text   string
}

// Filed is a file on a record.
type Filed struct {
	ID     id.ID
	Record id.ID
	Name   string
	Media  string
	Size   int64
	At     time.Time
}

// Known is a thing worked out about a customer.
type Known struct {
	Group schema.Label
	Label schema.Label
	Value any
}

// Consented is a line of what a customer agreed to and refused, with the words at that time.
type Consented struct {
	At      time.Time    `json:"at"`
	Purpose string       `json:"purpose"`
	Channel string       `json:"channel"`
	State   string       `json:"state"`
	Source  string       `json:"source"`
	Wording int64        `json:"wording,omitempty"`
	Text    schema.Label `json:"text,omitempty"`
	Page    string       `json:"page,omitempty"`
	Note    string       `json:"note,omitempty"`
}

// Marketed is a message of a campaign that went to a customer, or a coupon that is his. Kind is "message" or "coupon"; Name is the campaign or
// the offer, Code of coupons alone, Clicks of messages.
type Marketed struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Channel string    `json:"channel,omitempty"`
	Code    string    `json:"code,omitempty"`
	State   string    `json:"state"`
	Clicks  int64     `json:"clicks,omitempty"`
}

// Gather reads what the records store does not hold in records.
type Gather interface {
	Said(ctx context.Context, ids []id.ID) ([]Said, error)
	Filed(ctx context.Context, ids []id.ID) ([]Filed, error)
	OpenFile(ctx context.Context, file id.ID) (io.ReadCloser, error)
	Known(ctx context.Context, customer id.ID) ([]Known, error)
	// Consented is what a customer agreed to and refused, newest first.
	Consented(ctx context.Context, customer id.ID) ([]Consented, error)
	// Marketed are the messages and coupons of customers, newest first.
	Marketed(ctx context.Context, customers []id.ID) ([]Marketed, error)
	// Recipients are the other systems that are told of records of the objects.
	Recipients(ctx context.Context, objects []string) ([]string, error)
}

// OrderCopy asks for the copy of a person. It needs PrivacyCopy, which stands for reading everything about the person in clear.
func (s *Service) OrderCopy(ctx context.Context, object string, rec, request id.ID) (*Copy, error) {
	if err := may(ctx, access.PrivacyCopy); err != nil {
		return nil, err
	}
	r, err := s.copyable(ctx, object, rec)
	if err != nil {
		return nil, err
	}
	a := access.From(ctx)
	c := &Copy{ID: s.cfg.IDs.Next(), Object: object, Record: r.ID, Request: request, State: Queued, Locale: a.Locale, Parts: []Count{}, ByKind: a.Kind, CreatedBy: a.ID, CreatedAt: s.now()}
	if err := s.cfg.Store.SaveCopy(ctx, c, true); err != nil {
		return nil, err
	}
	if err := s.noteCopy(ctx, "privacy.copy", c); err != nil {
		return nil, err
	}
	s.cfg.Outside.Publish()
	return c, s.cfg.Outside.Enqueue(ctx)
}

func (s *Service) copyable(ctx context.Context, object string, rec id.ID) (*record.Record, error) {
	obj := s.cfg.Registry().Object(object)
	if obj == nil || !record.People(obj) {
		return nil, fault.New(fault.Invalid, "privacy.not_a_person", fault.Params{"object": object})
	}
	return s.cfg.Records.Get(ctx, object, rec)
}

func (s *Service) noteCopy(ctx context.Context, action string, c *Copy) error {
	return s.cfg.Outside.Note(ctx, action, c.Object, c.Record, map[string]any{"copy": id.Format(CopyPrefix, c.ID)})
}

// CopiesOf lists copies, of one record or of all.
func (s *Service) CopiesOf(ctx context.Context, rec id.ID) ([]*Copy, error) {
	if err := may(ctx, access.PrivacyCopy); err != nil {
		return nil, err
	}
	return s.cfg.Store.ListCopies(ctx, CopyFilter{Record: rec, Limit: 100})
}

// OpenCopy gives the file of a copy. Taking it is recorded.
func (s *Service) OpenCopy(ctx context.Context, v id.ID) (*Copy, io.ReadCloser, error) {
	if err := may(ctx, access.PrivacyCopy); err != nil {
		return nil, nil, err
	}
	c, err := s.cfg.Store.GetCopy(ctx, v)
	if err != nil {
		return nil, nil, err
	}
	if c.State != Done || c.ExpiresAt.IsZero() {
		return nil, nil, fault.New(fault.NotFound, "privacy.copy_gone", nil)
	}
	if _, err := s.cfg.Records.Get(ctx, c.Object, c.Record); err != nil { // out of the reader's sight
		return nil, nil, err
	}
	if err := s.noteCopy(ctx, "privacy.copy_fetch", c); err != nil {
		return nil, nil, err
	}
	f, err := s.cfg.Files.Open(c.ID, c.Sealed)
	return c, f, err
}

// RunCopies makes the copies that are asked for.
func (s *Service) RunCopies(ctx context.Context) error {
	list, err := s.cfg.Store.ListCopies(ctx, CopyFilter{States: []State{Queued, Running}, Limit: 100})
	if err != nil {
		return err
	}
	slices.Reverse(list)
	for _, c := range list {
		err := s.makeCopy(ctx, c)
		c.FinishedAt = s.now()
		switch fault.KindOf(err) {
		case fault.Forbidden, fault.NotFound, fault.Conflict, fault.Invalid:
			c.State, c.Error = Failed, fault.CodeOf(err)
			err = nil
		}
		if err != nil {
			return fmt.Errorf("copy %d: %w", c.ID, err)
		}
		if err := s.cfg.Store.SaveCopy(ctx, c, false); err != nil {
			return err
		}
		if c.Request != 0 && c.State == Done {
			if err := s.proved(ctx, c.Request, "copy", c.ID); err != nil {
				return err
			}
		}
		s.cfg.Outside.Publish()
	}
	return nil
}

// SweepCopies removes files that have expired.
func (s *Service) SweepCopies(ctx context.Context) error {
	list, err := s.cfg.Store.ListCopies(ctx, CopyFilter{States: []State{Done}, Limit: 1000})
	for _, c := range list {
		if err == nil && !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(s.now()) {
			_, err = s.dropCopy(ctx, c)
		}
	}
	return err
}

func (s *Service) dropCopies(ctx context.Context, rec id.ID) (n int, err error) {
	list, err := s.cfg.Store.ListCopies(ctx, CopyFilter{Record: rec, Limit: 1000})
	for _, c := range list {
		was, err := s.dropCopy(ctx, c)
		if err != nil {
			return n, err
		}
		if was {
			n++
		}
	}
	return n, err
}

func (s *Service) dropCopy(ctx context.Context, c *Copy) (bool, error) {
	if err := s.cfg.Files.Remove(c.ID); err != nil {
		return false, err
	}
	was := !c.ExpiresAt.IsZero()
	c.ExpiresAt, c.Sealed = time.Time{}, nil
	if c.State == Queued || c.State == Running {
		c.State, c.Error = Failed, "privacy.erased"
	}
	return was, s.cfg.Store.SaveCopy(ctx, c, false)
}

// Dossier is what data.json holds.
type Dossier struct {
	Workspace  string          `json:"workspace"`
	MadeAt     time.Time       `json:"made_at"`
	Object     string          `json:"object"`
	ID         string          `json:"id"`
	Records    []DossierRecord `json:"records"`
	WorkedOut  []DossierValue  `json:"worked_out"`
	Consents   []Consented     `json:"consents"`
	Marketing  []Marketed      `json:"marketing"`
	Recipients []string        `json:"recipients"`
}

// DossierRecord is one record in a dossier.
type DossierRecord struct {
	Object    string          `json:"object"`
	ID        string          `json:"id"`
	Label     schema.Label    `json:"label"`
	Title     string          `json:"title"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
	DeletedAt *time.Time      `json:"deleted_at,omitempty"`
	Values    []DossierValue  `json:"values"`
	Said      []DossierRemark `json:"comments,omitempty"`
	Files     []DossierFile   `json:"files,omitempty"`
}

// DossierValue is a value with its name; Text is how it reads, by language.
type DossierValue struct {
	Key   string       `json:"key,omitempty"`
	Label schema.Label `json:"label"`
	Value any          `json:"value"`
	Text  schema.Label `json:"text"`
}

// DossierRemark is a comment.
type DossierRemark struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// DossierFile is a file; Path is its place in the ZIP.
type DossierFile struct {
	Name  string    `json:"name"`
	Media string    `json:"media"`
	Size  int64     `json:"size"`
	At    time.Time `json:"at"`
	Path  string    `json:"path"`

	id id.ID
}

func (s *Service) makeCopy(ctx context.Context, c *Copy) error {
	if c.ByKind == access.ByUser || c.ByKind == access.ByKey {
		who, err := s.cfg.Outside.Actor(ctx, c.ByKind, c.CreatedBy)
		if err != nil {
			return err
		}
		as := access.With(ctx, who)
		if err := may(as, access.PrivacyCopy); err != nil {
			return err
		}
		if _, err := s.copyable(as, c.Object, c.Record); err != nil {
			return err
		}
	}
	ctx = system(ctx)
	d, err := s.dossier(ctx, c)
	if err != nil {
		return err
	}
	sum := sha256.New()
	c.Sealed, c.Bytes, err = s.cfg.Files.Create(c.ID, func(w io.Writer) error { return s.pack(ctx, d, io.MultiWriter(w, sum)) })
	if err != nil {
		return err
	}
	c.SHA256, c.State, c.ExpiresAt = hex.EncodeToString(sum.Sum(nil)), Done, s.now().Add(CopyKeptFor)
	c.Parts = d.counts()
	return nil
}

func (d *Dossier) counts() []Count {
	by, said, files := map[string]int64{}, int64(0), int64(0)
	for _, r := range d.Records {
		by["object:"+r.Object]++
		said += int64(len(r.Said))
		files += int64(len(r.Files))
	}
	by["comments"], by["files"], by["traits"], by["consents"] = said, files, int64(len(d.WorkedOut)), int64(len(d.Consents))
	by["marketing"] = int64(len(d.Marketing))
	return partCounts(by)
}

// dossierAtOnce is how many records are read at a time.
const dossierAtOnce = 500

func (s *Service) dossier(ctx context.Context, c *Copy) (*Dossier, error) {
	reg := s.cfg.Registry()
	members, err := s.members(ctx, c.Object, c.Record)
	if err != nil {
		return nil, err
	}
	d := &Dossier{Workspace: s.cfg.Work, MadeAt: s.now(), Object: c.Object, ID: id.Format(reg.Object(c.Object).Prefix, c.Record), Records: []DossierRecord{}, WorkedOut: []DossierValue{}, Consents: []Consented{}, Marketing: []Marketed{}, Recipients: []string{}}
	at := map[id.ID]int{}
	var objects []string
	for _, o := range reg.Tables() {
		var ids []id.ID
		for _, m := range members {
			if m.Object == o.Key && m.Fate != Freed {
				ids = append(ids, m.ID)
			}
		}
		if len(ids) > 0 {
			objects = append(objects, o.Key)
		}
		for part := range slices.Chunk(ids, dossierAtOnce) {
			list, err := s.cfg.Records.Everything(ctx, o.Key, part)
			if err != nil {
				return nil, err
			}
			for _, r := range list {
				at[r.ID] = len(d.Records)
				d.Records = append(d.Records, s.entry(ctx, o, r))
			}
		}
	}
	if err := s.gather(ctx, d, at, idsOf(members)); err != nil {
		return nil, err
	}
	if c.Object == query.Customer {
		known, err := s.cfg.Gather.Known(ctx, c.Record)
		if err != nil {
			return nil, err
		}
		if d.Consents, err = s.cfg.Gather.Consented(ctx, c.Record); err != nil {
			return nil, err
		}
		if d.Marketing, err = s.cfg.Gather.Marketed(ctx, idsOf(members)); err != nil {
			return nil, err
		}
		for _, k := range known {
			text := schema.Label{}
			for _, loc := range locales() {
				text[loc] = shown(k.Value, loc)
			}
			d.WorkedOut = append(d.WorkedOut, DossierValue{Label: k.Label, Value: k.Value, Text: text})
		}
	}
	d.Recipients, err = s.cfg.Gather.Recipients(ctx, objects)
	return d, err
}

func locales() []lang.Locale { return []lang.Locale{lang.ChineseSimplified, lang.English} }

// shown prints a value that is no field's.
func shown(v any, loc lang.Locale) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case schema.Label:
		return x.In(loc)
	}
	raw, err := json.Marshal(v)
	if err != nil { // it came from a JSON answer
		return ""
	}
	return string(raw)
}

func (s *Service) entry(ctx context.Context, o *schema.Object, r *record.Record) DossierRecord {
	e := DossierRecord{Object: o.Key, ID: id.Format(o.Prefix, r.ID), Label: o.Label, Title: r.Title, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, DeletedAt: r.DeletedAt, Values: []DossierValue{}}
	for _, f := range o.Fields {
		v, ok := r.Values[f.Key]
		if !ok || v == nil {
			continue
		}
		out := DossierValue{Key: f.Key, Label: f.Label, Text: schema.Label{}}
		for _, loc := range locales() {
			env := s.cfg.Records.Env(ctx)
			env.Locale, env.FileName = loc, r.FileName
			out.Value, out.Text[loc] = schema.FormatJSON(f, v, env), schema.FormatText(f, v, env)
			if ref, named := r.Titles[f.Key]; named && ref.Title != "" {
				out.Text[loc] = ref.Title
			}
		}
		e.Values = append(e.Values, out)
	}
	return e
}

func (s *Service) gather(ctx context.Context, d *Dossier, at map[id.ID]int, ids []id.ID) error {
	said, err := s.cfg.Gather.Said(ctx, ids)
	if err != nil {
		return err
	}
	for _, x := range said {
		if i, ok := at[x.Record]; ok {
			d.Records[i].Said = append(d.Records[i].Said, DossierRemark{x.At, x.By, x.Text})
		}
	}
	files, err := s.cfg.Gather.Filed(ctx, ids)
	if err != nil {
		return err
	}
	for n, x := range files {
		if i, ok := at[x.Record]; ok {
			d.Records[i].Files = append(d.Records[i].Files, DossierFile{Name: x.Name, Media: x.Media, Size: x.Size, At: x.At, Path: "files/" + strconv.Itoa(n+1) + "-" + path.Base(x.Name), id: x.ID})
		}
	}
	return nil
}

//go:embed copy.html
var copyPage string

// pack writes the ZIP.
func (s *Service) pack(ctx context.Context, d *Dossier, w io.Writer) error {
	z := zip.NewWriter(w)
	add := func(name string, fill func(io.Writer) error) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: d.MadeAt})
		if err != nil {
			return err
		}
		return fill(f)
	}
	err := add("data.json", func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(d)
	})
	if err != nil {
		return err
	}
	for _, loc := range locales() {
		page, err := s.page(loc)
		if err != nil {
			return err
		}
		if err := add("index."+string(loc)+".html", func(w io.Writer) error { return page.Execute(w, d) }); err != nil {
			return err
		}
	}
	for _, r := range d.Records {
		for _, f := range r.Files {
			err := add(f.Path, func(w io.Writer) error {
				body, err := s.cfg.Gather.OpenFile(ctx, f.id)
				if err != nil {
					return err
				}
				defer body.Close()
				_, err = io.Copy(w, body)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return z.Close()
}

func (s *Service) page(loc lang.Locale) (*template.Template, error) {
	zone := s.cfg.Zone()
	return template.New("copy").Funcs(template.FuncMap{
		"in":   func(l schema.Label) string { return l.In(loc) },
		"word": func(key string) string { return s.cfg.Words(string(loc), "privacy.copy_"+key, nil) },
		"time": func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") },
		"lang": func() string { return string(loc) },
	}).Parse(copyPage)
}
