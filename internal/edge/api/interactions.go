package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// InteractionPrefix is the prefix of printed ids of events.
const InteractionPrefix = "evt"

// interactionRoutes are what one customer does with contents, in stores, on the phone and on platforms, and what it moves others to.
func (a *API) interactionRoutes() []route {
	r := access.RecordRead
	return append(a.historyRoutes(), []route{
		{method: get, path: "/customers/{id}/interactions", need: right, right: r, run: op(a.interactionsOf), doc: "What a customer did with contents, in stores, on the phone and on platforms, newest first"},
		{method: post, path: "/customers/{id}/interactions", need: right, right: access.RecordUpdate, run: op(a.recordInteraction), acts: true, doc: "Record an interaction of a customer by hand", status: http.StatusCreated},
		{method: del, path: "/customers/{id}/interactions/{event}", need: right, right: access.RecordUpdate, run: op(a.dropInteraction), acts: true, doc: "Take back an interaction that was recorded by hand"},
		{method: get, path: "/customers/{id}/influence", need: right, right: r, run: op(a.influenceOf), doc: "The influence of a customer: whom shares reached and brought, and how the score is made"},
		{method: get, path: "/interactions/people", need: right, right: access.WebRead, run: op(a.sharers), doc: "The customers with most influence, of those whom the reader sees"},
	}...)
}

// InteractionService is what customers do off the web. Whoever asks sees the customer.
type InteractionService interface {
	Of(ctx context.Context, customer id.ID, before string) (list []social.Interaction, next string, err error)
	Record(ctx context.Context, customer id.ID, d InteractionDraft) (id.ID, error)
	// TakeBack removes one that was recorded by hand, and says what it was called.
	TakeBack(ctx context.Context, customer, what id.ID) (name string, err error)
	// Hand is the source of what is recorded by hand, 0 before the first.
	Hand(ctx context.Context) (id.ID, error)
	// Sharers are the customers with most influence within limits.
	Sharers(ctx context.Context, limits *query.Limits, limit int) ([]id.ID, error)
}

// InteractionDraft is what somebody records.
type InteractionDraft struct {
	Name                    string
	At                      time.Time // zero for now
	Content, Store, Product id.ID
	Platform, Direction     string
	Minutes, Rating         int64
	Text                    string
}

// Recordable are the names of events that people may record.
func Recordable() []string {
	return []string{event.StoreVisited, event.ItemTried, event.CallMade, event.MessageReceived, event.MessageSent, event.ContentLiked, event.ContentCommented, event.ContentShared, event.ContentSaved,
		event.LiveWatched, event.ProductReviewed, event.BrandMentioned, event.AccountFollowed, event.AccountLeft}
}

// InteractionText is the property that holds the text of an event.
func InteractionText(name string) string {
	switch name {
	case event.ContentCommented:
		return "comment"
	case event.ProductReviewed:
		return "review_body"
	case event.MessageReceived, event.MessageSent:
		return "message"
	}
	return "note"
}

// CustomerInteraction is something that a customer did.
type CustomerInteraction struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Name     string    `json:"name" doc:"of the event"`
	Platform string    `json:"platform"`
	Content  string    `json:"content" doc:"id of the content on its platform"`
	About    string    `json:"about" doc:"title of the content, name of the product or the store, or their codes"`
	Text     string    `json:"text" doc:"what was said"`
	Minutes  int64     `json:"minutes"`
	Rating   int64     `json:"rating"`
	ByHand   bool      `json:"by_hand" doc:"recorded by a colleague; it can be taken back"`
	By       *Ref      `json:"by" doc:"who recorded it"`
}

// CustomerInteractions are a page of them.
type CustomerInteractions struct {
	Items []CustomerInteraction `json:"items"`
	Next  string                `json:"next,omitempty" doc:"the cursor of what was before, none at the end"`
}

type interactionsOfIn struct {
	ID     string `path:"id"`
	Before string `query:"before"`
}

