package transfer

import (
	"context"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// index finds records of one object by the text of a field, in batches, and remembers what it found or made.
type index struct {
	lookup  func(ctx context.Context, keys []string) (map[string][]id.ID, error)
	object  string
	field   *schema.Field
	env     *schema.ParseEnv
	known   map[string]id.ID // 0: looked up and not there
	older   map[string]id.ID // known before; what is used of it comes to known again
	several map[string]bool  // keys that more than one record has
	keep    bool             // nothing is forgotten, since nothing will be stored (a dry run)
	raw     map[string]string
	wanted  []string
}

func (r *run) index(object string, f *schema.Field) *index {
	return &index{lookup: func(ctx context.Context, keys []string) (map[string][]id.ID, error) {
		return r.svc.cfg.Records.LookupAll(ctx, object, f.Key, keys)
	}, object: object, field: f, env: &r.env, keep: r.job.State.DryRun, known: map[string]id.ID{}, several: map[string]bool{}, raw: map[string]string{}}
}

// people is an index of the persons of the workspace, by e-mail address or name.
func (r *run) people(f *schema.Field) *index {
	x := r.index("user", f)
	x.lookup = func(ctx context.Context, keys []string) (map[string][]id.ID, error) {
		if r.svc.cfg.People == nil {
			return nil, nil
		}
		return r.svc.cfg.People(ctx, keys)
	}
	return x
}

// maxRaw bounds the memory spent on remembering how texts are normalised.
const maxRaw = 200_000

// key is the form of a text by which records are told apart; "" for a text that is no value of the field.
func (x *index) key(text []byte) string {
	if k, ok := x.raw[string(text)]; ok {
		return k
	}
	s, k := string(text), ""
	if x.field.Type == schema.User {
		k = lang.Fold(strings.TrimSpace(s))
	} else if v, bad := schema.ParseTextWith(x.field, s, x.env); bad == nil {
		k = x.keyOf(v)
	}
	if len(x.raw) >= maxRaw {
		clear(x.raw)
	}
	x.raw[s] = k
	return k
}

// keyOf is the key of a canonical value.
func (x *index) keyOf(v any) string {
	k, _ := v.(string)
	if x.field.Type == schema.Text || x.field.Type == schema.AutoNumber {
		k = lang.Fold(k)
	}
	return k
}

// want asks for a text to be looked up by the next resolve.
func (x *index) want(text []byte) { x.wantKey(x.key(text)) }

func (x *index) wantKey(k string) {
	if k == "" {
		return
	}
	if _, ok := x.find(k); ok {
		return
	}
	if len(x.known) >= maxKnown && !x.keep {
		x.older, x.known = x.known, make(map[string]id.ID, maxKnown)
	}
	x.known[k] = 0
	x.wanted = append(x.wanted, k)
}

// find is what is remembered of a key.
func (x *index) find(k string) (id.ID, bool) {
	v, ok := x.known[k]
	if !ok {
		if v, ok = x.older[k]; ok {
			x.known[k] = v
		}
	}
	return v, ok
}

// maxKnown is how many keys are remembered at least. It is far more than the chunks hold that are on their way: a key that is
// forgotten is stored, and found by looking it up again.
const maxKnown = 100_000

// lookupBatch is how many texts one query looks up.
const lookupBatch = 2000

// resolve looks everything up that was wanted, and tells which were found.
func (x *index) resolve(ctx context.Context) ([]id.ID, error) {
	var out []id.ID
	for len(x.wanted) > 0 {
		n := min(len(x.wanted), lookupBatch)
		found, err := x.lookup(ctx, x.wanted[:n])
		if err != nil {
			return nil, err
		}
		for k, list := range found {
			x.known[k] = list[0]
			if out = append(out, list[0]); len(list) > 1 {
				x.several[k] = true
			}
		}
		x.wanted = x.wanted[n:]
	}
	x.wanted = nil
	return out, nil
}

// get is the record of a text, 0 for none. The text must have been wanted and resolved.
func (x *index) get(text []byte) id.ID {
	v, _ := x.find(x.key(text))
	return v
}

// put remembers a record about to be made.
func (x *index) put(text []byte, v id.ID) { x.putKey(x.key(text), v) }

func (x *index) putKey(k string, v id.ID) {
	if k != "" {
		x.known[k] = v
	}
}

// setValue reads a text for a field into an input. A fault goes to report, and the field is left out.
func setValue(in map[string]any, f *schema.Field, text []byte, env *schema.ParseEnv, report func(*fault.Fault)) {
	if len(text) == 0 {
		return
	}
	v, bad := schema.ParseTextWith(f, string(text), env)
	switch {
	case bad != nil:
		report(bad)
	case v != nil:
		in[f.Key] = v
	}
}

// putValue is setValue of a mapped value, with the matches of its options.
func putValue(in map[string]any, v *mapping.Value, text []byte, env *schema.ParseEnv, report func(*fault.Fault)) {
	if len(text) > 0 && v.Matched() {
		value, handled, bad := v.Choose(string(text), env)
		if bad != nil {
			report(bad)
			return
		}
		if handled {
			if value != nil {
				in[v.Field.Key] = value
			}
			return
		}
	}
	setValue(in, v.Field, text, env, report)
}
