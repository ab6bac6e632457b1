package query_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

func TestCheckFindsEverything(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text, at, code string
	}{
		{`{"field":"gone","op":"is_set"}`, "/field", "unknown_field"},
		{`{"field":"store.gone","op":"is_set"}`, "/field", "unknown_field"},
		{`{"field":"name.tier","op":"is_set"}`, "/field", "unknown_field"},
		{`{"field":"region.name","op":"is_set"}`, "/field", "unknown_field"},
		{`{"field":"orders","op":"is_set"}`, "/field", "unknown_field"},
		{`{"field":"referrer.referrer.referrer.referrer.name","op":"is_set"}`, "/field", "unknown_field"},
		{`{"trait":"gone","op":"is_set"}`, "/trait", "unknown_trait"},
		{`{"segment":"gone"}`, "/segment", "unknown_segment"},
		{`{"segment":"loop_a"}`, "/segment", "segment_cycle"},
		{`{"segment":"broken"}`, "/segment", "segment_broken"},
		{`{"segment":"vip","op":"="}`, "/op", "operator_not_allowed"},
		{`{"record":"gone"}`, "/record", "unknown_object"},
		{`{"record":"user"}`, "/record", "unknown_object"},
		{`{"record":"product"}`, "/record", "not_related"},
		{`{"field":"name"}`, "/op", "unknown_operator"},
		{`{"field":"name","op":"like","value":"a"}`, "/op", "unknown_operator"},
		{`{"field":"do_not_contact","op":">","value":true}`, "/op", "operator_not_allowed"},
		{`{"field":"phone","op":"contains","value":"138"}`, "/op", "operator_not_allowed"},
		{`{"field":"phone","op":"!=","value":"13800138000"}`, "/op", "operator_not_allowed"},
		{`{"field":"id_number","op":"starts_with","value":"3"}`, "/op", "operator_not_allowed"},
		{`{"field":"address","op":"=","value":"x"}`, "/op", "operator_not_allowed"},
		{`{"field":"phone","op":"=","value":"12"}`, "/value", "expects_phone"},
		{`{"field":"name","op":"="}`, "/value", "value_missing"},
		{`{"field":"name","op":"=","value":null}`, "/value", "value_missing"},
		{`{"field":"name","op":"=","value":"  "}`, "/value", "value_missing"},
		{`{"field":"name","op":"=","value":5}`, "/value", "expects_text"},
		{`{"field":"name","op":"in","value":"a"}`, "/value", "expects_list"},
		{`{"field":"name","op":"in","value":[]}`, "/value", "value_missing"},
		{`{"field":"name","op":"in","value":["a",1]}`, "/value/1", "expects_text"},
		{`{"field":"name","op":"is_set","value":"x"}`, "/value", "value_not_expected"},
		{`{"field":"name","op":"matches","value":"(a"}`, "/value", "bad_pattern"},
		{`{"field":"name","op":"matches","value":"\\bword"}`, "/value", "bad_pattern"},
		{`{"field":"gender","op":"=","value":"unknown"}`, "/value", "unknown_option"},
		{`{"field":"region","op":"=","value":"999999"}`, "/value", "unknown_region"},
		{`{"field":"region","op":"in","value":["310000","上海"]}`, "/value/1", "unknown_region"},
		{`{"field":"household_size","op":"=","value":1.5}`, "/value", "value_too_precise"},
		{`{"field":"household_size","op":"=","value":"many"}`, "/value", "expects_number"},
		{`{"field":"household_size","op":"=","value":1e99}`, "/value", "value_out_of_range"},
		{`{"field":"household_size","op":"between","value":[1]}`, "/value", "expects_pair"},
		{`{"field":"annual_revenue","op":">","value":5}`, "/value", "expects_money"},
		{`{"field":"annual_revenue","op":">","value":{"amount":"5","currency":"USD"}}`, "/value/currency", "currency_not_base"},
		{`{"field":"annual_revenue","op":">","value":{"amount":"5","currency":"yuan"}}`, "/value/currency", "currency_unknown"},
		{`{"field":"annual_revenue","op":">","value":{"amount":"5.001","currency":"CNY"}}`, "/value/amount", "value_too_precise"},
		{`{"field":"annual_revenue","op":">","value":{"amount":"5","currency":"CNY","x":1}}`, "/value", "expects_money"},
		{`{"field":"acquired_on","op":"=","value":"2026-02-30"}`, "/value", "bad_date"},
		{`{"field":"acquired_on","op":"=","value":"2026-02-20T10:00:00Z"}`, "/value", "bad_date"},
		{`{"field":"created_at","op":"between","value":["2026-02-20T10:00:00Z","2026-02-21"]}`, "/value", "expects_pair"},
		{`{"field":"acquired_on","op":"within_last","value":{"hours":3}}`, "/value", "window_needs_time"},
		{`{"field":"acquired_on","op":"within_last","value":{"from":"2026-01-01"}}`, "/value", "bad_window"},
		{`{"field":"acquired_on","op":"within_last","value":30}`, "/value", "expects_object"},
		{`{"field":"birthday","op":"anniversary_within","value":{"days":367}}`, "/value", "bad_window"},
		{`{"field":"birthday","op":"anniversary_within","value":{"from":"2026-01-01"}}`, "/value", "bad_window"},
		{`{"field":"birthday","op":"=","value":"1990-01-01"}`, "/op", "operator_not_allowed"},
		{`{"field":"store","op":"=","value":"cus_0000000000001"}`, "/value", "expects_id"},
		{`{"record":"order","op":">="}`, "/value", "value_missing"},
		{`{"record":"order","value":2}`, "/op", "value_missing"},
		{`{"record":"order","op":">","value":2.5}`, "/value", "value_too_precise"},
		{`{"record":"order","op":"none","value":2}`, "/op", "value_not_expected"},
		{`{"record":"order","aggregate":{"sum":"status"},"op":">","value":2}`, "/aggregate", "bad_aggregate"},
		{`{"record":"order","aggregate":{"sum":"gone"},"op":">","value":2}`, "/aggregate/sum", "unknown_field"},
		{`{"record":"order","aggregate":{"max":"placed_at"},"op":"before","value":"2026-01-01","none_as":0}`, "/none_as", "bad_aggregate"},
		{`{"record":"order","where":{"segment":"vip"}}`, "/where", "not_here"},
		{`{"record":"order","where":{"all":[{"field":"status","op":"=","value":"gone"}]}}`, "/where/all/0/value", "unknown_option"},
		{`{"record":"order","within":{"from":"2026-13-01"}}`, "/within/from", "bad_date"},
		{`{"record":"order","within":{"from":"2026-02-01","to":"2026-01-01"}}`, "/within", "bad_window"},
		{`{"first":{"record":"order"}}`, "/within", "bad_window"},
		{`{"stopped":{"record":"order"},"for":{"days":0}}`, "/for", "bad_window"},
		{`{"stopped":{"record":"order"},"for":{"from":"2026-01-01"}}`, "/for", "bad_window"},
		{`{"stopped":{"record":"order","op":">","value":1},"for":{"days":3}}`, "/stopped", "not_here"},
		{`{"random":{"percent":101,"salt":"a"}}`, "/random/percent", "value_out_of_range"},
		{`{"top":{"trait":"lifecycle","count":10}}`, "/top/trait", "bad_aggregate"},
		{`{"top":{"trait":"clv_12m","count":0}}`, "/top/count", "value_out_of_range"},
		{`{"property":"x","op":"=","value":1}`, "", "not_here"},
		{`{"sequence":[{"event":"A"}]}`, "/sequence", "value_out_of_range"},
		{`{"event":"A","where":{"field":"name","op":"is_set"}}`, "/where", "not_here"},
		{`{"sequence":[{"event":"A"},{"event":"B","within":{"days":3}}]}`, "/sequence/1", "not_here"},
		{`{"sequence":[{"event":"A"},{"event":"B"}],"op":"="}`, "/op", "operator_not_allowed"},
		{`{"event":"A","where":{"any":[{"property":"p","op":">","value":true}]}}`, "/where/any/0/op", "operator_not_allowed"},
		{`{"event":"A","where":{"property":"p","op":"contains","value":3}}`, "/where/value", "expects_text"},
		{`{"event":"A","where":{"property":"p","op":">","value":0.00001}}`, "/where/value", "value_too_precise"},
		{`{"event":"A","where":{"property":"$amount","op":">","value":3}}`, "/where/value", "expects_money"},
		{`{"event":"A","where":{"property":"$region","op":"=","value":"x"}}`, "/where/value", "unknown_region"},
		{`{"event":"A","aggregate":{"sum":"$path"},"op":">","value":3}`, "/aggregate", "bad_aggregate"},
		{`{"event":"A","op":">","value":1.5}`, "/value", "value_too_precise"},
		{`{"stopped":{"event":"A","op":">","value":1},"for":{"days":3}}`, "/stopped", "not_here"},
		{`{"list":"nobody"}`, "/list", "unknown_list"},
		{`{"list":"vip"}`, "/list", "not_a_list"},
	}
	env := checkEnv(t, "customer")
	for _, c := range cases {
		got := codes(query.Check(parse(t, c.text), env))
		if len(got) != 1 || got[c.at] != "query."+c.code {
			t.Errorf("%s: got %v, want %s at %q", c.text, got, c.code, c.at)
		}
		// Somewhere inside, each is found besides all others.
		deep := parse(t, `{"any":[{"field":"gone","op":"is_set"},{"not":`+c.text+`}]}`)
		got = codes(query.Check(deep, env))
		if got["/any/0/field"] != "query.unknown_field" || got["/any/1/not"+c.at] != "query."+c.code {
			t.Errorf("%s inside: got %v", c.text, got)
		}
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	env := checkEnv(t, "customer")
	env.Can = func(object, field string) bool {
		return object != "refund" && field != "note" && field != "cost_amount"
	}
	for text, want := range map[string]string{
		`{"field":"note","op":"is_set"}`:                                                "/field query.forbidden_field",
		`{"field":"referrer.note","op":"is_set"}`:                                       "/field query.forbidden_field",
		`{"record":"refund"}`:                                                           "/record query.forbidden_object",
		`{"record":"order","where":{"field":"cost_amount","op":"is_set"}}`:              "/where/field query.forbidden_field",
		`{"record":"order","aggregate":{"sum":"cost_amount"},"op":"=","value":1}`:       "/aggregate/sum query.forbidden_field",
		`{"segment":"secret"}`:                                                          "/segment query.segment_forbidden",
		`{"top":{"trait":"clv_12m","count":1,"of":{"field":"note","op":"is_not_set"}}}`: "/top/of/field query.forbidden_field",
	} {
		for at, code := range codes(query.Check(parse(t, text), env)) {
			if at+" "+code != want {
				t.Errorf("%s: got %s at %s", text, code, at)
			}
		}
		if query.Check(parse(t, text), env) == nil {
			t.Errorf("%s is allowed", text)
		}
	}
	env.Use = query.ForRight
	for text, ok := range map[string]bool{
		`{"all":[{"field":"store.region","op":"=","value":"310000"},{"not":{"field":"owner","op":"is_set"}}]}`: true,
		`{"record":"order"}`: false, `{"segment":"vip"}`: false, `{"trait":"clv_12m","op":"is_set"}`: false, `{"random":{"percent":1,"salt":""}}`: false,
	} {
		if err := query.Check(parse(t, text), env); (err == nil) != ok {
			t.Errorf("as a right %s: %v", text, err)
		}
	}
	env.Use = query.ForMemory
	if err := query.Check(parse(t, `{"top":{"trait":"clv_12m","count":1}}`), env); err == nil {
		t.Error("top is allowed in memory")
	}
}

