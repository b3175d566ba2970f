package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/berthsim/berth/bench/suite"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

// benchFlags are those of berth bench.
type benchFlags struct {
	nodes     []int
	samples   int
	format    string
	save      string
	against   string
	pyroscope string
}

// maxBenchNodes is the largest cluster that is measured.
const maxBenchNodes = 1_000_000

func (a *app) bench() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench [CASE-REGEXP]",
		Short: "Measure how fast pods are placed, and where time goes",
		Long: "Bench measures the cases whose names match: time, allocations and work for a pod; where\n" +
			"time goes, by phase and plugin; and what each plugin costs by itself. docs/performance.md\n" +
			"says how to read it.\n\n" + workloadHelp(),
		Example: "  berth bench basic --nodes 500\n" +
			"  berth bench --save out/before\n" +
			"  berth bench --against out/before/result.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("bench takes one regular expression, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.measure(cmd.Context(), strings.Join(args, ""), &f)
		},
	}
	fl := cmd.Flags()
	fl.IntSliceVar(&f.nodes, "nodes", nil, "sizes of clusters, for example 15000,100000 (default 500 and 5000, most cases 5000)")
	fl.IntVar(&f.samples, "samples", 10, "samples of each case")
	fl.StringVarP(&f.format, "output", "o", "table", "what goes to standard output: table, json")
	fl.StringVar(&f.save, "save", "", "folder for result.json, cpu.pprof and heap.pprof, made or replaced as a whole")
	fl.StringVar(&f.against, "against", "", "earlier result.json to compare with; if something got worse, the exit status is 1")
	fl.StringVar(&f.pyroscope, "pyroscope", "", "address of a Pyroscope server that gets the profiles, for example http://localhost:4040")
	return cmd
}

func workloadHelp() string {
	var b strings.Builder
	fmt.Fprintln(&b, "Workloads:")
	for _, w := range suite.Workloads() {
		fmt.Fprintf(&b, "  %-18s %s\n", w.Name, w.Doc)
	}
	return b.String()
}

// check says what is wrong with the flags, and finds the cases and the earlier result.
func (f *benchFlags) check(expr string) (cases []suite.Case, old *suite.Result, err error) {
	if f.format != "table" && f.format != "json" {
		return nil, nil, fmt.Errorf("unknown output format %q; use one of table, json", f.format)
	}
	if f.samples < 1 {
		return nil, nil, fmt.Errorf("--samples is %d; give 1 or more, 10 so that an interval can be told", f.samples)
	}
	for _, n := range f.nodes {
		if n < 10 || n > maxBenchNodes {
			return nil, nil, fmt.Errorf("--nodes has %d; give sizes from 10 to %d", n, maxBenchNodes)
		}
	}
	if cases, err = suite.Matching(suite.Cases(f.nodes...), expr); err != nil {
		return nil, nil, err
	}
	if f.pyroscope != "" {
		if err := suite.CheckServer(f.pyroscope); err != nil {
			return nil, nil, fmt.Errorf("--pyroscope: %w", err)
		}
	}
	if f.save != "" {
		if err := suite.CheckSaveDir(f.save); err != nil {
			return nil, nil, err
		}
	}
	if f.against != "" {
		if old, err = suite.Load(f.against); err != nil {
			return nil, nil, fmt.Errorf("--against: %w", err)
		}
	}
	return cases, old, nil
}

// measure runs the suite and puts what came out where it should go.
func (a *app) measure(ctx context.Context, expr string, f *benchFlags) error {
	cases, old, err := f.check(expr)
	if err != nil {
		return exit(exitBadInput, err)
	}
	p := a.progress()
	began := time.Now()
	r, err := suite.Run(ctx, suite.Options{
		Plugins: a.plugins, Cases: cases, Samples: f.samples,
		Version: version(), Command: f.command(expr),
		Progress: func(done, total int, what string) {
			a.log.Debug("step finished", zap.String("what", what), zap.Int("done", done), zap.Int("total", total))
			p.tell(done, total, "steps", what)
		},
	})
	p.clear()
	stopped := err != nil && errors.Is(err, ctx.Err())
	switch {
	case stopped && r == nil:
		return exit(exitInterrupted, errors.New("stopped before anything was measured"))
	case err != nil && !stopped:
		return exit(exitWorldFailed, err)
	}
	if old != nil && !stopped {
		r.Comparison = r.Compare(old)
	}
	if err := f.put(a.env.Stdout, r); err != nil {
		return exit(exitWorldFailed, err)
	}
	if stopped {
		return exit(exitInterrupted, fmt.Errorf("stopped; what was finished is above%s", savedIn(f.save)))
	}
	if !a.quiet {
		fmt.Fprintf(a.env.Stderr, "%d cases in %.1f s\n", len(r.Cases), time.Since(began).Seconds())
	}
	return exit(exitNo, regressions(r, f.against))
}

// put saves and prints a result, and sends its profiles.
func (f *benchFlags) put(w io.Writer, r *suite.Result) error {
	if f.save != "" {
		if err := r.Save(f.save); err != nil {
			return err
		}
	}
	if f.format == "json" {
		if err := r.WriteJSON(w); err != nil {
			return err
		}
	} else if err := r.WriteTable(w); err != nil {
		return err
	}
	if f.pyroscope == "" || !r.Complete {
		return nil
	}
	return r.Push(f.pyroscope)
}

// regressions returns an error that names what got worse, nil if nothing did.
func regressions(r *suite.Result, against string) error {
	if r.Comparison == nil {
		return nil
	}
	worse := r.Comparison.Regressions()
	if len(worse) == 0 {
		return nil
	}
	texts := make([]string, len(worse))
	for i := range worse {
		texts[i] = worse[i].String()
	}
	what := "regressions"
	if len(worse) == 1 {
		what = "regression"
	}
	return fmt.Errorf("%d %s since %s: %s", len(worse), what, against, strings.Join(texts, "; "))
}

// command returns what to type to measure the same again.
func (f *benchFlags) command(expr string) string {
	words := []string{"berth", "bench"}
	if expr != "" {
		words = append(words, quote(expr))
	}
	if len(f.nodes) > 0 {
		words = append(words, "--nodes", strings.Trim(strings.ReplaceAll(fmt.Sprint(f.nodes), " ", ","), "[]"))
	}
	return strings.Join(append(words, "--samples", fmt.Sprint(f.samples)), " ")
}
