package api

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// fieldFileRoutes are the files in fields. The engine asks besides for the field and, when a record takes a file, for the record.
func (a *API) fieldFileRoutes() []route {
	return []route{
		{method: post, path: "/records/{object}/fields/{field}/files", need: right, right: access.RecordRead, run: op(a.uploadForField), doc: "Upload a file for a field: a form with the part file, or the content itself with ?name=; it is kept for a day until a record is written with its id", status: http.StatusCreated, stream: true, secret: true},
		{method: get, path: "/files/{id}/thumbnail", need: right, right: access.RecordRead, run: op(a.fileThumbnail), doc: "The small picture of a picture in a field", stream: true},
	}
}

// FileValue is a file in a field. Of one that is gone for good the id is left.
type FileValue struct {
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"`
	Type      string `json:"type,omitempty" doc:"media type, found by content"`
	Size      int64  `json:"size,omitempty" doc:"bytes"`
	URL       string `json:"url,omitempty" doc:"of the content"`
	Thumbnail string `json:"thumbnail,omitempty" doc:"address of a small picture, of at most 480 pixels"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
}

// know keeps what was read about files for showing values.
func (c *call) know(files map[id.ID]*record.FieldFile) {
	if len(files) == 0 {
		return
	}
	if c.files == nil {
		c.files = make(map[id.ID]*record.FieldFile, len(files))
	}
	maps.Copy(c.files, files)
}

func (c *call) showFiles(v any) any {
	ids := schema.FileIDs(v)
	if len(ids) == 0 {
		return nil
	}
	out := make([]FileValue, len(ids))
	for i, n := range ids {
		out[i] = FileValue{ID: id.Format(schema.FilePrefix, n)}
		if f := c.files[n]; f != nil {
			out[i] = showFieldFile(f)
		}
	}
	return out
}

func showFieldFile(f *record.FieldFile) FileValue {
	key := id.Format(schema.FilePrefix, f.ID)
	out := FileValue{ID: key, Name: f.Name, Type: f.Media, Size: f.Size, URL: "/api/v1/files/" + key + "/content", Width: f.Width, Height: f.Height}
	if f.Thumb {
		out.Thumbnail = "/api/v1/files/" + key + "/thumbnail"
	}
	return out
}

type uploadForFieldIn struct {
	Object string   `path:"object"`
	Field  string   `path:"field"`
	Name   string   `query:"name" doc:"of a file that is the whole body"`
	Form   struct{} `multipart:"file"`
}

// uploadForField streams the content to the engine.
func (a *API) uploadForField(ctx context.Context, c *call, in uploadForFieldIn) (FileValue, error) {
	limit := c.ws.Files.FieldLimit(in.Object, in.Field)
	tooLarge := fault.New(fault.TooLarge, "attachment.too_large", fault.Params{"max_mb": limit >> 20})
	if c.r.ContentLength > limit+bodyLimit {
		return FileValue{}, tooLarge
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, limit+bodyLimit)
	name, body, err := c.fileBody(in.Name)
	if err != nil {
		return FileValue{}, err
	}
	f, err := c.ws.Files.Upload(ctx, in.Object, in.Field, name, body)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return FileValue{}, tooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return FileValue{}, fault.New(fault.Invalid, "api.bad_request", nil)
	case err != nil:
		return FileValue{}, err
	}
	return showFieldFile(&record.FieldFile{ID: f.ID, Name: f.Name, Media: f.Media, Size: f.Size, Thumb: f.Thumb != "", Width: f.Width, Height: f.Height}), nil
}

// fileThumbnail sends a small picture; its headers are those of any content.
func (a *API) fileThumbnail(ctx context.Context, c *call, in idIn) (written, error) {
	key, err := fileID(in.ID)
	if err != nil {
		return written{}, err
	}
	_, data, err := c.ws.Files.Thumbnail(ctx, key)
	if err != nil {
		return written{}, err
	}
	h := c.w.Header()
	h.Set("Content-Type", http.DetectContentType(data)) // the program made it: a JPEG or a PNG
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
	tag := `"` + in.ID + `t"`
	h.Set("ETag", tag)
	if c.r.Header.Get("If-None-Match") == tag {
		a.write(c, http.StatusNotModified, "", nil)
		return written{}, nil
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	c.status = http.StatusOK
	if _, err := c.w.Write(data); err != nil {
		panic(http.ErrAbortHandler) // the caller sees a broken transfer
	}
	return written{}, nil
}
