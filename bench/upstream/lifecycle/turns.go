package lifecycle

import (
	"cmp"
	"slices"
	"sync"
	"testing/synctest"
)

// A turn is what a goroutine of a controller is about to do. At one instant, what has the lower turn is
// done first: what follows from a change before the next change, and the monitor when all else rests.
type turn int

const (
	deletes turn = iota // of pods: timers that end, and pods that don't tolerate
	taints              // of nodes: the workers for NoSchedule, the pass for NoExecute, the monitor's swaps
	marks               // of pods as not ready
	judges              // the monitor sets a node's conditions
	looks               // the monitor takes up the next node
	begins              // the monitor begins a pass
)

// turns has goroutines do what they do one after another. What one does, all see before the next begins.
type turns struct {
	mu      sync.Mutex
	waiting []waiter
	over    bool          // nobody waits any more
	poke    chan struct{} // somebody waits
	begun   bool          // the monitor began a pass since somebody asked
}

type waiter struct {
	turn turn
	name string
	free chan struct{}
}

func newTurns() *turns { return &turns{poke: make(chan struct{}, 1)} }

// wait returns when it is the caller's turn.
func (t *turns) wait(turn turn, name string) {
	t.mu.Lock()
	if t.over {
		t.mu.Unlock()
		return
	}
	w := waiter{turn, name, make(chan struct{})}
	t.waiting = append(t.waiting, w)
	select {
	case t.poke <- struct{}{}:
	default:
	}
	t.mu.Unlock()
	<-w.free
}

// settle gives all their turns, until all rest.
func (t *turns) settle() {
	for {
		synctest.Wait()
		t.mu.Lock()
		if len(t.waiting) == 0 {
			t.mu.Unlock()
			return
		}
		i := 0
		for j, w := range t.waiting {
			if cmp.Or(cmp.Compare(w.turn, t.waiting[i].turn), cmp.Compare(w.name, t.waiting[i].name)) < 0 {
				i = j
			}
		}
		w := t.waiting[i]
		t.waiting = slices.Delete(t.waiting, i, i+1)
		t.begun = t.begun || w.turn == begins
		t.mu.Unlock()
		close(w.free)
	}
}

// end lets everybody go.
func (t *turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for _, w := range t.waiting {
		close(w.free)
	}
	t.waiting = nil
}