func (a *API) interactionsOf(ctx context.Context, c *call, in interactionsOfIn) (CustomerInteractions, error) {
	out := CustomerInteractions{Items: []CustomerInteraction{}}
	customer, err := c.ofCustomer(ctx, in.ID)
	if err != nil {
		return out, err
	}
	list, next, err := c.ws.Interactions.Of(ctx, customer, in.Before)
	if err != nil {
		return out, err
	}
	out.Next = next
	hand, err := c.ws.Interactions.Hand(ctx)
	if err != nil {
		return out, err
	}
	var people []id.ID
	for i := range list {
		v, by := showInteraction(&list[i], hand)
		people = append(people, by)
		out.Items = append(out.Items, v)
	}
	titles, err := c.userNames(ctx, people...)
	for i, by := range people {
		if by != 0 {
			out.Items[i].By = &Ref{ID: id.Format("usr", by), Object: "user", Title: titles[record.Ref{Object: "user", ID: by}]}
		}
	}
	return out, err
}

// InteractionSays is what an event is about and what was said in it.
func InteractionSays(v *social.Interaction) (about, text string) {
	out, _ := showInteraction(v, 0)
	return out.About, out.Text
}

// showInteraction is an event as the page of a customer shows it, and who recorded it.
func showInteraction(v *social.Interaction, hand id.ID) (out CustomerInteraction, by id.ID) {
	var m map[string]json.RawMessage
	_ = json.Unmarshal([]byte(v.Properties), &m) // an object where it is stored
	text := func(keys ...string) string {
		for _, k := range keys {
			var s string
			if json.Unmarshal(m[k], &s) == nil && s != "" {
				return s
			}
		}
		return ""
	}
	number := func(key string) int64 {
		var n json.Number
		if json.Unmarshal(m[key], &n) != nil {
			return 0
		}
		f, err := n.Float64()
		if err != nil || f < 0 || f > 1e6 {
			return 0
		}
		return int64(f)
	}
	out = CustomerInteraction{ID: id.Format(InteractionPrefix, v.ID), At: v.At, Name: v.Name, Platform: v.Platform, Content: v.Content, Minutes: number("minutes"), Rating: number("rating"), ByHand: v.Source == hand && hand != 0}
	out.About = text("content_title", "product_name", "name", "store_name", "account", "product_id", "store_id")
	if out.About == "" {
		out.About = v.Content
	}
	out.Text = text("comment", "review_body", "message", "note", "text")
	if out.ByHand {
		var about struct {
			By string `json:"recorded_by"`
		}
		if json.Unmarshal([]byte(v.Context), &about) == nil {
			by, _ = id.Parse("usr", about.By)
		}
	}
	return out, by
}

type recordInteractionIn struct {
	ID   string `path:"id"`
	Body struct {
		Name      string     `json:"name" enum:"Store Visited,Item Tried On,Call Made,Message Received,Message Sent,Content Liked,Content Commented,Content Shared,Content Saved,Live Stream Watched,Product Reviewed,Brand Mentioned,Account Followed,Account Unfollowed"`
		At        *time.Time `json:"at,omitempty" doc:"now when left out"`
		Content   string     `json:"content,omitempty" doc:"a content, by its record id; of what is done with contents"`
		Store     string     `json:"store,omitempty" doc:"a store, by its record id"`
		Product   string     `json:"product,omitempty" doc:"a product, by its record id"`
		Platform  string     `json:"platform,omitempty" doc:"of what names no content"`
		Direction string     `json:"direction,omitempty" enum:",in,out" doc:"of a call"`
		Minutes   int64      `json:"minutes,omitempty"`
		Rating    int64      `json:"rating,omitempty" doc:"of a review, 1 to 5"`
		Text      string     `json:"text,omitempty" doc:"what was said, 2,000 characters at most"`
	}
}

// Bounds of what is recorded by hand.
const (
	interactionText    = 2000
	interactionMinutes = 24 * 60
)

