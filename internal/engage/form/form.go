// Package form is how people who are not customers yet become some: forms on the web that anybody may fill in.
//
// A plan says what is asked, which consents in which words, what thanks for it, and by which posters and links people come (Code). What somebody sent makes a
// customer, or finds the one whose mail address or phone number it names. Nothing proves who sits before a form, so it
//
//   - never writes over what is known of a customer, and fills in ways to reach him only where the plan says so;
//   - answers the same, known or not;
//   - takes consent by mail as waiting until the link in the mail was used, and never turns a no that was said before into a yes by another channel;
//   - mails no more than one such link in ten minutes and three in a day to one customer, whoever asks.
//
// What was sent once counts once (the token of the page). A gift is given for a confirmed mail address, once for a customer and a form, and is sent to that
// address alone.
package form

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Prefixes of printed ids.
const (
	Prefix           = "frm"
	SubmissionPrefix = "fsb"
)

// EventName is the event that tells of a submission.
const EventName = "form_submitted"

// Status of a form.
type Status string

// The statuses.
const (
	Draft  Status = "draft"
	Active Status = "active"
	Ended  Status = "ended"
)

// Field is one that is asked for.
type Field struct {
	Key      string            `json:"key"` // of the customer object
	Required bool              `json:"required"`
	Label    map[string]string `json:"label"` // by language; empty for the field's own
}

// Consent is a purpose that is asked for, with one box for all its channels.
type Consent struct {
	Purpose  string   `json:"purpose"`
	Channels []string `json:"channels"`
	Required bool     `json:"required"`
}

// Code is a poster or link by which people come.
type Code struct {
	Key      string `json:"key"`
	Name     string `json:"name"`
	Store    string `json:"store"` // printed id of the store it hangs in; "" for none
	Source   string `json:"source"`
	Medium   string `json:"medium"`
	Campaign string `json:"campaign"`
}

// Words are what is said in one language.
type Words struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Button string `json:"button"`
	Thanks string `json:"thanks"`
}

// Plan is what a form asks and says.
type Plan struct {
	Locale    string           `json:"locale"` // of the words for languages that have none
	Words     map[string]Words `json:"words"`
	Fields    []Field          `json:"fields"`
	Consents  []Consent        `json:"consents"`
	ThanksURL string           `json:"thanks_url"` // where to go afterwards, "" for the thanks of the words
	Privacy   string           `json:"privacy"`    // address of the notice of privacy
	Contacts  bool             `json:"contacts"`   // fills in empty ways to reach a known customer
	Offer     string           `json:"offer"`      // printed id of the gift, "" for none
	Origins   []string         `json:"origins"`    // of sites that may show it in a frame
	Codes     []Code           `json:"codes"`
}

// Code finds one by key.
func (p *Plan) Code(key string) (Code, bool) {
	for _, c := range p.Codes {
		if c.Key == key && key != "" {
			return c, true
		}
	}
	return Code{}, false
}

// In is what a form says in a language, and in which.
func (p *Plan) In(locale string) (Words, string) {
	if w, ok := p.Words[locale]; ok {
		return w, locale
	}
	return p.Words[p.Locale], p.Locale
}

// Form is one.
type Form struct {
	ID                   id.ID
	Key                  string // of its address
	Name                 string
	Status               Status
	Plan                 Plan
	Version              int64
	CreatedBy, UpdatedBy id.ID
	CreatedAt, UpdatedAt time.Time
}

// Sums are what became of a form, or of one of its codes.
type Sums struct {
	Shown, Sent, Made, Waiting, Confirmed, Gifts int64
}

// The states of submissions.
const (
	Taken     = "taken"     // nothing waits
	Waiting   = "waiting"   // for the link that was mailed
	Confirmed = "confirmed" // the link was used, or the consent was there
)

// The states of gifts.
const (
	GiftNone   = ""
	GiftGiven  = "given"
	GiftFailed = "failed"
)

// What became of a consent.
const (
	Agreed    = "agreed"     // counts
	Asked     = "asked"      // waits for the link that was mailed
	Unmailed  = "unmailed"   // waits, and no mail could be sent
	Stands    = "stands"     // was given before
	SaidNo    = "said_no"    // was refused before, and a form does not change that
	NotAsked  = "not_asked"  // too many mails of this kind went out
	Untouched = "restricted" // the customer's data is only stored
)

// Agreement is what became of a consent.
type Agreement struct {
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	What    string `json:"what"`
}

// Trace is where somebody came from.
type Trace struct {
	Source   string `json:"-"` // these three are columns of their own
	Medium   string `json:"-"`
	Campaign string `json:"-"`
	Term     string `json:"term,omitempty"`
	Content  string `json:"content,omitempty"`
	Referrer string `json:"referrer,omitempty"` // the site, without the page
}

// Told is what is kept of a submission.
type Told struct {
	Filled     []string    `json:"filled"` // fields that were written
	Left       []string    `json:"left"`   // fields that were told and not written
	Agreements []Agreement `json:"agreements"`
	Trace      Trace       `json:"trace"`
	Locale     string      `json:"locale"`
	Several    bool        `json:"several,omitempty"` // more than one customer has what it names
}

