package attachment

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// picture is what is found out about a picture while it is copied.
type picture struct {
	orientation int  // as a camera notes it (1 to 8), 1 when it does not
	progressive bool // a JPEG that is decoded as a whole
}

// errPicture is of a picture that is not built as its kind is.
var errPicture = errors.New("not a whole picture")

// copyClean copies a picture without what cameras and programs write beside it: places, serial numbers, times, authors, comments and
// small copies of what it was before. Colours, transparency, animation and which side is up stay. Whatever stands behind the end
// of the picture is left out. Other media are copied as they are. Sources: JPEG ITU T.81 annex B, Exif 2.32, PNG third edition,
// WebP container specification, GIF89a.
func copyClean(dst io.Writer, src *bufio.Reader, media string) (picture, error) {
	p := picture{orientation: 1}
	out := bufio.NewWriterSize(dst, 32<<10)
	var err error
	switch media {
	case "image/jpeg":
		err = p.jpeg(out, src)
	case "image/png":
		err = cleanPNG(out, src)
	case "image/webp":
		err = cleanWebP(out, src)
	case "image/gif":
		err = cleanGIF(out, src)
	default:
		_, err = io.Copy(out, src)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", errPicture, err)
	}
	if err == nil { // what stands behind the picture
		_, err = io.Copy(io.Discard, src)
	}
	return p, errors.Join(err, out.Flush())
}

// jpeg copies segments up to the end of the image.
func (p *picture) jpeg(out *bufio.Writer, src *bufio.Reader) error {
	var two [2]byte
	if _, err := io.ReadFull(src, two[:]); err != nil {
		return err
	}
	if _, err := out.Write(two[:]); err != nil {
		return err
	}
	marker, err := nextMarker(src)
	for ; err == nil; marker, err = nextMarker(src) {
	again:
		if marker == 0xd9 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7 {
			_, err = out.Write([]byte{0xff, marker})
			if err != nil || marker == 0xd9 {
				return err
			}
			continue
		}
		if err = p.segment(out, src, marker); err != nil {
			return err
		}
		if marker == 0xda {
			if marker, err = scan(out, src); err != nil {
				return err
			}
			goto again
		}
	}
	return err
}

// nextMarker reads a marker with the fill bytes before it.
func nextMarker(src *bufio.Reader) (byte, error) {
	b, err := src.ReadByte()
	if err == nil && b != 0xff {
		return 0, errPicture
	}
	for err == nil && b == 0xff {
		b, err = src.ReadByte()
	}
	return b, err
}

