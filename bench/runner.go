package bench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// Options say how an experiment is run. They change no result.
type Options struct {
	Plugins   []*scheduler.Plugin
	Evictions []*eviction.Policy // beside Berth's own
	TraceDir  string             // where traces are looked for that aren't where they are said to be
	Jobs      int                // runs at a time; 0 means as many as there are processors
	Version   string             // of the program, for the record
	Command   string             // that repeats the experiment, for the record
	Log       string             // folder for logs of the runs, "" for none

	// Watch, if set, is told what a replay plays, beside what it reports.
	Watch cluster.Recorder

	// Progress, if set, is called after each run, by one goroutine at a time.
	Progress func(done, total int, last *Run)
}

// A job is one run to do.
type job struct {
	point   Point
	trace   *traces.Trace
	policy  *Policy
	weather *weather // nil for none
	regime  *regime  // nil for none
	service time.Duration
	work    sim.Work // what is left of a pod's when another takes its place
	seed    int64
	slot    int // its place in the order of results

	alone *Experiment // with this run and no other
}

// outcome is what became of a job.
type outcome struct {
	run  *Run
	drew bool // whether the run drew random numbers of its own
}

// Do runs the experiment, and returns what it gave. If ctx is done before all
// runs are, it returns what was finished, and ctx's error.
func (x *Experiment) Do(ctx context.Context, opts Options) (*Results, error) {
	if err := x.Validate(opts.Plugins, opts.Evictions...); err != nil {
		return nil, err
	}
	opened, err := x.open(opts.TraceDir)
	if err != nil {
		return nil, err
	}
	policies, err := x.policies(opts.Plugins)
	if err != nil {
		return nil, err
	}
	weathers, err := x.weathers(&opts)
	if err != nil {
		return nil, err
	}
	if opts.Log != "" {
		if err := makeLogDir(opts.Log); err != nil {
			return nil, err
		}
	}
	e := &execution{opts: opts, outcomes: map[int]outcome{}}
	regimes, err := x.regimes(opts.Plugins)
	if err != nil {
		return nil, err
	}
	first, rest := x.jobs(opened, policies, weathers, regimes)
	e.total = len(first)
	err = e.runAll(ctx, first)
	if err == nil {
		// Where neither the workload nor the policy has drawn anything, another
		// seed would give the same run again.
		rest = slices.DeleteFunc(rest, func(j job) bool { return !e.drewAt(j.point) })
		e.total += len(rest)
		err = e.runAll(ctx, rest)
	}
	if err != nil && !errors.Is(err, ctx.Err()) {
		return nil, err
	}
	r := x.results(e, opened, policies, opts, err == nil)
	r.Faults, r.Quotas = faultsInfo(x, weathers), quotasInfo(x, regimes)
	return r, err
}

// policies opens each policy once.
func (x *Experiment) policies(plugins []*scheduler.Plugin) (map[string]*Policy, error) {
	opened := map[string]*Policy{}
	for _, text := range x.Axes.Policy {
		p, err := OpenPolicy(plugins, text)
		if err != nil {
			return nil, err
		}
		opened[text] = p
	}
	return opened, nil
}

// open opens each trace once; runs share it.
func (x *Experiment) open(dir string) (map[string]*traces.Trace, error) {
	opened := map[string]*traces.Trace{}
	opener := traces.Opener{Root: dir}
	for _, name := range x.Axes.Trace {
		tr, err := opener.Open(name)
		if err != nil {
			return nil, err
		}
		opened[name] = tr
	}
	return opened, nil
}

// jobs returns the runs to do in any case, and those that are needed only if
// something varies with the seed.
func (x *Experiment) jobs(opened map[string]*traces.Trace, policies map[string]*Policy, weathers map[Point]*weather, regimes map[string]*regime) (first, rest []job) {
	slot := 0
	for _, p := range x.points() {
		for i, seed := range x.Axes.Seed {
			j := job{
				point: p, trace: opened[p.Trace], policy: policies[p.Policy], weather: weathers[p], regime: regimes[p.Quota],
				service: x.Service, work: x.Storm.Work, seed: seed, slot: slot, alone: x.alone(p, seed),
			}
			if i == 0 || j.trace.Seeded || j.weather != nil {
				first = append(first, j)
			} else {
				rest = append(rest, j)
			}
			slot++
		}
	}
	return first, rest
}

