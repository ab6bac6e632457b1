package app

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// journeyPlays implements api.JourneyPlays: ready journeys of care, each with whom it takes, what it says in both languages, whom it leaves out to
// compare with, and its goal.
type journeyPlays struct{ w *workspace }

// play is one. Segment is the condition of the segment that it makes, nil for none; Letters how many templates it has; goods those with recommendations.
type play struct {
	key, kind string
	letters   int
	goods     bool
	segment   func(w *workspace) *query.Node
	draw      func(p *drawing)
}

func node(text string) *query.Node {
	var n query.Node
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return nil
	}
	return &n
}

// drawing is a definition that is being made.
type drawing struct {
	d       journey.Definition
	say     func(part string) string
	letters []string // printed ids of templates
	segment string
	last    *string // where the next step goes
	n       int
}

func (p *drawing) begin(t journey.Trigger, goalDays int) {
	p.d.Trigger, p.d.Holdout = t, 10
	p.d.Goal = journey.Goal{Kind: journey.GoalPurchase, Days: goalDays}
	p.d.Reentry = journey.Reentry{Kind: journey.ReOnce}
	p.d.Exit.Goal = true
	p.last = &p.d.Start
}

func (p *drawing) again(days int) { p.d.Reentry = journey.Reentry{Kind: journey.ReAfter, Days: days} }

// add puts a step behind the last one.
func (p *drawing) add(s journey.Step) {
	p.n++
	s.Key = "s" + string(rune('a'+p.n-1))
	*p.last = s.Key
	p.d.Steps = append(p.d.Steps, s)
	p.relink()
}

// relink keeps the place of the next step, which moves as the list grows.
func (p *drawing) relink() { p.last = &p.d.Steps[len(p.d.Steps)-1].Next }

func (p *drawing) send(i int) {
	p.add(journey.Step{Kind: journey.Send, Purpose: "marketing", Template: p.letters[i], Name: p.say("letter_" + string(rune('1'+i)))})
}

func (p *drawing) wait(days, hours int, at string) {
	p.add(journey.Step{Kind: journey.Wait, Wait: &journey.Waiting{Days: days, Hours: hours, At: at}})
}

// until waits for a purchase; who buys is led to the end.
func (p *drawing) until(days, hours int) {
	p.add(journey.Step{Kind: journey.Wait, Wait: &journey.Waiting{Days: days, Hours: hours, Event: journey.Purchase}, Ways: []journey.Way{{Key: "bought", Next: endKey}}})
}

func (p *drawing) task(days int) {
	p.add(journey.Step{Kind: journey.Task, Title: p.say("task"), Days: days})
}

// endKey is the step at which ready journeys end.
const endKey = "end"

func (p *drawing) end() {
	*p.last = endKey
	p.d.Steps = append(p.d.Steps, journey.Step{Key: endKey, Kind: journey.End})
}

func daily(where string) (journey.Trigger, *query.Node) {
	return journey.Trigger{Kind: journey.OnSchedule, Every: journey.Daily, At: "10:00"}, node(where)
}

// plays are the ready journeys in the order in which they are shown.
func plays() []play { return slices.Concat(newPlays(), growPlays(), calendarPlays(), keepPlays()) }

// newPlays are for those who came a short while ago.
func newPlays() []play {
	return []play{
		{key: "welcome", kind: "new", letters: 2, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnRecord, Object: query.Customer, Change: "created"}, 30)
			p.send(0)
			p.until(5, 0)
			p.send(1)
			p.end()
		}},
		{key: "first_purchase", kind: "new", letters: 1, goods: true, draw: func(p *drawing) {
			t, where := daily(`{"record":"order","op":"none"}`)
			p.begin(t, 30)
			p.d.Where, p.d.PerDay = where, 500
			p.again(90)
			p.send(0)
			p.until(14, 0)
			p.task(3)
			p.end()
		}},
		{key: "second_purchase", kind: "grow", letters: 2, goods: true, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnRecord, Object: "order", Change: "created"}, 60)
			p.d.Where = node(`{"trait":"orders","op":"<=","value":1}`)
			p.until(14, 0)
			p.send(0)
			p.until(21, 0)
			p.send(1)
			p.end()
		}},
	}
}

