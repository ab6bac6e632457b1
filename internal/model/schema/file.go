package schema

import (
	"path"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// FilePrefix is the prefix of the printed ids of files.
const FilePrefix = "fil"

// The most files of one value, and how many a field holds that says nothing about it.
const (
	MaxFiles     = 50
	defaultFiles = 1
)

// FileKinds are the kinds of files that a field of type file can be limited to, in the order in which they are offered.
func FileKinds() []string {
	return []string{"image", "pdf", "document", "spreadsheet", "presentation", "text", "audio", "video", "archive"}
}

// PictureTypes are the media types that a field of type image takes: pictures that can hold no program.
func PictureTypes() []string { return []string{"image/jpeg", "image/png", "image/webp", "image/gif"} }

// HoldsFiles reports a field whose value is a list of files.
func (f *Field) HoldsFiles() bool { return f.Type == File || f.Type == Image }

// Files is how many files a value may hold.
func (f *Field) Files() int {
	if f.Max == 0 {
		return defaultFiles
	}
	return f.Max
}

// Takes reports whether a field may hold content of a media type, as it was found by the content. The old formats of office
// programs share one media type, of which the ending of the name says which it is.
func (f *Field) Takes(media, name string) bool {
	if f.Type == Image {
		return slices.Contains(PictureTypes(), media)
	}
	return len(f.Kinds) == 0 || slices.Contains(f.Kinds, FileKind(media, name))
}

// FileKind is the kind of a media type, "other" for one of none.
func FileKind(media, name string) string {
	ending := strings.ToLower(path.Ext(name))
	switch {
	case slices.Contains(PictureTypes(), media), media == "image/heic", media == "image/bmp", media == "image/tiff":
		return "image"
	case media == "application/pdf":
		return "pdf"
	case strings.HasSuffix(media, "wordprocessingml.document"):
		return "document"
	case strings.HasSuffix(media, "spreadsheetml.sheet"):
		return "spreadsheet"
	case strings.HasSuffix(media, "presentationml.presentation"):
		return "presentation"
	case media == "application/x-ole-storage":
		switch ending {
		case ".xls", ".et":
			return "spreadsheet"
		case ".ppt", ".pps", ".dps":
			return "presentation"
		case ".doc", ".wps":
			return "document"
		}
	case media == "text/plain":
		if ending == ".csv" {
			return "spreadsheet"
		}
		return "text"
	case strings.HasPrefix(media, "audio/"):
		return "audio"
	case strings.HasPrefix(media, "video/"):
		return "video"
	case media == "application/zip", media == "application/gzip", media == "application/x-7z-compressed", media == "application/vnd.rar":
		return "archive"
	}
	return "other"
}

// filesCodec is of files in the order in which a person put them. The canonical value is the list of their printed ids; names,
// sizes and contents are kept beside the records (package attachment). The folded names for searching are filled in by the record engine.
type filesCodec struct{}

func (c filesCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	var list []string
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			if m, ok := e.(map[string]any); ok { // as the API prints it
				e = m["id"]
			}
			s, ok := e.(string)
			if !ok {
				return nil, invalid(f, "not_files", nil)
			}
			list = append(list, s)
		}
	default:
		var ok bool
		if list, ok = listOf(v); !ok {
			return nil, invalid(f, "not_files", nil)
		}
	}
	return c.check(f, list)
}

func (filesCodec) check(f *Field, list []string) (any, *fault.Fault) {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		n, err := id.Parse(FilePrefix, s)
		if err != nil || n <= 0 {
			return nil, invalid(f, "not_files", nil)
		}
		if s = id.Format(FilePrefix, n); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if most := f.Files(); len(out) > most {
		return nil, invalid(f, "too_many_files", fault.Params{"max": most, "count": len(out)})
	}
	if out == nil {
		return nil, nil
	}
	return out, nil
}

// parseText reads ids, as a list in a file of ids holds them; a name says nothing about where the content is.
func (c filesCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	return c.check(f, strings.FieldsFunc(s, separator))
}

func (filesCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any { return v }

func (filesCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	list, _ := v.([]string)
	if env.FileName == nil {
		return strings.Join(list, joiner(env))
	}
	names := make([]string, 0, len(list))
	for _, s := range list {
		if name := env.FileName(s); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, joiner(env))
}

func (filesCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	list, _ := v.([]string)
	return append(encodeList(dst, v), nil, int64(len(list)))
}

func (filesCodec) decode(_ *Field, cols []any) any { return decodeList(cols) }

// FileIDs are the ids in a value of a field that holds files, in their order.
func FileIDs(v any) []id.ID {
	list, _ := v.([]string)
	out := make([]id.ID, 0, len(list))
	for _, s := range list {
		if n, err := id.Parse(FilePrefix, s); err == nil {
			out = append(out, n)
		}
	}
	return out
}
