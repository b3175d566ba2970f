package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/berthsim/berth/traces"
	"github.com/berthsim/berth/traces/wire"
	"github.com/spf13/cobra"
)

func (a *app) traceConvert() *cobra.Command {
	var in traceInput
	var to string
	cmd := &cobra.Command{
		Use:   "convert TRACE --out FILE",
		Short: "Write a trace in Berth's own format, or as JSON lines",
		Long: "Convert writes a trace in Berth's own format (docs/trace-format.md). If --out ends in .jsonl it writes\n" +
			"JSON lines, which say the same for people and other programs; a TRACE that ends in .jsonl is read as such.\n" +
			"Of a file in Berth's own format nothing is lost, outcomes and decisions included; of another TRACE\n" +
			"what is written is the workload that would be played, and what its pods were seen to use, how long\n" +
			"they waited and what befell nodes, as far as the recording says.",
		Example: "  berth trace convert philly:philly-2017 --out philly.berth\n  berth trace convert logs/run-000.berth --out run.jsonl\n  berth trace convert run.jsonl --out run.berth",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := traceOutput{path: to}
			switch fromLines, toLines := isLines(args[0]), isLines(to); {
			case fromLines && toLines:
				return exit(exitBadInput, fmt.Errorf("%s and --out are both JSON lines; give --out without .jsonl", args[0]))
			case fromLines:
				if err := out.check(); err != nil {
					return err
				}
				return a.fromLines(args[0], to)
			case toLines:
				return a.toLines(cmd, args[0], to, &in)
			}
			if err := out.check(); err != nil {
				return err
			}
			if isOwn(args[0]) {
				return a.copyTo(cmd.Context(), args[0], to)
			}
			t, err := a.openTrace(args[0])
			if err != nil {
				return err
			}
			a.sayUndecided(t)
			return out.write(cmd.Context(), a, converted(t, args[0], in.seed))
		},
	}
	cmd.Flags().StringVar(&to, "out", "", "file to write: Berth's own format, or JSON lines if it ends in .jsonl; an earlier one there is replaced")
	in.flags(cmd)
	return cmd
}

// converted is a trace as it is, under a seed.
func converted(t *traces.Trace, spec string, seed int64) made {
	return made{stream: t.Noted(seed), from: "berth trace convert " + quote(spec), hash: t.Hash, epoch: t.Epoch, of: t}
}

// copyTo writes a file in Berth's own format once more, and says what is missing of it.
func (a *app) copyTo(ctx context.Context, path, to string) error {
	var records int64
	var torn *wire.Torn
	err := writeAside(to, func(w io.Writer) (err error) {
		records, torn, err = copyOwn(w, path, ctx.Err)
		return err
	})
	if err != nil {
		return a.traceFailed(err)
	}
	fmt.Fprintf(a.env.Stdout, "%s: %d records\n", to, records)
	if torn != nil {
		fmt.Fprintf(a.env.Stderr, "berth: %s ends after byte %d, before its trailer: whoever wrote it died, or writes it still; at most %d records are lost\n", path, torn.Byte, torn.Lost)
	}
	return nil
}

// linesSuffix is how files of JSON lines end.
const linesSuffix = ".jsonl"

func isLines(path string) bool { return strings.HasSuffix(path, linesSuffix) }

// fromLines makes a file in Berth's own format of JSON lines.
func (a *app) fromLines(path, to string) error {
	f, err := os.Open(path)
	if err != nil {
		return exit(exitBadInput, fmt.Errorf("%s: can't be read: %w; name a file that is there", path, errors.Unwrap(err)))
	}
	defer f.Close()
	return a.traceFailed(writeAside(to, func(w io.Writer) error { return wire.ReadJSONLines(w, path, f) }))
}

// toLines writes a trace as JSON lines: a file in Berth's own format as it is, any other by
// way of such a file.
func (a *app) toLines(cmd *cobra.Command, spec, to string, in *traceInput) error {
	if info, err := os.Stat(to); err == nil && !info.Mode().IsRegular() {
		return exit(exitBadInput, fmt.Errorf("--out %s is no file; give another", to))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return exit(exitBadInput, fmt.Errorf("--out %s: %w; give another file", to, err))
	}
	if !isOwn(spec) {
		t, err := a.openTrace(spec)
		if err != nil {
			return err
		}
		a.sayUndecided(t)
		return a.traceFailed(writeAside(to, func(w io.Writer) error {
			return throughFile(w, func(own io.Writer) error {
				var d traces.Demand
				m := converted(t, spec, in.seed)
				return m.writeEvents(own, &stoppable{Stream: m.stream, ctx: cmd.Context()}, &d)
			})
		}))
	}
	f, err := os.Open(spec)
	if err != nil {
		return exit(exitBadInput, fmt.Errorf("%s: can't be read: %w", spec, err))
	}
	defer f.Close()
	return a.traceFailed(writeAside(to, func(w io.Writer) error { return linesOf(w, spec, f) }))
}

// linesOf writes a file in Berth's own format as JSON lines.
func linesOf(to io.Writer, name string, from io.Reader) error {
	r, err := wire.NewReader(from, wire.ReadOptions{Name: name})
	if err != nil {
		return err
	}
	return wire.WriteJSONLines(to, r)
}

// throughFile has a file in Berth's own format be written, and writes its JSON lines.
func throughFile(to io.Writer, write func(io.Writer) error) error {
	f, err := os.CreateTemp("", "berth-*.berth")
	if err != nil {
		return fmt.Errorf("converting by way of a file: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("converting by way of a file: %w", err)
	}
	return linesOf(to, f.Name(), f)
}