// growPlays are for those who look and choose.
func growPlays() []play {
	return []play{
		{key: "cart", kind: "grow", letters: 2, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnEvent, Event: "Product Added"}, 7)
			p.again(3)
			p.until(0, 4)
			p.send(0)
			p.until(1, 0)
			p.send(1)
			p.end()
		}},
		{key: "browse", kind: "grow", letters: 1, goods: true, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnEvent, Event: "Product Viewed"}, 14)
			p.again(14)
			p.until(1, 0)
			p.send(0)
			p.end()
		}},
		{key: "replenish", kind: "keep", letters: 1, goods: true, draw: func(p *drawing) {
			t, where := daily(`{"trait":"replenish_on","op":"within_next","value":{"days":3}}`)
			p.begin(t, 21)
			p.d.Where = where
			p.again(21)
			p.send(0)
			p.until(10, 0)
			p.end()
		}},
	}
}

// calendarPlays go by the calendar and by tiers.
func calendarPlays() []play {
	return []play{
		{key: "birthday", kind: "calendar", letters: 2, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnDate, Field: "birthday", Yearly: true, Days: -7, At: "09:30"}, 21)
			p.again(300)
			p.d.Exit.Goal = false
			p.send(0)
			p.add(journey.Step{Kind: journey.Wait, Wait: &journey.Waiting{Field: "birthday", At: "09:00"}})
			p.send(1)
			p.end()
		}},
		{key: "festival", kind: "calendar", letters: 1, goods: true, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnSchedule, Every: journey.Festival, Feast: "mid_autumn", Days: -5, At: "10:00"}, 14)
			p.d.Where = node(`{"trait":"days_since_last","op":"<=","value":365}`)
			p.again(300)
			p.send(0)
			p.end()
		}},
		{key: "tier_up", kind: "grow", letters: 1, segment: topTier, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnEntered, Segment: p.segment}, 30)
			p.again(180)
			p.send(0)
			p.until(14, 0)
			p.end()
		}},
		{key: "satisfaction", kind: "keep", letters: 1, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnRecord, Object: "feedback", Change: "created", Where: node(`{"any":[{"field":"rating","op":"<=","value":2},{"field":"sentiment","op":"=","value":"negative"}]}`)}, 60)
			p.again(30)
			p.d.Holdout, p.d.Exit.Goal = 0, false // nobody who complains is left alone
			p.task(1)
			p.wait(5, 0, "10:00")
			p.send(0)
			p.end()
		}},
	}
}

// keepPlays are for those who may leave, who left, and who matter most.
func keepPlays() []play {
	return []play{
		{key: "churn", kind: "keep", letters: 1, goods: true, draw: func(p *drawing) {
			t, where := daily(`{"trait":"churn_band","op":"=","value":"high"}`)
			p.begin(t, 30)
			p.d.Where = where
			p.again(60)
			p.send(0)
			p.until(7, 0)
			p.task(2)
			p.end()
		}},
		{key: "winback", kind: "back", letters: 3, goods: true, draw: func(p *drawing) {
			t, where := daily(`{"all":[{"trait":"days_since_last","op":">=","value":180},{"trait":"orders","op":">=","value":1}]}`)
			p.begin(t, 60)
			p.d.Where, p.d.PerDay = where, 500
			p.again(180)
			p.send(0)
			p.until(7, 0)
			p.send(1)
			p.until(14, 0)
			p.send(2)
			p.until(14, 0)
			p.task(7)
			p.end()
		}},
		{key: "vip", kind: "keep", letters: 1, segment: func(*workspace) *query.Node {
			return node(`{"trait":"rfm_segment","op":"=","value":"important_value"}`)
		}, draw: func(p *drawing) {
			p.begin(journey.Trigger{Kind: journey.OnEntered, Segment: p.segment}, 90)
			p.again(365)
			p.d.Exit.Goal = false
			p.task(3)
			p.send(0)
			p.wait(30, 0, "10:00")
			p.end()
		}},
	}
}

