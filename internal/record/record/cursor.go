package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// cursor says where a page ended. It is signed, so that nobody can ask for what a sort value of their own would show.
type cursor struct {
	Mark   string `json:"m"` // fingerprint of the query
	After  []any  `json:"a,omitempty"`
	Offset int    `json:"o,omitempty"`
}

func (s *Service) writeCursor(c *cursor) string {
	raw, err := json.Marshal(c)
	if err != nil { // plain values always encode
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.cfg.Keys.Sign(raw))
}

func (s *Service) readCursor(text string) (c cursor, ok bool) {
	signed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return c, false
	}
	raw, ok := s.cfg.Keys.Verify(signed)
	if !ok {
		return c, false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return c, dec.Decode(&c) == nil
}

// fingerprint tells queries apart; a cursor of one is refused by another.
func fingerprint(obj *schema.Object, q *Query, sort []schema.Sort) (string, error) {
	raw, err := json.Marshal(struct {
		O string
		W *query.Node
		S []schema.Sort
		T string
		D bool
		N int
	}{obj.Key, q.Where, sort, q.Search, q.Deleted, len(q.IDs)})
	if err != nil {
		return "", fault.Wrap(fault.Invalid, "record.invalid", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:6]), nil
}
