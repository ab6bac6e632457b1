package text

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Kind says which pieces a model goes by.
type Kind byte

// The kinds.
const (
	Characters Kind = 1
	Phrases    Kind = 2
)

// Model is a linear model of sentiment over hashed pieces.
type Model struct {
	kind   Kind
	bits   int
	slope  float64 // from a sum to the log odds
	offset float64
	low    float64 // a chance below says negative, one above high positive
	high   float64
	scale  float64
	weight []int8 // each is sign(q)·(q/127)²·scale
	value  [256]float64
}

// sum is the raw score of a folded text and how many different pieces it has.
func (m *Model) sum(plain string) (float64, int) {
	var space [512]uint32
	list := m.pieces(plain, space[:0])
	var s float64
	for _, b := range list {
		s += m.value[uint8(m.weight[b])]
	}
	return s / math.Sqrt(float64(max(len(list), 1))), len(list)
}

// pieces are the different buckets of a text, in order.
func (m *Model) pieces(plain string, out []uint32) []uint32 {
	if m.kind == Characters {
		out = characters(plain, m.bits, out)
	} else {
		out = phrases(plain, m.bits, out)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Feel is what a folded text says and the chance that it praises.
func (m *Model) Feel(plain string) (Sentiment, float64) {
	s, n := m.sum(plain)
	if n == 0 {
		return Neutral, 0.5
	}
	p := logistic(m.slope*s + m.offset)
	switch {
	case p < m.low:
		return Negative, p
	case p > m.high:
		return Positive, p
	}
	return Neutral, p
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// magic begins a file of weights.
const magic = "GXT1"

// Bytes is the model as it is kept.
func (m *Model) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(magic)
	b.WriteByte(byte(m.kind))
	b.WriteByte(byte(m.bits))
	for _, v := range []float64{m.slope, m.offset, m.low, m.high, m.scale} {
		_ = binary.Write(&b, binary.LittleEndian, float32(v))
	}
	for _, w := range m.weight {
		b.WriteByte(byte(w))
	}
	return b.Bytes()
}

// maxBits bounds what is believed of a file.
const maxBits = 22

// Parse reads what Bytes wrote.
func Parse(raw []byte) (*Model, error) {
	const head = len(magic) + 2 + 5*4
	if len(raw) < head || string(raw[:len(magic)]) != magic {
		return nil, errors.New("these are no weights of texts")
	}
	m := &Model{kind: Kind(raw[len(magic)]), bits: int(raw[len(magic)+1])}
	if m.bits > maxBits || m.kind != Characters && m.kind != Phrases || len(raw) != head+1<<m.bits {
		return nil, fmt.Errorf("weights of %d bits do not fill %d bytes", m.bits, len(raw))
	}
	for i, v := range []*float64{&m.slope, &m.offset, &m.low, &m.high, &m.scale} {
		*v = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[len(magic)+2+4*i:])))
	}
	m.weight = make([]int8, 1<<m.bits)
	for i := range m.weight {
		m.weight[i] = int8(raw[head+i])
	}
	m.unpack()
	return m, nil
}

// unpack prepares the values of the bytes: small weights are kept finer than great ones.
func (m *Model) unpack() {
	for q := -128; q <= 127; q++ {
		v := float64(q) / 127
		m.value[uint8(int8(q))] = v * math.Abs(v) * m.scale
	}
}

// quantise keeps weights as bytes.
func (m *Model) quantise(w []float64) {
	for _, v := range w {
		m.scale = max(m.scale, math.Abs(v))
	}
	m.scale = float64(float32(m.scale))
	m.weight = make([]int8, len(w))
	if m.scale > 0 {
		for i, v := range w {
			m.weight[i] = int8(math.Round(math.Copysign(math.Sqrt(math.Abs(v)/m.scale), v) * 127))
		}
	}
	m.unpack()
}

//go:embed weights/zh.bin
var zhWeights []byte

//go:embed weights/en.bin
var enWeights []byte

type pair struct{ zh, en *Model }

// shipped are the models in the program.
var shipped = sync.OnceValue(func() pair {
	zh, err := Parse(zhWeights)
	if err != nil {
		panic("text: " + err.Error()) // a build without its weights
	}
	en, err := Parse(enWeights)
	if err != nil {
		panic("text: " + err.Error())
	}
	return pair{zh, en}
})
