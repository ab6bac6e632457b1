package schema

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// percentCodec is of percentages: the JSON number and the text "12.5" and "12.5%" are 12.5 percent.
type percentCodec struct{ numberCodec }

func (c percentCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	if s, ok := v.(string); ok {
		v = bare(s)
	}
	return c.numberCodec.parseJSON(f, v, env)
}

func (c percentCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	return c.numberCodec.parseText(f, bare(s), env)
}

func bare(s string) string { return strings.TrimSuffix(strings.TrimSpace(halfWidth(s)), "%") }

func (c percentCodec) formatText(f *Field, v any, env *ParseEnv) string {
	return c.numberCodec.formatText(f, v, env) + "%"
}

// MaxDuration bounds durations: a hundred years in seconds.
const MaxDuration = 100 * 366 * 86400

// durationCodec is of lengths of time. A JSON number is whole seconds; texts are "1:30" (hours and minutes), "1:30:15", or numbers with
// units: "90m", "1h 30m", "2 天 3 小时". A bare number is seconds.
type durationCodec struct{}

func (c durationCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	if n, ok := v.(int64); ok {
		return c.bounded(f, n)
	}
	s, ok := stringOf(v)
	if !ok {
		return nil, invalid(f, "not_duration", nil)
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	return c.parseText(f, s, env)
}

func (durationCodec) bounded(f *Field, n int64) (any, *fault.Fault) {
	if n > MaxDuration || n < -MaxDuration {
		return nil, invalid(f, "number_range", nil)
	}
	return n, nil
}

func (c durationCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	text := strings.ToLower(strings.TrimSpace(halfWidth(s)))
	body, negative := strings.CutPrefix(text, "-")
	n, ok := clockTime(body)
	if !ok {
		n, ok = spelled(body)
	}
	if !ok {
		return nil, invalid(f, "not_duration", fault.Params{"value": shown(f, s)})
	}
	if negative {
		n = -n
	}
	return c.bounded(f, n)
}

// clockTime reads 1:30 and 1:30:15.
func clockTime(s string) (n int64, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 32)
		if err != nil || i > 0 && (v > 59 || len(p) != 2) {
			return 0, false
		}
		n = n*60 + int64(v) //nolint:gosec // 32 bits
	}
	if len(parts) == 2 {
		n *= 60
	}
	return n, true
}

// units of time, the longer names first. Read only.
var units = []struct {
	name    string
	seconds int64
}{
	{"seconds", 1}, {"second", 1}, {"secs", 1}, {"sec", 1}, {"minutes", 60}, {"minute", 60}, {"mins", 60}, {"min", 60}, {"hours", 3600}, {"hour", 3600},
	{"hrs", 3600}, {"hr", 3600}, {"days", 86400}, {"day", 86400}, {"秒钟", 1}, {"秒", 1}, {"分钟", 60}, {"分", 60}, {"小时", 3600}, {"时", 3600}, {"天", 86400}, {"日", 86400},
	{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400},
}

// spelled reads numbers with units.
func spelled(s string) (n int64, ok bool) {
	for s != "" {
		end := 0
		for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
			end++
		}
		v, bad := scaled(s[:end], 3)
		if bad != "" || v > MaxDuration*1000 {
			return 0, false
		}
		s = strings.TrimSpace(s[end:])
		seconds := int64(1)
		if s != "" {
			found := false
			for _, u := range units {
				if rest, hit := strings.CutPrefix(s, u.name); hit {
					s, seconds, found = strings.TrimSpace(rest), u.seconds, true
					break
				}
			}
			if !found {
				return 0, false
			}
		}
		n += v * seconds / 1000
		ok = true
	}
	return n, ok
}

func (durationCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any {
	return json.Number(strconv.FormatInt(v.(int64), 10))
}

func (durationCodec) formatText(_ *Field, v any, _ *ParseEnv) string {
	n, sign := v.(int64), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	return fmt.Sprintf("%s%d:%02d:%02d", sign, n/3600, n/60%60, n%60)
}

func (durationCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v) }
func (durationCodec) decode(_ *Field, cols []any) any                       { return cols[0] }

// Stars is the most that a rating can be.
func (f *Field) Stars() int {
	if f.Max == 0 {
		return 5
	}
	return f.Max
}

// ratingCodec is of stars: a whole number from 1; 0 is no rating.
type ratingCodec struct{}

func (ratingCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	n, ok := v.(int64)
	if !ok {
		s, isText := stringOf(v)
		if isText && strings.TrimSpace(s) == "" {
			return nil, nil
		}
		var err error
		if n, err = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(s), ".0"), 10, 32); !isText || err != nil {
			return nil, invalid(f, "not_rating", fault.Params{"max": f.Stars()})
		}
	}
	switch {
	case n == 0:
		return nil, nil
	case n < 0 || n > int64(f.Stars()):
		return nil, invalid(f, "not_rating", fault.Params{"max": f.Stars()})
	}
	return n, nil
}

func (c ratingCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	s = strings.TrimSpace(halfWidth(s))
	if stars := strings.Count(s, "★") + strings.Count(s, "⭐"); stars > 0 {
		return c.parseJSON(f, int64(stars), env)
	}
	return c.parseJSON(f, strings.TrimSpace(strings.TrimSuffix(s, "星")), env)
}

func (ratingCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any {
	return json.Number(strconv.FormatInt(v.(int64), 10))
}

func (ratingCodec) formatText(_ *Field, v any, _ *ParseEnv) string {
	return strconv.FormatInt(v.(int64), 10)
}

func (ratingCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v) }
func (ratingCodec) decode(_ *Field, cols []any) any                       { return cols[0] }
