package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

// output is where an experiment's results go, and how it is run.
type output struct {
	format string
	save   string
	log    string
	jobs   int

	pictures bool // save those of a storm, too
}

func (o *output) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.format, "output", "o", "table", "what goes to standard output: "+formatNames())
	f.StringVar(&o.save, "save", "", "folder for result files, made or replaced as a whole")
	f.StringVar(&o.log, "log", "", "folder for a log of each run, which berth replay plays again; earlier logs in it go")
	f.IntVar(&o.jobs, "jobs", 0, "runs at a time (default: as many as there are processors); results don't depend on it")
}

func formatNames() string {
	names := make([]string, len(bench.Formats))
	for i, f := range bench.Formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// experimentFlags are those from which compare and storm make an experiment.
type experimentFlags struct {
	x                bench.Experiment
	policies, report []string
	seeds            string
	out              output
}

// add adds the flags to a command; what is in f is the default.
func (f *experimentFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.x.Axes.Trace, "trace", f.x.Axes.Trace, "workload to replay, [FORMAT:]PATH[?key=value&...]; may be repeated")
	fl.StringSliceVar(&f.policies, "policies", f.policies, "policies: plugins, NAME:WEIGHT+NAME:WEIGHT, or KubeSchedulerConfiguration files (.yaml)")
	fl.StringVar(&f.seeds, "seeds", "42", "seeds, for example 1,5,42-51")
	fl.StringArrayVar(&f.x.Axes.Quota, "quota", nil, "limits of namespaces: manifests with ResourceQuotas, elastic:FILE with a tree of queues, or none; may be repeated")
	fl.StringArrayVar(&f.x.Set, "set", nil, "change a limit, for example quota/team-a/requests.cpu=200; may be repeated")
	fl.StringVar(&f.x.Baseline, "baseline", "", "policy that the others are compared with, paired by seed")
	fl.DurationVar(&f.x.Service, "service", 0, "time that the scheduler takes for a decision, for example 5ms")
	fl.StringSliceVar(&f.report, "report", f.report, "metrics that tables show; all if it is empty")
	f.out.flags(cmd)
}

// do runs the experiment.
func (f *experimentFlags) do(ctx context.Context, a *app) (err error) {
	if f.x.Axes.Seed, err = bench.ParseSeeds(f.seeds); err != nil {
		return exit(exitBadInput, err)
	}
	f.x.Axes.Policy, f.x.Report = f.policies, f.report
	f.x.Complete()
	_, err = a.do(ctx, &f.x, f.out)
	return err
}

func (a *app) compare() *cobra.Command {
	var f experimentFlags
	f.x.Axes.Trace = []string{"sample:"}
	cmd := &cobra.Command{
		Use:   "compare --trace TRACE --policies P,P,...",
		Short: "Compare policies on a trace",
		Long: "Compare replays traces under several policies, once for each seed, and prints what\n" +
			"came out: mean, standard deviation and 95 % interval of each metric. Without --trace it\n" +
			"plays the sample that comes with the program.\n\n" +
			traceHelp() + "\n" + policyHelp(a.plugins),
		Example: "  berth compare --policies fgd,bestfit --seeds 42-51 --baseline bestfit\n" +
			"  berth compare --trace synthetic:gpu --policies fgd,bestfit --seeds 42-51 --baseline bestfit",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.do(cmd.Context(), a) },
	}
	f.add(cmd)
	return cmd
}

func traceHelp() string {
	var b strings.Builder
	fmt.Fprintln(&b, "Traces:")
	for _, f := range traces.Formats {
		fmt.Fprintf(&b, "  %-12s %s\n", f.Name, f.Doc)
		for _, o := range f.Options {
			fmt.Fprintf(&b, "    %-10s %s", o.Name, o.Doc)
			if o.Default != "" {
				fmt.Fprintf(&b, " (default %s)", o.Default)
			}
			fmt.Fprintln(&b)
		}
	}
	return b.String()
}

func policyHelp(plugins []*scheduler.Plugin) string {
	var b strings.Builder
	fmt.Fprintln(&b, "Policies:")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, name := range bench.Preferring(plugins) {
		pl, err := scheduler.Find(plugins, name)
		if err != nil {
			continue // Preferring names none that isn't there
		}
		title, _, _ := strings.Cut(pl.Doc, ". ")
		fmt.Fprintf(w, "  %s\t%s\n", name, strings.TrimSuffix(title, "."))
	}
	w.Flush()
	return b.String()
}

