package transfer

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// reads tells what a text of a column is read as under the mapping of a job, printed for the actor.
func (s *Service) reads(ctx context.Context, j *Job, l *look) func(column int, text string) string {
	none := func(int, string) string { return "" }
	if l.sample.Columns == nil {
		return none
	}
	m := j.Mapping.Fit(s.cfg.Registry(), j.Object, l.sample.Columns)
	plan, err := mapping.Compile(s.cfg.Registry(), j.Object, m, withExtra(l.sample.Columns, m))
	if err != nil { // the columns are shown all the same; what is wrong is said elsewhere
		return none
	}
	env := s.cfg.Records.Env(ctx)
	if plan.Zone != nil {
		env.Zone = plan.Zone
	}
	env.Base = cmp.Or(env.Base, "CNY")
	env.Currency = cmp.Or(plan.Options.Currency, env.Base)
	env.DateLayout, env.DayFirst, env.DecimalComma = mapping.GoLayout(m.Format.Date), l.dayFirst, plan.Options.DecimalComma
	shown := env
	shown.Locale = lang.Locale(access.From(ctx).Locale)
	first := map[int]*mapping.Value{}
	for i := range plan.Values {
		v := &plan.Values[i]
		if len(v.Columns) == 1 && first[v.Columns[0]] == nil {
			first[v.Columns[0]] = v
		}
	}
	return func(column int, text string) string {
		v := first[column]
		if v == nil || v.Field.Type == schema.Relation || v.Field.Type == schema.User {
			return ""
		}
		in := map[string]any{}
		putValue(in, v, []byte(text), envOf(&env, v), func(*fault.Fault) {})
		if in[v.Field.Key] == nil {
			return ""
		}
		return schema.FormatText(v.Field, in[v.Field.Key], shown)
	}
}

// Choices are the texts of one column that becomes a choice, with what each is matched with.
type Choices struct {
	Target mapping.Target
	Column string
	Texts  []ChoiceText
	More   bool // there are more texts than are listed
}

// ChoiceText is a text of a choice column.
type ChoiceText struct {
	Text  string
	Count int64
	Match string // as in Treatment.Options
	Set   bool   // the mapping says so; otherwise the text is a key or a label
	Known bool   // it has a match
}

// Bounds of Choices: rows that are looked at, and texts of a column that are listed.
const (
	choiceRows  = 300_000
	choiceTexts = 300
	choiceKept  = 5_000
)

// Choices lists the texts of all columns that become choices, those without a match first, then the most frequent ones. partial says
// that the file has more rows than were looked at.
func (s *Service) Choices(ctx context.Context, v id.ID) (out []Choices, partial bool, err error) {
	if err := allowed(ctx); err != nil {
		return nil, false, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, false, err
	}
	file, err := s.files.open(j)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	r, err := source.Open(file, j.Mapping.Format, s.limits(), j.Mapping.Names()...)
	if err != nil {
		return nil, false, err
	}
	out, partial, err = s.choices(ctx, j, r)
	return out, partial, errors.Join(err, r.Close())
}

func (s *Service) choices(ctx context.Context, j *Job, r source.Reader) ([]Choices, bool, error) {
	plan, err := mapping.Compile(s.cfg.Registry(), j.Object, j.Mapping, r.Columns())
	if err != nil {
		return nil, false, err
	}
	var values []*mapping.Value
	for i := range plan.Values {
		if mapping.Optioned(plan.Values[i].Field) {
			values = append(values, &plan.Values[i])
		}
	}
	if len(values) == 0 {
		return nil, false, nil
	}
	counts := make([]map[string]int64, len(values))
	for i := range counts {
		counts[i] = map[string]int64{}
	}
	partial := true
	for n := 0; n < choiceRows; n++ {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			partial = false
			break
		}
		if err != nil {
			return nil, false, err
		}
		if n%10_000 == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if row.Fault != nil {
			continue
		}
		for i, v := range values {
			tally(counts[i], v, string(v.Text(row.Cells)))
		}
	}
	var out []Choices
	for i, v := range values {
		out = append(out, chosen(v, counts[i]))
	}
	return out, partial, nil
}

