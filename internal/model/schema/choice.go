package schema

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Limits of lists of keys.
const (
	MaxTags    = 100
	MaxTagSize = 60 // characters
)

// Option finds an option of a choice by key.
func (f *Field) Option(key string) (Option, bool) {
	for _, o := range f.Options {
		if o.Key == key {
			return o, true
		}
	}
	return Option{}, false
}

// optionKey finds an option by its key, or its label in any language, folded.
func (f *Field) optionKey(s string) (string, bool) {
	if _, ok := f.Option(s); ok {
		return s, true
	}
	want := lang.Fold(s)
	for _, o := range f.Options {
		if lang.Fold(o.Key) == want {
			return o.Key, true
		}
		for _, l := range o.Label {
			if lang.Fold(l) == want {
				return o.Key, true
			}
		}
	}
	return "", false
}

func unknownOption(f *Field, s string) *fault.Fault {
	return invalid(f, "option_unknown", fault.Params{"value": shown(f, s)})
}

// choiceCodec is of one option, held by its key.
type choiceCodec struct{}

func (choiceCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	s, ok := v.(string)
	if !ok {
		return nil, invalid(f, "not_text", nil)
	}
	if s == "" {
		return nil, nil
	}
	if _, ok := f.Option(s); !ok {
		return nil, unknownOption(f, s)
	}
	return s, nil
}

func (choiceCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if key, ok := f.optionKey(s); ok {
		return key, nil
	}
	return nil, unknownOption(f, s)
}

func (choiceCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any { return v }

func (choiceCodec) formatText(f *Field, v any, env *ParseEnv) string {
	return f.optionLabel(v.(string), env)
}

// optionLabel is the label of an option, or its key when the option is gone or has no label of its own.
func (f *Field) optionLabel(key string, env *ParseEnv) string {
	o, ok := f.Option(key)
	if !ok {
		return key
	}
	loc := env.Locale
	if loc == "" {
		loc = lang.ChineseSimplified
	}
	label := o.Label.In(loc)
	if back, ok := f.optionKey(label); !ok || back != key {
		return key // two options share the label
	}
	return label
}

func (choiceCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v) }
func (choiceCodec) decode(_ *Field, cols []any) any                       { return cols[0] }

// listOf takes a list of texts out of decoded JSON; one text alone is a list of one.
func listOf(v any) ([]string, bool) {
	switch x := v.(type) {
	case []string:
		return x, true
	case string:
		return []string{x}, true
	case []any:
		out := make([]string, 0, len(x))
		for _, e := range x {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
		return out, true
	}
	return nil, false
}

// sorted makes a list canonical; nil when nothing is left of it.
func sorted(list []string) any {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) == 0 {
		return nil
	}
	return list
}

// separators part the members of a list in text, and may therefore not stand inside a tag.
func separator(r rune) bool { return strings.ContainsRune("|,，;；、\n", r) }

func encodeList(dst []any, v any) []any {
	return append(dst, "|"+strings.Join(v.([]string), "|")+"|")
}

func decodeList(cols []any) any {
	s, _ := cols[0].(string)
	s = strings.Trim(s, "|")
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

func joiner(env *ParseEnv) string {
	if env.chinese() {
		return "、"
	}
	return ", "
}

// choicesCodec is of several options.
type choicesCodec struct{}

func (choicesCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	list, ok := listOf(v)
	if !ok {
		return nil, invalid(f, "not_list", nil)
	}
	for _, s := range list {
		if _, ok := f.Option(s); !ok && s != "" {
			return nil, unknownOption(f, s)
		}
	}
	return sorted(list), nil
}

func (choicesCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if key, ok := f.optionKey(s); ok {
		return []string{key}, nil
	}
	var list []string
	for _, part := range strings.FieldsFunc(s, separator) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, ok := f.optionKey(part)
		if !ok {
			return nil, unknownOption(f, part)
		}
		list = append(list, key)
	}
	return sorted(list), nil
}

func (choicesCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any { return v }

func (choicesCodec) formatText(f *Field, v any, env *ParseEnv) string {
	labels := make([]string, 0, 4)
	for _, k := range v.([]string) {
		label := f.optionLabel(k, env)
		if strings.ContainsFunc(label, separator) {
			label = k
		}
		labels = append(labels, label)
	}
	return strings.Join(labels, joiner(env))
}

func (choicesCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return encodeList(dst, v) }
func (choicesCodec) decode(_ *Field, cols []any) any                       { return decodeList(cols) }

// tagsCodec is of free words.
type tagsCodec struct{}

func (c tagsCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	list, ok := listOf(v)
	if !ok {
		return nil, invalid(f, "not_list", nil)
	}
	return c.check(f, list)
}

func (tagsCodec) check(f *Field, list []string) (any, *fault.Fault) {
	if len(list) > MaxTags {
		return nil, invalid(f, "too_many", fault.Params{"max": MaxTags})
	}
	out := make([]string, 0, len(list))
	for _, s := range list {
		s = strings.TrimSpace(s)
		switch {
		case !utf8.ValidString(s):
			return nil, invalid(f, "text_encoding", nil)
		case strings.ContainsFunc(s, separator):
			return nil, invalid(f, "tag_separator", fault.Params{"value": shown(f, s)})
		case strings.ContainsFunc(s, unicode.IsControl):
			return nil, invalid(f, "control_character", nil)
		case utf8.RuneCountInString(s) > MaxTagSize:
			return nil, invalid(f, "too_long", fault.Params{"max": MaxTagSize})
		}
		out = append(out, s)
	}
	return sorted(out), nil
}

func (c tagsCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	return c.check(f, strings.FieldsFunc(s, separator))
}

func (tagsCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any { return v }

func (tagsCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	return strings.Join(v.([]string), joiner(env))
}

func (tagsCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return encodeList(dst, v) }
func (tagsCodec) decode(_ *Field, cols []any) any                       { return decodeList(cols) }
