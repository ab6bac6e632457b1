package identity

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// The namespaces that every workspace has.
const (
	UserID      = "user_id"
	Email       = "email"
	Phone       = "phone"
	UnionID     = "unionid"
	OpenID      = "openid"
	LoyaltyCard = "loyalty_card"
	AnonymousID = "anonymous_id"
	Device      = "device"
)

// Namespace says how identifiers of one sort are taken.
type Namespace struct {
	Key     string `json:"key"`
	Enabled bool   `json:"enabled"`
	// Traits are the members of the traits of an event that hold such an identifier.
	Traits []string `json:"traits"`
	// Limit is how many of them a person may show within Days, for ever where Days is 0.
	Limit int `json:"limit"`
	Days  int `json:"days"`
	// Shared identifiers are of things that people hand on: when somebody else shows one it goes to them, and nobody is asked.
	Shared bool `json:"shared"`
	// Blocked values are no identifiers, besides those of the settings.
	Blocked []string `json:"blocked"`
}

// Policy is how a workspace tells people apart. The order of Namespaces is their priority, the strongest first.
type Policy struct {
	Version    int64       `json:"version"`
	Namespaces []Namespace `json:"namespaces"`
	Blocked    []string    `json:"blocked"`
}

// Defaults are the settings of a workspace that decided nothing: one user id for ever, five e-mail addresses a year, five
// anonymous ids a week, five of everything else.
func Defaults() Policy {
	return Policy{
		Namespaces: []Namespace{
			{Key: UserID, Enabled: true, Traits: []string{}, Limit: 1, Blocked: []string{}},
			{Key: Email, Enabled: true, Traits: []string{"email", "mail", "$identity_email", "邮箱"}, Limit: 5, Days: 365, Blocked: []string{}},
			{Key: Phone, Enabled: true, Traits: []string{"phone", "mobile", "$identity_mobile", "手机号", "手机"}, Limit: 5, Blocked: []string{}},
			{Key: LoyaltyCard, Enabled: true, Traits: []string{"loyalty_card", "card_number", "loyaltyCard"}, Limit: 5, Blocked: []string{}},
			{Key: OpenID, Enabled: true, Traits: []string{"openid", "open_id", "$identity_mp_openid"}, Limit: 5, Blocked: []string{}},
			{Key: UnionID, Enabled: true, Traits: []string{"unionid", "union_id", "$identity_mp_unionid"}, Limit: 5, Blocked: []string{}},
			{Key: AnonymousID, Enabled: true, Traits: []string{}, Limit: 5, Days: 7, Shared: true, Blocked: []string{}},
			{Key: Device, Enabled: false, Traits: []string{}, Limit: 5, Shared: true, Blocked: []string{}},
		},
		Blocked: []string{"-1", "0", "null", "nil", "none", "undefined", "anonymous", "unknown", "guest", "n/a", "na", "nan", "false", "true", "test", "(null)", "[object object]"},
	}
}

const (
	maxNamespaces = 30
	maxTraits     = 20
	maxBlocked    = 500
	maxLimit      = 1000
	maxDays       = 3650
	maxValue      = 300 // characters of an identifier; longer ones are none
)

var namespaceKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Check says what is wrong with settings, all of it together.
func (s *Policy) Check() error {
	var bad []*fault.Fault
	add := func(code, field string, p fault.Params) { bad = append(bad, fault.InvalidField(code, field, p)) }
	if len(s.Namespaces) > maxNamespaces {
		add("identity.too_many_namespaces", "namespaces", fault.Params{"max": maxNamespaces})
	}
	seen := map[string]bool{}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		at := func(member string) string { return "namespaces." + strconv.Itoa(i) + "." + member }
		switch {
		case !namespaceKey.MatchString(n.Key):
			add("identity.bad_key", at("key"), nil)
		case seen[n.Key]:
			add("identity.key_twice", at("key"), fault.Params{"key": n.Key})
		}
		seen[n.Key] = true
		if n.Limit < 1 || n.Limit > maxLimit {
			add("identity.bad_limit", at("limit"), fault.Params{"max": maxLimit})
		}
		if n.Days < 0 || n.Days > maxDays {
			add("identity.bad_days", at("days"), fault.Params{"max": maxDays})
		}
		if len(n.Traits) > maxTraits {
			add("identity.too_many_traits", at("traits"), fault.Params{"max": maxTraits})
		}
		if len(n.Blocked) > maxBlocked {
			add("identity.too_many_blocked", at("blocked"), fault.Params{"max": maxBlocked})
		}
		if n.Key == UserID && (!n.Enabled || n.Shared || n.Limit != 1 || n.Days != 0) {
			add("identity.user_id_fixed", at("limit"), nil)
		}
	}
	if len(s.Blocked) > maxBlocked {
		add("identity.too_many_blocked", "blocked", fault.Params{"max": maxBlocked})
	}
	for _, k := range []string{UserID, AnonymousID} {
		if !seen[k] {
			add("identity.namespace_missing", "namespaces", fault.Params{"key": k})
		}
	}
	if len(s.Namespaces) > 0 && s.Namespaces[0].Key != UserID {
		add("identity.user_id_first", "namespaces.0.key", nil)
	}
	if f := fault.Join("identity.invalid", bad); f != nil {
		return f
	}
	return nil
}

// rules are settings as a run uses them.
type rules struct {
	settings *Policy
	byKey    map[string]*Namespace
	rank     map[string]int
	blocks   map[string]bool // folded
}

func newRules(s *Policy) *rules {
	r := &rules{settings: s, byKey: map[string]*Namespace{}, rank: map[string]int{}, blocks: map[string]bool{}}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		r.byKey[n.Key], r.rank[n.Key] = n, i
	}
	for _, b := range s.Blocked {
		r.blocks[strings.ToLower(strings.TrimSpace(b))] = true
	}
	return r
}

// of is a namespace that takes identifiers, nil for one that is switched off or unknown.
func (r *rules) of(key string) *Namespace {
	if n := r.byKey[key]; n != nil && n.Enabled {
		return n
	}
	return nil
}

func (r *rules) blocked(n *Namespace, v string) bool {
	if r.blocks[strings.ToLower(v)] || strings.Trim(v, "0-_ .{}") == "" {
		return true
	}
	return slices.ContainsFunc(n.Blocked, func(b string) bool { return strings.EqualFold(strings.TrimSpace(b), v) })
}