// do runs an experiment and puts its results where they should go. Nothing is
// written unless the input was good.
func (a *app) do(ctx context.Context, x *bench.Experiment, out output) (*bench.Results, error) {
	format, err := bench.ParseFormat(out.format)
	if err != nil {
		return nil, exit(exitBadInput, err)
	}
	if out.jobs < 0 {
		return nil, exit(exitBadInput, fmt.Errorf("--jobs is %d; give 1 or more, or 0 for as many as there are processors", out.jobs))
	}
	if out.save != "" {
		check := bench.CheckSaveDir
		if out.pictures {
			check = bench.CheckPicturesDir
		}
		if err := check(out.save); err != nil {
			return nil, exit(exitBadInput, err)
		}
	}
	if out.log != "" {
		if err := bench.CheckLogDir(out.log); err != nil {
			return nil, exit(exitBadInput, err)
		}
	}
	p := a.progress()
	began := time.Now()
	r, err := x.Do(ctx, bench.Options{
		Plugins: a.plugins, Evictions: a.evictions, TraceDir: a.env.TraceDir, Jobs: out.jobs, Log: out.log, Version: version(), Command: command(x),
		Progress: func(done, total int, last *bench.Run) {
			a.log.Debug("run finished", zap.String("trace", last.Trace), zap.String("policy", last.Policy),
				zap.Int64("seed", last.Seed), zap.String("digest", last.Digest), zap.Float64("seconds", last.Timing["seconds"]))
			p.show(done, total, last)
		},
	})
	p.clear()
	if r == nil || err != nil && len(r.Runs) == 0 { // results of nothing mustn't replace an earlier result
		return nil, a.failed(err)
	}
	if saveErr := a.put(r, format, x.Report, out); saveErr != nil {
		return nil, exit(exitWorldFailed, saveErr)
	}
	if err != nil {
		return nil, exit(exitInterrupted, fmt.Errorf("stopped after %d runs; what was finished is above%s", len(r.Runs), savedIn(out.save)))
	}
	if !a.quiet {
		fmt.Fprintf(a.env.Stderr, "%d runs in %.1f s; %s placements a second and processor\n",
			len(r.Runs), time.Since(began).Seconds(), placementRate(r))
	}
	return r, nil
}

func savedIn(dir string) string {
	if dir == "" {
		return ""
	}
	return " and in " + dir
}

// put writes results to standard output, and to a folder if one was named.
func (a *app) put(r *bench.Results, format bench.Format, report []string, out output) error {
	if out.save != "" {
		save := r.Save
		if out.pictures {
			save = r.SaveWithPictures
		}
		if err := save(out.save); err != nil {
			return err
		}
	}
	return r.Write(a.env.Stdout, format, report)
}

// failed gives an error of an experiment its exit status.
func (a *app) failed(err error) error {
	var plugin *bench.PluginError
	var input *traces.Error
	var value *bench.ValueError
	switch {
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted, errors.New("stopped before any run was finished"))
	case errors.As(err, &plugin):
		a.log.Debug("where the plugin failed", zap.String("stack", plugin.Stack))
		return exit(exitBadInput, fmt.Errorf("%w; run with -v to see where", err))
	case errors.As(err, &input), errors.As(err, &value):
		return exit(exitBadInput, err)
	}
	return exit(exitWorldFailed, err)
}

// placementRate returns how many pods were placed in a second of one processor's
// time, over all runs.
func placementRate(r *bench.Results) string {
	var placed, seconds float64
	for _, run := range r.Runs {
		placed += run.Metrics["pods_placed"]
		seconds += run.Timing["seconds"]
	}
	return fmt.Sprintf("%.0f", placed/max(seconds, 1e-9))
}

// command returns what to type to run the experiment again.
func command(x *bench.Experiment) string {
	verb := "compare"
	if x.Storms() {
		verb = "storm"
	}
	words := []string{"berth", verb}
	for _, tr := range x.Axes.Trace {
		words = append(words, "--trace", quote(tr))
	}
	words = append(words, "--policies", quote(strings.Join(x.Axes.Policy, ",")), "--seeds", x.Axes.Seed.String())
	if x.Baseline != "" {
		words = append(words, "--baseline", quote(x.Baseline))
	}
	if verb == "storm" {
		words = append(words, stormWords(x)...)
	}
	words = append(words, quotaWords(x)...)
	if x.Service > 0 {
		words = append(words, "--service", x.Service.String())
	}
	return strings.Join(words, " ")
}

// quote puts a word in single quotes if a shell would not take it as it is.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,+=", r)
	}
	if word != "" && strings.TrimLeftFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func (a *app) run() *cobra.Command {
	var out output
	var check string
	cmd := &cobra.Command{
		Use:     "run EXPERIMENT.yaml",
		Short:   "Run an experiment file",
		Long:    "Run runs the experiment that a file describes; docs/experiments.md says how to write one.",
		Example: "  berth run examples/experiments/fill.yaml --save results/fill\n  berth run examples/experiments/fill.yaml --check results/fill",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("run takes one experiment file, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			content, err := os.ReadFile(args[0])
			if err != nil {
				return exit(exitBadInput, fmt.Errorf("%s: can't read the experiment: %w; name a file that is there", args[0], errors.Unwrap(err)))
			}
			x, err := bench.ReadExperiment(filepath.ToSlash(args[0]), content, a.plugins, a.evictions...)
			if err != nil {
				return exit(exitBadInput, err)
			}
			return a.runAndCheck(cmd.Context(), x, out, check)
		},
	}
	cmd.Flags().StringVar(&check, "check", "", "folder of saved results that this run must equal; if it doesn't, the exit status is 1")
	out.flags(cmd)
	return cmd
}

// runAndCheck runs an experiment, and compares it with saved results if dir is
// not "".
func (a *app) runAndCheck(ctx context.Context, x *bench.Experiment, out output, dir string) error {
	var old *bench.Results
	if dir != "" {
		var err error
		old, err = bench.LoadResults(dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("--check %s: no results are saved there; name a folder that --save has made", dir)
		}
		if err != nil {
			return exit(exitBadInput, err)
		}
	}
	r, err := a.do(ctx, x, out)
	if err != nil || old == nil {
		return err
	}
	different := r.Compare(old)
	for _, line := range different {
		fmt.Fprintln(a.env.Stderr, line)
	}
	if len(different) > 0 {
		return exit(exitNo, fmt.Errorf("%d differences from %s", len(different), dir))
	}
	fmt.Fprintf(a.env.Stderr, "equal to %s: %d runs\n", dir, len(r.Runs))
	return nil
}
