// Command bench measures the built program on a made-up company and writes a table with the ratio to the bare engine doing
// the same work in the same run: plain statements (bare/*.sql) on the same files after the server has stopped.
//
//	go run ./internal/bench -bin bin/guanxi -customers 100000,1000000 -out docs/benchmarks.md
//
// Requests go over loopback with four clients: two hundred distinct ones of a kind after a cold one, which is shown apart.
// Figures are for people to compare; nothing here fails by time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	bin := flag.String("bin", "bin/guanxi", "the built program")
	sizes := flag.String("customers", "100000,1000000", "sizes, by commas")
	out := flag.String("out", "docs/benchmarks.md", "where the table goes")
	retail := flag.String("retail", "../shared/data/online-retail/online_retail.csv.gz", "a real purchase file, used when it is there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *bin, *sizes, *retail, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, sizes, retail, out string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	var doc strings.Builder
	header(&doc, bin)
	if _, err := os.Stat(retail); err == nil {
		if err := measureRetail(ctx, bin, retail, &doc); err != nil {
			return fmt.Errorf("purchase file: %w", err)
		}
	}
	for s := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("size %q: %w", s, err)
		}
		if err := measureSize(ctx, bin, n, &doc); err != nil {
			return fmt.Errorf("%d customers: %w", n, err)
		}
	}
	return os.WriteFile(out, []byte(doc.String()), 0o644)
}
