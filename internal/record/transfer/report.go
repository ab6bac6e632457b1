package transfer

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// Lines says which of the rows that an import did not take.
type Lines string

// Rows that are faulty need somebody; rows left out by a rule of the mapping went as that rule said.
const (
	EveryLine   Lines = ""
	FaultyLines Lines = "errors"
	LeftOut     Lines = "skipped"
	NoRateLines Lines = "no_rate" // imported, but their amount counts in no total
	MarkedLines Lines = "marked"  // imported, but they may be duplicates
)

// linesOf is the kind of report that a code belongs to.
func linesOf(code string) Lines {
	switch {
	case byRule(code):
		return LeftOut
	case code == codeNoRate:
		return NoRateLines
	case strings.HasPrefix(code, codeMarked):
		return MarkedLines
	}
	return FaultyLines
}

// KindOf is the kind of report that rows with a code stand in.
func KindOf(code string) Lines { return linesOf(code) }

// of tells whether a row with this code is among them.
func (l Lines) of(code string) bool { return l == EveryLine || linesOf(code) == l }

// Endings of codes of rows that may be another record: one of the file itself, or one that the actor does not see.
const (
	earlierRow   = "_row"
	unseenRecord = "_unseen"
)

// Codes of rows of records.
const (
	codeDuplicate = "import.duplicate" // left out: it may be another record
	codeMarked    = "import.marked"    // imported: it may be another record
	codeExists    = "import.exists"    // left out: only new records are made
	codeNotThere  = "import.not_there" // left out: only existing records are updated
	codeNoRate    = "import.no_rate"
)

// byRule knows the codes of rows that were left out by a rule of the mapping.
func byRule(code string) bool {
	switch code {
	case codeAnonymous, codeNoQuantity, codeAdjustment, codeNegativeQuantity, codeNegativeAmount, codeFree, codeDuplicate, codeDuplicate + earlierRow, codeDuplicate + unseenRecord, codeExists, codeNotThere:
		return true
	}
	return false
}

// sampleSize is how many rows of a kind are shown, and sampleDepth after how many the search for them ends.
const (
	sampleSize  = 20
	sampleDepth = 10 * errorPage
)

// sample is the first rows of a job that are faulty, the first that were left out, and the first that may be duplicates.
func (s *Service) sample(ctx context.Context, job id.ID) (faulty, leftOut, marked []RowError, err error) {
	row, number := int64(0), -1
	for read := 0; read < sampleDepth; {
		page, err := s.cfg.Store.Errors(ctx, job, row, number, errorPage)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, x := range page {
			row, number = x.Row, x.Number
			switch linesOf(x.Code) {
			case LeftOut:
				leftOut = append(leftOut, x)
			case FaultyLines:
				faulty = append(faulty, x)
			case MarkedLines:
				marked = append(marked, x)
			}
		}
		read += len(page)
		if len(page) < errorPage || len(faulty) >= sampleSize && len(leftOut) >= sampleSize {
			break
		}
	}
	return faulty[:min(len(faulty), sampleSize)], leftOut[:min(len(leftOut), sampleSize)], marked[:min(len(marked), sampleSize)], nil
}

// Errors writes all rows that an import did not take, as Report does.
func (s *Service) Errors(ctx context.Context, v id.ID, w io.Writer) error {
	return s.Report(ctx, v, EveryLine, w)
}

// Report writes rows that an import left out as CSV: row number, columns and reasons in the actor's language, then the
// row as it stands in the file. Cells that a spreadsheet would take for a formula are disarmed. When the file is gone, the
// rows are named by number alone.
func (s *Service) Report(ctx context.Context, v id.ID, which Lines, w io.Writer) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return err
	}
	locale := access.From(ctx).Locale
	e := &errorFile{svc: s, ctx: ctx, job: j, locale: locale, which: which, out: csv.NewWriter(w), number: -1}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	file, err := s.files.open(j)
	if fault.CodeOf(err) == "import.file_gone" {
		return e.write(nil)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := source.Open(file, j.Mapping.Format, s.limits(), j.Mapping.Names()...)
	if err != nil {
		return err
	}
	return errors.Join(e.write(r), r.Close())
}

