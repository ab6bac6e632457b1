package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// fileRoutes are the files of records. The engine asks besides whether the record itself may be seen or changed.
func (a *API) fileRoutes() []route {
	r, w := access.RecordRead, access.RecordUpdate
	return []route{
		{method: get, path: "/records/{object}/{id}/files", need: right, right: r, run: op(a.listFiles), doc: "Files of a record, newest first"},
		{method: post, path: "/records/{object}/{id}/files", need: right, right: w, run: op(a.addFile), doc: "Add a file to a record: a form with the part file, or the content itself with ?name=", status: http.StatusCreated, stream: true, secret: true},
		{method: get, path: "/files/{id}/content", need: right, right: r, run: op(a.fileContent), doc: "The content of a file; ?inline=true shows a picture in a page", stream: true},
		{method: patch, path: "/files/{id}", need: right, right: w, run: op(a.renameFile), doc: "Rename a file"},
		{method: del, path: "/files/{id}", need: right, right: w, run: op(a.deleteFile), doc: "Remove a file; it can be restored for 30 days"},
		{method: post, path: "/files/{id}/restore", need: right, right: w, run: op(a.restoreFile), doc: "Take a removed file back"},
	}
}

// File is a file on a record.
type File struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Media     string     `json:"media" doc:"found by content"`
	Size      int64      `json:"size" doc:"bytes"`
	Preview   bool       `json:"preview" doc:"a picture that can be shown in a page"`
	AddedBy   Actor      `json:"added_by"`
	At        time.Time  `json:"at"`
	DeletedAt *time.Time `json:"deleted_at"`
	DeletedBy *Actor     `json:"deleted_by"`
	CanChange bool       `json:"can_change"`
}

// showFile prints a file; changeable remembers what the actor may do with the records that were asked about.
func (c *call) showFile(ctx context.Context, f *attachment.File, titles map[record.Ref]string, changeable map[id.ID]bool) (*File, error) {
	out := &File{ID: id.Format(attachment.Prefix, f.ID), Name: f.Name, Media: f.Media, Size: f.Size, Preview: f.Preview(), AddedBy: c.actor(f.ByKind, f.By, titles), At: f.At, DeletedAt: optional(f.DeletedAt)}
	can, known := changeable[f.Record]
	if !known {
		home, err := c.ws.Files.Home(ctx, f)
		if err != nil {
			return nil, err
		}
		can = c.ws.Files.Changeable(ctx, f.Object, home)
		changeable[f.Record] = can
	}
	out.CanChange = can
	if f.DeletedBy != 0 {
		by := c.actor(access.ByUser, f.DeletedBy, titles)
		out.DeletedBy = &by
	}
	return out, nil
}

func (c *call) fileAnswer(ctx context.Context, f attachment.File) (*File, error) {
	people := slices.DeleteFunc([]id.ID{f.By, f.DeletedBy}, func(v id.ID) bool { return v == 0 })
	titles, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	return c.showFile(ctx, &f, titles, map[id.ID]bool{})
}

// FileList is the files of a record.
type FileList struct {
	Items    []*File `json:"items"`
	MaxBytes int64   `json:"max_bytes" doc:"the largest file that can be added"`
	CanAdd   bool    `json:"can_add"`
}

func (a *API) listFiles(ctx context.Context, c *call, in recordIn) (FileList, error) {
	o, v, err := c.survivor(ctx, in)
	if err != nil {
		return FileList{}, err
	}
	list, err := c.ws.Files.Of(ctx, o.Key, v)
	if err != nil {
		return FileList{}, err
	}
	out := FileList{Items: []*File{}, MaxBytes: c.ws.Files.MaxBytes(), CanAdd: c.ws.Files.Changeable(ctx, o.Key, v)}
	people := []id.ID{}
	for i := range list {
		people = append(people, list[i].By)
	}
	titles, err := c.userNames(ctx, people...)
	if err != nil {
		return FileList{}, err
	}
	changeable := map[id.ID]bool{v: out.CanAdd}
	for i := range list {
		f, err := c.showFile(ctx, &list[i], titles, changeable)
		if err != nil {
			return FileList{}, err
		}
		out.Items = append(out.Items, f)
	}
	return out, nil
}

type addFileIn struct {
	Object string   `path:"object"`
	ID     string   `path:"id"`
	Name   string   `query:"name" doc:"of a file that is the whole body"`
	Form   struct{} `multipart:"file"`
}

