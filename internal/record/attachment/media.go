package attachment

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sniff is how many bytes Media looks at.
const sniff = 4096

// Media is what a file is by its first bytes: a media type, "text/plain" for any readable text (web pages and drawings that hold
// programs included), "application/octet-stream" for what is not known.
func Media(head []byte) string {
	for _, m := range []struct {
		at    int
		magic string
		media string
	}{
		{0, "\x89PNG\r\n\x1a\n", "image/png"},
		{0, "\xff\xd8\xff", "image/jpeg"},
		{0, "GIF87a", "image/gif"},
		{0, "GIF89a", "image/gif"},
		{0, "%PDF-", "application/pdf"},
		{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
		{0, "\x1f\x8b", "application/gzip"},
		{0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
		{0, "Rar!\x1a\x07", "application/vnd.rar"},
		{0, "OggS", "audio/ogg"},
		{0, "ID3", "audio/mpeg"},
		{0, "\xff\xfb", "audio/mpeg"},
		{0, "BM", "image/bmp"},
		{0, "II*\x00", "image/tiff"},
		{0, "MM\x00*", "image/tiff"},
		{0, "#!AMR", "audio/amr"},
		{4, "ftypheic", "image/heic"},
		{4, "ftypqt", "video/quicktime"},
		{4, "ftypM4A", "audio/mp4"},
		{4, "ftyp", "video/mp4"},
	} {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.magic)) {
			return m.media
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 12:
		switch string(head[8:12]) {
		case "WEBP":
			return "image/webp"
		case "WAVE":
			return "audio/wav"
		}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return archive(head)
	case readable(head):
		return "text/plain"
	}
	return "application/octet-stream"
}

// archive tells office documents from other zip files by the folder that their first entries name.
func archive(head []byte) string {
	const office = "application/vnd.openxmlformats-officedocument."
	switch {
	case bytes.Contains(head, []byte("word/")):
		return office + "wordprocessingml.document"
	case bytes.Contains(head, []byte("xl/")):
		return office + "spreadsheetml.sheet"
	case bytes.Contains(head, []byte("ppt/")):
		return office + "presentationml.presentation"
	}
	return "application/zip"
}

// readable reports UTF-8 without control characters; the last character may be cut off.
func readable(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(head) && len(head) < utf8.UTFMax
		}
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' && r != '\f' {
			return false
		}
		head = head[n:]
	}
	return true
}

// maxName is the longest name in characters, and maxNameBytes in bytes.
const (
	maxName      = 200
	maxNameBytes = 240
)

func blank(name string) bool { return strings.TrimSpace(name) == "" }

// CleanName makes of whatever a client calls a file a name that every system can keep: no folders, no control or direction
// characters, none that a system reserves, at most 200 characters and 240 bytes with its ending; "file" when nothing is left.
func CleanName(name string) string {
	name = strings.ToValidUTF8(name, "_")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimRight(name, ". "), " ")
	stem, ending := name, ""
	if at := strings.LastIndexByte(name, '.'); at > 0 && len(name)-at <= 16 {
		stem, ending = name[:at], name[at:]
	}
	for utf8.RuneCountInString(stem)+utf8.RuneCountInString(ending) > maxName || len(stem)+len(ending) > maxNameBytes {
		_, n := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-n]
	}
	switch first, _, _ := strings.Cut(strings.ToUpper(stem), "."); first {
	case "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9":
		stem = "_" + stem
	case "":
		stem = "file"
	}
	return stem + ending
}
