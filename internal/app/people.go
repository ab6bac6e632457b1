package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	door "github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/customer/person"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	resolveAtOnce = 1000 // events of a transaction; other writers of the inbox wait for it
	peopleAtOnce  = 2000
	// peopleStep is the consumer whose position says how far events have become customers and orders.
	peopleStep = "people"
	// identityConsumer follows the change log: merges and erasures of customers.
	identityConsumer = "identity"
	identityBatch    = 2000
)

// newIdentities makes identity resolution and what turns events into customers and orders.
func (w *workspace) newIdentities() {
	a := w.app
	w.engine = identity.New(identity.Config{Vault: w.identityVault(), IDs: a.ids, Clock: a.Clock, Settings: w.identitySettings})
	w.persons = person.New(person.Config{Records: personRecords{w.records, w.registry}, Store: eventstore.People{DB: w.events.store.DB, Engine: w.engine},
		Vault: w.identityVault(), Registry: w.registry, Settings: w.peopleSettings, Open: w.openSources, Erased: w.erasedPeople, Log: a.Log.With("workspace", w.info.Key)})
	w.edge.Identities = identities{w}
}

func (w *workspace) identitySettings(ctx context.Context) (identity.Policy, error) {
	s := identity.Defaults()
	var own identity.Policy
	found, err := w.store.Setting(ctx, identityKey, &own)
	if found {
		s = own
	}
	return s, err
}

func (w *workspace) peopleSettings(ctx context.Context) (person.Intake, error) {
	s := person.Defaults()
	var own person.Intake
	found, err := w.store.Setting(ctx, peopleKey, &own)
	if found {
		s = own
	}
	return s, err
}

// openSources are the sources whose keys stand in pages and apps, where anybody can read them.
func (w *workspace) openSources(ctx context.Context) (map[id.ID]person.Door, error) {
	list, err := w.app.instance.Sources(ctx, w.info.Key)
	out := map[id.ID]person.Door{}
	for i := range list {
		if list[i].Public() {
			out[list[i].ID] = person.Door{Orders: list[i].Orders}
		}
	}
	return out, err
}

// erasedPeople reports who was erased since the door let their events in.
func (w *workspace) erasedPeople(ctx context.Context, who []person.Claim) ([]bool, error) {
	list := make([]door.Person, len(who))
	for i, c := range who {
		list[i] = door.Person{UserID: c.User, Values: []door.Value{{Kind: door.Email, Text: c.Email}, {Kind: door.Phone, Text: c.Phone}}}
	}
	return w.bars.Erased(ctx, list)
}

// resolveEvents is the step that gives events their profiles.
func (w *workspace) resolveEvents(ctx context.Context) (int, error) {
	refusing, err := w.consents.store.AnyRefusal(ctx)
	if err != nil {
		return 0, err
	}
	h := &withholder{w: w}
	if h.speaks, err = w.consents.Speaking(ctx); err != nil {
		return 0, err
	}
	taken, err := w.peopleSettings(ctx)
	if err != nil {
		return 0, err
	}
	h.orders = make(map[string]bool, len(taken.Orders))
	for _, o := range taken.Orders {
		h.orders[o.Event] = true
	}
	return w.events.store.Resolve(ctx, resolveAtOnce, func(ctx context.Context, c sqlstore.Conn, batch []event.Event) error {
		if refusing || slices.ContainsFunc(batch, func(ev event.Event) bool { return h.refuses(&ev) }) {
			if err := h.withhold(ctx, c, batch); err != nil {
				return err
			}
		}
		return w.engine.Resolve(ctx, eventstore.NewLedger(c), batch)
	})
}

// takePeople is the step that makes customers and orders of resolved events. What it writes into the records can be done again; its
// position moves when all of it is there.
func (w *workspace) takePeople(ctx context.Context) (int, error) {
	s := w.events.store
	at, err := s.Position(ctx, peopleStep)
	if err != nil {
		return 0, err
	}
	resolved, err := s.Position(ctx, eventstore.Resolved)
	if err != nil || !at.Less(resolved) {
		return 0, err
	}
	batch, err := s.Read(ctx, at, peopleAtOnce)
	if err != nil {
		return 0, err
	}
	n := 0
	for n < len(batch) && !resolved.Less(eventstore.PositionOf(&batch[n])) {
		n++
	}
	if n == 0 {
		return 0, nil
	}
	last := eventstore.PositionOf(&batch[n-1])
	open := slices.DeleteFunc(batch[:n], func(e event.Event) bool { return e.Flags.Has(event.Settled) })
	if err := w.persons.Take(system(ctx), open); err != nil {
		return 0, fmt.Errorf("make customers of events: %w", err)
	}
	return n, s.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		return s.Advance(ctx, c, peopleStep, last)
	})
}

