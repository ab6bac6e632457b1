package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// DeedService tells what customers were seen doing, for those who write conditions about it.
type DeedService interface {
	// Names are the names of events of the last year, the most frequent first.
	Names(ctx context.Context) ([]SeenEvent, error)
	// Properties are the properties of the events of a name, by key.
	Properties(ctx context.Context, event string) ([]SeenProperty, error)
}

// SeenEvent is a name under which events came.
type SeenEvent struct {
	Name   string    `json:"name"`
	Count  int64     `json:"count"`
	LastAt time.Time `json:"last_at"`
}

// SeenProperty is a property of the events of a name. Values are texts that several events share.
type SeenProperty struct {
	Key    string   `json:"key"`
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// SeenEvents are what a condition about events may speak of. Columns are the values that every event may have.
type SeenEvents struct {
	Items   []SeenEvent  `json:"items"`
	Columns []SeenColumn `json:"columns"`
}

// SeenColumn is a value that every event may have, as a condition names it: "$channel". Type is text, region, number or money.
type SeenColumn struct {
	Key  string `json:"key"`
	Type string `json:"type"`
}

// SeenProperties are the properties of the events of a name.
type SeenProperties struct {
	Items []SeenProperty `json:"items"`
}

func (a *API) seenEvents(ctx context.Context, c *call, _ struct{}) (SeenEvents, error) {
	names, err := c.ws.Deeds.Names(ctx)
	out := SeenEvents{Items: list(names)}
	for _, col := range query.EventColumns() {
		out.Columns = append(out.Columns, SeenColumn{Key: col.Key, Type: string(col.Type)})
	}
	return out, err
}

type seenQuery struct {
	Event string `query:"event" doc:"name of the events" required:"true"`
}

func (a *API) seenProperties(ctx context.Context, c *call, q seenQuery) (SeenProperties, error) {
	items, err := c.ws.Deeds.Properties(ctx, q.Event)
	return SeenProperties{Items: list(items)}, err
}
