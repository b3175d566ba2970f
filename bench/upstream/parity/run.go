package parity

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/scenario"
	"github.com/berthsim/berth/bench/upstream/tally"
)

// A Run is what the comparison of many generated scenarios gave.
type Run struct {
	Comparison
	Clusters int
	Tally    *tally.Tally
	// Failed is the first scenario with a mismatch, nil if there is none.
	Failed *scenario.Scenario
}

// String is the last line of a run.
func (r *Run) String() string {
	return fmt.Sprintf("%d pods, %d comparisons, %d mismatches", r.Pods, r.Comparisons, len(r.Mismatches))
}

// Scenarios compares the scenarios of a seed, in order, until so many pods were compared. It stops
// early after a scenario with a mismatch. All processors take part; what comes out doesn't depend on
// how many there are, but for the scenarios beyond the last that was needed.
func Scenarios(seed uint64, pods int) (*Run, error) {
	run := &Run{Tally: tally.New()}
	var next uint64
	for run.Pods < pods && run.Failed == nil {
		results := make([]*Run, 2*runtime.GOMAXPROCS(0))
		errs := make([]error, len(results))
		var wg sync.WaitGroup
		gate := make(chan struct{}, runtime.GOMAXPROCS(0))
		for i := range results {
			gate <- struct{}{}
			wg.Go(func() {
				results[i], errs[i] = one(generate.Scenario(seed, next+uint64(i), generate.Options{}))
				<-gate
			})
		}
		wg.Wait()
		for i, r := range results {
			if errs[i] != nil {
				return run, fmt.Errorf("seed %d, scenario %d: %w", seed, next+uint64(i), errs[i])
			}
			run.merge(r)
		}
		next += uint64(len(results))
	}
	return run, nil
}

func (r *Run) merge(other *Run) {
	r.Pods += other.Pods
	r.Comparisons += other.Comparisons
	r.Ranked += other.Ranked
	r.Clusters += other.Clusters
	r.Mismatches = append(r.Mismatches, other.Mismatches...)
	r.Tally.Merge(other.Tally)
	if r.Failed == nil {
		r.Failed = other.Failed
	}
}

// one compares one scenario.
func one(s *scenario.Scenario) (*Run, error) {
	run := &Run{Clusters: 1, Tally: tally.New()}
	o, err := oracle.New(oracle.Config{Profile: s.Config})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	b, err := Configured(s.Config)
	if err != nil {
		return nil, err
	}
	p, _ := o.Effective()
	run.Tally.Weigh(o.Weights(p.SchedulerName))
	see := func(a lockstep.Attempt) error {
		run.Tally.Add(a)
		return run.Visit(b, a)
	}
	if err := lockstep.Play(s, o, see, b); err != nil {
		return nil, err
	}
	if len(run.Mismatches) > 0 {
		run.Failed = s
	}
	return run, nil
}

// Compare compares one scenario and returns what differs.
func Compare(s *scenario.Scenario) ([]Mismatch, error) {
	run, err := one(s)
	if err != nil {
		return nil, err
	}
	return run.Mismatches, nil
}

// Minimise returns a smaller scenario that still has a mismatch of the same kind as the first of s.
func Minimise(s *scenario.Scenario) *scenario.Scenario {
	first, err := Compare(s)
	if err != nil || len(first) == 0 {
		return s
	}
	return scenario.Minimise(s, func(c *scenario.Scenario) bool {
		m, err := Compare(c)
		return err == nil && len(m) > 0 && m[0].kind() == first[0].kind()
	}, minimiseTries)
}

// minimiseTries bounds the work of making a scenario smaller: some minutes.
const minimiseTries = 3000
