// Package timeline puts together what happened around one record, newest first: the changes of the record itself, what
// people did and plan with it, and for a customer also orders, refunds, moves between classes, visits to sites and apps, and how it
// became known whose they are, from sources that know nothing of each other and lie in several stores. With a company stand the orders
// and visits of its contacts.
//
// Pages are by keyset: an item is (instant, source, its own id), items are ordered by all three, and a cursor is the last one
// shown, so nothing is lost or doubled when several things happened in the same millisecond or new ones come in between.
package timeline

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Kind says what an item is.
type Kind string

// The kinds.
const (
	Created  Kind = "created"
	Updated  Kind = "updated"
	Deleted  Kind = "deleted"
	Restored Kind = "restored"
	Merged   Kind = "merged"
	Unmerged Kind = "unmerged"
	Erased   Kind = "erased"
	Order    Kind = "order"
	Refund   Kind = "refund"
	Class    Kind = "class"
	Segment  Kind = "segment"
	Task     Kind = activity.Task
	Call     Kind = activity.Call
	Meeting  Kind = activity.Meeting
	Visit    Kind = activity.Visit
	Note     Kind = activity.Note
	Comment  Kind = "comment"
	File     Kind = "file"
	Letter   Kind = "letter"
	Approval Kind = "approval"
	// Behaviour is a visit to a site or an app; Visit is that of a colleague to the customer.
	Behaviour Kind = "behaviour"
	// Identity is that profiles of events became one, or were taken apart.
	Identity Kind = "identity"
	// Interaction is what a customer did with a content, in a store, on the phone or on a platform.
	Interaction Kind = "interaction"
)

// Kinds lists every kind, in a fixed order.
func Kinds() []Kind {
	return []Kind{Created, Updated, Deleted, Restored, Merged, Unmerged, Erased, Order, Refund, Class, Segment, Task, Call, Meeting, Visit, Note, Comment, File, Letter, Approval, Behaviour, Identity, Interaction}
}

// Item is one thing that happened.
type Item struct {
	ID     string // unique in the timeline
	At     time.Time
	Kind   Kind
	ByKind access.ActorKind // "" when nobody in particular
	By     id.ID
	Record *record.Ref // the order, refund or activity
	// Related are the records that a merge was about.
	Related []record.Ref
	Amount  *money.Money
	// Changes of an update.
	Changes []record.FieldChange
	// Move of a class item.
	Move *Move
	// Crossing of a segment item.
	Crossing *Crossing
	// Activity is the task, call, meeting, visit or note itself.
	Activity *record.Record
	// Remark is what somebody said.
	Remark *Remark
	// File is a file that was added, and may have been removed since.
	File *attachment.File
	// Letter is a mail that was written to the customer.
	Letter *Written
	// Agreement is a step of a request for agreement.
	Agreement *Agreement
	// Stay is a visit to a site or an app.
	Stay *Stay
	// Join is what happened to the profiles of a customer.
	Join *Join
	// Deed is an interaction.
	Deed *Deed
	// Contact is whose order or visit it was, of those of a company.
	Contact *record.Ref

	at place
}

// Cursor is that of the items behind this one.
func (i *Item) Cursor() string { return writeCursor(i.at) }

// Written is a mail to a customer, with a masked address.
type Written struct {
	ID            id.ID
	At            time.Time
	By            id.ID
	To            string
	Subject, Text string
	State, Reason string
	Rule          bool // By is a rule
}

// Letters knows what was written to customers.
type Letters interface {
	// Letters gives at most limit letters about a record at or before an instant, newest first.
	Letters(ctx context.Context, rec id.ID, until time.Time, limit int) ([]Written, error)
}

// Agreement is what happened in a request for agreement about the record.
type Agreement struct {
	ID      id.ID
	Request id.ID
	At      time.Time
	ByKind  access.ActorKind
	By      id.ID
	What    string // submitted, approved, rejected …
	Step    string
	Comment string
}

// Agreements knows the requests for agreement about records.
type Agreements interface {
	// Agreements gives at most limit steps at or before an instant, newest first.
	Agreements(ctx context.Context, rec id.ID, until time.Time, limit int) ([]Agreement, error)
}

// Remark is a comment; the body of a deleted one is empty.
type Remark struct {
	ID        id.ID
	At        time.Time
	By        id.ID
	Body      string
	EditedAt  time.Time
	DeletedAt time.Time
	DeletedBy id.ID
	Version   int64
}

// Remarks knows what people said about records.
type Remarks interface {
	// Remarks gives at most limit remarks about a record at or before an instant, newest first.
	Remarks(ctx context.Context, rec id.ID, until time.Time, limit int) ([]Remark, error)
}

