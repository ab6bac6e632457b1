// Package attachment is files on records.
//
// A file belongs to one record of any object. Who sees the record sees its files; who may change it may add, rename, remove and
// restore them; each addition and removal is a change of the record in the log. Files of records that were merged show on the record that stayed, and go back when a merge is undone, because
// they stay where they were put. A removed file waits in the bin for TrashFor; after that, or when its record is gone for
// good, row and content go.
//
// The content is streamed both ways and never whole in memory. It is encrypted with a key of its own (crypt.SealStream), which the
// data key of the record's customer seals, or the record's own where it has none: with that key the file becomes unreadable,
// in backups too. The content is durable before its row is written; content that a crash left without a row is removed by Sweep.
// What a file is is found by its first bytes (Media), never by its name. Names are cleaned (CleanName).
//
// A file can stand in a field of its record instead of beside it (Upload). It waits without a record until one is written with its id
// in that field, which the record engine checks and does in the transaction of the write; what waits longer than UploadFor is
// removed. What a field names no more goes to the bin, and comes back when the field names it again. Such a file is seen by who sees the record
// and the field, is not in the list of the files beside the record, and is changed by writing the record. Pictures in fields lose what
// cameras write beside them (copyClean) and get a small picture within bounds of memory (shrink).
//
// The package knows no SQL and no HTTP.
package attachment

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/blob"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Prefix is the prefix of printed file ids.
const Prefix = schema.FilePrefix

// TrashFor is how long a removed file can be restored.
const TrashFor = 30 * 24 * time.Hour

// MaxPerRecord is the most files that List gives of one record.
const MaxPerRecord = 500

// File is a file on a record.
type File struct {
	ID        id.ID
	Object    string
	Field     string // in which it stands, "" beside the record
	Record    id.ID  // to which it was added, which may have been merged into another one since; 0 while it waits for one
	Name      string
	Media     string // by content
	Size      int64  // bytes of the content
	Blob      string
	Thumb     string // blob of the small picture, "" without one
	Width     int    // of a picture in a field in pixels, 0 when not known
	Height    int
	Subject   id.ID  // whose data key seals Sealed
	Sealed    []byte // the key of the content
	By        id.ID
	ByKind    access.ActorKind
	At        time.Time
	DeletedAt time.Time // zero while it stands
	DeletedBy id.ID
}

// Preview reports whether a browser may show the file in a page: pictures that cannot hold a program.
func (f *File) Preview() bool {
	return slices.Contains(schema.PictureTypes(), f.Media)
}

// Store keeps files; the store of the workspace implements it.
type Store interface {
	// AddFile stores a file; the change of the record commits with it, at the version that the record has then.
	AddFile(ctx context.Context, f *File, obj *schema.Object, row change.Row) error
	// File reads one by id, of the bin too. NotFound attachment.not_found.
	File(ctx context.Context, key id.ID) (File, error)
	// AddUpload stores a file of a field that no record has taken yet.
	AddUpload(ctx context.Context, f *File) error
	// Waiting counts the files of an actor that no record has taken yet, and their bytes.
	Waiting(ctx context.Context, by id.ID, kind access.ActorKind) (count int, bytes int64, err error)
	// Files reads those of some records, newest first.
	Files(ctx context.Context, records []id.ID, sel Selection) ([]File, error)
	RenameFile(ctx context.Context, key id.ID, name string) error
	// BinFile puts a file into the bin, or with a zero time takes it out, and appends the change of the record.
	BinFile(ctx context.Context, f *File, obj *schema.Object, row change.Row) error
	// KnownBlobs tells which of the names have a row.
	KnownBlobs(ctx context.Context, names []string) (map[string]bool, error)
	// ForgetFiles deletes up to limit rows that are in the bin since before an instant, that wait for a record since before another one,
	// or whose record of one of the objects is gone for good, and names their blobs.
	ForgetFiles(ctx context.Context, objects []*schema.Object, binned, waiting time.Time, limit int) ([]string, error)
	// EachFile visits rows in the order of their ids, behind one.
	EachFile(ctx context.Context, after id.ID, limit int) ([]File, error)
	// Family is a record with those that became part of it.
	Family(ctx context.Context, rec id.ID) ([]id.ID, error)
}

