package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// calendars keeps the addresses of calendars among the settings of a workspace: whose each is, and which one a person has.
type calendars struct{ w *workspace }

func calendarOf(user id.ID) string  { return "calendar.of." + id.Format(auth.UserPrefix, user) }
func calendarBy(hash string) string { return "calendar.by." + hash }

// Set implements api.Calendars. The address before ends first.
func (c calendars) Set(ctx context.Context, user id.ID, hash string) error {
	var old string
	if _, err := c.w.store.Setting(ctx, calendarOf(user), &old); err != nil {
		return err
	}
	if old != "" {
		if err := c.w.store.SetSetting(ctx, calendarBy(old), ""); err != nil {
			return err
		}
	}
	if hash != "" {
		if err := c.w.store.SetSetting(ctx, calendarBy(hash), id.Format(auth.UserPrefix, user)); err != nil {
			return err
		}
	}
	return c.w.store.SetSetting(ctx, calendarOf(user), hash)
}

// Has implements api.Calendars.
func (c calendars) Has(ctx context.Context, user id.ID) (bool, error) {
	var hash string
	_, err := c.w.store.Setting(ctx, calendarOf(user), &hash)
	return hash != "", err
}

// Reader implements api.Calendars.
func (c calendars) Reader(ctx context.Context, hash string) (access.Actor, error) {
	unknown := fault.New(fault.NotFound, "api.no_such_address", nil)
	var text, current string
	if _, err := c.w.store.Setting(ctx, calendarBy(hash), &text); err != nil {
		return access.Actor{}, err
	}
	user, err := id.Parse(auth.UserPrefix, text)
	if err != nil {
		return access.Actor{}, unknown
	}
	if _, err := c.w.store.Setting(ctx, calendarOf(user), &current); err != nil || current != hash {
		if err == nil {
			err = unknown
		}
		return access.Actor{}, err
	}
	u, err := c.w.app.instance.GetUser(ctx, c.w.info.Key, user)
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && u.Disabled {
		return access.Actor{}, unknown
	}
	if err != nil {
		return access.Actor{}, err
	}
	return c.w.actor(ctx, access.Actor{Kind: access.ByUser, ID: u.ID, Person: u.ID, Name: u.Name, Role: u.Role, Locale: u.Locale})
}
