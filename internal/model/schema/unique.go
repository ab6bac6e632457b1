package schema

import "slices"

// UniqueRule promises that no two live records of an object have the same values in all of its fields. A record that leaves one
// of them empty is not compared.
type UniqueRule struct {
	Key    string   `json:"key"`
	Label  Label    `json:"label"`
	Fields []string `json:"fields"`
	// State is where the rule stands; the program sets it, and only UniqueChecking and UniqueOn are kept to when records are written.
	State UniqueState `json:"state,omitempty"`
	// Physical names the rule's keys in the database: machine-made, another one for each time that the records are checked.
	Physical string `json:"physical,omitempty"`
}

// UniqueState is where a rule over several fields stands.
type UniqueState string

// The states.
const (
	UniqueOff      UniqueState = "off"
	UniqueChecking UniqueState = "checking" // new writes keep to it, the records of before are being looked through
	UniqueOn       UniqueState = "on"
	UniqueClash    UniqueState = "clash" // records of before clash, so it is not kept to
)

// Kept reports whether writes keep to the rule.
func (u *UniqueRule) Kept() bool { return u.State == UniqueChecking || u.State == UniqueOn }

// KeyField stands for the rule where unique keys are claimed. No field of a person has such a key.
func (u *UniqueRule) KeyField() *Field {
	return &Field{Key: "~" + u.Physical, Type: Text, Label: u.Label}
}

// CanBeJoined reports a field that a unique rule may name: one whose stored value says all of it.
func CanBeJoined(f *Field) bool {
	if f.Computed() || f.Rollup != nil {
		return false
	}
	switch f.Type {
	case Text, URL, Phone, Email, AutoNumber, Number, Percent, Duration, Rating, Money, Bool, Date, DateTime, Choice, Relation, User, Region:
		return true
	}
	return false
}

// UniqueRule finds a rule by key, nil when there is none.
func (o *Object) UniqueRule(key string) *UniqueRule {
	i := slices.IndexFunc(o.UniqueRules, func(u *UniqueRule) bool { return u.Key == key })
	if i < 0 {
		return nil
	}
	return o.UniqueRules[i]
}
