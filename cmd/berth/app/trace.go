package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/traces"
	"github.com/spf13/cobra"
)

func (a *app) trace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Look at traces, and make others of them",
		Long: "Trace tells what there is in a trace, and makes other traces of it. What is made is in Berth's own\n" +
			"format, which every TRACE may be in.\n\n" + traceHelp(),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.traceList(), a.traceInfo(), a.traceValidate(), a.traceDiff(),
		a.traceConvert(), a.traceCut(), a.traceScale(), a.traceMerge(), a.traceAnonymise(),
		a.traceFit(), a.traceFetch(),
	)
	return cmd
}

// traceInput is how verbs of trace read one.
type traceInput struct{ seed int64 }

func (in *traceInput) flags(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&in.seed, "seed", 42, "seed of what is drawn, if anything is")
}

// open opens a TRACE.
func (a *app) openTrace(spec string) (*traces.Trace, error) {
	t, err := traces.Opener{Root: a.env.TraceDir}.Open(spec)
	return t, a.traceFailed(err)
}

// traceFailed gives an error of reading or changing a trace its exit status.
func (a *app) traceFailed(err error) error {
	var input *traces.Error
	var has *exitError
	switch {
	case err == nil || errors.As(err, &has):
		return err
	case errors.As(err, &input):
		return exit(exitBadInput, err)
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted, errors.New("stopped; nothing was written"))
	}
	return exit(exitWorldFailed, err)
}

// stoppable is a Stream that ends with the context's error once that is done.
type stoppable struct {
	traces.Stream
	ctx  context.Context
	read int
}

// Next implements traces.Stream.
func (s *stoppable) Next() (cluster.Event, error) {
	if s.read++; s.read%4096 == 0 && s.ctx.Err() != nil {
		return cluster.Event{}, s.ctx.Err()
	}
	return s.Stream.Next()
}

// Note implements traces.Noting. Once the context is done there are no more, so that Next is
// asked.
func (s *stoppable) Note() (n traces.Note, ok bool) {
	if s.read++; s.read%4096 == 0 && s.ctx.Err() != nil {
		s.read-- // Next is to see it, too
		return n, false
	}
	return traces.NextNote(s.Stream)
}

// parseDuration reads the duration that a flag has; otherwise if it has none.
func parseDuration(flag, text string, otherwise cluster.Time) (cluster.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	d, err := faults.ParseDuration(text)
	if err != nil {
		return 0, exit(exitBadInput, fmt.Errorf("--%s: %w", flag, err))
	}
	return d, nil
}

// parseTime reads the time that a flag has: a duration from a trace's beginning, or,
// if it is known when that was, a time as RFC 3339 has it.
func parseTime(flag, text string, t *traces.Trace) (cluster.Time, error) {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return parseDuration(flag, text, 0)
	}
	if t.Epoch.IsZero() {
		return 0, exit(exitBadInput, fmt.Errorf("--%s is %s, and %s doesn't say when it begins; give a duration from its beginning, such as 30d", flag, text, t.Name))
	}
	since := moment.Sub(t.Epoch)
	if since < 0 {
		return 0, exit(exitBadInput, fmt.Errorf("--%s is %s, and %s begins at %s; give a later time", flag, text, t.Name, t.Epoch.Format(time.RFC3339)))
	}
	return cluster.Time(since), nil
}

// tableFlags are those of verbs that show one table.
type tableFlags struct{ format string }

func (f *tableFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.format, "output", "o", "table", "what goes to standard output: "+formatNames())
}

// check returns an error if the format isn't known.
func (f *tableFlags) check() error {
	_, err := bench.ParseFormat(f.format)
	return exit(exitBadInput, err)
}

func (f *tableFlags) write(a *app, t *bench.Table) error {
	return exit(exitWorldFailed, t.Write(a.env.Stdout, bench.Format(f.format)))
}

func (a *app) traceList() *cobra.Command {
	var f tableFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the formats of traces",
		Long:    "List lists the formats that a TRACE may have, what PATH is in each, and their options.",
		Example: "  berth trace list -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.write(a, formatTable())
		},
	}
	f.flags(cmd)
	return cmd
}

// listed is a format as JSON shows it.
type listed struct {
	Name    string         `json:"name"`
	Of      string         `json:"of"` // pods or failures
	Doc     string         `json:"doc"`
	Path    string         `json:"path"`
	Options []listedOption `json:"options"`
}

type listedOption struct {
	Name    string `json:"name"`
	Default string `json:"default,omitempty"`
	Doc     string `json:"doc"`
}

func formatTable() *bench.Table {
	t := &bench.Table{Title: "Formats: [FORMAT:]PATH[?key=value&…]", Head: []string{"format", "of", "option", "default", "what it is"}, Labels: 5}
	var list []listed
	for _, group := range []struct {
		of      string
		formats []*traces.Format
	}{{"pods", traces.Formats}, {"failures", traces.FaultFormats}} {
		for _, f := range group.formats {
			l := listed{Name: f.Name, Of: group.of, Doc: f.Doc, Path: f.Path, Options: []listedOption{}}
			t.Rows = append(t.Rows, []string{f.Name, group.of, "", "", f.Doc}, []string{"", "", "PATH", "", f.Path})
			for _, o := range f.Options {
				l.Options = append(l.Options, listedOption{o.Name, o.Default, o.Doc})
				t.Rows = append(t.Rows, []string{"", "", o.Name, cmp.Or(o.Default, "–"), o.Doc})
			}
			list = append(list, l)
		}
	}
	t.Value = list
	return t
}

// either returns the error that of two flags exactly one must be given.
func either(a, b string) error {
	return exit(exitBadInput, fmt.Errorf("--%s or --%s must be given, and not both; choose one", a, b))
}

// required returns the error that a flag is missing.
func required(flag, example string) error {
	return exit(exitBadInput, fmt.Errorf("--%s is missing; give it, for example --%s %s", flag, flag, strings.TrimSpace(example)))
}
