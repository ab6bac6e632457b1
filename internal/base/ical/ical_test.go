package ical_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/ical"
)

// unfold undoes the folding as a reader does, and checks what a reader relies on: every line ends in CRLF, has at most 75
// octets and is whole UTF-8.
func unfold(t *testing.T, text string) []string {
	t.Helper()
	if !strings.HasSuffix(text, "\r\n") {
		t.Fatal("the last line does not end")
	}
	var out []string
	for raw := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(raw) > 75 || !utf8.ValidString(raw) || strings.ContainsAny(raw, "\r\n") {
			t.Errorf("line of %d octets: %q", len(raw), raw)
		}
		if rest, ok := strings.CutPrefix(raw, " "); ok {
			out[len(out)-1] += rest
		} else {
			out = append(out, raw)
		}
	}
	return out
}

func TestWrite(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	long := strings.Repeat("客户希望在周五之前收到全部样衣；", 9) + "\n第二行, 带\\反斜杠\x00"
	at := time.Date(2026, 11, 24, 14, 0, 0, 0, zone)
	var b strings.Builder
	err := ical.Write(&b, "我的一天", []ical.Event{
		{UID: "mtg_1@guanxi", Stamp: at, Start: at, End: at.Add(90 * time.Minute), Summary: "年度合作复盘", Description: long, Location: "静安区, 1266 号", Alarm: 15 * time.Minute},
		{UID: "tsk_2@guanxi", Stamp: at, Start: time.Date(2026, 11, 30, 0, 0, 0, 0, zone), Day: true, Summary: "月底", Alarm: -1},
		{UID: "tsk_3@guanxi", Stamp: at, Start: at, Summary: "done", Done: true, Alarm: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := unfold(t, b.String())
	got := "\n" + strings.Join(lines, "\n") + "\n"
	for _, want := range []string{"BEGIN:VCALENDAR", "VERSION:2.0", "X-WR-CALNAME:我的一天", "DTSTART:20261124T060000Z", "DTEND:20261124T073000Z", "TRIGGER:-PT15M",
		"DTSTART;VALUE=DATE:20261130", "DTEND;VALUE=DATE:20261201", "LOCATION:静安区\\, 1266 号", "TRANSP:OPAQUE",
		"DESCRIPTION:" + strings.Repeat("客户希望在周五之前收到全部样衣；", 9) + `\n第二行\, 带\\反斜杠`, "END:VCALENDAR"} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if n := strings.Count(got, "\nBEGIN:VALARM\n"); n != 1 {
		t.Errorf("%d alarms", n)
	}
	if strings.Count(got, "\nBEGIN:VEVENT\n") != 3 || strings.Count(got, "\nEND:VEVENT\n") != 3 {
		t.Error(got)
	}
}
