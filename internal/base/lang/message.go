package lang

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// message is a parsed text: literal parts, parameters and plurals in order.
type message []part

type part struct {
	literal string
	param   string             // a placeholder when not empty
	plural  map[string]message // by "one", "other", "=0"; nil for a plain placeholder
	number  bool               // # inside a plural
}

// parseMessage reads a text; see NewCatalog for the grammar, a small part of ICU MessageFormat.
func parseMessage(s string) (message, error) {
	p := parser{rest: s}
	m, err := p.message("")
	if err != nil {
		return nil, err
	}
	if p.rest != "" {
		return nil, errors.New("closing brace without an opening one")
	}
	return m, nil
}

type parser struct{ rest string }

// message reads up to the end or an unmatched closing brace. number is the parameter that # stands for.
func (p *parser) message(number string) (message, error) {
	var m message
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			m = append(m, part{literal: lit.String()})
			lit.Reset()
		}
	}
	for p.rest != "" {
		switch c := p.rest[0]; {
		case c == '}':
			flush()
			return m, nil
		case c == '{':
			flush()
			pt, err := p.placeholder()
			if err != nil {
				return nil, err
			}
			m = append(m, pt)
		case c == '#' && number != "":
			flush()
			m = append(m, part{param: number, number: true})
			p.rest = p.rest[1:]
		case c == '\'' && len(p.rest) > 2 && strings.IndexByte("{}#", p.rest[1]) >= 0 && p.rest[2] == '\'':
			lit.WriteByte(p.rest[1])
			p.rest = p.rest[3:]
		default:
			lit.WriteByte(c)
			p.rest = p.rest[1:]
		}
	}
	flush()
	return m, nil
}

// placeholder reads "{name}" or "{name, plural, form{…} …}".
func (p *parser) placeholder() (part, error) {
	end := strings.IndexAny(p.rest[1:], "{},")
	if end < 0 {
		return part{}, errors.New("opening brace without a closing one")
	}
	name := strings.TrimSpace(p.rest[1 : end+1])
	if name == "" || strings.ContainsAny(name, " \t\n'") {
		return part{}, fmt.Errorf("bad placeholder name %q", name)
	}
	sep := p.rest[end+1]
	p.rest = p.rest[end+2:]
	switch sep {
	case '}':
		return part{param: name}, nil
	case '{':
		return part{}, fmt.Errorf("brace inside the name of placeholder %q", name)
	}
	kind, after, ok := strings.Cut(p.rest, ",")
	if !ok || strings.TrimSpace(kind) != "plural" {
		return part{}, fmt.Errorf("placeholder %q: only plural is known", name)
	}
	p.rest = after
	forms := map[string]message{}
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\n")
		if strings.HasPrefix(p.rest, "}") {
			p.rest = p.rest[1:]
			break
		}
		form, body, ok := strings.Cut(p.rest, "{")
		form = strings.TrimSpace(form)
		if !ok || !validForm(form) {
			return part{}, fmt.Errorf("placeholder %q: bad plural form %q", name, form)
		}
		p.rest = body
		m, err := p.message(name)
		if err != nil {
			return part{}, err
		}
		if !strings.HasPrefix(p.rest, "}") {
			return part{}, fmt.Errorf("placeholder %q: form %q is not closed", name, form)
		}
		p.rest = p.rest[1:]
		forms[form] = m
	}
	if _, ok := forms["other"]; !ok {
		return part{}, fmt.Errorf("placeholder %q: the form other is missing", name)
	}
	return part{param: name, plural: forms}, nil
}

func validForm(s string) bool {
	if n, ok := strings.CutPrefix(s, "="); ok {
		_, err := strconv.Atoi(n)
		return err == nil
	}
	switch s {
	case "zero", "one", "two", "few", "many", "other":
		return true
	}
	return false
}

func (m message) names(seen map[string]bool) {
	for _, p := range m {
		if p.param != "" {
			seen[p.param] = true
		}
		for _, f := range p.plural {
			f.names(seen)
		}
	}
}

func (m message) format(loc Locale, tag language.Tag, params map[string]any) string {
	if len(m) == 1 && m[0].param == "" {
		return m[0].literal
	}
	var b strings.Builder
	for _, p := range m {
		if p.param == "" {
			b.WriteString(p.literal)
			continue
		}
		v, ok := params[p.param]
		switch {
		case p.plural != nil:
			b.WriteString(p.choose(tag, v).format(loc, tag, params))
		case !ok:
			b.WriteString("{" + p.param + "}")
		default:
			b.WriteString(printed(loc, v))
		}
	}
	return b.String()
}

// choose picks the plural form of a number; of anything else the form other.
func (p part) choose(tag language.Tag, v any) message {
	n, ok := integer(v)
	if !ok {
		return p.plural["other"]
	}
	if m, ok := p.plural["="+strconv.FormatInt(n, 10)]; ok {
		return m
	}
	forms := map[plural.Form]string{
		plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
	}
	form := plural.Cardinal.MatchPlural(tag, int(max(n, -n)%10_000_000), 0, 0, 0, 0)
	if m, ok := p.plural[forms[form]]; ok {
		return m
	}
	return p.plural["other"]
}

func integer(v any) (int64, bool) {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return r.Int(), true
	case r.CanUint():
		return int64(r.Uint()), true //nolint:gosec // counts
	}
	return 0, false
}

func printed(loc Locale, v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Label:
		return v.In(loc)
	case map[string]any: // a label that was stored as JSON in between
		l := Label{}
		for k, text := range v {
			if s, ok := text.(string); ok {
				l[Locale(k)] = s
			}
		}
		return l.In(loc)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