func TestSegmentsAreFollowed(t *testing.T) {
	t.Parallel()
	env := checkEnv(t, "customer")
	env.Self = "vip"
	if got := codes(query.Check(parse(t, `{"all":[{"segment":"vip"}]}`), env)); got["/all/0/segment"] != "query.segment_cycle" {
		t.Errorf("a segment of itself: %v", got)
	}
	// Forty segments that each name the one below twice would write out a million million leaves.
	deep := segments{"s0": {Where: parse(t, `{"field":"name","op":"is_set"}`)}}
	for i := 1; i < 31; i++ {
		key := "s" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		below := "s" + string(rune('0'+(i-1)/10)) + string(rune('0'+(i-1)%10))
		if i == 1 {
			below = "s0"
		}
		deep[key] = query.Segment{Where: parse(t, `{"all":[{"segment":"`+below+`"},{"segment":"`+below+`"}]}`)}
	}
	env.Segments, env.Self = deep, ""
	got := codes(query.Check(parse(t, `{"segment":"s30"}`), env))
	if !slices.Contains([]string{got[""], got["/segment"]}, "query.too_many_nodes") {
		t.Errorf("a giant condition: %v", got)
	}
}

// The number of values is bounded over the whole tree, since databases bound their parameters.
func TestConstantsAreCounted(t *testing.T) {
	t.Parallel()
	list := `{"field":"name","op":"in","value":[` + strings.Repeat(`"a",`, 999) + `"b"]}`
	for n, ok := range map[int]bool{10: true, 11: false} {
		err := query.Check(parse(t, `{"all":[`+strings.Repeat(list+",", n-1)+list+`]}`), checkEnv(t, "customer"))
		if (err == nil) != ok || !ok && codes(err)["/all/10/value"] != "query.too_many_values" {
			t.Errorf("%d thousand values: %v", n, err)
		}
	}
	env := checkEnv(t, "customer")
	env.Segments = segments{"big": {Where: parse(t, `{"all":[`+strings.Repeat(list+",", 5)+list+`]}`)}}
	if err := query.Check(parse(t, `{"any":[{"segment":"big"},{"segment":"big"}]}`), env); codes(err)["/any/1"] != "query.too_many_values" {
		t.Errorf("a large segment twice: %v", err)
	}
}

