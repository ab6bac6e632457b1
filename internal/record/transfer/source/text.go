package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// stream is the decompressed text of a file in UTF-8, with what is known of how far it has been read.
type stream struct {
	io.Reader
	raw     *counter
	total   int64
	decoded bool // it was not UTF-8 in the file
}

func (s *stream) Progress() (done, total int64) { return min(s.raw.n.Load(), s.total), s.total }

// counter counts the bytes taken from the file.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// inflate opens the bytes of a file, through gzip where it begins as gzip does.
func inflate(file File, limits Limits) (io.Reader, *counter, error) {
	raw := &counter{r: io.NewSectionReader(file, 0, file.Size())}
	buffered := bufio.NewReaderSize(raw, 128<<10)
	if head, _ := buffered.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return buffered, raw, nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, nil, broken("gzip", err)
	}
	return &inflated{z: z, raw: raw, limits: limits}, raw, nil
}

// inflated guards a gzip reader against zip bombs.
type inflated struct {
	z      *gzip.Reader
	raw    *counter
	limits Limits
	n      int64
}

const ratioFloor = 32 << 20

func (r *inflated) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	r.n += int64(n)
	if r.n > r.limits.Bytes || r.n > ratioFloor && r.n/max(r.raw.n.Load(), 1) > r.limits.Ratio {
		return 0, bomb()
	}
	if err != nil && err != io.EOF {
		if _, ok := fault.Find(err); !ok {
			err = broken("gzip", err)
		}
	}
	return n, err
}

func bomb() *fault.Fault { return fault.New(fault.TooLarge, "import.zip_bomb", nil) }

func broken(kind string, cause error) *fault.Fault {
	if f, ok := fault.Find(cause); ok {
		return f
	}
	return &fault.Fault{Kind: fault.Invalid, Code: "import.broken_file", Params: fault.Params{"kind": kind}, Cause: cause}
}

// whole gives random access to the decompressed bytes: the file itself, or for gzip an encrypted copy that goes away on close.
func whole(file File, limits Limits) (File, func() error, error) {
	r, _, err := inflate(file, limits)
	if err != nil {
		return nil, nil, err
	}
	z, ok := r.(*inflated)
	if !ok {
		return file, func() error { return nil }, nil
	}
	tmp, err := newScratch(limits.TempDir)
	if err != nil {
		return nil, nil, err
	}
	if _, err = io.Copy(tmp, z); err == nil {
		err = tmp.Flush()
	}
	if err != nil {
		return nil, nil, errors.Join(err, tmp.Close())
	}
	return tmp, tmp.Close, nil
}

// Bytes is a File in memory.
func Bytes(b []byte) File { return bytes.NewReader(b) }

// codec finds an encoding by name; nil means UTF-8.
func codec(name string) (encoding.Encoding, error) {
	switch n := strings.ToLower(strings.TrimSpace(name)); n {
	case "", "utf-8", "utf8", "utf-8-sig", "utf-8-bom", "ascii", "us-ascii":
		return nil, nil
	case "utf-16", "utf-16le", "utf16", "utf16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case "utf-16be", "utf16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case "gb18030", "gbk", "gb2312", "cp936":
		return simplifiedchinese.GB18030, nil
	default:
		e, err := htmlindex.Get(n)
		if err != nil {
			return nil, fault.InvalidField("import.unknown_encoding", "format.encoding", fault.Params{"encoding": name})
		}
		return e, nil
	}
}

// openText opens a text file as UTF-8 without byte-order mark.
func openText(file File, name string, limits Limits) (*stream, error) {
	e, err := codec(name)
	if err != nil {
		return nil, err
	}
	r, raw, err := inflate(file, limits)
	if err != nil {
		return nil, err
	}
	s := &stream{raw: raw, total: file.Size(), decoded: e != nil}
	if e != nil {
		s.Reader = transform.NewReader(r, unlessBOM(e))
	} else {
		s.Reader = r
	}
	b := bufio.NewReaderSize(s.Reader, 64<<10)
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3)
	}
	s.Reader = b
	return s, nil
}

func unlessBOM(e encoding.Encoding) transform.Transformer { return e.NewDecoder() }

// head reads the first n decompressed bytes.
func head(file File, n int, limits Limits) ([]byte, error) {
	r, _, err := inflate(file, limits)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	k, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return b[:k], err
}

// detectEncoding guesses the encoding from the start of the file and, where that is plain ASCII, from the first place
// that is not, within searchASCII bytes.
func detectEncoding(file File, start []byte, limits Limits) (string, error) {
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		return "utf-8", nil
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}):
		return "utf-16le", nil
	case bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		return "utf-16be", nil
	}
	if e := wide(start); e != "" {
		return e, nil
	}
	window, err := firstForeign(file, start, limits)
	if err != nil || window == nil {
		return "utf-8", err
	}
	if validUTF8(window) {
		return "utf-8", nil
	}
	return legacy(window), nil
}

// wide recognises UTF-16 without a mark by where its zero bytes stand.
func wide(b []byte) string {
	if len(b) < 8 {
		return ""
	}
	b = b[:min(len(b), 4096)]
	var even, odd int
	for i, c := range b {
		if c == 0 {
			if i%2 == 0 {
				even++
			} else {
				odd++
			}
		}
	}
	half := len(b) / 2
	switch {
	case odd > half/3 && even < half/20:
		return "utf-16le"
	case even > half/3 && odd < half/20:
		return "utf-16be"
	}
	return ""
}

const searchASCII = 256 << 20

// firstForeign is a stretch of the file from its first byte above 0x7f; nil when there is none.
func firstForeign(file File, start []byte, limits Limits) ([]byte, error) {
	if i := foreignAt(start); i >= 0 {
		return start[i:], nil
	}
	r, _, err := inflate(file, limits)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 256<<10)
	for done := 0; done < searchASCII; {
		n, err := io.ReadFull(r, buf)
		if i := foreignAt(buf[:n]); i >= 0 {
			return buf[i:n], nil
		}
		done += n
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func foreignAt(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// validUTF8 allows the last character to be cut off, and a few bad bytes in an otherwise good text.
func validUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			if !utf8.FullRune(b[i:]) {
				break
			}
			bad++
		} else if n > 1 {
			good++
		}
		i += n
	}
	return bad == 0 || good > 4*bad
}

// legacy tells GB18030 from Windows-1252: Chinese text has its high bytes in pairs.
func legacy(b []byte) string {
	var pairs, lone int
	for i := 0; i < len(b); i++ {
		if b[i] < 0x81 {
			if b[i] >= utf8.RuneSelf {
				lone++
			}
			continue
		}
		if i+1 < len(b) && b[i+1] >= 0xa1 {
			pairs++
			i++
		} else if i+1 < len(b) {
			lone++
		}
	}
	if pairs > 0 && pairs >= lone {
		return "gb18030"
	}
	return "windows-1252"
}
