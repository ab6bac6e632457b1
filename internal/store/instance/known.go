package instance

import (
	"strings"
	"sync"
)

// known remembers what every request asks: who holds a session or a key, and where. It is complete or gone: each statement that
// touches one of the tables it was read from empties it before the writer is answered, so that whoever ends a session or a key
// has ended it by then. Embedded alone, where no other process writes.
type known struct {
	mu     sync.Mutex
	turn   uint64 // rises each time it is emptied
	values map[question]any
}

// question is one that is remembered: a kind with what it is about.
type question struct {
	kind   string
	text   string
	number int64
}

// knownAtMost bounds the memory; beyond it everything is asked anew.
const knownAtMost = 10_000

// sources are the tables that answers are read from, with those from which rows of them go too. It says too much rather than too little.
var sources = [...]string{"person", "membership", "workspace", "web_session", "api_key", "factor", "passkey", "identity"} //nolint:gochecknoglobals // a constant

// concerns reports a statement that may change what is remembered.
func concerns(statement string) bool {
	for _, s := range sources {
		if strings.Contains(statement, s) {
			return true
		}
	}
	return false
}

func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn++
	clear(k.values)
}

func (k *known) find(q question) (v any, turn uint64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok = k.values[q]
	return v, k.turn, ok
}

// keep remembers an answer that was read in a turn, unless that is over: a writer may have been faster.
func (k *known) keep(q question, v any, turn uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.turn != turn {
		return
	}
	if k.values == nil || len(k.values) >= knownAtMost {
		k.values = map[question]any{}
	}
	k.values[q] = v
}

// asked answers a question from memory, or reads the answer and remembers it where read says that there is one.
func asked[T any](s *Store, q question, read func() (v T, found bool, err error)) (T, bool, error) {
	if s.postgres {
		return read()
	}
	v, turn, ok := s.known.find(q)
	if ok {
		return v.(T), true, nil
	}
	fresh, found, err := read()
	if err == nil && found {
		s.known.keep(q, fresh, turn)
	}
	return fresh, found, err
}
