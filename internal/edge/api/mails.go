package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// PostOffice is the settings of mail that are no profile's.
type PostOffice interface {
	// Address is the origin that links in mails lead to, "" while nobody said it.
	Address(ctx context.Context) (string, error)
	SetAddress(ctx context.Context, origin string) error
	// Reachable reports whether mails with links can be sent.
	Reachable(ctx context.Context) (bool, error)
}

// mailRoutes are for administrators, but for what everybody may know. Every line that changes something leaves a note in the trail.
func (a *API) mailRoutes() []route {
	r := access.MailManage
	return []route{
		{method: get, path: "/mail/state", need: signedIn, run: op(a.mailState), doc: "Whether mails can be sent"},
		{method: get, path: "/mail/profiles", need: right, right: r, run: op(a.listProfiles), doc: "Mail servers with their health"},
		{method: post, path: "/mail/profiles", need: right, right: r, run: op(a.createProfile), doc: "Add a mail server", status: http.StatusCreated, secret: true},
		{method: patch, path: "/mail/profiles/{id}", need: right, right: r, run: op(a.patchProfile), doc: "Change a mail server", secret: true},
		{method: del, path: "/mail/profiles/{id}", need: right, right: r, run: op(a.deleteProfile), doc: "Delete a mail server; what waits for it goes through the standard one"},
		{method: post, path: "/mail/profiles/{id}/test", need: right, right: r, run: op(a.testProfile), doc: "Send a test mail now and tell each step", secret: true},
		{method: post, path: "/mail/profiles/{id}/key", need: right, right: r, run: op(a.keyOfProfile), doc: "Make a new DKIM key; it signs once it is turned on"},
		{method: patch, path: "/mail/settings", need: right, right: r, run: op(a.patchMailSettings), doc: "Change the address that links in mails lead to"},
		{method: get, path: "/mail/messages", need: right, right: r, run: op(a.listMails), doc: "Mails that wait and that were sent, newest first; addresses are masked"},
		{method: post, path: "/mail/messages/replay", need: right, right: r, run: op(a.replayMails), doc: "Send mails again that failed, were cancelled, or whose fate is unknown"},
		{method: post, path: "/mail/messages/cancel", need: right, right: r, run: op(a.cancelMails), doc: "Do not send mails that wait, or set aside those whose fate is unknown"},
		{method: get, path: "/notifications/mail", need: person, run: op(a.mailPreferences), doc: "When notifications reach me by mail"},
		{method: patch, path: "/notifications/mail", need: person, run: op(a.setMailPreferences), doc: "Change when notifications reach me by mail"},
		{method: get, path: "/mail/stop/{token}", need: open, run: op(a.lookAtStop), doc: "What a link at the end of a mail would stop; stops nothing"},
		{method: post, path: "/mail/stop/{token}", need: open, run: op(a.stopMails), doc: "Stop mails of a kind by the link of one (RFC 8058)", secret: true},
		{method: post, path: "/mail/returned/{token}", need: open, run: op(a.mailReturned), doc: "A delivery report (RFC 3464) or a complaint (RFC 5965) as it came, at the address of a mail server", stream: true},
		{method: get, path: "/mail/addresses", need: right, right: r, run: op(a.listStopped), doc: "Addresses that take no mail any more"},
		{method: post, path: "/mail/addresses/release", need: right, right: r, run: op(a.releaseAddress), doc: "Send to an address again"},
	}
}

// ReturnedMails takes mails that came back, at an address of each mail server.
type ReturnedMails interface {
	Token(profile id.ID) string
	Take(ctx context.Context, token string, raw []byte) error
}

// MailState is what everybody may know of mail.
type MailState struct {
	Ready     bool   `json:"ready" doc:"there is an active standard server"`
	Reachable bool   `json:"reachable" doc:"mails with links can be sent too: the address of the site is known"`
	Address   string `json:"address" doc:"the origin that links lead to"`
}

