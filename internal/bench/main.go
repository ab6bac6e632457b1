// Command bench measures the built program on a made-up company and writes docs/benchmarks.md: what it takes, what the bare
// engine takes for the same work in the same run, the ratio of the two, and the goal.
//
//	go run ./internal/bench -bin bin/guanxi -customers 100000,1000000 -out docs/benchmarks.md
//	go run ./internal/bench -quick
//
// Ours is asked over HTTP on the loopback interface, by four clients: two hundred distinct warm requests of a kind, the cold
// first one shown apart. Bare are the reviewed statements in bare/*.sql, each with its plan, on the same files and with the
// same values, read by four connections after the server has stopped, all columns scanned. Memory and processor time are the
// kernel's figures of the process. Figures are for people to compare: a goal that is not met is named, nothing fails by time.
//
// The demo company has ten orders and sixteen lines a customer on average (-orders). Everything is made below -dir, which is removed at the end
// unless -keep says otherwise. -parts chooses what is measured; with -reuse a company that an earlier run left is measured
// again without loading, and -dir may be the data directory of one itself:
//
//	go run ./internal/bench -dir /data/bench -keep -customers 1000000 -parts load
//	go run ./internal/bench -dir /data/bench -reuse -customers 1000000 -parts requests,analytics
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// settings are what the command was told.
type settings struct {
	bin      string
	sizes    []int
	out, dir string
	retail   string
	postgres string // address of a server, "" for none
	parts    map[string]bool
	orders   float64 // of a customer on average
	keep     bool
	reuse    bool
	warm     int            // requests of a kind
	settle   int            // seconds before memory is read
	events   int            // of the parts visits and behaviour
	seconds  int            // of each way of the part creates
	only     *regexp.Regexp // which rows of the part behaviour, or of insight; nil for all
}

func main() {
	s := settings{}
	sizes := flag.String("customers", "100000,1000000", "sizes, by commas")
	quick := flag.Bool("quick", false, "20,000 customers and fewer requests, in a few minutes")
	postgres := flag.Bool("postgres", false, "the smallest size and the part events once more on the server of GUANXI_TEST_POSTGRES_URL, in schemas that are dropped")
	flag.StringVar(&s.bin, "bin", "bin/guanxi", "the built program")
	flag.StringVar(&s.out, "out", "docs/benchmarks.md", "where the page goes")
	flag.StringVar(&s.dir, "dir", "", "where the data goes, a temporary directory when empty")
	flag.BoolVar(&s.keep, "keep", false, "leave the data where it is")
	flag.BoolVar(&s.reuse, "reuse", false, "measure the company that is in -dir already, and keep it; load it where it is not")
	flag.Float64Var(&s.orders, "orders", 10, "orders of a customer on average, 1 to 20")
	flag.IntVar(&s.events, "events", 20_000_000, "events of the parts visits and behaviour")
	only := flag.String("only", "", "which rows of the part behaviour, or of insight night, segments: a regular expression")
	chosen := flag.String("parts", allParts, "what to measure, by commas")
	flag.StringVar(&s.retail, "retail", "../shared/data/online-retail/online_retail.csv.gz", "a real purchase file, imported when it is there")
	flag.Parse()
	s.warm, s.settle, s.seconds = 200, 60, 20
	if *quick {
		*sizes, s.warm, s.settle = "20000", 60, 5
		s.events = min(s.events, 1_000_000)
	}
	if *postgres {
		s.postgres = os.Getenv("GUANXI_TEST_POSTGRES_URL")
	}
	if *only != "" {
		s.only = regexp.MustCompile(*only)
	}
	if err := s.choose(*chosen); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := s.run(ctx, *sizes)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// allParts are the parts in the order in which they are measured. The bare engines are asked for what was measured of ours.
const allParts = "load,requests,analytics,insight,writes,creates,reach,mails,import,retail,events,visits,behaviour"

// choose reads the list of parts.
func (s *settings) choose(list string) error {
	s.parts = map[string]bool{}
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		if !slices.Contains(strings.Split(allParts, ","), part) {
			return fmt.Errorf("part %q: there are %s", part, allParts)
		}
		s.parts[part] = true
	}
	if s.reuse {
		if s.dir == "" {
			return errors.New("-reuse needs -dir")
		}
		s.keep = true
	}
	return nil
}

// company says whether anything is asked of the demo company.
func (s *settings) company() bool {
	return s.parts["load"] || s.parts["requests"] || s.parts["analytics"] || s.parts["insight"] || s.parts["writes"]
}

func (s *settings) run(ctx context.Context, sizes string) (err error) {
	for part := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1000 {
			return fmt.Errorf("size %q: a number of at least 1000", part)
		}
		s.sizes = append(s.sizes, n)
	}
	if s.bin, err = filepath.Abs(s.bin); err != nil {
		return err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "guanxi-bench-"); err != nil {
			return err
		}
	}
	if !s.keep {
		defer func() { _ = os.RemoveAll(s.dir) }()
	}
	d := newDocument(s.bin)
	largest := 0
	for _, n := range s.sizes {
		if err := s.measureCompany(ctx, n, d); err != nil {
			return err
		}
		largest = max(largest, n)
	}
	if s.parts["mails"] {
		if err := s.measureMails(ctx, d); err != nil {
			return fmt.Errorf("mails: %w", err)
		}
	}
	if s.parts["import"] {
		if err := s.measureImport(ctx, largest, d); err != nil {
			return fmt.Errorf("import of %d customers: %w", largest, err)
		}
	}
	if _, err := os.Stat(s.retail); err == nil && s.parts["retail"] {
		if err := s.measureRetail(ctx, d); err != nil {
			return fmt.Errorf("purchase file: %w", err)
		}
	}
	if s.parts["events"] {
		if err := s.measureEvents(ctx, d); err != nil {
			return fmt.Errorf("events: %w", err)
		}
	}
	if s.parts["visits"] {
		if err := s.measureVisits(ctx, d); err != nil {
			return fmt.Errorf("visits: %w", err)
		}
	}
	if s.parts["behaviour"] {
		if err := s.measureBehaviour(ctx, d); err != nil {
			return fmt.Errorf("behaviour: %w", err)
		}
	}
	if s.postgres != "" && s.parts["events"] {
		if err := s.measureEventsPostgres(ctx, d); err != nil {
			return fmt.Errorf("events on postgresql: %w", err)
		}
	}
	if s.postgres != "" && s.company() {
		if err := s.measurePostgres(ctx, s.sizes[0], d); err != nil {
			return fmt.Errorf("postgresql: %w", err)
		}
	}
	if err := os.WriteFile(s.out, []byte(d.text()), 0o644); err != nil { //nolint:gosec // a page of the documentation
		return err
	}
	progress("written to %s", s.out)
	return nil
}

// measureCompany measures the parts that ask the demo company of a size.
func (s *settings) measureCompany(ctx context.Context, n int, d *document) error {
	if s.company() {
		if err := s.measureSize(ctx, n, d); err != nil {
			return fmt.Errorf("%d customers: %w", n, err)
		}
	}
	if s.parts["creates"] {
		if err := s.measureCreates(ctx, n, d); err != nil {
			return fmt.Errorf("creates at %d customers: %w", n, err)
		}
	}
	if s.parts["reach"] {
		if err := s.measureReach(ctx, n, d); err != nil {
			return fmt.Errorf("reach at %d customers: %w", n, err)
		}
	}
	return nil
}

// progress tells the one who waits.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
