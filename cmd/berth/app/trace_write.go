package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces"
	"github.com/berthsim/berth/traces/wire"
	"github.com/spf13/cobra"
)

// traceOutput is where verbs of trace write one.
type traceOutput struct{ path string }

func (o *traceOutput) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.path, "out", "", "file to write the trace to, in Berth's own format; an earlier trace there is replaced")
}

// check returns an error if nothing can be written where --out says: before anything
// was read.
func (o *traceOutput) check() error {
	if o.path == "" {
		return required("out", "new.berth")
	}
	info, err := os.Stat(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(o.path)); err != nil {
			return exit(exitBadInput, fmt.Errorf("--out %s: there is no folder %s; make it, or give another", o.path, filepath.Dir(o.path)))
		}
		return nil
	case err != nil:
		return exit(exitBadInput, fmt.Errorf("--out %s: %w; give another file", o.path, err))
	case !info.Mode().IsRegular() || !isOwn(o.path):
		return exit(exitBadInput, fmt.Errorf("--out %s is there and is no trace of Berth's, so it isn't replaced; give another file", o.path))
	}
	return nil
}

// isOwn reports whether a file is a trace in Berth's own format.
func isOwn(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = wire.NewReader(f, wire.ReadOptions{Name: path, Workload: true, Torn: true})
	return err == nil
}

// made is a workload that a verb has made, and what is to be said of it.
type made struct {
	stream traces.Stream
	from   string    // what it was made of, and how
	hash   string    // of what it was made of
	epoch  time.Time // when its time 0 is; zero if nobody knows
	of     *traces.Trace
}

// sayUndecided says of a log that what is made of it has no decisions, if it had any.
func (a *app) sayUndecided(t *traces.Trace) {
	if t.Decided > 0 {
		fmt.Fprintf(a.env.Stderr, "berth: %s: of its %d decisions and outcomes only where and when pods were placed is kept, as all else belongs to the whole of that log\n", t.Name, t.Decided)
	}
}

// write writes what was made, and says what it is. Until all of it is written, what was
// there before stays.
func (o *traceOutput) write(ctx context.Context, a *app, m made) error {
	var d traces.Demand
	err := writeAside(o.path, func(w io.Writer) error {
		return m.writeEvents(w, &stoppable{Stream: m.stream, ctx: ctx}, &d)
	})
	if err != nil {
		return a.traceFailed(err)
	}
	fmt.Fprintf(a.env.Stdout, "%s: %d nodes, %d GPUs, %d pods, offered load %.1f %%, %v from first to last arrival\n",
		o.path, d.Nodes, d.GPUs, d.Pods, 100*d.Offered(d.Main()), time.Duration(d.Window()).Round(time.Second))
	return nil
}

// meta returns what the file says of itself.
func (m made) meta() wire.Meta {
	meta := wire.Meta{Kind: wire.Dataset, Source: m.from, SourceHash: m.hash, Program: "berth " + version()}
	if !m.epoch.IsZero() {
		meta.Epoch = m.epoch.Format(time.RFC3339Nano)
	}
	if m.of != nil {
		meta.Rows = int64(m.of.Rows)
		for _, r := range m.of.Rejected {
			meta.Rejected = append(meta.Rejected, wire.Rejected{Reason: r.Reason, Rows: int64(r.Rows)})
		}
	}
	return meta
}

// writeEvents writes a workload in Berth's own format, with its notes, and sums what it asks
// for.
func (m made) writeEvents(to io.Writer, s traces.Stream, d *traces.Demand) error {
	w, err := wire.Create(to, m.meta(), wire.Options{})
	if err != nil {
		return err
	}
	for {
		if n, ok := traces.NextNote(s); ok {
			if err := n.Write(w); err != nil {
				return err
			}
			continue
		}
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		d.Take(&e)
		if err := w.Event(&e); err != nil {
			return err
		}
	}
	if d.Nodes == 0 || d.Pods == 0 {
		return &traces.Error{File: m.from, Problem: fmt.Sprintf("it leaves %d nodes and %d pods", d.Nodes, d.Pods), Remedy: "keep more, so that there is something to play"}
	}
	return w.Close()
}

// writeAside writes a file beside where it is to be, and moves it there when it is
// whole and on disk.
func writeAside(path string, write func(io.Writer) error) (err error) {
	work, err := os.MkdirTemp(filepath.Dir(path), filepath.Base(path)+".*.partial")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if clearing := os.RemoveAll(work); err == nil && clearing != nil {
			err = fmt.Errorf("writing %s: %w", path, clearing)
		}
	}()
	f, err := os.Create(filepath.Join(work, "new")) // not CreateTemp's 0600: the umask decides
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// later returns when a trace's time 0 is if it begins so much later; zero if nobody knows.
func later(t *traces.Trace, by cluster.Time) time.Time {
	if t.Epoch.IsZero() {
		return t.Epoch
	}
	return t.Epoch.Add(time.Duration(by))
}