func (a *API) mailState(ctx context.Context, c *call, _ struct{}) (MailState, error) {
	var out MailState
	var err error
	if out.Ready, err = c.ws.Post.Ready(ctx); err != nil {
		return out, err
	}
	if out.Address, err = c.ws.Office.Address(ctx); err != nil {
		return out, err
	}
	out.Reachable = out.Ready && out.Address != ""
	return out, nil
}

// MailProfile is a mail server. Its password is never shown again.
type MailProfile struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Host        string     `json:"host"`
	Port        int        `json:"port"`
	Security    string     `json:"security" enum:"starttls,tls,none"`
	Username    string     `json:"username"`
	HasPassword bool       `json:"has_password"`
	FromName    string     `json:"from_name"`
	FromAddress string     `json:"from_address"`
	ReplyTo     string     `json:"reply_to"`
	PerMinute   int        `json:"per_minute" doc:"0 for no limit"`
	PerHour     int        `json:"per_hour"`
	Active      bool       `json:"active"`
	Standard    bool       `json:"standard"`
	Sign        bool       `json:"sign"`
	DNSName     string     `json:"dns_name" doc:"of the DKIM record; empty without a key"`
	DNSValue    string     `json:"dns_value"`
	Version     int64      `json:"version"`
	UpdatedAt   time.Time  `json:"updated_at"`
	LastSuccess *time.Time `json:"last_success_at"`
	Failing     *time.Time `json:"failing_since"`
	LastError   string     `json:"last_error" doc:"resolve, refused, connect, timeout, greeting, no_tls, tls, no_auth, auth, sender, sealed"`
	LastReply   string     `json:"last_reply"`
	Returns     string     `json:"returns" doc:"path that takes delivery reports and complaints; it is a secret"`
}

func (p MailProfile) etag() string { return `"` + strconv.FormatInt(p.Version, 10) + `"` }

// MailProfiles is every mail server of the workspace.
type MailProfiles struct {
	Items  []MailProfile  `json:"items"`
	Counts map[string]int `json:"counts" doc:"mails by state, but for those sent"`
}

func (c *call) showProfile(p mail.Profile) MailProfile {
	out := MailProfile{ID: id.Format(mail.ProfilePrefix, p.ID), Name: p.Name, Host: p.Host, Port: p.Port, Security: string(p.Security), Username: p.Username, HasPassword: p.Password != nil,
		FromName: p.FromName, FromAddress: p.FromAddress, ReplyTo: p.ReplyTo, PerMinute: p.PerMinute, PerHour: p.PerHour, Active: p.Active, Standard: p.Standard, Sign: p.On,
		Version: p.Version, UpdatedAt: p.UpdatedAt, LastSuccess: optional(p.LastSuccess), Failing: optional(p.FailingSince), LastError: p.LastError, LastReply: p.LastReply}
	out.DNSName, out.DNSValue = p.Record()
	out.Returns = "/api/v1/mail/returned/" + c.ws.Returned.Token(p.ID)
	return out
}

