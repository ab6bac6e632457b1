package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// behind is a statement that begins WITH and ends with the part "p" of the persons of a figure, each once.
func (w *Web) behind(q web.Question, b web.Behind, top []string, of share) (statement, error) {
	switch {
	case b.Visits:
		return w.behindVisits(q, b.Only)
	case b.Funnel != nil:
		return w.behindStep(q, *b.Funnel, of)
	case b.Cohort != nil:
		return w.behindCell(q, *b.Cohort)
	case b.Way != nil:
		return w.behindWay(q, *b.Way, top, of)
	}
	events, err := w.events(q, within(q, ofPerson))
	var s statement
	s.add("WITH p AS (SELECT DISTINCT e.customer_id")
	s.put(events)
	if b.Path == nil {
		s.add(" AND e.name = "+asText+")", b.Event)
		return s, err
	}
	s.add(" AND "+isView+" AND COALESCE(e.path, '') = "+asText, b.Path.Path)
	if b.Path.Host != "" {
		s.add(" AND e.host = "+asText, b.Path.Host)
	}
	s.add(")")
	return s, err
}

func (w *Web) behindVisits(q web.Question, only string) (statement, error) {
	visits, err := w.visits(q, true)
	if err != nil {
		return visits, err
	}
	var s statement
	s.add("WITH ")
	goals, given, err := w.reached(q)
	if err != nil {
		return s, err
	}
	if given && only == "converted" {
		s.add("goals AS (")
		s.put(goals)
		s.add("), ")
	}
	s.add("p AS (SELECT DISTINCT s.customer_id")
	s.put(visits)
	switch {
	case only == "bounced":
		s.add(" AND s.bounced = 1")
	case only == "engaged":
		s.add(" AND s.engaged = 1")
	case only == "converted" && given:
		s.add(" AND s.customer_id IN (SELECT customer_id FROM goals)")
	case only == "converted":
		s.add(" AND s.orders > 0")
	}
	s.add(")")
	return s, nil
}

func (w *Web) behindStep(q web.Question, f web.FunnelStep, of share) (statement, error) {
	s, err := w.funnel(q, f.Funnel, of)
	if err != nil {
		return s, err
	}
	if f.Grouped {
		s.add(", g AS (")
		s.put(w.groups(q, f.By))
		s.add(")")
	}
	s.add(", p AS (SELECT t.customer_id FROM (" + took(f.Step) + ") t")
	if f.Lost {
		s.add(" LEFT JOIN (" + took(f.Step+1) + ") n ON n.customer_id = t.customer_id")
	}
	if f.Grouped {
		s.add(" LEFT JOIN g ON g.customer_id = t.customer_id")
	}
	s.add(" WHERE TRUE")
	if f.Lost {
		s.add(" AND n.customer_id IS NULL")
	}
	if f.Grouped {
		s.add(" AND COALESCE(g.value, '') = "+asText, f.Group)
	}
	s.add(")")
	return s, nil
}

func (w *Web) behindCell(q web.Question, c web.CohortCell) (statement, error) {
	s, err := w.cohorts(q, c.Retention)
	if err != nil {
		return s, err
	}
	s.add(", p AS (SELECT c.customer_id FROM c")
	if c.Period >= 0 {
		s.add(" JOIN a ON a.customer_id = c.customer_id")
	}
	s.add(" WHERE c.p = "+asInt, periodOf(c.Retention.Period, c.Cohort))
	if c.Period >= 0 {
		s.add(" AND a.p = "+asInt, periodOf(c.Retention.Period, c.After(c.Cohort, c.Period)))
	}
	s.add(")")
	return s, nil
}

func (w *Web) behindWay(q web.Question, x web.Way, top []string, of share) (statement, error) {
	s, err := w.ways(q, x.Paths, top, of)
	if err != nil {
		return s, err
	}
	const numbered = " = (SELECT code FROM top WHERE node = " + asText + ")"
	s.add(", p AS (SELECT DISTINCT customer_id FROM way WHERE n"+strconv.Itoa(x.Step)+numbered, x.From)
	if x.Ended {
		s.add(" AND n" + strconv.Itoa(x.Step+1) + " IS NULL")
	} else {
		s.add(" AND n"+strconv.Itoa(x.Step+1)+numbered, x.To)
	}
	s.add(")")
	return s, nil
}

