package app

import (
	"math"

	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// newValue makes the model of what customers are worth.
func (w *workspace) newValue() *value.Model {
	return value.New(analytics.NewValues(w.gate, w.plane), func() float64 { return math.Pow10(money.Exponent(w.info.Currency)) }, w.traits.Anchor)
}
