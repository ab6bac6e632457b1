package mail_test

import (
	"mime"
	"testing"
)

// mimeWords reads headers as mail programs do.
type mimeWords struct{ mime.WordDecoder }

func (d *mimeWords) text(t *testing.T, header string) string {
	t.Helper()
	v, err := d.DecodeHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
