package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/jsontext"
)

// encode is the JSON of an answer, with a newline behind it. Records, which most answers consist of, are written by hand: the bytes
// are those of encoding/json, at a fraction of its work.
func encode(v any) ([]byte, error) {
	if w, ok := v.(interface {
		AppendJSON(b []byte) ([]byte, error)
	}); ok {
		b, err := w.AppendJSON(nil)
		return append(b, '\n'), err
	}
	return encodeAny(v)
}

func encodeAny(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// recordBytes is about what a record takes.
const recordBytes = 1400

// AppendJSON writes the page as encoding/json would.
func (p RecordPage) AppendJSON(b []byte) (_ []byte, err error) {
	b = slices.Grow(b, 512+recordBytes*len(p.Items))
	b = append(b, `{"items":`...)
	if p.Items == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '[')
		for i, r := range p.Items {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = r.AppendJSON(b); err != nil {
				return nil, err
			}
		}
		b = append(b, ']')
	}
	b = append(b, `,"next_cursor":`...)
	if p.NextCursor == nil {
		b = append(b, "null"...)
	} else {
		b = jsontext.Append(b, *p.NextCursor)
	}
	b = append(b, `,"total":`...)
	if p.Total == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(*p.Total), 10)
	}
	b = strconv.AppendBool(append(b, `,"total_is_estimate":`...), p.TotalIsEstimate)
	b = jsontext.Append(append(b, `,"plane":`...), p.Plane)
	b = append(b, `,"as_of":`...)
	if b, err = appendTime(b, p.AsOf); err != nil {
		return nil, err
	}
	b = append(b, `,"lag_seconds":`...)
	if b, err = appendOther(b, p.LagSeconds); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// AppendJSON writes the record as encoding/json would.
func (r *Record) AppendJSON(b []byte) (_ []byte, err error) {
	if r == nil {
		return append(b, "null"...), nil
	}
	b = slices.Grow(b, recordBytes)
	b = jsontext.Append(append(b, `{"id":`...), r.ID)
	b = jsontext.Append(append(b, `,"object":`...), r.Object)
	b = jsontext.Append(append(b, `,"title":`...), r.Title)
	b = strconv.AppendInt(append(b, `,"version":`...), r.Version, 10)
	if b, err = appendTime(append(b, `,"created_at":`...), r.CreatedAt); err != nil {
		return nil, err
	}
	if b, err = appendTime(append(b, `,"updated_at":`...), r.UpdatedAt); err != nil {
		return nil, err
	}
	b = append(b, `,"created_by":`...)
	if r.CreatedBy == nil {
		b = append(b, "null"...)
	} else {
		b = appendRef(b, r.CreatedBy)
	}
	b = append(b, `,"deleted_at":`...)
	if r.DeletedAt == nil {
		b = append(b, "null"...)
	} else if b, err = appendTime(b, *r.DeletedAt); err != nil {
		return nil, err
	}
	if b, err = appendMap(append(b, `,"fields":`...), r.Fields); err != nil {
		return nil, err
	}
	if len(r.Traits) > 0 {
		if b, err = appendMap(append(b, `,"traits":`...), r.Traits); err != nil {
			return nil, err
		}
	}
	b = appendTexts(append(b, `,"masked":`...), r.Masked)
	if len(r.May) > 0 {
		if b, err = appendOther(append(b, `,"may":`...), r.May); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendMap writes a map in the order of its keys.
func appendMap(b []byte, m map[string]any) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	var few [64]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.Append(b, k), ':')
		var err error
		if b, err = appendValue(b, m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return jsontext.Append(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case []string:
		return appendTexts(b, v), nil
	case Ref:
		return appendRef(b, &v), nil
	case Money:
		b = jsontext.Append(append(b, `{"amount":`...), v.Amount)
		b = jsontext.Append(append(b, `,"currency":`...), v.Currency)
		return append(b, '}'), nil
	case map[string]any:
		return appendMap(b, v)
	case time.Time:
		return appendTime(b, v)
	case json.Number:
		if n := string(v); plainNumber(n) {
			return append(b, n...), nil
		}
	case interface{ AppendJSON(b []byte) []byte }:
		return v.AppendJSON(b), nil
	}
	return appendOther(b, v)
}

// plainNumber reports digits with a sign and a fraction at most; what else a number may look like is judged by encoding/json.
func plainNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	return allDigits(whole) && (len(whole) == 1 || whole[0] != '0') && (!dotted || allDigits(fraction))
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// appendOther writes what is rare as encoding/json does.
func appendOther(b []byte, v any) ([]byte, error) {
	raw, err := encodeAny(v)
	if err != nil {
		return nil, err
	}
	return append(b, raw[:len(raw)-1]...), nil
}

func appendRef(b []byte, r *Ref) []byte {
	b = jsontext.Append(append(b, `{"id":`...), r.ID)
	b = jsontext.Append(append(b, `,"title":`...), r.Title)
	return append(jsontext.Append(append(b, `,"object":`...), r.Object), '}')
}

func appendTexts(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.Append(b, s)
	}
	return append(b, ']')
}

// appendTime writes an instant; a year that JSON has no form for is an error.
func appendTime(b []byte, t time.Time) ([]byte, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return appendOther(b, t)
	}
	if _, offset := t.Zone(); offset != 0 {
		return appendOther(b, t)
	}
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"'), nil
}
