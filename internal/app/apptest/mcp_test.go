package apptest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// assistant starts `guanxi mcp` as a client does and speaks with it.
func (m *machine) assistant(env []string, args ...string) *sdk.ClientSession {
	m.Helper()
	c := m.process(m.Context(), append([]string{"mcp"}, args...)...)
	c.Env = append(c.Env, env...)
	return m.speak(c)
}

func (m *machine) speak(c *exec.Cmd) *sdk.ClientSession {
	m.Helper()
	session, err := sdk.NewClient(&sdk.Implementation{Name: "trial", Version: "1"}, nil).Connect(m.Context(), &sdk.CommandTransport{Command: c}, nil)
	if err != nil {
		m.Fatal(err)
	}
	return session
}

// use calls a tool; its answer is read into v.
func (m *machine) use(s *sdk.ClientSession, tool string, args map[string]any, v any) (text string, failed bool) {
	m.Helper()
	out, err := s.CallTool(m.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		m.Fatalf("%s: %v", tool, err)
	}
	if first, ok := out.Content[0].(*sdk.TextContent); ok {
		text = first.Text
	}
	if v != nil {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			m.Fatalf("%s: %v in %s", tool, err, text)
		}
	}
	return text, out.IsError
}

func (m *machine) tools(s *sdk.ClientSession) string {
	m.Helper()
	list, err := s.ListTools(m.Context(), nil)
	if err != nil {
		m.Fatal(err)
	}
	var names []string
	for _, t := range list.Tools {
		names = append(names, t.Name)
	}
	return " " + strings.Join(names, " ") + " "
}

func (m *machine) end(s *sdk.ClientSession) {
	m.Helper()
	if err := s.Close(); err != nil {
		m.Errorf("the assistant did not end well: %v", err)
	}
}

// TestAssistantsOverStandardStreams: on the data alone, through the running server, with a key, and against a server elsewhere.
func TestAssistantsOverStandardStreams(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := make(t).setup("Asia/Shanghai", "CNY")
			create := map[string]any{"object": "customer", "fields": map[string]any{"name": "锦绣坊"}}
			var made rec

			alone := m.assistant(nil)
			if text, failed := m.use(alone, "create_record", create, &made); failed || made.Title != "锦绣坊" {
				t.Errorf("created %s", text)
			}
			m.end(alone)

			m.start()
			beside := m.assistant(nil)
			var got rec
			if m.use(beside, "get_record", map[string]any{"object": "customer", "id": made.ID}, &got); got.Title != made.Title {
				t.Errorf("read %+v", got)
			}
			m.end(beside)

			careful := m.assistant(nil, "--read-only")
			if names := m.tools(careful); strings.Contains(names, " create_record ") || !strings.Contains(names, " query_records ") {
				t.Errorf("only reading: %s", names)
			}
			if _, err := careful.CallTool(t.Context(), &sdk.CallToolParams{Name: "create_record", Arguments: create}); err == nil {
				t.Error("a tool that was left out was called")
			}
			m.end(careful)

			var reader struct{ Key string }
			m.ok(&reader, "apikey", "create", "--name", "reader", "--scope", "read")
			limited := m.assistant([]string{"GUANXI_API_KEY=" + reader.Key})
			if names := m.tools(limited); strings.Contains(names, " create_record ") || !strings.Contains(names, " query_records ") {
				t.Errorf("a key to read: %s", names)
			}
			if text, failed := m.use(limited, "create_record", create, nil); !failed || !strings.Contains(text, "access.forbidden") {
				t.Errorf("a key to read wrote: %s", text)
			}
			m.end(limited)

			file := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(file, []byte(m.key+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			far := m.assistant([]string{"GUANXI_API_KEY="}, "--url", m.url+"/", "--key-file", file)
			create["fields"] = map[string]any{"name": "远客"}
			if text, failed := m.use(far, "create_record", create, &made); failed {
				t.Error(text)
			}
			if got := read[rec](m.client(), "GET", "/records/customer/"+made.ID, ""); got.Title != "远客" {
				t.Errorf("the server has %+v", got)
			}
			m.stop() // while the assistant is connected
			if text, failed := m.use(far, "list_objects", nil, nil); !failed || !strings.Contains(text, "mcp.unreachable") {
				t.Errorf("without a server: %s", text)
			}
			m.end(far)
		})
	}
	m := newMachine(t)
	for _, args := range [][]string{{"--url", "crm.example.com"}, {"--url", "https://crm.example.com"}, {"--key-file", "/nowhere"}} {
		if code, out, errs := m.command("", append([]string{"mcp"}, args...)...); code != 2 || out != "" || errs == "" {
			t.Errorf("%v: exit %d, %q %q", args, code, out, errs)
		}
	}
}
