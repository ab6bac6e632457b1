package webhook_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
)

// TestSignatureOfTheSpecification is the vector that the libraries of Standard Webhooks are tested with.
func TestSignatureOfTheSpecification(t *testing.T) {
	t.Parallel()
	key, err := webhook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := webhook.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 50 {
		s := webhook.NewSecret()
		key, err := webhook.ParseSecret(s)
		if err != nil || len(key) != 32 || !strings.HasPrefix(s, "whsec_") || seen[s] {
			t.Fatalf("%d bytes, %v", len(key), err)
		}
		seen[s] = true
	}
	for n, ok := range map[int]bool{23: false, 24: true, 64: true, 65: false} {
		_, err := webhook.ParseSecret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)))
		if (err == nil) != ok || err != nil && fault.CodeOf(err) != "webhook.bad_secret" {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := webhook.ParseSecret("whsec_not base64 at all, is it?"); err == nil {
		t.Error("rubbish was read as a secret")
	}
}

func TestScheduleOfAttempts(t *testing.T) {
	t.Parallel()
	want := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	for i, w := range want {
		if got, again := webhook.Retry(i + 1); got != w || !again {
			t.Errorf("after failure %d: %s %v, want %s", i+1, got, again, w)
		}
	}
	if _, again := webhook.Retry(len(want) + 1); again {
		t.Error("it never ends")
	}
}
