package sink

import (
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
)

// parquetGroup is how many rows make a row group.
const parquetGroup = 20_000

// table writes one optional column per field, named by its key: texts, doubles, days, instants in milliseconds, and truth
// values. Cell.Plain is for people: here a value has the kind of its column.
type table struct {
	w       *parquet.GenericWriter[any]
	kinds   []Kind
	columns []int // place of each cell among the sorted leaves
	buf     []parquet.Row
}

func newParquet(w io.Writer, o Options, columns []Column) *table {
	e := &table{}
	group := parquet.Group{}
	for _, c := range columns {
		var node parquet.Node
		switch c.Kind {
		case Number:
			node = parquet.Leaf(parquet.DoubleType)
		case Day:
			node = parquet.Date()
		case Instant:
			node = parquet.Timestamp(parquet.Millisecond)
		case Bool:
			node = parquet.Leaf(parquet.BooleanType)
		case Text:
			node = parquet.String()
		}
		group[c.Key] = parquet.Optional(node)
		e.kinds = append(e.kinds, c.Kind)
	}
	sch := parquet.NewSchema(o.Name, group)
	order := map[string]int{}
	for i, path := range sch.Columns() {
		order[path[0]] = i
	}
	for _, c := range columns {
		e.columns = append(e.columns, order[c.Key])
	}
	e.w = parquet.NewGenericWriter[any](w, sch, parquet.Compression(&parquet.Zstd))
	return e
}

func (e *table) value(i int, c *Cell) (parquet.Value, bool) {
	if !c.Given {
		return parquet.NullValue(), false
	}
	switch e.kinds[i] {
	case Number:
		n, err := strconv.ParseFloat(c.Number, 64)
		if err != nil {
			return parquet.NullValue(), false
		}
		return parquet.DoubleValue(n), true
	case Day:
		return parquet.Int32Value(int32(c.Time.Unix() / int64(24*time.Hour/time.Second))), true //nolint:gosec // days of the calendar fit
	case Instant:
		return parquet.Int64Value(c.Time.UnixMilli()), true
	case Bool:
		return parquet.BooleanValue(c.Yes), true
	case Text:
	}
	return parquet.ByteArrayValue([]byte(c.Text)), c.Text != ""
}

func (e *table) Row(cells []Cell) error {
	row := make(parquet.Row, len(cells))
	for i := range cells {
		v, ok := e.value(i, &cells[i])
		level := 1
		if !ok {
			v, level = parquet.NullValue(), 0
		}
		row[e.columns[i]] = v.Level(0, level, e.columns[i])
	}
	e.buf = append(e.buf, row)
	if len(e.buf) < parquetGroup {
		return nil
	}
	return e.flush()
}

func (e *table) flush() error {
	if _, err := e.w.WriteRows(e.buf); err != nil {
		return err
	}
	e.buf = e.buf[:0]
	return e.w.Flush()
}

func (e *table) Close() error {
	if len(e.buf) > 0 {
		if err := e.flush(); err != nil {
			return err
		}
	}
	return e.w.Close()
}

func (e *table) Shortened() int64 { return 0 }
