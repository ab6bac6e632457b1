package attachment

import (
	"bufio"
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// ThumbSide is the longer side of a small picture in pixels.
const ThumbSide = 480

// maxDecode is how many bytes a picture may need in memory to be made smaller; one is made at a time. A larger one has no small picture.
const maxDecode = 256 << 20

// shrunk is a small picture.
type shrunk struct {
	data          []byte
	width, height int // of the large one, as it is seen
}

type decoding struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

func decodingOf(media string) (decoding, bool) {
	switch media {
	case "image/jpeg":
		return decoding{jpeg.DecodeConfig, jpeg.Decode}, true
	case "image/png":
		return decoding{png.DecodeConfig, png.Decode}, true
	case "image/gif":
		return decoding{gif.DecodeConfig, gif.Decode}, true // the first image of it
	case "image/webp":
		return decoding{webp.DecodeConfig, webp.Decode}, true
	}
	return decoding{}, false
}

// need is about how many bytes a picture takes while it is decoded.
func need(c image.Config, p picture) int64 {
	each := int64(4)
	switch c.ColorModel {
	case color.GrayModel:
		each = 1
	case color.RGBA64Model, color.NRGBA64Model:
		each = 8
	case color.YCbCrModel:
		each = 3
	}
	if p.progressive { // the coefficients of three components besides
		each += 12
	}
	return int64(c.Width) * int64(c.Height) * each
}

// shrink makes the small picture of a picture. errPicture when it cannot be decoded; no data where it would take too much memory.
func (s *Service) shrink(ctx context.Context, media string, p picture, open func() (io.ReadCloser, error)) (out shrunk, err error) {
	d, ok := decodingOf(media)
	if !ok {
		return out, nil
	}
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	config, err := reading(open, d.config)
	if err != nil {
		return out, errPicture
	}
	out.width, out.height = config.Width, config.Height
	if p.orientation > 4 {
		out.width, out.height = out.height, out.width
	}
	if out.width <= 0 || out.height <= 0 {
		return out, errPicture
	}
	if need(config, p) > maxDecode {
		return out, nil
	}
	large, err := reading(open, d.decode)
	if err != nil {
		return out, errPicture
	}
	small := smaller(large, p.orientation)
	var b bytes.Buffer
	if small.Opaque() {
		err = jpeg.Encode(&b, small, &jpeg.Options{Quality: 82})
	} else {
		err = png.Encode(&b, small)
	}
	out.data = b.Bytes()
	return out, err
}

func reading[T any](open func() (io.ReadCloser, error), decode func(io.Reader) (T, error)) (out T, err error) {
	in, err := open()
	if err != nil {
		return out, err
	}
	defer in.Close()
	return decode(bufio.NewReaderSize(in, 64<<10))
}

// samples is how many places of a picture, in each direction, are averaged for one of a smaller one.
const samples = 4

// smaller makes a picture fit into a square of ThumbSide, and turns it the way it is to be seen. A small one keeps its size.
func smaller(from image.Image, orientation int) *image.NRGBA {
	b := from.Bounds()
	w, h := b.Dx(), b.Dy()
	dw, dh := w, h
	if longest := max(w, h); longest > ThumbSide {
		dw, dh = max(1, w*ThumbSide/longest), max(1, h*ThumbSide/longest)
	}
	tw, th := dw, dh
	if orientation > 4 {
		tw, th = dh, dw
	}
	out := image.NewNRGBA(image.Rect(0, 0, tw, th))
	for y := range dh {
		for x := range dw {
			tx, ty := turned(x, y, dw, dh, orientation)
			out.SetNRGBA(tx, ty, average(from, b.Min.X+x*w/dw, b.Min.Y+y*h/dh, max(1, (x+1)*w/dw-x*w/dw), max(1, (y+1)*h/dh-y*h/dh)))
		}
	}
	return out
}

// average is the mean colour of a rectangle, of some places of it where it is large.
func average(from image.Image, x, y, w, h int) color.NRGBA {
	var r, g, b, a, n uint64
	for j := range min(h, samples) {
		for i := range min(w, samples) {
			cr, cg, cb, ca := from.At(x+i*w/min(w, samples), y+j*h/min(h, samples)).RGBA()
			r, g, b, a, n = r+uint64(cr), g+uint64(cg), b+uint64(cb), a+uint64(ca), n+1
		}
	}
	if a == 0 {
		return color.NRGBA{}
	}
	part := func(v uint64) uint8 { return uint8(min(255, v*255/a)) }             //nolint:gosec // at most 255
	return color.NRGBA{R: part(r), G: part(g), B: part(b), A: uint8(a / n >> 8)} //nolint:gosec // 16 bits
}

// turned is where a place of a picture of w by h comes to stand under an orientation. Source: Exif 2.32, tag 0112.
func turned(x, y, w, h, orientation int) (tx, ty int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return h - 1 - y, x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return y, w - 1 - x
	}
	return x, y
}
