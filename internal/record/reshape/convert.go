package reshape

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// phase is what a conversion is at.
type phase string

const (
	reading phase = "reading" // the texts that stand there, for the options of a choice
	trying  phase = "trying"  // which values convert
	filling phase = "filling" // the field beside is filled
)

// Conversion is what a work of kind Convert does.
type Conversion struct {
	From    schema.Type  `json:"from"`
	To      schema.Field `json:"to"`
	Locale  string       `json:"locale"`
	Phase   phase        `json:"phase"`
	Staging string       `json:"staging,omitempty"` // the field beside; after the conversion the archived one
	Staged  bool         `json:"staged,omitempty"`
	Given   int64        `json:"given"` // records with a value
}

// ConversionOf reads what a work of kind Convert does.
func ConversionOf(w *Work) (c Conversion, err error) {
	err = json.Unmarshal([]byte(w.Spec), &c)
	return c, err
}

func (c *Conversion) into() record.Into { return record.Into{Field: &c.To, Locale: c.Locale} }

func (w *Work) put(c *Conversion) error {
	raw, err := json.Marshal(c)
	w.Spec = string(raw)
	return err
}

// TryConversion begins a conversion: it is found out which values convert, and nothing changes before Start. Conflict
// reshape.running while another work on the field goes on.
func (s *Service) TryConversion(ctx context.Context, object, field string, in metadata.Conversion) (Work, error) {
	reg := s.cfg.Registry()
	want, err := s.cfg.Metadata.Plan(ctx, reg, object, field, in)
	if err != nil {
		return Work{}, err
	}
	works, err := s.cfg.Store.List(ctx, object, 100)
	if err != nil {
		return Work{}, err
	}
	for _, w := range works {
		if w.Kind != Convert || w.Target != field {
			continue
		}
		if w.State == Checked { // thought better of
			w.State, w.EndedAt = Cancelled, s.cfg.Clock.Now()
			if _, err := s.cfg.Store.Move(ctx, w, Checked); err != nil {
				return Work{}, err
			}
			continue
		}
		if w.State.Open() {
			return Work{}, fault.New(fault.Conflict, "reshape.running", nil)
		}
	}
	actor := access.From(ctx)
	c := Conversion{From: reg.Object(object).Field(field).Type, To: want, Locale: actor.Locale, Phase: trying}
	if (want.Type == schema.Choice || want.Type == schema.MultiChoice) && len(want.Options) == 0 {
		c.Phase = reading
	}
	w := Work{Kind: Convert, Object: object, Target: field, By: actor.Person}
	if err := w.put(&c); err != nil {
		return Work{}, err
	}
	return s.add(ctx, w, s.cfg.Clock.Now())
}

// Start does a conversion that was tried. Conflict reshape.not_checked for any other state.
func (s *Service) Start(ctx context.Context, v id.ID) (Work, error) {
	w, err := s.Get(ctx, v)
	if err != nil {
		return w, err
	}
	if w.Kind != Convert || w.State != Checked {
		return w, fault.New(fault.Conflict, "reshape.not_checked", nil)
	}
	c, err := ConversionOf(&w)
	if err != nil {
		return w, err
	}
	if c.Staging, err = s.cfg.Metadata.StagingKey(ctx, w.Object, w.Target); err != nil {
		return w, err
	}
	c.Phase, c.Given = filling, 0
	w.State, w.Seen, w.Found, w.Pass, w.After, w.By = Queued, 0, 0, 0, 0, access.From(ctx).Person
	if err := w.put(&c); err != nil {
		return w, err
	}
	if err := s.cfg.Store.Forget(ctx, w.ID); err != nil {
		return w, err
	}
	ok, err := s.cfg.Store.Move(ctx, w, Checked)
	if err == nil && !ok {
		err = fault.New(fault.Conflict, "reshape.not_checked", nil)
	}
	if err != nil {
		return w, err
	}
	s.cfg.Publish(w)
	return w, s.cfg.Queue(ctx, w, s.cfg.Clock.Now())
}

// Cancel stops a work that has not come to its end: of a conversion nothing has changed but what was filled beside, which is archived.
func (s *Service) Cancel(ctx context.Context, v id.ID) (Work, error) {
	w, err := s.Get(ctx, v)
	if err != nil {
		return w, err
	}
	if w.Kind != Convert || !w.State.Open() && w.State != Checked {
		return w, fault.New(fault.Conflict, "reshape.not_running", nil)
	}
	from := w.State
	w.State, w.EndedAt = Cancelled, s.cfg.Clock.Now()
	ok, err := s.cfg.Store.Move(ctx, w, from)
	if err == nil && !ok {
		err = fault.New(fault.Conflict, "reshape.not_running", nil)
	}
	if err != nil {
		return w, err
	}
	s.cfg.Publish(w)
	return w, s.unstage(ctx, &w)
}

func (s *Service) unstage(ctx context.Context, w *Work) error {
	c, err := ConversionOf(w)
	if err != nil || c.Staging == "" {
		return err
	}
	return s.cfg.Metadata.Unstage(s.cfg.System(ctx), w.Object, c.Staging)
}

