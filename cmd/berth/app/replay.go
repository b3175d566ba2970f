package app

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/traces/wire"
	"github.com/spf13/cobra"
)

func (a *app) replay() *cobra.Command {
	var verify bool
	var policy string
	var f tableFlags
	cmd := &cobra.Command{
		Use:   "replay LOG",
		Short: "Play the log of a run again",
		Long: "Replay plays the log of a run, which berth compare --log DIR writes, or berth schedule, lifecycle and\n" +
			"record on a live cluster: the same events come at the same times, and everything is decided anew, by\n" +
			"the policies of then or by another scheduling policy. It says where something else is decided first;\n" +
			"nothing that came afterwards would mean anything. With --verify that is an error.",
		Example: "  berth compare --trace synthetic:gpu --policies fgd,bestfit --log logs\n  berth replay logs/run-000.berth --verify\n  berth replay logs/run-000.berth --policies bestfit",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			r, err := bench.Replay(cmd.Context(), args[0], policy, bench.Options{Plugins: a.plugins, Evictions: a.evictions, TraceDir: a.env.TraceDir})
			if err != nil {
				return a.replayFailed(err)
			}
			if err := f.write(a, replayTable(args[0], r)); err != nil {
				return err
			}
			if verify && r.Difference != nil {
				return exit(exitNo, fmt.Errorf("%s: %s", args[0], r.Difference))
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&verify, "verify", false, "exit with status 1 if anything is decided otherwise")
	fl.StringVar(&policy, "policies", "", "the policy to decide by (default: that of the log)")
	f.flags(cmd)
	return cmd
}

// replayFailed gives an error of a replay its exit status.
func (a *app) replayFailed(err error) error {
	var file *wire.Error
	if errors.As(err, &file) {
		return exit(exitBadInput, err)
	}
	return a.failed(err)
}

// replayTable says what came of a replay.
func replayTable(path string, r *bench.Replayed) *bench.Table {
	outcome := "everything is decided as in the log"
	if r.Difference != nil {
		outcome = r.Difference.String()
	}
	t := &bench.Table{Title: path + ": " + outcome, Head: []string{"what", "value"}, Labels: 2, Value: r}
	add := func(what, value string) { t.Rows = append(t.Rows, []string{what, value}) }
	add("trace", r.Meta.Source)
	add("policy", r.Policy)
	add("seed", strconv.FormatInt(r.Meta.Seed, 10))
	add("rounds", strconv.Itoa(r.Rounds))
	add("decisions", strconv.Itoa(r.Decisions))
	add("until", time.Duration(r.End).String())
	add("digest", r.Digest)
	for _, m := range bench.Metrics {
		if value, ok := r.Metrics[m.Name]; ok && slices.Contains(replayMetrics, m.Name) {
			add(m.Name, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	return t
}

// replayMetrics are those that a replay shows.
var replayMetrics = []string{"pods_placed", "pods_unplaced", "wait_mean", "wait_p50", "wait_p99", "preemptions", "pods_refused"}
