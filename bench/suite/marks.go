package suite

import (
	"context"
	"runtime/pprof"

	"github.com/berthsim/berth/scheduler"
)

// The keys of labels that samples of a profile have.
const (
	caseLabel   = "case"
	phaseLabel  = "phase"
	pluginLabel = "plugin"
)

// marks is a scheduler.Watcher that labels what a profiler samples with the case, the
// phase and the plugin. A nil *marks labels nothing.
type marks struct {
	of     context.Context // with the case's label
	labels map[mark]context.Context
	stack  []context.Context
}

type mark struct{ phase, plugin string }

// suitePhase is what the suite itself does, as far as it isn't said more precisely.
const suitePhase = "suite"

// newMarks labels what the goroutine does from now on as the suite's.
func newMarks(name string) *marks {
	m := &marks{of: pprof.WithLabels(context.Background(), pprof.Labels(caseLabel, name)), labels: map[mark]context.Context{}}
	m.begin(suitePhase)
	return m
}

// stop takes labels off the goroutine.
func (m *marks) stop() { pprof.SetGoroutineLabels(context.Background()) }

// Begin implements scheduler.Watcher.
func (m *marks) Begin(phase scheduler.Phase, plugin string) { m.push(phase.String(), plugin) }

// End implements scheduler.Watcher.
func (m *marks) End() {
	m.stack = m.stack[:len(m.stack)-1]
	pprof.SetGoroutineLabels(m.stack[len(m.stack)-1])
}

// begin is Begin for what isn't the scheduler's.
func (m *marks) begin(phase string) {
	if m != nil {
		m.push(phase, "")
	}
}

func (m *marks) end() {
	if m != nil {
		m.End()
	}
}

func (m *marks) push(phase, plugin string) {
	ctx, ok := m.labels[mark{phase, plugin}]
	if !ok {
		ctx = pprof.WithLabels(m.of, pprof.Labels(phaseLabel, phase, pluginLabel, plugin))
		m.labels[mark{phase, plugin}] = ctx
	}
	m.stack = append(m.stack, ctx)
	pprof.SetGoroutineLabels(ctx)
}

// watch has a profiler know what the world does, until it is called with nil.
func (w *World) watch(m *marks) {
	w.marks = m
	if m == nil {
		w.sched.SetWatch(nil)
		return
	}
	w.sched.SetWatch(m)
}
