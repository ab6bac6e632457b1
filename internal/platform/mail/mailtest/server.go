// Package mailtest is a mail server for tests: it speaks SMTP with STARTTLS or TLS from the first byte and AUTH PLAIN and LOGIN
// on a port of this machine, keeps what it is given, and can be told to refuse or to break off at any command.
package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Message is what was given to the server.
type Message struct {
	From, To string
	User     string // who was signed in; "" for nobody
	TLS      bool
	Data     string
}

// Hang as an answer breaks the connection off without one.
const Hang = "hang"

// Options say how the server behaves.
type Options struct {
	User, Password string // asked for when there is a user
	TLS            bool   // from the first byte
	NoSTARTTLS     bool
	// Answer replaces the answer to a command when it is not "": "MAIL", "RCPT", "DATA", "." (the end of the content) and so on.
	Answer func(command, argument string) string
}

// Server is a running server.
type Server struct {
	Host  string // a name whose certificate it shows
	Port  int
	Roots *x509.CertPool

	listener net.Listener
	config   *tls.Config
	options  Options
	mu       sync.Mutex
	answer   func(command, argument string) string
	got      []Message
	dials    int
	wake     chan struct{}
	group    sync.WaitGroup
	open     map[net.Conn]bool
}

// New starts a server that ends with the test.
func New(t *testing.T, o Options) *Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	port := 0
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		port = a.Port
	}
	s := &Server{Host: "127.0.0.1", Port: port, Roots: x509.NewCertPool(), listener: l, options: o, answer: o.Answer, wake: make(chan struct{}), open: map[net.Conn]bool{},
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}}
	s.Roots.AddCert(leaf)
	s.group.Go(s.serve)
	t.Cleanup(s.Close)
	return s
}

// Close ends the server with every connection.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.group.Wait()
}

// Answers changes how the server answers.
func (s *Server) Answers(fn func(command, argument string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = fn
}

// Messages are those given so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Dials counts connections.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Wait waits until there are n messages, half a minute at most, and gives them.
func (s *Server) Wait(t *testing.T, n int) []Message {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for {
		s.mu.Lock()
		got, wake := slices.Clone(s.got), s.wake
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-wake:
		case <-limit.C:
			t.Fatalf("%d mails came, %d were awaited", len(got), n)
		}
	}
}

func (s *Server) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.dials++
		s.open[c] = true
		s.mu.Unlock()
		s.group.Go(func() {
			(&dialogue{s: s, raw: c}).run()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
			_ = c.Close()
		})
	}
}

// dialogue is one connection.
type dialogue struct {
	s       *Server
	raw     net.Conn
	r       *textproto.Reader
	now     Message
	ended   bool
	secured bool
}

func (d *dialogue) use(c net.Conn) {
	d.raw, d.r = c, textproto.NewReader(bufio.NewReader(c))
}

func (d *dialogue) say(text string) {
	if _, err := fmt.Fprintf(d.raw, "%s\r\n", text); err != nil {
		d.ended = true
	}
}

// told gives the answer that a test wants; done when it was given.
func (d *dialogue) told(command, argument string) (done bool) {
	d.s.mu.Lock()
	fn := d.s.answer
	d.s.mu.Unlock()
	if fn == nil {
		return false
	}
	switch a := fn(command, argument); a {
	case "":
		return false
	case Hang:
		d.ended = true
	default:
		d.say(a)
	}
	return true
}

func (d *dialogue) run() {
	d.use(d.raw)
	if d.s.options.TLS {
		d.use(tls.Server(d.raw, d.s.config))
		d.secured = true
	}
	if d.told("CONNECT", "") {
		return
	}
	d.say("220 test ESMTP")
	for !d.ended {
		line, err := d.r.ReadLine()
		if err != nil {
			return
		}
		command, argument, _ := strings.Cut(line, " ")
		command = strings.ToUpper(command)
		if d.told(command, argument) {
			continue
		}
		d.obey(command, argument)
	}
}

func (d *dialogue) obey(command, argument string) {
	switch command {
	case "EHLO", "HELO":
		d.say("250-test")
		if !d.secured && !d.s.options.NoSTARTTLS {
			d.say("250-STARTTLS")
		}
		if d.s.options.User != "" {
			d.say("250-AUTH PLAIN LOGIN")
		}
		d.say("250 ENHANCEDSTATUSCODES")
	case "STARTTLS":
		d.say("220 go ahead")
		d.use(tls.Server(d.raw, d.s.config))
		d.secured = true
	case "AUTH":
		d.auth(argument)
	case "MAIL":
		if d.s.options.User != "" && d.now.User == "" {
			d.say("530 5.7.0 sign in first")
			return
		}
		d.now.From = bare(argument)
		d.say("250 2.1.0 ok")
	case "RCPT":
		d.now.To = bare(argument)
		d.say("250 2.1.5 ok")
	case "DATA":
		d.data()
	case "RSET", "NOOP":
		d.say("250 ok")
	case "QUIT":
		d.say("221 bye")
		d.ended = true
	default:
		d.say("500 what?")
	}
}

// bare is the address of MAIL FROM:<a> or RCPT TO:<a>.
func bare(argument string) string {
	_, rest, _ := strings.Cut(argument, "<")
	a, _, _ := strings.Cut(rest, ">")
	return a
}

func (d *dialogue) auth(argument string) {
	way, first, _ := strings.Cut(argument, " ")
	var user, password string
	switch strings.ToUpper(way) {
	case "PLAIN":
		raw, _ := base64.StdEncoding.DecodeString(first)
		if parts := strings.Split(string(raw), "\x00"); len(parts) == 3 {
			user, password = parts[1], parts[2]
		}
	case "LOGIN":
		for _, p := range []struct {
			ask string
			to  *string
		}{{"Username:", &user}, {"Password:", &password}} {
			d.say("334 " + base64.StdEncoding.EncodeToString([]byte(p.ask)))
			line, err := d.r.ReadLine()
			if err != nil {
				return
			}
			raw, _ := base64.StdEncoding.DecodeString(line)
			*p.to = string(raw)
		}
	}
	if user != d.s.options.User || password != d.s.options.Password {
		d.say("535 5.7.8 the password is wrong")
		return
	}
	d.now.User = user
	d.say("235 2.7.0 ok")
}

func (d *dialogue) data() {
	d.say("354 go on")
	raw, err := d.r.ReadDotBytes()
	if err != nil {
		return
	}
	m := d.now
	m.Data, m.TLS = string(raw), d.secured
	d.now = Message{User: d.now.User}
	d.s.mu.Lock()
	refuse := d.s.answer
	d.s.mu.Unlock()
	if refuse != nil {
		switch a := refuse(".", m.To); {
		case a == Hang: // it was taken, and nobody is told
			d.keep(m)
			d.ended = true
			return
		case a != "":
			d.say(a)
			return
		}
	}
	d.keep(m)
	d.say("250 2.0.0 taken")
}

func (d *dialogue) keep(m Message) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.s.got = append(d.s.got, m)
	close(d.s.wake)
	d.s.wake = make(chan struct{})
}
