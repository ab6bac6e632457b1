package source

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/money"
)

// parquetReader reads a Parquet file row group by row group. Every leaf is a column named by its path joined with
// dots; repeated leaves are joined by commas.
type parquetReader struct {
	file    *parquet.File
	groups  []parquet.RowGroup
	rows    parquet.Rows
	batch   []parquet.Row
	at, n   int
	columns []string
	prints  []func(b []byte, v parquet.Value) []byte
	done    int64
	total   int64
	limits  Limits
	drop    func() error
	scratch []byte
	spans   []span
	row     Row
}

const parquetBatch = 256

func openParquet(file File, limits Limits) (Reader, error) {
	f, drop, err := whole(file, limits)
	if err != nil {
		return nil, err
	}
	r := &parquetReader{total: file.Size(), limits: limits, drop: drop, batch: make([]parquet.Row, parquetBatch)}
	err = guard(func() error {
		var err error
		if r.file, err = parquet.OpenFile(f, f.Size(), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true)); err != nil {
			return err
		}
		r.groups = r.file.RowGroups()
		for _, p := range r.file.Schema().Columns() {
			leaf, _ := r.file.Schema().Lookup(p...)
			r.columns = append(r.columns, columnName(p))
			r.prints = append(r.prints, printer(leaf.Node.Type()))
		}
		if len(r.columns) > limits.Columns {
			return errors.New("too many columns")
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(broken("parquet", err), drop())
	}
	return r, nil
}

// guard turns a panic of the decoder on a damaged file into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parquet decoder: %v", p)
		}
	}()
	return fn()
}

// columnName leaves out the two steps that Parquet writes around a list.
func columnName(p []string) string {
	if n := len(p); n > 2 && p[n-2] == "list" {
		p = p[:n-2]
	}
	return strings.Join(p, ".")
}

func (r *parquetReader) Columns() []string { return r.columns }

func (r *parquetReader) Progress() (done, total int64) {
	if n := r.file.NumRows(); n > 0 {
		return int64(float64(r.total) * float64(r.done) / float64(n)), r.total
	}
	return r.total, r.total
}

func (r *parquetReader) Close() error {
	var err error
	if r.rows != nil {
		err = r.rows.Close()
	}
	return errors.Join(err, r.drop())
}

func (r *parquetReader) Next() (*Row, error) {
	if r.at == r.n {
		if err := guard(r.more); err != nil {
			if err == io.EOF {
				return nil, err
			}
			return nil, broken("parquet", err)
		}
	}
	row := r.batch[r.at]
	r.at++
	r.done++
	r.row = Row{Number: r.done, Offset: -1, Cells: r.row.Cells[:0]}
	r.print(row)
	vet(&r.row, len(r.columns), r.limits)
	return &r.row, nil
}

// more reads the next batch of rows, of the next row group where one is used up.
func (r *parquetReader) more() error {
	r.at, r.n = 0, 0
	for {
		if r.rows == nil {
			if len(r.groups) == 0 {
				return io.EOF
			}
			r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
		}
		n, err := r.rows.ReadRows(r.batch)
		if n > 0 {
			r.n = n
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		err = r.rows.Close()
		r.rows = nil
		if err != nil {
			return err
		}
	}
}

func (r *parquetReader) print(row parquet.Row) {
	r.spans = r.spans[:0]
	for range r.columns {
		r.spans = append(r.spans, span{})
	}
	b := r.scratch[:0]
	for _, v := range row {
		c := v.Column()
		if v.IsNull() || c < 0 || c >= len(r.columns) {
			continue
		}
		if r.spans[c].to > 0 { // a further value of a repeated leaf; its values stand together
			b = append(b, ',')
		} else {
			r.spans[c].from = len(b)
		}
		b = r.prints[c](b, v)
		r.spans[c].to = len(b)
	}
	r.scratch = b
	for _, s := range r.spans {
		r.row.Cells = append(r.row.Cells, b[s.from:s.to])
	}
	if f := textFault(b, false); f != nil {
		r.row.Fault = f
		cleanse(r.row.Cells)
	}
}

// printer chooses how the values of a leaf become text.
func printer(t parquet.Type) func([]byte, parquet.Value) []byte {
	if l := t.LogicalType(); l != nil {
		switch x := l.Value.(type) {
		case *format.DecimalType:
			return decimal(int(x.Scale))
		case *format.DateType:
			return func(b []byte, v parquet.Value) []byte { return append(b, clock.Day(v.Int32()).String()...) }
		case *format.TimestampType:
			unit := time.Millisecond
			switch x.Unit.Value.(type) {
			case *format.MicroSeconds:
				unit = time.Microsecond
			case *format.NanoSeconds:
				unit = time.Nanosecond
			}
			layout := time.DateTime
			if x.IsAdjustedToUTC {
				layout = time.RFC3339
			}
			return func(b []byte, v parquet.Value) []byte { return instant(v.Int64(), unit).AppendFormat(b, layout) }
		}
	}
	switch t.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return func(b []byte, v parquet.Value) []byte {
			if raw := v.ByteArray(); utf8.Valid(raw) {
				return append(b, raw...)
			}
			return hex.AppendEncode(b, v.ByteArray())
		}
	case parquet.Float:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendFloat(b, float64(v.Float()), 'f', -1, 32) }
	case parquet.Double:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendFloat(b, v.Double(), 'f', -1, 64) }
	case parquet.Int96:
		return func(b []byte, v parquet.Value) []byte { return int96(v).AppendFormat(b, time.DateTime) }
	case parquet.Int64:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, v.Int64(), 10) }
	case parquet.Int32:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, int64(v.Int32()), 10) }
	}
	return func(b []byte, v parquet.Value) []byte { return append(b, v.String()...) }
}

func instant(n int64, unit time.Duration) time.Time {
	per := int64(time.Second / unit)
	return time.Unix(n/per, n%per*int64(unit)).UTC()
}

// int96 is the old timestamp: nanoseconds of the day, then the Julian day.
func int96(v parquet.Value) time.Time {
	x := v.Int96()
	return time.Unix((int64(x[2])-2440588)*86400, int64(x[1])<<32|int64(x[0])).UTC()
}

func decimal(scale int) func([]byte, parquet.Value) []byte {
	return func(b []byte, v parquet.Value) []byte {
		switch v.Kind() {
		case parquet.Int32:
			return append(b, money.FormatScaled(int64(v.Int32()), scale)...)
		case parquet.Int64:
			return append(b, money.FormatScaled(v.Int64(), scale)...)
		}
		raw := v.ByteArray()
		n := new(big.Int).SetBytes(raw)
		if len(raw) > 0 && raw[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
		}
		text := n.Text(10)
		neg := strings.HasPrefix(text, "-")
		text = strings.TrimPrefix(text, "-")
		if len(text) <= scale {
			text = strings.Repeat("0", scale-len(text)+1) + text
		}
		if neg {
			b = append(b, '-')
		}
		b = append(b, text[:len(text)-scale]...)
		if scale > 0 {
			b = append(append(b, '.'), text[len(text)-scale:]...)
		}
		return b
	}
}
