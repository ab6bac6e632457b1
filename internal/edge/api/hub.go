package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Event tells open pages that something changed; it carries no content.
type Event struct {
	Kind   string `json:"kind" enum:"record,import,segment,mirror,classification,duplicates,demo,rights,talk,notification,job,approval,stages,merge,profile,model"`
	Object string `json:"object,omitempty"`
	ID     string `json:"id,omitempty"`
}

// Hub carries events to open pages. A page that is slow to read loses events rather than holding anybody up.
type Hub struct {
	mu     sync.Mutex
	subs   map[string]map[chan Event]string // with the printed id of the customer whom the page shows
	closed bool
}

// ofProfile is the kind of event that goes to pages that show the customer alone: something happened to the customer, or to what points there.
const ofProfile = "profile"

// NewHub makes an empty hub.
func NewHub() *Hub { return &Hub{subs: map[string]map[chan Event]string{}} }

const hubBuffer = 64

// Publish hands an event to every page of a workspace.
func (h *Hub) Publish(workspace string, e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch, watched := range h.subs[workspace] {
		if e.Kind == ofProfile && watched != e.ID {
			continue
		}
		select {
		case ch <- e:
		default:
		}
	}
}

// Listening reports whether any page of a workspace is open.
func (h *Hub) Listening(workspace string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs[workspace]) > 0
}

// Watched are the printed ids of the customers that open pages show.
func (h *Hub) Watched(workspace string) (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, customer := range h.subs[workspace] {
		if customer != "" && !slices.Contains(out, customer) {
			out = append(out, customer)
		}
	}
	return out
}

// Subscribe opens a channel of events, for a page that shows a customer also of what happens there; it is closed when the hub
// closes. leave must be called.
func (h *Hub) Subscribe(workspace, customer string) (events <-chan Event, leave func()) {
	ch := make(chan Event, hubBuffer)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(ch)
		return ch, func() {}
	}
	if h.subs[workspace] == nil {
		h.subs[workspace] = map[chan Event]string{}
	}
	h.subs[workspace][ch] = customer
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subs[workspace], ch)
	}
}

// Close ends every stream, so that the server can stop.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, m := range h.subs {
		for ch := range m {
			close(ch)
		}
	}
	h.subs = map[string]map[chan Event]string{}
}

const (
	heartbeat    = 20 * time.Second
	longestWatch = 15 * time.Minute // then the page connects again and is authenticated again
)

// tellable is what a caller may know of an event: to one who sees only some records it does not say which one changed or is
// spoken of.
func (c *call) tellable(e Event) (Event, bool) {
	if c.who.Actor.Unlimited() || e.Kind != "record" && e.Kind != "import" && e.Kind != "talk" {
		return e, true
	}
	e.ID = ""
	return e, c.who.Actor.May(e.Object, access.Read)
}

type eventsIn struct {
	Customer string `query:"customer" doc:"whom the page shows: it is told of everything that happens there"`
}

// events is the stream of server-sent events. That the customer whom the page shows may be seen is asked again before each news of
// the customer; when what people may do has changed, the page connects again and is asked who it is.
func (a *API) events(ctx context.Context, c *call, in eventsIn) (written, error) {
	rc := http.NewResponseController(c.w)
	sees := func() error {
		if in.Customer == "" {
			return nil
		}
		_, err := c.ofCustomer(ctx, in.Customer)
		return err
	}
	if err := sees(); err != nil {
		return written{}, err
	}
	ch, leave := a.Hub.Subscribe(c.who.Workspace.Key, in.Customer)
	defer leave()
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.WriteHeader(http.StatusOK)
	_, _ = fmt.Fprint(c.w, "retry: 3000\n\n")
	if err := rc.Flush(); err != nil {
		return written{}, nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(longestWatch)
	defer end.Stop()
	for last := false; ; {
		var line string
		select {
		case <-ctx.Done():
			return written{}, nil
		case <-end.C:
			return written{}, nil
		case <-beat.C:
			if c.token != "" {
				if _, err := a.Auth.Authenticate(ctx, c.token, c.who.Workspace.Key); err != nil {
					return written{}, nil
				}
			}
			line = ": alive\n\n"
		case e, ok := <-ch:
			if !ok {
				return written{}, nil
			}
			if e.Kind == ofProfile && sees() != nil {
				return written{}, nil
			}
			if e, ok = c.tellable(e); !ok {
				continue
			}
			last = in.Customer != "" && e.Kind == "rights"
			b, err := json.Marshal(e)
			if err != nil {
				return written{}, nil
			}
			line = "data: " + string(b) + "\n\n"
		}
		_ = rc.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if _, err := fmt.Fprint(c.w, line); err != nil {
			return written{}, nil
		}
		if err := rc.Flush(); err != nil || last {
			return written{}, nil
		}
	}
}
