package record

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// UploadSubject is whose data key seals the keys of files that were uploaded for a field and stand in no record yet. When a record
// takes one, its key is sealed anew with that of whom the record belongs to.
const UploadSubject id.ID = 1

// FieldFile is a file that stands, stood or is to stand in a field of a record.
type FieldFile struct {
	ID            id.ID
	Object, Field string
	Record        id.ID // 0 as long as no record has taken it
	Name, Media   string
	Size          int64
	Thumb         bool // there is a small picture of it
	Width, Height int  // of a picture in pixels, 0 when not known
	Subject       id.ID
	Sealed        []byte
	By            id.ID
	ByKind        access.ActorKind
}

// FileTaken is a file that a record takes, or takes back out of the bin.
type FileTaken struct {
	ID      id.ID
	From    id.ID // the record that it stood with before, 0 for none
	Record  id.ID
	Subject id.ID
	Sealed  []byte // nil leaves what is sealed
}

// FileReader is what a Reader offers where objects have fields that hold files.
type FileReader interface {
	// FieldFiles reads files of fields by id, in no particular order.
	FieldFiles(ctx context.Context, ids []id.ID) ([]FieldFile, error)
}

// FileTx is what a Tx offers besides.
type FileTx interface {
	FileReader
	// TakeFiles writes whose files are and takes them out of the bin; Stale when one stands elsewhere than From says.
	TakeFiles(ctx context.Context, list []FileTaken) error
	// BinFieldFiles puts those of some files that stand with a record into the bin.
	BinFieldFiles(ctx context.Context, rec id.ID, files []id.ID, by id.ID, at int64) error
}

// FilePlace is where the key and the content of a file belong.
func FilePlace(file id.ID, part string) crypt.Place {
	return crypt.Place{Object: "attachment", Field: part, Record: file}
}

// UploadKey is the data key of UploadSubject.
func (s *Service) UploadKey(ctx context.Context) (*crypt.Key, error) {
	return s.subjectKey(ctx, UploadSubject)
}

// FilesByID reads what is known of files of fields. Whoever calls it has the ids from values that the actor may see.
func (s *Service) FilesByID(ctx context.Context, ids []id.ID) (map[id.ID]*FieldFile, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var list []FieldFile
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		if fr, ok := r.(FileReader); ok {
			list, err = fr.FieldFiles(ctx, ids)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read files of fields: %w", err)
	}
	return filesByID(list), nil
}

func filesByID(list []FieldFile) map[id.ID]*FieldFile {
	out := make(map[id.ID]*FieldFile, len(list))
	for i := range list {
		out[list[i].ID] = &list[i]
	}
	return out
}

// nameFiles fills Files of records with one read for all of them.
func (s *Service) nameFiles(ctx context.Context, sh *shape, recs []*Record) error {
	var ids []id.ID
	for _, i := range sh.filed {
		for _, r := range recs {
			ids = append(ids, schema.FileIDs(r.Values[sh.fields[i].f.Key])...)
		}
	}
	found, err := s.FilesByID(ctx, ids)
	if err != nil || found == nil {
		return err
	}
	for _, r := range recs {
		r.Files = found
	}
	return nil
}

// FileName names a file that the record's values name, for schema.ParseEnv; "" for one that is gone.
func (r *Record) FileName(file string) string {
	if n, err := id.Parse(schema.FilePrefix, file); err == nil {
		if f := r.Files[n]; f != nil {
			return f.Name
		}
	}
	return ""
}

// fetchFiles checks that the values of fields hold files that may stand there: those that were there before, that stood there once and are in
// the bin, that the actor uploaded for this field, and what a merge brings along.
func (w *writing) fetchFiles(ctx context.Context, items []*item) error {
	var ids []id.ID
	each := func(visit func(it *item, i int)) {
		for _, it := range items {
			if it.values == nil {
				continue
			}
			for _, i := range it.sh.filed {
				if it.ok() && it.set[i] && it.values[i] != nil {
					visit(it, i)
				}
			}
		}
	}
	each(func(it *item, i int) { ids = append(ids, schema.FileIDs(it.values[i])...) })
	if len(ids) == 0 {
		return nil
	}
	r, ok := w.tx.(FileReader)
	if !ok {
		return fault.New(fault.Internal, "record.no_files", nil)
	}
	list, err := r.FieldFiles(ctx, ids)
	if err != nil {
		return err
	}
	w.files = filesByID(list)
	into, err := w.survivors(ctx, list)
	if err != nil {
		return err
	}
	pending := false
	taken := map[id.ID]bool{}
	each(func(it *item, i int) {
		pending = w.checkFiles(it, i, into, taken) || pending
	})
	if pending {
		if err := w.readKeys(ctx, []id.ID{UploadSubject}); err != nil {
			return err
		}
	}
	return w.unclaim(ctx, items)
}