// topTier is the first class of the value tiers; nil where there are none.
func topTier(w *workspace) *query.Node {
	d, ok := w.words.Catalogue().Find("value_tier")
	if !ok || len(d.Options) == 0 {
		return nil
	}
	value, err := json.Marshal(d.Options[0].Key)
	if err != nil {
		return nil
	}
	return &query.Node{Trait: "value_tier", Op: "=", Value: value}
}

func (j journeyPlays) word(locale, key, part string) string {
	return j.w.app.words.Text(lang.Locale(locale), "journey.play."+key+"."+part, map[string]any{"customer": "{{ customer.name }}"})
}

// Plays implements api.JourneyPlays.
func (j journeyPlays) Plays(ctx context.Context, locale string) ([]api.JourneyPlay, error) {
	out := []api.JourneyPlay{}
	for _, p := range plays() {
		d := &drawing{say: func(string) string { return "" }, letters: make([]string, p.letters), segment: "-"}
		p.draw(d)
		missing := p.segment != nil && p.segment(j.w) == nil
		if t := d.d.Trigger; t.Kind == journey.OnRecord {
			missing = missing || journeyPeople(j).Object(ctx, t.Object) != nil
		}
		if d.d.Where != nil {
			missing = missing || j.w.words.Check(ctx, query.Customer, d.d.Where) != nil
		}
		out = append(out, api.JourneyPlay{Key: p.key, Kind: p.kind, Name: j.word(locale, p.key, "name"), About: j.word(locale, p.key, "about"), Missing: missing})
	}
	return out, nil
}

// Use implements api.JourneyPlays.
func (j journeyPlays) Use(ctx context.Context, key, locale string) (journey.Journey, error) {
	all := plays()
	at := slices.IndexFunc(all, func(p play) bool { return p.key == key })
	if at < 0 {
		return journey.Journey{}, fault.New(fault.NotFound, "journey.no_play", nil)
	}
	p := &all[at]
	d := &drawing{say: func(part string) string { return j.word(locale, key, part) }}
	name := j.word(locale, key, "name")
	if p.segment != nil {
		where := p.segment(j.w)
		if where == nil {
			return journey.Journey{}, fault.New(fault.Conflict, "journey.play_missing", nil)
		}
		seg, err := j.w.segments.Create(ctx, segment.Draft{Label: &name, Where: where})
		if err != nil {
			return journey.Journey{}, err
		}
		d.segment = seg.Key
	}
	for i := range p.letters {
		t, err := j.letter(ctx, p, i, name, locale)
		if err != nil {
			return journey.Journey{}, err
		}
		d.letters = append(d.letters, t)
	}
	p.draw(d)
	return j.w.edge.Journeys.Create(ctx, name, d.d)
}

// letter writes the template of a message of a play in both languages, and gives its printed id.
func (j journeyPlays) letter(ctx context.Context, p *play, i int, name, locale string) (string, error) {
	n := string(rune('1' + i))
	body := template.Body{Locale: j.w.info.Locale, Documents: map[string]template.Document{}}
	for _, l := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		doc := template.Document{Subject: j.word(string(l), p.key, "subject_"+n), Blocks: []template.Block{{Kind: template.Text, Text: j.word(string(l), p.key, "text_"+n)}}}
		if p.goods {
			doc.Blocks = append(doc.Blocks, template.Block{Kind: template.Products, Count: 3})
		}
		body.Documents[string(l)] = doc
	}
	if body.Documents[body.Locale].Subject == "" {
		body.Locale = string(lang.ChineseSimplified)
	}
	t, err := j.w.edge.Templates.Create(ctx, name+" · "+j.word(locale, p.key, "letter_"+n), template.Email, body)
	if err != nil {
		return "", err
	}
	return id.Format(template.Prefix, t.ID), nil
}
