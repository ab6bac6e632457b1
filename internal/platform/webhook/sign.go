package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

const (
	secretPrefix = "whsec_"
	secretNew    = 32 // bytes
	secretLeast  = 24
	secretMost   = 64
)

// NewSecret makes a secret: "whsec_" and 32 random bytes in base64.
func NewSecret() string {
	var b [secretNew]byte
	rand.Read(b[:]) //nolint:errcheck // never fails: it ends the program instead
	return secretPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// ParseSecret reads the key out of a secret of 24 to 64 bytes. Fault: webhook.bad_secret.
func ParseSecret(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, secretPrefix))
	if err != nil || len(key) < secretLeast || len(key) > secretMost {
		return nil, fault.InvalidField("webhook.bad_secret", "secret", fault.Params{"min": secretLeast, "max": secretMost})
	}
	return key, nil
}

// Sign is the signature of one message: "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body", by the specification of
// Standard Webhooks 1.0.0.
func Sign(key []byte, msg string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(msg + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
