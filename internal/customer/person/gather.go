package person

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// fact is what the events of a batch say of one person.
type fact struct {
	profile id.ID // root
	user    string
	email   string
	phone   string
	card    string
	union   string
	at      int64 // of the newest event
	claimed bool  // the user id comes by a source whose key is public
	said    []said
}

// said are the traits of one event.
type said struct {
	at     int64
	traits map[string]any
	open   bool // by a source whose key is public
}

// sale is an event about an order.
type sale struct {
	ev    *event.Event
	rule  *OrderRule
	props map[string]any
	open  bool // by a source whose key is public, and whose word is not enough
}

// run is one batch.
type run struct {
	s   *Service
	set *Intake
	obj *schema.Object
	env schema.ParseEnv

	stand map[id.ID]Standing // by profile
	doors map[id.ID]Door     // sources whose keys are public
	facts []*fact            // by root, in the order of their first event
	sales []sale
}

// customer is the customer of a profile, 0 for none.
func (r *run) customer(profile id.ID) id.ID { return r.stand[profile].Customer }

// gather reads what a batch tells.
func (r *run) gather(ctx context.Context, batch []event.Event) error {
	rules := map[string]*OrderRule{}
	for i := range r.set.Orders {
		rules[r.set.Orders[i].Event] = &r.set.Orders[i]
	}
	profiles := map[id.ID]bool{}
	for i := range batch {
		if ev := &batch[i]; ev.Profile != 0 && ev.Profile != ev.ID {
			profiles[ev.Profile] = true
		}
	}
	if len(profiles) == 0 {
		return nil
	}
	var err error
	if r.stand, err = r.s.cfg.Store.Standings(ctx, slices.Sorted(maps.Keys(profiles))); err != nil {
		return err
	}
	if r.doors, err = r.s.cfg.Open(ctx); err != nil {
		return err
	}
	of := map[id.ID]*fact{}
	for i := range batch {
		ev := &batch[i]
		if ev.Flags.Has(event.Bot) || ev.Flags.Has(event.NoConsent) {
			continue
		}
		rule := rules[ev.Name]
		if ev.Kind != event.Track {
			rule = nil
		}
		if rule == nil && ev.Kind != event.Identify {
			continue
		}
		props, err := r.open(ctx, ev.Properties)
		if err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		from, open := r.doors[ev.Source]
		if rule != nil {
			r.sales = append(r.sales, sale{ev, rule, props, open && !from.Orders})
			if ev.UserID == "" {
				continue
			}
			props = nil
		}
		root := r.stand[ev.Profile].Root
		if root == 0 {
			continue
		}
		f := of[root]
		if f == nil {
			f = &fact{profile: root}
			of[root] = f
			r.facts = append(r.facts, f)
		}
		f.add(ev, props, open)
	}
	return nil
}

func (f *fact) add(ev *event.Event, traits map[string]any, open bool) {
	take := func(to *string, v string) {
		if v != "" && (*to == "" || ev.At >= f.at) {
			*to = v
		}
	}
	if user := strings.TrimSpace(ev.UserID); user != "" && !(open && f.user != "" && !f.claimed) {
		f.claimed = open
		take(&f.user, user)
	}
	for _, key := range []string{"email", "mail", "$identity_email", "邮箱"} {
		if a, ok := lang.NormaliseEmail(text(traits[key])); ok {
			take(&f.email, a)
			break
		}
	}
	for _, key := range []string{"phone", "mobile", "$identity_mobile", "手机号", "手机"} {
		if p, ok := lang.NormalisePhone(text(traits[key]), "CN"); ok {
			take(&f.phone, p)
			break
		}
	}
	for _, key := range []string{"loyalty_card", "card_number", "loyaltyCard"} {
		take(&f.card, text(traits[key]))
	}
	for _, key := range []string{"unionid", "union_id"} {
		take(&f.union, text(traits[key]))
	}
	if a, ok := lang.NormaliseEmail(f.user); ok && f.email == "" {
		f.email = a
	}
	if p, ok := lang.NormalisePhone(f.user, "CN"); ok && lang.PhoneOperator(p) != "" && f.phone == "" {
		f.phone = p
	}
	if traits != nil {
		f.said = append(f.said, said{ev.At, traits, open})
	}
	f.at = max(f.at, ev.At)
}

// known reports a person who can be a customer.
func (f *fact) known() bool { return f.user != "" || f.email != "" || f.phone != "" }

// newestFirst orders what was said; what anybody can say comes last.
func (f *fact) newestFirst() []said {
	out := slices.Clone(f.said)
	slices.SortStableFunc(out, func(a, b said) int {
		if a.open != b.open {
			if a.open {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.at, a.at)
	})
	return out
}

// open reads a JSON object and opens what is sealed in it. A sealed value that cannot be opened any more (its key was destroyed) is left out.
func (r *run) open(ctx context.Context, raw json.RawMessage) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, err
	}
	if bytes.Contains(raw, []byte(`"$sealed"`)) {
		r.unseal(ctx, m)
	}
	return m, nil
}

func (r *run) unseal(ctx context.Context, m map[string]any) {
	for k, v := range m {
		inner, ok := v.(map[string]any)
		if !ok {
			continue
		}
		if _, sealed := inner["$sealed"]; !sealed {
			r.unseal(ctx, inner)
			continue
		}
		raw, err := json.Marshal(inner)
		if err != nil {
			delete(m, k)
			continue
		}
		plain, err := r.s.cfg.Vault.Open(ctx, raw)
		if err != nil {
			r.s.cfg.Log.Warn("a sealed value of an event cannot be opened", "error", err)
			delete(m, k)
			continue
		}
		m[k] = plain
		if strings.HasPrefix(plain, "{") {
			var whole map[string]any
			if json.Unmarshal([]byte(plain), &whole) == nil {
				m[k] = whole
			}
		}
	}
}

// text is a value as a text, "" for what is none.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return strings.TrimSpace(x)
	case json.Number:
		return x.String()
	case bool:
		if x {
			return "true"
		}
		return "false"
	}
	return ""
}

// at follows a path.
func at(m map[string]any, path string) any {
	var v any = m
	for key := range strings.SplitSeq(path, ".") {
		inner, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = inner[key]
	}
	return v
}