// Selection is which files of records are read.
type Selection struct {
	Until   time.Time // at or before
	Limit   int
	Deleted bool // of the bin too
	Fields  bool // those in fields too
}

// Records is what files need of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	Reaches(ctx context.Context, object string, rec id.ID, actions ...access.Action) (map[access.Action]bool, error)
	MergedInto(ctx context.Context, merged id.ID) (id.ID, bool, error)
	SubjectKey(ctx context.Context, object string, rec id.ID) (id.ID, *crypt.Key, error)
	// UploadKey is the key of files that no record has taken yet.
	UploadKey(ctx context.Context) (*crypt.Key, error)
	DataKey(ctx context.Context, subject id.ID) (*crypt.Key, error)
	// StoredKey is DataKey as it is stored now.
	StoredKey(ctx context.Context, subject id.ID) (*crypt.Key, error)
}

// Config is what a Service is made of.
type Config struct {
	Store    Store
	Records  Records
	Registry func() *schema.Registry
	Blobs    *blob.Dir
	Keys     *crypt.Keyring
	Clock    clock.Clock
	IDs      interface{ Next() id.ID }
	MaxBytes int64
	Log      *slog.Logger
}

// Service is files on records. It is safe for concurrent use.
type Service struct {
	cfg      Config
	decoding chan struct{} // holds one while a picture is decoded
}

// New makes a Service.
func New(c Config) *Service { return &Service{cfg: c, decoding: make(chan struct{}, 1)} }

// MaxBytes is the largest file.
func (s *Service) MaxBytes() int64 { return s.cfg.MaxBytes }

func notFound() error { return fault.New(fault.NotFound, "attachment.not_found", nil) }

// changeable refuses whoever may not change the record.
func (s *Service) changeable(ctx context.Context, object string, rec id.ID) error {
	r, err := s.cfg.Records.Get(ctx, object, rec)
	if err != nil {
		return err
	}
	can, err := s.cfg.Records.Reaches(ctx, object, rec, access.Update)
	if err != nil {
		return err
	}
	if !can[access.Update] {
		return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	if r.DeletedAt != nil {
		return fault.New(fault.Conflict, "attachment.record_deleted", nil)
	}
	return nil
}

// Changeable reports whether the actor may add files to a record and change those that are there.
func (s *Service) Changeable(ctx context.Context, object string, rec id.ID) bool {
	return s.changeable(ctx, object, rec) == nil
}

// Add stores a file on a record. Faults: NotFound, Forbidden, Invalid attachment.empty, TooLarge attachment.too_large.
func (s *Service) Add(ctx context.Context, object string, rec id.ID, name string, body io.Reader) (File, error) {
	if err := s.changeable(ctx, object, rec); err != nil {
		return File{}, err
	}
	subject, _, err := s.cfg.Records.SubjectKey(ctx, object, rec)
	if err != nil {
		return File{}, err
	}
	f := s.begin(ctx, object, name)
	f.Record, f.Subject = rec, subject
	raw := s.cfg.Keys.NewStreamKey()
	defer clear(raw)
	err = s.cfg.Blobs.Write(f.Blob, func(w io.Writer) error { return s.seal(&f, raw, w, body) })
	if err != nil {
		return File{}, err
	}
	// It may have taken minutes to arrive: what was allowed then need not be any more.
	err = s.changeable(ctx, object, rec)
	if err == nil {
		var key *crypt.Key
		if key, err = s.cfg.Records.StoredKey(ctx, subject); err == nil {
			f.Sealed = s.cfg.Keys.Seal(key, record.FilePlace(f.ID, "key"), raw)
			obj, row := s.changed(ctx, &f, rec, change.Attach)
			err = s.cfg.Store.AddFile(ctx, &f, obj, row)
		}
	}
	if err != nil {
		s.drop(f.Blob)
		return File{}, err
	}
	return f, nil
}

// changed is the change of the record that a file is added to or removed from.
func (s *Service) changed(ctx context.Context, f *File, home id.ID, op change.Op) (*schema.Object, change.Row) {
	who := access.From(ctx)
	return s.cfg.Registry().Object(f.Object), change.Row{Object: f.Object, Record: home, Op: op, At: s.cfg.Clock.Now().UnixMilli(), ByKind: who.Kind, By: who.ID,
		After: change.Annotate(nil, []change.Note{{Key: change.NoteFile, Records: []id.ID{f.ID}}})}
}

// begin is a file of the actor that is about to be stored.
func (s *Service) begin(ctx context.Context, object, name string) File {
	who := access.From(ctx)
	f := File{ID: s.cfg.IDs.Next(), Object: object, Name: CleanName(name), By: who.ID, ByKind: who.Kind, At: s.cfg.Clock.Now().Truncate(time.Millisecond)}
	f.Blob = s.blobName(f.ID, "")
	return f
}

// blobName is the name of the content of a file, or of what belongs to it.
func (s *Service) blobName(file id.ID, part string) string {
	return s.cfg.Keys.Token("attachment|" + strconv.FormatInt(int64(file), 10) + part)
}

// seal encrypts what comes in and finds out what it is.
func (s *Service) seal(f *File, raw []byte, w io.Writer, body io.Reader) error {
	out, err := s.cfg.Keys.SealStream(raw, record.FilePlace(f.ID, "content"), w)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(body, sniff)
	head, err := in.Peek(sniff)
	if err != nil && !errors.Is(err, io.EOF) { // it broke off
		return err
	}
	if len(head) == 0 {
		return fault.InvalidField("attachment.empty", "file", nil)
	}
	f.Media = Media(head)
	if f.Size, err = io.Copy(out, io.LimitReader(in, s.cfg.MaxBytes+1)); err != nil {
		return err
	}
	if f.Size > s.cfg.MaxBytes {
		return fault.New(fault.TooLarge, "attachment.too_large", fault.Params{"max_mb": s.cfg.MaxBytes >> 20})
	}
	return out.Close()
}

// Of lists the files of a record and of those that became part of it, newest first.
func (s *Service) Of(ctx context.Context, object string, rec id.ID) ([]File, error) {
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		return nil, err
	}
	return s.about(ctx, rec, Selection{Until: s.cfg.Clock.Now().Add(time.Hour), Limit: MaxPerRecord})
}

