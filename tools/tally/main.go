// Command tally reads the machine-readable results of all test runners from a folder, prints what failed, and closes
// with one plain line: "N passed, N failed".
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type tally struct{ passed, failed, skipped int }

func main() {
	dir := os.Args[1]
	var t tally
	for _, read := range []func(string, *tally) error{readGo, readVitest, readPlaywright, readChecks} {
		if err := read(dir, &t); err != nil {
			fmt.Println("FAIL", err)
			t.failed++
		}
	}
	if t.skipped > 0 {
		fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	} else {
		fmt.Printf("%d passed, %d failed\n", t.passed, t.failed)
	}
	if t.failed > 0 {
		os.Exit(1)
	}
}

// readGo counts tests (not subtests), and a package that failed without a failing test (a build error, a panic) as one.
func readGo(dir string, t *tally) error {
	f, err := os.Open(filepath.Join(dir, "go.json"))
	if err != nil {
		return err
	}
	defer f.Close()
	output := map[string][]string{}
	failedIn := map[string]bool{}
	sc := bufio.NewScanner(f)
	sc.Buffer(make([]byte, 1<<20), 1<<26)
	var counted tally
	for sc.Scan() {
		var e struct{ Action, Package, Test, Output, ImportPath string }
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if e.Action == "build-output" {
				fmt.Print(e.Output)
			} else if len(output[key]) < 60 {
				output[key] = append(output[key], e.Output)
			}
		case "pass", "fail", "skip":
			countGo(e.Action, e.Package, e.Test, output[key], failedIn, &counted)
			delete(output, key)
		}
	}
	t.passed, t.failed, t.skipped = t.passed+counted.passed, t.failed+counted.failed, t.skipped+counted.skipped
	fmt.Printf("Go: %d passed, %d failed, %d skipped\n", counted.passed, counted.failed, counted.skipped)
	return sc.Err()
}

func countGo(action, pkg, test string, output []string, failedIn map[string]bool, t *tally) {
	top := test != "" && !strings.Contains(test, "/")
	if action == "fail" {
		if test != "" {
			failedIn[pkg] = true
			fmt.Printf("--- FAIL %s %s\n%s", pkg, test, strings.Join(output, ""))
		} else if !failedIn[pkg] {
			fmt.Printf("--- FAIL %s\n%s", pkg, strings.Join(output, ""))
			t.failed++
		}
	}
	if !top {
		return
	}
	switch action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
	case "skip":
		t.skipped++
		fmt.Printf("--- SKIP %s %s\n%s", pkg, test, strings.Join(output, ""))
	}
}

// readChecks counts the steps that are not test runners (types, lint, sizes): check-NAME.passed or .failed, with its output in .log.
func readChecks(dir string, t *tally) error {
	passed, err := filepath.Glob(filepath.Join(dir, "check-*.passed"))
	if err != nil {
		return err
	}
	failed, err := filepath.Glob(filepath.Join(dir, "check-*.failed"))
	if err != nil {
		return err
	}
	for _, name := range failed {
		out, err := os.ReadFile(strings.TrimSuffix(name, ".failed") + ".log")
		if err != nil {
			return err
		}
		fmt.Printf("--- FAIL %s\n%s\n", strings.TrimSuffix(filepath.Base(name), ".failed"), out)
	}
	t.passed, t.failed = t.passed+len(passed), t.failed+len(failed)
	fmt.Printf("checks: %d passed, %d failed\n", len(passed), len(failed))
	return nil
}

func readVitest(dir string, t *tally) error {
	var r struct {
		NumPassedTests, NumFailedTests, NumPendingTests, NumFailedTestSuites int
		TestResults                                                          []struct {
			Name, Status, Message string
			AssertionResults      []struct {
				FullName, Status string
				FailureMessages  []string
			}
		}
	}
	if err := load(filepath.Join(dir, "vitest.json"), &r); err != nil {
		return err
	}
	for _, s := range r.TestResults {
		if s.Status == "failed" && len(s.AssertionResults) == 0 {
			fmt.Printf("--- FAIL %s\n%s\n", s.Name, s.Message)
			t.failed++
		}
		for _, a := range s.AssertionResults {
			if a.Status == "failed" {
				fmt.Printf("--- FAIL %s %s\n%s\n", s.Name, a.FullName, strings.Join(a.FailureMessages, "\n"))
			}
		}
	}
	t.passed, t.failed, t.skipped = t.passed+r.NumPassedTests, t.failed+r.NumFailedTests, t.skipped+r.NumPendingTests
	fmt.Printf("interface: %d passed, %d failed, %d skipped\n", r.NumPassedTests, r.NumFailedTests, r.NumPendingTests)
	return nil
}

type suite struct {
	Title  string
	File   string
	Suites []suite
	Specs  []struct {
		Title string
		Tests []struct {
			ProjectName, Status string
			Results             []struct {
				Error struct{ Message string }
			}
		}
	}
}

func readPlaywright(dir string, t *tally) error {
	parts, err := filepath.Glob(filepath.Join(dir, "playwright-*.json"))
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return errors.New("the browser tests left no results")
	}
	var all tally
	for _, part := range parts {
		var r struct {
			Suites []suite
			Stats  struct{ Expected, Unexpected, Flaky, Skipped int }
			Errors []struct{ Message string }
		}
		if err := load(part, &r); err != nil {
			return err
		}
		for _, e := range r.Errors {
			fmt.Printf("--- FAIL browser: %s\n", e.Message)
			t.failed++
		}
		for _, s := range r.Suites {
			printFailures(s)
		}
		all.passed += r.Stats.Expected
		all.failed += r.Stats.Unexpected + r.Stats.Flaky
		all.skipped += r.Stats.Skipped
	}
	t.passed, t.failed, t.skipped = t.passed+all.passed, t.failed+all.failed, t.skipped+all.skipped
	fmt.Printf("browser: %d passed, %d failed, %d skipped\n", all.passed, all.failed, all.skipped)
	return nil
}

func printFailures(s suite) {
	for _, sp := range s.Specs {
		for _, ts := range sp.Tests {
			if ts.Status != "unexpected" && ts.Status != "flaky" {
				continue
			}
			fmt.Printf("--- FAIL browser %s %s [%s]\n", s.File, sp.Title, ts.ProjectName)
			for _, res := range ts.Results {
				fmt.Println(res.Error.Message)
			}
		}
	}
	for _, c := range s.Suites {
		printFailures(c)
	}
}

func load(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("no results at %s: %w", path, err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("results at %s: %w", path, err)
	}
	return nil
}
