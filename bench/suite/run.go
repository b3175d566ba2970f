package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/berthsim/berth/scheduler"
)

// Options say what is measured.
type Options struct {
	Plugins []*scheduler.Plugin // known ones, kube's among them
	Cases   []Case
	Samples int // of each case, and rounds of each plugin's cost; 1 or more

	Version string // of the program, for the record
	Command string // that measures this again, for the record

	// Progress, if set, is told what was done last, and how much of how much is.
	Progress func(done, total int, what string)
}

// profileTime is for how long each case is profiled.
const profileTime = time.Second

// A session is a run of the suite under way.
type session struct {
	Options
	result *Result
	worlds []*World
	done   int
}

// Run measures. If ctx is done before, it returns what is complete, nil if nothing is, and
// ctx's error.
func Run(ctx context.Context, o Options) (*Result, error) {
	s := &session{Options: o, result: newResult(&o)}
	err := s.run(ctx)
	if err != nil && (!errors.Is(err, ctx.Err()) || len(s.result.Cases) == 0) {
		return nil, err
	}
	return s.result, err
}

func (s *session) run(ctx context.Context) error {
	for _, c := range s.Cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		w, err := NewWorld(c, s.Plugins)
		if err != nil {
			return err
		}
		s.worlds = append(s.worlds, w)
		s.step("made " + c.Name())
	}
	if err := s.sample(ctx); err != nil {
		return err
	}
	if err := s.profile(ctx); err != nil {
		return err
	}
	s.worlds = nil // what plugins cost is measured without their garbage
	costs, err := measureCosts(ctx, s.Plugins, s.Samples, func() { s.step("asked each plugin") })
	if err != nil {
		return err
	}
	uncounted, err := countStatements(ctx, s.Plugins, costs)
	if err != nil {
		return err
	}
	if uncounted != nil {
		s.result.Uncounted = uncounted.Error()
	}
	s.result.Plugins = costs
	s.result.Complete = true
	return nil
}

// step says that something is done.
func (s *session) step(what string) {
	s.done++
	total := len(s.Cases)*(2+s.Samples) + s.Samples
	if s.Progress != nil {
		s.Progress(s.done, total, what)
	}
}

// sample takes samples of all cases in turn. The result has those of whole turns.
func (s *session) sample(ctx context.Context) error {
	taken := make([]CaseResult, len(s.worlds))
	for i, w := range s.worlds {
		taken[i] = CaseResult{Name: s.Cases[i].Name(), Pods: w.workload.pods}
	}
	for turn := range s.Samples {
		for i, w := range s.worlds {
			if err := ctx.Err(); err != nil {
				return err
			}
			sample, counts := w.Measure(w.workload.pods)
			if turn == 0 {
				taken[i].Work = counts
			}
			taken[i].Samples = append(taken[i].Samples, sample)
			s.step("measured " + taken[i].Name)
		}
		s.result.Cases = slices.Clone(taken)
		for i := range taken {
			s.result.Cases[i].Samples = slices.Clone(taken[i].Samples)
		}
	}
	return nil
}

// profile has a profiler look at all cases, for a while each.
func (s *session) profile(ctx context.Context) (err error) {
	var cpu, heap bytes.Buffer
	began := time.Now()
	if err := pprof.StartCPUProfile(&cpu); err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	for i, w := range s.worlds {
		if err = ctx.Err(); err != nil {
			break
		}
		w.profiled(s.Cases[i].Name(), profileTime)
		s.step("profiled " + s.Cases[i].Name())
	}
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	runtime.GC()
	if err := pprof.WriteHeapProfile(&heap); err != nil {
		return fmt.Errorf("profiling the heap: %w", err)
	}
	shares, err := attribute(cpu.Bytes(), s.Plugins)
	if err != nil {
		return err
	}
	s.result.Attribution = shares
	s.result.cpu, s.result.heap = cpu.Bytes(), heap.Bytes()
	s.result.began, s.result.ended = began, time.Now()
	return nil
}

// profiled places pods for a while, under labels.
func (w *World) profiled(name string, atLeast time.Duration) {
	m := newMarks(name)
	defer m.stop()
	w.watch(m)
	defer w.watch(nil)
	for began := time.Now(); time.Since(began) < atLeast; {
		w.Prepare(min(w.workload.pods, 200))
		for w.Left() > 0 {
			w.Place()
		}
	}
}
