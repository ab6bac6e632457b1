package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
	"github.com/guanxi-crm/guanxi/internal/engage/invite"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/engage/letter"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/engage/onsite"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/engage/warning"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/cluster"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	worth "github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/reshape"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

// Words finds sentences.
type Words interface {
	Text(locale lang.Locale, key string, params map[string]any) string
	// Has reports whether a locale itself holds a key.
	Has(locale lang.Locale, key string) bool
}

// Idempotency keeps the answers of POST requests; store/instance implements it.
type Idempotency interface {
	// Claim takes a key for a request, or returns the answer stored for it; first tells which. Faults: Conflict
	// api.idempotency_running, Invalid api.idempotency_reused.
	Claim(ctx context.Context, key, digest string, now time.Time, stale time.Duration) (status int, body string, first bool, err error)
	Fill(ctx context.Context, key string, status int, body string) error
	Abandon(ctx context.Context, key string) error
}

// Installer prepares a new workspace; demo fills it with the demo company in the background.
type Installer interface {
	Install(ctx context.Context, w auth.Workspace, demo bool) error
}

// Workspaces opens workspaces as they are asked for.
type Workspaces interface {
	Open(ctx context.Context, key string) (*Workspace, error)
}

// Workspace is the engines of one organisation.
type Workspace struct {
	Info       auth.Workspace
	Registry   func() *schema.Registry
	Catalogue  func() *trait.Catalogue
	Records    *record.Service
	Conditions Conditions
	Lists      Lister
	Views      *view.Service
	Timeline   *timeline.Service
	Agenda     *activity.Agenda
	Talk       *talk.Service
	Approvals  *approval.Service
	Stages     *stage.Service
	Files      *attachment.Service
	Calendars  Calendars
	Profiles   ProfileService
	Segments   *segment.Service
	Classes    *classify.Service
	Traits     *trait.Service
	Computed   *trait.Definitions
	Models     *room.Room
	Recommend  *recommend.Service
	Cuts       CutService
	Deeds      DeedService
	Reports    *report.Service
	Web        *web.Service
	Social     *social.Service
	Forecasts  *forecast.Service
	Churn      ChurnDesk
	Warnings   *warning.Service
	Value      *worth.Service
	Clusters   *cluster.Model
	Actions    *action.Service
	Imports    *transfer.Service
	Mass       *mass.Service
	Duplicates *dedupe.Service
	Identities IdentityService
	Behaved    BehaviourPages
	Privacy    *privacy.Service
	Keys       KeyService
	Webhooks   *webhook.Service
	Sources    *event.Sources
	Behaviour  Behaviour
	// Interactions are what customers do off the web, History the imports of events of before.
	Interactions InteractionService
	History      EventHistory
	Mail         *mail.Service
	Post         mail.Sender
	Office       PostOffice
	Returned     ReturnedMails
	Notices      *talk.Mailer
	Letters      *letter.Service
	Guests       *invite.Service
	Metadata     *metadata.Service
	Reshape      *reshape.Service
	Adviser      *reshape.Adviser
	// Uses are what names a field and could not be asked with another one in its place; without one, not at all.
	Uses       func(ctx context.Context, object, field string, want *schema.Field) ([]metadata.Loss, error)
	Rates      RateService
	Blueprints Blueprints
	Rights     *rights.Service
	Tracking   *tracking.Service
	People     EventPeople
	Consents   *consent.Service
	// ConsentLinks makes and reads the links of people who do not sign in, ConsentContact is how they are reached, masked.
	ConsentLinks   consent.Links
	ConsentContact func(ctx context.Context, customer id.ID) (map[string]string, error)
	Zone           *time.Location
	// Campaigns and what they say. MessageLinks reads the addresses in messages.
	Campaigns      *campaign.Service
	Journeys       *journey.Service
	JourneyPlays   JourneyPlays
	Templates      *template.Service
	CampaignWriter MessageWriter
	MessageLinks   MessageLinks
	// Channels are the accounts that messages go through which are no mails; ChannelInbox takes what is told about them.
	Channels     *channel.Service
	ChannelInbox ChannelInbox
	// Onsite is what websites show to their visitors.
	Onsite *onsite.Service
	// Forms are what people fill in who become customers.
	Forms *form.Service
	// Offers are discounts and their codes.
	Offers *offer.Service
	// Automations are the rules.
	Automations *automation.Service
	// Purchases are the states of an order that make it a purchase.
	Purchases func() []string
	// Status tells how far the derived stores are behind.
	Status func(ctx context.Context) (Status, error)
	// Settle waits until analytics has taken in a position, a second at most.
	Settle func(ctx context.Context, p change.Position)
}

// MessageWriter shows what a template says.
type MessageWriter interface {
	// Draft renders a body for a customer whom the caller sees, 0 for nobody.
	Draft(ctx context.Context, channel string, body *template.Body, locale string, customer id.ID) (template.Rendered, error)
	// Test sends it to a colleague.
	Test(ctx context.Context, t *template.Template, locale string, customer id.ID, to mail.Address, key string) error
	// Signed is a short message as marketing goes out, with the price of a part in thousandths of a minor unit; ok is false while there is no account.
	Signed(ctx context.Context, text string) (signed string, price int64, ok bool, err error)
}

