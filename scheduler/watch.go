package scheduler

import (
	"maps"
	"slices"
)

// A Phase is a part of the work of deciding, by which a Watcher tells where time goes.
type Phase uint8

// The phases. Those that plugins work in come with the plugin's name.
const (
	PhaseQueue      Phase = iota // taking in what happened, and choosing the next pod; all of Step that is nothing else
	PhasePreEnqueue              // PreEnqueuers
	PhaseWake                    // Wakers
	PhasePreFilter               // Preselectors
	PhaseFilter                  // Filters, and rules that stand for them
	PhasePreScore                // PreScorers
	PhaseScore                   // Scorers, and rules that stand for them
	PhaseNormalize               // Normalizers
	PhaseRank                    // making rankings and bringing them up to date
	PhaseChoose                  // finding the best of the nodes
	PhaseAllocate                // Allocators
	PhaseDiagnose                // finding out why a pod fits nowhere
	PhasePreempt                 // Preemptors
	PhasePermit                  // Gates
	PhaseBind                    // writing down where the pod goes
)

var phaseNames = [...]string{
	"queue", "preenqueue", "wake", "prefilter", "filter", "prescore", "score", "normalize",
	"rank", "choose", "allocate", "diagnose", "preempt", "permit", "bind",
}

// Phases is the number of phases.
const Phases = len(phaseNames)

// String returns the phase's name: "filter".
func (ph Phase) String() string { return phaseNames[ph] }

// A Watcher is told when work of a kind begins and ends, for instance to label samples of
// a profiler. Calls are nested: End ends what began last. A panic leaves without End. It must
// not change what is decided.
type Watcher interface {
	// Begin is told what begins: a phase, and the plugin that works in it, "" if the
	// framework does.
	Begin(phase Phase, plugin string)
	End()
}

// SetWatch has w told what the profile is busy with; nil, as at first, tells nobody and
// costs nothing.
func (pr *Profile) SetWatch(w Watcher) { pr.watch = watch{w} }

// SetWatch has w told what the Scheduler and its profiles are busy with; nil tells nobody.
func (sc *Scheduler) SetWatch(w Watcher) {
	sc.watch = watch{w}
	for _, name := range slices.Sorted(maps.Keys(sc.profiles)) {
		sc.profiles[name].SetWatch(w)
	}
}

// watch is a Watcher, or nil for none.
type watch struct{ Watcher }

func (w watch) begin(phase Phase, plugin string) {
	if w.Watcher != nil {
		w.Begin(phase, plugin)
	}
}

func (w watch) end() {
	if w.Watcher != nil {
		w.End()
	}
}