// Files knows the files of records.
type Files interface {
	// About gives at most limit files of a record at or before an instant, newest first.
	About(ctx context.Context, rec id.ID, until time.Time, limit int) ([]attachment.File, error)
}

// Move is a passage from one class of a classification to another; From is "" for the first.
type Move struct {
	Classification string
	From           string
	To             string
	Reason         string
}

// Records is what the timeline needs from the record engine.
type Records interface {
	History(ctx context.Context, object string, rec id.ID, before change.Position, limit int) ([]record.Entry, change.Position, error)
	List(ctx context.Context, object string, q record.Query) (*record.Page, error)
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	// Titles fills in titles; what the reader does not see keeps an empty one.
	Titles(ctx context.Context, refs []record.Ref) error
}

// Moves knows the passages of customers between classes.
type Moves interface {
	// Moves gives at most limit passages of a customer at or before an instant, newest first.
	Moves(ctx context.Context, customer id.ID, until time.Time, limit int) ([]Passage, error)
}

// Crossing is a customer's entering or leaving of a segment. Leaf is the part of its condition that decided it, nil where none did alone.
type Crossing struct {
	At      time.Time
	Segment string
	Entered bool
	Cause   string
	Leaf    *query.Node
}

// Crossings knows when customers entered and left segments.
type Crossings interface {
	// Crossings gives at most limit of a customer at or before an instant, newest first; none to those who may not see segments.
	Crossings(ctx context.Context, customer id.ID, until time.Time, limit int) ([]Crossing, error)
}

// Passage is a Move with its time.
type Passage struct {
	At time.Time
	Move
}

// Service reads timelines. It is safe for concurrent use.
type Service struct {
	records  Records
	moves    Moves
	crossed  Crossings
	registry func() *schema.Registry
	remarks  Remarks
	files    Files
	letters  Letters
	agreed   Agreements

	behaviours Behaviours
	joins      Joins
}

// WithCrossings adds the segments that customers entered and left.
func (s *Service) WithCrossings(c Crossings) *Service {
	s.crossed = c
	return s
}

// WithLetters adds what was written by mail.
func (s *Service) WithLetters(l Letters) *Service {
	s.letters = l
	return s
}

// WithAgreements adds requests for agreement.
func (s *Service) WithAgreements(a Agreements) *Service {
	s.agreed = a
	return s
}

// WithFiles adds the files of records.
func (s *Service) WithFiles(f Files) *Service {
	s.files = f
	return s
}

// WithRemarks adds what people said.
func (s *Service) WithRemarks(r Remarks) *Service {
	s.remarks = r
	return s
}

// New makes a Service; moves may be nil.
func New(records Records, moves Moves, registry func() *schema.Registry) *Service {
	return &Service{records: records, moves: moves, registry: registry}
}

// MaxLimit is the most items of a page.
const MaxLimit = 100

// entry is an item with its place in the order.
type entry struct {
	place
	item Item
}

// place orders items: newest first, then by source, then by the source's own key.
type place struct {
	At     int64 `json:"t"` // milliseconds
	Source int   `json:"s"`
	Key    int64 `json:"k"`
	Second int64 `json:"x,omitempty"` // of a key of two parts
}

// after reports whether q stands after p.
func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(q.At, p.At), cmp.Compare(p.Source, q.Source), cmp.Compare(q.Key, p.Key), cmp.Compare(q.Second, p.Second))
}

// The sources, in the order in which they stand within one millisecond.
const (
	fromClass = iota
	fromRefund
	fromOrder
	fromHistory
	fromActivity  // and one for each activity behind it
	fromRemark    = fromActivity + 6
	fromFile      = fromActivity + 7
	fromLetter    = fromActivity + 8
	fromAgreement = fromActivity + 9
	fromStay      = fromActivity + 10
	fromJoin      = fromActivity + 11
	fromSegment   = fromActivity + 12
	fromDeed      = fromActivity + 13
	fromLast      = fromActivity + 14
)

// Query says what a page is to hold.
type Query struct {
	Limit  int    // 50 when 0, MaxLimit at most
	Cursor string // of the last item of the page before, "" for the newest
	Kinds  []Kind // everything when empty
	// From and Until bound the time, From included; zero for no bound.
	From, Until time.Time
}

// begin is the place behind which items are wanted.
func (v *Query) begin() (place, error) {
	p, err := readCursor(v.Cursor)
	if err == nil && !v.Until.IsZero() {
		if last := (place{At: v.Until.UnixMilli() - 1, Source: -1}); p.compare(last) < 0 {
			p = last
		}
	}
	return p, err
}

