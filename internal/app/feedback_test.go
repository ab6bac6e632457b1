package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// What customers say is read as it is written, comes in by events too, and what a person says of it stays.
func TestFeedback(t *testing.T) {
	t.Parallel()
	atWork(t, feedbackRead)
}

func feedbackRead(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	customer := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"沈清"}}`, 201).ID
	made := read[rec](c, "POST", "/records/feedback", fmt.Sprintf(`{"fields":{"customer":%q,"body":"质量很好，很喜欢，就是物流太慢了，等了半个月，很失望"}}`, customer), 201)
	path := "/records/feedback/" + made.ID
	check := func(what string, want map[string]string) {
		t.Helper()
		got := read[rec](c, "GET", path, "", 200).Fields
		for key, v := range want {
			if fmt.Sprint(got[key]) != v {
				t.Errorf("%s: %s is %v, want %s", what, key, got[key], v)
			}
		}
	}
	check("new", map[string]string{"language": "zh-CN", "topics": "[delivery quality]", "complaints": "[delivery]", "corrected": "false", "title": "质量很好，很喜欢，就是物流太慢了，等了半个月，很失望"})
	read[rec](c.with("If-Match", "*"), "PATCH", path, `{"fields":{"rating":1}}`, 200)
	check("rated", map[string]string{"sentiment": "negative", "corrected": "false"})
	read[rec](c.with("If-Match", "*"), "PATCH", path, `{"fields":{"sentiment":"neutral"}}`, 200)
	check("corrected", map[string]string{"sentiment": "neutral", "corrected": "true"})
	read[rec](c.with("If-Match", "*"), "PATCH", path, `{"fields":{"body":"非常好，很满意，质量很好"}}`, 200)
	check("after a correction", map[string]string{"sentiment": "neutral", "corrected": "true", "language": "zh-CN"})
	read[rec](c.with("If-Match", "*"), "PATCH", path, `{"fields":{"corrected":false,"rating":null}}`, 200)
	check("taken back", map[string]string{"sentiment": "positive", "corrected": "false", "topics": "[quality]", "complaints": "<nil>"})

	product := read[rec](c, "POST", "/records/product", `{"fields":{"name":"亚麻衬衫","code":"LS-1"}}`, 201).ID
	deed := read[api.CustomerInteraction](c, "POST", "/customers/"+customer+"/interactions", fmt.Sprintf(`{"name":"Product Reviewed","product":%q,"rating":2,"text":"尺码偏小，客服态度很差"}`, product), 201)
	where := fmt.Sprintf(`{"where":{"all":[{"field":"customer","op":"=","value":%q},{"field":"sentiment","op":"=","value":"negative"}]},"total":"exact"}`, customer)
	type counted struct {
		Items []rec `json:"items"`
	}
	eventually(t, "the review is kept", func() bool { return len(read[counted](c, "POST", "/records/feedback/query", where, 200).Items) == 1 })
	got := read[counted](c, "POST", "/records/feedback/query", where, 200).Items[0].Fields
	if fmt.Sprint(got["channel"]) != "review" || fmt.Sprint(got["rating"]) != "2" || fmt.Sprint(got["topics"]) != "[service size]" || got["product"] == nil {
		t.Errorf("the review was kept as %v", got)
	}
	figures := read[struct {
		Groups []struct {
			Values   []any
			Count    int
			Measures []any
		}
	}](c, "POST", "/records/feedback/aggregate", `{"group_by":[{"field":"sentiment"}],"measures":[{"func":"has","field":"topics","value":"quality"},{"func":"has","field":"topics","value":"size"},{"func":"has","field":"complaints","value":"size"},{"func":"avg","field":"rating"}]}`, 200)
	if got := fmt.Sprint(figures.Groups); got != "[{[positive] 1 [1 0 0 <nil>]} {[negative] 1 [0 1 1 2]}]" {
		t.Errorf("figures of topics: %s", got)
	}
	if answer := c.want(422, c.do("POST", "/records/feedback/aggregate", `{"measures":[{"func":"has","field":"topics","value":"weather"}]}`)); !strings.Contains(string(answer.body), "measures.0.value") {
		t.Errorf("a topic that is none: %s", answer.body)
	}
	c.want(204, c.do("DELETE", "/customers/"+customer+"/interactions/"+deed.ID, ""))
	if n := len(read[counted](c, "POST", "/records/feedback/query", where, 200).Items); n != 0 {
		t.Errorf("%d reviews are left of what was taken back", n)
	}
	segment := `{"where":{"record":"feedback","where":{"field":"sentiment","op":"=","value":"positive"},"aggregate":"count","op":">=","value":1,"within":{"days":180}}}`
	eventually(t, "a segment asks of feedback", func() bool {
		return read[struct {
			Count int `json:"count"`
		}](c, "POST", "/segments/count", segment, 200).Count == 1
	})
}
