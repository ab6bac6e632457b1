package query

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// ComputedSentence says a figure for a person: 「近 30 天“下单”事件的次数」, "the number of “Order Completed” events in the last 30 days". It
// never fails.
func ComputedSentence(d Computed, env SentenceEnv, loc lang.Locale) string {
	s := speaker{env: env, loc: loc}
	if env.Registry != nil {
		s.obj = env.Registry.Object(Customer)
	}
	if d.Of == nil {
		return s.say("unreadable", nil)
	}
	one, many := s.described(d.Of)
	when := ""
	if d.Of.Within != nil {
		when = s.say("rows.when", words{"window": s.span(d.Of.Within, false)})
	}
	field := ""
	if d.Field != "" {
		field = s.aggregated(d.Of, Aggregate{Field: d.Field}).name
	}
	return strings.TrimSpace(s.say("computed."+string(d.Kind), words{"one": one, "many": many, "when": when, "field": field}))
}
