// Package ical writes calendars as RFC 5545 describes them, for programs that subscribe to one by its address.
//
// Lines end in CRLF and are folded after 75 octets, never inside a character; texts are escaped; instants are written in UTC
// and whole days as dates, whose end is the day after the last one. It writes events only: what is to be done by a time is an
// event of that time, since few calendars show to-dos they have subscribed to.
package ical

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Event is one entry of a calendar.
type Event struct {
	UID         string    // the same for ever
	Stamp       time.Time // when it was changed last
	Start, End  time.Time // End may be zero: it has no length then
	Day         bool      // Start is a whole day, in its own location
	Summary     string
	Description string
	Location    string
	URL         string
	Done        bool          // does not make anybody busy
	Alarm       time.Duration // how long before the start to remind; negative for not at all
	Categories  []string
}

// fold is how many octets a line has at most, without its end.
const fold = 75

type writer struct {
	w   *bufio.Writer
	err error
}

// line writes a content line, folded: what follows the first part begins with a space.
func (w *writer) line(text string) {
	for limit := fold; len(text) > limit; limit = fold - 1 {
		cut := limit
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		w.put(text[:cut] + "\r\n ")
		text = text[cut:]
	}
	w.put(text + "\r\n")
}

func (w *writer) put(s string) {
	if w.err == nil {
		_, w.err = w.w.WriteString(s)
	}
}

// Escape is a text value (RFC 5545, 3.3.11). Control characters but for line breaks are left out.
func Escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

func (w *writer) text(name, value string) {
	if value != "" {
		w.line(name + ":" + Escape(value))
	}
}

const (
	instant = "20060102T150405Z"
	date    = "20060102"
)

// Write writes a calendar with its events, in the order given.
func Write(to io.Writer, name string, events []Event) error {
	w := &writer{w: bufio.NewWriter(to)}
	w.line("BEGIN:VCALENDAR")
	w.line("VERSION:2.0")
	w.line("PRODID:-//Guanxi//Guanxi CRM//EN")
	w.line("CALSCALE:GREGORIAN")
	w.line("METHOD:PUBLISH")
	w.text("X-WR-CALNAME", name)
	w.line("REFRESH-INTERVAL;VALUE=DURATION:PT15M")
	for i := range events {
		w.event(&events[i])
	}
	w.line("END:VCALENDAR")
	if w.err != nil {
		return fmt.Errorf("write calendar: %w", w.err)
	}
	return w.w.Flush()
}

// times writes when an event is.
func (w *writer) times(e *Event) {
	if e.Day {
		last := e.Start
		if e.End.After(e.Start) {
			last = e.End
		}
		w.line("DTSTART;VALUE=DATE:" + e.Start.Format(date))
		w.line("DTEND;VALUE=DATE:" + last.AddDate(0, 0, 1).Format(date))
	} else {
		w.line("DTSTART:" + e.Start.UTC().Format(instant))
		if e.End.After(e.Start) {
			w.line("DTEND:" + e.End.UTC().Format(instant))
		}
	}
}

func (w *writer) event(e *Event) {
	w.line("BEGIN:VEVENT")
	w.text("UID", e.UID)
	w.line("DTSTAMP:" + e.Stamp.UTC().Format(instant))
	w.line("LAST-MODIFIED:" + e.Stamp.UTC().Format(instant))
	w.times(e)
	w.text("SUMMARY", e.Summary)
	w.text("DESCRIPTION", e.Description)
	w.text("LOCATION", e.Location)
	if e.URL != "" {
		w.line("URL:" + e.URL)
	}
	if len(e.Categories) > 0 {
		parts := make([]string, len(e.Categories))
		for i, c := range e.Categories {
			parts[i] = Escape(c)
		}
		w.line("CATEGORIES:" + strings.Join(parts, ","))
	}
	w.line("STATUS:CONFIRMED")
	transparent := "OPAQUE"
	if e.Done || e.Day || e.End.IsZero() {
		transparent = "TRANSPARENT"
	}
	w.line("TRANSP:" + transparent)
	if e.Alarm >= 0 && !e.Done {
		w.line("BEGIN:VALARM")
		w.line("ACTION:DISPLAY")
		w.text("DESCRIPTION", e.Summary)
		w.line(fmt.Sprintf("TRIGGER:-PT%dM", int(e.Alarm.Minutes())))
		w.line("END:VALARM")
	}
	w.line("END:VEVENT")
}