// addFile streams the content to the engine.
func (a *API) addFile(ctx context.Context, c *call, in addFileIn) (*File, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return nil, err
	}
	limit := c.ws.Files.MaxBytes()
	tooLarge := fault.New(fault.TooLarge, "attachment.too_large", fault.Params{"max_mb": limit >> 20})
	if c.r.ContentLength > limit+bodyLimit {
		return nil, tooLarge
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, limit+bodyLimit)
	name, body, err := c.fileBody(in.Name)
	if err != nil {
		return nil, err
	}
	f, err := c.ws.Files.Add(ctx, o.Key, v, name, body)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fault.New(fault.Invalid, "api.bad_request", nil)
	case err != nil:
		return nil, err
	}
	return a.fileChanged(ctx, c, f, "file.create")
}

// fileBody finds the content: the part "file" of a form, or the body.
func (c *call) fileBody(name string) (string, io.Reader, error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return name, c.r.Body, nil
	}
	form, err := c.r.MultipartReader()
	if err != nil {
		return "", nil, fault.New(fault.Invalid, "api.content_type", nil)
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, fault.InvalidField("record.required", "file", fault.Params{"field": "file"})
		}
		if err != nil {
			return "", nil, fault.New(fault.Invalid, "api.bad_request", nil)
		}
		if part.FormName() == "file" {
			return part.FileName(), part, nil
		}
	}
}

func fileID(text string) (id.ID, error) {
	v, err := id.Parse(attachment.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "attachment.not_found", nil)
	}
	return v, nil
}

// fileChanged notes a change, wakes the pages that show the record, and answers with the file.
func (a *API) fileChanged(ctx context.Context, c *call, f attachment.File, action string) (*File, error) {
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, action, f.Object, f.Record, map[string]any{"file": id.Format(attachment.Prefix, f.ID), "size": f.Size}); err != nil {
		return nil, err
	}
	home, err := c.ws.Files.Home(ctx, &f)
	if err != nil {
		return nil, err
	}
	a.touched(c, f.Object, id.Format(c.prefixOf(f.Object), home))
	return c.fileAnswer(ctx, f)
}

type renameFileIn struct {
	ID   string `path:"id"`
	Body struct {
		Name string `json:"name"`
	}
}

func (a *API) renameFile(ctx context.Context, c *call, in renameFileIn) (*File, error) {
	key, err := fileID(in.ID)
	if err != nil {
		return nil, err
	}
	f, err := c.ws.Files.Rename(ctx, key, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return a.fileChanged(ctx, c, f, "file.rename")
}

func (a *API) deleteFile(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := fileID(in.ID)
	if err != nil {
		return empty{}, err
	}
	f, err := c.ws.Files.Delete(ctx, key)
	if err != nil {
		return empty{}, err
	}
	_, err = a.fileChanged(ctx, c, f, "file.delete")
	return empty{}, err
}

func (a *API) restoreFile(ctx context.Context, c *call, in idIn) (*File, error) {
	key, err := fileID(in.ID)
	if err != nil {
		return nil, err
	}
	f, err := c.ws.Files.Restore(ctx, key)
	if err != nil {
		return nil, err
	}
	return a.fileChanged(ctx, c, f, "file.restore")
}

type fileContentIn struct {
	ID     string `path:"id"`
	Inline bool   `query:"inline" doc:"a picture for a page; whatever else is downloaded all the same"`
}

// fileContent streams a file. It is kept for saving; only pictures, recognised by their content, may stand in a page. Whoever opens the
// address gets a document that may run and load nothing.
func (a *API) fileContent(ctx context.Context, c *call, in fileContentIn) (written, error) {
	key, err := fileID(in.ID)
	if err != nil {
		return written{}, err
	}
	f, body, err := c.ws.Files.Open(ctx, key)
	if err != nil {
		return written{}, err
	}
	defer body.Close()
	h := c.w.Header()
	way := "attachment"
	if in.Inline && f.Preview() {
		way = "inline"
	}
	h.Set("Content-Type", f.Media)
	if f.Media == "text/plain" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Disposition", mime.FormatMediaType(way, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	// A browser may keep it but asks each time, so that a right that was lost counts at once.
	tag := `"` + in.ID + `"`
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", tag)
	if c.r.Header.Get("If-None-Match") == tag {
		a.write(c, http.StatusNotModified, "", nil)
		return written{}, nil
	}
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	c.status = http.StatusOK
	if _, err := io.Copy(c.w, body); err != nil {
		if ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "a download broke off", "file", in.ID, "error", err)
		}
		panic(http.ErrAbortHandler) // the caller sees a broken transfer, not a short file
	}
	return written{}, nil
}