// segment copies one segment with a length, or leaves it out.
func (p *picture) segment(out *bufio.Writer, src *bufio.Reader, marker byte) error {
	var size [2]byte
	if _, err := io.ReadFull(src, size[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(size[:])) - 2
	if n < 0 {
		return errPicture
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(src, body); err != nil {
		return err
	}
	switch {
	case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		if side := orientationOf(body[6:]); side > 1 && p.orientation == 1 {
			p.orientation = side
			body = upright(side)
			break
		}
		return nil
	case marker == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")), marker == 0xe0, marker == 0xee: // colours
	case marker >= 0xe0 && marker <= 0xef, marker == 0xfe:
		return nil
	case marker == 0xc2 || marker == 0xc6 || marker == 0xca || marker == 0xce:
		p.progressive = true
	}
	head := []byte{0xff, marker, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(body)+2)) //nolint:gosec // came out of 16 bits
	if _, err := out.Write(head); err != nil {
		return err
	}
	_, err := out.Write(body)
	return err
}

// scan copies compressed data up to the marker behind it.
func scan(out *bufio.Writer, src *bufio.Reader) (byte, error) {
	for {
		part, err := src.ReadSlice(0xff)
		if errors.Is(err, bufio.ErrBufferFull) {
			if _, err := out.Write(part); err != nil {
				return 0, err
			}
			continue
		}
		if err != nil {
			return 0, err
		}
		if _, err := out.Write(part[:len(part)-1]); err != nil {
			return 0, err
		}
		b, err := src.ReadByte()
		for err == nil && b == 0xff {
			b, err = src.ReadByte()
		}
		if err != nil {
			return 0, err
		}
		if b != 0 && (b < 0xd0 || b > 0xd7) {
			return b, nil
		}
		if _, err := out.Write([]byte{0xff, b}); err != nil {
			return 0, err
		}
	}
}

// orientationOf reads which side is up out of the block of a camera; 1 when it does not say.
func orientationOf(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > int64(len(tiff)) {
		return 1
	}
	entries := int64(order.Uint16(tiff[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e+12 > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := int(order.Uint16(tiff[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// upright is a block that says which side is up and nothing else.
func upright(side int) []byte {
	return append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(side), 0, 0, 0, 0, 0, 0) //nolint:gosec // 1 to 8
}

// cleanPNG copies the chunks that have to do with how the picture looks.
func cleanPNG(out *bufio.Writer, src *bufio.Reader) error {
	if _, err := io.CopyN(out, src, 8); err != nil {
		return err
	}
	looks := []string{"tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "pHYs", "bKGD", "acTL", "fcTL", "fdAT"}
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(src, head); err != nil {
			return err
		}
		kind, n := string(head[4:]), int64(binary.BigEndian.Uint32(head))+4
		if kind[0] >= 'a' && !slices.Contains(looks, kind) {
			if _, err := io.CopyN(io.Discard, src, n); err != nil {
				return err
			}
			continue
		}
		if _, err := out.Write(head); err != nil {
			return err
		}
		if _, err := io.CopyN(out, src, n); err != nil {
			return err
		}
		if kind == "IEND" {
			return nil
		}
	}
}

// cleanWebP keeps all lengths, since the first of them is that of the whole: what goes is overwritten.
func cleanWebP(out *bufio.Writer, src *bufio.Reader) error {
	head := make([]byte, 12)
	if _, err := io.ReadFull(src, head); err != nil {
		return err
	}
	left := int64(binary.LittleEndian.Uint32(head[4:])) - 4
	if _, err := out.Write(head); err != nil {
		return err
	}
	for left > 0 {
		chunk := make([]byte, 8)
		if _, err := io.ReadFull(src, chunk); err != nil {
			return err
		}
		n := int64(binary.LittleEndian.Uint32(chunk[4:]))
		n += n & 1
		if left -= 8 + n; left < 0 {
			return errPicture
		}
		if err := chunkWebP(out, src, chunk, n); err != nil {
			return err
		}
	}
	return nil
}

func chunkWebP(out *bufio.Writer, src *bufio.Reader, head []byte, n int64) error {
	switch string(head[:4]) {
	case "EXIF", "XMP ":
		copy(head, "JUNK")
		if _, err := out.Write(head); err != nil {
			return err
		}
		if _, err := io.CopyN(out, zeros{}, n); err != nil {
			return err
		}
		_, err := io.CopyN(io.Discard, src, n)
		return err
	case "VP8X":
		if n < 1 {
			return errPicture
		}
		flags, err := src.ReadByte()
		if err != nil {
			return err
		}
		if _, err := out.Write(append(head, flags&^0x0c)); err != nil {
			return err
		}
		_, err = io.CopyN(out, src, n-1)
		return err
	}
	if _, err := out.Write(head); err != nil {
		return err
	}
	_, err := io.CopyN(out, src, n)
	return err
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// cleanGIF leaves out comments and the blocks of programs, but for the one that says how often an animation runs.
func cleanGIF(out *bufio.Writer, src *bufio.Reader) error {
	head := make([]byte, 13)
	if _, err := io.ReadFull(src, head); err != nil {
		return err
	}
	if _, err := out.Write(head); err != nil {
		return err
	}
	if _, err := io.CopyN(out, src, table(head[10])); err != nil {
		return err
	}
	for {
		kind, err := src.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case ';':
			return out.WriteByte(kind)
		case ',':
			if err := imageGIF(out, src); err != nil {
				return err
			}
		case '!':
			if err := extensionGIF(out, src); err != nil {
				return err
			}
		default:
			return errPicture
		}
	}
}

// table is the length of a table of colours by the flags before it.
func table(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func imageGIF(out *bufio.Writer, src *bufio.Reader) error {
	head := make([]byte, 9)
	if _, err := io.ReadFull(src, head); err != nil {
		return err
	}
	if _, err := out.Write(append([]byte{','}, head...)); err != nil {
		return err
	}
	if _, err := io.CopyN(out, src, table(head[8])+1); err != nil {
		return err
	}
	return blocks(out, src)
}

func extensionGIF(out *bufio.Writer, src *bufio.Reader) error {
	label, err := src.ReadByte()
	if err != nil {
		return err
	}
	to := io.Writer(out)
	switch label {
	case 0xf9, 0x01:
	case 0xff:
		name, err := src.Peek(12)
		if err != nil {
			return err
		}
		if s := string(name[1:]); s != "NETSCAPE2.0" && s != "ANIMEXTS1.0" {
			to = io.Discard
		}
	default:
		to = io.Discard
	}
	if _, err := to.Write([]byte{'!', label}); err != nil {
		return err
	}
	return blocks(to, src)
}

// blocks copies blocks that begin with their length, up to the empty one.
func blocks(to io.Writer, src *bufio.Reader) error {
	for {
		n, err := src.ReadByte()
		if err != nil {
			return err
		}
		if _, err := to.Write([]byte{n}); err != nil || n == 0 {
			return err
		}
		if _, err := io.CopyN(to, src, int64(n)); err != nil {
			return err
		}
	}
}