// About reads files of a record at or before an instant, newest first, those of the bin too. Whoever calls it has checked that
// the actor may see the record.
func (s *Service) About(ctx context.Context, rec id.ID, until time.Time, limit int) ([]File, error) {
	return s.about(ctx, rec, Selection{Until: until, Limit: limit, Deleted: true})
}

func (s *Service) about(ctx context.Context, rec id.ID, sel Selection) ([]File, error) {
	family, err := s.cfg.Store.Family(ctx, rec)
	if err != nil {
		return nil, err
	}
	return s.cfg.Store.Files(ctx, family, sel)
}

// Home is the record that a file shows on.
func (s *Service) Home(ctx context.Context, f *File) (id.ID, error) {
	into, merged, err := s.cfg.Records.MergedInto(ctx, f.Record)
	if merged {
		return into, err
	}
	return f.Record, err
}

// find reads a file that the actor may see, and the record that it shows on. To others it does not exist.
func (s *Service) find(ctx context.Context, key id.ID) (f File, home id.ID, err error) {
	if f, err = s.cfg.Store.File(ctx, key); err != nil {
		return File{}, 0, err
	}
	if f.Field == "" {
		home, err = s.Home(ctx, &f)
	} else {
		home, err = s.inField(ctx, &f)
	}
	if err != nil || home == 0 {
		return f, 0, err
	}
	if _, err = s.cfg.Records.Get(ctx, f.Object, home); err != nil {
		if k := fault.KindOf(err); k == fault.NotFound || k == fault.Forbidden {
			err = notFound()
		}
		return File{}, 0, err
	}
	return f, home, nil
}

