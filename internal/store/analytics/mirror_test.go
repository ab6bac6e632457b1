package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/internal/store/mirror"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// embedded is a workspace on SQLite and DuckDB.
type embedded struct {
	*bench
	dir     string
	duck    *duckdb.DB
	records *sqlstore.Store
	mirror  *mirror.Mirror
	chunk   int
	broken  *breaker
}

// breaker is a Source that fails after so many rows, as a killed process would stop.
type breaker struct {
	mirror.Source
	after int // rows until it fails; 0 never
}

var errBroken = errors.New("killed")

func (s *breaker) Scan(ctx context.Context, r analytics.Relation, after id.ID, limit int, fn func([]any) bool) error {
	broken := false
	err := s.Source.Scan(ctx, r, after, limit, func(row []any) bool {
		if s.after > 0 {
			if s.after--; s.after == 0 {
				broken = true
				return false
			}
		}
		return fn(row)
	})
	if broken {
		return errBroken
	}
	return err
}

func newEmbedded(t *testing.T, reg *schema.Registry) *embedded {
	t.Helper()
	e := &embedded{dir: t.TempDir(), chunk: 7, broken: &breaker{}}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(e.dir, "records.db")})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	_, err = sqlstore.Migrate(t.Context(), db, migrations.Files, "migration")
	must(t, err)
	e.records = sqlstore.New(sqlstore.Config{DB: db, Clock: clock.NewFake(noon(20_000))})
	_, err = e.records.Ensure(t.Context(), reg)
	must(t, err)
	e.bench = &bench{reg: reg, clock: clock.NewFake(noon(20_000))}
	e.open(t)
	t.Cleanup(func() { must(t, e.duck.Close()) })
	return e
}

func (e *embedded) open(t *testing.T) {
	t.Helper()
	var err error
	e.duck, err = duckdb.Open(t.Context(), duckdb.Config{Dir: e.dir, Format: analytics.Format})
	must(t, err)
	e.db = e.duck
	e.store = analytics.New(e.db, e.clock)
	must(t, e.store.Ensure(t.Context(), e.reg, trait.Defaults()))
	e.broken.Source = mirror.Records{Read: func(ctx context.Context, fn func(mirror.Conn) error) error {
		return e.records.Read(ctx, func(c sqlstore.Conn) error { return fn(c) })
	}}
	e.mirror = mirror.New(mirror.Config{DB: e.db, Log: e.records.Log(), Records: e.broken, Registry: func() *schema.Registry { return e.reg },
		Clock: e.clock, Logger: slog.New(slog.DiscardHandler), Chunk: e.chunk, Batch: 50})
}

// reopen is what a restart does.
func (e *embedded) reopen(t *testing.T) {
	t.Helper()
	must(t, e.duck.Close())
	e.open(t)
}

// row makes a stored record of some columns.
func (e *embedded) row(object string, key int64, version int64, values map[string]any) record.Row {
	o := e.reg.Object(object)
	r := record.Row{ID: id.ID(key), Version: version, CreatedAt: 1000, UpdatedAt: 1000 + version, Cols: make([]any, len(o.Columns()))}
	for i, c := range o.Columns() {
		r.Cols[i] = values[c.Name]
	}
	return r
}

// put writes records and their changes in one transaction, as the record engine does.
func (e *embedded) put(t *testing.T, object string, op change.Op, rows ...record.Row) change.Position {
	t.Helper()
	o := e.reg.Object(object)
	p, err := e.records.Update(t.Context(), func(tx record.Tx) error {
		var err error
		ids := make([]id.ID, len(rows))
		log := make([]change.Row, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
			log[i] = change.Row{Object: object, Record: r.ID, Version: r.Version, Op: op, At: e.clock.Now().UnixMilli(), ByKind: access.BySystem}
		}
		switch op {
		case change.Create:
			err = tx.Insert(t.Context(), o, rows)
		case change.Purge:
			err = tx.Purge(t.Context(), o, ids)
		default:
			err = tx.Replace(t.Context(), o, rows)
		}
		if err != nil {
			return err
		}
		return tx.Append(t.Context(), log)
	})
	must(t, err)
	return p
}

func (e *embedded) customer(key int64, name string) record.Row {
	return e.row("customer", key, 1, map[string]any{"name": name, "name_fold": name, "phone": []byte("ciphertext"), "phone_blind": "b", "do_not_contact": true})
}

