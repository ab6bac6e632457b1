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
// does not map say nothing. It may be done again; an event says the same once. Claims are the events, by their ids, that anybody could have sent.
func (s *Service) Take(ctx context.Context, batch []event.Event, claims map[id.ID]Sender) error {
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
		entries = append(entries, s.said(&pol, wordings, ev, said, claims)...)
	}
	for part := range slices.Chunk(entries, MaxStatements) {
		if _, err := s.cfg.Store.Append(ctx, part, s.now()); err != nil {
			return err
		}
		s.cfg.Changed()
	}
	return nil
}

// Sender is who sent an event that anybody could have sent. What such an event agrees to is said by its browser, and by nobody where that is not the one whom
// the event names; what it refuses is said by its browser, and waits to be decided for whom it names beside.
type Sender struct {
	Browser id.ID // its subject, 0 for one that nobody knows
	Own     bool  // the browser counts for whom the event names, or it names nobody
	Taken   bool  // it is proven to be somebody else's, for whom the refusal is not said
	Heard   bool  // nothing could ever prove whose it is: a refusal counts for whom the event names
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

// said are the lines of an event.
func (s *Service) said(pol *Policy, wordings []Wording, ev *event.Event, categories map[string]bool, claims map[id.ID]Sender) (out []Entry) {
	places, yes := pol.spokenOf(categories)
	for _, at := range places {
		p, err := pol.Place(at.Purpose, at.Channel)
		if err != nil || p.Retired && yes[at] {
			continue
		}
		sender, claimed := claims[ev.ID]
		if claimed && yes[at] && (sender.Browser == 0 || !sender.Own) {
			continue
		}
		e := Entry{ID: s.cfg.IDs.Next(), Once: "event:" + strconv.FormatInt(int64(ev.ID), 36) + ":" + p.Key + ":" + string(at.Channel), Subject: ev.Profile, Purpose: p.Key, Channel: at.Channel, State: Withdrawn,
			At: time.UnixMilli(ev.At).UTC(), RecordedAt: s.now(), Source: ByEvent, By: access.System(), Page: pageOfEvent(ev.Context), Quiet: true}
		if claimed {
			e.Source = ByClaim
		}
		if yes[at] {
			if e.State = Given; p.Confirm && at.Channel == Email {
				e.State = Pending
			}
			if p.Months > 0 {
				e.Expires = e.At.AddDate(0, p.Months, 0)
			}
		}
		if w, ok := InForceWording(wordings, p.Key, e.At); ok {
			e.Wording = w.ID
		}
		if !claimed {
			out = append(out, e)
			continue
		}
		if sender.Heard && !yes[at] {
			e.Verdict = Verdict{Decided: true, Accepted: true, At: e.RecordedAt}
			out = append(out, e)
			continue
		}
		if sender.Browser != 0 && !sender.Taken {
			of := e
			of.Subject = sender.Browser
			out = append(out, of)
		}
		if !yes[at] && (sender.Browser == 0 || !sender.Own) {
			e.ID, e.Once, e.Source = s.cfg.IDs.Next(), e.Once+":named", ByNamed
			out = append(out, e)
		}
	}
	return out
}

// spokenOf are the places that categories speak about, in the order of the policy, and what they say. Of several about one place a refusal counts.
func (p *Policy) spokenOf(categories map[string]bool) (places []Place, yes map[Place]bool) {
	yes = map[Place]bool{}
	for _, c := range p.Categories {
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
	return places, yes
}

// Speaking is the question what an event says itself about being analysed, and whether it says anything.
func (s *Service) Speaking(ctx context.Context) (func(ev *event.Event) (agrees, speaks bool), error) {
	pol, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	return func(ev *event.Event) (agrees, speaks bool) {
		said := preferences(ev.Context)
		if len(said) == 0 {
			return false, false
		}
		places, yes := pol.spokenOf(said)
		agrees = true
		for _, at := range places {
			if at.Purpose == Analytics {
				agrees, speaks = agrees && yes[at], true
			}
		}
		return agrees && speaks, speaks
	}, nil
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
