package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// letters implements auth.Post: what people are written about their account goes through the queue of a workspace.
type letters struct{ app *App }

// Reachable implements auth.Post.
func (l letters) Reachable(ctx context.Context, key string) (bool, error) {
	w, err := l.app.workspace(ctx, key)
	if err != nil {
		return false, err
	}
	return office{w}.Reachable(ctx)
}

// Send implements auth.Post.
func (l letters) Send(ctx context.Context, key string, in auth.Letter) error {
	w, err := l.app.workspace(ctx, key)
	if err != nil {
		return err
	}
	origin, err := office{w}.Address(ctx)
	if err != nil {
		return err
	}
	kind := string(in.Kind)
	when := func(at time.Time) string { return at.In(w.zone).Format("2006-01-02 15:04") }
	by := in.By
	if by == "" {
		by = w.info.Name
	}
	params := map[string]any{"by": by, "workspace": w.info.Name, "email": in.To.Email, "name": in.To.Name, "until": when(in.Until), "at": when(in.At)}
	text := func(part string) string {
		return l.app.words.Text(lang.Locale(in.To.Locale), "mail.letter."+part, params)
	}
	if in.What != "" {
		params["what"] = l.app.words.Text(lang.Locale(in.To.Locale), "mail.letter.what_"+in.What, nil)
	}
	letter := mail.Letter{Locale: in.To.Locale, Workspace: w.info.Name, Title: text(kind + "_title"), Paragraphs: []string{text(kind + "_text")}}
	m := mail.Message{Key: fmt.Sprintf("%s:%s:%d", kind, id.Format(auth.UserPrefix, in.To.ID), in.At.UnixMilli()), Kind: kind, To: mail.Address{Name: in.To.Name, Email: in.To.Email}, User: in.To.ID}
	switch {
	case in.Token != "":
		letter.Button = mail.Link{Label: text(kind + "_button"), URL: origin + "/link#" + in.Token}
		letter.Small = []string{text("once"), text(kind + "_small")}
		m.Until = in.Until
	default:
		letter.Button = mail.Link{Label: text(kind + "_button"), URL: origin + "/settings/security"}
		letter.Facts = []mail.Fact{{Label: text("when"), Value: when(in.At)}}
		if browser, system, _ := auth.Device(in.Peer.Agent); browser+system != "" {
			letter.Facts = append(letter.Facts, mail.Fact{Label: text("device"), Value: strings.Trim(browser+" · "+system, " ·")})
		}
		if in.Peer.Address != "" {
			letter.Facts = append(letter.Facts, mail.Fact{Label: text("address"), Value: in.Peer.Address})
		}
		letter.Small = []string{text(kind + "_small")}
		m.Until = in.At.Add(lettersUseful)
	}
	m.Subject = letter.Title
	if _, err := w.post.Enqueue(ctx, letter.Message(m)); err != nil {
		return fmt.Errorf("letter %s to user %s: %w", strconv.Quote(kind), id.Format(auth.UserPrefix, in.To.ID), err)
	}
	return nil
}

// lettersUseful is how long the news of a sign-in is news.
const lettersUseful = 24 * time.Hour

// later runs work of a request behind it; it is not repeated after a crash.
func (a *App) later(fn func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.owned.Go(func() {
		if err := fn(a.ctx); err != nil && a.ctx.Err() == nil {
			a.Log.Error("work behind a request", "error", err)
		}
	})
}