// alone returns the experiment of one run.
func (x *Experiment) alone(p Point, seed int64) *Experiment {
	one := *x
	one.Baseline, one.Report = "", nil
	one.Axes = Axes{
		Trace: []string{p.Trace}, Policy: []string{p.Policy}, Eviction: []string{p.Eviction}, Faults: []string{p.Faults},
		Quota: []string{p.Quota}, Seed: Seeds{seed},
	}
	if p.Quota == none {
		one.Set = nil
	}
	return &one
}

// An execution is an experiment under way.
type execution struct {
	opts Options

	mu       sync.Mutex
	total    int
	outcomes map[int]outcome // by slot
}

// runAll runs jobs, several at a time, and returns the first error by order of
// the jobs.
func (e *execution) runAll(ctx context.Context, jobs []job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan job)
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	for range min(cmp.Or(e.opts.Jobs, runtime.GOMAXPROCS(0)), max(len(jobs), 1)) {
		wg.Go(func() {
			for j := range queue {
				if err := e.run(ctx, j); err != nil {
					errs[slices.IndexFunc(jobs, func(o job) bool { return o.slot == j.slot })] = err
					cancel()
				}
			}
		})
	}
	for _, j := range jobs {
		if ctx.Err() != nil {
			break
		}
		queue <- j
	}
	close(queue)
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return ctx.Err()
}

func (e *execution) run(ctx context.Context, j job) error {
	out, err := runOne(ctx, j, &e.opts)
	if err != nil {
		return fmt.Errorf("policy %s on %s with seed %d: %w", j.point.Policy, j.point.Trace, j.seed, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outcomes[j.slot] = out
	if e.opts.Progress != nil {
		e.opts.Progress(len(e.outcomes), e.total, out.run)
	}
	return nil
}

func (e *execution) drewAt(p Point) bool {
	for _, out := range e.outcomes {
		if out.run.Point == p && out.drew {
			return true
		}
	}
	return false
}

// PluginError is a failure of a plugin's code while it was run.
type PluginError struct {
	Cause any    // what it panicked with
	Stack string // of the panic
}

// Error implements error.
func (e *PluginError) Error() string { return fmt.Sprint(e.Cause) }

// runOne plays a trace once under a policy, from an empty cluster.
func runOne(ctx context.Context, j job, opts *Options) (out outcome, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &PluginError{cause, string(debug.Stack())}
		}
	}()
	return play(ctx, j, cluster.NewState(), opts)
}

func play(ctx context.Context, j job, s *cluster.State, opts *Options) (out outcome, err error) {
	how, err := j.regime.policy(j.policy).Options(ctx)
	if err != nil {
		return out, err
	}
	how.Service = cluster.Time(j.service)
	sc := scheduler.NewScheduler(how)
	s.Seed, s.Mix = j.seed, j.trace.Mix
	use, err := j.weather.usage(j.trace, j.seed)
	if err != nil {
		return out, err
	}
	k, err := j.weather.over(j.trace.Events(j.seed), j.seed, use)
	if err != nil {
		return out, err
	}
	j.regime.over(k, j.work)
	c, err := sim.New(s, k.source, k.options)
	if err != nil {
		return out, err
	}
	digest, measure := cluster.NewDigest(), newMeasure(j.trace.Mix)
	recorders, storm := cluster.Recorders{digest, measure}, newStormMeasure(c)
	if j.weather != nil {
		recorders = append(recorders, storm)
	}
	var limits limitMeasure
	if j.regime != nil {
		if limits, err = j.regime.measure(); err != nil {
			return out, err
		}
		recorders = append(recorders, limits)
	}
	if opts.Log != "" {
		l, failed := startLog(opts.Log, &j, s, opts.Version)
		if failed != nil {
			return out, failed
		}
		recorders = append(recorders, l.log)
		defer l.end(&err)
	}
	began := time.Now()
	err = cluster.Run(ctx, c, s, recorders, append(k.controllers, sc)...)
	if err != nil {
		return out, err
	}
	seconds := time.Since(began).Seconds()
	run := &Run{
		Point: j.point, Seed: j.seed, Digest: digest.Sum(),
		Metrics:  measure.metrics(s, j.trace.Timed),
		Timing:   map[string]float64{"seconds": seconds, "placements_per_second": float64(measure.placed) / seconds},
		Unplaced: unplaced(s, how.Profiles),
		Queue:    sc.Stats(),
		Unseeded: !j.trace.Seeded && !s.Drew(),
		Curves:   measure.wholeCurves(j.trace.Timed),
		Series:   storm.series,
	}
	if limits != nil {
		run.Limits = limits.results(s.Now)
		if err := recounted(s); err != nil && j.weather == nil {
			return out, err
		}
	}
	measure.refused.unplaced(run.Unplaced)
	if j.weather != nil {
		run.Unseeded = false // faults vary
		storm.metrics(run.Metrics)
	}
	return outcome{run, s.Drew()}, nil
}