// Submission is what somebody sent.
type Submission struct {
	ID, Form, Customer id.ID
	Once               string
	At                 time.Time
	Made               bool
	State              string
	ConfirmedAt        time.Time
	Gift               string
	Code               string
	Told               Told
}

// Ask looks for submissions of a form.
type Ask struct {
	Form   id.ID
	State  string // "", one of the states, "made" or "gift"
	Code   string // "" for every one
	Trace  *Traced
	Before id.ID
	Limit  int
}

// Traced are submissions of a time by people who came from somewhere.
type Traced struct {
	Source, Campaign string
	From, To         time.Time
}

// Store keeps forms.
type Store interface {
	Forms(ctx context.Context) ([]Form, error)
	// Form is one; NotFound form.not_found. ByKey finds it by the key of its address.
	Form(ctx context.Context, key id.ID) (Form, error)
	ByKey(ctx context.Context, key string) (Form, error)
	Insert(ctx context.Context, f Form) error
	// Update writes over the version before; Stale form.stale.
	Update(ctx context.Context, f Form) error
	Shown(ctx context.Context, form id.ID, day clock.Day, code string, n int64) error
	// Sums are by form, and by code within.
	Sums(ctx context.Context) (map[id.ID]map[string]Sums, error)
	Once(ctx context.Context, once string) (Submission, bool, error)
	// Add stores one; false where one of the same token is there.
	Add(ctx context.Context, s Submission) (bool, error)
	Submissions(ctx context.Context, a Ask) ([]Submission, error)
	// Since are those of a customer after an instant.
	Since(ctx context.Context, customer id.ID, after time.Time) ([]Submission, error)
	// Waits are those that wait, of a customer (0: of everybody), after a key.
	Waits(ctx context.Context, customer, after id.ID, since time.Time, limit int) ([]Submission, error)
	// Settle writes what became of the waiting, and of the gift.
	Settle(ctx context.Context, s Submission) error
	// Had tells whether a customer, or one that became one with him, was given the gift of a form.
	Had(ctx context.Context, form, customer id.ID) (bool, error)
}

// Input is a field as the page asks for it.
type Input struct {
	Key      string
	Type     schema.Type
	Label    schema.Label
	Help     schema.Label
	Options  []schema.Option
	Personal bool
	Needed   bool // no customer is made without
	Max      int
}

// Found is whom an address or number names.
type Found struct {
	Customer   id.ID // 0 for nobody
	Several    bool
	Restricted bool // is only stored
}

// People knows customers.
type People interface {
	// Inputs are the fields that a form may ask for, in the order of the object.
	Inputs() []Input
	// Read turns what was written into values; a fault of a field is by its key.
	Read(ctx context.Context, written map[string][]string) (values map[string]any, bad map[string]error)
	Find(ctx context.Context, values map[string]any) (Found, error)
	// Make makes a customer.
	Make(ctx context.Context, values map[string]any, store string) (id.ID, error)
	// Fill writes values where there are none, of ways to reach somebody only with contacts, and says which fields it wrote and left.
	Fill(ctx context.Context, customer id.ID, values map[string]any, contacts bool, store string) (filled, left []string, err error)
	// Seen are those of some customers whom the actor sees, with their names.
	Seen(ctx context.Context, customers []id.ID) (map[id.ID]string, error)
	// Stores are the names of stores that there are, by printed id.
	Stores(ctx context.Context, keys []string) (map[string]string, error)
}

// Purpose is a consent as it is asked for.
type Purpose struct {
	Key     string
	Label   schema.Label
	Text    schema.Label // the words in force
	Wording int64        // their number, 0 for none
	Known   bool         // it is asked for by all the channels named
}

// Yes is a consent that was given.
type Yes struct {
	Customer         id.ID
	Purpose, Channel string
	Wording          int64  // the version of the words that was shown
	Page             string // address of the page
	Once             string
}

// Consents is the ledger of what people agreed to.
type Consents interface {
	// Purpose is one with its words in force.
	Purpose(ctx context.Context, key string, channels []string) (Purpose, error)
	// Standing is what holds for a customer: "given", "withdrawn", or anything else.
	Standing(ctx context.Context, customer id.ID, purpose, channel string) (string, error)
	// Agree records a yes; mail consents wait for a link. It says what became of it: Agreed, Asked or Unmailed.
	Agree(ctx context.Context, y Yes) (string, error)
}

// Gifts gives offers.
type Gifts interface {
	// Holds refuses an offer that is not there or does not hold.
	Holds(ctx context.Context, offer string) error
	// Give gives a code of the customer's own and mails it to him; asked again it does nothing.
	Give(ctx context.Context, offer string, f *Form, s *Submission) error
}

// Teller writes the event of a submission.
type Teller interface {
	Tell(ctx context.Context, f *Form, s *Submission, values map[string]any, address string) error
}
