package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// The part mails: a campaign of rendered, personalised and signed mails handed to a mail server of this machine that takes everything.
const (
	mailPeople   = 20_000
	mailTogether = 500
	mailSaid     = 1000 // consents in one request
	mailGoal     = 50_000
	mailMost     = 1200 * time.Microsecond // of processor time a mail, with a signature of RSA-2048
	mailMemory   = 200 << 20
)

// sink takes mails and throws them away.
type sink struct {
	net.Listener
	got   atomic.Int64
	bytes atomic.Int64
	dials atomic.Int64
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{Listener: l}
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			s.dials.Add(1)
			go s.take(c)
		}
	}()
	return s, nil
}

func (s *sink) port() int {
	if a, ok := s.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// take speaks with one client until it leaves.
func (s *sink) take(c net.Conn) {
	defer func() { _ = c.Close() }()
	in, out := bufio.NewReaderSize(c, 64<<10), bufio.NewWriter(c)
	say := func(text string) bool {
		_, _ = out.WriteString(text + "\r\n") // Flush says so
		return in.Buffered() > 0 || out.Flush() == nil
	}
	if !say("220 sink") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		ok := true
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "EHLO":
			ok = say("250-sink\r\n250-PIPELINING\r\n250 8BITMIME")
		case "DATA":
			ok = say("354 go on")
			for ok {
				line, err := in.ReadSlice('\n')
				if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
					return
				}
				s.bytes.Add(int64(len(line)))
				if string(line) == ".\r\n" {
					s.got.Add(1)
					ok = say("250 taken")
					break
				}
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			ok = say("250 yes")
		}
		if !ok {
			return
		}
	}
}

func (s *settings) measureMails(ctx context.Context, d *document) error {
	to, err := newSink()
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }()
	people := mailPeople
	if s.seconds < 20 {
		people /= 10
	}
	p, err := fresh(ctx, s, "mails", "CNY", "Asia/Shanghai")
	if err != nil {
		return err
	}
	p.more = []string{"GUANXI_MAIL_NETWORKS=127.0.0.0/8", "GUANXI_PUBLIC_URL=https://crm.example.com"}
	if _, err := p.start(ctx); err != nil {
		return err
	}
	defer p.stop()
	progress("%d mails: people who agreed", people)
	key, err := p.readers(people, to.port())
	if err != nil {
		return err
	}
	if err := p.quiet(); err != nil {
		return err
	}
	progress("%d mails: sending (process %d)", people, p.server.Process.Pid)
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.server.Process.Pid), []byte("5"), 0o600) // the peak of what comes; where it cannot be, of all
	before, began := p.processor(), time.Now()
	if err := p.call(http.MethodPost, "/campaigns/"+key+"/start", obj{"version": 1}, nil); err != nil {
		return err
	}
	for to.got.Load() < int64(people) {
		if time.Sleep(20 * time.Millisecond); time.Since(began) > 10*time.Minute || ctx.Err() != nil {
			return fmt.Errorf("%d of %d mails arrived", to.got.Load(), people)
		}
	}
	took := time.Since(began)
	cpu, peak := (p.processor()-before)/time.Duration(people), p.resident("VmHWM")
	minute := float64(people) / took.Minutes()
	d.section("A campaign of %s mails, rendered, personalised and signed, to a mail server of this machine", thousands(people))
	d.goal("mails a minute, audience and gates included", fmt.Sprintf("%.0f", minute), fmt.Sprintf("%.1f s, %.1f kB a mail, %d connections", took.Seconds(), float64(to.bytes.Load())/float64(people)/1024, to.dials.Load()), minute >= mailGoal, thousands(mailGoal))
	d.goal("processor time of a mail", fmt.Sprintf("%.2f ms", float64(cpu)/1e6), "gates, rendering, signature, hand-over, ledger", cpu <= mailMost, "1.2 ms")
	d.goal("memory at most", fmt.Sprintf("%d MB", peak>>20), "while sending", peak <= mailMemory, "200 MB")
	progress("%.0f mails a minute, %.2f ms of processor time each, %d MB", minute, float64(cpu)/1e6, peak>>20)
	return nil
}

// readers makes people who agreed to mails, a mail server and a campaign to all of them, and answers with its key.
func (p *program) readers(n, port int) (string, error) {
	var made struct{ ID string }
	profile := obj{"name": "sink", "host": "127.0.0.1", "port": port, "security": "none", "from_name": "Bench", "from_address": "office@example.com"}
	if err := p.call(http.MethodPost, "/mail/profiles", profile, &made); err != nil {
		return "", err
	}
	if err := p.call(http.MethodPost, "/mail/profiles/"+made.ID+"/key", obj{"selector": "g1"}, nil); err != nil {
		return "", err
	}
	if err := p.call(http.MethodPatch, "/mail/profiles/"+made.ID, obj{"sign": true}, nil); err != nil {
		return "", err
	}
	for from := 0; from < n; from += mailTogether {
		var ops []obj
		for i := from; i < min(from+mailTogether, n); i++ {
			ops = append(ops, obj{"op": "create", "fields": obj{"name": fmt.Sprintf("客户%d", i), "external_id": fmt.Sprintf("m%d", i), "email": fmt.Sprintf("m%d@example.org", i)}})
		}
		if err := p.call(http.MethodPost, "/records/customer/batch", obj{"atomic": true, "operations": ops}, nil); err != nil {
			return "", err
		}
	}
	for from := 0; from < n; from += mailSaid {
		var said []obj
		for i := from; i < min(from+mailSaid, n); i++ {
			said = append(said, obj{"customer": fmt.Sprintf("m%d", i), "purpose": "marketing", "channel": "email", "state": "given", "source": "form"})
		}
		if err := p.call(http.MethodPost, "/consents/import", obj{"by": "external_id", "items": said}, nil); err != nil {
			return "", err
		}
	}
	if err := p.call(http.MethodPost, "/segments", obj{"key": "readers", "label": "readers", "kind": "dynamic", "where": obj{"field": "email", "op": "is_set"}}, nil); err != nil {
		return "", err
	}
	blocks := []obj{{"kind": "heading", "text": "春装到店"}, {"kind": "text", "text": "{{ customer.name }}，您好。**全场八折**，[看看新品](https://shop.example/new)，截至 {{ today | date: \"%-m月%-d日\" }}。"},
		{"kind": "button", "text": "去看看", "url": "https://shop.example/sale"}, {"kind": "divider"}, {"kind": "text", "text": "{% if customer.region %}离您最近的门店在{{ customer.region }}。{% else %}全国门店都有货。{% endif %}"}}
	body := obj{"locale": "zh-CN", "documents": obj{"zh-CN": obj{"subject": "{{ customer.name }}，春装到店", "blocks": blocks}}}
	if err := p.call(http.MethodPost, "/templates", obj{"name": "bench", "channel": "email", "body": body}, &made); err != nil {
		return "", err
	}
	plan := obj{"segments": []string{"readers"}, "except": []string{}, "purpose": "marketing", "variants": []obj{{"key": "a", "template": made.ID, "weight": 1}}, "holdout": 0, "start": nil, "local": false, "per_minute": 0,
		"drop_quiet": false, "wait_cap": false, "days": 14, "cost": 0, "fixed": 0, "margin": 0, "profile": "", "utm_source": "guanxi", "utm_medium": "email", "utm_campaign": "bench"}
	err := p.call(http.MethodPost, "/campaigns", obj{"name": "bench", "channel": "email", "plan": plan}, &made)
	return made.ID, err
}