// tally counts a text, or the members of a list.
func tally(counts map[string]int64, v *mapping.Value, text string) {
	if text == "" {
		return
	}
	parts := []string{text}
	if v.Field.Type == schema.MultiChoice {
		if _, whole := v.Option(text); !whole {
			parts = mapping.SplitList(text)
		}
	}
	for _, p := range parts {
		if _, ok := counts[p]; ok || len(counts) < choiceKept {
			counts[p]++
		}
	}
}

func chosen(v *mapping.Value, counts map[string]int64) Choices {
	c := Choices{Target: v.Target, Column: v.Header}
	env := schema.ParseEnv{}
	for text, n := range counts {
		t := ChoiceText{Text: text, Count: n}
		if t.Match, t.Set = v.Option(text); t.Set {
			t.Known = true
		} else if x, bad := schema.ParseTextWith(v.Field, text, &env); bad == nil {
			switch key := x.(type) {
			case string:
				t.Match, t.Known = key, true
			case []string:
				t.Match, t.Known = key[0], true
			}
		}
		c.Texts = append(c.Texts, t)
	}
	rank := func(t ChoiceText) int {
		if t.Known {
			return 1
		}
		return 0
	}
	slices.SortFunc(c.Texts, func(a, b ChoiceText) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
	})
	if len(c.Texts) > choiceTexts {
		c.Texts, c.More = c.Texts[:choiceTexts], true
	}
	return c
}

// Rejected is a row that an import did not take, as it stands in the file.
type Rejected struct {
	Row    int64
	Cells  []string
	Errors []RowError
}

// maxRejected is how many rows Rejected gives.
const maxRejected = 200

// Rejected reads the first rows that could not be imported, with the columns of the file. more says that there are others.
func (s *Service) Rejected(ctx context.Context, v id.ID, limit int) (columns []string, rows []Rejected, more bool, err error) {
	if err := allowed(ctx); err != nil {
		return nil, nil, false, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, nil, false, err
	}
	file, err := s.files.open(j)
	if err != nil {
		return nil, nil, false, err
	}
	defer file.Close()
	r, err := source.Open(file, j.Mapping.Format, s.limits(), j.Mapping.Names()...)
	if err != nil {
		return nil, nil, false, err
	}
	columns = slices.Clone(r.Columns())
	e := &errorFile{svc: s, ctx: ctx, job: j, which: FaultyLines, number: -1}
	limit = min(max(limit, 1), maxRejected)
	rows, more, err = e.rows(r, limit)
	return columns, rows, more, errors.Join(err, r.Close())
}

// rows reads the reported rows out of the file.
func (e *errorFile) rows(r source.Reader, limit int) (out []Rejected, more bool, err error) {
	var row *source.Row
	for {
		list, err := e.next()
		if err != nil || len(list) == 0 {
			return out, false, err
		}
		if len(out) == limit {
			return out, true, nil
		}
		for row == nil || row.Number < list[0].Row {
			if row, err = r.Next(); errors.Is(err, io.EOF) {
				return out, false, nil
			} else if err != nil {
				return nil, false, err
			}
		}
		x := Rejected{Row: list[0].Row, Errors: slices.Clone(list)}
		if row.Number == list[0].Row {
			for _, c := range row.Cells {
				x.Cells = append(x.Cells, string(c))
			}
		}
		out = append(out, x)
	}
}

// Retry makes an import of corrected rows of another one: what its file of rejected rows holds, with the same mapping. The columns of the
// report beside those of the file are not looked at, whatever stands in them.
func (s *Service) Retry(ctx context.Context, v id.ID, name string, body io.Reader) (*Import, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	if j.Status != Done && j.Status != Failed && j.Status != Cancelled {
		return nil, stateConflict(j)
	}
	l, err := s.looked(ctx, j)
	if err != nil {
		return nil, err
	}
	m := j.Mapping.Named(l.sample.Columns)
	m.Format = source.Format{Date: j.Mapping.Format.Date}
	m.Options.Disarmed = true
	return s.create(ctx, Upload{Object: j.Object, FileName: name, Body: body, Mapping: &m}, j.ID)
}
