package schema

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// phoneCodec is of numbers in E.164.
type phoneCodec struct{}

func (c phoneCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	s, ok := stringOf(v)
	if !ok {
		return nil, invalid(f, "not_text", nil)
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	return c.parseText(f, s, env)
}

func (phoneCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	// A spreadsheet that took the number for a number.
	if t, ok := strings.CutSuffix(s, ".0"); ok {
		s = t
	}
	if len(s) > 60 {
		return nil, invalid(f, "not_phone", nil)
	}
	n, ok := lang.NormalisePhone(s, env.phoneRegion())
	if !ok {
		return nil, invalid(f, "not_phone", fault.Params{"value": shown(f, s)})
	}
	return n, nil
}

// DisplayPhone prints an E.164 number as it is dialled at home: a Chinese mobile number without +86 where CN is the home
// region, any other number unchanged.
func DisplayPhone(e164, region string) string {
	if n, ok := strings.CutPrefix(e164, "+86"); ok && len(n) == 11 && n[0] == '1' && (region == "CN" || region == "") {
		return n
	}
	return e164
}

func (phoneCodec) formatJSON(_ *Field, v any, env *ParseEnv) any {
	return DisplayPhone(v.(string), env.PhoneRegion)
}

func (phoneCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	return DisplayPhone(v.(string), env.PhoneRegion)
}

func (phoneCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v, v) }
func (phoneCodec) decode(_ *Field, cols []any) any                       { return cols[0] }

// emailCodec is of normalised addresses.
type emailCodec struct{}

func (c emailCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	s, ok := v.(string)
	if !ok {
		return nil, invalid(f, "not_text", nil)
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	return c.parseText(f, s, env)
}

func (emailCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if len(s) > 400 {
		return nil, invalid(f, "not_email", nil)
	}
	a, ok := lang.NormaliseEmail(s)
	if !ok {
		return nil, invalid(f, "not_email", fault.Params{"value": shown(f, s)})
	}
	return a, nil
}

func (emailCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any    { return v }
func (emailCodec) formatText(_ *Field, v any, _ *ParseEnv) string { return v.(string) }

func (emailCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v, v) }
func (emailCodec) decode(_ *Field, cols []any) any                       { return cols[0] }
