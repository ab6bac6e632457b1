package analytics_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// What customers share brings others, on both engines: by the id of the share as a property, as ref, and as utm_content of an address.
func TestInfluenceIsReadFromEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		const day = 20_000
		b.load(t, "customer", []string{"id", "referrer", "acquired_on"}, analytics.Rows([][]any{{int64(1), nil, nil}, {int64(2), nil, nil}, {int64(3), int64(1), int64(day - 5)}}))
		b.happen(t, 1, []any{11, day, "Content Shared", 0, `{"share_id":"s1","content_id":"c1"}`}, []any{12, day, "Product Shared", 0, `{"share_id":"s2"}`}, []any{13, day + 1, "Share Opened", 0, `{"share_id":"s1"}`})
		b.happen(t, 2, []any{21, day + 1, "Share Opened", 0, `{"share_id":"s1"}`}, []any{22, day + 2, "Content Liked", 0, `{"share_id":"s1"}`}, []any{23, day + 3, "Product Viewed", 0, `{"ref":"s2"}`})
		b.happen(t, 900, []any{91, day + 1, "Product Viewed", 0, `{"ref":"s2"}`}, []any{92, day + 1, "Product Viewed", 0, `{"ref":"nobody's"}`}) // somebody nobody knows
		in, err := social.Weigh(t.Context(), analytics.Crowd{DB: b.db})
		must(t, err)
		want := social.Influence{Shares: 2, Openings: 3, Reach: 2, Reactions: 1, Brought: 2}
		if v := in.Of[1]; v == nil || *v != want {
			t.Fatalf("influence %+v, want %+v", v, want)
		}
		changed, err := b.store.SaveInfluence(t.Context(), in, time.UnixMilli(5000), "one", "")
		must(t, err)
		if len(changed) != 1 || changed[0] != 1 {
			t.Errorf("changed %v", changed)
		}
		if got := b.table(t, "SELECT customer_id, influence, share_reach, share_reactions, people_brought, shares, computed_at FROM t_social"); got != "1|32|2|1|2|2|5000\n" {
			t.Errorf("the family holds %s", got)
		}
		if got := b.table(t, "SELECT influence FROM customer_traits WHERE customer_id = 1"); got != "32\n" {
			t.Errorf("the wide view shows %s", got)
		}
		facts := analytics.NewSocial(b.db, func() *time.Location { return time.UTC })
		credit, err := facts.Credit(t.Context(), 1, 10)
		must(t, err)
		if len(credit) != 2 || credit[0].Who != 2 || credit[0].Openings != 2 || !credit[0].New || credit[1].Who != 3 || !credit[1].Referred {
			t.Errorf("credit %+v", credit)
		}
		shares, err := facts.SharesOf(t.Context(), 1, 10)
		must(t, err)
		if len(shares) != 2 || shares[0].ID != "s2" {
			t.Errorf("shares %+v", shares)
		}
		if again, err := b.store.SaveInfluence(t.Context(), in, time.UnixMilli(6000), "one", "one"); err != nil || len(again) != 0 {
			t.Errorf("the same once more: %v, %v", again, err)
		}
		if got := b.table(t, "SELECT computed_at FROM t_social"); got != "5000\n" {
			t.Errorf("the same was written once more: %s", got)
		}
		// An event that goes takes its influence with it.
		n, err := analytics.NewEvents(b.db, b.clock).Drop(t.Context(), analytics.Gone{Events: []id.ID{22, 91}})
		must(t, err)
		if n != 2 {
			t.Errorf("%d events went", n)
		}
		in, err = social.Weigh(t.Context(), analytics.Crowd{DB: b.db})
		must(t, err)
		if v := in.Of[1]; v.Reach != 1 || v.Reactions != 0 {
			t.Errorf("after they went: %+v", v)
		}
		if got := b.table(t, "SELECT customer_id FROM trait_touched WHERE customer_id IN (2, 900)"); got != "2\n" {
			t.Errorf("marked for the traits: %s", got)
		}
		if got := b.table(t, "SELECT customer_id, profile_id FROM event_touched ORDER BY customer_id"); got != "2|2\n900|900\n" {
			t.Errorf("visits to be made anew: %s", got)
		}
		list, err := analytics.Elsewhere(t.Context(), b.db, []id.ID{1}, analytics.SeenBefore{At: 1 << 60}, 10)
		must(t, err)
		if len(list) != 3 || list[0].Name != "Share Opened" {
			t.Errorf("interactions %+v", list)
		}
	})
}