func (a *API) recordInteraction(ctx context.Context, c *call, in recordInteractionIn) (CustomerInteraction, error) {
	customer, err := c.changing(ctx, in.ID)
	if err != nil {
		return CustomerInteraction{}, err
	}
	b := &in.Body
	d := InteractionDraft{Name: b.Name, Platform: strings.TrimSpace(b.Platform), Direction: b.Direction, Minutes: b.Minutes, Rating: b.Rating, Text: strings.TrimSpace(b.Text)}
	bad := func(field string) (CustomerInteraction, error) {
		return CustomerInteraction{}, fault.InvalidField("api.bad_parameter", field, nil)
	}
	switch {
	case !slices.Contains(Recordable(), d.Name):
		return bad("name")
	case len([]rune(d.Text)) > interactionText:
		return bad("text")
	case d.Minutes < 0 || d.Minutes > interactionMinutes:
		return bad("minutes")
	case d.Rating < 0 || d.Rating > 5:
		return bad("rating")
	case d.Direction != "" && d.Direction != "in" && d.Direction != "out":
		return bad("direction")
	case len(d.Platform) > 100:
		return bad("platform")
	}
	if b.At != nil {
		d.At = *b.At
	}
	for _, ref := range []struct {
		object, text string
		to           *id.ID
	}{{contentObject, b.Content, &d.Content}, {"store", b.Store, &d.Store}, {"product", b.Product, &d.Product}} {
		if ref.text == "" {
			continue
		}
		obj, err := c.object(ref.object)
		if err != nil {
			return CustomerInteraction{}, err
		}
		if *ref.to, err = recordID(obj, ref.text); err != nil {
			return CustomerInteraction{}, err
		}
	}
	if d.Content == 0 && slices.Contains(event.Interactions(), d.Name) {
		return CustomerInteraction{}, fault.InvalidField("interaction.content_needed", "content", nil)
	}
	made, err := c.ws.Interactions.Record(ctx, customer, d)
	if err != nil {
		return CustomerInteraction{}, err
	}
	printed := id.Format(InteractionPrefix, made)
	a.touched(c, query.Customer, in.ID)
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "interaction.record", query.Customer, customer, map[string]any{"event": printed, "name": d.Name}); err != nil {
		return CustomerInteraction{}, err
	}
	out := CustomerInteraction{ID: printed, At: d.At, Name: d.Name, Platform: d.Platform, Text: d.Text, Minutes: d.Minutes, Rating: d.Rating, ByHand: true}
	if out.At.IsZero() {
		out.At = a.Clock.Now().UTC()
	}
	return out, nil
}

// changing finds a customer that the caller may change.
func (c *call) changing(ctx context.Context, text string) (id.ID, error) {
	customer, err := c.ofCustomer(ctx, text)
	if err != nil {
		return 0, err
	}
	reached, err := c.ws.Records.Reached(ctx, query.Customer, []id.ID{customer}, access.Update)
	if err == nil && !reached[customer] {
		err = fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	return customer, err
}

type dropInteractionIn struct {
	ID    string `path:"id"`
	Event string `path:"event"`
}

func (a *API) dropInteraction(ctx context.Context, c *call, in dropInteractionIn) (empty, error) {
	customer, err := c.changing(ctx, in.ID)
	if err != nil {
		return empty{}, err
	}
	what, err := id.Parse(InteractionPrefix, in.Event)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "interaction.not_found", nil)
	}
	name, err := c.ws.Interactions.TakeBack(ctx, customer, what)
	if err != nil {
		return empty{}, err
	}
	a.touched(c, query.Customer, in.ID)
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "interaction.undo", query.Customer, customer, map[string]any{"event": in.Event, "name": name})
}

// Influence is what a customer moves others to. The score is 100·p/(p+half), rounded down, of the points p.
type Influence struct {
	Score     int64           `json:"score" doc:"0 to 99"`
	Points    int64           `json:"points" doc:"reach·per_reach + reactions·per_reaction + brought·per_brought"`
	Formula   InfluenceWeight `json:"formula"`
	Shared    int64           `json:"shared" doc:"how often something was passed on under an id of its own"`
	Reach     int64           `json:"reach" doc:"different people who came by it, known or not"`
	Reactions int64           `json:"reactions" doc:"likes, comments, saves and shares of others, of what was shared"`
	Brought   int64           `json:"brought" doc:"new customers"`
	Orders    int64           `json:"orders" doc:"of others, within the days after an opening, or in their first year"`
	Revenue   Money           `json:"revenue"`
	People    []Influenced    `json:"people" doc:"known customers, those whom the reader sees, the most revenue first"`
	Hidden    int             `json:"hidden" doc:"how many of the first fifty the reader does not see"`
	Shares    []ShareMade     `json:"shares" doc:"the newest twenty"`
}

// InfluenceWeight is how the score is made.
type InfluenceWeight struct {
	PerReach    int64 `json:"per_reach"`
	PerReaction int64 `json:"per_reaction"`
	PerBrought  int64 `json:"per_brought"`
	Half        int64 `json:"half" doc:"so many points have the score 50"`
	Days        int64 `json:"days" doc:"after an opening, in which orders count"`
	FirstYear   int64 `json:"first_year" doc:"days in which orders of new customers count"`
}

