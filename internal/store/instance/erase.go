package instance

import (
	"context"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

const (
	answersKept   = "SELECT key, body FROM idempotency WHERE key > ? ORDER BY key LIMIT 500"
	answerForget  = "UPDATE idempotency SET status = 410, body = ? WHERE key = ?"
	trailAbout    = "SELECT id, action FROM audit WHERE workspace = ? AND record_id = ? AND salt <> ''"
	trailForget   = "UPDATE audit SET detail = '{}', salt = '' WHERE id = ?"
	answerErased  = `{"type":"privacy.answer_erased","title":"Gone","status":410}`
	answersAtOnce = 500
)

// ForgetAnswers blanks kept answers to requests that name one of the printed ids, and says how many. A repetition of such a request
// is answered that it was carried out and its answer erased, and does nothing.
func (s *Store) ForgetAnswers(ctx context.Context, printed []string) (int, error) {
	mentioned := id.Mentions(printed)
	type answer struct{ key, body string }
	n, last := 0, ""
	for {
		list, err := collect(s.on(ctx), func(scan func(...any) error) (a answer, err error) { return a, scan(&a.key, &a.body) }, answersKept, last)
		if err != nil {
			return n, err
		}
		for _, a := range list {
			last = a.key
			if !mentioned(a.body) {
				continue
			}
			if _, err := s.on(ctx).exec(answerForget, answerErased, a.key); err != nil {
				return n, err
			}
			n++
		}
		if len(list) < answersAtOnce {
			return n, nil
		}
	}
}

// ForgetTrail erases what entries of the trail about records told, with their salts; their places in the chain stay. Entries that
// say who saw or erased what stay whole: they name fields and numbers.
func (s *Store) ForgetTrail(ctx context.Context, workspace string, ids []id.ID) (n int, err error) {
	type entry struct {
		id     int64
		action string
	}
	for part := range slices.Chunk(ids, answersAtOnce) {
		err := s.tx(ctx, func(t *tx) error {
			for _, v := range part {
				list, err := collect(t, func(scan func(...any) error) (e entry, err error) { return e, scan(&e.id, &e.action) }, trailAbout, workspace, int64(v))
				if err != nil {
					return err
				}
				for _, e := range list {
					if proof(e.action) {
						continue
					}
					if _, err := t.exec(trailForget, e.id); err != nil {
						return err
					}
					n++
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// proof reports actions that must stay provable.
func proof(action string) bool {
	return strings.HasPrefix(action, "privacy.") || action == "record.reveal" || action == "record.read_plain" || action == "webhook.reveal"
}
