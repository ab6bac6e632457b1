package trait_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
)

func standard(t *testing.T) *trait.Catalogue {
	t.Helper()
	cat, err := trait.Standard()
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

var hole = regexp.MustCompile(`\{([a-z_0-9]+)\}`)

func TestEveryTraitIsDescribedInBothLanguages(t *testing.T) {
	t.Parallel()
	cat := standard(t)
	if len(cat.List()) < 45 {
		t.Errorf("only %d traits", len(cat.List()))
	}
	for _, d := range cat.List() {
		for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
			if d.Label[loc] == "" || d.Definition[loc] == "" || d.Explain[loc] == "" {
				t.Errorf("%s: words are missing in %s", d.Key, loc)
			}
			for _, m := range hole.FindAllStringSubmatch(d.Explain[loc], -1) {
				if _, ok := cat.Find(m[1]); !ok && !slices.Contains([]string{"value", "value_percent", "anchor"}, m[1]) && !strings.HasPrefix(m[1], "from_") {
					t.Errorf("%s: the sentence names %q", d.Key, m[1])
				}
			}
		}
		if q, ok := cat.Trait(d.Key); !ok || q.Column != d.Column || q.Table != d.Table || q.Type != d.Type || q.Scale != d.Scale {
			t.Errorf("%s is shown to conditions as %+v", d.Key, q)
		}
		if d.Type == schema.Choice && d.Table == "t_rfm" && len(d.Options) != len(rfm.Segments()) {
			t.Errorf("%s has %d options", d.Key, len(d.Options))
		}
	}
	seg, _ := cat.Find("rfm_segment")
	for _, k := range rfm.Segments() {
		if seg.Option(k)[lang.English] == k {
			t.Errorf("the group %s has no label", k)
		}
	}
	if _, ok := cat.Trait("nothing"); ok {
		t.Error("an unknown trait is found")
	}
}

func TestClassificationsBringTheirOwnWords(t *testing.T) {
	t.Parallel()
	label := schema.Label{"zh-CN": "阶段", "en": "Stage"}
	cat, err := standard(t).With(
		trait.Def{Key: "lifecycle", Type: schema.Choice, Label: label, Options: []schema.Option{{Key: "lost", Label: label}}},
		trait.Def{Key: "own", Group: "class", Type: schema.Choice, Table: "t_class", Column: "c_own", Label: label})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := cat.Find("lifecycle")
	if d.Table != "t_class" || d.Column != "lifecycle" || d.Group != "class" || d.Label["en"] != "Stage" || d.Definition == nil || len(d.Options) != 1 {
		t.Errorf("lifecycle is %+v", d)
	}
	if _, ok := cat.Find("own"); !ok || len(cat.List()) != len(standard(t).List())+1 {
		t.Error("the further trait is missing")
	}
	if _, err := standard(t).With(trait.Def{Key: "x", Group: "none", Table: "t", Column: "c"}); err == nil {
		t.Error("a trait of no group is accepted")
	}
}

