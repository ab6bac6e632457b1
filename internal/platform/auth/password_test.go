package auth_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]string{
		"correct horse staple": "", "密码就是这八个字": "", strings.Repeat("long pass ", 12): "", "12 characters, no capital": "",
		"short": "auth.password_short", "七个汉字不够长": "auth.password_short", strings.Repeat("x1", 200): "auth.password_long",
		"password": "auth.password_common", "PassWord1": "auth.password_common", "Ｐａｓｓｗｏｒｄ１２３": "auth.password_common", "qwertyuiop123!": "auth.password_common",
		"woaini1314": "auth.password_common", "aaaaaaaaaa": "auth.password_common", "abcabcabcabc": "auth.password_common", "23456789": "auth.password_common",
		"hgfedcba": "auth.password_common", "ann@example.com": "auth.password_common", "Ann Archer": "auth.password_common",
	} {
		f := auth.CheckPassword(p, "password", "ann@example.com", "Ann Archer")
		got := ""
		if f != nil {
			got = f.Code
		}
		if got != want {
			t.Errorf("%q: %q, want %q", p, got, want)
		}
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	h := auth.NewHasher(auth.Cost{MemoryKiB: 64, Passes: 1})
	a, b := h.Hash("secret one"), h.Hash("secret one")
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=64,t=1,p=1$") || strings.Contains(a, "secret") {
		t.Fatal(a, b)
	}
	if !h.Verify(a, "secret one") || h.Verify(a, "secret two") || h.Verify("", "secret one") || h.Verify("$argon2id$broken", "x") {
		t.Fatal("verification is wrong")
	}
	stronger := auth.NewHasher(auth.Cost{MemoryKiB: 128, Passes: 2})
	if !stronger.Verify(a, "secret one") {
		t.Fatal("a hash of an earlier cost does not verify")
	}
}

func TestCSRFIsBoundToTheSession(t *testing.T) {
	t.Parallel()
	if !auth.CheckCSRF("token", auth.CSRF("token")) || auth.CheckCSRF("token", auth.CSRF("other")) || auth.CheckCSRF("token", "") {
		t.Fatal("csrf")
	}
}
