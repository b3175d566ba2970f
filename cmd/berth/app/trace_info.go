package app

import (
	"github.com/berthsim/berth/bench"
	"github.com/spf13/cobra"
)

func (a *app) traceInfo() *cobra.Command {
	var in traceInput
	var f tableFlags
	var save string
	cmd := &cobra.Command{
		Use:   "info TRACE",
		Short: "Say what there is in a trace",
		Long: "Info tells on a page what there is in a trace: what was read, rejected and missed, nodes, pods, when pods come,\n" +
			"what they ask for, how long they run, and the load that makes. What runs at a time is counted as if every\n" +
			"pod had a node at once: so it depends on the trace alone.\n\n" + traceHelp(),
		Example: "  berth trace info philly:philly-2017 --save philly",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if save != "" {
				if err := bench.CheckCensusDir(save); err != nil {
					return exit(exitBadInput, err)
				}
			}
			t, err := a.openTrace(args[0])
			if err != nil {
				return err
			}
			c, err := bench.TakeCensus(t, &stoppable{Stream: t.Whole(in.seed), ctx: cmd.Context()}, in.seed)
			if err != nil {
				return a.traceFailed(err)
			}
			gaps, err := t.Gaps(cmd.Context(), in.seed)
			if err != nil {
				return a.traceFailed(err)
			}
			c.AddGaps(gaps)
			if save != "" {
				if err := c.Save(save); err != nil {
					return exit(exitWorldFailed, err)
				}
			}
			return exit(exitWorldFailed, c.Write(a.env.Stdout, bench.Format(f.format)))
		},
	}
	in.flags(cmd)
	f.flags(cmd)
	cmd.Flags().StringVar(&save, "save", "", "folder for info.json, info.csv, info.txt, series.csv and pictures, made or replaced as a whole")
	return cmd
}
