package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/spf13/cobra"
)

// stormFlags are what storm has besides compare's.
type stormFlags struct {
	lasts time.Duration
	zones int
	work  string
	usage string
	start string
}

func (a *app) storm() *cobra.Command {
	var f stormFlags
	ef := experimentFlags{policies: []string{"kube"}, report: stormReport, out: output{pictures: true}}
	ef.x.Axes.Trace = []string{"synthetic:gpu?mode=time"}
	cmd := &cobra.Command{
		Use:   "storm --trace TRACE --faults FAULTS --eviction POLICY",
		Short: "Compare eviction policies while nodes fail",
		Long: "Storm replays traces while faults befall the nodes, under each eviction policy and\n" +
			"each scheduling policy, once for each seed. It reports which pods were evicted, whether\n" +
			"that was needed, how long it took to detect silent nodes and to recover, and what was\n" +
			"lost meanwhile. With --save there are pictures, too. docs/eviction.md says what happens\n" +
			"from a silent lease to a pod gone, docs/faults.md what FAULTS may be.\n\n" +
			a.evictionHelp() + "\n" + traceHelp(),
		Example: "  berth storm --trace 'synthetic:gpu?mode=time' --faults 'exp(mtbf=2d,mttr=20m)' --eviction kube --eviction kube:grace=20s --for 24h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.complete(&ef.x); err != nil {
				return exit(exitBadInput, err)
			}
			return ef.do(cmd.Context(), a)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&ef.x.Axes.Faults, "faults", []string{"exp(mtbf=10d,mttr=30m)"}, "what befalls nodes: a model, a script or a recording; may be repeated")
	fl.StringArrayVar(&ef.x.Axes.Eviction, "eviction", []string{"kube"}, "eviction policy, NAME[:key=value,...], or none; may be repeated")
	fl.DurationVar(&f.lasts, "for", 24*time.Hour, "how long runs last")
	fl.IntVar(&f.zones, "zones", 3, "zones that nodes without one are spread over, by a hash of their names; 0 for none")
	fl.StringVar(&f.work, "work", "restart", "what an evicted pod's work begins with: restart, resume, or checkpoint=D")
	fl.StringVar(&f.usage, "usage", "", "memory that pods use, for example 'drift(base=0.8,growth=0.05,leaky=0.01,leak=0.5,noise=0.1)' of what they ask for, or recorded, if the trace says it; kubelets evict under pressure then")
	fl.StringVar(&f.start, "startup", "", "how long containers take to start: quantiles from the shortest time to the longest, for example 800ms,1s,2.5s")
	ef.add(cmd)
	return cmd
}

// stormReport are the metrics that storm's tables show.
var stormReport = []string{
	"nodes_tainted", "evictions", "evictions_needless", "evictions_by_kubelets", "pod_minutes_lost", "detect_mean", "recover_mean", "recover_p99", "pending_peak", "budget_violations",
}

// complete takes the flags into the experiment.
func (f *stormFlags) complete(x *bench.Experiment) error {
	work, err := bench.ParseWork(f.work)
	if err != nil {
		return fmt.Errorf("--%w", err)
	}
	x.Storm = bench.Storm{Zones: f.zones, For: cluster.Time(f.lasts), Work: work, Usage: f.usage, StartUp: f.start}
	return nil
}

func (a *app) evictionHelp() string {
	var b strings.Builder
	fmt.Fprintln(&b, "Eviction policies:")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, p := range slices.Concat(eviction.Policies, a.evictions) {
		fmt.Fprintf(w, "  %s\t%s\n", p.Name, strings.TrimSuffix(p.Doc, "."))
	}
	for _, o := range eviction.Options {
		fmt.Fprintf(w, "    %s\t%s\n", o.Name, o.Doc)
	}
	w.Flush()
	return b.String()
}

// stormWords are the flags that storm has besides compare's.
func stormWords(x *bench.Experiment) (words []string) {
	for _, spec := range x.Axes.Faults {
		words = append(words, "--faults", quote(spec))
	}
	for _, spec := range x.Axes.Eviction {
		words = append(words, "--eviction", quote(spec))
	}
	words = append(words, "--for", time.Duration(x.Storm.For).String(), "--zones", strconv.Itoa(x.Storm.Zones))
	if x.Storm.Usage != "" {
		words = append(words, "--usage", quote(x.Storm.Usage))
	}
	if x.Storm.StartUp != "" {
		words = append(words, "--startup", quote(x.Storm.StartUp))
	}
	switch work := x.Storm.Work; {
	case work.Every > 0:
		words = append(words, "--work", "checkpoint="+time.Duration(work.Every).String())
	case work.Kept:
		words = append(words, "--work", "resume")
	}
	return words
}
