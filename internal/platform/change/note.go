package change

import (
	"bytes"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Note names other records that a change has to do with. It stands in the image After under a key that begins with "$", which
// no column does, so whoever reads columns passes over it.
type Note struct {
	Key     string  // NoteMerged, NoteInto or NoteFile
	Records []id.ID // of NoteFile the ids of files
}

// The notes.
const (
	NoteMerged = "$merged" // in a Merge or Unmerge: the records that were merged, or taken apart again
	NoteInto   = "$into"   // in a Delete or Restore: the record that it was merged into, or taken out of
	NoteFile   = "$file"   // in an Attach or Detach: the file
	noteShape  = "$shape"  // in an Update: nothing was said that was not said before, in another form
)

// Annotate adds notes to an image, which may be nil.
func Annotate(image []byte, notes []Note) []byte {
	for _, n := range notes {
		list, err := json.Marshal(n.Records)
		if err != nil { // integers always encode
			continue
		}
		if len(image) < 2 {
			image = []byte("{}")
		}
		sep := ","
		if len(image) == 2 {
			sep = ""
		}
		image = append(image[:len(image)-1:len(image)-1], sep+`"`+n.Key+`":`+string(list)+"}"...)
	}
	return image
}

// Reshaped marks an image of an Update that only keeps what was there in another form: the converted values of a field. Who tells
// people what happened passes over it.
func Reshaped(image []byte) []byte { return Annotate(image, []Note{{Key: noteShape}}) }

// IsReshaped reports such an image.
func IsReshaped(image []byte) bool { return bytes.Contains(image, []byte(`"`+noteShape+`":`)) }

// Notes reads the notes out of an image.
func Notes(image []byte) []Note {
	var m map[string]json.RawMessage
	if len(image) == 0 || json.Unmarshal(image, &m) != nil {
		return nil
	}
	var out []Note
	for _, key := range [...]string{NoteMerged, NoteInto, NoteFile} {
		var ids []id.ID
		if raw, ok := m[key]; ok && json.Unmarshal(raw, &ids) == nil {
			out = append(out, Note{Key: key, Records: ids})
		}
	}
	return out
}
