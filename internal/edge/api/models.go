package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// modelRoutes are the model room.
func (a *API) modelRoutes() []route {
	read, edit := access.SegmentRead, access.ClassificationEdit
	return []route{
		{method: get, path: "/models", need: right, right: read, run: op(a.listModels), doc: "Models with the version in use"},
		{method: get, path: "/models/{key}", need: right, right: read, run: op(a.getModel), doc: "One model with its versions and what happened to it"},
		{method: patch, path: "/models/{key}", need: right, right: edit, run: op(a.configureModel), doc: "Set a model's options and rhythm, or switch it off"},
		{method: post, path: "/models/{key}/fit", need: right, right: edit, run: op(a.fitModel), doc: "Have a model learn anew", status: http.StatusAccepted},
		{method: get, path: "/models/{key}/card", need: right, right: read, run: op(a.modelCard), doc: "What the version in use learned, and how good it is"},
		{method: get, path: "/models/{key}/versions/{number}", need: right, right: read, run: op(a.modelVersion), doc: "What one version learned"},
		{method: post, path: "/models/{key}/versions/{number}/activate", need: right, right: edit, run: op(a.activateModel), doc: "Put a version in use"},
		{method: get, path: "/customers/{id}/scores", need: right, right: access.RecordRead, run: op(a.customerScores), doc: "Why a customer has the scores of each model"},
	}
}

// Model is one that learns, with what it learned last. Texts are in the language of the request.
type Model struct {
	Key     string         `json:"key"`
	Label   string         `json:"label"`
	Does    string         `json:"does"`
	Page    string         `json:"page,omitempty"`
	Off     bool           `json:"off"`
	Refit   string         `json:"refit" enum:"day,week,month,hand"`
	Options []ModelOption  `json:"options"`
	Traits  []string       `json:"traits"`
	Edition int64          `json:"edition" doc:"of the settings"`
	Version int64          `json:"version" doc:"in use; 0 before the first"`
	Measure *CardMeasure   `json:"measure" doc:"sums up the version in use"`
	Running bool           `json:"running"`
	Failure *string        `json:"failure" doc:"why the last time did not work"`
	Scored  int64          `json:"scored" doc:"customers with scores"`
	Times   ModelTimes     `json:"times"`
	Active  *ModelVersion  `json:"active"`
	Others  []ModelVersion `json:"versions,omitempty"`
	Log     []ModelLine    `json:"log,omitempty"`
}

// ModelTimes are when a model did what.
type ModelTimes struct {
	FittedAt *time.Time `json:"fitted_at"`
	ScoredAt *time.Time `json:"scored_at"`
	ScoreMS  int64      `json:"score_ms"`
}

// ModelOption is something that a workspace may set.
type ModelOption struct {
	Key     string          `json:"key"`
	Label   string          `json:"label"`
	Help    string          `json:"help"`
	Kind    string          `json:"kind" enum:"number,switch,choice,traits"`
	Value   json.RawMessage `json:"value"`
	Default json.RawMessage `json:"default"`
	Set     bool            `json:"set" doc:"the workspace set it"`
	Min     *float64        `json:"min,omitempty"`
	Max     *float64        `json:"max,omitempty"`
	Unit    string          `json:"unit,omitempty"`
	Choices []ModelChoice   `json:"choices,omitempty"`
}

// ModelChoice is one of an option's choices.
type ModelChoice struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// ModelVersion is what one fit found out.
type ModelVersion struct {
	Number   int64           `json:"number"`
	Active   bool            `json:"active"`
	HeldBack bool            `json:"held_back" doc:"clearly worse than the version in use at the time"`
	Cause    string          `json:"cause" enum:"first,hand,schedule"`
	FittedAt time.Time       `json:"fitted_at"`
	FittedBy *Ref            `json:"fitted_by"`
	TookMS   int64           `json:"took_ms"`
	Until    string          `json:"until" doc:"the last day that counted"`
	Options  json.RawMessage `json:"options"`
	Measure  *CardMeasure    `json:"measure"`
	Card     *ModelCard      `json:"card,omitempty"`
}

