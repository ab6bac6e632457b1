package mcp

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// problemDocument is the API's error answer.
type problemDocument struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Errors []problemItem `json:"errors"`
}

type problemItem struct {
	Location string `json:"location"`
	Message  string `json:"message"`
	Code     string `json:"code"`
}

// problem makes a tool's error of an error answer.
func problem(body []byte) *sdk.CallToolResult {
	var p problemDocument
	if err := json.Unmarshal(body, &p); err != nil {
		return refusal(strings.TrimSpace(string(body[:min(len(body), 300)])), "api.internal", nil)
	}
	for i := range p.Errors {
		if p.Errors[i].Location == "If-Match" { // the version is an argument here
			p.Errors[i].Location = "version"
		}
	}
	out := refusal(p.Title, p.Type, p.Errors)
	if tree, err := decode(body); err == nil {
		if doc, ok := tree.(map[string]any); ok && doc["current"] != nil { // the record as it is, on a version conflict
			structured := map[string]any{"type": p.Type, "title": p.Title, "errors": p.Errors, "current": doc["current"]}
			out.StructuredContent = structured
			out.Content = append(out.Content, &sdk.TextContent{Text: string(encode(map[string]any{"current": doc["current"]}))})
		}
	}
	return out
}

// refusal is a tool's error: the sentence with its code, and a line for each place that is wrong.
func refusal(title, code string, items []problemItem) *sdk.CallToolResult {
	var b strings.Builder
	b.WriteString(title + " (" + code + ")")
	for _, it := range items {
		b.WriteString("\n- " + it.Location + ": " + it.Message)
		if it.Code != "" {
			b.WriteString(" (" + it.Code + ")")
		}
	}
	structured := map[string]any{"type": code, "title": title}
	if len(items) > 0 {
		structured["errors"] = items
	}
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: b.String()}}, StructuredContent: structured}
}

// answer is a success: as JSON in text, for clients that read nothing else, and as structure.
func (v *voice) answer(doc map[string]any) *sdk.CallToolResult {
	raw := encode(doc)
	if len(raw) > maxAnswer {
		return refusal(v.textWith("mcp.answer_too_large", map[string]any{"size": len(raw) >> 10, "max": maxAnswer >> 10}), "mcp.answer_too_large", nil)
	}
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: string(raw)}}, StructuredContent: json.RawMessage(raw)}
}

func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimSpace(b.Bytes())
}

// decode reads JSON without changing its numbers.
func decode(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// spoken puts the words of the voice's language in place of texts in every language.
func (v *voice) spoken(x any) any {
	switch x := x.(type) {
	case map[string]any:
		if label, ok := v.label(x); ok {
			return label
		}
		for k, y := range x {
			x[k] = v.spoken(y)
		}
	case []any:
		for i, y := range x {
			x[i] = v.spoken(y)
		}
	}
	return x
}

// label reads a text in every language.
func (v *voice) label(x map[string]any) (string, bool) {
	texts := lang.Label{}
	for k, y := range x {
		text, ok := y.(string)
		if !ok || k != string(lang.ChineseSimplified) && k != string(lang.English) {
			return "", false
		}
		texts[lang.Locale(k)] = text
	}
	return texts.In(v.loc), len(texts) > 0
}

// onlyForScreens are members of metadata that draw something.
var onlyForScreens = [...]string{"icon", "color", "width", "section", "indexed", "default_columns", "group_key", "prefix", "standard", "searchable"}

// shape leaves out of metadata what an assistant makes nothing of, and of lists of metadata the detail that another tool has.
func shape(tool string, doc map[string]any) {
	switch tool {
	case "list_objects":
		items, _ := doc["items"].([]any)
		for i, it := range items {
			o, _ := it.(map[string]any)
			items[i] = summary(o)
		}
	case "describe_object", "list_traits", "list_classifications", "business_figures":
		lean(doc)
	}
}

// summary is an object in a list: what it is called, how many fields it has, what may be done with its records.
func summary(o map[string]any) map[string]any {
	fields, _ := o["fields"].([]any)
	out := map[string]any{"key": o["key"], "label": o["label"], "plural": o["plural"], "fields": len(fields)}
	may := []string{}
	actions, _ := o["actions"].(map[string]any)
	for _, name := range []string{"create", "update", "delete", "assign"} {
		if actions[name] == true {
			may = append(may, name)
		}
	}
	out["may"] = may
	return out
}

// lean removes what is empty or false or only for screens, at every depth.
func lean(x any) {
	switch x := x.(type) {
	case map[string]any:
		for _, k := range onlyForScreens {
			delete(x, k)
		}
		maps.DeleteFunc(x, func(_ string, y any) bool {
			switch y := y.(type) {
			case nil:
				return true
			case bool:
				return !y
			case string:
				return y == ""
			case []any:
				return len(y) == 0
			case map[string]any:
				return len(y) == 0
			}
			return false
		})
		for _, y := range x {
			lean(y)
		}
	case []any:
		for _, y := range x {
			lean(y)
		}
	}
}
