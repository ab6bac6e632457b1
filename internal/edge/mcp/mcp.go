// Package mcp is the door for AI assistants: the Model Context Protocol over HTTP and over standard input and output.
//
// It holds no operation of its own. Every tool is a line of the API's table (api.Tools): its right, address and arguments are
// the route's, and a call is a request to the API with the caller's own credentials. So an assistant with a key can do what
// the key can do through the API, and nothing else: the same rights, rates, masks, checks, idempotency and trail. A list of
// tools shows those that the caller's rights allow; the API decides again at every call.
//
// Over HTTP the server keeps nothing between requests: it may be restarted, and stand beside others, without a client
// noticing. Objects are arguments, not tools, so that an object made a moment ago can be used at once; the lists of tools and
// resources name the objects as they are when they are asked for.
//
// Words are those of the reader's language. A fault of the product is a tool's error with its translated sentence, the places
// of the arguments that are wrong, and its code. Pages and answers have a largest size.
package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Door sends a request to the API as one caller; the address begins with api.Prefix.
type Door interface {
	Do(*http.Request) (*http.Response, error)
}

// Config is what the server is made of.
type Config struct {
	Words   api.Words
	Version string
	// ReadOnly leaves out every tool that changes something, whatever the caller's rights.
	ReadOnly bool
}

// Server speaks the protocol in every language of the product.
type Server struct {
	Config
	tools     map[string]api.Tool
	languages map[lang.Locale]*sdk.Server
	fixed     Door // of every request, nil when each brings its own
}

// New makes a server whose requests bring their caller along (api.CallerFrom).
func New(c Config) (*Server, error) { return build(c, nil) }

func build(c Config, door Door) (*Server, error) {
	tools, err := api.Tools()
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, tools: map[string]api.Tool{}, languages: map[lang.Locale]*sdk.Server{}, fixed: door}
	for _, t := range tools {
		if t.ReadOnly || !c.ReadOnly {
			s.tools[t.Name] = t
		}
	}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		if s.languages[loc], err = s.language(loc); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// language is the server with the words of one language.
func (s *Server) language(loc lang.Locale) (*sdk.Server, error) {
	private := func(_ context.Context, _ sdk.Request, c *sdk.Cacheable) { c.TTLMs, c.CacheScope = 0, "private" }
	v := s.voice(loc)
	out := sdk.NewServer(&sdk.Implementation{Name: "guanxi", Title: "Guanxi 关系", Version: s.Version}, &sdk.ServerOptions{
		Instructions: v.text("mcp.instructions"), SetCacheable: private,
		Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}, Resources: &sdk.ResourceCapabilities{}, Prompts: &sdk.PromptCapabilities{}},
	})
	for _, name := range slices.Sorted(maps.Keys(s.tools)) {
		t := s.tools[name]
		out.AddTool(v.describe(t), func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return v.call(ctx, t, req.Params.Arguments)
		})
	}
	if err := v.resources(out); err != nil {
		return nil, err
	}
	v.prompts(out)
	out.AddReceivingMiddleware(v.asAllowed)
	return out, nil
}

// Handler serves the protocol over HTTP, to requests that bring their caller.
func (s *Server) Handler() http.Handler {
	pick := func(r *http.Request) *sdk.Server {
		k := api.CallerFrom(r.Context())
		if k == nil {
			return nil
		}
		return s.in(lang.Locale(k.Locale()))
	}
	// Nothing is done for a browser's cookie, so a page that pretends to be this machine gains nothing: the key decides. The
	// name in Host is that of a proxy on this machine as often as not.
	return sdk.NewStreamableHTTPHandler(pick, &sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true, MaxRequestBodyBytes: maxRequest,
		DisableLocalhostProtection: true, PropagateRequestCancellation: true})
}

func (s *Server) in(loc lang.Locale) *sdk.Server {
	if out := s.languages[loc]; out != nil {
		return out
	}
	return s.languages[lang.ChineseSimplified]
}

// Stdio serves one caller over a pair of streams until the input or the context ends.
func Stdio(ctx context.Context, c Config, door Door, loc lang.Locale, in io.Reader, out io.Writer) error {
	s, err := build(c, door)
	if err != nil {
		return err
	}
	err = s.in(loc).Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(in), Writer: keepOpen{out}, MaxLineLength: maxRequest})
	if errors.Is(err, io.EOF) || ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("assistant: %w", err)
	}
	return nil
}

// keepOpen leaves closing to the owner of the stream.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// Limits, in bytes and records.
const (
	maxRequest  = 1 << 20
	maxAnswer   = 256 << 10 // what an assistant can make use of at once, and more
	maxPage     = 100
	defaultPage = 20
)

// voice is the server in one language.
type voice struct {
	*Server
	loc lang.Locale
}

func (s *Server) voice(loc lang.Locale) *voice { return &voice{s, loc} }

func (v *voice) text(key string) string { return v.Words.Text(v.loc, key, nil) }

func (v *voice) textWith(key string, params map[string]any) string {
	return v.Words.Text(v.loc, key, params)
}

// door is the way to the API for a request.
func (v *voice) door(ctx context.Context) (Door, error) {
	if v.fixed != nil {
		return v.fixed, nil
	}
	if k := api.CallerFrom(ctx); k != nil {
		return k, nil
	}
	return nil, errors.New("a request without a caller")
}
