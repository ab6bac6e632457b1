package formula

import (
	"encoding/json"
	"fmt"
)

// wire is a program on its way into a database that evaluates it by a function of ours (SQLite).
type wire struct {
	Base  string `json:"b"`
	Today int64  `json:"d"`
	Now   int64  `json:"w"`
	Root  *Node  `json:"r"`
}

// Wire writes the program and the moment as a text for Read; the order of Refs is the order of the columns to be given.
func (p *Program) Wire(env *Env) ([]byte, error) {
	m := newMachine(env)
	w := wire{Base: m.base, Root: p.Root}
	if p.Volatile {
		w.Today, w.Now = m.today, m.now
	}
	return json.Marshal(w)
}

// Read reads what Wire wrote into a function of columns; it gives int64, string or nil, true as 1.
func Read(text string) (func(cols []any) any, error) {
	var w wire
	if err := json.Unmarshal([]byte(text), &w); err != nil || w.Root == nil {
		return nil, fmt.Errorf("formula in a statement: %w", err)
	}
	e := newMachine(&Env{Base: w.Base})
	kind := w.Root.Type.Kind
	return func(cols []any) any {
		m := machine{base: e.base, exp: e.exp, today: w.Today, now: w.Now}
		m.get = func(n *Node) Value {
			if n.Index >= len(cols) {
				return Value{}
			}
			return stored(n.Type.Kind, cols[n.Index])
		}
		v := m.eval(w.Root)
		switch c := v.Column(kind, basis(kind)).(type) {
		case bool:
			return boolInt(c)
		default:
			return c
		}
	}, nil
}
