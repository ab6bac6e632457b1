package attachment

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// UploadFor is how long a file that was uploaded for a field waits for a record to take it.
const UploadFor = 24 * time.Hour

// MaxWaiting and MaxWaitingBytes are how many files of one actor may wait for their records, and how large they may be together.
const (
	MaxWaiting      = 200
	MaxWaitingBytes = 2 << 30
)

// field finds a field that holds files and that the actor may write in a new record or in those that are there.
func (s *Service) field(ctx context.Context, object, field string) (*schema.Field, error) {
	who := access.From(ctx)
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	if !who.May(object, access.Create) && !who.May(object, access.Update) {
		return nil, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	f := obj.Field(field)
	if f == nil || f.Hidden || who.FieldOf(object, f) == access.FieldHidden {
		return nil, fault.New(fault.NotFound, "record.unknown_field", fault.Params{"field": field})
	}
	switch {
	case !f.HoldsFiles():
		return nil, fault.New(fault.Conflict, "attachment.no_file_field", fault.Params{"label": f.Label})
	case who.FieldOf(object, f) != access.FieldWrite:
		return nil, fault.New(fault.Forbidden, "record.field_closed", fault.Params{"field": field, "label": f.Label})
	}
	return f, nil
}

// FieldLimit is the largest file that a field takes, in bytes.
func (s *Service) FieldLimit(object, field string) int64 {
	limit := s.cfg.MaxBytes
	if obj := s.cfg.Registry().Object(object); obj != nil {
		if f := obj.Field(field); f != nil && f.MaxMB > 0 {
			limit = min(limit, int64(f.MaxMB)<<20)
		}
	}
	return limit
}

// Upload stores a file for a field; a record takes it when it is written with its id in the field. Pictures lose what cameras write
// beside them and get a small picture. Faults: NotFound, Forbidden, Conflict, Invalid attachment.empty, attachment.kind_refused,
// attachment.bad_picture and attachment.too_many_waiting, TooLarge attachment.too_large.
func (s *Service) Upload(ctx context.Context, object, field, name string, body io.Reader) (File, error) {
	f, err := s.field(ctx, object, field)
	if err != nil {
		return File{}, err
	}
	who := access.From(ctx)
	count, size, err := s.cfg.Store.Waiting(ctx, who.ID, who.Kind)
	if err != nil {
		return File{}, err
	}
	if count >= MaxWaiting || size >= MaxWaitingBytes {
		return File{}, fault.New(fault.Invalid, "attachment.too_many_waiting", fault.Params{"max": MaxWaiting})
	}
	key, err := s.cfg.Records.UploadKey(ctx)
	if err != nil {
		return File{}, err
	}
	file := s.begin(ctx, object, name)
	file.Field, file.Subject = field, record.UploadSubject
	raw := s.cfg.Keys.NewStreamKey()
	defer clear(raw)
	if err = s.store(ctx, &file, f, raw, body); err == nil {
		if _, err = s.field(ctx, object, field); err == nil { // it may have taken minutes to arrive
			file.Sealed = s.cfg.Keys.Seal(key, record.FilePlace(file.ID, "key"), raw)
			err = s.cfg.Store.AddUpload(ctx, &file)
		}
	}
	if err != nil {
		s.drop(file.Blob)
		if file.Thumb != "" {
			s.drop(file.Thumb)
		}
		return File{}, err
	}
	return file, nil
}

func (s *Service) drop(name string) {
	if lost := s.cfg.Blobs.Remove(name); lost != nil {
		s.cfg.Log.Warn("remove a file without a row", "error", lost)
	}
}

// store writes the content and the small picture of it.
func (s *Service) store(ctx context.Context, file *File, f *schema.Field, raw []byte, body io.Reader) error {
	var p picture
	limit := s.FieldLimit(file.Object, file.Field)
	err := s.cfg.Blobs.Write(file.Blob, func(w io.Writer) error {
		out, err := s.cfg.Keys.SealStream(raw, record.FilePlace(file.ID, "content"), w)
		if err != nil {
			return err
		}
		in := &counted{r: io.LimitReader(body, limit+1)}
		src := bufio.NewReaderSize(in, sniff)
		head, err := src.Peek(sniff)
		switch {
		case err != nil && !errors.Is(err, io.EOF): // it broke off
			return err
		case len(head) == 0:
			return fault.InvalidField("attachment.empty", "file", nil)
		}
		file.Media = Media(head)
		if !f.Takes(file.Media, file.Name) {
			return refusedKind(f, file.Name)
		}
		kept := &counted{w: out}
		p, err = copyClean(kept, src, file.Media)
		switch {
		case in.err != nil && !errors.Is(in.err, io.EOF):
			return in.err
		case in.n > limit:
			return fault.New(fault.TooLarge, "attachment.too_large", fault.Params{"max_mb": limit >> 20})
		case errors.Is(err, errPicture):
			return badPicture(file.Name)
		case err != nil:
			return err
		}
		file.Size = kept.n
		return out.Close()
	})
	if err != nil {
		return err
	}
	small, err := s.shrink(ctx, file.Media, p, func() (io.ReadCloser, error) { return s.content(file.Blob, file.ID, "content", raw) })
	switch {
	case errors.Is(err, errPicture) && f.Type == schema.Image:
		return badPicture(file.Name)
	case errors.Is(err, errPicture): // kept as any other file
		return nil
	case err != nil:
		return err
	}
	file.Width, file.Height = small.width, small.height
	if small.data == nil {
		return nil
	}
	name := s.blobName(file.ID, "thumb")
	file.Thumb = name
	return s.cfg.Blobs.Write(name, func(w io.Writer) error {
		out, err := s.cfg.Keys.SealStream(s.thumbKey(raw), record.FilePlace(file.ID, "thumb"), w)
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, bytes.NewReader(small.data)); err != nil {
			return err
		}
		return out.Close()
	})
}

