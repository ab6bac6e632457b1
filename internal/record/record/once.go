package record

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Once marks the context of a request that its sender may repeat: every write of an ordinary caller with it is remembered
// under the key in its own transaction. Repeated with the same key, after a crash too, it writes nothing and answers with
// the records that were written then, as they are now. The store keeps the key for a day.
func Once(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, onceKey{}, &once{key: key})
}

type onceKey struct{}

// once counts the writes of a request: a repetition makes the same ones in the same order.
type once struct {
	key string
	n   atomic.Int64
}

// turn is the key of the next write of the context, "" when it may be done again.
func turn(ctx context.Context, mode *writeMode) string {
	o, ok := ctx.Value(onceKey{}).(*once)
	if !ok || mode.bulk || mode.mass || mode.carried {
		return ""
	}
	return o.key + "#" + strconv.FormatInt(o.n.Add(1), 10)
}

// outcome is what became of an item.
type outcome struct {
	ID  id.ID          `json:"id"`
	Bad []*fault.Fault `json:"bad,omitempty"`
}

// remember stores what became of the items.
func remember(ctx context.Context, tx Tx, key string, items []*item) error {
	out := make([]outcome, len(items))
	for i, it := range items {
		out[i].ID = it.id
		for _, f := range it.bad {
			plain := *f
			plain.Cause = nil
			out[i].Bad = append(out[i].Bad, &plain)
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("outcome of a request: %w", err)
	}
	return tx.Remember(ctx, key, raw)
}

// recall answers the items from what an earlier run of the same request did; done is false when there was none.
func recall(ctx context.Context, tx Tx, key string, items []*item) (done bool, err error) {
	raw, found, err := tx.Remembered(ctx, key)
	if err != nil || !found {
		return false, err
	}
	var was []outcome
	if err := json.Unmarshal(raw, &was); err != nil || len(was) != len(items) {
		return false, fault.Wrap(fault.Internal, "record.bad_outcome", fmt.Errorf("outcome of a request for %d records: %w", len(items), err))
	}
	for i, it := range items {
		it.id, it.bad, it.recalled = was[i].ID, was[i].Bad, true
		if !it.ok() || it.op == change.Delete {
			continue
		}
		rows, err := tx.Get(ctx, it.sh.obj, []id.ID{it.id}, true)
		if err != nil {
			return false, err
		}
		if len(rows) == 0 {
			it.fail(notFound(it.sh.obj, it.id))
			continue
		}
		it.row = rows[0]
	}
	return true, nil
}
