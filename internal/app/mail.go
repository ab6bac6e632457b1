package app

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// post sends the mails of a workspace.
type post struct {
	*mail.Queue
	dispatcher *mail.Dispatcher
}

// newPost makes the sender of mails and gives its settings to the edge.
func (w *workspace) newPost(keys *crypt.Keyring) error {
	a := w.app
	networks, err := httpc.Networks(a.Config.MailNetworks)
	if err != nil {
		return fmt.Errorf("mail_networks: %w", err)
	}
	vault := mailVault{sealer{keys, "mail"}}
	client := &mail.Client{Guard: &httpc.Guard{Allowed: networks}, Vault: vault, Clock: a.Clock, Roots: a.MailRoots, Name: a.greeting()}
	w.post.Queue = &mail.Queue{Store: sqlstore.NewMails(w.store), Vault: vault, Clock: a.Clock, IDs: a.ids}
	w.post.dispatcher = mail.NewDispatcher(mail.DispatcherConfig{Queue: w.post.Queue, Client: client, Log: a.Log, Seed: uint64(a.ids.Next()), Sole: a.embedded(), Counted: a.metrics.Mail}) //nolint:gosec // jitter
	w.post.Notify = w.post.dispatcher.Notify
	w.edge.Post, w.edge.Office = w.post.Queue, office{w}
	w.edge.Mail = mail.New(mail.Config{Queue: w.post.Queue, Client: client, Forgive: w.post.dispatcher.Forgive})
	return nil
}

// feed runs what sends.
func (p *post) feed(ctx context.Context, w *workspace, group *sync.WaitGroup) {
	w.own(ctx, group, "mails", p.dispatcher.Run)
}

// greeting is the name by which mail servers are greeted: the host that people see, else that of the machine.
func (a *App) greeting() string {
	if u, err := url.Parse(a.Config.PublicURL); err == nil && strings.Contains(u.Hostname(), ".") {
		return u.Hostname()
	}
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") {
		return name
	}
	return "localhost"
}

// sealer seals under one data key for each subject.
type sealer struct {
	keys   *crypt.Keyring
	object string
}

func (v sealer) place(subject id.ID, field string) crypt.Place {
	return crypt.Place{Object: v.object, Field: field, Record: subject}
}

// NewKey makes a data key and gives its wrapped form.
func (v sealer) NewKey(subject id.ID) ([]byte, error) {
	key, wrapped, err := v.keys.NewKey(subject)
	if err == nil {
		v.keys.Remember(subject, key)
	}
	return wrapped, err
}

// Seal encrypts a value of a subject.
func (v sealer) Seal(wrapped []byte, subject id.ID, field string, plain []byte) ([]byte, error) {
	key, err := v.keys.Unwrap(subject, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keys.Seal(key, v.place(subject, field), plain), nil
}

// Open decrypts a value of a subject.
func (v sealer) Open(wrapped []byte, subject id.ID, field string, sealed []byte) ([]byte, error) {
	key, err := v.keys.Unwrap(subject, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keys.Open(key, v.place(subject, field), sealed)
}

// mailVault implements mail.Vault.
type mailVault struct{ sealer }

// Blind implements mail.Vault: addresses are compared without regard to case.
func (v mailVault) Blind(address string) string {
	return v.keys.Blind("mail", strings.ToLower(address))
}

// mailSettings are the settings of mail that are no profile's.
type mailSettings struct {
	Address string `json:"address"`
}

// mailSettingsKey is where they are kept.
const mailSettingsKey = "mail"

// office implements api.PostOffice.
type office struct{ w *workspace }

// Address implements api.PostOffice: what was said in the settings, else the boot setting.
func (o office) Address(ctx context.Context) (string, error) {
	var s mailSettings
	if _, err := o.w.store.Setting(ctx, mailSettingsKey, &s); err != nil {
		return "", err
	}
	if s.Address == "" {
		s.Address = strings.TrimSuffix(o.w.app.Config.PublicURL, "/")
	}
	return s.Address, nil
}

// SetAddress implements api.PostOffice.
func (o office) SetAddress(ctx context.Context, origin string) error {
	return o.w.store.SetSetting(ctx, mailSettingsKey, mailSettings{Address: origin})
}

// Reachable implements api.PostOffice.
func (o office) Reachable(ctx context.Context) (bool, error) {
	ready, err := o.w.post.Ready(ctx)
	if err != nil || !ready {
		return false, err
	}
	address, err := o.Address(ctx)
	return address != "", err
}