// Open reads the content of a file that stands. A read fails with crypt.value_tampered where the content was changed or broke off.
func (s *Service) Open(ctx context.Context, key id.ID) (File, io.ReadCloser, error) {
	f, raw, err := s.opened(ctx, key)
	if err != nil {
		return File{}, nil, err
	}
	defer clear(raw)
	in, err := s.content(f.Blob, f.ID, "content", raw)
	return f, in, err
}

// opened finds a file that stands, and the key of its content.
func (s *Service) opened(ctx context.Context, key id.ID) (File, []byte, error) {
	f, _, err := s.find(ctx, key)
	if err == nil && !f.DeletedAt.IsZero() {
		err = notFound()
	}
	if err != nil {
		return File{}, nil, err
	}
	data, err := s.cfg.Records.DataKey(ctx, f.Subject)
	if err != nil {
		return File{}, nil, err
	}
	raw, err := s.cfg.Keys.Open(data, record.FilePlace(f.ID, "key"), f.Sealed)
	return f, raw, err
}

// content reads a blob of a file.
func (s *Service) content(name string, file id.ID, part string, raw []byte) (io.ReadCloser, error) {
	in, err := s.cfg.Blobs.Open(name)
	if err != nil {
		return nil, err
	}
	plain, err := s.cfg.Keys.OpenStream(raw, record.FilePlace(file, part), in)
	if err != nil {
		return nil, fmt.Errorf("open file: %w (%w)", err, in.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, in}, nil
}

// mutable finds a file beside a record that the actor may change, and the record.
func (s *Service) mutable(ctx context.Context, key id.ID) (File, id.ID, error) {
	f, home, err := s.find(ctx, key)
	if err == nil && f.Field != "" {
		err = fault.New(fault.Conflict, "attachment.of_field", nil)
	}
	if err != nil {
		return File{}, 0, err
	}
	return f, home, s.changeable(ctx, f.Object, home)
}

// Rename gives a file another name, which is cleaned.
func (s *Service) Rename(ctx context.Context, key id.ID, name string) (File, error) {
	f, _, err := s.mutable(ctx, key)
	if err == nil && !f.DeletedAt.IsZero() {
		err = notFound()
	}
	if err == nil && blank(name) {
		err = fault.InvalidField("attachment.name_required", "name", nil)
	}
	if err != nil {
		return File{}, err
	}
	f.Name = CleanName(name)
	return f, s.cfg.Store.RenameFile(ctx, key, f.Name)
}

// Delete puts a file into the bin; done before, it stays as it is.
func (s *Service) Delete(ctx context.Context, key id.ID) (File, error) {
	f, home, err := s.mutable(ctx, key)
	if err != nil || !f.DeletedAt.IsZero() {
		return f, err
	}
	f.DeletedAt, f.DeletedBy = s.cfg.Clock.Now().Truncate(time.Millisecond), access.From(ctx).ID
	obj, row := s.changed(ctx, &f, home, change.Detach)
	return f, s.cfg.Store.BinFile(ctx, &f, obj, row)
}

// Restore takes a file out of the bin.
func (s *Service) Restore(ctx context.Context, key id.ID) (File, error) {
	f, home, err := s.mutable(ctx, key)
	if err != nil || f.DeletedAt.IsZero() {
		return f, err
	}
	f.DeletedAt, f.DeletedBy = time.Time{}, 0
	obj, row := s.changed(ctx, &f, home, change.Attach)
	return f, s.cfg.Store.BinFile(ctx, &f, obj, row)
}

// Reseal is the sealed key of a file under the newest data key of its subject, nil where it is already or does not open.
func (s *Service) Reseal(ctx context.Context, file, subject id.ID, sealed []byte) ([]byte, error) {
	key, err := s.cfg.Records.StoredKey(ctx, subject)
	if fault.CodeOf(err) == "record.key_gone" {
		return nil, nil //nolint:nilnil // nobody reads it any more
	}
	if err != nil {
		return nil, err
	}
	raw, current, err := s.cfg.Keys.Inspect(key, record.FilePlace(file, "key"), sealed)
	if err != nil || current {
		return nil, nil //nolint:nilnil,nilerr // what does not open is told by the check of files
	}
	defer clear(raw)
	return s.cfg.Keys.Seal(key, record.FilePlace(file, "key"), raw), nil
}
