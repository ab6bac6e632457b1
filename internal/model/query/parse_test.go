package query_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

func TestParseAndPrint(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		`{"all":[]}`, `{"any":[]}`, `{"not":{"all":[]}}`, `{"all":[{"any":[]},{"field":"city","op":"in","value":["上海"]}]}`,
		`{"record":"order","where":{"all":[]},"aggregate":{"sum":"amount"},"none_as":0,"op":">=","value":{"amount":"1","currency":"CNY"},"within":{"days":[60,30]}}`,
		`{"record":"order","aggregate":"days","op":"=","value":0,"within":{"days":0}}`, `{"record":"order","within":{"hours":24}}`,
		`{"record":"order","within":{"from":"2026-01-01","to":"2026-02-01"}}`, `{"first":{"record":"order"},"within":{"days":30}}`,
		`{"stopped":{"record":"order"},"for":{"days":90}}`, `{"resumed":{"record":"order"},"after":{"hours":5}}`,
		`{"segment":"vip","op":"not_in"}`, `{"list":"x"}`, `{"random":{"percent":12.50,"salt":"a"}}`,
		`{"top":{"of":{"segment":"vip"},"trait":"clv","count":10}}`, `{"sequence":[{"event":"A"},{"event":"B"}],"op":"did_not","within":{"hours":24}}`,
		`{"event":"A","where":{"property":"p","op":"=","value":1},"aggregate":{"distinct":"x"},"op":">","value":1}`,
	} {
		n, err := query.Parse([]byte(s))
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		out, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		again := parse(t, string(out))
		twice, err := json.Marshal(again)
		plain := strings.ReplaceAll(string(out), `\u003e`, ">")
		if err != nil || !bytes.Equal(out, twice) || len(plain) != len(s) {
			t.Errorf("%s became %s, then %s (%v)", s, out, twice, err)
		}
		if n.Kind() == "" {
			t.Errorf("%s has no kind", s)
		}
	}
	// Inside other documents the same rules hold.
	var doc struct {
		Where *query.Node `json:"where"`
	}
	if err := json.Unmarshal([]byte(`{"where":{"any":[]}}`), &doc); err != nil || doc.Where.Kind() != "any" {
		t.Errorf("inside a document: %v %v", doc.Where, err)
	}
	if err := json.Unmarshal([]byte(`{"where":{"any":[],"fild":1}}`), &doc); err == nil {
		t.Error("a misspelt key inside a document is accepted")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want map[string]string
	}{
		{`{`, map[string]string{"": "query.not_json"}},
		{`[]`, map[string]string{"": "query.expects_object"}},
		{`null`, map[string]string{"": "query.expects_object"}},
		{`{}`, map[string]string{"": "query.no_kind"}},
		{`{"all":null}`, map[string]string{"/all": "query.expects_list"}},
		{`{"Field":"a","op":"="}`, map[string]string{"": "query.no_kind"}},
		{`{"field":"a","trait":"b"}`, map[string]string{"": "query.several_kinds"}},
		{`{"field":"a","field":"b","op":"is_set"}`, map[string]string{"": "query.duplicate_key"}},
		{`{"field":"","op":"is_set"}`, map[string]string{"/field": "query.expects_name"}},
		{`{"field":"a","op":"is_set","within":{"days":1}}`, map[string]string{"/within": "query.key_not_here"}},
		{`{"all":[{"field":"a","op":1},{"any":{}},{"x":1,"trait":"t"}]}`, map[string]string{
			"/all/0/op": "query.expects_name", "/all/1/any": "query.expects_list", "/all/2": "query.unknown_key"}},
		{`{"record":"order","within":{"days":-1}}`, map[string]string{"/within/days": "query.expects_window"}},
		{`{"record":"order","within":{"days":[1,2]}}`, map[string]string{"/within/days": "query.expects_window"}},
		{`{"record":"order","within":{"days":1,"hours":2}}`, map[string]string{"/within": "query.expects_window"}},
		{`{"record":"order","within":{"hours":0}}`, map[string]string{"/within/hours": "query.expects_window"}},
		{`{"record":"order","within":{}}`, map[string]string{"/within": "query.expects_window"}},
		{`{"record":"order","within":{"weeks":2}}`, map[string]string{"/within": "query.unknown_key"}},
		{`{"record":"order","aggregate":"sum"}`, map[string]string{"/aggregate": "query.expects_aggregate"}},
		{`{"record":"order","aggregate":{"median":"x"}}`, map[string]string{"/aggregate": "query.expects_aggregate"}},
		{`{"record":"order","aggregate":{"count":"x"}}`, map[string]string{"/aggregate": "query.expects_aggregate"}},
		{`{"random":{"percent":"x","salt":1}}`, map[string]string{"/random/percent": "query.expects_number", "/random/salt": "query.expects_name"}},
		{strings.Repeat(`{"not":`, 40) + `{"all":[]}` + strings.Repeat(`}`, 40), map[string]string{strings.Repeat("/not", 32): "query.too_deep"}},
		{`{"all":[` + strings.Repeat(`{"all":[]},`, 2100) + `{"all":[]}]}`, map[string]string{"": "query.too_many_nodes"}},
	}
	for _, c := range cases {
		_, err := query.Parse([]byte(c.text))
		got := codes(err)
		for at, code := range c.want {
			if got[at] != code {
				t.Errorf("%.80s: got %v, want %v", c.text, got, c.want)
			}
		}
	}
	if _, err := query.Parse(bytes.Repeat([]byte(" "), query.MaxBytes+1)); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("too large: %v", err)
	}
}

