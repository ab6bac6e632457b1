package privacy

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

//go:embed certificate.html
var certificatePage string

// WriteCertificate writes the certificate of a finished erasure as a page to print, in a language.
func (s *Service) WriteCertificate(w io.Writer, e *Erasure, locale string) error {
	zone, reg := s.cfg.Zone(), s.cfg.Registry()
	word := func(key string) string { return s.cfg.Words(locale, "privacy."+key, nil) }
	page, err := template.New("certificate").Funcs(template.FuncMap{
		"word": word,
		"time": func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05 -07:00") },
		"lang": func() string { return locale },
		"part": func(part string) string {
			if key, ok := strings.CutPrefix(part, "object:"); ok {
				if o := reg.Object(key); o != nil {
					return o.Plural.In(lang.Locale(locale))
				}
				return key
			}
			return word("part_" + part)
		},
	}).Parse(certificatePage)
	if err != nil {
		return err
	}
	return page.Execute(w, struct {
		Certificate
		Digest string
	}{s.Certificate(e), e.Digest})
}
