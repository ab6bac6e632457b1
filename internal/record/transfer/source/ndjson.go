package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// ndjsonReader reads one JSON object per line. Nested objects are flattened ("customer.name"), lists of plain values
// are joined by commas, lists of objects stay JSON text. The columns are the keys of the first rows, in the order in which
// they come, and those asked for by name.
type ndjsonReader struct {
	*stream
	lines   lines
	limits  Limits
	columns []string
	index   map[string]int
	ahead   []parsed // rows read to find the columns
	row     Row
}

// parsed is one flattened line.
type parsed struct {
	number, offset int64
	keys           []string
	values         []string
	fault          *fault.Fault
}

const jsonLookahead = 1000

func openNDJSON(s *stream, limits Limits, extra []string) (Reader, error) {
	r := &ndjsonReader{stream: s, limits: limits, index: map[string]int{},
		lines: lines{b: bufio.NewReaderSize(s.Reader, 64<<10), limit: limits.Row}}
	bytesAhead := 0
	for len(r.ahead) < jsonLookahead && bytesAhead < 4<<20 {
		p, err := r.parse()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		r.ahead = append(r.ahead, p)
		for i, k := range p.keys {
			r.column(k)
			bytesAhead += len(p.values[i])
		}
	}
	for _, k := range extra {
		r.column(k)
	}
	if len(r.columns) > limits.Columns {
		return nil, fault.New(fault.TooLarge, "import.too_many_columns", fault.Params{"limit": limits.Columns})
	}
	return r, nil
}

func (r *ndjsonReader) column(key string) {
	if _, ok := r.index[key]; !ok {
		r.index[key] = len(r.columns)
		r.columns = append(r.columns, key)
	}
}

func (r *ndjsonReader) Columns() []string { return r.columns }

func (r *ndjsonReader) Close() error { return nil }

func (r *ndjsonReader) Next() (*Row, error) {
	var p parsed
	if len(r.ahead) > 0 {
		p, r.ahead = r.ahead[0], r.ahead[1:]
	} else {
		var err error
		if p, err = r.parse(); err != nil {
			return nil, err
		}
	}
	r.row = Row{Number: p.number, Offset: p.offset, Cells: r.row.Cells[:0], Fault: p.fault}
	for range r.columns {
		r.row.Cells = append(r.row.Cells, nil)
	}
	for i, k := range p.keys {
		if c, ok := r.index[k]; ok {
			r.row.Cells[c] = []byte(p.values[i])
		}
	}
	vet(&r.row, len(r.columns), r.limits)
	return &r.row, nil
}

func (r *ndjsonReader) parse() (parsed, error) {
	for {
		line, offset, long, err := r.lines.next()
		if err != nil {
			return parsed{}, err
		}
		p := parsed{number: r.lines.number, offset: offset}
		if long {
			p.fault = tooLarge(r.limits)
			return p, nil
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if p.fault = textFault(line, r.decoded); p.fault != nil {
			return p, nil
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := p.object(d, "", 0); err != nil {
			p.keys, p.values = nil, nil
			p.fault = fault.New(fault.Invalid, "import.bad_json", nil)
		}
		for i, v := range p.values {
			if strings.IndexByte(v, 0) >= 0 {
				p.fault, p.values[i] = fault.New(fault.Invalid, "import.nul_byte", nil), ""
			}
		}
		return p, nil
	}
}

var errJSON = errors.New("not a flat enough JSON object")

const jsonDepth = 16

// object reads one object, keeping the order of its keys.
func (p *parsed) object(d *json.Decoder, prefix string, depth int) error {
	t, err := d.Token()
	if err != nil || t != json.Delim('{') {
		return errJSON
	}
	return p.members(d, prefix, depth)
}

func (p *parsed) members(d *json.Decoder, prefix string, depth int) error {
	if depth > jsonDepth {
		return errJSON
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if err := p.value(prefix+k.(string), raw, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func (p *parsed) value(key string, raw json.RawMessage, depth int) error {
	var text string
	switch raw[0] {
	case '{':
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		return p.object(d, key+".", depth+1)
	case '[':
		text = joined(raw)
	case '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
	case 'n':
	default:
		text = string(raw)
	}
	p.keys, p.values = append(p.keys, key), append(p.values, text)
	return nil
}

// joined prints a list of plain values with commas between, any other list as it is.
func joined(raw json.RawMessage) string {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return string(raw)
	}
	out := make([]string, 0, len(items))
	for _, it := range items {
		var s string
		switch it[0] {
		case '{', '[':
			return string(raw)
		case '"':
			if json.Unmarshal(it, &s) != nil {
				return string(raw)
			}
		case 'n':
			continue
		default:
			s = string(it)
		}
		out = append(out, s)
	}
	return strings.Join(out, ",")
}
