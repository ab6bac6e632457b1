package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	people "github.com/guanxi-crm/guanxi/internal/customer/person"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

func (a *API) identityRoutes() []route {
	return []route{
		{method: get, path: "/customers/{id}/identities", need: right, right: access.RecordRead, run: op(a.identitiesOf), doc: "Under which names a customer appears, and the profiles that were joined"},
		{method: get, path: "/profiles/{id}", need: right, right: access.RecordRead, run: op(a.getIdentityProfile), doc: "One profile of events; a joined one leads to its root"},
		{method: get, path: "/identities/settings", need: right, right: access.DuplicateManage, run: op(a.identitySettings), doc: "How people are told apart, and where traits and orders go"},
		{method: patch, path: "/identities/settings", need: right, right: access.DuplicateManage, run: op(a.saveIdentitySettings), doc: "Change how people are told apart, and where traits and orders go"},
		{method: get, path: "/identities/reviews", need: right, right: access.RecordMerge, run: op(a.listIdentityReviews), doc: "Profiles that may be the same person, for somebody to decide"},
		{method: post, path: "/identities/reviews/{id}/merge", need: right, right: access.RecordMerge, run: op(a.mergeIdentityReview), doc: "Say that the two are one person; their customers are merged"},
		{method: post, path: "/identities/reviews/{id}/decide", need: right, right: access.RecordMerge, run: op(a.decideIdentityReview), doc: "Say that the two are not the same, put the question off, or ask it again"},
		{method: post, path: "/identities/merges/{id}/undo", need: right, right: access.RecordMerge, run: op(a.undoIdentityMerge), doc: "Take a join of profiles back"},
		{method: post, path: "/identities/identifiers/{id}/reveal", need: right, right: access.PersonalReveal, run: op(a.revealIdentifier), doc: "A personal identifier in plain; audited", secret: true},
	}
}

// Identifier is a name under which somebody appears. Personal ones are masked.
type Identifier struct {
	ID        string    `json:"id"`
	Namespace string    `json:"namespace"`
	Text      string    `json:"text"`
	Personal  bool      `json:"personal"`
	Profile   string    `json:"profile"`
	FirstAt   time.Time `json:"first_at"`
	LastAt    time.Time `json:"last_at"`
}

// IdentityProfile is somebody as far as events tell.
type IdentityProfile struct {
	ID        string       `json:"id"`
	Into      string       `json:"into,omitempty" doc:"the profile that it was joined to"`
	Root      string       `json:"root" doc:"the profile that it is part of, its own id for none"`
	Customer  *Ref         `json:"customer" doc:"null for an anonymous visitor, and for a customer whom the reader does not see"`
	CreatedAt time.Time    `json:"created_at"`
	Names     []Identifier `json:"identifiers"`
}

// IdentityEvidence is an identifier that a join or a question rests on.
type IdentityEvidence struct {
	Namespace string `json:"namespace"`
	Text      string `json:"text"`
}

// IdentityMerge is a line of the log of joins.
type IdentityMerge struct {
	ID       string             `json:"id"`
	Loser    string             `json:"loser"`
	Winner   string             `json:"winner"`
	At       time.Time          `json:"at"`
	Why      string             `json:"why" enum:"event,move,person,customer"`
	Kind     string             `json:"kind,omitempty" doc:"of the event that showed it"`
	By       *Ref               `json:"by" doc:"the person who decided, null for none"`
	Evidence []IdentityEvidence `json:"evidence"`
	UndoneAt *time.Time         `json:"undone_at"`
	UndoneBy *Ref               `json:"undone_by"`
}

// Identities are the names and profiles of a customer.
type Identities struct {
	Profiles []IdentityProfile `json:"profiles"`
	Merges   []IdentityMerge   `json:"merges" doc:"newest first"`
	Reviews  int               `json:"reviews" doc:"questions about these profiles that nobody has answered"`
}

// IdentitySide is one of those that may be the same.
type IdentitySide struct {
	Profile     string       `json:"profile,omitempty"`
	Customer    *Record      `json:"customer"`
	Identifiers []Identifier `json:"identifiers"`
}

// IdentityReview is a question: are these the same?
type IdentityReview struct {
	ID        string             `json:"id"`
	Kind      string             `json:"kind" enum:"profiles,customer"`
	State     string             `json:"state" enum:"open,later,joined,not_same"`
	Count     int64              `json:"count" doc:"how often it showed"`
	CreatedAt time.Time          `json:"created_at"`
	LastAt    time.Time          `json:"last_at"`
	Evidence  []IdentityEvidence `json:"evidence"`
	Event     string             `json:"event,omitempty" doc:"kind of the event that showed it first"`
	Sides     []IdentitySide     `json:"sides"`
	By        *Ref               `json:"by"`
	At        *time.Time         `json:"at"`
}