// ChannelInbox takes receipts and answers of text messages, and says what the provider wants to hear.
type ChannelInbox interface {
	Take(ctx context.Context, token string, body []byte) ([]byte, error)
}

// MessageLinks reads the addresses in messages.
type MessageLinks interface {
	Read(token string) (intent id.ID, link int, address string, ok bool)
}

// Conditions is the condition language with the workspace's metadata, traits and segments.
type Conditions interface {
	Check(ctx context.Context, object string, where *query.Node) error
	Sentence(object string, where *query.Node) schema.Label
	// Figure says what a computed trait is worked out from.
	Figure(d query.Computed) schema.Label
	// Analytic reports whether only the analytics plane can answer a condition.
	Analytic(where *query.Node) bool
}

// AnalyticQuery asks the analytics plane for one page of ids.
type AnalyticQuery struct {
	Object string
	Where  *query.Node
	Sort   []schema.Sort
	Offset int
	Limit  int
	// Count asks for the number of all that fulfil the condition too.
	Count bool
	// Limits are what the caller sees; nil for everything.
	Limits *query.Limits
}

// AnalyticPage is the answer.
type AnalyticPage struct {
	IDs   []id.ID
	Total int
	AsOf  time.Time
	Lag   time.Duration
}

// Lister answers lists that only the analytics plane can: by traits, segments and aggregates.
type Lister interface {
	List(ctx context.Context, q AnalyticQuery) (AnalyticPage, error)
}

// Status is how far the derived stores are behind, and how large the data is.
type Status struct {
	Plane       string // embedded or postgres
	Position    int64
	Head        int64
	LagChanges  int64
	LagSeconds  float64
	SearchLag   int64
	ComputedAt  time.Time
	TraitsStale bool
	Rebuilding  bool // the analytics plane was lost and is made anew; questions to it are refused
	DataBytes   int64
	Jobs        []JobTrouble
}

// JobTrouble is background work that failed: for good, or so far.
type JobTrouble struct {
	Kind     string
	Attempts int
	Code     string    // of the last failure
	At       time.Time // when it was given up, or is tried again
	GaveUp   bool
}

// View is a saved way to look at a list.
type View struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Name    string        `json:"name"`
	Label   schema.Label  `json:"label,omitempty"` // of a built-in view
	Shared  bool          `json:"shared"`
	Mine    bool          `json:"mine"`
	Builtin bool          `json:"builtin"`
	Columns []string      `json:"columns"`
	Where   *query.Node   `json:"where"`
	Sort    []schema.Sort `json:"sort"`
	Kind    string        `json:"kind" enum:"list,board,calendar,cards"`
	Options view.Settings `json:"options"`
	Pinned  bool          `json:"pinned"`
	// Default says by whose choice the object opens with this view: the reader's, that of the reader's team, department or role, everyone's, or
	// "". Of several views the one with the nearest counts.
	Default string `json:"default" enum:",me,team,department,role,everyone"`
	// Defaults are all but single persons whose default the view is; for holders of view.share.
	Defaults []ViewShare `json:"defaults"`
	Owner    *Ref        `json:"owner" doc:"null for built-in views and those that nobody made"`
	Shares   []ViewShare `json:"shares" doc:"whom it is shared with"`
	Edit     bool        `json:"edit" doc:"the reader may change what it shows"`
	Manage   bool        `json:"manage" doc:"the reader may share and delete it"`
	Partial  bool        `json:"partial" doc:"parts are left out because the reader does not see their fields"`
	Position int         `json:"position"`
	Version  int64       `json:"version"`
}

// ViewShare is somebody whom a view is shared with.
type ViewShare struct {
	Kind   string `json:"kind" enum:"user,team,department,role,everyone"`
	To     string `json:"to" doc:"id of the person or unit, key of the role"`
	Name   string `json:"name" doc:"none of everyone and of built-in roles"`
	Access string `json:"access" enum:"read,write"`
}

// TimelineEntry is one thing that happened, in the form of the API.
type TimelineEntry struct {
	ID      string        `json:"id"`
	At      time.Time     `json:"at"`
	Kind    string        `json:"kind" enum:"created,updated,deleted,restored,merged,unmerged,erased,order,refund,class,segment,task,call,meeting,visit,note,comment,file,letter,approval,behaviour,identity,interaction"`
	Actor   *Actor        `json:"actor,omitempty"`
	Title   schema.Label  `json:"title"`
	Record  *Ref          `json:"record,omitempty"`
	Amount  *Money        `json:"amount,omitempty"`
	Changes []FieldChange `json:"changes,omitempty"`
	// Activity is the task, call, meeting, visit or note itself.
	Activity *Record `json:"activity,omitempty"`
	// Comment is what somebody said.
	Comment *Comment `json:"comment,omitempty"`
	// File is a file that was added.
	File *File `json:"file,omitempty"`
	// Letter is a mail to the customer.
	Letter *LetterShown `json:"letter,omitempty"`
	// Approval is a step of a request for agreement.
	Approval *TimelineApproval `json:"approval,omitempty"`
	// Visit is a visit to a site or an app.
	Visit *TimelineVisit `json:"visit,omitempty"`
	// Identity is that profiles of events became one, or were taken apart.
	Identity *TimelineIdentity `json:"identity,omitempty"`
	// Detail is what more there is to say of a visit or of a join of visitors, in one line.
	Detail schema.Label `json:"detail,omitempty"`
	// Contact is whose order or visit it was, of the contacts of a company.
	Contact *Ref `json:"contact,omitempty"`
}

