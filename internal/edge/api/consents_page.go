package api

import (
	"context"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Preferences are what the page of preferences shows to whoever holds its link: no name, addresses masked.
type Preferences struct {
	Workspace string               `json:"workspace"`
	Locale    string               `json:"locale"`
	Email     string               `json:"email" doc:"masked, empty for none"`
	Phone     string               `json:"phone" doc:"masked, empty for none"`
	Left      string               `json:"left" enum:",do_not_contact,restricted"`
	Minor     bool                 `json:"minor"`
	Purposes  []PreferencePurpose  `json:"purposes"`
	About     *PreferencePlacement `json:"about" doc:"what the mail with the link was sent for"`
}

// PreferencePlacement is a purpose by a channel.
type PreferencePlacement struct {
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
}

// PreferencePurpose is a purpose with its words and where the person stands.
type PreferencePurpose struct {
	Key         string              `json:"key"`
	Label       schema.Label        `json:"label"`
	Description schema.Label        `json:"description"`
	Basis       string              `json:"basis" enum:"consent,contract,legal,interest"`
	Wording     int64               `json:"wording" doc:"number of the version of the words, 0 for none"`
	Text        schema.Label        `json:"text"`
	Locked      bool                `json:"locked" doc:"a guardian must say so"`
	Channels    []PreferenceChannel `json:"channels"`
}

// PreferenceChannel is one switch.
type PreferenceChannel struct {
	Channel string `json:"channel"`
	On      bool   `json:"on"`
	State   string `json:"state" enum:",given,pending,expired,withdrawn"`
}

// linked opens the workspace of a link.
func (a *API) linked(ctx context.Context, token string) (*Workspace, error) {
	key, _, _ := strings.Cut(token, ".")
	ws, err := a.Workspaces.Open(ctx, key)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.NotFound, "consent.link_unknown", nil)
	}
	return ws, err
}

type preferencesIn struct {
	Body struct {
		Token string `json:"token"`
	}
}

func (a *API) lookAtConsents(ctx context.Context, c *call, in preferencesIn) (Preferences, error) {
	ws, err := a.linked(ctx, in.Body.Token)
	if err != nil {
		return Preferences{}, err
	}
	return a.preferences(ctx, ws, in.Body.Token)
}

func (a *API) preferences(ctx context.Context, ws *Workspace, token string) (Preferences, error) {
	seen, about, err := ws.Consents.LookAt(ctx, ws.ConsentLinks, token)
	if err != nil {
		return Preferences{}, err
	}
	contact, err := ws.ConsentContact(ctx, seen.Customer)
	if err != nil {
		return Preferences{}, err
	}
	out := Preferences{Workspace: ws.Info.Name, Locale: ws.Info.Locale, Email: contact["email"], Phone: contact["phone"], Left: seen.Left, Minor: seen.Minor, Purposes: []PreferencePurpose{}}
	if about.Purpose != "" {
		out.About = &PreferencePlacement{about.Purpose, string(about.Channel)}
	}
	states := showStates(&seen)
	now := a.Clock.Now()
	for _, p := range seen.Policy.Purposes {
		if p.Retired || p.Basis == consent.Duty {
			continue
		}
		x := PreferencePurpose{Key: p.Key, Label: p.Label, Description: p.Description, Basis: string(p.Basis), Text: schema.Label{}, Locked: seen.Minor && p.Minor != consent.MinorsToo, Channels: []PreferenceChannel{}}
		if x.Description == nil {
			x.Description = schema.Label{}
		}
		if w, ok := consent.InForceWording(seen.Wordings, p.Key, now); ok {
			x.Wording, x.Text = w.Number, w.Text
		}
		for _, st := range states {
			if st.Purpose == p.Key {
				on := st.State == string(consent.Given) || st.State == "" && !p.FailClosed
				x.Channels = append(x.Channels, PreferenceChannel{Channel: st.Channel, On: on, State: st.State})
			}
		}
		out.Purposes = append(out.Purposes, x)
	}
	return out, nil
}

// PreferenceChoice is how a switch was set.
type PreferenceChoice struct {
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	On      bool   `json:"on"`
	Wording int64  `json:"wording,omitempty" doc:"number of the version of the words that was shown"`
}

type savePreferencesIn struct {
	Body struct {
		Token   string             `json:"token"`
		All     bool               `json:"withdraw_all,omitempty" doc:"withdraw whatever may be withdrawn; choices are not looked at"`
		Choices []PreferenceChoice `json:"choices,omitempty"`
	}
}

func (a *API) saveConsents(ctx context.Context, c *call, in savePreferencesIn) (Preferences, error) {
	ws, err := a.linked(ctx, in.Body.Token)
	if err != nil {
		return Preferences{}, err
	}
	page := a.base(c) + "/p"
	if in.Body.All {
		err = ws.Consents.WithdrawAll(ctx, ws.ConsentLinks, in.Body.Token, page)
	} else {
		var list []consent.Choice
		for _, x := range in.Body.Choices {
			list = append(list, consent.Choice{Place: consent.Place{Purpose: x.Purpose, Channel: consent.Channel(x.Channel)}, Given: x.On, Wording: x.Wording})
		}
		err = ws.Consents.Choose(ctx, ws.ConsentLinks, in.Body.Token, list, page)
	}
	if err != nil {
		return Preferences{}, err
	}
	return a.preferences(ctx, ws, in.Body.Token)
}

// ConsentConfirmed is what was confirmed.
type ConsentConfirmed struct {
	Workspace string       `json:"workspace"`
	Purpose   schema.Label `json:"purpose"`
	Channel   string       `json:"channel"`
}

func (a *API) confirmConsent(ctx context.Context, _ *call, in preferencesIn) (ConsentConfirmed, error) {
	ws, err := a.linked(ctx, in.Body.Token)
	if err != nil {
		return ConsentConfirmed{}, err
	}
	e, p, err := ws.Consents.Confirmed(ctx, ws.ConsentLinks, in.Body.Token)
	if err == nil { // what a form promised for it; what fails is done again by itself, and the consent stands
		if _, later := ws.Forms.Settle(ctx, e.Subject); later != nil {
			a.Log.ErrorContext(ctx, "confirmed forms", "error", later)
		}
	}
	return ConsentConfirmed{Workspace: ws.Info.Name, Purpose: p.Label, Channel: string(e.Channel)}, err
}

// ConsentStopped is what one click ended.
type ConsentStopped struct {
	Workspace string `json:"workspace"`
	Purpose   string `json:"purpose"`
	Channel   string `json:"channel"`
}

func (a *API) stopConsent(ctx context.Context, _ *call, in stopIn) (ConsentStopped, error) {
	ws, err := a.linked(ctx, in.Token)
	if err != nil {
		return ConsentStopped{}, err
	}
	at, err := ws.Consents.Stop(ctx, ws.ConsentLinks, in.Token)
	return ConsentStopped{Workspace: ws.Info.Name, Purpose: at.Purpose, Channel: string(at.Channel)}, err
}
