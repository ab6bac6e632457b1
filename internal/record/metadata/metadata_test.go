package metadata_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// shop is a workspace's metadata on a real database.
type shop struct {
	*testing.T
	store *sqlstore.Store
	s     *metadata.Service
	reg   *schema.Registry
	notes []string

	follows metadata.Effect // of the last change
}

func newShop(t *testing.T) *shop {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := sqlstore.Migrate(t.Context(), db, migrations.Files, "schema_version"); err != nil {
		t.Fatal(err)
	}
	p := &shop{T: t, store: sqlstore.New(sqlstore.Config{DB: db})}
	p.s = p.another(1)
	if p.reg, err = p.s.Registry(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.Ensure(t.Context(), p.reg); err != nil {
		t.Fatal(err)
	}
	return p
}

// another is the service of another process on the same database.
func (p *shop) another(node int) *metadata.Service {
	p.Helper()
	declared, err := schema.Load(objects.FS)
	if err != nil {
		p.Fatal(err)
	}
	return metadata.New(metadata.Config{Store: sqlstore.NewMetadata(p.store), Standard: declared, IDs: id.NewGenerator(clock.System{}, node),
		Ensure: func(ctx context.Context, reg *schema.Registry) error {
			_, err := p.store.Ensure(ctx, reg)
			return err
		},
		Use: func(_ context.Context, reg *schema.Registry, follows metadata.Effect) error {
			p.reg, p.follows = reg, follows
			return nil
		},
		Note: func(_ context.Context, action, object, field string) error {
			p.notes = append(p.notes, action+" "+object+" "+field)
			return nil
		}})
}

func (p *shop) as(r access.Role) context.Context {
	return access.With(p.Context(), access.Actor{Kind: access.ByUser, ID: 1, Role: r})
}

func (p *shop) object(in metadata.NewObject) string {
	p.Helper()
	key, err := p.s.CreateObject(p.as(access.Administrator), in)
	if err != nil {
		p.Fatalf("%v: %v", in.Label, err)
	}
	return key
}

func TestKeysAndPrefixes(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	prefixes := map[string]bool{}
	for label, want := range map[string]string{"试衣预约": "shiyiyuyue", "Store visit 2": "store_visit_2", "Customs & Duties": "customs_duties", "Custody": "custody"} {
		key := p.object(metadata.NewObject{Label: schema.Label{"en": label}})
		o := p.reg.Object(key)
		if key != want || prefixes[o.Prefix] || o.Physical == "r_"+key {
			t.Errorf("%q became %q with prefix %q in %q", label, key, o.Prefix, o.Physical)
		}
		prefixes[o.Prefix] = true
	}
	for in, code := range map[string]string{"customer": "metadata.bad_key", "order": "metadata.key_taken", "9x": "metadata.bad_key", "custody": "metadata.key_taken"} {
		if _, err := p.s.CreateObject(p.as(access.Administrator), metadata.NewObject{Key: in, Label: schema.Label{"en": "X"}}); fault.CodeOf(err) != code {
			t.Errorf("key %q: %v, want %s", in, err, code)
		}
	}
	if _, err := p.s.CreateObject(p.as(access.Manager), metadata.NewObject{Label: schema.Label{"en": "X"}}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a manager shapes: %v", err)
	}
	if len(p.notes) != 4 {
		t.Errorf("noted %v", p.notes)
	}
}

func TestFieldsAreOrderedAndKept(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	ctx := p.as(access.Administrator)
	key := p.object(metadata.NewObject{Label: schema.Label{"en": "Fitting"}})
	for _, label := range []string{"One", "Two", "Three"} {
		if _, err := p.s.CreateField(ctx, key, schema.Field{Type: schema.Choice, Label: schema.Label{"en": label}, Options: []schema.Option{{Label: schema.Label{"en": "Yes"}}}}); err != nil {
			t.Fatal(err)
		}
	}
	first := 0
	if err := p.s.UpdateField(ctx, key, "three", metadata.FieldChange{Position: &first}); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range p.reg.Object(key).Fields {
		got += f.Key + " "
	}
	if got != "three name one two " {
		t.Errorf("order %q", got)
	}
	if err := p.s.UpdateField(ctx, key, "one", metadata.FieldChange{Options: []schema.Option{{Key: "no", Label: schema.Label{"en": "No"}}}}); fault.CodeOf(err) != "metadata.option_gone" {
		t.Errorf("an option was lost: %v", err)
	}
	pattern, searchable := "X{000}", true
	if err := p.s.UpdateField(ctx, "order", "number", metadata.FieldChange{Pattern: &pattern}); fault.CodeOf(err) != "metadata.declared_member" {
		t.Errorf("the pattern of a declared number: %v", err)
	}
	if err := p.s.UpdateField(ctx, "order", "note", metadata.FieldChange{Searchable: &searchable}); err != nil || !p.follows.Search {
		t.Errorf("records are not indexed by a field that became searchable: %v", err)
	}
	if err := p.s.UpdateObject(ctx, "order", metadata.ObjectChange{SubtitleFields: []string{}}); err != nil || len(p.reg.Object("order").SubtitleFields) != 0 || p.follows.Search {
		t.Errorf("an empty subtitle: %v, %v", p.reg.Object("order").SubtitleFields, err)
	}
	if err := p.s.UpdateField(ctx, "customer", "name", metadata.FieldChange{Required: new(bool)}); fault.CodeOf(err) != "metadata.declared_member" {
		t.Errorf("a declared field was loosened: %v", err)
	}
	physical := p.reg.Object(key).Field("two").Physical
	if err := p.s.ArchiveField(ctx, key, "two"); err != nil || p.reg.Object(key).Field("two") != nil {
		t.Fatalf("archived: %v", err)
	}
	second := 1 // among those in use: what is archived takes no place
	if err := p.s.UpdateField(ctx, key, "one", metadata.FieldChange{Position: &second}); err != nil || p.reg.Object(key).Fields[1].Key != "one" {
		t.Errorf("moved to the second place: %v", err)
	}
	if a, err := p.s.Archive(ctx); err != nil || len(a.Fields) != 1 || a.Fields[0].Key != "two" {
		t.Errorf("archive %+v, %v", a, err)
	}
	if err := p.s.RestoreField(ctx, key, "two"); err != nil || p.reg.Object(key).Field("two").Physical != physical {
		t.Errorf("restored: %v", err)
	}
}

// Two processes shape the same workspace: each takes up what the other did, and nothing is overwritten unseen.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	ctx := p.as(access.Administrator)
	other := p.another(2)
	if reg, err := other.Registry(ctx); err != nil || reg.Object("fitting") != nil {
		t.Fatal(err)
	}
	p.object(metadata.NewObject{Label: schema.Label{"en": "Fitting"}})
	reg, err := other.Newer(ctx)
	if err != nil || reg == nil || reg.Object("fitting") == nil {
		t.Fatalf("not taken up: %v", err)
	}
	if reg, err := other.Newer(ctx); err != nil || reg != nil {
		t.Errorf("taken up twice: %v", err)
	}
	if _, err := other.CreateField(ctx, "fitting", schema.Field{Type: schema.Text, Label: schema.Label{"en": "Why"}}); err != nil {
		t.Error(err)
	}
	if _, err := p.s.CreateField(ctx, "fitting", schema.Field{Type: schema.Text, Label: schema.Label{"en": "Why"}}); fault.CodeOf(err) != "metadata.field_taken" {
		t.Errorf("the same field twice: %v", err)
	}
}
