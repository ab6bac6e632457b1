package event

import (
	"bytes"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// History reads events of before, out of a file say: messages of the Segment API, whose times are taken as they are. They are flagged
// Historic. Who repeats an import within SeenFor brings nothing twice, also where the messages have no ids: those are made of the content.
func History(list []json.RawMessage, d *Delivery) []Item {
	items := make([]Item, len(list))
	for i, raw := range list {
		if i >= MaxEvents {
			items[i] = Item{Raw: raw, Fault: fault.New(fault.Invalid, "event.batch_full", fault.Params{"limit": MaxEvents})}
			continue
		}
		if !json.Valid(raw) {
			items[i] = Item{Raw: raw, Fault: refused("not_an_object", "", nil)}
			continue
		}
		it := d.segmentOne("", bytes.TrimSpace(without(raw, "sentAt")), &segmentBatch{})
		if it.Fault == nil && it.Event.Flags.Has(event.NoTime) {
			it.Fault = refused("time_missing", "timestamp", nil)
		}
		it.Event.Flags |= event.Historic
		items[i] = it
	}
	return items
}
