package schema

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// pointerCodec is of references to one record of any object. The canonical value is the printed id, whose prefix names
// the object: text that stays readable in the change log and compares by itself.
type pointerCodec struct{}

func (c pointerCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case string:
		if strings.TrimSpace(x) == "" {
			return nil, nil
		}
		return c.parseText(f, x, env)
	case map[string]any:
		if v, ok := x["id"]; ok {
			return c.parseJSON(f, v, env)
		}
	}
	return nil, invalid(f, "not_id", nil)
}

func (pointerCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	prefix, v, err := id.ParseAny(strings.TrimSpace(s))
	if err != nil || v <= 0 {
		return nil, invalid(f, "not_id", nil)
	}
	return id.Format(prefix, v), nil
}

func (pointerCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	return s
}

func (pointerCodec) formatText(_ *Field, v any, _ *ParseEnv) string {
	s, _ := v.(string)
	return s
}

func (pointerCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	s, _ := v.(string)
	return append(dst, s)
}

func (pointerCodec) decode(_ *Field, cols []any) any {
	s, _ := cols[0].(string)
	return s
}

// Pointed is the object and the id that a value of type Record names; a nil object for a value that names none.
func (r *Registry) Pointed(v any) (*Object, id.ID) {
	s, ok := v.(string)
	if !ok {
		return nil, 0
	}
	prefix, n, err := id.ParseAny(s)
	if err != nil {
		return nil, 0
	}
	return r.ByPrefix(prefix), n
}
