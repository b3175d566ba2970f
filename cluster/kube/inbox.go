package kube

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/berthsim/berth/cluster"
	"k8s.io/apimachinery/pkg/runtime"
)

// A change is what a watch or a worker has learnt.
type change struct {
	at   cluster.Time // when it came
	what changeKind
	of   *feed            // of all but answers
	obj  runtime.Object   // of put and remove
	list []runtime.Object // of relist: all there is now
	gap  *gap             // of a relist that isn't the first

	answer answer // of answered
}

type changeKind uint8

const (
	put      changeKind = iota // an object is new, or has changed
	remove                     // an object is gone
	relist                     // these objects are there, and no others
	answered                   // a decision was settled
)

// A gap is a time in which a watch may have missed something.
type gap struct {
	kind        string
	from, until cluster.Time
	reason      string
}

// An inbox holds changes until Next takes them.
type inbox struct {
	clock clock

	mu      sync.Mutex
	changes []change
	signal  chan struct{} // holds a token when there is something to look at
}

func newInbox(c clock) *inbox { return &inbox{clock: c, signal: make(chan struct{}, 1)} }

// add appends a change.
func (b *inbox) add(c change) {
	b.mu.Lock()
	c.at = b.clock.now()
	b.changes = append(b.changes, c)
	b.mu.Unlock()
	b.poke()
}

// poke wakes who waits.
func (b *inbox) poke() {
	select {
	case b.signal <- struct{}{}:
	default: // it has been told already
	}
}

// take returns all changes there are.
func (b *inbox) take() []change {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.changes
	b.changes = nil
	return list
}

// putBack puts changes that were taken in front of all others.
func (b *inbox) putBack(list []change) {
	if len(list) == 0 {
		return
	}
	b.mu.Lock()
	b.changes = append(slices.Clip(list), b.changes...)
	b.mu.Unlock()
	b.poke()
}

// length returns how many changes wait.
func (b *inbox) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.changes)
}

// signalled waits for something to look at.
func (b *inbox) signalled(ctx context.Context) error {
	select {
	case <-b.signal:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait waits for something to look at, until a deadline.
func (b *inbox) wait(ctx context.Context, deadline cluster.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline == cluster.Never {
		return b.signalled(ctx)
	}
	timer := time.NewTimer(time.Duration(deadline - b.clock.now()))
	defer timer.Stop()
	select {
	case <-b.signal:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// sortLists orders what came before every list was there by resource: nodes first and pods
// last, so that the first batch finds what it is about.
func (b *inbox) sortLists() {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortStableFunc(b.changes, func(x, y change) int { return cmp.Compare(x.rank(), y.rank()) })
	b.poke()
}

// rank is the place of a change's resource in the first batch.
func (c *change) rank() int {
	if c.of == nil {
		return 0
	}
	return c.of.rank
}
