package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// keyArgument makes a repeated call of a writing tool do its work once.
const keyArgument = "idempotency_key"

// describe is a tool as clients see it, its words in the voice's language.
func (v *voice) describe(t api.Tool) *sdk.Tool {
	no := false
	schema := maps.Clone(t.Schema)
	given, _ := t.Schema["properties"].(map[string]any)
	properties := map[string]any{}
	for name, s := range given {
		was, _ := s.(map[string]any)
		p := maps.Clone(was)
		p["description"] = v.text("mcp.param_" + t.Words[name])
		if name == "limit" {
			p["minimum"], p["maximum"], p["default"] = 1, maxPage, defaultPage
		}
		properties[name] = p
	}
	if t.Keyed {
		properties[keyArgument] = map[string]any{"type": "string", "maxLength": 200, "description": v.text("mcp.param_" + keyArgument)}
	}
	schema["properties"] = properties
	title := v.text("mcp.title_" + t.Name)
	return &sdk.Tool{Name: t.Name, Title: title, Description: v.text("mcp.tool_" + t.Name), InputSchema: schema,
		Annotations: &sdk.ToolAnnotations{Title: title, ReadOnlyHint: t.ReadOnly, DestructiveHint: &t.Destructive, IdempotentHint: t.ReadOnly || t.Method == http.MethodDelete, OpenWorldHint: &no}}
}

// asAllowed makes the lists fit the caller: tools that the rights allow, objects that there are.
func (v *voice) asAllowed(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		out, err := next(ctx, method, req)
		if err != nil {
			return out, err
		}
		switch list := out.(type) {
		case *sdk.ListToolsResult:
			return v.allowedTools(ctx, list)
		case *sdk.ListResourcesResult:
			return v.objectResources(ctx, list)
		}
		return out, nil
	}
}

func (v *voice) allowedTools(ctx context.Context, list *sdk.ListToolsResult) (sdk.Result, error) {
	var me struct {
		Can map[string]bool `json:"can"`
	}
	if err := v.read(ctx, "/me", &me); err != nil {
		return nil, err
	}
	var keys []any
	if me.Can["record.read"] {
		objects, err := v.objects(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			keys = append(keys, o.Key)
		}
	}
	out := *list
	out.Tools = []*sdk.Tool{}
	for _, shown := range list.Tools {
		t := v.tools[shown.Name]
		if t.Right != "" && !me.Can[string(t.Right)] || t.Acts && !me.Can["key.act"] {
			continue
		}
		if t.Places["object"] != "" && len(keys) > 0 {
			shown = naming(shown, keys)
		}
		out.Tools = append(out.Tools, shown)
	}
	return &out, nil
}

// naming is a tool whose argument "object" lists the objects.
func naming(t *sdk.Tool, keys []any) *sdk.Tool {
	schema, _ := t.InputSchema.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	object, _ := properties["object"].(map[string]any)
	if object == nil {
		return t
	}
	object, properties, schema = maps.Clone(object), maps.Clone(properties), maps.Clone(schema)
	object["enum"], properties["object"], schema["properties"] = keys, object, properties
	named := *t
	named.InputSchema = schema
	return &named
}

// object is what the lists need of one.
type object struct {
	Key    string     `json:"key"`
	Label  lang.Label `json:"label"`
	Hidden bool       `json:"hidden"`
}

func (v *voice) objects(ctx context.Context) ([]object, error) {
	var out struct {
		Items []object `json:"items"`
	}
	err := v.read(ctx, "/objects", &out)
	return out.Items, err
}

// arguments reads the arguments of a call; each wrong one is told by name.
func (v *voice) arguments(t api.Tool, raw json.RawMessage) (map[string]json.RawMessage, *sdk.CallToolResult) {
	args := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, refusal(v.text("mcp.arguments_invalid"), "mcp.arguments_invalid", nil)
		}
	}
	var bad []problemItem
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if string(bytes.TrimSpace(args[name])) == "null" && !slices.Contains(t.Required, name) {
			delete(args, name) // some clients send every argument there is
			continue
		}
		if t.Places[name] == "" && (!t.Keyed || name != keyArgument) {
			known := slices.Sorted(maps.Keys(t.Places))
			bad = append(bad, problemItem{name, v.textWith("mcp.argument_unknown", map[string]any{"known": strings.Join(known, ", ")}), "mcp.argument_unknown"})
		}
	}
	for _, name := range t.Required {
		if args[name] == nil {
			bad = append(bad, problemItem{name, v.text("mcp.argument_missing"), "mcp.argument_missing"})
		}
	}
	if t.Places["limit"] != "" {
		var n int
		switch err := json.Unmarshal(args["limit"], &n); {
		case args["limit"] == nil:
			args["limit"] = json.RawMessage(fmt.Sprint(defaultPage))
		case err != nil || n < 1 || n > maxPage:
			bad = append(bad, problemItem{"limit", v.textWith("mcp.limit_range", map[string]any{"max": maxPage}), "mcp.limit_range"})
		}
	}
	if bad != nil {
		return nil, refusal(v.text("mcp.arguments_invalid"), "mcp.arguments_invalid", bad)
	}
	return args, nil
}