func (a *API) listProfiles(ctx context.Context, c *call, _ struct{}) (MailProfiles, error) {
	out := MailProfiles{Items: []MailProfile{}, Counts: map[string]int{}}
	all, err := c.ws.Mail.List(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range all {
		out.Items = append(out.Items, c.showProfile(p))
	}
	counts, err := c.ws.Mail.Counts(ctx)
	for state, n := range counts {
		out.Counts[string(state)] = n
	}
	return out, err
}

type profileBody struct {
	Name        *string `json:"name,omitempty"`
	Host        *string `json:"host,omitempty"`
	Port        *int    `json:"port,omitempty"`
	Security    *string `json:"security,omitempty" enum:"starttls,tls,none"`
	Username    *string `json:"username,omitempty"`
	Password    *string `json:"password,omitempty" doc:"empty removes it"`
	FromName    *string `json:"from_name,omitempty"`
	FromAddress *string `json:"from_address,omitempty"`
	ReplyTo     *string `json:"reply_to,omitempty"`
	PerMinute   *int    `json:"per_minute,omitempty"`
	PerHour     *int    `json:"per_hour,omitempty"`
	Active      *bool   `json:"active,omitempty"`
	Standard    *bool   `json:"standard,omitempty"`
	Sign        *bool   `json:"sign,omitempty"`
	Version     int64   `json:"version,omitempty"`
}

func (b *profileBody) input() mail.Input {
	return mail.Input{Name: b.Name, Host: b.Host, Port: b.Port, Security: (*mail.Security)(b.Security), Username: b.Username, Password: b.Password, FromName: b.FromName, FromAddress: b.FromAddress,
		ReplyTo: b.ReplyTo, PerMinute: b.PerMinute, PerHour: b.PerHour, Active: b.Active, Standard: b.Standard, Sign: b.Sign}
}

func profileID(text string) (id.ID, error) {
	v, err := id.Parse(mail.ProfilePrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "mail.profile_not_found", nil)
	}
	return v, nil
}

type createProfileIn struct{ Body profileBody }

func (a *API) createProfile(ctx context.Context, c *call, in createProfileIn) (MailProfile, error) {
	p, err := c.ws.Mail.Create(ctx, in.Body.input())
	if err != nil {
		return MailProfile{}, err
	}
	return c.showProfile(p), a.noteProfile(ctx, c, "mail.create", p)
}

// noteProfile leaves a line in the trail: which server, and by what account it is used.
func (a *API) noteProfile(ctx context.Context, c *call, action string, p mail.Profile) error {
	return a.Auth.Note(ctx, c.who.Workspace.Key, action, "", 0, map[string]any{"profile": id.Format(mail.ProfilePrefix, p.ID), "name": p.Name, "host": p.Host, "from": p.FromAddress,
		"active": p.Active, "standard": p.Standard, "sign": p.On})
}

type patchProfileIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    profileBody
}