func TestAnchor(t *testing.T) {
	t.Parallel()
	const today = clock.Day(20_000)
	for _, c := range []struct {
		setting string
		last    clock.Day
		any     bool
		want    clock.Day
	}{
		{"auto", today, true, today},
		{"auto", today - 60, true, today},
		{"auto", today - 61, true, today - 60},
		{"auto", 0, false, today},
		{"", 5, true, today},
		{"today", 5, true, today},
		{"last_order", today - 3, true, today - 2},
		{"last_order", today, true, today},
		{"last_order", 0, false, today},
		{"2011-12-10", 5, true, clock.NewDay(2011, 12, 10)},
	} {
		s := trait.Defaults()
		s.Anchor = c.setting
		if got := s.AnchorDay(today, c.last, c.any); got != c.want {
			t.Errorf("%q with the last order on %d: %d, want %d", c.setting, c.last, got, c.want)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	if err := trait.Defaults().Check(); err != nil {
		t.Error(err)
	}
	for code, change := range map[string]func(*trait.Settings){
		"trait.no_purchase_state": func(s *trait.Settings) { s.Statuses = nil },
		"trait.bad_monetary":      func(s *trait.Settings) { s.Monetary = "x" },
		"trait.bad_mode":          func(s *trait.Settings) { s.Mode = "" },
		"trait.bad_anchor":        func(s *trait.Settings) { s.Anchor = "yesterday" },
		"trait.bad_cuts":          func(s *trait.Settings) { s.Mode, s.Cuts.Monetary = "saved", rfm.Cuts{4, 3, 2, 1} },
		"trait.bad_settings":      func(s *trait.Settings) { s.Mode, s.Monetary = "", "" },
	} {
		s := trait.Defaults()
		change(&s)
		if err := s.Check(); fault.CodeOf(err) != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}

func TestSentencesHoldTheNumbers(t *testing.T) {
	t.Parallel()
	cat := standard(t)
	e := trait.Explainer{Catalogue: cat, Anchor: clock.NewDay(2026, 11, 20), Zone: time.FixedZone("", 8*3600), Currency: "CNY"}
	v := trait.Values{"orders": int64(3), "orders_90d": int64(1), "spend_90d": int64(12_050), "spend_total": int64(98_000), "refund_amount": int64(3_000),
		"refund_rate": int64(306), "net_spend": int64(95_000), "days_since_last": int64(20), "first_order_day": int64(clock.NewDay(2025, 1, 2)),
		"last_order_day": int64(clock.NewDay(2026, 10, 31)), "purchase_days": int64(3), "average_interval_days": int64(33_350),
		"last_order_at": time.Date(2026, 10, 31, 1, 30, 0, 0, time.UTC).UnixMilli(), "favourite_brand": "甲", "items": int64(4_500), "products": int64(1),
		"r_score": int64(5), "f_score": int64(4), "m_score": int64(3), "rfm_segment": "general_value", "refund_count": int64(1)}
	for _, c := range []struct{ key, zh, en string }{
		{"spend_90d", "2026-08-23 至 2026-11-20 的 1 次购买合计 120.50 CNY", "1 purchase from 2026-08-23 to 2026-11-20, 120.50 CNY together"},
		{"refund_rate", "退款 30.00 CNY，占累计消费 980.00 CNY 的 3.06%", "30.00 CNY refunded is 3.06% of the 980.00 CNY spent"},
		{"average_interval_days", "2025-01-02 到 2026-10-31 有 3 个购买日，平均间隔 333.5 天", "3 purchase days from 2025-01-02 to 2026-10-31, 333.5 days apart on average"},
		{"last_order_at", "最近一次购买在 2026-10-31 09:30", "The latest purchase was made at 2026-10-31 09:30"},
		{"favourite_brand", "按购买件数排在第一的是“甲”", "“甲” leads by items bought"},
		{"items", "共购买 4.5 件，涉及 1 种商品", "4.5 items of 1 product"},
		{"rfm_segment", "R 5 分、F 4 分、M 3 分，属于“一般价值客户”", "R 5, F 4 and M 3 make “General: value”"},
		{"margin", "有的购买没有成本，无法计算毛利", "Some purchase has no known cost, so there is no margin"},
	} {
		got := e.Sentence(c.key, v)
		if got["zh-CN"] != c.zh || got["en"] != c.en {
			t.Errorf("%s: %q\n%q", c.key, got["zh-CN"], got["en"])
		}
	}
	// Without a purchase the sentence falls back to label and value.
	if got := e.Sentence("orders", trait.Values{"orders": int64(0), "purchase_days": int64(0)}); got["zh-CN"] != "购买次数：0 次" || got["en"] != "Purchases: 0 times" {
		t.Errorf("no purchase: %v", got)
	}
	if e.Sentence("nothing", v) != nil {
		t.Error("an unknown trait is explained")
	}
}

// store is a Store that records what is asked of it.
type store struct {
	state     trait.State
	touched   int64
	customers int64
	last      clock.Day
	differing int64
	calls     []string
	fail      error
}

func (s *store) Define(context.Context, trait.Settings) error {
	s.calls = append(s.calls, "define")
	return nil
}

func (s *store) LastPurchase(context.Context, clock.Day) (clock.Day, bool, error) {
	return s.last, true, nil
}

func (s *store) Waiting(context.Context) (touched, customers int64, err error) {
	return s.touched, s.customers, nil
}

func (s *store) Touch(context.Context, []id.ID) error { return nil }

func (s *store) Small(_ context.Context, p trait.Pass) (trait.Result, error) {
	s.calls = append(s.calls, "small "+p.Anchor.String())
	n := s.touched
	s.touched, s.state.Unfinished = 0, true
	return trait.Result{Customers: n, Anchor: p.Anchor}, s.fail
}

func (s *store) Full(_ context.Context, p trait.Pass, today clock.Day) (trait.Result, error) {
	s.calls = append(s.calls, "full "+p.Anchor.String())
	r := trait.Result{Full: true, Anchor: p.Anchor, Verified: s.state.Known && s.state.Anchor == p.Anchor}
	if r.Verified {
		r.Differing = s.differing
	}
	s.state = trait.State{Known: true, Anchor: p.Anchor, Today: today, Settings: p.Settings, Unfinished: true}
	s.touched = 0
	return r, s.fail
}

func (s *store) Finish(context.Context) error {
	s.state.Unfinished = false
	return nil
}

func (s *store) State(context.Context) (trait.State, error) { return s.state, nil }

func (s *store) Read(context.Context, []id.ID, []trait.Def) (map[id.ID]trait.Values, error) {
	return nil, nil
}

func (s *store) Compute(_ context.Context, p trait.Pass) (trait.Result, error) {
	s.calls = append(s.calls, "computed "+p.Computed.Mark)
	s.state.Mark, s.state.ComputedAll = p.Computed.Mark, p.At
	return trait.Result{Kind: "computed"}, nil
}

func (s *store) Summary(context.Context) (trait.Summary, error) { return trait.Summary{}, nil }

func (s *store) told() string {
	out := strings.Join(s.calls, ", ")
	s.calls = nil
	return out
}

func TestPassesRunWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	cat := standard(t)
	st := &store{customers: 1000, last: clock.NewDay(2026, 11, 20)}
	clk := clock.NewFake(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))
	settings, busy, ready := trait.Defaults(), false, false
	var passes []trait.Result
	s := trait.New(trait.Config{Store: st, Catalogue: func() *trait.Catalogue { return cat }, Clock: clk, Log: slog.New(slog.DiscardHandler),
		Settings: func(context.Context) (trait.Settings, error) { return settings, nil }, Zone: func() *time.Location { return time.UTC },
		Ready: func() bool { return ready }, Busy: func() bool { return busy },
		OnPass: func(_ context.Context, r trait.Result) error { passes = append(passes, r); return nil }})
	step := func(when, want string) {
		t.Helper()
		if _, did, err := s.Tick(t.Context()); err != nil || did != (want != "") && want != "define" {
			t.Errorf("%s: did %v, %v", when, did, err)
		}
		if got := st.told(); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	step("before the plane is ready", "")
	ready = true
	step("first", "define, full 2026-11-21")
	step("nothing changed", "")
	st.touched = 3
	step("some changed", "small 2026-11-21")
	busy, st.touched = true, 3
	step("an import runs", "")
	clk.Advance(61 * time.Second)
	step("an import runs for long", "small 2026-11-21")
	busy, st.touched = false, 60_000
	step("very many changed, more may come", "")
	clk.Advance(3 * time.Second)
	step("very many changed", "full 2026-11-21")
	st.customers, st.touched = 1_000_000, 60_000
	step("many of more", "small 2026-11-21")
	clk.Advance(24 * time.Hour)
	st.differing = 2
	step("the next day", "small 2026-11-21, full 2026-11-21, full 2026-11-22")
	if last := passes[len(passes)-1]; !last.Verified || last.Differing != 2 || last.Anchor != clock.NewDay(2026, 11, 22) {
		t.Errorf("the pass of the next day: %+v", last)
	}
	settings.Statuses = []string{"completed"}
	step("another purchase", "define, full 2026-11-22")
	settings.Anchor = "2026-06-30"
	step("another anchor", "define, full 2026-06-30")
	s.Recompute()
	step("asked for", "full 2026-06-30")
	step("asked for once", "")
	if _, err := s.Verify(t.Context()); err != nil || st.told() != "small 2026-06-30, full 2026-06-30" {
		t.Error("Verify takes another path")
	}
	st.touched, st.fail = 1, errors.New("disk")
	if _, _, err := s.Tick(t.Context()); !errors.Is(err, st.fail) {
		t.Errorf("the failure is lost: %v", err)
	}
	settings.Mode = "x"
	if _, _, err := s.Tick(t.Context()); fault.CodeOf(err) != "trait.bad_mode" {
		t.Errorf("bad settings: %v", err)
	}
}

// TestHistoryThatIsLoadedMovesTheAnchorOnce: every batch of an old file has a newer last order than the one before, and moves
// the day on which windows end; one pass at the end does for all. What is entered into it later is followed at once.
func TestHistoryThatIsLoadedMovesTheAnchorOnce(t *testing.T) {
	t.Parallel()
	cat := standard(t)
	first := clock.NewDay(2010, 12, 1)
	st := &store{customers: 4000, last: first}
	clk := clock.NewFake(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))
	busy := false
	var passes []trait.Result
	s := trait.New(trait.Config{Store: st, Catalogue: func() *trait.Catalogue { return cat }, Clock: clk, Log: slog.New(slog.DiscardHandler),
		Settings: func(context.Context) (trait.Settings, error) { return trait.Defaults(), nil }, Zone: func() *time.Location { return time.UTC },
		Busy:   func() bool { return busy },
		OnPass: func(_ context.Context, r trait.Result) error { passes = append(passes, r); return nil }})
	tick := func() {
		t.Helper()
		if _, _, err := s.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tick()
	if got := st.told(); got != "define, full 2010-12-02" {
		t.Fatalf("first: %q", got)
	}
	for batch := range 300 { // five minutes, a batch a second, and between two of them nothing seems to come
		busy, st.touched, st.last = true, st.touched+400, first+clock.Day(batch)
		tick()
		clk.Advance(500 * time.Millisecond)
		busy = false
		tick()
		if behind, err := s.Behind(t.Context()); err != nil || batch > 0 && !behind {
			t.Fatalf("batch %d: behind %v, %v", batch, behind, err)
		}
		clk.Advance(500 * time.Millisecond)
	}
	if got := st.told(); got != strings.TrimSuffix(strings.Repeat("small 2010-12-02, ", 4), ", ") {
		t.Errorf("while it loads: %q", got)
	}
	clk.Advance(2 * time.Second)
	tick()
	tick()
	if got := st.told(); got != "full 2011-09-27" {
		t.Errorf("at the end: %q", got)
	}
	st.touched, st.last = 1, st.last+1
	tick()
	if got := st.told(); got != "full 2011-09-28" {
		t.Errorf("an order is entered: %q", got)
	}
	st.state.Refilled, st.differing = true, 4000
	tick()
	if last := passes[len(passes)-1]; st.told() != "full 2011-09-28" || !last.Full {
		t.Errorf("relations filled anew: %+v", last)
	}
}

// TestWhatFollowsAPassIsDoneAgain: what a pass is followed by and did not happen, for a failure or a crash, is made up for
// everyone, since nobody knows any more whom it concerned.
func TestWhatFollowsAPassIsDoneAgain(t *testing.T) {
	t.Parallel()
	cat := standard(t)
	st := &store{customers: 1000, last: clock.NewDay(2026, 11, 20)}
	var failure error
	var passes []trait.Result
	build := func() *trait.Service {
		return trait.New(trait.Config{Store: st, Catalogue: func() *trait.Catalogue { return cat }, Clock: clock.NewFake(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)),
			Log: slog.New(slog.DiscardHandler), Settings: func(context.Context) (trait.Settings, error) { return trait.Defaults(), nil },
			Zone: func() *time.Location { return time.UTC }, OnPass: func(_ context.Context, r trait.Result) error { passes = append(passes, r); return failure }})
	}
	s := build()
	tick := func(when string, ok, full bool, behind bool) {
		t.Helper()
		n := len(passes)
		if _, _, err := s.Tick(t.Context()); (err == nil) != ok {
			t.Errorf("%s: %v", when, err)
		}
		if len(passes) != n+1 || passes[n].Full != full {
			t.Errorf("%s: followed by %+v", when, passes[n:])
		}
		if got, err := s.Behind(t.Context()); err != nil || got != behind {
			t.Errorf("%s: behind %v, %v", when, got, err)
		}
	}
	tick("first", true, true, false)
	st.touched, failure = 3, errors.New("disk")
	tick("classes fail", false, false, true)
	s = build() // as after a crash
	st.touched, failure = 2, nil
	tick("more changed after the crash", true, true, false)
	st.touched, failure = 3, errors.New("disk")
	tick("classes fail again", false, false, true)
	failure = nil
	tick("nothing changed since", true, true, false)
	if _, did, err := s.Tick(t.Context()); did || err != nil {
		t.Errorf("all is done: %v %v", did, err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	t.Parallel()
	cat := standard(t)
	done := make(chan struct{}, 10)
	st := &store{last: 20_000}
	s := trait.New(trait.Config{Store: st, Catalogue: func() *trait.Catalogue { return cat }, Clock: clock.NewFake(clock.Day(20_000).Time()),
		Log: slog.New(slog.DiscardHandler), Settings: func(context.Context) (trait.Settings, error) { return trait.Defaults(), nil },
		Zone: func() *time.Location { return time.UTC }, OnPass: func(context.Context, trait.Result) error { done <- struct{}{}; return nil }})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-done // the first full pass
	s.Recompute()
	<-done
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}
