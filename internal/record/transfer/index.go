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
	raw     map[string]string
	wanted  []string
}

func newIndex(r Records, object string, f *schema.Field, env *schema.ParseEnv) *index {
	return &index{records: r, object: object, field: f, env: env, known: map[string]id.ID{}, raw: map[string]string{}}
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
	if _, ok := x.known[k]; !ok {
		x.known[k] = 0
		x.wanted = append(x.wanted, k)
	}
}

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
func (x *index) get(text []byte) id.ID { return x.known[x.key(text)] }

// put remembers a record about to be made.
func (x *index) put(text []byte, v id.ID) {
	if k := x.key(text); k != "" {
		x.known[k] = v
	}
}

// maxKnown bounds indexes of things that seldom come back (order numbers).
const maxKnown = 500_000

// trim forgets everything when the index has grown past its bound.
func (x *index) trim() {
	if len(x.known) > maxKnown {
		clear(x.known)
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