// Read gives a page of the timeline of a record, and the cursor of the next one ("" at the end).
func (s *Service) Read(ctx context.Context, object string, rec id.ID, v Query) ([]Item, string, error) {
	if v.Limit <= 0 || v.Limit > MaxLimit {
		v.Limit = 50
	}
	before, err := v.begin()
	if err != nil {
		return nil, "", err
	}
	if _, err := s.records.Get(ctx, object, rec); err != nil {
		return nil, "", fmt.Errorf("read timeline: %w", err)
	}
	q := page{s: s, object: object, rec: rec, before: before, limit: v.Limit + 1, kinds: v.Kinds}
	for _, read := range q.sources() {
		if err := read(ctx); err != nil {
			return nil, "", fmt.Errorf("read timeline: %w", err)
		}
	}
	if !v.From.IsZero() {
		from := v.From.UnixMilli()
		q.found = slices.DeleteFunc(q.found, func(e entry) bool { return e.At < from })
	}
	slices.SortFunc(q.found, func(a, b entry) int { return a.compare(b.place) })
	next := ""
	if len(q.found) > v.Limit {
		q.found = q.found[:v.Limit]
		next = writeCursor(q.found[v.Limit-1].place)
	}
	items := make([]Item, len(q.found))
	for i := range q.found {
		items[i] = q.found[i].item
		items[i].at = q.found[i].place
	}
	return items, next, q.name(ctx, items)
}

// sources are what a page is put together of.
func (q *page) sources() []func(context.Context) error {
	out := []func(context.Context) error{q.meet, q.activities, q.said, q.added, q.written, q.agreed}
	if q.wants(Created, Updated, Deleted, Restored, Merged, Unmerged, Erased) {
		out = append(out, q.history)
	}
	if q.object == query.Customer {
		for kind, read := range map[Kind]func(context.Context) error{Order: q.orders, Refund: q.refunds, Class: q.classes, Segment: q.crossings, Behaviour: q.stays, Identity: q.joined, Interaction: q.deeds} {
			if q.wants(kind) {
				out = append(out, read)
			}
		}
	}
	return out
}

// page is one reading.
type page struct {
	s      *Service
	object string
	rec    id.ID
	before place // items after this place only
	limit  int
	kinds  []Kind // nil for all
	party  *Party // who stands on the page of a customer
	found  []entry
}

// maker is what sort of actor made a record.
func maker(r *record.Record) access.ActorKind {
	if r.CreatedBy == 0 {
		return ""
	}
	return access.ByUser
}

// add keeps an item that stands after the cursor and reports whether it does.
func (q *page) add(e entry) bool {
	if q.before.compare(e.place) >= 0 {
		return false
	}
	q.found = append(q.found, e)
	return true
}

// history adds the record's own changes. They come in the order of the log, in which times hardly ever go back; a page is
// read on until enough of them stand after the cursor.
func (q *page) history(ctx context.Context) error {
	var from change.Position
	kinds := map[change.Op]Kind{change.Create: Created, change.Update: Updated, change.Delete: Deleted, change.Restore: Restored, change.Merge: Merged, change.Unmerge: Unmerged, change.Erase: Erased}
	kept := 0
	for {
		entries, next, err := q.s.records.History(ctx, q.object, q.rec, from, q.limit)
		if err != nil {
			return err
		}
		for i := range entries {
			e := &entries[i]
			kind, ok := kinds[e.Op]
			if !ok || !q.wants(kind) {
				continue
			}
			item := Item{ID: "h" + strconv.FormatInt(e.Position.Xid, 36) + "." + strconv.FormatInt(e.Position.Seq, 36), At: e.At, Kind: kind,
				ByKind: e.ByKind, By: e.By, Changes: e.Changes}
			for _, v := range e.Related {
				item.Related = append(item.Related, record.Ref{Object: q.object, ID: v})
			}
			if q.add(entry{place{e.At.UnixMilli(), fromHistory, e.Position.Xid, e.Position.Seq}, item}) {
				kept++
			}
		}
		if next == (change.Position{}) || kept >= q.limit {
			return nil
		}
		from = next
	}
}

func (q *page) orders(ctx context.Context) error {
	return q.facts(ctx, "order", "net_amount", fromOrder, Order)
}

func (q *page) refunds(ctx context.Context) error {
	return q.facts(ctx, "refund", "amount", fromRefund, Refund)
}

