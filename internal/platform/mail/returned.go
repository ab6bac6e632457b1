package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Returned is what a mail that came back says about one of ours.
type Returned struct {
	ID        id.ID  // of our message
	Complaint bool   // its reader called it abuse (RFC 5965)
	Failed    bool   // it did not arrive (RFC 3464); neither says nothing: it is late, or it arrived
	Hard      bool   // and never will
	Code      string // such as 5.1.1, or the kind of complaint
}

// Bounds of what comes back.
const (
	MaxReturned   = 4 << 20
	maxParts      = 20
	maxReturnCode = 60
)

var (
	ownMessage  = regexp.MustCompile(`(?im)^message-id:\s*<(` + Prefix + `_[a-z0-9]+)@[^<>\s]+>`)
	statusShape = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}$`)
)

// ReadReturned reads a delivery report or a complaint as it came. Our message is known by its Message-ID in what is sent along, never by an address.
// Invalid mail.not_a_report for anything else.
func ReadReturned(raw []byte) (Returned, error) {
	none := fault.New(fault.Invalid, "mail.not_a_report", nil)
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Returned{}, none
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return Returned{}, none
	}
	out := Returned{}
	told := false
	r := multipart.NewReader(m.Body, params["boundary"])
	for range maxParts {
		p, err := r.NextRawPart()
		if err != nil {
			break
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		body := decoded(p.Header.Get("Content-Transfer-Encoding"), p)
		switch kind {
		case "message/delivery-status", "message/global-delivery-status":
			told = true
			readStatus(body, &out)
		case "message/feedback-report":
			told = true
			readFeedback(body, &out)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			if found := ownMessage.FindSubmatch(body); found != nil && out.ID == 0 {
				out.ID, _ = id.Parse(Prefix, string(found[1]))
			}
		}
	}
	if !told || out.ID == 0 {
		return Returned{}, none
	}
	return out, nil
}

func decoded(encoding string, r io.Reader) []byte {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	body, _ := io.ReadAll(io.LimitReader(r, MaxReturned)) // what cannot be decoded ends it
	return body
}

// groups are the groups of fields of a report, as RFC 3464 and 5965 have them.
func groups(body []byte) (out []textproto.MIMEHeader) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.TrimLeft(body, "\r\n"), "\r\n\r\n"...))))
	for range maxParts {
		h, err := r.ReadMIMEHeader()
		if len(h) > 0 {
			out = append(out, h)
		}
		if err != nil {
			break
		}
	}
	return out
}

// readStatus takes the first failure; without one it says nothing. What has no status that can be read may be over soon.
func readStatus(body []byte, out *Returned) {
	for _, g := range groups(body) {
		if !strings.EqualFold(strings.TrimSpace(g.Get("Action")), "failed") || out.Failed {
			continue
		}
		out.Failed = true
		if code, _, _ := strings.Cut(strings.TrimSpace(g.Get("Status")), " "); statusShape.MatchString(code) {
			out.Code, out.Hard = code, code[0] == '5'
		}
	}
}

// readFeedback takes a complaint; that something is no spam after all is none.
func readFeedback(body []byte, out *Returned) {
	for _, g := range groups(body) {
		kind := strings.ToLower(strings.TrimSpace(g.Get("Feedback-Type")))
		if kind == "" || kind == "not-spam" || kind == "auth-failure" {
			continue
		}
		out.Complaint, out.Code = true, kind[:min(len(kind), maxReturnCode)]
	}
}