type errorFile struct {
	svc    *Service
	ctx    context.Context //nolint:containedctx // lives for one call
	job    *Job
	locale string
	which  Lines
	out    *csv.Writer
	page   []RowError
	row    int64 // of the last error read
	number int
	done   bool
}

// write goes through the errors and, beside them, through the file.
func (e *errorFile) write(r source.Reader) error {
	head := []string{e.word("import.file_row"), e.word("import.file_column"), e.word("import.file_reason")}
	if r != nil {
		for i := range head { // the names of the file's own columns stay as they are
			for slices.Contains(r.Columns(), head[i]) {
				head[i] += "*"
			}
		}
		for _, c := range r.Columns() {
			head = append(head, disarm(c))
		}
	}
	if err := e.out.Write(head); err != nil {
		return err
	}
	var row *source.Row
	for {
		list, err := e.next()
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		for r != nil && (row == nil || row.Number < list[0].Row) {
			if row, err = r.Next(); errors.Is(err, io.EOF) {
				r, row = nil, nil
			} else if err != nil {
				return err
			}
		}
		if err := e.out.Write(e.line(list, row)); err != nil {
			return err
		}
	}
	e.out.Flush()
	return e.out.Error()
}

func (e *errorFile) line(list []RowError, row *source.Row) []string {
	var columns, reasons []string
	for _, x := range list {
		if x.Column != "" {
			columns = append(columns, x.Column)
		}
		reasons = append(reasons, e.svc.cfg.Words(e.locale, x.Code, x.Params))
	}
	sep := "; "
	if strings.HasPrefix(e.locale, "zh") || e.locale == "" {
		sep = "；"
	}
	out := []string{strconv.FormatInt(list[0].Row, 10), disarm(strings.Join(columns, ", ")), disarm(strings.Join(reasons, sep))}
	if row != nil && row.Number == list[0].Row {
		for _, c := range row.Cells {
			out = append(out, disarm(string(c)))
		}
	}
	return out
}

func (e *errorFile) word(key string) string { return e.svc.cfg.Words(e.locale, key, nil) }

// next is all errors of the next row, none at the end.
func (e *errorFile) next() ([]RowError, error) {
	for !e.done && (len(e.page) == 0 || e.page[0].Row == e.page[len(e.page)-1].Row) {
		more, err := e.svc.cfg.Store.Errors(e.ctx, e.job.ID, e.row, e.number, errorPage)
		if err != nil {
			return nil, err
		}
		e.done = len(more) < errorPage
		for _, x := range more {
			e.row, e.number = x.Row, x.Number
			if e.which.of(x.Code) {
				e.page = append(e.page, x)
			}
		}
	}
	n := 0
	for n < len(e.page) && e.page[n].Row == e.page[0].Row {
		n++
	}
	list := e.page[:n]
	e.page = e.page[n:]
	return list, nil
}

// errorPage is how many errors are read at a time.
const errorPage = 1000

// disarm makes a cell harmless that a spreadsheet would run as a formula; figures stay what they are.
func disarm(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	if s == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) { // some take the wide forms for the narrow ones
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && (s[0] == '-' || s[0] == '+') {
		return s
	}
	return "'" + s
}

// EncodeParams and DecodeParams are the stored form of an error's parameters.
func EncodeParams(p fault.Params) []byte {
	if len(p) == 0 {
		return nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	return b
}

// DecodeParams reads what EncodeParams wrote.
func DecodeParams(b []byte) fault.Params {
	var p fault.Params
	if len(b) == 0 || json.Unmarshal(b, &p) != nil {
		return nil
	}
	return p
}
