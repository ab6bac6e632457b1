package text

import (
	"cmp"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Example is a text with its label.
type Example struct {
	Text   string
	Good   bool
	Source string
}

// Plan says how a model is learned.
type Plan struct {
	Kind   Kind
	Bits   int
	Cost   float64 // how much an error costs against great weights
	Rounds int
	Seed   uint64
	// Words that are known to praise or to complain are learned beside the examples, each as a text of its own with this weight.
	Words  []Example
	Weight float64
}

// Chinese is how the shipped weights of Chinese were learned.
func Chinese() Plan {
	return Plan{Kind: Characters, Bits: 20, Cost: 1, Rounds: 8, Seed: 1, Words: emoji(), Weight: 8}
}

// EnglishPlan is that of English; words are those of a lexicon.
func EnglishPlan(words []Example) Plan {
	return Plan{Kind: Phrases, Bits: 18, Cost: 1, Rounds: 20, Seed: 1, Words: append(words, emoji()...), Weight: 0.2}
}

func emoji() (out []Example) {
	for _, r := range "👍😊😀😁😄😍🥰😘❤💕🎉👏💯😋🤩😃🥳🌹💖✨" {
		out = append(out, Example{Text: string(r), Good: true})
	}
	for _, r := range "👎😡😠🤬😤😞😢😭💔🤮😒🙄😩😔😣🤢💩" {
		out = append(out, Example{Text: string(r)})
	}
	return out
}

// HeldOut reports whether a text is kept for measuring: two of ten, by its hash.
func HeldOut(s string) bool { return crc32.ChecksumIEEE([]byte(s))%10 < 2 }

// Distinct drops empty texts and all but the first of equal ones.
func Distinct(list []Example) []Example {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(slices.Clone(list), func(e Example) bool {
		if strings.TrimSpace(e.Text) == "" || seen[e.Text] {
			return true
		}
		seen[e.Text] = true
		return false
	})
}

// tuned reports whether a text of those to learn from is kept to set the calibration by.
func tuned(s string) bool { return crc32.ChecksumIEEE([]byte(s))/10%10 == 0 }

// sure is how often a text that is not called neutral has to be right, where it is least sure.
const sure = 0.65

// Train learns a model from examples. The same examples in the same order give the same bytes.
func Train(list []Example, p Plan) *Model {
	m := &Model{kind: p.Kind, bits: p.Bits}
	var learn, tune []Example
	for _, e := range list {
		if tuned(e.Text) {
			tune = append(tune, e)
		} else {
			learn = append(learn, e)
		}
	}
	m.quantise(m.fit(learn, p))
	m.calibrate(tune)
	slope, offset := m.slope, m.offset
	m.scale = 0
	m.quantise(m.fit(list, p))
	m.slope, m.offset = slope, offset
	m.low, m.high = 1-sure, sure
	return m
}

// fit is a support vector machine with squared loss, by coordinate ascent in the dual (Hsieh et al. 2008), over presence of
// pieces scaled by their ratio under naive Bayes (after Wang and Manning 2012), each text of length one.
func (m *Model) fit(list []Example, p Plan) []float64 {
	n := len(list)
	all := slices.Concat(list, p.Words)
	docs := make([][]uint32, len(all))
	good, bad, seen := make([]float64, 1<<m.bits), make([]float64, 1<<m.bits), make([]uint8, 1<<m.bits)
	for i, e := range all {
		docs[i] = m.pieces(fold(e.Text), nil)
		by := 1.0
		if i >= n {
			by = p.Weight
		}
		for _, b := range docs[i] {
			if e.Good {
				good[b] += by
			} else {
				bad[b] += by
			}
			if seen[b] < 2 {
				seen[b]++
			}
			if i >= n {
				seen[b] = 2
			}
		}
	}
	ratio := ratios(good, bad, seen)
	w := make([]float64, 1<<m.bits)
	alpha, square, size := make([]float64, len(all)), make([]float64, len(all)), make([]float64, len(all))
	for i, d := range docs {
		size[i] = 1 / math.Sqrt(float64(max(len(d), 1)))
		for _, b := range d {
			square[i] += float64(float64(ratio[b]*ratio[b]) * float64(size[i]*size[i]))
		}
	}
	random := rand.New(rand.NewPCG(p.Seed, 0)) //nolint:gosec // the same order each time
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	for range p.Rounds {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			y, c := -1.0, p.Cost
			if all[i].Good {
				y = 1
			}
			if i >= n {
				c *= p.Weight
			}
			slack := 1 / (2 * c)
			var s float64
			for _, b := range docs[i] {
				s += float64(w[b] * ratio[b])
			}
			g := float64(y*float64(s*size[i])) - 1 + float64(alpha[i]*slack)
			next := max(alpha[i]-g/(square[i]+slack), 0)
			if step := float64((next-alpha[i])*y) * size[i]; step != 0 {
				for _, b := range docs[i] {
					w[b] += float64(step * ratio[b])
				}
				alpha[i] = next
			}
		}
	}
	for b := range w {
		w[b] *= ratio[b]
	}
	return w
}

