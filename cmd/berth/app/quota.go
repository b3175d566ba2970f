package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/spf13/cobra"
)

func (a *app) quota() *cobra.Command {
	var f quotaFlags
	cmd := &cobra.Command{
		Use:   "quota SOURCE",
		Short: "Say what of quotas is used",
		Long: "Quota tells how much of each limit is used. SOURCE is a cluster as Kubernetes manifests,\n" +
			"whose ResourceQuotas are counted anew; a trace, which is played under the quotas that\n" +
			"--quota names, and told about over time; or the folder of a saved result of such a run.\n\n" +
			traceHelp(),
		Example: "  kubectl get resourcequotas,pods,services,pvc -A -o yaml > state.yaml; berth quota state.yaml\n" +
			"  berth quota philly:philly-2017/philly.csv.gz --quota quotas.yaml --set quota/6214e9/requests.nvidia.com/gpu=200 --save use",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.report(cmd.Context(), a, args[0])
			if err != nil {
				return err
			}
			return f.put(a, r)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.out.format, "output", "o", "table", "what goes to standard output: "+formatNames())
	fl.StringVar(&f.out.save, "save", "", "folder for limits.json, limits.csv, limits.txt, series.csv and limits.svg, made or replaced as a whole")
	fl.StringVar(&f.policy, "policies", "", "the policy to play the trace under (default: kube)")
	fl.StringVar(&f.quota, "quota", "", "what limits namespaces while the trace is played: manifests with ResourceQuotas, or elastic:FILE")
	fl.StringArrayVar(&f.set, "set", nil, "change a limit, for example quota/team-a/requests.cpu=200; may be repeated")
	fl.Int64Var(&f.seed, "seed", 0, "seed of the run (default: 42)")
	return cmd
}

// quotaFlags are those of quota.
type quotaFlags struct {
	policy, quota string
	set           []string
	seed          int64
	out           output
}

// put writes a report to standard output, and to a folder if one was named.
func (f *quotaFlags) put(a *app, r *bench.LimitReport) error {
	if f.out.save != "" {
		if err := r.Save(f.out.save); err != nil {
			return exit(exitWorldFailed, err)
		}
	}
	return exit(exitWorldFailed, r.Write(a.env.Stdout, bench.Format(f.out.format)))
}

// report finds out what source is, and asks it.
func (f *quotaFlags) report(ctx context.Context, a *app, source string) (*bench.LimitReport, error) {
	if _, err := bench.ParseFormat(f.out.format); err != nil {
		return nil, exit(exitBadInput, err)
	}
	if f.out.save != "" {
		if err := (&bench.LimitReport{}).CheckSaveDir(f.out.save); err != nil {
			return nil, exit(exitBadInput, err)
		}
	}
	if results, err := bench.LoadResults(source); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		if err != nil {
			return nil, exit(exitBadInput, err)
		}
		return f.ofResults(results, source)
	}
	if manifest.IsPath(source) {
		return f.ofManifests(a, source)
	}
	return f.ofTrace(ctx, a, source)
}

// ofResults takes the first run that has quotas, and is of the policy, quota and seed that
// flags name.
func (f *quotaFlags) ofResults(results *bench.Results, source string) (*bench.LimitReport, error) {
	for i := range results.Runs {
		run := &results.Runs[i]
		if len(run.Limits) > 0 && (f.policy == "" || run.Policy == f.policy) && (f.quota == "" || run.Quota == f.quota) && (f.seed == 0 || run.Seed == f.seed) {
			return run.LimitReport(), nil
		}
	}
	return nil, exit(exitBadInput, fmt.Errorf("%s: none of its %d runs has quotas and is of the policy, quota and seed that were asked for; run berth compare --quota FILE --save %s", source, len(results.Runs), source))
}

// ofManifests counts what a cluster has.
func (f *quotaFlags) ofManifests(a *app, source string) (*bench.LimitReport, error) {
	if f.quota != "" || f.policy != "" {
		return nil, exit(exitBadInput, fmt.Errorf("%s is a cluster with quotas of its own, and nothing is played on it; leave --quota and --policies out", source))
	}
	settings, err := bench.ParseQuotaSettings(f.set)
	if err != nil {
		return nil, exit(exitBadInput, err)
	}
	read, err := manifest.ReadPath(source)
	if err != nil {
		return nil, exit(exitBadInput, err)
	}
	for _, w := range read.Warnings {
		a.log.Warn(w.Error())
	}
	r, err := bench.LimitsOf(read, source, settings)
	return r, exit(exitBadInput, err)
}

// ofTrace plays a trace.
func (f *quotaFlags) ofTrace(ctx context.Context, a *app, source string) (*bench.LimitReport, error) {
	if f.quota == "" {
		return nil, exit(exitBadInput, fmt.Errorf("%s is neither a cluster nor a saved result, so it is a trace, and has no quotas; name some by --quota", source))
	}
	x := &bench.Experiment{Set: f.set}
	x.Axes = bench.Axes{Trace: []string{source}, Policy: []string{cmp.Or(f.policy, "kube")}, Quota: []string{f.quota}, Seed: bench.Seeds{cmp.Or(f.seed, 42)}}
	x.Complete()
	r, err := x.Do(ctx, bench.Options{Plugins: a.plugins, Evictions: a.evictions, TraceDir: a.env.TraceDir, Jobs: 1, Version: version(), Command: command(x)})
	if err != nil {
		return nil, a.failed(err)
	}
	return r.Runs[0].LimitReport(), nil
}

// quotaWords are the flags that say what limits namespaces.
func quotaWords(x *bench.Experiment) (words []string) {
	if slices.Equal(x.Axes.Quota, []string{"none"}) {
		return nil
	}
	for _, q := range x.Axes.Quota {
		words = append(words, "--quota", quote(q))
	}
	for _, set := range x.Set {
		words = append(words, "--set", quote(set))
	}
	return words
}
