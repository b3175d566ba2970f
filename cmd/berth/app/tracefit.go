package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/berthsim/berth/traces"
	"github.com/berthsim/berth/traces/model"
	"github.com/spf13/cobra"
)

// traceFit fits models to traces.
func (a *app) traceFit() *cobra.Command {
	var f fitFlags
	cmd := &cobra.Command{
		Use:   "fit TRACE",
		Short: "Fit a model to a trace, from which any number like it can be generated",
		Long: "Fit writes a model of a trace: how often pods come over a week, in which bursts, what\n" +
			"they ask for and how long they run. model:FILE is then a trace that is generated from\n" +
			"it, another one for each seed. With --check it says how far what is generated is from\n" +
			"the trace.\n\n" + traceHelp(),
		Example: "  berth trace fit philly:philly-2017 --out philly.json\n" +
			"  berth compare --trace 'model:philly.json?days=14&load=0.9' --policies fgd,bestfit",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.do(cmd.Context(), a, args[0]) },
	}
	f.in.flags(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.out, "out", "", "file to write the model to (default: standard output, without --check)")
	fl.BoolVar(&f.check, "check", false, "compare what the model generates with the trace, metric by metric")
	fl.IntVar(&f.jobs, "jobs", model.DefaultJobs, "how many kinds of jobs are told apart, at most")
	fl.StringVar(&f.origin, "origin", "", "what the model says of where it is from (default: the trace and its hash)")
	return cmd
}

// fitFlags are those of fit.
type fitFlags struct {
	in          traceInput
	out, origin string
	check       bool
	jobs        int
}

// do fits, writes and checks.
func (f *fitFlags) do(ctx context.Context, a *app, spec string) error {
	if f.jobs < 1 {
		return exit(exitBadInput, errors.New("--jobs is "+strconv.Itoa(f.jobs)+"; give a whole number above 0"))
	}
	t, err := a.openTrace(spec)
	if err != nil {
		return err
	}
	if f.origin == "" {
		f.origin = "fitted to " + t.Name + ", " + t.Hash[:12]
	}
	events := func() model.Stream { return &stoppable{ctx: ctx, Stream: t.Events(f.in.seed)} }
	m, err := model.Fit(events, model.Options{Origin: f.origin, Jobs: f.jobs})
	if err != nil {
		return a.traceFailed(aboutTrace(t, err))
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return exit(exitWorldFailed, err)
	}
	switch {
	case f.out != "":
		if err := writeModel(f.out, b.Bytes()); err != nil {
			return err
		}
	case !f.check:
		_, err := a.env.Stdout.Write(b.Bytes())
		return exit(exitWorldFailed, err)
	}
	if !f.check {
		return nil
	}
	w, err := m.Workload(model.Size{})
	if err != nil {
		return a.traceFailed(aboutTrace(t, err))
	}
	c, err := model.Compare(events(), w.Events(f.in.seed))
	if err != nil {
		return a.traceFailed(err)
	}
	return exit(exitWorldFailed, writeComparison(a.env.Stdout, t, m, w, c))
}

// aboutTrace says of an error that names no file that it is about a trace.
func aboutTrace(t *traces.Trace, err error) error {
	var wrong *traces.Error
	if errors.As(err, &wrong) && wrong.File == "" {
		wrong.File = t.Name
	}
	return err
}

// writeModel writes a file. That its folder isn't there, or that it is a folder
// itself, is bad input.
func writeModel(file string, content []byte) error {
	err := os.WriteFile(file, content, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		return exit(exitBadInput, fmt.Errorf("%w; name a file in a folder that exists", err))
	}
	return exit(exitWorldFailed, err)
}

// writeComparison prints a comparison as a table.
func writeComparison(out io.Writer, t *traces.Trace, m *model.Model, g *model.Workload, c *model.Comparison) error {
	jobs, pods := m.Totals()
	fmt.Fprintf(out, "%s\n%d pods in %d jobs of %d kinds, %d classes; %d sources, %d kinds of bursts; %d distributions of run times\noffered load %.3g %% as recorded, %.3g %% expected of the model\n\n",
		t.Name, pods, jobs, len(m.Jobs), len(m.Classes), len(m.Sources), len(m.Bursts), len(m.Runs), t.OfferedLoad*100, g.Load*100)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "metric\tunit\tdistance\t\t")
	for _, p := range model.Probabilities {
		fmt.Fprintf(w, "%g %%\t", p*100)
	}
	fmt.Fprintln(w, "mean\t")
	for _, r := range c.Rows {
		fmt.Fprintf(w, "%s\t%s\t%.3f\t", r.Metric, r.Unit, r.Distance)
		if r.Recorded == nil {
			fmt.Fprintln(w)
			continue
		}
		fmt.Fprintln(w, "recorded\t"+figures(r.Recorded))
		fmt.Fprintln(w, "\t\t\tmodel\t"+figures(r.Model))
	}
	for _, x := range c.Correlations {
		fmt.Fprintf(w, "arrivals %d h later\tcorrelation\t\trecorded\t%.2f\t\n\t\t\tmodel\t%.2f\t\n", x.Hours, x.Recorded, x.Model)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "\ndistance: Kolmogorov's, the greatest difference between the shares that are at most x; of a\nmetric without quantiles, the share that one has elsewhere than the other")
	return err
}

// figures writes numbers with four digits, each in a cell.
func figures(xs []float64) (cells string) {
	for _, x := range xs {
		cells += strconv.FormatFloat(x, 'g', 4, 64) + "\t"
	}
	return cells
}
