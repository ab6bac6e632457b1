package schema

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// CheckPattern checks the pattern of an auto number: any text with exactly one run of zeros in braces for the number
// ("{00000}", at least so many digits) and any of {yyyy}, {yy}, {mm}, {dd} or compositions such as {yyyymmdd} for the
// day. Numbers begin again at 1 whenever the day parts change.
func CheckPattern(pattern string) error {
	numbers := 0
	err := eachPart(pattern, func(part string, braced bool) error {
		switch {
		case !braced:
		case part != "" && strings.Trim(part, "0") == "":
			numbers++
		case dateParts(part, 0) == "":
			return fmt.Errorf("{%s} is neither zeros nor a date", part)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	if numbers != 1 {
		return fmt.Errorf("pattern %q has %d numbers, not one", pattern, numbers)
	}
	return nil
}

func eachPart(pattern string, fn func(part string, braced bool) error) error {
	for pattern != "" {
		open := strings.IndexByte(pattern, '{')
		if open < 0 {
			return fn(pattern, false)
		}
		end := strings.IndexByte(pattern[open:], '}')
		if end < 0 {
			return errors.New("a brace is not closed")
		}
		if open > 0 {
			if err := fn(pattern[:open], false); err != nil {
				return err
			}
		}
		if err := fn(pattern[open+1:open+end], true); err != nil {
			return err
		}
		pattern = pattern[open+end+1:]
	}
	return nil
}

// dateParts prints "yyyymmdd" and the like for a day, "" when it is not made of date parts.
func dateParts(part string, day clock.Day) string {
	t, out := day.Time(), ""
	for part != "" {
		switch {
		case strings.HasPrefix(part, "yyyy"):
			out, part = out+fmt.Sprintf("%04d", t.Year()), part[4:]
		case strings.HasPrefix(part, "yy"):
			out, part = out+fmt.Sprintf("%02d", t.Year()%100), part[2:]
		case strings.HasPrefix(part, "mm"):
			out, part = out+fmt.Sprintf("%02d", int(t.Month())), part[2:]
		case strings.HasPrefix(part, "dd"):
			out, part = out+fmt.Sprintf("%02d", t.Day()), part[2:]
		default:
			return ""
		}
	}
	return out
}

// FormatNumber prints the n-th number of a checked pattern on a day.
func FormatNumber(pattern string, day clock.Day, n int64) string {
	var b strings.Builder
	_ = eachPart(pattern, func(part string, braced bool) error { // the pattern was checked
		switch {
		case !braced:
			b.WriteString(part)
		case strings.Trim(part, "0") == "":
			s := strconv.FormatInt(n, 10)
			b.WriteString(strings.Repeat("0", max(0, len(part)-len(s))))
			b.WriteString(s)
		default:
			b.WriteString(dateParts(part, day))
		}
		return nil
	})
	return b.String()
}

// NumberCounter names the counter that a pattern takes its numbers from on a day.
func NumberCounter(object string, f *Field, day clock.Day) string {
	name := object + "." + f.Key
	_ = eachPart(f.Pattern, func(part string, braced bool) error { // the pattern was checked
		if braced && strings.Trim(part, "0") != "" {
			name += ":" + dateParts(part, day)
		}
		return nil
	})
	return name
}

// numberingCodec is of auto numbers: texts that the record engine makes when none is given.
type numberingCodec struct{ textCodec }

func (numberingCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v) }

func (numberingCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if bad := checkText(f, s); bad != nil {
		return nil, bad
	}
	return s, nil
}
