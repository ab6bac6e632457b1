package api

import (
	"context"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/engage/form"
)

// AcquisitionRow is where customers came from.
type AcquisitionRow struct {
	Origin    string `json:"origin" doc:"an option of the customers' field of sources, empty where it is not known, or a form"`
	Name      string `json:"name" doc:"of the form"`
	Source    string `json:"source" doc:"of a form: where people came from"`
	Campaign  string `json:"campaign"`
	Customers int64  `json:"customers"`
	Bought    int64  `json:"bought" doc:"of those, who have bought by now"`
	Cost      int64  `json:"cost" doc:"minor units of the base currency"`
}

// AcquisitionCost is what a month cost.
type AcquisitionCost struct {
	Month    string `json:"month" doc:"2026-01"`
	Origin   string `json:"origin" doc:"an option of the customers' field of sources, or a form"`
	Source   string `json:"source" doc:"of a form"`
	Campaign string `json:"campaign" doc:"of a form"`
	Amount   int64  `json:"amount" doc:"minor units of the base currency; 0 takes it away"`
}

// Acquisition is a report over months, of customers whom the caller sees. Rows of forms are a part of the source form.
type Acquisition struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Sources []AcquisitionRow  `json:"sources"`
	Forms   []AcquisitionRow  `json:"forms"`
	Costs   []AcquisitionCost `json:"costs"`
	Bought  bool              `json:"bought" doc:"how many have bought is told; else the caller may not see orders"`
}

// monthOf reads 2026-01 as 202601, 0 for what is none.
func monthOf(text string) int {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return 0
	}
	return t.Year()*100 + int(t.Month())
}

func monthText(m int) string { return fmt.Sprintf("%04d-%02d", m/100, m%100) }

type acquisitionIn struct {
	From string `query:"from" doc:"first month, 2026-01"`
	To   string `query:"to" doc:"last month"`
}

func (a *API) acquisition(ctx context.Context, c *call, in acquisitionIn) (Acquisition, error) {
	got, err := c.ws.Forms.Origins(ctx, monthOf(in.From), monthOf(in.To))
	if err != nil {
		return Acquisition{}, err
	}
	out := Acquisition{From: in.From, To: in.To, Sources: []AcquisitionRow{}, Forms: []AcquisitionRow{}, Costs: []AcquisitionCost{}, Bought: got.Bought}
	row := func(o *form.Origin) AcquisitionRow {
		x := AcquisitionRow{Origin: o.Origin, Source: o.Source, Campaign: o.Campaign, Customers: o.Customers, Bought: o.Bought, Cost: o.Cost}
		if o.Form != nil {
			x.Name = o.Form.Name
		}
		return x
	}
	for i := range got.Sources {
		out.Sources = append(out.Sources, row(&got.Sources[i]))
	}
	for i := range got.Forms {
		out.Forms = append(out.Forms, row(&got.Forms[i]))
	}
	for _, x := range got.Costs {
		out.Costs = append(out.Costs, AcquisitionCost{monthText(x.Month), x.Origin, x.Source, x.Campaign, x.Amount})
	}
	return out, nil
}

type acquisitionCostIn struct {
	Body AcquisitionCost
}

func (a *API) setAcquisitionCost(ctx context.Context, c *call, in acquisitionCostIn) (empty, error) {
	x := in.Body
	return empty{}, c.ws.Forms.SetCost(ctx, form.Cost{Month: monthOf(x.Month), Origin: x.Origin, Source: x.Source, Campaign: x.Campaign, Amount: x.Amount})
}
