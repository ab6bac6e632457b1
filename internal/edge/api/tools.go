package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Tool is one operation of the table as a program that works in steps may call it: an assistant. Right, address and the shape
// of the arguments are those of the route; nothing is said twice.
type Tool struct {
	Name, Method, Path string
	// Right is what the route asks for; "" when everybody of the workspace may call it.
	Right access.Right
	// ReadOnly operations change nothing: a key that may only read can call every one of them.
	ReadOnly bool
	// Destructive operations take something away.
	Destructive bool
	// Acts says that only a key which acts in the name of its maker can call it.
	Acts bool
	// Keyed operations run once for an idempotency key.
	Keyed bool
	// Sentence says that the argument "where" is a condition that the answer should repeat in words.
	Sentence bool
	// Words are the keys of the arguments' descriptions, by argument.
	Words map[string]string
	// Places says where an argument goes: path, query or body.
	Places map[string]string
	// Schema is the JSON schema of the arguments, an object without references to other places.
	Schema map[string]any
	// Required arguments, sorted.
	Required []string
}

// toolLine names a route as a tool, and what the route does not say of itself.
type toolLine struct {
	name, method, path string
	must               []string          // required although the route has another way to say it
	hide               []string          // arguments of no use to an assistant
	words              map[string]string // arguments described with another word than their name
	destructive        bool
	acts               bool // people alone may do it, and keys in their name
}

// toolLines are the operations that assistants get. Operations on people, keys, roles, metadata, files and personal data in
// plain are left to people.
func toolLines() []toolLine {
	version := []string{"version"}
	values := map[string]string{"fields": "values"}
	segment := map[string]string{"key": "segment_key", "label": "segment_label", "kind": "segment_kind", "where": "where"}
	merging := map[string]string{"survivor": "survivor", "ids": "merge_ids", "prefer": "prefer", "fields": "merge_fields", "merge": "merge"}
	asking := map[string]string{"id": "approval_id", "tab": "approval_tab", "state": "approval_state", "answer": "answer", "comment": "approval_comment", "person": "person"}
	ruling := map[string]string{"id": "automation_id", "run": "run", "definition": "definition", "run_as": "run_as", "record": "try_record", "state": "run_state"}
	return []toolLine{
		{name: "list_objects", method: get, path: "/objects"},
		{name: "describe_object", method: get, path: "/objects/{object}"},
		{name: "search", method: get, path: "/search", must: []string{"q"}},
		{name: "query_records", method: post, path: "/records/{object}/query", hide: []string{"offset"}},
		{name: "count_records", method: post, path: "/records/{object}/count"},
		{name: "aggregate_records", method: post, path: "/records/{object}/aggregate"},
		{name: "get_record", method: get, path: "/records/{object}/{id}"},
		{name: "create_record", method: post, path: "/records/{object}", words: values},
		{name: "update_record", method: patch, path: "/records/{object}/{id}", must: version, words: values},
		{name: "delete_record", method: del, path: "/records/{object}/{id}", must: version, destructive: true},
		{name: "restore_record", method: post, path: "/records/{object}/{id}/restore"},
		{name: "assign_record", method: post, path: "/records/{object}/{id}/assign", must: version},
		{name: "record_timeline", method: get, path: "/records/{object}/{id}/timeline"},
		{name: "record_history", method: get, path: "/records/{object}/{id}/history"},
		{name: "open_work", method: get, path: "/records/{object}/{id}/open"},
		{name: "agenda", method: get, path: "/agenda", must: []string{"user", "from", "to"}},
		{name: "list_people", method: get, path: "/users"},
		{name: "customer_profile", method: get, path: "/customers/{id}/profile", words: map[string]string{"id": "customer_id"}},
		{name: "customer_consents", method: get, path: "/customers/{id}/consents", hide: []string{"before"}, words: map[string]string{"id": "customer_id"}},
		{name: "record_consent", method: post, path: "/customers/{id}/consents", must: []string{"items"}, words: map[string]string{"id": "customer_id", "items": "consent_items"}},
		{name: "comment_on_record", method: post, path: "/records/{object}/{id}/comments", words: map[string]string{"body": "comment_body"}, acts: true},
		{name: "preview_merge", method: post, path: "/records/{object}/merge/preview", must: []string{"ids"}, hide: version, words: merging},
		{name: "merge_records", method: post, path: "/records/{object}/merge", must: []string{"survivor", "ids"}, words: merging, destructive: true},
		{name: "undo_merge", method: post, path: "/records/{object}/unmerge", words: merging},
		{name: "list_approvals", method: get, path: "/approvals", words: asking},
		{name: "get_approval", method: get, path: "/approvals/{id}", words: asking},
		{name: "decide_approval", method: post, path: "/approvals/{id}/decide", hide: []string{"to"}, words: asking, acts: true},
		{name: "hand_over_approval", method: post, path: "/approvals/{id}/hand-over", words: asking, acts: true},
		{name: "list_automations", method: get, path: "/automations"},
		{name: "get_automation", method: get, path: "/automations/{id}", words: ruling},
		{name: "try_automation", method: post, path: "/automations/try", must: []string{"record"}, words: ruling},
		{name: "automation_runs", method: get, path: "/automations/{id}/runs", words: map[string]string{"id": "automation_id", "state": "run_state", "record": "run_record"}},
		{name: "automation_run", method: get, path: "/automations/{id}/runs/{run}", words: ruling},
		{name: "list_segments", method: get, path: "/segments"},
		{name: "get_segment", method: get, path: "/segments/{key}", words: segment},
		{name: "count_customers", method: post, path: "/segments/count"},
		{name: "segment_members", method: get, path: "/segments/{key}/members", words: segment},
		{name: "segment_history", method: get, path: "/segments/{key}/history", words: segment},
		{name: "compare_segments", method: get, path: "/segments/{key}/overlap", must: []string{"with"}, words: segment},
		{name: "create_segment", method: post, path: "/segments", must: []string{"label"}, hide: version, words: segment},
		{name: "update_segment", method: patch, path: "/segments/{key}", must: version, hide: []string{"kind"}, words: segment},
		{name: "delete_segment", method: del, path: "/segments/{key}", words: segment, destructive: true},
		{name: "list_traits", method: get, path: "/traits"},
		{name: "list_classifications", method: get, path: "/classifications"},
		{name: "check_condition", method: post, path: "/conditions/check"},
		{name: "business_figures", method: get, path: "/home"},
		{name: "purchase_cohorts", method: get, path: "/cohorts"},
	}
}