func (a *API) patchProfile(ctx context.Context, c *call, in patchProfileIn) (MailProfile, error) {
	key, err := profileID(in.ID)
	if err != nil {
		return MailProfile{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return MailProfile{}, err
	}
	p, err := c.ws.Mail.Update(ctx, key, version, in.Body.input())
	if err != nil {
		return MailProfile{}, err
	}
	return c.showProfile(p), a.noteProfile(ctx, c, "mail.update", p)
}

func (a *API) deleteProfile(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := profileID(in.ID)
	if err != nil {
		return empty{}, err
	}
	p, err := c.ws.Mail.Get(ctx, key)
	if err != nil {
		return empty{}, err
	}
	if err := c.ws.Mail.Delete(ctx, key); err != nil {
		return empty{}, err
	}
	return empty{}, a.noteProfile(ctx, c, "mail.delete", p)
}

func (a *API) keyOfProfile(ctx context.Context, c *call, in idIn) (MailProfile, error) {
	key, err := profileID(in.ID)
	if err != nil {
		return MailProfile{}, err
	}
	p, err := c.ws.Mail.NewKey(ctx, key)
	if err != nil {
		return MailProfile{}, err
	}
	return c.showProfile(p), a.noteProfile(ctx, c, "mail.key", p)
}

type testProfileIn struct {
	ID   string `path:"id"`
	Body struct {
		To string `json:"to,omitempty" doc:"empty for the address of the caller"`
	}
}

// MailStep is one step of a conversation with a mail server.
type MailStep struct {
	Name  string `json:"name" enum:"resolve,connect,greeting,tls,auth,sender,recipient,content"`
	Ms    int64  `json:"ms"`
	Error string `json:"error" doc:"a code, empty when it went well"`
	Reply string `json:"reply" doc:"what the server said, without addresses"`
	Info  string `json:"info"`
}

// MailTest is what became of a test mail.
type MailTest struct {
	OK    bool       `json:"ok"`
	Steps []MailStep `json:"steps"`
}

func (a *API) testProfile(ctx context.Context, c *call, in testProfileIn) (MailTest, error) {
	key, err := profileID(in.ID)
	if err != nil {
		return MailTest{}, err
	}
	if err := a.limits.allow("mail:"+c.who.Workspace.Key, Rate{PerSecond: 0.2, Burst: 10}); err != nil {
		return MailTest{}, err
	}
	p, err := c.ws.Mail.Get(ctx, key)
	if err != nil {
		return MailTest{}, err
	}
	to := strings.TrimSpace(in.Body.To)
	if to == "" {
		to = c.who.User.Email
	}
	if _, err := mail.ParseAddress(to); err != nil {
		return MailTest{}, fault.InvalidField("mail.bad_address", "to", nil)
	}
	text := func(key string) string {
		return a.Words.Text(lang.Locale(c.locale), key, map[string]any{"name": p.Name, "workspace": c.who.Workspace.Name})
	}
	letter := mail.Letter{Locale: c.locale, Workspace: c.who.Workspace.Name, Title: text("mail.letter.test_title"), Paragraphs: []string{text("mail.letter.test_text")}}
	m := letter.Message(mail.Message{Key: "test", Kind: "test", To: mail.Address{Name: c.who.User.Name, Email: to}, Subject: text("mail.letter.test_title")})
	steps, err := c.ws.Mail.Test(ctx, key, m)
	if err != nil {
		return MailTest{}, err
	}
	out := MailTest{OK: true, Steps: []MailStep{}}
	for _, s := range steps {
		reply := s.Reply
		if s.Code > 0 {
			reply = strconv.Itoa(s.Code) + " " + reply
		}
		out.OK = out.OK && s.Error == ""
		out.Steps = append(out.Steps, MailStep{Name: s.Name, Ms: s.Took.Milliseconds(), Error: s.Error, Reply: reply, Info: s.Info})
	}
	return out, a.noteProfile(ctx, c, "mail.test", p)
}

type mailSettingsIn struct {
	Body struct {
		Address string `json:"address" doc:"such as https://crm.example.com"`
	}
}

func (a *API) patchMailSettings(ctx context.Context, c *call, in mailSettingsIn) (MailState, error) {
	text := strings.TrimSuffix(strings.TrimSpace(in.Body.Address), "/")
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(text) > 300) {
		return MailState{}, fault.InvalidField("mail.bad_origin", "address", nil)
	}
	if err := c.ws.Office.SetAddress(ctx, text); err != nil {
		return MailState{}, err
	}
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "mail.settings", "", 0, map[string]any{"address": text}); err != nil {
		return MailState{}, err
	}
	return a.mailState(ctx, c, struct{}{})
}

