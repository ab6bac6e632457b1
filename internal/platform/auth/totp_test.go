package auth_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// TestCodesOfTheStandard holds the values printed in RFC 4226, appendix D, and RFC 6238, appendix B (SHA-1).
func TestCodesOfTheStandard(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := auth.Code(secret, int64(step), 6); got != want {
			t.Errorf("HOTP %d: %s, want %s", step, got, want)
		}
	}
	for at, want := range map[string]string{"1970-01-01T00:00:59Z": "94287082", "2005-03-18T01:58:29Z": "07081804", "2005-03-18T01:58:31Z": "14050471",
		"2009-02-13T23:31:30Z": "89005924", "2033-05-18T03:33:20Z": "69279037", "2603-10-11T11:33:20Z": "65353130"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := auth.Code(secret, auth.Step(when), 8); got != want {
			t.Errorf("TOTP %s: %s, want %s", at, got, want)
		}
	}
}

func TestDevices(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36":                                                           "Chrome Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0":                                             "Edge Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15":                                                     "Safari macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60":                                       "WeChat iPhone phone",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                                                    "Firefox Linux",
		"Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/15.0.4 Mobile Safari/537.36": "Huawei Browser HarmonyOS phone",
		"curl/8.5.0": "curl ",
		"":           " ",
	} {
		browser, system, phone := auth.Device(agent)
		got := browser + " " + system
		if phone {
			got += " phone"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", agent, got, want)
		}
	}
}
