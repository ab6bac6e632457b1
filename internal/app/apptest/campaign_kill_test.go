package apptest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

// TestCampaignAfterKill: the program is killed again and again while it plans a campaign and hands its mails over. Nobody gets two, each code belongs to one
// message, everybody of the audience is counted once, and what no answer came for is said to be unsure instead of being sent again.
func TestCampaignAfterKill(t *testing.T) {
	t.Parallel()
	onMachines(t, killCampaign)
}

type sums struct {
	Audience int64
	States   []struct {
		State string
		Count int64
	}
	Gates []struct{ Count int64 }
}

func killCampaign(t *testing.T, m *machine) {
	const people = 900
	server := mailtest.New(t, mailtest.Options{NoSTARTTLS: true})
	m.env = append(m.env, "GUANXI_MAIL_NETWORKS=127.0.0.0/8", "GUANXI_PUBLIC_URL=https://crm.example.com")
	m.start()
	c := m.client()
	c.want(201, c.do("POST", "/mail/profiles", fmt.Sprintf(`{"name":"main","host":"127.0.0.1","port":%d,"security":"none","from_name":"G","from_address":"office@example.com"}`, server.Port)))
	var ops, said, ids []string
	for i := range people {
		ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"客户%d","external_id":"k%d","email":"k%d@example.org"}}`, i, i, i))
		said = append(said, fmt.Sprintf(`{"customer":"k%d","purpose":"marketing","channel":"email","state":"given","source":"form"}`, i))
		ids = append(ids, fmt.Sprintf(`"k%d"`, i))
	}
	for at := 0; at < people; at += 300 {
		c.want(200, c.do("POST", "/records/customer/batch", `{"atomic":true,"operations":[`+strings.Join(ops[at:at+300], ",")+`]}`))
	}
	c.want(200, c.do("POST", "/consents/import", `{"by":"external_id","items":[`+strings.Join(said, ",")+`]}`))
	seg := read[struct{ Segment struct{ Key string } }](c, "POST", "/segments/list", `{"label":"名单","field":"external_id","values":[`+strings.Join(ids, ",")+`]}`).Segment.Key
	rule := `{"kind":"amount","amount":100}`
	gift := read[struct{ ID string }](c, "POST", "/offers", `{"name":"礼","rule":`+rule+`}`).ID
	c.want(200, c.do("PATCH", "/offers/"+gift, `{"name":"礼","status":"active","version":1,"rule":`+rule+`}`))
	tpl := read[struct{ ID string }](c, "POST", "/templates", `{"name":"上新","channel":"email","body":{"locale":"zh-CN","documents":{"zh-CN":{"subject":"上新","blocks":[{"kind":"text","text":"您好"},{"kind":"coupon"}],"offer":"`+gift+`"}}}}`).ID
	v := read[struct {
		ID      string
		Version int64
	}](c, "POST", "/campaigns", `{"name":"上新","channel":"email","plan":{"segments":["`+seg+`"],"except":[],"purpose":"marketing","variants":[{"key":"a","template":"`+tpl+`","weight":1}],"holdout":10,"start":null,"local":false,"per_minute":0,"drop_quiet":false,"wait_cap":false,"days":14,"cost":0,"fixed":0,"margin":0,"profile":"","utm_source":"","utm_medium":"","utm_campaign":""}}`)
	c.want(200, c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
	random := rand.New(rand.NewPCG(5, 11)) //nolint:gosec // a test
	for range 5 {
		m.soonKilled(random, 150, 1200)
	}
	c = m.client()
	state := func() string {
		return read[struct{ Status string }](c, "GET", "/campaigns/"+v.ID, "").Status
	}
	eventually(t, "the end of the campaign", 3*time.Minute, func() bool { return state() == "sent" })
	var got sums
	by := map[string]int64{}
	eventually(t, "figures after the end", 3*time.Minute, func() bool { // they are kept for some seconds
		got, by = read[sums](c, "GET", "/campaigns/"+v.ID+"/result", ""), map[string]int64{}
		for _, s := range got.States {
			by[s.State] = s.Count
		}
		return by["queued"]+by["handed"]+by["sending"] == 0
	})
	var all, stopped int64
	for _, n := range by {
		all += n
	}
	for _, g := range got.Gates {
		stopped += g.Count
	}
	if all != people || got.Audience != people || stopped != by["stopped"] {
		t.Errorf("%+v", got)
	}
	mails := server.Messages()
	seen := map[string]bool{}
	for _, mail := range mails {
		if seen[mail.To] {
			t.Errorf("%s got two", mail.To)
		}
		seen[mail.To] = true
	}
	if n := int64(len(mails)); n < by["accepted"] || n > by["accepted"]+by["unknown"] {
		t.Errorf("%d mails arrived; %v", n, by)
	}
	codes := 0
	for before := ""; ; {
		page := read[struct {
			Items []struct{ Customer struct{ ID string } }
			Next  string
		}](c, "GET", "/offers/"+gift+"/codes?limit=200&before="+before, "")
		codes += len(page.Items)
		if before = page.Next; before == "" {
			break
		}
	}
	if int64(codes) > by["accepted"]+by["unknown"]+by["failed"] || int64(codes) < by["accepted"] {
		t.Errorf("%d codes; %v", codes, by)
	}
	t.Logf("%d mails, %v", len(mails), by)
	m.stop()
}