// unplaced counts, by kube's message, why pods are without a node.
func unplaced(s *cluster.State, profiles map[string]*scheduler.Profile) map[string]int {
	out := map[string]int{}
	byClass := map[cluster.ClassID]string{}
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] != cluster.Pending {
			continue
		}
		c := s.Pods.Class[p]
		if _, ok := byClass[c]; !ok {
			byClass[c] = whyUnplaced(s, p, profiles[s.Class(p).Scheduler])
		}
		out[byClass[c]]++
	}
	return out
}

// whyUnplaced says it of one pod.
func whyUnplaced(s *cluster.State, p cluster.PodID, profile *scheduler.Profile) string {
	if profile == nil {
		return fmt.Sprintf("the policy has no profile for scheduler %q", cmp.Or(s.Class(p).Scheduler, defaultScheduler))
	}
	return profile.Diagnose(s, p).String()
}

// results puts together what was finished, in the experiment's order.
func (x *Experiment) results(e *execution, opened map[string]*traces.Trace, policies map[string]*Policy, opts Options, complete bool) *Results {
	r := &Results{Version: Version, Ties: x.ties(policies)}
	for _, text := range x.Axes.Policy {
		if p := policies[text]; p.Hash != "" {
			r.Policies = append(r.Policies, PolicyInfo{text, p.Hash})
		}
	}
	for _, name := range x.Axes.Trace {
		tr := opened[name]
		r.Traces = append(r.Traces, TraceInfo{name, tr.Hash, tr.Nodes, tr.GPUs, tr.Pods, tr.OfferedLoad, recordedWaits(tr.Waits)})
	}
	for slot := range len(x.points()) * len(x.Axes.Seed) {
		if out, ok := e.outcomes[slot]; ok {
			r.Runs = append(r.Runs, *out.run)
		}
	}
	r.Summary = Summarise(r.Runs)
	if x.Baseline != "" {
		r.Differences = Differences(r.Runs, x.Baseline)
	}
	r.Reproduce = Reproduce{
		Berth: opts.Version, Experiment: x.Hash(), Seeds: x.Axes.Seed.String(),
		Digest: r.digest(), Command: opts.Command, Complete: complete,
	}
	return r
}

// digest returns the SHA-256, in hex, over what was run and decided.
func (r *Results) digest() string {
	h := sha256.New()
	for _, tr := range r.Traces {
		fmt.Fprintln(h, tr.Name, tr.Hash)
	}
	for _, p := range r.Policies {
		fmt.Fprintln(h, p.Name, p.Hash)
	}
	for _, q := range r.Quotas {
		fmt.Fprintln(h, q.Name, q.Hash)
	}
	for _, run := range r.Runs {
		fmt.Fprintln(h, run.Point, run.Seed, run.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ties names the rule by which equal scores are decided, and the policies that
// have another.
func (x *Experiment) ties(policies map[string]*Policy) string {
	text := scheduler.TiesLowest.String()
	for _, name := range x.Axes.Policy {
		list := policies[name].list
		if pr, err := scheduler.NewProfile(policies[name].plugins, list); err == nil && pr.Ties() != scheduler.TiesLowest {
			text += fmt.Sprintf("; %s: %s", name, pr.Ties())
		}
	}
	return text
}
