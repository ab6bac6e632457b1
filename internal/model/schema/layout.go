package schema

import "slices"

// Layout is how the page and the form of an object's records are laid out, for everyone or for the people of one role. It hides
// nothing from anybody: a field that no section names stands under "other", and rights are another matter. It only says what
// stands where.
type Layout struct {
	Role     string          `json:"role,omitempty"` // key of the role; empty for everyone whose role has none of its own
	Sections []LayoutSection `json:"sections"`
	// Hidden fields stand nowhere on the page, not under "other" either, unless a record cannot be saved without them.
	Hidden []string `json:"hidden,omitempty"`
	// Tabs are the tabs in their order: "timeline", "history", or OBJECT.VIA of a related list. Those that are not named follow.
	Tabs       []string `json:"tabs,omitempty"`
	HiddenTabs []string `json:"hidden_tabs,omitempty"`
	// Highlights are the fields in the strip of figures at the top; empty leaves it to the program.
	Highlights []string `json:"highlights,omitempty"`
}

// LayoutSection is one block of fields.
type LayoutSection struct {
	Key       string   `json:"key"`
	Title     Label    `json:"title"`
	Columns   int      `json:"columns,omitempty"` // 1 or 2; 0 is 1
	Collapsed bool     `json:"collapsed,omitempty"`
	Fields    []string `json:"fields"`
}

// Layout is the one for a role: its own, else the one for everyone, else nil.
func (o *Object) Layout(role string) *Layout {
	var all *Layout
	for i := range o.Layouts {
		switch l := &o.Layouts[i]; l.Role {
		case role:
			return l
		case "":
			all = l
		}
	}
	return all
}

// Seen is the layout with only the fields that see reports.
func (l *Layout) Seen(see func(field string) bool) *Layout {
	some := func(keys []string) []string {
		return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !see(k) })
	}
	out := *l
	out.Hidden, out.Highlights = some(l.Hidden), some(l.Highlights)
	out.Sections = make([]LayoutSection, len(l.Sections))
	for i, s := range l.Sections {
		s.Fields = some(s.Fields)
		out.Sections[i] = s
	}
	return &out
}