// request puts the arguments where the route wants them.
func request(ctx context.Context, t api.Tool, args map[string]json.RawMessage) (*http.Request, error) {
	path, q, body := t.Path, url.Values{}, map[string]json.RawMessage{}
	key := ""
	for name, raw := range args {
		switch t.Places[name] {
		case "path":
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(plain(raw)))
		case "query":
			q.Set(name, plain(raw))
		case "body":
			body[name] = raw
		default:
			key = plain(raw)
		}
	}
	address := "http://guanxi" + api.Prefix + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	var content io.Reader
	if t.Method != http.MethodGet && t.Method != http.MethodDelete {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, t.Method, address, content)
	if err != nil {
		return nil, err
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return req, nil
}

// plain is a text without its quotes; any other value as it is written.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// call runs a tool. What the product refuses is an answer, so that the assistant can read why; an error is a broken door.
func (v *voice) call(ctx context.Context, t api.Tool, raw json.RawMessage) (*sdk.CallToolResult, error) {
	args, refused := v.arguments(t, raw)
	if refused != nil {
		return refused, nil
	}
	for name, place := range t.Places {
		if place == "path" && plain(args[name]) == "" || place == "path" && strings.Trim(plain(args[name]), ".") == "" {
			return refusal(v.text("mcp.arguments_invalid"), "mcp.arguments_invalid", []problemItem{{name, v.text("mcp.argument_missing"), "mcp.argument_missing"}}), nil
		}
	}
	req, err := request(ctx, t, args)
	if err != nil {
		return nil, err
	}
	status, body, err := v.send(ctx, req)
	switch {
	case err != nil:
		return refusal(v.text("mcp.unreachable"), "mcp.unreachable", nil), nil
	case status >= http.StatusBadRequest:
		return problem(body), nil
	case len(body) == 0:
		return v.answer(map[string]any{"done": true}), nil
	}
	tree, err := decode(body)
	if err != nil {
		return nil, err
	}
	answer, _ := v.spoken(tree).(map[string]any)
	if answer == nil {
		return nil, fmt.Errorf("tool %s: the answer is no object", t.Name)
	}
	shape(t.Name, answer)
	if where := args["where"]; t.Sentence && where != nil {
		if said := v.sentence(ctx, plain(args["object"]), where); said != "" {
			answer["sentence"] = said
		}
	}
	return v.answer(answer), nil
}

// sentence is a condition in words; "" when it cannot be said.
func (v *voice) sentence(ctx context.Context, object string, where json.RawMessage) string {
	raw, err := json.Marshal(map[string]any{"object": object, "where": where})
	if err != nil {
		return ""
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://guanxi"+api.Prefix+"/conditions/check", bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/json")
	status, body, err := v.send(ctx, req)
	var out struct {
		Sentence lang.Label `json:"sentence"`
	}
	if err != nil || status != http.StatusOK || json.Unmarshal(body, &out) != nil {
		return ""
	}
	return out.Sentence.In(v.loc)
}

// send asks the API in the voice's language.
func (v *voice) send(ctx context.Context, req *http.Request) (status int, body []byte, err error) {
	door, err := v.door(ctx)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept-Language", string(v.loc))
	res, err := door.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, 64<<20))
	return res.StatusCode, body, err
}

// refused is an answer of the API that is no success, where the protocol has no place for a tool's error.
type refused struct {
	status int
	title  string
}

func (e *refused) Error() string { return e.title }

// read asks for a document.
func (v *voice) read(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://guanxi"+api.Prefix+path, http.NoBody)
	if err != nil {
		return err
	}
	status, body, err := v.send(ctx, req)
	if err != nil {
		return err
	}
	if status >= http.StatusBadRequest {
		var p problemDocument
		if err := json.Unmarshal(body, &p); err != nil {
			return fmt.Errorf("unexpected answer %d", status)
		}
		return &refused{status, p.Title}
	}
	return json.Unmarshal(body, out)
}