// ratios are how much more often a piece stands on one side than on the other, as roots of logarithms, so that rare pieces do not
// shout; pieces that stand once say nothing.
func ratios(good, bad []float64, seen []uint8) []float64 {
	g, b := 0.0, 0.0
	for i := range good {
		if seen[i] > 1 {
			g += good[i] + 1
			b += bad[i] + 1
		}
	}
	out := make([]float64, len(good))
	for i := range good {
		if seen[i] > 1 {
			out[i] = math.Sqrt(math.Abs(math.Log((good[i]+1)/g) - math.Log((bad[i]+1)/b)))
		}
	}
	return out
}

// calibrate finds the line from scores to log odds (Platt 1999, targets drawn in, Newton's method).
func (m *Model) calibrate(list []Example) {
	var s, t []float64
	good := 0
	for _, e := range list {
		if e.Good {
			good++
		}
	}
	up, down := (float64(good)+1)/(float64(good)+2), 1/(float64(len(list)-good)+2)
	for _, e := range list {
		v, _ := m.sum(fold(e.Text))
		s = append(s, v)
		if e.Good {
			t = append(t, up)
		} else {
			t = append(t, down)
		}
	}
	m.slope, m.offset = 1, 0
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for i, x := range s {
			p := logistic(m.slope*x + m.offset)
			d, h := p-t[i], p*(1-p)
			ga, gb = ga+d*x, gb+d
			haa, hab, hbb = haa+h*x*x, hab+h*x, hbb+h
		}
		haa, hbb = haa+1e-9, hbb+1e-9
		det := haa*hbb - hab*hab
		if det <= 0 {
			return
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		m.slope, m.offset = m.slope-da, m.offset-db
		if math.Abs(da)+math.Abs(db) < 1e-10 {
			return
		}
	}
}

// Report is how well a model reads texts that it has not learned from.
type Report struct {
	Texts    int     `json:"texts"`
	Accuracy float64 `json:"accuracy"` // of all, where it has to decide
	F1       float64 `json:"f1"`       // mean over the two classes
	Neutral  float64 `json:"neutral"`  // share that it leaves open
	Decided  float64 `json:"decided"`  // accuracy where it does not
	Brier    float64 `json:"brier"`
}

// Measure tries a model on examples.
func (m *Model) Measure(list []Example) Report {
	var r Report
	var tp, tn, fp, fn, open, right float64
	for _, e := range list {
		s, p := m.Feel(fold(e.Text))
		truth := 0.0
		if e.Good {
			truth = 1
		}
		r.Brier += (p - truth) * (p - truth)
		switch {
		case p >= 0.5 && e.Good:
			tp++
		case p >= 0.5:
			fp++
		case e.Good:
			fn++
		default:
			tn++
		}
		switch s {
		case Neutral:
			open++
		case Positive, Negative:
			if (s == Positive) == e.Good {
				right++
			}
		}
	}
	n := float64(len(list))
	if n == 0 {
		return r
	}
	r.Texts, r.Accuracy, r.Brier, r.Neutral = len(list), (tp+tn)/n, r.Brier/n, open/n
	r.F1 = (2*tp/max(2*tp+fp+fn, 1) + 2*tn/max(2*tn+fp+fn, 1)) / 2
	r.Decided = right / max(n-open, 1)
	return r
}

// Sources groups examples by where they come from, in order of their names.
func Sources(list []Example) []string {
	var out []string
	for _, e := range list {
		if !slices.Contains(out, e.Source) {
			out = append(out, e.Source)
		}
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}
