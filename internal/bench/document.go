package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// document is docs/benchmarks.md on its way.
type document struct {
	b     strings.Builder
	shape string // which table is open
}

func newDocument(bin string) *document {
	d := &document{}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // empty where there is none
	size := "unknown"
	if info, err := os.Stat(bin); err == nil {
		size = fmt.Sprintf("%.0f MB", float64(info.Size())/1e6)
	}
	fmt.Fprintf(&d.b, `# Benchmarks · 性能基准

Made by %smake bench%s on %s: %d processors (%s), %s of memory, Linux %s, %s, program file %s.

Ours is asked over HTTP on the loopback interface by four clients, two hundred distinct warm requests of a kind; the cold first one stands
apart, and so does the 95th percentile of all when they are asked for the first time. Bare are the statements in %sinternal/bench/bare%s, each with its plan, on the same files with the same values in the same run; the
ratios compare medians and processor time (goal: 1.5 for reads, 3 for bulk writes); processor time hardly depends on what else the machine does. An answer of ours also checks rights, masks personal data, gives titles of relations and
traits, and is JSON. Goals are for two quiet processors.

每类请求先单列首个（冷）请求的耗时和两百个互不相同的请求第一遍的 p95，再由四个客户端把它们发第二遍（热）；“裸引擎”指同一次运行中、在相同文件与取值上直接执行 %sinternal/bench/bare%s
中的语句，倍数按中位数与处理器时间比较；处理器时间几乎不受机器上其他负载的影响。
`, "`", "`", time.Now().Format("2006-01-02"), runtime.NumCPU(), processorName(), memorySize(), strings.TrimSpace(string(kernel)), runtime.Version(), size, "`", "`", "`", "`")
	return d
}

func lineOf(path, key string) string {
	b, err := os.ReadFile(path) //nolint:gosec // one of two files of the kernel
	if err != nil {
		return "unknown"
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func processorName() string { return lineOf("/proc/cpuinfo", "model name") }

func memorySize() string {
	n, err := strconv.ParseInt(strings.TrimSuffix(lineOf("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GB", float64(n)/(1<<20))
}

func (d *document) text() string { return strings.TrimRight(d.b.String(), "\n") + "\n" }

func (d *document) section(format string, args ...any) {
	d.shape = ""
	fmt.Fprintf(&d.b, "\n## "+format+"\n", args...)
}

func (d *document) open(shape, head string) {
	if d.shape == shape {
		return
	}
	d.shape = shape
	fmt.Fprintf(&d.b, "\n%s\n%s\n", head, strings.Repeat("| --- ", strings.Count(head, "|")-1)+"|")
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**not met**"
}

// goal is a single figure with what it should be.
func (d *document) goal(what, figure, besides string, met bool, goal string) {
	d.open("figures", "| what | figure | besides | goal | |")
	fmt.Fprintf(&d.b, "| %s | %s | %s | %s | %s |\n", what, figure, besides, goal, verdict(met))
}

// figure is a single one without a goal.
func (d *document) figure(what string, v float64, format string, args ...any) {
	d.open("figures", "| what | figure | besides | goal | |")
	unit, besides, _ := strings.Cut(fmt.Sprintf(format, args...), ", ")
	fmt.Fprintf(&d.b, "| %s | %.1f %s | %s | | |\n", what, v, unit, besides)
}

func (d *document) table() {
	d.open("requests", "| request | cold | first time, p95 | p50 | p95 | max | processor | bare p50 | bare processor | ratio p50 | ratio processor | goal for p95 | |")
}

// row is one kind of request.
func (d *document) row(what string, ours, bare timing, goal time.Duration) {
	plain, charge, ratio, share := "", "", "", ""
	if bare.p50 > 0 {
		plain, charge, ratio = short(bare.p50), short(bare.cpu), times(ours.p50, bare.p50)
		if bare.cpu > 0 {
			share = times(ours.cpu, bare.cpu)
		}
	}
	want, word, first := "", "", ""
	if ours.first > 0 {
		first = short(ours.first)
	}
	if goal > 0 {
		want, word = short(goal), verdict(ours.p95 <= goal)
	}
	fmt.Fprintf(&d.b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", what, short(ours.cold), first, short(ours.p50), short(ours.p95), short(ours.most), short(ours.cpu),
		plain, charge, ratio, share, want, word)
}

func times(a, b time.Duration) string { return fmt.Sprintf("%.1f", float64(a)/float64(b)) }

func (d *document) wide() {
	d.open("passes", "| what | ours | bare | ratio | remark | goal | |")
}

// pass is one computation over everything.
func (d *document) pass(what string, ours, bare, goal time.Duration, remark string) {
	plain, ratio, want, word := "", "", "", ""
	if bare > 0 {
		plain, ratio = short(bare), times(ours, bare)
	}
	if goal > 0 {
		want, word = short(goal), verdict(ours <= goal)
	}
	fmt.Fprintf(&d.b, "| %s | %s | %s | %s | %s | %s | %s |\n", what, short(ours), plain, ratio, remark, want, word)
}

// rates are so many a second.
func (d *document) rates(what string, ours timing, bare float64, remark string) {
	plain, ratio := "", ""
	if bare > 0 {
		plain, ratio = fmt.Sprintf("%.0f/s", bare), fmt.Sprintf("%.1f", bare/ours.rate)
	}
	if remark != "" {
		remark = ", " + remark
	}
	fmt.Fprintf(&d.b, "| %s | %.0f/s | %s | %s | p50 %s, p95 %s%s | | |\n", what, ours.rate, plain, ratio, short(ours.p50), short(ours.p95), remark)
}

// bulk compares the load of the company with copying lines.
func (d *document) bulk(ours, bare float64) {
	fmt.Fprintf(&d.b, "| bulk load of records | %.0f/s | %.0f/s | %.1f | ours: every object, encrypted, with keys, log and indexes; bare: order lines copied with their indexes | 3 | %s |\n",
		ours, bare, bare/ours, verdict(bare/ours <= 3))
}

func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000)
	default:
		return seconds(d.Seconds())
	}
}

func seconds(v float64) string { return fmt.Sprintf("%.1f s", v) }

// thousands writes a number with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
