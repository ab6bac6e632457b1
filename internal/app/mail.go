package app

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/engage/invite"
	"github.com/guanxi-crm/guanxi/internal/engage/letter"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// post sends the mails of a workspace.
type post struct {
	*mail.Queue
	dispatcher *mail.Dispatcher
	mailer     *talk.Mailer
}

// newPost makes the sender of mails, and the accounts of the other channels, and gives their settings to the edge.
func (w *workspace) newPost(keys *crypt.Keyring) error {
	a := w.app
	networks, err := httpc.Networks(a.Config.MailNetworks)
	if err != nil {
		return fmt.Errorf("mail_networks: %w", err)
	}
	vault := mailVault{sealer{keys, "mail"}}
	client := &mail.Client{Guard: &httpc.Guard{Allowed: networks}, Vault: vault, Clock: a.Clock, Roots: a.MailRoots, Name: a.greeting()}
	w.post.Queue = &mail.Queue{Store: sqlstore.NewMails(w.store), Vault: vault, Clock: a.Clock, IDs: a.ids}
	w.post.dispatcher = mail.NewDispatcher(mail.DispatcherConfig{Queue: w.post.Queue, Client: client, Log: a.Log, Seed: uint64(a.ids.Next()), Counted: a.metrics.Mail, Finished: w.mailFinished}) //nolint:gosec // jitter
	w.post.Notify = w.post.dispatcher.Notify
	w.post.mailer = &talk.Mailer{Service: w.talk, Store: sqlstore.NewTalk(w.store), Post: w.post.Queue, Address: office{w}.Address, As: w.as, Words: a.words.Text, Sign: keys.Sign, Verify: keys.Verify,
		Prefix: func(object string) string { return w.registry().Object(object).Prefix }, Workspace: w.info.Key, Name: w.info.Name, Zone: w.zoneOf}
	w.edge.Notices = w.post.mailer
	w.edge.Letters = letter.New(letter.Config{Records: w.records, Registry: w.registry, Mail: w.post.Queue, Family: w.store.Family, Clock: a.Clock, Consent: w.letterConsent, Foot: w.letterFoot, Email: func(ctx context.Context, user id.ID) (string, error) {
		p, _, err := members{a, w.info.Key}.Person(ctx, user)
		return p.Email, err
	}})
	w.edge.Timeline.WithLetters(written{w.edge.Letters})
	w.edge.Guests = invite.New(invite.Config{Store: sqlstore.NewGuests(w.store), Records: w.records, Mail: w.post.Queue, Vault: vault, Words: func(locale, key string, params map[string]any) string {
		return a.words.Text(lang.Locale(locale), key, params)
	}, Workspace: w.info.Key, Name: w.info.Name, Locale: w.info.Locale, Zone: w.zoneOf, Clock: a.Clock, IDs: a.ids, Person: func(ctx context.Context, user id.ID) (string, string, error) {
		p, _, err := members{a, w.info.Key}.Person(ctx, user)
		return p.Name, p.Email, err
	}})
	w.edge.Post, w.edge.Office, w.edge.Returned = w.post.Queue, office{w}, returnedMails{w, keys}
	w.edge.Mail = mail.New(mail.Config{Queue: w.post.Queue, Client: client, Forgive: w.post.dispatcher.Forgive})
	return w.newChannels(keys)
}

// feed runs what sends.
func (p *post) feed(ctx context.Context, w *workspace, group *sync.WaitGroup) {
	w.own(ctx, group, "mails", p.dispatcher.Run)
	w.own(ctx, group, "notifications by mail", p.mailer.Run)
}

// as is a context in which a person acts with the rights of the moment; Forbidden for who has left or was shut out.
func (w *workspace) as(ctx context.Context, user id.ID) (context.Context, error) {
	who, err := w.app.auth.Present(ctx, w.info.Key, access.ByUser, user)
	if err != nil {
		return nil, err
	}
	who.Person = user
	if who, err = w.edge.Rights.Resolve(ctx, who); err != nil {
		return nil, err
	}
	return access.With(ctx, who), nil
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
	return v.keys.Fixed("mail", strings.ToLower(address))
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

// written are letters for the timeline.
type written struct{ letters *letter.Service }

// Letters implements timeline.Letters.
func (w written) Letters(ctx context.Context, rec id.ID, until time.Time, limit int) ([]timeline.Written, error) {
	list, err := w.letters.About(ctx, rec, until, limit)
	out := make([]timeline.Written, len(list))
	for i, l := range list {
		out[i] = timeline.Written{ID: l.ID, At: l.At, By: l.By, To: l.To, Subject: l.Subject, Text: l.Text, State: string(l.State), Reason: l.Reason, Rule: l.Rule}
	}
	return out, err
}
