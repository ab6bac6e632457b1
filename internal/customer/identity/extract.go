package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// found is an identifier that an event shows.
type found struct {
	ns     *Namespace
	rank   int
	value  string // as stored
	text   string // in clear
	shown  string
	secret bool
	alias  bool // the former name of an alias: a user id where one is known, else an anonymous id
}

func (f *found) key() key { return key{f.ns.Key, f.value} }

type key struct{ namespace, value string }

// parts are the members of an event that name people.
type parts struct {
	Traits      map[string]json.RawMessage
	ExternalIDs []struct {
		ID   json.RawMessage `json:"id"`
		Type string          `json:"type"`
	} `json:"externalIds"`
	Device struct {
		ID json.RawMessage `json:"id"`
	} `json:"device"`
}

// identifiers reads what an event shows, the strongest first, each once. Blocked and empty values are left out.
func (e *Engine) identifiers(ctx context.Context, r *rules, ev *event.Event) ([]found, error) {
	var out []found
	add := func(namespace, text string, alias bool) {
		ns := r.of(namespace)
		if ns == nil {
			return
		}
		f, ok := e.read(ns, text)
		if !ok || r.blocked(ns, f.text) || slices.ContainsFunc(out, func(x found) bool { return x.key() == f.key() }) {
			return
		}
		f.rank, f.alias = r.rank[namespace], alias
		out = append(out, f)
	}
	add(UserID, ev.UserID, false)
	if ev.Kind == event.Alias {
		add(UserID, ev.PreviousID, true)
	}
	traits, ctxParts, err := membersOf(ev)
	if err != nil {
		return nil, err
	}
	for _, from := range []map[string]json.RawMessage{traits, ctxParts.Traits} {
		if len(from) == 0 {
			continue
		}
		if err := e.fromTraits(ctx, r, from, func(ns, text string) { add(ns, text, false) }); err != nil {
			return nil, err
		}
	}
	for _, x := range ctxParts.ExternalIDs {
		if ns := externalNamespace(x.Type); ns != AnonymousID {
			add(ns, plainText(x.ID), false)
		}
	}
	add(Device, plainText(ctxParts.Device.ID), false)
	add(AnonymousID, ev.AnonymousID, false)
	slices.SortStableFunc(out, func(a, b found) int { return a.rank - b.rank })
	return out, nil
}

func membersOf(ev *event.Event) (traits map[string]json.RawMessage, p parts, err error) {
	if ev.Kind == event.Identify && len(ev.Properties) > 2 {
		if err := json.Unmarshal(ev.Properties, &traits); err != nil {
			return nil, p, fmt.Errorf("traits of an event: %w", err)
		}
	}
	if len(ev.Context) <= 2 || !bytes.Contains(ev.Context, []byte(`"traits"`)) && !bytes.Contains(ev.Context, []byte(`"externalIds"`)) && !bytes.Contains(ev.Context, []byte(`"device"`)) {
		return traits, p, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(ev.Context, &members); err != nil {
		return nil, p, fmt.Errorf("context of an event: %w", err)
	}
	// A member of another shape than the specification's says nobody.
	_ = json.Unmarshal(members["traits"], &p.Traits)
	if json.Unmarshal(members["externalIds"], &p.ExternalIDs) != nil {
		p.ExternalIDs = nil
	}
	_ = json.Unmarshal(members["device"], &p.Device)
	return traits, p, nil
}

// externalNamespace are the types of Segment's external ids in our words.
func externalNamespace(t string) string {
	switch t {
	case "android.id", "android.idfa", "android.push_token", "ios.id", "ios.idfa", "ios.push_token":
		return Device
	case "wechat_unionid":
		return UnionID
	case "wechat_openid":
		return OpenID
	}
	return strings.ToLower(t)
}

func (e *Engine) fromTraits(ctx context.Context, r *rules, from map[string]json.RawMessage, add func(namespace, text string)) error {
	for i := range r.settings.Namespaces {
		ns := &r.settings.Namespaces[i]
		if !ns.Enabled {
			continue
		}
		for _, t := range ns.Traits {
			raw, ok := from[t]
			if !ok {
				continue
			}
			text := plainText(raw)
			if text == "" && bytes.Contains(raw, []byte(`"$sealed"`)) {
				var err error
				if text, err = e.cfg.Vault.Open(ctx, raw); err != nil {
					return fmt.Errorf("open identifier: %w", err)
				}
			}
			add(ns.Key, text)
		}
	}
	return nil
}

// plainText is a JSON text or whole number, "" for anything else.
func plainText(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case c >= '0' && c <= '9' && !bytes.ContainsAny(raw, ".eE"):
		return string(raw)
	}
	return ""
}

// read normalises an identifier; ok is false for a text that is none.
func (e *Engine) read(ns *Namespace, text string) (f found, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 4*maxValue || utf8.RuneCountInString(text) > maxValue || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return f, false
	}
	f = found{ns: ns, text: text, value: text, shown: text}
	switch ns.Key {
	case Email:
		a, valid := lang.NormaliseEmail(text)
		if !valid {
			return f, false
		}
		f.text, f.shown, f.secret = a, lang.MaskEmail(a), true
	case Phone:
		p, valid := lang.NormalisePhone(text, "CN")
		if !valid {
			return f, false
		}
		f.text, f.shown, f.secret = p, lang.MaskPhone(schema.DisplayPhone(p, "CN")), true
	default:
		if a, valid := lang.NormaliseEmail(text); valid {
			f.shown, f.secret = lang.MaskEmail(a), true
		} else if p, valid := lang.NormalisePhone(text, "CN"); valid && lang.PhoneOperator(p) != "" {
			f.shown, f.secret = lang.MaskPhone(schema.DisplayPhone(p, "CN")), true
		}
	}
	if f.secret {
		f.value = "~" + e.cfg.Vault.Index(ns.Key, f.text)
	} else if strings.HasPrefix(f.value, "~") { // cannot be taken for an index
		f.value = "=" + f.value
	}
	return f, true
}

// Text is a text that may be an identifier of a namespace.
type Text struct{ Namespace, Text string }

// Known are the profiles that texts lead to, in their order; 0 for one that nobody has, or that is no identifier.
func (e *Engine) Known(ctx context.Context, l Ledger, texts []Text) ([]id.ID, error) {
	settings, err := e.cfg.Settings(ctx)
	if err != nil {
		return nil, err
	}
	r := newRules(&settings)
	out, values := make([]id.ID, len(texts)), map[string][]string{}
	want := make([]string, len(texts))
	for i, t := range texts {
		ns := r.of(t.Namespace)
		if ns == nil || r.blocked(ns, t.Text) {
			continue
		}
		if f, ok := e.read(ns, t.Text); ok {
			want[i] = f.value
			values[t.Namespace] = append(values[t.Namespace], f.value)
		}
	}
	at := map[Text]id.ID{}
	for _, ns := range slices.Sorted(maps.Keys(values)) {
		got, err := l.Find(ctx, ns, values[ns])
		if err != nil {
			return nil, err
		}
		for i := range got {
			at[Text{ns, got[i].Value}] = got[i].Profile
		}
	}
	for i, t := range texts {
		if want[i] != "" {
			out[i] = at[Text{t.Namespace, want[i]}]
		}
	}
	return out, nil
}
