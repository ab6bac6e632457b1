package attachment_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"github.com/guanxi-crm/guanxi/internal/record/attachment"
)

// secret is what a camera writes beside a picture.
const secret = "GPS 31.2304N 121.4737E"

func striped(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.NRGBA{R: uint8(x * 255 / w), G: uint8(y * 255 / h), B: 90, A: 255}) //nolint:gosec // below 256
		}
	}
	return m
}

// camera is a JPEG as a telephone makes it: with a place, and lying on its side.
func camera(t *testing.T, m image.Image, orientation byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"), orientation, 0, 0, 0, 0, 0, 0, 0)
	exif = append(exif, secret...)
	segment := func(marker byte, body []byte) []byte {
		return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...) //nolint:gosec // the upper byte is apart
	}
	out := append([]byte{}, raw[:2]...)
	out = append(out, segment(0xe1, exif)...)
	out = append(out, segment(0xfe, []byte(secret))...)
	out = append(out, raw[2:]...)
	return append(out, secret...) // a second picture behind the end
}

func TestPicturesLoseWhatCamerasWrite(t *testing.T) {
	t.Parallel()
	m := striped(60, 40)
	var plain bytes.Buffer
	if err := png.Encode(&plain, m); err != nil {
		t.Fatal(err)
	}
	chunk := func(kind, body string) string {
		var n, sum [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(body))) //nolint:gosec // short
		binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(kind+body)))
		return string(n[:]) + kind + body + string(sum[:])
	}
	p := plain.String()
	noted := p[:33] + chunk("tEXt", "Comment\x00"+secret) + chunk("eXIf", secret) + chunk("gAMA", "\x00\x00\xb1\x8f") + p[33:] + secret

	var moving bytes.Buffer
	pal := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.White})
	if err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{pal, pal}, Delay: []int{5, 5}}); err != nil {
		t.Fatal(err)
	}
	g := moving.String()
	at := strings.Index(g, "!\xff\x0bNETSCAPE2.0")
	said := g[:at] + "!\xfe" + string(rune(len(secret))) + secret + "\x00" + g[at:]

	// The smallest picture of WebP, lossless, one pixel, in the form that can hold more.
	body := "VP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
	exif := "EXIF" + string(rune(len(secret))) + "\x00\x00\x00" + secret
	head := "WEBPVP8X\x0a\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	web := "RIFF" + string([]byte{byte(len(head) + len(body) + len(exif)), 0, 0, 0}) + head + body + exif //nolint:gosec // short

	for _, c := range []struct {
		media, in string
		decode    func(*bytes.Reader) (image.Image, error)
		size      image.Point
	}{
		{"image/jpeg", string(camera(t, m, 6)), func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }, image.Pt(60, 40)},
		{"image/png", noted, func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }, image.Pt(60, 40)},
		{"image/gif", said, func(r *bytes.Reader) (image.Image, error) {
			all, err := gif.DecodeAll(r)
			if err != nil || len(all.Image) != 2 || all.LoopCount != 0 {
				t.Errorf("the animation is another one: %v %+v", err, all)
			}
			return all.Image[0], err
		}, image.Pt(8, 8)},
		{"image/webp", web, func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }, image.Pt(1, 1)},
	} {
		if attachment.Media([]byte(c.in)) != c.media {
			t.Fatalf("%s is taken for %s", c.media, attachment.Media([]byte(c.in)))
		}
		if !strings.Contains(c.in, secret) {
			t.Fatal("there is nothing to lose")
		}
		var out bytes.Buffer
		side, err := attachment.CopyClean(&out, strings.NewReader(c.in), c.media)
		if err != nil {
			t.Errorf("%s: %v", c.media, err)
			continue
		}
		if want := map[string]int{"image/jpeg": 6}[c.media]; want != 0 && side != want {
			t.Errorf("%s lies on side %d", c.media, side)
		}
		if strings.Contains(out.String(), secret) || strings.Contains(out.String(), "31.2304") {
			t.Errorf("%s keeps the place", c.media)
		}
		got, err := c.decode(bytes.NewReader(out.Bytes()))
		if err != nil || got.Bounds().Size() != c.size {
			t.Errorf("%s: %v", c.media, err)
		}
		for n := range 40 { // broken off anywhere, it is refused or a whole picture
			cut := c.in[:len(c.in)*n/60]
			var b bytes.Buffer
			if _, err := attachment.CopyClean(&b, strings.NewReader(cut), c.media); err == nil && len(cut) < len(p)/4 && c.media == "image/png" {
				t.Errorf("%d of %d bytes of %s were taken", len(cut), len(c.in), c.media)
			}
		}
	}
	if !bytes.Contains(camera(t, m, 6), []byte("Exif")) {
		t.Error("the camera wrote nothing")
	}
}

func FuzzCopyClean(f *testing.F) {
	f.Add("image/png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"))
	f.Add("image/gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add("image/webp", []byte("RIFF\x10\x00\x00\x00WEBPVP8X\x01\x00\x00\x00\x08\x00"))
	f.Add("image/jpeg", []byte("\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xda\x00\x02\x00\xff\x00\xff\xd9"))
	f.Fuzz(func(t *testing.T, media string, in []byte) {
		var out bytes.Buffer
		if _, err := attachment.CopyClean(&out, bytes.NewReader(in), media); err == nil && out.Len() > len(in)+64 {
			t.Errorf("%d bytes became %d", len(in), out.Len())
		}
	})
}

func TestSmallPicturesStandUpright(t *testing.T) {
	t.Parallel()
	from := striped(1600, 800) // red grows to the right, green downwards
	for side, want := range map[int]image.Point{1: {480, 240}, 3: {480, 240}, 6: {240, 480}, 8: {240, 480}} {
		small := attachment.Smaller(from, side)
		if small.Bounds().Size() != want {
			t.Errorf("side %d: %v", side, small.Bounds())
		}
		corner := small.NRGBAAt(2, 2)
		bright := map[int][2]bool{1: {false, false}, 3: {true, true}, 6: {false, true}, 8: {true, false}}[side]
		if (corner.R > 128) != bright[0] || (corner.G > 128) != bright[1] {
			t.Errorf("side %d has %v in its corner", side, corner)
		}
	}
	if small := attachment.Smaller(striped(30, 20), 1); small.Bounds().Size() != image.Pt(30, 20) {
		t.Errorf("a small picture grew: %v", small.Bounds())
	}
}
