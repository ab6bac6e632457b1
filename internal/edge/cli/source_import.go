package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// eventsAtOnce is how many events go in one request; maxEventLine bounds a line, in bytes.
const (
	eventsAtOnce = 1000
	maxEventLine = 1 << 20
)

// eventsFile reads events of before: a message of the Segment API a line, or CSV whose head names its members; what is no member of a
// message becomes a property. Either may be packed with gzip.
func eventsFile(r io.Reader, take func(line int, message json.RawMessage) error) error {
	b := bufio.NewReaderSize(r, 1<<16)
	if head, err := b.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return err
		}
		b = bufio.NewReaderSize(z, 1<<16)
	}
	if mark, err := b.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := b.Discard(3); err != nil {
			return err
		}
	}
	if first, err := b.Peek(1); err != nil || first[0] != '{' {
		return eventsCSV(b, take)
	}
	lines := bufio.NewScanner(b)
	lines.Buffer(nil, maxEventLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if !json.Valid(line) {
			return fmt.Errorf("line %d is no JSON", n)
		}
		if err := take(n, json.RawMessage(bytes.Clone(line))); err != nil {
			return err
		}
	}
	return lines.Err()
}

// eventMembers are the columns that are members of a message.
var eventMembers = map[string]bool{"type": true, "event": true, "name": true, "userId": true, "anonymousId": true, "groupId": true, "previousId": true, "timestamp": true, "messageId": true}

func eventsCSV(r io.Reader, take func(line int, message json.RawMessage) error) error {
	rows := csv.NewReader(r)
	head, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := rows.FieldPos(0)
		raw, err := rowMessage(head, func(i int) string { return row[i] })
		if err != nil {
			return err
		}
		if err := take(line, raw); err != nil {
			return err
		}
	}
}

// rowMessage is a row of a table as a message of the Segment API.
func rowMessage(head []string, cell func(i int) string) (json.RawMessage, error) {
	message, more := map[string]any{"type": "track"}, map[string]any{}
	for i, column := range head {
		switch value := cell(i); {
		case value == "":
		case eventMembers[column]:
			message[column] = value
		default:
			more[column] = value
		}
	}
	place := "properties"
	if message["type"] == "identify" || message["type"] == "group" {
		place = "traits"
	}
	message[place] = more
	return json.Marshal(message)
}

// sheetBegins are the first bytes of workbooks and of Parquet files.
var sheetBegins = [][]byte{[]byte("PK\x03\x04"), []byte("PAR1")}

// eventsSheet reads events out of a workbook or a Parquet file, as eventsFile reads CSV; known is false for another file, of which nothing is read.
func eventsSheet(f *os.File, take func(line int, message json.RawMessage) error) (known bool, err error) {
	begin := make([]byte, 4)
	if _, err := f.ReadAt(begin, 0); err != nil || !slices.ContainsFunc(sheetBegins, func(b []byte) bool { return bytes.Equal(b, begin) }) {
		return false, nil //nolint:nilerr // a shorter file is another one
	}
	info, err := f.Stat()
	if err != nil {
		return true, err
	}
	rows, err := source.Open(io.NewSectionReader(f, 0, info.Size()), source.Format{}, source.Limits{})
	if err != nil {
		return true, err
	}
	defer rows.Close()
	head := rows.Columns()
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err == nil && row.Fault != nil {
			err = fmt.Errorf("line %d: %w", row.Number, row.Fault)
		}
		if err != nil {
			return true, err
		}
		raw, err := rowMessage(head, func(i int) string { return string(row.Cells[i]) })
		if err != nil {
			return true, err
		}
		if err := take(int(row.Number), raw); err != nil {
			return true, err
		}
	}
}

// eventImport is an import on its way.
type eventImport struct {
	d      *session
	source string
	part   string // the import that they are part of
	lines  []int
	events []json.RawMessage

	Accepted  int            `json:"accepted"`
	Duplicate int            `json:"duplicate"`
	Rejected  int            `json:"rejected"`
	Reasons   map[string]int `json:"reasons"`
}

func (e *eventImport) add(line int, message json.RawMessage) error {
	e.lines, e.events = append(e.lines, line), append(e.events, message)
	if len(e.events) < eventsAtOnce {
		return nil
	}
	return e.send()
}

func (e *eventImport) send() error {
	if len(e.events) == 0 {
		return nil
	}
	var out struct {
		Accepted, Duplicate int
		Rejected            []struct {
			Index         int
			Code, Message string
		}
	}
	if err := e.d.call(http.MethodPost, "/event-sources/"+e.source+"/import", map[string]any{"events": e.events, "import": e.part}, &out); err != nil {
		return err
	}
	e.Accepted, e.Duplicate, e.Rejected = e.Accepted+out.Accepted, e.Duplicate+out.Duplicate, e.Rejected+len(out.Rejected)
	for _, r := range out.Rejected {
		e.d.say(fmt.Sprintf("line %d: %s (%s)", e.lines[r.Index], r.Message, r.Code))
		e.Reasons[r.Code]++
	}
	e.lines, e.events = e.lines[:0], e.events[:0]
	return nil
}

// importEvents brings a file of events into a source.
func (s *session) importEvents(source, file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return usage("%v", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	e := &eventImport{d: s, source: strings.TrimSpace(source), Reasons: map[string]int{}}
	var part struct{ ID string }
	if err := s.call(http.MethodPost, "/event-imports", map[string]any{"source": e.source, "file_name": filepath.Base(file)}, &part); err != nil {
		return err
	}
	e.part = part.ID
	if known, err := eventsSheet(f, e.add); err != nil {
		return err
	} else if !known {
		if err := eventsFile(f, e.add); err != nil {
			return err
		}
	}
	if err := e.send(); err != nil {
		return err
	}
	if err := s.call(http.MethodPost, "/event-imports/"+e.part+"/finish", map[string]any{}, nil); err != nil {
		return err
	}
	return s.print(map[string]any{"import": e.part, "accepted": e.Accepted, "duplicate": e.Duplicate, "rejected": e.Rejected, "reasons": e.Reasons})
}