func TestMoneyIsConverted(t *testing.T) {
	t.Parallel()
	env := checkEnv(t, "customer")
	env.Convert = func(m money.Money) (int64, bool) { return m.Amount * 7, m.Currency == "USD" }
	c, err := query.Resolve(parse(t, `{"field":"annual_revenue","op":"<=","value":{"amount":"1.50","currency":"USD"}}`), env)
	if err != nil {
		t.Fatal(err)
	}
	leaf, ok := c.Root.(query.Leaf)
	if !ok || *leaf.Test.Ranges[0].Hi != 1050 || leaf.Slot.Role != schema.Base {
		t.Errorf("got %+v", c.Root)
	}
}

func TestOperatorsAndAttributes(t *testing.T) {
	t.Parallel()
	r := registry(t)
	for _, o := range r.Objects() {
		for _, f := range o.Fields {
			ops := query.Operators(f)
			if schema.Filterable(f) != (len(ops) > 2) && f.Type != schema.Address {
				t.Errorf("%s.%s: operators %v", o.Key, f.Key, ops)
			}
		}
	}
	attributes := map[string]string{"region": "tier", "phone": "operator", "email": "domain", "address": "region", "annual_revenue": "currency", "birthday": "year"}
	for key, want := range attributes {
		if got := query.Attributes(r.Object("customer").Field(key)); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: attributes %v", key, got)
		}
	}
}