// Undo takes a conversion back: the values of before stand in the field again, those of after wait in an archived one.
func (s *Service) Undo(ctx context.Context, v id.ID) (Work, error) {
	w, err := s.Get(ctx, v)
	if err != nil {
		return w, err
	}
	if w.Kind != Convert || w.State != Done {
		return w, fault.New(fault.Conflict, "reshape.not_done", nil)
	}
	c, err := ConversionOf(&w)
	if err != nil {
		return w, err
	}
	if err := s.cfg.Metadata.Swap(ctx, w.Object, w.Target, c.Staging, true); err != nil {
		return w, err
	}
	w.State = Undone
	_, err = s.cfg.Store.Move(ctx, w, Done)
	s.cfg.Publish(w)
	return w, err
}

// convert does what a conversion is at: it tries, or fills the field beside and lets the two change places.
func (t *turn) convert(ctx context.Context) error {
	c, err := ConversionOf(t.w)
	if err != nil {
		return err
	}
	switch c.Phase {
	case reading:
		if err := t.read(ctx, &c); err != nil {
			return err
		}
		fallthrough
	case trying:
		if err := t.try(ctx, &c); err != nil {
			return err
		}
		w := *t.w
		w.State = Checked
		ok, err := t.s.cfg.Store.Move(ctx, w, Running)
		if err == nil && !ok {
			err = errStopped
		}
		t.s.cfg.Publish(w)
		return err
	}
	err = t.fill(ctx, &c)
	if f, ok := fault.Find(err); ok && (f.Kind == fault.Conflict || f.Kind == fault.NotFound || f.Kind == fault.Invalid) {
		if err := t.s.unstage(ctx, t.w); err != nil {
			return err
		}
	}
	return err
}

// place is where the walk through the records stands: live ones first, then the recycle bin.
func (t *turn) place() record.Place { return record.Place{After: t.w.After, Deleted: t.w.Pass == 1} }

// on takes the walk one step further and reports whether there is more.
func (t *turn) on(got *record.Converted) bool {
	t.w.Seen += int64(got.Seen)
	if got.Last != 0 {
		t.w.After = got.Last
	}
	if !got.More && t.w.Pass == 0 {
		t.w.Pass, t.w.After = 1, 0
		return true
	}
	return got.More
}

// read collects the texts that stand there and makes options of them. They are kept in memory alone, so that an interrupted walk begins
// anew; what there is more of than options may be is not collected.
func (t *turn) read(ctx context.Context, c *Conversion) error {
	texts := map[string]int{}
	for _, deleted := range []bool{false, true} {
		at := record.Place{Deleted: deleted}
		for more := true; more; {
			got, err := t.s.cfg.Records.TryConversion(ctx, t.w.Object, t.w.Target, c.into(), at, true)
			if err != nil {
				return err
			}
			for text, n := range got.Texts {
				if _, known := texts[text]; known || len(texts) < maxTexts {
					texts[text] += n
				}
			}
			at.After, more = got.Last, got.More
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	maps.DeleteFunc(texts, func(text string, _ int) bool { return text == "" })
	if c.To.Options = metadata.OptionsOf(texts); len(c.To.Options) == 0 {
		return fault.New(fault.Conflict, "reshape.no_values", nil)
	}
	c.Phase = trying
	if err := t.w.put(c); err != nil {
		return err
	}
	return t.step(ctx, nil, false)
}

// maxTexts is how many different texts are counted.
const maxTexts = 20_000

func (t *turn) try(ctx context.Context, c *Conversion) error {
	for more := true; more; {
		got, err := t.s.cfg.Records.TryConversion(ctx, t.w.Object, t.w.Target, c.into(), t.place(), false)
		if err != nil {
			return err
		}
		more = t.on(&got)
		if err := t.keep(ctx, c, &got, more); err != nil {
			return err
		}
	}
	return nil
}

// keep stores how far a conversion is and what does not convert.
func (t *turn) keep(ctx context.Context, c *Conversion, got *record.Converted, more bool) error {
	c.Given += int64(got.Given)
	left := make([]Left, len(got.Left))
	for i, v := range got.Left {
		left[i] = Left{Record: v}
	}
	if t.w.Found += int64(len(left)); t.w.Found > maxLeft {
		left = left[:max(0, len(left)-int(t.w.Found-maxLeft))]
	}
	if err := t.w.put(c); err != nil {
		return err
	}
	return t.step(ctx, left, more)
}

func (t *turn) fill(ctx context.Context, c *Conversion) error {
	if !c.Staged {
		if err := t.s.cfg.Metadata.Stage(ctx, t.w.Object, t.w.Target, c.Staging, c.To, c.Locale); err != nil {
			return err
		}
		c.Staged = true
		if err := t.w.put(c); err != nil {
			return err
		}
		if err := t.step(ctx, nil, false); err != nil {
			return err
		}
		if t.s.cfg.Settled > 0 { // until every process fills the field beside too
			t.until = t.s.cfg.Clock.Now().Add(-1)
			t.wait = t.s.cfg.Settled
			return errPause
		}
	}
	for more := t.w.Pass < done; more; {
		got, err := t.s.cfg.Records.Convert(ctx, t.w.Object, c.Staging, t.place())
		if err != nil {
			return err
		}
		if more = t.on(&got); !more {
			t.w.Pass = done
		}
		if err := t.keep(ctx, c, &got, more); err != nil {
			return err
		}
	}
	if err := t.s.cfg.Metadata.Swap(ctx, t.w.Object, t.w.Target, c.Staging, false); err != nil {
		return err
	}
	return t.end(ctx, Done)
}

// done is the pass behind the last one.
const done = 2
