package mail

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/wneessen/go-mail/smtp"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
)

const (
	dialTimeout = 20 * time.Second
	stepTimeout = 60 * time.Second // of a command and its answer
	dataTimeout = 5 * time.Minute  // of the content and its answer
	replyKept   = 300              // characters of a server's answer
)

// Step is one step of a conversation with a server, for a diagnosis.
type Step struct {
	Name  string // resolve, connect, greeting, tls, auth, sender, recipient, content
	Took  time.Duration
	Error string // a code; "" when it went well
	Code  int    // of the server's answer; 0 without one
	Reply string // without addresses
	Info  string // what was found: an address, a version of TLS, a way to sign in
}

// failure is why a step failed.
type failure struct {
	reason string // a code
	code   int
	reply  string
	// permanent says that asking again is no use; ours, that it concerns the profile and not the message.
	permanent, ours bool
	// stop says that the address is at fault.
	stop bool
	// taken says that the server may have taken the message.
	taken bool
}

func (f *failure) Error() string { return f.reason }

// Client speaks with mail servers.
type Client struct {
	Guard *httpc.Guard
	Vault Vault
	Clock clock.Clock
	// Roots are the authorities that are believed; nil for those of the machine.
	Roots *x509.CertPool
	// Resolver answers names; nil is the machine's.
	Resolver *net.Resolver
	// Name is how we greet; "" for localhost.
	Name string
}

// conn is a signed-in connection.
type conn struct {
	*smtp.Client
	raw   net.Conn
	key   crypto.Signer // nil for no signature
	steps []Step
}

func (c *conn) close() {
	_ = c.raw.SetDeadline(clock.System{}.Now().Add(2 * time.Second))
	if c.Client != nil && c.Quit() == nil {
		return
	}
	_ = c.raw.Close()
}

func (c *conn) limit(d time.Duration) { _ = c.raw.SetDeadline(clock.System{}.Now().Add(d)) }

// track notes a step.
func (x *Client) track(c *conn, name string, began time.Time, f *failure, info string) *failure {
	s := Step{Name: name, Took: x.Clock.Now().Sub(began), Info: info}
	if f != nil {
		s.Error, s.Code, s.Reply = f.reason, f.code, f.reply
	}
	c.steps = append(c.steps, s)
	return f
}

// connect dials, protects the connection and signs in. The connection is given back in any case, for its steps.
func (x *Client) connect(ctx context.Context, p *Profile) (*conn, error) {
	c := &conn{}
	if f := x.dial(ctx, c, p); f != nil {
		return c, f
	}
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := x.handshake(c, p)
	if err == nil {
		err = x.login(c, p)
	}
	if err == nil {
		c.key, err = x.signingKey(p)
	}
	if err != nil {
		_ = c.raw.Close()
		c.Client = nil
		return c, err
	}
	return c, nil
}

func (x *Client) dial(ctx context.Context, c *conn, p *Profile) *failure {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	began := x.Clock.Now()
	resolver := x.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	found, err := resolver.LookupNetIP(ctx, "ip", p.Host)
	if err != nil || len(found) == 0 {
		return x.track(c, "resolve", began, &failure{reason: ErrResolve, ours: true}, "")
	}
	x.track(c, "resolve", began, nil, found[0].Unmap().String())
	began = x.Clock.Now()
	d := &net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("address to dial: %w", err)
		}
		if p.Security == Plain && !x.Guard.Allows(ap.Addr()) {
			return &httpc.Refused{Addr: ap.Addr()}
		}
		return x.Guard.Check(ap.Addr())
	}}
	var last error
	for _, a := range found { // the very addresses that were found: a name that answers differently a second time changes nothing
		var raw net.Conn
		raw, last = d.DialContext(ctx, "tcp", net.JoinHostPort(a.Unmap().String(), strconv.Itoa(p.Port)))
		if last == nil {
			c.raw = raw
			x.track(c, "connect", began, nil, raw.RemoteAddr().String())
			return nil
		}
	}
	return x.track(c, "connect", began, failed(last, ErrConnect), "")
}

// failed makes a failure of the profile from an error of the network.
func failed(err error, fallback string) *failure {
	var refused *httpc.Refused
	var timeout net.Error
	var answer *textproto.Error
	f := &failure{reason: fallback, ours: true}
	switch {
	case errors.As(err, &refused):
		f.reason = ErrRefused
	case errors.As(err, &answer):
		f.code, f.reply = answer.Code, tidy(answer.Msg)
		f.permanent = answer.Code >= 500
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f.reason = ErrTimeout
	}
	return f
}

func (x *Client) handshake(c *conn, p *Profile) error {
	conf := &tls.Config{ServerName: p.Host, MinVersion: tls.VersionTLS12, RootCAs: x.Roots}
	c.limit(stepTimeout)
	stream := c.raw
	if p.Security == TLS {
		began := x.Clock.Now()
		t := tls.Client(c.raw, conf)
		if err := t.Handshake(); err != nil {
			return x.track(c, "tls", began, failed(err, ErrTLS), certificate(err))
		}
		x.track(c, "tls", began, nil, tls.VersionName(t.ConnectionState().Version))
		stream = t
	}
	began := x.Clock.Now()
	client, err := smtp.NewClient(stream, p.Host)
	if err == nil {
		name := x.Name
		if name == "" {
			name = "localhost"
		}
		err = client.Hello(name)
	}
	if err != nil {
		return x.track(c, "greeting", began, failed(err, ErrGreeting), "")
	}
	c.Client = client
	client.SkipSMTPUTF8(true)
	x.track(c, "greeting", began, nil, "")
	if p.Security != STARTTLS {
		return nil
	}
	began = x.Clock.Now()
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return x.track(c, "tls", began, &failure{reason: ErrNoTLS, ours: true}, "")
	}
	if err := client.StartTLS(conf); err != nil {
		return x.track(c, "tls", began, failed(err, ErrTLS), certificate(err))
	}
	state, _ := client.TLSConnectionState()
	x.track(c, "tls", began, nil, tls.VersionName(state.Version))
	return nil
}

