package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
)

var errEnd = errors.New("the third question ends the test")

// staleQueue answers its second question about what is due with what it saw before the first delivery was written down, as a
// database may.
type staleQueue struct {
	webhook.Store
	url              string
	asked            atomic.Int32
	second, finished chan struct{}
	once             sync.Once
}

func (q *staleQueue) Webhooks(context.Context, bool) ([]webhook.Subscription, error) {
	s := webhook.Subscription{ID: 1, State: webhook.Active, URL: q.url}
	s.Secret = []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	return []webhook.Subscription{s}, nil
}

func (q *staleQueue) Due(context.Context, id.ID, time.Time, int) ([]webhook.Delivery, error) {
	switch q.asked.Add(1) {
	case 1:
	case 2:
		close(q.second)
		<-q.finished
		for range 10_000 { // the sender goes on to say that it has finished
			runtime.Gosched()
		}
	default:
		return nil, errEnd
	}
	return []webhook.Delivery{{ID: 2, Webhook: 1, Body: "{}", State: webhook.Waiting}}, nil
}

func (q *staleQueue) Finish(context.Context, webhook.Outcome) error {
	q.once.Do(func() { close(q.finished) })
	return nil
}

func (q *staleQueue) Sweep(context.Context, time.Time, time.Time) error { return nil }

// clearVault seals nothing.
type clearVault struct{}

func (clearVault) NewKey(id.ID) ([]byte, error)                               { return nil, nil }
func (clearVault) Seal(_ []byte, _ id.ID, _ string, p []byte) ([]byte, error) { return p, nil }
func (clearVault) Open(_ []byte, _ id.ID, _ string, s []byte) ([]byte, error) { return s, nil }

// TestSentOnce: a delivery that arrives while the queue is being read is not sent again on the word of the old reading.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	q := &staleQueue{second: make(chan struct{}), finished: make(chan struct{})}
	var got atomic.Int32
	to := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		got.Add(1)
		<-q.second
	}))
	defer to.Close()
	q.url = to.URL
	sender := &webhook.Sender{Client: to.Client(), Vault: clearVault{}, Clock: clock.System{}}
	d := webhook.NewDispatcher(webhook.DispatcherConfig{Store: q, Sender: sender, Clock: clock.System{}, Seed: 1})
	d.Notify()                                              // the second question
	if err := d.Run(t.Context()); !errors.Is(err, errEnd) { // it waits for what is on its way
		t.Fatal(err)
	}
	if n := got.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
}
