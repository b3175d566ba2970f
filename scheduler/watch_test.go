package scheduler_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// A listener writes down what begins, as deep as it lies within others.
type listener struct {
	depth int
	lines []string
}

func (l *listener) Begin(phase scheduler.Phase, plugin string) {
	l.lines = append(l.lines, strings.TrimSpace(strings.Repeat(". ", l.depth)+phase.String()+" "+plugin))
	l.depth++
}

func (l *listener) End() { l.depth-- }

// TestWatch checks what a Watcher is told of two pods: one that is placed, and one that
// fits nowhere and may not preempt.
func TestWatch(t *testing.T) {
	pr := mustProfile(t, []*scheduler.Plugin{room, gpus, fullest}, weigh("Fullest")...)
	sc := scheduler.New(pr)
	l := &listener{}
	sc.SetWatch(l)
	s := cluster.NewState()
	events := []cluster.Event{node("n1", 1000), node("n2", 1000), pod("fits", 500), pod("too-big", 5000)}
	s.Observe(0, events)
	sc.Step(s, events)
	want := []string{
		"queue", ". preenqueue", ". preenqueue",
		". choose", ". . rank", // the class is new, so there is no ranking yet
		". filter", ". . filter Room", ". . filter GPUs",
		". score", ". . score Fullest", ". choose", ". allocate GPUs", ". bind",
		". choose", ". . rank", ". filter", ". . filter Room", ". diagnose",
	}
	if !slices.Equal(l.lines, want) || l.depth != 0 {
		t.Errorf("it was told of\n%s\nand %d have not ended; want\n%s", strings.Join(l.lines, "\n"), l.depth, strings.Join(want, "\n"))
	}
	told := len(l.lines)
	sc.SetWatch(nil)
	sc.Step(s, nil)
	if len(l.lines) != told {
		t.Errorf("it was told of %v when nobody watched", l.lines[told:])
	}
}