func (e *embedded) order(key, customer, version, net int64) record.Row {
	return e.row("order", key, version, map[string]any{"customer": nul(customer), "status": "confirmed", "placed_at": int64(19_990 * dayMillis),
		"placed_at_day": int64(19_990), "net_amount": net, "net_amount_base": net})
}

func (e *embedded) equal(t *testing.T, rows int64) {
	t.Helper()
	rep, err := e.mirror.Reconcile(t.Context())
	must(t, err)
	if !rep.Equal() || rep.Rows != rows {
		t.Fatalf("the mirror does not equal the records (%d rows, want %d): %+v", rep.Rows, rows, rep.Differences)
	}
}

func (e *embedded) touched(t *testing.T) string {
	t.Helper()
	out := e.table(t, "SELECT DISTINCT customer_id FROM trait_touched ORDER BY customer_id")
	must(t, write(t.Context(), e.db, "DELETE FROM trait_touched"))
	return strings.ReplaceAll(strings.TrimSpace(out), "\n", " ")
}

func TestMirrorFollowsTheRecords(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	e.put(t, "customer", change.Create, e.customer(1, "甲"), e.customer(2, "乙"), e.customer(3, "丙"))
	if e.mirror.Ready() {
		t.Error("an empty plane says it is ready")
	}
	must(t, e.mirror.Drain(t.Context()))
	e.equal(t, 3)
	if got := e.touched(t); got != "" {
		t.Errorf("filling marks customers: %s", got)
	}
	if got := e.table(t, "SELECT id, name, phone_set, email_set, phone_blind, do_not_contact FROM a_customer ORDER BY id"); got != "1|甲|true|false|b|true\n2|乙|true|false|b|true\n3|丙|true|false|b|true\n" {
		t.Errorf("the relation holds\n%s", got)
	}
	for _, c := range e.columns(t, "a_customer") {
		if c == "phone" || c == "address" || c == "id_number" {
			t.Errorf("the relation holds ciphertext in %s", c)
		}
	}
	e.put(t, "order", change.Create, e.order(10, 1, 1, 500), e.order(11, 2, 1, 600), e.order(12, 0, 1, 700))
	must(t, e.mirror.Drain(t.Context()))
	if got := e.touched(t); got != "1 2" {
		t.Errorf("new orders mark %q", got)
	}
	// An order changes hands: both customers are concerned.
	e.put(t, "order", change.Update, e.order(10, 3, 2, 800))
	must(t, e.mirror.Drain(t.Context()))
	if got := e.touched(t); got != "1 3" {
		t.Errorf("a moved order marks %q", got)
	}
	// Into the recycle bin, and out of the world.
	gone := e.order(11, 2, 2, 600)
	gone.DeletedAt = 5
	e.put(t, "order", change.Delete, gone)
	e.put(t, "order", change.Purge, e.order(12, 0, 1, 700))
	must(t, e.mirror.Drain(t.Context()))
	if got := e.touched(t); got != "2" {
		t.Errorf("a deleted order marks %q", got)
	}
	if got := e.table(t, "SELECT id, version, customer, net_amount_base FROM a_order"); got != "10|2|3|800\n" {
		t.Errorf("the orders are\n%s", got)
	}
	e.equal(t, 4)
}

func (e *embedded) columns(t *testing.T, table string) []string {
	t.Helper()
	return strings.Fields(e.table(t, "SELECT column_name FROM information_schema.columns WHERE table_name = ?", table))
}

func TestMirrorMarksThoseWhoBoughtAChangedProduct(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	product := func(version int64, category string) record.Row {
		return e.row("product", 30, version, map[string]any{"name": "p", "category": category})
	}
	e.put(t, "product", change.Create, product(1, "a"))
	e.put(t, "customer", change.Create, e.customer(1, "甲"), e.customer(2, "乙"))
	must(t, e.mirror.Drain(t.Context()))
	e.put(t, "order_line", change.Create, e.row("order_line", 40, 1, map[string]any{"order": int64(10), "customer": int64(2), "product": int64(30),
		"quantity": int64(1000), "placed_at": int64(1), "placed_at_day": int64(1)}))
	must(t, e.mirror.Drain(t.Context()))
	if got := e.touched(t); got != "2" {
		t.Errorf("a new line marks %q", got)
	}
	e.put(t, "product", change.Update, product(2, "b"))
	must(t, e.mirror.Drain(t.Context()))
	if got := e.touched(t); got != "2" {
		t.Errorf("a changed product marks %q", got)
	}
}

func TestMirrorGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	var customers, orders []record.Row
	for i := range int64(40) {
		customers = append(customers, e.customer(i+1, fmt.Sprint("c", i)))
		orders = append(orders, e.order(1000+i, i+1, 1, 100+i))
	}
	e.put(t, "customer", change.Create, customers...)
	e.put(t, "order", change.Create, orders...)
	// Killed at every kind of moment: in the first chunk, between chunks, in another relation.
	for _, after := range []int{3, 8, 20, 15, 1} {
		e.broken.after = after
		if err := e.mirror.Drain(t.Context()); !errors.Is(err, errBroken) {
			t.Fatalf("the fill was not interrupted: %v", err)
		}
		if e.mirror.Ready() {
			t.Fatal("a half-filled plane says it is ready")
		}
		// The world goes on meanwhile.
		e.put(t, "order", change.Update, e.order(1000+int64(after), 2, 2, 5000))
		e.reopen(t)
	}
	must(t, e.mirror.Drain(t.Context()))
	e.equal(t, 80)
	// A restart reads its position and does nothing twice.
	before := e.table(t, "SELECT * FROM mirror_position")
	e.reopen(t)
	must(t, e.mirror.Drain(t.Context()))
	if got := e.table(t, "SELECT * FROM mirror_position"); got != before {
		t.Errorf("the position moved from %s to %s", before, got)
	}
	e.equal(t, 80)
	// A rebuild of everything, and of one relation, marks nobody.
	e.touched(t)
	must(t, e.mirror.Rebuild(t.Context()))
	if e.mirror.Ready() {
		t.Error("a plane that is to be rebuilt says it is ready")
	}
	must(t, e.mirror.Drain(t.Context()))
	must(t, e.mirror.Rebuild(t.Context(), "order"))
	must(t, e.mirror.Drain(t.Context()))
	e.equal(t, 80)
	if got := e.touched(t); got != "" {
		t.Errorf("a rebuild marks %s", got)
	}
}

func TestMirrorFindsWhatDiffers(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	e.put(t, "customer", change.Create, e.customer(1, "甲"), e.customer(2, "乙"))
	e.put(t, "order", change.Create, e.order(10, 1, 1, 500))
	e.equal(t, 3)
	must(t, write(t.Context(), e.db, "DELETE FROM a_customer WHERE id = 2", "UPDATE a_order SET net_amount_base = 501"))
	rep, err := e.mirror.Reconcile(t.Context())
	must(t, err)
	if len(rep.Differences) != 2 {
		t.Fatalf("found %+v", rep.Differences)
	}
	c, o := rep.Differences[0], rep.Differences[1]
	if c.Object != "customer" || c.Records != 2 || c.Mirror != 1 || o.Object != "order" || !o.ChecksumsDiffer || o.Records != o.Mirror {
		t.Errorf("found %+v", rep.Differences)
	}
	must(t, e.mirror.Rebuild(t.Context(), "customer", "order"))
	e.equal(t, 3)
}

func TestMirrorGrowsWithMetadata(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	e.put(t, "customer", change.Create, e.customer(1, "甲"))
	must(t, e.mirror.Drain(t.Context()))
	list, err := schema.Load(objects.FS)
	must(t, err)
	label := schema.Label{"zh-CN": "预约", "en": "Appointment"}
	for _, o := range list {
		if o.Key == "customer" {
			o.Fields = append(o.Fields, &schema.Field{Key: "nickname", Type: schema.Text, Label: label, Physical: "x_1"})
		}
	}
	list = append(list, &schema.Object{Key: "fitting", Label: label, Plural: label, Icon: "hanger", Prefix: "fit", TitleField: "name", Analytic: true,
		CustomerField: "customer", Physical: "r_x7", Fields: []*schema.Field{{Key: "name", Type: schema.Text, Label: label, Physical: "x_2"},
			{Key: "customer", Type: schema.Relation, Target: "customer", Label: label, Physical: "x_3"}}})
	e.reg, err = schema.NewRegistry(list)
	must(t, err)
	_, err = e.records.Ensure(t.Context(), e.reg)
	must(t, err)
	must(t, e.store.Ensure(t.Context(), e.reg, trait.Defaults()))
	e.put(t, "fitting", change.Create, e.row("fitting", 70, 1, map[string]any{"x_2": "f", "x_2_fold": "f", "x_3": int64(1)}))
	changed := e.customer(1, "甲")
	changed.Version = 2
	for i, c := range e.reg.Object("customer").Columns() {
		if c.Name == "x_1" {
			changed.Cols[i] = "小甲"
		}
	}
	e.put(t, "customer", change.Update, changed)
	e.equal(t, 2)
	if got := e.table(t, "SELECT c.x_1, f.x_2 FROM a_customer c JOIN a_fitting f ON f.x_3 = c.id"); got != "小甲|f\n" {
		t.Errorf("the grown relations hold %q", got)
	}
	if got := e.touched(t); got != "1" {
		t.Errorf("marked %q", got)
	}
}

func TestMirrorSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	p := e.put(t, "customer", change.Create, e.customer(1, "甲"))
	must(t, e.mirror.Drain(t.Context()))
	if !e.mirror.WaitFor(t.Context(), p, time.Hour) {
		t.Error("an applied position is waited for")
	}
	p = e.put(t, "customer", change.Create, e.customer(2, "乙"), e.customer(3, "丙"))
	e.clock.Advance(3 * time.Second)
	st, err := e.mirror.Status(t.Context())
	must(t, err)
	if st.LagChanges != 2 || st.Lag != 3*time.Second || st.Filling || st.Head != p {
		t.Errorf("status %+v", st)
	}
	if e.mirror.WaitFor(t.Context(), p, time.Millisecond) {
		t.Error("a position that nobody applies is reached")
	}
	waited := make(chan bool)
	go func() { waited <- e.mirror.WaitFor(t.Context(), p, time.Minute) }()
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- e.mirror.Run(ctx) }()
	if !<-waited {
		t.Error("the running mirror did not reach the position")
	}
	stop()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	must(t, e.mirror.Flush(t.Context()))
	saved, err := e.records.Log().LoadPosition(t.Context(), mirror.Consumer)
	must(t, err)
	if saved != p {
		t.Errorf("the log believes %v, want %v", saved, p)
	}
	e.equal(t, 3)
}

func TestTraitsFollowTheMirror(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	cat, err := trait.Standard()
	must(t, err)
	var passes []trait.Result
	service := trait.New(trait.Config{Store: e.store, Catalogue: func() *trait.Catalogue { return cat }, Clock: e.clock, Log: slog.New(slog.DiscardHandler),
		Settings: func(context.Context) (trait.Settings, error) { return trait.Defaults(), nil },
		Zone:     func() *time.Location { return time.UTC }, Ready: func() bool { return e.mirror.Ready() },
		OnPass: func(_ context.Context, r trait.Result) error { passes = append(passes, r); return nil }})
	if _, did, err := service.Tick(t.Context()); err != nil || did {
		t.Fatalf("a pass ran over an empty plane: %v", err)
	}
	e.put(t, "customer", change.Create, e.customer(1, "甲"), e.customer(2, "乙"))
	e.put(t, "order", change.Create, e.order(10, 1, 1, 500))
	must(t, e.mirror.Drain(t.Context()))
	tick := func() {
		t.Helper()
		_, _, err := service.Tick(t.Context())
		must(t, err)
	}
	tick()
	e.put(t, "order", change.Create, e.order(11, 1, 1, 700))
	must(t, e.mirror.Drain(t.Context()))
	tick()
	tick() // nothing more to do
	if len(passes) != 2 || !passes[0].Full || passes[1].Full || passes[1].Customers != 1 {
		t.Fatalf("passes %+v", passes)
	}
	got, err := service.Values(t.Context(), []id.ID{1, 2}, "orders", "spend_total", "days_since_last", "rfm_cell")
	must(t, err)
	if v := got[1]; v["orders"] != int64(2) || v["spend_total"] != int64(1200) || v["days_since_last"] != int64(10) {
		t.Errorf("customer 1 has %v", v)
	}
	if v := got[2]; v["orders"] != int64(0) || v["days_since_last"] != nil || v["rfm_cell"] != nil {
		t.Errorf("customer 2 has %v", v)
	}
	// The next day windows have moved: everyone is checked, then computed anew.
	e.clock.Advance(24 * time.Hour)
	tick()
	last := passes[len(passes)-1]
	if !last.Full || !last.Verified || last.Differing != 0 || last.Anchor != 20_001 {
		t.Errorf("the pass of the next day: %+v", last)
	}
	text, err := service.Explain(t.Context(), 1, "days_since_last", "CNY")
	must(t, err)
	if text["zh-CN"] != "最近一次购买在 2024-09-24，到 2024-10-05 已有 11 天" || text["en"] != "The latest purchase was on 2024-09-24, 11 days before 2024-10-05" {
		t.Errorf("explained as %v", text)
	}
	// Old data: the anchor follows the last order.
	e.clock.Advance(90 * 24 * time.Hour)
	tick()
	if a, err := service.Anchor(t.Context()); err != nil || a != 19_991 {
		t.Errorf("the anchor of old data is %s, %v", a, err)
	}
	r, err := service.Verify(t.Context())
	must(t, err)
	if !r.Verified || r.Differing != 0 {
		t.Errorf("verified: %+v", r)
	}
	if _, err := service.Values(t.Context(), []id.ID{1}, "no_such_trait"); err == nil {
		t.Error("an unknown trait is read")
	}
	// Relations that are filled anew leave no marks: everyone is computed, and the values of before are compared with nothing.
	must(t, write(t.Context(), e.db, "DELETE FROM a_order", "DELETE FROM t_order", "DELETE FROM t_rfm"))
	must(t, e.mirror.Rebuild(t.Context(), "order"))
	must(t, e.mirror.Drain(t.Context()))
	if behind, err := service.Behind(t.Context()); err != nil || !behind {
		t.Errorf("filled anew and behind %v, %v", behind, err)
	}
	tick()
	if last := passes[len(passes)-1]; !last.Full || last.Verified || last.Customers != 2 {
		t.Errorf("the pass after filling: %+v", last)
	}
	n := len(passes)
	tick()
	if behind, err := service.Behind(t.Context()); err != nil || behind || len(passes) != n {
		t.Errorf("behind %v, %v after %d passes", behind, err, len(passes)-n)
	}
	if r, err = service.Verify(t.Context()); err != nil || !r.Verified || r.Differing != 0 {
		t.Errorf("verified after filling: %+v, %v", r, err)
	}
}