// certificate says what is wrong with a certificate, in the words of the library.
func certificate(err error) string {
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		return tidy(bad.Err.Error())
	}
	return ""
}

func (x *Client) login(c *conn, p *Profile) error {
	if p.Username == "" {
		return nil
	}
	began := x.Clock.Now()
	password, err := x.Vault.Open(p.Wrapped, p.ID, sealedPassword, p.Password)
	if err != nil {
		return x.track(c, "auth", began, &failure{reason: ErrSealed, ours: true, permanent: true}, "")
	}
	_, offered := c.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(strings.ReplaceAll(offered, "=", " ")))
	open := p.Security == Plain // the guard let it through: the operator's own network
	for _, w := range []struct {
		name string
		auth smtp.Auth
	}{
		{"SCRAM-SHA-256", smtp.ScramSHA256Auth(p.Username, string(password))},
		{"PLAIN", smtp.PlainAuth("", p.Username, string(password), p.Host, open)},
		{"LOGIN", smtp.LoginAuth(p.Username, string(password), p.Host, open)},
		{"CRAM-MD5", smtp.CRAMMD5Auth(p.Username, string(password))},
	} {
		if !slices.Contains(ways, w.name) {
			continue
		}
		if err := c.Auth(w.auth); err != nil {
			return x.track(c, "auth", began, failed(err, ErrAuth), w.name)
		}
		x.track(c, "auth", began, nil, w.name)
		return nil
	}
	return x.track(c, "auth", began, &failure{reason: ErrNoAuth, ours: true}, strings.Join(ways, " "))
}

func (x *Client) signingKey(p *Profile) (crypto.Signer, error) {
	if !p.On || p.Key == nil {
		return nil, nil //nolint:nilnil // no signature
	}
	raw, err := x.Vault.Open(p.Wrapped, p.ID, sealedKey, p.Key)
	if err == nil {
		var key any
		if key, err = x509.ParsePKCS8PrivateKey(raw); err == nil {
			if k, ok := key.(*rsa.PrivateKey); ok {
				return k, nil
			}
		}
	}
	return nil, &failure{reason: ErrSealed, ours: true, permanent: true}
}

// send speaks about one message over a connection. claim is asked right before the content goes out; what it answers ends the
// conversation about this message without a failure. The error is a failure.
func (x *Client) send(c *conn, from, to string, raw []byte, claim func() error) error {
	began := x.Clock.Now()
	c.limit(stepTimeout)
	if err := c.Mail("<" + from + ">"); err != nil {
		f := answered(err, ErrSender)
		f.ours = f.code == 0 || f.permanent
		return x.track(c, "sender", began, f, "")
	}
	x.track(c, "sender", began, nil, "")
	began = x.Clock.Now()
	if err := c.Rcpt("<" + to + ">"); err != nil {
		f := answered(err, ErrAddress)
		f.stop = f.permanent && aboutAddress(f.reply)
		return x.track(c, "recipient", began, f, "")
	}
	x.track(c, "recipient", began, nil, "")
	if err := claim(); err != nil {
		return err
	}
	began = x.Clock.Now()
	f := x.data(c, raw)
	return orNone(x.track(c, "content", began, f, ""))
}

// orNone keeps a nil failure from becoming an error that is not nil.
func orNone(f *failure) error {
	if f == nil {
		return nil
	}
	return f
}

func (x *Client) data(c *conn, raw []byte) *failure {
	c.limit(stepTimeout)
	w, err := c.Data()
	if err != nil {
		return answered(err, ErrContent)
	}
	c.limit(dataTimeout)
	if _, err = io.Copy(w, strings.NewReader(string(raw))); err == nil {
		err = w.Close()
	}
	if err == nil {
		return nil
	}
	f := answered(err, ErrContent)
	f.taken = f.code == 0
	return f
}

// answered makes a failure of an error about one message.
func answered(err error, fallback string) *failure {
	f := failed(err, ErrBroken)
	f.ours = f.code == 0
	switch {
	case f.code >= 500:
		f.reason = fallback
	case f.code > 0:
		f.reason, f.ours = ErrTemporary, f.code == 421
	}
	return f
}

var enhanced = regexp.MustCompile(`^([245])\.(\d{1,3})\.(\d{1,3})\b`)

// aboutAddress reports whether a refusal is about the mailbox (RFC 3463: class 1 and 2) and not about us.
func aboutAddress(reply string) bool {
	m := enhanced.FindStringSubmatch(reply)
	return m == nil || m[2] == "1" && m[3] != "7" && m[3] != "8" || m[2] == "2" && m[3] == "1"
}

var mailbox = regexp.MustCompile(`[^\s<>"'(),:;=\[\]]+@[^\s<>"'(),:;=\[\]]+`)

// tidy is a server's answer in one line, without addresses.
func tidy(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(mailbox.ReplaceAllString(text, "•••"), "\uFFFD")), " ")
	if utf8.RuneCountInString(text) > replyKept {
		text = string([]rune(text)[:replyKept-1]) + "…"
	}
	return text
}