// survivors are the records that those which files stand with are part of.
func (w *writing) survivors(ctx context.Context, list []FieldFile) (map[id.ID]id.ID, error) {
	m, ok := w.tx.(MergeReader)
	var ids []id.ID
	for i := range list {
		if list[i].Record != 0 {
			ids = append(ids, list[i].Record)
		}
	}
	if !ok || len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	return m.MergedInto(ctx, slices.Compact(ids))
}

// checkFiles checks one value and reports whether it holds files that no record had before.
func (w *writing) checkFiles(it *item, i int, into map[id.ID]id.ID, taken map[id.ID]bool) (pending bool) {
	fs := &it.sh.fields[i]
	var had []id.ID
	if it.old != nil {
		had = schema.FileIDs(schema.Decode(fs.f, it.sh.cols(it.old.Cols, i)))
	}
	var kept []string
	for _, n := range schema.FileIDs(it.values[i]) {
		f := w.files[n]
		if f == nil && (w.mode.back || it.former != nil || it.as != "" || slices.Contains(had, n)) {
			continue // its time in the bin is over
		}
		switch {
		case f == nil || f.Object != it.sh.obj.Key || f.Field != fs.f.Key:
		case slices.Contains(had, n) || f.Record != 0 && (f.Record == it.id || into[f.Record] == it.id) || slices.Contains(it.adopts, n):
			kept = append(kept, id.Format(schema.FilePrefix, n))
			continue
		case f.Record == 0 && !taken[n] && f.By == w.actor.ID && f.ByKind == w.actor.Kind:
			taken[n], pending, it.uploads = true, true, true
			kept = append(kept, id.Format(schema.FilePrefix, n))
			continue
		}
		it.fail(fault.InvalidField("record.file_unknown", "fields."+fs.f.Key, fault.Params{"field": fs.f.Key, "label": fs.f.Label}))
		return false
	}
	if it.values[i] = nil; kept != nil {
		it.values[i] = kept
	}
	return pending
}

// fileNames is what the names of files in a value are searched by.
func (w *writing) fileNames(v any) any {
	var names []string
	for _, n := range schema.FileIDs(v) {
		if f := w.files[n]; f != nil {
			names = append(names, lang.Fold(f.Name))
		}
	}
	if names == nil {
		return nil
	}
	return strings.Join(names, "\n")
}

// moveFiles gives records the files that their fields name, and puts what is not named any more into the bin.
func (w *writing) moveFiles(ctx context.Context, items []*item) error {
	var taken []FileTaken
	t, ok := w.tx.(FileTx)
	for _, it := range items {
		if !it.changed() || it.values == nil || it.op != change.Create && it.op != change.Update {
			continue
		}
		for _, i := range it.sh.filed {
			var before []id.ID
			if it.old != nil {
				if !slices.Contains(it.dirty, i) {
					continue
				}
				before = schema.FileIDs(schema.Decode(it.sh.fields[i].f, it.sh.cols(it.old.Cols, i)))
			}
			after := schema.FileIDs(it.values[i])
			if len(before)+len(after) > 0 && !ok {
				return fault.New(fault.Internal, "record.no_files", nil)
			}
			gone := slices.DeleteFunc(slices.Clone(before), func(n id.ID) bool { return slices.Contains(after, n) })
			if len(gone) > 0 {
				if err := t.BinFieldFiles(ctx, it.id, gone, w.actor.ID, w.now.UnixMilli()); err != nil {
					return err
				}
			}
			for _, n := range after {
				if slices.Contains(before, n) {
					continue
				}
				x, err := w.take(it, w.files[n])
				if err != nil {
					return err
				}
				taken = append(taken, x)
			}
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return t.TakeFiles(ctx, taken)
}

// take makes a file that of a record: its key is sealed with the key of whom the record belongs to.
func (w *writing) take(it *item, f *FieldFile) (FileTaken, error) {
	x := FileTaken{ID: f.ID, From: f.Record, Record: f.Record, Subject: f.Subject}
	if f.Record != 0 {
		return x, nil
	}
	x.Record, x.Subject = it.id, it.subjectAfter()
	raw, err := w.s.cfg.Keys.Open(w.keys[UploadSubject], FilePlace(f.ID, "key"), f.Sealed)
	if err != nil {
		return x, err
	}
	defer clear(raw)
	x.Sealed = w.s.cfg.Keys.Seal(w.keys[x.Subject], FilePlace(f.ID, "key"), raw)
	return x, nil
}