// ModelCard says how good a version is, in the language of the request.
type ModelCard struct {
	From       string        `json:"from,omitempty"`
	Until      string        `json:"until,omitempty"`
	HeldFrom   string        `json:"held_from,omitempty" doc:"the later time that the measures were taken on"`
	HeldUntil  string        `json:"held_until,omitempty"`
	Rows       int64         `json:"rows"`
	Parameters []CardFigure  `json:"parameters"`
	Measures   []CardMeasure `json:"measures"`
	Inputs     []CardInput   `json:"inputs"`
	Charts     []CardChart   `json:"charts"`
	Notes      []CardNote    `json:"notes"`
}

// CardFigure is a number that was learned.
type CardFigure struct {
	Key   string  `json:"key"`
	Label string  `json:"label"`
	Help  string  `json:"help,omitempty"`
	Value float64 `json:"value"`
}

// CardMeasure is a figure of quality.
type CardMeasure struct {
	Key    string   `json:"key"`
	Label  string   `json:"label"`
	Help   string   `json:"help,omitempty"`
	Value  float64  `json:"value"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	Peer   *float64 `json:"peer,omitempty" doc:"what a simple rule reaches on the same data"`
	PeerIs string   `json:"peer_is,omitempty"`
	Better string   `json:"better,omitempty" enum:"higher,lower"`
	Share  bool     `json:"share,omitempty"`
}

// CardInput is something that a model looks at.
type CardInput struct {
	Key    string  `json:"key"`
	Label  string  `json:"label"`
	Weight float64 `json:"weight"`
	Drift  float64 `json:"drift,omitempty"`
}

// CardChart is a picture.
type CardChart struct {
	Key    string       `json:"key"`
	Label  string       `json:"label"`
	Help   string       `json:"help,omitempty"`
	Kind   string       `json:"kind" enum:"bars,lines"`
	X      []string     `json:"x"`
	Series []CardSeries `json:"series"`
}

// CardSeries is a row of numbers of a picture.
type CardSeries struct {
	Key    string     `json:"key"`
	Label  string     `json:"label"`
	Values []*float64 `json:"values"`
}

// CardNote is a sentence about a version.
type CardNote struct {
	Level string `json:"level" enum:"info,warning"`
	Text  string `json:"text"`
}

// ModelLine is one thing that happened to a model.
type ModelLine struct {
	At      time.Time `json:"at"`
	What    string    `json:"what" enum:"fit,held,score,activate,configure,fail"`
	Version int64     `json:"version,omitempty"`
	By      *Ref      `json:"by"`
	TookMS  int64     `json:"took_ms,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

// Models are all of them.
type Models struct {
	Items []Model `json:"items"`
}

// teller prints what models say in one language.
type teller struct {
	a     *API
	c     *call
	model string
	names map[record.Ref]string // of people
}

func (t teller) loc() lang.Locale { return localeOf(t.c.locale) }

// has finds the first key that has words; "" for none.
func (t teller) first(keys ...string) string {
	for _, k := range keys {
		if t.a.Words.Has(t.loc(), k) || t.a.Words.Has(lang.ChineseSimplified, k) {
			return k
		}
	}
	return ""
}

// word is a text of the model's own, or of all models; the key stands for one that is missing.
func (t teller) word(kind, key string) string {
	if k := t.first("model."+t.model+"."+kind+"."+key, "model."+kind+"."+key); k != "" {
		return t.a.Words.Text(t.loc(), k, nil)
	}
	return key
}

func (t teller) help(kind, key string) string {
	if k := t.first("model."+t.model+"."+kind+"."+key+".help", "model."+kind+"."+key+".help"); k != "" {
		return t.a.Words.Text(t.loc(), k, nil)
	}
	return ""
}

// sentence fills a sentence's parameters in.
func (t teller) sentence(kind, key string, params map[string]any) string {
	k := t.first("model."+t.model+"."+kind+"."+key, "model."+kind+"."+key)
	if k == "" {
		return key
	}
	printed := make(map[string]any, len(params))
	for name, v := range params {
		printed[name] = t.param(v)
	}
	return t.a.Words.Text(t.loc(), k, printed)
}

func (t teller) param(v any) any {
	if f, ok := v.(float64); ok {
		return figure(f)
	}
	p, ok := predict.AsAmount(v)
	if !ok {
		return v
	}
	switch p.Form {
	case predict.FormMoney:
		currency := t.c.ws.Info.Currency
		return money.Money{Amount: int64(math.Round(p.Value)), Currency: currency}.String()
	case predict.FormShare:
		return strconv.FormatFloat(math.Round(p.Value*1000)/10, 'f', -1, 64) + "%"
	case predict.FormDay:
		return clock.Day(p.Value).String()
	case predict.FormTrait:
		return t.trait(p.Key)
	case predict.FormOption:
		if d, ok := t.c.ws.Catalogue().Find(p.Of); ok {
			return d.Option(p.Key).In(t.loc())
		}
		return p.Key
	case predict.FormWord:
		if k := t.first("model."+t.model+"."+p.Key, "model."+p.Key); k != "" {
			return t.a.Words.Text(t.loc(), k, nil)
		}
		return p.Key
	case predict.FormNumber:
	}
	return figure(p.Value)
}

// figure prints a number as people read it: whole from a hundred on, three digits below.
func figure(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) || a >= 100:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	case a >= 10:
		return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	case a >= 1:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func (t teller) trait(key string) string {
	if d, ok := t.c.ws.Catalogue().Find(key); ok {
		return d.Label.In(t.loc())
	}
	return t.word("input", key)
}

func (t teller) measure(v room.Version, about predict.About) *CardMeasure {
	m, ok := v.Measure(about)
	if !ok {
		return nil
	}
	out := t.showMeasure(m)
	return &out
}

func (t teller) showMeasure(m predict.Measure) CardMeasure {
	out := CardMeasure{Key: m.Key, Label: t.word("measure", m.Key), Help: t.help("measure", m.Key), Value: m.Value, Low: m.Low, High: m.High, Peer: m.Peer, Better: string(m.Better), Share: m.Share}
	if m.PeerIs != "" {
		out.PeerIs = t.word("peer", m.PeerIs)
	}
	return out
}

func dayText(d clock.Day) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (t teller) card(k predict.Card) *ModelCard {
	out := &ModelCard{From: dayText(k.From), Until: dayText(k.Until), HeldFrom: dayText(k.HeldFrom), HeldUntil: dayText(k.HeldUntil), Rows: k.Rows,
		Parameters: []CardFigure{}, Measures: []CardMeasure{}, Inputs: []CardInput{}, Charts: []CardChart{}, Notes: []CardNote{}}
	for _, p := range k.Parameters {
		out.Parameters = append(out.Parameters, CardFigure{p.Key, t.word("parameter", p.Key), t.help("parameter", p.Key), p.Value})
	}
	for _, m := range k.Measures {
		out.Measures = append(out.Measures, t.showMeasure(m))
	}
	for _, i := range k.Inputs {
		out.Inputs = append(out.Inputs, CardInput{i.Key, t.trait(i.Key), i.Weight, i.Drift})
	}
	for _, ch := range k.Charts {
		c := CardChart{Key: ch.Key, Label: t.word("chart", ch.Key), Help: t.help("chart", ch.Key), Kind: string(ch.Kind), X: make([]string, len(ch.X)), Series: []CardSeries{}}
		for i, x := range ch.X {
			c.X[i] = x
			if len(x) > 1 && x[0] == '@' {
				c.X[i] = t.word("x", x[1:])
			}
		}
		for _, s := range ch.Series {
			c.Series = append(c.Series, CardSeries{s.Key, t.word("series", s.Key), s.Values})
		}
		out.Charts = append(out.Charts, c)
	}
	for _, n := range k.Notes {
		out.Notes = append(out.Notes, CardNote{string(n.Level), t.sentence("note", n.Key, n.Params)})
	}
	return out
}

func (t teller) version(v room.Version, about predict.About, active int64, card bool) ModelVersion {
	out := ModelVersion{Number: v.Number, Active: v.Number == active, HeldBack: v.HeldBack, Cause: string(v.Cause), FittedAt: v.FittedAt, TookMS: v.Took.Milliseconds(),
		Until: v.Until.String(), Options: v.Options, Measure: t.measure(v, about), FittedBy: optionalPerson(v.FittedBy, t.names)}
	if card {
		out.Card = t.card(v.Card)
	}
	return out
}

func (t teller) show(e room.Entry, card bool) Model {
	about, st := e.About, e.Standing
	out := Model{Key: about.Key, Label: t.word("name", about.Key), Does: t.word("does", about.Key), Page: about.Page, Off: st.Off, Refit: string(e.Rhythm()), Traits: list(about.Traits),
		Edition: st.Edition, Version: st.Version, Running: e.Running, Scored: st.Scored, Options: []ModelOption{}, Times: ModelTimes{ScoredAt: optional(st.ScoredAt), ScoreMS: st.Took.Milliseconds()}}
	if st.Failure != "" {
		text := t.a.Words.Text(t.loc(), st.Failure, nil)
		out.Failure = &text
	}
	set := map[string]json.RawMessage{}
	if len(st.Options) > 0 {
		_ = json.Unmarshal(st.Options, &set)
	}
	for _, o := range about.Options {
		m := ModelOption{Key: o.Key, Label: t.word("option", o.Key), Help: t.help("option", o.Key), Kind: string(o.Kind), Value: o.Default, Default: o.Default, Min: o.Min, Max: o.Max}
		if v, ok := set[o.Key]; ok {
			m.Value, m.Set = v, true
		}
		if o.Unit != "" {
			m.Unit = t.word("unit", o.Unit)
		}
		for _, k := range o.Choices {
			m.Choices = append(m.Choices, ModelChoice{k, t.word("option", o.Key+"."+k)})
		}
		out.Options = append(out.Options, m)
	}
	if e.Active != nil {
		v := t.version(*e.Active, about, st.Version, card)
		out.Active, out.Measure, out.Times.FittedAt = &v, v.Measure, &v.FittedAt
	}
	return out
}

func (a *API) listModels(ctx context.Context, c *call, _ struct{}) (Models, error) {
	all, err := c.ws.Models.List(ctx)
	out := Models{Items: []Model{}}
	for _, e := range all {
		out.Items = append(out.Items, teller{a: a, c: c, model: e.About.Key}.show(e, false))
	}
	return out, err
}

const shownLines = 50

func (a *API) getModel(ctx context.Context, c *call, in keyIn) (Model, error) {
	e, err := c.ws.Models.Get(ctx, in.Key)
	if err != nil {
		return Model{}, err
	}
	versions, err := c.ws.Models.Versions(ctx, in.Key)
	if err != nil {
		return Model{}, err
	}
	lines, err := c.ws.Models.Lines(ctx, in.Key, shownLines)
	if err != nil {
		return Model{}, err
	}
	var people []id.ID
	for _, v := range versions {
		people = append(people, v.FittedBy)
	}
	for _, l := range lines {
		people = append(people, l.By)
	}
	t := teller{a: a, c: c, model: in.Key}
	if t.names, err = c.userNames(ctx, people...); err != nil {
		return Model{}, err
	}
	out := t.show(e, true)
	out.Others, out.Log = []ModelVersion{}, []ModelLine{}
	for _, v := range versions {
		out.Others = append(out.Others, t.version(v, e.About, e.Standing.Version, false))
	}
	for _, l := range lines {
		line := ModelLine{At: l.At, What: l.What, Version: l.Version, TookMS: l.Took.Milliseconds(), By: optionalPerson(l.By, t.names)}
		if l.What == "fail" {
			line.Detail = a.Words.Text(t.loc(), l.Detail, nil)
		}
		out.Log = append(out.Log, line)
	}
	return out, nil
}

type versionIn struct {
	Key    string `path:"key"`
	Number int64  `path:"number" minimum:"1"`
}

func (a *API) modelVersion(ctx context.Context, c *call, in versionIn) (ModelVersion, error) {
	e, err := c.ws.Models.Get(ctx, in.Key)
	if err != nil {
		return ModelVersion{}, err
	}
	v, err := c.ws.Models.Version(ctx, in.Key, in.Number)
	if err != nil {
		return ModelVersion{}, err
	}
	return teller{a: a, c: c, model: in.Key}.version(v, e.About, e.Standing.Version, true), nil
}

func (a *API) modelCard(ctx context.Context, c *call, in keyIn) (ModelVersion, error) {
	e, err := c.ws.Models.Get(ctx, in.Key)
	if err != nil {
		return ModelVersion{}, err
	}
	return a.modelVersion(ctx, c, versionIn{in.Key, e.Standing.Version})
}

func (a *API) activateModel(ctx context.Context, c *call, in versionIn) (Model, error) {
	e, err := c.ws.Models.Activate(ctx, in.Key, in.Number)
	if err != nil {
		return Model{}, err
	}
	return teller{a: a, c: c, model: in.Key}.show(e, true), a.Auth.Note(ctx, c.who.Workspace.Key, "model.activate", "model", 0, map[string]any{"key": in.Key, "version": in.Number})
}

func (a *API) fitModel(ctx context.Context, c *call, in keyIn) (map[string]bool, error) {
	if err := c.ws.Models.Fit(ctx, in.Key); err != nil {
		return nil, err
	}
	return map[string]bool{"accepted": true}, a.Auth.Note(ctx, c.who.Workspace.Key, "model.fit", "model", 0, map[string]any{"key": in.Key})
}

type modelSettingIn struct {
	Key  string `path:"key"`
	Body struct {
		Edition int64                      `json:"edition,omitempty" doc:"that was seen; left out, whatever it is"`
		Off     bool                       `json:"off,omitempty"`
		Refit   string                     `json:"refit,omitempty" enum:"day,week,month,hand"`
		Options map[string]json.RawMessage `json:"options,omitempty" doc:"those that are set; the rest has its default"`
	}
}

func (a *API) configureModel(ctx context.Context, c *call, in modelSettingIn) (Model, error) {
	options, err := json.Marshal(in.Body.Options)
	if err != nil {
		return Model{}, err
	}
	if in.Body.Options == nil {
		options = nil
	}
	e, err := c.ws.Models.Configure(ctx, in.Key, room.Setting{Edition: in.Body.Edition, Off: in.Body.Off, Refit: predict.Refit(in.Body.Refit), Options: options})
	if err != nil {
		return Model{}, err
	}
	return teller{a: a, c: c, model: in.Key}.show(e, true), a.Auth.Note(ctx, c.who.Workspace.Key, "model.configure", "model", 0, map[string]any{"key": in.Key})
}

// Scores are why a customer has what models say of him.
type Scores struct {
	Items []ModelReasons `json:"items"`
}

// ModelReasons are the reasons of one model, strongest first.
type ModelReasons struct {
	Model   string        `json:"model"`
	Label   string        `json:"label"`
	Version int64         `json:"version"`
	Reasons []ScoreReason `json:"reasons"`
}

// ScoreReason is one cause of a score.
type ScoreReason struct {
	Text   string  `json:"text"`
	Effect float64 `json:"effect" doc:"positive raises the score"`
	Trait  string  `json:"trait,omitempty"`
}

func (a *API) customerScores(ctx context.Context, c *call, in idIn) (Scores, error) {
	o, v, err := c.survivor(ctx, recordIn{query.Customer, in.ID})
	if err != nil {
		return Scores{}, err
	}
	if _, err := c.ws.Records.Get(ctx, o.Key, v); err != nil {
		return Scores{}, err
	}
	all, err := c.ws.Models.Explain(ctx, v)
	out := Scores{Items: []ModelReasons{}}
	for _, r := range all {
		t := teller{a: a, c: c, model: r.About.Key}
		m := ModelReasons{Model: r.About.Key, Label: t.word("name", r.About.Key), Version: r.Version, Reasons: []ScoreReason{}}
		for _, i := range r.Items {
			m.Reasons = append(m.Reasons, ScoreReason{t.sentence("reason", i.Key, i.Params), i.Effect, i.Trait})
		}
		out.Items = append(out.Items, m)
	}
	return out, err
}

// ModelTrial is what a fit from the command line found. Kept says whether it became a version.
type ModelTrial struct {
	Model      string             `json:"model"`
	Version    int64              `json:"version,omitempty"`
	Kept       bool               `json:"kept"`
	Customers  int64              `json:"customers"`
	Until      string             `json:"until"`
	Parameters map[string]float64 `json:"parameters"`
	Likelihood *float64           `json:"log_likelihood,omitempty"`
	Holdout    map[string]float64 `json:"holdout,omitempty"`
	Measures   map[string]float64 `json:"measures"`
	Notes      []string           `json:"notes"`
	Seconds    float64            `json:"seconds"`
	Scored     int64              `json:"scored,omitempty"`
}

// The measures that stand apart in a ModelTrial.
const (
	measureLikelihood = "log_likelihood"
	measureExpected   = "holdout_expected"
	measureActual     = "holdout_actual"
)

func (t teller) trial(v room.Version) ModelTrial {
	out := ModelTrial{Model: v.Model, Version: v.Number, Kept: v.Number != 0, Customers: v.Card.Rows, Until: v.Until.String(), Seconds: v.Took.Seconds(),
		Parameters: map[string]float64{}, Measures: map[string]float64{}, Notes: []string{}}
	for _, p := range v.Card.Parameters {
		out.Parameters[p.Key] = p.Value
	}
	for _, m := range v.Card.Measures {
		switch m.Key {
		case measureLikelihood:
			out.Likelihood = &m.Value
		case measureExpected, measureActual:
			if out.Holdout == nil {
				out.Holdout = map[string]float64{}
			}
			out.Holdout[m.Key[len("holdout_"):]] = m.Value
		default:
			out.Measures[m.Key] = m.Value
		}
	}
	for _, n := range t.card(v.Card).Notes {
		out.Notes = append(out.Notes, n.Text)
	}
	return out
}

type localModelIn struct {
	Key  string `path:"key"`
	Body struct {
		Until   string                     `json:"until,omitempty"`
		Holdout string                     `json:"holdout_until,omitempty"`
		Options map[string]json.RawMessage `json:"options,omitempty"`
	}
}

// localFit fits a model now. With a day or options it is a trial that is not kept.
func (a *API) localFit(ctx context.Context, c *call, in localModelIn) (written, error) {
	if err := c.needWorkspace(); err != nil {
		return written{}, err
	}
	until, err := optionalDay(in.Body.Until, "until")
	if err != nil {
		return written{}, err
	}
	held, err := optionalDay(in.Body.Holdout, "holdout_until")
	if err != nil {
		return written{}, err
	}
	if err := a.note(ctx, c, "model.fit", map[string]any{"key": in.Key}); err != nil {
		return written{}, err
	}
	return a.steps(ctx, c, func(func(string)) (any, error) {
		var v room.Version
		var err error
		if until != 0 || held != 0 || len(in.Body.Options) > 0 {
			v, err = c.ws.Models.Try(ctx, in.Key, until, held, in.Body.Options)
		} else {
			v, err = c.ws.Models.Learn(ctx, in.Key, room.ByHand, 0)
		}
		if err != nil {
			return nil, err
		}
		out := teller{a: a, c: c, model: in.Key}.trial(v)
		if out.Kept {
			if err := c.ws.Traits.Follow(ctx); err != nil {
				return nil, err
			}
			e, err := c.ws.Models.Get(ctx, in.Key)
			if err != nil {
				return nil, err
			}
			out.Scored = e.Standing.Scored
		}
		return out, nil
	})
}

// localScore writes a model's scores now.
func (a *API) localScore(ctx context.Context, c *call, in keyIn) (written, error) {
	if err := c.needWorkspace(); err != nil {
		return written{}, err
	}
	return a.steps(ctx, c, func(func(string)) (any, error) {
		if err := c.ws.Models.Score(ctx, in.Key); err != nil {
			return nil, err
		}
		if err := c.ws.Traits.Follow(ctx); err != nil {
			return nil, err
		}
		e, err := c.ws.Models.Get(ctx, in.Key)
		return map[string]any{"model": in.Key, "version": e.Standing.ScoredVersion, "scored": e.Standing.Scored, "seconds": e.Standing.Took.Seconds()}, err
	})
}

func optionalDay(s, field string) (clock.Day, error) {
	if s == "" {
		return 0, nil
	}
	d, err := clock.ParseDay(s)
	if err != nil {
		return 0, fault.InvalidField("api.bad_parameter", field, nil)
	}
	return d, nil
}
