package certify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// A Stage is a cluster of real kubelets on which a script is played.
type Stage interface {
	// Create makes the pod that is the n-th of a group, both from 0.
	Create(ctx context.Context, group, n int) error
	// Strike has a fault befall a node, or end if it is over.
	Strike(ctx context.Context, kind faults.Kind, node string, over bool) error
}

// An act is something that a script has happen at a time after its first pod.
type act struct {
	at time.Duration
	do func(ctx context.Context) error
}

// Play plays a script from now on, and returns when its time is over, with what befell nodes
// and when: times are since epoch. A fault that the script leaves open ends with it. If ctx ends or
// something fails, what has been broken is mended first.
func (s *Script) Play(ctx context.Context, on Stage, epoch time.Time) ([]faults.Fault, error) {
	p := &playing{on: on, epoch: epoch}
	acts := s.acts(p)
	slices.SortStableFunc(acts, func(a, b act) int { return int(min(max(a.at-b.at, -1), 1)) })
	began := time.Now()
	var err error
	for _, a := range append(acts, act{at: s.For, do: func(context.Context) error { return nil }}) {
		if err = sleep(ctx, time.Until(began.Add(a.at))); err != nil {
			break
		}
		if err = a.do(ctx); err != nil {
			break
		}
	}
	mend, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return p.struck, errors.Join(err, p.end(mend))
}

// acts returns what a script has happen.
func (s *Script) acts(p *playing) (all []act) {
	n := 0
	for group, g := range s.Pods {
		for i := range g.Count {
			all = append(all, act{at: time.Duration(n) * s.Every, do: func(ctx context.Context) error { return p.on.Create(ctx, group, i) }})
			n++
		}
	}
	for _, e := range s.Struck.Entries {
		for _, node := range e.Names {
			all = append(all, act{at: time.Duration(e.At), do: func(ctx context.Context) error { return p.begin(ctx, e.Effect, node) }})
			if e.For != cluster.Never {
				all = append(all, act{at: time.Duration(e.At + e.For), do: func(ctx context.Context) error { return p.over(ctx, e.Kind, node) }})
			}
		}
	}
	return all
}

// playing is what has befallen nodes so far.
type playing struct {
	on     Stage
	epoch  time.Time
	struck []faults.Fault // Until is Never as long as it isn't over
}

func (p *playing) now() cluster.Time { return cluster.Time(time.Since(p.epoch)) }

// begin strikes a node. When a fault began is when it was known to have.
func (p *playing) begin(ctx context.Context, e faults.Effect, node string) error {
	if err := p.on.Strike(ctx, e.Kind, node, false); err != nil {
		return fmt.Errorf("striking %s: %w", node, err)
	}
	p.struck = append(p.struck, faults.Fault{At: p.now(), Until: cluster.Never, Nodes: []string{node}, Effect: e})
	return nil
}

// over mends a node.
func (p *playing) over(ctx context.Context, kind faults.Kind, node string) error {
	if err := p.on.Strike(ctx, kind, node, true); err != nil {
		return fmt.Errorf("mending %s: %w", node, err)
	}
	for i := range p.struck {
		if f := &p.struck[i]; f.Nodes[0] == node && f.Kind == kind && f.Until == cluster.Never {
			f.Until = p.now()
			return nil
		}
	}
	return nil
}

// end mends all that is still broken. Faults that were open stay so in what Play returns.
func (p *playing) end(ctx context.Context) (err error) {
	for _, f := range p.struck {
		if f.Until == cluster.Never {
			err = errors.Join(err, p.on.Strike(ctx, f.Kind, f.Nodes[0], true))
		}
	}
	return err
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
