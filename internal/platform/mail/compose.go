package mail

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	gomail "github.com/wneessen/go-mail"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// rsaBits is the length of signing keys: what RFC 8301 asks for, in a DNS record that every provider takes.
const rsaBits = 2048

// makeKey makes a key that signs, in PKCS #8, and what of it stands in the DNS record.
func makeKey() (private []byte, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, "", fmt.Errorf("make a signing key: %w", err)
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, "", fmt.Errorf("make a signing key: %w", err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, "", fmt.Errorf("make a signing key: %w", err)
	}
	return private, base64.StdEncoding.EncodeToString(pub), nil
}

// Record is the DNS record that lets others check the signatures of a profile; "" without a key.
func (p *Profile) Record() (name, value string) {
	if p.Public == "" {
		return "", ""
	}
	return p.Selector + "._domainkey." + p.domain(), "v=DKIM1; k=rsa; p=" + p.Public
}

// domain is that of the sender.
func (p *Profile) domain() string { return domainOf(p.FromAddress) }

func domainOf(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}

// messageID is the Message-ID of a message, without brackets: the same in every attempt.
func messageID(p *Profile, it *Item) string {
	return id.Format(Prefix, it.ID) + "@" + p.domain()
}

// sign covers the headers that say who speaks, to whom and of what; RFC 8058 asks for the two of the list. Those that are said
// twice in the list must not be added on the way.
func sign(raw []byte, m *gomail.Msg, p *Profile, key crypto.Signer) ([]byte, error) {
	headers := []string{"From", "From", "To", "To", "Subject", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
	if len(m.GetAddrHeader(gomail.HeaderReplyTo)) > 0 {
		headers = append(headers, "Reply-To")
	}
	for _, h := range []gomail.Header{"Auto-Submitted", "List-Unsubscribe-Post"} {
		if len(m.GetGenHeader(h)) > 0 {
			headers = append(headers, string(h))
			if h == "List-Unsubscribe-Post" {
				headers = append(headers, "List-Unsubscribe")
			}
		}
	}
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{Domain: p.domain(), Selector: p.Selector, Signer: key, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed, HeaderKeys: headers})
	if err != nil {
		return nil, fmt.Errorf("sign a mail: %w", err)
	}
	return out.Bytes(), nil
}

// compose puts a message into the form of RFC 5322, and signs it when key is not nil.
func compose(p *Profile, it *Item, c *content, key crypto.Signer, at time.Time) ([]byte, error) {
	m := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	if err := errors.Join(m.FromFormat(p.FromName, p.FromAddress), addTo(m, c.To)); err != nil {
		return nil, fmt.Errorf("addresses of a mail: %w", err)
	}
	reply := c.ReplyTo
	if reply == "" {
		reply = p.ReplyTo
	}
	if reply != "" {
		if err := m.ReplyTo(reply); err != nil {
			return nil, fmt.Errorf("address for answers: %w", err)
		}
	}
	m.Subject(c.Subject)
	m.SetDateWithValue(at)
	m.SetMessageIDWithValue(messageID(p, it))
	if !c.Personal {
		m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence answers it
		m.SetGenHeader("X-Auto-Response-Suppress", "All")
	}
	if c.Stop != "" {
		m.SetGenHeaderPreformatted("List-Unsubscribe", "<"+c.Stop+">")
		m.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	m.SetBodyString(gomail.TypeTextPlain, crlf(c.Text))
	if c.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, crlf(c.HTML))
	}
	if c.Calendar != nil {
		m.AddAlternativeString(gomail.ContentType("text/calendar; method="+c.Calendar.Method), c.Calendar.Text, gomail.WithPartEncoding(gomail.EncodingB64))
	}
	for _, f := range c.Files {
		if err := m.AttachReader(f.Name, bytes.NewReader(f.Content), gomail.WithFileContentType(gomail.ContentType(f.Type))); err != nil {
			return nil, fmt.Errorf("attach a file: %w", err)
		}
	}
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write a mail: %w", err)
	}
	if key == nil {
		return out.Bytes(), nil
	}
	return sign(out.Bytes(), m, p, key)
}

func addTo(m *gomail.Msg, a Address) error {
	if a.Name == "" {
		return m.To(a.Email)
	}
	return m.AddToFormat(a.Name, a.Email)
}

// crlf makes every line end as the form demands.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
