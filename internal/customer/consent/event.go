package consent

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Take reads the consent that events carry (context.consent.categoryPreferences) into the ledger of their profiles. Categories that the policy
// does not map say nothing. It may be done again; an event says the same once.
func (s *Service) Take(ctx context.Context, batch []event.Event) error {
	var pol Policy
	var wordings []Wording
	var entries []Entry
	for i := range batch {
		ev := &batch[i]
		said := preferences(ev.Context)
		if len(said) == 0 || ev.Profile == 0 || ev.Flags.Has(event.Bot) {
			continue
		}
		if pol.Purposes == nil {
			var err error
			if pol, err = s.policy(ctx); err != nil {
				return err
			}
			if wordings, err = s.cfg.Store.Wordings(ctx); err != nil {
				return err
			}
		}
		entries = append(entries, s.said(&pol, wordings, ev, said)...)
	}
	for part := range slices.Chunk(entries, MaxStatements) {
		if _, err := s.cfg.Store.Append(ctx, part, s.now()); err != nil {
			return err
		}
		s.cfg.Changed()
	}
	return nil
}

// preferences are the categories of an event's consent, in lower case.
func preferences(context json.RawMessage) map[string]bool {
	if !bytes.Contains(context, []byte(`"categoryPreferences"`)) {
		return nil
	}
	var c struct {
		Consent struct {
			Preferences map[string]any `json:"categoryPreferences"`
		} `json:"consent"`
	}
	if json.Unmarshal(context, &c) != nil {
		return nil
	}
	out := map[string]bool{}
	for name, v := range c.Consent.Preferences {
		if yes, ok := v.(bool); ok {
			out[strings.ToLower(strings.TrimSpace(name))] = yes
		}
	}
	return out
}

// said are the lines of an event. Of several categories about one place a refusal counts.
func (s *Service) said(pol *Policy, wordings []Wording, ev *event.Event, categories map[string]bool) (out []Entry) {
	yes := map[Place]bool{}
	var places []Place
	for _, c := range pol.Categories {
		given, ok := categories[c.Category]
		if !ok {
			continue
		}
		at := Place{c.Purpose, c.Channel}
		was, twice := yes[at]
		if !twice {
			places = append(places, at)
		}
		yes[at] = given && (was || !twice)
	}
	for _, at := range places {
		p, err := pol.Place(at.Purpose, at.Channel)
		if err != nil || p.Retired && yes[at] {
			continue
		}
		e := Entry{ID: s.cfg.IDs.Next(), Once: "event:" + strconv.FormatInt(int64(ev.ID), 36) + ":" + p.Key + ":" + string(at.Channel), Subject: ev.Profile, Purpose: p.Key, Channel: at.Channel, State: Withdrawn,
			At: time.UnixMilli(ev.At).UTC(), RecordedAt: s.now(), Source: ByEvent, By: access.System(), Page: pageOfEvent(ev.Context), Quiet: true}
		if yes[at] {
			e.State = Given
			if p.Months > 0 {
				e.Expires = e.At.AddDate(0, p.Months, 0)
			}
		}
		if w, ok := InForceWording(wordings, p.Key, e.At); ok {
			e.Wording = w.ID
		}
		out = append(out, e)
	}
	return out
}

func pageOfEvent(context json.RawMessage) string {
	var c struct {
		Page struct {
			URL any `json:"url"`
		} `json:"page"`
	}
	if json.Unmarshal(context, &c) != nil {
		return ""
	}
	text, _ := c.Page.URL.(string)
	page, _ := pageOf(text)
	return page
}

// keep the printed form of ids of entries in one place.
func printed(e id.ID) string { return id.Format(EntryPrefix, e) }