// Influenced is a customer who came by another one.
type Influenced struct {
	Customer Sample  `json:"customer"`
	Since    *string `json:"since" doc:"local day of the first opening, or since when the customer is one"`
	Openings int64   `json:"openings"`
	New      bool    `json:"new"`
	Referred bool    `json:"referred" doc:"names the sharer as referrer"`
	Orders   int64   `json:"orders"`
	Revenue  Money   `json:"revenue"`
}

// ShareMade is something that a customer passed on.
type ShareMade struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Name     string    `json:"name"`
	Content  string    `json:"content"`
	Platform string    `json:"platform"`
}

func (c *call) weights() InfluenceWeight {
	return InfluenceWeight{social.PointsReach, social.PointsReaction, social.PointsBrought, social.HalfPoints, social.OpenedDays, social.FirstDays}
}

func (a *API) influenceOf(ctx context.Context, c *call, in idIn) (Influence, error) {
	customer, err := c.ofCustomer(ctx, in.ID)
	if err != nil {
		return Influence{}, err
	}
	v, err := c.ws.Social.Standing(ctx, customer)
	if err != nil {
		return Influence{}, err
	}
	currency := c.ws.Info.Currency
	out := Influence{Score: v.Score(), Points: v.Points(), Formula: c.weights(), Shared: v.Shares, Reach: v.Reach, Reactions: v.Reactions, Brought: v.Brought, Orders: v.Orders,
		Revenue: ShowMoney(v.Revenue, currency), People: []Influenced{}, Shares: []ShareMade{}}
	for _, s := range v.Passed {
		out.Shares = append(out.Shares, ShareMade{s.ID, s.At, s.Name, s.Content, s.Platform})
	}
	ids := make([]id.ID, len(v.Credit))
	for i := range v.Credit {
		ids[i] = v.Credit[i].Who
	}
	seen, err := c.samples(ctx, ids)
	if err != nil {
		return Influence{}, err
	}
	byID := map[string]Sample{}
	for _, s := range seen {
		byID[s.ID] = s
	}
	for i := range v.Credit {
		b := &v.Credit[i]
		s, ok := byID[id.Format(c.prefixOf(query.Customer), b.Who)]
		if !ok {
			out.Hidden++
			continue
		}
		p := Influenced{Customer: s, Openings: b.Openings, New: b.New, Referred: b.Referred, Orders: b.Orders, Revenue: ShowMoney(b.Revenue, currency)}
		if b.Since != 0 {
			day := b.Since.String()
			p.Since = &day
		}
		out.People = append(out.People, p)
	}
	return out, nil
}

// Sharer is a customer with influence.
type Sharer struct {
	Customer  Sample `json:"customer"`
	Score     int64  `json:"score"`
	Shared    int64  `json:"shared"`
	Reach     int64  `json:"reach"`
	Reactions int64  `json:"reactions"`
	Brought   int64  `json:"brought"`
	Orders    int64  `json:"orders"`
	Revenue   Money  `json:"revenue"`
}

// Sharers are the customers with most influence.
type Sharers struct {
	Items   []Sharer        `json:"items"`
	Formula InfluenceWeight `json:"formula"`
}

const sharersShown = 20

func (a *API) sharers(ctx context.Context, c *call, _ struct{}) (Sharers, error) {
	out := Sharers{Items: []Sharer{}, Formula: c.weights()}
	limits, err := c.ws.Records.Limits(ctx, query.Customer)
	if err != nil {
		return out, err
	}
	ids, err := c.ws.Interactions.Sharers(ctx, limits, sharersShown)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	values, err := c.ws.Traits.Values(ctx, ids, "influence", "shares", "share_reach", "share_reactions", "people_brought", "brought_orders", "brought_revenue")
	if err != nil {
		return out, err
	}
	seen, err := c.samples(ctx, ids)
	if err != nil {
		return out, err
	}
	for _, v := range ids {
		i := slices.IndexFunc(seen, func(s Sample) bool { return s.ID == id.Format(c.prefixOf(query.Customer), v) })
		if i < 0 {
			continue
		}
		n := func(key string) int64 {
			x, _ := values[v][key].(int64)
			return x
		}
		out.Items = append(out.Items, Sharer{Customer: seen[i], Score: n("influence"), Shared: n("shares"), Reach: n("share_reach"), Reactions: n("share_reactions"), Brought: n("people_brought"),
			Orders: n("brought_orders"), Revenue: ShowMoney(n("brought_revenue"), c.ws.Info.Currency)})
	}
	return out, nil
}