// Every code of this area has words in both languages, with the same parameters.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, loc := range c.Locales() {
		for _, key := range c.Keys(loc) {
			if !strings.HasPrefix(key, "query.") && !strings.HasPrefix(key, "condition.") {
				continue
			}
			for _, other := range c.Locales() {
				if !c.Has(other, key) {
					t.Errorf("%s has no %s", other, key)
				}
			}
			if a, b := c.Params("zh-CN", key), c.Params("en", key); strings.HasPrefix(key, "query.") && !slices.Equal(a, b) {
				t.Errorf("%s: parameters %v and %v", key, a, b)
			}
		}
	}
	used := regexp.MustCompile(`"(?:query\.)?([a-z]+(?:_[a-z]+)+)"`)
	call := regexp.MustCompile(`(?:bad|wrong|New|InvalidField|Join)\([^\n]*`)
	for _, dir := range []string{".", "../../store/compile"} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			src, err := os.ReadFile(dir + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range call.FindAllString(string(src), -1) {
				for _, m := range used.FindAllStringSubmatch(line, 1) {
					if !c.Has("en", "query."+m[1]) && !strings.HasPrefix(m[0], `"retry`) {
						t.Errorf("%s: no words for %s in %q", f.Name(), m[1], line)
					}
				}
			}
		}
	}
}

func TestCheckedIsShared(t *testing.T) {
	t.Parallel()
	c, err := query.Resolve(parse(t, `{"record":"order","within":{"days":7}}`), checkEnv(t, "customer"))
	if err != nil {
		t.Fatal(err)
	}
	now := moment(t)
	before, err := json.Marshal(c.At(now).Root)
	if err != nil {
		t.Fatal(err)
	}
	later := now
	later.Now = later.Now.AddDate(0, 0, 1)
	c.At(later)
	again, err := json.Marshal(c.At(now).Root)
	if err != nil || string(before) != string(again) || len(before) < 100 {
		t.Errorf("a second binding changed the first: %s, %s, %v", before, again, err)
	}
}