// thumbKey is the key of the small picture: another one than that of the content, since the nonces of two streams are the same.
func (s *Service) thumbKey(raw []byte) []byte { return crypt.StreamKeyOf(raw, "thumb") }

func refusedKind(f *schema.Field, name string) error {
	if f.Type == schema.Image {
		return fault.InvalidField("attachment.not_picture", "file", fault.Params{"name": name, "label": f.Label})
	}
	return fault.InvalidField("attachment.kind_refused", "file", fault.Params{"name": name, "label": f.Label})
}

func badPicture(name string) error {
	return fault.InvalidField("attachment.bad_picture", "file", fault.Params{"name": name})
}

// counted counts bytes that are read or written, and remembers why reading ended.
type counted struct {
	r   io.Reader
	w   io.Writer
	n   int64
	err error
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// inField refuses, as if it were not there, a file of a field that the actor does not see. One that waits for its record is seen by who
// uploaded it alone.
func (s *Service) inField(ctx context.Context, f *File) (home id.ID, err error) {
	who := access.From(ctx)
	obj := s.cfg.Registry().Object(f.Object)
	if obj == nil {
		return 0, notFound()
	}
	x := obj.Field(f.Field)
	if x == nil || x.Hidden {
		return 0, notFound()
	}
	switch who.FieldOf(f.Object, x) {
	case access.FieldRead, access.FieldWrite:
	default:
		return 0, notFound()
	}
	if f.Record == 0 {
		if f.By != who.ID || f.ByKind != who.Kind {
			return 0, notFound()
		}
		return 0, nil
	}
	return s.Home(ctx, f)
}

// Thumbnail reads the small picture of a file that stands. NotFound attachment.no_thumbnail when there is none.
func (s *Service) Thumbnail(ctx context.Context, key id.ID) (File, []byte, error) {
	f, raw, err := s.opened(ctx, key)
	if err != nil {
		return File{}, nil, err
	}
	defer clear(raw)
	if f.Thumb == "" {
		return File{}, nil, fault.New(fault.NotFound, "attachment.no_thumbnail", nil)
	}
	in, err := s.content(f.Thumb, f.ID, "thumb", s.thumbKey(raw))
	if err != nil {
		return File{}, nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	return f, data, err
}