func TestToucherMarksOnPostgres(t *testing.T) {
	t.Parallel()
	b := postgresBench(t)
	log := &memoryLog{}
	b.load(t, "customer", []string{"id"}, analytics.Rows([][]any{{int64(1)}, {int64(2)}, {int64(3)}}))
	b.load(t, "order", []string{"id", "customer"}, analytics.Rows([][]any{{int64(10), int64(2)}, {int64(11), int64(0)}}))
	log.rows = []change.Row{
		{Position: change.Position{Seq: 1}, Object: "order", Record: 10, Op: change.Update, Before: []byte(`{"customer":1,"net_amount":5}`)},
		{Position: change.Position{Seq: 2}, Object: "order", Record: 11, Op: change.Create},
		{Position: change.Position{Seq: 3}, Object: "customer", Record: 3, Op: change.Purge},
		{Position: change.Position{Seq: 4}, Object: "tag", Record: 9, Op: change.Update},
	}
	told := 0
	toucher := mirror.NewToucher(b.db, log, func() *schema.Registry { return b.reg }, slog.New(slog.DiscardHandler), func() { told++ })
	more, err := toucher.Step(t.Context())
	must(t, err)
	if got := b.table(t, "SELECT customer_id FROM trait_touched ORDER BY customer_id"); got != "1\n2\n3\n" || more || told != 1 {
		t.Errorf("marked %q, more %v, told %d times", got, more, told)
	}
	if log.saved.Seq != 4 {
		t.Errorf("stopped at %v", log.saved)
	}
}

// memoryLog is a change log of a few rows.
type memoryLog struct {
	rows  []change.Row
	saved change.Position
}

func (l *memoryLog) Read(_ context.Context, after change.Position, limit int) ([]change.Row, error) {
	i := slices.IndexFunc(l.rows, func(r change.Row) bool { return after.Less(r.Position) })
	if i < 0 {
		return nil, nil
	}
	return l.rows[i:min(i+limit, len(l.rows))], nil
}

func (l *memoryLog) Head(context.Context) (change.Position, error) {
	return l.rows[len(l.rows)-1].Position, nil
}

func (l *memoryLog) LoadPosition(context.Context, string) (change.Position, error) {
	return l.saved, nil
}

func (l *memoryLog) SavePosition(_ context.Context, _ string, p change.Position) error {
	l.saved = p
	return nil
}

func (l *memoryLog) WaitAfter(ctx context.Context, _ change.Position) error {
	<-ctx.Done()
	return ctx.Err()
}