// What parses prints and parses again to the same text, and neither check nor sentence fails on it.
func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add([]byte(s.Where))
	}
	f.Add([]byte(`{"all":[{"field":"a","op":"=","value":{"amount":1e5}}]}`))
	env := checkEnv(f, "customer")
	words := catalog(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := query.Parse(data)
		if err != nil {
			if fault.CodeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		out, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := query.Parse(out)
		if err != nil {
			t.Fatalf("%s does not parse again: %v", out, err)
		}
		if twice, _ := json.Marshal(again); !bytes.Equal(out, twice) {
			t.Fatalf("%s became %s", out, twice)
		}
		if query.Sentence(n, query.SentenceEnv{Registry: env.Registry, Object: "customer", Words: words}, "en") == "" {
			t.Fatalf("%s has no sentence", out)
		}
		if c, err := query.Resolve(n, env); err == nil {
			c.At(moment(t))
		} else if fault.CodeOf(err) == "" {
			t.Fatalf("an error without a code: %v", err)
		}
	})
}

func TestWalkNegateAndNeeds(t *testing.T) {
	t.Parallel()
	n := parse(t, `{"all":[{"not":{"field":"store.name","op":"is_set"}},{"record":"order","where":{"field":"status","op":"=","value":"draft"},"aggregate":{"sum":"net_amount"},"op":">","value":1},
		{"segment":"vip"},{"top":{"of":{"trait":"a","op":"is_set"},"trait":"b","count":1}},{"first":{"record":"refund"},"within":{"from":"2026-01-01"}}]}`)
	var places []string
	query.Walk(n, func(_ *query.Node, at string) bool { places = append(places, at); return true })
	if got := strings.Join(places, " "); got != " /all/0 /all/0/not /all/1 /all/1/where /all/2 /all/3 /all/3/top/of /all/4 /all/4/first" {
		t.Errorf("places %s", got)
	}
	d := query.Dependencies(n, "customer")
	if d.Time || d.Events || !slices.Equal(d.Traits, []string{"a", "b"}) || !slices.Equal(d.Objects, []string{"order", "refund"}) ||
		!slices.Equal(d.Segments, []string{"vip"}) || !slices.Equal(d.Fields["customer"], []string{"store.name"}) ||
		!slices.Equal(d.Fields["order"], []string{"net_amount", "status"}) {
		t.Errorf("needs %+v", d)
	}
	for text, moves := range map[string]bool{
		`{"record":"order","within":{"days":3}}`: true, `{"record":"order","where":{"field":"placed_at","op":"within_last","value":{"days":3}}}`: true,
		`{"record":"order","within":{"from":"2026-01-01"}}`: false, `{"stopped":{"record":"order"},"for":{"days":3}}`: true,
		`{"field":"birthday","op":"anniversary_within","value":{"days":3}}`: true, `{"field":"name","op":"is_set"}`: false,
	} {
		if got := query.Dependencies(parse(t, text), "customer").Time; got != moves {
			t.Errorf("%s: depends on time %v", text, got)
		}
	}
	leaf := parse(t, `{"segment":"vip"}`)
	if query.Negate(leaf).Op != "not_in" || leaf.Op != "" || query.Negate(query.Negate(n)) != n {
		t.Error("Negate")
	}
}