// MailItem is a mail in the log: to whom and what is said are not shown.
type MailItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	To        string     `json:"to" doc:"masked"`
	About     *Ref       `json:"about"`
	Profile   string     `json:"profile" doc:"the server that sent it, or that it waits for; empty for the standard one"`
	State     string     `json:"state" enum:"waiting,sending,sent,failed,unknown,cancelled"`
	Reason    string     `json:"reason" doc:"a code"`
	Reply     string     `json:"reply" doc:"what the server said, without addresses"`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"created_at"`
	NextAt    *time.Time `json:"next_at"`
	DoneAt    *time.Time `json:"done_at"`
	// Again says that it can be sent again: what it says is still there.
	Again bool `json:"again"`
}

// MailPage is a page of the log.
type MailPage struct {
	Items      []MailItem `json:"items"`
	NextCursor *string    `json:"next_cursor"`
}

func (c *call) showMail(it *mail.Item) MailItem {
	used := it.Used
	if used == 0 {
		used = it.Profile
	}
	out := MailItem{ID: id.Format(mail.Prefix, it.ID), Kind: it.Kind, To: it.Mask, Profile: id.Format(mail.ProfilePrefix, used), State: string(it.State), Reason: it.Reason, Reply: it.Reply,
		Attempts: it.Attempts, CreatedAt: it.CreatedAt, DoneAt: optional(it.DoneAt)}
	if it.State == mail.Waiting {
		out.NextAt = optional(it.NextAt)
	}
	out.Again = it.Content != nil && (it.State == mail.Failed || it.State == mail.Unknown || it.State == mail.Cancelled)
	if it.About.Record != 0 {
		out.About = &Ref{ID: id.Format(c.prefixOf(it.About.Object), it.About.Record), Object: it.About.Object}
	}
	return out
}

type mailsIn struct {
	State   string `query:"state" enum:"waiting,sending,sent,failed,unknown,cancelled"`
	Kind    string `query:"kind"`
	Address string `query:"address" doc:"a whole address"`
	Limit   int    `query:"limit"`
	Cursor  string `query:"cursor"`
}

func (a *API) listMails(ctx context.Context, c *call, in mailsIn) (MailPage, error) {
	f := mail.Filter{State: mail.State(in.State), Kind: in.Kind}
	var err error
	if in.Address != "" {
		if f.Blind, err = c.ws.Mail.BlindOf(in.Address); err != nil {
			return MailPage{}, fault.InvalidField("mail.bad_address", "address", nil)
		}
	}
	if in.Cursor != "" {
		if f.Before, err = id.Parse(mail.Prefix, in.Cursor); err != nil {
			return MailPage{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	page, next, err := c.ws.Mail.Messages(ctx, f, in.Limit)
	if err != nil {
		return MailPage{}, err
	}
	out := MailPage{Items: []MailItem{}}
	for i := range page {
		out.Items = append(out.Items, c.showMail(&page[i]))
	}
	if next != 0 {
		text := id.Format(mail.Prefix, next)
		out.NextCursor = &text
	}
	return out, nil
}

type mailIDsIn struct {
	Body struct {
		IDs []string `json:"ids"`
	}
}

// keys are at most a page of them.
func (in *mailIDsIn) keys() ([]id.ID, error) {
	if len(in.Body.IDs) == 0 || len(in.Body.IDs) > mail.MaxPage {
		return nil, fault.InvalidField("api.bad_parameter", "ids", nil)
	}
	out := make([]id.ID, len(in.Body.IDs))
	for i, text := range in.Body.IDs {
		v, err := id.Parse(mail.Prefix, text)
		if err != nil {
			return nil, fault.New(fault.NotFound, "mail.not_found", nil)
		}
		out[i] = v
	}
	return out, nil
}

func (a *API) replayMails(ctx context.Context, c *call, in mailIDsIn) (Replayed, error) {
	return a.touchMails(ctx, c, in, "mail.replay", c.ws.Mail.Replay)
}

func (a *API) cancelMails(ctx context.Context, c *call, in mailIDsIn) (Replayed, error) {
	return a.touchMails(ctx, c, in, "mail.cancel", c.ws.Mail.Cancel)
}

func (a *API) touchMails(ctx context.Context, c *call, in mailIDsIn, action string, fn func(context.Context, []id.ID) (int, error)) (Replayed, error) {
	keys, err := in.keys()
	if err != nil {
		return Replayed{}, err
	}
	n, err := fn(ctx, keys)
	if err != nil {
		return Replayed{}, err
	}
	return Replayed{Count: n}, a.Auth.Note(ctx, c.who.Workspace.Key, action, "", 0, map[string]any{"count": n, "mails": in.Body.IDs})
}

// StoppedAddress is an address that takes no mail any more.
type StoppedAddress struct {
	Key    string    `json:"key"`
	To     string    `json:"to" doc:"masked"`
	Reason string    `json:"reason" enum:"bounced,complained"`
	Reply  string    `json:"reply"`
	At     time.Time `json:"at"`
}

// StoppedAddresses lists them, newest first.
type StoppedAddresses struct {
	Items []StoppedAddress `json:"items"`
}

func (a *API) listStopped(ctx context.Context, c *call, _ struct{}) (StoppedAddresses, error) {
	out := StoppedAddresses{Items: []StoppedAddress{}}
	all, err := c.ws.Mail.Stopped(ctx)
	for _, s := range all {
		out.Items = append(out.Items, StoppedAddress{Key: s.Blind, To: s.Mask, Reason: s.Reason, Reply: s.Reply, At: s.At})
	}
	return out, err
}

type releaseIn struct {
	Body struct {
		Key string `json:"key"`
	}
}

func (a *API) releaseAddress(ctx context.Context, c *call, in releaseIn) (empty, error) {
	if err := c.ws.Mail.Release(ctx, in.Body.Key); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "mail.release", "", 0, nil)
}

// MailPreferences say of each kind of notification when it is mailed.
type MailPreferences struct {
	Kinds map[string]string `json:"kinds" doc:"now, daily or never"`
	Quiet bool              `json:"quiet" doc:"mails are kept back from one time of the day to another"`
	From  string            `json:"from"`
	To    string            `json:"to"`
}

func showMailPreferences(p talk.MailPreferences) MailPreferences {
	out := MailPreferences{Kinds: map[string]string{}, Quiet: p.Quiet, From: p.From, To: p.To}
	for k, v := range p.Kinds {
		out.Kinds[string(k)] = string(v)
	}
	return out
}

func (a *API) mailPreferences(ctx context.Context, c *call, _ struct{}) (MailPreferences, error) {
	p, err := c.ws.Talk.MailPreferences(ctx)
	return showMailPreferences(p), err
}

type mailPreferencesIn struct {
	Body struct {
		Kinds map[string]string `json:"kinds,omitempty"`
		Quiet bool              `json:"quiet,omitempty"`
		From  string            `json:"from,omitempty"`
		To    string            `json:"to,omitempty"`
	}
}

func (a *API) setMailPreferences(ctx context.Context, c *call, in mailPreferencesIn) (MailPreferences, error) {
	want := talk.MailPreferences{Kinds: map[talk.Kind]talk.Channel{}, Quiet: in.Body.Quiet, From: in.Body.From, To: in.Body.To}
	for k, v := range in.Body.Kinds {
		want.Kinds[talk.Kind(k)] = talk.Channel(v)
	}
	p, err := c.ws.Talk.SetMailPreferences(ctx, want)
	return showMailPreferences(p), err
}

type stopIn struct {
	Token string `path:"token"`
}

// MailStop is what a link at the end of a mail stops.
type MailStop struct {
	Kind      string `json:"kind" doc:"of notification; empty for the daily mail"`
	To        string `json:"to" doc:"masked"`
	Workspace string `json:"workspace"`
}

// notices finds the mailer of the workspace that a link names.
func (a *API) notices(ctx context.Context, token string) (*Workspace, error) {
	key, _, _ := strings.Cut(token, ".")
	ws, err := a.Workspaces.Open(ctx, key)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		err = fault.New(fault.NotFound, "talk.stop_unknown", nil)
	}
	return ws, err
}

func (a *API) lookAtStop(ctx context.Context, _ *call, in stopIn) (MailStop, error) {
	ws, err := a.notices(ctx, in.Token)
	if err != nil {
		return MailStop{}, err
	}
	s, err := ws.Notices.LookAt(ctx, in.Token)
	return MailStop{Kind: string(s.Kind), To: mail.Mask(s.Person.Email), Workspace: ws.Info.Name}, err
}

func (a *API) stopMails(ctx context.Context, _ *call, in stopIn) (MailStop, error) {
	ws, err := a.notices(ctx, in.Token)
	if err != nil {
		return MailStop{}, err
	}
	s, err := ws.Notices.Stop(ctx, in.Token)
	return MailStop{Kind: string(s.Kind), To: mail.Mask(s.Person.Email), Workspace: ws.Info.Name}, err
}
