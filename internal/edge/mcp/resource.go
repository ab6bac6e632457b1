package mcp

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// guides are texts for assistants: guide/<name>.<locale>.md.
//
//go:embed guide
var guides embed.FS

// Addresses of resources.
const (
	scheme     = "guanxi://"
	ofSchema   = scheme + "schema"
	ofTraits   = scheme + "traits"
	ofObjects  = scheme + "objects/"
	ofRecords  = scheme + "records/"
	ofGuides   = scheme + "guide/"
	jsonType   = "application/json"
	markedDown = "text/markdown"
)

// resources adds what can be read without a tool. The objects are added to the list when it is asked for.
func (v *voice) resources(out *sdk.Server) error {
	for _, name := range []string{"conditions", "glossary"} {
		text, err := guides.ReadFile("guide/" + name + "." + string(v.loc) + ".md")
		if err != nil {
			return err
		}
		out.AddResource(v.resource(ofGuides+name, "guide_"+name, markedDown), func(context.Context, *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: ofGuides + name, MIMEType: markedDown, Text: string(text)}}}, nil
		})
	}
	out.AddResource(v.resource(ofSchema, "schema", jsonType), v.document("/objects", "describe_object"))
	out.AddResource(v.resource(ofTraits, "traits", jsonType), v.document("/traits", "list_traits"))
	out.AddResourceTemplate(&sdk.ResourceTemplate{URITemplate: ofObjects + "{object}", Name: "object", Title: v.text("mcp.resource_object"),
		Description: v.text("mcp.resource_object_help"), MIMEType: jsonType}, v.below(ofObjects, "/objects/", "describe_object"))
	out.AddResourceTemplate(&sdk.ResourceTemplate{URITemplate: ofRecords + "{object}/{id}", Name: "record", Title: v.text("mcp.resource_record"),
		Description: v.text("mcp.resource_record_help"), MIMEType: jsonType}, v.below(ofRecords, "/records/", "get_record"))
	return nil
}

func (v *voice) resource(uri, word, kind string) *sdk.Resource {
	return &sdk.Resource{URI: uri, Name: word, Title: v.text("mcp.resource_" + word), Description: v.text("mcp.resource_" + word + "_help"), MIMEType: kind}
}

// below reads what stands under an address of the API, by the rest of the resource's address.
func (v *voice) below(prefix, path, tool string) sdk.ResourceHandler {
	return func(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		at := path
		for i, part := range strings.Split(strings.TrimPrefix(req.Params.URI, prefix), "/") {
			text, err := url.PathUnescape(part)
			if err != nil || strings.Trim(text, ".") == "" {
				return nil, sdk.ResourceNotFoundError(req.Params.URI)
			}
			if i > 0 {
				at += "/"
			}
			at += url.PathEscape(text)
		}
		return v.document(at, tool)(ctx, req)
	}
}

// document reads an address of the API and shapes it as a tool would.
func (v *voice) document(path, tool string) sdk.ResourceHandler {
	return func(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		var raw json.RawMessage
		if err := v.read(ctx, path, &raw); err != nil {
			var no *refused
			if errors.As(err, &no) && no.status == http.StatusNotFound {
				return nil, sdk.ResourceNotFoundError(req.Params.URI)
			}
			return nil, err
		}
		tree, err := decode(raw)
		if err != nil {
			return nil, err
		}
		doc, _ := v.spoken(tree).(map[string]any)
		shape(tool, doc)
		return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, MIMEType: jsonType, Text: string(encode(doc))}}}, nil
	}
}

// objectResources adds a resource for each object that the caller sees. A caller without that right gets the guides alone.
func (v *voice) objectResources(ctx context.Context, list *sdk.ListResourcesResult) (sdk.Result, error) {
	objects, err := v.objects(ctx)
	var no *refused
	if errors.As(err, &no) && no.status == http.StatusForbidden {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	out := *list
	for _, o := range objects {
		label := o.Label.In(v.loc)
		out.Resources = append(out.Resources, &sdk.Resource{URI: ofObjects + url.PathEscape(o.Key), Name: o.Key, Title: label,
			Description: v.textWith("mcp.resource_object_of", map[string]any{"object": label}), MIMEType: jsonType})
	}
	return &out, nil
}

// prompts adds what people ask for again and again.
func (v *voice) prompts(out *sdk.Server) {
	for _, p := range []struct {
		name string
		args []string // the first of a prompt without a fallback is required
		must bool
	}{
		{"find_slipping_customers", []string{"count"}, false},
		{"prepare_visit", []string{"customer"}, true},
		{"weekly_report", []string{"days"}, false},
	} {
		described := &sdk.Prompt{Name: p.name, Title: v.text("mcp.prompt_" + p.name), Description: v.text("mcp.prompt_" + p.name + "_help")}
		for _, a := range p.args {
			described.Arguments = append(described.Arguments, &sdk.PromptArgument{Name: a, Title: v.text("mcp.prompt_arg_" + a), Description: v.text("mcp.prompt_arg_" + a + "_help"), Required: p.must})
		}
		out.AddPrompt(described, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			params := map[string]any{"count": "20", "days": "7"}
			for _, a := range p.args {
				given := strings.TrimSpace(req.Params.Arguments[a])
				if given == "" && p.must {
					return nil, errors.New(a + ": " + v.text("mcp.argument_missing"))
				}
				if given != "" {
					params[a] = given
				}
			}
			return &sdk.GetPromptResult{Description: described.Description, Messages: []*sdk.PromptMessage{
				{Role: "user", Content: &sdk.TextContent{Text: v.textWith("mcp.prompt_"+p.name+"_text", params)}}}}, nil
		})
	}
}
