package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238 as every authenticator implements it; HMAC-SHA-1 is not broken
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Parameters of the codes, those that every authenticator takes for granted.
const (
	CodeDigits  = 6
	CodePeriod  = 30 * time.Second
	codeGrace   = 1  // steps to either side that still count: clocks differ, and typing takes time
	secretBytes = 20 // the length of a SHA-1 sum, as RFC 4226 recommends
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Step is the number of the time step that an instant lies in.
func Step(t time.Time) int64 { return t.Unix() / int64(CodePeriod/time.Second) }

// Code is the HOTP value (RFC 4226) of a secret for a step, with leading zeros; digits is at most 9.
func Code(secret []byte, step int64, digits int) string {
	var msg [8]byte
	binary.BigEndian.PutUint64(msg[:], uint64(step)) //nolint:gosec // steps are positive
	m := hmac.New(sha1.New, secret)
	m.Write(msg[:])
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%mod)
}

// matchCode finds the step, within the grace, whose code was given. Every step is computed whatever matched.
func matchCode(secret []byte, now time.Time, given string) (step int64, ok bool) {
	at := Step(now)
	for s := at - codeGrace; s <= at+codeGrace; s++ {
		if subtle.ConstantTimeCompare([]byte(Code(secret, s, CodeDigits)), []byte(given)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

func newFactorSecret() []byte {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b)
	return b
}

// keyURI is what an authenticator reads from the square code.
func keyURI(secret []byte, issuer, account string) string {
	issuer = strings.ReplaceAll(issuer, ":", " ") // a colon parts issuer and account
	q := "secret=" + base32Text.EncodeToString(secret) + "&issuer=" + url.PathEscape(issuer) + "&algorithm=SHA1&digits=6&period=30"
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + q
}