// Tools makes the tools from the table; an error is a line that names no route or an argument that it does not have.
func Tools() ([]Tool, error) {
	table := (&API{}).routes()
	var out []Tool
	for _, line := range toolLines() {
		i := slices.IndexFunc(table, func(r route) bool { return r.method == line.method && r.path == line.path })
		if i < 0 {
			return nil, fmt.Errorf("tool %s: no route %s %s", line.name, line.method, line.path)
		}
		t, err := newTool(line, &table[i])
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func newTool(line toolLine, r *route) (Tool, error) {
	reader := access.Actor{Kind: access.ByKey, Role: access.Administrator, Scopes: []string{"read"}}
	t := Tool{Name: line.name, Method: r.method, Path: r.path, Right: r.right, Destructive: line.destructive, Acts: line.acts, Words: map[string]string{}, Places: map[string]string{}}
	t.ReadOnly = r.need == right && reader.Can(r.right) || r.need == signedIn && r.method == get
	t.Keyed = r.method == post && !r.secret && !t.ReadOnly
	reg := newRegistry()
	properties := map[string]any{}
	add := func(name, place string, schema map[string]any, must bool) {
		if slices.Contains(line.hide, name) || t.Places[name] != "" && place == "body" { // a segment's key stands in the address and in the body
			return
		}
		t.Places[name], properties[name] = place, schema
		if must || slices.Contains(line.must, name) {
			t.Required = append(t.Required, name)
		}
	}
	if in := r.run.in; in != nil {
		for i := range in.NumField() {
			f := in.Field(i)
			for _, from := range []string{"path", "query"} {
				if name, ok := f.Tag.Lookup(from); ok {
					add(name, from, inlined(reg, reg.Schema(f.Type, false, name)), from == "path")
				}
			}
			if f.Name != "Body" {
				continue
			}
			body := inlined(reg, reg.Schema(f.Type, false, line.name+"Body"))
			members, _ := body["properties"].(map[string]any)
			must, _ := body["required"].([]any)
			for _, name := range slices.Sorted(maps.Keys(members)) {
				schema, _ := members[name].(map[string]any)
				add(name, "body", schema, slices.Contains(must, any(name)))
			}
		}
	}
	for _, name := range line.must {
		if t.Places[name] == "" {
			return Tool{}, fmt.Errorf("tool %s: no argument %s", line.name, name)
		}
	}
	for name := range t.Places {
		t.Words[name] = name
		if w := line.words[name]; w != "" {
			t.Words[name] = w
		}
	}
	t.Sentence = t.Places["where"] == "body" && t.ReadOnly && !strings.HasPrefix(r.path, "/segments") && !strings.HasPrefix(r.path, "/conditions")
	slices.Sort(t.Required)
	t.Schema = map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(t.Required) > 0 {
		t.Schema["required"] = t.Required
	}
	return t, nil
}

// inlined is a schema as plain JSON with what it refers to put in place; a type that holds itself ends as any object.
func inlined(reg huma.Registry, s *huma.Schema) map[string]any {
	var v map[string]any
	raw, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		return map[string]any{}
	}
	out, _ := resolve(reg, v, nil).(map[string]any)
	return out
}

func resolve(reg huma.Registry, v any, within []string) any {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			s := reg.SchemaFromRef(ref)
			if s == nil || slices.Contains(within, ref) {
				return map[string]any{"type": "object"}
			}
			raw, err := json.Marshal(s)
			var at map[string]any
			if err != nil || json.Unmarshal(raw, &at) != nil {
				return map[string]any{"type": "object"}
			}
			return resolve(reg, at, append(slices.Clone(within), ref))
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = resolve(reg, x, within)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = resolve(reg, x, within)
		}
		return out
	}
	return v
}
