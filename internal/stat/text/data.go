package text

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Data are the collections that the shipped weights were learned from.
type Data struct {
	Chinese []Example // reviews of food delivery and of ten categories of goods
	English []Example // sentences of film reviews, those to learn from
	Tested  []Example // sentences of film reviews that are kept for measuring
	Lexicon []Example // English words that praise or complain
}

// surely is how strong a word of the lexicon has to be to be learned from, of 4.
const surely = 1.0

// Load reads the collections from the files of a folder.
func Load(dir string) (d Data, err error) {
	food, err := table(filepath.Join(dir, "waimai_10k.csv"), 0, 1, "waimai")
	if err != nil {
		return d, err
	}
	goods, err := table(filepath.Join(dir, "online_shopping_10_cats.csv.gz"), 1, 2, "shopping")
	if err != nil {
		return d, err
	}
	d.Chinese = append(Distinct(food), Distinct(goods)...)
	if d.English, err = lines(filepath.Join(dir, "sst2_train.tsv"), "sst2"); err != nil {
		return d, err
	}
	d.English = Distinct(d.English)
	if d.Tested, err = lines(filepath.Join(dir, "sst2_test.tsv"), "sst2"); err != nil {
		return d, err
	}
	d.Lexicon, err = strong(filepath.Join(dir, "vader_lexicon.txt"))
	return d, err
}

// table reads a CSV file with a column of labels and one of texts, gzip too.
func table(file string, label, text int, source string) (out []Example, err error) {
	err = reading(file, func(r io.Reader) error {
		c := csv.NewReader(r)
		c.FieldsPerRecord = -1
		c.LazyQuotes = true
		for first := true; ; first = false {
			row, err := c.Read()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			case !first && len(row) > max(label, text):
				out = append(out, Example{Text: row[text], Good: row[label] == "1", Source: source})
			}
		}
	})
	return out, err
}

// lines reads lines of a text, a tab and a label.
func lines(file, source string) (out []Example, err error) {
	err = reading(file, func(r io.Reader) error {
		s := bufio.NewScanner(r)
		for s.Scan() {
			if text, label, ok := strings.Cut(s.Text(), "\t"); ok {
				out = append(out, Example{Text: text, Good: strings.TrimSpace(label) == "1", Source: source})
			}
		}
		return s.Err()
	})
	return out, err
}

// strong reads the words of a lexicon that are single and clear.
func strong(file string) (out []Example, err error) {
	err = reading(file, func(r io.Reader) error {
		s := bufio.NewScanner(r)
		for s.Scan() {
			cols := strings.Split(s.Text(), "\t")
			if len(cols) < 2 || strings.ContainsFunc(cols[0], func(r rune) bool { return (r < 'a' || r > 'z') && r != '\'' }) {
				continue
			}
			if v, err := strconv.ParseFloat(cols[1], 64); err == nil && (v >= surely || v <= -surely) {
				out = append(out, Example{Text: cols[0], Good: v > 0, Source: "lexicon"})
			}
		}
		return s.Err()
	})
	return out, err
}

func reading(file string, read func(io.Reader) error) error {
	f, err := os.Open(file) //nolint:gosec // a file that the caller names
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		r = z
	}
	if err := read(r); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Learned is what learning from the collections gives.
type Learned struct {
	Chinese, English *Model
	Reports          []SourceReport
}

// SourceReport is how well a collection is read of which nothing was learned.
type SourceReport struct {
	Language string `json:"language"`
	Source   string `json:"source"`
	Report
}

// Learn learns both models from the collections and measures them on what was kept back.
func Learn(d Data) Learned {
	var learn, held []Example
	for _, e := range d.Chinese {
		if HeldOut(e.Text) {
			held = append(held, e)
		} else {
			learn = append(learn, e)
		}
	}
	out := Learned{Chinese: Train(learn, Chinese()), English: Train(d.English, EnglishPlan(d.Lexicon))}
	for _, s := range Sources(held) {
		out.Reports = append(out.Reports, SourceReport{"zh", s, out.Chinese.Measure(of(held, s))})
	}
	out.Reports = append(out.Reports, SourceReport{"en", "sst2", out.English.Measure(d.Tested)})
	return out
}

func of(list []Example, source string) (out []Example) {
	for _, e := range list {
		if e.Source == source {
			out = append(out, e)
		}
	}
	return out
}
