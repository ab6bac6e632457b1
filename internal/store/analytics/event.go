package analytics

// The facts of behaviour. Both are keyed by customer_id: the customer, or, as long as nobody is known, the profile, whose
// id no customer can have. A join with a_customer leaves the unknown out; count(DISTINCT customer_id) counts visitors.
//
// f_event holds what was accepted and resolved, one row an event. f_session holds visits, made from the events of a
// profile by the definitions of web analytics; a late event makes the visits around it anew.
const (
	EventTable   = "f_event"
	SessionTable = "f_session"
)

// eventTable: at and received_at are milliseconds, day is local; kind and name are those of package event; host, path, title
// and referrer_host are of pages, cut to 2,000 characters; channel is the group of the source (direct, search, social, ads,
// email, referral, campaign, internal); region is a code of GB/T 2260 or "", country two letters; dwell_ms is visible and
// active time; amount is in minor units of the base currency; content and platform belong to interactions; properties and
// context are JSON objects.
//
// Texts are "" where there is nothing, dwell_ms and amount NULL.
func eventTable() table {
	t := table{name: EventTable, key: []string{"customer_id", "day", "id"}, month: "day", indexes: [][]string{{"profile_id"}, {"day"}}}
	t.columns = append(t.columns, ints("id", "customer_id", "profile_id", "at", "day", "received_at", "source_id")...)
	t.columns = append(t.columns, texts("kind", "name")...)
	t.columns = append(t.columns, ints("flags")...)
	t.columns = append(t.columns, texts("host", "path", "title", "referrer_host", "channel", "utm_source", "utm_medium", "utm_campaign",
		"utm_term", "utm_content", "device", "browser", "os", "language", "country", "region")...)
	t.columns = append(t.columns, ints("dwell_ms", "amount")...)
	t.columns = append(t.columns, texts("content", "platform", "properties", "context")...)
	return t
}

// sessionTable: id is that of the session's first event; ended_at is the time of its last; views are pages and screens;
// events are views and interactions; engaged_ms is visible time; bounced is 1 for a visit without a second view and without an interactive event; engaged is 1
// where GA4 would say so (over ten seconds, a key event, or two views); orders and amount are what was bought in it.
func sessionTable() table {
	t := table{name: SessionTable, key: []string{"customer_id", "day", "id"}, indexes: [][]string{{"profile_id"}, {"day"}}}
	t.columns = append(t.columns, ints("id", "customer_id", "profile_id", "started_at", "ended_at", "day", "source_id", "views", "events",
		"engaged_ms", "bounced", "engaged", "orders", "amount")...)
	t.columns = append(t.columns, texts("host", "entry_path", "exit_path", "referrer_host", "channel", "utm_source", "utm_medium", "utm_campaign",
		"device", "browser", "os", "language", "country", "region")...)
	return t
}

// eventTables are the bookkeeping of loading: event_touched are the profiles whose visits must be made anew from a time on, event_owner is
// filled with the owners of profiles for the length of a statement, event_gone with the ids of events that go.
func eventTables() []table {
	return []table{
		{name: "event_touched", key: []string{"customer_id", "profile_id", "batch"}, columns: ints("customer_id", "profile_id", "batch", "from_at")},
		{name: "event_owner", key: []string{"profile_id"}, local: true, everywhere: true, staging: true, columns: ints("profile_id", "customer_id")},
		{name: "event_gone", key: []string{"id"}, local: true, everywhere: true, staging: true, columns: ints("id")},
	}
}

// visitTables hold one pass of visits.
func visitTables() []table {
	list := []table{
		{name: "visit_scope", columns: ints("customer_id", "profile_id", "from_at")},
		{name: "visit_read", columns: append(ints("customer_id", "profile_id", "id", "ms", "day", "place", "rest", "beat", "seen", "act", "buys", "dwell_ms"), texts("campaign")...)},
		{name: "visit_mark", columns: ints("customer_id", "profile_id", "id")},
		{name: "visit_event", columns: ints("customer_id", "profile_id", "id", "ms", "day", "place", "visit", "beat", "seen", "act", "buys", "dwell_ms")},
		{name: "visit_long", columns: ints("customer_id", "profile_id", "visit", "began_at")},
		{name: "visit_order", columns: ints("customer_id", "profile_id", "visit", "piece", "orders", "amount")},
		{name: "visit_whole", columns: ints("customer_id", "profile_id", "visit", "piece", "id", "day", "shown", "shown_day", "gone", "gone_day", "began_at", "ended_at", "views", "acts",
			"happened", "engaged_ms")},
		{name: "visit_bit", columns: ints(bitColumns()...)},
		{name: "visit_link", columns: ints("customer_id", "profile_id", "bucket", "following")},
		{name: "visit_run", columns: ints(runColumns()...)},
		{name: "visit_hard", columns: ints("customer_id", "profile_id", "from_at", "to_at")},
	}
	for i := range list {
		list[i].staging = true
	}
	return list
}

// ownedTables hold rows of profiles, which change their owner together.
func ownedTables() []table { return []table{eventTable(), sessionTable(), eventTables()[0]} }

// movedTables hold rows while they change their owner.
func movedTables() []table {
	var list []table
	for _, t := range ownedTables() {
		list = append(list, table{name: moved(t.name), columns: t.columns, staging: true})
	}
	return list
}

// moved is the table that holds the rows of another while they change their owner.
func moved(table string) string { return table + "_moved" }
