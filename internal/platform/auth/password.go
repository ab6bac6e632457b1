package auth

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"golang.org/x/crypto/argon2"
)

// Cost is the work of one password hash.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// DefaultCost is the OWASP minimum for argon2id with little memory: 19 MiB, two passes, one lane.
var DefaultCost = Cost{MemoryKiB: 19 * 1024, Passes: 2}

const (
	minPassword = 8   // characters
	maxPassword = 256 // characters; a bound on work, far above the 64 that must be allowed
	saltBytes   = 16
	hashBytes   = 32
)

//go:embed common_passwords.txt
var commonText string

var common = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if w := strings.TrimSpace(line); w != "" && !strings.HasPrefix(w, "#") {
			m[w] = true
		}
	}
	return m
})

// Hasher computes password hashes one at a time.
type Hasher struct {
	cost  Cost
	gate  chan struct{}
	dummy string
}

// NewHasher prepares a hasher; it computes one hash, of no password, to compare with when an account does not exist.
func NewHasher(c Cost) *Hasher {
	h := &Hasher{cost: c, gate: make(chan struct{}, 1)}
	h.dummy = h.Hash(rand.Text())
	return h
}

// Hash is the PHC string of a password.
func (h *Hasher) Hash(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt)
	sum := h.derive(password, salt, h.cost)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, h.cost.MemoryKiB, h.cost.Passes, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// Verify reports whether a password matches a PHC string. An empty string stands for an account that does not exist: the
// same work is done and the answer is no.
func (h *Hasher) Verify(encoded, password string) bool {
	exists := encoded != ""
	if !exists {
		encoded = h.dummy
	}
	salt, want, cost, ok := parsePHC(encoded)
	if !ok {
		return false
	}
	got := h.derive(password, salt, cost)
	return subtle.ConstantTimeCompare(got, want) == 1 && exists
}

func (h *Hasher) derive(password string, salt []byte, c Cost) []byte {
	h.gate <- struct{}{}
	defer func() { <-h.gate }()
	return argon2.IDKey([]byte(password), salt, c.Passes, c.MemoryKiB, 1, hashBytes)
}

func parsePHC(s string) (salt, sum []byte, c Cost, ok bool) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return nil, nil, c, false
	}
	var version, lanes int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return nil, nil, c, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &lanes); err != nil || lanes != 1 {
		return nil, nil, c, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	return salt, sum, c, err1 == nil && err2 == nil && len(sum) == hashBytes
}

// CheckPassword applies the rules: at least 8 characters, at most 256, not among the commonest, not the account's own
// address or name. There are no rules of composition and no forced change. Faults carry the given field.
func CheckPassword(password, field, email, name string) *fault.Fault {
	n := utf8.RuneCountInString(password)
	switch {
	case n < minPassword:
		return fault.InvalidField("auth.password_short", field, fault.Params{"min": minPassword})
	case n > maxPassword:
		return fault.InvalidField("auth.password_long", field, fault.Params{"max": maxPassword})
	case !utf8.ValidString(password):
		return fault.InvalidField("auth.password_encoding", field, nil)
	}
	p := lang.Fold(password)
	local, _, _ := strings.Cut(lang.Fold(email), "@")
	if common()[p] || common()[strings.TrimRight(p, "0123456789!@#.")] || repeated(p) ||
		p == lang.Fold(email) || p == local || p == lang.Fold(name) {
		return fault.InvalidField("auth.password_common", field, nil)
	}
	return nil
}

// repeated reports a password made of one piece of at most three characters over and over, or of a run such as 12345678.
func repeated(p string) bool {
	r := []rune(p)
	for size := 1; size <= 3; size++ {
		same := true
		for i := size; i < len(r); i++ {
			if r[i] != r[i-size] {
				same = false
				break
			}
		}
		if same {
			return true
		}
	}
	up, down := true, true
	for i := 1; i < len(r); i++ {
		up = up && r[i] == r[i-1]+1
		down = down && r[i] == r[i-1]-1
	}
	return up || down
}
