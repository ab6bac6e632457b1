package app

import (
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/cluster"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// newCluster is the model that finds groups of customers.
func (w *workspace) newCluster() *cluster.Model {
	return cluster.New(cluster.Config{Store: analytics.NewClusters(w.gate, w.plane), Columns: w.numbers})
}

// numbers are traits with values that can be counted with.
func (w *workspace) numbers(keys []string) ([]cluster.Column, error) {
	catalogue := w.words.Catalogue()
	var out []cluster.Column
	for _, key := range keys {
		d, ok := catalogue.Find(key)
		if !ok || d.Type != schema.Number && d.Type != schema.Money {
			return nil, fault.InvalidField("cluster.no_number", "traits", fault.Params{"trait": key})
		}
		out = append(out, cluster.Column{Key: key, Table: d.Table, Column: d.Column, Type: d.Type, Scale: d.Scale})
	}
	return out, nil
}