const (
	countPeople   = " SELECT count(c.id), count(*) - count(c.id) FROM p LEFT JOIN a_customer c ON c.id = p.customer_id"
	listAnonymous = " SELECT p.customer_id FROM p LEFT JOIN a_customer c ON c.id = p.customer_id WHERE c.id IS NULL AND p.customer_id > " + asInt +
		" ORDER BY p.customer_id LIMIT " + asInt
	ofPeople = " AND t.id IN (SELECT customer_id FROM p) AND t.id > " + asInt + " ORDER BY t.id LIMIT " + asInt
)

// peopleText lists a page of the persons of a figure.
func (w *Web) peopleText(q web.Question, b web.Behind, p web.PeoplePage, top []string, of share) (statement, error) {
	s, err := w.behind(q, b, top, of)
	if err != nil {
		return s, err
	}
	if p.Anonymous {
		s.add(listAnonymous, int64(p.After), int64(p.Limit))
		return s, nil
	}
	from, args, err := w.of(nil, p.Limits)
	s.add(" SELECT t.id"+from+ofPeople, append(args, int64(p.After), int64(p.Limit))...)
	return s, err
}

// People implements web.Facts. The first of all parts are among the first of each.
func (w *Web) People(ctx context.Context, q web.Question, b web.Behind, p web.PeoplePage) (web.People, error) {
	out := web.People{Customers: -1, Anonymous: -1, IDs: []id.ID{}}
	if p.Count {
		out.Customers, out.Anonymous = 0, 0
	}
	if list, ok, err := w.rolledPeople(ctx, q, b, p); ok || err != nil {
		return list, err
	}
	ask := func(ask func(w *Web, of share) error) error {
		return w.alone(ctx, func(w *Web) error { return ask(w, share{}) })
	}
	var top []string
	switch {
	case b.Funnel != nil:
		ask = func(one func(w *Web, of share) error) error { return w.eachStep(ctx, q, b.Funnel.Funnel, one) }
	case b.Way != nil:
		var err error
		if top, err = w.nodes(ctx, q, b.Way.Paths); err != nil || len(top) == 0 {
			return out, err
		}
		ask = func(one func(w *Web, of share) error) error { return w.each(ctx, q.From, q.To, one) }
	}
	err := ask(func(w *Web, of share) error { return w.people(ctx, figure{q, b, p, top}, of, &out) })
	if err != nil {
		return out, fmt.Errorf("list the people behind a figure: %w", err)
	}
	slices.Sort(out.IDs)
	out.IDs = out.IDs[:min(len(out.IDs), p.Limit)]
	return out, nil
}

// figure is whose people are wanted; top are the names of the nodes of ways.
type figure struct {
	question web.Question
	behind   web.Behind
	page     web.PeoplePage
	top      []string
}

// people adds the people of a part.
func (w *Web) people(ctx context.Context, a figure, of share, out *web.People) error {
	if a.page.Count {
		s, err := w.behind(a.question, a.behind, a.top, of)
		if err != nil {
			return err
		}
		s.add(countPeople)
		var customers, others int64
		if _, err := one(ctx, w.db, s.text, s.args, &customers, &others); err != nil {
			return err
		}
		out.Customers, out.Anonymous = out.Customers+customers, out.Anonymous+others
	}
	s, err := w.peopleText(a.question, a.behind, a.page, a.top, of)
	if err != nil {
		return err
	}
	return each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out.IDs = append(out.IDs, id.ID(v))
		return err
	})
}

// WebTexts are the statements of web analytics: without and with every filter, for the test that prepares every text.
func WebTexts(d Dialect) []Text {
	w := &Web{dialect: d, of: func(*query.Node, *query.Limits) (string, []any, error) {
		return " FROM a_customer t WHERE t.id > " + asInt, []any{int64(0)}, nil
	}}
	out := []Text{{"web any", anyEvent}, {"web count events", countSpan}, {"web visitors", visitorsText(d, 2)}}
	full, unknown := map[web.Dimension]string{}, map[web.Dimension]string{}
	for _, dim := range web.Dimensions() {
		full[dim], unknown[dim] = "x", ""
	}
	span := web.Span{From: 1, To: 2}
	for _, q := range []struct {
		name string
		web.Question
	}{
		{"", web.Question{Span: span}},
		{", goal", web.Question{Span: span, Goal: "g"}},
		{", filtered", web.Question{Span: span, Filter: web.Filter{Is: full, Through: 1}.Among(&query.Node{}), Goal: "g"}},
		{", not known", web.Question{Span: span, Filter: web.Filter{Is: unknown}}},
	} {
		for _, t := range w.texts(q.Question) {
			out = append(out, Text{"web " + t.Name + q.name, t.SQL})
		}
	}
	return out
}

