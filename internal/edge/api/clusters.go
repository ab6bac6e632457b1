package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/cluster"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// clusterRoutes are the groups that the model found.
func (a *API) clusterRoutes() []route {
	return []route{
		{method: get, path: "/clusters", need: right, right: access.SegmentRead, run: op(a.clusters), doc: "Groups of customers that were found by themselves, what each is like, and how they have moved since"},
		{method: post, path: "/clusters/classification", need: right, right: access.ClassificationEdit, run: op(a.clustersAsClasses), doc: "Make a classification of the groups", status: http.StatusCreated},
	}
}

// ClusterTrait is a trait that groups are made by.
type ClusterTrait struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	Kind  string       `json:"kind" enum:"money,share,number"`
	Unit  schema.Label `json:"unit"`
	Mean  float64      `json:"mean" doc:"of everyone, in units of the currency or as a share"`
}

// ClusterFeature is a trait in which a group is unlike the mean customer.
type ClusterFeature struct {
	Trait string  `json:"trait"`
	High  bool    `json:"high"`
	Apart float64 `json:"apart" doc:"deviations from the mean customer"`
	Mean  float64 `json:"mean"`
}

// Cluster is a group.
type Cluster struct {
	Key      string           `json:"key"`
	Number   int              `json:"number"`
	Count    int64            `json:"count" doc:"customers now"`
	Share    float64          `json:"share" doc:"of all who purchased"`
	Learned  float64          `json:"learned" doc:"the share when the groups were learned"`
	Apart    []float64        `json:"apart" doc:"by trait: deviations from the mean customer"`
	Means    []float64        `json:"means" doc:"by trait"`
	Features []ClusterFeature `json:"features" doc:"the most unlike first"`
	Where    *query.Node      `json:"where"`
}

// ClusterTrial is how so many groups did.
type ClusterTrial struct {
	Groups     int     `json:"groups"`
	Silhouette float64 `json:"silhouette"`
	Stability  float64 `json:"stability"`
	Smallest   float64 `json:"smallest" doc:"share of the smallest group"`
}

// Clusters are all groups.
type Clusters struct {
	Ready     bool           `json:"ready" doc:"the model has learned"`
	Running   bool           `json:"running"`
	Version   int64          `json:"version"`
	Until     string         `json:"until" doc:"the last day that counted"`
	Traits    []ClusterTrait `json:"traits"`
	Groups    []Cluster      `json:"groups"`
	Trials    []ClusterTrial `json:"trials"`
	Suggested int            `json:"suggested"`
	Drift     float64        `json:"drift" doc:"population stability index of the sizes: below 0.1 little, above 0.25 much"`
	Currency  string         `json:"currency"`
	Notes     []CardNote     `json:"notes"`
}

func (a *API) clusters(ctx context.Context, c *call, _ struct{}) (Clusters, error) {
	out := Clusters{Traits: []ClusterTrait{}, Groups: []Cluster{}, Trials: []ClusterTrial{}, Notes: []CardNote{}, Currency: c.who.Workspace.Currency}
	e, err := c.ws.Models.Get(ctx, cluster.Key)
	if err != nil {
		return out, err
	}
	out.Running = e.Running
	state, ok, err := c.ws.Models.State(ctx, cluster.Key)
	if err != nil || !ok || e.Active == nil {
		return out, err
	}
	p, err := c.ws.Clusters.Portraits(ctx, state)
	if err != nil {
		return out, err
	}
	t := teller{a: a, c: c, model: cluster.Key}
	out.Ready, out.Version, out.Until, out.Suggested, out.Drift = true, e.Active.Number, dayText(e.Active.Until), p.Suggested, p.Drift
	out.Notes = t.card(e.Active.Card).Notes
	for j, col := range p.Traits {
		d, _ := c.ws.Catalogue().Find(col.Key)
		kind, by := c.clusterUnit(col)
		v := ClusterTrait{Key: col.Key, Label: d.Label, Kind: kind, Unit: d.Unit}
		if j < len(p.Means) {
			v.Mean = p.Means[j] / by
		}
		out.Traits = append(out.Traits, v)
	}
	for _, k := range p.Trials {
		out.Trials = append(out.Trials, ClusterTrial{k.K, k.Silhouette, k.Stability, k.Smallest})
	}
	for i, g := range p.Groups {
		v := Cluster{Key: g.Label, Number: i + 1, Count: g.Count, Share: g.Share, Learned: g.Learned, Apart: g.Apart, Means: make([]float64, len(g.Means)), Features: []ClusterFeature{},
			Where: traitIs(cluster.Trait, g.Label)}
		for j, m := range g.Means {
			_, by := c.clusterUnit(p.Traits[j])
			v.Means[j] = m / by
		}
		for _, f := range g.Features {
			for j, col := range p.Traits {
				if col.Key == f.Trait {
					v.Features = append(v.Features, ClusterFeature{f.Trait, f.High, f.Apart, v.Means[j]})
				}
			}
		}
		out.Groups = append(out.Groups, v)
	}
	return out, nil
}

