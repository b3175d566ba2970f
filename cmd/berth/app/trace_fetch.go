package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/traces/fetch"
	"github.com/spf13/cobra"
)

func (a *app) traceFetch() *cobra.Command {
	var to string
	var f tableFlags
	cmd := &cobra.Command{
		Use:   "fetch [NAME]",
		Short: "Download a public trace",
		Long: "Fetch downloads the files of a public trace that are known by their hashes, into a folder of its name\n" +
			"under --to. What is there isn't fetched again, and what was interrupted goes on where it was. Without a\n" +
			"NAME it lists the traces, and where those are that have to be got by hand.",
		Example: "  berth trace fetch alibaba-openb-gpu-v2023 --to traces",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if len(args) == 0 {
				return f.write(a, datasetTable(a.datasets()))
			}
			return a.fetch(cmd.Context(), args[0], cmp.Or(to, a.env.TraceDir, "."))
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "folder to make the trace's in (default: $BERTH_TRACES, or the working folder)")
	f.flags(cmd)
	return cmd
}

// datasets are those that can be fetched.
func (a *app) datasets() []fetch.Dataset {
	if a.env.Datasets != nil {
		return a.env.Datasets
	}
	return fetch.Datasets
}

func (a *app) fetch(ctx context.Context, name, to string) error {
	d := fetch.Find(a.datasets(), name)
	if d == nil {
		return exit(exitBadInput, fmt.Errorf("there is no trace %q to fetch; berth trace fetch lists those there are", name))
	}
	if len(d.Files) == 0 {
		return exit(exitBadInput, fmt.Errorf("%s can't be fetched; get it by hand from %s", name, d.ByHand))
	}
	dir := filepath.Join(to, name)
	p := a.progress()
	g := fetch.Getter{Progress: func(file string, done, total int64) { p.share(done, total, file) }}
	err := g.Get(ctx, d, dir)
	p.clear()
	var there *fetch.ExistsError
	switch {
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted, errors.New("stopped; run it again, and it goes on where it was"))
	case errors.As(err, &there):
		return exit(exitBadInput, err)
	case err != nil:
		return exit(exitWorldFailed, err)
	}
	fmt.Fprintf(a.env.Stdout, "%s: %s in %s\nlicence: %s\nto be cited: %s\n", name, sizeText(d.Bytes()), dir, d.Licence, d.Cite)
	if d.Format != "" {
		fmt.Fprintf(a.env.Stdout, "read as: %s:%s\n", d.Format, dir)
	}
	if d.ByHand != "" {
		fmt.Fprintf(a.env.Stdout, "by hand: %s\n", d.ByHand)
	}
	return nil
}

// sizeText writes a number of bytes for people.
func sizeText(bytes int64) string {
	if bytes < 1e5 {
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

func datasetTable(datasets []fetch.Dataset) *bench.Table {
	t := &bench.Table{Title: "Public traces", Head: []string{"name", "what it is", "licence", "format", "by hand", "size"}, Labels: 5}
	for i := range datasets {
		d := &datasets[i]
		size := "–"
		if len(d.Files) > 0 {
			size = sizeText(d.Bytes())
		}
		t.Rows = append(t.Rows, []string{d.Name, d.What, d.Licence, cmp.Or(d.Format, "–"), cmp.Or(d.ByHand, "–"), size})
	}
	t.Value = datasets
	return t
}
