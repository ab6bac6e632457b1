package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

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
	saltBytes = 16
	hashBytes = 32
)

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

// digest is the argon2id sum of a recovery code under the salt of its set, hex: codes are too short for a plain hash.
func (h *Hasher) digest(text string, salt []byte) string {
	return hex.EncodeToString(h.derive(text, salt, h.cost))
}
