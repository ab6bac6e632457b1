package storetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testKeptConfig: what a change of the configuration made is taken back, but for tables that whoever kept it did not know.
func testKeptConfig(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	ctx, k := context.Background(), sqlstore.NewActions(w.Store)
	keys := func() (out string) {
		t.Helper()
		plays, err := k.Plays(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range plays {
			out += p.Key
		}
		return out
	}
	for _, c := range []struct {
		older bool
		want  string
	}{{false, "a"}, {true, "ab"}} {
		if err := k.DropPlay(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		if err := k.SavePlay(ctx, action.Play{Key: "a", Version: 1, UpdatedAt: T0}); err != nil {
			t.Fatal(err)
		}
		if err := w.Store.KeepConfig(ctx, "one", T0.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if c.older {
			var kept map[string]json.RawMessage
			if found, err := w.Store.Setting(ctx, "config.before", &kept); err != nil || !found {
				t.Fatal(found, err)
			}
			var tables map[string]json.RawMessage
			if err := json.Unmarshal(kept["tables"], &tables); err != nil || tables["action_play"] == nil {
				t.Fatal(err, "plays are not kept")
			}
			delete(tables, "action_play")
			raw, err := json.Marshal(tables)
			if err != nil {
				t.Fatal(err)
			}
			kept["tables"] = raw
			if err := w.Store.SetSetting(ctx, "config.before", kept); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.SavePlay(ctx, action.Play{Key: "b", Version: 1, UpdatedAt: T0}); err != nil {
			t.Fatal(err)
		}
		if done, err := w.Store.RestoreConfig(ctx, "one", T0); err != nil || !done {
			t.Fatal(done, err)
		}
		if got := keys(); got != c.want {
			t.Errorf("older %v: %q stay, not %q", c.older, got, c.want)
		}
	}
}
