package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/demo"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// agreed adds what a customer said to a list.
func (l *demoLoad) agreed(list []consent.Entry, customer id.ID, c *demo.Customer) []consent.Entry {
	now := l.w.app.Clock.Now()
	for _, s := range l.gen.Said(c) {
		e := consent.Entry{ID: l.w.app.ids.Next(), Subject: customer, Purpose: consent.Marketing, Channel: consent.Channel(s.Channel), State: consent.Given, At: s.At, RecordedAt: now, Source: consent.ByAPI, By: access.System()}
		switch {
		case !s.Given:
			e.State, e.Source = consent.Withdrawn, consent.ByPage
		case s.InStore:
			e.Source = consent.ByForm
		}
		e.Once = "demo:" + id.Format(consent.EntryPrefix, e.ID)
		list = append(list, e)
	}
	return list
}

// unsay takes away what customers said that go with the demo company; held ones stay.
func (w *workspace) unsay(ctx context.Context, batch id.ID, customers []id.ID, held map[id.ID]bool) error {
	var gone []id.ID
	for _, v := range customers {
		if !held[v] {
			gone = append(gone, v)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return w.consents.store.Forget(sqlstore.Bulk(ctx), gone, batch)
}