// texts are the statements of all reports to a question.
func (w *Web) texts(q web.Question) []Text {
	var out []Text
	add := func(name string, s statement, err error) {
		if err != nil {
			name += ": " + err.Error()
		}
		out = append(out, Text{name, s.text})
	}
	put := func(name string) func(statement, error) {
		return func(s statement, err error) { add(name, s, err) }
	}
	put("totals")(w.totalsText(q, ""))
	put("trend")(w.trendText(q, false, 0))
	put("hours")(w.trendText(q, true, 1))
	for _, d := range web.Dimensions() {
		put("by " + string(d))(w.breakdownText(q, d, 10))
	}
	put("pages")(w.pagesText(q, 10))
	put("events")(w.eventsText(q, 10))
	put("count steps")(countSteps(q, web.Funnel{Steps: []web.Step{{Event: "a"}, {Event: "b"}}}), nil)
	steps := []web.Step{{Event: "a", Path: "/x*"}, {Event: "b", Path: "/y"}, {Event: "c"}}
	for _, op := range web.Ops() {
		steps[2].Where = append(steps[2].Where, web.Match{Property: `a'"b`, Op: op, Value: "1"})
	}
	top, third := []string{"x", "y"}, share{3, 1}
	var behind []web.Behind
	for _, by := range []string{"", "channel", web.ClassBy + "lifecycle"} {
		f := web.Funnel{Steps: steps, Window: 7, By: by}
		put("funnel " + by)(w.funnelText(q, f, third))
		behind = append(behind, web.Behind{Funnel: &web.FunnelStep{Funnel: f, Step: 2, Lost: by == "", Grouped: by != ""}})
	}
	for _, p := range []web.Paths{{Nodes: web.PathPages, Depth: 3, Top: 5}, {Nodes: web.PathEvents, Node: "x", Depth: 6, Top: 5}, {Nodes: web.PathBoth, Node: "x", Backward: true, Depth: 6, Top: 5},
		{Nodes: web.PathBoth, Backward: true, Depth: 3, Top: 5}} {
		put(fmt.Sprint("nodes ", p))(w.nodesText(q, p))
		put(fmt.Sprint("paths ", p))(w.pathsText(q, p, top, third))
		behind = append(behind, web.Behind{Way: &web.Way{Paths: p, Step: 2, From: "x", Ended: p.Backward}})
	}
	for _, r := range []web.Retention{{Start: web.OfVisit, Return: web.OfVisit, Period: "day"}, {Start: web.OfPurchase, Return: web.OfPurchase, Period: "week"}, {Start: "x", Return: "y", Period: "month"}} {
		put(fmt.Sprint("retention ", r))(w.retentionText(q, r))
		behind = append(behind, web.Behind{Cohort: &web.CohortCell{Retention: r, Period: 1}}, web.Behind{Cohort: &web.CohortCell{Retention: r, Period: -1}})
	}
	for _, only := range []string{"", "bounced", "engaged", "converted"} {
		behind = append(behind, web.Behind{Visits: true, Only: only})
	}
	behind = append(behind, web.Behind{Event: "x"}, web.Behind{Path: &web.PagePath{Host: "h", Path: "/"}})
	for i, b := range behind {
		for _, anonymous := range []bool{false, true} {
			put(fmt.Sprint("people ", i, anonymous))(w.peopleText(q, b, web.PeoplePage{Anonymous: anonymous, Limit: 1}, top, third))
		}
		s, err := w.behind(q, b, top, third)
		s.add(countPeople)
		add(fmt.Sprint("count people ", i), s, err)
	}
	return out
}