// facts adds the customer's records of an object that has a time field.
func (q *page) facts(ctx context.Context, object, amount string, source int, kind Kind) error {
	obj := q.s.registry().Object(object)
	if obj == nil || obj.TimeField == "" || obj.CustomerField == "" {
		return nil
	}
	// What the reader may not see, or not see the time of, has no place here.
	who := access.From(ctx)
	if !who.May(object, access.Read) || !who.MayAsk(object, obj.Field(obj.TimeField)) {
		return nil
	}
	shown := []string{obj.TimeField}
	if who.Field(object, amount) != access.FieldHidden {
		shown = append(shown, amount)
	}
	// Whose it is of several is told by the customer, and by the contact that an order names.
	names := contactsOf(who, obj, len(q.customers()) > 1)
	shown = append(shown, names...)
	of := q.customers()
	whose := make([]string, len(of))
	for i, v := range of {
		whose[i] = id.Format(q.s.registry().Object(query.Customer).Prefix, v)
	}
	mine, err := json.Marshal(whose)
	if err != nil {
		return err
	}
	where := &query.Node{All: []*query.Node{{Field: obj.CustomerField, Op: "in", Value: mine}}}
	if q.before.At != math.MaxInt64 {
		until, err := json.Marshal(time.UnixMilli(q.before.At).UTC().Format("2006-01-02T15:04:05.999Z07:00"))
		if err != nil {
			return err
		}
		where.All = append(where.All, &query.Node{Field: obj.TimeField, Op: "<=", Value: until})
	}
	query := record.Query{Where: where, Sort: []schema.Sort{{Field: obj.TimeField, Desc: true}}, Fields: shown,
		Limit: min(q.limit, record.MaxLimit)}
	kept := 0
	for {
		list, err := q.s.records.List(ctx, object, query)
		if err != nil {
			return err
		}
		for _, r := range list.Items {
			at, ok := r.Values[obj.TimeField].(time.Time)
			if !ok {
				continue
			}
			ref := r.Ref()
			item := Item{ID: id.Format(obj.Prefix, r.ID), At: at, Kind: kind, Record: &ref}
			if m, ok := r.Values[amount].(money.Money); ok {
				item.Amount = &m
			}
			q.attribute(r, names, &item)
			if q.add(entry{place{at.UnixMilli(), source, int64(r.ID), 0}, item}) {
				kept++
			}
		}
		if kept >= q.limit || list.NextCursor == "" {
			return nil
		}
		query.Cursor = list.NextCursor
	}
}

// classes adds moves between classes. Several at one instant are told apart by their classification.
func (q *page) classes(ctx context.Context) error {
	if q.s.moves == nil {
		return nil
	}
	until := time.UnixMilli(min(q.before.At, 1<<52)).UTC()
	list, err := q.s.moves.Moves(ctx, q.rec, until, q.limit+maxTies)
	if err != nil {
		return err
	}
	for _, p := range list {
		m := p.Move
		key := hash(m.Classification)
		item := Item{ID: "c" + m.Classification + "." + strconv.FormatInt(p.At.UnixMilli(), 36), At: p.At.UTC(), Kind: Class, Move: &m, ByKind: access.BySystem}
		q.add(entry{place{p.At.UnixMilli(), fromClass, key, 0}, item})
	}
	return nil
}

// crossings adds segments that were entered and left.
func (q *page) crossings(ctx context.Context) error {
	if q.s.crossed == nil {
		return nil
	}
	until := time.UnixMilli(min(q.before.At, 1<<52)).UTC()
	list, err := q.s.crossed.Crossings(ctx, q.rec, until, q.limit+maxTies)
	if err != nil {
		return err
	}
	for i := range list {
		c := &list[i]
		at := c.At.UnixMilli()
		item := Item{ID: "s" + c.Segment + "." + strconv.FormatInt(at, 36), At: c.At.UTC(), Kind: Segment, Crossing: c, ByKind: access.BySystem}
		q.add(entry{place{at, fromSegment, hash(c.Segment), 0}, item})
	}
	return nil
}

// maxTies is how many classifications may move one customer in the same millisecond.
const maxTies = 64

// hash is FNV-1a, kept positive.
func hash(s string) int64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return int64(h >> 1) //nolint:gosec // the top bit is gone
}

func writeCursor(p place) string {
	raw, err := json.Marshal(p)
	if err != nil { // numbers always encode
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// readCursor reads a place; every place is a valid one, so a cursor needs no signature.
func readCursor(text string) (place, error) {
	p := place{At: math.MaxInt64}
	if text == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil || p.At < -8e15 || p.At > 8e15 || p.Source < fromClass || p.Source > fromLast {
		return p, fault.InvalidField("record.cursor_invalid", "cursor", nil)
	}
	return p, nil
}