// clusterUnit is how a trait is shown, and what its stored values are divided by.
func (c *call) clusterUnit(col cluster.Column) (kind string, by float64) {
	switch {
	case col.Type == schema.Money:
		return "money", math.Pow10(money.Exponent(c.who.Workspace.Currency))
	case col.Scale == 4:
		return "share", 10_000
	}
	return "number", math.Pow10(col.Scale)
}

type clusterClassesIn struct {
	Body struct {
		Label  string            `json:"label" doc:"of the classification"`
		Groups map[string]string `json:"groups" doc:"names of the groups by key"`
	}
}

// classColours are the colours of classes in turn.
var classColours = []string{"teal", "blue", "violet", "amber", "green", "orange", "pink", "red", "gray"}

// clustersAsClasses makes a classification whose classes ask for the groups.
func (a *API) clustersAsClasses(ctx context.Context, c *call, in clusterClassesIn) (Classification, error) {
	state, ok, err := c.ws.Models.State(ctx, cluster.Key)
	if err != nil {
		return Classification{}, err
	}
	var st cluster.State
	if ok {
		if err := json.Unmarshal(state, &st); err != nil {
			return Classification{}, err
		}
	}
	if len(st.Groups) == 0 {
		return Classification{}, fault.New(fault.Conflict, "cluster.no_groups", nil)
	}
	if strings.TrimSpace(in.Body.Label) == "" {
		return Classification{}, fault.InvalidField("classify.label_required", "label", nil)
	}
	both := func(text string) schema.Label { return schema.Label{"zh-CN": text, "en": text} }
	k := classify.Classification{Label: both(strings.TrimSpace(in.Body.Label)), Description: c.bothWords("cluster.classification", map[string]any{"traits": len(st.Traits)})}
	if k.Key, err = c.freeClassKey(ctx); err != nil {
		return Classification{}, err
	}
	for g := range st.Groups {
		key := cluster.Label(g)
		label := both(strings.TrimSpace(in.Body.Groups[key]))
		if label["en"] == "" {
			label = c.bothWords("cluster.group", map[string]any{"number": g + 1})
		}
		k.Classes = append(k.Classes, classify.Class{Key: key, Label: label, Color: classColours[g%len(classColours)], Where: traitIs(cluster.Trait, key)})
	}
	made, err := c.ws.Classes.Create(ctx, k)
	if err != nil {
		return Classification{}, err
	}
	return c.showClassification(ctx, made)
}

// freeClassKey is a key for a classification that nothing has yet.
func (c *call) freeClassKey(ctx context.Context) (string, error) {
	all, err := c.ws.Classes.List(ctx)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for _, k := range all {
		taken[k.Key] = true
	}
	for n := 1; ; n++ {
		key := "groups"
		if n > 1 {
			key += "_" + strconv.Itoa(n)
		}
		if _, trait := c.ws.Catalogue().Find(key); !trait && !taken[key] {
			return key, nil
		}
	}
}
