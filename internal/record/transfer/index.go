package transfer

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// index finds records of one object by the text of a field, in batches, and remembers what it found or made.
type index struct {
	records Records
	object  string
	field   *schema.Field
	env     *schema.ParseEnv
	known   map[string]id.ID // 0: looked up and not there
	older   map[string]id.ID // known before; what is used of it comes to known again
	keep    bool             // nothing is forgotten, since nothing will be stored (a dry run)
	raw     map[string]string
	wanted  []string
}

func (r *run) index(object string, f *schema.Field) *index {
	return &index{records: r.svc.cfg.Records, object: object, field: f, env: &r.env, keep: r.job.State.DryRun, known: map[string]id.ID{}, raw: map[string]string{}}
}

// maxRaw bounds the memory spent on remembering how texts are normalised.
const maxRaw = 200_000

// key is the form of a text by which records are told apart; "" for a text that is no value of the field.
func (x *index) key(text []byte) string {
	if k, ok := x.raw[string(text)]; ok {
		return k
	}
	s, k := string(text), ""
	v, bad := schema.ParseTextWith(x.field, s, x.env)
	if canonical, ok := v.(string); ok && bad == nil {
		k = canonical
		if x.field.Type == schema.Text || x.field.Type == schema.AutoNumber {
			k = lang.Fold(canonical)
		}
	}
	if len(x.raw) >= maxRaw {
		clear(x.raw)
	}
	x.raw[s] = k
	return k
}

// want asks for a text to be looked up by the next resolve.
func (x *index) want(text []byte) {
	k := x.key(text)
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
		found, err := x.records.Lookup(ctx, x.object, x.field.Key, x.wanted[:n])
		if err != nil {
			return nil, err
		}
		for k, v := range found {
			x.known[k] = v
			out = append(out, v)
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
func (x *index) put(text []byte, v id.ID) {
	if k := x.key(text); k != "" {
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
