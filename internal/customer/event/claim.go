package event

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// claim is what a client says of time and place: when it happened and when it was sent, as it came, and from where. free is set where the client wants its time
// taken as it is.
type claim struct {
	original, sent json.RawMessage
	free           bool
	address        string // of the network, as the client says it
}

// correct sets the times of an event.
func (d *Delivery) correct(e *event.Event, c claim) {
	original, ok := d.instant(c.original)
	if !ok {
		e.At = e.ReceivedAt
		e.Flags |= event.NoTime
		return
	}
	e.OriginalAt, e.At = original, original
	if sent, ok := d.instant(c.sent); ok && !c.free {
		e.At = e.ReceivedAt - (sent - original)
	}
	if e.At > e.ReceivedAt {
		e.At = e.ReceivedAt
		e.Flags |= event.FutureTime
	}
	if e.At < earliest { // a correction that leads out of the calendar is none
		e.At = e.ReceivedAt
		e.Flags |= event.NoTime
	}
}

// earliest is the first instant that is taken for a time: the year 1990. A number below secondsBelow counts seconds.
const (
	earliest     = 631152000000
	latest       = 253402300799000 // the year 9999
	secondsBelow = 1e11
)

var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00"}

// local are layouts without a zone: the workspace's is meant.
var local = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly, "2006/01/02 15:04:05"}

// instant reads a time: a text in ISO 8601 down to nanoseconds, or seconds or milliseconds since 1970 as number or text.
func (d *Delivery) instant(raw json.RawMessage) (int64, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] == 'n' {
		return 0, false
	}
	text := string(raw)
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, false
		}
		text = strings.TrimSpace(text)
		for _, l := range layouts {
			if t, err := time.Parse(l, text); err == nil {
				return plausible(t.UnixMilli())
			}
		}
		for _, l := range local {
			if t, err := time.ParseInLocation(l, text, d.Zone); err == nil {
				return plausible(t.UnixMilli())
			}
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != n || n > latest {
		return 0, false
	}
	if n < secondsBelow {
		n *= 1000
	}
	return plausible(int64(n))
}

func plausible(ms int64) (int64, bool) { return ms, ms >= earliest && ms <= latest }

// messageID is the client's message id; one that is too long is cut and told apart by its digest.
func messageID(s string) string {
	if len(s) <= event.MaxMessageID {
		return s
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return strings.ToValidUTF8(s[:event.MaxMessageID-18], "") + fmt.Sprintf("#%016x", h.Sum64())
}

// named is the message id of an event that came without one and says when it happened: its repetition gets the same.
func named(hash int64, more ...string) string {
	h := fnv.New64a()
	for _, m := range more {
		_, _ = h.Write([]byte(m))
		_, _ = h.Write([]byte{0})
	}
	return fmt.Sprintf("gx-%016x%016x", uint64(hash), h.Sum64()) //nolint:gosec // the same bits
}

// fresh is the message id of an event that says neither an id nor a time.
func fresh() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return "gx-" + hex.EncodeToString(b[:])
}
