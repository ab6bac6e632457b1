package sqlstore

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/migrations"
)

// Tables that say of whom they are and that an erasure does not reach through scrubbings, with what happens to them instead.
var scrubbedElsewhere = map[string]string{
	"unique_key":      "goes with the values of the record",
	"person_key":      "DropKeys destroys the key of the person",
	"erasure":         "the register of erasures",
	"erasure_member":  "what an erasure works on, dropped at its end",
	"record_hold":     "who is held is not erased",
	"privacy_request": "the register of requests",
	"privacy_copy":    "copies are withdrawn by the erasure itself",
	"stage_stay":      "stages and times without words; figures of stages count them",
	"offer_use":       "amounts of orders, which stay; figures of offers count them",
	"consent_entry":   "Consents.Erase empties it and leaves the proof under a keyed digest",
	"consent_again":   "Consents.Erase",
	"consent_state":   "Consents.Erase",
	"consent_link":    "Consents.Erase",
	"consent_refusal": "Consents.Erase",
	"consent_claim":   "Consents.Erase",

	"event_inbox":      "goes with the behaviour, in facts, sealed files and inbox",
	"event_recent":     "is emptied for everybody: it fills again by itself",
	"identifier":       "the ledger of identities forgets it",
	"profile_review":   "the ledger of identities empties its evidence",
	"profile_value":    "ForgetTold",
	"profile":          "a number that leads to an empty shell, so that figures do not move",
	"profile_customer": "numbers alone",
	"profile_survivor": "numbers alone",
	"profile_order":    "numbers of orders, which stay",
}

// What becomes of rows of a customer when he is merged into another, for each table with his id. Rows are never moved, so that a merge that is taken
// back finds them where they were: whoever reads them asks for those that were merged as well (together, MergedFrom), or the table says why not.
var atMerge = map[string]string{
	"contact_count":         "together: caps count what all of them got",
	"churn_warning":         "together: the survivor rests with them",
	"action_choice":         "together: decisions are the survivor's",
	"action_case":           "Standing is together; outcomes stay with whom chance drew",
	"coupon":                "MergedFrom: codes are the survivor's",
	"offer_use":             "MergedFrom: uses count together",
	"form_submission":       "gifts count together (Had); submissions say who sent them",
	"journey_token":         "together: entering again, waits and goals are asked of all of them; steps act on the survivor",
	"journey_path":          "together, with the entry",
	"message_intent":        "lines say to whom something was sent, and figures of a campaign count them as they were",
	"segment_passage":       "moves say who moved",
	"class_transition":      "moves say who moved",
	"segment_static_member": "Members has the survivor in their place",

	"profile":          "the ledger of identities follows merges",
	"profile_customer": "the same",
	"profile_value":    "what events said last of the one who went; the survivor's events say it anew",
	"profile_order":    "orders follow by their own field",
}

// written are the tables that migrations make, with those of their columns that a pattern finds.
func written(t *testing.T, of *regexp.Regexp) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	table := regexp.MustCompile(`(?s)CREATE TABLE ([a-z_]+) \((.*?)\n\)`)
	added := regexp.MustCompile(`ALTER TABLE ([a-z_]+) ADD COLUMN ([a-z_]+ )`)
	for _, files := range []fs.FS{migrations.Files, migrations.Event()} {
		names, err := fs.Glob(files, "*.sql")
		if err != nil || len(names) == 0 {
			t.Fatal(err, len(names))
		}
		for _, name := range names {
			raw, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range append(table.FindAllStringSubmatch(string(raw), -1), added.FindAllStringSubmatch(string(raw), -1)...) {
				for _, column := range of.FindAllStringSubmatch(m[2], -1) {
					out[m[1]] = append(out[m[1]], column[1])
				}
			}
		}
	}
	return out
}

// TestErasureReachesEveryTable: whatever table says of which record, customer or profile a row is, an erasure counts it and takes it away. A new
// table is added to scrubbings, or stands above with the reason.
func TestErasureReachesEveryTable(t *testing.T) {
	var text strings.Builder
	for _, x := range scrubbings() {
		text.WriteString(x.count + ";" + strings.Join(x.drop, ";") + ";")
	}
	scrubbed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:FROM|UPDATE|JOIN) ([a-z_]+)`).FindAllStringSubmatch(text.String(), -1) {
		scrubbed[m[1]] = true
	}
	seen := written(t, regexp.MustCompile(`(?m)^\s*(record_id|customer_id|subject_id|subject|survivor|survivor_id|merged_id|member|parent|former|meeting|a|b|a_id|b_id|other_id|profile_id|profile) `))
	for name, columns := range seen {
		if scrubbed[name] == (scrubbedElsewhere[name] != "") {
			t.Errorf("table %s says of whom it is (%s): scrubbed %v, else %q", name, strings.Join(columns, ", "), scrubbed[name], scrubbedElsewhere[name])
		}
	}
	for _, language := range []string{"zh-CN", "en"} {
		raw, err := os.ReadFile("../../../ui/src/i18n/" + language + "/privacy.json")
		if err != nil {
			t.Fatal(err)
		}
		var words struct{ Part map[string]string }
		if err := json.Unmarshal(raw, &words); err != nil {
			t.Fatal(err)
		}
		for _, x := range scrubbings() {
			if words.Part[x.part] == "" {
				t.Errorf("%s has no word for the part %s", language, x.part)
			}
		}
	}
	for name := range scrubbedElsewhere {
		if seen[name] == nil {
			t.Errorf("no table %s says of whom it is any more", name)
		}
	}
}

// TestMergesAreThoughtOf: a new table with the id of a customer says above what becomes of its rows when he is merged.
func TestMergesAreThoughtOf(t *testing.T) {
	seen := written(t, regexp.MustCompile(`(?m)^\s*(customer_id) `))
	for name := range seen {
		if atMerge[name] == "" {
			t.Errorf("nothing says what becomes of %s when a customer is merged", name)
		}
	}
	for name := range atMerge {
		if seen[name] == nil {
			t.Errorf("table %s has no customers any more", name)
		}
	}
}
