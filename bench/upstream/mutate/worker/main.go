// Command worker is built by package mutate out of rewritten source. It reads numbers of mutants,
// one a line, and whether each is about what wakes pods; holds them against what upstream says, and
// writes for each a line of what came out.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/hints"
	"github.com/berthsim/berth/bench/upstream/mutate/active"
	"github.com/berthsim/berth/bench/upstream/parity"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

// An Outcome is what came out for a mutant.
type Outcome struct {
	ID     int
	Caught string // by what; "" if it survived
	Pods   int    // that were compared
}

// few is how many pods arrive in a scenario: the fewer, the more clusters and configurations are met.
const few = 12

// changes is how many changes of nodes and pods are drawn for a mutant that is about them.
const changes = 20000

// patience is how many times as often as the unchanged code a mutant may be asked about.
const patience = 100

type worker struct {
	seed    uint64
	pods    int
	cases   []parity.ArgumentCase
	profile *parity.Standard
	known   []*parity.Recording
	allowed []int64 // questions, by recording
}

func main() {
	w := worker{}
	flag.Uint64Var(&w.seed, "seed", 1, "of the scenarios")
	flag.IntVar(&w.pods, "pods", 2000, "to compare at most")
	flag.Parse()
	if err := w.serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (w *worker) serve() (err error) {
	if w.cases, err = parity.Arguments(); err != nil {
		return err
	}
	if w.profile, err = parity.NewStandard(); err != nil {
		return err
	}
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		var id int
		var wakes bool
		if _, err := fmt.Sscan(in.Text(), &id, &wakes); err != nil {
			return err
		}
		o, err := w.try(id, wakes)
		if err != nil {
			return err
		}
		if err := out.Encode(o); err != nil {
			return err
		}
	}
	return in.Err()
}

// try holds a mutant against recordings until one catches it.
func (w *worker) try(id int, wakes bool) (Outcome, error) {
	o := Outcome{ID: id, Caught: guarded(id, w.arguments)}
	if wakes && o.Caught == "" {
		o.Caught = guarded(id, w.hints)
	}
	for i := 0; o.Pods < w.pods && o.Caught == ""; i++ {
		if i == len(w.known) {
			if err := w.record(id); err != nil {
				return o, err
			}
		}
		active.Set(id)
		c := compare(w.known[i], w.allowed[i])
		o.Pods, o.Caught = o.Pods+c.pods, c.caught
	}
	return o, nil
}

// arguments says which plugin's arguments are taken otherwise than upstream takes them, or how the
// standard profile differs.
func (w *worker) arguments() string {
	for _, c := range w.cases {
		if mismatch := c.Compare(); mismatch != "" {
			return mismatch
		}
	}
	return w.profile.Compare()
}

// hints says which change wakes other pods than it does upstream.
func (w *worker) hints() string {
	run, err := hints.Compare(w.seed, changes)
	switch {
	case err != nil:
		return err.Error()
	case len(run.Mismatches) > 0:
		return run.Mismatches[0]
	}
	return ""
}

// guarded asks with a mutant on, and takes a panic for an answer.
func guarded(id int, ask func() string) (caught string) {
	defer func() {
		if cause := recover(); cause != nil {
			caught = fmt.Sprintf("panic: %v", cause)
		}
	}()
	active.Set(id)
	active.Allow(0)
	return ask()
}

// record adds a recording, and counts how often the unchanged code asks in it.
func (w *worker) record(id int) error {
	active.Set(0)
	active.Allow(0)
	s, err := w.scenario(len(w.known))
	if err != nil {
		return err
	}
	r, err := parity.Record(s)
	if err != nil {
		return err
	}
	c := compare(r, 0)
	if initial := os.Getenv(active.Env); c.caught != "" && initial == "" {
		return fmt.Errorf("without a mutant: %s", c.caught)
	}
	w.known = append(w.known, r)
	w.allowed = append(w.allowed, patience*(active.Allow(0)+1000))
	return nil
}

// scenario returns the i-th: first those that are kept, then those that are generated.
func (w *worker) scenario(i int) (*scenario.Scenario, error) {
	kept, err := parity.KeptScenarios()
	if err != nil {
		return nil, err
	}
	if i < len(kept) {
		return kept[i].Scenario, nil
	}
	return generate.Scenario(w.seed, uint64(i-len(kept)), generate.Options{Pods: few}), nil
}

type comparison struct {
	caught string
	pods   int
}

// compare turns whatever differs, fails or panics into a reason.
func compare(r *parity.Recording, allowed int64) (c comparison) {
	defer func() {
		if cause := recover(); cause != nil {
			c.caught = fmt.Sprintf("panic: %v", cause)
		}
	}()
	active.Allow(allowed)
	got, err := r.Compare()
	c.pods = got.Pods
	switch {
	case err != nil:
		c.caught = err.Error()
	case len(got.Mismatches) > 0:
		c.caught = got.Mismatches[0].String()
	}
	return c
}
