package query_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// sample is one condition and its sentences in testdata/sentences.json.
type sample struct {
	Object string          `json:"object,omitempty"`
	Where  json.RawMessage `json:"where"`
	ZH     string          `json:"zh-CN"`
	EN     string          `json:"en"`
}

func samples(t testing.TB) []sample {
	t.Helper()
	raw, err := os.ReadFile("testdata/sentences.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSentences(t *testing.T) {
	t.Parallel()
	all := samples(t)
	words := catalog(t)
	for i, s := range all {
		if s.Object == "" {
			s.Object = "customer"
		}
		env := query.SentenceEnv{
			Registry: registry(t), Object: s.Object, Traits: someTraits(), Segments: someSegments(t), Words: words,
			Title: func(object string, v id.ID) string {
				if object == "store" {
					return "南京路店"
				}
				return ""
			},
		}
		n := parse(t, string(s.Where))
		zh, en := query.Sentence(n, env, lang.ChineseSimplified), query.Sentence(n, env, lang.English)
		if *update {
			all[i].ZH, all[i].EN = zh, en
			continue
		}
		if zh != s.ZH || en != s.EN {
			t.Errorf("%s\n got %s\nwant %s\n got %s\nwant %s", s.Where, zh, s.ZH, en, s.EN)
		}
		for _, text := range []string{zh, en} {
			if strings.Contains(text, "condition.") || strings.Contains(text, "{}") || strings.Contains(text, "{n") {
				t.Errorf("%s: words are missing in %q", s.Where, text)
			}
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d samples", len(all))
	}
	if *update {
		write(t, all)
	}
}

func write(t *testing.T, all []sample) {
	t.Helper()
	var b strings.Builder
	b.WriteString("[\n")
	for i, s := range all {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if i < len(all)-1 {
			text := strings.TrimSuffix(b.String(), "\n")
			b.Reset()
			b.WriteString(text + ",\n")
		}
	}
	b.WriteString("]\n")
	if err := os.WriteFile("testdata/sentences.json", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every condition that has a sentence also passes the check.
func TestSamplesAreValid(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		if s.Object == "" {
			s.Object = "customer"
		}
		if err := query.Check(parse(t, string(s.Where)), checkEnv(t, s.Object)); err != nil {
			t.Errorf("%s: %v", s.Where, err)
		}
	}
}