// followCustomers keeps profiles in step with merges, their taking back, and erasures of customers.
func (w *workspace) followCustomers(ctx context.Context) error {
	f := &change.Follower{Feed: w.store.Log(), Name: identityConsumer, Clock: w.app.Clock, Batch: identityBatch, Step: w.followStep}
	return f.Run(ctx)
}

func (w *workspace) followStep(ctx context.Context, after change.Position) (change.Position, int, error) {
	log := w.store.Log()
	rows, err := log.Read(ctx, after, identityBatch)
	if err != nil || len(rows) == 0 {
		return after, 0, err
	}
	for i := range rows {
		r := &rows[i]
		if r.Object != "customer" {
			continue
		}
		if err := w.followRow(ctx, r); err != nil {
			return after, 0, fmt.Errorf("follow a customer: %w", err)
		}
	}
	next := rows[len(rows)-1].Position
	return next, len(rows), log.SavePosition(ctx, identityConsumer, next)
}

// followRow can be done again: it says how things are, not what changes.
func (w *workspace) followRow(ctx context.Context, r *change.Row) error {
	var merged []id.ID
	survivor := id.ID(0)
	switch r.Op {
	case change.Merge, change.Unmerge:
		for _, n := range change.Notes(r.After) {
			if n.Key == change.NoteMerged {
				merged = append(merged, n.Records...)
			}
		}
		if r.Op == change.Merge {
			survivor = r.Record
		}
	case change.Erase:
	default:
		return nil
	}
	if r.Op != change.Erase && len(merged) == 0 {
		return nil
	}
	if r.Op == change.Erase {
		if err := w.forgetRejected(ctx, r.Record); err != nil {
			return err
		}
	}
	err := w.events.store.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		l := eventstore.NewLedger(c)
		if r.Op == change.Erase {
			if err := eventstore.ForgetTold(ctx, c, []id.ID{r.Record}); err != nil {
				return err
			}
			return w.engine.Erase(ctx, l, []id.ID{r.Record})
		}
		return w.engine.Customers(ctx, l, merged, survivor)
	})
	if err == nil {
		w.events.store.Wake()
		err = w.followConsentRow(ctx, merged, survivor)
	}
	return err
}

// followConsentRow has what merged customers said count for the survivor; 0 has it count for themselves again.
func (w *workspace) followConsentRow(ctx context.Context, merged []id.ID, survivor id.ID) error {
	edges := make([]consent.Edge, len(merged))
	for i, m := range merged {
		edges[i] = consent.Edge{Member: m, Parent: survivor}
	}
	return w.consents.Link(ctx, edges)
}

// personRecords is person.Records.
type personRecords struct {
	*record.Service
	registry func() *schema.Registry
}

// Lines implements person.Records.
func (p personRecords) Lines(ctx context.Context, order id.ID) ([]*record.Record, error) {
	return p.of(ctx, "order_line", order, []string{"sku", "name"})
}

// Children implements person.Records.
func (p personRecords) Children(ctx context.Context, object string, order id.ID) (out []id.ID, err error) {
	recs, err := p.of(ctx, object, order, []string{})
	for _, r := range recs {
		out = append(out, r.ID)
	}
	return out, err
}

func (p personRecords) of(ctx context.Context, object string, order id.ID, fields []string) (out []*record.Record, err error) {
	o := p.registry().Object("order")
	if o == nil {
		return nil, nil
	}
	raw := []byte(`"` + id.Format(o.Prefix, order) + `"`)
	q := record.Query{Where: &query.Node{Field: "order", Op: "=", Value: raw}, Fields: fields, Sort: []schema.Sort{{Field: "id"}}, Limit: record.MaxLimit}
	for {
		page, err := p.List(ctx, object, q)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if page.NextCursor == "" {
			return out, nil
		}
		q.Cursor = page.NextCursor
	}
}
