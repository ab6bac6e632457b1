package ical

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// The methods of an invitation (RFC 5546).
const (
	Request = "REQUEST"
	Cancel  = "CANCEL"
)

// Party is who takes part.
type Party struct{ Name, Email string }

// Invitation is an event as its organizer sends it to one guest. A later one of the same UID takes the place of an earlier one when
// its Sequence is higher.
type Invitation struct {
	Method    string // Request or Cancel
	Sequence  int
	Organizer Party
	Guest     Party
	Event     Event
}

// param is a parameter's value: quoted, without what quotes cannot hold (RFC 5545, 3.1).
func param(s string) string {
	return `"` + strings.Map(func(r rune) rune {
		if r == '"' || r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")) + `"`
}

// Write writes the invitation as a calendar of one event.
func (v *Invitation) Write(to io.Writer) error {
	w := &writer{w: bufio.NewWriter(to)}
	w.line("BEGIN:VCALENDAR")
	w.line("VERSION:2.0")
	w.line("PRODID:-//Guanxi//Guanxi CRM//EN")
	w.line("CALSCALE:GREGORIAN")
	w.line("METHOD:" + v.Method)
	e := &v.Event
	w.line("BEGIN:VEVENT")
	w.text("UID", e.UID)
	w.line(fmt.Sprintf("SEQUENCE:%d", v.Sequence))
	w.line("DTSTAMP:" + e.Stamp.UTC().Format(instant))
	w.times(e)
	w.text("SUMMARY", e.Summary)
	w.text("DESCRIPTION", e.Description)
	w.text("LOCATION", e.Location)
	if e.URL != "" {
		w.line("URL:" + e.URL)
	}
	w.line("ORGANIZER;CN=" + param(v.Organizer.Name) + ":mailto:" + v.Organizer.Email)
	rsvp := "TRUE"
	status := "CONFIRMED"
	if v.Method == Cancel {
		rsvp, status = "FALSE", "CANCELLED"
	}
	w.line("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=" + rsvp + ";CN=" + param(v.Guest.Name) + ":mailto:" + v.Guest.Email)
	w.line("STATUS:" + status)
	w.line("TRANSP:OPAQUE")
	w.line("END:VEVENT")
	w.line("END:VCALENDAR")
	if w.err != nil {
		return fmt.Errorf("write invitation: %w", w.err)
	}
	return w.w.Flush()
}
