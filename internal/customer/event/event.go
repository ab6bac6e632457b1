// Package event is the door of behaviour: it turns what clients send in the words of their protocols into events, one by one, so that a
// bad one never costs a good one, and hands them to the durable inbox.
//
// Protocols: the Segment HTTP API (Segment), the one of 神策 SDKs (Sensors), and calls of other programs by a mapping (Hook). Decoding is
// lenient where nothing is lost by it and names field and reason where something is missing. The claimed time is corrected by the clock of
// the server:
//
//	at = received − (sent − original), at most received
//
// Without a time of sending the claim is taken as it is; without a claim, or with one that is no time, the event happened when it arrived
// and is flagged NoTime. A time after the arrival is set to it and flagged FutureTime.
//
// Personal values (phone, e-mail, identity number, street) are sealed before anything is stored. Of rejected events and of robots, which nobody
// is to be found by, ids that are a phone number or an address of mail are sealed or replaced too. The address of the network gives the context its
// location, where that is wanted and the client says none, and is never kept. Events of people who were erased are taken and not kept.
//
// The package knows no HTTP and no storage.
package event

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Bounds of what one call may bring, in bytes and events.
const (
	MaxEvent  = 32 << 10
	MaxBatch  = 500 << 10
	MaxEvents = 2500
	maxID     = 256
)

// Delivery is what is known of a call beside its body. The zero value of a part means that it is not known.
type Delivery struct {
	Source     id.ID
	ReceivedAt time.Time
	Zone       *time.Location // of the workspace: for days, and for times that name no zone
	UserAgent  string         // of a browser
	// Address is where the call came from, and Own says that this is where the person is: in a browser, not a server that passes on.
	Address netip.Addr
	Own     bool
	// Locate says in which country (ISO 3166) and region of China (GB/T 2260) an address is, "" for not known; nil where regions are not
	// taken from addresses.
	Locate func(netip.Addr) (country, region string)
	// Visitor gives an event that names nobody and says context.cookieless a person; nil where there are none.
	Visitor func() string
	Consent Asking // of the source
}

// Item is one event as it came, in its place in the call. Fault says why it is not accepted; then of Event only what could be read is
// filled, for whoever looks at the rejected ones.
type Item struct {
	Event event.Event
	Fault *fault.Fault
	Raw   json.RawMessage // "" where it was no JSON
	Held  bool            // by the gate: it is kept to be replayed
	// Unagreed is an event that its source does not keep: nobody agreed to be analysed.
	Unagreed bool
}

func refused(code, field string, p fault.Params) *fault.Fault {
	return fault.InvalidField("event."+code, field, p)
}

// Unparseable is the fault of a body that is not what its address takes.
func Unparseable() *fault.Fault { return fault.New(fault.Invalid, "event.unparseable", nil) }

// Oversize is the fault of a body that is larger than limit bytes.
func Oversize(limit int) *fault.Fault {
	return fault.New(fault.Invalid, "event.body_too_large", fault.Params{"limit": limit >> 10})
}

// finish brings an event that was read to the form in which it is accepted: bounds, person, times, flags and hash.
func (d *Delivery) finish(it *Item, c claim) {
	e := &it.Event
	e.Source, e.ReceivedAt = d.Source, d.ReceivedAt.UnixMilli()
	d.correct(e, c)
	e.Day = clock.DayOf(time.UnixMilli(e.At), d.Zone)
	if it.Fault == nil {
		it.Fault = check(e)
	}
	if it.Fault != nil {
		return
	}
	if e.MessageID == "" && e.OriginalAt != 0 { // a repetition says the same
		e.MessageID = named(e.ContentHash(), e.UserID, e.AnonymousID)
	}
	if e.MessageID == "" {
		e.MessageID = fresh()
	}
	e.Hash = e.ContentHash()
	d.locate(e, c.address) // behind the hash: a resend may come from another network
	if e.UserID == "" && e.AnonymousID == "" {
		if d.Visitor != nil && cookieless(e.Context) {
			e.AnonymousID = d.Visitor()
		}
		if e.AnonymousID == "" {
			it.Fault = refused("nobody", "userId", nil)
		}
	}
	d.flag(it)
}

// check are the rules that every event keeps, whatever protocol it came by.
func check(e *event.Event) *fault.Fault {
	for _, f := range []struct {
		field, value string
		limit        int
	}{{"event", e.Name, event.MaxName}, {"userId", e.UserID, maxID}, {"anonymousId", e.AnonymousID, maxID}, {"groupId", e.GroupID, maxID}, {"previousId", e.PreviousID, maxID}} {
		if len(f.value) > f.limit {
			return refused("too_long", f.field, fault.Params{"limit": f.limit})
		}
	}
	switch {
	case e.Kind == event.Track && e.Name == "":
		return refused("name_missing", "event", nil)
	case e.Kind == event.Group && e.GroupID == "":
		return refused("group_missing", "groupId", nil)
	case e.Kind == event.Alias && e.PreviousID == "":
		return refused("previous_missing", "previousId", nil)
	case e.Kind == event.Alias && e.UserID == "":
		return refused("user_missing", "userId", nil)
	}
	return nil
}

func nameOf(k event.Kind, given string) string {
	switch k {
	case event.Page:
		return event.PageViewed
	case event.Screen:
		return event.ScreenViewed
	case event.Identify:
		return event.Identified
	case event.Group:
		return event.Grouped
	case event.Alias:
		return event.Aliased
	}
	return given
}
