package attachment

import (
	"bufio"
	"image"
	"io"
)

// CopyClean is copyClean with the side that is up.
func CopyClean(dst io.Writer, src io.Reader, media string) (int, error) {
	p, err := copyClean(dst, bufio.NewReaderSize(src, sniff), media)
	return p.orientation, err
}

// Smaller is smaller.
func Smaller(from image.Image, orientation int) *image.NRGBA { return smaller(from, orientation) }
