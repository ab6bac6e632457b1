package schema

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Key names a record by the text of a unique field instead of by its id. The record engine looks it up.
type Key struct {
	Field string
	Text  string
}

// relationCodec is of references to one record or user.
type relationCodec struct{}

func (c relationCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case id.ID:
		if x == 0 {
			return nil, nil
		}
		if x < 0 {
			return nil, invalid(f, "not_id", nil)
		}
		return x, nil
	case Key:
		return x, nil
	case string:
		if strings.TrimSpace(x) == "" {
			return nil, nil
		}
		return c.parseText(f, x, env)
	case map[string]any:
		if v, ok := x["id"]; ok {
			return c.parseJSON(f, v, env)
		}
		if len(x) == 1 && f.Type == Relation {
			for k, kv := range x {
				s, ok := stringOf(kv)
				if !ok || strings.TrimSpace(s) == "" {
					return nil, invalid(f, "not_id", nil)
				}
				return Key{Field: k, Text: strings.TrimSpace(s)}, nil
			}
		}
	}
	return nil, invalid(f, "not_id", nil)
}

func (relationCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	prefix, v, err := id.ParseAny(strings.TrimSpace(s))
	if err != nil || f.prefix != "" && prefix != f.prefix || v <= 0 {
		return nil, invalid(f, "not_id", nil)
	}
	return v, nil
}

// TargetPrefix is the id prefix of the records that a relation or user field points at.
func (f *Field) TargetPrefix() string { return f.prefix }

func (relationCodec) formatJSON(f *Field, v any, _ *ParseEnv) any {
	n, ok := v.(id.ID)
	if !ok {
		return nil
	}
	return id.Format(f.prefix, n)
}

func (c relationCodec) formatText(f *Field, v any, env *ParseEnv) string {
	s, _ := c.formatJSON(f, v, env).(string)
	return s
}

func (relationCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	n, _ := v.(id.ID)
	return append(dst, int64(n))
}

func (relationCodec) decode(_ *Field, cols []any) any {
	n, _ := cols[0].(int64)
	return id.ID(n)
}
