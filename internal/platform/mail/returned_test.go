package mail

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

func report(kind, status, original string) string {
	return strings.ReplaceAll(fmt.Sprintf(`From: MAILER-DAEMON@mx.example.net
To: bounce@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=%s; boundary="B_1/mx"

This is a MIME-encapsulated message.

--B_1/mx
Content-Type: text/plain; charset=us-ascii

Your message could not be delivered. Message-ID: <eml_x@elsewhere>

--B_1/mx
Content-Type: message/%s

%s
--B_1/mx
%s
--B_1/mx--
`, kind, kind, status, original), "\n", "\r\n")
}

// TestReturned: reports as RFC 3464 and RFC 5965 have them, in the shapes in which servers send them; anything else says nothing.
func TestReturned(t *testing.T) {
	t.Parallel()
	key := id.ID(123456789)
	ours := id.Format(Prefix, key)
	headers := "Content-Type: text/rfc822-headers\n\nReceived: by mx\nMessage-ID: <" + ours + "@example.com>\nSubject: x\n"
	whole := "Content-Type: message/rfc822\n\nReceived: by mx\nMessage-Id:\n <" + ours + "@example.com>\n\nBody with\nMessage-ID: <eml_1@other>\n"
	coded := "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte("Message-ID: <"+ours+"@example.com>\r\n\r\nx")) + "\n"
	two := "Reporting-MTA: dns; mx.example.net\nArrival-Date: Mon, 23 Nov 2026 10:00:00 +0800\n\n"
	for name, c := range map[string]struct {
		raw  string
		want Returned
	}{
		"hard":      {report("delivery-status", two+"Final-Recipient: rfc822; a@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n no such user\n", headers), Returned{ID: key, Failed: true, Hard: true, Code: "5.1.1"}},
		"full":      {report("delivery-status", two+"Final-Recipient: rfc822; a@example.net\nAction: Failed\nStatus: 4.2.2 (mailbox full)\n", whole), Returned{ID: key, Failed: true, Code: "4.2.2"}},
		"unknown":   {report("delivery-status", two+"Final-Recipient: rfc822; a@example.net\nAction: failed\nStatus: broken\n", coded), Returned{ID: key, Failed: true}},
		"late":      {report("delivery-status", two+"Final-Recipient: rfc822; a@example.net\nAction: delayed\nStatus: 4.4.7\n", headers), Returned{ID: key}},
		"arrived":   {report("delivery-status", two+"Final-Recipient: rfc822; a@example.net\nAction: delivered\nStatus: 2.0.0\n", headers), Returned{ID: key}},
		"complaint": {report("feedback-report", "Feedback-Type: abuse\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n", whole), Returned{ID: key, Complaint: true, Code: "abuse"}},
		"fine":      {report("feedback-report", "Feedback-Type: not-spam\nUser-Agent: x\nVersion: 1\n", headers), Returned{ID: key}},
	} {
		if got, err := ReadReturned([]byte(c.raw)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, raw := range map[string]string{"empty": "", "a letter": "Subject: hi\r\nMessage-ID: <" + ours + "@example.com>\r\n\r\nhello",
		"no message of ours": report("delivery-status", two+"Action: failed\nStatus: 5.1.1\n", "Content-Type: text/rfc822-headers\n\nMessage-ID: <1@x>\n"),
		"no report":          strings.Replace(report("delivery-status", two, headers), "Content-Type: message/delivery-status", "Content-Type: text/plain", 1)} {
		if _, err := ReadReturned([]byte(raw)); fault.CodeOf(err) != "mail.not_a_report" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
