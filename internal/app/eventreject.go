package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	door "github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
)

// rejectedAtOnce is how many rejected events are looked through before others may write.
const rejectedAtOnce = 500

// forgetRejected removes the rejected events that name a customer by any identifier which events showed of them. It comes before the identifiers
// themselves go, and may be repeated.
func (w *workspace) forgetRejected(ctx context.Context, customer id.ID) error {
	names := map[string]bool{}
	err := identities{w}.view(ctx, func(l eventstore.Ledger) error {
		clear(names)
		profiles, err := l.Owned(ctx, []id.ID{customer})
		if err != nil || len(profiles) == 0 {
			return err
		}
		trees, err := l.Trees(ctx, profiles)
		if err != nil {
			return err
		}
		for i := range trees {
			for j := range trees[i].Identifiers {
				x := &trees[i].Identifiers[j]
				text := x.Value
				if x.Sealed != "" {
					if text, err = w.identityVault().Unseal(ctx, x.Sealed); err != nil {
						continue // of a key that is gone: nobody can read it there either
					}
				}
				names[door.SameName(text)] = true
			}
		}
		return nil
	})
	if err != nil || len(names) == 0 {
		return err
	}
	open := func(sealed json.RawMessage) (string, error) { return w.identityVault().Open(ctx, sealed) }
	return w.events.store.ForgetRejects(ctx, rejectedAtOnce, func(payload string) bool { return door.Names(json.RawMessage(payload), names, open) })
}
