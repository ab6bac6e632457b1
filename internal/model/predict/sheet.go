package predict

import "math"

// Rows are customers with their values: int64, string or nil, one for each column. The slice is used again.
type Rows = func(yield func(customer int64, values []any) bool) error

// Sheet holds the scores of everybody in little room, to be written when all are there: a text is kept once.
type Sheet struct {
	columns int
	who     []int64
	cells   []int64
	text    []uint64 // which columns of a row are texts, by bit
	words   []string
	at      map[string]int64
}

// absent stands for no value.
const absent = math.MinInt64

// NewSheet makes one for rows of at most 64 columns.
func NewSheet(columns int) *Sheet { return &Sheet{columns: columns, at: map[string]int64{}} }

// Add takes a row.
func (s *Sheet) Add(customer int64, values []any) {
	s.who = append(s.who, customer)
	var texts uint64
	for i, v := range values {
		cell := int64(absent)
		switch v := v.(type) {
		case int64:
			cell = v
		case string:
			n, ok := s.at[v]
			if !ok {
				n = int64(len(s.words))
				s.at[v] = n
				s.words = append(s.words, v)
			}
			cell = n
			texts |= 1 << i
		}
		s.cells = append(s.cells, cell)
	}
	s.text = append(s.text, texts)
}

// Rows gives what was added, in the same order.
func (s *Sheet) Rows(yield func(customer int64, values []any) bool) error {
	row := make([]any, s.columns)
	for n, customer := range s.who {
		for i := range row {
			switch v := s.cells[n*s.columns+i]; {
			case v == absent:
				row[i] = nil
			case s.text[n]&(1<<i) != 0:
				row[i] = s.words[v]
			default:
				row[i] = v
			}
		}
		if !yield(customer, row) {
			return nil
		}
	}
	return nil
}
