package talk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Preferences say of each kind whether a person is told.
type Preferences map[Kind]bool

func preferenceKey(user id.ID) string { return "notify." + id.Format("usr", user) }

func (s *Service) preferences(ctx context.Context, user id.ID) (Preferences, error) {
	out := Preferences{}
	var said Preferences
	if _, err := s.cfg.Settings.Setting(ctx, preferenceKey(user), &said); err != nil {
		return nil, fmt.Errorf("read notification preferences: %w", err)
	}
	for _, k := range Kinds() {
		on, chosen := said[k]
		out[k] = on || !chosen
	}
	return out, nil
}

// Preferences are those of the actor.
func (s *Service) Preferences(ctx context.Context) (Preferences, error) {
	return s.preferences(ctx, access.From(ctx).ID)
}

// SetPreferences changes the choice for the kinds that are named.
func (s *Service) SetPreferences(ctx context.Context, in Preferences) (Preferences, error) {
	who := access.From(ctx)
	all, err := s.preferences(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	for k, c := range in {
		if !slices.Contains(Kinds(), k) {
			return nil, fault.InvalidField("talk.unknown_kind", string(k), fault.Params{"kind": string(k)})
		}
		all[k] = c
	}
	return all, s.cfg.Settings.SetSetting(ctx, preferenceKey(who.ID), all)
}

// prepare fills in a notification by what its person chose; false when he is told nothing.
func (s *Service) prepare(ctx context.Context, n *Notification) (bool, error) {
	p, ok, err := s.cfg.People.Person(ctx, n.User)
	if err != nil || !ok || p.Disabled {
		return false, err
	}
	want, err := s.preferences(ctx, n.User)
	if err != nil {
		return false, err
	}
	n.ID, n.At, n.Times = s.cfg.IDs.Next(), s.cfg.Clock.Now().Truncate(time.Millisecond), 1
	return want[n.Kind], nil
}

// Tell tells people something, each once by its key.
func (s *Service) Tell(ctx context.Context, list ...Notification) error {
	told, err := s.prepareAll(ctx, list)
	if err != nil || len(told) == 0 {
		return err
	}
	fresh, err := s.cfg.Store.Tell(ctx, told)
	if err == nil {
		s.deliver(fresh)
	}
	return err
}

func (s *Service) prepareAll(ctx context.Context, list []Notification) ([]Notification, error) {
	var told []Notification
	for _, n := range list {
		ok, err := s.prepare(ctx, &n)
		if err != nil {
			return nil, err
		}
		if ok {
			told = append(told, n)
		}
	}
	return told, nil
}

// Shown is a notification with the record it is about as the person sees it now; nil when there is none or it is hidden.
type Shown struct {
	Notification
	About *record.Record
}

// MaxPage is the most notifications of one page.
const MaxPage = 100

// List reads a page of the actor's notifications, newest first, and where the next begins (0 at the end). Those about records
// that he may not see any more are left out.
func (s *Service) List(ctx context.Context, unread bool, before id.ID, limit int) ([]Shown, id.ID, error) {
	if limit <= 0 || limit > MaxPage {
		limit = 30
	}
	list, err := s.cfg.Store.Notifications(ctx, access.From(ctx).ID, unread, before, limit+1)
	if err != nil {
		return nil, 0, err
	}
	var next id.ID
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	out, err := s.see(ctx, list)
	return out, next, err
}

// see adds the records, under the rights of the actor.
func (s *Service) see(ctx context.Context, list []Notification) ([]Shown, error) {
	byObject := map[string][]id.ID{}
	for i := range list {
		if list[i].Record != 0 {
			byObject[list[i].Object] = append(byObject[list[i].Object], list[i].Record)
		}
	}
	found := map[record.Ref]*record.Record{}
	for object, ids := range byObject {
		o := s.cfg.Registry().Object(object)
		if o == nil || o.Virtual {
			continue
		}
		slices.Sort(ids)
		recs, err := s.cfg.Records.GetMany(ctx, object, slices.Compact(ids), []string{})
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			found[record.Ref{Object: object, ID: r.ID}] = r
		}
	}
	out := make([]Shown, 0, len(list))
	for i := range list {
		r := found[record.Ref{Object: list[i].Object, ID: list[i].Record}]
		if r == nil && list[i].Record != 0 {
			continue
		}
		out = append(out, Shown{Notification: list[i], About: r})
	}
	return out, nil
}

// Unread counts the actor's notifications that are not read yet.
func (s *Service) Unread(ctx context.Context) (int, error) {
	return s.cfg.Store.Unread(ctx, access.From(ctx).ID)
}

// Read marks notifications of the actor as read, all of them when none is named.
func (s *Service) Read(ctx context.Context, keys []id.ID) error {
	who := access.From(ctx)
	if err := s.cfg.Store.Read(ctx, who.ID, keys, s.cfg.Clock.Now()); err != nil {
		return err
	}
	s.cfg.Told(who.ID)
	return nil
}

// Retell has the notification of a key say another text, where it was told already: the one it had is not to be kept.
func (s *Service) Retell(ctx context.Context, once, text string) error {
	return s.cfg.Store.Retell(ctx, once, text)
}

// keepFor is how long notifications are kept.
const keepFor = 180 * 24 * time.Hour

// Forget removes notifications that are older than half a year.
func (s *Service) Forget(ctx context.Context) error {
	return s.cfg.Store.Forget(ctx, s.cfg.Clock.Now().Add(-keepFor))
}
