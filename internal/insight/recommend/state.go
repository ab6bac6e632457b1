package recommend

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// stateFormat is the version of what is kept.
const stateFormat = 2

// Method is how a personal list is ranked.
type Method string

// The methods.
const (
	ByPopularity Method = "popular"
	ByMix        Method = "mix" // likeness, and what is in demand of late
	ByLikeness   Method = "likeness"
	ByFactors    Method = "factors"
	ByHistory    Method = "history" // what was bought before, for buying again
)

// The tasks that recommenders are judged by.
const (
	TaskNew   = "new"   // products that the customer had not bought before
	TaskAgain = "again" // whatever he bought next
)

// Judged is how well a method did at a task on later purchases.
type Judged struct {
	Task   string `json:"task"`
	Method Method `json:"method"`
	stat.Quality
	Chosen bool `json:"chosen"`
}

// learned is the state of the model "recommend".
type learned struct {
	Format   int          `json:"format"`
	Until    clock.Day    `json:"until"`
	Held     [2]clock.Day `json:"held"` // the days it was judged on, 0 for none
	Products []int64      `json:"products"`
	Buyers   []int32      `json:"buyers"` // who ever bought each product
	Method   Method       `json:"method"`
	Recent   []int32      `json:"recent"`    // who bought it of late
	Power    float64      `json:"power"`     // of what is in demand, in a mix
	HalfLife float64      `json:"half_life"` // of what is bought again; 0 for none
	Alpha    float64      `json:"alpha"`
	Lambda   float64      `json:"lambda"`
	Size     int          `json:"size"`
	Packed   []byte       `json:"factors"`
	Near     []byte       `json:"near"`
	// Popular are products by group of people, "gender|tier" with empty parts for everybody, the most buyers of late first.
	Popular map[string][]int32 `json:"popular"`
	Rules   [][6]int64         `json:"rules"` // a, b, both, with a, with b, −log10 q in thousandths
	Baskets int                `json:"baskets"`
	Judged  []Judged           `json:"judged"`

	at         map[int64]int32 // product → its number
	neighbours [][]stat.Scored
	factors    *stat.Factors
	byItem     [][]int32 // rules of each product
}

// errFormat is a state of an earlier program: the model has to learn anew.
var errFormat = errors.New("state of " + Key + ": of another format")

func (s *learned) pack(f *stat.Factors, neighbours [][]stat.Scored) {
	s.Packed = make([]byte, 0, len(f.Item)*4)
	for _, v := range f.Item {
		s.Packed = binary.LittleEndian.AppendUint32(s.Packed, math.Float32bits(v))
	}
	for _, list := range neighbours {
		s.Near = binary.LittleEndian.AppendUint32(s.Near, uint32(len(list)))
		for _, n := range list {
			s.Near = binary.LittleEndian.AppendUint32(s.Near, uint32(n.Item))
			s.Near = binary.LittleEndian.AppendUint32(s.Near, math.Float32bits(n.Score))
		}
	}
}

func readLearned(raw json.RawMessage) (*learned, error) {
	s := &learned{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("state of %s: %w", Key, err)
	}
	if s.Format != stateFormat {
		return nil, errFormat
	}
	if len(s.Packed) != 4*len(s.Products)*s.Size || len(s.Buyers) != len(s.Products) || len(s.Recent) != len(s.Products) {
		return nil, errors.New("state of " + Key + ": cut off")
	}
	return s, s.open()
}

// open makes of what was kept what is worked with.
func (s *learned) open() error {
	item := make([]float32, len(s.Packed)/4)
	for i := range item {
		item[i] = math.Float32frombits(binary.LittleEndian.Uint32(s.Packed[4*i:]))
	}
	s.factors = stat.Restore(max(s.Size, 1), item, s.Alpha, s.Lambda)
	s.at = make(map[int64]int32, len(s.Products))
	for i, p := range s.Products {
		s.at[p] = int32(i)
	}
	s.neighbours = make([][]stat.Scored, len(s.Products))
	rest := s.Near
	next := func() (v uint32, ok bool) {
		if len(rest) < 4 {
			return 0, false
		}
		v, rest = binary.LittleEndian.Uint32(rest), rest[4:]
		return v, true
	}
	for i := range s.neighbours {
		n, ok := next()
		if !ok || int(n) > len(rest)/8 {
			return errors.New("state of " + Key + ": neighbours are cut off")
		}
		list := make([]stat.Scored, n)
		for k := range list {
			of, _ := next()
			score, _ := next()
			list[k] = stat.Scored{Item: int32(of), Score: math.Float32frombits(score)}
			if int(of) >= len(s.Products) {
				return errors.New("state of " + Key + ": a neighbour that is no product")
			}
		}
		s.neighbours[i] = list
	}
	s.byItem = make([][]int32, len(s.Products))
	for n, r := range s.Rules {
		for _, i := range r[:2] {
			if i < 0 || int(i) >= len(s.Products) {
				return errors.New("state of " + Key + ": a rule without a product")
			}
			s.byItem[i] = append(s.byItem[i], int32(n))
		}
	}
	return nil
}

// rule is a kept rule.
func (s *learned) rule(n int32) stat.Rule {
	r := s.Rules[n]
	return stat.Rule{A: int32(r[0]), B: int32(r[1]), Both: int(r[2]), WithA: int(r[3]), WithB: int(r[4]), Baskets: s.Baskets, Q: math.Pow(10, -float64(r[5])/1000)}
}

func keepRule(r *stat.Rule) [6]int64 {
	const most = 300_000 // as small as numbers get
	q := int64(most)
	if r.Q > 0 {
		q = min(most, int64(math.Round(-math.Log10(r.Q)*1000)))
	}
	return [6]int64{int64(r.A), int64(r.B), int64(r.Both), int64(r.WithA), int64(r.WithB), max(q, 0)}
}
