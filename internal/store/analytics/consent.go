package analytics

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
)

// FamilyConsent holds what customers agreed to: a column for each place of a purpose and each channel, with the state as text. It is filled from the
// ledger's states, whose number up to which that was done stands in plane_state, in the transaction that writes the rows.
const FamilyConsent = "t_consent"

// ConsentColumn is the column of a purpose's place and a channel.
func ConsentColumn(place int, channel consent.Channel) string {
	return "p" + strconv.Itoa(place) + "_" + string(channel)
}

func consentFamily() table {
	var columns []string
	for place := range consent.MaxPurposes {
		for _, c := range consent.Channels() {
			columns = append(columns, ConsentColumn(place, c))
		}
	}
	t := family(FamilyConsent, texts(columns...))
	t.family = false // the wide view would be twice as wide
	return t
}

// Consents fills FamilyConsent. It is used by one goroutine at a time.
type Consents struct{ db DB }

// NewConsents works on an open plane that Ensure was called for.
func NewConsents(db DB) *Consents { return &Consents{db} }

// stateConsent is the entry of plane_state with the number up to which states are here.
const stateConsent = "consent"

// At is the number up to which states are here, 0 before the first.
func (c *Consents) At(ctx context.Context) (int64, error) {
	text, ok, err := getState(ctx, c.db, stateConsent)
	if err != nil || !ok {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read state %s: %w", stateConsent, err)
	}
	return n, nil
}

// Clear empties the family, so that it is filled anew.
func (c *Consents) Clear(ctx context.Context) error {
	return c.db.Write(ctx, func(tx Tx) error {
		return run(ctx, tx, exec{"DELETE FROM " + FamilyConsent, nil}, exec{dropState, []any{stateConsent}})
	})
}

// Load replaces the rows of customers by their states, and notes the number up to which that is done. Customers are marked for the next pass over
// those who changed, where they are few: segments that rules watch follow them.
func (c *Consents) Load(ctx context.Context, customers []id.ID, values map[id.ID]map[string]string, upTo, at int64) error {
	column := map[string]int{}
	names := consentFamily().names()
	for i, n := range names {
		column[n] = i
	}
	return c.db.Write(ctx, func(tx Tx) error {
		if len(customers) > 0 {
			args := make([]any, len(customers))
			for i, v := range customers {
				args[i] = int64(v)
			}
			if _, err := tx.Exec(ctx, "DELETE FROM "+FamilyConsent+" WHERE customer_id IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...); err != nil {
				return err
			}
			err := tx.Append(ctx, FamilyConsent, names, func(yield func([]any, error) bool) {
				for _, v := range customers {
					if len(values[v]) == 0 {
						continue
					}
					row := make([]any, len(names))
					row[0], row[len(row)-1] = int64(v), at
					for name, state := range values[v] {
						if i, ok := column[name]; ok {
							row[i] = state
						}
					}
					if !yield(row, nil) {
						return
					}
				}
			})
			if err != nil {
				return err
			}
			if err := touchFew(ctx, tx, customers); err != nil {
				return err
			}
		}
		return setState(ctx, tx, stateConsent, strconv.FormatInt(upTo, 10))
	})
}

// TouchAtMost is from how many customers on none is marked: an import of consents is no news of purchases.
const TouchAtMost = 200

func touchFew(ctx context.Context, tx Tx, customers []id.ID) error {
	if len(customers) > TouchAtMost {
		return nil
	}
	batch, err := nextBatch(ctx, tx)
	if err != nil {
		return err
	}
	return tx.Append(ctx, "trait_touched", []string{"customer_id", "batch"}, func(yield func([]any, error) bool) {
		for _, v := range customers {
			if !yield([]any{int64(v), batch}, nil) {
				return
			}
		}
	})
}