// IdentityReviews is a page of questions.
type IdentityReviews struct {
	Items []IdentityReview `json:"items"`
	Total int              `json:"total"`
}

// IdentitySettings are how people are told apart, and where traits and orders go.
type IdentitySettings struct {
	Identity identity.Policy `json:"identity"`
	People   people.Intake   `json:"people"`
}

// IdentityView is what the engines answer about a customer or a question.
type IdentityView struct {
	Trees   []identity.Tree
	Merges  []identity.Merge
	Reviews []identity.Review
}

// IdentityDecision is what somebody decided: that the sides of a review are one.
type IdentityDecision struct {
	Merge    record.MergeRequest // of the customers; Survivor is 0 where there are not two
	Customer id.ID               // of several possible ones, the one it is
}

// IdentityService is identity resolution as the edge needs it.
type IdentityService interface {
	// Of are the profiles of a customer, whom the caller must see.
	Of(ctx context.Context, customer id.ID) (IdentityView, error)
	// Profile is the tree of a profile; NotFound for an unknown one and one whose customer the caller does not see.
	Profile(ctx context.Context, profile id.ID) (identity.Tree, error)
	// Reviews are questions in a state whose customers the caller sees, with the trees of their profiles.
	Reviews(ctx context.Context, state identity.State, offset, limit int) (IdentityView, int, error)
	Decide(ctx context.Context, review id.ID, state identity.State) error
	Merge(ctx context.Context, review id.ID, d IdentityDecision) error
	Undo(ctx context.Context, merge id.ID) error
	Reveal(ctx context.Context, identifier id.ID) (string, error)
	Settings(ctx context.Context) (IdentitySettings, error)
	SaveSettings(ctx context.Context, s IdentitySettings) (IdentitySettings, error)
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// seesNamespace hides identifiers whose field of the customer the reader does not see.
func (c *call) seesNamespace(ns string) bool {
	field := map[string]string{identity.Email: "email", identity.Phone: "phone", identity.UserID: "external_id", identity.UnionID: "wechat_unionid", identity.LoyaltyCard: "card_number"}[ns]
	return field == "" || c.who.Actor.Field("customer", field) != access.FieldHidden
}

func (c *call) showIdentifiers(list []identity.Identifier, of id.ID) []Identifier {
	out := []Identifier{}
	for i := range list {
		x := &list[i]
		if of != 0 && x.Profile != of || !c.seesNamespace(x.Namespace) {
			continue
		}
		out = append(out, Identifier{ID: id.Format(identity.IdentifierPrefix, x.ID), Namespace: x.Namespace, Text: x.Shown, Personal: x.Personal(),
			Profile: id.Format(identity.ProfilePrefix, x.Profile), FirstAt: millis(x.FirstAt), LastAt: millis(x.LastAt)})
	}
	return out
}

func (c *call) showEvidence(e *identity.Evidence) []IdentityEvidence {
	out := []IdentityEvidence{}
	for _, s := range e.Identifiers {
		if c.seesNamespace(s.Namespace) {
			out = append(out, IdentityEvidence(s))
		}
	}
	return out
}

func (c *call) showTree(t *identity.Tree, customer *Ref) []IdentityProfile {
	out := make([]IdentityProfile, 0, len(t.Profiles))
	for i := range t.Profiles {
		p := &t.Profiles[i]
		v := IdentityProfile{ID: id.Format(identity.ProfilePrefix, p.ID), Root: id.Format(identity.ProfilePrefix, t.Root), CreatedAt: millis(p.CreatedAt), Customer: customer,
			Names: c.showIdentifiers(t.Identifiers, p.ID)}
		if p.Into != 0 {
			v.Into = id.Format(identity.ProfilePrefix, p.Into)
		}
		out = append(out, v)
	}
	return out
}

func (a *API) identitiesOf(ctx context.Context, c *call, in struct {
	ID string `path:"id"`
}) (Identities, error) {
	o, customer, err := c.survivor(ctx, recordIn{"customer", in.ID})
	if err != nil {
		return Identities{}, err
	}
	rec, err := c.ws.Records.Get(ctx, o.Key, customer)
	if err != nil {
		return Identities{}, err
	}
	view, err := c.ws.Identities.Of(ctx, customer)
	if err != nil {
		return Identities{}, err
	}
	out := Identities{Profiles: []IdentityProfile{}, Reviews: len(view.Reviews)}
	ref := &Ref{ID: id.Format(o.Prefix, customer), Title: rec.Title, Object: o.Key}
	for i := range view.Trees {
		out.Profiles = append(out.Profiles, c.showTree(&view.Trees[i], ref)...)
	}
	out.Merges, err = c.showIdentityMerges(ctx, view.Merges)
	return out, err
}

func (c *call) showIdentityMerges(ctx context.Context, list []identity.Merge) ([]IdentityMerge, error) {
	var people []id.ID
	for i := range list {
		people = append(people, list[i].By, list[i].UndoneBy)
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := []IdentityMerge{}
	for i := range list {
		m := &list[i]
		v := IdentityMerge{ID: id.Format(identity.MergePrefix, m.ID), Loser: id.Format(identity.ProfilePrefix, m.Loser), Winner: id.Format(identity.ProfilePrefix, m.Winner),
			At: millis(m.At), Why: m.Why, Kind: m.Evidence.Kind, By: optionalPerson(m.By, names), Evidence: c.showEvidence(&m.Evidence), UndoneBy: optionalPerson(m.UndoneBy, names)}
		if m.UndoneAt != 0 {
			at := millis(m.UndoneAt)
			v.UndoneAt = &at
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *API) getIdentityProfile(ctx context.Context, c *call, in struct {
	ID string `path:"id"`
}) (IdentityProfile, error) {
	p, err := id.Parse(identity.ProfilePrefix, in.ID)
	if err != nil {
		return IdentityProfile{}, fault.New(fault.NotFound, "identity.unknown_profile", nil)
	}
	t, err := c.ws.Identities.Profile(ctx, p)
	if err != nil {
		return IdentityProfile{}, err
	}
	var ref *Ref
	if customer := t.Customer(); customer != 0 {
		rec, err := c.ws.Records.Get(ctx, "customer", customer)
		if err != nil {
			return IdentityProfile{}, err
		}
		o, err := c.object("customer")
		if err != nil {
			return IdentityProfile{}, err
		}
		ref = &Ref{ID: id.Format(o.Prefix, customer), Title: rec.Title, Object: o.Key}
	}
	for _, v := range c.showTree(&t, ref) {
		if v.ID == in.ID {
			return v, nil
		}
	}
	return IdentityProfile{}, fault.New(fault.NotFound, "identity.unknown_profile", nil)
}

type identityReviewsIn struct {
	State  string `query:"state"`
	Offset int    `query:"offset"`
	Limit  int    `query:"limit"`
}

const identityPage = 20

func (a *API) listIdentityReviews(ctx context.Context, c *call, in identityReviewsIn) (IdentityReviews, error) {
	state := identity.State(in.State)
	if in.State == "" {
		state = identity.Open
	}
	if !state.Known() {
		return IdentityReviews{}, fault.InvalidField("api.bad_parameter", "state", nil)
	}
	if in.Offset < 0 || in.Limit < 0 || in.Limit > 100 {
		return IdentityReviews{}, fault.InvalidField("api.bad_parameter", "limit", nil)
	}
	if in.Limit == 0 {
		in.Limit = identityPage
	}
	view, total, err := c.ws.Identities.Reviews(ctx, state, in.Offset, in.Limit)
	if err != nil {
		return IdentityReviews{}, err
	}
	out := IdentityReviews{Items: []IdentityReview{}, Total: total}
	trees := map[id.ID]*identity.Tree{}
	var customers, people []id.ID
	for i := range view.Trees {
		t := &view.Trees[i]
		for j := range t.Profiles {
			trees[t.Profiles[j].ID] = t
		}
		if v := t.Customer(); v != 0 {
			customers = append(customers, v)
		}
	}
	for i := range view.Reviews {
		customers = append(customers, view.Reviews[i].Evidence.Customers...)
		people = append(people, view.Reviews[i].By)
	}
	shown, err := c.showCustomers(ctx, customers)
	if err != nil {
		return IdentityReviews{}, err
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return IdentityReviews{}, err
	}
	for i := range view.Reviews {
		out.Items = append(out.Items, c.showIdentityReview(&view.Reviews[i], trees, shown, names))
	}
	return out, nil
}

func (c *call) showCustomers(ctx context.Context, ids []id.ID) (map[id.ID]*Record, error) {
	out := map[id.ID]*Record{}
	if len(ids) == 0 {
		return out, nil
	}
	o, err := c.object("customer")
	if err != nil {
		return nil, err
	}
	recs, err := c.ws.Records.GetMany(ctx, o.Key, ids, nil)
	if err != nil {
		return nil, err
	}
	list, err := c.showRecords(ctx, o, recs)
	for _, r := range list {
		out[r.id] = r
	}
	return out, err
}

func (c *call) showIdentityReview(r *identity.Review, trees map[id.ID]*identity.Tree, customers map[id.ID]*Record, names map[record.Ref]string) IdentityReview {
	v := IdentityReview{ID: id.Format(identity.ReviewPrefix, r.ID), Kind: r.Kind, State: string(r.State), Count: r.Count, CreatedAt: millis(r.CreatedAt), LastAt: millis(r.LastAt),
		Evidence: c.showEvidence(&r.Evidence), Event: r.Evidence.Kind, Sides: []IdentitySide{}, By: optionalPerson(r.By, names)}
	if r.At != 0 {
		at := millis(r.At)
		v.At = &at
	}
	for _, p := range []id.ID{r.A, r.B} {
		t := trees[p]
		if p == 0 || t == nil {
			continue
		}
		v.Sides = append(v.Sides, IdentitySide{Profile: id.Format(identity.ProfilePrefix, t.Root), Customer: customers[t.Customer()], Identifiers: c.showIdentifiers(t.Identifiers, 0)})
	}
	for _, k := range r.Evidence.Customers {
		if rec := customers[k]; rec != nil {
			v.Sides = append(v.Sides, IdentitySide{Customer: rec, Identifiers: []Identifier{}})
		}
	}
	return v
}

type identityMergeIn struct {
	ID   string `path:"id"`
	Body struct {
		Survivor string                     `json:"survivor,omitempty" doc:"the customer that stays, where two are merged"`
		Version  int64                      `json:"version,omitempty"`
		Prefer   string                     `json:"prefer,omitempty" enum:"survivor,newest,complete"`
		Fields   map[string]json.RawMessage `json:"fields,omitempty"`
		Customer string                     `json:"customer,omitempty" doc:"of several possible customers, the one it is"`
	}
}

func reviewID(text string) (id.ID, error) {
	v, err := id.Parse(identity.ReviewPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "identity.unknown_review", nil)
	}
	return v, nil
}

func (a *API) mergeIdentityReview(ctx context.Context, c *call, in identityMergeIn) (empty, error) {
	v, err := reviewID(in.ID)
	if err != nil {
		return empty{}, err
	}
	o, err := c.object("customer")
	if err != nil {
		return empty{}, err
	}
	body := mergeBody{Survivor: in.Body.Survivor, Version: in.Body.Version, Prefer: in.Body.Prefer, Fields: in.Body.Fields}
	var d IdentityDecision
	if d.Merge, err = body.request(o, false); err != nil {
		return empty{}, err
	}
	if in.Body.Customer != "" {
		if d.Customer, err = recordID(o, in.Body.Customer); err != nil {
			return empty{}, err
		}
	}
	return empty{}, c.ws.Identities.Merge(ctx, v, d)
}

type identityDecideIn struct {
	ID   string `path:"id"`
	Body struct {
		State string `json:"state" enum:"not_same,later,open"`
	}
}

func (a *API) decideIdentityReview(ctx context.Context, c *call, in identityDecideIn) (empty, error) {
	v, err := reviewID(in.ID)
	if err != nil {
		return empty{}, err
	}
	state := identity.State(in.Body.State)
	if state != identity.NotSame && state != identity.Later && state != identity.Open {
		return empty{}, fault.InvalidField("api.bad_parameter", "state", nil)
	}
	return empty{}, c.ws.Identities.Decide(ctx, v, state)
}

func (a *API) undoIdentityMerge(ctx context.Context, c *call, in struct {
	ID string `path:"id"`
}) (empty, error) {
	v, err := id.Parse(identity.MergePrefix, in.ID)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "identity.unknown_merge", nil)
	}
	return empty{}, c.ws.Identities.Undo(ctx, v)
}

// RevealedIdentifier is a personal identifier in plain.
type RevealedIdentifier struct {
	Text string `json:"text"`
}

func (a *API) revealIdentifier(ctx context.Context, c *call, in struct {
	ID string `path:"id"`
}) (RevealedIdentifier, error) {
	v, err := id.Parse(identity.IdentifierPrefix, in.ID)
	if err != nil {
		return RevealedIdentifier{}, fault.New(fault.NotFound, "identity.unknown_identifier", nil)
	}
	text, err := c.ws.Identities.Reveal(ctx, v)
	return RevealedIdentifier{Text: text}, err
}

func (a *API) identitySettings(ctx context.Context, c *call, _ struct{}) (IdentitySettings, error) {
	return c.ws.Identities.Settings(ctx)
}

type identitySettingsIn struct{ Body IdentitySettings }

func (a *API) saveIdentitySettings(ctx context.Context, c *call, in identitySettingsIn) (IdentitySettings, error) {
	return c.ws.Identities.SaveSettings(ctx, in.Body)
}