// TimelineVisit is a visit to a site or an app; its events are at customers/{id}/behaviour/{visit}.
type TimelineVisit struct {
	ID        string    `json:"id"`
	EndedAt   time.Time `json:"ended_at" doc:"time of the last event"`
	Views     int64     `json:"views" doc:"pages and screens"`
	Events    int64     `json:"events"`
	EngagedMS int64     `json:"engaged_ms" doc:"visible and active time"`
	Orders    int64     `json:"orders,omitempty"`
	Host      string    `json:"host,omitempty"`
	Entry     string    `json:"entry,omitempty" doc:"path of the first page"`
	Exit      string    `json:"exit,omitempty" doc:"path of the last page"`
	Referrer  string    `json:"referrer,omitempty"`
	Channel   string    `json:"channel,omitempty"`
	Campaign  string    `json:"campaign,omitempty"`
	Device    string    `json:"device,omitempty"`
}

// TimelineIdentity is what happened to the profiles of a customer.
type TimelineIdentity struct {
	Why      string             `json:"why" enum:"event,move,person,customer"`
	Undone   bool               `json:"undone" doc:"it was taken back"`
	Loser    string             `json:"loser"`
	Winner   string             `json:"winner"`
	Evidence []IdentityEvidence `json:"evidence"`
}

// TimelineApproval is what happened in a request for agreement.
type TimelineApproval struct {
	Request string `json:"request"`
	What    string `json:"what"`
	Step    string `json:"step,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// HistoryEntry is one version of a record.
type HistoryEntry struct {
	Version int64         `json:"version"`
	At      time.Time     `json:"at"`
	Actor   Actor         `json:"actor"`
	Op      string        `json:"op"`
	Changes []FieldChange `json:"changes"`
}

// FieldChange is what a field was and became; personal values are masked.
type FieldChange struct {
	Field  string       `json:"field"`
	Label  schema.Label `json:"label"`
	Before any          `json:"before"`
	After  any          `json:"after"`
}

// ProfileService gathers what is known about a customer.
type ProfileService interface {
	Profile(ctx context.Context, customer id.ID) (*Profile, error)
}

// Profile is everything about a customer but the record itself and its timeline, which the edge adds.
type Profile struct {
	Highlights []Highlight
	Traits     []TraitFact
	Classes    []ClassFact
	Segments   []SegmentFact
	Related    []RelatedCount
	RFM        *RFMScore
}

// Highlight is a figure of the strip at the top.
type Highlight struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	Value any          `json:"value"`
}

// TraitFact is a trait of a customer with its explanation.
type TraitFact struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Group       schema.Label `json:"group"`
	GroupKey    string       `json:"group_key"`
	Type        string       `json:"type"`
	Value       any          `json:"value"`
	Explanation schema.Label `json:"explanation"`
	ComputedAt  *time.Time   `json:"computed_at"`
}

// ClassFact is the class a customer is in.
type ClassFact struct {
	Classification string       `json:"classification"`
	Label          schema.Label `json:"label"`
	Key            string       `json:"key"`
	ClassLabel     schema.Label `json:"class_label"`
	Color          string       `json:"color"`
	Since          *string      `json:"since"`
}

// SegmentFact is a segment a customer is in.
type SegmentFact struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// RelatedCount is how many records of an object point at the customer.
type RelatedCount struct {
	Object string       `json:"object"`
	Via    string       `json:"via"`
	Label  schema.Label `json:"label"`
	Count  int          `json:"count"`
}

// RFMScore is the three scores, 1 to 5.
type RFMScore struct {
	R int `json:"r"`
	F int `json:"f"`
	M int `json:"m"`
}

// CutService reads and changes how RFM is cut.
type CutService interface {
	Cuts(ctx context.Context) (RFM, error)
	SetCuts(ctx context.Context, mode string, cuts *RFMCuts) (RFM, error)
}

// RFMCuts are the lower bounds of scores 2 to 5: days (upper bounds, descending recency), orders, amounts in minor units.
type RFMCuts struct {
	R []int64 `json:"r"`
	F []int64 `json:"f"`
	M []int64 `json:"m"`
}

// RFM is how recency, frequency and monetary value are cut now.
type RFM struct {
	Cuts      RFMCuts  `json:"cuts"`
	Anchor    string   `json:"anchor"`
	Mode      string   `json:"mode" enum:"quintile,saved"`
	Means     RFMMeans `json:"means"`
	Customers int64    `json:"customers"`
}

// RFMMeans are the means over customers who purchased.
type RFMMeans struct {
	R float64 `json:"r"`
	F float64 `json:"f"`
	M float64 `json:"m"`
}
